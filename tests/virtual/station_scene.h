/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_STATION_SCENE_H
#define TESTS_VIRTUAL_STATION_SCENE_H

/*
 * A station in simulated time: a millisecond at a time, with a block in and a
 * block out every 20 ms.  The tests say what the hardware's inputs are, what
 * the receiver and the links sound like, and see what is heard and what is
 * transmitted.
 */

#include "daemon/node/station.h"
#include "tests/t.h"

#define SCENE_BEGIN (1000 * MONO_S)
#define BLOCK_MS 20U

struct air {
	struct station *s;
	mono_us now;
	unsigned inputs;  /* hardware's */
	bool with_blocks; /* inputs come with the blocks, as a simulation's */
	bool network;     /* a link speaks */
	/* What the receiver and the links sound like: fill the block that ends
	 * at air.now; NULL: silence. */
	void (*receive)(struct air *a, int16_t block[AUDIO_BLOCK]);
	void (*speak)(struct air *a, int16_t block[AUDIO_BLOCK]);
	/* Called for each block that was heard, and that was transmitted. */
	void (*heard)(struct air *a, const int16_t block[AUDIO_BLOCK]);
	void (*sent)(struct air *a, const int16_t block[AUDIO_BLOCK]);
	void *ctx;
	unsigned jitter_us; /* beats come so much late, at most */
	mono_us beat_at;
	uint32_t seed;
	/* What was seen. */
	bool hears;   /* the last block was heard */
	bool keyed;   /* PTT now */
	mono_us edge; /* when it last changed */
	mono_us first_heard;
	mono_us last_heard;
	unsigned heard_blocks;
	unsigned keyed_blocks;
	unsigned edges;
};

void air_begin(struct air *a, const struct station_config *config);
void air_end(struct air *a);
void air_run(struct air *a, mono_us span);
/* Inputs are these from now on. */
void air_inputs(struct air *a, unsigned inputs);
uint32_t air_random(struct air *a);

/* For .receive and .speak: sample after sample another value, from 1 on at
 * SCENE_BEGIN, never 0. */
void air_count_up(struct air *a, int16_t block[AUDIO_BLOCK]);

/* What was heard or sent, in a row. */
struct tape {
	int16_t sample[60 * AUDIO_HZ];
	size_t n;
};

void tape_put(struct tape *t, const int16_t block[AUDIO_BLOCK]);
/* The @n samples from @from on are what air_count_up() said, without a gap. */
void tape_follows(const struct tape *t, size_t from, size_t n);

/* A tone that goes on in phase. */
struct sound {
	double hz;
	double peak;
	double phase;
};

void sound_add(struct sound *t, int16_t block[AUDIO_BLOCK]);
/* The amplitude of @hz in @n samples. */
double sound_of(const int16_t *samples, size_t n, double hz);

#endif
