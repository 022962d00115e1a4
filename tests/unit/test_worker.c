/* SPDX-License-Identifier: MIT */

/* The thread for what blocks, and its two queues; also run under
 * ThreadSanitizer. */

#include "daemon/io/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "tests/t.h"

#define STATE_WORD 0x5eedU

struct job {
	unsigned in;
	unsigned out;
	uint8_t more[100];
};

/* The thread's alone, but for what the test looks at. */
struct state {
	unsigned word;
	unsigned done;
};

static atomic_bool gate_open;
static atomic_uint waiting;
static atomic_uint states_freed;

static void work(void *state, void *job)
{
	struct state *s = state;
	struct job *j = job;

	T_EQ(STATE_WORD, s->word);
	j->out = j->in * 2 + 1;
	for (size_t i = 0; i < sizeof(j->more); i++)
		j->more[i] = (uint8_t)(j->more[i] + i);
	s->done++;
}

/* Blocks until the gate is open, as a router that does not answer. */
static void work_at_gate(void *state, void *job)
{
	atomic_fetch_add(&waiting, 1);
	while (!atomic_load(&gate_open))
		usleep(1000);
	work(state, job);
}

static void free_state(void *state)
{
	free(state);
	atomic_fetch_add(&states_freed, 1);
}

struct owner {
	struct event_base *base;
	struct worker *w;
	unsigned asked, answered, until;
};

static void on_done(void *ctx, const void *job)
{
	const struct job *j = job;
	struct owner *o = ctx;

	T_EQ(o->answered, j->in);
	T_EQ(j->in * 2 + 1, j->out);
	T_EQ((uint8_t)(j->in + 99), j->more[99]);
	o->answered++;
	/* Asked from here, too. */
	while (o->asked < o->until) {
		struct job next = { .in = o->asked };

		memset(next.more, (uint8_t)next.in, sizeof(next.more));
		if (worker_ask(o->w, &next) != 0)
			break;
		o->asked++;
	}
	if (o->answered == o->until)
		(void)event_base_loopbreak(o->base);
}

static void begin(struct owner *o, void (*fn)(void *state, void *job))
{
	struct state *s = calloc(1, sizeof(*s));
	struct worker_cfg cfg = {
		.job_size = sizeof(struct job),
		.work = fn,
		.done = on_done,
		.ctx = o,
		.state = s,
		.free_state = free_state,
	};

	T_TRUE(s != NULL);
	s->word = STATE_WORD;
	*o = (struct owner){ .base = event_base_new() };
	atomic_store(&gate_open, false);
	atomic_store(&waiting, 0);
	atomic_store(&states_freed, 0);
	o->w = worker_new(o->base, &cfg);
	T_TRUE(o->w != NULL);
}

static int ask(struct owner *o)
{
	struct job j = { .in = o->asked };

	memset(j.more, (uint8_t)j.in, sizeof(j.more));
	if (worker_ask(o->w, &j) != 0)
		return -EBUSY;
	o->asked++;
	return 0;
}

static void end(struct owner *o, unsigned wait_ms)
{
	o->w = worker_free(o->w, wait_ms);
	event_base_free(o->base);
}

static void await(const atomic_uint *what)
{
	while (atomic_load(what) == 0)
		usleep(1000);
}

static void jobs_come_back_in_order(void)
{
	struct owner o;

	begin(&o, work);
	o.until = 20000;
	while (ask(&o) == 0)
		;
	T_EQ(0, event_base_dispatch(o.base));
	T_EQ(20000, o.answered);
	end(&o, 5000);
	T_EQ(1, atomic_load(&states_freed));
}

static void more_than_there_is_room_for_is_refused(void)
{
	struct owner o;

	begin(&o, work_at_gate);
	for (unsigned i = 0; i < WORKER_JOBS; i++)
		T_EQ(0, ask(&o));
	T_TRUE(ask(&o) == -EBUSY);
	atomic_store(&gate_open, true);
	o.until = WORKER_JOBS;
	T_EQ(0, event_base_dispatch(o.base));
	T_EQ(WORKER_JOBS, o.answered);
	T_EQ(0, ask(&o));
	end(&o, 5000);
}

static void an_idle_one_ends_at_once(void)
{
	struct owner o;

	begin(&o, work);
	end(&o, 60000);
	T_EQ(1, atomic_load(&states_freed));
	T_TRUE(worker_free(NULL, 0) == NULL);
}

static void one_that_hangs_is_left_to_itself(void)
{
	struct owner o;

	begin(&o, work_at_gate);
	T_EQ(0, ask(&o));
	T_EQ(0, ask(&o));
	await(&waiting);
	end(&o, 10);
	T_EQ(0, atomic_load(&states_freed));
	T_EQ(0, o.answered);
	/* And frees what is its own when it can. */
	atomic_store(&gate_open, true);
	await(&states_freed);
	T_EQ(1, atomic_load(&waiting));
}

static void the_end_waits_for_the_job_that_is_done_in_time(void)
{
	struct owner o;

	begin(&o, work_at_gate);
	T_EQ(0, ask(&o));
	await(&waiting);
	atomic_store(&gate_open, true);
	end(&o, 60000);
	T_EQ(1, atomic_load(&states_freed));
	T_EQ(0, o.answered);
}

static atomic_int signalled;

static void on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&signalled, 1);
}

/* Blocked in the one, they stay for the other. */
static void signals_are_not_the_threads(void)
{
	sigset_t hup;
	struct owner o;

	begin(&o, work_at_gate);
	T_TRUE(signal(SIGHUP, on_signal) != SIG_ERR);
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	T_EQ(0, sigprocmask(SIG_BLOCK, &hup, NULL));
	T_EQ(0, ask(&o));
	await(&waiting);
	T_EQ(0, kill(getpid(), SIGHUP));
	T_EQ(0, atomic_load(&signalled));
	T_EQ(0, sigprocmask(SIG_UNBLOCK, &hup, NULL));
	T_EQ(1, atomic_load(&signalled));
	atomic_store(&gate_open, true);
	end(&o, 60000);
}

int main(void)
{
	T_RUN(jobs_come_back_in_order);
	T_RUN(more_than_there_is_room_for_is_refused);
	T_RUN(an_idle_one_ends_at_once);
	T_RUN(one_that_hangs_is_left_to_itself);
	T_RUN(the_end_waits_for_the_job_that_is_done_in_time);
	T_RUN(signals_are_not_the_threads);
	return T_DONE();
}
