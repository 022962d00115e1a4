/* SPDX-License-Identifier: MIT */

#include "tests/virtual/idle_day.h"

#include <string.h>

#include "proto/portmap.h"
#include "proto/wire.h"
#include "tests/t.h"
#include "tests/virtual/measure_scene.h"

#define DAY (24 * 3600 * MONO_S)
#define HEADERS4 28U
#define PORT 4569U
#define LIFETIME_S 7200U
#define PCP_MAP_LEN 60U

static const struct net_addr gateway = {
	.ip = { [10] = 0xff, 0xff, 192, 168, 1, 1 }
};

/* --- the router --------------------------------------------------------- */

/* It grants what is asked for (RFC 6887 section 11.2). */
static size_t grant(const uint8_t *req, mono_us now, uint8_t out[PCP_MAP_LEN])
{
	const struct net_addr *a = &measure_outside;
	struct wire_wr w = wire_wr(out, PCP_MAP_LEN);

	wire_wr_u8(&w, 2);
	wire_wr_u8(&w, 0x81);
	wire_wr_u16(&w, 0);
	wire_wr_u32(&w, LIFETIME_S);
	wire_wr_u32(&w, (uint32_t)(now / MONO_S));
	wire_wr_bytes(&w, (const uint8_t[12]){ 0 }, 12);
	wire_wr_bytes(&w, req + 24, 12 + 4 + 2);
	wire_wr_u16(&w, PORT);
	wire_wr_bytes(&w, a->ip, sizeof(a->ip));
	T_TRUE(!w.bad);
	return PCP_MAP_LEN;
}

/* Returns the octets of all that was waiting, answers included.  NAT-PMP gets
 * none: the router speaks PCP. */
static uint64_t talk(struct portmap *m, struct dgram_queue *tx, mono_us now)
{
	uint64_t octets = 0;
	struct dgram d;

	while (dgram_queue_pop(tx, &d)) {
		uint8_t buf[PCP_MAP_LEN];
		struct dgram answer = { .path.peer = d.path.peer, .data = buf };

		octets += d.len + HEADERS4;
		if (d.len != PCP_MAP_LEN)
			continue;
		answer.len = grant(d.data, now, buf);
		octets += answer.len + HEADERS4;
		(void)portmap_rx(m, &answer, now);
	}
	return octets;
}

static uint64_t octets_to_the_router(struct measure_scene *s)
{
	struct dgram_queue *tx = dgram_queue_new(8);
	const mono_us began = fake_net_now(s->net);
	const struct portmap_cfg cfg = { .port = PORT,
					 .lifetime_s = LIFETIME_S,
					 .random = fake_net_random,
					 .random_ctx = s->net,
					 .tx = tx };
	mono_us now = began;
	struct portmap m;
	uint64_t octets;

	portmap_init(&m, &cfg);
	(void)portmap_gateway(&m, &gateway, &s->addr, now);
	octets = talk(&m, tx, now);
	T_EQ(PORTMAP_MAPPED, portmap_view(&m, now).state);
	while ((now = portmap_deadline(&m)) < began + DAY) {
		(void)portmap_tick(&m, now);
		octets += talk(&m, tx, now);
	}
	T_EQ(PORTMAP_MAPPED, portmap_view(&m, began + DAY).state);
	dgram_queue_free(tx);
	return octets;
}

/* --- the day ------------------------------------------------------------ */

struct idle_day idle_day(unsigned life_s, enum oo_relay_use relay)
{
	const struct fake_nat nat = { .outside = measure_outside,
				      .preserve_port = true,
				      .filtering = FAKE_FILTER_ADDRESS_PORT,
				      .hole_life = life_s * MONO_S };
	struct measure_scene s = { .seed = 8, .relay = relay };
	const struct net_addr none = { .port = 0 };
	struct net_addr mapped = measure_outside;
	struct idle_day day;

	mapped.port = PORT;
	measure_scene_init(&s, &nat);
	oo_node_mapped(s.node, &mapped, &none, fake_net_now(s.net));
	measure_scene_run(&s, DAY);
	T_EQ(1, s.seen[OO_EV_REGISTERED]);
	T_EQ(PORT, measure_scene_record(&s)->mapped4);
	T_EQ(s.octets, oo_node_counters(s.node)->octets);
	day = (struct idle_day){ .registrar = s.octets,
				 .router = octets_to_the_router(&s),
				 .measured = s.seen[OO_EV_MEASURE] };
	measure_scene_done(&s);
	return day;
}
