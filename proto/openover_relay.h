/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_RELAY_H
#define PROTO_OPENOVER_RELAY_H

/*
 * The relay of a registrar as a table and its rules (OPEN-OVER.md section
 * 4.8): which node has which port, whom it talks with there, and what may
 * pass.  It sees no session and no seal: its caller has proved the node.
 *
 * No socket, no clock, no allocation after oo_relay_new().  Nothing is kept
 * for a node that did not ask, and a stranger never has more than one place in
 * one node's table.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/mono.h"
#include "proto/net_path.h"
#include "proto/openover_directory.h"
#include "proto/rate.h"

#define OO_RELAY_PEERS_MAX 32U
#define OO_RELAY_OWN_MAX 32U
#define OO_RELAY_LIFETIME_S 300U /* of an address, unless asked for again */

struct oo_relay_cfg {
	uint16_t port_first; /* one port for each node, 1024..65535 */
	uint16_t port_last;
	/* What nodes are told; port 0 and all zero where there is none. */
	struct net_addr address[OO_FAMILIES];
	/* This machine's addresses, to which nothing is carried. */
	struct net_addr own[OO_RELAY_OWN_MAX];
	size_t own_n;
	uint32_t kbit_s; /* a node, each way, 16..100,000 */
	uint32_t peers;  /* a node, 8..OO_RELAY_PEERS_MAX */
	mono_us idle;    /* until a silent peer is forgotten, 10..600 s */
};

/* What became of a datagram. */
enum oo_relay_fate {
	OO_RELAY_PASS,
	OO_RELAY_NO_NODE,   /* the port is nobody's, or its node is gone */
	OO_RELAY_FORBIDDEN, /* a private address, or one of the relay's own */
	OO_RELAY_STRANGE,   /* a stranger sent what begins no call */
	OO_RELAY_STRANGERS, /* too many datagrams from strangers */
	OO_RELAY_UNASKED,   /* to an address that did not ask for it */
	OO_RELAY_NEW_LIMIT, /* too many new addresses, or tries at one */
	OO_RELAY_LONGER,    /* more than an unproved address has sent */
	OO_RELAY_RATE,      /* above the node's bit rate */
	OO_RELAY_FULL,      /* no place for another peer */
	OO_RELAY_SIZE,      /* too long to be carried */
	OO_RELAY_FATES,
};

/* One word, for status. */
const char *oo_relay_fate_name(enum oo_relay_fate f);

struct oo_relay_counters {
	uint64_t rx; /* carried to nodes */
	uint64_t rx_octets;
	uint64_t tx; /* carried for nodes */
	uint64_t tx_octets;
	uint64_t fate[OO_RELAY_FATES]; /* in either direction */
};

/* Somebody that a node talks with through the relay. */
struct oo_relay_peer {
	struct net_addr addr; /* port 0: free */
	mono_us made;
	mono_us heard;   /* 0: never */
	uint32_t credit; /* octets that it may be sent, until it is proved */
	uint8_t tries;   /* datagrams besides: the node called it */
	uint16_t callno; /* the node's call, as last told it; 0: none */
	uint64_t punch;  /* likewise; 0: none */
	bool proved;     /* it has seen what the node sends */
};

/* The address of one node. */
struct oo_relay_alloc {
	bool used;
	uint8_t families; /* bits of sockets that are open */
	bool queued;      /* its socket is to be opened or closed */
	uint16_t port;
	uint32_t node; /* record of the directory */
	char number[OO_NUMBER_MAX + 1];
	uint32_t chain; /* the next one of its bucket, + 1 */
	mono_us ends;
	mono_us bad_until; /* the port could not be opened */
	mono_us in_until;  /* bit rates, as points in time */
	mono_us out_until;
	struct rate strangers;
	struct rate fresh; /* new addresses that the node calls */
	struct oo_relay_peer *peers;
};

/* May it be a peer's anywhere: neither private nor of special use. */
bool oo_relay_is_public(const struct net_addr *a);

struct oo_relay;

/* NULL when @cfg is out of range or memory is short. */
struct oo_relay *oo_relay_new(const struct oo_relay_cfg *cfg);
struct oo_relay *oo_relay_free(struct oo_relay *r);

/* The allocation of a record, of a slot; NULL: none. */
struct oo_relay_alloc *oo_relay_of_node(struct oo_relay *r, uint32_t node);
struct oo_relay_alloc *oo_relay_of_slot(struct oo_relay *r, uint16_t slot);

/*
 * Give @node an address or keep the one it has, until the lifetime from @now.
 * The port follows from the number as long as it is free.  NULL: none left.
 */
struct oo_relay_alloc *oo_relay_take(struct oo_relay *r, uint32_t node,
				     const char *number, mono_us now);
void oo_relay_drop(struct oo_relay *r, struct oo_relay_alloc *a);
/* Drop what has ended. */
void oo_relay_expire(struct oo_relay *r, mono_us now);
/* Where others reach the node; port 0: not in this family. */
struct net_addr oo_relay_address(const struct oo_relay *r,
				 const struct oo_relay_alloc *a,
				 enum oo_family f);

/* A socket to open or to close. */
struct oo_relay_socket {
	uint16_t slot;
	uint16_t port;
	bool open;
};

bool oo_relay_next_socket(struct oo_relay *r, struct oo_relay_socket *out);
/* The families, as bits, that could be opened; 0: none, and another port is
 * tried when the node asks again. */
void oo_relay_opened(struct oo_relay *r, uint16_t slot, uint8_t families,
		     mono_us now);

/* May this datagram of @peer be carried to the node?  Counts it. */
enum oo_relay_fate oo_relay_in(struct oo_relay *r, struct oo_relay_alloc *a,
			       const struct net_addr *peer, const uint8_t *data,
			       size_t len, mono_us now);
/* May this one of the node be carried to @peer? */
enum oo_relay_fate oo_relay_out(struct oo_relay *r, struct oo_relay_alloc *a,
				const struct net_addr *peer,
				const uint8_t *data, size_t len, mono_us now);
/* Count what was dropped before it was asked for. */
void oo_relay_count(struct oo_relay *r, enum oo_relay_fate fate);

const struct oo_relay_cfg *oo_relay_cfg(const struct oo_relay *r);
const struct oo_relay_counters *oo_relay_counters(const struct oo_relay *r);
size_t oo_relay_allocations(const struct oo_relay *r);
/* How many peers all nodes have now. */
size_t oo_relay_peers(const struct oo_relay *r, mono_us now);
size_t oo_relay_slots(const struct oo_relay *r);

#endif
