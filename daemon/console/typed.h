/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_TYPED_H
#define DAEMON_CONSOLE_TYPED_H

/*
 * Lines that a person types, or a pipe brings.  Ctrl-C and whatever else asks
 * the program to end do so between two octets and never in between what it
 * does: each such signal waits until the next line is read.
 */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#define TYPED_MAX 1024U /* octets of a line; a longer one comes in pieces */
#define TYPED_SIGNALS 4U

struct typed {
	struct sigaction before[TYPED_SIGNALS];
	sigset_t mask; /* as it was */
	char text[TYPED_MAX + 1];
	size_t n;    /* octets read of it */
	size_t used; /* of them, of the lines before */
	bool over;   /* no more comes, or a signal did */
};

void typed_begin(struct typed *t);
/* Forgets what was typed.  A signal that came ends the program now, as it would
 * have without us; after Ctrl-C it goes on. */
void typed_end(struct typed *t);
/* The next line, without its end, and not shown if it is a secret; valid until
 * the next call.  NULL: there is none, or the program is to end. */
char *typed_line(struct typed *t, bool secret);

#endif
