/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_OO_WORLD_H
#define TESTS_VIRTUAL_OO_WORLD_H

/*
 * A registrar and three nodes on a wire without delay, for conversations that
 * a test writes by hand: it sees every frame, may keep, change or swallow it,
 * and moves time itself.  Randomness comes from a counter, so that each run is
 * the same.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/openover_node.h"
#include "proto/openover_registrar.h"
#include "proto/openover_registrar_relay.h"

#define WORLD_NODES 3
#define WORLD_LOG 256
#define WORLD_EVENTS (OO_EV_BETTER + 1)

enum { REGISTRAR = WORLD_NODES };

struct world_frame {
	struct net_addr from;
	struct net_addr to;
	uint8_t subclass;
	size_t len;
	uint8_t data[DGRAM_MAX];
};

struct world {
	mono_us now;
	struct oo_registrar *registrar;
	struct oo_node *node[WORLD_NODES];
	struct key_identity id[WORLD_NODES + 1];
	struct net_addr addr[WORLD_NODES + 1];
	/* Another address where they receive; port 0: none. */
	struct net_addr also[WORLD_NODES + 1];
	struct world_frame log[WORLD_LOG]; /* every frame that was sent */
	size_t log_n;
	int swallow; /* this frame, counted from now on, is lost; 0: none */
	int sent;    /* frames since swallow was set */
	struct world_frame swallowed;
	struct oo_event last[WORLD_NODES]
			    [WORLD_EVENTS];       /* by kind, the last event */
	unsigned seen[WORLD_NODES][WORLD_EVENTS]; /* and how many */
	bool refuse[WORLD_NODES];                 /* answer to OPEN_IN */
	bool wall;                  /* what one node sends to another is lost */
	bool gone[WORLD_NODES + 1]; /* and all to and from these parties */
	bool no_ports;              /* the relay cannot open any */
	unsigned relayed;           /* datagrams that left from the relay */
	struct net_addr relayed_to; /* the last one */
};

/* Three nodes, 2001 to 2003, and a registrar that knows them. */
void world_init(struct world *w);
/* The same with a relay at 192.0.2.200, ports 20000 to 20015. */
void world_init_relay(struct world *w);
/* And with nodes, at 198.51.100.x, that use it so. */
void world_init_relayed(struct world *w,
			const enum oo_relay_use use[WORLD_NODES]);
/* A datagram arrives at the relay. */
void world_to_relay(struct world *w, const struct net_addr *from, uint16_t port,
		    const uint8_t *data, size_t len);
void world_done(struct world *w);
/* Deliver until nothing moves. */
void world_settle(struct world *w);
/* Let time pass, deadline by deadline. */
void world_run(struct world *w, mono_us duration);
/* Registered, all of them. */
void world_up(struct world *w);
/* Put a frame on the wire, as if from @from. */
enum iax2_err world_inject(struct world *w, int to, const struct net_addr *from,
			   const uint8_t *data, size_t len);
/* The last frame of @subclass from party @from to @to; fails when none. */
const struct world_frame *world_find(const struct world *w, int from, int to,
				     uint8_t subclass);
struct oo_id world_dial(struct world *w, int caller, const char *number);

#endif
