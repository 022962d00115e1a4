/* SPDX-License-Identifier: MIT */

#include "tests/virtual/measure_scene.h"

#include <sodium.h>
#include <string.h>

#include "tests/t.h"
#include "tests/virtual/usual_registrar.h"

#define NUMBER "2001"
#define SOCK4_FIRST 1
#define SOCK6_FIRST 11

const struct net_addr measure_main = { .ip = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					       0xff, 0xff, 192, 0, 2, 1 },
				       .port = 4569 },
		      measure_other = { .ip = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
						0xff, 0xff, 192, 0, 2, 2 },
					.port = 4569 },
		      measure_outside = { .ip = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
						  0xff, 0xff, 203, 0, 113, 7 },
					  .port = 1 };

static const struct net_addr main6 = { .ip = { 0x20, 1, 0xd, 0xb8, 1 },
				       .port = 4569 };
static const struct net_addr node6 = { .ip = { 0x20, 1, 0xd, 0xb8, 2 },
				       .port = 4569 };

static void count(struct measure_scene *s, const struct dgram *d)
{
	s->octets += d->len + (net_addr_is_v4(&d->path.peer) ? 28 : 48);
}

static void node_rx(void *ctx, const struct dgram *d, mono_us now)
{
	struct measure_scene *s = ctx;

	count(s, d);
	(void)oo_node_rx(s->node, d, now);
}

static void node_tick(void *ctx, mono_us now)
{
	oo_node_tick(((struct measure_scene *)ctx)->node, now);
}

static mono_us node_deadline(void *ctx)
{
	return oo_node_deadline(((struct measure_scene *)ctx)->node);
}

static bool node_tx(void *ctx, struct dgram *out)
{
	struct measure_scene *s = ctx;

	if (!oo_node_next_tx(s->node, out))
		return false;
	count(s, out);
	return true;
}

static void give_sockets(struct measure_scene *s, mono_us now)
{
	struct oo_measure_sockets k = { 0 };

	for (int f = 0; f < OO_FAMILIES && !s->no_sockets; f++) {
		if (f == OO_V6 && s->v6 == V6_NONE)
			continue;
		k.of[f].first = f == OO_V4 ? SOCK4_FIRST : SOCK6_FIRST;
		k.of[f].n = OO_MEASURE_FLOWS;
		for (uint16_t i = 0; i < k.of[f].n; i++)
			k.of[f].port[i] =
				(uint16_t)(s->addr.port + k.of[f].first + i);
	}
	oo_node_measure_sockets(s->node, &k, now);
}

static void node_settle(void *ctx, mono_us now)
{
	struct measure_scene *s = ctx;
	struct oo_event ev;

	while (oo_node_next_event(s->node, &ev)) {
		s->seen[ev.kind]++;
		if (ev.kind == OO_EV_MEASURE)
			give_sockets(s, now);
	}
}

static void start_registrar(struct measure_scene *s)
{
	const struct oo_relay_cfg relay = usual_relay(&measure_main);
	struct oo_registrar_cfg cfg =
		usual_registrar(&s->id[1], fake_net_random, s->net);
	struct oo_measure_ends ends = { .told = { .port = 4570, .tcp = true },
					.port = { 1, 1 },
					.other = 1 };
	struct fake_machine m;

	cfg.refresh_s = 1800;
	if (s->relay != OO_RELAY_NEVER)
		cfg.relay = &relay;
	s->registrar = oo_registrar_new(&cfg, fake_net_now(s->net));
	T_TRUE(s->registrar != NULL);
	if (s->one_address) {
		ends.other = 0;
	} else {
		ends.told.other = measure_other;
		ends.told.other.port = ends.told.port;
	}
	if (!s->no_ends)
		oo_registrar_measure(s->registrar, &ends);
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(s->registrar, NUMBER, s->id[0].public_key));
	m = usual_registrar_machine(s->registrar);
	s->slot[1] = fake_net_attach(s->net, &m);
	fake_net_address(s->net, s->slot[1], &measure_main, FAKE_NO_NAT);
	fake_net_address(s->net, s->slot[1], &measure_other, FAKE_NO_NAT);
	fake_net_address(s->net, s->slot[1], &main6, FAKE_NO_NAT);
}

/* A firewall is a translator that changes nothing. */
static void give_v6(struct measure_scene *s)
{
	const struct fake_nat wall = { .outside = node6,
				       .preserve_port = true,
				       .filtering = FAKE_FILTER_ADDRESS_PORT,
				       .hole_life = s->v6_life };

	if (s->v6 != V6_NONE)
		fake_net_address(s->net, s->slot[0], &node6,
				 s->v6 == V6_FIREWALLED
					 ? fake_net_nat(s->net, &wall)
					 : FAKE_NO_NAT);
}

static void start_node(struct measure_scene *s, const struct fake_nat *nat)
{
	const struct oo_node_cfg cfg = {
		.identity = &s->id[0],
		.number = NUMBER,
		.port = 4569,
		.keepalive = 15 * MONO_S,
		.keepalive_max = 120 * MONO_S,
		.tx_max = 64,
		.relay = s->relay,
		.random = fake_net_random,
		.random_ctx = s->net,
	};
	const struct fake_machine m = { .ctx = s,
					.rx = node_rx,
					.tick = node_tick,
					.deadline = node_deadline,
					.next_tx = node_tx,
					.settle = node_settle };
	const struct net_addr at[] = { measure_main, main6 };
	size_t index;

	s->addr = nat ? net_addr_v4(192, 168, 1, 2, 4569)
		      : net_addr_v4(198, 51, 100, 20, 4569);
	s->node = oo_node_new(&cfg, fake_net_now(s->net));
	T_TRUE(s->node != NULL);
	s->slot[0] = fake_net_attach(s->net, &m);
	fake_net_address(s->net, s->slot[0], &s->addr,
			 nat ? fake_net_nat(s->net, nat) : FAKE_NO_NAT);
	give_v6(s);
	oo_node_own_addresses(s->node, &s->addr, 1);
	T_EQ(IAX2_OK, oo_node_add_registrar(s->node, s->id[1].public_key,
					    fake_net_now(s->net), &index));
	oo_node_registrar_addresses(s->node, index, at,
				    s->v6 == V6_NONE ? 1 : 2,
				    fake_net_now(s->net));
}

void measure_scene_init(struct measure_scene *s, const struct fake_nat *nat)
{
	T_TRUE(sodium_init() >= 0);
	s->net = fake_net_new(s->seed, MONO_S);
	if (s->weather.delay == 0)
		s->weather.delay = 25 * MONO_MS;
	fake_net_weather(s->net, &s->weather);
	for (int i = 0; i < 2; i++) {
		uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };

		key_identity_from_seed(&s->id[i], seed);
	}
	start_registrar(s);
	start_node(s, nat);
}

void measure_scene_done(struct measure_scene *s)
{
	s->node = oo_node_free(s->node);
	s->registrar = oo_registrar_free(s->registrar);
	s->net = fake_net_free(s->net);
}

void measure_scene_run(struct measure_scene *s, mono_us duration)
{
	fake_net_run(s->net, fake_net_now(s->net) + duration);
}

const struct oo_reg *measure_scene_reg(const struct measure_scene *s)
{
	return oo_node_registrar(s->node, 0);
}

struct oo_record *measure_scene_record(const struct measure_scene *s)
{
	return oo_directory_by_number(oo_registrar_directory(s->registrar),
				      NUMBER);
}
