/* SPDX-License-Identifier: MIT */

/*
 * The reliable transport of one call (RFC 5456 section 7).
 *
 * One timer serves the oldest unacknowledged frame; what the peer acknowledges
 * after a loss shows what it misses next, and that is sent at once (as in RFC
 * 6582).  Frames that come before their turn are kept, and what is missing is
 * asked for with VNAK, for not every peer keeps them.
 */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define INTERVAL_MIN_US (100 * MONO_MS)
#define INTERVAL_MAX_US (10 * MONO_S)
#define VNAK_PAUSE_US (40 * MONO_MS)
#define VNAK_HEED_US (20 * MONO_MS)
#define VNAK_RESENDS 8U
#define RECOVER_FRAMES 4U
#define RTT_MAX_US (30 * MONO_S)
#define R_BIT 0x80U

static uint32_t call_ms(const struct call *c, mono_us now)
{
	return (uint32_t)((now - c->began) / MONO_MS);
}

static void emit(struct iax2_endpoint *ep, struct call *c, const uint8_t *data,
		 size_t len, bool media)
{
	const struct dgram d = { .path = c->path, .data = data, .len = len };

	if (dgram_queue_push(ep->tx, &d, media))
		call_count_tx(c, len);
}

static mono_us first_interval(const struct call *c)
{
	const mono_us two = 2 * (mono_us)c->rtt_us;

	if (c->rtt_us == 0)
		return c->first_interval;
	if (two < INTERVAL_MIN_US)
		return INTERVAL_MIN_US;
	return mono_min(two, INTERVAL_MAX_US);
}

static void arm(struct call *c, mono_us now)
{
	c->resends = 0;
	c->resend_interval = first_interval(c);
	c->resend_at = now + c->resend_interval;
}

static void remember(struct call *c, uint16_t buf, size_t len, mono_us now)
{
	if (c->window_n == 0)
		arm(c, now);
	c->window[c->window_n++] = (struct unacked){
		.buf = buf,
		.len = (uint16_t)len,
		.tries = 1,
		.first = now,
		.last = now,
	};
}

/* Strictly rising, so that no two full frames of a call look the same. */
static uint32_t next_ts(struct call *c, const struct out_frame *f, mono_us now)
{
	uint32_t ts = f->has_ts ? f->ts_ms : call_ms(c, now);

	if (f->has_ts && f->type == IAX2_FRAME_IAX)
		return ts; /* the peer's, copied */
	if (!f->has_ts && (int32_t)(ts - c->last_ts) <= 0)
		ts = c->last_ts + 1;
	if ((int32_t)(ts - c->last_ts) > 0)
		c->last_ts = ts;
	return ts;
}

/*
 * A buffer for one more frame of a call that holds @own of its own?  However
 * much one peer leaves unacknowledged, or sends before its turn, another call
 * has its share.
 */
static bool has_buffer(const struct iax2_endpoint *ep, const struct call *c,
		       size_t own)
{
	return c->window_n + c->early_n < own ||
	       ep->pool_free_n > ep->pool_kept;
}

enum iax2_err transport_send(struct iax2_endpoint *ep, struct call *c,
			     const struct out_frame *f, mono_us now)
{
	uint8_t scratch[IAX2_FULL_HDR_LEN + 64];
	const bool pooled = !f->unreliable;
	struct iax2_full hdr = {
		.src_callno = c->callno,
		.dst_callno = c->peer_callno,
		.oseq = c->oseq,
		.iseq = c->iseq,
		.type = f->type,
		.subclass = f->subclass,
		.body = f->body,
		.body_len = f->body_len,
	};
	size_t cap = sizeof(scratch), len = 0;
	uint8_t *buf = scratch;
	uint16_t slot = 0;
	enum iax2_err err;

	if (pooled) {
		if (c->window_n >= CALL_WINDOW - !f->last ||
		    (!f->last && !has_buffer(ep, c, CALL_OWN)))
			return IAX2_E_FULL;
		slot = ep->pool_free[ep->pool_free_n - 1];
		buf = ep->pool[slot];
		cap = sizeof(ep->pool[slot]);
	}
	hdr.ts_ms = next_ts(c, f, now);
	err = iax2_full_encode(&hdr, buf, cap, &len);
	if (err != IAX2_OK)
		return err;
	if (f->seal) {
		struct wire_wr w = wire_wr(buf + len, cap - len);

		seal_append(&w, buf, c->ticket.key);
		if (w.bad)
			return IAX2_E_NO_SPACE;
		len = (size_t)(w.p - buf);
	}
	emit(ep, c, buf, len, false);
	if (pooled) {
		ep->pool_free_n--;
		remember(c, slot, len, now);
		c->oseq++;
		/* Its iseq acknowledges all that came. */
		c->ack_due = false;
	}
	endpoint_call_touch(ep, c);
	return IAX2_OK;
}

enum iax2_err transport_send_iax(struct iax2_endpoint *ep, struct call *c,
				 enum iax2_iax subclass, const uint8_t *body,
				 const struct wire_wr *w, mono_us now)
{
	const struct out_frame f = {
		.type = IAX2_FRAME_IAX,
		.subclass = subclass,
		.body = body,
		.body_len = w ? (size_t)(w->p - body) : 0,
		.last = subclass == IAX2_IAX_HANGUP ||
			subclass == IAX2_IAX_REJECT,
	};

	if (w && w->bad)
		return IAX2_E_NO_SPACE;
	return transport_send(ep, c, &f, now);
}

void transport_release(struct iax2_endpoint *ep, uint16_t buf)
{
	ep->pool_free[ep->pool_free_n++] = buf;
}

static void forget(struct iax2_endpoint *ep, struct call *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		transport_release(ep, c->window[i].buf);
	c->window_n -= n;
	memmove(c->window, c->window + n, c->window_n * sizeof(c->window[0]));
}

static void forget_early(struct iax2_endpoint *ep, struct call *c, size_t i)
{
	transport_release(ep, c->early[i].buf);
	c->early[i] = c->early[--c->early_n];
}

void transport_drop(struct iax2_endpoint *ep, struct call *c)
{
	forget(ep, c, c->window_n);
	while (c->early_n > 0)
		forget_early(ep, c, 0);
	c->recovering = false;
	c->ack_due = false;
}

void transport_restart(struct iax2_endpoint *ep, struct call *c)
{
	transport_drop(ep, c);
	c->oseq = 0;
	c->iseq = 0;
}

static void measure(struct call *c, mono_us rtt)
{
	const uint32_t r = (uint32_t)mono_min(rtt, RTT_MAX_US);

	c->rtt_us = c->rtt_us == 0 ? r : c->rtt_us - c->rtt_us / 8 + r / 8;
	if (c->rtt_us == 0)
		c->rtt_us = 1;
}

static void resend(struct iax2_endpoint *ep, struct call *c, struct unacked *u,
		   bool mark, mono_us now)
{
	uint8_t *buf = ep->pool[u->buf];

	/* Where the peer is now; the seal of a NEW does not suffer, for the
	 * peer has sent nothing then. */
	buf[2] = (uint8_t)(c->peer_callno >> 8 | (mark ? R_BIT : 0));
	buf[3] = (uint8_t)c->peer_callno;
	buf[9] = c->iseq;
	emit(ep, c, buf, u->len, false);
	u->last = now;
	ep->n.retransmits++;
	if (u->tries < UINT8_MAX)
		u->tries++;
}

static void recover(struct call *c)
{
	c->recovering = true;
	c->recover_to = c->oseq;
}

/* An acknowledgement after a loss that leaves something open: the next one is
 * missing too, and perhaps the one behind it. */
static void recover_on(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	uint8_t seq = (uint8_t)(c->oseq - c->window_n);

	if ((int8_t)(seq - c->recover_to) >= 0) {
		c->recovering = false;
		return;
	}
	for (size_t i = 0; i < RECOVER_FRAMES && i < c->window_n; i++, seq++) {
		struct unacked *u = &c->window[i];

		if ((int8_t)(seq - c->recover_to) < 0 &&
		    now - u->last >= c->rtt_us)
			resend(ep, c, u, true, now);
	}
}

void transport_acked(struct iax2_endpoint *ep, struct call *c, uint8_t iseq,
		     mono_us now)
{
	const uint8_t ahead = (uint8_t)(c->oseq - iseq);
	size_t n = 0;

	/* Only what was sent can be acknowledged. */
	if (ahead > c->window_n)
		return;
	n = c->window_n - ahead;
	if (n == 0)
		return;
	/* Karn: a frame that was sent twice tells no round trip. */
	if (c->window[n - 1].tries == 1)
		measure(c, now - c->window[n - 1].first);
	forget(ep, c, n);
	arm(c, now);
	if (c->window_n == 0)
		c->recovering = false;
	else if (c->recovering)
		recover_on(ep, c, now);
	endpoint_call_touch(ep, c);
}

void transport_ack_due(struct iax2_endpoint *ep, struct call *c, uint32_t ts)
{
	if (!c->in_acks)
		ep->acks[ep->acks_n++] = (uint16_t)(c - ep->calls);
	c->in_acks = true;
	c->ack_due = true;
	c->ack_ts = ts;
}

static void send_ack(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	const struct out_frame f = {
		.type = IAX2_FRAME_IAX,
		.subclass = IAX2_IAX_ACK,
		.unreliable = true,
		.has_ts = true,
		.ts_ms = c->ack_ts,
	};

	c->ack_due = false;
	(void)transport_send(ep, c, &f, now);
}

void transport_flush_acks(struct iax2_endpoint *ep)
{
	for (size_t i = 0; i < ep->acks_n; i++) {
		struct call *c = &ep->calls[ep->acks[i]];

		c->in_acks = false;
		if (c->state != CALL_FREE && c->ack_due)
			send_ack(ep, c, ep->now);
	}
	ep->acks_n = 0;
}

void transport_ask_again(struct iax2_endpoint *ep, struct call *c, uint32_t ts,
			 mono_us now)
{
	const struct out_frame out = {
		.type = IAX2_FRAME_IAX,
		.subclass = IAX2_IAX_VNAK,
		.unreliable = true,
		.has_ts = true,
		.ts_ms = ts,
	};

	/* One VNAK asks for all that is missing. */
	if (now < c->vnak_at)
		return;
	c->vnak_at =
		now + (c->rtt_us > VNAK_PAUSE_US ? c->rtt_us : VNAK_PAUSE_US);
	(void)transport_send(ep, c, &out, now);
}

/* Keep a frame until its turn; what has no room comes again. */
static void keep_early(struct iax2_endpoint *ep, struct call *c,
		       const struct iax2_full *f)
{
	uint16_t buf;
	size_t len = 0;

	for (size_t i = 0; i < c->early_n; i++) {
		if (c->early[i].seq == f->oseq)
			return;
	}
	/* Nothing is kept for a caller that has not been let in. */
	if ((!c->outbound && c->state != CALL_UP) || c->early_n == CALL_EARLY ||
	    !has_buffer(ep, c, CALL_OWN))
		return;
	buf = ep->pool_free[ep->pool_free_n - 1];
	if (iax2_full_encode(f, ep->pool[buf], sizeof(ep->pool[buf]), &len) !=
	    IAX2_OK)
		return;
	ep->pool_free_n--;
	c->early[c->early_n++] = (struct early){ .buf = buf,
						 .len = (uint16_t)len,
						 .seq = f->oseq };
}

bool transport_take_early(struct iax2_endpoint *ep, struct call *c,
			  struct iax2_full *out, uint16_t *buf)
{
	for (size_t i = c->early_n; i-- > 0;) {
		const struct early e = c->early[i];

		if ((int8_t)(e.seq - c->iseq) < 0) {
			forget_early(ep, c, i);
			continue;
		}
		if (e.seq != c->iseq ||
		    iax2_full_decode(ep->pool[e.buf], e.len, out) != IAX2_OK)
			continue;
		c->early[i] = c->early[--c->early_n];
		c->iseq++;
		transport_ack_due(ep, c, out->ts_ms);
		*buf = e.buf;
		return true;
	}
	return false;
}

bool transport_early_end(const struct iax2_endpoint *ep, const struct call *c,
			 struct iax2_full *out)
{
	for (size_t i = 0; i < c->early_n; i++) {
		const struct early *e = &c->early[i];

		if (iax2_full_decode(ep->pool[e->buf], e->len, out) ==
			    IAX2_OK &&
		    call_frame_ends(out))
			return true;
	}
	return false;
}

enum transport_in transport_accept(struct iax2_endpoint *ep, struct call *c,
				   const struct iax2_full *f, mono_us now)
{
	const int8_t ahead = (int8_t)(f->oseq - c->iseq);

	transport_acked(ep, c, f->iseq, now);
	if (ahead > 0) {
		keep_early(ep, c, f);
		transport_ask_again(ep, c, f->ts_ms, now);
		return TRANSPORT_AHEAD;
	}
	if (ahead < 0) {
		ep->n.duplicates++;
		transport_ack_due(ep, c, f->ts_ms);
		return TRANSPORT_DUPLICATE;
	}
	c->iseq++;
	c->vnak_at = 0;
	transport_ack_due(ep, c, f->ts_ms);
	return TRANSPORT_NEW;
}

void transport_vnak(struct iax2_endpoint *ep, struct call *c, uint8_t iseq,
		    mono_us now)
{
	transport_acked(ep, c, iseq, now);
	/* A burst of them is answered once. */
	if (now < c->vnak_heed_at)
		return;
	c->vnak_heed_at = now + VNAK_HEED_US;
	recover(c);
	for (size_t i = 0; i < c->window_n && i < VNAK_RESENDS; i++)
		resend(ep, c, &c->window[i], false, now);
}

void transport_moved(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	if (c->window_n == 0)
		return;
	arm(c, now);
	recover(c);
	for (size_t i = 0; i < c->window_n && i < VNAK_RESENDS; i++)
		resend(ep, c, &c->window[i], true, now);
}

bool transport_has_voice_room(const struct iax2_endpoint *ep,
			      const struct call *c)
{
	return c->window_n < CALL_WINDOW / 2 && has_buffer(ep, c, CALL_OWN / 2);
}

bool transport_tick(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	if (c->window_n == 0 || now < c->resend_at)
		return true;
	if (++c->resends >= CALL_TRIES)
		return false;
	c->resend_interval = mono_min(2 * c->resend_interval, INTERVAL_MAX_US);
	c->resend_at = now + c->resend_interval;
	recover(c);
	resend(ep, c, &c->window[0], true, now);
	return true;
}

mono_us transport_deadline(const struct call *c)
{
	return c->window_n > 0 ? c->resend_at : MONO_NEVER;
}
