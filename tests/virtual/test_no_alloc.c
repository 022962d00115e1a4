/* SPDX-License-Identifier: MIT */

/*
 * Once they are made, nodes and a registrar allocate nothing, whatever comes:
 * registrations, PINGs, dials, calls, speech, digits, hang-ups, garbage.
 */

#include <sodium.h>
#include <string.h>

#include "audio/device.h"
#include "daemon/node/node.h"
#include "proto/openover_registrar.h"
#include "tests/alloc_count.h"
#include "tests/t.h"

#define NODES 2
#define CALLS 20
#define REGISTRAR NODES

struct world {
	mono_us now;
	struct node *node[NODES];
	struct oo_registrar *registrar;
	struct key_identity id[NODES + 1];
	struct net_addr addr[NODES + 1];
	unsigned ups[NODES];
	unsigned downs[NODES];
	unsigned digits;
	unsigned heard; /* blocks with sound at the second node */
	uint32_t lcg;
};

static void seeded(void *ctx, uint8_t *buf, size_t len)
{
	struct world *w = ctx;

	for (size_t i = 0; i < len; i++) {
		w->lcg = w->lcg * 1664525U + 1013904223U;
		buf[i] = (uint8_t)(w->lcg >> 24);
	}
}

static void new_registrar(struct world *w)
{
	const struct oo_registrar_cfg cfg = {
		.identity = &w->id[REGISTRAR],
		.nodes_max = 16,
		.opens_max = 64,
		.tx_max = 256,
		.refresh_s = 60,
		.registrations_per_min = 600,
		.opens_per_min = 600,
		.auth_failures_per_min = 1000,
		.random = seeded,
		.random_ctx = w,
	};

	w->registrar = oo_registrar_new(&cfg, w->now);
	T_TRUE(w->registrar != NULL);
}

static void new_node(struct world *w, int i)
{
	static const char *const number[NODES] = { "2001", "2002" };
	const struct node_cfg cfg = {
		.number = number[i],
		.identity = &w->id[i],
		.port = 4569,
		.keepalive_s = 15,
		.calls_max = 16,
		.limits = { 16, 16, 16, 1000, 1000 },
		.jitter = { .min_ms = 40, .max_ms = 400 },
		.station = station_config_flat,
		.acl = { .registered = true },
		.random = seeded,
		.random_ctx = w,
	};
	struct oo_node *oo;
	size_t index;

	w->node[i] = node_new(&cfg, w->now);
	T_TRUE(w->node[i] != NULL);
	oo = node_openover(w->node[i]);
	T_EQ(IAX2_OK, oo_registrar_node_put(w->registrar, number[i],
					    w->id[i].public_key));
	T_EQ(IAX2_OK, oo_node_add_registrar(oo, w->id[REGISTRAR].public_key,
					    w->now, &index));
	oo_node_own_addresses(oo, &w->addr[i], 1);
	oo_node_registrar_addresses(oo, index, &w->addr[REGISTRAR], 1, w->now);
}

static void begin(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->now = 1000 * MONO_S;
	for (int i = 0; i <= NODES; i++) {
		const uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };

		key_identity_from_seed(&w->id[i], seed);
		w->addr[i] = net_addr_v4(198, 51, 100, (uint8_t)(i + 1), 4569);
	}
	new_registrar(w);
	for (int i = 0; i < NODES; i++)
		new_node(w, i);
}

static void end(struct world *w)
{
	for (int i = 0; i < NODES; i++)
		w->node[i] = node_free(w->node[i]);
	w->registrar = oo_registrar_free(w->registrar);
}

/* The wire has no delay and copies nothing. */
static void carry(struct world *w, int from, struct dgram *d)
{
	const struct net_addr to = d->path.peer;

	d->path = (struct net_path){ .peer = w->addr[from] };
	d->ttl = 60;
	for (int i = 0; i < NODES; i++) {
		if (net_addr_equal(&w->addr[i], &to))
			node_rx(w->node[i], d, w->now);
	}
	if (net_addr_equal(&w->addr[REGISTRAR], &to))
		(void)oo_registrar_rx(w->registrar, d, w->now);
}

static void take_events(struct world *w, int i)
{
	struct oo_registrar_event rev;
	struct node_event ev;

	while (node_next_event(w->node[i], &ev)) {
		w->ups[i] += ev.kind == NODE_EV_LINK_UP;
		w->downs[i] += ev.kind == NODE_EV_LINK_DOWN;
		w->digits += ev.kind == NODE_EV_DTMF;
	}
	while (oo_registrar_next_event(w->registrar, &rev))
		;
}

static void settle(struct world *w)
{
	bool moved = true;
	struct dgram d;

	while (moved) {
		moved = false;
		for (int i = 0; i < NODES; i++) {
			while (node_next_tx(w->node[i], &d)) {
				carry(w, i, &d);
				moved = true;
			}
			take_events(w, i);
		}
		while (oo_registrar_next_tx(w->registrar, &d)) {
			carry(w, REGISTRAR, &d);
			moved = true;
		}
	}
}

/* 20 ms; the first node's receiver hears a tone while @speaks. */
static void block(struct world *w, bool speaks)
{
	int16_t rx[AUDIO_BLOCK], tx[AUDIO_BLOCK];

	w->now += 20 * MONO_MS;
	oo_registrar_tick(w->registrar, w->now);
	for (int i = 0; i < NODES; i++) {
		for (size_t k = 0; k < AUDIO_BLOCK; k++)
			rx[k] = (int16_t)(k % 8 < 4 ? 8000 : -8000);
		node_tick(w->node[i], w->now);
		node_inputs(w->node[i], i == 0 && speaks ? COR_IN_COR : 0,
			    w->now);
		(void)node_audio(w->node[i], rx, tx, w->now);
		w->heard += i == 1 && tx[0] != 0;
	}
	settle(w);
}

static void run(struct world *w, unsigned blocks, bool speaks)
{
	for (unsigned i = 0; i < blocks; i++)
		block(w, speaks);
}

/* From a stranger and in the other node's name. */
static void garbage(struct world *w)
{
	uint8_t buf[200];
	struct dgram d = { .data = buf };

	for (unsigned i = 0; i < 200; i++) {
		seeded(w, buf, sizeof(buf));
		d.len = buf[0];
		d.len = d.len < sizeof(buf) ? d.len : sizeof(buf);
		if (i % 2)
			buf[0] |= 0x80;
		if (i % 4 == 3) {
			buf[2] = buf[3] = 0;
			buf[10] = 6;
		}
		d.path.peer =
			i % 3 ? net_addr_v4(203, 0, 113, 5, 4569) : w->addr[1];
		node_rx(w->node[0], &d, w->now);
		(void)oo_registrar_rx(w->registrar, &d, w->now);
	}
	settle(w);
}

static void call(struct world *w, int caller)
{
	static const char *const other[NODES] = { "2002", "2001" };
	const struct node_connect c = { .number = other[caller] };
	struct node_link_id id;

	T_EQ(IAX2_OK, node_connect(w->node[caller], &c, w->now, &id));
	run(w, 50, false);
	run(w, 250, true);
	garbage(w);
	T_EQ(IAX2_OK, node_dtmf(w->node[0], "*32002#", w->now));
	run(w, 150, false);
	run(w, 1250, true);
	(void)node_disconnect(w->node[!caller], NULL, w->now);
	run(w, 400, false);
}

static void hours_of_links_allocate_nothing(void)
{
	static struct world w;

	begin(&w);
	run(&w, 100, false);
	for (int i = 0; i < NODES; i++)
		T_TRUE(oo_reg_is_up(
			oo_node_registrar(node_openover(w.node[i]), 0)));
	alloc_count_begin();
	for (int i = 0; i < CALLS; i++)
		call(&w, i % 2);
	T_EQ(0, alloc_count_end());
	for (int i = 0; i < NODES; i++) {
		T_EQ(CALLS, w.ups[i]);
		T_EQ(CALLS, w.downs[i]);
	}
	T_EQ(CALLS * strlen("*32002#"), w.digits);
	T_TRUE(w.heard > CALLS * 1400);
	T_TRUE(oo_registrar_counters(w.registrar)->pings > CALLS);
	T_EQ(CALLS, oo_registrar_counters(w.registrar)->opens_ok);
	end(&w);
}

static void the_counter_counts(void)
{
	T_TRUE(alloc_count_works());
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(the_counter_counts);
	T_RUN(hours_of_links_allocate_nothing);
	return T_DONE();
}
