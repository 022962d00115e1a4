/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_SOUND_SCENE_H
#define TESTS_UNIT_SOUND_SCENE_H

/*
 * A sound device (audio/sound.h) in virtual time, from the card to the loop's
 * blocks: a card whose clock is off and which moves its samples in batches, a
 * thread that is woken late and a loop whose beat is late.  What passes is a
 * tone, so that every sample left out or put in is heard.
 */

#include "audio/sound.h"

#define SCENE_BATCH 240U /* samples the card moves at once */
/* What a break of one sample at 48 kHz exceeds by far: it makes over 1000. */
#define SCENE_CLICK 60.0
#define SCENE_TONE 48U /* samples of 1 kHz at 48 kHz */

/* A tone goes on as it went: x[n+1] = 2 cos(w) x[n] - x[n-1]. */
struct ear {
	double twice_cos;
	double x[2];
	uint64_t n;
	double worst;
};

struct card {
	struct sound *sound;
	int16_t tone[SCENE_TONE]; /* at 48 kHz; each sixth at 8 kHz */
	double rate;              /* samples a virtual second, really */
	double clock;             /* samples of it, at clock_us */
	uint64_t clock_us;
	uint64_t now; /* us */
	uint64_t read, written;
	uint64_t begun[2];
	uint64_t turns;
	uint64_t turn_at, beat_at;
	uint32_t seed;
	uint32_t turn_late, beat_late; /* us, at most */
	uint32_t seldom_late;          /* us more, one turn or beat in 50 */
	bool stuck;                    /* the loop */
	bool gone;
	bool settled;
	struct ear in_ear, out_ear;
	double least[2], most[2]; /* ms off the level, capture and playback */
	uint64_t none;
	uint64_t blocks;
	unsigned phase; /* of what the loop plays */
};

/* A card @ppm fast, both ways in use.  Nothing is to be freed but c->sound. */
void scene_new(struct card *c, double ppm);
/* From now on it is @ppm fast. */
void scene_set_ppm(struct card *c, double ppm);
/* Let @for_us pass. */
void scene_run(struct card *c, uint64_t for_us);
/* The loop rests, or beats again in 8 ms; the thread hears of it at once. */
void scene_rest(struct card *c, bool rests);
/* From now on every sample and the level are looked at. */
void scene_settled(struct card *c);

extern const struct pcm_ops scene_in_ops, scene_out_ops;
/* What those do. */
int scene_in_begin(void *self, uint32_t silence);
int scene_in_held(void *self);
int scene_in_read(void *self, int16_t *out, uint32_t n);
int scene_out_begin(void *self, uint32_t silence);
int scene_out_held(void *self);
int scene_out_write(void *self, const int16_t *in, uint32_t n);
int scene_out_rewind(void *self, uint32_t n);

#endif
