/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_HISTORY_H
#define DAEMON_CONSOLE_HISTORY_H

/*
 * The shell's lines, kept in a file that only their owner reads; shells that
 * run at once share it.  A line that comes again is moved to the end.
 */

#include <stdbool.h>
#include <stddef.h>

#define HISTORY_LINES 500U
#define HISTORY_OCTETS 1024U /* of a line */

struct history {
	char *path; /* NULL: kept for this shell only */
	char *line[HISTORY_LINES];
	size_t n;
};

/* $XDG_STATE_HOME/keyhole/history, or ~/.local/state/keyhole/history; its
 * folder is made.  To be freed; NULL: there is none. */
char *history_path(void);
/* Read what @path holds, which is taken over and may be NULL. */
void history_open(struct history *h, char *path);
/* Blank lines, and those that begin with a blank, are not kept. */
void history_add(struct history *h, const char *line);
void history_close(struct history *h);

#endif
