/* SPDX-License-Identifier: MIT */

#include "daemon/io/loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

mono_us loop_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (mono_us)ts.tv_sec * MONO_S + (mono_us)ts.tv_nsec / 1000;
}

static void ignore_signals(void)
{
	static const int sig[] = { SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2,
				   SIGALRM };

	for (size_t i = 0; i < sizeof(sig) / sizeof(sig[0]); i++)
		(void)signal(sig[i], SIG_IGN);
}

struct event_base *loop_base_new(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base = NULL;

	ignore_signals();
	if (!cfg)
		return NULL;
	/* Without this, libevent's epoll timers are good to a millisecond. */
	(void)event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	/* The usual priority is the middle one. */
	if (base && event_base_priority_init(base, LOOP_LAST + 1) != 0) {
		event_base_free(base);
		return NULL;
	}
	return base;
}

int loop_timer_init(struct loop_timer *t, struct event_base *base,
		    event_callback_fn fn, void *ctx)
{
	t->due = MONO_NEVER;
	t->ev = event_new(base, -1, 0, fn, ctx);
	return t->ev ? 0 : -ENOMEM;
}

void loop_timer_done(struct loop_timer *t)
{
	if (t->ev)
		event_free(t->ev);
	t->ev = NULL;
}

void loop_timer_set(struct loop_timer *t, mono_us due)
{
	const mono_us now = loop_now();
	const mono_us wait = due > now ? due - now : 0;
	const struct timeval tv = { (time_t)(wait / MONO_S),
				    (suseconds_t)(wait % MONO_S) };

	if (due == t->due && event_pending(t->ev, EV_TIMEOUT, NULL))
		return;
	t->due = due;
	if (due == MONO_NEVER)
		(void)event_del(t->ev);
	else
		(void)event_add(t->ev, &tv);
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct loop_beat *b = arg;
	mono_us began, now;
	uint64_t n = 0;

	(void)what;
	if (read(fd, &n, sizeof(n)) != (ssize_t)sizeof(n))
		return;
	if (n > LOOP_CATCH_UP) {
		b->missed += n - LOOP_CATCH_UP;
		n = LOOP_CATCH_UP;
	}
	b->set = false;
	began = loop_now();
	for (b->due = n; b->due > 0;) {
		b->due--;
		b->fn(b->ctx);
	}
	now = loop_now();
	b->overruns = now - began >= n * b->period_us ? b->overruns + 1 : 0;
	/* What took long once is made good; but if it always does, nothing
	 * else would ever have its turn. */
	if (b->overruns < LOOP_OVERRUNS || b->set)
		return;
	b->missed += (now - began) / b->period_us;
	loop_beat_set(b, now + b->period_us / 4, b->period_us);
}

int loop_beat_init(struct loop_beat *b, struct event_base *base,
		   uint32_t period_us, loop_fn fn, void *ctx)
{
	*b = (struct loop_beat){ .fn = fn, .ctx = ctx };
	b->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (b->fd < 0)
		return -errno;
	b->ev = event_new(base, b->fd, EV_READ | EV_PERSIST, on_beat, b);
	if (b->ev && event_add(b->ev, NULL) == 0) {
		loop_beat_set(b, loop_now() + period_us, period_us);
		return 0;
	}
	if (!b->ev)
		close(b->fd);
	loop_beat_done(b);
	return -ENOMEM;
}

static struct timespec timespec_of(mono_us us)
{
	return (struct timespec){ (time_t)(us / MONO_S),
				  (long)(us % MONO_S) * 1000 };
}

void loop_beat_set(struct loop_beat *b, mono_us first, uint32_t period_us)
{
	const struct itimerspec spec = { timespec_of(period_us),
					 timespec_of(first) };

	b->due = 0;
	b->set = true;
	b->overruns = 0;
	b->period_us = period_us;
	(void)timerfd_settime(b->fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

void loop_beat_done(struct loop_beat *b)
{
	if (b->ev) {
		event_free(b->ev);
		close(b->fd);
	}
	b->ev = NULL;
}
