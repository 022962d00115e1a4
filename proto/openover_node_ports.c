/* SPDX-License-Identifier: MIT */

/*
 * Which ports does our translator give to new connections?  A few extra
 * sockets PING the registrar, one after the other, and its PONGs tell.  The
 * two ends tell each other with another OPEN_REQUEST of the same transaction
 * and what follows from it, so that a loss is mended as always: the caller
 * asks again (OPEN-OVER.md section 4.6).
 */

#include <stdlib.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_node_priv.h"

#define LOOK_US (500 * MONO_MS)
#define AGAIN_US (200 * MONO_MS)
#define ASK_US (250 * MONO_MS)
#define ASKS_MAX 4U
/* A larger step than this is no order but chance. */
#define DELTA_MAX 256

static bool is_done(const struct looking *l)
{
	return l->round != 0 && l->own.round == l->round;
}

static uint16_t socket_of(const struct peering *p, unsigned i)
{
	const struct oo_punch *u = &p->punch;

	return (uint16_t)(u->sock_first + u->sock_n -
			  OO_LOOK_SOCKETS * p->look.round + i);
}

/* --- asking the registrar ----------------------------------------------- */

static void ping_from(struct oo_node *n, const struct peering *p, unsigned i)
{
	static const struct iax2_full hdr = { .src_callno =
						      IAX2_CALLNO_OUTSIDE };
	struct oo_reg *g = &n->regs[p->reg];
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_POKE, &hdr);
	struct dgram d = { .path.peer = g->hole[OO_V4].registrar,
			   .path.sock = socket_of(p, i),
			   .data = buf };

	oo_session_put(&g->session, &w);
	oo_put_pad(&w, buf, OO_PING_LEN, true);
	seal_append(&w, buf, g->session.tx_key);
	d.len = (size_t)(w.p - buf);
	if (!w.bad)
		dgram_queue_push(n->tx, &d, false);
}

static void ping(struct oo_node *n, struct peering *p, mono_us now)
{
	for (unsigned i = 0; i < OO_LOOK_SOCKETS; i++) {
		if (p->look.seen[i] == 0)
			ping_from(n, p, i);
	}
	p->look.next = mono_min(now + AGAIN_US, p->look.ends);
}

/* The step from port @a to @b, @apart sockets later; 0: none that repeats. */
static int step(uint16_t a, uint16_t b, unsigned apart)
{
	const int diff = (int16_t)(uint16_t)(b - a);

	if (a == 0 || b == 0 || diff % (int)apart != 0 ||
	    abs(diff) > DELTA_MAX * (int)apart)
		return 0;
	return diff / (int)apart;
}

/* Connections of others may have come between: the smaller step is it. */
static int16_t delta_of(const uint16_t seen[OO_LOOK_SOCKETS])
{
	const int one = step(seen[0], seen[1], 1);
	const int two = step(seen[1], seen[2], 1);

	if (one == 0 && two == 0)
		return (int16_t)step(seen[0], seen[2], 2);
	/* One that is far off is chance, unless it merely is not known. */
	if ((one == 0 && seen[0] != 0) || (two == 0 && seen[2] != 0))
		return 0;
	if (one == 0 || two == 0)
		return (int16_t)(one + two);
	if ((one < 0) != (two < 0))
		return 0;
	return (int16_t)(abs(one) < abs(two) ? one : two);
}

static uint16_t last_of(const uint16_t seen[OO_LOOK_SOCKETS])
{
	for (size_t i = OO_LOOK_SOCKETS; i-- > 0;) {
		if (seen[i] != 0)
			return seen[i];
	}
	return 0;
}

/* --- telling the peer --------------------------------------------------- */

static void tell(struct oo_node *n, struct peering *p, mono_us now)
{
	struct looking *l = &p->look;

	l->next = MONO_NEVER;
	if (!p->dial) {
		node_send_over(n, p, OO_ACCEPTED);
	} else if (l->asks < ASKS_MAX) {
		l->asks++;
		l->next = now + ASK_US;
		node_send_request(n, p);
	}
}

void node_look_put(const struct peering *p, struct wire_wr *w)
{
	if (is_done(&p->look))
		oo_put_ports(w, &p->look.own);
}

static void done(struct oo_node *n, struct peering *p, mono_us now)
{
	struct looking *l = &p->look;

	l->own.round = l->round;
	l->own.last = last_of(l->seen);
	l->own.delta = delta_of(l->seen);
	if (l->peer.round == l->round)
		oo_spray_ports(&p->punch, &l->own, &l->peer, now);
	tell(n, p, now);
}

void node_look_peer(struct oo_node *n, struct peering *p,
		    const struct oo_msg *m, mono_us now)
{
	struct looking *l = &p->look;

	if (m->ports.round == 0 || m->ports.round > OO_LOOK_ROUNDS ||
	    p->punch.proved_at != 0)
		return;
	l->peer = m->ports;
	/* The caller says when another round begins. */
	if (!p->dial && m->ports.round > l->round)
		node_look_start(n, p, m->ports.round, now);
	else if (is_done(l) && l->peer.round == l->round)
		oo_spray_ports(&p->punch, &l->own, &l->peer, now);
	if (p->dial && is_done(l) && l->peer.round == l->round)
		l->next = MONO_NEVER;
}

/* --- rounds ------------------------------------------------------------- */

/* The extra sockets are there. */
static void look_sockets(struct oo_node *n, struct peering *p, mono_us now)
{
	struct looking *l = &p->look;

	if (!l->wants_socks)
		return;
	l->wants_socks = false;
	if (p->punch.sock_n <= OO_LOOK_SOCKETS * OO_LOOK_ROUNDS) {
		done(n, p, now);
		return;
	}
	l->ends = now + LOOK_US;
	ping(n, p, now);
}

void node_want_sockets(struct oo_node *n, struct peering *p)
{
	struct oo_event *ev = node_event(n, OO_EV_SOCKETS);

	ev->id = node_id_of(n, p);
	ev->u.sockets.count = n->cfg.spray_sockets;
}

void node_look_start(struct oo_node *n, struct peering *p, uint8_t round,
		     mono_us now)
{
	struct looking *l = &p->look;

	l->round = round;
	l->asks = 0;
	l->next = MONO_NEVER;
	memset(l->seen, 0, sizeof(l->seen));
	if (!(p->punch.cfg.own_nat & OO_NAT_PORT_CHANGED) ||
	    n->cfg.spray_packets == 0 || n->cfg.spray_sockets == 0 ||
	    !net_addr_is_set(&n->regs[p->reg].hole[OO_V4].registrar)) {
		done(n, p, now);
		return;
	}
	l->wants_socks = true;
	if (p->punch.sock_n > 0)
		look_sockets(n, p, now);
	else if (oo_spray_need_sockets(&p->punch))
		node_want_sockets(n, p);
}

static bool takes_pong(const struct oo_node *n, const struct peering *p,
		       const struct oo_reg *g)
{
	return node_is_punching(p) && &n->regs[p->reg] == g &&
	       p->look.round != 0 && !p->look.wants_socks &&
	       p->punch.sock_n != 0 && !is_done(&p->look);
}

void node_look_on_pong(struct oo_node *n, const struct oo_reg *g,
		       const struct dgram *d, const struct oo_msg *m,
		       mono_us now)
{
	if (!m->has_reflexive ||
	    !net_addr_equal(&d->path.peer, &g->hole[OO_V4].registrar))
		return;
	for (size_t i = 0; i < n->peer_n; i++) {
		struct peering *p = &n->peer[i];

		if (!takes_pong(n, p, g) || d->path.sock < socket_of(p, 0) ||
		    d->path.sock >= socket_of(p, OO_LOOK_SOCKETS))
			continue;
		p->look.seen[d->path.sock - socket_of(p, 0)] =
			m->reflexive.port;
		if (p->look.seen[0] && p->look.seen[1] && p->look.seen[2])
			done(n, p, now);
	}
}

void node_look_tick(struct oo_node *n, struct peering *p, mono_us now)
{
	struct looking *l = &p->look;

	if (now < l->next || !node_is_punching(p))
		return;
	if (is_done(l))
		tell(n, p, now);
	else if (now >= l->ends)
		done(n, p, now);
	else
		ping(n, p, now);
}

mono_us node_look_deadline(const struct peering *p)
{
	return node_is_punching(p) ? p->look.next : MONO_NEVER;
}

/* --- extra sockets ------------------------------------------------------ */

void oo_node_sockets(struct oo_node *n, struct oo_id id, uint16_t first,
		     uint16_t count, mono_us now)
{
	struct peering *p = node_by_id(n, id);

	if (p && node_is_punching(p)) {
		oo_punch_sockets(&p->punch, first, count, now);
		look_sockets(n, p, now);
	} else if (count > 0) {
		/* Whoever asked for them has gone meanwhile. */
		node_event(n, OO_EV_SOCKETS_DONE);
	}
}

bool oo_node_uses_socket(const struct oo_node *n, uint16_t sock)
{
	if (oo_measure_uses(&n->measure, sock))
		return true;
	for (size_t i = 0; i < n->peer_n; i++) {
		const struct peering *p = &n->peer[i];

		if (node_is_punching(p) && p->punch.sock_n > 0 &&
		    sock >= p->punch.sock_first &&
		    sock < p->punch.sock_first + p->punch.sock_n)
			return true;
	}
	return false;
}
