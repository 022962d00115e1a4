/* SPDX-License-Identifier: MIT */

/* RFC 5456 sections 6.7, 6.9 and 7: a call that is up and its transport.
 * tests/CONFORMANCE.md says which statement each test shows. */

#include "tests/virtual/rfc_talk.h"

static const uint8_t codes[160];

/* --- acknowledgement ------------------------------------------------- */

static void each_ack_has_both_numbers_and_the_frames_time_stamp(void)
{
	static const struct {
		uint8_t type;
		uint64_t subclass;
		size_t len;
	} rows[] = {
		{ IAX2_FRAME_TEXT, 0, 2 },
		{ IAX2_FRAME_DTMF_BEGIN, '1', 0 },
		{ IAX2_FRAME_DTMF_END, '1', 0 },
		{ IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 160 },
		{ IAX2_FRAME_CNG, 0, 0 },
		{ IAX2_FRAME_CONTROL, IAX2_CONTROL_KEY, 0 },
		{ IAX2_FRAME_IAX, IAX2_IAX_LAGRP, 0 },
		{ IAX2_FRAME_IAX, IAX2_IAX_PONG, 0 },
		{ IAX2_FRAME_IAX, IAX2_IAX_QUELCH, 0 },
		{ IAX2_FRAME_IAX, IAX2_IAX_UNQUELCH, 0 },
		{ 3, 1 << 18, 20 }, /* video */
		{ IAX2_FRAME_NULL, 0, 0 },
		{ 8, 1 << 16, 20 }, /* image */
		{ IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 0 },
	};
	struct iax2_full f;

	(void)up();
	for (size_t i = 0; i < LEN(rows); i++) {
		const uint8_t oseq = (uint8_t)(2 + i);

		(void)say(rows[i].type, rows[i].subclass, oseq, 1, codes,
			  rows[i].len);
		/* It takes no number: the next one has the same. */
		f = expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1,
			   (uint8_t)(oseq + 1));
		T_EQ(100U + oseq, f.ts_ms);
		T_EQ(OURS, f.src_callno);
		T_EQ(PEERS, f.dst_callno);
		T_EQ(0, f.body_len);
		nothing_sent();
		while (iax2_endpoint_next_event(ep, &ev))
			;
	}
}

static void acks_and_vnaks_are_not_answered(void)
{
	const struct iax2_call_id call = up();

	for (uint8_t i = 0; i < 4; i++) {
		(void)say_iax(IAX2_IAX_ACK, 2, i);
		(void)say_iax(IAX2_IAX_VNAK, 2, i);
	}
	nothing_sent();
	no_event();
	is_up(call);
	/* Nor counted: the next frame has number 2 still. */
	(void)say(IAX2_FRAME_TEXT, 0, 2, 1, "x", 2);
	event(IAX2_EV_TEXT);
}

static void one_acknowledgement_covers_all_before_it(void)
{
	const struct iax2_call_id call = up();

	for (int i = 0; i < 4; i++)
		T_EQ(IAX2_OK, iax2_send_text(ep, call, "x", now));
	while (take())
		;
	now += 30 * MONO_MS;
	/* Any frame acknowledges; the fourth text stays open. */
	(void)say(IAX2_FRAME_TEXT, 0, 2, 4, "y", 2);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 5, 3);
	wait_us(900 * MONO_MS);
	while (take())
		T_TRUE(sent[10] != IAX2_FRAME_TEXT || sent[8] == 4);
	T_TRUE(iax2_endpoint_counters(ep)->retransmits > 0);
	/* What was never sent cannot be acknowledged. */
	(void)say_iax(IAX2_IAX_ACK, 3, 200);
	wait_us(2 * MONO_S);
	while (take() && sent[10] != IAX2_FRAME_TEXT)
		;
	T_EQ(IAX2_FRAME_TEXT, sent[10]);
}

static void a_vnak_brings_all_that_followed(void)
{
	const struct iax2_call_id call = up();
	uint8_t got = 1;

	for (int i = 0; i < 12; i++)
		T_EQ(IAX2_OK, iax2_send_text(ep, call, "x", now));
	while (take())
		;
	now += 50 * MONO_MS;
	(void)say_iax(IAX2_IAX_VNAK, 2, 1);
	/* Some at once, the others as those are acknowledged. */
	for (int rounds = 0; got < 13 && rounds < 13; rounds++) {
		while (take()) {
			T_EQ(IAX2_FRAME_TEXT, sent[10]);
			T_EQ(got, sent[8]);
			got++;
		}
		now += 50 * MONO_MS;
		(void)say_iax(IAX2_IAX_ACK, 2, got);
	}
	T_EQ(13, got);
	nothing_sent();
}

/* --- time ------------------------------------------------------------ */

static void repetition_starts_at_twice_the_round_trip_and_doubles(void)
{
	const struct iax2_call_id call = up();
	struct iax2_call_info info;
	mono_us last, pause;
	uint8_t n = 1;

	/* The round trip that counts is a mean. */
	while (n < 20) {
		T_EQ(IAX2_OK, iax2_send_text(ep, call, "x", now));
		now += 120 * MONO_MS;
		(void)say_iax(IAX2_IAX_ACK, 2, ++n);
		while (take())
			;
	}
	T_EQ(IAX2_OK, iax2_call_info(ep, call, &info));
	T_TRUE(info.rtt_us > 100 * MONO_MS && info.rtt_us <= 120 * MONO_MS);
	pause = 2 * (mono_us)info.rtt_us;
	last = now;
	T_EQ(IAX2_OK, iax2_send_text(ep, call, "y", now));
	(void)expect(IAX2_FRAME_TEXT, 0, 20, 2);
	for (int i = 0; i < 7; i++) {
		do {
			now = iax2_endpoint_deadline(ep);
			iax2_endpoint_tick(ep, now);
			T_TRUE(take());
		} while (sent[10] != IAX2_FRAME_TEXT);
		T_TRUE(sent[2] & 0x80);
		T_EQ(pause, now - last);
		last = now;
		pause = mono_min(2 * pause, 10 * MONO_S);
	}
	T_EQ(10 * MONO_S, pause);
}

static void a_leg_that_cannot_be_kept_up_ends_without_a_word(void)
{
	const struct iax2_call_id call = up();

	T_EQ(IAX2_OK, iax2_send_text(ep, call, "x", now));
	while (iax2_endpoint_calls(ep) > 0) {
		now = iax2_endpoint_deadline(ep);
		iax2_endpoint_tick(ep, now);
		while (take())
			T_TRUE(sent[10] != IAX2_FRAME_IAX ||
			       (sent[11] != IAX2_IAX_HANGUP &&
				sent[11] != IAX2_IAX_REJECT));
	}
	event(IAX2_EV_CALL_DOWN);
	T_EQ(IAX2_DOWN_TIMEOUT, ev.u.down.reason);
	wait_us(60 * MONO_S);
	nothing_sent();
}

static void ping_and_lagrq_come_and_their_answers_are_acknowledged(void)
{
	const struct iax2_call_id call = up();
	struct iax2_full f;
	struct iax2_call_info info;
	uint32_t ts;

	wait_us(MONO_S);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_PING, 1, 2);
	T_EQ(0, f.body_len);
	ts = f.ts_ms;
	now += 40 * MONO_MS;
	(void)give((struct iax2_full){ .src_callno = PEERS,
				       .dst_callno = OURS,
				       .ts_ms = ts,
				       .oseq = 2,
				       .iseq = 2,
				       .type = IAX2_FRAME_IAX,
				       .subclass = IAX2_IAX_PONG });
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 2, 3);
	T_EQ(ts, f.ts_ms);
	T_EQ(IAX2_OK, iax2_call_info(ep, call, &info));
	T_TRUE(info.rtt_us > MONO_MS && info.rtt_us <= 40 * MONO_MS);
	wait_us(9 * MONO_S);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_LAGRQ, 2, 3);
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_LAGRP, 3, 3, NULL, 0);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 3, 4);
	wait_us(11 * MONO_S);
	while (take() && sent[11] != IAX2_IAX_PING)
		;
	T_EQ(IAX2_IAX_PING, sent[11]);
}

static void a_pong_reports_what_was_received(void)
{
	static const uint16_t stamps[] = { 20, 40, 100, 120, 80, 140 };
	struct iax2_full f;
	uint32_t pkts = 0, loss = 0, ooo = 0;

	(void)up();
	(void)give((struct iax2_full){ .src_callno = PEERS,
				       .dst_callno = OURS,
				       .oseq = 2,
				       .iseq = 1,
				       .type = IAX2_FRAME_VOICE,
				       .subclass = IAX2_FORMAT_ULAW,
				       .body = codes,
				       .body_len = sizeof(codes) });
	for (size_t i = 0; i < LEN(stamps); i++) {
		now += 20 * MONO_MS;
		mini(stamps[i]);
	}
	while (iax2_endpoint_next_event(ep, &ev) || take())
		;
	(void)say_iax(IAX2_IAX_PING, 3, 1);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_PONG, 1, 4);
	T_TRUE(iax2_ie_u32(f.body, f.body_len, IAX2_IE_RR_PKTS, &pkts));
	T_EQ(7, pkts);
	/* 60 never came, 80 late. */
	T_TRUE(iax2_ie_u32(f.body, f.body_len, IAX2_IE_RR_LOSS, &loss));
	T_EQ(1, loss & 0xffffff);
	T_TRUE(iax2_ie_u32(f.body, f.body_len, IAX2_IE_RR_OOO, &ooo));
	T_EQ(1, ooo);
	T_TRUE(has(&f, IAX2_IE_RR_JITTER) && has(&f, IAX2_IE_RR_DELAY) &&
	       has(&f, IAX2_IE_RR_DROPPED));
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

static void a_poke_is_answered_beside_a_call(void)
{
	const struct iax2_call_id call = up();
	struct iax2_full f;

	(void)give((struct iax2_full){ .src_callno = 9,
				       .ts_ms = 77,
				       .type = IAX2_FRAME_IAX,
				       .subclass = IAX2_IAX_POKE });
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_PONG, 0, 1);
	T_EQ(77, f.ts_ms);
	T_EQ(9, f.dst_callno);
	T_TRUE(f.src_callno != OURS);
	is_up(call);
}

static void questions_before_the_answer_are_answered(void)
{
	struct iax2_full f;

	start();
	(void)call_in(IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 0, 1);
	(void)say_iax(IAX2_IAX_PING, 1, 0);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_PONG, 0, 2);
	T_EQ(101, f.ts_ms);
	(void)say_iax(IAX2_IAX_LAGRQ, 2, 1);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_LAGRP, 1, 3);
	T_EQ(102, f.ts_ms);
	no_event();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(each_ack_has_both_numbers_and_the_frames_time_stamp);
	T_RUN(acks_and_vnaks_are_not_answered);
	T_RUN(one_acknowledgement_covers_all_before_it);
	T_RUN(a_vnak_brings_all_that_followed);
	T_RUN(repetition_starts_at_twice_the_round_trip_and_doubles);
	T_RUN(a_leg_that_cannot_be_kept_up_ends_without_a_word);
	T_RUN(ping_and_lagrq_come_and_their_answers_are_acknowledged);
	T_RUN(a_pong_reports_what_was_received);
	T_RUN(a_pong_has_the_percentage_lost);
	T_RUN(a_poke_is_answered_beside_a_call);
	T_RUN(questions_before_the_answer_are_answered);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
