/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_DRIFT_H
#define AUDIO_DRIFT_H

/*
 * How much faster than CLOCK_MONOTONIC a sound device's clock runs, and what
 * ratio keeps the buffer between the two at its level.
 *
 * The device's blocks are stamped when they are noticed, which is late by a
 * varying amount.  A delay-locked loop of second order (a PI loop on the time
 * of the blocks) filters that.  For a second it finds the blocks' place in time
 * alone; then the rate, too: its bandwidth starts at 0.5 Hz and narrows to
 * 0.02 Hz within 50 s, so that it is within 20 ppm after 30 s and within 5 in
 * the long run, for stamps up to 2 ms late.
 *
 * What the clocks differ by is fed forward to the resampler; the buffer's level
 * adds the little that puts it back in its middle.  So nothing is ever left out
 * or put in, and the level stays within 5 ms.
 *
 * Pure: time is an argument, in microseconds of any monotonic clock.
 */

#include <stdbool.h>
#include <stdint.h>

#define DRIFT_PPM_MAX 500.0       /* further off no crystal is */
#define DRIFT_LEVEL_PPM_MAX 400.0 /* what the level may add */

struct drift {
	double rate_hz;  /* as the device says */
	double us;       /* a sample's time as measured */
	double last_us;  /* filtered time of the newest stamp, from start_us */
	double age_us;   /* of the loop */
	double place_us; /* until it knows its place, and looks at the rate */
	uint64_t start_us;
	uint64_t stamp_us; /* the newest stamp */
	uint64_t count;    /* samples at that stamp */
	uint64_t restarts; /* gaps in the stream */
	bool locked;       /* there was a stamp */
	bool resumed;      /* the next stamp, the first, keeps the age */
};

/* @rate_hz is 8000..192000. */
void drift_init(struct drift *d, unsigned rate_hz);

/* The stream begins anew, with no sample counted; what was measured of the
 * clock is kept. */
void drift_restart(struct drift *d);

/* The stream was not watched for a while and goes on: as drift_restart(), and
 * what is known is trusted as before. */
void drift_resume(struct drift *d);

/*
 * The device has captured or played @n more samples, noticed at @now_us.  A
 * stamp half a second or more from where it should be starts the loop anew;
 * what was measured of the clock is kept.
 */
void drift_stamp(struct drift *d, uint32_t n, uint64_t now_us);

/* The device's samples at @now_us, with those it works on: at most 100 ms more
 * than were stamped, never less than those. */
double drift_count(const struct drift *d, uint64_t now_us);

/* The device's clock against the other, positive when it is fast. */
double drift_ppm(const struct drift *d);

/*
 * For resample_adjust().  @excess_ms is how much more than wanted is held
 * between the device and the node: what waits and drift_count() together.  It
 * is taken once in each of the node's ticks, always at the same point of it: in
 * between it goes up and down by a block.
 */
double drift_capture_ppm(const struct drift *d, double excess_ms);
double drift_playback_ppm(const struct drift *d, double excess_ms);

#endif
