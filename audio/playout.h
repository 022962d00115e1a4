/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_PLAYOUT_H
#define AUDIO_PLAYOUT_H

/*
 * Decoded speech on its way out of a jitter buffer: concealed where it is
 * missing, stretched or shortened as the buffer advises, and cut into blocks
 * of 20 ms.  What is left of a longer block waits for the next, and is given
 * up again when it can be.
 *
 * An over of a sender whose clock is known to differ goes through a resampler,
 * which adds 2.5 ms, and is played at that sender's pace where that matters.
 *
 *	while (playout_wants(p)) {
 *		got = jitter_get(j, now, &block);
 *		if (got == JITTER_IDLE)
 *			break;
 *		playout_pace();
 *		decode, then playout_put(p, pcm, valid, advice);
 *	}
 *	playout_take(p, out);
 *
 * Samples of 16 bits at 8 kHz.  Pure; no allocation.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/jitter.h"
#include "audio/pace.h"
#include "audio/plc.h"
#include "audio/resample.h"
#include "audio/wsola.h"

#define PLAYOUT_BLOCK 160U
#define PLAYOUT_MAX (2 * PLAYOUT_BLOCK + 2 * WSOLA_LAG_MAX + 8)

struct playout {
	struct plc plc;
	bool sounding; /* something was played, and its end was not */
	bool shrunk;   /* in this block of 20 ms: not twice */
	size_t n;
	struct resample *resample; /* the caller's; NULL: none */
	bool paced;                /* this over goes through it */
	struct pace pace;
	int16_t pcm[PLAYOUT_MAX]; /* not taken yet */
};

/* The resampler, from 8 kHz to 8 kHz and adjustable, stays. */
void playout_reset(struct playout *p);

/* What the next block was when it was taken: held for @held_ms where the network
 * takes @target_ms, of a sender whose clock is fast by @clock_ppm. */
void playout_pace(struct playout *p, double clock_ppm, uint32_t held_ms,
		  uint32_t target_ms);

/* A block cannot be given without more. */
bool playout_wants(const struct playout *p);

/* How long what is put in next waits here, in microseconds. */
uint32_t playout_held_us(const struct playout *p);

/* A block while playout_wants(); bit n of @valid: millisecond n is there. */
void playout_put(struct playout *p, const int16_t pcm[PLAYOUT_BLOCK],
		 uint32_t valid, enum jitter_advice advice);

/* The next 20 ms.  When there are fewer samples, speech is over: they are faded
 * out.  False, and silence, when there was nothing left. */
bool playout_take(struct playout *p, int16_t out[PLAYOUT_BLOCK]);

#endif
