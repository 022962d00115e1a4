/* SPDX-License-Identifier: MIT */

/* What the node does with calls that stand. */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define FRAME_MS 20U

static struct call *standing(struct iax2_endpoint *ep, struct iax2_call_id id,
			     mono_us now, enum iax2_err *err)
{
	struct call *c = endpoint_call(ep, id);

	ep->now = now;
	*err = c ? IAX2_E_STATE : IAX2_E_STALE;
	return c && c->state == CALL_UP ? c : NULL;
}

enum iax2_err iax2_hangup(struct iax2_endpoint *ep, struct iax2_call_id id,
			  const char *text, uint8_t code, mono_us now)
{
	struct call *c = endpoint_call(ep, id);

	ep->now = now;
	if (!c)
		return IAX2_E_STALE;
	call_end(ep, c, IAX2_IAX_HANGUP, text, code, IAX2_DOWN_HANGUP_LOCAL,
		 now);
	return IAX2_OK;
}

static enum iax2_err voice_full(struct iax2_endpoint *ep, struct call *c,
				const uint8_t *data, size_t len, uint32_t ts,
				mono_us now)
{
	const struct out_frame f = {
		.type = IAX2_FRAME_VOICE,
		.subclass = c->format,
		.body = data,
		.body_len = len,
		.has_ts = true,
		.ts_ms = ts,
	};

	const enum iax2_err err = transport_send(ep, c, &f, now);

	if (err == IAX2_OK) {
		c->tx_any = true;
		c->tx_ts = ts;
		c->tx_full_owed = false;
	}
	return err;
}

static enum iax2_err voice_mini(struct iax2_endpoint *ep, struct call *c,
				const uint8_t *data, size_t len, uint32_t ts)
{
	const struct iax2_mini m = {
		.src_callno = c->callno,
		.ts_ms = (uint16_t)ts,
		.data = data,
		.len = len,
	};
	uint8_t buf[DGRAM_MAX];
	struct dgram d = { .path = c->path, .data = buf };
	const enum iax2_err err =
		iax2_mini_encode(&m, buf, sizeof(buf), &d.len);

	if (err != IAX2_OK)
		return err;
	return dgram_queue_push(ep->tx, &d, true) ? IAX2_OK : IAX2_E_FULL;
}

enum iax2_err iax2_send_voice(struct iax2_endpoint *ep, struct iax2_call_id id,
			      const uint8_t *data, size_t len, uint32_t ts_ms,
			      bool spurt, mono_us now)
{
	enum iax2_err err;
	struct call *c = standing(ep, id, now, &err);

	if (!c)
		return err;
	if (len == 0 || len > CALL_BODY_MAX)
		return IAX2_E_RANGE;
	if (c->quelched)
		return IAX2_E_STATE;
	if (spurt || !c->tx_any || ts_ms >> 16 != c->tx_ts >> 16)
		c->tx_full_owed = true;
	if (c->tx_full_owed && transport_has_voice_room(ep, c))
		err = voice_full(ep, c, data, len, ts_ms, now);
	else if (c->tx_any)
		err = voice_mini(ep, c, data, len, ts_ms);
	else
		err = IAX2_E_FULL;
	c->tx_voice += err == IAX2_OK;
	return err;
}

enum iax2_err iax2_media_time(const struct iax2_endpoint *ep,
			      struct iax2_call_id id, mono_us now,
			      uint32_t *ts_ms)
{
	const struct call *c;
	uint32_t ms;

	if (id.slot >= ep->cfg.calls_max)
		return IAX2_E_STALE;
	c = &ep->calls[id.slot];
	if (c->state == CALL_FREE || c->gen != id.gen || !c->told)
		return IAX2_E_STALE;
	ms = (uint32_t)((now - c->began) / MONO_MS);
	*ts_ms = ms - ms % FRAME_MS;
	return IAX2_OK;
}

enum iax2_err iax2_send_text(struct iax2_endpoint *ep, struct iax2_call_id id,
			     const char *text, mono_us now)
{
	enum iax2_err err;
	struct call *c = standing(ep, id, now, &err);
	const size_t len = strlen(text);
	const struct out_frame f = {
		.type = IAX2_FRAME_TEXT,
		.body = (const uint8_t *)text,
		.body_len = len + 1,
	};

	if (!c)
		return err;
	if (len > IAX2_TEXT_MAX)
		return IAX2_E_RANGE;
	return transport_send(ep, c, &f, now);
}

enum iax2_err iax2_send_dtmf(struct iax2_endpoint *ep, struct iax2_call_id id,
			     char digit, bool begin, mono_us now)
{
	enum iax2_err err;
	struct call *c = standing(ep, id, now, &err);
	const struct out_frame f = {
		.type = begin ? IAX2_FRAME_DTMF_BEGIN : IAX2_FRAME_DTMF_END,
		.subclass = (uint8_t)digit,
	};

	if (!c)
		return err;
	if (digit == '\0' || !strchr("0123456789ABCD*#", digit))
		return IAX2_E_RANGE;
	return transport_send(ep, c, &f, now);
}

enum iax2_err iax2_send_control(struct iax2_endpoint *ep,
				struct iax2_call_id id,
				enum iax2_control control, mono_us now)
{
	enum iax2_err err;
	struct call *c = standing(ep, id, now, &err);
	const struct out_frame f = {
		.type = IAX2_FRAME_CONTROL,
		.subclass = control,
	};

	return c ? transport_send(ep, c, &f, now) : err;
}

enum iax2_err iax2_send_cng(struct iax2_endpoint *ep, struct iax2_call_id id,
			    mono_us now)
{
	enum iax2_err err;
	struct call *c = standing(ep, id, now, &err);
	const struct out_frame f = { .type = IAX2_FRAME_CNG };

	return c ? transport_send(ep, c, &f, now) : err;
}

enum iax2_err iax2_call_info(const struct iax2_endpoint *ep,
			     struct iax2_call_id id, struct iax2_call_info *out)
{
	const struct call *c;

	if (id.slot >= ep->cfg.calls_max)
		return IAX2_E_STALE;
	c = &ep->calls[id.slot];
	if (c->state == CALL_FREE || c->gen != id.gen || !c->told)
		return IAX2_E_STALE;
	*out = (struct iax2_call_info){
		.path = c->path,
		.up = c->state == CALL_UP,
		.outbound = c->outbound,
		.format = c->format,
		.rtt_us = c->rtt_us,
		.jitter_us = c->jitter_us,
		.rx_voice = c->rx_voice,
		.rx_lost = c->rx_lost,
		.tx_voice = c->tx_voice,
		.since = c->up_since,
	};
	return IAX2_OK;
}
