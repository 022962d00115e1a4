/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_RELAY_PRIV_H
#define PROTO_OPENOVER_RELAY_PRIV_H

/* What the relay's table (openover_relay.c) and its rules
 * (openover_relay_peer.c) share. */

#include "proto/openover_relay.h"

struct oo_relay {
	struct oo_relay_cfg cfg;
	struct oo_relay_counters n;
	struct oo_relay_alloc *slots;
	size_t slots_n;
	size_t used;
	uint32_t *bucket; /* by record: slot + 1 */
	size_t mask;
	struct oo_relay_peer *peers;
	/* Slots whose socket is to be opened or closed. */
	uint16_t *queue;
	size_t queue_head;
	size_t queue_n;
};

#endif
