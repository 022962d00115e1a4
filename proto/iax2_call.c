/* SPDX-License-Identifier: MIT */

/* A call that stands, and the end of any call (RFC 5456 sections 6.3 to 6.9). */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define PING_US (20 * MONO_S)
#define LAGRQ_US (10 * MONO_S)
#define FIRST_PING_US MONO_S
#define LINGER_US (5 * MONO_S)
#define ECHO_US (2 * MONO_S)
#define SILENCE_US (30 * MONO_S)
#define PLAYOUT_MS 40U /* what RR DELAY says of our jitter buffer */

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

void call_down(struct iax2_endpoint *ep, struct call *c, const struct ending *e,
	       bool linger, mono_us now)
{
	tell_down(ep, c, e);
	endpoint_call_opened(ep, c);
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

static enum iax2_iax end_of(const struct call *c)
{
	return c->state == CALL_WAIT_NODE || c->state == CALL_CHALLENGED ||
			       c->state == CALL_PROVED
		       ? IAX2_IAX_REJECT
		       : IAX2_IAX_HANGUP;
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
		(void)transport_send_iax(ep, c, end_of(c), body, &w, now);
	call_down(ep, c, &e, c->window_n > 0, now);
}

/* HANGUP or REJECT; @stateless: its sender keeps no call that could be told
 * of its arrival. */
static void on_end(struct iax2_endpoint *ep, struct call *c,
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
	call_down(ep, c, &e, !stateless, now);
}

void call_up(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	c->state = CALL_UP;
	c->state_due = MONO_NEVER;
	c->up_since = now;
	c->ping_next = now + FIRST_PING_US;
	c->lagrq_next = now + LAGRQ_US;
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

/* --- frames of a call that stands --------------------------------------- */

/* An answer that carries the question's time stamp. */
static void answer_echo(struct iax2_endpoint *ep, struct call *c,
			const struct iax2_full *f, struct out_frame out,
			mono_us now)
{
	out.type = IAX2_FRAME_IAX;
	out.has_ts = true;
	out.ts_ms = f->ts_ms;
	(void)transport_send(ep, c, &out, now);
}

static void on_ping(struct iax2_endpoint *ep, struct call *c,
		    const struct iax2_full *f, mono_us now)
{
	uint8_t body[48];
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put_u32(&w, IAX2_IE_RR_JITTER, c->jitter_us / 1000);
	iax2_ie_put_u32(&w, IAX2_IE_RR_LOSS,
			(uint32_t)c->rx_lost & 0x00ffffffU);
	iax2_ie_put_u32(&w, IAX2_IE_RR_PKTS, (uint32_t)c->rx_voice);
	iax2_ie_put_u16(&w, IAX2_IE_RR_DELAY, PLAYOUT_MS);
	iax2_ie_put_u32(&w, IAX2_IE_RR_DROPPED, 0);
	iax2_ie_put_u32(&w, IAX2_IE_RR_OOO, (uint32_t)c->rx_ooo);
	answer_echo(ep, c, f,
		    (struct out_frame){ .subclass = IAX2_IAX_PONG,
					.body = body,
					.body_len = (size_t)(w.p - body) },
		    now);
}

static void unsupported(struct iax2_endpoint *ep, struct call *c,
			const struct iax2_full *f, mono_us now)
{
	uint8_t body[3];
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put_u8(&w, IAX2_IE_IAX_UNKNOWN, (uint8_t)f->subclass);
	(void)transport_send_iax(ep, c, IAX2_IAX_UNSUPPORT, body, &w, now);
}

static void on_iax(struct iax2_endpoint *ep, struct call *c,
		   const struct iax2_full *f, mono_us now)
{
	switch (f->subclass) {
	case IAX2_IAX_PING:
		on_ping(ep, c, f, now);
		break;
	case IAX2_IAX_LAGRQ:
		answer_echo(ep, c, f,
			    (struct out_frame){ .subclass = IAX2_IAX_LAGRP },
			    now);
		break;
	case IAX2_IAX_AUTHREQ:
		call_on_authreq(ep, c, f, now);
		break;
	case IAX2_IAX_AUTHREP:
		call_on_authrep(ep, c, f, now);
		break;
	case IAX2_IAX_ACCEPT:
		call_on_accept(ep, c, f, now);
		break;
	case IAX2_IAX_HANGUP:
	case IAX2_IAX_REJECT:
		on_end(ep, c, f, false, now);
		break;
	case IAX2_IAX_TXREQ:
		/* Calls are not moved to a third party. */
		(void)transport_send_iax(ep, c, IAX2_IAX_TXREJ, NULL, NULL,
					 now);
		break;
	case IAX2_IAX_QUELCH:
		c->quelched = true;
		break;
	case IAX2_IAX_UNQUELCH:
		c->quelched = false;
		break;
	case IAX2_IAX_NEW:
	case IAX2_IAX_PONG:
	case IAX2_IAX_LAGRP:
	case IAX2_IAX_TXREJ:
	case IAX2_IAX_UNSUPPORT:
		break;
	default:
		unsupported(ep, c, f, now);
		break;
	}
}

static void on_other_control(struct iax2_endpoint *ep, const struct call *c,
			     const struct iax2_full *f)
{
	struct iax2_event *ev = endpoint_event(ep, IAX2_EV_CONTROL, c);

	if (!ev)
		return;
	ev->u.control.subclass = f->subclass;
	ev->u.control.len = f->body_len;
	ev->u.control.data = endpoint_payload(ep, f->body, f->body_len);
}

/* The peer ends the call with a control frame and leaves the HANGUP to us. */
static void hung_up(struct iax2_endpoint *ep, struct call *c, const char *text,
		    uint8_t code, mono_us now)
{
	call_end(ep, c, (struct ending){ IAX2_DOWN_HANGUP_REMOTE, code, text },
		 now);
}

static void on_control(struct iax2_endpoint *ep, struct call *c,
		       const struct iax2_full *f, mono_us now)
{
	struct iax2_event *ev;

	switch (f->subclass) {
	case IAX2_CONTROL_ANSWER:
		if (c->state == CALL_ACCEPTED)
			call_up(ep, c, now);
		break;
	case IAX2_CONTROL_RINGING:
		if (c->state == CALL_ACCEPTED)
			(void)endpoint_event(ep, IAX2_EV_CALL_RINGING, c);
		break;
	case IAX2_CONTROL_BUSY:
		hung_up(ep, c, "Busy", 17, now);
		break;
	case IAX2_CONTROL_CONGESTION:
		hung_up(ep, c, "Congestion", 34, now);
		break;
	case IAX2_CONTROL_HANGUP:
		hung_up(ep, c, NULL, 16, now);
		break;
	case IAX2_CONTROL_KEY:
	case IAX2_CONTROL_UNKEY:
		ev = endpoint_event(ep, IAX2_EV_KEY, c);
		if (ev)
			ev->u.key.keyed = f->subclass == IAX2_CONTROL_KEY;
		break;
	default:
		on_other_control(ep, c, f);
		break;
	}
}

static bool is_digit(uint64_t d)
{
	return d > 0 && d < 128 && strchr("0123456789ABCD*#", (int)d) != NULL;
}

static void on_text(struct iax2_endpoint *ep, const struct call *c,
		    const struct iax2_full *f)
{
	const uint8_t *end =
		f->body_len > 0 ? memchr(f->body, 0, f->body_len) : NULL;
	const size_t len = end ? (size_t)(end - f->body) : f->body_len;
	struct iax2_event *ev = endpoint_event(ep, IAX2_EV_TEXT, c);

	if (!ev)
		return;
	ev->u.text.len = len;
	ev->u.text.data = (const char *)endpoint_payload(ep, f->body, len);
}

static void on_dtmf(struct iax2_endpoint *ep, const struct call *c,
		    const struct iax2_full *f)
{
	struct iax2_event *ev;

	if (!is_digit(f->subclass))
		return;
	ev = endpoint_event(ep, IAX2_EV_DTMF, c);
	if (!ev)
		return;
	ev->u.dtmf.digit = (char)f->subclass;
	ev->u.dtmf.begin = f->type == IAX2_FRAME_DTMF_BEGIN;
}

static void in_sequence(struct iax2_endpoint *ep, struct call *c,
			const struct iax2_full *f, mono_us now)
{
	/* An unproved caller may prove itself or go, nothing else. */
	if (f->type != IAX2_FRAME_IAX && c->state != CALL_UP &&
	    c->state != CALL_ACCEPTED)
		return;
	switch (f->type) {
	case IAX2_FRAME_IAX:
		on_iax(ep, c, f, now);
		break;
	case IAX2_FRAME_VOICE:
		call_rx_voice(ep, c, f, now);
		break;
	case IAX2_FRAME_CONTROL:
		on_control(ep, c, f, now);
		break;
	case IAX2_FRAME_TEXT:
		on_text(ep, c, f);
		break;
	case IAX2_FRAME_DTMF_BEGIN:
	case IAX2_FRAME_DTMF_END:
		on_dtmf(ep, c, f);
		break;
	case IAX2_FRAME_CNG:
		(void)endpoint_event(ep, IAX2_EV_CNG, c);
		break;
	default:
		break;
	}
}

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
		call_down(ep, c,
			  &(struct ending){ .reason = IAX2_DOWN_INVALID },
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
		on_end(ep, c, f, true, now);
		return true;
	default:
		return false;
	}
}

static bool needs_payload(const struct iax2_full *f)
{
	return f->type == IAX2_FRAME_VOICE || f->type == IAX2_FRAME_TEXT ||
	       f->type == IAX2_FRAME_CONTROL;
}

static bool ends_call(const struct iax2_full *f)
{
	return f->type == IAX2_FRAME_IAX && (f->subclass == IAX2_IAX_HANGUP ||
					     f->subclass == IAX2_IAX_REJECT);
}

static void handle(struct iax2_endpoint *ep, struct call *c,
		   const struct iax2_full *f, mono_us now)
{
	if (c->state != CALL_ENDING) {
		in_sequence(ep, c, f, now);
	} else if (ends_call(f)) {
		/* Both ended it at once. */
		c->peer_ended = true;
		transport_drop(ep, c);
		transport_ack_due(ep, c, f->ts_ms);
	}
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
	if (transport_accept(ep, c, f, now) != TRANSPORT_NEW)
		return;
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

	call_down(ep, c, &e, false, now);
}

static void state_over(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	if (c->state == CALL_ENDING)
		endpoint_call_free(ep, c, now);
	else
		call_end(ep, c,
			 (struct ending){ .reason = IAX2_DOWN_NO_ANSWER }, now);
}

/* PING and LAGRQ leave no peer a reason to be silent for so long. */
static mono_us silence_due(const struct call *c)
{
	return c->state == CALL_UP ? c->last_rx + SILENCE_US : MONO_NEVER;
}

void call_tick(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	const bool ending = c->state == CALL_ENDING;

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

	due = mono_min(due, silence_due(c));
	return mono_min(due, mono_min(c->ping_next, c->lagrq_next));
}
