/* SPDX-License-Identifier: MIT */

/* A sender whose clock differs: how that is told, and that an over of an hour
 * is played without a block left out or made. */

#include <math.h>
#include <string.h>

#include "audio/playout.h"
#include "tests/unit/jitter_bench.h"

#define TONE_HZ 700.0 /* whole periods in a block */
#define PI 3.14159265358979323846
#define HOUR 180000U /* ticks */
#define MINUTES_3 9000U
#define LEARN_TICKS 1000U /* an over of 20 s, */
#define PAUSE_TICKS 100U
#define SETTLE_TICKS 1500U /* and the first 30 s of the next */

static uint32_t seed;

/* --- what is told ------------------------------------------------------- */

struct talk {
	double ppm;
	uint32_t jitter_us;
	uint32_t overs;
	uint32_t frames;   /* in each */
	uint32_t shift_us; /* of the timestamps, at random, from over to over */
};

static double told(const struct talk *t)
{
	struct peer_clock c = { 0 };
	double media_us = 0;

	seed = 11;
	for (uint32_t over = 0; over < t->overs; over++) {
		const double shift =
			t->shift_us > 0 ? next_random(&seed) % t->shift_us : 0;

		peer_clock_break(&c);
		for (uint32_t i = 0; i < t->frames; i++) {
			const double late =
				t->jitter_us > 0
					? next_random(&seed) % t->jitter_us
					: 0;
			const double at =
				5e6 + media_us / (1 + t->ppm / 1e6) + late;

			peer_clock_add(&c, (uint64_t)at,
				       (int64_t)(at - media_us - shift));
			media_us += 20000;
		}
		media_us += 2e6;
	}
	return peer_clock_ppm(&c);
}

static void a_clock_is_told_from_its_frames(void)
{
	static const double ppms[] = { -300, -50, 50, 300 };

	for (size_t i = 0; i < sizeof(ppms) / sizeof(ppms[0]); i++) {
		const double steady = told(&(struct talk){ .ppm = ppms[i],
							   .jitter_us = 200,
							   .overs = 2,
							   .frames = 600 });
		const double shaken = told(&(struct talk){ .ppm = ppms[i],
							   .jitter_us = 10000,
							   .overs = 40,
							   .frames = 600,
							   .shift_us = 20000 });

		printf("# %.0f ppm: %.1f, with 10 ms of jitter %.1f\n", ppms[i],
		       steady, shaken);
		T_TRUE(fabs(steady - ppms[i]) < 5);
		T_TRUE(fabs(shaken - ppms[i]) < 15);
	}
}

static void equal_clocks_are_told_so(void)
{
	for (uint32_t jitter_us = 0; jitter_us <= 100000;
	     jitter_us = 2 * jitter_us + 100) {
		const struct talk t = { .jitter_us = jitter_us,
					.overs = 40,
					.frames = 400,
					.shift_us = 20000 };

		T_TRUE(told(&t) == 0);
	}
}

static void nothing_is_told_of_a_moment(void)
{
	T_TRUE(told(&(struct talk){ .ppm = 300, .overs = 1, .frames = 400 }) ==
	       0);
}

/* A queue that fills up for seconds, and a route that became longer. */
static void a_network_is_not_taken_for_a_clock(void)
{
	struct peer_clock c = { 0 };

	for (uint32_t i = 0; i < 30000; i++) {
		const uint32_t way = i % 3000 < 1500 ? i % 3000 : 0;
		const int64_t transit = way * 40 + (i / 7000) * 25000;

		peer_clock_add(&c, 5000000 + i * UINT64_C(20000), transit);
		T_TRUE(peer_clock_ppm(&c) == 0);
	}
}

/* --- what is played ----------------------------------------------------- */

struct player {
	struct playout p;
	double ppm;
	uint32_t sent;  /* frames */
	uint32_t ended; /* of the first over */
	uint32_t changed, missing;
	double least_ms, most_ms;
	int16_t tone[PLAYOUT_BLOCK];
	int16_t last;
	double click;
};

static void send(struct player *s)
{
	static const uint8_t codes[160];

	for (;;) {
		const bool pause = s->sent >= LEARN_TICKS &&
				   s->sent < LEARN_TICKS + PAUSE_TICKS;
		const double at = START +
				  s->sent * 20000.0 / (1 + s->ppm / 1e6) +
				  next_random(&seed) % 1500;

		if (at > (double)now)
			return;
		if (s->sent == LEARN_TICKS)
			jitter_end(&j);
		if (!pause)
			(void)jitter_put(
				&j,
				&(struct jitter_in){
					.ts_ms = 20 * s->sent,
					.format = 4,
					.unit = { 1, 8 },
					.codes = codes,
					.len = sizeof(codes),
					.spurt = s->sent == 0 ||
						 s->sent ==
							 LEARN_TICKS +
								 PAUSE_TICKS },
				(uint64_t)at);
		s->sent++;
	}
}

static void hear(struct player *s, bool judge)
{
	int16_t pcm[PLAYOUT_BLOCK];

	while (playout_wants(&s->p)) {
		const enum jitter_get got = jitter_get(&j, now, &block);

		if (got == JITTER_IDLE) {
			s->missing += judge;
			break;
		}
		memcpy(pcm, s->tone, sizeof(pcm));
		s->missing += judge && got != JITTER_FRAME;
		s->changed += judge && block.advice != JITTER_KEEP;
		playout_pace(&s->p, peer_clock_ppm(&j.clock),
			     jitter_delay_ms(&j), j.target_ms);
		playout_put(&s->p, pcm, block.valid, block.advice);
	}
	(void)playout_take(&s->p, pcm);
	for (uint32_t i = 0; judge && i < PLAYOUT_BLOCK; i++) {
		s->click = fmax(s->click, abs(pcm[i] - s->last));
		s->last = pcm[i];
	}
	s->last = pcm[PLAYOUT_BLOCK - 1];
}

static void an_over(uint32_t ticks, double ppm, uint32_t phase_us)
{
	const double own = 10000 * 2 * PI * TONE_HZ / 8000;
	static struct player s;
	double depth_ms = 0;

	memset(&s, 0, sizeof(s));
	s.ppm = ppm;
	s.least_ms = 1e9;
	s.p.resample = resample_new_adjustable(8000, 8000);
	playout_reset(&s.p);
	for (uint32_t i = 0; i < PLAYOUT_BLOCK; i++)
		s.tone[i] = (int16_t)(10000 * sin(2 * PI * TONE_HZ * i / 8000));
	seed = 5;
	reset(10, 400);
	now += phase_us;
	for (uint32_t tick = 0; tick < ticks; tick++) {
		const bool judge =
			tick > LEARN_TICKS + PAUSE_TICKS + SETTLE_TICKS;

		now += 20 * MS;
		send(&s);
		hear(&s, judge);
		/* When the sample after this block was sent, against now. */
		depth_ms =
			(double)(now - START) / 1000 -
			((double)j.play - (double)s.p.n / 8) / (1 + ppm / 1e6);
		if (judge) {
			s.least_ms = fmin(s.least_ms, depth_ms);
			s.most_ms = fmax(s.most_ms, depth_ms);
		}
	}
	printf("# %.0f ppm, told %.1f: %u stretched or shrunk, %u missing, "
	       "%.1f to %.1f ms, steps up to %.2f of the tone's\n",
	       ppm, peer_clock_ppm(&j.clock), s.changed, s.missing, s.least_ms,
	       s.most_ms, s.click / own);
	T_EQ(0, s.changed);
	T_EQ(0, s.missing);
	T_EQ(0, j.counters.late + j.counters.lost + j.counters.skipped_ms);
	T_TRUE(s.most_ms - s.least_ms <= (fabs(ppm) > 100 ? 10 : 20));
	T_TRUE(s.click < 1.05 * own);
	T_TRUE(fabs(peer_clock_ppm(&j.clock) - ppm) < 10);
	resample_free(s.p.resample);
}

static void an_hour_is_played_without_a_block_made_or_left_out(void)
{
	an_over(HOUR, 300, 7000);
}

static void of_a_slow_clock_an_hour_is_played_as_well(void)
{
	an_over(HOUR, -300, 7000);
}

static void it_does_not_depend_on_when_an_over_begins(void)
{
	for (uint32_t phase_us = 1000; phase_us < 20000; phase_us += 12000) {
		an_over(MINUTES_3, 300, phase_us);
		an_over(MINUTES_3, -300, phase_us);
		an_over(MINUTES_3, 40, phase_us);
		an_over(MINUTES_3, -40, phase_us);
	}
}

int main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "fast") == 0) {
		T_RUN(an_hour_is_played_without_a_block_made_or_left_out);
		return T_DONE();
	}
	if (argc > 1) {
		T_RUN(of_a_slow_clock_an_hour_is_played_as_well);
		return T_DONE();
	}
	T_RUN(a_clock_is_told_from_its_frames);
	T_RUN(equal_clocks_are_told_so);
	T_RUN(nothing_is_told_of_a_moment);
	T_RUN(a_network_is_not_taken_for_a_clock);
	T_RUN(it_does_not_depend_on_when_an_over_begins);
	return T_DONE();
}
