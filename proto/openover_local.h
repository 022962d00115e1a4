/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_LOCAL_H
#define PROTO_OPENOVER_LOCAL_H

/*
 * Addresses of interfaces, told so that two nodes of one site need not go by
 * their router (OPEN-OVER.md section 4.4).  Nobody proved them, so each of the
 * three parties takes only what cannot make a node disturb somebody else's
 * network.
 */

#include <stdbool.h>
#include <stddef.h>

#include "proto/net_path.h"
#include "proto/openover_msg.h"

#define OO_LOCAL_MAX 4U /* told and taken of one node */

struct oo_local {
	struct net_addr addr[OO_LOCAL_MAX];
	size_t n;
};

/* RFC 1918, RFC 6598 or RFC 4193: nowhere on the internet. */
bool oo_addr_is_private(const struct net_addr *a);
/* Do both subscribers share an IPv4 address or an IPv6 /64? */
bool oo_addr_same_net(const struct net_addr *a, const struct net_addr *b);

/* What a node with addresses @own tells: those with the IP of @used first,
 * which are on the way to the registrar. */
void oo_local_tell(const struct net_addr *own, size_t own_n,
		   const struct net_addr *used, size_t used_n,
		   struct oo_candidates *out);
/* What the registrar keeps of @said, by a node that it sees at @proved (port
 * 0: at none) with IPv6. */
void oo_local_keep(const struct oo_candidates *said,
		   const struct net_addr *proved, struct oo_local *out);
/* Remove from @c the local ones that a node with addresses @own does not send
 * to: its own, those outside its networks, and ports of system services. */
void oo_local_take(struct oo_candidates *c, const struct net_addr *own,
		   size_t own_n);

#endif
