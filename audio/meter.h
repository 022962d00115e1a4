/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_METER_H
#define AUDIO_METER_H

/*
 * Level meter: peak and average over a window, in dBFS, and clipped samples.
 * 0 dBFS is a magnitude of 32768, so a sine at full scale has a peak of 0 and
 * an average of -3.01.  Pure; no allocation.
 */

#include <stddef.h>
#include <stdint.h>

#define METER_FLOOR_DBFS (-99.0) /* stands for silence */

struct meter_level {
	double peak_dbfs;    /* METER_FLOOR_DBFS..0 */
	double average_dbfs; /* of the power, METER_FLOOR_DBFS..0 */
	uint64_t clipped;    /* samples since meter_init() that u-law clips */
};

struct meter_window {
	uint64_t energy; /* sum of squares */
	uint32_t peak;   /* largest magnitude, 0..32768 */
	uint32_t n;      /* samples */
};

struct meter {
	uint32_t length; /* samples in a window */
	uint64_t clipped;
	struct meter_window now;  /* being filled */
	struct meter_window last; /* complete; n is 0 before the first is */
};

/* @window_ms is 1..60000, at @rate_hz up to 48000. */
void meter_init(struct meter *m, unsigned rate_hz, unsigned window_ms);

void meter_add(struct meter *m, const int16_t *samples, size_t n);

/* The last complete window, or what there is before the first is complete. */
struct meter_level meter_read(const struct meter *m);

#endif
