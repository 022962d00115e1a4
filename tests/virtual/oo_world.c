/* SPDX-License-Identifier: MIT */

#include "tests/virtual/oo_world.h"

#include <sodium.h>
#include <string.h>

#include "proto/iax2_frame.h"
#include "tests/t.h"
#include "tests/virtual/usual_registrar.h"

static uint64_t counter;

static void init(struct world *w, const struct oo_relay_cfg *relay,
		 const enum oo_relay_use use[WORLD_NODES])
{
	struct oo_registrar_cfg rc =
		usual_registrar(&w->id[REGISTRAR], usual_random, &counter);
	static const char *const number[] = { "2001", "2002", "2003" };

	T_TRUE(sodium_init() >= 0);
	memset(w, 0, sizeof(*w));
	w->now = MONO_S;
	for (int i = 0; i <= WORLD_NODES; i++) {
		uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };

		key_identity_from_seed(&w->id[i], seed);
		w->addr[i] =
			use ? net_addr_v4(198, 51, 100, (uint8_t)(i + 1), 4569)
			    : net_addr_v4(10, 0, 0, (uint8_t)(i + 1), 4569);
	}
	rc.relay = relay;
	w->registrar = oo_registrar_new(&rc, w->now);
	T_TRUE(w->registrar != NULL);
	for (int i = 0; i < WORLD_NODES; i++) {
		const struct oo_node_cfg nc = {
			.identity = &w->id[i],
			.number = number[i],
			.port = 4569,
			.keepalive = 15 * MONO_S,
			.tx_max = 64,
			.relay = use ? use[i] : OO_RELAY_NEVER,
			.random = usual_random,
			.random_ctx = &counter,
		};
		size_t index;

		T_EQ(IAX2_OK, oo_registrar_node_put(w->registrar, number[i],
						    w->id[i].public_key));
		w->node[i] = oo_node_new(&nc, w->now);
		T_TRUE(w->node[i] != NULL);
		T_EQ(IAX2_OK, oo_node_add_registrar(w->node[i],
						    w->id[REGISTRAR].public_key,
						    w->now, &index));
		oo_node_own_addresses(w->node[i], &w->addr[i], 1);
	}
}

void world_init(struct world *w)
{
	init(w, NULL, NULL);
}

static struct oo_relay_cfg relay_cfg(void)
{
	const struct net_addr v4 = net_addr_v4(192, 0, 2, 200, 0);
	struct oo_relay_cfg c = usual_relay(&v4);

	c.own_n = 1;
	c.address[OO_V6] = (struct net_addr){
		.ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = 0xee },
	};
	c.own[0] = net_addr_v4(192, 0, 2, 201, 0);
	return c;
}

void world_init_relay(struct world *w)
{
	const struct oo_relay_cfg c = relay_cfg();

	init(w, &c, NULL);
}

void world_init_relayed(struct world *w,
			const enum oo_relay_use use[WORLD_NODES])
{
	const struct oo_relay_cfg c = relay_cfg();

	init(w, &c, use);
}

void world_done(struct world *w)
{
	w->registrar = oo_registrar_free(w->registrar);
	for (int i = 0; i < WORLD_NODES; i++)
		w->node[i] = oo_node_free(w->node[i]);
}

static int party_at(const struct world *w, const struct net_addr *a)
{
	for (int i = 0; i <= WORLD_NODES; i++) {
		if (net_addr_equal(&w->addr[i], a) ||
		    (net_addr_is_set(&w->also[i]) &&
		     net_addr_equal(&w->also[i], a)))
			return i;
	}
	return -1;
}

enum iax2_err world_inject(struct world *w, int to, const struct net_addr *from,
			   const uint8_t *data, size_t len)
{
	uint8_t *copy = t_dup(data, len);
	const struct dgram d = {
		.path.peer = *from,
		.ttl = 60,
		.data = copy,
		.len = len,
	};
	enum iax2_err err;

	if (to == REGISTRAR)
		err = oo_registrar_rx(w->registrar, &d, w->now);
	else
		err = oo_node_rx(w->node[to], &d, w->now);
	free(copy);
	return err;
}

static bool is_at_relay(const struct world *w, const struct net_addr *a)
{
	const struct oo_relay *r = oo_registrar_relay(w->registrar);

	return r && net_addr_same_ip(&oo_relay_cfg(r)->address[OO_V4], a);
}

void world_to_relay(struct world *w, const struct net_addr *from, uint16_t port,
		    const uint8_t *data, size_t len)
{
	uint8_t *copy = t_dup(data, len);
	const struct dgram d = {
		.path = { .peer = *from,
			  .sock = (uint16_t)(port - USUAL_RELAY_FIRST) },
		.data = copy,
		.len = len,
	};

	oo_registrar_relay_rx(w->registrar, &d, w->now);
	free(copy);
}

/* What leaves from the relay's ports. */
static bool move_relay(struct world *w)
{
	struct oo_relay_socket s;
	struct dgram d;
	bool moved = false;

	while (oo_registrar_next_socket(w->registrar, &s)) {
		if (s.open)
			oo_registrar_socket_opened(w->registrar, s.slot,
						   w->no_ports ? 0 : 3, w->now);
		moved = true;
	}
	while (oo_registrar_relay_next_tx(w->registrar, &d)) {
		const int to = party_at(w, &d.path.peer);
		struct net_addr from = net_addr_v4(
			192, 0, 2, 200,
			(uint16_t)(USUAL_RELAY_FIRST + d.path.sock));

		w->relayed++;
		w->relayed_to = d.path.peer;
		if (w->left_n < sizeof(w->left) && d.len > 11)
			w->left[w->left_n++] = d.data[11];
		moved = true;
		if (to >= 0)
			(void)world_inject(w, to, &from, d.data, d.len);
	}
	return moved;
}

static void carry(struct world *w, int from, const struct dgram *d)
{
	const int to = party_at(w, &d->path.peer);

	if (w->log_n < WORLD_LOG) {
		struct world_frame *f = &w->log[w->log_n++];

		f->from = w->addr[from];
		f->to = d->path.peer;
		f->subclass = d->data[11];
		f->len = d->len;
		memcpy(f->data, d->data, d->len);
	}
	if (w->swallow && ++w->sent == w->swallow) {
		w->swallowed = w->log[w->log_n - 1];
		return;
	}
	if (is_at_relay(w, &d->path.peer))
		world_to_relay(w, &w->addr[from], d->path.peer.port, d->data,
			       d->len);
	if (w->gone[from] || (to >= 0 && w->gone[to]) ||
	    (w->wall && to != REGISTRAR && from != REGISTRAR))
		return;
	/* A packet with a small time-to-live dies on the way. */
	if (to >= 0 && (d->ttl == 0 || d->ttl > 5))
		(void)world_inject(w, to, &w->addr[from], d->data, d->len);
}

static bool move(struct world *w)
{
	bool moved = false;
	struct dgram d;
	struct oo_event ev;

	for (int i = 0; i < WORLD_NODES; i++) {
		while (oo_node_next_tx(w->node[i], &d)) {
			carry(w, i, &d);
			moved = true;
		}
		while (oo_node_next_event(w->node[i], &ev)) {
			w->last[i][ev.kind] = ev;
			w->seen[i][ev.kind]++;
			moved = true;
			if (ev.kind == OO_EV_OPEN_IN)
				T_EQ(IAX2_OK,
				     oo_node_answer(w->node[i], ev.id,
						    !w->refuse[i], w->now));
		}
	}
	while (oo_registrar_next_tx(w->registrar, &d)) {
		carry(w, REGISTRAR, &d);
		moved = true;
	}
	return move_relay(w) || moved;
}

void world_settle(struct world *w)
{
	for (int i = 0; i < 1000; i++) {
		if (!move(w))
			return;
	}
	fprintf(stderr, "the wire never rests\n");
	t_die();
}

void world_run(struct world *w, mono_us duration)
{
	const mono_us end = w->now + duration;

	world_settle(w);
	while (w->now < end) {
		mono_us due = oo_registrar_deadline(w->registrar);

		for (int i = 0; i < WORLD_NODES; i++)
			due = mono_min(due, oo_node_deadline(w->node[i]));
		w->now = due > w->now ? mono_min(due, end) : w->now + 1;
		oo_registrar_tick(w->registrar, w->now);
		for (int i = 0; i < WORLD_NODES; i++)
			oo_node_tick(w->node[i], w->now);
		world_settle(w);
	}
}

void world_up(struct world *w)
{
	for (int i = 0; i < WORLD_NODES; i++)
		oo_node_registrar_addresses(w->node[i], 0, &w->addr[REGISTRAR],
					    1, w->now);
	world_run(w, MONO_S);
	for (int i = 0; i < WORLD_NODES; i++)
		T_EQ(1, w->seen[i][OO_EV_REGISTERED]);
}

const struct world_frame *world_find(const struct world *w, int from, int to,
				     uint8_t subclass)
{
	for (size_t i = w->log_n; i-- > 0;) {
		const struct world_frame *f = &w->log[i];

		if (f->subclass == subclass &&
		    net_addr_equal(&f->from, &w->addr[from]) &&
		    net_addr_equal(&f->to, &w->addr[to]))
			return f;
	}
	fprintf(stderr, "no such frame was sent\n");
	t_die();
}

struct oo_id world_dial(struct world *w, int caller, const char *number)
{
	struct oo_id id;

	T_EQ(IAX2_OK, oo_node_dial(w->node[caller], number, NULL, w->now, &id));
	return id;
}
