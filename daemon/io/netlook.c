/* SPDX-License-Identifier: MIT */

#include "daemon/io/netlook.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/io/addr.h"
#include "daemon/io/worker.h"

#define WAIT_MS 100U /* for the thread's end */

struct netlook {
	struct netlook_cfg cfg;
	struct worker *worker;
	bool under_way;
	unsigned why;  /* of the look that is under way */
	bool again;    /* something happened since it began */
	unsigned next; /* and why */
};

static const int families[NETLOOK_FAMILIES] = { AF_INET, AF_INET6 };

void netlook_read(const struct netlook_cfg *cfg, struct netlook_view *out)
{
	memset(out, 0, sizeof(*out));
	out->own_n = net_addr_local(out->own, NETLOOK_OWN, cfg->port,
				    cfg->interface);
	for (size_t i = 0; i < NETLOOK_FAMILIES && cfg->gateways; i++)
		(void)gateway_find(families[i], cfg->interface,
				   &out->gateway[i]);
}

/* The thread's copy of the question: it may outlive its owner, but not what
 * that borrowed. */
struct question {
	struct netlook_cfg cfg;
	char interface[];
};

static void work(void *state, void *job)
{
	const struct question *q = state;

	netlook_read(&q->cfg, job);
}

static struct question *question_of(const struct netlook_cfg *cfg)
{
	const size_t len = strlen(cfg->interface) + 1;
	struct question *q = calloc(1, sizeof(*q) + len);

	if (!q)
		return NULL;
	memcpy(q->interface, cfg->interface, len);
	q->cfg = *cfg;
	q->cfg.interface = q->interface;
	return q;
}

static void start(struct netlook *l, unsigned why)
{
	static const struct netlook_view empty;

	l->why = why;
	/* One at a time: there is room. */
	l->under_way = worker_ask(l->worker, &empty) == 0;
}

static void on_done(void *ctx, const void *job)
{
	struct netlook *l = ctx;
	const unsigned why = l->why;

	l->under_way = false;
	if (l->again) {
		l->again = false;
		start(l, l->next);
	}
	l->cfg.on_view(l->cfg.ctx, job, why);
}

struct netlook *netlook_new(struct event_base *base,
			    const struct netlook_cfg *cfg)
{
	struct netlook *l = calloc(1, sizeof(*l));
	struct worker_cfg w = {
		.job_size = sizeof(struct netlook_view),
		.work = work,
		.done = on_done,
		.ctx = l,
		.state = question_of(cfg),
		.free_state = free,
	};

	if (l && w.state) {
		l->cfg = *cfg;
		l->worker = worker_new(base, &w);
		w.state = NULL;
	}
	if (l && l->worker)
		return l;
	free(w.state);
	free(l);
	return NULL;
}

void netlook_ask(struct netlook *l, unsigned why)
{
	if (!l->under_way) {
		start(l, why);
		return;
	}
	l->next = l->again ? l->next | why : why;
	l->again = true;
}

struct netlook *netlook_free(struct netlook *l)
{
	if (!l)
		return NULL;
	l->worker = worker_free(l->worker, WAIT_MS);
	free(l);
	return NULL;
}
