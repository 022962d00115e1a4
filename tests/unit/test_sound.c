/* SPDX-License-Identifier: MIT */

/*
 * The sound device of audio/sound.h, for an hour, and in trouble.
 */

#include <errno.h>
#include <math.h>

#include "tests/t.h"
#include "tests/unit/sound_scene.h"

#define HOUR_US 3600000000ULL
#define SETTLED_US 30000000ULL

static void settle(struct card *c)
{
	scene_run(c, SETTLED_US);
	scene_settled(c);
}

/* Since it settled nothing was left out or put in, and the level was held. */
static void was_well(const struct card *c, double ppm)
{
	const struct sound *s = c->sound;

	printf("# %+.0f ppm: capture %+.2f..%+.2f ms, playback %+.2f..%+.2f "
	       "ms, clicks %.0f, %.0f, measured %+.2f and %+.2f ppm, delays "
	       "%.1f and %.1f ms\n",
	       ppm, c->least[0], c->most[0], c->least[1], c->most[1],
	       c->in_ear.worst, c->out_ear.worst,
	       drift_ppm(&s->in_follow.drift), drift_ppm(&s->out_follow.drift),
	       sound_in_delay_ms(s), sound_out_delay_ms(s));
	T_EQ(0, sound_status(s).xruns);
	T_EQ(0, c->none);
	T_EQ(1, c->begun[0]);
	T_EQ(1, c->begun[1]);
	T_TRUE(c->in_ear.worst < SCENE_CLICK && c->out_ear.worst < SCENE_CLICK);
	for (unsigned way = 0; way < 2; way++)
		T_TRUE(c->least[way] > -5.0 && c->most[way] < 5.0);
	T_TRUE(fabs(drift_ppm(&s->in_follow.drift) - ppm) < 5.0);
	T_TRUE(fabs(drift_ppm(&s->out_follow.drift) - ppm) < 5.0);
}

static void a_fast_card_for_an_hour(void)
{
	struct card c;

	scene_new(&c, 300.0);
	settle(&c);
	scene_run(&c, HOUR_US - SETTLED_US);
	was_well(&c, 300.0);
	(void)sound_free(c.sound);
}

/* A thread and a loop that mostly are in time, and now and then are not. */
static void a_slow_card_for_an_hour(void)
{
	struct card c;

	scene_new(&c, -300.0);
	c.turn_late = 500;
	c.beat_late = 500;
	c.seldom_late = 2500;
	settle(&c);
	scene_run(&c, HOUR_US - SETTLED_US);
	was_well(&c, -300.0);
	(void)sound_free(c.sound);
}

/* 100 ppm at once; no crystal does it faster. */
static void a_card_that_warms_up(void)
{
	struct card c;

	scene_new(&c, -40.0);
	settle(&c);
	scene_run(&c, 60000000);
	scene_set_ppm(&c, 60.0);
	scene_run(&c, 120000000);
	was_well(&c, 60.0);
	(void)sound_free(c.sound);
}

/* @more_us from now on nothing breaks, and the level is what it should be. */
static void is_well(struct card *c, uint64_t more_us)
{
	const uint64_t xruns = sound_status(c->sound).xruns;

	c->none = 0;
	scene_run(c, more_us);
	T_EQ(AUDIO_DEVICE_RUNNING, sound_status(c->sound).state);
	T_EQ(xruns, sound_status(c->sound).xruns);
	T_EQ(0, c->none);
	T_TRUE(fabs(c->sound->in_follow.excess_ms) < 5.0);
	T_TRUE(fabs(c->sound->out_follow.excess_ms) < 5.0);
}

static void a_loop_that_stands_still_is_noticed(void)
{
	struct card c;
	double in_ms, out_ms;

	scene_new(&c, 50.0);
	scene_run(&c, 5000000);
	is_well(&c, 5000000);
	in_ms = sound_in_delay_ms(c.sound);
	out_ms = sound_out_delay_ms(c.sound);
	T_TRUE(!atomic_load(&c.sound->starved));
	c.stuck = true;
	scene_run(&c, 150000);
	T_TRUE(!atomic_load(&c.sound->starved));
	scene_run(&c, 850000);
	T_TRUE(atomic_load(&c.sound->starved));
	T_EQ(1, atomic_load(&c.sound->starvations));
	c.stuck = false;
	scene_run(&c, 3000000);
	T_TRUE(!atomic_load(&c.sound->starved));
	T_EQ(1, atomic_load(&c.sound->starvations));
	is_well(&c, 10000000);
	/* The card had silence meanwhile: it never ran dry. */
	T_EQ(1, c.begun[1]);
	T_TRUE(sound_status(c.sound).xruns > 0);
	/* That was one thing each, and no buffer would have helped. */
	T_TRUE(sound_status(c.sound).xruns < 4);
	T_TRUE(sound_in_delay_ms(c.sound) < in_ms + 1.0);
	T_TRUE(sound_out_delay_ms(c.sound) < out_ms + 1.0);
	(void)sound_free(c.sound);
}

/* What a busy machine needs is held, and then suffices. */
static void beats_that_come_late_raise_the_level(void)
{
	struct card c;
	double in_ms, out_ms;
	uint64_t xruns;

	scene_new(&c, -50.0);
	scene_run(&c, 5000000);
	in_ms = sound_in_delay_ms(c.sound);
	out_ms = sound_out_delay_ms(c.sound);
	c.beat_late = 15000;
	c.turn_late = 8000;
	scene_run(&c, 300000000);
	T_TRUE(sound_in_delay_ms(c.sound) < in_ms + 30.0);
	T_TRUE(sound_out_delay_ms(c.sound) > out_ms);
	T_TRUE(sound_out_delay_ms(c.sound) < out_ms + 30.0);
	xruns = sound_status(c.sound).xruns;
	T_TRUE(xruns > 0 && xruns < 15);
	scene_run(&c, 60000000);
	T_EQ(xruns, sound_status(c.sound).xruns);
	(void)sound_free(c.sound);
}

/* Without a break: the ratio alone does it. */
static void a_level_that_rose_falls_again(void)
{
	struct card c;
	double ms;
	uint64_t xruns;

	scene_new(&c, 80.0);
	settle(&c);
	c.beat_late = 15000;
	c.turn_late = 8000;
	scene_run(&c, 30000000);
	c.beat_late = 2000;
	c.turn_late = 2000;
	scene_run(&c, 60000000);
	ms = sound_out_delay_ms(c.sound);
	xruns = sound_status(c.sound).xruns;
	T_TRUE(xruns > 0);
	c.in_ear.worst = 0.0;
	c.out_ear.worst = 0.0;
	scene_run(&c, HOUR_US / 2);
	printf("# %.1f ms, half an hour later %.1f ms\n", ms,
	       sound_out_delay_ms(c.sound));
	T_TRUE(sound_out_delay_ms(c.sound) < ms - 0.5);
	T_EQ(xruns, sound_status(c.sound).xruns);
	T_TRUE(c.in_ear.worst < SCENE_CLICK && c.out_ear.worst < SCENE_CLICK);
	(void)sound_free(c.sound);
}

static void a_stream_that_breaks_off_begins_again(void)
{
	struct card c;

	scene_new(&c, 120.0);
	scene_run(&c, 30000000);
	is_well(&c, 1000000);
	c.turn_at += 250000; /* the thread sleeps */
	scene_run(&c, 3000000);
	T_EQ(2, c.begun[0]);
	T_EQ(2, c.begun[1]);
	is_well(&c, 10000000);
	/* The clock is the same. */
	T_TRUE(fabs(sound_status(c.sound).drift_ppm - 120.0) < 30.0);
	(void)sound_free(c.sound);
}

static void a_card_that_goes_is_down_and_comes_back(void)
{
	struct card c;

	scene_new(&c, -120.0);
	scene_run(&c, 30000000);
	c.gone = true;
	T_EQ((uint64_t)-ENODEV, sound_in_turn(c.sound, c.now));
	T_EQ((uint64_t)-ENODEV, sound_out_turn(c.sound, c.now));
	T_EQ(0, sound_in_set(c.sound, (struct pcm){ 0 }, c.now));
	T_EQ(0, sound_out_set(c.sound, (struct pcm){ 0 }, c.now));
	c.gone = false; /* without a PCM a turn does nothing */
	c.none = 0;
	c.blocks = 0;
	scene_run(&c, 5000000);
	T_EQ(AUDIO_DEVICE_DOWN, sound_status(c.sound).state);
	T_EQ(0, c.blocks);
	T_TRUE(c.none >= 249);
	T_TRUE(!atomic_load(&c.sound->starved));
	T_EQ(0,
	     sound_in_set(c.sound, (struct pcm){ &scene_in_ops, &c }, c.now));
	T_EQ(0,
	     sound_out_set(c.sound, (struct pcm){ &scene_out_ops, &c }, c.now));
	scene_run(&c, 1000000);
	is_well(&c, 10000000);
	(void)sound_free(c.sound);
}

static int no_begin(void *self, uint32_t silence)
{
	(void)self;
	(void)silence;
	return -EIO;
}

static int no_held(void *self)
{
	(void)self;
	return 0;
}

static void a_stream_that_cannot_begin_is_not_used(void)
{
	static const struct pcm_ops ops = { .begin = no_begin,
					    .held = no_held,
					    .read = scene_in_read,
					    .write = scene_out_write };
	struct card c;

	scene_new(&c, 0.0);
	T_EQ((uint64_t)-EIO,
	     sound_in_set(c.sound, (struct pcm){ &ops, &c }, c.now));
	T_EQ((uint64_t)-EIO,
	     sound_out_set(c.sound, (struct pcm){ &ops, &c }, c.now));
	T_EQ(AUDIO_DEVICE_DOWN, sound_status(c.sound).state);
	T_EQ(0, sound_in_turn(c.sound, c.now));
	T_EQ(0, sound_out_turn(c.sound, c.now));
	(void)sound_free(c.sound);
}

static int all_held(void *self)
{
	(void)self;
	return 4800;
}

static int none_held(void *self)
{
	(void)self;
	return 0;
}

/* As a file: what is wanted is there, what is given is played at once. */
static void a_pcm_without_a_clock_goes_by_ours(void)
{
	static const struct pcm_ops in = { .begin = scene_in_begin,
					   .held = all_held,
					   .read = scene_in_read };
	static const struct pcm_ops out = { .begin = scene_out_begin,
					    .held = none_held,
					    .write = scene_out_write };
	struct card c;
	uint64_t read, written;

	scene_new(&c, 0.0);
	T_EQ(0, sound_in_set(c.sound, (struct pcm){ &in, &c }, c.now));
	T_EQ(0, sound_out_set(c.sound, (struct pcm){ &out, &c }, c.now));
	scene_run(&c, 60000000);
	read = c.read;
	written = c.written;
	is_well(&c, 20000000);
	T_TRUE(fabs((double)(c.read - read) / (20.0 * PCM_HZ) - 1.0) < 1e-3);
	T_TRUE(fabs((double)(c.written - written) / (20.0 * PCM_HZ) - 1.0) <
	       1e-3);
	(void)sound_free(c.sound);
}

static void all_troubles(void)
{
	T_RUN(a_card_that_warms_up);
	T_RUN(a_loop_that_stands_still_is_noticed);
	T_RUN(beats_that_come_late_raise_the_level);
	T_RUN(a_level_that_rose_falls_again);
	T_RUN(a_stream_that_breaks_off_begins_again);
	T_RUN(a_card_that_goes_is_down_and_comes_back);
	T_RUN(a_stream_that_cannot_begin_is_not_used);
	T_RUN(a_pcm_without_a_clock_goes_by_ours);
}

int main(int argc, char *argv[])
{
	const char *which = argc > 1 ? argv[1] : "trouble";

	if (strcmp(which, "fast") == 0)
		T_RUN(a_fast_card_for_an_hour);
	else if (strcmp(which, "slow") == 0)
		T_RUN(a_slow_card_for_an_hour);
	else
		all_troubles();
	return T_DONE();
}
