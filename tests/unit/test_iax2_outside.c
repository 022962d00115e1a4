/* SPDX-License-Identifier: MIT */

/* Frames of no call, and voice in trunk frames. */

#include "tests/unit/iax2_talk.h"

/* --- no call ------------------------------------------------------------ */

static enum iax2_err stranger(uint8_t subclass, uint16_t dst, const char *body)
{
	return give((struct iax2_full){ .src_callno = PEERS,
					.dst_callno = dst,
					.ts_ms = 7,
					.oseq = 3,
					.iseq = 9,
					.type = IAX2_FRAME_IAX,
					.subclass = subclass,
					.body = (const uint8_t *)body,
					.body_len = strlen(body) });
}

static void a_poke_gets_a_pong(void)
{
	struct iax2_full f;

	start();
	T_EQ(IAX2_OK, stranger(IAX2_IAX_POKE, 0, ""));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_PONG, 0, 4);
	T_EQ(1, f.src_callno);
	T_EQ(PEERS, f.dst_callno);
	T_EQ(7, f.ts_ms);
	T_EQ(0, f.body_len);
	/* As Asterisk asks, with a call token that it has not got. */
	T_EQ(IAX2_OK, give((struct iax2_full){ .src_callno = PEERS,
					       .type = IAX2_FRAME_IAX,
					       .subclass = IAX2_IAX_POKE,
					       .body = (const uint8_t *)"\x36",
					       .body_len = 2 }));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_PONG, 0, 1);
	nothing_sent();
}

static void a_node_registers_nobody(void)
{
	struct iax2_full f;

	start();
	T_EQ(IAX2_E_REFUSED, stranger(IAX2_IAX_REGREQ, 0,
				      "\x06\x04"
				      "2000"));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_REGREJ, 0, 4);
	T_EQ(3, f.body_len);
	T_EQ(IAX2_IE_CAUSECODE, f.body[0]);
	T_EQ(29, f.body[2]);
	/* The cause, if the question was long enough. */
	T_EQ(IAX2_E_REFUSED, stranger(IAX2_IAX_REGREL, 0,
				      "\x06\x0f"
				      "123456789012345"));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_REGREJ, 0, 4);
	T_EQ(17, f.body_len);
	nothing_sent();
}

static void what_we_have_not_is_unsupported(void)
{
	static const uint8_t asks[] = { IAX2_IAX_DPREQ,
					IAX2_IAX_DIAL,
					IAX2_IAX_MWI,
					IAX2_IAX_TRANSFER,
					IAX2_IAX_PROVISION,
					IAX2_IAX_FWDOWNL,
					0x29,
					0x7f };
	struct iax2_full f;

	start();
	for (size_t i = 0; i < sizeof(asks); i++) {
		T_EQ(IAX2_E_REFUSED, stranger(asks[i], 0,
					      "\x0d\x01"
					      "1"));
		f = expect(IAX2_FRAME_IAX, IAX2_IAX_UNSUPPORT, 0, 4);
		T_EQ(3, f.body_len);
		T_EQ(IAX2_IE_IAX_UNKNOWN, f.body[0]);
		T_EQ(asks[i], f.body[2]);
	}
	T_EQ(sizeof(asks), iax2_endpoint_counters(ep)->unsupported);
	/* Not with more octets than came. */
	T_EQ(IAX2_E_REFUSED, stranger(IAX2_IAX_DPREQ, 0, ""));
	nothing_sent();
}

static void an_unknown_call_is_invalid(void)
{
	static const uint8_t quiet[] = { IAX2_IAX_INVAL, IAX2_IAX_ACK,
					 IAX2_IAX_VNAK, IAX2_IAX_CALLTOKEN };
	static const uint8_t loud[] = { IAX2_IAX_PONG, IAX2_IAX_HANGUP,
					IAX2_IAX_REJECT, IAX2_IAX_LAGRP,
					IAX2_IAX_UNSUPPORT };
	struct iax2_full f;

	start();
	T_EQ(IAX2_E_STALE, stranger(IAX2_IAX_PING, 77, ""));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_INVAL, 9, 3);
	T_EQ(77, f.src_callno);
	T_EQ(PEERS, f.dst_callno);
	T_EQ(IAX2_E_STALE, give((struct iax2_full){ .src_callno = PEERS,
						    .dst_callno = 77,
						    .type = IAX2_FRAME_TEXT }));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_INVAL, 0, 0);
	for (size_t i = 0; i < sizeof(loud); i++) {
		T_EQ(IAX2_E_STALE, stranger(loud[i], 77, ""));
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_INVAL, 9, 3);
	}
	/* To answer an answer might go on for ever. */
	for (size_t i = 0; i < sizeof(quiet); i++)
		T_EQ(IAX2_E_STALE, stranger(quiet[i], 77, ""));
	/* No call number to answer to, or none of its own. */
	T_EQ(IAX2_E_STALE, stranger(IAX2_IAX_PING, 0, ""));
	T_EQ(IAX2_E_STALE,
	     give((struct iax2_full){ .type = IAX2_FRAME_IAX,
				      .subclass = IAX2_IAX_DPREQ }));
	mini(20);
	nothing_sent();
	T_EQ(14, iax2_endpoint_counters(ep)->unknown_call);
}

/* --- trunk frames ------------------------------------------------------- */

static const uint8_t codes[160] = { 1, 2, 3 };

struct trunk {
	uint8_t buf[1200];
	struct wire_wr w;
};

static void trunk_begin(struct trunk *t, uint8_t data, uint32_t ts)
{
	t->w = wire_wr(t->buf, sizeof(t->buf));
	wire_wr_u16(&t->w, 0);
	wire_wr_u8(&t->w, 1);
	wire_wr_u8(&t->w, data);
	wire_wr_u32(&t->w, ts);
}

static void trunk_plain(struct trunk *t, uint16_t callno)
{
	wire_wr_u16(&t->w, callno);
	wire_wr_u16(&t->w, sizeof(codes));
	wire_wr_bytes(&t->w, codes, sizeof(codes));
}

static void trunk_stamped(struct trunk *t, uint16_t callno, uint16_t ts)
{
	wire_wr_u16(&t->w, sizeof(codes));
	wire_wr_u16(&t->w, callno);
	wire_wr_u16(&t->w, ts);
	wire_wr_bytes(&t->w, codes, sizeof(codes));
}

static enum iax2_err trunk_give(struct trunk *t)
{
	T_TRUE(!t->w.bad);
	return give_octets(t->buf, (size_t)(t->w.p - t->buf));
}

static void voice_at(uint32_t ts)
{
	event(IAX2_EV_VOICE);
	T_EQ(ts, ev.u.voice.ts_ms);
	T_EQ(IAX2_FORMAT_ULAW, ev.u.voice.format);
	T_EQ(sizeof(codes), ev.u.voice.len);
	T_EQ(0, memcmp(codes, ev.u.voice.data, sizeof(codes)));
}

/* A full voice frame at @ts: what a trunk's frames go on from. */
static void spurt(uint32_t ts, uint8_t oseq)
{
	T_EQ(IAX2_OK, give((struct iax2_full){ .src_callno = PEERS,
					       .dst_callno = OURS,
					       .ts_ms = ts,
					       .oseq = oseq,
					       .iseq = 1,
					       .type = IAX2_FRAME_VOICE,
					       .subclass = IAX2_FORMAT_ULAW,
					       .body = codes,
					       .body_len = sizeof(codes) }));
	voice_at(ts);
}

static void stamped_trunk_frames_are_minis(void)
{
	struct trunk t;

	(void)up();
	spurt(65480, 2);
	now += 40 * MONO_MS;
	trunk_begin(&t, 1, 123456);
	trunk_stamped(&t, PEERS, 65520);
	trunk_stamped(&t, PEERS + 1, 65520);
	trunk_stamped(&t, PEERS, 4);
	T_EQ(IAX2_OK, trunk_give(&t));
	voice_at(65520);
	voice_at(65540);
	no_event();
	T_EQ(1, iax2_endpoint_counters(ep)->unknown_call);
}

static void unstamped_trunk_frames_follow_the_trunks_clock(void)
{
	struct trunk t;

	(void)up();
	spurt(1000, 2);
	for (uint32_t i = 1; i <= 5; i++) {
		now += (i % 2 ? 13 : 27) * MONO_MS;
		trunk_begin(&t, 0, 777000 + 20 * i);
		trunk_plain(&t, PEERS);
		T_EQ(IAX2_OK, trunk_give(&t));
		voice_at(1000 + 20 * i);
	}
	/* One was lost: its place stays empty. */
	now += 40 * MONO_MS;
	trunk_begin(&t, 0, 777000 + 20 * 7);
	trunk_plain(&t, PEERS);
	T_EQ(IAX2_OK, trunk_give(&t));
	voice_at(1000 + 20 * 7);
	/* A new spurt, long after and with another clock. */
	now += 10 * MONO_S;
	spurt(11180, 3);
	now += 20 * MONO_MS;
	trunk_begin(&t, 0, 5);
	trunk_plain(&t, PEERS);
	T_EQ(IAX2_OK, trunk_give(&t));
	voice_at(11200);
	/* The trunk's clock jumps in the middle. */
	now += 20 * MONO_MS;
	trunk_begin(&t, 0, 4000000000U);
	trunk_plain(&t, PEERS);
	T_EQ(IAX2_OK, trunk_give(&t));
	voice_at(11220);
	no_event();
}

static void a_trunk_frame_before_any_full_frame_asks_for_it(void)
{
	struct trunk t;

	(void)up();
	trunk_begin(&t, 0, 20);
	trunk_plain(&t, PEERS);
	T_EQ(IAX2_OK, trunk_give(&t));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_VNAK, 1, 2);
	no_event();
}

static void a_bad_trunk_frame_harms_nothing(void)
{
	struct trunk t;
	size_t whole;

	(void)up();
	spurt(1000, 2);
	trunk_begin(&t, 1, 0);
	trunk_stamped(&t, PEERS, 1020);
	whole = (size_t)(t.w.p - t.buf);
	for (size_t len = 4; len < whole; len++) {
		const enum iax2_err err = give_octets(t.buf, len);

		/* A header alone carries nothing, and is none the worse. */
		T_EQ(len == 8 ? IAX2_OK : IAX2_E_TRUNCATED, err);
	}
	no_event();
	T_EQ(whole - 5, iax2_endpoint_counters(ep)->malformed);
	/* Meta video, an unknown command, and an empty entry. */
	t.buf[2] = 0x81;
	T_EQ(IAX2_E_NOT_OURS, give_octets(t.buf, whole));
	t.buf[2] = 2;
	T_EQ(IAX2_E_NOT_OURS, give_octets(t.buf, whole));
	T_EQ(2, iax2_endpoint_counters(ep)->unsupported);
	T_EQ(IAX2_OK, give_octets("\0\0\1\1\0\0\0\0\0\0\x12\x34\0\5", 14));
	no_event();
}

int main(void)
{
	T_RUN(a_poke_gets_a_pong);
	T_RUN(a_node_registers_nobody);
	T_RUN(what_we_have_not_is_unsupported);
	T_RUN(an_unknown_call_is_invalid);
	T_RUN(stamped_trunk_frames_are_minis);
	T_RUN(unstamped_trunk_frames_follow_the_trunks_clock);
	T_RUN(a_trunk_frame_before_any_full_frame_asks_for_it);
	T_RUN(a_bad_trunk_frame_harms_nothing);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
