/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_LOOKUP_H
#define DAEMON_NODE_LOOKUP_H

/*
 * Where a node is, by its number: the configured nodes, DNS, the extnodes file
 * and the registrar, in an order that is configured; what was found, and what
 * was not, is kept for a while.  Pure: questions to name servers come out,
 * answers go in.  The tables are of one size: what strangers can make it ask
 * is bounded, and never takes the place of what the operator asks.
 *
 * Feed it, then drain lookup_next_question() and lookup_next_done(), then arm
 * a timer for lookup_deadline().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/node/extnodes.h"
#include "proto/keys.h"
#include "proto/mono.h"
#include "proto/net_path.h"

#define LOOKUP_DIGITS 15U    /* of a number, at most */
#define LOOKUP_NAME_MAX 254U /* octets of a DNS name, with a dot at its end */
#define LOOKUP_WHY_MAX 96U
#define LOOKUP_ADDRS 4U      /* of one node */
#define LOOKUP_SRV 4U        /* targets that are tried */
#define LOOKUP_KEPT 128U     /* numbers */
#define LOOKUP_AT_ONCE 32U   /* numbers being looked up */
#define LOOKUP_STRANGERS 16U /* of these, for strangers */
/* Questions that strangers can cause. */
#define LOOKUP_STRANGERS_PER_MIN 240U
#define LOOKUP_STRANGERS_BURST 16U

/* How long what was learned is believed: the records' own life within these
 * limits, what does not exist, and what could not be asked. */
#define LOOKUP_LEAST_S 10U
#define LOOKUP_MOST_S 300U
#define LOOKUP_ABSENT_S 30U
#define LOOKUP_FAILED_S 5U
/* DNS is given up after this long. */
#define LOOKUP_PATIENCE_S 8U

enum lookup_source {
	LOOKUP_NODES,
	LOOKUP_DNS,
	LOOKUP_EXTNODES,
	LOOKUP_REGISTRAR,
	LOOKUP_SOURCES,
};

const char *lookup_source_text(enum lookup_source s);

/* A configured node, or with a pattern all that match it: digits, X for any
 * digit, and * at the end for any number of digits, or none. */
struct lookup_node {
	char pattern[LOOKUP_DIGITS + 1];
	char host[LOOKUP_NAME_MAX + 1]; /* name or address */
	uint16_t port;
};

bool lookup_matches(const char *pattern, const char *number);

struct lookup_cfg {
	enum lookup_source order[LOOKUP_SOURCES]; /* each once */
	size_t order_n;
	const struct lookup_node *nodes; /* borrowed as long as it is used */
	size_t nodes_n;
	const char *domain; /* the same; empty: no DNS */
	uint32_t dns_digits_min;
	uint32_t dns_digits_max;
	bool extnodes;  /* there is a file, though it may not be read yet */
	bool registrar; /* there is one that can be asked */
	random_fn random;
	void *random_ctx;
};

enum lookup_state {
	LOOKUP_UNASKED, /* why */
	LOOKUP_ASKING,
	LOOKUP_FOUND,
	LOOKUP_ABSENT, /* there is no such node; why */
	LOOKUP_FAILED, /* it cannot be told; why */
};

const char *lookup_state_text(enum lookup_state s);

/* What a source says.  The registrar is only asked by dialling: found, without
 * addresses. */
struct lookup_said {
	enum lookup_state state;
	mono_us until;                  /* believed */
	char host[LOOKUP_NAME_MAX + 1]; /* empty: there was no name */
	struct net_addr addr[LOOKUP_ADDRS];
	size_t n;
	/* Where its calls come from, if that is another; port 0: no. */
	struct net_addr from;
	char why[LOOKUP_WHY_MAX];
};

struct lookup_answer {
	char number[LOOKUP_DIGITS + 1];
	/* The first of the order that found it; LOOKUP_SOURCES: none did. */
	enum lookup_source source;
	struct lookup_said said[LOOKUP_SOURCES];
};

/* Names a question across its life. */
struct lookup_id {
	uint16_t slot;
	uint16_t gen;
};

struct lookup_question {
	struct lookup_id id;
	bool srv; /* its SRV records; else its addresses */
	char name[LOOKUP_NAME_MAX + 1];
	uint16_t port; /* of the addresses, as they are wanted */
};

struct lookup_srv {
	uint16_t priority;
	uint16_t weight;
	uint16_t port;
	char host[LOOKUP_NAME_MAX + 1];
};

/* An answer: FOUND, ABSENT or FAILED with a reason. */
struct lookup_result {
	enum lookup_state state;
	const char *why;
	uint32_t ttl_s;
	const struct lookup_srv *srv; /* n, or NULL */
	const struct net_addr *addr;  /* n, or NULL */
	size_t n;
};

/* In the order in which they are to be tried (RFC 2782): by priority, and among
 * equals by chance, by weight.  Those that name nothing are left out; returns
 * how many remain. */
size_t lookup_srv_order(struct lookup_srv *srv, size_t n, random_fn random,
			void *random_ctx);

struct lookup_counters {
	uint64_t asked;
	uint64_t kept;  /* answered from what was kept */
	uint64_t found; /* of the others */
	uint64_t absent;
	uint64_t failed;
	uint64_t refused; /* too many at once, or too often */
	uint64_t questions;
};

struct lookup;

/* NULL without memory. */
struct lookup *lookup_new(const struct lookup_cfg *cfg);
struct lookup *lookup_free(struct lookup *l);
/* Everything that was kept is forgotten, what is under way is asked anew. */
void lookup_reconfigure(struct lookup *l, const struct lookup_cfg *cfg,
			mono_us now);
/* The table from now on, borrowed; NULL: none. */
void lookup_extnodes(struct lookup *l, const struct extnodes *x);

enum lookup_flags {
	LOOKUP_ALL = 1U << 0,      /* every source, not up to the first */
	LOOKUP_FRESH = 1U << 1,    /* whatever is kept */
	LOOKUP_STRANGER = 1U << 2, /* nobody here wants to know */
};

enum lookup_reply {
	LOOKUP_NOW,    /* lookup_kept() has it */
	LOOKUP_LATER,  /* lookup_next_done() will say */
	LOOKUP_BUSY,   /* too many at once, or too often */
	LOOKUP_NUMBER, /* that is no number */
};

enum lookup_reply lookup_ask(struct lookup *l, const char *number,
			     unsigned flags, mono_us now);
/* What is known of @number now; false: it was not asked, or that is too long
 * ago, or it is being asked. */
bool lookup_kept(const struct lookup *l, const char *number, mono_us now,
		 struct lookup_answer *out);

bool lookup_next_question(struct lookup *l, struct lookup_question *out);
/* Late answers are ignored. */
void lookup_result(struct lookup *l, struct lookup_id id,
		   const struct lookup_result *r, mono_us now);
/* A number has been looked up. */
bool lookup_next_done(struct lookup *l, struct lookup_answer *out);

void lookup_tick(struct lookup *l, mono_us now);
mono_us lookup_deadline(const struct lookup *l);
const struct lookup_counters *lookup_counters(const struct lookup *l);

#endif
