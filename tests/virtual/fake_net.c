/* SPDX-License-Identifier: MIT */

#include "tests/virtual/fake_net.h"

#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define MAPPINGS_MAX 4096
#define SOCKETS_MAX 1024
#define REBINDS_MAX 8
#define TTL_DEFAULT 64
#define PORT_MIN 1024U
#define STEPS_MAX 1000000 /* at one instant: somebody spins */

struct mapping {
	struct net_addr inside;
	struct net_addr peer; /* of a mapping by peer */
	uint16_t port;
	mono_us used;
	struct net_addr *permit; /* peers that it lets in; grows */
	size_t permits;
	size_t permit_cap;
};

struct nat {
	struct fake_nat cfg;
	struct mapping map[MAPPINGS_MAX];
	size_t n;
	uint16_t last_port; /* of sequential ones */
};

struct node {
	struct fake_machine m;
	struct net_addr addr[FAKE_ADDRS_MAX];
	int nat[FAKE_ADDRS_MAX];
	size_t addrs;
	bool cut;
	mono_us last_arrival; /* of what it sent */
	struct fake_counters n;
};

struct flying {
	mono_us at;
	uint64_t order; /* of sending: keeps equal times in order */
	struct net_addr src;
	struct net_addr dst;
	uint8_t ttl;
	size_t len;
	uint8_t data[DGRAM_MAX];
};

struct rebind {
	int nat;
	mono_us when;
	struct net_addr outside;
};

struct fake_net {
	uint64_t rng;
	mono_us now;
	struct fake_weather weather;
	fake_hook hook;
	void *hook_ctx;
	uint8_t hops;
	uint64_t sent;
	uint64_t order;
	struct node node[FAKE_NODES_MAX];
	size_t nodes;
	struct nat *nat[FAKE_NATS_MAX];
	size_t nats;
	struct rebind rebind[REBINDS_MAX];
	size_t rebinds;
	struct flying **air; /* a heap, soonest at 0 */
	size_t air_n;
	size_t air_cap;
};

/* splitmix64 */
static uint64_t rnd(struct fake_net *net)
{
	uint64_t z = net->rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static bool chance(struct fake_net *net, unsigned permille)
{
	return permille > 0 && rnd(net) % 1000 < permille;
}

void fake_net_random(void *ctx, uint8_t *buf, size_t len)
{
	struct fake_net *net = ctx;

	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(rnd(net) >> 32);
}

struct fake_net *fake_net_new(uint64_t seed, mono_us now)
{
	struct fake_net *net = calloc(1, sizeof(*net));

	T_TRUE(net != NULL);
	net->rng = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
	net->now = now;
	net->hops = 8;
	return net;
}

struct fake_net *fake_net_free(struct fake_net *net)
{
	if (!net)
		return NULL;
	for (size_t i = 0; i < net->air_n; i++)
		free(net->air[i]);
	for (size_t i = 0; i < net->nats; i++) {
		/* Every place that was ever used, beyond n after a rebind. */
		for (size_t k = 0; k < MAPPINGS_MAX; k++)
			free(net->nat[i]->map[k].permit);
		free(net->nat[i]);
	}
	free(net->air);
	free(net);
	return NULL;
}

int fake_net_nat(struct fake_net *net, const struct fake_nat *nat)
{
	struct nat *n = calloc(1, sizeof(*n));

	T_TRUE(n != NULL);
	T_TRUE(net->nats < FAKE_NATS_MAX);
	n->cfg = *nat;
	n->last_port = 20000;
	net->nat[net->nats] = n;
	return (int)net->nats++;
}

int fake_net_attach(struct fake_net *net, const struct fake_machine *m)
{
	T_TRUE(net->nodes < FAKE_NODES_MAX);
	net->node[net->nodes].m = *m;
	return (int)net->nodes++;
}

void fake_net_address(struct fake_net *net, int node,
		      const struct net_addr *addr, int nat)
{
	struct node *n = &net->node[node];

	T_TRUE(n->addrs < FAKE_ADDRS_MAX);
	n->addr[n->addrs] = *addr;
	n->nat[n->addrs++] = nat;
}

void fake_net_relocate(struct fake_net *net, int node,
		       const struct net_addr *addr, int nat)
{
	net->node[node].addrs = 0;
	fake_net_address(net, node, addr, nat);
}

void fake_net_weather(struct fake_net *net, const struct fake_weather *w)
{
	net->weather = *w;
}

void fake_net_hook(struct fake_net *net, fake_hook hook, void *ctx)
{
	net->hook = hook;
	net->hook_ctx = ctx;
}

void fake_net_hops(struct fake_net *net, uint8_t hops)
{
	net->hops = hops;
}

void fake_net_rebind(struct fake_net *net, int nat, mono_us when,
		     const struct net_addr *outside)
{
	T_TRUE(net->rebinds < REBINDS_MAX);
	net->rebind[net->rebinds++] = (struct rebind){ nat, when, *outside };
}

void fake_net_cut(struct fake_net *net, int node, bool cut)
{
	net->node[node].cut = cut;
}

mono_us fake_net_now(const struct fake_net *net)
{
	return net->now;
}

size_t fake_net_in_flight(const struct fake_net *net)
{
	return net->air_n;
}

const struct fake_counters *fake_net_counters(const struct fake_net *net,
					      int node)
{
	return &net->node[node].n;
}

/* --- translators -------------------------------------------------------- */

static bool alive(const struct fake_net *net, const struct nat *n,
		  const struct mapping *m)
{
	return n->cfg.hole_life == 0 || net->now - m->used < n->cfg.hole_life;
}

static struct mapping *by_port(const struct fake_net *net, struct nat *n,
			       uint16_t port)
{
	for (size_t i = 0; i < n->n; i++) {
		if (n->map[i].port == port && alive(net, n, &n->map[i]))
			return &n->map[i];
	}
	return NULL;
}

static uint16_t new_port(struct fake_net *net, struct nat *n, uint16_t want)
{
	if (n->cfg.preserve_port && !by_port(net, n, want))
		return want;
	while (n->cfg.step != 0) {
		while (n->cfg.busy > 0 && rnd(net) % 1000 < n->cfg.busy)
			n->last_port = (uint16_t)(n->last_port + n->cfg.step);
		n->last_port = (uint16_t)(n->last_port + n->cfg.step);
		if (n->last_port >= PORT_MIN && !by_port(net, n, n->last_port))
			return n->last_port;
	}
	for (;;) {
		const uint16_t port =
			(uint16_t)(PORT_MIN + rnd(net) % (65536 - PORT_MIN));

		if (!by_port(net, n, port))
			return port;
	}
}

static struct mapping *new_mapping(struct fake_net *net, struct nat *n)
{
	for (size_t i = 0; i < n->n; i++) {
		if (!alive(net, n, &n->map[i]))
			return &n->map[i];
	}
	T_TRUE(n->n < MAPPINGS_MAX);
	return &n->map[n->n++];
}

static struct mapping *outwards(struct fake_net *net, struct nat *n,
				const struct net_addr *inside,
				const struct net_addr *peer)
{
	struct mapping *m;
	uint16_t port;

	for (size_t i = 0; i < n->n; i++) {
		m = &n->map[i];
		if (alive(net, n, m) && net_addr_equal(&m->inside, inside) &&
		    (!n->cfg.mapping_by_peer ||
		     net_addr_equal(&m->peer, peer)) &&
		    (!n->cfg.mapping_by_address ||
		     net_addr_same_ip(&m->peer, peer)))
			return m;
	}
	port = new_port(net, n, inside->port);
	m = new_mapping(net, n);
	m->permits = 0;
	m->inside = *inside;
	m->peer = *peer;
	m->port = port;
	return m;
}

static void permit(struct mapping *m, const struct net_addr *peer)
{
	for (size_t i = 0; i < m->permits; i++) {
		if (net_addr_equal(&m->permit[i], peer))
			return;
	}
	if (m->permits == m->permit_cap) {
		m->permit_cap = m->permit_cap ? 2 * m->permit_cap : 8;
		m->permit = realloc(m->permit,
				    m->permit_cap * sizeof(m->permit[0]));
		T_TRUE(m->permit != NULL);
	}
	m->permit[m->permits++] = *peer;
}

static struct net_addr translate(struct fake_net *net, struct nat *n,
				 const struct net_addr *inside,
				 const struct net_addr *peer)
{
	struct mapping *m = outwards(net, n, inside, peer);
	struct net_addr out = n->cfg.outside;

	m->used = net->now;
	permit(m, peer);
	out.port = m->port;
	return out;
}

static bool lets_in(const struct nat *n, const struct mapping *m,
		    const struct net_addr *src)
{
	if (n->cfg.filtering == FAKE_FILTER_NONE)
		return true;
	for (size_t i = 0; i < m->permits; i++) {
		if (n->cfg.filtering == FAKE_FILTER_ADDRESS
			    ? net_addr_same_ip(&m->permit[i], src)
			    : net_addr_equal(&m->permit[i], src))
			return true;
	}
	return false;
}

/* --- the air ------------------------------------------------------------ */

static bool sooner(const struct flying *a, const struct flying *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct fake_net *net, size_t a, size_t b)
{
	struct flying *f = net->air[a];

	net->air[a] = net->air[b];
	net->air[b] = f;
}

static void launch(struct fake_net *net, const struct fake_packet *p,
		   mono_us at)
{
	struct flying *f = calloc(1, sizeof(*f));
	size_t i = net->air_n;

	T_TRUE(f != NULL);
	f->at = at;
	f->order = net->order++;
	f->src = p->src;
	f->dst = p->dst;
	f->ttl = (uint8_t)((p->ttl ? p->ttl : TTL_DEFAULT) - net->hops);
	f->len = p->len;
	memcpy(f->data, p->data, p->len);
	if (net->air_n == net->air_cap) {
		net->air_cap = net->air_cap ? 2 * net->air_cap : 64;
		net->air = realloc(net->air,
				   net->air_cap * sizeof(struct flying *));
		T_TRUE(net->air != NULL);
	}
	net->air[net->air_n++] = f;
	for (; i > 0 && sooner(net->air[i], net->air[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap(net, i, (i - 1) / 2);
}

static struct flying *land(struct fake_net *net)
{
	struct flying *first = net->air[0];
	size_t i = 0;

	net->air[0] = net->air[--net->air_n];
	for (;;) {
		size_t c = 2 * i + 1;

		if (c + 1 < net->air_n && sooner(net->air[c + 1], net->air[c]))
			c++;
		if (c >= net->air_n || !sooner(net->air[c], net->air[i]))
			break;
		swap(net, i, c);
		i = c;
	}
	return first;
}

/* --- sending and arriving ----------------------------------------------- */

static size_t source_of(const struct node *n, const struct dgram *d)
{
	static const uint8_t any[16];

	for (size_t i = 0; i < n->addrs; i++) {
		if (memcmp(d->path.local_ip, any, 16) != 0
			    ? memcmp(n->addr[i].ip, d->path.local_ip, 16) == 0
			    : net_addr_is_v4(&n->addr[i]) ==
				      net_addr_is_v4(&d->path.peer))
			return i;
	}
	return FAKE_ADDRS_MAX;
}

static mono_us arrival(struct fake_net *net, struct node *n)
{
	const struct fake_weather *w = &net->weather;
	mono_us at = net->now + w->delay;

	if (w->jitter > 0)
		at += rnd(net) % (w->jitter + 1);
	if (at < n->last_arrival)
		at = n->last_arrival;
	n->last_arrival = at;
	if (w->reorder_delay > 0 && chance(net, w->reorder))
		at += rnd(net) % (w->reorder_delay + 1);
	return at;
}

static void send_one(struct fake_net *net, int from, const struct dgram *d)
{
	struct node *n = &net->node[from];
	const size_t i = source_of(n, d);
	struct fake_packet p = {
		.from = from,
		.dst = d->path.peer,
		.ttl = d->ttl,
		.data = d->data,
		.len = d->len,
		.now = net->now,
	};

	n->n.sent++;
	n->n.octets += d->len;
	p.nth = ++net->sent;
	if (i == FAKE_ADDRS_MAX || n->cut)
		return;
	p.src = n->addr[i];
	p.src.port = (uint16_t)(p.src.port + d->path.sock);
	if (n->nat[i] != FAKE_NO_NAT)
		p.src = translate(net, net->nat[n->nat[i]], &p.src, &p.dst);
	if (net->hook && !net->hook(net->hook_ctx, &p))
		return;
	if ((p.ttl != 0 && p.ttl <= net->hops) ||
	    chance(net, net->weather.loss))
		return;
	launch(net, &p, arrival(net, n));
	if (chance(net, net->weather.duplicate))
		launch(net, &p, arrival(net, n));
}

/* The inner address that a packet is for; false: nobody's. */
static bool inwards(struct fake_net *net, const struct flying *f,
		    struct net_addr *inside, int *nat)
{
	for (size_t i = 0; i < net->nats; i++) {
		struct nat *n = net->nat[i];
		const struct mapping *m;

		if (!net_addr_same_ip(&n->cfg.outside, &f->dst))
			continue;
		m = by_port(net, n, f->dst.port);
		if (!m || !lets_in(n, m, &f->src))
			return false;
		*inside = m->inside;
		*nat = (int)i;
		return true;
	}
	*inside = f->dst;
	*nat = FAKE_NO_NAT;
	return true;
}

static void arrive(struct fake_net *net, struct node *n, const struct flying *f,
		   const struct net_addr *own, uint16_t sock)
{
	/* A copy of the exact size, so that ASan sees an over-read. */
	uint8_t *copy = t_dup(f->data, f->len);
	struct dgram d = {
		.path = { .peer = f->src, .sock = sock },
		.ttl = f->ttl,
		.data = copy,
		.len = f->len,
	};

	memcpy(d.path.local_ip, own->ip, sizeof(own->ip));
	n->n.received++;
	n->m.rx(n->m.ctx, &d, net->now);
	free(copy);
}

static void deliver(struct fake_net *net, const struct flying *f)
{
	struct net_addr to;
	int nat;

	if (!inwards(net, f, &to, &nat))
		return;
	for (size_t i = 0; i < net->nodes; i++) {
		struct node *n = &net->node[i];

		for (size_t k = 0; k < n->addrs && !n->cut; k++) {
			const uint16_t sock =
				(uint16_t)(to.port - n->addr[k].port);

			if (n->nat[k] != nat || sock >= SOCKETS_MAX ||
			    !net_addr_same_ip(&n->addr[k], &to))
				continue;
			arrive(net, n, f, &n->addr[k], sock);
			return;
		}
	}
}

/* --- time --------------------------------------------------------------- */

static void pump(struct fake_net *net)
{
	bool moved = true;
	struct dgram d;

	for (int steps = 0; moved; steps++) {
		T_TRUE(steps < STEPS_MAX);
		moved = false;
		for (size_t i = 0; i < net->nodes; i++) {
			struct node *n = &net->node[i];

			if (n->m.settle)
				n->m.settle(n->m.ctx, net->now);
			while (n->m.next_tx(n->m.ctx, &d)) {
				send_one(net, (int)i, &d);
				moved = true;
			}
		}
	}
}

static void do_rebinds(struct fake_net *net)
{
	for (size_t i = 0; i < net->rebinds; i++) {
		struct rebind *r = &net->rebind[i];

		if (net->now < r->when)
			continue;
		net->nat[r->nat]->cfg.outside = r->outside;
		net->nat[r->nat]->n = 0;
		*r = net->rebind[--net->rebinds];
		i--;
	}
}

static mono_us next_event(const struct fake_net *net)
{
	mono_us due = net->air_n > 0 ? net->air[0]->at : MONO_NEVER;

	for (size_t i = 0; i < net->nodes; i++)
		due = mono_min(due,
			       net->node[i].m.deadline(net->node[i].m.ctx));
	for (size_t i = 0; i < net->rebinds; i++)
		due = mono_min(due, net->rebind[i].when);
	return due;
}

static void step(struct fake_net *net)
{
	do_rebinds(net);
	while (net->air_n > 0 && net->air[0]->at <= net->now) {
		struct flying *f = land(net);

		deliver(net, f);
		free(f);
		pump(net);
	}
	for (size_t i = 0; i < net->nodes; i++) {
		struct node *n = &net->node[i];

		if (n->m.deadline(n->m.ctx) <= net->now)
			n->m.tick(n->m.ctx, net->now);
	}
	pump(net);
}

void fake_net_run(struct fake_net *net, mono_us until)
{
	int steps = 0;

	pump(net);
	for (;;) {
		const mono_us due = next_event(net);

		if (due > until)
			break;
		if (due > net->now) {
			net->now = due;
			steps = 0;
		}
		T_TRUE(++steps < STEPS_MAX);
		step(net);
	}
	net->now = until;
}
