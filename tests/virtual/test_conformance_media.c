/* SPDX-License-Identifier: MIT */

/* RFC 5456 sections 6.10, 7.1 and 8.1: voice in full, mini and meta frames.
 * tests/CONFORMANCE.md says which statement each test shows. */

#include "tests/virtual/rfc_talk.h"

static const uint8_t codes[160];

static enum iax2_err speak(struct iax2_call_id call, uint32_t ts, bool spurt)
{
	const struct iax2_voice v = { codes, sizeof(codes), ts, spurt };

	return iax2_send_voice(ep, call, &v, now);
}

/* --- full and mini frames -------------------------------------------- */

static void the_first_voice_frame_is_full_and_of_the_agreed_format(void)
{
	struct iax2_call_id call;

	start_with(IAX2_FORMAT_ULAW, IAX2_FORMAT_ALAW);
	call = call_in(IAX2_FORMAT_ALAW, IAX2_FORMAT_ALAW);
	T_EQ(IAX2_OK, iax2_accept(ep, call, now));
	while (take())
		;
	/* Even when the node says that no spurt starts. */
	T_EQ(IAX2_OK, speak(call, 20, false));
	(void)expect(IAX2_FRAME_VOICE, IAX2_FORMAT_ALAW, 2, 1);
	T_EQ(IAX2_OK, speak(call, 40, false));
	T_TRUE(take());
	T_EQ(0, sent[0] & 0x80);
	T_EQ(OURS, sent[1]);
	T_EQ(40, sent[3]);
	T_EQ(IAX2_MINI_HDR_LEN + sizeof(codes), sent_len);
}

static void minis_go_on_while_the_full_frame_is_unacknowledged(void)
{
	const struct iax2_call_id call = up();
	unsigned full = 0, minis = 0, again = 0;

	for (uint32_t ts = 65000; ts < 66000; ts += 20) {
		T_EQ(IAX2_OK, speak(call, ts, ts == 65000));
		wait_us(20 * MONO_MS);
		while (take()) {
			if (!(sent[0] & 0x80))
				minis++;
			else if (sent[10] == IAX2_FRAME_VOICE &&
				 (sent[2] & 0x80))
				again++;
			else
				full += sent[10] == IAX2_FRAME_VOICE;
		}
	}
	T_EQ(2, full); /* the first, and the one at 65,540 ms */
	T_EQ(48, minis);
	T_TRUE(again > 0);
}

/* 6.10 says 32,768 ms, 8.1.2 and 9.6 say 65,536: the shorter satisfies both. */
static void every_32768_ms_voice_goes_in_a_full_frame(void)
{
	const struct iax2_call_id call = up();
	unsigned full = 0;

	for (uint32_t ts = 20; ts < 140000; ts += 20) {
		const struct iax2_voice v = { codes, sizeof(codes), ts,
					      ts == 20 };

		T_EQ(IAX2_OK, iax2_send_voice(ep, call, &v, now));
		while (take()) {
			if ((sent[0] & 0x80) == 0)
				continue;
			full++;
			(void)say_iax(IAX2_IAX_ACK, 2, (uint8_t)(1 + full));
		}
	}
	T_EQ(1 + 4, full);
}

static void a_full_frame_may_change_the_format(void)
{
	(void)up();
	(void)say(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 2, 1, codes, 160);
	event(IAX2_EV_VOICE);
	T_EQ(IAX2_FORMAT_ULAW, ev.u.voice.format);
	(void)say(IAX2_FRAME_VOICE, IAX2_FORMAT_ALAW, 3, 1, codes, 160);
	event(IAX2_EV_VOICE);
	T_EQ(IAX2_FORMAT_ALAW, ev.u.voice.format);
	mini(120);
	event(IAX2_EV_VOICE);
	T_EQ(IAX2_FORMAT_ALAW, ev.u.voice.format);
	T_TRUE(!ev.u.voice.spurt);
}

static void a_caller_may_be_heard_in_its_own_call_too(void)
{
	const struct iax2_call_id call = in_and_up();

	(void)say(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 1, 2, codes, 160);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 2, 2);
	event(IAX2_EV_VOICE);
	mini(121);
	event(IAX2_EV_VOICE);
	T_EQ(160, ev.u.voice.len);
	T_EQ(IAX2_OK, speak(call, 20, true));
	(void)expect(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 2, 2);
}

/* --- meta frames ----------------------------------------------------- */

static void trunk_begin(struct wire_wr *w, uint8_t flags, uint32_t ts)
{
	wire_wr_u16(w, 0);
	wire_wr_u8(w, 1);
	wire_wr_u8(w, flags);
	wire_wr_u32(w, ts);
}

static void heard(uint8_t first)
{
	event(IAX2_EV_VOICE);
	T_EQ(160, ev.u.voice.len);
	T_EQ(first, ev.u.voice.data[0]);
	T_EQ(IAX2_FORMAT_ULAW, ev.u.voice.format);
	T_TRUE(!ev.u.voice.spurt);
}

static void trunk_frames_with_time_stamps_are_minis(void)
{
	uint8_t buf[512];
	uint8_t voice[160] = { 0 };
	struct wire_wr w = wire_wr(buf, sizeof(buf));

	(void)up();
	(void)say(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 2, 1, codes, 160);
	event(IAX2_EV_VOICE);
	trunk_begin(&w, 1, 5000);
	for (uint8_t i = 1; i <= 2; i++) {
		voice[0] = i;
		wire_wr_u16(&w, sizeof(voice));
		wire_wr_u16(&w, PEERS);
		wire_wr_u16(&w, (uint16_t)(102 + 20 * i));
		wire_wr_bytes(&w, voice, sizeof(voice));
	}
	T_TRUE(!w.bad);
	T_EQ(IAX2_OK, give_octets(buf, (size_t)(w.p - buf)));
	for (uint8_t i = 1; i <= 2; i++) {
		heard(i);
		T_EQ(102U + 20U * i, ev.u.voice.ts_ms);
	}
	no_event();
}

static void trunk_frames_without_take_their_time_from_the_trunk(void)
{
	uint32_t last = 0;

	(void)up();
	(void)say(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 2, 1, codes, 160);
	event(IAX2_EV_VOICE);
	for (uint8_t i = 1; i <= 5; i++) {
		uint8_t buf[512];
		uint8_t voice[160] = { i };
		struct wire_wr w = wire_wr(buf, sizeof(buf));

		/* The network is uneven, the trunk is not. */
		now += i & 1 ? 5 * MONO_MS : 45 * MONO_MS;
		trunk_begin(&w, 0, 5000U + 20U * i);
		wire_wr_u16(&w, PEERS);
		wire_wr_u16(&w, sizeof(voice));
		wire_wr_bytes(&w, voice, sizeof(voice));
		T_EQ(IAX2_OK, give_octets(buf, (size_t)(w.p - buf)));
		heard(i);
		T_TRUE(i == 1 || ev.u.voice.ts_ms == last + 20);
		last = ev.u.voice.ts_ms;
	}
}

static void a_trunk_frame_that_is_cut_or_lies_does_no_harm(void)
{
	uint8_t buf[64];
	const struct iax2_call_id call = up();

	for (uint8_t flags = 0; flags < 2; flags++) {
		struct wire_wr w = wire_wr(buf, sizeof(buf));

		trunk_begin(&w, flags, 1);
		wire_wr_u16(&w, flags ? 0xffff : PEERS);
		wire_wr_u16(&w, flags ? PEERS : 0xffff);
		wire_wr_u32(&w, 0);
		for (size_t n = 0; n <= (size_t)(w.p - buf); n++)
			(void)give_octets(buf, n);
	}
	no_event();
	is_up(call);
}

static void meta_video_frames_do_no_harm(void)
{
	static const uint8_t video[] = { 0,           0,    0x80 | PEERS >> 8,
					 PEERS & 255, 0x80, 0,
					 1,           2 };
	const struct iax2_call_id call = up();

	for (size_t n = 0; n <= sizeof(video); n++)
		(void)give_octets(video, n);
	nothing_sent();
	no_event();
	is_up(call);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(the_first_voice_frame_is_full_and_of_the_agreed_format);
	T_RUN(minis_go_on_while_the_full_frame_is_unacknowledged);
	T_RUN(every_32768_ms_voice_goes_in_a_full_frame);
	T_RUN(a_full_frame_may_change_the_format);
	T_RUN(a_caller_may_be_heard_in_its_own_call_too);
	T_RUN(trunk_frames_with_time_stamps_are_minis);
	T_RUN(trunk_frames_without_take_their_time_from_the_trunk);
	T_RUN(a_trunk_frame_that_is_cut_or_lies_does_no_harm);
	T_RUN(meta_video_frames_do_no_harm);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
