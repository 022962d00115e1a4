/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_LIMITER_H
#define AUDIO_LIMITER_H

/*
 * What keeps speech within a transmitter's deviation: a limiter that looks 5 ms
 * ahead, and an automatic gain for those who speak softly.
 *
 * The limiter's gain reaches what a peak needs before the peak comes, so that
 * nothing overshoots and nothing is clipped; it lets go with a time constant of
 * 100 ms.  What stays under the ceiling passes unchanged, 5 ms later.
 *
 * The automatic gain holds in pauses, falls with 50 ms and rises with 2 s; the
 * limiter belongs behind it.  At 8 kHz, in place.  Pure; no allocation.
 */

#include <stddef.h>
#include <stdint.h>

#define LIMITER_AHEAD 40U /* samples, with the one that leaves */
#define LIMITER_DELAY (LIMITER_AHEAD - 1)

struct limiter {
	double ceiling;               /* largest magnitude out */
	double held;                  /* gain before smoothing */
	double release;               /* share of a sample, as below */
	unsigned at;                  /* in the rings */
	int16_t line[LIMITER_AHEAD];  /* samples on their way */
	double needed[LIMITER_AHEAD]; /* the gain for each */
	double smooth[LIMITER_AHEAD]; /* held ones, to be averaged */
};

/* @ceiling_dbfs is -40..0. */
void limiter_init(struct limiter *l, double ceiling_dbfs);
void limiter_run(struct limiter *l, int16_t *samples, size_t n);

struct agc {
	double target;   /* root mean square, in sample units */
	double gain_max; /* a factor; it never goes below 1 / gain_max */
	double gain;
	double power;  /* of the last 20 ms or so */
	double window; /* a sample's share in a time constant */
	double fall;
	double rise;
};

/* @target_dbfs of the average is -40..-6, @range_db 0..24 both ways. */
void agc_init(struct agc *a, double target_dbfs, double range_db);
void agc_run(struct agc *a, int16_t *samples, size_t n);

#endif
