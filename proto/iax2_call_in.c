/* SPDX-License-Identifier: MIT */

/*
 * Being called (RFC 5456 section 6.2.2): nothing is kept for a caller before
 * it has proved its address with a call token, or its key with a ticket.
 */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define DECIDE_US (5 * MONO_S) /* the node's time for a decision */
#define PROVE_US (5 * MONO_S)  /* the caller's time for an AUTHREP */
#define CAUSECODE_NO_AUTHORITY 50U
#define CAUSECODE_NO_CODEC 58U
#define CAUSECODE_CONGESTION 34U

static struct iax2_full answer_to(const struct iax2_full *f,
				  enum iax2_iax subclass)
{
	return (struct iax2_full){
		.src_callno = IAX2_CALLNO_OUTSIDE,
		.dst_callno = f->src_callno,
		.ts_ms = f->ts_ms,
		.iseq = (uint8_t)(f->oseq + 1),
		.type = IAX2_FRAME_IAX,
		.subclass = subclass,
	};
}

static enum iax2_err ask_for_token(struct iax2_endpoint *ep,
				   const struct dgram *d,
				   const struct iax2_full *f)
{
	const struct iax2_full out = answer_to(f, IAX2_IAX_CALLTOKEN);
	char token[CALL_TOKEN_LEN + 1];
	uint8_t body[2 + CALL_TOKEN_LEN];
	struct wire_wr w = wire_wr(body, sizeof(body));

	ep->n.token_bad++;
	call_token_make(&ep->secret, &d->path.peer, token);
	iax2_ie_put_text(&w, IAX2_IE_CALLTOKEN, token);
	endpoint_stateless(ep, d, &out, body, sizeof(body));
	return IAX2_OK;
}

/* REJECT without a call; @code 0: no elements, as Asterisk does for a bad
 * token. */
static enum iax2_err refuse(struct iax2_endpoint *ep, const struct dgram *d,
			    const struct iax2_full *f, uint8_t code)
{
	const struct iax2_full out = answer_to(f, IAX2_IAX_REJECT);
	uint8_t body[3];
	struct wire_wr w = wire_wr(body, sizeof(body));

	if (code != 0)
		iax2_ie_put_u8(&w, IAX2_IE_CAUSECODE, code);
	endpoint_stateless(ep, d, &out, body, (size_t)(w.p - body));
	return IAX2_E_REFUSED;
}

/* Our preference among what the caller can do; 0: nothing in common. */
static uint64_t choose_format(const struct iax2_endpoint *ep,
			      const struct iax2_full *f)
{
	static const uint64_t usual[] = { IAX2_FORMAT_ULAW, IAX2_FORMAT_ALAW,
					  IAX2_FORMAT_SLIN, IAX2_FORMAT_GSM };
	const bool told = ep->cfg.prefs_n > 0;
	const uint64_t *order = told ? ep->cfg.prefs : usual;
	const size_t n = told ? ep->cfg.prefs_n : 4;
	uint32_t format = 0, capability = 0;
	uint64_t common;

	(void)iax2_ie_u32(f->body, f->body_len, IAX2_IE_FORMAT, &format);
	(void)iax2_ie_u32(f->body, f->body_len, IAX2_IE_CAPABILITY,
			  &capability);
	common = (format | capability) & ep->cfg.formats;
	for (size_t i = 0; i < n; i++) {
		if (common & order[i])
			return order[i];
	}
	return 0;
}

static unsigned half_open(const struct iax2_endpoint *ep,
			  const struct net_addr *from)
{
	unsigned n = 0;

	for (size_t i = 0; i < ep->opening_n; i++)
		n += net_addr_same_ip(&ep->calls[ep->opening[i]].path.peer,
				      from);
	return n;
}

/* Empty when absent, too long or not ASCII: it is nobody's name then. */
static void read_name(const struct iax2_full *f, uint8_t type,
		      char out[IAX2_NUMBER_MAX + 1])
{
	if (!iax2_ie_text(f->body, f->body_len, type, out, IAX2_NUMBER_MAX + 1))
		out[0] = '\0';
	for (const char *p = out; *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x7f) {
			out[0] = '\0';
			return;
		}
	}
}

static void read_names(struct call *c, const struct iax2_full *f)
{
	read_name(f, IAX2_IE_CALLED_NUMBER, c->called);
	read_name(f, IAX2_IE_CALLING_NUMBER, c->calling);
	read_name(f, IAX2_IE_USERNAME, c->username);
}

static void tell_in(struct iax2_endpoint *ep, struct call *c,
		    enum iax2_event_kind kind, enum iax2_proof proof)
{
	struct iax2_event *ev = endpoint_event(ep, kind, c);

	c->told = true;
	if (!ev)
		return;
	memcpy(ev->u.in.called, c->called, sizeof(c->called));
	memcpy(ev->u.in.calling, c->calling, sizeof(c->calling));
	memcpy(ev->u.in.username, c->username, sizeof(c->username));
	ev->u.in.proof = proof;
	ev->u.in.path = c->path;
	if (proof == IAX2_PROOF_TICKET)
		memcpy(ev->u.in.peer_key, c->ticket.peer_key, KEY_PUBLIC_LEN);
	else if (proof == IAX2_PROOF_ED25519)
		memcpy(ev->u.in.peer_key, c->public_key, KEY_PUBLIC_LEN);
}

/* The caller may have a call: make it and ask the node. */
static enum iax2_err begin(struct iax2_endpoint *ep, const struct dgram *d,
			   const struct iax2_full *f,
			   const struct iax2_ticket *ticket, mono_us now)
{
	const uint64_t format = choose_format(ep, f);
	struct call *c;

	if (format == 0)
		return refuse(ep, d, f, CAUSECODE_NO_CODEC);
	if (half_open(ep, &d->path.peer) >= ep->cfg.calls_per_addr_max ||
	    !endpoint_event_room(ep, false)) {
		ep->n.limited++;
		return IAX2_E_LIMITED;
	}
	c = endpoint_call_new(ep, &d->path, now);
	if (!c) {
		ep->n.limited++;
		return refuse(ep, d, f, CAUSECODE_CONGESTION);
	}
	c->state = CALL_WAIT_NODE;
	c->state_due = now + DECIDE_US;
	c->format = format;
	c->first_interval = CALL_SETUP_INTERVAL_US;
	c->iseq = (uint8_t)(f->oseq + 1);
	endpoint_call_hash(ep, c, f->src_callno);
	endpoint_call_opening(ep, c);
	read_names(c, f);
	if (ticket) {
		c->has_ticket = true;
		c->ticket = *ticket;
	}
	transport_ack_due(ep, c, f->ts_ms);
	endpoint_call_touch(ep, c);
	tell_in(ep, c, IAX2_EV_CALL_IN,
		ticket ? IAX2_PROOF_TICKET : IAX2_PROOF_NONE);
	return IAX2_OK;
}

/* --- tickets ------------------------------------------------------------ */

static struct expected *expected_for(struct iax2_endpoint *ep, uint64_t id,
				     const struct net_addr *from, mono_us now)
{
	for (size_t i = 0; i < TICKETS; i++) {
		struct expected *e = &ep->expected[i];

		if (e->ticket.id != id || now >= e->ticket.expires || e->used)
			continue;
		for (size_t k = 0; k < e->addr_n; k++) {
			if (net_addr_equal(&e->addr[k], from))
				return e;
		}
	}
	return NULL;
}

static bool ticket_is_good(const struct iax2_endpoint *ep,
			   const struct expected *e, const struct dgram *d,
			   const struct iax2_full *f)
{
	struct call named = { .ticket = e->ticket };
	uint8_t sig[KEY_SIGNATURE_LEN], id[8];
	struct key_part parts[5];

	if (!seal_check(d->data, d->len, e->ticket.key) ||
	    !iax2_ie_octets(f->body, f->body_len, IAX2_IE_ED25519_RESULT, sig,
			    sizeof(sig)))
		return false;
	read_names(&named, f);
	if (strcmp(named.calling, e->ticket.peer_number) != 0)
		return false;
	call_statement(ep, &named, id, parts);
	return key_verify(e->ticket.peer_key, "keyhole call", parts, 5, sig);
}

/* Silence for what is not right: its sender proved nothing. */
static enum iax2_err on_ticketed_new(struct iax2_endpoint *ep,
				     const struct dgram *d,
				     const struct iax2_full *f, uint64_t id,
				     mono_us now)
{
	struct expected *e = expected_for(ep, id, &d->path.peer, now);
	enum iax2_err err;

	if (!e || !ticket_is_good(ep, e, d, f)) {
		ep->n.auth_failed++;
		return IAX2_E_REFUSED;
	}
	err = begin(ep, d, f, &e->ticket, now);
	e->used = err == IAX2_OK;
	return err;
}

enum iax2_err call_on_new(struct iax2_endpoint *ep, const struct dgram *d,
			  const struct iax2_full *f, mono_us now)
{
	struct iax2_ie_view token;
	uint64_t id;

	if (f->src_callno == 0) {
		ep->n.malformed++;
		return IAX2_E_RANGE;
	}
	if (iax2_ie_u64(f->body, f->body_len, IAX2_IE_KH_PUNCH, &id))
		return on_ticketed_new(ep, d, f, id, now);
	if (!iax2_ie_find(f->body, f->body_len, IAX2_IE_CALLTOKEN, &token)) {
		ep->n.token_bad++;
		return refuse(ep, d, f, 0);
	}
	if (token.len == 0)
		return ask_for_token(ep, d, f);
	if (!call_token_check(&ep->secret, &d->path.peer, token.value,
			      token.len)) {
		ep->n.token_bad++;
		return refuse(ep, d, f, 0);
	}
	return begin(ep, d, f, NULL, now);
}

/* --- the node's answers ------------------------------------------------- */

static bool awaits_node(const struct call *c)
{
	return c->state == CALL_WAIT_NODE || c->state == CALL_PROVED;
}

enum iax2_err iax2_accept(struct iax2_endpoint *ep, struct iax2_call_id call,
			  mono_us now)
{
	struct call *c = endpoint_call(ep, call);
	const struct out_frame answer = {
		.type = IAX2_FRAME_CONTROL,
		.subclass = IAX2_CONTROL_ANSWER,
	};
	uint8_t body[96], sig[KEY_SIGNATURE_LEN], tid[8];
	struct wire_wr w = wire_wr(body, sizeof(body));
	struct key_part parts[5];
	enum iax2_err err;

	ep->now = now;
	if (!c)
		return IAX2_E_STALE;
	if (c->outbound || !awaits_node(c))
		return IAX2_E_STATE;
	iax2_ie_put_u32(&w, IAX2_IE_FORMAT, (uint32_t)c->format);
	if (c->has_ticket) {
		call_statement(ep, c, tid, parts);
		key_sign(&ep->id, "keyhole accept", parts, 5, sig);
		iax2_ie_put(&w, IAX2_IE_ED25519_RESULT, sig, sizeof(sig));
	}
	err = transport_send_iax(ep, c, IAX2_IAX_ACCEPT, body, &w, now);
	if (err == IAX2_OK)
		err = transport_send(ep, c, &answer, now);
	if (err == IAX2_OK)
		call_up(ep, c, now);
	return err;
}

static void make_challenge(struct iax2_endpoint *ep, struct call *c)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t b[8] = { 0 };

	ep->cfg.random(ep->cfg.random_ctx, b, sizeof(b));
	for (size_t i = 0; i < sizeof(b); i++) {
		c->challenge[2 * i] = hex[b[i] >> 4];
		c->challenge[2 * i + 1] = hex[b[i] & 15];
	}
	c->challenge[16] = '\0';
}

enum iax2_err iax2_challenge(struct iax2_endpoint *ep, struct iax2_call_id call,
			     const struct iax2_credentials *want, mono_us now)
{
	struct call *c = endpoint_call(ep, call);
	uint8_t body[80];
	struct wire_wr w = wire_wr(body, sizeof(body));
	enum iax2_err err;

	ep->now = now;
	if (!c)
		return IAX2_E_STALE;
	if (c->outbound || c->state != CALL_WAIT_NODE)
		return IAX2_E_STATE;
	if ((!want->public_key && !want->md5_secret) ||
	    (want->md5_secret &&
	     strlen(want->md5_secret) >= sizeof(c->md5_secret)))
		return IAX2_E_RANGE;
	c->want_key = want->public_key != NULL;
	if (want->public_key)
		memcpy(c->public_key, want->public_key, KEY_PUBLIC_LEN);
	if (want->md5_secret)
		memcpy(c->md5_secret, want->md5_secret,
		       strlen(want->md5_secret) + 1);
	make_challenge(ep, c);
	iax2_ie_put_u16(&w, IAX2_IE_AUTHMETHODS,
			(uint16_t)((want->public_key ? IAX2_AUTH_ED25519 : 0) |
				   (want->md5_secret ? IAX2_AUTH_MD5 : 0)));
	iax2_ie_put_text(&w, IAX2_IE_CHALLENGE, c->challenge);
	iax2_ie_put_text(&w, IAX2_IE_USERNAME, c->username);
	err = transport_send_iax(ep, c, IAX2_IAX_AUTHREQ, body, &w, now);
	if (err != IAX2_OK)
		return err;
	c->state = CALL_CHALLENGED;
	c->state_due = now + PROVE_US;
	endpoint_call_touch(ep, c);
	return IAX2_OK;
}

static enum iax2_proof proof_in(const struct call *c, const struct iax2_full *f)
{
	struct iax2_ie_view sig;
	char want[33], got[33];

	if (c->want_key &&
	    iax2_ie_find(f->body, f->body_len, IAX2_IE_ED25519_RESULT, &sig) &&
	    key_verify_challenge(c->public_key, c->challenge, sig.value,
				 sig.len))
		return IAX2_PROOF_ED25519;
	if (c->md5_secret[0] == '\0' ||
	    !iax2_ie_text(f->body, f->body_len, IAX2_IE_MD5_RESULT, got,
			  sizeof(got)) ||
	    strlen(got) != 32)
		return IAX2_PROOF_NONE;
	key_md5_response(c->challenge, c->md5_secret, want);
	return key_equal(want, got, 32) ? IAX2_PROOF_MD5 : IAX2_PROOF_NONE;
}

void call_on_authrep(struct iax2_endpoint *ep, struct call *c,
		     const struct iax2_full *f, mono_us now)
{
	enum iax2_proof proof;

	if (c->outbound || c->state != CALL_CHALLENGED)
		return;
	proof = proof_in(c, f);
	if (proof == IAX2_PROOF_NONE) {
		ep->n.auth_failed++;
		call_end(ep, c,
			 (struct ending){ IAX2_DOWN_AUTH_FAILED,
					  CAUSECODE_NO_AUTHORITY,
					  "No authority found" },
			 now);
		return;
	}
	c->state = CALL_PROVED;
	c->state_due = now + DECIDE_US;
	tell_in(ep, c, IAX2_EV_CALL_PROVED, proof);
}

enum iax2_err iax2_reject(struct iax2_endpoint *ep, struct iax2_call_id call,
			  const char *text, uint8_t code, mono_us now)
{
	struct call *c = endpoint_call(ep, call);

	ep->now = now;
	if (!c)
		return IAX2_E_STALE;
	if (c->outbound || !awaits_node(c))
		return IAX2_E_STATE;
	call_end(ep, c, (struct ending){ IAX2_DOWN_HANGUP_LOCAL, code, text },
		 now);
	return IAX2_OK;
}
