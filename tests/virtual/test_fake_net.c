/* SPDX-License-Identifier: MIT */

/* The simulated network itself: what tests rely on. */

#include "tests/virtual/fake_net.h"

#include <string.h>

#include "tests/t.h"

#define INBOX 256

/* A machine that sends what it is told and notes what it gets. */
struct box {
	struct dgram out;
	unsigned out_n;
	unsigned in_n;
	struct net_path last;
	uint8_t last_ttl;
	uint8_t order[INBOX];
	mono_us at[INBOX];
	uint8_t next;
};

static void rx(void *ctx, const struct dgram *d, mono_us now)
{
	struct box *b = ctx;

	if (b->in_n < INBOX) {
		b->order[b->in_n] = d->data[0];
		b->at[b->in_n] = now;
	}
	b->in_n++;
	b->last = d->path;
	b->last_ttl = d->ttl;
}

static void tick(void *ctx, mono_us now)
{
	(void)ctx;
	(void)now;
}

static mono_us never(void *ctx)
{
	(void)ctx;
	return MONO_NEVER;
}

static bool next_tx(void *ctx, struct dgram *out)
{
	struct box *b = ctx;

	if (b->out_n == 0)
		return false;
	b->out_n--;
	b->next++;
	*out = b->out;
	out->data = &b->next;
	out->len = 1;
	return true;
}

static const struct net_addr public_a = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1 }, 4569
};
static const struct net_addr public_b = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 2 }, 4569
};
static const struct net_addr private_c = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 9 }, 4569
};
static const struct net_addr outside = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 1 }, 0
};

enum { A, B, C, BOXES };

struct lan {
	struct fake_net *net;
	struct box box[BOXES];
};

static void lan_init(struct lan *l, uint64_t seed, const struct fake_nat *nat)
{
	memset(l, 0, sizeof(*l));
	l->net = fake_net_new(seed, MONO_S);
	for (int i = 0; i < BOXES; i++) {
		const struct fake_machine m = { &l->box[i], rx,      tick,
						never,      next_tx, NULL };

		T_EQ(i, fake_net_attach(l->net, &m));
	}
	fake_net_address(l->net, A, &public_a, FAKE_NO_NAT);
	fake_net_address(l->net, B, &public_b, FAKE_NO_NAT);
	fake_net_address(l->net, C, &private_c,
			 nat ? fake_net_nat(l->net, nat) : FAKE_NO_NAT);
}

static void send(struct lan *l, int from, const struct net_addr *to, unsigned n)
{
	l->box[from].out.path.peer = *to;
	l->box[from].out_n = n;
	fake_net_run(l->net, fake_net_now(l->net) + MONO_S);
}

static void the_same_seed_is_the_same_weather(void)
{
	const struct fake_weather w = { .delay = 10 * MONO_MS,
					.jitter = 10 * MONO_MS,
					.loss = 200,
					.duplicate = 100,
					.reorder = 200,
					.reorder_delay = 50 * MONO_MS };
	static struct lan l[3];
	unsigned back = 0;

	for (uint64_t i = 0; i < 3; i++) {
		lan_init(&l[i], i / 2, NULL);
		fake_net_weather(l[i].net, &w);
		send(&l[i], A, &public_b, 200);
		T_EQ(0, fake_net_in_flight(l[i].net));
		fake_net_free(l[i].net);
	}
	T_EQ(l[0].box[B].in_n, l[1].box[B].in_n);
	T_EQ(0, memcmp(l[0].box[B].at, l[1].box[B].at, sizeof(l[0].box[B].at)));
	T_TRUE(memcmp(l[0].box[B].at, l[2].box[B].at, sizeof(l[0].box[B].at)) !=
	       0);
	/* About 160 arrive, 16 of them twice, and some out of order. */
	T_TRUE(l[0].box[B].in_n > 140 && l[0].box[B].in_n < 210);
	for (unsigned i = 1; i < l[0].box[B].in_n; i++)
		back += l[0].box[B].order[i] < l[0].box[B].order[i - 1];
	T_TRUE(back > 10);
}

static void fair_weather_keeps_time_and_order(void)
{
	const struct fake_weather w = { .delay = 10 * MONO_MS,
					.jitter = 10 * MONO_MS };
	struct lan l;

	lan_init(&l, 5, NULL);
	fake_net_weather(l.net, &w);
	send(&l, A, &public_b, 100);
	T_EQ(100, l.box[B].in_n);
	for (unsigned i = 0; i < 100; i++) {
		T_EQ(i + 1, l.box[B].order[i]);
		T_TRUE(l.box[B].at[i] >= MONO_S + 10 * MONO_MS &&
		       l.box[B].at[i] <= MONO_S + 20 * MONO_MS);
	}
	T_TRUE(net_addr_equal(&public_a, &l.box[B].last.peer));
	T_EQ(64 - 8, l.box[B].last_ttl);
	fake_net_free(l.net);
}

static void filtering_and_mapping_are_as_told(void)
{
	static const struct {
		enum fake_filtering filtering;
		bool other_port_gets_in;
		bool other_host_gets_in;
	} rows[] = {
		{ FAKE_FILTER_NONE, true, true },
		{ FAKE_FILTER_ADDRESS, true, false },
		{ FAKE_FILTER_ADDRESS_PORT, false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fake_nat nat = { .outside = outside,
					      .filtering = rows[i].filtering };
		struct net_addr hole;
		struct lan l;

		lan_init(&l, i, &nat);
		send(&l, C, &public_a, 1);
		T_EQ(1, l.box[A].in_n);
		hole = l.box[A].last.peer;
		T_TRUE(net_addr_same_ip(&outside, &hole));
		send(&l, A, &hole, 1);
		T_EQ(1, l.box[C].in_n);
		l.box[A].out.path.sock = 1;
		send(&l, A, &hole, 1);
		T_EQ(1U + rows[i].other_port_gets_in, l.box[C].in_n);
		l.box[C].in_n = 0;
		send(&l, B, &hole, 1);
		T_EQ(rows[i].other_host_gets_in, l.box[C].in_n);
		/* One mapping for all peers. */
		send(&l, C, &public_b, 1);
		T_TRUE(net_addr_equal(&hole, &l.box[B].last.peer));
		fake_net_free(l.net);
	}
}

static void a_symmetric_translator_has_a_port_for_each_peer(void)
{
	const struct fake_nat nat = { .outside = outside,
				      .preserve_port = true,
				      .mapping_by_peer = true,
				      .filtering = FAKE_FILTER_ADDRESS_PORT };
	struct lan l;

	lan_init(&l, 1, &nat);
	send(&l, C, &public_a, 1);
	send(&l, C, &public_b, 1);
	T_EQ(4569, l.box[A].last.peer.port);
	T_TRUE(l.box[B].last.peer.port != 4569);
	fake_net_free(l.net);
}

static void holes_close_and_addresses_change(void)
{
	const struct fake_nat nat = { .outside = outside,
				      .preserve_port = true,
				      .hole_life = 15 * MONO_S };
	struct net_addr moved = outside, hole;
	struct lan l;

	lan_init(&l, 1, &nat);
	send(&l, C, &public_a, 1);
	hole = l.box[A].last.peer;
	fake_net_run(l.net, fake_net_now(l.net) + 13 * MONO_S);
	send(&l, A, &hole, 1);
	T_EQ(1, l.box[C].in_n);
	/* What comes in does not keep it open. */
	fake_net_run(l.net, fake_net_now(l.net) + 2 * MONO_S);
	send(&l, A, &hole, 1);
	T_EQ(1, l.box[C].in_n);
	moved.ip[15] = 99;
	fake_net_rebind(l.net, 0, fake_net_now(l.net) + MONO_S, &moved);
	send(&l, C, &public_a, 1);
	T_TRUE(net_addr_same_ip(&outside, &l.box[A].last.peer));
	send(&l, C, &public_a, 1);
	T_TRUE(net_addr_same_ip(&moved, &l.box[A].last.peer));
	send(&l, A, &hole, 1);
	T_EQ(1, l.box[C].in_n);
	fake_net_free(l.net);
}

static void a_small_time_to_live_opens_a_hole_and_dies(void)
{
	const struct fake_nat nat = { .outside = outside,
				      .preserve_port = true,
				      .filtering = FAKE_FILTER_ADDRESS_PORT };
	struct net_addr hole = outside;
	struct lan l;

	lan_init(&l, 1, &nat);
	l.box[C].out.ttl = 4;
	send(&l, C, &public_a, 1);
	T_EQ(0, l.box[A].in_n);
	hole.port = 4569;
	send(&l, A, &hole, 1);
	T_EQ(1, l.box[C].in_n);
	fake_net_free(l.net);
}

static bool only_even(void *ctx, const struct fake_packet *p)
{
	(*(unsigned *)ctx)++;
	return p->nth % 2 == 0;
}

static void a_hook_sees_all_and_loses_what_it_wants(void)
{
	unsigned seen = 0;
	struct lan l;

	lan_init(&l, 1, NULL);
	fake_net_hook(l.net, only_even, &seen);
	send(&l, A, &public_b, 10);
	T_EQ(10, seen);
	T_EQ(5, l.box[B].in_n);
	fake_net_cut(l.net, B, true);
	send(&l, A, &public_b, 10);
	T_EQ(5, l.box[B].in_n);
	T_EQ(20, fake_net_counters(l.net, A)->sent);
	T_EQ(5, fake_net_counters(l.net, B)->received);
	fake_net_free(l.net);
}

int main(void)
{
	T_RUN(the_same_seed_is_the_same_weather);
	T_RUN(fair_weather_keeps_time_and_order);
	T_RUN(filtering_and_mapping_are_as_told);
	T_RUN(a_symmetric_translator_has_a_port_for_each_peer);
	T_RUN(holes_close_and_addresses_change);
	T_RUN(a_small_time_to_live_opens_a_hole_and_dies);
	T_RUN(a_hook_sees_all_and_loses_what_it_wants);
	return T_DONE();
}
