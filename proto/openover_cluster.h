/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_CLUSTER_H
#define PROTO_OPENOVER_CLUSTER_H

/*
 * Several registrars as one (OPEN-OVER.md section 8).  Each writes into a
 * shared store which nodes are with it; an OPEN_REQUEST for a node that is
 * with another is passed to that one, which alone reaches the node, and the
 * answer comes back.  The caller's repetitions drive this as they drive an
 * OPEN within one registrar.
 *
 * Part of a registrar (openover_registrar.h), and pure as it is: the daemon
 * carries what comes out of here to a store and back.  The store may lose,
 * delay, repeat, change or invent anything.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/openover_cluster_msg.h"
#include "proto/openover_registrar.h"

/* For how long a note lives in the store, and how often each is written again:
 * a few times within that. */
#define OO_CLUSTER_NOTE_S 900U

struct oo_cluster_cfg {
	const char *name;   /* of this registrar: 1..OO_CLUSTER_NAME_MAX
				  characters, no other's; copied */
	const uint8_t *key; /* KEY_SHARED_LEN octets, the same for all; not
				  kept */
	uint64_t wall_ms;   /* since 1970 */
};

/* Once, after oo_registrar_new(): IAX2_E_RANGE, IAX2_E_STATE the second time,
 * IAX2_E_FULL without memory.  Nothing else here may be called without. */
enum iax2_err oo_cluster_join(struct oo_registrar *r,
			      const struct oo_cluster_cfg *cfg, mono_us now);
/* What the clock of the day says: it may be set meanwhile. */
void oo_cluster_clock(struct oo_registrar *r, uint64_t wall_ms, mono_us now);
/* The store can be reached, or no longer.  When it can again, all notes are
 * given out once more. */
void oo_cluster_link(struct oo_registrar *r, bool up, mono_us now);

/* --- to the store ------------------------------------------------------- */

enum oo_cluster_job {
	OO_CLUSTER_LOOK_UP, /* fetch the notes on @number: oo_cluster_found() */
	OO_CLUSTER_SEND,    /* bring @data to @to */
};

struct oo_cluster_out {
	enum oo_cluster_job job;
	uint64_t ask; /* what it is for; 0: nothing that waits */
	char number[OO_NUMBER_MAX + 1];
	uint64_t to; /* an instance; 0: all */
	uint8_t data[OO_CLUSTER_MSG_MAX];
	size_t len;
};

bool oo_cluster_next(struct oo_registrar *r, struct oo_cluster_out *out);

/* The note that a node is with this registrar: to be written under the node's
 * number and this registrar's name, or removed. */
struct oo_cluster_note {
	char number[OO_NUMBER_MAX + 1];
	bool here;
	uint8_t value[OO_CLUSTER_PRESENCE_LEN]; /* when @here */
};

/* First what has changed, then, a few each second, what would get too old. */
bool oo_cluster_next_note(struct oo_registrar *r, struct oo_cluster_note *out,
			  mono_us now);

/* --- from the store ----------------------------------------------------- */

struct oo_cluster_value {
	const uint8_t *data; /* borrowed for the call */
	size_t len;
};

/* The notes on the number of an OO_CLUSTER_LOOK_UP, one of each registrar. */
void oo_cluster_found(struct oo_registrar *r, uint64_t ask,
		      const struct oo_cluster_value *v, size_t n, mono_us now);
/* Nobody listens where an OO_CLUSTER_SEND for @ask went. */
void oo_cluster_unreached(struct oo_registrar *r, uint64_t ask, uint64_t to,
			  mono_us now);
/* A message. */
void oo_cluster_rx(struct oo_registrar *r, const uint8_t *data, size_t len,
		   mono_us now);

/* --- for looking -------------------------------------------------------- */

struct oo_cluster_counters {
	uint64_t opens_out;  /* OPEN_REQUESTs taken to another registrar */
	uint64_t opens_in;   /* taken from one */
	uint64_t notes;      /* given out */
	uint64_t unreached;  /* asked where nobody listened */
	uint64_t moved;      /* asked where the node no longer was */
	uint64_t forged;     /* not made with the cluster's key */
	uint64_t replayed;   /* seen before */
	uint64_t stale;      /* of another time: do all clocks agree? */
	uint64_t mismatched; /* a node's key differs between directories */
	uint64_t clashes;    /* HELLOs of another under this name */
	uint64_t dropped;    /* no room */
};

const struct oo_cluster_counters *
oo_cluster_counters(const struct oo_registrar *r);
/* This run of the registrar; never 0. */
uint64_t oo_cluster_instance(const struct oo_registrar *r);
/* A word for the store's names, the same for all of the cluster. */
uint64_t oo_cluster_tag(const struct oo_registrar *r);
/* How many other registrars are heard, and their registered nodes. */
size_t oo_cluster_others(const struct oo_registrar *r, mono_us now,
			 uint64_t *nodes);

#endif
