/* SPDX-License-Identifier: MIT */

#include "proto/openover_spray.h"

#define LIFE_US (5 * MONO_S)
#define LIFE_SPRAY_US (9 * MONO_S)
/* When nothing was proved by then, ports are looked at, and then probed. */
#define LOOK_AFTER_US (300 * MONO_MS)
#define SPRAY_AFTER_US (600 * MONO_MS)
#define ROUND_US (1000 * MONO_MS)
#define TICK_US (10 * MONO_MS)
#define EACH 5U /* packets a tick: 500 a second */
#define PORT_LOW 1024U
/* Sockets of a round, and where among their ports the two ends are to meet:
 * so many connections of others may come between looking and probing. */
#define ROUND_SOCKETS 64U
#define ROUND_AHEAD 16
#define ROUND_FURTHER 12 /* with each round */
#define ROUND_PASSES 6U

static bool changes(uint8_t nat)
{
	return nat & OO_NAT_PORT_CHANGED;
}

static bool wanted(const struct oo_punch_cfg *c)
{
	return c->spray_packets > 0 && c->spray_sockets > 0 &&
	       (changes(c->own_nat) || changes(c->peer_nat));
}

/* Neither end has a port that the other could know. */
static bool both_change(const struct oo_punch *p)
{
	return changes(p->cfg.own_nat) && changes(p->cfg.peer_nat);
}

mono_us oo_spray_start(struct oo_punch *p, mono_us now)
{
	p->look_at = MONO_NEVER;
	p->spray_at = MONO_NEVER;
	p->spray_left = p->cfg.spray_packets;
	if (!wanted(&p->cfg))
		return now + LIFE_US;
	if (p->cfg.role == OO_PUNCH_CALLER)
		p->look_at = now + LOOK_AFTER_US;
	if (!both_change(p))
		p->spray_at = now + SPRAY_AFTER_US;
	return now + LIFE_SPRAY_US;
}

static struct net_addr *target(struct oo_punch *p)
{
	for (size_t i = 0; i < p->cand_n; i++) {
		struct oo_candidate *c = &p->cand[i];

		if (net_addr_is_v4(&c->path.peer) && !c->learned &&
		    c->type != OO_CANDIDATE_LOCAL &&
		    c->type != OO_CANDIDATE_RELAY)
			return &c->path.peer;
	}
	return NULL;
}

/* --- where to ----------------------------------------------------------- */

/* The @nth port after the last one that was seen. */
static uint16_t ahead(const struct oo_ports *seen, int nth)
{
	return (uint16_t)(seen->last + nth * seen->delta);
}

static uint16_t random_port(struct oo_punch *p)
{
	uint8_t b[4] = { 0 };
	uint32_t v;

	p->cfg.random(p->cfg.random_ctx, b, sizeof(b));
	v = (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
	return (uint16_t)(PORT_LOW + v % (65536U - PORT_LOW));
}

/*
 * The next port of the peer's to try.  Where they are in order, one of a few
 * that it will soon own comes first in each tick: were it all of them, more
 * ways would be found at once than either end could keep.
 */
static uint16_t next_port(struct oo_punch *p, unsigned i)
{
	static const int nth[] = { ROUND_AHEAD, 3 * ROUND_AHEAD,
				   8 * ROUND_AHEAD };
	const size_t turn = p->spray_left / EACH % (sizeof(nth) / sizeof(int));
	const uint16_t port = ahead(&p->peer_ports, nth[turn]);

	if (i == 0 && p->peer_ports.delta != 0 && port >= PORT_LOW)
		return port;
	return random_port(p);
}

/* --- probing ------------------------------------------------------------ */

static void send(struct oo_punch *p, const struct net_path *path, mono_us now)
{
	oo_punch_send_poke(p, path, 0, now);
	p->spray_left--;
}

/* Our ports are the ones that change: POKE the peer from many sockets. */
static void from_sockets(struct oo_punch *p, const struct net_addr *to,
			 uint16_t sockets, mono_us now)
{
	for (unsigned i = 0; i < EACH && p->spray_left > 0; i++) {
		const struct net_path path = {
			.peer = *to,
			.sock = (uint16_t)(p->sock_first +
					   p->sock_next % sockets),
		};

		send(p, &path, now);
		p->sock_next = (uint16_t)((p->sock_next + 1) % sockets);
	}
}

/* The peer's do: POKE many of them from our one. */
static void to_ports(struct oo_punch *p, const struct net_addr *to, mono_us now)
{
	for (unsigned i = 0; i < EACH && p->spray_left > 0; i++) {
		struct net_path path = { .peer = *to };

		path.peer.port = next_port(p, i);
		send(p, &path, now);
	}
}

/*
 * Both do, one port after the other.  All our sockets POKE the one port that
 * lies some way ahead of the peer's last, and the peer's all POKE the one that
 * lies as far ahead of ours.  By then each of the two belongs to a socket, and
 * those meet, whatever number of connections came between.
 */
static void to_guess(struct oo_punch *p, const struct net_addr *to, mono_us now)
{
	const uint16_t spare = OO_LOOK_SOCKETS * OO_LOOK_ROUNDS;
	struct net_addr guess = *to;
	uint16_t sockets = ROUND_SOCKETS;

	guess.port =
		ahead(&p->peer_ports,
		      ROUND_AHEAD + ROUND_FURTHER * (p->peer_ports.round - 1));
	if (p->sock_n <= spare || guess.port < PORT_LOW || p->round_left == 0) {
		p->spray_at = MONO_NEVER;
		return;
	}
	if (sockets > p->sock_n - spare)
		sockets = (uint16_t)(p->sock_n - spare);
	from_sockets(p, &guess, sockets, now);
	p->round_left -= p->round_left < EACH ? p->round_left : EACH;
}

unsigned oo_spray_need_sockets(struct oo_punch *p)
{
	if (p->socks_asked)
		return 0;
	p->socks_asked = true;
	return OO_PUNCH_SOCKETS;
}

static unsigned probe(struct oo_punch *p, mono_us now)
{
	const struct net_addr *to = target(p);

	p->spray_at = now + TICK_US;
	if (!to || p->spray_left == 0) {
		p->spray_at = MONO_NEVER;
		return 0;
	}
	if (!changes(p->cfg.own_nat)) {
		to_ports(p, to, now);
	} else if (p->sock_n == 0) {
		p->spray_at = MONO_NEVER;
		return oo_spray_need_sockets(p);
	} else if (both_change(p)) {
		to_guess(p, to, now);
	} else {
		from_sockets(p, to, p->sock_n, now);
	}
	return 0;
}

unsigned oo_spray_tick(struct oo_punch *p, mono_us now)
{
	unsigned change = 0;

	if (now >= p->look_at) {
		p->look_at = MONO_NEVER;
		change |= OO_PUNCH_LOOK;
	}
	if (now >= p->spray_at)
		change |= probe(p, now);
	return change;
}

void oo_punch_sockets(struct oo_punch *p, uint16_t first, uint16_t n,
		      mono_us now)
{
	const mono_us start = p->began + SPRAY_AFTER_US;

	p->sock_first = first;
	p->sock_n = n;
	if (n > 0 && p->proved_at == 0 && !both_change(p))
		p->spray_at = now < start ? start : now;
}

/* --- rounds ------------------------------------------------------------- */

void oo_spray_ports(struct oo_punch *p, const struct oo_ports *own,
		    const struct oo_ports *peer, mono_us now)
{
	const mono_us life = p->began + LIFE_US;

	if (own->round != peer->round || own->round == p->own_ports.round ||
	    p->proved_at != 0)
		return;
	p->own_ports = *own;
	p->peer_ports = *peer;
	if (!both_change(p)) {
		if (own->delta != 0 || peer->delta != 0)
			p->spray_at = mono_min(p->spray_at, now);
		return;
	}
	if (own->delta == 0 || peer->delta == 0) {
		p->spray_at = MONO_NEVER;
		p->ends = now < life ? life : now;
		return;
	}
	p->sock_next = 0;
	p->round_left = ROUND_SOCKETS * ROUND_PASSES;
	p->spray_at = now;
	if (p->cfg.role == OO_PUNCH_CALLER && own->round < OO_LOOK_ROUNDS)
		p->look_at = now + ROUND_US;
}

bool oo_spray_is_hopeless(const struct oo_punch *p)
{
	return both_change(p) &&
	       (!wanted(&p->cfg) ||
		(p->own_ports.round != 0 &&
		 (p->own_ports.delta == 0 || p->peer_ports.delta == 0)));
}

const char *oo_spray_tried(const struct oo_punch *p)
{
	if (!wanted(&p->cfg))
		return "";
	if (!both_change(p))
		return p->spray_left < p->cfg.spray_packets
			       ? ", ports at random"
			       : "";
	if (p->own_ports.round == 0)
		return ", both ends change ports";
	if (p->own_ports.delta == 0 || p->peer_ports.delta == 0)
		return p->own_ports.delta == p->peer_ports.delta
			       ? ", ports random at both ends"
			       : ", ports random at one end";
	return ", ports predicted";
}
