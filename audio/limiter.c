/* SPDX-License-Identifier: MIT */

#include "audio/limiter.h"

#include <assert.h>
#include <math.h>

#define HZ 8000.0
#define FULL_SCALE 32768.0
#define RELEASE_S 0.1
#define AGC_WINDOW_S 0.02
#define AGC_FALL_S 0.05
#define AGC_RISE_S 2.0
#define AGC_GATE 104.0 /* -50 dBFS: below nobody speaks */

/* Of a first-order approach with that time constant, a sample's share. */
static double share(double seconds)
{
	return 1.0 - exp(-1.0 / (seconds * HZ));
}

static double from_dbfs(double dbfs)
{
	return FULL_SCALE * pow(10.0, dbfs / 20.0);
}

void limiter_init(struct limiter *l, double ceiling_dbfs)
{
	assert(ceiling_dbfs >= -40.0 && ceiling_dbfs <= 0.0);
	*l = (struct limiter){
		.ceiling = floor(fmin(from_dbfs(ceiling_dbfs), INT16_MAX)),
		.held = 1.0,
		.release = share(RELEASE_S),
	};
	for (unsigned i = 0; i < LIMITER_AHEAD; i++) {
		l->needed[i] = 1.0;
		l->smooth[i] = 1.0;
	}
}

static double least(const double *v)
{
	double m = v[0];

	for (unsigned i = 1; i < LIMITER_AHEAD; i++)
		m = fmin(m, v[i]);
	return m;
}

static double average(const double *v)
{
	double sum = 0.0;

	for (unsigned i = 0; i < LIMITER_AHEAD; i++)
		sum += v[i];
	return sum / LIMITER_AHEAD;
}

/*
 * The gain held is never more than the least that any sample on the line needs,
 * and each of the LIMITER_AHEAD values averaged was held while the sample that
 * now leaves was on the line: so the average is not more than it needs either.
 */
static int16_t limit(struct limiter *l, int16_t in)
{
	const double magnitude = fabs((double)in);
	const unsigned i = l->at;
	int16_t out;

	l->line[i] = in;
	l->needed[i] = magnitude > l->ceiling ? l->ceiling / magnitude : 1.0;
	l->held += (1.0 - l->held) * l->release;
	l->held = fmin(l->held, least(l->needed));
	l->smooth[i] = l->held;
	l->at = (i + 1) % LIMITER_AHEAD;
	out = l->line[l->at];
	return (int16_t)lrint(out * average(l->smooth));
}

void limiter_run(struct limiter *l, int16_t *samples, size_t n)
{
	for (size_t i = 0; i < n; i++)
		samples[i] = limit(l, samples[i]);
}

void agc_init(struct agc *a, double target_dbfs, double range_db)
{
	assert(target_dbfs >= -40.0 && target_dbfs <= -6.0);
	assert(range_db >= 0.0 && range_db <= 24.0);
	*a = (struct agc){
		.target = from_dbfs(target_dbfs),
		.gain_max = pow(10.0, range_db / 20.0),
		.gain = 1.0,
		.window = share(AGC_WINDOW_S),
		.fall = share(AGC_FALL_S),
		.rise = share(AGC_RISE_S),
	};
}

static void follow(struct agc *a)
{
	const double level = sqrt(a->power);
	double want;

	if (level < AGC_GATE)
		return;
	want = fmax(1.0 / a->gain_max, fmin(a->gain_max, a->target / level));
	a->gain += (want - a->gain) * (want < a->gain ? a->fall : a->rise);
}

void agc_run(struct agc *a, int16_t *samples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const double x = samples[i];

		a->power += (x * x - a->power) * a->window;
		follow(a);
		samples[i] = (int16_t)lrint(
			fmax(INT16_MIN, fmin(INT16_MAX, x * a->gain)));
	}
}
