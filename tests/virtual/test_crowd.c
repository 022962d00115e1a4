/* SPDX-License-Identifier: MIT */

/* Dozens of nodes call a hub in the same second, through a registrar, on a
 * wire without delay: all are let in, or told at once that they are not. */

#include <sodium.h>
#include <string.h>

#include "daemon/node/node.h"
#include "proto/openover_registrar.h"
#include "tests/t.h"
#include "tests/virtual/usual_registrar.h"

#define CALLERS 64U
#define HUB CALLERS
#define REGISTRAR (CALLERS + 1)
#define PARTIES (CALLERS + 2)

struct party {
	struct node *node;
	struct key_identity id;
	struct net_addr addr;
	char number[8];
	unsigned ups, downs;
	char why[NODE_WHY_MAX];
};

static struct {
	mono_us now;
	uint64_t counter;
	struct oo_registrar *registrar;
	struct party at[PARTIES];
} w;

static void new_node(struct party *p, uint16_t calls_max)
{
	const struct node_cfg cfg = {
		.number = p->number,
		.identity = &p->id,
		.port = 4569,
		.keepalive_s = 15,
		.calls_max = calls_max,
		.limits = { 16, 16, 16, 1000, 1000 },
		.jitter = { .min_ms = 40, .max_ms = 400 },
		.station = station_config_flat,
		.acl = { .registered = true },
		.random = usual_random,
		.random_ctx = &w.counter,
	};
	struct oo_node *oo;
	size_t index;

	p->node = node_new(&cfg, w.now);
	T_TRUE(p->node != NULL);
	oo = node_openover(p->node);
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(w.registrar, p->number, p->id.public_key));
	T_EQ(IAX2_OK, oo_node_add_registrar(oo, w.at[REGISTRAR].id.public_key,
					    w.now, &index));
	oo_node_own_addresses(oo, &p->addr, 1);
	oo_node_registrar_addresses(oo, index, &w.at[REGISTRAR].addr, 1, w.now);
}

static void new_registrar(void)
{
	struct oo_registrar_cfg cfg =
		usual_registrar(&w.at[REGISTRAR].id, usual_random, &w.counter);

	cfg.nodes_max = PARTIES;
	cfg.opens_max = 1024;
	cfg.tx_max = 1024;
	cfg.registrations_per_min = 600;
	w.registrar = oo_registrar_new(&cfg, w.now);
	T_TRUE(w.registrar != NULL);
}

/* --- the wire ----------------------------------------------------------- */

static struct party *party_at(const struct net_addr *a)
{
	for (size_t i = 0; i < PARTIES; i++) {
		if (net_addr_equal(&w.at[i].addr, a))
			return &w.at[i];
	}
	return NULL;
}

static void carry(const struct party *from, const struct dgram *d)
{
	struct party *to = party_at(&d->path.peer);
	const struct dgram in = { .path.peer = from->addr,
				  .ttl = 60,
				  .data = d->data,
				  .len = d->len };

	if (!to || (d->ttl != 0 && d->ttl <= 5))
		return;
	if (to == &w.at[REGISTRAR])
		(void)oo_registrar_rx(w.registrar, &in, w.now);
	else
		node_rx(to->node, &in, w.now);
}

static bool move_one(struct party *p)
{
	struct node_event ev;
	struct dgram d;
	bool moved = false;

	while (node_next_tx(p->node, &d)) {
		carry(p, &d);
		moved = true;
	}
	while (node_next_event(p->node, &ev)) {
		p->ups += ev.kind == NODE_EV_LINK_UP;
		if (ev.kind == NODE_EV_LINK_DOWN) {
			p->downs++;
			memcpy(p->why, ev.why, sizeof(p->why));
		}
	}
	return moved;
}

static void settle(void)
{
	bool moved = true;

	while (moved) {
		struct dgram d;

		moved = false;
		for (size_t i = 0; i <= HUB; i++)
			moved |= move_one(&w.at[i]);
		while (oo_registrar_next_tx(w.registrar, &d)) {
			carry(&w.at[REGISTRAR], &d);
			moved = true;
		}
	}
}

static void run(mono_us duration)
{
	const mono_us end = w.now + duration;

	settle();
	while (w.now < end) {
		mono_us due = oo_registrar_deadline(w.registrar);

		for (size_t i = 0; i <= HUB; i++)
			due = mono_min(due, node_deadline(w.at[i].node));
		w.now = due > w.now ? mono_min(due, end) : w.now + 1;
		oo_registrar_tick(w.registrar, w.now);
		for (size_t i = 0; i <= HUB; i++)
			node_tick(w.at[i].node, w.now);
		settle();
	}
}

/* --- the crowd ---------------------------------------------------------- */

static void begin(uint16_t calls_max)
{
	memset(&w, 0, sizeof(w));
	w.now = MONO_S;
	for (size_t i = 0; i < PARTIES; i++) {
		const uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };
		struct party *p = &w.at[i];

		key_identity_from_seed(&p->id, seed);
		p->addr = net_addr_v4(10, 0, 0, (uint8_t)(i + 1), 4569);
		(void)snprintf(p->number, sizeof(p->number), "%u",
			       2000 + (unsigned)i);
	}
	new_registrar();
	for (size_t i = 0; i < CALLERS; i++)
		new_node(&w.at[i], 1);
	new_node(&w.at[HUB], calls_max);
	run(3 * MONO_S);
}

static void end(void)
{
	for (size_t i = 0; i <= HUB; i++)
		node_free(w.at[i].node);
	oo_registrar_free(w.registrar);
}

static void dial(struct party *from, const struct party *to)
{
	const struct node_connect c = { .number = to->number };
	struct node_link_id id;

	T_EQ(IAX2_OK, node_connect(from->node, &c, w.now, &id));
}

/* And again, as soon as the places of the last time are free. */
static void a_hub_lets_them_all_in(void)
{
	begin(4 * CALLERS);
	for (unsigned round = 1; round <= 2; round++) {
		for (size_t i = 0; i < CALLERS; i++)
			dial(&w.at[i], &w.at[HUB]);
		run(2 * MONO_S);
		T_EQ(round * CALLERS, w.at[HUB].ups);
		for (size_t i = 0; i < CALLERS; i++)
			T_EQ(1, node_disconnect(w.at[i].node, w.at[HUB].number,
						w.now));
		run(4 * MONO_S);
	}
	end();
}

/* Its own dials have a place all the while. */
static void a_small_node_tells_those_it_has_no_room_for(void)
{
	unsigned told = 0;

	begin(64);
	for (size_t i = 1; i < CALLERS; i++)
		dial(&w.at[i], &w.at[HUB]);
	run(100 * MONO_MS);
	for (size_t i = 1; i < CALLERS; i++) {
		told += w.at[i].downs == 1 &&
			strstr(w.at[i].why, oo_verdict_text(OO_LIMITED));
	}
	T_EQ(CALLERS - 1 - 32, told);
	dial(&w.at[HUB], &w.at[0]);
	run(2 * MONO_S);
	T_EQ(1, w.at[0].ups);
	end();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_hub_lets_them_all_in);
	T_RUN(a_small_node_tells_those_it_has_no_room_for);
	return T_DONE();
}
