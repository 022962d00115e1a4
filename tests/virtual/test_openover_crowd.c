/* SPDX-License-Identifier: MIT */

/* What a registrar lets many nodes do that share an address, or one that has
 * much to do at once. */

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "proto/openover_node.h"
#include "proto/openover_registrar.h"
#include "tests/t.h"
#include "tests/virtual/usual_registrar.h"

#define CROWD 60U

static struct {
	mono_us now;
	uint64_t counter;
	struct oo_registrar *registrar;
	struct key_identity registrar_id;
	struct oo_node *node[CROWD];
	struct key_identity id[CROWD];
	struct net_addr addr[CROWD];
	unsigned paths, failed, limited;
} w;

static const struct net_addr registrar_at = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1 }, 4569
};

static void new_node(size_t i)
{
	char number[8];
	struct oo_node_cfg cfg = {
		.identity = &w.id[i],
		.number = number,
		.port = 4569,
		.keepalive = 15 * MONO_S,
		.tx_max = 64,
		.random = usual_random,
		.random_ctx = &w.counter,
	};
	const uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };
	size_t index;

	(void)snprintf(number, sizeof(number), "%u", 2000 + (unsigned)i);
	key_identity_from_seed(&w.id[i], seed);
	w.node[i] = oo_node_new(&cfg, w.now);
	T_TRUE(w.node[i] != NULL);
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(w.registrar, number, w.id[i].public_key));
	T_EQ(IAX2_OK,
	     oo_node_add_registrar(w.node[i], w.registrar_id.public_key, w.now,
				   &index));
	oo_node_registrar_addresses(w.node[i], index, &registrar_at, 1, w.now);
}

/* All behind one address, as a carrier's translator gives its ports out. */
static void begin(uint32_t registrations_per_min)
{
	const uint8_t seed[KEY_SEED_LEN] = { 200 };
	struct oo_registrar_cfg cfg;

	memset(&w, 0, sizeof(w));
	w.now = MONO_S;
	key_identity_from_seed(&w.registrar_id, seed);
	cfg = usual_registrar(&w.registrar_id, usual_random, &w.counter);
	cfg.nodes_max = 2 * CROWD;
	cfg.tx_max = 1024;
	cfg.opens_max = CROWD;
	cfg.registrations_per_min = registrations_per_min;
	w.registrar = oo_registrar_new(&cfg, w.now);
	T_TRUE(w.registrar != NULL);
	for (size_t i = 0; i < CROWD; i++) {
		w.addr[i] =
			net_addr_v4(203, 0, 113, 7, (uint16_t)(20000 + 8 * i));
		new_node(i);
	}
}

static void end(void)
{
	for (size_t i = 0; i < CROWD; i++)
		w.node[i] = oo_node_free(w.node[i]);
	w.registrar = oo_registrar_free(w.registrar);
}

/* --- the wire ----------------------------------------------------------- */

static void carry(const struct net_addr *from, const struct dgram *d)
{
	const struct dgram in = {
		.path.peer = *from, .ttl = 60, .data = d->data, .len = d->len
	};

	if (d->ttl != 0 && d->ttl <= 5)
		return;
	if (net_addr_equal(&d->path.peer, &registrar_at))
		(void)oo_registrar_rx(w.registrar, &in, w.now);
	for (size_t i = 0; i < CROWD; i++) {
		if (net_addr_equal(&d->path.peer, &w.addr[i]))
			(void)oo_node_rx(w.node[i], &in, w.now);
	}
}

static bool from_node(size_t i)
{
	struct oo_event ev;
	struct dgram d;
	bool moved = false;

	while (oo_node_next_tx(w.node[i], &d)) {
		carry(&w.addr[i], &d);
		moved = true;
	}
	while (oo_node_next_event(w.node[i], &ev)) {
		moved = true;
		w.paths += ev.kind == OO_EV_PATH;
		if (ev.kind == OO_EV_OPEN_IN)
			T_EQ(IAX2_OK,
			     oo_node_answer(w.node[i], ev.id, true, w.now));
		if (ev.kind != OO_EV_FAILED)
			continue;
		w.failed++;
		w.limited += ev.u.failed.verdict == OO_LIMITED;
	}
	return moved;
}

static void settle(void)
{
	bool moved = true;

	while (moved) {
		struct dgram d;

		moved = false;
		for (size_t i = 0; i < CROWD; i++)
			moved |= from_node(i);
		while (oo_registrar_next_tx(w.registrar, &d)) {
			carry(&registrar_at, &d);
			moved = true;
		}
	}
}

static void run(mono_us duration)
{
	const mono_us end_at = w.now + duration;

	settle();
	while (w.now < end_at) {
		mono_us due = oo_registrar_deadline(w.registrar);

		for (size_t i = 0; i < CROWD; i++)
			due = mono_min(due, oo_node_deadline(w.node[i]));
		w.now = due > w.now ? mono_min(due, end_at) : w.now + 1;
		oo_registrar_tick(w.registrar, w.now);
		for (size_t i = 0; i < CROWD; i++)
			oo_node_tick(w.node[i], w.now);
		settle();
	}
}

static unsigned registered(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < CROWD; i++)
		n += oo_reg_is_up(oo_node_registrar(w.node[i], 0));
	return n;
}

/* --- registering -------------------------------------------------------- */

static void all_behind_one_address_come_back(void)
{
	begin(60);
	run(10 * MONO_S);
	T_EQ(CROWD, registered());
	end();
}

/* 4 a minute for a number; the address has 80 at once, of which each
 * registration takes two, and 64 a minute. */
static void an_address_stays_bounded(void)
{
	begin(4);
	run(10 * MONO_S);
	T_TRUE(registered() >= 20);
	T_TRUE(registered() <= (80 + 64 * 10 / 60) / 2 + 1);
	T_TRUE(oo_registrar_counters(w.registrar)->limited > 0);
	end();
}

/* --- opening ------------------------------------------------------------ */

static void dial(size_t from, unsigned to)
{
	struct oo_id id;
	char number[8];

	(void)snprintf(number, sizeof(number), "%u", to);
	T_EQ(IAX2_OK, oo_node_dial(w.node[from], number, NULL, w.now, &id));
}

/* As it does when it starts. */
static void a_hub_asks_for_all_its_links_at_once(void)
{
	begin(60);
	run(10 * MONO_S);
	for (unsigned i = 0; i < 60; i++) {
		dial(0, 9000 + i);
		settle();
	}
	T_EQ(60, w.failed);
	T_EQ(0, w.limited);
	dial(0, 9000);
	settle();
	T_EQ(1, w.limited);
	end();
}

/* Their ids fall where they will in the table. */
static void as_many_open_as_there_are_places(void)
{
	begin(60);
	run(10 * MONO_S);
	for (unsigned i = 0; i < CROWD; i++)
		dial(i, 2000 + (i + 1) % CROWD);
	settle();
	T_EQ(CROWD, oo_registrar_opens(w.registrar));
	T_EQ(0, w.limited);
	run(3 * MONO_S);
	T_EQ(CROWD, w.paths);
	end();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(all_behind_one_address_come_back);
	T_RUN(an_address_stays_bounded);
	T_RUN(a_hub_asks_for_all_its_links_at_once);
	T_RUN(as_many_open_as_there_are_places);
	return T_DONE();
}
