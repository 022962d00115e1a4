/* SPDX-License-Identifier: MIT */

/*
 * The last resort of a dial (OPEN-OVER.md section 4.9): when to ask for a
 * relay, and to ask the target again once there is one.
 */

#include <string.h>

#include "proto/openover_node_priv.h"

/* What other addresses are ahead of one at a relay, and how long a dial tries
 * without one. */
#define RELAY_DELAY_US (300 * MONO_MS)
#define RELAY_ASK_US (1200 * MONO_MS)

/* Do we have a way to send to this family? */
static bool has_family(const struct oo_node *n, enum oo_family f)
{
	for (size_t i = 0; i < n->own_n; i++) {
		if (oo_family_of(&n->own[i]) == f)
			return true;
	}
	for (size_t i = 0; i < n->regs_n; i++) {
		if (n->regs[i].hole[f].last_ok != 0)
			return true;
	}
	return false;
}

/* No direct path can be hoped for soon: there is no address family in common,
 * or both translators change ports and no way goes round one of them. */
static bool hopeless(const struct oo_node *n, const struct oo_punch_cfg *c)
{
	const bool ports = c->own_nat & c->peer_nat & OO_NAT_PORT_CHANGED;

	for (size_t i = 0; i < c->candidates.n; i++) {
		const enum oo_family f = oo_family_of(&c->candidates.addr[i]);
		const bool round = f == OO_V6 || c->candidates.type[i] !=
							 OO_CANDIDATE_REFLEXIVE;

		if (has_family(n, f) && (round || !ports))
			return false;
	}
	return true;
}

void node_relay_schedule(struct oo_node *n, struct peering *p,
			 struct oo_punch_cfg *c, mono_us now)
{
	const bool none = hopeless(n, c);

	c->direct = p->direct;
	if (p->direct) {
		p->relay_at = MONO_NEVER;
		return;
	}
	c->relay_delay = none ? 0 : RELAY_DELAY_US;
	p->relay_at = MONO_NEVER;
	/* One that is there is not given back now. */
	if (node_relay_is_up(n))
		n->relay.used = now;
	if (node_relay_is_up(n) && n->relay.reg == p->reg)
		return;
	if (p->dial && n->cfg.relay != OO_RELAY_NEVER && !p->relay_asked &&
	    c->relays.n == 0)
		p->relay_at = none ? now : now + RELAY_ASK_US;
}

void node_ask_again(struct oo_node *n, struct peering *p, mono_us now)
{
	if (p->punch.sock_n > 0)
		node_event(n, OO_EV_SOCKETS_DONE);
	p->relay_at = MONO_NEVER;
	key_wipe(&p->punch, sizeof(p->punch));
	/* What was seen were the ports of sockets that are closed now. */
	memset(&p->look, 0, sizeof(p->look));
	node_request(n, p, now);
}

/* The relay is another registrar's than the one that was asked: perhaps the
 * target is known there too.  If not, the punch under way is all there is. */
static void ask_elsewhere(struct oo_node *n, struct peering *p, mono_us now)
{
	const size_t reg = n->relay.reg;

	if (reg >= n->regs_n || !oo_reg_is_up(&n->regs[reg]) ||
	    (p->tried_regs >> reg & 1) || !node_rest_leave(n, p))
		return;
	p->reg = reg;
	p->tried_regs |= 1U << reg;
	node_ask_again(n, p, now);
}

/* Only a new OPEN tells the target where the relay is. */
static void repeat(struct oo_node *n, struct peering *p, mono_us now)
{
	if (p->state != PEERING_PUNCHING || !p->dial || !p->relay_asked ||
	    p->punch.proved_at != 0 || p->punch.relay_at != 0)
		return;
	if (p->reg != n->relay.reg) {
		ask_elsewhere(n, p, now);
		return;
	}
	if (node_probes_ports(p))
		(void)node_rest_leave(n, p);
	node_ask_again(n, p, now);
}

void node_relay_due(struct oo_node *n, struct peering *p, mono_us now)
{
	if (p->state != PEERING_PUNCHING || now < p->relay_at)
		return;
	p->relay_at = MONO_NEVER;
	if (p->punch.proved_at != 0 || p->punch.relay_at != 0)
		return;
	p->relay_asked = true;
	node_relay_want(n, p->reg, now);
	/* Another dial may have got it meanwhile. */
	if (node_relay_is_up(n))
		repeat(n, p, now);
}

void node_peers_relay_up(struct oo_node *n, mono_us now)
{
	for (size_t i = 0; i < n->peer_n; i++)
		repeat(n, &n->peer[i], now);
}

void node_peers_relay_refused(struct oo_node *n)
{
	for (size_t i = 0; i < n->peer_n; i++) {
		struct peering *p = &n->peer[i];

		if (p->state == PEERING_PUNCHING && p->dial && p->relay_asked)
			(void)node_is_hopeless(n, p, &p->punch.cfg.candidates);
	}
}

static bool leads_to_relay(const struct oo_punch *u,
			   const struct net_path *path)
{
	for (size_t i = 0; i < u->cand_n; i++) {
		const struct oo_candidate *c = &u->cand[i];

		if (c->type == OO_CANDIDATE_RELAY &&
		    c->path.sock == path->sock &&
		    net_addr_equal(&c->path.peer, &path->peer))
			return true;
	}
	return false;
}

bool oo_node_is_relayed(const struct oo_node *n, const struct net_path *path)
{
	if (path->sock == OO_SOCK_RELAY)
		return true;
	for (size_t i = 0; i < n->peer_n; i++) {
		const struct peering *p = &n->peer[i];

		if ((p->state == PEERING_PUNCHING ||
		     p->state == PEERING_DONE) &&
		    leads_to_relay(&p->punch, path))
			return true;
	}
	return false;
}
