/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_RFC_TALK_H
#define TESTS_VIRTUAL_RFC_TALK_H

/* Conversations by the letter of RFC 5456: the test calls, or is called. */

#include "tests/unit/iax2_talk.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* An endpoint that speaks these two formats, the first rather. */
static inline void start_with(uint64_t first, uint64_t second)
{
	struct iax2_endpoint_cfg cfg = usual_cfg();

	cfg.prefs[0] = first;
	cfg.prefs[1] = second;
	cfg.prefs_n = 2;
	start_as(&cfg);
}

static inline enum iax2_err give_new(uint16_t callno, const struct wire_wr *w,
				     const uint8_t *body)
{
	T_TRUE(!w->bad);
	return give((struct iax2_full){
		.src_callno = callno,
		.ts_ms = 6,
		.type = IAX2_FRAME_IAX,
		.subclass = IAX2_IAX_NEW,
		.body = body,
		.body_len = (size_t)(w->p - body),
	});
}

/* What a NEW must have; more may follow. */
static inline void put_required(struct wire_wr *w, uint32_t format,
				uint32_t capability)
{
	iax2_ie_put_u16(w, IAX2_IE_VERSION, 2);
	iax2_ie_put_text(w, IAX2_IE_CALLED_NUMBER, "2001");
	iax2_ie_put_text(w, IAX2_IE_CALLING_NUMBER, "2000");
	iax2_ie_put_text(w, IAX2_IE_USERNAME, "radio");
	iax2_ie_put_u8(w, IAX2_IE_CALLINGPRES, 0);
	iax2_ie_put_u8(w, IAX2_IE_CALLINGTON, 0);
	iax2_ie_put_u16(w, IAX2_IE_CALLINGTNS, 0);
	if (format != 0)
		iax2_ie_put_u32(w, IAX2_IE_FORMAT, format);
	if (capability != 0)
		iax2_ie_put_u32(w, IAX2_IE_CAPABILITY, capability);
}

/* Append the call token that the endpoint gives us. */
static inline void put_token(struct wire_wr *w)
{
	uint8_t body[128];
	struct wire_wr ask = wire_wr(body, sizeof(body));
	struct iax2_ie_view token;
	struct iax2_full f;

	put_required(&ask, IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	iax2_ie_put(&ask, IAX2_IE_CALLTOKEN, NULL, 0);
	T_EQ(IAX2_OK, give_new(PEERS, &ask, body));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_CALLTOKEN, 0, 1);
	T_TRUE(iax2_ie_find(f.body, f.body_len, IAX2_IE_CALLTOKEN, &token));
	iax2_ie_put(w, IAX2_IE_CALLTOKEN, token.value, token.len);
}

/* A call in that the node has not yet decided about. */
static inline struct iax2_call_id call_in(uint32_t format, uint32_t capability)
{
	uint8_t body[256];
	struct wire_wr w = wire_wr(body, sizeof(body));

	put_required(&w, format, capability);
	put_token(&w);
	T_EQ(IAX2_OK, give_new(PEERS, &w, body));
	event(IAX2_EV_CALL_IN);
	return ev.call;
}

/* A call in that is up; the peer's next number is 1, ours is 2. */
static inline struct iax2_call_id in_and_up(void)
{
	struct iax2_call_id call;

	start();
	call = call_in(IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	T_EQ(IAX2_OK, iax2_accept(ep, call, now));
	event(IAX2_EV_CALL_UP);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 0, 1);
	(void)expect(IAX2_FRAME_CONTROL, IAX2_CONTROL_ANSWER, 1, 1);
	(void)say_iax(IAX2_IAX_ACK, 1, 2);
	nothing_sent();
	return call;
}

static inline bool has(const struct iax2_full *f, uint8_t element)
{
	struct iax2_ie_view v;

	return iax2_ie_find(f->body, f->body_len, element, &v);
}

static inline void is_up(struct iax2_call_id call)
{
	struct iax2_call_info info;

	T_EQ(IAX2_OK, iax2_call_info(ep, call, &info));
	T_TRUE(info.up);
}

#endif
