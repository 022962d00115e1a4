/* SPDX-License-Identifier: MIT */

/* What a link looks like from outside. */

#include <string.h>

#include "daemon/node/node_priv.h"

size_t node_links_max(const struct node *n)
{
	return n->links_max;
}

bool node_link_at(const struct node *n, size_t i, struct node_link_info *out)
{
	const struct link *l = &n->link[i < n->links_max ? i : 0];

	if (i >= n->links_max || l->state == NODE_LINK_FREE)
		return false;
	memset(out, 0, sizeof(*out));
	out->id = (struct node_link_id){ (uint16_t)i, l->gen };
	memcpy(out->number, l->number, sizeof(out->number));
	out->state = l->state;
	out->mode = l->mode;
	out->rung = l->rung;
	out->keying = l->keying.state;
	out->loop = l->text.loop;
	memcpy(out->talker, l->text.who, sizeof(out->talker));
	out->outbound = l->outbound;
	out->permanent = l->permanent;
	out->serial = l->serial;
	out->moving = l->move.moving && (!l->move.better || l->move.found);
	out->rx_keyed = l->rx_keyed;
	out->tx_keyed = l->tx_keyed;
	if (l->ear) {
		out->playout_ms = jitter_delay_ms(&l->ear->jitter);
		out->drift_ppm = peer_clock_ppm(&l->ear->jitter.clock);
	}
	out->dialled = l->dialled;
	out->up_since = l->up_since;
	out->dial_us = l->dial_us;
	out->jitter = l->ear ? l->ear->jitter.counters : l->before;
	memcpy(out->why, l->why, sizeof(out->why));
	if (l->state == NODE_LINK_CALLING || l->state == NODE_LINK_UP)
		(void)iax2_call_info(n->ep, l->call, &out->call);
	return true;
}

bool node_link(const struct node *n, struct node_link_id id,
	       struct node_link_info *out)
{
	return id.slot < n->links_max && n->link[id.slot].gen == id.gen &&
	       node_link_at(n, id.slot, out);
}

static bool peer_of(const struct node *n, const struct link *l,
		    struct net_addr *out)
{
	struct iax2_call_info c;

	if ((l->state != NODE_LINK_CALLING && l->state != NODE_LINK_UP) ||
	    iax2_call_info(n->ep, l->call, &c) != IAX2_OK || c.path.sock != 0 ||
	    !net_addr_is_set(&c.path.peer))
		return false;
	*out = c.path.peer;
	return true;
}

size_t node_peers(const struct node *n, struct net_addr *out, size_t max)
{
	size_t k = 0;

	for (size_t i = 0; i < NODE_EARS && k < max; i++) {
		if (n->ear[i].of)
			k += peer_of(n, n->ear[i].of, &out[k]);
	}
	for (size_t i = 0; i < n->links_max && k < max; i++) {
		if (!n->link[i].ear)
			k += peer_of(n, &n->link[i], &out[k]);
	}
	return k;
}
