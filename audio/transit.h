/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_TRANSIT_H
#define AUDIO_TRANSIT_H

/*
 * How late a network brings the frames of one stream.
 *
 * A transit is a frame's arrival minus its timestamp, in microseconds.  The
 * two clocks are not the same, so only differences mean anything: the lateness
 * of a frame is its transit minus the least recent one.  Pure; no allocation.
 */

#include <stdbool.h>
#include <stdint.h>

#define TRANSIT_BUCKETS 128U
#define TRANSIT_BUCKET_MS 4U

struct transit {
	bool known;           /* a base has been set */
	int64_t base_us;      /* the least transit of the last 5 to 10 s */
	int64_t window_us;    /* the least in the window that is filling */
	uint32_t window_n;    /* frames in it */
	uint32_t weights_sum; /* of weight[] */
	uint32_t weight[TRANSIT_BUCKETS]; /* by lateness; old ones fade */
};

/* Forget the base: @transit_us is the first of another timeline.  What was
 * learned about the spread stays. */
void transit_rebase(struct transit *t, int64_t transit_us);

/* Account for a frame; transit_rebase() came before the first. */
void transit_add(struct transit *t, int64_t transit_us);

/* Delay in ms that would have been enough for 98 in 100 of the recent frames;
 * at most TRANSIT_BUCKETS * TRANSIT_BUCKET_MS, 0 before the first. */
uint32_t transit_quantile_ms(const struct transit *t);

#endif
