/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_HOOKS_H
#define DAEMON_IO_HOOKS_H

/*
 * A program of the operator's that is run once for each event, with the event
 * on its standard input.  It is run without a shell, with an environment of its
 * own, and killed with whatever it began when it takes too long.  No more than
 * HOOKS_RUNNING run at once and HOOKS_WAITING wait; the rest is counted and
 * forgotten.  Nothing blocks.
 */

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#define HOOKS_RUNNING 4U
#define HOOKS_WAITING 64U
#define HOOKS_TEXT_MAX 16384U /* octets of an event */

struct hooks;

struct hooks_counters {
	uint64_t run;
	uint64_t failed; /* it could not be run, or said so by its status */
	uint64_t late;   /* killed */
	uint64_t lost;   /* no room, or too long */
};

/* NULL without memory. */
struct hooks *hooks_new(struct event_base *base);
/* What runs is killed, what waits forgotten.  Accepts NULL, returns NULL. */
struct hooks *hooks_free(struct hooks *h);
/* Run @program (copied; empty: none from now on), at most @limit_s long. */
void hooks_configure(struct hooks *h, const char *program, unsigned limit_s);
/* An event, which is copied; a line feed follows it. */
void hooks_tell(struct hooks *h, const char *text);

const struct hooks_counters *hooks_counters(const struct hooks *h);

#endif
