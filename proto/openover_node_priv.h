/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_NODE_PRIV_H
#define PROTO_OPENOVER_NODE_PRIV_H

/*
 * What the parts of the node's side share: registrations and demultiplexing
 * (openover_node.c), the list of registrars (openover_node_regs.c), dials
 * (openover_node_dial.c), opens (openover_node_open.c), the punches of both
 * (openover_node_peers.c), the addresses that we tell and take
 * (openover_node_local.c), looking at ports (openover_node_ports.c), the relay
 * (openover_node_relay.c, openover_node_resort.c, openover_node_rest.c), other
 * networks (openover_node_roam.c).
 */

#include "proto/iax2_reg.h"
#include "proto/openover_node.h"
#include "proto/openover_punch.h"
#include "proto/openover_relay_frame.h"
#include "proto/openover_spray.h"

#define OPENS_MIN 32U
#define OWN_DIALS 8U      /* places that no open takes */
#define PEERING_EVENTS 4U /* of one, between two drains */
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
	bool direct;          /* dial: a relay is of no use */
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
	mono_us relay_at; /* dial: when to ask for a relay; MONO_NEVER: not */
	bool relay_asked;
	/* What is left of the first punch of a dial that asked again; gen 0:
	 * it is no such thing. */
	struct oo_id rest_of;
};

enum relay_state { RELAY_NONE, RELAY_ASKING, RELAY_UP };

struct node_relay {
	enum relay_state state;
	size_t reg;          /* the registrar that is asked, or relays */
	unsigned asked_regs; /* bit set of those asked in this round */
	unsigned tries;      /* of the present question */
	mono_us next;        /* the next one */
	mono_us ends;        /* what is up, unless it is asked for again */
	mono_us refused_until;
	mono_us used;
	struct net_addr address[OO_FAMILIES];
	uint64_t rx;
	uint64_t tx;
	uint64_t dropped;
	bool pending; /* inner is for the endpoint */
	struct dgram inner;
	struct oo_relay_frame in; /* that it lies in */
	uint8_t buf[DGRAM_MAX];   /* what is sent */
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
	bool own_released; /* and so are the registrations with a key */
	struct peering *peer;
	size_t peer_max;
	size_t peer_n; /* behind the last one that is not free */
	struct oo_measure measure;
	size_t measure_reg;   /* of regs, that is asked */
	mono_us measure_at;   /* next time */
	mono_us measure_ends; /* with the sockets not yet here */
	struct node_relay relay;
	struct net_addr own[OWN_ADDRS];
	size_t own_n;
	struct oo_event *events;
	size_t ev_max;
	size_t ev_head;
	size_t ev_n;
};

struct oo_event *node_event(struct oo_node *n, enum oo_event_kind kind);
bool node_is_own(const struct oo_node *n, const struct net_addr *a);

/* openover_node_measure.c */
enum iax2_err node_on_measure(struct oo_node *n, struct oo_reg *g,
			      const struct dgram *d, const struct oo_msg *m,
			      mono_us now);
/* Measure once in a while, and soon after @change. */
void node_measure_change(struct oo_node *n, unsigned change, mono_us now);
void node_measure_tick(struct oo_node *n, mono_us now);
mono_us node_measure_deadline(const struct oo_node *n);

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

/* --- openover_node_dial.c --- */

enum iax2_err node_on_over(struct oo_node *n, const struct oo_reg *g,
			   const struct oo_msg *m, mono_us now);
void node_send_request(struct oo_node *n, struct peering *p);
/* Begin to ask the registrar of @p for its target, anew. */
void node_request(struct oo_node *n, struct peering *p, mono_us now);
/* The request is to be said again. */
void node_dial_repeat(struct oo_node *n, struct peering *p, mono_us now);
/* This registrar could not help; another one may. */
void node_dial_next(struct oo_node *n, struct peering *p,
		    enum oo_verdict verdict, mono_us now);
/* Ends the dial. */
void node_dial_failed(struct oo_node *n, struct peering *p,
		      enum oo_verdict verdict);

/* --- openover_node_open.c --- */

enum iax2_err node_on_open(struct oo_node *n, const struct oo_reg *g,
			   const struct oo_msg *m, mono_us now);
void node_send_over(struct oo_node *n, const struct peering *p,
		    enum oo_verdict verdict);

/* --- openover_node_peers.c --- */

enum iax2_err node_on_punch(struct oo_node *n, const struct dgram *d,
			    const struct oo_msg *m, mono_us now);
/* NULL when the table is full, or only dials have room. */
struct peering *node_peering_new(struct oo_node *n, bool dial);
/* What an OPEN or OVER of @g says of the punch, its token deciphered. */
void node_punch_cfg_from(struct oo_punch_cfg *c, const struct oo_reg *g,
			 const struct oo_msg *m);
/* Fills in what is ours in @c. */
void node_punch_start(struct oo_node *n, struct peering *p,
		      struct oo_punch_cfg *c, mono_us now);
/* How long a packet is under way between us and the registrar. */
uint16_t node_half_rtt_ms(const struct oo_reg *g);
struct oo_id node_id_of(const struct oo_node *n, const struct peering *p);
/* NULL when it is stale. */
struct peering *node_by_id(struct oo_node *n, struct oo_id id);
void node_peering_free(struct peering *p);
void node_peers_tick(struct oo_node *n, mono_us now);
mono_us node_peers_deadline(const struct oo_node *n);

static inline bool node_is_rest(const struct peering *p)
{
	return p->state != PEERING_FREE && p->rest_of.gen != 0;
}

/* Is it looking for a path, or for a better one than through a relay? */
static inline bool node_is_punching(const struct peering *p)
{
	return p->state == PEERING_PUNCHING ||
	       (p->state == PEERING_DONE && p->punch.relayed);
}

/* openover_node_resort.c: what a punch that begins is to do about relays, what
 * is due in it, and that the relay is there: ask the targets of the dials that
 * need it again. */
void node_relay_schedule(struct oo_node *n, struct peering *p,
			 struct oo_punch_cfg *c, mono_us now);
void node_relay_due(struct oo_node *n, struct peering *p, mono_us now);
void node_peers_relay_up(struct oo_node *n, mono_us now);
/* It is refused: end the dials that nothing else could help. */
void node_peers_relay_refused(struct oo_node *n);

/* Ask the target of a punch anew; it begins again. */
void node_ask_again(struct oo_node *n, struct peering *p, mono_us now);

/* openover_node_rest.c: does it still look at ports, or try them? */
bool node_probes_ports(const struct peering *p);
/* The punch of @p goes on elsewhere, and @p may ask again; false: there is no
 * room, or no punch. */
bool node_rest_leave(struct oo_node *n, struct peering *p);
bool node_has_rest(struct oo_node *n, const struct peering *p);
/* @p found nothing: it is what is left of its first punch again; false: nothing
 * is. */
bool node_rest_take_over(struct oo_node *n, struct peering *p);
/* @p has the best path there is. */
void node_rest_drop(struct oo_node *n, const struct peering *p);
/* @change happened to a rest, or its dial may be gone.  The dial, if it has its
 * path by that; NULL: not. */
struct peering *node_rest_found(struct oo_node *n, struct peering *q,
				unsigned change);

/* openover_node_roam.c: dials and punches that were begun on another network.
 */
void node_peers_network_changed(struct oo_node *n, mono_us now);

enum iax2_err node_on_relay(struct oo_node *n, const struct oo_reg *g,
			    const struct oo_msg *m, mono_us now);
/* What came through it; true when it is for the endpoint. */
bool node_rx_relayed(struct oo_node *n, const struct dgram *d, mono_us now);
/* An address there is wanted now, best at registrar @reg. */
void node_relay_want(struct oo_node *n, size_t reg, mono_us now);
bool node_relay_is_up(const struct oo_node *n);
/* Is one there, or is it worth asking for? */
bool node_relay_may_help(const struct oo_node *n, mono_us now);
void node_relay_registered(struct oo_node *n, size_t reg, mono_us now);
/* Does a plain registration go through it that is not over yet? */
bool node_relay_registers(const struct oo_node *n);
/* The registrar's end of it goes with the registration. */
void node_relay_leave(struct oo_node *n, mono_us now);
void node_relay_tick(struct oo_node *n, mono_us now);
mono_us node_relay_deadline(const struct oo_node *n);

#endif
