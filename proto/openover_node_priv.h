/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_NODE_PRIV_H
#define PROTO_OPENOVER_NODE_PRIV_H

/*
 * What the parts of the node's side share: registrations and demultiplexing
 * (openover_node.c), the list of registrars (openover_node_regs.c), dials, opens
 * and punches (openover_node_peers.c), the addresses that we tell and take
 * (openover_node_local.c), and looking at ports (openover_node_ports.c).
 */

#include "proto/iax2_reg.h"
#include "proto/openover_node.h"
#include "proto/openover_punch.h"
#include "proto/openover_spray.h"

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

/* Looking at the ports that our translator gives out, and telling the peer. */
struct looking {
	uint8_t round;                  /* 0: never began */
	bool wants_socks;               /* begins when the sockets are there */
	uint16_t seen[OO_LOOK_SOCKETS]; /* our ports; 0: not yet known */
	mono_us next;                   /* MONO_NEVER: nothing to do */
	mono_us ends;
	unsigned asks;       /* caller: OPEN_REQUESTs that told it */
	struct oo_ports own; /* when done: of @round */
	struct oo_ports peer;
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
	struct looking look;
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
	struct net_addr own[OWN_ADDRS];
	size_t own_n;
	struct oo_event events[NODE_EVENTS];
	size_t ev_head;
	size_t ev_n;
};

struct oo_event *node_event(struct oo_node *n, enum oo_event_kind kind);
void node_check_released(struct oo_node *n);

enum iax2_err node_on_open(struct oo_node *n, struct oo_reg *g,
			   const struct dgram *d, const struct oo_msg *m,
			   mono_us now);
enum iax2_err node_on_over(struct oo_node *n, struct oo_reg *g,
			   const struct dgram *d, const struct oo_msg *m,
			   mono_us now);
enum iax2_err node_on_punch(struct oo_node *n, const struct dgram *d,
			    const struct oo_msg *m, mono_us now);

/* --- openover_node_local.c --- */

/* Candidates of our own for @g to pass on. */
void node_put_local(const struct oo_node *n, const struct oo_reg *g,
		    struct wire_wr *w);
/* Ends a dial at once if no packet could pass between us and any of @c. */
bool node_is_hopeless(struct oo_node *n, struct peering *p,
		      const struct oo_candidates *c);

/* --- openover_node_ports.c --- */

/* Ask for extra sockets. */
void node_want_sockets(struct oo_node *n, struct peering *p);
/* A round of looking is due at a caller. */
void node_look_start(struct oo_node *n, struct peering *p, uint8_t round,
		     mono_us now);
/* The extra sockets are there. */
void node_look_sockets(struct oo_node *n, struct peering *p, mono_us now);
/* A PONG to one of them. */
void node_look_on_pong(struct oo_node *n, const struct oo_reg *g,
		       const struct dgram *d, const struct oo_msg *m,
		       mono_us now);
/* The peer's word, in an OVER or an OPEN. */
void node_look_peer(struct oo_node *n, struct peering *p,
		    const struct oo_msg *m, mono_us now);
void node_look_tick(struct oo_node *n, struct peering *p, mono_us now);
mono_us node_look_deadline(const struct peering *p);
/* KH PORTS, if there is something to say. */
void node_look_put(const struct peering *p, struct wire_wr *w);

/* --- openover_node_peers.c --- */

void node_send_request(struct oo_node *n, struct peering *p);
void node_send_over(struct oo_node *n, const struct peering *p,
		    enum oo_verdict verdict);
struct oo_id node_id_of(const struct oo_node *n, const struct peering *p);
/* NULL when it is stale. */
struct peering *node_by_id(struct oo_node *n, struct oo_id id);
void node_peering_free(struct peering *p);
void node_peers_tick(struct oo_node *n, mono_us now);
mono_us node_peers_deadline(const struct oo_node *n);

#endif
