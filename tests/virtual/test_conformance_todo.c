/* SPDX-License-Identifier: MIT */

/*
 * What RFC 5456 asks and the endpoint does not do yet; not registered.  Without
 * an argument all run, and the first that fails ends it; with a name only that
 * one.  A test that passes moves to one of the other files, and its row in
 * tests/CONFORMANCE.md with it.
 */

#include "tests/virtual/rfc_talk.h"

static const uint8_t codes[160];

static void a_new_of_another_version_is_rejected(void)
{
	static const uint16_t versions[] = { 0, 1, 3, 0xffff };

	for (size_t i = 0; i < LEN(versions); i++) {
		uint8_t body[256];
		struct wire_wr w = wire_wr(body, sizeof(body));

		start();
		iax2_ie_put_u16(&w, IAX2_IE_VERSION, versions[i]);
		iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, "2001");
		iax2_ie_put_u32(&w, IAX2_IE_FORMAT, IAX2_FORMAT_ULAW);
		put_token(&w);
		(void)give_new(PEERS, &w, body);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
		no_event();
		T_EQ(0, iax2_endpoint_calls(ep));
	}
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

static void any_message_for_an_unknown_call_gets_inval(void)
{
	static const uint8_t subclasses[] = {
		IAX2_IAX_HANGUP, IAX2_IAX_REJECT,    IAX2_IAX_PONG,
		IAX2_IAX_LAGRP,  IAX2_IAX_UNSUPPORT, IAX2_IAX_ACCEPT,
	};

	start();
	for (size_t i = 0; i < LEN(subclasses); i++) {
		(void)say_iax(subclasses[i], 7, 9);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_INVAL, 9, 7);
	}
	(void)say_iax(IAX2_IAX_INVAL, 7, 9);
	nothing_sent();
}

static void after_the_peers_hangup_new_frames_get_inval(void)
{
	(void)up();
	(void)say_iax(IAX2_IAX_HANGUP, 2, 1);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 3);
	/* Our ACK was lost: again. */
	(void)say_iax(IAX2_IAX_HANGUP, 2, 1);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 3);
	(void)say(IAX2_FRAME_TEXT, 0, 3, 1, "x", 2);
	T_TRUE(take());
	T_EQ(IAX2_FRAME_IAX, sent[10]);
	T_EQ(IAX2_IAX_INVAL, sent[11]);
}

static void a_control_that_is_not_understood_gets_unsupport(void)
{
	const struct iax2_call_id call = up();
	uint8_t unknown = 0;
	struct iax2_full f;

	(void)say(IAX2_FRAME_CONTROL, 99, 2, 1, NULL, 0);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_UNSUPPORT, 1, 3);
	T_TRUE(iax2_ie_u8(f.body, f.body_len, IAX2_IE_IAX_UNKNOWN, &unknown));
	T_EQ(99, unknown);
	is_up(call);
}

static void html_is_not_supported_and_that_is_said(void)
{
	const struct iax2_call_id call = up();

	(void)say(9, 1, 2, 1, "http://example.org", 18);
	(void)expect(9, 0x11, 1, 3);
	/* That answer itself is only acknowledged. */
	(void)say(9, 0x11, 3, 2, NULL, 0);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 2, 4);
	is_up(call);
}

static void an_unsupport_names_the_octet_that_came(void)
{
	struct iax2_full f;
	uint8_t unknown = 0;

	(void)up();
	/* Octet 0x89, which stands for 2^9. */
	(void)say(IAX2_FRAME_IAX, 1 << 9, 2, 1, NULL, 0);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_UNSUPPORT, 1, 3);
	T_TRUE(iax2_ie_u8(f.body, f.body_len, IAX2_IE_IAX_UNKNOWN, &unknown));
	T_EQ(0x89, unknown);
}

/* The text of 8.6.34 has two octets, its figure one. */
static void either_form_of_encryption_is_read(void)
{
	for (uint8_t n = 1; n <= 2; n++) {
		static const uint8_t methods[] = { 1, 1 };
		uint8_t body[256];
		struct wire_wr w = wire_wr(body, sizeof(body));

		start();
		put_required(&w, IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
		iax2_ie_put(&w, IAX2_IE_ENCRYPTION, methods, n);
		put_token(&w);
		T_EQ(IAX2_OK, give_new(PEERS, &w, body));
		event(IAX2_EV_CALL_IN);
	}
}

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

		now += 20 * MONO_MS;
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

static void a_pong_has_the_percentage_lost(void)
{
	struct iax2_full f;
	uint32_t loss = 0;

	(void)up();
	(void)say(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 2, 1, codes, 160);
	for (uint16_t i = 1; i <= 20; i++) {
		now += 40 * MONO_MS;
		mini((uint16_t)(102 + 40 * i));
		while (iax2_endpoint_next_event(ep, &ev) || take())
			;
	}
	(void)say_iax(IAX2_IAX_PING, 3, 1);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_PONG, 1, 4);
	T_TRUE(iax2_ie_u32(f.body, f.body_len, IAX2_IE_RR_LOSS, &loss));
	T_EQ(20, loss & 0xffffff);
	/* 20 of 41. */
	T_TRUE(loss >> 24 >= 48 && loss >> 24 <= 49);
}

static void has_cause_and_code(const struct iax2_full *f)
{
	T_TRUE(has(f, IAX2_IE_CAUSE));
	T_TRUE(has(f, IAX2_IE_CAUSECODE));
}

static void every_refusal_says_why(void)
{
	struct iax2_full f;

	(void)up();
	(void)say_iax(IAX2_IAX_TXREQ, 2, 1);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_TXREJ, 1, 3);
	has_cause_and_code(&f);
	/* Nobody decides. */
	start();
	(void)call_in(IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 0, 1);
	wait_us(5 * MONO_S);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	has_cause_and_code(&f);
	/* Nobody answers. */
	start();
	(void)dial(NULL);
	T_TRUE(take());
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 0, 1, "\x09\x04\0\0\0\x04",
		  6);
	T_TRUE(take());
	wait_us(60 * MONO_S);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 1, 1);
	has_cause_and_code(&f);
}

static void a_new_over_the_limit_is_answered(void)
{
	uint8_t body[256];
	struct wire_wr w = wire_wr(body, sizeof(body));

	start();
	put_required(&w, IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	put_token(&w);
	for (uint16_t i = 0; i < 2; i++)
		T_EQ(IAX2_OK, give_new((uint16_t)(100 + i), &w, body));
	while (take())
		;
	(void)give_new(102, &w, body);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	T_EQ(2, iax2_endpoint_calls(ep));
}

#undef T_RUN
#define T_RUN(fn)                                               \
	do {                                                    \
		if (argc < 2 || strcmp(argv[1], #fn) == 0) {    \
			t_current = #fn;                        \
			fn();                                   \
			printf("ok %d - %s\n", ++t_count, #fn); \
			fflush(stdout);                         \
		}                                               \
	} while (0)

int main(int argc, char **argv)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_new_of_another_version_is_rejected);
	T_RUN(every_32768_ms_voice_goes_in_a_full_frame);
	T_RUN(any_message_for_an_unknown_call_gets_inval);
	T_RUN(after_the_peers_hangup_new_frames_get_inval);
	T_RUN(a_control_that_is_not_understood_gets_unsupport);
	T_RUN(html_is_not_supported_and_that_is_said);
	T_RUN(an_unsupport_names_the_octet_that_came);
	T_RUN(either_form_of_encryption_is_read);
	T_RUN(trunk_frames_with_time_stamps_are_minis);
	T_RUN(trunk_frames_without_take_their_time_from_the_trunk);
	T_RUN(a_trunk_frame_that_is_cut_or_lies_does_no_harm);
	T_RUN(a_pong_has_the_percentage_lost);
	T_RUN(every_refusal_says_why);
	T_RUN(a_new_over_the_limit_is_answered);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
