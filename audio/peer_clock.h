/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_PEER_CLOCK_H
#define AUDIO_PEER_CLOCK_H

/*
 * How much faster than ours the clock runs that a stream's sender samples by,
 * from when its frames come.
 *
 * A transit is a frame's arrival minus its timestamp.  Of each second the least
 * one counts, which the network delayed least; how they fall or rise is the
 * difference of the clocks.  Senders may shift their timestamps from one talk
 * spurt to the next, and routes change: so a straight line is laid through each
 * stretch of speech by itself, and the slopes are put together, the last ten
 * minutes of speech most.  A stretch whose seconds differ by milliseconds says
 * nothing of clocks and is left out.
 *
 * Pure; no allocation; the work of a call is bounded.
 */

#include <stdbool.h>
#include <stdint.h>

/* Sums of a straight line through points, from their means: s and us. */
struct peer_line {
	double n, xx, xy, yy;
};

struct peer_clock {
	bool begun; /* there is a stretch */
	int64_t begin_us;
	int64_t begin_transit_us;
	/* The second that is filling. */
	uint32_t frames;
	int64_t second_us;
	int64_t least_us;    /* the least transit in it, */
	int64_t least_at_us; /* of a frame that came then */
	/* The stretch. */
	double mean_x, mean_y;
	struct peer_line now;
	struct peer_line past; /* stretches before it */
};

/* Zeros are a clock of which nothing is known. */

/* What follows is not to be compared with what was. */
void peer_clock_break(struct peer_clock *c);

/* A frame came at @now_us. */
void peer_clock_add(struct peer_clock *c, uint64_t now_us, int64_t transit_us);

/* By how much the sender's clock is fast; 0 while that is not known, or cannot
 * be told from none. */
double peer_clock_ppm(const struct peer_clock *c);

#endif
