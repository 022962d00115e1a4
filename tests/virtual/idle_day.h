/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_IDLE_DAY_H
#define TESTS_VIRTUAL_IDLE_DAY_H

/*
 * What 24 hours without a call cost a node behind a translator, in octets both
 * ways with IP and UDP headers.
 */

#include "proto/openover_node_relay.h"

struct idle_day {
	/* Registration, PINGs, measuring, and the relay if one is asked for. */
	uint64_t registrar;
	/* PCP; where the router is the operator's own it crosses no metered
	 * line.  UPnP, which is TCP to such a router, is not in it. */
	uint64_t router;
	unsigned measured; /* times */
};

/* @life_s: of the translator's holes.  The router opens the node's port. */
struct idle_day idle_day(unsigned life_s, enum oo_relay_use relay);

#endif
