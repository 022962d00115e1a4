/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_NODE_PRIV_H
#define PROTO_OPENOVER_NODE_PRIV_H

/*
 * What the parts of the node's side share: registrations and demultiplexing
 * (openover_node.c), the list of registrars (openover_node_regs.c), dials, opens and punches (openover_node_peers.c).
 */

#include "proto/iax2_reg.h"
#include "proto/openover_node.h"
#include "proto/openover_punch.h"

#define NODE_EVENTS 128U
#define PEERINGS 32U /* dials and opens at once */
#define OWN_ADDRS 16U

enum peering_state {
	PEERING_FREE,
	PEERING_REQUESTING, /* dial: waits for the OVER */
	PEERING_ASKING,     /* open: waits for the operator's consent */
	PEERING_REFUSED,    /* open: answers repeated OPENs */
	PEERING_PUNCHING,   /* both */
	PEERING_DONE,       /* dial: the path was given out */
};

/* One other node: on the way to it (a dial) or it to us (an open). */
struct peering {
	enum peering_state state;
	uint16_t gen;
	bool dial;
	size_t reg;           /* the registrar in use */
	uint64_t transaction; /* dial: ours; open: the registrar's */
	mono_us ends;
	/* dial */
	char number[IAX2_NUMBER_MAX + 1];
	struct net_addr addr; /* port 0: by number */
	unsigned tries;
	unsigned tried_regs; /* bit set of registrars asked before */
	mono_us next;
	enum oo_verdict verdict; /* of the last registrar asked */
	/* open: what the OPEN said, until it is answered */
	struct oo_punch_cfg asked;
	struct oo_punch punch;
};

struct oo_node {
	struct oo_node_cfg cfg;
	struct key_identity id;
	char number[OO_NUMBER_MAX + 1];
	mono_us started;
	struct dgram_queue *tx;
	struct oo_node_counters count;
	struct oo_reg regs[OO_REGISTRARS_MAX];
	size_t regs_n;
	struct iax2_reg plain[OO_REGISTRARS_MAX];
	size_t plain_n;
	/* Which of them outsiders mean by a registrar's index, and back. */
	struct {
		bool plain;
		size_t at;
	} list[OO_REGISTRARS_MAX];
	size_t list_n;
	size_t place[OO_REGISTRARS_MAX];
	size_t plain_place[OO_REGISTRARS_MAX];
	bool releasing;
	struct peering peer[PEERINGS];
	struct oo_measure measure;
	size_t measure_reg;   /* of regs, that is asked */
	mono_us measure_at;   /* next time */
	mono_us measure_ends; /* with the sockets not yet here */
	struct net_addr own[OWN_ADDRS];
	size_t own_n;
	struct oo_event events[NODE_EVENTS];
	size_t ev_head;
	size_t ev_n;
};

struct oo_event *node_event(struct oo_node *n, enum oo_event_kind kind);
void node_check_released(struct oo_node *n);
bool node_is_own(const struct oo_node *n, const struct net_addr *a);

/* openover_node_measure.c */
enum iax2_err node_on_measure(struct oo_node *n, struct oo_reg *g,
			      const struct dgram *d, const struct oo_msg *m,
			      mono_us now);
/* Measure once in a while, and soon after @change. */
void node_measure_change(struct oo_node *n, unsigned change, mono_us now);
void node_measure_tick(struct oo_node *n, mono_us now);
mono_us node_measure_deadline(const struct oo_node *n);

enum iax2_err node_on_open(struct oo_node *n, struct oo_reg *g,
			   const struct dgram *d, const struct oo_msg *m,
			   mono_us now);
enum iax2_err node_on_over(struct oo_node *n, struct oo_reg *g,
			   const struct dgram *d, const struct oo_msg *m,
			   mono_us now);
enum iax2_err node_on_punch(struct oo_node *n, const struct dgram *d,
			    const struct oo_msg *m, mono_us now);
void node_peers_tick(struct oo_node *n, mono_us now);
mono_us node_peers_deadline(const struct oo_node *n);

#endif
