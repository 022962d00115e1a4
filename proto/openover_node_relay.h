/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_NODE_RELAY_H
#define PROTO_OPENOVER_NODE_RELAY_H

/*
 * The node's end of its relay (OPEN-OVER.md section 4.8): an address at a
 * registrar, through which a path leads like through a socket.  Its number in
 * net_path.sock is OO_SOCK_RELAY: datagrams of such a path are wrapped before
 * they are sent, and what comes in has it.  Part of openover_node.h.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/dgram.h"
#include "proto/net_path.h"
#include "proto/openover_directory.h"

#define OO_SOCK_RELAY UINT16_MAX

enum oo_relay_use {
	OO_RELAY_NEVER,
	OO_RELAY_LAST,   /* when nothing else leads to a node */
	OO_RELAY_ALWAYS, /* for plain callers and calls of ours too */
};

struct oo_node;

struct oo_node_relay_view {
	bool up;
	struct net_addr address[OO_FAMILIES]; /* port 0: none */
	uint64_t rx;                          /* datagrams that came through */
	uint64_t tx;
	uint64_t dropped; /* too long, or there is no relay */
};

void oo_node_relay_view(const struct oo_node *n,
			struct oo_node_relay_view *out);

/*
 * Wrap a datagram whose path is on OO_SOCK_RELAY: *@d becomes what is to be
 * sent, with data that lasts until the next call on @n.  False, and counted,
 * when it cannot be.
 */
bool oo_node_relay_wrap(struct oo_node *n, struct dgram *d);

/* After oo_node_rx(): what came through the relay and is for the endpoint.
 * Borrowed until the next call on @n. */
bool oo_node_relayed(struct oo_node *n, struct dgram *out);

/* How to call plainly at @addr: through the relay where that is wanted always
 * and leads there. */
struct net_path oo_node_path_to(const struct oo_node *n,
				const struct net_addr *addr);

#endif
