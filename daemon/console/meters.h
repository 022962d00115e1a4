/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_METERS_H
#define DAEMON_CONSOLE_METERS_H

/*
 * The radio's meters as text: a screen that is drawn over and over, and a
 * line.  Pure: from what the daemon's method "levels" tells to characters.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METERS_COLUMNS_MAX 80U
#define METERS_LINES 5U
#define METERS_ROOM 1024U /* octets of a screen or a line, with its NUL */
#define METERS_FLOOR_DBFS (-99.0)

struct meters_way {
	double average_dbfs;
	double peak_dbfs;
	uint64_t clipped; /* samples, since the daemon started */
};

struct meters {
	struct meters_way rx, tx;
	bool cor, stuck, ctcss, vox, ptt, running;
	char ptt_state[16];
	double drift_ppm;
	uint64_t xruns;
};

/* What is not told is 0, or silence. */
void meters_read(const json_t *levels, struct meters *out);

/* Several readings as one: the average of their power, the greatest peak; the
 * rest is of the last. */
struct meters_sum {
	double power[2];
	struct meters all;
	unsigned n;
};
void meters_add(struct meters_sum *s, const struct meters *m);
/* With no reading added it is silence. */
struct meters meters_taken(const struct meters_sum *s);

/* What is shown besides the reading itself. */
struct meters_shown {
	double rx_held_dbfs, tx_held_dbfs; /* the greatest peak of late */
	uint64_t rx_clipped, tx_clipped;   /* since it is watched */
};

/* METERS_LINES lines, each with its newline and narrower than @columns, which
 * count as METERS_COLUMNS_MAX at most.  @colour: with escapes between. */
void meters_screen(const struct meters *m, const struct meters_shown *shown,
		   unsigned columns, bool colour, char out[METERS_ROOM]);

/* One line, without a newline, for a file or a pipe. */
void meters_line(const struct meters *m, const struct meters_shown *shown,
		 char out[METERS_ROOM]);

#endif
