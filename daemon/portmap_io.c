/* SPDX-License-Identifier: MIT */

#include "daemon/portmap_io.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/addr.h"
#include "daemon/io/log.h"
#include "daemon/io/loop.h"
#include "daemon/io/portmap_socket.h"
#include "daemon/io/upnp.h"
#include "daemon/io/worker.h"
#include "proto/portmap_upnp.h"

#define QUEUE_SLOTS 8
#define RELEASE_US (1500 * MONO_MS)
#define WORKER_WAIT_MS 100U

/* One family's router. */
struct side {
	struct portmap_io *io;
	struct gateway gateway;
	struct portmap pcp; /* and NAT-PMP */
	struct portmap_upnp upnp;
	struct dgram_queue *tx;
	struct event *ask; /* the socket to the router, or NULL */
	struct event *announced;
	const char *needless; /* why nobody is asked; NULL: somebody is */
	bool said_no;         /* that this router opens nothing */
	struct portmap_view said;
};

struct portmap_io {
	struct portmap_io_cfg cfg;
	struct event_base *base;
	struct side side[PORTMAP_FAMILIES];
	struct worker *worker; /* NULL: no UPnP */
	struct loop_timer timer;
	mono_us end_by; /* of the release; 0: not released */
	bool released;
};

static const int family_of[PORTMAP_FAMILIES] = { AF_INET, AF_INET6 };

static void pump(struct portmap_io *p, mono_us now);

/* --- what is said of it ------------------------------------------------- */

static struct portmap_view view_of(const struct side *s, mono_us now)
{
	const struct portmap_view pcp = portmap_view(&s->pcp, now);
	const struct portmap_view upnp = portmap_upnp_view(&s->upnp, now);

	if (pcp.state == PORTMAP_MAPPED || pcp.state == PORTMAP_PRIVATE)
		return pcp;
	if (s->needless)
		return (struct portmap_view){ .why = s->needless };
	if (upnp.state == PORTMAP_MAPPED || upnp.state == PORTMAP_PRIVATE ||
	    upnp.state == PORTMAP_ASKING)
		return upnp;
	if (!s->io->worker || pcp.state == PORTMAP_ASKING)
		return pcp;
	/* Who answered says more than who did not. */
	return s->pcp.ask[PORTMAP_PCP].has_epoch ||
			       s->pcp.ask[PORTMAP_NATPMP].has_epoch
		       ? pcp
		       : upnp;
}

static bool stands(const struct portmap_view *v)
{
	return v->state == PORTMAP_MAPPED || v->state == PORTMAP_PRIVATE;
}

static bool same(const struct portmap_view *a, const struct portmap_view *b)
{
	return a->state == b->state && a->method == b->method &&
	       net_addr_equal(&a->external, &b->external);
}

/* Who is on this network, and pretends to be the router, can cause it. */
static void say(struct side *s, const struct portmap_view *v, mono_us now)
{
	char text[NET_ADDR_TEXT];
	const char *method = portmap_method_text(v->method);

	net_addr_format(&v->external, text);
	if (v->state == PORTMAP_MAPPED) {
		LOG_LIMITED(now, LOG_INFO,
			    "mapped: the router opened %s for callers (%s)",
			    text, method);
	} else if (v->state == PORTMAP_PRIVATE) {
		LOG_LIMITED(now, LOG_WARNING,
			    "the router opened %s (%s), which is private: %s; "
			    "callers need OPEN/OVER",
			    text, method, v->why);
	} else if (stands(&s->said)) {
		net_addr_format(&s->said.external, text);
		LOG_LIMITED(now, LOG_WARNING, "the mapping of %s (%s) is lost",
			    text, portmap_method_text(s->said.method));
	} else if (v->state == PORTMAP_REFUSED && !s->said_no) {
		s->said_no = true;
		LOG_LIMITED(now, LOG_INFO,
			    "no port is open for callers: %s (%s); they need "
			    "OPEN/OVER",
			    v->why, method);
	}
}

/* A mapping's end at exit is no loss. */
static bool review(struct side *s, mono_us now)
{
	const struct portmap_view v = view_of(s, now);
	const bool changed = !same(&v, &s->said);

	if (changed && !s->io->end_by)
		say(s, &v, now);
	s->said = v;
	return changed;
}

/* --- sockets ------------------------------------------------------------ */

static void on_answer(evutil_socket_t fd, short what, void *ctx)
{
	struct side *s = ctx;
	const mono_us now = loop_now();
	uint8_t buf[PORTMAP_MSG_MAX + 1];
	struct dgram d;

	(void)what;
	if (!portmap_receive(fd, buf, &d))
		return;
	(void)portmap_rx(&s->pcp, &d, now);
	pump(s->io, now);
}

static struct event *event_close(struct event *ev)
{
	if (ev) {
		const int fd = event_get_fd(ev);

		event_free(ev);
		close(fd);
	}
	return NULL;
}

/* Takes @fd over. */
static struct event *listen_on(struct side *s, int fd)
{
	struct event *ev;

	if (fd < 0)
		return NULL;
	ev = event_new(s->io->base, fd, EV_READ | EV_PERSIST, on_answer, s);
	if (ev && event_add(ev, NULL) == 0)
		return ev;
	if (ev)
		return event_close(ev);
	close(fd);
	return NULL;
}

/* What the socket does not take is asked again. */
static void send_all(struct side *s)
{
	struct dgram d;

	while (dgram_queue_pop(s->tx, &d)) {
		if (s->ask)
			(void)!send(event_get_fd(s->ask), d.data, d.len,
				    MSG_DONTWAIT);
	}
}

/* --- UPnP --------------------------------------------------------------- */

static void work(void *state, void *job)
{
	upnp_do(state, job);
}

static void free_state(void *state)
{
	upnp_free(state);
}

static void on_upnp(void *ctx, const void *job)
{
	struct portmap_io *p = ctx;
	const struct upnp_task *t = job;
	const mono_us now = loop_now();
	struct side *s =
		&p->side[net_addr_is_v4(&t->job.own) ? PORTMAP_V4 : PORTMAP_V6];

	(void)portmap_upnp_done(&s->upnp, &t->result, now);
	pump(p, now);
}

static void ask_upnp(struct side *s, mono_us now)
{
	const struct portmap_view pcp = portmap_view(&s->pcp, now);
	static const struct net_addr none;
	struct upnp_task t = { .device = s->gateway.device, .result.why = "" };

	if (!s->io->worker)
		return;
	(void)portmap_upnp_other(&s->upnp, stands(&pcp) ? &pcp.external : &none,
				 now);
	/* There is room: at most one job a family is under way. */
	if (portmap_upnp_next(&s->upnp, &t.job))
		(void)worker_ask(s->io->worker, &t);
}

static void start_worker(struct portmap_io *p)
{
	struct worker_cfg cfg = {
		.job_size = sizeof(struct upnp_task),
		.work = work,
		.done = on_upnp,
		.ctx = p,
		.state = upnp_new(),
		.free_state = free_state,
	};

	if (cfg.state)
		p->worker = worker_new(p->base, &cfg);
	if (!p->worker)
		log_warning("no thread for UPnP");
}

/* --- the loop ----------------------------------------------------------- */

static bool side_released(const struct side *s)
{
	return s->upnp.step == PORTMAP_UPNP_OFF &&
	       !net_addr_is_set(&s->pcp.gateway);
}

static mono_us side_deadline(const struct side *s)
{
	return mono_min(portmap_deadline(&s->pcp),
			portmap_upnp_deadline(&s->upnp));
}

static void pump(struct portmap_io *p, mono_us now)
{
	mono_us due = MONO_NEVER;
	bool changed = false;
	bool released = true;

	for (size_t i = 0; i < PORTMAP_FAMILIES; i++) {
		struct side *s = &p->side[i];

		ask_upnp(s, now);
		send_all(s);
		changed |= review(s, now);
		released &= side_released(s);
		due = mono_min(due, side_deadline(s));
	}
	if (p->end_by != 0) {
		changed |= !p->released;
		p->released = p->released || released || now >= p->end_by;
		due = p->released ? MONO_NEVER : mono_min(due, p->end_by);
	}
	loop_timer_set(&p->timer, due);
	if (changed)
		p->cfg.on_change(p->cfg.ctx);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct portmap_io *p = ctx;
	const mono_us now = loop_now();

	(void)fd;
	(void)what;
	for (size_t i = 0; i < PORTMAP_FAMILIES; i++) {
		(void)portmap_tick(&p->side[i].pcp, now);
		(void)portmap_upnp_tick(&p->side[i].upnp, now);
	}
	pump(p, now);
}

static void look(struct side *s, int family, const struct gateway *g,
		 mono_us now)
{
	static const struct net_addr none;
	const bool global = portmap_is_public(&g->own);
	/* A public IPv4 address has no translator before it, an IPv6 one may
	 * have a firewall. */
	const bool asked = g->found && global == (family == AF_INET6);
	const bool moved = !net_addr_same_ip(&g->router, &s->gateway.router) ||
			   !net_addr_same_ip(&g->own, &s->gateway.own) ||
			   g->device != s->gateway.device;

	s->needless = NULL;
	if (!g->found)
		s->needless = "there is no router";
	else if (!asked)
		s->needless = global ? "this machine's own address is public"
				     : "no address here is a global one";
	if (moved) {
		s->said_no = false;
		s->gateway = *g;
		s->ask = event_close(s->ask);
	}
	if (asked && !s->ask)
		s->ask = listen_on(s, portmap_socket(g));
	(void)portmap_gateway(&s->pcp, asked ? &g->router : &none,
			      asked ? &g->own : &none, now);
	if (s->io->worker)
		(void)portmap_upnp_gateway(&s->upnp, asked ? &g->router : &none,
					   asked ? &g->own : &none, now);
}

void portmap_io_look(struct portmap_io *p,
		     const struct gateway at[PORTMAP_FAMILIES])
{
	const mono_us now = loop_now();

	for (size_t i = 0; i < PORTMAP_FAMILIES && p->end_by == 0; i++) {
		if (p->cfg.use[i])
			look(&p->side[i], family_of[i], &at[i], now);
	}
	pump(p, now);
}

void portmap_io_release(struct portmap_io *p)
{
	const mono_us now = loop_now();

	if (p->end_by != 0)
		return;
	p->end_by = now + RELEASE_US;
	for (size_t i = 0; i < PORTMAP_FAMILIES; i++) {
		(void)portmap_release(&p->side[i].pcp, now);
		(void)portmap_upnp_release(&p->side[i].upnp);
	}
	pump(p, now);
}

bool portmap_io_released(const struct portmap_io *p)
{
	return !p || p->released;
}

struct portmap_view portmap_io_view(const struct portmap_io *p,
				    enum portmap_family family)
{
	return view_of(&p->side[family], loop_now());
}

bool portmap_public(const struct portmap_io *p, struct net_addr *v4,
		    struct net_addr *v6)
{
	struct net_addr *const out[PORTMAP_FAMILIES] = { v4, v6 };
	bool any = false;

	for (size_t i = 0; i < PORTMAP_FAMILIES; i++) {
		struct portmap_view v = { .state = PORTMAP_NONE };

		if (p)
			v = portmap_io_view(p, (enum portmap_family)i);
		*out[i] = (struct net_addr){ 0 };
		if (v.state != PORTMAP_MAPPED)
			continue;
		*out[i] = v.external;
		any = true;
	}
	return any;
}

/* --- start and end ------------------------------------------------------ */

static bool side_init(struct side *s, struct portmap_io *p)
{
	struct portmap_cfg cfg = {
		.port = p->cfg.port,
		.lifetime_s = p->cfg.lifetime_s,
		.random = p->cfg.random,
	};

	s->io = p;
	s->said.why = "";
	s->tx = cfg.tx = dgram_queue_new(QUEUE_SLOTS);
	portmap_init(&s->pcp, &cfg);
	portmap_upnp_init(&s->upnp, cfg.port, cfg.lifetime_s);
	return s->tx != NULL;
}

struct portmap_io *portmap_io_new(struct event_base *base,
				  const struct portmap_io_cfg *cfg)
{
	struct portmap_io *p = calloc(1, sizeof(*p));
	bool ok = true;

	if (!p)
		return NULL;
	p->cfg = *cfg;
	p->base = base;
	ok = loop_timer_init(&p->timer, base, on_timer, p) == 0;
	for (size_t i = 0; i < PORTMAP_FAMILIES; i++)
		ok = side_init(&p->side[i], p) && ok;
	if (!ok)
		return portmap_io_free(p);
	for (size_t i = 0; i < PORTMAP_FAMILIES; i++) {
		if (cfg->use[i])
			p->side[i].announced = listen_on(
				&p->side[i],
				portmap_announced_socket(family_of[i]));
	}
	start_worker(p);
	return p;
}

struct portmap_io *portmap_io_free(struct portmap_io *p)
{
	if (!p)
		return NULL;
	p->worker = worker_free(p->worker, WORKER_WAIT_MS);
	for (size_t i = 0; i < PORTMAP_FAMILIES; i++) {
		p->side[i].ask = event_close(p->side[i].ask);
		p->side[i].announced = event_close(p->side[i].announced);
		p->side[i].tx = dgram_queue_free(p->side[i].tx);
	}
	loop_timer_done(&p->timer);
	free(p);
	return NULL;
}
