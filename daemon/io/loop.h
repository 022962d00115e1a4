/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_LOOP_H
#define DAEMON_IO_LOOP_H

/*
 * The event loop: libevent's base, time, one timer for a machine's deadline,
 * an even 20 ms tick, and signals.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/mono.h"

/* CLOCK_MONOTONIC in microseconds. */
mono_us loop_now(void);

/* A priority for what may wait until nothing else is to be done: an event's
 * priority is 1 unless it is set (event_priority_set()). */
#define LOOP_LAST 2

/*
 * A base with a precise timer; NULL when memory is short.  From here on the
 * process ignores the signals that nothing of ours sends and that would end
 * it without its good-byes, with a transmitter keyed: SIGPIPE, SIGXFSZ,
 * SIGUSR1, SIGUSR2 and SIGALRM.
 */
struct event_base *loop_base_new(void);

typedef void (*loop_fn)(void *ctx);

/* One deadline. */
struct loop_timer {
	struct event *ev;
	mono_us due;
};

int loop_timer_init(struct loop_timer *t, struct event_base *base,
		    event_callback_fn fn, void *ctx);
void loop_timer_done(struct loop_timer *t);
/* Arm for @due, or disarm with MONO_NEVER.  Cheap when nothing changes. */
void loop_timer_set(struct loop_timer *t, mono_us due);

/*
 * An even beat: @fn is called once for each period that has passed; when the
 * loop was held up, the missed beats follow at once, but no more than
 * LOOP_CATCH_UP: what is older is counted in missed.  Where @fn takes longer
 * than its period LOOP_OVERRUNS times on end, what is due is counted there, too,
 * and the loop has a quarter of a period for the rest of its work.
 */
#define LOOP_CATCH_UP 5U
#define LOOP_OVERRUNS 2U

struct loop_beat {
	struct event *ev;
	int fd;
	loop_fn fn;
	void *ctx;
	uint64_t missed;
	uint64_t due; /* beats that are to be made good now */
	uint32_t period_us;
	unsigned overruns; /* on end */
	bool set;          /* anew, while it ran */
};

int loop_beat_init(struct loop_beat *b, struct event_base *base,
		   uint32_t period_us, loop_fn fn, void *ctx);
void loop_beat_done(struct loop_beat *b);

/* From now on the next beat is at @first (soon, when that is past), and one
 * each @period_us after it; what was missed until now is forgotten. */
void loop_beat_set(struct loop_beat *b, mono_us first, uint32_t period_us);

#endif
