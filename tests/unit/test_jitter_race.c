/* SPDX-License-Identifier: MIT */

/* What the jitter buffer is for: less delay than others at no more loss, and
 * clocks and timestamps that are not to be trusted. */

#include "tests/jitter_race.h"

#include "tests/unit/jitter_bench.h"

static struct net net;

static int by_number(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The frames that are spoken are a sample of those that tests/data/cellular
 * describes. */
static void recorded_links_are_as_described(void)
{
	static const struct {
		uint64_t p50_least, p50_most, p90_least, p90_most, max_least,
			max_most;
	} want[NET_RECORDED] = { { 11, 13, 40, 70, 4000, 4200 },
				 { 7, 9, 450, 750, 11000, 11815 },
				 { 1, 1, 6, 8, 600, 704 } };

	for (size_t i = 0; i < NET_RECORDED; i++) {
		static uint64_t ms[NET_SLOTS];

		T_TRUE(net_read(&net, i));
		T_TRUE(net.frames > NET_SLOTS * 4 / 5);
		for (size_t n = 0; n < net.frames; n++)
			ms[n] = (net.frame[n].arrival_us -
				 net.frame[n].sent_us) /
				1000;
		qsort(ms, net.frames, sizeof(ms[0]), by_number);
		T_TRUE(ms[net.frames / 2] >= want[i].p50_least);
		T_TRUE(ms[net.frames / 2] <= want[i].p50_most);
		T_TRUE(ms[net.frames * 9 / 10] >= want[i].p90_least);
		T_TRUE(ms[net.frames * 9 / 10] <= want[i].p90_most);
		T_TRUE(ms[net.frames - 1] >= want[i].max_least);
		T_TRUE(ms[net.frames - 1] <= want[i].max_most);
	}
}

static void no_more_than(const struct race_curve *ours, enum race_method method,
			 double parameter)
{
	static const char *const names[RACE_METHODS] = { "fixed", "ramjee",
							 "ours" };
	const struct race_result other = race_run(&net, method, parameter);
	const double ms = race_delay_at(ours, other.late_pct);

	printf("# %s: %s %.2f %% late, %.1f ms; ours %.1f ms\n", net.name,
	       names[method], other.late_pct, other.mean_delay_ms, ms);
	T_TRUE(ms >= 0 && ms < other.mean_delay_ms);
}

static void less_delay_than_others_at_equal_late_loss(void)
{
	for (size_t i = 0; i < NET_RECORDED; i++) {
		struct race_curve ours;

		T_TRUE(net_read(&net, i));
		race_sweep(&net, RACE_OURS, &ours);
		no_more_than(&ours, RACE_FIXED, 60);
		no_more_than(&ours, RACE_RAMJEE, 4);
	}
}

/* Without a parameter chosen for the link. */
static void a_fixed_buffer_is_not_better_in_both(void)
{
	for (size_t i = 0; i < NET_RECORDED + NET_MADE; i++) {
		struct race_result fixed, ours;

		if (i < NET_RECORDED)
			T_TRUE(net_read(&net, i));
		else
			net_make(&net, i - NET_RECORDED);
		fixed = race_run(&net, RACE_FIXED, 60);
		ours = race_run(&net, RACE_OURS, 0);
		printf("# %s: fixed %.2f %% %.1f ms, ours %.2f %% %.1f ms\n",
		       net.name, fixed.late_pct, fixed.mean_delay_ms,
		       ours.late_pct, ours.mean_delay_ms);
		T_TRUE(ours.late_pct < fixed.late_pct ||
		       ours.mean_delay_ms < fixed.mean_delay_ms);
	}
}

/* An over that begins while the link is down is heard from its beginning, and
 * catches up. */
static void an_over_that_begins_late_is_heard(void)
{
	const size_t frames = 400;
	struct race_result r;

	for (size_t i = 0; i < frames; i++) {
		const uint64_t sent = 1000000 + i * NET_SLOT_US;

		net.frame[i] = (struct net_frame){
			.sent_us = sent,
			.arrival_us = sent < 4000000 ? 4000000 : sent,
			.spurt = i == 0,
		};
	}
	net.frames = frames;
	r = race_run(&net, RACE_OURS, 0);
	printf("# %.2f %% late, %.0f ms\n", r.late_pct, r.mean_delay_ms);
	T_TRUE(r.late_pct < 0.5);
	T_TRUE(r.mean_delay_ms < 2500);
}

static enum jitter_put put_at(uint32_t ts, bool spurt, uint64_t at)
{
	static const uint8_t codes[160];

	return jitter_put(&j,
			  &(struct jitter_in){ .ts_ms = ts,
					       .format = 4,
					       .unit = { 1, 8 },
					       .codes = codes,
					       .len = sizeof(codes),
					       .spurt = spurt },
			  at);
}

/* Half an hour of one over. */
static void drift(int64_t ppm)
{
	const uint64_t begin = START;
	uint32_t sent = 0;

	reset(20, 200);
	for (uint32_t tick = 0; tick < 90000; tick++) {
		for (;;) {
			const int64_t t = (int64_t)sent * 20000;
			const uint64_t at =
				begin + (uint64_t)(t + t * ppm / 1000000);

			if (at > now)
				break;
			T_EQ(JITTER_KEPT, put_at(20 * sent, sent == 0, at));
			sent++;
		}
		get_as_advised();
		T_TRUE(jitter_delay_ms(&j) <= 100);
	}
	T_EQ(0, j.counters.late + j.counters.overflow + j.counters.lost);
}

static void clocks_off_by_300_ppm_lose_nothing(void)
{
	drift(300);
	drift(-300);
}

/* 100 s of frames, whose timestamps jump by @jump_ms at 40 s and, if @back,
 * return 0.2 s later.  What is aimed for two seconds after. */
static uint32_t aim_after_jump(int32_t jump_ms, bool back)
{
	uint32_t aim = 0, seed = 3;

	reset(20, 500);
	for (uint32_t n = 0; n < 5000; n++) {
		const bool jumped = n >= 2000 && (!back || n < 2010);
		const uint32_t ts =
			100000 + 20 * n + (jumped ? (uint32_t)jump_ms : 0);

		(void)put_at(ts, n == 0, now + next_random(&seed) % 8000);
		get_as_advised();
		if (n == 2110)
			aim = j.target_ms;
	}
	T_TRUE(jitter_delay_ms(&j) <= 80);
	return aim;
}

static void a_jump_of_the_timestamps_is_not_taken_for_delay_for_long(void)
{
	static const int32_t jumps[] = { -100, 100, -400, 400, -5000, 5000 };

	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		const uint32_t stays = aim_after_jump(jumps[i], false);
		const uint32_t returns = aim_after_jump(jumps[i], true);

		printf("# jump of %d ms: %u ms, and back: %u ms\n", jumps[i],
		       stays, returns);
		T_TRUE(stays <= 40 && returns <= 40);
	}
}

int main(void)
{
	T_RUN(recorded_links_are_as_described);
	T_RUN(less_delay_than_others_at_equal_late_loss);
	T_RUN(a_fixed_buffer_is_not_better_in_both);
	T_RUN(an_over_that_begins_late_is_heard);
	T_RUN(clocks_off_by_300_ppm_lose_nothing);
	T_RUN(a_jump_of_the_timestamps_is_not_taken_for_delay_for_long);
	return T_DONE();
}
