/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_SOUND_H
#define AUDIO_SOUND_H

/*
 * Between a sound card, which runs by its own clock at 48 kHz, and the loop,
 * which wants 20 ms at 8 kHz each 20 ms: two rings, what each side does with
 * them, and the following of the card's clock (drift.h).
 *
 *	thread	sound_in_*(), sound_out_*(): samples between card and ring, and
 *		a note of what the card's clock did since the last one
 *	loop	the calls of sound_device(): conversion, level, drift
 *
 * What is held, in the card, the ring and the converter together, is kept at a
 * level by changing the ratio of the conversion alone.  The level is as low as
 * the card and the machine allow: it begins at a few ms, rises when it did not
 * suffice and falls again, slower with each time.  Samples are left out or put in only when a stream begins, and
 * after it broke, which counts as an xrun.
 *
 * A PCM without a clock, such as a file, goes by ours.
 *
 * Nothing allocates but sound_new(); nothing waits; time is an argument, or the
 * clock that the owner gives.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "audio/device.h"
#include "audio/drift.h"
#include "audio/pcm.h"
#include "audio/resample.h"
#include "audio/ring.h"

#define SOUND_STARVED_US 200000U /* without a block: the loop is stuck */

/* What the card's clock did, from the thread to the loop. */
struct sound_note {
	uint64_t us;      /* when it was noticed */
	uint32_t clocked; /* samples captured or played since the last note */
	uint32_t samples; /* put into the ring; or silence, by the thread */
	uint32_t from;    /* fresh: the ring's index where the stream begins */
	bool fresh;       /* the stream begins with this */
	bool resumed;     /* fresh, and it ran on while nobody listened */
};

/* What both sides of a direction know. */
struct sound_way {
	struct ring samples; /* 48 kHz */
	struct ring notes;
	_Atomic bool runs;
	_Atomic uint64_t breaks; /* streams that broke off */
};

/* The thread's side. */
struct sound_end {
	struct sound_way *way;
	struct pcm pcm;
	uint64_t moved;   /* samples read or written since it began */
	uint64_t clocked; /* of the card's clock, as noted */
	uint64_t began_us;
	bool fresh; /* the next note's */
	bool resumed;
	unsigned rest; /* sound.rest, as it was at the last turn */
	/* Captured only. */
	uint32_t unnoted; /* in the ring, for the next note */
	/* To be played only. */
	uint32_t silence;  /* written and not yet noted */
	uint32_t pushed;   /* the ring's index at the last look */
	uint64_t heard_us; /* when the loop last handed over */
	bool lasts;        /* what is written cannot be taken back */
};

/* The loop's side. */
struct sound_follow {
	struct sound_way *way;
	struct drift drift;
	struct resample *resample;
	double least_ms;  /* what target_ms begins with */
	double target_ms; /* to be held, just before a block is taken or given */
	double excess_ms; /* held beyond it, when last looked at */
	double level_ms;  /* the same, smoothed: the ratio goes by it */
	int64_t count;    /* the card's samples that the loop had or gave */
	unsigned settle;  /* blocks until the level is set; 0: it is */
	unsigned astray;  /* blocks since it was near enough */
	unsigned event; /* blocks: what breaks within them is the same event */
	uint32_t quiet; /* blocks since it broke, or target_ms fell */
	uint32_t hold;  /* blocks until it falls */
	unsigned young; /* blocks until the stream is like any other */
	bool began;
	bool awaits;    /* a fresh stream: what is noted before it is old */
	uint64_t slips; /* times that samples were left out or put in */
};

#define SOUND_WAITS_MAX 8192U /* samples of 8 kHz, 1 s */

struct sound {
	struct sound_way in_way, out_way;
	struct sound_end in, out;                  /* the thread's */
	struct sound_follow in_follow, out_follow; /* the loop's, as below */
	int16_t waits[SOUND_WAITS_MAX];
	uint32_t waits_n;
	uint32_t leave_out; /* of what is to be played, samples */
	uint64_t (*now_us)(void *ctx);
	void *ctx;
	_Atomic unsigned rest; /* odd: the loop neither takes nor gives */
	_Atomic bool starved;
	_Atomic uint64_t starvations;
};

/* @now_us is CLOCK_MONOTONIC, asked in the loop's calls.  NULL without memory. */
struct sound *sound_new(uint64_t (*now_us)(void *ctx), void *ctx);
/* The thread has ended.  Accepts NULL; returns NULL. */
struct sound *sound_free(struct sound *s);

/* --- the thread's ------------------------------------------------------- */

/* Use @pcm from now on, or none when it has no ops; then forget it.  0, or what
 * its begin() answered: it is not used then. */
int sound_in_set(struct sound *s, struct pcm pcm, uint64_t now_us);
int sound_out_set(struct sound *s, struct pcm pcm, uint64_t now_us);

/*
 * Move what is there, as it is at @now_us.  To be called each SOUND_TURN_US or
 * as soon as so much is captured; without a PCM it does nothing.  0, or -errno:
 * the card is lost.
 */
#define SOUND_TURN_US 5000U
/* Instead, while this is true: the loop rests, and the card takes what that
 * needs. */
#define SOUND_REST_US 80000U
bool sound_sleeps(const struct sound *s);
int sound_in_turn(struct sound *s, uint64_t now_us);
int sound_out_turn(struct sound *s, uint64_t now_us);

/* --- the loop's --------------------------------------------------------- */

int sound_capture(struct sound *s, int16_t out[AUDIO_BLOCK]);
int sound_play(struct sound *s, const int16_t in[AUDIO_BLOCK]);
struct audio_device_status sound_status(const struct sound *s);

/* Neither takes nor gives from now on, or does so again; wake the thread then.
 * Meanwhile silence is played, and what is captured is forgotten but for the
 * last moment. */
void sound_rest(struct sound *s, bool rests);
bool sound_rests(const struct sound *s);

/* How long a sample is under way between the card and the loop, in ms, as it is
 * now: held, and the converter's delay. */
double sound_in_delay_ms(const struct sound *s);
double sound_out_delay_ms(const struct sound *s);

#endif
