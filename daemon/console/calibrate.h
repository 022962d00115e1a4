/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_CALIBRATE_H
#define DAEMON_CONSOLE_CALIBRATE_H

/*
 * Calibration, as far as it is arithmetic.  What the network's nodes send one
 * another averages -12 dBFS, with peaks of at most -3 dBFS: what a receiver
 * makes of 1 kHz at 3 kHz deviation, of 5 kHz at most, is to average -12 dBFS;
 * a tone at that level is to make 3 kHz of deviation.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/console/meters.h"

#define CALIBRATE_AVERAGE_DBFS (-12.0)
#define CALIBRATE_PEAK_DBFS (-3.0)
#define CALIBRATE_NEAR_DB 1.0
#define CALIBRATE_HZ 1000
#define CALIBRATE_TONE_DBFS (-9.0) /* a sine's peak: its average is -12 */
#define CALIBRATE_KHZ 3.0

/* What was received: readings of a tenth of a second each. */
struct calibrate {
	struct meters_sum sum;
	unsigned skip;   /* readings not to be believed yet */
	uint64_t before; /* clipped samples, before the first that counts */
	bool counting;
};

/* The first @skip readings in which somebody is received do not count. */
void calibrate_begin(struct calibrate *c, unsigned skip);
void calibrate_add(struct calibrate *c, const struct meters *m);

struct calibrate_level {
	bool heard; /* else the rest is 0 */
	double average_dbfs, peak_dbfs;
	uint64_t clipped;
};
struct calibrate_level calibrate_level(const struct calibrate *c);

/* By how much it is to be louder, in dB.  Where samples were clipped nobody
 * knows: at least 6 dB less. */
double calibrate_change_db(const struct calibrate_level *l);
/* By how much a transmitter of that deviation is to be louder. */
double calibrate_deviation_db(double khz);

/* @db changed by @by within @min..@max, to the tenth; never -0.0. */
double calibrate_gain(double db, double by, double min, double max);

#endif
