/* SPDX-License-Identifier: MIT */

#include "tests/virtual/node_scene.h"

#include <string.h>

#include "tests/t.h"
#include "tests/virtual/usual_registrar.h"

static void place_rx(void *ctx, const struct dgram *d, mono_us now)
{
	node_rx(((struct station *)ctx)->node, d, now);
}

static void place_tick(void *ctx, mono_us now)
{
	node_tick(((struct station *)ctx)->node, now);
}

static mono_us place_deadline(void *ctx)
{
	return node_deadline(((struct station *)ctx)->node);
}

static bool place_tx(void *ctx, struct dgram *out)
{
	return node_next_tx(((struct station *)ctx)->node, out);
}

/* Ids that no earlier ones have, unless there were very many. */
static void open_sockets(struct station *s, const struct node_event *ev,
			 mono_us now)
{
	const uint16_t n = s->no_sockets ? 0 : (uint16_t)ev->count;

	if (s->sockets + n >= 1024)
		s->sockets = 0;
	s->opened++;
	node_sockets(s->node, ev->sockets_for, (uint16_t)(s->sockets + 1), n,
		     now);
	s->sockets = (uint16_t)(s->sockets + n);
}

static void place_settle(void *ctx, mono_us now)
{
	struct station *s = ctx;
	struct node_event ev;

	while (node_next_event(s->node, &ev)) {
		s->last = ev;
		if (ev.kind == NODE_EV_LINK_UP) {
			s->ups++;
		} else if (ev.kind == NODE_EV_LINK_DOWN) {
			s->downs++;
			s->down = ev;
			memcpy(s->why, ev.why, sizeof(s->why));
		} else if (ev.kind == NODE_EV_LINK_MOVED) {
			s->moved++;
		} else if (ev.kind == NODE_EV_CALLER_REFUSED) {
			s->refused++;
			memcpy(s->refused_why, ev.why, sizeof(ev.why));
		} else if (ev.kind == NODE_EV_SOCKETS_CLOSE) {
			s->closed++;
		} else if (ev.kind == NODE_EV_SOCKETS_OPEN) {
			open_sockets(s, &ev, now);
		}
	}
}

enum oo_relay_use scene_relay[NODES];

static void attach_relay(struct scene *s)
{
	const struct fake_machine m = usual_relay_machine(s->registrar);
	const struct net_addr at =
		net_addr_v4(198, 51, 100, 2, USUAL_RELAY_FIRST);

	fake_net_address(s->net, fake_net_attach(s->net, &m), &at, FAKE_NO_NAT);
}

static void start_registrar(struct scene *s, const struct net_addr *at)
{
	const struct net_addr relay_at = net_addr_v4(198, 51, 100, 2, 0);
	struct oo_relay_cfg relay = usual_relay(&relay_at);
	struct oo_registrar_cfg cfg =
		usual_registrar(&s->registrar_id, fake_net_random, s->net);
	struct fake_machine m;

	relay.kbit_s = 256;
	if (scene_relay[0] || scene_relay[1])
		cfg.relay = &relay;
	cfg.tx_max = 256;
	cfg.refresh_s = 1800;
	cfg.registrations_per_min = 600;
	cfg.opens_per_min = 600;
	s->registrar = oo_registrar_new(&cfg, fake_net_now(s->net));
	T_TRUE(s->registrar != NULL);
	m = usual_registrar_machine(s->registrar);
	fake_net_address(s->net, fake_net_attach(s->net, &m), at, FAKE_NO_NAT);
}

struct node_peer scene_peer_of[NODES];

static void start_node(struct scene *s, int i, const struct net_addr *registrar,
		       const struct fake_nat *nat)
{
	static const char *const number[] = { "2001", "2002" };
	const struct node_cfg cfg = {
		.number = number[i],
		.identity = &s->at[i].id,
		.port = 4569,
		.keepalive_s = 15,
		.calls_max = 16,
		.limits = { .calls_per_addr = 16,
			    .half_open = 16,
			    .half_open_per_addr = 8,
			    .calls_per_s = 100,
			    .auth_failures_per_min = 100 },
		.spray_packets = 2048,
		.spray_sockets = 256,
		.relay = scene_relay[i],
		.jitter = { .min_ms = 40, .max_ms = 400 },
		.station = station_config_flat,
		.acl = { .registered = true },
		.peers = &scene_peer_of[i],
		.peers_n = scene_peer_of[i].number[0] != '\0',
		.random = fake_net_random,
		.random_ctx = s->net,
	};
	const struct fake_machine m = { .ctx = &s->at[i],
					.rx = place_rx,
					.tick = place_tick,
					.deadline = place_deadline,
					.next_tx = place_tx,
					.settle = place_settle };
	const struct net_addr at = net_addr_v4(192, 168, (uint8_t)i, 2, 4569);
	const struct net_addr open =
		net_addr_v4(198, 51, 100, (uint8_t)(20 + i), 4569);
	const int slot = fake_net_attach(s->net, &m);
	size_t index;

	s->at[i].node = node_new(&cfg, fake_net_now(s->net));
	T_TRUE(s->at[i].node != NULL);
	s->nat[i] = nat ? fake_net_nat(s->net, nat) : FAKE_NO_NAT;
	fake_net_address(s->net, slot, nat ? &at : &open, s->nat[i]);
	oo_node_own_addresses(node_openover(s->at[i].node), nat ? &at : &open,
			      1);
	T_EQ(IAX2_OK, oo_registrar_node_put(s->registrar, number[i],
					    s->at[i].id.public_key));
	T_EQ(IAX2_OK, oo_node_add_registrar(node_openover(s->at[i].node),
					    s->registrar_id.public_key,
					    fake_net_now(s->net), &index));
	oo_node_registrar_addresses(node_openover(s->at[i].node), index,
				    registrar, 1, fake_net_now(s->net));
}

const struct fake_nat scene_preserving = {
	.preserve_port = true,
	.filtering = FAKE_FILTER_ADDRESS_PORT,
	.hole_life = 15 * MONO_S,
};
const struct fake_nat scene_symmetric = {
	.mapping_by_peer = true,
	.filtering = FAKE_FILTER_ADDRESS_PORT,
	.hole_life = 15 * MONO_S,
};
const struct fake_nat scene_sequential = {
	.mapping_by_peer = true,
	.step = 1,
	.filtering = FAKE_FILTER_ADDRESS_PORT,
	.hole_life = 15 * MONO_S,
};
const struct fake_nat scene_downwards = {
	.mapping_by_peer = true,
	.step = -2,
	.filtering = FAKE_FILTER_ADDRESS_PORT,
	.hole_life = 15 * MONO_S,
};

void scene_begin(struct scene *s, uint64_t seed, const struct fake_nat *a,
		 const struct fake_nat *b)
{
	const struct fake_weather fair = { .delay = ONE_WAY };
	const struct net_addr at = net_addr_v4(198, 51, 100, 1, 4569);
	const struct fake_nat *const kind[NODES] = { a, b };

	memset(s, 0, sizeof(*s));
	s->net = fake_net_new(seed, MONO_S);
	for (int i = 0; i <= NODES; i++) {
		const uint8_t secret[KEY_SEED_LEN] = { (uint8_t)(i + 1) };

		key_identity_from_seed(
			i < NODES ? &s->at[i].id : &s->registrar_id, secret);
	}
	fake_net_weather(s->net, &fair);
	start_registrar(s, &at);
	for (int i = 0; i < NODES; i++) {
		struct fake_nat nat;

		if (kind[i]) {
			nat = *kind[i];
			nat.outside =
				net_addr_v4(203, 0, 113, (uint8_t)(10 + i), 0);
		}
		start_node(s, i, &at, kind[i] ? &nat : NULL);
	}
	if (oo_registrar_relay(s->registrar))
		attach_relay(s);
	fake_net_run(s->net, fake_net_now(s->net) + 3 * MONO_S);
	for (int i = 0; i < NODES; i++)
		T_TRUE(oo_reg_is_up(
			oo_node_registrar(node_openover(s->at[i].node), 0)));
}

void scene_begin_relayed(struct scene *s, uint64_t seed,
			 const struct fake_nat *a, const struct fake_nat *b)
{
	for (int i = 0; i < NODES; i++)
		scene_relay[i] = OO_RELAY_LAST;
	scene_begin(s, seed, a, b);
	memset(scene_relay, 0, sizeof(scene_relay));
}

void scene_mapped(struct scene *s, int i)
{
	const struct net_addr out =
		net_addr_v4(203, 0, 113, (uint8_t)(10 + i), 4569);
	const struct net_addr none = { .port = 0 };

	oo_node_mapped(node_openover(s->at[i].node), &out, &none,
		       fake_net_now(s->net));
	scene_run(s, 4 * RTT);
}

void scene_end(struct scene *s)
{
	for (int i = 0; i < NODES; i++)
		node_free(s->at[i].node);
	oo_registrar_free(s->registrar);
	fake_net_free(s->net);
}

void scene_run(struct scene *s, mono_us d)
{
	fake_net_run(s->net, fake_net_now(s->net) + d);
}

struct node_link_id scene_dial(struct scene *s)
{
	const struct node_connect c = { .number = "2002" };
	struct node_link_id id;

	T_EQ(IAX2_OK,
	     node_connect(s->at[0].node, &c, fake_net_now(s->net), &id));
	return id;
}

unsigned scene_links(const struct scene *s, int i, enum node_link_state state)
{
	struct node_link_info l;
	unsigned n = 0;

	for (size_t k = 0; k < node_links_max(s->at[i].node); k++)
		n += node_link_at(s->at[i].node, k, &l) && l.state == state;
	return n;
}

unsigned scene_all_links(const struct scene *s, int i)
{
	struct node_link_info l;
	unsigned n = 0;

	for (size_t k = 0; k < node_links_max(s->at[i].node); k++)
		n += node_link_at(s->at[i].node, k, &l);
	return n;
}
