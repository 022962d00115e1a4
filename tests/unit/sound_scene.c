/* SPDX-License-Identifier: MIT */

#include "tests/unit/sound_scene.h"

#include <errno.h>
#include <math.h>

#include "tests/t.h"

#define PI 3.14159265358979323846
#define ROOM 4800U
#define BEAT_US 20000U
#define HZ 1000.0
#define AMPLITUDE 10000.0

static void listen(struct ear *e, double x, bool judge)
{
	const double click = x - e->twice_cos * e->x[0] + e->x[1];

	if (judge && e->n >= 2)
		e->worst = fmax(e->worst, fabs(click));
	e->x[1] = e->x[0];
	e->x[0] = x;
	e->n++;
}

static double clock_of(const struct card *c)
{
	return c->clock + (double)(c->now - c->clock_us) * 1e-6 * c->rate;
}

/* In batches. */
static uint64_t clocked(const struct card *c)
{
	return (uint64_t)clock_of(c) / SCENE_BATCH * SCENE_BATCH;
}

int scene_in_begin(void *self, uint32_t silence)
{
	struct card *c = self;

	T_EQ(0, silence);
	c->read = clocked(c);
	c->begun[0]++;
	return 0;
}

int scene_in_held(void *self)
{
	const struct card *c = self;
	const uint64_t held = clocked(c) - c->read;

	if (c->gone)
		return -ENODEV;
	return held > ROOM ? -EPIPE : (int)held;
}

int scene_in_read(void *self, int16_t *out, uint32_t n)
{
	struct card *c = self;

	for (uint32_t i = 0; i < n; i++)
		out[i] = c->tone[c->read++ % SCENE_TONE];
	return (int)n;
}

int scene_out_begin(void *self, uint32_t silence)
{
	struct card *c = self;

	c->written = clocked(c) + silence;
	c->begun[1]++;
	return 0;
}

int scene_out_held(void *self)
{
	const struct card *c = self;

	if (c->gone)
		return -ENODEV;
	return c->written < clocked(c) ? -EPIPE
				       : (int)(c->written - clocked(c));
}

int scene_out_write(void *self, const int16_t *in, uint32_t n)
{
	struct card *c = self;

	for (uint32_t i = 0; i < n; i++)
		listen(&c->out_ear, in[i], c->settled);
	c->written += n;
	return (int)n;
}

int scene_out_rewind(void *self, uint32_t n)
{
	struct card *c = self;
	const uint64_t most = c->written - clocked(c);

	n = n < most ? n : (uint32_t)most;
	c->written -= n;
	return (int)n;
}

const struct pcm_ops scene_in_ops = { .begin = scene_in_begin,
				      .held = scene_in_held,
				      .read = scene_in_read };
const struct pcm_ops scene_out_ops = { .begin = scene_out_begin,
				       .held = scene_out_held,
				       .write = scene_out_write,
				       .rewind = scene_out_rewind };

static uint64_t now_us(void *ctx)
{
	return ((struct card *)ctx)->now;
}

static uint32_t late(struct card *c, uint32_t most)
{
	c->seed = c->seed * 1664525U + 1013904223U;
	most += (c->seed >> 8) % 50 == 0 ? c->seldom_late : 0;
	return most == 0 ? 0 : (c->seed >> 9) % most;
}

void scene_new(struct card *c, double ppm)
{
	*c = (struct card){
		.rate = PCM_HZ * (1.0 + ppm * 1e-6),
		.now = 1000000,
		.clock_us = 1000000,
		.seed = 7,
		.turn_late = 2000,
		.beat_late = 2000,
		.least = { 1e9, 1e9 },
		.most = { -1e9, -1e9 },
	};
	for (unsigned i = 0; i < SCENE_TONE; i++)
		c->tone[i] = (int16_t)lrint(AMPLITUDE *
					    sin(2.0 * PI * i / SCENE_TONE));
	c->in_ear.twice_cos = 2.0 * cos(2.0 * PI * HZ / AUDIO_HZ);
	c->out_ear.twice_cos = 2.0 * cos(2.0 * PI * HZ / PCM_HZ);
	c->sound = sound_new(now_us, c);
	T_TRUE(c->sound);
	T_EQ(0,
	     sound_in_set(c->sound, (struct pcm){ &scene_in_ops, c }, c->now));
	T_EQ(0, sound_out_set(c->sound, (struct pcm){ &scene_out_ops, c },
			      c->now));
	c->turn_at = c->now;
	c->beat_at = c->now + 3000;
}

void scene_set_ppm(struct card *c, double ppm)
{
	c->clock = clock_of(c);
	c->clock_us = c->now;
	c->rate = PCM_HZ * (1.0 + ppm * 1e-6);
}

static void turn(struct card *c)
{
	const uint64_t n = (clocked(c) / SCENE_BATCH + 1) * SCENE_BATCH;

	T_EQ(c->gone ? (uint64_t)-ENODEV : 0, sound_in_turn(c->sound, c->now));
	T_EQ(c->gone ? (uint64_t)-ENODEV : 0, sound_out_turn(c->sound, c->now));
	c->turns++;
	if (sound_sleeps(c->sound)) {
		c->turn_at = c->now + late(c, c->turn_late) + SOUND_REST_US;
		return;
	}
	c->turn_at = c->now + late(c, c->turn_late) + 1 +
		     (uint64_t)(((double)n - clock_of(c)) * 1e6 / c->rate);
}

static void note_level(struct card *c, unsigned way, double ms)
{
	c->least[way] = fmin(c->least[way], ms);
	c->most[way] = fmax(c->most[way], ms);
}

static void beat(struct card *c)
{
	int16_t block[AUDIO_BLOCK];
	const int err = sound_capture(c->sound, block);

	T_TRUE(err == 0 || err == AUDIO_DEVICE_NONE);
	c->none += err != 0;
	c->blocks += err == 0;
	for (unsigned i = 0; i < AUDIO_BLOCK && err == 0; i++)
		listen(&c->in_ear, block[i], c->settled);
	for (unsigned i = 0; i < AUDIO_BLOCK; i++)
		block[i] = (int16_t)lrint(
			AMPLITUDE *
			sin(2.0 * PI * HZ / AUDIO_HZ * (c->phase++ % 8)));
	T_EQ(0, sound_play(c->sound, block));
	if (c->settled) {
		note_level(c, 0, c->sound->in_follow.excess_ms);
		note_level(c, 1, c->sound->out_follow.excess_ms);
	}
}

/* The beats are where they are: only each comes late. */
void scene_run(struct card *c, uint64_t for_us)
{
	const uint64_t end = c->now + for_us;
	uint64_t beat_due = c->beat_at;

	while (c->now < end) {
		if (c->turn_at <= c->beat_at) {
			c->now = c->turn_at > c->now ? c->turn_at : c->now;
			turn(c);
			continue;
		}
		c->now = c->beat_at > c->now ? c->beat_at : c->now;
		if (!c->stuck && !sound_rests(c->sound))
			beat(c);
		beat_due += BEAT_US;
		c->beat_at = beat_due + late(c, c->beat_late);
	}
	c->beat_at = beat_due;
}

void scene_rest(struct card *c, bool rests)
{
	sound_rest(c->sound, rests);
	c->turn_at = c->now + 200;
	if (!rests)
		c->beat_at = c->now + 8000;
}

void scene_settled(struct card *c)
{
	c->settled = true;
	c->none = 0;
}
