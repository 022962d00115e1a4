/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_CLUSTER_WORLD_H
#define TESTS_VIRTUAL_CLUSTER_WORLD_H

/*
 * Three registrars of one cluster, a store between them that a test may stop,
 * slow down or make lose, and three nodes.  The wire has no delay.
 */

#include "proto/openover_cluster.h"
#include "proto/openover_node.h"

#define CW_REGS 3
#define CW_NODES 3
#define CW_MAIL 256

extern const uint8_t cw_key[KEY_SHARED_LEN];

/* A job that a registrar gave to the store. */
struct cw_mail {
	int from;
	struct oo_cluster_out out;
};

struct cw_world {
	mono_us now;
	struct oo_registrar *reg[CW_REGS];
	struct oo_node *node[CW_NODES];
	struct key_identity id[CW_NODES];
	struct key_identity reg_id; /* of all: a node may go from one to another
				     */
	struct net_addr reg_addr[CW_REGS];
	struct net_addr addr[CW_NODES];
	struct net_addr also[CW_NODES]; /* it receives there too */
	struct oo_cluster_note notes[CW_REGS][CW_NODES];

	mono_us loop; /* how long a HELLO is under way */
	struct cw_mail hellos[CW_REGS];
	mono_us hellos_due[CW_REGS];   /* 0: none */
	uint16_t open_delay_ms;        /* of the last OPEN */
	struct oo_candidates named[2]; /* in the last OPEN, OVER to a node */

	bool down;            /* no registrar reaches the store */
	bool slow;            /* it takes everything and answers nothing */
	bool gone[CW_REGS];   /* killed */
	bool frozen[CW_REGS]; /* it lives for the store, and does nothing */
	bool keep_removed;    /* removals of notes are lost */
	unsigned lose;        /* these bits, from the lowest: that ASK or ANSWER
				 that is sent next is lost */
	unsigned lost;
	uint64_t looked_up;          /* what the last look-up was for */
	struct cw_mail log[CW_MAIL]; /* ASKs and ANSWERs, as sent */
	size_t log_n;

	bool refuse[CW_NODES];
	bool deaf[CW_NODES];
	unsigned paths[CW_NODES], expects[CW_NODES], failures[CW_NODES];
	unsigned rings[CW_NODES];
	struct oo_event path[CW_NODES], open_in[CW_NODES], failed[CW_NODES];
};

/* Registrars that have met; nodes 2001.. that nobody has yet. */
void cw_init(struct cw_world *w);
void cw_done(struct cw_world *w);
/* Let @node register at @reg, and only there. */
void cw_home(struct cw_world *w, int node, int reg);
/* And there as well. */
void cw_home_too(struct cw_world *w, int node, int reg);
void cw_run(struct cw_world *w, mono_us duration);
void cw_link(struct cw_world *w, bool up);
void cw_dial(struct cw_world *w, int node, const char *called);
/* A message of one who has the cluster's key and calls itself @from. */
void cw_say(struct cw_world *w, int reg, uint64_t from,
	    enum oo_cluster_kind kind, const uint8_t *body, size_t len);
/* Octets from nobody in particular. */
void cw_inject(struct cw_world *w, int reg, const uint8_t *data, size_t len);

#endif
