/* SPDX-License-Identifier: MIT */

#include "daemon/io/usb.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/io/loop.h"
#include "daemon/io/uevent.h"
#include "daemon/io/worker.h"

/* libusb has two descriptors of its own, and one for the device. */
#define POLLS_MAX 8U
/* Between looks for a fob when the kernel tells of new ones. */
#define TOLD_LOOK_US 1000000U
/* For a fob that is just being opened or closed, at the end. */
#define END_WAIT_MS 1000U

struct usb_poll {
	int fd;
	struct event *ev; /* NULL: free */
};

struct usb_fob {
	struct event_base *base;
	struct fob *fob;
	struct usb_fob_cb cb;
	struct uevent *plugs; /* NULL: it is looked for more often */
	struct worker *worker;
	struct loop_timer timer;
	struct usb_poll poll[POLLS_MAX];
};

static void set_timer(struct usb_fob *u)
{
	loop_timer_set(&u->timer, fob_deadline(u->fob));
}

static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
	struct usb_fob *u = ctx;

	(void)fd;
	(void)what;
	fob_events(u->fob, loop_now());
	set_timer(u);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct usb_fob *u = ctx;

	(void)fd;
	(void)what;
	fob_tick(u->fob, loop_now());
	set_timer(u);
}

static void on_plug(void *ctx)
{
	struct usb_fob *u = ctx;

	fob_hint(u->fob, loop_now());
	set_timer(u);
}

static void on_poll_add(void *ctx, int fd, short events)
{
	struct usb_fob *u = ctx;
	short what = EV_PERSIST;
	size_t i = 0;

	if (events & POLLIN)
		what |= EV_READ;
	if (events & POLLOUT)
		what |= EV_WRITE;
	while (i < POLLS_MAX && u->poll[i].ev)
		i++;
	if (i == POLLS_MAX)
		return;
	u->poll[i].fd = fd;
	u->poll[i].ev = event_new(u->base, fd, what, on_ready, u);
	if (u->poll[i].ev)
		(void)event_add(u->poll[i].ev, NULL);
}

static void on_poll_remove(void *ctx, int fd)
{
	struct usb_fob *u = ctx;

	for (size_t i = 0; i < POLLS_MAX; i++) {
		if (!u->poll[i].ev || u->poll[i].fd != fd)
			continue;
		event_free(u->poll[i].ev);
		u->poll[i].ev = NULL;
	}
}

static void on_input(void *ctx, bool cor, bool ctcss)
{
	const struct usb_fob *u = ctx;

	u->cb.on_input(u->cb.ctx, cor, ctcss);
}

static void on_state(void *ctx, enum fob_state state, const char *why)
{
	const struct usb_fob *u = ctx;

	u->cb.on_state(u->cb.ctx, state, why);
}

static void on_warning(void *ctx, const char *what)
{
	const struct usb_fob *u = ctx;

	u->cb.on_warning(u->cb.ctx, what);
}

static void on_device(void *ctx, const struct fob_unkey *unkey)
{
	const struct usb_fob *u = ctx;

	u->cb.on_device(u->cb.ctx, unkey);
}

static bool on_job(void *ctx, struct fob_job *job)
{
	const struct usb_fob *u = ctx;

	return worker_ask(u->worker, &job) == 0;
}

static void work(void *state, void *job)
{
	(void)state;
	fob_job_do(*(struct fob_job **)job);
}

static void on_worked(void *ctx, const void *job)
{
	struct usb_fob *u = ctx;

	(void)job;
	fob_job_done(u->fob, loop_now());
	set_timer(u);
}

static void free_nothing(void *state)
{
	(void)state;
}

static int start(struct usb_fob *u, const struct fob_config *config,
		 const struct fob_callbacks *cb, char why[FOB_WHY_MAX])
{
	const struct worker_cfg worker = { .job_size = sizeof(struct fob_job *),
					   .work = work,
					   .done = on_worked,
					   .ctx = u,
					   .free_state = free_nothing };
	struct fob_config mine = *config;

	if (uevent_open(&u->plugs, u->base, on_plug, u) == 0)
		mine.look_us = TOLD_LOOK_US;
	u->worker = worker_new(u->base, &worker);
	if (!u->worker || loop_timer_init(&u->timer, u->base, on_timer, u) != 0)
		return -ENOMEM;
	return fob_new(&u->fob, &mine, cb, loop_now(), why);
}

static void on_eeprom(void *ctx, int err, const struct cm108_levels *levels)
{
	const struct usb_fob *u = ctx;

	u->cb.on_eeprom(u->cb.ctx, err, levels);
}

int usb_fob_open(struct usb_fob **out, struct event_base *base,
		 const struct fob_config *config, const struct usb_fob_cb *cb,
		 char why[FOB_WHY_MAX])
{
	struct usb_fob *u = calloc(1, sizeof(*u));
	const struct fob_callbacks all = {
		u,           on_input,       on_state, on_warning, on_device,
		on_poll_add, on_poll_remove, on_job,   on_eeprom
	};
	int err = -ENOMEM;

	*out = NULL;
	(void)snprintf(why, FOB_WHY_MAX, "out of memory");
	if (!u)
		return err;
	u->base = base;
	u->cb = *cb;
	err = start(u, config, &all, why);
	if (err != 0) {
		(void)usb_fob_close(u);
		return err;
	}
	/* It is looked for from the loop, when all that it tells is there. */
	set_timer(u);
	*out = u;
	return 0;
}

struct usb_fob *usb_fob_close(struct usb_fob *u)
{
	if (!u)
		return NULL;
	u->plugs = uevent_close(u->plugs);
	u->worker = worker_free(u->worker, END_WAIT_MS);
	u->fob = fob_free(u->fob);
	for (size_t i = 0; i < POLLS_MAX; i++)
		if (u->poll[i].ev)
			event_free(u->poll[i].ev);
	loop_timer_done(&u->timer);
	free(u);
	return NULL;
}

void usb_fob_key(struct usb_fob *u, bool keyed)
{
	fob_key(u->fob, keyed, loop_now());
	set_timer(u);
}

int usb_fob_eeprom(struct usb_fob *u, const struct cm108_levels *levels)
{
	const int err = fob_eeprom(u->fob, levels, loop_now());

	set_timer(u);
	return err;
}

const struct fob *usb_fob_get(const struct usb_fob *u)
{
	return u->fob;
}
