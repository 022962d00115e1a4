/* SPDX-License-Identifier: MIT */

/* What the node does with calls that stand. */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

struct call *call_standing(struct iax2_endpoint *ep, struct iax2_call_id id,
			   mono_us now, enum iax2_err *err)
{
	struct call *c = endpoint_call(ep, id);

	ep->now = now;
	*err = c ? IAX2_E_STATE : IAX2_E_STALE;
	return c && c->state == CALL_UP ? c : NULL;
}

enum iax2_err iax2_hangup(struct iax2_endpoint *ep, struct iax2_call_id call,
			  const char *text, uint8_t code, mono_us now)
{
	struct call *c = endpoint_call(ep, call);

	ep->now = now;
	if (!c)
		return IAX2_E_STALE;
	call_end(ep, c, (struct ending){ IAX2_DOWN_HANGUP_LOCAL, code, text },
		 now);
	return IAX2_OK;
}

enum iax2_err iax2_send_text(struct iax2_endpoint *ep, struct iax2_call_id call,
			     const char *text, mono_us now)
{
	enum iax2_err err;
	struct call *c = call_standing(ep, call, now, &err);
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

enum iax2_err iax2_send_dtmf(struct iax2_endpoint *ep, struct iax2_call_id call,
			     char digit, bool begin, mono_us now)
{
	enum iax2_err err;
	struct call *c = call_standing(ep, call, now, &err);
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
				struct iax2_call_id call,
				enum iax2_control control, mono_us now)
{
	enum iax2_err err;
	struct call *c = call_standing(ep, call, now, &err);
	const struct out_frame f = {
		.type = IAX2_FRAME_CONTROL,
		.subclass = control,
	};

	return c ? transport_send(ep, c, &f, now) : err;
}

enum iax2_err iax2_send_cng(struct iax2_endpoint *ep, struct iax2_call_id call,
			    mono_us now)
{
	enum iax2_err err;
	struct call *c = call_standing(ep, call, now, &err);
	const struct out_frame f = { .type = IAX2_FRAME_CNG };

	return c ? transport_send(ep, c, &f, now) : err;
}

struct iax2_call_info call_look(const struct call *c)
{
	return (struct iax2_call_info){
		.path = c->path,
		.up = c->state == CALL_UP,
		.outbound = c->outbound,
		.movable = c->has_ticket,
		.heard = c->last_rx,
		.format = c->format,
		.features = c->features,
		.rtt_us = c->rtt_us,
		.jitter_us = c->jitter_us,
		.rx_voice = c->rx_voice,
		.rx_lost = c->rx_lost,
		.tx_voice = c->tx_voice,
		.rx_packets = c->rx_packets,
		.rx_octets = c->rx_octets,
		.tx_packets = c->tx_packets,
		.tx_octets = c->tx_octets,
		.since = c->up_since,
	};
}

enum iax2_err iax2_call_info(const struct iax2_endpoint *ep,
			     struct iax2_call_id call,
			     struct iax2_call_info *out)
{
	const struct call *c;

	if (call.slot >= ep->cfg.calls_max)
		return IAX2_E_STALE;
	c = &ep->calls[call.slot];
	if (c->state == CALL_FREE || c->gen != call.gen || !c->told)
		return IAX2_E_STALE;
	*out = call_look(c);
	return IAX2_OK;
}
