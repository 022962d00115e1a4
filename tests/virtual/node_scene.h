/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_NODE_SCENE_H
#define TESTS_VIRTUAL_NODE_SCENE_H

/*
 * Two whole nodes and a registrar in virtual time, behind translators:
 * everything but sockets and sound cards.
 */

#include "daemon/node/node.h"
#include "proto/openover_registrar.h"
#include "proto/openover_registrar_relay.h"
#include "tests/virtual/fake_net.h"

#define ONE_WAY (25 * MONO_MS)
#define RTT (2 * ONE_WAY)
#define NODES 2

struct station {
	struct node *node;
	struct key_identity id;
	struct node_event last, down; /* the last; of a link's end */
	unsigned ups, downs, opened, closed, moved;
	char why[NODE_WHY_MAX];
	unsigned refused; /* callers, and why the last was */
	char refused_why[NODE_WHY_MAX];
	bool no_sockets;  /* there are none to be had */
	uint16_t sockets; /* that were opened so far */
};

struct scene {
	struct fake_net *net;
	struct oo_registrar *registrar;
	struct key_identity registrar_id;
	struct station at[NODES];
	int nat[NODES];
	unsigned lose; /* the packet from now that is lost; 0: none */
	unsigned passed;
};

/* Translators that keep ports, and that map by peer. */
extern const struct fake_nat scene_preserving;
extern const struct fake_nat scene_symmetric;
/* By peer too, one port after the other, and in steps downwards. */
extern const struct fake_nat scene_sequential;
extern const struct fake_nat scene_downwards;

/* The peer that each node knows without a registrar; an empty number: none. */
extern struct node_peer scene_peer_of[NODES];

/* What each node wants of the relay that the registrar has if any does. */
extern enum oo_relay_use scene_relay[NODES];

/* Make it, and let both nodes register; NULL: that node is public. */
void scene_begin(struct scene *s, uint64_t seed, const struct fake_nat *a,
		 const struct fake_nat *b);
/* The same with a registrar that relays, and nodes that let it. */
void scene_begin_relayed(struct scene *s, uint64_t seed,
			 const struct fake_nat *a, const struct fake_nat *b);
void scene_end(struct scene *s);
/* Node @i's router, which lets everybody in, opened its port. */
void scene_mapped(struct scene *s, int i);
void scene_run(struct scene *s, mono_us d);
/* The first node dials the second. */
struct node_link_id scene_dial(struct scene *s);
/* Links of node @i in @state; links at all. */
unsigned scene_links(const struct scene *s, int i, enum node_link_state state);
unsigned scene_all_links(const struct scene *s, int i);

#endif
