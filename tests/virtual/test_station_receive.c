/* SPDX-License-Identifier: MIT */

/* The station's receiver: what is heard, and when. */

#include "tests/virtual/station_scene.h"

#define HOUR (3600 * MONO_S)

static struct tape tape;

static void record(struct air *a, const int16_t block[AUDIO_BLOCK])
{
	(void)a;
	tape_put(&tape, block);
}

static void begin(struct air *a, const struct station_config *c)
{
	air_begin(a, c);
	tape.n = 0;
	a->receive = air_count_up;
	a->heard = record;
}

static void flat_changes_no_sample_and_adds_no_delay(void)
{
	struct air a;

	begin(&a, &station_config_flat);
	air_run(&a, 100 * MONO_MS);
	T_EQ(0, a.heard_blocks);
	air_inputs(&a, COR_IN_COR);
	air_run(&a, MONO_S);
	air_inputs(&a, 0);
	air_run(&a, MONO_S);
	T_EQ(50, a.heard_blocks);
	/* The block that ended when it was received. */
	T_EQ(SCENE_BEGIN + 100 * MONO_MS, a.first_heard);
	T_EQ(5 * AUDIO_BLOCK + 1, tape.sample[0]);
	tape_follows(&tape, 0, tape.n);
	T_EQ(0, a.edges);
	air_end(&a);
}

/* Debounce eats nothing of what is known to have begun with its block. */
static void inputs_that_come_with_a_block_lose_none(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.cor.attack_ms = 20;
	for (unsigned jitter = 0; jitter <= 9000; jitter += 3000) {
		begin(&a, &c);
		a.with_blocks = true;
		a.jitter_us = jitter;
		air_run(&a, 105 * MONO_MS);
		air_inputs(&a, COR_IN_COR);
		air_run(&a, MONO_S);
		air_inputs(&a, 0);
		air_run(&a, MONO_S);
		T_EQ(50, a.heard_blocks);
		T_EQ(6 * AUDIO_BLOCK + 1, tape.sample[0]);
		tape_follows(&tape, 0, tape.n);
		air_end(&a);
	}
}

static void the_first_block_comes_20_ms_after_the_debounce_at_most(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.cor.attack_ms = 25;
	for (unsigned phase = 0; phase < 20000; phase += 250) {
		mono_us up;

		begin(&a, &c);
		air_run(&a, 100 * MONO_MS + phase);
		up = a.now;
		air_inputs(&a, COR_IN_COR);
		air_run(&a, MONO_S);
		T_TRUE(a.first_heard >= up + 25 * MONO_MS);
		T_TRUE(a.first_heard <= up + 45 * MONO_MS);
		air_end(&a);
	}
}

static void a_spike_shorter_than_the_debounce_is_nothing(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.cor.attack_ms = 30;
	begin(&a, &c);
	for (unsigned i = 0; i < 1000; i++) {
		air_inputs(&a, COR_IN_COR);
		air_run(&a, 29 * MONO_MS);
		air_inputs(&a, 0);
		air_run(&a, 7 * MONO_MS);
	}
	T_EQ(0, a.heard_blocks);
	air_end(&a);
}

/* Words, and noise in the last 60 ms before the squelch shuts. */
#define WORD 1000
#define NOISE 30000
static mono_us shuts_at;

static void squelch(struct air *a, int16_t block[AUDIO_BLOCK])
{
	const mono_us began = a->now - BLOCK_MS * MONO_MS;

	for (size_t i = 0; i < AUDIO_BLOCK; i++) {
		const mono_us t = began + i * 125;

		block[i] = t + 60 * MONO_MS >= shuts_at ? NOISE : WORD;
	}
}

static void the_squelch_tail_is_not_heard_and_the_words_are(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.cor.attack_ms = 20;
	c.cor.release_ms = 40;
	c.cor.tail_ms = 120;
	for (unsigned phase = 0; phase < 20; phase++) {
		size_t words = 0;

		begin(&a, &c);
		a.receive = squelch;
		air_run(&a, 100 * MONO_MS + phase * MONO_MS);
		shuts_at = a.now + MONO_S;
		air_inputs(&a, COR_IN_COR);
		air_run(&a, MONO_S);
		air_inputs(&a, 0);
		air_run(&a, MONO_S);
		for (size_t i = 0; i < tape.n; i++) {
			T_TRUE(tape.sample[i] != NOISE);
			words += tape.sample[i] == WORD;
		}
		/* All but 80 ms before the end, in whole blocks. */
		T_TRUE(words >= (size_t)(920 - 20) * 8);
		air_end(&a);
	}
}

static struct station_config kerchunk_config(void)
{
	struct station_config c = station_config_flat;

	c.cor.attack_ms = 20;
	c.cor.release_ms = 40;
	c.cor.kerchunk_ms = 500;
	c.cor.kerchunk_idle_s = 10;
	return c;
}

static void a_kerchunk_is_not_heard_and_does_not_key(void)
{
	struct station_config c = kerchunk_config();
	struct station_view v;
	struct air a;

	c.duplex = DUPLEX_FULL;
	begin(&a, &c);
	for (unsigned i = 0; i < 20; i++) {
		air_run(&a, 11 * MONO_S);
		air_inputs(&a, COR_IN_COR);
		air_run(&a, 300 * MONO_MS);
		air_inputs(&a, 0);
	}
	air_run(&a, MONO_S);
	T_EQ(0, a.heard_blocks);
	T_EQ(0, a.edges);
	station_view(a.s, &v);
	T_EQ(20, v.cor.kerchunks);
	T_EQ(0, v.cor.overs);
	air_end(&a);
}

/* Held back for half a second, and nothing of it lost. */
static void a_real_over_is_heard_from_its_first_sample(void)
{
	const struct station_config c = kerchunk_config();
	struct air a;

	for (unsigned phase = 0; phase < 20; phase++) {
		size_t said;

		begin(&a, &c);
		a.jitter_us = 4000;
		air_run(&a, 11 * MONO_S + phase * MONO_MS);
		said = (size_t)((a.now - SCENE_BEGIN) / 125);
		air_inputs(&a, COR_IN_COR);
		air_run(&a, 3 * MONO_S);
		air_inputs(&a, 0);
		air_run(&a, 2 * MONO_S);
		T_TRUE(a.first_heard >=
		       SCENE_BEGIN + 11 * MONO_S + 500 * MONO_MS);
		/* What ended at the edge has begun a block before it; beats
		 * are late by 4 ms. */
		T_TRUE((said + 192 + 30011 - (size_t)tape.sample[0]) % 30011 <
		       2 * AUDIO_BLOCK + 64);
		tape_follows(&tape, 0, (size_t)3 * AUDIO_HZ);
		air_end(&a);
	}
}

static void a_stuck_receiver_is_not_believed_until_it_closes(void)
{
	struct station_config c = station_config_flat;
	struct station_view v;
	struct air a;

	c.cor.stuck_s = 600;
	c.duplex = DUPLEX_FULL;
	air_begin(&a, &c);
	air_inputs(&a, COR_IN_COR);
	air_run(&a, HOUR);
	T_EQ(600 * 50, a.heard_blocks);
	T_TRUE(station_stuck(a.s) && !station_received(a.s));
	/* Three minutes of these ten it was keyed. */
	T_EQ(2, a.edges);
	T_EQ(180 * 50, a.keyed_blocks);
	air_inputs(&a, 0);
	air_run(&a, MONO_S);
	T_TRUE(!station_stuck(a.s));
	air_inputs(&a, COR_IN_COR);
	air_run(&a, MONO_S);
	T_EQ(601 * 50, a.heard_blocks);
	T_TRUE(a.keyed);
	station_view(a.s, &v);
	T_EQ(1, v.cor.stuck);
	T_EQ(1, v.timeouts);
	air_end(&a);
}

static void several_inputs_count_as_they_are_configured(void)
{
	static const struct {
		unsigned all, any, inputs;
		bool heard;
	} rows[] = {
		{ COR_IN_COR, 0, COR_IN_COR, true },
		{ COR_IN_COR, 0, COR_IN_CTCSS, false },
		{ COR_IN_CTCSS, 0, COR_IN_CTCSS, true },
		{ COR_IN_COR | COR_IN_CTCSS, 0, COR_IN_COR, false },
		{ COR_IN_COR | COR_IN_CTCSS, 0, COR_IN_COR | COR_IN_CTCSS,
		  true },
		{ 0, COR_IN_COR | COR_IN_CTCSS, COR_IN_CTCSS, true },
		/* What hears itself is not for the hardware to say. */
		{ COR_IN_VOX, 0, COR_IN_VOX, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct station_config c = station_config_flat;
		struct air a;

		c.cor.all = rows[i].all;
		c.cor.any = rows[i].any;
		air_begin(&a, &c);
		air_inputs(&a, rows[i].inputs);
		air_run(&a, MONO_S);
		T_EQ(rows[i].heard, a.heard_blocks > 0);
		air_end(&a);
	}
}

int main(void)
{
	T_RUN(flat_changes_no_sample_and_adds_no_delay);
	T_RUN(inputs_that_come_with_a_block_lose_none);
	T_RUN(the_first_block_comes_20_ms_after_the_debounce_at_most);
	T_RUN(a_spike_shorter_than_the_debounce_is_nothing);
	T_RUN(the_squelch_tail_is_not_heard_and_the_words_are);
	T_RUN(a_kerchunk_is_not_heard_and_does_not_key);
	T_RUN(a_real_over_is_heard_from_its_first_sample);
	T_RUN(a_stuck_receiver_is_not_believed_until_it_closes);
	T_RUN(several_inputs_count_as_they_are_configured);
	return T_DONE();
}
