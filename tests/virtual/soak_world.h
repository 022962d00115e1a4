/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_SOAK_WORLD_H
#define TESTS_VIRTUAL_SOAK_WORLD_H

/*
 * Two endpoints, a dozen calls planned at random between them, and a record
 * of each end of each call.  Events are checked as they come; test_soak.c
 * judges what the two ends of a call say in the end.
 */

#include "proto/iax2_endpoint.h"
#include "tests/virtual/fake_net.h"

#define SOAK_SIDES 2
#define SOAK_PLANS 10 /* dials, both ways together */
#define SOAK_ENDS 64
#define SOAK_ITEMS 512

enum soak_kind {
	SOAK_PLAIN,
	SOAK_TICKET,
	SOAK_MD5,
	SOAK_ED25519,
	SOAK_WRONG_SECRET,
	SOAK_KINDS,
};

enum soak_manners {
	SOAK_ACCEPTS,
	SOAK_REJECTS,
	SOAK_HOLDS, /* never decides */
};

/* Something that is sent reliably. */
struct soak_item {
	enum iax2_event_kind kind;
	unsigned value;
};

struct soak_plan;

/* One end of one call, from the dial or CALL_IN on. */
struct soak_end {
	struct soak_plan *plan;
	struct soak_end *peer; /* NULL: the other side was never told */
	int side;
	bool outbound;
	struct iax2_call_id id;
	bool up;
	bool down;
	enum iax2_down_reason reason;
	mono_us made_at;
	mono_us down_at;
	mono_us accept_at; /* MONO_NEVER: not to be done any more */
	mono_us hangup_at; /* MONO_NEVER: leaves it to the other */
	struct soak_item sent[SOAK_ITEMS];
	unsigned sent_n;
	unsigned got;
	mono_us spurt_until; /* speaks until then */
	bool spurt;          /* the next frame starts a spurt */
	uint32_t ts;
};

struct soak_plan {
	unsigned number; /* which of the plans */
	int from;
	mono_us at;
	bool dialled;
	enum soak_kind kind;
	enum soak_manners manners; /* of who is called */
	struct iax2_ticket ticket; /* the caller's half */
	struct soak_end *caller;   /* NULL: there was no room for the dial */
	struct soak_end *callee;   /* NULL: it was never told */
};

struct soak_side {
	struct iax2_endpoint *ep;
	struct key_identity id;
	struct net_addr addr;
	uint64_t voices;              /* frames that were sent */
	uint64_t things;              /* calls, items and seconds of calls */
	uint64_t datagrams_but_voice; /* known after soak_run() */
	struct soak_world *world;
	int index;
};

struct soak_world {
	char name[32]; /* for who reports a failure */
	struct fake_net *net;
	uint64_t rng;
	bool cramped; /* small tables: calls may be refused for that */
	struct soak_side side[SOAK_SIDES];
	struct soak_plan plan[SOAK_PLANS];
	size_t plans_n;
	struct soak_end ends[SOAK_ENDS];
	size_t ends_n;
};

void soak_init(struct soak_world *w, uint64_t seed);
/* The whole story: half a minute of calls, then all are ended. */
void soak_run(struct soak_world *w);
/* No call, deadline or packet is left. */
void soak_is_empty(const struct soak_world *w);
void soak_done(struct soak_world *w);

#endif
