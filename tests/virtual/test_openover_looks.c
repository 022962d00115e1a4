/* SPDX-License-Identifier: MIT */

/* One end looks at the ports that its translator gives out, and tells the
 * other (OPEN-OVER.md section 4.6): what it makes of the answers, whose
 * answers it takes, and when it stops. */

#include <sodium.h>
#include <string.h>

#include "proto/openover_node_priv.h"
#include "tests/t.h"

#define BEGAN (10 * MONO_S)
#define FIRST 100U
#define SOCKETS 64U
#define PLACES 8U

static struct {
	struct oo_node *n;
	struct peering *p;
	unsigned pings, requests, overs;
	unsigned with_ports; /* of the requests */
} s;

static void random_octets(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, 5, len);
}

static struct net_addr registrar(void)
{
	return net_addr_v4(198, 51, 100, 1, 4569);
}

static void begin(bool dial, uint8_t nat)
{
	struct oo_punch_cfg c = { .token = { 7 }, .own_nat = nat };

	memset(&s, 0, sizeof(s));
	s.n = calloc(1, sizeof(*s.n));
	T_TRUE(s.n != NULL);
	s.n->tx = dgram_queue_new(64);
	T_TRUE(s.n->tx != NULL);
	s.n->cfg.spray_packets = 2048;
	s.n->cfg.spray_sockets = SOCKETS;
	s.n->cfg.random = random_octets;
	s.n->regs_n = 1;
	s.n->regs[0].session.id = 1;
	s.n->regs[0].state = OO_REG_UP;
	s.n->regs[0].cfg.tx = s.n->tx;
	s.n->regs[0].cfg.random = random_octets;
	s.n->regs[0].hole[OO_V4].registrar = registrar();
	s.n->cfg.opens_max = PLACES;
	s.n->peer_max = PLACES;
	s.n->peer_n = 1;
	s.n->peer = calloc(PLACES, sizeof(s.n->peer[0]));
	s.n->ev_max = PLACES;
	s.n->events = calloc(PLACES, sizeof(s.n->events[0]));
	T_TRUE(s.n->peer != NULL && s.n->events != NULL);
	s.p = &s.n->peer[0];
	s.p->gen = 1;
	s.p->dial = dial;
	s.p->state = PEERING_PUNCHING;
	s.p->look.next = MONO_NEVER;
	s.p->relay_at = MONO_NEVER;
	memcpy(s.p->number, "2002", 5);
	c.random = random_octets;
	c.tx = s.n->tx;
	c.spray_packets = 2048;
	c.spray_sockets = SOCKETS;
	oo_punch_start(&s.p->punch, &c, BEGAN);
}

static void end(void)
{
	s.n->tx = dgram_queue_free(s.n->tx);
	free(s.n->peer);
	free(s.n->events);
	free(s.n);
}

static void drain(void)
{
	struct dgram d;
	struct oo_msg m;

	while (dgram_queue_pop(s.n->tx, &d)) {
		T_EQ(IAX2_OK, oo_msg_decode(d.data, d.len, &m));
		s.pings += m.hdr.subclass == IAX2_IAX_POKE;
		s.requests += m.hdr.subclass == OO_OPEN_REQUEST;
		s.with_ports +=
			m.hdr.subclass == OO_OPEN_REQUEST && m.has_ports;
		s.overs += m.hdr.subclass == OO_OVER;
	}
}

static void sockets_come(uint16_t n)
{
	oo_node_sockets(s.n, (struct oo_id){ 0, 1 }, FIRST, n, BEGAN);
}

static void look(bool dial)
{
	begin(dial, OO_NAT_PORT_CHANGED);
	node_look_start(s.n, s.p, 1, BEGAN);
	sockets_come(SOCKETS);
}

static void pong_at(unsigned sock, uint16_t port, const struct net_addr *from,
		    bool says)
{
	const struct dgram d = { .path = { .peer = *from,
					   .sock = (uint16_t)sock } };
	struct oo_msg m = { .has_reflexive = says };

	m.reflexive = net_addr_v4(203, 0, 113, 1, port);
	node_look_on_pong(s.n, &s.n->regs[0], &d, &m, BEGAN);
}

/* The @i-th socket that looks in @round is seen at @port. */
static void seen(unsigned round, unsigned i, uint16_t port)
{
	const struct net_addr from = registrar();

	pong_at(FIRST + SOCKETS - OO_LOOK_SOCKETS * round + i, port, &from,
		true);
}

static void pass(unsigned from_ms, unsigned to_ms)
{
	for (unsigned ms = from_ms; ms < to_ms; ms++) {
		node_look_tick(s.n, s.p, BEGAN + ms * MONO_MS);
		drain();
	}
}

static void told_by_peer(unsigned round, uint16_t last, int delta)
{
	const struct oo_msg m = {
		.has_ports = true,
		.ports = { (uint8_t)round, last, (int16_t)delta },
	};

	node_look_peer(s.n, s.p, &m, BEGAN);
}

static void the_step_is_the_smaller_one_that_repeats(void)
{
	static const struct {
		uint16_t seen[OO_LOOK_SOCKETS];
		int delta;
		uint16_t last;
	} rows[] = {
		{ { 40000, 40001, 40002 }, 1, 40002 },
		{ { 40000, 39998, 39996 }, -2, 39996 },
		{ { 40000, 40256, 40512 }, 256, 40512 },
		/* Those of others came between. */
		{ { 40000, 40002, 40003 }, 1, 40003 },
		{ { 40000, 40001, 40003 }, 1, 40003 },
		{ { 40000, 39996, 39994 }, -2, 39994 },
		/* Past the last port of all. */
		{ { 65530, 65535, 4 }, 5, 4 },
		/* An answer was lost. */
		{ { 40000, 0, 40004 }, 2, 40004 },
		{ { 0, 40001, 40003 }, 2, 40003 },
		{ { 40000, 40003, 0 }, 3, 40003 },
		/* No order. */
		{ { 40000, 40300, 40301 }, 0, 40301 },
		{ { 40000, 40001, 40301 }, 0, 40301 },
		{ { 40000, 40001, 39999 }, 0, 39999 },
		{ { 40001, 40000, 40002 }, 0, 40002 },
		{ { 40000, 40000, 40000 }, 0, 40000 },
		{ { 40000, 50000, 60000 }, 0, 60000 },
		{ { 40000, 0, 40003 }, 0, 40003 },
		{ { 40000, 0, 40600 }, 0, 40600 },
		{ { 40000, 0, 0 }, 0, 40000 },
		{ { 0, 0, 0 }, 0, 0 },
	};

	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		look(false);
		for (unsigned i = 0; i < OO_LOOK_SOCKETS; i++) {
			if (rows[k].seen[i] != 0)
				seen(1, i, rows[k].seen[i]);
		}
		pass(0, 601);
		T_EQ(1, s.p->look.own.round);
		T_EQ(rows[k].delta, s.p->look.own.delta);
		T_EQ(rows[k].last, s.p->look.own.last);
		end();
	}
}

static void only_what_is_not_yet_known_is_asked_for_again(void)
{
	look(false);
	drain();
	T_EQ(3, s.pings);
	seen(1, 1, 40001);
	pass(0, 499);
	T_EQ(3 + 2 * 2, s.pings);
	T_EQ(0, s.overs);
	pass(499, 501);
	T_EQ(1, s.overs);
	end();
}

static void the_three_answers_end_it_at_once(void)
{
	look(false);
	for (unsigned i = 0; i < 3; i++)
		seen(1, i, (uint16_t)(40000 + i));
	drain();
	T_EQ(1, s.overs);
	/* The one who was called says it once: each OPEN draws it again. */
	pass(0, 3000);
	T_EQ(1, s.overs);
	T_EQ(0, s.requests);
	/* What comes late changes nothing. */
	seen(1, 2, 50000);
	T_EQ(40002, s.p->look.own.last);
	end();
}

static void other_answers_are_not_looked_at(void)
{
	const struct net_addr from = registrar();
	struct net_addr other = registrar();
	const unsigned sock = FIRST + SOCKETS - OO_LOOK_SOCKETS;

	look(false);
	other.port++;
	pong_at(sock, 40000, &other, true);
	pong_at(sock, 40000, &from, false);
	pong_at(sock - 1, 40000, &from, true);
	pong_at(sock + OO_LOOK_SOCKETS, 40000, &from, true);
	pong_at(0, 40000, &from, true);
	for (unsigned i = 0; i < OO_LOOK_SOCKETS; i++)
		T_EQ(0, s.p->look.seen[i]);
	s.p->state = PEERING_DONE;
	pong_at(sock, 40000, &from, true);
	T_EQ(0, s.p->look.seen[0]);
	s.p->state = PEERING_PUNCHING;
	pong_at(sock, 40000, &from, true);
	T_EQ(40000, s.p->look.seen[0]);
	end();
}

static void who_has_nothing_to_look_at_says_so_at_once(void)
{
	for (int i = 0; i < 5; i++) {
		begin(false, i == 0 ? 0 : OO_NAT_PORT_CHANGED);
		s.n->cfg.spray_packets = i == 1 ? 0 : 2048;
		s.n->cfg.spray_sockets = i == 2 ? 0 : SOCKETS;
		if (i == 3)
			s.n->regs[0].hole[OO_V4].registrar.port = 0;
		node_look_start(s.n, s.p, 1, BEGAN);
		if (i == 4)
			sockets_come(OO_LOOK_SOCKETS * OO_LOOK_ROUNDS);
		T_EQ(1, s.p->look.own.round);
		T_EQ(0, s.p->look.own.delta);
		T_EQ(0, s.p->look.own.last);
		T_EQ(0, s.n->ev_n - (i == 4));
		end();
	}
}

static void the_caller_tells_it_four_times_or_until_it_is_answered(void)
{
	look(true);
	for (unsigned i = 0; i < 3; i++)
		seen(1, i, (uint16_t)(40000 + i));
	pass(0, 3000);
	T_EQ(4, s.requests);
	T_EQ(4, s.with_ports);
	T_EQ(MONO_NEVER, node_look_deadline(s.p));
	end();
	look(true);
	for (unsigned i = 0; i < 3; i++)
		seen(1, i, (uint16_t)(40000 + i));
	drain();
	told_by_peer(1, 30000, 1);
	pass(0, 3000);
	T_EQ(1, s.requests);
	T_EQ(1, s.p->punch.peer_ports.round);
	end();
}

static void ends_that_differ_in_time_use_the_same_round(void)
{
	/* The peer was sooner. */
	look(true);
	told_by_peer(1, 30000, 1);
	T_EQ(0, s.p->punch.peer_ports.round);
	for (unsigned i = 0; i < 3; i++)
		seen(1, i, (uint16_t)(40000 + i));
	T_EQ(1, s.p->punch.peer_ports.round);
	T_EQ(30000, s.p->punch.peer_ports.last);
	T_EQ(40002, s.p->punch.own_ports.last);
	end();
}

static void the_caller_says_when_a_round_begins(void)
{
	static const unsigned senseless[] = { 0, OO_LOOK_ROUNDS + 1, 255 };

	begin(true, OO_NAT_PORT_CHANGED);
	told_by_peer(1, 30000, 1);
	T_EQ(0, s.p->look.round);
	end();
	begin(false, OO_NAT_PORT_CHANGED);
	for (size_t i = 0; i < 3; i++)
		told_by_peer(senseless[i], 30000, 1);
	T_EQ(0, s.p->look.round);
	T_EQ(0, s.p->look.peer.round);
	told_by_peer(2, 30000, 1);
	T_EQ(2, s.p->look.round);
	/* An older one does not take us back. */
	told_by_peer(1, 30000, 1);
	T_EQ(2, s.p->look.round);
	/* A way was found. */
	s.p->punch.proved_at = BEGAN;
	told_by_peer(3, 30000, 1);
	T_EQ(2, s.p->look.round);
	end();
}

static void sockets_are_those_of_a_punch_under_way(void)
{
	const struct oo_id stale = { 0, 2 };

	look(false);
	T_TRUE(!oo_node_uses_socket(s.n, FIRST - 1));
	T_TRUE(oo_node_uses_socket(s.n, FIRST));
	T_TRUE(oo_node_uses_socket(s.n, FIRST + SOCKETS - 1));
	T_TRUE(!oo_node_uses_socket(s.n, FIRST + SOCKETS));
	oo_node_sockets(s.n, stale, 500, 4, BEGAN);
	T_TRUE(!oo_node_uses_socket(s.n, 500));
	s.p->state = PEERING_DONE;
	T_TRUE(!oo_node_uses_socket(s.n, FIRST));
	oo_node_sockets(s.n, (struct oo_id){ 0, 1 }, 500, 4, BEGAN);
	T_EQ(FIRST, s.p->punch.sock_first);
	/* By a relay, and still looking for a better way. */
	s.p->punch.relayed = true;
	T_TRUE(oo_node_uses_socket(s.n, FIRST));
	end();
}

/* What the sockets showed is not the next punch's: they are closed, or those of
 * the punch that goes on. */
static void a_dial_that_asks_again_looks_again(void)
{
	for (int probes = 0; probes < 2; probes++) {
		look(true);
		for (unsigned i = 0; i < 3; i++)
			seen(1, i, (uint16_t)(40000 + i));
		drain();
		T_EQ(1, s.with_ports);
		s.p->relay_asked = true;
		s.n->relay.reg = 0;
		s.p->look.next = MONO_NEVER;
		s.p->punch.look_at = MONO_NEVER;
		s.p->punch.spray_at = probes ? BEGAN + MONO_S : MONO_NEVER;
		node_peers_relay_up(s.n, BEGAN + MONO_S);
		T_EQ(PEERING_REQUESTING, s.p->state);
		T_EQ(probes, node_has_rest(s.n, s.p));
		T_EQ(probes, oo_node_uses_socket(s.n, FIRST));
		drain();
		T_EQ(2, s.requests);
		T_EQ(1, s.with_ports);
		T_EQ(0, s.p->look.round);
		/* It is not asked for once more. */
		T_TRUE(!node_rest_leave(s.n, s.p));
		end();
	}
}

/* Its own sockets are there, and all places are taken. */
static void a_dial_without_room_asks_again_all_the_same(void)
{
	look(true);
	s.p->relay_asked = true;
	for (size_t i = 1; i < s.n->peer_max; i++)
		s.n->peer[i].state = PEERING_REFUSED;
	s.n->peer_n = s.n->peer_max;
	node_peers_relay_up(s.n, BEGAN + MONO_S);
	T_EQ(PEERING_REQUESTING, s.p->state);
	T_TRUE(!node_has_rest(s.n, s.p));
	T_TRUE(!oo_node_uses_socket(s.n, FIRST));
	end();
}

static void a_dial_that_has_its_way_asks_no_relay(void)
{
	for (int i = 0; i < 7; i++) {
		look(true);
		drain();
		s.p->relay_asked = i != 0;
		s.p->punch.proved_at = i == 1 ? BEGAN : 0;
		s.p->punch.relay_at = i == 2 ? BEGAN : 0;
		s.p->state = i == 3 ? PEERING_DONE : PEERING_PUNCHING;
		s.n->relay.reg = i == 4;
		s.p->dial = i != 5;
		node_peers_relay_up(s.n, BEGAN + MONO_S);
		drain();
		T_EQ(i == 6, s.requests);
		end();
	}
}

static void over(size_t reg, uint64_t transaction, enum oo_verdict verdict)
{
	const struct oo_msg m = { .has_transaction = true,
				  .transaction = transaction,
				  .has_verdict = true,
				  .verdict = (uint8_t)verdict };

	T_EQ(IAX2_OK, node_on_over(s.n, &s.n->regs[reg], &m, BEGAN));
}

/* A relay is up, at another registrar: the target may be known there too. */
static void the_registrar_that_relays_is_asked_as_well(void)
{
	static const enum oo_verdict verdict[] = { OO_REFUSED, OO_UNKNOWN };
	const uint64_t first = 77;

	for (int i = 0; i < 2; i++) {
		struct oo_punch_cfg c;

		look(true);
		s.n->regs[1] = s.n->regs[0];
		s.n->regs[1].hole[OO_V4].registrar.ip[15] = 2;
		s.n->regs_n = 2;
		s.n->cfg.relay = OO_RELAY_LAST;
		s.n->relay.state = RELAY_UP;
		s.n->relay.reg = 1;
		s.p->transaction = first;
		s.p->tried_regs = 1;
		c = s.p->punch.cfg;
		node_relay_schedule(s.n, s.p, &c, BEGAN);
		T_TRUE(s.p->relay_at != MONO_NEVER);
		node_relay_due(s.n, s.p, s.p->relay_at);
		T_EQ(PEERING_REQUESTING, s.p->state);
		T_EQ(1, s.p->reg);
		T_TRUE(node_has_rest(s.n, s.p));
		over(1, s.p->transaction, verdict[i]);
		T_EQ(first, s.p->transaction);
		/* What goes on is the dial again, and asks nobody more. */
		T_EQ(PEERING_PUNCHING, s.p->state);
		T_EQ(0, s.p->reg);
		T_TRUE(!node_has_rest(s.n, s.p));
		T_EQ(MONO_NEVER, s.p->relay_at);
		end();
	}
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(the_step_is_the_smaller_one_that_repeats);
	T_RUN(only_what_is_not_yet_known_is_asked_for_again);
	T_RUN(the_three_answers_end_it_at_once);
	T_RUN(other_answers_are_not_looked_at);
	T_RUN(who_has_nothing_to_look_at_says_so_at_once);
	T_RUN(the_caller_tells_it_four_times_or_until_it_is_answered);
	T_RUN(ends_that_differ_in_time_use_the_same_round);
	T_RUN(the_caller_says_when_a_round_begins);
	T_RUN(sockets_are_those_of_a_punch_under_way);
	T_RUN(a_dial_that_asks_again_looks_again);
	T_RUN(a_dial_without_room_asks_again_all_the_same);
	T_RUN(a_dial_that_has_its_way_asks_no_relay);
	T_RUN(the_registrar_that_relays_is_asked_as_well);
	return T_DONE();
}
