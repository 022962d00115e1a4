/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_ONLINE_H
#define DAEMON_REGISTRAR_ONLINE_H

/*
 * Who is online, for those who are no nodes of ours: numbers and IPv4
 * addresses, as AllStarLink's node list and its DNS tell them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "proto/openover_registrar.h"

#define ONLINE_LIST_MAX 20000U /* nodes of a list */

/* Where node @number is called; false when it is not online, or not by
 * IPv4. */
bool online_find(struct oo_registrar *r, const char *number, mono_us now,
		 struct net_addr *out);
/* The list in the format of rpt_extnodes, to be freed with free(), and its
 * length; NULL without memory. */
char *online_extnodes(struct oo_registrar *r, mono_us now, size_t *len);

#endif
