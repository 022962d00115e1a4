/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_MEASURE_SCENE_H
#define TESTS_VIRTUAL_MEASURE_SCENE_H

/*
 * A node behind a translator of any kind and a registrar that helps it to
 * measure, in virtual time.  The registrar's second port is socket 1 of each
 * address.
 */

#include "proto/openover_node.h"
#include "proto/openover_registrar_relay.h"
#include "tests/virtual/fake_net.h"

enum measure_v6 { V6_NONE, V6_OPEN, V6_FIREWALLED };

struct measure_scene {
	/* Set before measure_scene_init(). */
	uint64_t seed;
	bool one_address; /* the registrar has no second one */
	bool no_ends;     /* it does not help at all */
	bool no_sockets;  /* the node gets none */
	enum measure_v6 v6;
	mono_us v6_life;
	enum oo_relay_use relay; /* unless never, the registrar relays */
	struct fake_weather weather;

	struct fake_net *net;
	struct oo_registrar *registrar;
	struct oo_node *node;
	struct key_identity id[2];       /* node, registrar */
	struct net_addr addr;            /* the node's own */
	int slot[2];                     /* in the net */
	unsigned seen[OO_EV_BETTER + 1]; /* events by kind */
	uint64_t octets; /* of the node's packets, both ways, with headers */
};

extern const struct net_addr measure_main, measure_other, measure_outside;

/* @nat NULL: none in the way. */
void measure_scene_init(struct measure_scene *s, const struct fake_nat *nat);
void measure_scene_done(struct measure_scene *s);
void measure_scene_run(struct measure_scene *s, mono_us duration);
/* The node's relation with the registrar. */
const struct oo_reg *measure_scene_reg(const struct measure_scene *s);
struct oo_record *measure_scene_record(const struct measure_scene *s);

#endif
