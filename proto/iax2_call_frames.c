/* SPDX-License-Identifier: MIT */

/* What a peer says in a call, frame by frame in sequence (RFC 5456 sections
 * 6.3 to 6.8 and 6.10). */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define CAUSECODE_NOT_IMPLEMENTED 69U
#define HTML_NOT_SUPPORTED 0x11U
/* Asterisk's own control frames come after the RFC's and go up to here. */
#define CONTROL_KNOWN_MAX 40U
#define PLAYOUT_MS 40U /* what RR DELAY says of our jitter buffer */

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

/* RFC 5456 8.6.37: the percentage, then 24 bits of frames. */
static uint32_t loss_report(const struct call *c)
{
	const uint64_t due = c->rx_voice + c->rx_lost;
	const uint64_t pct = due > 0 ? 100 * c->rx_lost / due : 0;

	return (uint32_t)(pct << 24 | (c->rx_lost & 0x00ffffffU));
}

static void on_ping(struct iax2_endpoint *ep, struct call *c,
		    const struct iax2_full *f, mono_us now)
{
	uint8_t body[48];
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put_u32(&w, IAX2_IE_RR_JITTER, c->jitter_us / 1000);
	iax2_ie_put_u32(&w, IAX2_IE_RR_LOSS, loss_report(c));
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

	ep->n.unsupported++;
	iax2_ie_put_u8(&w, IAX2_IE_IAX_UNKNOWN,
		       iax2_subclass_octet(f->subclass));
	(void)transport_send_iax(ep, c, IAX2_IAX_UNSUPPORT, body, &w, now);
}

/* Calls are not moved to a third party. */
static void refuse_transfer(struct iax2_endpoint *ep, struct call *c,
			    mono_us now)
{
	uint8_t body[32];
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put_text(&w, IAX2_IE_CAUSE, "No transfers");
	iax2_ie_put_u8(&w, IAX2_IE_CAUSECODE, CAUSECODE_NOT_IMPLEMENTED);
	(void)transport_send_iax(ep, c, IAX2_IAX_TXREJ, body, &w, now);
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
		call_on_end(ep, c, f, false, now);
		break;
	case IAX2_IAX_TXREQ:
		refuse_transfer(ep, c, now);
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
	case IAX2_IAX_TXREADY:
	case IAX2_IAX_TXREL:
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
	ev->u.control.subclass = f->subclass == IAX2_SUBCLASS_STOP
					 ? IAX2_CONTROL_STOP_SOUNDS
					 : f->subclass;
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
		if (f->subclass > CONTROL_KNOWN_MAX &&
		    f->subclass != IAX2_SUBCLASS_STOP)
			unsupported(ep, c, f, now);
		else
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

/* RFC 5456 6.10.6 */
static void on_html(struct iax2_endpoint *ep, struct call *c,
		    const struct iax2_full *f, mono_us now)
{
	const struct out_frame out = { .type = IAX2_FRAME_HTML,
				       .subclass = HTML_NOT_SUPPORTED };

	ep->n.unsupported++;
	if (f->subclass != HTML_NOT_SUPPORTED)
		(void)transport_send(ep, c, &out, now);
}

void call_in_sequence(struct iax2_endpoint *ep, struct call *c,
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
	case IAX2_FRAME_NULL:
		break;
	case IAX2_FRAME_HTML:
		on_html(ep, c, f, now);
		break;
	case IAX2_FRAME_VIDEO:
	case IAX2_FRAME_IMAGE:
	case IAX2_FRAME_MODEM:
		/* A stream of these need not be answered frame by frame. */
		ep->n.unsupported++;
		break;
	default:
		unsupported(ep, c, f, now);
		break;
	}
}
