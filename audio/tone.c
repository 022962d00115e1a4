/* SPDX-License-Identifier: MIT */

#include "audio/tone.h"

#include <math.h>

#include "audio/mix.h"

#define PI 3.14159265358979323846
#define FULL_SCALE 32767.0

void tone_init(struct tone *t)
{
	*t = (struct tone){ .re = 1.0, .turn_re = 1.0 };
}

static void fade_to(struct tone *t, double goal)
{
	t->from = t->amplitude;
	t->goal = goal;
	t->fade = TONE_FADE;
}

void tone_on(struct tone *t, double hz, double dbfs)
{
	const double angle = 2.0 * PI * hz / TONE_HZ;

	if (tone_silent(t)) {
		t->re = 1.0;
		t->im = 0.0;
	}
	t->turn_re = cos(angle);
	t->turn_im = sin(angle);
	fade_to(t, FULL_SCALE * pow(10.0, fmin(dbfs, 0.0) / 20.0));
}

void tone_off(struct tone *t)
{
	if (t->goal > 0.0)
		fade_to(t, 0.0);
}

bool tone_silent(const struct tone *t)
{
	return t->fade == 0 && t->amplitude <= 0.0;
}

void tone_reverse(struct tone *t)
{
	t->re = -t->re;
	t->im = -t->im;
}

static double next_amplitude(struct tone *t)
{
	if (t->fade > 0) {
		const double left = (double)--t->fade / TONE_FADE;
		const double way = 0.5 + 0.5 * cos(PI * left);

		t->amplitude = t->from + (t->goal - t->from) * way;
	}
	return t->amplitude;
}

static void turn(struct tone *t)
{
	const double re = t->re * t->turn_re - t->im * t->turn_im;

	t->im = t->re * t->turn_im + t->im * t->turn_re;
	t->re = re;
}

/* Rounding lets its length wander: one step of Newton's brings it back to 1. */
static void straighten(struct tone *t)
{
	const double by = 1.5 - 0.5 * (t->re * t->re + t->im * t->im);

	t->re *= by;
	t->im *= by;
}

void tone_add(struct tone *t, int16_t *samples, size_t n)
{
	if (tone_silent(t))
		return;
	for (size_t i = 0; i < n; i++) {
		const long v = lrint(next_amplitude(t) * t->im);

		samples[i] = mix_saturate(samples[i] + (int32_t)v);
		turn(t);
	}
	straighten(t);
}
