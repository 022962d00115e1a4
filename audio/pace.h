/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_PACE_H
#define AUDIO_PACE_H

/*
 * How fast to play speech of a sender whose clock differs from ours, so that
 * its delay neither runs out nor grows.
 *
 * Blocks are asked for at ticks of 20 ms, and how long one has waited then
 * drifts with the clocks, through all of a block: a delay that can be kept is
 * as much above what the network takes.  Short overs end before that matters.
 * So nothing is done until it does, and from then on the delay is led there and
 * kept.
 *
 * Pure; no allocation.
 */

#include <stdbool.h>

struct pace {
	bool on;
	double depth_ms; /* of late */
};

struct pace_in {
	double clock_ppm; /* by which the sender is fast */
	double held_ms;   /* of a block when it is taken, */
	double left_ms;   /* and what is to be played before it */
	double target_ms; /* what the network takes */
};

/* For resample_adjust(), with each block.  Zeros are a pace at the beginning
 * of an over. */
double pace_ppm(struct pace *p, const struct pace_in *in);

#endif
