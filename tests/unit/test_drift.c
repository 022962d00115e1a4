/* SPDX-License-Identifier: MIT */

/*
 * A sound device whose clock is off, a node that asks for 20 ms each 20 ms, and
 * the resampler between them, for an hour of virtual time.  The device is
 * noticed late, by 0 to 2 ms.  A count stands for the resampler's samples in the
 * hour, which would cost a minute of work; in two minutes they are real.
 */

#include "audio/drift.h"

#include <math.h>

#include "audio/resample.h"
#include "tests/t.h"

#define DEVICE_HZ 48000U /* where it does not matter */
#define PERIOD 960U      /* of that device, samples: 20 ms */
#define BLOCK 160U       /* of the node */
#define TICK_US 20000U
#define HOUR_TICKS (3600U * 50U)
#define MINUTES_TICKS 6000U
#define SETTLED 1500U /* ticks, 30 s */
#define TARGET_MS 50.0
#define START_TICK 5U

struct scene {
	struct drift drift;
	struct resample *resample; /* NULL: counted only */
	unsigned hz;               /* of the device */
	unsigned period;           /* its samples, 20 ms */
	double ratio;              /* samples out for one in, nominally */
	double ppm;                /* for the next period captured */
	double owed;               /* the part of a sample left over */
	double period_us;          /* the device's, as it really is */
	double noticed_us;         /* when its next period will be */
	uint64_t periods;
	uint64_t taken; /* the device's samples the node's side has had */
	int64_t waits; /* samples that wait, at the rate behind the resampler */
	uint32_t seed;
	uint32_t breaks; /* nothing there when it was wanted */
	double least_ms; /* excess, once settled */
	double most_ms;
};

static uint32_t late_us(struct scene *s)
{
	s->seed = s->seed * 1664525U + 1013904223U;
	return (s->seed >> 8) % 2000U;
}

static void next_notice(struct scene *s)
{
	s->periods++;
	s->noticed_us = (double)s->periods * s->period_us + late_us(s);
}

static void scene_init(struct scene *s, double ppm, unsigned in, unsigned out)
{
	*s = (struct scene){
		.hz = in > out ? in : out,
		.period = (in > out ? in : out) / 50,
		.period_us = 20000.0 / (1.0 + ppm * 1e-6),
		.ratio = (double)out / in,
		.seed = 7,
		.least_ms = 1e9,
		.most_ms = -1e9,
	};
	drift_init(&s->drift, s->hz);
	next_notice(s);
}

/* What becomes of @n silent samples. */
static int64_t convert(struct scene *s, size_t n, double ppm)
{
	static const int16_t in[PERIOD];
	int16_t out[PERIOD + 8];
	double made;

	T_TRUE(fabs(ppm) <= RESAMPLE_PPM_MAX);
	if (s->resample) {
		T_EQ(0, resample_adjust(s->resample, ppm));
		return (int64_t)resample_run(s->resample, in, n, out);
	}
	made = s->owed + (double)n * s->ratio / (1.0 + ppm * 1e-6);
	s->owed = made - floor(made);
	return (int64_t)floor(made);
}

static void note_level(struct scene *s, unsigned tick, double excess_ms)
{
	if (tick < SETTLED)
		return;
	s->least_ms = fmin(s->least_ms, excess_ms);
	s->most_ms = fmax(s->most_ms, excess_ms);
}

/* What is held: samples that wait, and those the device works on. */
static double capture_excess(const struct scene *s, uint64_t now)
{
	return (double)s->waits / 8.0 - TARGET_MS +
	       (drift_count(&s->drift, now) - (double)s->taken) * 1000.0 /
		       s->hz;
}

static void captured(struct scene *s)
{
	drift_stamp(&s->drift, s->period, (uint64_t)s->noticed_us);
	s->taken += s->period;
	s->waits += convert(s, s->period, s->ppm);
	next_notice(s);
}

static void capture_tick(struct scene *s, unsigned tick)
{
	const uint64_t now = (uint64_t)tick * TICK_US;
	double excess;

	while (s->noticed_us <= (double)now)
		captured(s);
	excess = capture_excess(s, now);
	if (tick < START_TICK)
		return;
	if (tick == START_TICK) {
		s->waits -= lrint(excess * 8.0); /* what is too much, once */
		excess = 0.0;
	}
	note_level(s, tick, excess);
	s->ppm = drift_capture_ppm(&s->drift, excess);
	if (s->waits < (int64_t)BLOCK)
		s->breaks++;
	else
		s->waits -= BLOCK;
}

static double playback_excess(const struct scene *s, uint64_t now)
{
	return ((double)s->waits + (double)s->taken -
		drift_count(&s->drift, now)) *
		       1000.0 / s->hz -
	       TARGET_MS;
}

static void played(struct scene *s)
{
	drift_stamp(&s->drift, s->period, (uint64_t)s->noticed_us);
	s->taken += s->period;
	s->waits -= s->period;
	if (s->waits < 0) {
		s->breaks++;
		s->waits = 0;
	}
	next_notice(s);
}

static void playback_tick(struct scene *s, unsigned tick)
{
	const uint64_t now = (uint64_t)tick * TICK_US;
	double excess;

	if (tick == 0)
		s->waits = (int64_t)(TARGET_MS * s->hz / 1000.0);
	while (s->noticed_us <= (double)now)
		played(s);
	excess = playback_excess(s, now);
	note_level(s, tick, excess);
	s->waits += convert(s, BLOCK, drift_playback_ppm(&s->drift, excess));
}

static void run(struct scene *s, double ppm, bool capture, unsigned ticks)
{
	uint32_t breaks = 0;

	for (unsigned tick = 0; tick < ticks; tick++) {
		if (tick == SETTLED) {
			breaks = s->breaks;
			T_TRUE(fabs(drift_ppm(&s->drift) - ppm) < 20.0);
		}
		if (capture)
			capture_tick(s, tick);
		else
			playback_tick(s, tick);
	}
	printf("# %+.0f ppm %s: level %+.2f..%+.2f ms, measured %+.2f ppm\n",
	       ppm, capture ? "capture" : "playback", s->least_ms, s->most_ms,
	       drift_ppm(&s->drift));
	T_EQ(breaks, s->breaks);
	T_EQ(0, s->drift.restarts);
	T_TRUE(s->least_ms > -5.0 && s->most_ms < 5.0);
	T_TRUE(fabs(drift_ppm(&s->drift) - ppm) < 5.0);
}

static void nothing_is_lost_within_an_hour(void)
{
	for (int ppm = -300; ppm <= 300; ppm += 100) {
		struct scene s;

		for (unsigned hz = 44100; hz <= 48000; hz += 3900) {
			scene_init(&s, ppm, hz, 8000);
			run(&s, ppm, true, HOUR_TICKS);
			scene_init(&s, ppm, 8000, hz);
			run(&s, ppm, false, HOUR_TICKS);
		}
	}
}

static void nothing_is_lost_with_the_resampler_itself(void)
{
	struct scene s;

	scene_init(&s, 300.0, DEVICE_HZ, 8000);
	s.resample = resample_new_adjustable(DEVICE_HZ, 8000);
	T_TRUE(s.resample);
	run(&s, 300.0, true, MINUTES_TICKS);
	(void)resample_free(s.resample);
	scene_init(&s, -300.0, 8000, DEVICE_HZ);
	s.resample = resample_new_adjustable(8000, DEVICE_HZ);
	T_TRUE(s.resample);
	run(&s, -300.0, false, MINUTES_TICKS);
	(void)resample_free(s.resample);
}

/* What the test above is worth: without the correction it fails. */
static void the_clocks_do_run_apart(void)
{
	struct scene s;

	scene_init(&s, 300.0, DEVICE_HZ, 8000);
	for (unsigned tick = 0; tick < HOUR_TICKS; tick++) {
		while (s.noticed_us <= tick * (double)TICK_US) {
			drift_stamp(&s.drift, PERIOD, (uint64_t)s.noticed_us);
			next_notice(&s);
		}
	}
	T_TRUE(fabs(drift_count(&s.drift, (uint64_t)HOUR_TICKS * TICK_US) -
		    3600.0 * DEVICE_HZ * (1.0 + 300e-6)) < DEVICE_HZ * 0.005);
	T_TRUE((double)s.periods * PERIOD - 3600.0 * DEVICE_HZ >
	       DEVICE_HZ * 1.0);
}

static void stamp_for(struct drift *d, uint64_t *now, unsigned n, double ppm)
{
	const uint64_t from = *now;

	for (unsigned i = 1; i <= n; i++) {
		*now = from +
		       (uint64_t)llrint(i * 20000.0 / (1.0 + ppm * 1e-6));
		drift_stamp(d, PERIOD, *now);
	}
}

static void a_gap_starts_the_loop_anew_and_keeps_the_clock(void)
{
	struct drift d;
	uint64_t now = 1000000;

	drift_init(&d, DEVICE_HZ);
	stamp_for(&d, &now, 3000, 120.0);
	T_TRUE(fabs(drift_ppm(&d) - 120.0) < 2.0);
	now += 3000000;
	drift_stamp(&d, PERIOD, now);
	T_EQ(1, d.restarts);
	T_TRUE(fabs(drift_ppm(&d) - 120.0) < 2.0);
	stamp_for(&d, &now, 3000, 120.0);
	T_EQ(1, d.restarts);
	T_TRUE(fabs(drift_ppm(&d) - 120.0) < 2.0);
}

static void a_device_that_stands_still_counts_no_further(void)
{
	struct drift d;
	uint64_t now = 0;

	drift_init(&d, DEVICE_HZ);
	T_TRUE(fabs(drift_count(&d, 5)) < 1e-9);
	stamp_for(&d, &now, 500, 0.0);
	T_TRUE(drift_count(&d, now + 10000000) <= 500.0 * PERIOD + 4900.0);
	T_TRUE(drift_count(&d, now - 1000000) >= 500.0 * PERIOD);
}

static void no_stamp_leads_further_than_a_crystal_can_be(void)
{
	struct drift d;
	uint64_t now = 0;

	drift_init(&d, DEVICE_HZ);
	stamp_for(&d, &now, 5000, 5000.0);
	T_TRUE(drift_ppm(&d) <= DRIFT_PPM_MAX + 0.1);
	stamp_for(&d, &now, 5000, -5000.0);
	T_TRUE(drift_ppm(&d) >= -DRIFT_PPM_MAX - 0.1);
	for (uint32_t i = 0; i < 1000; i++)
		drift_stamp(&d, i * 0x9e3779b9U, (uint64_t)i << i % 60);
	T_TRUE(fabs(drift_ppm(&d)) <= DRIFT_PPM_MAX + 0.1);
	T_TRUE(fabs(drift_capture_ppm(&d, 1e9)) <= RESAMPLE_PPM_MAX);
	T_TRUE(fabs(drift_playback_ppm(&d, -1e9)) <= RESAMPLE_PPM_MAX);
}

int main(void)
{
	T_RUN(nothing_is_lost_within_an_hour);
	T_RUN(nothing_is_lost_with_the_resampler_itself);
	T_RUN(the_clocks_do_run_apart);
	T_RUN(a_gap_starts_the_loop_anew_and_keeps_the_clock);
	T_RUN(a_device_that_stands_still_counts_no_further);
	T_RUN(no_stamp_leads_further_than_a_crystal_can_be);
	return T_DONE();
}
