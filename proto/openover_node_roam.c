/* SPDX-License-Identifier: MIT */

/*
 * Dials and punches that were begun on another network.  The target was told
 * addresses that are not ours any more, and would POKE those for seconds.
 */

#include "proto/openover_node_priv.h"

/* Nothing leaves from the address that we had: a translator that saw it would
 * give the port that we want to it. */
static void unpin(struct oo_punch *u)
{
	for (size_t i = 0; i < u->cand_n; i++)
		net_path_unpin(&u->cand[i].path);
}

static bool is_for_nothing(const struct peering *p)
{
	if (!p->dial)
		return false;
	return p->state == PEERING_REQUESTING ||
	       (p->state == PEERING_PUNCHING && p->punch.proved_at == 0 &&
		p->punch.relay_at == 0);
}

void node_peers_network_changed(struct oo_node *n, mono_us now)
{
	for (size_t i = 0; i < n->peer_n; i++) {
		struct peering *p = &n->peer[i];

		if (p->state == PEERING_FREE || node_is_rest(p))
			continue;
		node_rest_drop(n, p);
		unpin(&p->punch);
		if (is_for_nothing(p))
			node_ask_again(n, p, now);
	}
}
