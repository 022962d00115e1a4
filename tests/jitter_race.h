/* SPDX-License-Identifier: MIT */
#ifndef TESTS_JITTER_RACE_H
#define TESTS_JITTER_RACE_H

/*
 * The jitter buffer against others over the same network.
 *
 * Delay is from a frame's sending to its playing, of those that are played.
 * All are asked for blocks at the same ticks of 20 ms.  Late, in each over, are
 * the frames that are not played, or those that fell due while there was
 * nothing to play, whichever are more: a gap that waits for frames is no better
 * than one that leaves them out.
 */

#include "tests/jitter_net.h"

struct race_result {
	double late_pct;
	double mean_delay_ms;
	double stretched_pct; /* of blocks: made longer or shorter */
};

enum race_method { RACE_FIXED, RACE_RAMJEE, RACE_OURS, RACE_METHODS };

/*
 * RACE_FIXED: each over is played @parameter ms after its first frame came.
 * RACE_RAMJEE: Ramjee, Kurose, Towsley, Schulzrinne, "Adaptive playout
 * mechanisms for packetized audio applications in wide-area networks", INFOCOM
 * 1994, algorithm 1; @parameter is the factor of the spread, 4 there.
 * RACE_OURS: jitter.h and playout.h; @parameter is late_permille.
 */
struct race_result race_run(const struct net *net, enum race_method method,
			    double parameter);

/* The parameters that are tried, from least delay to most. */
#define RACE_STEPS 24U

struct race_curve {
	size_t n;
	struct race_result at[RACE_STEPS];
};

void race_sweep(const struct net *net, enum race_method method,
		struct race_curve *curve);

/* The least delay with @late_pct late, between the points of @curve.  Negative:
 * none loses as little, or all lose less. */
double race_delay_at(const struct race_curve *curve, double late_pct);

#endif
