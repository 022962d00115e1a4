/* SPDX-License-Identifier: MIT */

/* The look at this machine's addresses that the loop does not wait for. */

#include "daemon/io/netlook.h"

#include <string.h>

#include "daemon/io/addr.h"
#include "daemon/io/loop.h"
#include "tests/t.h"

#define VIEWS_MAX 8
#define PORT 4569

struct owner {
	struct event_base *base;
	struct netlook *look;
	unsigned why[VIEWS_MAX];
	struct netlook_view view[VIEWS_MAX];
	size_t n;
	size_t wanted;     /* views, then the loop ends */
	unsigned ask_more; /* asked in the first view's handler */
};

static void on_view(void *ctx, const struct netlook_view *v, unsigned why)
{
	struct owner *o = ctx;

	T_TRUE(o->n < VIEWS_MAX);
	o->view[o->n] = *v;
	o->why[o->n++] = why;
	if (o->ask_more)
		netlook_ask(o->look, o->ask_more);
	o->ask_more = 0;
	if (o->n >= o->wanted)
		(void)event_base_loopbreak(o->base);
}

static struct netlook_cfg cfg_of(struct owner *o)
{
	return (struct netlook_cfg){
		.port = PORT,
		.interface = "",
		.gateways = true,
		.on_view = on_view,
		.ctx = o,
	};
}

static void begin(struct owner *o)
{
	const struct netlook_cfg cfg = cfg_of(o);

	o->base = loop_base_new();
	T_TRUE(o->base);
	o->look = netlook_new(o->base, &cfg);
	T_TRUE(o->look);
}

/* Runs until so many views have come; none more may come in a tenth of a
 * second. */
static void run(struct owner *o, size_t views)
{
	static const struct timeval patience = { 10, 0 };
	static const struct timeval more = { 0, 100000 };

	o->wanted = views;
	(void)event_base_loopexit(o->base, &patience);
	(void)event_base_dispatch(o->base);
	T_EQ(views, o->n);
	o->wanted = VIEWS_MAX;
	(void)event_base_loopexit(o->base, &more);
	(void)event_base_dispatch(o->base);
	T_EQ(views, o->n);
}

static void end(struct owner *o)
{
	T_TRUE(netlook_free(o->look) == NULL);
	event_base_free(o->base);
}

static void what_the_thread_sees_is_what_there_is(void)
{
	struct owner o = { 0 };
	const struct netlook_cfg cfg = cfg_of(&o);
	struct netlook_view want;

	netlook_read(&cfg, &want);
	begin(&o);
	netlook_ask(o.look, 0);
	T_EQ(0, o.n); /* not before the loop has its turn */
	run(&o, 1);
	T_EQ(0, o.why[0]);
	T_EQ(want.own_n, o.view[0].own_n);
	for (size_t i = 0; i < want.own_n; i++) {
		T_TRUE(net_addr_equal(&want.own[i], &o.view[0].own[i]));
		T_EQ(PORT, o.view[0].own[i].port);
	}
	for (size_t i = 0; i < NETLOOK_FAMILIES; i++) {
		const struct gateway *w = &want.gateway[i];
		const struct gateway *g = &o.view[0].gateway[i];

		T_EQ(w->found, g->found);
		T_EQ(w->device, g->device);
		T_TRUE(net_addr_same_ip(&w->router, &g->router));
		T_TRUE(net_addr_same_ip(&w->own, &g->own));
	}
	end(&o);
}

/* What happens while a look is under way may be too late for that one. */
static void questions_meanwhile_are_one_more_look(void)
{
	struct owner o = { 0 };

	begin(&o);
	netlook_ask(o.look, 1);
	netlook_ask(o.look, 2);
	netlook_ask(o.look, 0);
	netlook_ask(o.look, 4);
	run(&o, 2);
	T_EQ(1, o.why[0]);
	T_EQ(6, o.why[1]);
	end(&o);
}

static void a_view_may_be_the_reason_for_another(void)
{
	struct owner o = { .ask_more = 8 };

	begin(&o);
	netlook_ask(o.look, 1);
	netlook_ask(o.look, 2);
	run(&o, 3);
	T_EQ(1, o.why[0]);
	T_EQ(2, o.why[1]);
	T_EQ(8, o.why[2]);
	end(&o);
}

static void another_interface_has_nothing(void)
{
	struct owner o = { 0 };
	struct netlook_cfg cfg = cfg_of(&o);
	struct netlook_view v;

	cfg.interface = "no-such-one";
	netlook_read(&cfg, &v);
	T_EQ(0, v.own_n);
	T_TRUE(!v.gateway[NETLOOK_V4].found && !v.gateway[NETLOOK_V6].found);
}

static void it_ends_in_the_middle_of_a_look(void)
{
	struct owner o = { 0 };

	begin(&o);
	netlook_ask(o.look, 1);
	end(&o);
	T_EQ(0, o.n);
	T_TRUE(netlook_free(NULL) == NULL);
}

int main(void)
{
	T_RUN(what_the_thread_sees_is_what_there_is);
	T_RUN(questions_meanwhile_are_one_more_look);
	T_RUN(a_view_may_be_the_reason_for_another);
	T_RUN(another_interface_has_nothing);
	T_RUN(it_ends_in_the_middle_of_a_look);
	return T_DONE();
}
