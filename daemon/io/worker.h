/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_WORKER_H
#define DAEMON_IO_WORKER_H

/*
 * A thread for what blocks: jobs go in, are done one after the other, and come
 * back on the event loop.  A job is a plain struct that is copied; nothing
 * else is shared but @state, which is the thread's alone.
 */

#include <event2/event.h>
#include <stddef.h>

#define WORKER_JOBS 8U /* under way at once */

struct worker;

struct worker_cfg {
	size_t job_size; /* octets */
	/* In the thread; it may block.  Writes its result into the job. */
	void (*work)(void *state, void *job);
	/* In the loop; it may ask for more, but not free the worker. */
	void (*done)(void *ctx, const void *job);
	void *ctx;
	void *state;                     /* the worker's from now on */
	void (*free_state)(void *state); /* in the thread, at its end */
};

/* NULL when there is no memory or no thread to be had: @state is freed. */
struct worker *worker_new(struct event_base *base,
			  const struct worker_cfg *cfg);
/* 0, or -EBUSY: WORKER_JOBS are under way. */
int worker_ask(struct worker *w, const void *job);
/*
 * Wait at most @wait_ms for the job that is being done; then leave the thread
 * to itself: it ends and frees what is its own when it can.  Other jobs are
 * forgotten, nothing is called back.  Accepts NULL; returns NULL.
 */
struct worker *worker_free(struct worker *w, unsigned wait_ms);

#endif
