/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_PROGRESS_H
#define DAEMON_CONSOLE_PROGRESS_H

/*
 * How far a connect is: on a terminal one line that grows and gives way to how
 * it ended, elsewhere a line for each step.  From the daemon's notifications
 * "progress".
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define PROGRESS_ROOM 256U

struct progress {
	bool screen;
	unsigned columns; /* of a screen */
	bool drawn;       /* the cursor is at the line's end */
	char line[PROGRESS_ROOM];
};

/* As standard output is. */
struct progress progress_new(void);
/* @params have been made plain. */
void progress_take(struct progress *p, const json_t *params, FILE *to);
/* It ended; where it did badly, the line stays to tell how far it came. */
void progress_end(struct progress *p, bool well, FILE *to);

#endif
