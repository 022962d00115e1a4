/* SPDX-License-Identifier: MIT */

/* What happens in a call that is up. */

#include "tests/unit/iax2_talk.h"

static void questions_are_answered_with_their_time_stamp(void)
{
	static const uint8_t elements[] = { 46, 47, 48, 49, 50, 51 };
	struct iax2_full f;
	struct wire_rd r;
	struct iax2_ie_view v;
	size_t n = 0;

	(void)up();
	(void)say_iax(IAX2_IAX_PING, 2, 1);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_PONG, 1, 3);
	T_EQ(102, f.ts_ms);
	r = wire_rd(f.body, f.body_len);
	while (iax2_ie_next(&r, &v))
		T_EQ(elements[n++], v.type);
	T_EQ(sizeof(elements), n);
	(void)say_iax(IAX2_IAX_LAGRQ, 3, 2);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_LAGRP, 2, 4);
	T_EQ(103, f.ts_ms);
	(void)say_iax(IAX2_IAX_TXREQ, 4, 3);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_TXREJ, 3, 5);
	(void)say_iax(0x77, 5, 4);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_UNSUPPORT, 4, 6);
	T_EQ(3, f.body_len);
	T_EQ(IAX2_IE_IAX_UNKNOWN, f.body[0]);
	T_EQ(0x77, f.body[2]);
	/* So is a frame type that we do not know; a picture needs no more than
	 * its acknowledgement. */
	(void)say(13, 1, 6, 5, NULL, 0);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_UNSUPPORT, 5, 7);
	T_EQ(1, f.body[2]);
	(void)say(IAX2_FRAME_VIDEO, 1U << 19, 7, 6, "x", 1);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 6, 8);
	T_EQ(3, iax2_endpoint_counters(ep)->unsupported);
	/* A POKE has no place in the sequence. */
	(void)say_iax(IAX2_IAX_POKE, 8, 6);
	/* Asterisk's source update. */
	(void)say(IAX2_FRAME_CONTROL, 20, 8, 6, "x", 1);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 6, 9);
	event(IAX2_EV_CONTROL);
	T_EQ(20, ev.u.control.subclass);
	T_EQ(1, ev.u.control.len);
	(void)say(IAX2_FRAME_CONTROL, 99, 9, 6, "x", 1);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_UNSUPPORT, 6, 10);
	T_EQ(99, f.body[2]);
	/* The subclass as its octet was; pages are refused in their own way. */
	(void)say(13, UINT64_C(1) << 40, 10, 7, NULL, 0);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_UNSUPPORT, 7, 11);
	T_EQ(0x80 | 40, f.body[2]);
	(void)say(IAX2_FRAME_HTML, 1, 11, 8, "http://", 7);
	(void)expect(IAX2_FRAME_HTML, 0x11, 8, 12);
	(void)say(IAX2_FRAME_HTML, 0x11, 12, 9, NULL, 0);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 9, 13);
	no_event();
	nothing_sent();
}

static void what_the_peer_says_is_told(void)
{
	const struct iax2_call_id call = up();

	(void)say(IAX2_FRAME_TEXT, 0, 2, 1, "!NEWKEY1!", 10);
	(void)say(IAX2_FRAME_TEXT, 0, 3, 1, "no nul", 6);
	(void)say(IAX2_FRAME_DTMF_BEGIN, '*', 4, 1, NULL, 0);
	(void)say(IAX2_FRAME_DTMF_END, '*', 5, 1, NULL, 0);
	(void)say(IAX2_FRAME_DTMF_END, 'x', 6, 1, NULL, 0);
	(void)say(IAX2_FRAME_CONTROL, IAX2_CONTROL_KEY, 7, 1, NULL, 0);
	(void)say(IAX2_FRAME_CONTROL, IAX2_CONTROL_UNKEY, 8, 1, NULL, 0);
	(void)say(IAX2_FRAME_CNG, 0, 9, 1, NULL, 0);
	event(IAX2_EV_TEXT);
	T_STR("!NEWKEY1!", ev.u.text.data);
	T_EQ(9, ev.u.text.len);
	event(IAX2_EV_TEXT);
	T_STR("no nul", ev.u.text.data);
	event(IAX2_EV_DTMF);
	T_TRUE(ev.u.dtmf.begin && ev.u.dtmf.digit == '*');
	event(IAX2_EV_DTMF);
	T_TRUE(!ev.u.dtmf.begin);
	event(IAX2_EV_KEY);
	T_TRUE(ev.u.key.keyed);
	event(IAX2_EV_KEY);
	T_TRUE(!ev.u.key.keyed);
	event(IAX2_EV_CNG);
	no_event();
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 10);
	/* And what we say goes out. */
	T_EQ(IAX2_OK, iax2_send_text(ep, call, "L ", now));
	T_EQ(3, expect(IAX2_FRAME_TEXT, 0, 1, 10).body_len);
	T_EQ('\0', sent[14]);
	T_EQ(IAX2_OK, iax2_send_dtmf(ep, call, '5', true, now));
	(void)expect(IAX2_FRAME_DTMF_BEGIN, '5', 2, 10);
	T_EQ(IAX2_E_RANGE, iax2_send_dtmf(ep, call, 'x', true, now));
	T_EQ(IAX2_OK, iax2_send_control(ep, call, IAX2_CONTROL_KEY, now));
	(void)expect(IAX2_FRAME_CONTROL, IAX2_CONTROL_KEY, 3, 10);
	T_EQ(IAX2_OK, iax2_send_cng(ep, call, now));
	(void)expect(IAX2_FRAME_CNG, 0, 4, 10);
}

static void time_stamps_rise_strictly(void)
{
	const struct iax2_call_id call = up();
	uint32_t last = 0;

	for (int i = 0; i < 20; i++) {
		struct iax2_full f;

		T_EQ(IAX2_OK, iax2_send_text(ep, call, "x", now));
		f = expect(IAX2_FRAME_TEXT, 0, (uint8_t)(1 + i), 2);
		T_TRUE(f.ts_ms > last);
		last = f.ts_ms;
	}
}

static void voice_told(uint32_t ts, bool spurt)
{
	event(IAX2_EV_VOICE);
	T_EQ(ts, ev.u.voice.ts_ms);
	T_EQ(spurt, ev.u.voice.spurt);
	T_EQ(160, ev.u.voice.len);
	T_EQ(IAX2_FORMAT_ULAW, ev.u.voice.format);
	no_event();
}

static void full_voice(uint32_t ts, uint8_t oseq)
{
	static const uint8_t codes[160];

	(void)give((struct iax2_full){ .src_callno = PEERS,
				       .dst_callno = OURS,
				       .ts_ms = ts,
				       .oseq = oseq,
				       .iseq = 1,
				       .type = IAX2_FRAME_VOICE,
				       .subclass = IAX2_FORMAT_ULAW,
				       .body = codes,
				       .body_len = sizeof(codes) });
}

static void minis_wrap_with_and_without_a_full_frame(void)
{
	(void)up();
	full_voice(65480, 2);
	voice_told(65480, true);
	now += 20 * MONO_MS;
	mini(65500);
	voice_told(65500, false);
	now += 20 * MONO_MS;
	mini(65520);
	voice_told(65520, false);
	/* Asterisk: no full frame at the wrap. */
	now += 20 * MONO_MS;
	mini(4);
	voice_told(65540, false);
	/* One from before the wrap, late. */
	mini(65500);
	voice_told(65500, false);
	now += 20 * MONO_MS;
	mini(24);
	voice_told(65560, false);
	/* RFC 5456: with one. */
	now += 65500 * MONO_MS;
	mini(65520);
	voice_told(131056, false);
	now += 20 * MONO_MS;
	full_voice(131076, 3);
	voice_told(131076, true);
	now += 20 * MONO_MS;
	mini(24);
	voice_told(131096, false);
}

static void a_lost_full_frame_after_a_pause_misplaces_nothing(void)
{
	(void)up();
	full_voice(1000, 2);
	voice_told(1000, true);
	/* 100 s later the spurt's full frame (101000) is lost. */
	now += 100 * MONO_S + 20 * MONO_MS;
	mini(101020 & 0xffff);
	voice_told(101020, false);
	/* It comes after all. */
	now += 30 * MONO_MS;
	full_voice(101000, 3);
	voice_told(101000, true);
	mini(101040 & 0xffff);
	voice_told(101040, false);
}

static void a_mini_before_any_full_frame_asks_for_it(void)
{
	(void)up();
	mini(20);
	no_event();
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_VNAK, 1, 2);
	mini(40);
	nothing_sent(); /* once is enough */
}

static void a_gap_is_asked_for_and_filled(void)
{
	(void)up();
	(void)say(IAX2_FRAME_TEXT, 0, 3, 1, "b", 2);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_VNAK, 1, 2);
	(void)say(IAX2_FRAME_TEXT, 0, 4, 1, "c", 2);
	nothing_sent();
	no_event();
	(void)say(IAX2_FRAME_TEXT, 0, 2, 1, "a", 2);
	for (const char *want = "abc"; *want != '\0'; want++) {
		event(IAX2_EV_TEXT);
		T_EQ(*want, ev.u.text.data[0]);
	}
	no_event();
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 5);
	/* Asterisk sends all of it again: an ACK, no events. */
	(void)say(IAX2_FRAME_TEXT, 0, 3, 1, "b", 2);
	(void)say(IAX2_FRAME_TEXT, 0, 4, 1, "c", 2);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 5);
	no_event();
	T_EQ(2, iax2_endpoint_counters(ep)->duplicates);
}

static void a_vnak_brings_everything_again_at_once(void)
{
	const struct iax2_call_id call = up();

	for (uint8_t i = 1; i <= 3; i++) {
		T_EQ(IAX2_OK, iax2_send_text(ep, call, "x", now));
		(void)expect(IAX2_FRAME_TEXT, 0, i, 2);
	}
	(void)say_iax(IAX2_IAX_VNAK, 2, 2);
	T_TRUE(!expect(IAX2_FRAME_TEXT, 0, 2, 2).retransmit);
	(void)expect(IAX2_FRAME_TEXT, 0, 3, 2);
	nothing_sent();
	/* A burst of VNAKs brings nothing more. */
	for (int i = 0; i < 10; i++)
		(void)say_iax(IAX2_IAX_VNAK, 2, 2);
	nothing_sent();
}

static void repetition_backs_off_and_ends(void)
{
	const struct iax2_call_id call = up();
	mono_us last = now, gap = 0;
	unsigned n = 0;

	T_EQ(IAX2_OK, iax2_send_text(ep, call, "x", now));
	(void)expect(IAX2_FRAME_TEXT, 0, 1, 2);
	for (;;) {
		now = iax2_endpoint_deadline(ep);
		iax2_endpoint_tick(ep, now);
		if (iax2_endpoint_next_event(ep, &ev))
			break;
		while (take()) {
			T_TRUE(now - last <= 10 * MONO_S);
			if (sent[10] != IAX2_FRAME_TEXT)
				continue;
			T_TRUE(sent[2] & 0x80);
			T_TRUE(now - last >= gap);
			gap = now - last;
			last = now;
			n++;
		}
	}
	T_EQ(7, n); /* eight sendings in all */
	T_EQ(IAX2_EV_CALL_DOWN, ev.kind);
	T_EQ(IAX2_DOWN_TIMEOUT, ev.u.down.reason);
	T_TRUE(now < 50 * MONO_S + 31 * MONO_S);
	T_EQ(0, iax2_endpoint_calls(ep));
}

static void a_repeated_frame_acknowledges_what_came_since(void)
{
	const struct iax2_call_id call = up();
	struct iax2_full f;

	T_EQ(IAX2_OK, iax2_send_text(ep, call, "x", now));
	(void)expect(IAX2_FRAME_TEXT, 0, 1, 2);
	(void)say(IAX2_FRAME_TEXT, 0, 2, 1, "y", 2);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 2, 3);
	now = iax2_endpoint_deadline(ep);
	iax2_endpoint_tick(ep, now);
	f = expect(IAX2_FRAME_TEXT, 0, 1, 3);
	T_TRUE(f.retransmit);
	T_EQ(PEERS, f.dst_callno);
}

static void a_repeated_frame_tells_no_round_trip(void)
{
	const struct iax2_call_id call = up();
	struct iax2_call_info info;
	uint32_t rtt;

	T_EQ(IAX2_OK, iax2_send_text(ep, call, "x", now));
	now += 80 * MONO_MS;
	(void)say_iax(IAX2_IAX_ACK, 2, 2);
	T_EQ(IAX2_OK, iax2_call_info(ep, call, &info));
	rtt = info.rtt_us;
	T_TRUE(rtt > 0 && rtt <= 80 * MONO_MS);
	T_EQ(IAX2_OK, iax2_send_text(ep, call, "y", now));
	wait_us(500 * MONO_MS);
	T_TRUE(iax2_endpoint_counters(ep)->retransmits > 0);
	(void)say_iax(IAX2_IAX_ACK, 2, 3);
	T_EQ(IAX2_OK, iax2_call_info(ep, call, &info));
	T_EQ(rtt, info.rtt_us);
}

static void only_the_peer_may_speak_in_its_call(void)
{
	const struct iax2_call_id call = up();
	struct iax2_call_info info;

	from.ip[15]++;
	T_EQ(IAX2_E_STALE, say_iax(IAX2_IAX_HANGUP, 2, 1));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_INVAL, 1, 2);
	T_EQ(IAX2_E_STALE, say_iax(IAX2_IAX_INVAL, 2, 1));
	mini(20);
	from = peer;
	from.port++;
	T_EQ(IAX2_E_STALE, say_iax(IAX2_IAX_HANGUP, 2, 1));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_INVAL, 1, 2);
	from = peer;
	/* Another call number of the same peer is another call. */
	T_EQ(IAX2_E_STALE,
	     give((struct iax2_full){ .src_callno = PEERS + 1,
				      .dst_callno = OURS,
				      .oseq = 2,
				      .iseq = 1,
				      .type = IAX2_FRAME_IAX,
				      .subclass = IAX2_IAX_HANGUP }));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_INVAL, 1, 2);
	T_EQ(IAX2_OK, iax2_call_info(ep, call, &info));
	no_event();
	/* Asterisk's INVAL to a mini frame comes from number 0, but there was
	 * none yet. */
	T_EQ(IAX2_E_STALE,
	     give((struct iax2_full){ .dst_callno = OURS,
				      .type = IAX2_FRAME_IAX,
				      .subclass = IAX2_IAX_INVAL }));
	T_EQ(IAX2_OK, iax2_send_voice(ep, call,
				      &(struct iax2_voice){ (const uint8_t *)"",
							    1, 0, true },
				      now));
	(void)expect(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 1, 2);
	no_event();
	T_EQ(IAX2_OK, give((struct iax2_full){ .dst_callno = OURS,
					       .type = IAX2_FRAME_IAX,
					       .subclass = IAX2_IAX_INVAL }));
	/* Then the peer is asked, and its own INVAL counts. */
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_PING, 2, 2);
	no_event();
	T_EQ(IAX2_OK, say_iax(IAX2_IAX_INVAL, 2, 2));
	event(IAX2_EV_CALL_DOWN);
	T_EQ(IAX2_DOWN_INVALID, ev.u.down.reason);
	T_EQ(IAX2_E_STALE, iax2_call_info(ep, call, &info));
	nothing_sent();
}

static void a_hangup_is_acknowledged_as_often_as_it_comes(void)
{
	static const uint8_t cause[] = { 0x2a, 1, 16 };

	(void)up();
	for (int i = 0; i < 3; i++) {
		(void)say(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 2, 1, cause,
			  sizeof(cause));
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 3);
		nothing_sent();
	}
	event(IAX2_EV_CALL_DOWN);
	T_EQ(IAX2_DOWN_HANGUP_REMOTE, ev.u.down.reason);
	T_EQ(16, ev.u.down.code);
	no_event();
	wait_us(5 * MONO_S);
	T_EQ(0, iax2_endpoint_calls(ep));
}

static void after_its_hangup_a_peer_has_no_call(void)
{
	(void)up();
	(void)say_iax(IAX2_IAX_HANGUP, 2, 1);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 3);
	event(IAX2_EV_CALL_DOWN);
	(void)say(IAX2_FRAME_TEXT, 0, 3, 1, "x", 2);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_INVAL, 1, 4);
	nothing_sent();
	no_event();
}

static void a_hangup_behind_a_gap_is_believed_in_the_end(void)
{
	static const char body[] = "\x2a\x01\x11";

	for (int filled = 0; filled < 2; filled++) {
		(void)up();
		(void)say(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 3, 1, body, 3);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_VNAK, 1, 2);
		no_event();
		wait_us(4900 * MONO_MS);
		while (take())
			;
		(void)say(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 3, 1, body, 3);
		if (filled)
			(void)say(IAX2_FRAME_TEXT, 0, 2, 1, "x", 2);
		else
			wait_us(100 * MONO_MS);
		if (filled)
			event(IAX2_EV_TEXT);
		event(IAX2_EV_CALL_DOWN);
		T_EQ(IAX2_DOWN_HANGUP_REMOTE, ev.u.down.reason);
		T_EQ(17, ev.u.down.code);
		wait_us(20 * MONO_S);
		T_EQ(0, iax2_endpoint_calls(ep));
		no_event();
	}
}

static void a_frame_with_broken_elements_stalls_nothing(void)
{
	struct iax2_call_info info;
	const struct iax2_call_id call = up();

	/* A PING with an element that is longer than the frame. */
	T_EQ(IAX2_E_TRUNCATED,
	     say(IAX2_FRAME_IAX, IAX2_IAX_PING, 2, 1, "\x2e\x09x", 3));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_PONG, 1, 3);
	T_EQ(1, iax2_endpoint_counters(ep)->malformed);
	(void)say(IAX2_FRAME_TEXT, 0, 3, 2, "on", 3);
	event(IAX2_EV_TEXT);
	T_EQ(IAX2_OK, iax2_call_info(ep, call, &info));
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 4, 2, "\x16\x09x", 3);
	event(IAX2_EV_CALL_DOWN);
	T_STR("", ev.u.down.text);
}

static void loss_is_reported_in_percent_and_frames(void)
{
	struct iax2_full f;
	uint32_t loss = 0;

	(void)up();
	(void)say(IAX2_FRAME_VOICE, 4, 2, 1, "v", 1);
	for (uint16_t i = 1; i < 10; i++) {
		now += 20 * MONO_MS;
		if (i != 4)
			mini((uint16_t)(102 + 20 * i));
		while (iax2_endpoint_next_event(ep, &ev))
			;
	}
	while (take())
		;
	(void)say_iax(IAX2_IAX_PING, 3, 1);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_PONG, 1, 4);
	T_TRUE(iax2_ie_u32(f.body, f.body_len, IAX2_IE_RR_LOSS, &loss));
	T_EQ(10U << 24 | 1, loss);
}

static void both_hangups_are_acknowledged(void)
{
	const struct iax2_call_id call = up();

	T_EQ(IAX2_OK, iax2_hangup(ep, call, NULL, 16, now));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 1, 2);
	(void)say_iax(IAX2_IAX_HANGUP, 2, 1);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 2, 3);
	(void)say_iax(IAX2_IAX_ACK, 3, 2);
	/* Our ACK was lost. */
	(void)say_iax(IAX2_IAX_HANGUP, 2, 2);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 2, 3);
	event(IAX2_EV_CALL_DOWN);
	no_event();
	wait_us(5 * MONO_S);
	nothing_sent();
	T_EQ(0, iax2_endpoint_calls(ep));
}

static void our_hangup_follows_what_was_said_before(void)
{
	const struct iax2_call_id call = up();

	T_EQ(IAX2_OK, iax2_send_text(ep, call, "!!DISCONNECT!!", now));
	T_EQ(IAX2_OK, iax2_hangup(ep, call, "bye", 16, now));
	event(IAX2_EV_CALL_DOWN);
	T_EQ(IAX2_DOWN_HANGUP_LOCAL, ev.u.down.reason);
	(void)expect(IAX2_FRAME_TEXT, 0, 1, 2);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 2, 2);
	/* The text was lost: both come again. */
	(void)say_iax(IAX2_IAX_VNAK, 2, 1);
	(void)expect(IAX2_FRAME_TEXT, 0, 1, 2);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 2, 2);
	(void)say_iax(IAX2_IAX_ACK, 2, 3);
	T_EQ(0, iax2_endpoint_calls(ep));
	T_EQ(MONO_NEVER, iax2_endpoint_deadline(ep));
	nothing_sent();
	/* The number rests for a minute. */
	(void)dial(NULL);
	T_TRUE(take());
	T_EQ(OURS + 1, sent[1]);
}

static void a_full_window_keeps_a_place_for_the_end(void)
{
	const struct iax2_call_id call = up();
	const uint8_t codes[160] = { 0 };
	unsigned texts = 0;

	while (iax2_send_text(ep, call, "x", now) == IAX2_OK)
		texts++;
	T_TRUE(texts >= 16 && texts <= 64);
	while (take())
		;
	/* A spurt cannot start, but voice of one goes on. */
	T_EQ(IAX2_E_FULL,
	     iax2_send_voice(
		     ep, call,
		     &(struct iax2_voice){ codes, sizeof(codes), 1000, true },
		     now));
	T_EQ(IAX2_OK, iax2_hangup(ep, call, NULL, 16, now));
	T_TRUE(take());
	T_EQ(IAX2_IAX_HANGUP, sent[11]);
}

static void voice_does_not_crowd_out_signalling(void)
{
	const struct iax2_call_id call = up();
	const uint8_t codes[160] = { 0 };

	for (uint32_t ts = 0; ts < 2000; ts += 20)
		(void)iax2_send_voice(
			ep, call,
			&(struct iax2_voice){ codes, sizeof(codes), ts, true },
			now);
	T_EQ(IAX2_OK, iax2_send_text(ep, call, "still here", now));
}

static void events_are_bounded_and_nothing_is_lost(void)
{
	unsigned told = 0;

	(void)up();
	for (unsigned i = 0; i < 200; i++)
		(void)say(IAX2_FRAME_TEXT, 0, (uint8_t)(2 + i), 1, "x", 2);
	while (iax2_endpoint_next_event(ep, &ev))
		told++;
	T_TRUE(told > 10 && told < 200);
	T_TRUE(iax2_endpoint_counters(ep)->limited > 0);
	/* Only those were acknowledged. */
	while (take())
		;
	(void)say(IAX2_FRAME_TEXT, 0, (uint8_t)(2 + told), 1, "y", 2);
	event(IAX2_EV_TEXT);
	T_STR("y", ev.u.text.data);
}

static void there_is_always_room_for_the_end(void)
{
	const struct iax2_call_id call = up();
	enum iax2_event_kind last = IAX2_EV_CALL_UP;

	for (unsigned i = 0; i < 200; i++)
		(void)say(IAX2_FRAME_DTMF_END, '1', (uint8_t)(2 + i), 1, NULL,
			  0);
	T_EQ(IAX2_OK, iax2_hangup(ep, call, NULL, 16, now));
	while (iax2_endpoint_next_event(ep, &ev))
		last = ev.kind;
	T_EQ(IAX2_EV_CALL_DOWN, last);
}

static void a_quelched_call_sends_no_voice(void)
{
	const struct iax2_call_id call = up();
	const uint8_t codes[160] = { 0 };

	(void)say_iax(IAX2_IAX_QUELCH, 2, 1);
	T_EQ(IAX2_E_STATE,
	     iax2_send_voice(
		     ep, call,
		     &(struct iax2_voice){ codes, sizeof(codes), 0, true },
		     now));
	(void)say_iax(IAX2_IAX_UNQUELCH, 3, 1);
	T_EQ(IAX2_OK, iax2_send_voice(ep, call,
				      &(struct iax2_voice){
					      codes, sizeof(codes), 0, true },
				      now));
	(void)expect(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 1, 4);
	T_EQ(172, sent_len);
	T_EQ(IAX2_OK, iax2_send_voice(ep, call,
				      &(struct iax2_voice){
					      codes, sizeof(codes), 20, false },
				      now));
	T_TRUE(take());
	T_EQ(164, sent_len);
	T_EQ(0, sent[0]);
	T_EQ(OURS, sent[1]);
	T_EQ(20, sent[3]);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(questions_are_answered_with_their_time_stamp);
	T_RUN(what_the_peer_says_is_told);
	T_RUN(time_stamps_rise_strictly);
	T_RUN(minis_wrap_with_and_without_a_full_frame);
	T_RUN(a_lost_full_frame_after_a_pause_misplaces_nothing);
	T_RUN(a_mini_before_any_full_frame_asks_for_it);
	T_RUN(a_gap_is_asked_for_and_filled);
	T_RUN(a_vnak_brings_everything_again_at_once);
	T_RUN(repetition_backs_off_and_ends);
	T_RUN(a_repeated_frame_acknowledges_what_came_since);
	T_RUN(a_repeated_frame_tells_no_round_trip);
	T_RUN(only_the_peer_may_speak_in_its_call);
	T_RUN(a_hangup_is_acknowledged_as_often_as_it_comes);
	T_RUN(after_its_hangup_a_peer_has_no_call);
	T_RUN(a_hangup_behind_a_gap_is_believed_in_the_end);
	T_RUN(a_frame_with_broken_elements_stalls_nothing);
	T_RUN(loss_is_reported_in_percent_and_frames);
	T_RUN(both_hangups_are_acknowledged);
	T_RUN(our_hangup_follows_what_was_said_before);
	T_RUN(a_full_window_keeps_a_place_for_the_end);
	T_RUN(voice_does_not_crowd_out_signalling);
	T_RUN(events_are_bounded_and_nothing_is_lost);
	T_RUN(there_is_always_room_for_the_end);
	T_RUN(a_quelched_call_sends_no_voice);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
