/* SPDX-License-Identifier: MIT */

/* Calling (RFC 5456 section 6.2.1). */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define ANSWER_US (60 * MONO_S) /* ACCEPT to ANSWER */

static void put_new(struct iax2_endpoint *ep, const struct call *c,
		    struct wire_wr *w)
{
	const struct iax2_prefs prefs = endpoint_prefs(ep);

	iax2_ie_put_u16(w, IAX2_IE_VERSION, IAX2_PROTOCOL_VERSION);
	iax2_ie_put_text(w, IAX2_IE_CALLED_NUMBER, c->called);
	iax2_format_put_prefs(w, &prefs);
	iax2_ie_put_text(w, IAX2_IE_CALLING_NUMBER, c->calling);
	iax2_ie_put_u8(w, IAX2_IE_CALLINGPRES, 0);
	iax2_ie_put_u8(w, IAX2_IE_CALLINGTON, 0);
	iax2_ie_put_u16(w, IAX2_IE_CALLINGTNS, 0);
	if (c->username[0] != '\0')
		iax2_ie_put_text(w, IAX2_IE_USERNAME, c->username);
	iax2_format_put_offer(w, &prefs);
}

static void put_ticket(struct iax2_endpoint *ep, const struct call *c,
		       struct wire_wr *w)
{
	uint8_t sig[KEY_SIGNATURE_LEN], id[8];
	struct key_part parts[5];

	call_statement(ep, c, id, parts);
	key_sign(&ep->id, "keyhole call", parts, 5, sig);
	iax2_ie_put(w, IAX2_IE_KH_PUNCH, id, sizeof(id));
	iax2_ie_put(w, IAX2_IE_ED25519_RESULT, sig, sizeof(sig));
	if (ep->cfg.features != 0)
		iax2_ie_put_u32(w, IAX2_IE_KH_FEATURES, ep->cfg.features);
}

void call_read_features(const struct iax2_endpoint *ep, struct call *c,
			const struct iax2_full *f)
{
	uint32_t theirs = 0;

	(void)iax2_ie_u32(f->body, f->body_len, IAX2_IE_KH_FEATURES, &theirs);
	c->features = ep->cfg.features & theirs;
}

static enum iax2_err send_new(struct iax2_endpoint *ep, struct call *c,
			      const uint8_t *token, size_t token_len,
			      mono_us now)
{
	uint8_t body[512];
	struct wire_wr w = wire_wr(body, sizeof(body));
	struct out_frame f = {
		.type = IAX2_FRAME_IAX,
		.subclass = IAX2_IAX_NEW,
		.body = body,
		.seal = c->has_ticket,
	};

	put_new(ep, c, &w);
	if (c->has_ticket)
		put_ticket(ep, c, &w);
	else
		iax2_ie_put(&w, IAX2_IE_CALLTOKEN, token, token_len);
	if (w.bad)
		return IAX2_E_RANGE;
	f.body_len = (size_t)(w.p - body);
	return transport_send(ep, c, &f, now);
}

void call_on_calltoken(struct iax2_endpoint *ep, struct call *c,
		       const struct iax2_full *f, mono_us now)
{
	struct iax2_ie_view token;

	/* Once: a peer must not make us call it for ever. */
	if (c->state != CALL_NEW_SENT || c->has_ticket || c->token_used ||
	    c->peer_callno != 0 ||
	    !iax2_ie_find(f->body, f->body_len, IAX2_IE_CALLTOKEN, &token) ||
	    token.len == 0)
		return;
	c->token_used = true;
	c->state_due = now + CALL_SETUP_US;
	transport_restart(ep, c);
	(void)send_new(ep, c, token.value, token.len, now);
}

static bool accept_is_signed(const struct iax2_endpoint *ep,
			     const struct call *c, const struct iax2_full *f)
{
	uint8_t sig[KEY_SIGNATURE_LEN], id[8];
	struct key_part parts[5];

	if (!iax2_ie_octets(f->body, f->body_len, IAX2_IE_ED25519_RESULT, sig,
			    sizeof(sig)))
		return false;
	call_statement(ep, c, id, parts);
	return key_verify(c->ticket.peer_key, "keyhole accept", parts, 5, sig);
}

/*
 * Somebody who knows of the call, but is not who has the other half of the
 * ticket, neither ends it nor takes the true answer's place: what decides needs
 * the ACCEPT's signature or the ticket's seal.
 */
bool call_is_unproved(const struct iax2_endpoint *ep, const struct call *c,
		      const struct dgram *d, const struct iax2_full *f)
{
	if (!c->has_ticket || c->state != CALL_NEW_SENT ||
	    f->type != IAX2_FRAME_IAX)
		return false;
	switch (f->subclass) {
	case IAX2_IAX_ACCEPT:
		return !accept_is_signed(ep, c, f);
	case IAX2_IAX_AUTHREQ:
	case IAX2_IAX_REJECT:
	case IAX2_IAX_HANGUP:
	case IAX2_IAX_INVAL:
		return !seal_check(d->data, d->len, c->ticket.key);
	default:
		return false;
	}
}

void call_on_accept(struct iax2_endpoint *ep, struct call *c,
		    const struct iax2_full *f, mono_us now)
{
	const struct iax2_prefs prefs = endpoint_prefs(ep);
	const uint64_t format =
		iax2_format_agreed(f->body, f->body_len, &prefs);

	if (!c->outbound || c->state != CALL_NEW_SENT)
		return;
	if (format == 0) {
		call_end(ep, c,
			 (struct ending){ IAX2_DOWN_PROTOCOL, 58,
					  "No format in common" },
			 now);
		return;
	}
	c->format = format;
	if (c->has_ticket)
		call_read_features(ep, c, f);
	c->state = CALL_ACCEPTED;
	c->state_due = now + ANSWER_US;
	(void)endpoint_event(ep, IAX2_EV_CALL_ACCEPTED, c);
}

static bool copy_name(char out[IAX2_NUMBER_MAX + 1], const char *in)
{
	const size_t len = in ? strlen(in) : 0;

	if (len > IAX2_NUMBER_MAX)
		return false;
	if (len > 0)
		memcpy(out, in, len);
	out[len] = '\0';
	return true;
}

enum iax2_err iax2_dial(struct iax2_endpoint *ep, const struct iax2_dial *dial,
			mono_us now, struct iax2_call_id *out)
{
	struct call *c;
	enum iax2_err err;

	ep->now = now;
	if (!dial->called || dial->called[0] == '\0' ||
	    !net_addr_is_set(&dial->path.peer) ||
	    (dial->md5_secret &&
	     strlen(dial->md5_secret) >= sizeof(c->md5_secret)))
		return IAX2_E_RANGE;
	if (!endpoint_event_room(ep, false))
		return IAX2_E_FULL;
	c = endpoint_call_new(ep, &dial->path, now);
	if (!c)
		return IAX2_E_FULL;
	c->state = CALL_NEW_SENT;
	c->state_due = now + CALL_SETUP_US;
	c->outbound = true;
	c->told = true;
	/* Asterisk may take a repeated NEW for a second call: no hurry. */
	c->first_interval = dial->ticket ? CALL_SETUP_INTERVAL_US : MONO_S;
	if (dial->ticket) {
		c->has_ticket = true;
		c->ticket = *dial->ticket;
	}
	if (dial->md5_secret)
		memcpy(c->md5_secret, dial->md5_secret,
		       strlen(dial->md5_secret) + 1);
	err = IAX2_E_RANGE;
	if (copy_name(c->called, dial->called) &&
	    copy_name(c->calling, dial->calling) &&
	    copy_name(c->username, dial->username))
		err = send_new(ep, c, NULL, 0, now);
	if (err != IAX2_OK) {
		endpoint_call_free(ep, c, now);
		return err;
	}
	endpoint_call_touch(ep, c);
	*out = endpoint_call_id(ep, c);
	return IAX2_OK;
}
