/* SPDX-License-Identifier: MIT */

/*
 * Being called (RFC 5456 section 6.2.2): nothing is kept for a caller before
 * it has proved its address with a call token, or its key with a ticket.
 */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define DECIDE_US (5 * MONO_S)  /* the node's time for a decision */
#define COPIES_US (10 * MONO_S) /* a datagram is not on its way for longer */
#define CAUSECODE_NO_AUTHORITY 50U
#define CAUSECODE_NO_CODEC 58U
#define CAUSECODE_INCOMPATIBLE 88U
#define CAUSECODE_CONGESTION 34U

static enum iax2_err ask_for_token(struct iax2_endpoint *ep,
				   const struct dgram *d,
				   const struct iax2_full *f)
{
	const struct iax2_full out = endpoint_answer_to(f, IAX2_IAX_CALLTOKEN);
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
 * token; @key: of the ticket that came with the NEW, NULL: none. */
static enum iax2_err refuse_sealed(struct iax2_endpoint *ep,
				   const struct dgram *d,
				   const struct iax2_full *f, uint8_t code,
				   const char *text, const uint8_t *key)
{
	const struct iax2_full out = endpoint_answer_to(f, IAX2_IAX_REJECT);
	uint8_t body[64];
	struct wire_wr w = wire_wr(body, sizeof(body));

	if (code != 0)
		iax2_ie_put_u8(&w, IAX2_IE_CAUSECODE, code);
	/* No longer than the question. */
	if (text && IAX2_FULL_HDR_LEN + 5 + strlen(text) <= d->len)
		iax2_ie_put_text(&w, IAX2_IE_CAUSE, text);
	endpoint_stateless_sealed(ep, d, &out, body, (size_t)(w.p - body), key);
	return IAX2_E_REFUSED;
}

static enum iax2_err refuse(struct iax2_endpoint *ep, const struct dgram *d,
			    const struct iax2_full *f, uint8_t code,
			    const char *text)
{
	return refuse_sealed(ep, d, f, code, text, NULL);
}

/* Empty when absent, too long or not ASCII: it is nobody's name then. */
static void read_name(const struct iax2_full *f, uint8_t type, char *out,
		      size_t size)
{
	if (!iax2_ie_text(f->body, f->body_len, type, out, size))
		out[0] = '\0';
	for (const char *p = out; *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x7f) {
			out[0] = '\0';
			return;
		}
	}
}

/* The rest is for our own calls and for tickets, whoever else calls. */
static size_t plain_max(const struct iax2_endpoint *ep)
{
	const size_t max = ep->cfg.calls_max;

	return max - max / 4;
}

/*
 * What a caller without a ticket may take: IAX2_E_LIMITED: nothing at present,
 * and its next try may succeed; IAX2_E_REFUSED: said so.
 */
static enum iax2_err room_for_plain(struct iax2_endpoint *ep,
				    const struct dgram *d,
				    const struct iax2_full *f, mono_us now)
{
	const struct net_addr *from = &d->path.peer;
	const struct iax2_limits *max = &ep->cfg.limits;
	struct iax2_limited *n = &ep->n.limits;
	size_t half_open;
	const size_t calls = endpoint_calls_of_net(ep, from, &half_open);
	char calling[IAX2_NUMBER_MAX + 1];

	read_name(f, IAX2_IE_CALLING_NUMBER, calling, sizeof(calling));
	if (!rate_table_has_for(ep->auth_failures, from, calling, now)) {
		n->auth_failures++;
		return refuse(ep, d, f, CAUSECODE_NO_AUTHORITY,
			      "No authority found");
	}
	if (!rate_table_take(ep->news, from, now)) {
		n->calls_per_s++;
		return IAX2_E_LIMITED;
	}
	if (half_open >= max->half_open_per_addr) {
		n->half_open_per_addr++;
		return IAX2_E_LIMITED;
	}
	if (ep->opening_n >= max->half_open) {
		n->half_open++;
		return IAX2_E_LIMITED;
	}
	if (calls >= max->calls_per_addr) {
		n->calls_per_addr++;
		return refuse(ep, d, f, CAUSECODE_CONGESTION, "Too many calls");
	}
	if (ep->plain_n >= plain_max(ep)) {
		n->calls++;
		return refuse(ep, d, f, CAUSECODE_CONGESTION, "Too many calls");
	}
	return IAX2_OK;
}

/*
 * Is there room for one more call?  A ticket speaks for a node that was let in
 * already: its call counts neither against an address that many nodes may
 * share nor against what strangers leave half open.
 */
static enum iax2_err room_for(struct iax2_endpoint *ep, const struct dgram *d,
			      const struct iax2_full *f, bool ticket,
			      mono_us now)
{
	const enum iax2_err err =
		ticket ? IAX2_OK : room_for_plain(ep, d, f, now);

	if (err != IAX2_OK)
		return err;
	if (!endpoint_event_room(ep, false)) {
		ep->n.limited++;
		return IAX2_E_LIMITED;
	}
	return IAX2_OK;
}

static void read_names(struct call *c, const struct iax2_full *f)
{
	read_name(f, IAX2_IE_CALLED_NUMBER, c->called, sizeof(c->called));
	read_name(f, IAX2_IE_CALLING_NUMBER, c->calling, sizeof(c->calling));
	read_name(f, IAX2_IE_USERNAME, c->username, sizeof(c->username));
	read_name(f, IAX2_IE_CALLING_NAME, c->name, sizeof(c->name));
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
	memcpy(ev->u.in.name, c->name, sizeof(c->name));
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
	const struct iax2_prefs ours = endpoint_prefs(ep);
	const uint64_t format = iax2_format_choose(f->body, f->body_len, &ours);
	const uint8_t *key = ticket ? ticket->key : NULL;
	enum iax2_err err;
	struct call *c;

	if (format == 0)
		return refuse_sealed(ep, d, f, CAUSECODE_NO_CODEC,
				     "Unable to negotiate codec", key);
	err = room_for(ep, d, f, ticket != NULL, now);
	if (err != IAX2_OK)
		return err;
	c = endpoint_call_new(ep, &d->path, now);
	if (!c) {
		ep->n.limits.calls++;
		return refuse_sealed(ep, d, f, CAUSECODE_CONGESTION,
				     "Too many calls", key);
	}
	call_count_rx(c, d->len);
	c->state = CALL_WAIT_NODE;
	c->state_due = now + DECIDE_US;
	c->format = format;
	c->wide_formats = iax2_format_is_wide(f->body, f->body_len);
	c->first_interval = CALL_SETUP_INTERVAL_US;
	c->iseq = (uint8_t)(f->oseq + 1);
	endpoint_call_hash(ep, c, f->src_callno);
	if (ticket) {
		c->has_ticket = true;
		c->ticket = *ticket;
		call_read_features(ep, c, f);
	}
	endpoint_call_opening(ep, c);
	read_names(c, f);
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
	for (size_t i = 0; i < ep->expected_n; i++) {
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
	/* Its id stays, so that it works no second time. */
	if (e->used)
		key_wipe(e->ticket.key, sizeof(e->ticket.key));
	return err;
}

/*
 * A NEW under the call number of a call that stands: its sender has begun
 * anew and forgotten that call.  Not so while the NEW that made it, or a
 * copy, may still be on its way.
 */
bool call_is_forgotten(struct iax2_endpoint *ep, const struct call *c,
		       const struct dgram *d, const struct iax2_full *f,
		       mono_us now)
{
	struct iax2_ie_view token;

	return f->type == IAX2_FRAME_IAX && f->subclass == IAX2_IAX_NEW &&
	       f->dst_callno == 0 && c->state == CALL_UP &&
	       now - c->began > COPIES_US &&
	       iax2_ie_find(f->body, f->body_len, IAX2_IE_CALLTOKEN, &token) &&
	       (token.len == 0 || call_token_check(&ep->secret, &d->path.peer,
						   token.value, token.len));
}

enum iax2_err call_on_new(struct iax2_endpoint *ep, const struct dgram *d,
			  const struct iax2_full *f, mono_us now)
{
	struct iax2_ie_view token;
	uint64_t id;
	uint16_t version = IAX2_PROTOCOL_VERSION;

	if (f->src_callno == 0) {
		ep->n.malformed++;
		return IAX2_E_RANGE;
	}
	(void)iax2_ie_u16(f->body, f->body_len, IAX2_IE_VERSION, &version);
	if (version != IAX2_PROTOCOL_VERSION)
		return refuse(ep, d, f, CAUSECODE_INCOMPATIBLE,
			      "Protocol version not supported");
	if (iax2_ie_u64(f->body, f->body_len, IAX2_IE_KH_PUNCH, &id))
		return on_ticketed_new(ep, d, f, id, now);
	if (!iax2_ie_find(f->body, f->body_len, IAX2_IE_CALLTOKEN, &token)) {
		if (net_prefix_has(ep->cfg.token_optional,
				   ep->cfg.token_optional_n, &d->path.peer))
			return begin(ep, d, f, NULL, now);
		ep->n.token_bad++;
		return refuse(ep, d, f, 0, NULL);
	}
	if (token.len == 0)
		return ask_for_token(ep, d, f);
	if (!call_token_check(&ep->secret, &d->path.peer, token.value,
			      token.len)) {
		ep->n.token_bad++;
		return refuse(ep, d, f, 0, NULL);
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
	uint8_t body[128], sig[KEY_SIGNATURE_LEN], tid[8];
	struct wire_wr w = wire_wr(body, sizeof(body));
	struct key_part parts[5];
	enum iax2_err err;

	ep->now = now;
	if (!c)
		return IAX2_E_STALE;
	if (c->outbound || !awaits_node(c))
		return IAX2_E_STATE;
	iax2_format_put_agreed(&w, c->format, c->wide_formats);
	if (c->has_ticket) {
		call_statement(ep, c, tid, parts);
		key_sign(&ep->id, "keyhole accept", parts, 5, sig);
		iax2_ie_put(&w, IAX2_IE_ED25519_RESULT, sig, sizeof(sig));
	}
	/* To whom it means nothing it is not said. */
	if (c->features != 0)
		iax2_ie_put_u32(&w, IAX2_IE_KH_FEATURES, c->features);
	err = transport_send_iax(ep, c, IAX2_IAX_ACCEPT, body, &w, now);
	if (err == IAX2_OK)
		err = transport_send(ep, c, &answer, now);
	if (err == IAX2_OK)
		call_up(ep, c, now);
	return err;
}

void call_proved(struct iax2_endpoint *ep, struct call *c,
		 enum iax2_proof proof, mono_us now)
{
	c->state = CALL_PROVED;
	c->state_due = now + DECIDE_US;
	if (proof == IAX2_PROOF_ED25519)
		endpoint_call_keyed(ep, c);
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
