/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_GUARDIAN_KEEP_H
#define DAEMON_GUARDIAN_KEEP_H

/*
 * The guardian on the event loop: that it is gone is known at once, and
 * another is started, at once and then once a second.  Who keys does not while
 * guardian_kept() is false.
 */

#include <event2/event.h>
#include <stdbool.h>

struct guardian_keep;

struct guardian_keep_cb {
	void *ctx;
	/* It is gone (@why is a sentence), or there again (NULL). */
	void (*on_change)(void *ctx, const char *why);
};

/* 0 and *@out, or -errno.  on_change() is called from the loop only. */
int guardian_keep_open(struct guardian_keep **out, struct event_base *base,
		       const struct guardian_keep_cb *cb);
/* The guardian stays.  Accepts NULL, returns NULL. */
struct guardian_keep *guardian_keep_close(struct guardian_keep *k);

bool guardian_kept(const struct guardian_keep *k);

#endif
