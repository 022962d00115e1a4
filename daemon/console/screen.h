/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_SCREEN_H
#define DAEMON_CONSOLE_SCREEN_H

/*
 * A terminal's screen as cells: it is drawn anew in memory each time, and what
 * differs from the time before is all that is sent, so that a slow line has
 * little to carry.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SCREEN_COLUMNS_MAX 200U
#define SCREEN_LINES_MAX 100U

enum screen_look {
	SCREEN_PLAIN,
	SCREEN_HEAD, /* a table's head */
	SCREEN_DIM,
	SCREEN_GOOD,
	SCREEN_WARN,
	SCREEN_BAD,
	SCREEN_LOOKS,
};

struct screen_cell {
	uint16_t ch; /* see plain.h */
	uint8_t look;
};

struct screen {
	unsigned columns; /* 1..SCREEN_COLUMNS_MAX */
	unsigned lines;   /* 1..SCREEN_LINES_MAX */
	struct screen_cell cell[];
};

/* Blank.  Sizes out of range are brought into it.  NULL without memory. */
struct screen *screen_new(unsigned columns, unsigned lines);
/* Accepts NULL, returns NULL. */
struct screen *screen_free(struct screen *s);

/*
 * Write @text, made plain, from @column on, at most @width columns of it;
 * beyond the edges nothing is written.  Returns the column after it.
 */
unsigned screen_text(struct screen *s, unsigned line, unsigned column,
		     unsigned width, enum screen_look look, const char *text);

/*
 * The octets that turn what a terminal shows from @was into @now.  @was NULL
 * or of another size: it is cleared first.  Without @colour all looks are
 * plain.
 */
void screen_update(FILE *to, const struct screen *was, const struct screen *now,
		   bool colour);

#endif
