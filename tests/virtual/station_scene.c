/* SPDX-License-Identifier: MIT */

#include "tests/virtual/station_scene.h"

#include <math.h>

#define PI 3.14159265358979323846

uint32_t air_random(struct air *a)
{
	a->seed = a->seed * 1664525U + 1013904223U;
	return a->seed >> 8;
}

void air_begin(struct air *a, const struct station_config *config)
{
	*a = (struct air){ .now = SCENE_BEGIN, .seed = 1 };
	a->beat_at = a->now;
	a->s = station_new(config, a->now);
	T_TRUE(a->s != NULL);
}

void air_end(struct air *a)
{
	T_TRUE(!station_free(a->s));
}

static void note_ptt(struct air *a)
{
	if (station_keyed(a->s) == a->keyed)
		return;
	a->keyed = !a->keyed;
	a->edge = a->now;
	a->edges++;
}

void air_inputs(struct air *a, unsigned inputs)
{
	a->inputs = inputs;
	if (!a->with_blocks)
		station_inputs(a->s, inputs, a->now);
	note_ptt(a);
}

static void note_heard(struct air *a, const int16_t block[AUDIO_BLOCK])
{
	if (a->hears) {
		if (a->heard_blocks == 0)
			a->first_heard = a->now;
		a->last_heard = a->now;
		a->heard_blocks++;
		if (a->heard)
			a->heard(a, block);
		return;
	}
	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		T_EQ(0, block[i]);
}

static void note_sent(struct air *a, const int16_t block[AUDIO_BLOCK],
		      bool keyed)
{
	T_EQ(station_keyed(a->s), keyed);
	a->keyed_blocks += keyed;
	if (keyed && a->sent)
		a->sent(a, block);
	for (size_t i = 0; i < AUDIO_BLOCK && !keyed; i++)
		T_EQ(0, block[i]);
}

static void beat(struct air *a)
{
	int16_t block[AUDIO_BLOCK] = { 0 };

	if (a->with_blocks)
		station_inputs(a->s, a->inputs, a->now - BLOCK_MS * MONO_MS);
	if (a->receive)
		a->receive(a, block);
	a->hears = station_receive(a->s, block, a->now);
	note_heard(a, block);
	memset(block, 0, sizeof(block));
	if (a->network && a->speak)
		a->speak(a, block);
	note_sent(a, block, station_transmit(a->s, block, a->network, a->now));
	note_ptt(a);
}

/* The next beat is not earlier for this one's being late. */
static mono_us next_beat(struct air *a)
{
	const mono_us nominal =
		a->beat_at - (a->beat_at - SCENE_BEGIN) % (BLOCK_MS * MONO_MS) +
		BLOCK_MS * MONO_MS;

	return nominal + (a->jitter_us ? air_random(a) % a->jitter_us : 0);
}

void air_run(struct air *a, mono_us span)
{
	const mono_us end = a->now + span;

	while (a->now < end) {
		const mono_us due =
			mono_min(station_deadline(a->s), a->beat_at);

		if (due >= end) {
			a->now = end;
			break;
		}
		a->now = due > a->now ? due : a->now;
		station_tick(a->s, a->now);
		note_ptt(a);
		/* What is due and stays due would never end. */
		T_TRUE(station_deadline(a->s) > a->now);
		if (a->beat_at > a->now)
			continue;
		beat(a);
		a->beat_at = next_beat(a);
	}
}

void air_count_up(struct air *a, int16_t block[AUDIO_BLOCK])
{
	const uint64_t at = (a->now - SCENE_BEGIN) / (BLOCK_MS * MONO_MS);

	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		block[i] = (int16_t)((at * AUDIO_BLOCK + i) % 30011 + 1);
}

void tape_put(struct tape *t, const int16_t block[AUDIO_BLOCK])
{
	T_TRUE(t->n + AUDIO_BLOCK <= sizeof(t->sample) / sizeof(t->sample[0]));
	memcpy(t->sample + t->n, block, AUDIO_BLOCK * sizeof(block[0]));
	t->n += AUDIO_BLOCK;
}

void tape_follows(const struct tape *t, size_t from, size_t n)
{
	T_TRUE(from + n <= t->n);
	for (size_t i = from + 1; i < from + n; i++)
		T_EQ(t->sample[i - 1] % 30011 + 1, t->sample[i]);
}

void sound_add(struct sound *t, int16_t block[AUDIO_BLOCK])
{
	for (size_t i = 0; i < AUDIO_BLOCK; i++) {
		block[i] = (int16_t)(block[i] + lrint(t->peak * sin(t->phase)));
		t->phase = fmod(t->phase + 2 * PI * t->hz / AUDIO_HZ, 2 * PI);
	}
}

double sound_of(const int16_t *samples, size_t n, double hz)
{
	double re = 0.0, im = 0.0;

	for (size_t i = 0; i < n; i++) {
		const double angle = 2 * PI * hz * (double)i / AUDIO_HZ;

		re += samples[i] * cos(angle);
		im += samples[i] * sin(angle);
	}
	return 2.0 * hypot(re, im) / (double)n;
}
