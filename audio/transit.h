/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_TRANSIT_H
#define AUDIO_TRANSIT_H

/*
 * How late a network brings the frames of one stream.
 *
 * A transit is a frame's arrival minus its timestamp, in microseconds.  The
 * two clocks are not the same, so only differences mean anything: the lateness
 * of a frame is its transit minus the base, which is the least of late.
 *
 * When half a second of frames is later than the base by more than they differ
 * among themselves, the route became longer or the timestamps jumped: the base
 * moves, and what those frames said about lateness is corrected.  A base that
 * falls far is only believed when more frames agree.
 *
 * What a longer delay is worth: a frame that was held up behind others is not
 * late for its own sake.  One more block of delay saves one frame each time
 * that the network holds speech back for longer than the delay, whether for
 * 100 ms or for a second.  So of those that were held up together only the
 * first counts as late, and the quantile is of that.
 *
 * Pure; no allocation; the work of a call is bounded.
 */

#include <stdbool.h>
#include <stdint.h>

#define TRANSIT_FRAMES 4096U /* remembered: 80 s of frames of 20 ms */
#define TRANSIT_RECENT 32U   /* frames that move the base: 0.6 s */
#define TRANSIT_BUCKETS 256U
#define TRANSIT_BUCKET_MS 2U

struct transit {
	bool known;        /* a base has been set */
	int64_t base_us;   /* the least transit of the last 5 to 10 s */
	int64_t window_us; /* the least in the window that is filling */
	uint32_t window_n; /* frames in it */
	uint32_t early;    /* frames in a row far below the base */
	int64_t early_us;  /* the greatest of their transits */

	uint32_t recent_n; /* frames on this base, up to TRANSIT_RECENT */
	int64_t recent_us[TRANSIT_RECENT]; /* their transits, a ring */

	uint32_t frames; /* remembered */
	uint32_t next;   /* counts on; where in the rings the next one goes */
	uint8_t bucket[TRANSIT_FRAMES];  /* lateness, a ring */
	uint16_t count[TRANSIT_BUCKETS]; /* of those, by bucket */
};

/* Forget the base: @transit_us is the first of another timeline.  What was
 * learned about the spread stays. */
void transit_rebase(struct transit *t, int64_t transit_us);

/* Account for a frame; transit_rebase() came before the first. */
void transit_add(struct transit *t, int64_t transit_us);

/* Delay in ms that would have been too short @late_permille times in 1000 of the
 * frames remembered; at most TRANSIT_BUCKETS * TRANSIT_BUCKET_MS, 0
 * before the first. */
uint32_t transit_quantile_ms(const struct transit *t, uint32_t late_permille);

#endif
