/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_MEASURE_H
#define PROTO_OPENOVER_MEASURE_H

/*
 * What a node learns of its own network with the help of one registrar
 * (OPEN-OVER.md section 4.10): how its translator maps and filters, in the words
 * of RFC 4787, and how long a hole stays open.  It asks through sockets of its
 * own, so that no live hole is disturbed.  One question is under way at a
 * time; each is repeated, so that a lost packet is not taken for a filter.
 *
 * Part of openover_node.h, which owns the sockets, the queue and the events.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dgram.h"
#include "proto/mono.h"
#include "proto/openover_msg.h"
#include "proto/openover_reg.h"
#include "proto/rate.h"

#define OO_MEASURE_FLOWS 9U /* sockets of each family */

/* RFC 4787 section 4.1. */
enum oo_mapping {
	OO_MAPPING_UNKNOWN,
	OO_MAPPING_NONE, /* not translated */
	OO_MAPPING_INDEPENDENT,
	OO_MAPPING_NOT_PORT, /* as far as one address of the registrar shows */
	OO_MAPPING_ADDRESS,
	OO_MAPPING_ADDRESS_PORT,
};

/* RFC 4787 section 5. */
enum oo_filtering {
	OO_FILTERING_UNKNOWN,
	OO_FILTERING_INDEPENDENT,
	OO_FILTERING_NOT_PORT, /* as far as one address shows */
	OO_FILTERING_ADDRESS,
	OO_FILTERING_ADDRESS_PORT,
};

enum oo_yes { OO_YES_UNKNOWN, OO_YES_NO, OO_YES };

enum oo_ipv6 {
	OO_IPV6_UNKNOWN,
	OO_IPV6_NONE,
	OO_IPV6_FIREWALLED,
	OO_IPV6_OPEN
};

/* One or two words. */
const char *oo_mapping_text(enum oo_mapping m);
const char *oo_filtering_text(enum oo_filtering f);
const char *oo_ipv6_text(enum oo_ipv6 v);

struct oo_measured;

#define OO_MEASURED_TEXT_MAX 128U

/* The newest of @m in a sentence. */
void oo_measured_say(const struct oo_measured *m, char *out, size_t cap);

struct oo_measured {
	bool running;     /* mapping, filtering, IPv6: a few seconds */
	bool living;      /* the hole's life: a few minutes */
	bool failed;      /* the registrar fell silent meanwhile */
	mono_us at;       /* when mapping and filtering were found; 0: never */
	size_t registrar; /* index, that was asked */
	enum oo_mapping mapping;
	enum oo_filtering filtering;
	enum oo_yes port_preserved;
	/* From one new mapping's port to the next; 0: no step is seen.  For
	 * those who want to say beforehand which port comes next. */
	int delta;
	enum oo_ipv6 ipv6;
	/* A hole that was idle so long still was open, the longest; 0: not
	 * known.  With at_least no shorter one was found closed. */
	mono_us life[OO_FAMILIES];
	bool at_least[OO_FAMILIES];
	struct net_addr apparent; /* one of our sockets, by UDP over IPv4 */
};

/* Sockets, as the caller opened them; their own ports, 0 where unknown. */
struct oo_measure_sockets {
	struct {
		uint16_t first; /* ids are consecutive */
		uint16_t n;     /* at most OO_MEASURE_FLOWS */
		uint16_t port[OO_MEASURE_FLOWS];
	} of[OO_FAMILIES];
};

enum oo_measure_step {
	OO_MEASURE_IDLE,
	OO_MEASURE_SOCKETS, /* asked for */
	OO_MEASURE_BIND,    /* how each new socket looks */
	OO_MEASURE_CHECK,   /* does an answer that is asked for by another
			       flow come at all? */
	OO_MEASURE_FILTER_OTHER,
	OO_MEASURE_FILTER_PORT,
	OO_MEASURE_MAP_PORT,
	OO_MEASURE_MAP_OTHER,
	OO_MEASURE_BIND6,
	OO_MEASURE_CHECK6,
	OO_MEASURE_FILTER6,
	OO_MEASURE_WARM, /* open the holes whose lives are measured */
	OO_MEASURE_WARM_AGAIN,
	OO_MEASURE_LIFE,
};

struct oo_measure_flow {
	uint16_t sock;
	uint16_t port;
	struct net_addr seen; /* by the registrar's main port */
	uint64_t cookie;
	mono_us sent; /* last datagram outwards */
};

/* The idle times that are tried at once, each on a hole of its own. */
struct oo_measure_ladder {
	enum oo_family family;
	mono_us idle[OO_MEASURE_FLOWS]; /* rising */
	size_t n;
	size_t at;
	bool closer; /* the second time, between the good and the bad */
	mono_us good;
	mono_us bad; /* 0: none */
};

struct oo_measure_question {
	bool asked;
	bool there; /* asks for a datagram there, else for an address */
	uint64_t id;
	enum oo_family family;
	size_t flow;
	enum oo_end end;
	unsigned tries;
	unsigned confirmed; /* rounds that the registrar says it has sent */
	bool waiting;  /* for the datagram, this round's having been sent */
	mono_us first; /* when it was asked */
	struct net_addr seen; /* the answer */
	uint64_t cookie;
};

struct oo_measure {
	struct oo_measured out;
	enum oo_measure_step step;
	size_t at;
	struct oo_measure_flow flow[OO_FAMILIES][OO_MEASURE_FLOWS];
	size_t flows[OO_FAMILIES];
	struct net_addr mapped_port; /* flow 1 seen from the other port */
	struct oo_measure_ladder ladder;
	struct oo_measure_question q;
	struct rate rate;
	mono_us due;
};

/* What happened; a set of bits. */
enum oo_measure_change {
	OO_MEASURE_FOUND = 1, /* mapping, filtering, IPv6 */
	OO_MEASURE_LIVED = 2, /* a hole's life */
	OO_MEASURE_OVER = 4,  /* no socket is needed any more */
};

/* Sockets of each family are wanted; MONO_NEVER until they come. */
void oo_measure_begin(struct oo_measure *m);
/* They are here: ask @g, which is registered and has measuring ends. */
void oo_measure_start(struct oo_measure *m, struct oo_reg *g,
		      const struct oo_measure_sockets *s, mono_us now);
/* Give up, keeping what was found. */
void oo_measure_stop(struct oo_measure *m);
/* An authentic MEASURE of @g's session. */
unsigned oo_measure_rx(struct oo_measure *m, struct oo_reg *g,
		       const struct dgram *d, const struct oo_msg *msg,
		       mono_us now);
unsigned oo_measure_tick(struct oo_measure *m, struct oo_reg *g, mono_us now);
mono_us oo_measure_deadline(const struct oo_measure *m);
bool oo_measure_uses(const struct oo_measure *m, uint16_t sock);

#endif
