/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "tests/unit/jitter_bench.h"

#define ULAW 4U
#define ALAW 8U

/* Octets of 60 ms of u-law, and of the longest frame there is. */
#define ULAW_MAX 480U
#define OCTETS_MAX (JITTER_FRAME_MAX_MS * JITTER_OCTETS_PER_MS)

static const struct jitter_unit ulaw_unit = { 1, 8 };

/* What millisecond @ts of the stream sounds like; never silence. */
static uint8_t code_at(uint32_t ts)
{
	return (uint8_t)(ts * 37 % 251);
}

static enum jitter_put put_as(uint32_t ts, size_t len_ms, bool spurt,
			      uint32_t format)
{
	uint8_t codes[ULAW_MAX + 16];
	struct jitter_in in = {
		.ts_ms = ts, .format = format, .unit = ulaw_unit, .spurt = spurt
	};
	enum jitter_put got;
	uint8_t *copy;

	for (size_t i = 0; i < len_ms * 8; i++)
		codes[i] = code_at(ts + (uint32_t)(i / 8));
	in.len = len_ms * 8;
	copy = t_dup(codes, in.len);
	in.codes = copy;
	got = jitter_put(&j, &in, now);
	free(copy);
	return got;
}

static enum jitter_put put(uint32_t ts, bool spurt)
{
	return put_as(ts, 20, spurt, ULAW);
}

/* The block is @ts and the 19 ms after it, whole. */
static void is_block(uint32_t ts)
{
	T_EQ(JITTER_WHOLE, block.valid);
	T_EQ(ULAW, block.format);
	for (uint32_t i = 0; i < 160; i++)
		T_EQ(code_at(ts + i / 8), block.codes[i]);
}

static void bounds_are_checked(void)
{
	static const struct jitter_config bad[] = {
		{ .min_ms = 0, .max_ms = 19 },
		{ .min_ms = 0, .max_ms = 501 },
		{ .min_ms = 61, .max_ms = 60 },
	};

	for (size_t i = 0; i < 3; i++)
		T_EQ(-EINVAL, jitter_init(&j, &bad[i]));
}

static void a_spurt_plays_in_order_and_ends_without_concealment(void)
{
	uint32_t ts = 1000;

	reset(20, 200);
	T_EQ(JITTER_IDLE, get());
	for (uint32_t n = 0; n < 50; n++) {
		T_EQ(JITTER_KEPT, put(ts + 20 * n, n == 0));
		if (n == 0) {
			T_EQ(JITTER_IDLE, get());
			continue;
		}
		T_EQ(JITTER_FRAME, get());
		is_block(ts + 20 * (n - 1));
		T_EQ(20, jitter_delay_ms(&j));
	}
	jitter_end(&j);
	T_EQ(JITTER_FRAME, get());
	is_block(ts + 20 * 49);
	T_EQ(JITTER_IDLE, get());
	T_EQ(JITTER_IDLE, get());
	T_EQ(0, block.codes[0]);
	T_EQ(50, j.counters.played);
	T_EQ(0, j.counters.lost + j.counters.late);
}

static void the_timestamp_may_wrap(void)
{
	const uint32_t ts = UINT32_MAX - 90;

	reset(20, 200);
	for (uint32_t n = 0; n < 20; n++) {
		T_EQ(JITTER_KEPT, put(ts + 20 * n, n == 0));
		if (get() == JITTER_FRAME)
			is_block(ts + 20 * (n - 1));
		else
			T_EQ(0, n);
	}
	T_EQ(19, j.counters.played);
}

static void frames_of_10_to_60_ms_give_blocks_of_20(void)
{
	static const uint32_t lengths[] = { 10, 15, 20, 30, 40, 50, 60 };

	for (size_t i = 0; i < 7; i++) {
		const uint32_t len = lengths[i];
		uint32_t sent = 0, want = 0;

		reset(0, 300);
		for (uint32_t t = 0; t < 1200; t += 5, now += 5 * MS) {
			uint64_t at = now;

			/* A frame is sent when its last sample is there. */
			if (t >= sent + len) {
				T_EQ(JITTER_KEPT,
				     put_as(sent, len, sent == 0, ULAW));
				sent += len;
			}
			if (t % 20 == 0 && get() == JITTER_FRAME) {
				is_block(want);
				want += 20;
			}
			now = at;
		}
		T_TRUE(want >= 1200 - len - 60);
		T_EQ(0, j.counters.lost + j.counters.late);
	}
}

static void reordered_frames_are_put_right(void)
{
	static const uint32_t order[] = { 1, 0, 2, 4, 3, 6, 5, 7, 9, 8 };
	uint32_t want = 0;

	reset(60, 200);
	for (uint32_t n = 0; n < 10; n++) {
		T_EQ(JITTER_KEPT, put(20 * order[n], n == 0));
		if (get() == JITTER_FRAME) {
			is_block(want);
			want += 20;
		}
	}
	jitter_end(&j);
	while (get() == JITTER_FRAME) {
		is_block(want);
		want += 20;
	}
	T_EQ(200, want);
}

static void a_lost_frame_is_a_lost_block(void)
{
	reset(40, 200);
	for (uint32_t n = 0; n < 100; n++) {
		if (n % 10 != 5)
			T_EQ(JITTER_KEPT, put(20 * n, n == 0));
		if (n < 2)
			T_EQ(JITTER_IDLE, get());
		else
			T_EQ((n - 2) % 10 == 5 ? JITTER_LOST : JITTER_FRAME,
			     get());
	}
	T_EQ(10, j.counters.lost);
	T_EQ(88, j.counters.played);
}

static void duplicates_and_late_frames_are_told_apart(void)
{
	reset(20, 200);
	for (uint32_t n = 0; n < 10; n++) {
		if (n != 5)
			T_EQ(JITTER_KEPT, put(20 * n, n == 0));
		if (n == 3) {
			T_EQ(JITTER_DUPLICATE, put(60, false));
			T_EQ(JITTER_DUPLICATE, put(20, false));
		}
		(void)get();
	}
	T_EQ(JITTER_LATE, put(100, false));
	T_EQ(1, j.counters.late);
	T_EQ(2, j.counters.duplicates);
	/* After the spurt, too: a straggler does not start another. */
	jitter_end(&j);
	while (get() != JITTER_IDLE)
		;
	T_EQ(JITTER_DUPLICATE, put(160, false));
	T_EQ(JITTER_IDLE, get());
	T_EQ(JITTER_IDLE, get());
	T_EQ(3, j.counters.duplicates);
}

static enum jitter_put put_octets(const struct jitter_unit *unit, size_t len)
{
	static const uint8_t zeros[OCTETS_MAX + 32];
	const struct jitter_in in = {
		.unit = *unit, .codes = zeros, .len = len, .spurt = true
	};

	return jitter_put(&j, &in, now);
}

static void what_is_no_frame_is_refused(void)
{
	static const struct jitter_unit no_units[] = {
		{ 0, 0 },  { 0, 8 },    { 1, 0 },  { 1, 33 },
		{ 10, 8 }, { 20, 641 }, { 40, 8 }, { 65535, 65535 },
	};

	reset(20, 200);
	T_EQ(JITTER_REFUSED, put_as(0, 9, true, ULAW));
	T_EQ(JITTER_REFUSED, put_as(0, 0, true, ULAW));
	T_EQ(JITTER_REFUSED, put_octets(&ulaw_unit, 97));
	T_EQ(JITTER_REFUSED, put_octets(&ulaw_unit, 488));
	T_EQ(JITTER_REFUSED, put_octets(&gsm_unit, 32));
	T_EQ(JITTER_REFUSED, put_octets(&gsm_unit, 34));
	T_EQ(JITTER_REFUSED, put_octets(&gsm_unit, 132));
	T_EQ(JITTER_REFUSED, put_octets(&wide_unit, OCTETS_MAX + 32));
	for (size_t i = 0; i < sizeof(no_units) / sizeof(no_units[0]); i++)
		T_EQ(JITTER_REFUSED, put_octets(&no_units[i], 160));
	T_EQ(8 + sizeof(no_units) / sizeof(no_units[0]), j.counters.refused);
	T_EQ(JITTER_IDLE, get());
}

static void speech_that_stops_without_a_word_is_concealed_then_idle(void)
{
	reset(20, 200);
	for (uint32_t n = 0; n < 10; n++) {
		(void)put(20 * n, n == 0);
		(void)get();
	}
	T_EQ(JITTER_FRAME, get());
	T_EQ(JITTER_LOST, get());
	T_EQ(JITTER_LOST, get());
	T_EQ(JITTER_LOST, get());
	T_EQ(JITTER_IDLE, get());
	T_EQ(0, j.counters.lost); /* nothing came after it */
}

/*
 * One minute of speech in spurts of 3 s over a network that adds up to
 * @jitter_ms, uniformly, to each frame.  Returns blocks not played of 10000.
 */
static uint32_t run_spurts(uint32_t jitter_ms, uint32_t *delay)
{
	static uint64_t arrival[2250];
	uint32_t seed = 7, sent = 0, idle_runs = 0;
	uint64_t delay_sum = 0, played;

	for (uint32_t n = 0; n < 2250; n++) {
		const uint32_t spurt = n / 150;

		arrival[n] = START +
			     ((uint64_t)n * 20 + spurt * UINT64_C(1000)) * MS +
			     next_random(&seed) % (jitter_ms * MS + 1);
	}
	for (uint32_t tick = 0; tick < 3100; tick++) {
		for (uint32_t n = sent > 60 ? sent - 60 : 0;
		     n < 2250 && n < sent + 60; n++) {
			if (arrival[n] == 0 || arrival[n] > now)
				continue;
			(void)jitter_put(
				&j,
				&(struct jitter_in){ .ts_ms = n * 20 +
							      n / 150 * 1000,
						     .format = ULAW,
						     .unit = ulaw_unit,
						     .codes = block.codes,
						     .len = 160,
						     .spurt = n % 150 == 0 },
				arrival[n]);
			arrival[n] = 0;
			sent = n > sent ? n : sent;
		}
		if (get() == JITTER_FRAME)
			delay_sum += jitter_delay_ms(&j);
		else
			idle_runs++;
	}
	played = j.counters.played;
	T_TRUE(idle_runs > 0 && played > 0);
	*delay = (uint32_t)(delay_sum / played);
	return (uint32_t)((2250 - (played < 2250 ? played : 2250)) * 10000 /
			  2250);
}

static void the_delay_follows_the_jitter_within_its_bounds(void)
{
	static const uint32_t jitters[] = { 0, 20, 60, 120 };

	for (size_t i = 0; i < 4; i++) {
		uint32_t delay, missing;

		reset(20, 200);
		missing = run_spurts(jitters[i], &delay);
		printf("# jitter 0..%u ms: %u.%02u %% not played, "
		       "mean delay %u ms\n",
		       jitters[i], missing / 100, missing % 100, delay);
		T_TRUE(missing <= 300);
		T_TRUE(delay >= 20);
		T_TRUE(delay <= jitters[i] + 45);
	}
	reset(20, 60);
	{
		uint32_t delay;

		(void)run_spurts(200, &delay);
		T_TRUE(delay <= 80);
	}
}

/* @ms_late is added to the arrival of every frame from tick @from on. */
static void run_step(uint32_t ticks, uint32_t from, uint32_t ms_late)
{
	const uint64_t begin = now;
	uint32_t sent = 0;

	for (uint32_t tick = 0; tick < ticks; tick++) {
		while (sent < ticks) {
			const uint64_t late = sent >= from ? ms_late : 0;
			const uint64_t at =
				begin + (UINT64_C(20) * sent + late) * MS;

			if (at > now)
				break;
			(void)put(20 * sent, sent == 0);
			sent++;
		}
		(void)get();
		T_TRUE(jitter_delay_ms(&j) <= j.config.max_ms + 20);
	}
}

static void a_longer_route_in_mid_speech_is_followed(void)
{
	reset(20, 200);
	run_step(1000, 200, 120);
	/* Six blocks of silence are the least that is possible. */
	T_TRUE(j.counters.played >= 980);
	T_TRUE(j.counters.late <= 5);
	/* The new route is the measure after at most 10 s. */
	T_TRUE(jitter_delay_ms(&j) <= 60);
}

static void a_stall_and_its_burst_do_not_leave_a_long_delay(void)
{
	uint32_t ts = 0;

	reset(20, 100);
	for (; ts < 2000; ts += 20) {
		(void)put(ts, ts == 0);
		(void)get();
	}
	for (uint32_t n = 0; n < 50; n++) /* nothing comes for 1 s */
		(void)get();
	for (; ts < 3000; ts += 20)
		(void)put(ts, false); /* then all of it */
	for (; ts < 10000; ts += 20) {
		(void)put(ts, false);
		(void)get();
		T_TRUE(jitter_delay_ms(&j) <= 120);
	}
	T_EQ(JITTER_FRAME, get());
	T_TRUE(j.counters.skipped_ms > 0);
}

/* A sender whose clock is off by 500 ppm, for ten minutes of one spurt. */
static void clock_drift_is_absorbed(int ppm)
{
	uint64_t begin;
	uint32_t sent = 0;

	reset(40, 200);
	begin = now;
	for (uint32_t tick = 0; tick < 30000; tick++) {
		for (;;) {
			const uint64_t t = (uint64_t)sent * 20 * MS;
			const uint64_t at = ppm < 0 ? begin + t + t / 2000
						    : begin + t - t / 2000;

			if (at > now)
				break;
			T_EQ(JITTER_KEPT, put(20 * sent, sent == 0));
			sent++;
		}
		get_as_advised();
		T_TRUE(jitter_delay_ms(&j) <= 110);
	}
	T_TRUE(j.counters.played >= 29900);
	T_EQ(0, j.counters.late);
}

static void a_fast_and_a_slow_sender_are_absorbed(void)
{
	clock_drift_is_absorbed(500);
	clock_drift_is_absorbed(-500);
}

static void rounded_timestamps_are_continuous_speech(void)
{
	static const uint32_t stamps[] = { 100, 121, 139, 162, 180, 199, 220 };

	reset(20, 200);
	for (uint32_t n = 0; n < 7; n++) {
		(void)put_as(stamps[n], 20, n == 0, ULAW);
		if (n > 0) {
			T_EQ(JITTER_FRAME, get());
			T_EQ(JITTER_WHOLE, block.valid);
		} else {
			(void)get();
		}
	}
}

static void half_a_block_is_given_with_zeros_for_the_rest(void)
{
	reset(20, 200);
	(void)put_as(0, 10, true, ULAW);
	(void)put_as(20, 20, false, ULAW);
	now += 40 * MS;
	T_EQ(JITTER_FRAME, get());
	T_EQ(0x3ff, block.valid);
	T_EQ(code_at(9), block.codes[79]);
	T_EQ(0, block.codes[80]);
	T_EQ(0, block.codes[159]);
}

static void a_change_of_format_starts_anew(void)
{
	reset(20, 200);
	(void)put(0, true);
	(void)get();
	(void)put_as(20, 20, false, ALAW);
	now += 20 * MS;
	T_EQ(JITTER_FRAME, get());
	T_EQ(ALAW, block.format);
}

static void a_jump_of_the_timestamps_is_followed(void)
{
	static const uint32_t fars[] = { 90000000, 0, 10400, 6400 };
	const uint32_t ts = 5000;

	for (size_t n = 0; n < sizeof(fars) / sizeof(fars[0]); n++) {
		const uint32_t far = fars[n];

		reset(20, 200);
		for (uint32_t i = 0; i < 20; i++) {
			(void)put(ts + 20 * i, i == 0);
			(void)get();
		}
		for (uint32_t i = 0; i < 20; i++) {
			(void)put(far + 20 * i, false);
			(void)get();
		}
		T_EQ(JITTER_FRAME, get());
		T_EQ(1, j.counters.resyncs);
		T_TRUE(jitter_delay_ms(&j) <= 60);
		/* What was jumped over is not waited for. */
		for (uint32_t i = 0; i < 10; i++)
			(void)get();
		T_EQ(JITTER_IDLE, get());
	}
}

/* In the middle of each over, and it is right again with the next. */
static void overs_that_jump_teach_no_delay(void)
{
	static const uint32_t jumps[] = { 5000, (uint32_t)-3000, 40000,
					  1U << 31 };

	reset(20, 400);
	for (size_t n = 0; n < sizeof(jumps) / sizeof(jumps[0]); n++) {
		const uint32_t ts = (uint32_t)(now / MS);

		for (uint32_t i = 0; i < 30; i++) {
			(void)put(ts + 20 * i + (i < 10 ? 0 : jumps[n]),
				  i == 0);
			(void)get();
		}
		for (uint32_t i = 0; i < 50; i++)
			(void)get();
	}
	T_EQ(JITTER_STATE_IDLE, j.state);
	T_TRUE(jitter_delay_ms(&j) <= 60);
}

/* With 100 ms of delay the second spurt arrives while the first is playing. */
static void two_spurts_held_at_once_keep_their_silence_apart(void)
{
	uint32_t played = 0, idle = 0;

	reset(100, 200);
	for (uint32_t ts = 0; ts < 500; ts += 20) {
		enum jitter_get got;

		if (ts < 60 || (ts >= 100 && ts < 160))
			T_EQ(JITTER_KEPT, put(ts, ts == 0 || ts == 100));
		if (ts == 40)
			jitter_end(&j);
		got = get();
		if (got == JITTER_FRAME)
			is_block(played < 3 ? 20 * played
					    : 100 + 20 * (played - 3));
		played += got == JITTER_FRAME;
		idle += got == JITTER_IDLE && played == 3;
		T_TRUE(got != JITTER_LOST || played == 6);
	}
	T_EQ(6, played);
	T_EQ(2, idle);
	T_EQ(0, j.counters.lost);
}

/* Anything at any time: bounded, within the counters, never undefined. */
/* Of a second of speech that stops: blocks that are to be stretched. */
static uint32_t stretched_when_it_stops(void)
{
	const uint32_t begin = (uint32_t)(now / MS);
	uint32_t stretched = 0;

	for (uint32_t tick = 0; tick < 100; tick++) {
		if (tick < 50)
			T_EQ(JITTER_KEPT, put(begin + 20 * tick, tick == 0));
		(void)get();
		stretched += block.advice == JITTER_STRETCH;
	}
	return stretched;
}

static void an_end_without_a_word_is_not_taken_for_a_stall(void)
{
	reset(200, 400);
	T_EQ(0, stretched_when_it_stops());
	T_EQ(0, stretched_when_it_stops());
	jitter_end(&j);
	T_TRUE(stretched_when_it_stops() > 0);
}

/* Whatever the time of a tick is to that of a frame. */
static void a_steady_network_costs_no_more_than_a_block(void)
{
	for (uint32_t late = 0; late < 20; late++) {
		uint32_t frames = 0;

		reset(10, 400);
		for (uint32_t tick = 0; tick < 500; tick++) {
			now += late * MS;
			T_EQ(JITTER_KEPT, put(20 * tick, tick == 0));
			now -= late * MS;
			frames += get() == JITTER_FRAME;
			T_EQ(JITTER_KEEP, block.advice);
		}
		T_TRUE(frames >= 498);
		T_TRUE(jitter_delay_ms(&j) >= 10);
		T_TRUE(jitter_delay_ms(&j) < 30);
	}
}

static void arbitrary_input_does_no_harm(void)
{
	uint32_t seed = 99;
	uint64_t results = 0, puts = 0;

	reset(0, 500);
	for (uint32_t i = 0; i < 300000; i++) {
		const uint32_t r = next_random(&seed);
		const uint32_t kind = next_random(&seed) % 8;
		uint32_t ts = next_random(&seed) << 8 ^ r;

		if (kind < 4)
			ts = (uint32_t)(now / MS) + r % 300 - 150;
		if (kind < 6) {
			puts++;
			results += put_as(ts, r % 62, r % 50 == 0, r % 3) ==
				   JITTER_KEPT;
		} else {
			(void)get();
			T_TRUE(jitter_delay_ms(&j) <= 520);
		}
		if (r % 200 == 0)
			jitter_end(&j);
		if (r % 5000 == 0)
			now += (uint64_t)r * 100 * MS;
	}
	T_EQ(puts, j.counters.frames);
	T_EQ(puts, results + j.counters.late + j.counters.duplicates +
			   j.counters.overflow + j.counters.refused);
}

int main(void)
{
	printf("# octets of a buffer: %zu\n", sizeof(j));
	T_RUN(bounds_are_checked);
	T_RUN(a_spurt_plays_in_order_and_ends_without_concealment);
	T_RUN(the_timestamp_may_wrap);
	T_RUN(frames_of_10_to_60_ms_give_blocks_of_20);
	T_RUN(reordered_frames_are_put_right);
	T_RUN(a_lost_frame_is_a_lost_block);
	T_RUN(duplicates_and_late_frames_are_told_apart);
	T_RUN(what_is_no_frame_is_refused);
	T_RUN(speech_that_stops_without_a_word_is_concealed_then_idle);
	T_RUN(the_delay_follows_the_jitter_within_its_bounds);
	T_RUN(a_longer_route_in_mid_speech_is_followed);
	T_RUN(a_stall_and_its_burst_do_not_leave_a_long_delay);
	T_RUN(a_fast_and_a_slow_sender_are_absorbed);
	T_RUN(rounded_timestamps_are_continuous_speech);
	T_RUN(half_a_block_is_given_with_zeros_for_the_rest);
	T_RUN(a_change_of_format_starts_anew);
	T_RUN(a_jump_of_the_timestamps_is_followed);
	T_RUN(overs_that_jump_teach_no_delay);
	T_RUN(two_spurts_held_at_once_keep_their_silence_apart);
	T_RUN(an_end_without_a_word_is_not_taken_for_a_stall);
	T_RUN(a_steady_network_costs_no_more_than_a_block);
	T_RUN(arbitrary_input_does_no_harm);
	return T_DONE();
}
