/* SPDX-License-Identifier: MIT */

/*
 * The sound device from the card to the loop's blocks, in virtual time: a card
 * whose clock is off, which moves its samples in batches, a thread that is
 * woken late and a loop whose beat is late.  What passes is a tone, so that
 * every sample left out or put in is heard.
 */

#include "audio/sound.h"

#include <errno.h>
#include <math.h>

#include "tests/t.h"

#define PI 3.14159265358979323846
#define BATCH 240U /* samples the card moves at once */
#define ROOM 4800U
#define BEAT_US 20000U
#define HOUR_US 3600000000ULL
#define SETTLED_US 30000000ULL
#define TONE_HZ 1000.0
#define TONE 48U /* samples of it at 48 kHz */
#define AMPLITUDE 10000.0
/* A step of one sample at 48 kHz makes more than 1000 of it. */
#define CLICK 60.0

/* A tone goes on as it went: x[n+1] = 2 cos(w) x[n] - x[n-1]. */
struct ear {
	double twice_cos;
	double x[2];
	uint64_t n;
	double worst;
};

struct card {
	struct sound *sound;
	int16_t tone[TONE]; /* at 48 kHz; each sixth at 8 kHz */
	double rate;        /* samples a virtual second, really */
	uint64_t now;       /* us */
	uint64_t from;      /* us, when the streams began */
	uint64_t read, written;
	uint64_t begun[2];
	uint64_t turn_at, beat_at;
	uint32_t seed;
	uint32_t turn_late, beat_late; /* us, at most */
	bool stuck;                    /* the loop */
	bool gone;
	bool settled;
	struct ear in_ear, out_ear;
	double least[2], most[2]; /* ms off the level, capture and playback */
	uint64_t none;
	uint64_t blocks;
	unsigned phase; /* of what the loop plays */
};

static void listen(struct ear *e, double x, bool judge)
{
	const double click = x - e->twice_cos * e->x[0] + e->x[1];

	if (judge && e->n >= 2)
		e->worst = fmax(e->worst, fabs(click));
	e->x[1] = e->x[0];
	e->x[0] = x;
	e->n++;
}

/* The card's clock, in batches. */
static uint64_t clocked(const struct card *c)
{
	const double n = (double)(c->now - c->from) * 1e-6 * c->rate;

	return (uint64_t)n / BATCH * BATCH;
}

static int in_begin(void *self, uint32_t silence)
{
	struct card *c = self;

	T_EQ(0, silence);
	c->read = clocked(c);
	c->begun[0]++;
	return 0;
}

static int in_held(void *self)
{
	const struct card *c = self;
	const uint64_t held = clocked(c) - c->read;

	if (c->gone)
		return -ENODEV;
	return held > ROOM ? -EPIPE : (int)held;
}

static int in_read(void *self, int16_t *out, uint32_t n)
{
	struct card *c = self;

	for (uint32_t i = 0; i < n; i++)
		out[i] = c->tone[c->read++ % TONE];
	return (int)n;
}

static int out_begin(void *self, uint32_t silence)
{
	struct card *c = self;

	c->written = clocked(c) + silence;
	c->begun[1]++;
	return 0;
}

static int out_held(void *self)
{
	const struct card *c = self;

	if (c->gone)
		return -ENODEV;
	return c->written < clocked(c) ? -EPIPE
				       : (int)(c->written - clocked(c));
}

static int out_write(void *self, const int16_t *in, uint32_t n)
{
	struct card *c = self;

	for (uint32_t i = 0; i < n; i++)
		listen(&c->out_ear, in[i], c->settled);
	c->written += n;
	return (int)n;
}

static const struct pcm_ops in_ops = { .begin = in_begin,
				       .held = in_held,
				       .read = in_read };
static const struct pcm_ops out_ops = { .begin = out_begin,
					.held = out_held,
					.write = out_write };

static uint64_t now_us(void *ctx)
{
	return ((struct card *)ctx)->now;
}

static uint32_t late(struct card *c, uint32_t most)
{
	c->seed = c->seed * 1664525U + 1013904223U;
	return most == 0 ? 0 : (c->seed >> 8) % most;
}

static void card_new(struct card *c, double ppm)
{
	*c = (struct card){
		.rate = PCM_HZ * (1.0 + ppm * 1e-6),
		.now = 1000000,
		.from = 1000000,
		.seed = 7,
		.turn_late = 2000,
		.beat_late = 2000,
		.least = { 1e9, 1e9 },
		.most = { -1e9, -1e9 },
	};
	for (unsigned i = 0; i < TONE; i++)
		c->tone[i] =
			(int16_t)lrint(AMPLITUDE * sin(2.0 * PI * i / TONE));
	c->in_ear.twice_cos = 2.0 * cos(2.0 * PI * TONE_HZ / AUDIO_HZ);
	c->out_ear.twice_cos = 2.0 * cos(2.0 * PI * TONE_HZ / PCM_HZ);
	c->sound = sound_new(now_us, c);
	T_TRUE(c->sound);
	T_EQ(0, sound_in_set(c->sound, (struct pcm){ &in_ops, c }, c->now));
	T_EQ(0, sound_out_set(c->sound, (struct pcm){ &out_ops, c }, c->now));
	c->turn_at = c->now;
	c->beat_at = c->now + 3000;
}

static void turn(struct card *c)
{
	const uint64_t n = (clocked(c) / BATCH + 1) * BATCH;

	T_EQ(c->gone ? (uint64_t)-ENODEV : 0, sound_in_turn(c->sound, c->now));
	T_EQ(c->gone ? (uint64_t)-ENODEV : 0, sound_out_turn(c->sound, c->now));
	c->turn_at = c->from + (uint64_t)((double)n * 1e6 / c->rate) + 1 +
		     late(c, c->turn_late);
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
			sin(2.0 * PI * TONE_HZ / AUDIO_HZ * (c->phase++ % 8)));
	T_EQ(0, sound_play(c->sound, block));
	if (c->settled) {
		note_level(c, 0, c->sound->in_follow.excess_ms);
		note_level(c, 1, c->sound->out_follow.excess_ms);
	}
}

/* The beats are where they are: only each comes late. */
static void run(struct card *c, uint64_t for_us)
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
		if (!c->stuck)
			beat(c);
		beat_due += BEAT_US;
		c->beat_at = beat_due + late(c, c->beat_late);
	}
	c->beat_at = beat_due;
}

static void settle(struct card *c)
{
	run(c, SETTLED_US);
	c->settled = true;
	c->none = 0;
}

static void an_hour(double ppm, uint64_t for_us)
{
	struct card c;
	uint64_t xruns;

	card_new(&c, ppm);
	settle(&c);
	xruns = sound_status(c.sound).xruns;
	run(&c, for_us - SETTLED_US);
	printf("# %+.0f ppm: capture %+.2f..%+.2f ms, playback %+.2f..%+.2f "
	       "ms, clicks %.0f, %.0f, measured %+.2f and %+.2f ppm, delays "
	       "%.1f and %.1f ms\n",
	       ppm, c.least[0], c.most[0], c.least[1], c.most[1],
	       c.in_ear.worst, c.out_ear.worst,
	       drift_ppm(&c.sound->in_follow.drift),
	       drift_ppm(&c.sound->out_follow.drift),
	       sound_in_delay_ms(c.sound), sound_out_delay_ms(c.sound));
	T_EQ(0, xruns);
	T_EQ(0, sound_status(c.sound).xruns);
	T_EQ(0, c.none);
	T_EQ(1, c.begun[0]);
	T_EQ(1, c.begun[1]);
	T_TRUE(c.in_ear.worst < CLICK && c.out_ear.worst < CLICK);
	for (unsigned way = 0; way < 2; way++)
		T_TRUE(c.least[way] > -5.0 && c.most[way] < 5.0);
	T_TRUE(fabs(sound_status(c.sound).drift_ppm - ppm) < 5.0);
	T_TRUE(fabs(drift_ppm(&c.sound->out_follow.drift) - ppm) < 5.0);
	(void)sound_free(c.sound);
}

static void a_fast_card_for_an_hour(void)
{
	an_hour(300.0, HOUR_US);
}

static void a_slow_card_for_an_hour(void)
{
	an_hour(-300.0, HOUR_US);
}

/* @more_us from now on nothing breaks, and the level is what it should be. */
static void is_well(struct card *c, uint64_t more_us)
{
	const uint64_t xruns = sound_status(c->sound).xruns;

	c->none = 0;
	run(c, more_us);
	T_EQ(AUDIO_DEVICE_RUNNING, sound_status(c->sound).state);
	T_EQ(xruns, sound_status(c->sound).xruns);
	T_EQ(0, c->none);
	T_TRUE(fabs(c->sound->in_follow.excess_ms) < 5.0);
	T_TRUE(fabs(c->sound->out_follow.excess_ms) < 5.0);
}

static void a_loop_that_stands_still_is_noticed(void)
{
	struct card c;

	card_new(&c, 50.0);
	run(&c, 5000000);
	is_well(&c, 5000000);
	T_TRUE(!atomic_load(&c.sound->starved));
	c.stuck = true;
	run(&c, 150000);
	T_TRUE(!atomic_load(&c.sound->starved));
	run(&c, 850000);
	T_TRUE(atomic_load(&c.sound->starved));
	T_EQ(1, atomic_load(&c.sound->starvations));
	c.stuck = false;
	run(&c, 3000000);
	T_TRUE(!atomic_load(&c.sound->starved));
	T_EQ(1, atomic_load(&c.sound->starvations));
	is_well(&c, 10000000);
	/* The card had silence meanwhile: it never ran dry. */
	T_EQ(1, c.begun[1]);
	T_TRUE(sound_status(c.sound).xruns > 0);
	(void)sound_free(c.sound);
}

/* What a busy machine needs is held, and then suffices. */
static void beats_that_come_late_raise_the_level(void)
{
	struct card c;
	double in_ms, out_ms;

	card_new(&c, -50.0);
	run(&c, 5000000);
	in_ms = sound_in_delay_ms(c.sound);
	out_ms = sound_out_delay_ms(c.sound);
	c.beat_late = 15000;
	c.turn_late = 8000;
	run(&c, 60000000);
	c.settled = false;
	T_TRUE(sound_in_delay_ms(c.sound) < in_ms + 30.0);
	T_TRUE(sound_out_delay_ms(c.sound) > out_ms);
	T_TRUE(sound_out_delay_ms(c.sound) < out_ms + 30.0);
	run(&c, 5000000);
	{
		const uint64_t xruns = sound_status(c.sound).xruns;

		T_TRUE(xruns > 0 && xruns < 30);
		run(&c, 60000000);
		T_EQ(xruns, sound_status(c.sound).xruns);
	}
	(void)sound_free(c.sound);
}

static void a_stream_that_breaks_off_begins_again(void)
{
	struct card c;

	card_new(&c, 120.0);
	run(&c, 30000000);
	is_well(&c, 1000000);
	c.turn_at += 150000; /* the thread sleeps */
	run(&c, 3000000);
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

	card_new(&c, -120.0);
	run(&c, 30000000);
	c.gone = true;
	T_EQ((uint64_t)-ENODEV, sound_in_turn(c.sound, c.now));
	T_EQ((uint64_t)-ENODEV, sound_out_turn(c.sound, c.now));
	T_EQ(0, sound_in_set(c.sound, (struct pcm){ 0 }, c.now));
	T_EQ(0, sound_out_set(c.sound, (struct pcm){ 0 }, c.now));
	c.gone = false; /* without a PCM a turn does nothing */
	c.none = 0;
	c.blocks = 0;
	run(&c, 5000000);
	T_EQ(AUDIO_DEVICE_DOWN, sound_status(c.sound).state);
	T_EQ(0, c.blocks);
	T_TRUE(c.none >= 249);
	T_TRUE(!atomic_load(&c.sound->starved));
	T_EQ(0, sound_in_set(c.sound, (struct pcm){ &in_ops, &c }, c.now));
	T_EQ(0, sound_out_set(c.sound, (struct pcm){ &out_ops, &c }, c.now));
	run(&c, 1000000);
	is_well(&c, 10000000);
	(void)sound_free(c.sound);
}

static int no_begin(void *self, uint32_t silence)
{
	(void)self;
	(void)silence;
	return -EIO;
}

static void a_stream_that_cannot_begin_is_not_used(void)
{
	static const struct pcm_ops ops = { .begin = no_begin,
					    .held = in_held,
					    .read = in_read,
					    .write = out_write };
	struct card c;

	card_new(&c, 0.0);
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
	static const struct pcm_ops in = { .begin = in_begin,
					   .held = all_held,
					   .read = in_read };
	static const struct pcm_ops out = { .begin = out_begin,
					    .held = none_held,
					    .write = out_write };
	struct card c;
	uint64_t read, written;

	card_new(&c, 0.0);
	T_EQ(0, sound_in_set(c.sound, (struct pcm){ &in, &c }, c.now));
	T_EQ(0, sound_out_set(c.sound, (struct pcm){ &out, &c }, c.now));
	run(&c, 60000000);
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
	T_RUN(a_loop_that_stands_still_is_noticed);
	T_RUN(beats_that_come_late_raise_the_level);
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
