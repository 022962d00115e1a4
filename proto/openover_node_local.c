/* SPDX-License-Identifier: MIT */

/* Our own addresses, those we tell and those that a peer's can be reached
 * from (OPEN-OVER.md section 4.4). */

#include <stdio.h>
#include <string.h>

#include "proto/openover_local.h"
#include "proto/openover_node_priv.h"

void node_put_local(const struct oo_node *n, const struct oo_reg *g,
		    struct wire_wr *w)
{
	struct oo_candidates c = { .n = 0 };
	struct net_addr used[OO_FAMILIES] = { 0 };

	for (int f = 0; f < OO_FAMILIES; f++)
		memcpy(used[f].ip, g->hole[f].local_ip, sizeof(used[f].ip));
	oo_local_tell(n->own, n->own_n, used, OO_FAMILIES, &c);
	oo_put_candidates(w, &c);
}

/* Bits: 1 IPv4, 2 IPv6.  An address that nobody proved may do as well. */
static unsigned own_families(const struct oo_node *n)
{
	unsigned have = 0;

	for (size_t i = 0; i < n->own_n; i++)
		have |= 1U << oo_family_of(&n->own[i]);
	for (size_t i = 0; i < n->regs_n; i++) {
		for (int f = 0; f < OO_FAMILIES; f++) {
			const struct oo_hole *h = &n->regs[i].hole[f];

			have |= (unsigned)net_addr_is_set(&h->apparent) << f;
		}
	}
	return have;
}

/* "" or why no packet can pass between us and any of @c. */
static const char *no_family(const struct oo_node *n,
			     const struct oo_candidates *c)
{
	const unsigned own = own_families(n);
	unsigned theirs = 0;

	for (size_t i = 0; i < c->n; i++)
		theirs |= 1U << oo_family_of(&c->addr[i]);
	if (theirs == 0 || (theirs & own))
		return "";
	return theirs == 1U << OO_V4
		       ? "this node has only IPv6, that one only IPv4"
		       : "this node has only IPv4, that one only IPv6";
}

bool node_is_hopeless(struct oo_node *n, struct peering *p,
		      const struct oo_candidates *c)
{
	const char *why = no_family(n, c);
	struct oo_event *ev;

	if (why[0] == '\0')
		return false;
	ev = node_event(n, OO_EV_FAILED);
	ev->id = node_id_of(n, p);
	ev->u.failed.verdict = OO_NO_PATH;
	ev->u.failed.hopeless = true;
	(void)snprintf(ev->u.failed.tried, sizeof(ev->u.failed.tried),
		       "nothing, %s", why);
	if (p->punch.sock_n > 0)
		node_event(n, OO_EV_SOCKETS_DONE);
	node_peering_free(p);
	return true;
}

void oo_node_mapped(struct oo_node *n, const struct net_addr *addr4,
		    const struct net_addr *addr6, mono_us now)
{
	/* IPv6 is not translated: what a router opens of it is the address
	 * that the registrar sees anyway. */
	(void)addr6;
	for (size_t i = 0; i < n->regs_n; i++)
		oo_reg_mapped(&n->regs[i], addr4, now);
}
