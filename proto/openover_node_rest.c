/* SPDX-License-Identifier: MIT */

/*
 * A dial that asks its target again while its first punch still probes ports.
 * That punch goes on in a place of its own, and whichever finds a path first
 * makes it the dial's.
 */

#include "proto/openover_node_priv.h"

bool node_probes_ports(const struct peering *p)
{
	return p->state == PEERING_PUNCHING &&
	       (p->punch.spray_at != MONO_NEVER ||
		p->punch.look_at != MONO_NEVER || p->look.next != MONO_NEVER);
}

static struct peering *rest_of(struct oo_node *n, const struct peering *p)
{
	const struct oo_id id = node_id_of(n, p);

	for (size_t i = 0; i < n->peer_n; i++) {
		struct peering *q = &n->peer[i];

		if (node_is_rest(q) && q->rest_of.slot == id.slot &&
		    q->rest_of.gen == id.gen)
			return q;
	}
	return NULL;
}

static void drop(struct oo_node *n, struct peering *q)
{
	if (q->punch.sock_n > 0)
		node_event(n, OO_EV_SOCKETS_DONE);
	node_peering_free(q);
}

/* What @p is about now ends; what is left of its former punch is it. */
static void come_back(struct oo_node *n, struct peering *p, struct peering *q)
{
	const uint16_t gen = p->gen;

	if (p->punch.sock_n > 0)
		node_event(n, OO_EV_SOCKETS_DONE);
	*p = *q;
	p->gen = gen;
	p->rest_of.gen = 0;
	node_peering_free(q);
}

bool node_rest_leave(struct oo_node *n, struct peering *p)
{
	struct peering *q;
	uint16_t gen;

	if (p->state != PEERING_PUNCHING || rest_of(n, p))
		return false;
	q = node_peering_new(n, true);
	if (!q)
		return false;
	gen = q->gen;
	*q = *p;
	q->gen = gen;
	q->rest_of = node_id_of(n, p);
	q->relay_at = MONO_NEVER;
	q->relay_asked = false;
	/* The way through the relay is the other punch's. */
	q->punch.cfg.direct = true;
	p->punch.sock_n = 0;
	return true;
}

bool node_rest_take_over(struct oo_node *n, struct peering *p)
{
	struct peering *q = rest_of(n, p);

	if (!q)
		return false;
	come_back(n, p, q);
	return true;
}

void node_rest_drop(struct oo_node *n, const struct peering *p)
{
	struct peering *q = rest_of(n, p);

	if (q)
		drop(n, q);
}

bool node_has_rest(struct oo_node *n, const struct peering *p)
{
	return rest_of(n, p) != NULL;
}

struct peering *node_rest_found(struct oo_node *n, struct peering *q,
				unsigned change)
{
	struct peering *p = node_by_id(n, q->rest_of);

	if (!p || (change & OO_PUNCH_ENDED))
		drop(n, q);
	else if (change & OO_PUNCH_CHOSEN) {
		come_back(n, p, q);
		return p;
	}
	return NULL;
}
