/* SPDX-License-Identifier: MIT */

#include "daemon/io/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* A ring of jobs. */
struct ring {
	uint8_t *jobs;
	size_t first;
	size_t n;
};

/* What both sides know; the last of them frees it. */
struct shared {
	struct worker_cfg cfg;
	pthread_mutex_t lock;
	pthread_cond_t change; /* of anything below */
	struct ring in;
	struct ring out;
	bool quit;      /* the owner has gone, or wants to */
	bool ended;     /* the thread touches nothing any more */
	bool abandoned; /* the thread is to free this */
	int wake;       /* eventfd; the thread's to write unless quit */
};

struct worker {
	struct shared *shared;
	struct event *ev;
	size_t under_way;
	uint8_t *taken; /* one job */
};

static void push(const struct shared *s, struct ring *r, const void *job)
{
	const size_t at = (r->first + r->n++) % WORKER_JOBS;

	memcpy(r->jobs + at * s->cfg.job_size, job, s->cfg.job_size);
}

static bool pop(const struct shared *s, struct ring *r, void *job)
{
	if (r->n == 0)
		return false;
	memcpy(job, r->jobs + r->first * s->cfg.job_size, s->cfg.job_size);
	r->first = (r->first + 1) % WORKER_JOBS;
	r->n--;
	return true;
}

static void shared_free(struct shared *s)
{
	pthread_cond_destroy(&s->change);
	pthread_mutex_destroy(&s->lock);
	free(s->in.jobs);
	free(s->out.jobs);
	free(s);
}

static void work(struct shared *s, uint8_t *job)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (!s->quit && s->in.n == 0)
			pthread_cond_wait(&s->change, &s->lock);
		if (s->quit)
			break;
		(void)pop(s, &s->in, job);
		pthread_mutex_unlock(&s->lock);
		s->cfg.work(s->cfg.state, job);
		pthread_mutex_lock(&s->lock);
		if (s->quit)
			break;
		push(s, &s->out, job);
		(void)!write(s->wake, &one, sizeof(one));
	}
	pthread_mutex_unlock(&s->lock);
}

static void *run(void *arg)
{
	struct shared *s = arg;
	uint8_t *job = malloc(s->cfg.job_size);
	bool abandoned;

	/* Without memory nothing is ever answered, as with a job that hangs. */
	if (job)
		work(s, job);
	free(job);
	s->cfg.free_state(s->cfg.state);
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	abandoned = s->abandoned;
	pthread_cond_signal(&s->change);
	pthread_mutex_unlock(&s->lock);
	if (abandoned)
		shared_free(s);
	return NULL;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	struct shared *s = w->shared;
	uint64_t n;

	(void)what;
	(void)!read(fd, &n, sizeof(n));
	for (;;) {
		pthread_mutex_lock(&s->lock);
		const bool some = pop(s, &s->out, w->taken);

		pthread_mutex_unlock(&s->lock);
		if (!some)
			return;
		w->under_way--;
		s->cfg.done(s->cfg.ctx, w->taken);
	}
}

/* The process's signals are the loop's. */
static int start(struct shared *s)
{
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t id;
	int err = pthread_attr_init(&attr);

	if (err != 0)
		return err;
	sigfillset(&all);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&id, &attr, run, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return err;
}

static struct shared *shared_new(const struct worker_cfg *cfg)
{
	struct shared *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return NULL;
	s->cfg = *cfg;
	s->in.jobs = calloc(WORKER_JOBS, cfg->job_size);
	s->out.jobs = calloc(WORKER_JOBS, cfg->job_size);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->change, &attr);
	pthread_condattr_destroy(&attr);
	if (s->in.jobs && s->out.jobs)
		return s;
	shared_free(s);
	return NULL;
}

static struct worker *worker_without_thread(struct event_base *base,
					    const struct worker_cfg *cfg)
{
	struct worker *w = calloc(1, sizeof(*w));
	int wake = -1;

	if (!w)
		return NULL;
	w->taken = malloc(cfg->job_size);
	w->shared = shared_new(cfg);
	if (w->taken && w->shared)
		wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (wake >= 0) {
		w->shared->wake = wake;
		w->ev = event_new(base, wake, EV_READ | EV_PERSIST, on_wake, w);
	}
	if (w->ev && event_add(w->ev, NULL) == 0)
		return w;
	if (w->ev)
		event_free(w->ev);
	if (wake >= 0)
		close(wake);
	if (w->shared)
		shared_free(w->shared);
	free(w->taken);
	free(w);
	return NULL;
}

static void owner_free(struct worker *w)
{
	event_free(w->ev);
	free(w->taken);
	free(w);
}

struct worker *worker_new(struct event_base *base, const struct worker_cfg *cfg)
{
	struct worker *w = worker_without_thread(base, cfg);

	if (w && start(w->shared) == 0)
		return w;
	if (w) {
		close(w->shared->wake);
		shared_free(w->shared);
		owner_free(w);
	}
	cfg->free_state(cfg->state);
	return NULL;
}

int worker_ask(struct worker *w, const void *job)
{
	struct shared *s = w->shared;

	if (w->under_way == WORKER_JOBS)
		return -EBUSY;
	w->under_way++;
	pthread_mutex_lock(&s->lock);
	push(s, &s->in, job);
	pthread_cond_signal(&s->change);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static struct timespec ms_from_now(unsigned ms)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

struct worker *worker_free(struct worker *w, unsigned wait_ms)
{
	const struct timespec until = ms_from_now(wait_ms);
	struct shared *s;
	bool ended;

	if (!w)
		return NULL;
	s = w->shared;
	pthread_mutex_lock(&s->lock);
	s->quit = true;
	pthread_cond_signal(&s->change);
	while (!s->ended &&
	       pthread_cond_timedwait(&s->change, &s->lock, &until) == 0)
		;
	ended = s->ended;
	s->abandoned = !ended;
	close(s->wake);
	pthread_mutex_unlock(&s->lock);
	if (ended)
		shared_free(s);
	owner_free(w);
	return NULL;
}
