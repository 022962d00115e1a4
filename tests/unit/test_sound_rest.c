/* SPDX-License-Identifier: MIT */

/*
 * A sound device that rests while nobody needs it, and is back at once: in
 * virtual time, with a card whose clock is off.
 */

#include <math.h>

#include "tests/t.h"
#include "tests/unit/sound_scene.h"

#define SECOND_US UINT64_C(1000000)
#define BLOCK_US UINT64_C(20000)

/* After so many blocks it is as if it had never rested. */
static void is_back_after(struct card *c, double ppm, unsigned blocks)
{
	const double in_ms = c->sound->in_follow.target_ms;
	const double out_ms = c->sound->out_follow.target_ms;

	c->settled = false;
	c->none = 0;
	scene_run(c, blocks * BLOCK_US);
	/* What was captured before is nobody's words. */
	T_TRUE(c->none <= 1);
	c->in_ear.worst = 0.0;
	c->out_ear.worst = 0.0;
	scene_settled(c);
	scene_run(c, 10 * SECOND_US);
	T_EQ(0, c->none);
	T_EQ(0, sound_status(c->sound).xruns);
	T_TRUE(c->in_ear.worst < SCENE_CLICK);
	T_TRUE(c->out_ear.worst < SCENE_CLICK);
	for (unsigned way = 0; way < 2; way++) {
		printf("# %+.0f ppm, way %u: %+.2f..%+.2f ms off its level\n",
		       ppm, way, c->least[way], c->most[way]);
		/* It begins with some reserve. */
		T_TRUE(c->least[way] > -5.0 && c->most[way] < 6.0);
		c->least[way] = 1e9;
		c->most[way] = -1e9;
	}
	T_TRUE(c->sound->in_follow.target_ms == in_ms);
	T_TRUE(c->sound->out_follow.target_ms == out_ms);
	T_TRUE(fabs(sound_status(c->sound).drift_ppm - ppm) < 20.0);
	T_EQ(1, c->begun[0]);
	T_EQ(1, c->begun[1]);
}

static void is_back(struct card *c, double ppm)
{
	is_back_after(c, ppm, 3);
}

static void rests(double ppm)
{
	struct card c;

	scene_new(&c, ppm);
	scene_run(&c, 60 * SECOND_US);
	for (unsigned i = 0; i < 5; i++) {
		const uint64_t turns = c.turns;

		scene_rest(&c, true);
		scene_run(&c, 20 * SECOND_US + i * UINT64_C(7001));
		T_TRUE(c.turns - turns < 260);
		T_TRUE(!atomic_load(&c.sound->starved));
		scene_rest(&c, false);
		is_back(&c, ppm);
	}
	(void)sound_free(c.sound);
}

static void a_fast_card_rests(void)
{
	rests(300.0);
}

static void a_slow_card_rests(void)
{
	rests(-300.0);
}

/* Shorter than the thread takes to notice, or as long as one of its turns. */
static void short_rests(void)
{
	struct card c;

	scene_new(&c, 40.0);
	scene_run(&c, 60 * SECOND_US);
	for (unsigned i = 0; i < 20; i++) {
		scene_rest(&c, true);
		scene_run(&c, i * UINT64_C(5000));
		scene_rest(&c, false);
		is_back(&c, 40.0);
	}
	(void)sound_free(c.sound);
}

static void a_card_comes_while_it_rests(void)
{
	struct card c;

	scene_new(&c, 0.0);
	scene_run(&c, 5 * SECOND_US);
	scene_rest(&c, true);
	scene_run(&c, SECOND_US);
	T_EQ(0, sound_in_set(c.sound, (struct pcm){ 0 }, c.now));
	T_EQ(0, sound_out_set(c.sound, (struct pcm){ 0 }, c.now));
	scene_run(&c, SECOND_US);
	T_EQ(AUDIO_DEVICE_DOWN, sound_status(c.sound).state);
	T_EQ(0,
	     sound_in_set(c.sound, (struct pcm){ &scene_in_ops, &c }, c.now));
	T_EQ(0,
	     sound_out_set(c.sound, (struct pcm){ &scene_out_ops, &c }, c.now));
	scene_run(&c, SECOND_US);
	scene_rest(&c, false);
	c.begun[0] = 1;
	c.begun[1] = 1;
	is_back(&c, 0.0);
	(void)sound_free(c.sound);
}

/* What cannot be taken back is in the way of the first words, once: from then
 * on there is less of it. */
static void a_card_that_takes_nothing_back(void)
{
	static const struct pcm_ops in = { .begin = scene_in_begin,
					   .held = scene_in_held,
					   .read = scene_in_read };
	static const struct pcm_ops out = { .begin = scene_out_begin,
					    .held = scene_out_held,
					    .write = scene_out_write };
	struct card c;

	scene_new(&c, 0.0);
	T_EQ(0, sound_in_set(c.sound, (struct pcm){ &in, &c }, c.now));
	T_EQ(0, sound_out_set(c.sound, (struct pcm){ &out, &c }, c.now));
	c.begun[0] = 1;
	c.begun[1] = 1;
	scene_run(&c, 5 * SECOND_US);
	for (unsigned i = 0; i < 3; i++) {
		scene_rest(&c, true);
		scene_run(&c, SECOND_US);
		scene_rest(&c, false);
		is_back_after(&c, 0.0, i == 0 ? 10 : 3);
	}
	(void)sound_free(c.sound);
}

int main(void)
{
	T_RUN(a_fast_card_rests);
	T_RUN(a_slow_card_rests);
	T_RUN(short_rests);
	T_RUN(a_card_comes_while_it_rests);
	T_RUN(a_card_that_takes_nothing_back);
	return T_DONE();
}
