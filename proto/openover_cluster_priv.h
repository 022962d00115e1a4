/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_CLUSTER_PRIV_H
#define PROTO_OPENOVER_CLUSTER_PRIV_H

/*
 * What the parts of the cluster share: messages, peers and notes
 * (openover_cluster.c), the table of OPEN_REQUESTs between registrars
 * (openover_cluster_open.c), asking (openover_cluster_ask.c) and being asked
 * (openover_cluster_answer.c).
 */

#include "proto/openover_cluster.h"
#include "proto/openover_registrar_priv.h"

#define CLUSTER_PEERS 64U
#define CLUSTER_OUT 256U      /* jobs that wait to be taken */
#define CLUSTER_CHANGED 4096U /* notes that do */
#define CLUSTER_NOT_AT 4U     /* registrars asked in vain for one OPEN */

/* Another registrar, as long as it is heard. */
struct cluster_peer {
	uint64_t instance; /* 0: free */
	struct replay_window rx;
	mono_us heard;
	uint32_t nodes;
};

enum ask_state {
	ASK_FREE,
	ASK_LOOKING, /* ours: where is the node? */
	ASK_ASKED,   /* ours: the other registrar has it */
	ASK_HELD,    /* another's: our node has it */
	ASK_DONE,
};

/* Where a node of another registrar is, on that one's word. */
struct cluster_at {
	struct net_addr addr[OO_FAMILIES]; /* proved; port 0: none */
	uint16_t mapped4; /* another port of the IPv4 one's; 0: none */
};

/* An OPEN_REQUEST between two registrars, on either side. */
struct cluster_ask {
	enum ask_state state;
	bool ours;
	uint64_t id;     /* in our table; towards the other, or our node */
	uint64_t peer;   /* the other registrar's instance; 0: none yet */
	uint64_t theirs; /* its id for what it asks us */
	/* Ours: caller, its session, transaction and token.  Another's: the
	 * target and its session. */
	struct open_tx open;
	/* Ours: the target, as the other registrar describes it. */
	char number[OO_NUMBER_MAX + 1];
	struct cluster_at at;
	uint64_t not_at[CLUSTER_NOT_AT];
	size_t not_at_n;
};

struct oo_cluster {
	struct oo_cluster_keys keys;
	char name[OO_CLUSTER_NAME_MAX + 1];
	uint64_t instance;
	uint64_t counter; /* of the last message sent */
	uint64_t wall_ms; /* at wall_at */
	mono_us wall_at;
	bool linked;
	mono_us hello_next;
	uint64_t hello_counter; /* the last HELLO, and when it went */
	mono_us hello_at;
	mono_us loop; /* how long one took to come back to us */
	struct cluster_peer peers[CLUSTER_PEERS];
	struct oo_cluster_counters n;

	struct cluster_ask *asks;
	size_t asks_max;
	size_t asks_slots; /* twice as many, as the opens have */
	uint32_t *fifo;    /* slots in order of their beginning */
	size_t fifo_head;
	size_t fifo_n;
	size_t silent_n; /* of the oldest, how many are past answering */

	struct oo_cluster_out out[CLUSTER_OUT];
	size_t out_head;
	size_t out_n;

	/* Numbers whose notes have to be written or removed. */
	char changed[CLUSTER_CHANGED][OO_NUMBER_MAX + 1];
	size_t changed_head;
	size_t changed_n;
	/* Going through the directory for the others. */
	size_t walk_at;
	size_t walk_left; /* records that may be looked at before walk_next */
	mono_us walk_next;
};

static inline uint64_t cluster_wall_ms(const struct oo_cluster *c, mono_us at)
{
	/* Modulo 2^64, so @at may lie before the clock was looked at. */
	return c->wall_ms + (at / MONO_MS - c->wall_at / MONO_MS);
}

struct cluster_letter {
	enum oo_cluster_kind kind;
	uint64_t to;
	uint64_t ask; /* what waits for an answer; 0: nothing */
	const uint8_t *body;
	size_t len;
};

/* Queue a message; false, and counted, when there is no room. */
bool cluster_send(struct oo_registrar *r, const struct cluster_letter *l,
		  mono_us now);
bool cluster_look_up(struct oo_registrar *r, uint64_t ask, const char *number);
/* Half of what a message between two registrars takes is our way to the store;
 * the other adds its own. */
uint16_t cluster_delay_ms(const struct oo_cluster *c, uint16_t delay_ms);
/* Heard once, and no longer. */
bool cluster_is_gone(const struct oo_cluster *c, uint64_t instance,
		     mono_us now);
/* The table of OPEN_REQUESTs between registrars (openover_cluster_open.c). */
uint64_t cluster_ask_id(const struct oo_registrar *r, const char *label,
			uint64_t who, uint64_t what);
struct cluster_ask *cluster_ask_find(struct oo_cluster *c, uint64_t id,
				     bool ours);
/* NULL, counted, when there is no room. */
struct cluster_ask *cluster_ask_new(struct oo_cluster *c, uint64_t id,
				    enum ask_state state, mono_us now);
/* A node of another registrar, made to look like one of ours that is online
 * at these addresses, for the frames that name it. */
struct oo_record cluster_stand_in(const char *number, const uint8_t *key,
				  const struct cluster_at *at, mono_us now);
/* The addresses that the other registrar vouches for, one of each family, and
 * a mapped port. */
void cluster_take_candidates(struct cluster_at *at,
			     const struct oo_candidates *c);

/* Tell the caller how it ended, now and whenever it asks again
 * (openover_cluster_ask.c). */
void cluster_finish(struct oo_registrar *r, struct cluster_ask *a,
		    enum oo_verdict verdict, mono_us now);
void cluster_on_answer(struct oo_registrar *r,
		       const struct oo_cluster_msg *from,
		       const struct oo_msg *m, mono_us now);
/* openover_cluster_answer.c */
void cluster_on_ask(struct oo_registrar *r, const struct oo_cluster_msg *from,
		    const struct oo_msg *m, mono_us now);

/* An authentic, new ASK or ANSWER. */
void cluster_on_frame(struct oo_registrar *r, const struct oo_cluster_msg *m,
		      mono_us now);
void cluster_asks_tick(struct oo_registrar *r, mono_us now);
mono_us cluster_asks_deadline(const struct oo_cluster *c);

#endif
