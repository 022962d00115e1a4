/* SPDX-License-Identifier: MIT */

/* A call that stands, and the end of any call (RFC 5456 sections 6.3 to 6.9). */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define PING_US (20 * MONO_S)
#define LAGRQ_US (10 * MONO_S)
#define FIRST_PING_US MONO_S
#define HINT_HEED_US MONO_S
#define LINGER_US (5 * MONO_S)
#define ECHO_US (2 * MONO_S)
/* Asterisk forgets what was lost when it hangs up: such a gap is never filled.
 * Ours fill it for as long as they linger. */
#define GAP_US LINGER_US
#define SILENCE_US (30 * MONO_S)
#define CAUSECODE_NO_ANSWER 19U

/* --- ends --------------------------------------------------------------- */

/* Text of a peer for people: ASCII only. */
static void copy_printable(char *out, const char *in, size_t len)
{
	memset(out, '?', len);
	for (size_t i = 0; i < len; i++) {
		if (in[i] >= 0x20 && in[i] < 0x7f)
			out[i] = in[i];
	}
}

static void tell_down(struct iax2_endpoint *ep, struct call *c,
		      const struct ending *e)
{
	struct iax2_event *ev;

	if (!c->told)
		return;
	ev = endpoint_event(ep, IAX2_EV_CALL_DOWN, c);
	c->told = false;
	if (!ev)
		return;
	ev->u.down.reason = e->reason;
	ev->u.down.code = e->code;
	ev->u.down.call = call_look(c);
	if (e->text) {
		const size_t len = strlen(e->text);
		const size_t max = sizeof(ev->u.down.text) - 1;

		copy_printable(ev->u.down.text, e->text, len < max ? len : max);
	}
}

/*
 * Nothing is left to be said.  A call that came in stays a little longer: its
 * NEW may come again, held back on its way, and is not a second call.
 */
static void done(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	if (c->outbound) {
		endpoint_call_free(ep, c, now);
		return;
	}
	transport_drop(ep, c);
	c->state = CALL_ENDING;
	c->state_due = mono_min(c->state_due, now + ECHO_US);
	endpoint_call_touch(ep, c);
}

/* The call is over: tell the node, once, and let the slot go; @linger keeps
 * it until our last frame is acknowledged. */
static void down(struct iax2_endpoint *ep, struct call *c,
		 const struct ending *e, bool linger, mono_us now)
{
	tell_down(ep, c, e);
	endpoint_call_over(ep, c);
	c->ping_next = MONO_NEVER;
	c->lagrq_next = MONO_NEVER;
	if (c->state != CALL_ENDING)
		c->state_due = now + LINGER_US;
	if (!linger) {
		done(ep, c, now);
		return;
	}
	c->state = CALL_ENDING;
	endpoint_call_touch(ep, c);
}

void call_forget(struct iax2_endpoint *ep, struct call *c,
		 const struct ending *e, mono_us now)
{
	tell_down(ep, c, e);
	endpoint_call_free(ep, c, now);
}

static enum iax2_iax end_of(const struct call *c)
{
	return c->state == CALL_WAIT_NODE || c->state == CALL_CHALLENGED ||
			       c->state == CALL_PROVED
		       ? IAX2_IAX_REJECT
		       : IAX2_IAX_HANGUP;
}

/* Who came with a ticket believes no refusal without it. */
static void say_end(struct iax2_endpoint *ep, struct call *c,
		    const uint8_t *body, const struct wire_wr *w, mono_us now)
{
	const enum iax2_iax end = end_of(c);
	const struct out_frame f = {
		.type = IAX2_FRAME_IAX,
		.subclass = end,
		.body = body,
		.body_len = (size_t)(w->p - body),
		.seal = c->has_ticket && end == IAX2_IAX_REJECT,
		.last = true,
	};

	(void)transport_send(ep, c, &f, now);
}

void call_end(struct iax2_endpoint *ep, struct call *c, struct ending e,
	      mono_us now)
{
	uint8_t body[80];
	struct wire_wr w = wire_wr(body, sizeof(body));

	/* A peer that has never answered has no call to end; if it makes one
	 * yet, its first frame gets INVAL. */
	if (c->peer_callno == 0)
		transport_drop(ep, c);
	if (e.text && e.text[0] != '\0' && strlen(e.text) < 64)
		iax2_ie_put_text(&w, IAX2_IE_CAUSE, e.text);
	if (e.code != 0)
		iax2_ie_put_u8(&w, IAX2_IE_CAUSECODE, e.code);
	/* What was sent before goes on being sent: without it the peer would
	 * not take the end. */
	if (c->peer_callno != 0)
		say_end(ep, c, body, &w, now);
	down(ep, c, &e, c->window_n > 0, now);
}

void call_on_end(struct iax2_endpoint *ep, struct call *c,
		 const struct iax2_full *f, bool stateless, mono_us now)
{
	char text[64] = "";
	struct ending e = {
		.reason = f->subclass == IAX2_IAX_REJECT
				  ? IAX2_DOWN_REJECTED
				  : IAX2_DOWN_HANGUP_REMOTE,
		.text = text,
	};

	(void)iax2_ie_text(f->body, f->body_len, IAX2_IE_CAUSE, text,
			   sizeof(text));
	(void)iax2_ie_u8(f->body, f->body_len, IAX2_IE_CAUSECODE, &e.code);
	transport_drop(ep, c);
	if (!stateless)
		transport_ack_due(ep, c, f->ts_ms);
	c->peer_ended = true;
	down(ep, c, &e, !stateless, now);
}

void call_up(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	c->state = CALL_UP;
	c->state_due = MONO_NEVER;
	c->up_since = now;
	c->ping_next = now + FIRST_PING_US;
	c->lagrq_next = now + LAGRQ_US;
	key_wipe(c->md5_secret, sizeof(c->md5_secret));
	endpoint_call_opened(ep, c);
	endpoint_call_touch(ep, c);
	(void)endpoint_event(ep, IAX2_EV_CALL_UP, c);
}

void call_statement(const struct iax2_endpoint *ep, const struct call *c,
		    uint8_t id[8], struct key_part parts[5])
{
	struct wire_wr w = wire_wr(id, 8);
	const uint8_t *ours = ep->id.public_key;
	const uint8_t *theirs = c->ticket.peer_key;

	wire_wr_u64(&w, c->ticket.id);
	parts[0] = (struct key_part){ id, 8 };
	parts[1] = (struct key_part){ c->called, strlen(c->called) };
	parts[2] = (struct key_part){ c->calling, strlen(c->calling) };
	parts[3] = (struct key_part){ c->outbound ? theirs : ours,
				      KEY_PUBLIC_LEN };
	parts[4] = (struct key_part){ c->outbound ? ours : theirs,
				      KEY_PUBLIC_LEN };
}

/* --- frames of a call --------------------------------------------------- */

/* Frames that have no place in the sequence; true when handled. */
static bool out_of_sequence(struct iax2_endpoint *ep, struct call *c,
			    const struct iax2_full *f, mono_us now)
{
	if (f->type != IAX2_FRAME_IAX)
		return false;
	switch (f->subclass) {
	case IAX2_IAX_ACK:
		transport_acked(ep, c, f->iseq, now);
		return true;
	case IAX2_IAX_VNAK:
		transport_vnak(ep, c, f->iseq, now);
		return true;
	case IAX2_IAX_INVAL:
		down(ep, c, &(struct ending){ .reason = IAX2_DOWN_INVALID },
		     false, now);
		return true;
	case IAX2_IAX_CALLTOKEN:
		call_on_calltoken(ep, c, f, now);
		return true;
	case IAX2_IAX_TXCNT:
	case IAX2_IAX_TXACC:
	case IAX2_IAX_POKE:
		return true;
	case IAX2_IAX_REJECT:
		/* Asterisk refuses a call token without a call. */
		if (f->src_callno != IAX2_CALLNO_OUTSIDE ||
		    c->state != CALL_NEW_SENT)
			return false;
		call_on_end(ep, c, f, true, now);
		return true;
	default:
		return false;
	}
}

bool call_has_sequence(const struct iax2_full *f)
{
	if (f->type != IAX2_FRAME_IAX)
		return true;
	switch (f->subclass) {
	case IAX2_IAX_ACK:
	case IAX2_IAX_VNAK:
	case IAX2_IAX_INVAL:
	case IAX2_IAX_CALLTOKEN:
	case IAX2_IAX_TXCNT:
	case IAX2_IAX_TXACC:
	case IAX2_IAX_POKE:
		return false;
	default:
		return true;
	}
}

static bool needs_payload(const struct iax2_full *f)
{
	return f->type == IAX2_FRAME_VOICE || f->type == IAX2_FRAME_TEXT ||
	       f->type == IAX2_FRAME_CONTROL;
}

bool call_frame_ends(const struct iax2_full *f)
{
	return f->type == IAX2_FRAME_IAX && (f->subclass == IAX2_IAX_HANGUP ||
					     f->subclass == IAX2_IAX_REJECT);
}

/* After its own HANGUP a peer has no call to say anything in (RFC 5456
 * 6.2.5). */
static void say_invalid(struct iax2_endpoint *ep, struct call *c,
			const struct iax2_full *f, mono_us now)
{
	const struct out_frame out = { .type = IAX2_FRAME_IAX,
				       .subclass = IAX2_IAX_INVAL,
				       .unreliable = true,
				       .has_ts = true,
				       .ts_ms = f->ts_ms };

	(void)transport_send(ep, c, &out, now);
	c->ack_due = false;
}

static void handle(struct iax2_endpoint *ep, struct call *c,
		   const struct iax2_full *f, mono_us now)
{
	if (c->state != CALL_ENDING) {
		call_in_sequence(ep, c, f, now);
	} else if (call_frame_ends(f)) {
		/* Both ended it at once. */
		c->peer_ended = true;
		transport_drop(ep, c);
		transport_ack_due(ep, c, f->ts_ms);
	} else if (c->peer_ended) {
		say_invalid(ep, c, f, now);
	}
}

void call_rx_copy(struct iax2_endpoint *ep, struct call *c,
		  const struct iax2_full *f)
{
	ep->n.duplicates++;
	transport_ack_due(ep, c, f->ts_ms);
}

void call_rx_hint(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	if (c->state != CALL_UP || now < c->hint_heed_at)
		return;
	c->hint_heed_at = now + HINT_HEED_US;
	(void)transport_send_iax(ep, c, IAX2_IAX_PING, NULL, NULL, now);
}

void call_rx(struct iax2_endpoint *ep, struct call *c,
	     const struct iax2_full *f, mono_us now)
{
	struct iax2_full early;
	uint16_t buf;

	c->last_rx = now;
	if (out_of_sequence(ep, c, f, now)) {
		/* Our HANGUP has arrived; the peer's own may come again. */
		if (c->state == CALL_ENDING && c->window_n == 0 &&
		    !c->peer_ended)
			done(ep, c, now);
		return;
	}
	if (c->peer_callno == 0) {
		endpoint_call_hash(ep, c, f->src_callno);
		c->first_interval = CALL_SETUP_INTERVAL_US;
	}
	/* What cannot be told now comes again: it is not acknowledged. */
	if (!endpoint_event_room(ep, needs_payload(f))) {
		ep->n.limited++;
		return;
	}
	switch (transport_accept(ep, c, f, now)) {
	case TRANSPORT_AHEAD:
		if (call_frame_ends(f) && c->state != CALL_ENDING)
			c->end_due = mono_min(c->end_due, now + GAP_US);
		return;
	case TRANSPORT_DUPLICATE:
		return;
	case TRANSPORT_NEW:
		break;
	}
	handle(ep, c, f, now);
	while (c->state != CALL_FREE && endpoint_event_room(ep, true) &&
	       transport_take_early(ep, c, &early, &buf)) {
		handle(ep, c, &early, now);
		transport_release(ep, buf);
	}
}

/* --- time --------------------------------------------------------------- */

static void give_up(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	const struct ending e = {
		.reason = c->state == CALL_NEW_SENT ? IAX2_DOWN_NO_ANSWER
						    : IAX2_DOWN_TIMEOUT,
	};

	down(ep, c, &e, false, now);
}

static void state_over(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	if (c->state == CALL_ENDING)
		endpoint_call_free(ep, c, now);
	else
		call_end(ep, c,
			 (struct ending){ c->forged ? IAX2_DOWN_AUTH_FAILED
						    : IAX2_DOWN_NO_ANSWER,
					  CAUSECODE_NO_ANSWER, "No answer" },
			 now);
}

/* PING and LAGRQ leave no peer a reason to be silent for so long. */
static mono_us silence_due(const struct call *c)
{
	return c->state == CALL_UP ? c->last_rx + SILENCE_US : MONO_NEVER;
}

/* A HANGUP that waits for what came before it has waited long enough. */
static void end_at_last(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	static const struct ending gone = { .reason = IAX2_DOWN_HANGUP_REMOTE };
	struct iax2_full f;

	c->end_due = MONO_NEVER;
	if (transport_early_end(ep, c, &f))
		call_on_end(ep, c, &f, false, now);
	else
		down(ep, c, &gone, false, now);
}

void call_tick(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	const bool ending = c->state == CALL_ENDING;

	if (!ending && now >= c->end_due) {
		end_at_last(ep, c, now);
		return;
	}

	if (now >= c->state_due) {
		state_over(ep, c, now);
		return;
	}
	if (!transport_tick(ep, c, now) || now >= silence_due(c)) {
		if (ending)
			endpoint_call_free(ep, c, now);
		else
			give_up(ep, c, now);
		return;
	}
	call_move_tick(ep, c, now);
	if (now >= c->ping_next) {
		c->ping_next = now + PING_US;
		(void)transport_send_iax(ep, c, IAX2_IAX_PING, NULL, NULL, now);
	}
	if (now >= c->lagrq_next) {
		c->lagrq_next = now + LAGRQ_US;
		(void)transport_send_iax(ep, c, IAX2_IAX_LAGRQ, NULL, NULL,
					 now);
	}
}

mono_us call_deadline(const struct call *c)
{
	mono_us due = mono_min(c->state_due, transport_deadline(c));

	if (c->state != CALL_ENDING)
		due = mono_min(due, c->end_due);
	due = mono_min(due, silence_due(c));
	due = mono_min(due, call_move_deadline(c));
	return mono_min(due, mono_min(c->ping_next, c->lagrq_next));
}
