/* SPDX-License-Identifier: MIT */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/iax2_frame.h"
#include "proto/openover_relay.h"
#include "proto/openover_relay_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PORTS 4U
#define ADDRS 16U
#define NODES 3U

/* What the relay was seen to do with one address at one node. */
struct seen {
	size_t in;
	size_t out;
	bool proved; /* it may have been */
};

struct scene {
	struct oo_relay *relay;
	struct oo_relay_alloc *alloc[NODES];
	struct seen seen[NODES][ADDRS];
	mono_us now;
};

/* Half of them public, the others not. */
static struct net_addr addr_of(uint8_t i)
{
	static const uint8_t net[4] = { 198, 10, 203, 127 };

	return net_addr_v4(net[i & 3], 51, 100, i,
			   i & 8 ? 53 : (uint16_t)(4000 + i));
}

static bool is_public(uint8_t i)
{
	return (i & 1) == 0;
}

static struct oo_relay *make(void)
{
	struct oo_relay_cfg cfg = {
		.port_first = 20000,
		.port_last = 20000 + PORTS - 1,
		.kbit_s = 64,
		.peers = 8,
		.idle = 10 * MONO_S,
		.own_n = 1,
	};
	struct oo_relay *r;

	cfg.own[0] = net_addr_v4(198, 51, 100, 200, 0);
	cfg.address[OO_V4] = net_addr_v4(198, 51, 100, 201, 0);
	r = oo_relay_new(&cfg);
	if (!r)
		abort();
	return r;
}

static void sockets(struct scene *s, uint8_t families)
{
	struct oo_relay_socket w;

	while (oo_relay_next_socket(s->relay, &w)) {
		if (w.slot >= PORTS || w.port != 20000 + w.slot)
			abort();
		if (w.open)
			oo_relay_opened(s->relay, w.slot, families, s->now);
	}
	for (uint32_t i = 0; i < NODES; i++) {
		struct oo_relay_alloc *a = oo_relay_of_node(s->relay, i);

		if (a != s->alloc[i])
			memset(s->seen[i], 0, sizeof(s->seen[i]));
		s->alloc[i] = a;
	}
}

/* What a peer says proves it at most when it is a full frame. */
static bool may_prove(const uint8_t *data, size_t len)
{
	struct iax2_full f;

	return iax2_full_decode(data, len, &f) == IAX2_OK &&
	       (f.dst_callno > 1 || f.subclass == IAX2_IAX_PONG);
}

static void carry(struct scene *s, uint8_t op, uint8_t who, const uint8_t *data,
		  size_t len)
{
	const struct net_addr peer = addr_of(who % ADDRS);
	struct oo_relay_alloc *a = s->alloc[op % NODES];
	struct seen *seen = &s->seen[op % NODES][who % ADDRS];
	const bool in = op & 0x40;
	enum oo_relay_fate fate;

	if (!a)
		return;
	fate = in ? oo_relay_in(s->relay, a, &peer, data, len, s->now)
		  : oo_relay_out(s->relay, a, &peer, data, len, s->now);
	if (fate != OO_RELAY_PASS)
		return;
	if (!is_public(who % ADDRS) || len > OO_RELAY_INNER_MAX || len == 0)
		abort();
	if (in) {
		seen->in += len;
		seen->proved |= may_prove(data, len);
		return;
	}
	seen->out += len;
	/* Five small frames, or what it sent, and never to a low port. */
	if (!seen->proved && peer.port < 1024 && seen->out > seen->in)
		abort();
}

static void step(struct scene *s, uint8_t op, uint8_t who, const uint8_t *data,
		 size_t len)
{
	static const char *const number[NODES] = { "2001", "2002", "2003" };
	const uint32_t node = op % NODES;

	s->now += (mono_us)who * 10 * MONO_MS;
	if (op & 0x80) {
		carry(s, op, who, data, len);
	} else if (op & 0x20) {
		if (s->alloc[node])
			oo_relay_drop(s->relay, s->alloc[node]);
	} else if (op & 0x10) {
		oo_relay_expire(s->relay, s->now);
	} else {
		(void)oo_relay_take(s->relay, node, number[who % NODES],
				    s->now);
	}
	sockets(s, (op & 0x08) ? 0 : 3);
	if (oo_relay_allocations(s->relay) > NODES ||
	    oo_relay_peers(s->relay, s->now) > (size_t)NODES * 8)
		abort();
}

/*
 * A relay fed {what, who, length, datagram}: nothing goes to or comes from what
 * is not public, an unproved address is sent no more than it sent (but for the
 * beginning of a call), and the table stays whole.  Each datagram is read as a
 * RELAY frame's elements as well.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_rd r = wire_rd(data, size);
	struct scene s = { .now = MONO_S };
	struct oo_relay_frame f;

	if (sodium_init() < 0)
		abort();
	s.relay = make();
	while (wire_rd_left(&r) >= 4) {
		const uint8_t op = wire_rd_u8(&r);
		const uint8_t who = wire_rd_u8(&r);
		const size_t want = wire_rd_u16(&r) % 1600;
		const size_t left = wire_rd_left(&r);
		const size_t len = want < left ? want : left;
		const uint8_t *d = wire_rd_bytes(&r, len);

		step(&s, op, who, d, len);
		if (oo_relay_frame_read(d, len, &f) && f.has_peer &&
		    (f.len == 0 || f.len > OO_RELAY_INNER_MAX))
			abort();
	}
	s.relay = oo_relay_free(s.relay);
	return 0;
}
