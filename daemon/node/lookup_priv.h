/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_LOOKUP_PRIV_H
#define DAEMON_NODE_LOOKUP_PRIV_H

/* For lookup*.c only. */

#include "daemon/node/lookup.h"
#include "proto/rate.h"

/* What of a number's DNS was asked last. */
enum step { STEP_SRV, STEP_TARGET, STEP_HOST };

struct entry {
	char number[LOOKUP_DIGITS + 1]; /* empty: free */
	uint16_t gen;
	bool busy;
	bool done; /* to be told */
	bool all;
	bool stranger; /* nobody else asked */
	bool question; /* to be taken */
	size_t at;     /* in the order */
	enum step step;
	mono_us used;
	mono_us give_up;
	struct lookup_srv srv[LOOKUP_SRV];
	size_t srv_n, srv_at;
	uint32_t ttl_s; /* of the SRV records */
	uint16_t port;  /* of the addresses that are asked for */
	struct lookup_said said[LOOKUP_SOURCES];
};

struct lookup {
	struct lookup_cfg cfg;
	const struct extnodes *extnodes;
	struct lookup_counters counters;
	struct rate strangers;
	struct entry entry[LOOKUP_KEPT];
};

/* lookup_sources.c: ask the source that is @e's turn. */
void lookup_ask_source(struct lookup *l, struct entry *e, mono_us now);
/* What the name server said; the turn passes to the next source unless
 * something else is to be asked. */
void lookup_hear(struct lookup *l, struct entry *e,
		 const struct lookup_result *r, mono_us now);
/* This source did not find it. */
void lookup_miss(struct lookup *l, struct entry *e, enum lookup_state state,
		 const char *why, mono_us now);

#endif
