/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_PUNCH_H
#define PROTO_OPENOVER_PUNCH_H

/*
 * One punch: two nodes that share a token prove a path to each other with
 * POKE and PONG (OPEN-OVER.md section 4.5).  Both roles.  Part of
 * openover_node.h, which owns the queue and the table of punches.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dgram.h"
#include "proto/iax2_endpoint.h"
#include "proto/mono.h"
#include "proto/openover_msg.h"
#include "proto/openover_session.h"

enum oo_punch_role { OO_PUNCH_CALLER, OO_PUNCH_TARGET };

/* An address of the peer, given by the registrar or learned from a proved
 * packet. */
struct oo_candidate {
	struct net_path path;
	uint8_t type;      /* enum oo_candidate_type */
	uint64_t sent[16]; /* counters of the last POKEs to it */
	mono_us sent_at;   /* the last of them; 0: none */
	unsigned tries;    /* POKEs sent */
	mono_us next;      /* next POKE; MONO_NEVER: none */
	bool proved;       /* it answered a POKE of ours */
	bool learned;      /* not from the registrar */
	bool heard;        /* a POKE of the peer came from there */
};

struct oo_punch_cfg {
	enum oo_punch_role role;
	uint8_t token[KEY_SHARED_LEN];
	char peer_number[IAX2_NUMBER_MAX + 1];
	uint8_t peer_key[KEY_PUBLIC_LEN];
	struct oo_candidates candidates;
	/* Addresses at a relay, and how long others go before. */
	struct oo_candidates relays;
	mono_us relay_delay;
	bool direct;     /* a path through a relay is none */
	uint8_t own_nat; /* enum oo_nat bits */
	uint8_t peer_nat;
	/* Target, IPv4: when the caller's own POKE is expected to have left,
	 * after the OVER; and the hops within which a packet stays on our side
	 * of the way (0: unknown). */
	mono_us caller_delay;
	uint8_t opener_ttl;
	/* Port probing: POKEs to guessed ports, sockets of our own; 0: off. */
	uint32_t spray_packets;
	uint32_t spray_sockets;
	random_fn random;
	void *random_ctx;
	struct dgram_queue *tx;
};

struct oo_punch {
	struct oo_punch_cfg cfg;
	uint64_t id;
	uint8_t tx_key[KEY_SHARED_LEN];
	uint8_t rx_key[KEY_SHARED_LEN];
	uint64_t tx_counter;
	struct replay_window rx;
	struct oo_candidate cand[OO_CANDIDATES_MAX];
	size_t cand_n;
	mono_us began;
	mono_us ends;
	mono_us proved_at; /* first proof of a direct path; 0: none yet */
	mono_us relay_at;  /* of one through a relay */
	bool chosen;       /* the caller has its path */
	bool relayed;      /* and goes on looking for a better one */
	/* Port probing, see openover_spray.h. */
	mono_us look_at;  /* when to look at ports; MONO_NEVER: not wanted */
	mono_us spray_at; /* MONO_NEVER: not wanted, or over */
	uint32_t spray_left;
	uint32_t round_left;       /* of this round, towards one guess */
	struct oo_ports own_ports; /* of the same round, or round 0 */
	struct oo_ports peer_ports;
	uint16_t sock_first; /* our extra sockets, 0: none */
	uint16_t sock_n;
	uint16_t sock_next;
	bool socks_asked;
};

/* What happened; a set of bits. */
enum oo_punch_change {
	OO_PUNCH_PROVED = 1,  /* @path of rx: the peer receives there */
	OO_PUNCH_CHOSEN = 2,  /* caller: call on oo_punch_best() now */
	OO_PUNCH_ENDED = 4,   /* time is up */
	OO_PUNCH_SOCKETS = 8, /* wants cfg.spray_sockets extra IPv4 sockets */
	OO_PUNCH_LOOK = 16,   /* caller: both ends shall look at their ports */
	OO_PUNCH_BETTER = 32, /* caller: oo_punch_best() is direct now */
};

/* The ticket that both ends make from the token. */
void oo_punch_ticket(const struct oo_punch *p, mono_us expires,
		     struct iax2_ticket *out);

void oo_punch_start(struct oo_punch *p, const struct oo_punch_cfg *cfg,
		    mono_us now);
/* A POKE or PONG with this punch's id. */
unsigned oo_punch_rx(struct oo_punch *p, const struct dgram *d,
		     const struct oo_msg *m, mono_us now);
unsigned oo_punch_tick(struct oo_punch *p, mono_us now);
mono_us oo_punch_deadline(const struct oo_punch *p);
/* The extra sockets are there: ids @first..@first+@n-1. */
void oo_punch_sockets(struct oo_punch *p, uint16_t first, uint16_t n,
		      mono_us now);
/* The best proved way, NULL when there is none: local before IPv6 before a
 * mapped port before what is left, and all before a relay. */
const struct oo_candidate *oo_punch_best(const struct oo_punch *p);
/* Was it found by port probing? */
bool oo_punch_is_predicted(const struct oo_punch *p,
			   const struct oo_candidate *c);
/* What was tried, for people: "2 addresses, 46 packets". */
void oo_punch_tried(const struct oo_punch *p, char *out, size_t cap);

#endif
