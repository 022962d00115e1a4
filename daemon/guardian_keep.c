/* SPDX-License-Identifier: MIT */

#include "daemon/guardian_keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/guardian.h"

#define WHY_MAX 160U

/* Between one that did not live long and the next. */
static const struct timeval pause_between = { 1, 0 };
static const struct timeval at_once = { 0, 0 };

struct guardian_keep {
	struct event_base *base;
	struct guardian_keep_cb cb;
	struct event *heard; /* on its socket; NULL: it is gone */
	struct event *again; /* to start another */
	struct event *young; /* pending: the last was started just now */
	bool there;          /* as told */
	char why[WHY_MAX];   /* as told; "": it is there */
};

static void tell(struct guardian_keep *k, bool there, const char *why)
{
	if (there == k->there && strcmp(why, k->why) == 0)
		return;
	k->there = there;
	(void)snprintf(k->why, sizeof(k->why), "%s", why);
	k->cb.on_change(k->cb.ctx, there ? NULL : k->why);
}

static void look(struct guardian_keep *k);

static void on_heard(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	look(ctx);
}

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
	struct guardian_keep *k = ctx;
	char why[WHY_MAX];
	int err;

	(void)fd;
	(void)what;
	(void)event_add(k->young, &pause_between);
	err = guardian_start_again();
	if (err != 0) {
		(void)snprintf(why, sizeof(why),
			       "the guardian process does not start: %s",
			       strerror(-err));
		tell(k, false, why);
	}
	look(k);
}

static void on_aged(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx;
}

static bool listen_to(struct guardian_keep *k)
{
	if (k->heard)
		return true;
	k->heard = event_new(k->base, guardian_fd(), EV_READ | EV_PERSIST,
			     on_heard, k);
	return k->heard && event_add(k->heard, NULL) == 0;
}

static void forget_it(struct guardian_keep *k)
{
	if (k->heard)
		event_free(k->heard);
	k->heard = NULL;
}

static void start_soon(struct guardian_keep *k)
{
	const bool young = event_pending(k->young, EV_TIMEOUT, NULL);

	if (!event_pending(k->again, EV_TIMEOUT, NULL))
		(void)event_add(k->again, young ? &pause_between : &at_once);
}

static void look(struct guardian_keep *k)
{
	const enum guardian_state state = guardian_hear();

	if (state == GUARDIAN_GONE) {
		forget_it(k);
		if (!k->why[0])
			tell(k, false,
			     "the guardian process is gone: nothing is keyed "
			     "until another is there");
		start_soon(k);
		return;
	}
	(void)listen_to(k);
	if (state == GUARDIAN_THERE)
		tell(k, true, "");
}

int guardian_keep_open(struct guardian_keep **out, struct event_base *base,
		       const struct guardian_keep_cb *cb)
{
	struct guardian_keep *k = calloc(1, sizeof(*k));

	*out = NULL;
	if (!k)
		return -ENOMEM;
	k->base = base;
	k->cb = *cb;
	k->there = guardian_hear() == GUARDIAN_THERE;
	k->again = event_new(base, -1, 0, on_again, k);
	k->young = event_new(base, -1, 0, on_aged, k);
	if (!k->again || !k->young ||
	    (k->there ? !listen_to(k) : event_add(k->again, &at_once) != 0)) {
		(void)guardian_keep_close(k);
		return -ENOMEM;
	}
	*out = k;
	return 0;
}

struct guardian_keep *guardian_keep_close(struct guardian_keep *k)
{
	if (!k)
		return NULL;
	forget_it(k);
	if (k->again)
		event_free(k->again);
	if (k->young)
		event_free(k->young);
	free(k);
	return NULL;
}

bool guardian_kept(const struct guardian_keep *k)
{
	return k->there;
}
