/* SPDX-License-Identifier: MIT */

/* Voice of a call: time stamps, full and mini frames (RFC 5456 section 8.1). */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define FRAME_MS 20U
#define TRUNK_SLACK_MS 200U
#define SPURT_GAP_MS 1000U /* a longer one is a pause, not a loss */

/* --- received ----------------------------------------------------------- */

/* RFC 3550 A.8, and what is missing within a spurt. */
static void account(struct call *c, uint32_t ts, bool spurt, mono_us now)
{
	const int32_t step = (int32_t)(ts - c->rx_ts);

	c->rx_voice++;
	if (c->rx_voice > 1 && !spurt && step > 0 &&
	    step < (int32_t)SPURT_GAP_MS) {
		const int64_t late = (int64_t)(now - c->rx_at) -
				     (int64_t)step * (int64_t)MONO_MS;
		const uint32_t d = (uint32_t)(late < 0 ? -late : late);

		c->jitter_us = c->jitter_us - c->jitter_us / 16 + d / 16;
		c->rx_lost += (uint32_t)step / FRAME_MS > 1
				      ? (uint32_t)step / FRAME_MS - 1
				      : 0;
	}
	if (c->rx_voice > 1 && step < 0 && step > -(int32_t)SPURT_GAP_MS) {
		c->rx_ooo++;
		/* It was counted as missing. */
		c->rx_lost -= c->rx_lost > 0;
		return;
	}
	c->rx_ts = ts;
	c->rx_at = now;
}

static void voice(struct iax2_endpoint *ep, struct call *c, const uint8_t *data,
		  size_t len, uint32_t ts, bool spurt)
{
	struct iax2_event *ev = endpoint_event(ep, IAX2_EV_VOICE, c);

	if (!ev)
		return;
	ev->u.voice.format = c->rx_format;
	ev->u.voice.ts_ms = ts;
	ev->u.voice.spurt = spurt;
	ev->u.voice.len = len;
	ev->u.voice.data = endpoint_payload(ep, data, len);
}

/* The sender is known, and heard. */
static bool takes_voice(const struct call *c)
{
	return c->state == CALL_UP || c->state == CALL_ACCEPTED;
}

void call_rx_voice(struct iax2_endpoint *ep, struct call *c,
		   const struct iax2_full *f, mono_us now)
{
	if (!takes_voice(c) || f->body_len == 0)
		return;
	c->rx_format = f->subclass;
	account(c, f->ts_ms, true, now);
	c->rx_any = true;
	c->trunk_any = false;
	voice(ep, c, f->body, f->body_len, f->ts_ms, true);
}

/*
 * The whole time stamp whose low half is @low, nearest to where the sender's
 * clock must be by now.  So neither a wrap without a full frame (Asterisk sends
 * none) nor a lost full frame after a long pause misplaces a mini frame.
 */
static uint32_t extend(const struct call *c, uint16_t low, mono_us now)
{
	const uint32_t due = c->rx_ts + (uint32_t)((now - c->rx_at) / MONO_MS);
	const int16_t step = (int16_t)(uint16_t)(low - (uint16_t)due);

	return (uint32_t)((int64_t)due + step);
}

/* May voice without a full frame's header be taken? */
static bool takes_mini(struct iax2_endpoint *ep, struct call *c,
		       const struct iax2_mini *m, mono_us now)
{
	c->last_rx = now;
	if (!takes_voice(c) || m->len == 0) {
		ep->n.unknown_call++;
		return false;
	}
	/* The high half and the format come from a full voice frame. */
	if (!c->rx_any) {
		ep->n.unknown_call++;
		transport_ask_again(ep, c, m->ts_ms, now);
		return false;
	}
	if (!endpoint_event_room(ep, true)) {
		ep->n.limited++;
		return false;
	}
	return true;
}

void call_rx_mini(struct iax2_endpoint *ep, struct call *c,
		  const struct iax2_mini *m, mono_us now)
{
	uint32_t ts;

	if (!takes_mini(ep, c, m, now))
		return;
	ts = extend(c, m->ts_ms, now);
	account(c, ts, false, now);
	voice(ep, c, m->data, m->len, ts, false);
}

/*
 * The trunk's clock is not the call's: their difference is taken from the
 * first frame of a spurt, and again when it no longer fits.
 */
void call_rx_unstamped(struct iax2_endpoint *ep, struct call *c,
		       const struct iax2_mini *m, uint32_t trunk_ts,
		       mono_us now)
{
	uint32_t due, ts;

	if (!takes_mini(ep, c, m, now))
		return;
	due = c->rx_ts + (uint32_t)((now - c->rx_at) / MONO_MS);
	ts = trunk_ts + c->trunk_offset;
	if (!c->trunk_any || (int32_t)(ts - due) > (int32_t)TRUNK_SLACK_MS ||
	    (int32_t)(due - ts) > (int32_t)TRUNK_SLACK_MS) {
		/* Whole frames after the last one, at least one. */
		const uint32_t frames = (due - c->rx_ts) / FRAME_MS;

		ts = c->rx_ts + FRAME_MS * (frames > 0 ? frames : 1);
		c->trunk_offset = ts - trunk_ts;
		c->trunk_any = true;
	}
	account(c, ts, false, now);
	voice(ep, c, m->data, m->len, ts, false);
}

/* --- sent --------------------------------------------------------------- */

static enum iax2_err voice_full(struct iax2_endpoint *ep, struct call *c,
				const struct iax2_voice *v, mono_us now)
{
	const struct out_frame f = {
		.type = IAX2_FRAME_VOICE,
		.subclass = c->format,
		.body = v->data,
		.body_len = v->len,
		.has_ts = true,
		.ts_ms = v->ts_ms,
	};
	const enum iax2_err err = transport_send(ep, c, &f, now);

	if (err == IAX2_OK) {
		c->tx_any = true;
		c->tx_ts = v->ts_ms;
		c->tx_full_owed = false;
	}
	return err;
}

static enum iax2_err voice_mini(struct iax2_endpoint *ep, struct call *c,
				const struct iax2_voice *v)
{
	const struct iax2_mini m = {
		.src_callno = c->callno,
		.ts_ms = (uint16_t)v->ts_ms,
		.data = v->data,
		.len = v->len,
	};
	uint8_t buf[DGRAM_MAX];
	struct dgram d = { .path = c->path, .data = buf };
	const enum iax2_err err =
		iax2_mini_encode(&m, buf, sizeof(buf), &d.len);

	if (err != IAX2_OK)
		return err;
	if (!dgram_queue_push(ep->tx, &d, true))
		return IAX2_E_FULL;
	call_count_tx(c, d.len);
	return IAX2_OK;
}

enum iax2_err iax2_send_voice(struct iax2_endpoint *ep,
			      struct iax2_call_id call,
			      const struct iax2_voice *v, mono_us now)
{
	enum iax2_err err;
	struct call *c = call_standing(ep, call, now, &err);

	if (!c)
		return err;
	if (v->len == 0 || v->len > CALL_BODY_MAX)
		return IAX2_E_RANGE;
	if (c->quelched)
		return IAX2_E_STATE;
	/* RFC 5456 6.10 wants one at each multiple of 32,768, 8.1.2 at the
	 * wrap: the first covers both. */
	if (v->spurt || !c->tx_any || v->ts_ms >> 15 != c->tx_ts >> 15)
		c->tx_full_owed = true;
	if (c->tx_full_owed && transport_has_voice_room(ep, c))
		err = voice_full(ep, c, v, now);
	else if (c->tx_any)
		err = voice_mini(ep, c, v);
	else
		err = IAX2_E_FULL;
	c->tx_at = now;
	c->tx_voice += err == IAX2_OK;
	return err;
}

enum iax2_err iax2_media_time(const struct iax2_endpoint *ep,
			      struct iax2_call_id call, mono_us now,
			      uint32_t *ts_ms)
{
	const struct call *c;
	uint32_t ms;

	if (call.slot >= ep->cfg.calls_max)
		return IAX2_E_STALE;
	c = &ep->calls[call.slot];
	if (c->state == CALL_FREE || c->gen != call.gen || !c->told)
		return IAX2_E_STALE;
	ms = (uint32_t)((now - c->began) / MONO_MS);
	*ts_ms = ms - ms % FRAME_MS;
	return IAX2_OK;
}
