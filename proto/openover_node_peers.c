/* SPDX-License-Identifier: MIT */

/*
 * What dials and opens share (OPEN-OVER.md section 4.5): their table, the punch
 * that both come to, and time.
 */

#include "proto/openover_node_priv.h"

#include <string.h>

#include "proto/openover_local.h"

#define TICKET_LIFE_US (10 * MONO_S)

struct oo_id node_id_of(const struct oo_node *n, const struct peering *p)
{
	return (struct oo_id){ (uint16_t)(p - n->peer), p->gen };
}

struct peering *node_by_id(struct oo_node *n, struct oo_id id)
{
	struct peering *p;

	if (id.slot >= n->peer_max)
		return NULL;
	p = &n->peer[id.slot];
	return p->state != PEERING_FREE && p->gen == id.gen && id.gen != 0
		       ? p
		       : NULL;
}

/* The first place, so that few are looked at while few are in use. */
struct peering *node_peering_new(struct oo_node *n, bool dial)
{
	size_t at = n->peer_n;
	size_t opens = 0;
	struct peering *p;
	uint16_t gen;

	for (size_t i = n->peer_n; i-- > 0;) {
		if (n->peer[i].state == PEERING_FREE)
			at = i;
		else
			opens += !n->peer[i].dial;
	}
	if (at == n->peer_max || (!dial && opens >= n->cfg.opens_max))
		return NULL;
	p = &n->peer[at];
	gen = p->gen == UINT16_MAX ? 1 : (uint16_t)(p->gen + 1);
	memset(p, 0, sizeof(*p));
	p->gen = gen;
	if (at == n->peer_n)
		n->peer_n++;
	return p;
}

void node_peering_free(struct peering *p)
{
	const uint16_t gen = p->gen;

	key_wipe(p, sizeof(*p));
	p->gen = gen;
}

uint16_t node_half_rtt_ms(const struct oo_reg *g)
{
	const uint32_t ms = g->hole[oo_reg_best_family(g)].rtt_us / 2000;

	return (uint16_t)(ms < 10000 ? ms : 10000);
}

/* --- punching ----------------------------------------------------------- */

static void path_found(struct oo_node *n, struct peering *p, mono_us now)
{
	struct oo_event *ev = node_event(n, OO_EV_PATH);
	const struct oo_candidate *best = oo_punch_best(&p->punch);

	ev->id = node_id_of(n, p);
	ev->u.path.path = best->path;
	ev->u.path.mapped = best->type == OO_CANDIDATE_MAPPED;
	ev->u.path.relayed = best->type == OO_CANDIDATE_RELAY;
	ev->u.path.predicted = oo_punch_is_predicted(&p->punch, best);
	oo_punch_ticket(&p->punch, now + TICKET_LIFE_US, &ev->u.path.ticket);
	/* It stays for its while: the peer may still have a POKE of ours to
	 * answer, or we one of its. */
	p->state = PEERING_DONE;
}

static void better_found(struct oo_node *n, const struct peering *p)
{
	struct oo_event *ev = node_event(n, OO_EV_BETTER);
	const struct oo_candidate *best = oo_punch_best(&p->punch);

	ev->id = node_id_of(n, p);
	ev->u.better.punch = p->punch.id;
	ev->u.better.path = best->path;
	ev->u.better.mapped = best->type == OO_CANDIDATE_MAPPED;
	ev->u.better.predicted = oo_punch_is_predicted(&p->punch, best);
}

/* A dial may have its path, or a better one, by what is left of its first punch.
 */
static void rest_on(struct oo_node *n, struct peering *q, unsigned change,
		    mono_us now)
{
	const struct peering *owner = node_by_id(n, q->rest_of);
	const bool had = owner && owner->state == PEERING_DONE;
	struct peering *p = node_rest_found(n, q, change);

	if (p && had) {
		p->state = PEERING_DONE;
		better_found(n, p);
	} else if (p) {
		path_found(n, p, now);
	}
}

static void handle(struct oo_node *n, struct peering *p, unsigned change,
		   const struct dgram *d, mono_us now)
{
	struct oo_event *ev;

	if (change & OO_PUNCH_SOCKETS)
		node_want_sockets(n, p);
	if (change & OO_PUNCH_LOOK)
		node_look_start(n, p, (uint8_t)(p->look.round + 1), now);
	if ((change & OO_PUNCH_PROVED) && d && !p->dial) {
		ev = node_event(n, OO_EV_EXPECT);
		ev->id = node_id_of(n, p);
		ev->u.expect.path = d->path;
		oo_punch_ticket(&p->punch, now + TICKET_LIFE_US,
				&ev->u.expect.ticket);
	}
	if (node_is_rest(p)) {
		rest_on(n, p, change, now);
		return;
	}
	if (change & OO_PUNCH_CHOSEN)
		path_found(n, p, now);
	if (change & OO_PUNCH_BETTER)
		better_found(n, p);
	if ((change & (OO_PUNCH_CHOSEN | OO_PUNCH_BETTER)) && !p->punch.relayed)
		node_rest_drop(n, p);
	if (!(change & OO_PUNCH_ENDED))
		return;
	if (p->punch.sock_n > 0)
		node_event(n, OO_EV_SOCKETS_DONE);
	if (p->dial && p->state == PEERING_PUNCHING)
		node_dial_failed(n, p, OO_NO_PATH);
	else
		node_peering_free(p);
}

void node_punch_start(struct oo_node *n, struct peering *p,
		      struct oo_punch_cfg *c, mono_us now)
{
	c->own_nat = oo_node_nat(n);
	/* Once is enough. */
	c->spray_packets = node_has_rest(n, p) ? 0 : n->cfg.spray_packets;
	c->spray_sockets = n->cfg.spray_sockets;
	c->random = n->cfg.random;
	c->random_ctx = n->cfg.random_ctx;
	c->tx = n->tx;
	node_relay_schedule(n, p, c, now);
	p->state = PEERING_PUNCHING;
	p->look.next = MONO_NEVER;
	oo_local_take(&c->candidates, n->own, n->own_n);
	oo_punch_start(&p->punch, c, now);
	handle(n, p, oo_punch_tick(&p->punch, now), NULL, now);
}

void node_punch_cfg_from(struct oo_punch_cfg *c, const struct oo_reg *g,
			 const struct oo_msg *m)
{
	memset(c, 0, sizeof(*c));
	memcpy(c->token, m->token, sizeof(c->token));
	oo_session_cipher(&g->session, false, m->counter, c->token);
	memcpy(c->peer_key, m->peer_key, KEY_PUBLIC_LEN);
	c->candidates = m->candidates;
	c->relays = m->relays;
	c->peer_nat = m->nat;
}

enum iax2_err node_on_punch(struct oo_node *n, const struct dgram *d,
			    const struct oo_msg *m, mono_us now)
{
	for (size_t i = 0; i < n->peer_n; i++) {
		struct peering *p = &n->peer[i];

		if ((p->state != PEERING_PUNCHING &&
		     p->state != PEERING_DONE) ||
		    p->punch.id != m->punch)
			continue;
		handle(n, p, oo_punch_rx(&p->punch, d, m, now), d, now);
		return IAX2_OK;
	}
	n->count.forged++;
	return IAX2_E_REFUSED;
}

/* --- time --------------------------------------------------------------- */

static void peering_due(struct oo_node *n, struct peering *p, mono_us now)
{
	switch (p->state) {
	case PEERING_REQUESTING:
		if (now >= p->ends)
			node_dial_next(n, p, OO_REGISTRAR_SILENT, now);
		else if (now >= p->next)
			node_dial_repeat(n, p, now);
		break;
	case PEERING_ASKING:
	case PEERING_REFUSED:
		if (now >= p->ends)
			node_peering_free(p);
		break;
	case PEERING_PUNCHING:
	case PEERING_DONE:
		node_relay_due(n, p, now);
		if (p->state == PEERING_REQUESTING)
			break;
		node_look_tick(n, p, now);
		handle(n, p, oo_punch_tick(&p->punch, now), NULL, now);
		break;
	case PEERING_FREE:
		break;
	}
}

void node_peers_tick(struct oo_node *n, mono_us now)
{
	for (size_t i = 0; i < n->peer_n; i++)
		peering_due(n, &n->peer[i], now);
	while (n->peer_n > 0 && n->peer[n->peer_n - 1].state == PEERING_FREE)
		n->peer_n--;
}

mono_us node_peers_deadline(const struct oo_node *n)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < n->peer_n; i++) {
		const struct peering *p = &n->peer[i];

		switch (p->state) {
		case PEERING_REQUESTING:
			due = mono_min(due, mono_min(p->ends, p->next));
			break;
		case PEERING_ASKING:
		case PEERING_REFUSED:
			due = mono_min(due, p->ends);
			break;
		case PEERING_PUNCHING:
		case PEERING_DONE:
			due = mono_min(due, oo_punch_deadline(&p->punch));
			due = mono_min(due, node_look_deadline(p));
			if (p->state == PEERING_PUNCHING)
				due = mono_min(due, p->relay_at);
			break;
		case PEERING_FREE:
			break;
		}
	}
	return due;
}
