/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_REGISTRAR_PRIV_H
#define PROTO_OPENOVER_REGISTRAR_PRIV_H

/*
 * What the parts of the registrar share: which part a frame is for, PINGs and
 * good-byes (openover_registrar_rx.c), registration
 * (openover_registrar_reg.c), that of plain clients
 * (openover_registrar_plain.c), OPEN/OVER (openover_registrar_open.c), the
 * addresses that it names (openover_registrar_local.c), measuring
 * (openover_registrar_measure.c), the relay (openover_registrar_relay.c) and
 * the rest (openover_registrar.c).
 */

#include "proto/call_token.h"
#include "proto/openover_local.h"
#include "proto/openover_msg.h"
#include "proto/openover_registrar.h"
#include "proto/openover_registrar_relay.h"

enum open_state { OPEN_FREE, OPEN_PENDING, OPEN_DONE };

/* One OPEN_REQUEST on its way. */
struct open_tx {
	enum open_state state;
	uint64_t id;        /* ours: towards the target */
	uint64_t caller_tx; /* the caller's */
	uint32_t caller;    /* records, by index, and their sessions: a record
			       whose session changed is another party */
	uint32_t target;
	uint64_t caller_session;
	uint64_t target_session;
	uint8_t token[KEY_SHARED_LEN];
	uint8_t verdict; /* when done */
	uint8_t caller_nat;
	uint8_t target_nat;
	uint16_t caller_delay_ms;
	struct oo_local caller_local; /* told to the other if both are there */
	struct oo_local target_local;
	struct oo_ports caller_ports; /* round 0: not told */
	struct oo_ports target_ports;
	mono_us began;
	mono_us carried; /* when it was last carried on */
};

/* The session that a relayed node had before: voice that was under way when it
 * registered again is not lost. */
struct relay_before {
	struct oo_session session;
	char number[OO_NUMBER_MAX + 1]; /* the slot may be another's by now */
	mono_us until;
};

#define EVENTS_MAX 256

struct oo_cluster;

struct oo_registrar {
	struct key_identity id;
	struct oo_directory *dir;
	struct oo_plains *plains;
	struct dgram_queue *tx;
	struct rotating_secret secret;
	struct rate_table *unproved; /* answers longer than their questions */
	struct rate no_token_log;    /* clients that know no call tokens */
	struct rate_table *registrations; /* public-key work */
	struct rate_table *auth_failures; /* wrong passwords, by name too */
	struct rate_limit opens_limit;
	struct oo_measure_ends measure;
	struct rate_table *measures; /* by record */
	struct rate_table *relays;   /* likewise: addresses at the relay */
	uint8_t measure_key[2][KEY_SHARED_LEN]; /* present and former */
	mono_us measure_since;
	const struct net_prefix *token_optional;
	size_t token_optional_n;
	uint16_t refresh_s;
	uint32_t datetime;
	random_fn random;
	void *random_ctx;
	struct oo_registrar_counters n;

	struct open_tx *opens;
	size_t opens_max;
	size_t opens_slots; /* twice as many: few ids are crowded out */
	uint32_t *fifo;     /* slots in order of their beginning */
	size_t fifo_head;
	size_t fifo_n;
	size_t silent_n; /* of the oldest, how many are past answering */
	uint8_t tx_key[KEY_SHARED_LEN]; /* makes transaction ids */

	struct oo_relay *relay;            /* NULL: none */
	struct dgram_queue *relay_tx;      /* from its ports */
	struct relay_before *relay_before; /* one for each slot */
	/* By session id, slot + 1: what nobody proved costs one look.  Of two
	 * in one place the later is found. */
	uint32_t *relay_before_at;

	size_t sweep_at; /* the next record to look at */
	mono_us sweep_next;

	struct oo_registrar_event events[EVENTS_MAX];
	size_t ev_head;
	size_t ev_n;

	struct oo_cluster *cluster; /* NULL: alone */
};

/* Queue a finished frame; false when the cursor went bad or the queue is
 * full. */
bool registrar_send(struct oo_registrar *r, const struct net_path *path,
		    const uint8_t *frame, const struct wire_wr *w);
void registrar_event(struct oo_registrar *r, enum oo_registrar_event_kind kind,
		     const char *number, const struct net_addr *addr);

/* An authentic frame's sender; NULL, counted, for anything else. */
struct oo_record *registrar_sender(struct oo_registrar *r,
				   const struct dgram *d,
				   const struct oo_msg *m);

enum iax2_err registrar_on_regreq(struct oo_registrar *r, const struct dgram *d,
				  const struct oo_msg *m, mono_us now);
/* REGREQ without KH HELLO, REGREL without KH SESSION. */
enum iax2_err registrar_on_plain(struct oo_registrar *r, const struct dgram *d,
				 const struct oo_msg *m, mono_us now);
void registrar_plain_sweep(struct oo_registrar *r, mono_us now);
/* Was the node heard at @heard so lately that it still is there? */
bool registrar_is_lately(const struct oo_registrar *r,
			 const struct oo_record *rec, mono_us heard,
			 mono_us now);
enum iax2_err registrar_on_measure(struct oo_registrar *r,
				   const struct dgram *d,
				   const struct oo_msg *m, mono_us now);
/* The header of an answer outside of any exchange. */
struct iax2_full registrar_answer_to(const struct oo_msg *m);
/* The header of an answer within an exchange that the client began. */
struct iax2_full registrar_answer(const struct oo_msg *m);
/* CALLTOKEN, to those who know of it. */
enum iax2_err registrar_ask_for_token(struct oo_registrar *r,
				      const struct dgram *d,
				      const struct oo_msg *m);
/* REGREJ, but for a seal: the cursor behind its elements. */
struct wire_wr registrar_rejection(uint8_t buf[OO_FRAME_MAX],
				   const struct iax2_full *hdr);
enum iax2_err registrar_on_open_request(struct oo_registrar *r,
					const struct dgram *d,
					const struct oo_msg *m, mono_us now);
enum iax2_err registrar_on_over(struct oo_registrar *r, const struct dgram *d,
				const struct oo_msg *m, mono_us now);
/* Those fit to be named to @to: its own word @local too when both are at one
 * site. */
void registrar_candidates(const struct oo_registrar *r,
			  const struct oo_record *rec,
			  const struct oo_local *local,
			  const struct oo_record *to, struct oo_candidates *out,
			  mono_us now);
/* What a node says of its interfaces. */
void registrar_keep_local(const struct oo_record *rec, const struct oo_msg *m,
			  struct oo_local *out);
/* The cookie that proves a session's packets to arrive at @a. */
uint64_t registrar_cookie(const uint8_t secret[KEY_SHARED_LEN],
			  uint64_t session, const struct net_addr *a);
/* Does @m bring the present or the former one? */
bool registrar_is_proved(const struct oo_registrar *r, const struct oo_msg *m,
			 const struct net_addr *a);
/* A PING from a proved address may name one that its router mapped. */
void registrar_mapped(struct oo_registrar *r, struct oo_record *rec,
		      const struct dgram *d, const struct oo_msg *m);
/* Give up on transactions whose target stays silent, free old ones. */
void registrar_opens_tick(struct oo_registrar *r, mono_us now);
mono_us registrar_opens_deadline(const struct oo_registrar *r);
/* The address that the node was last heard from. */
const struct net_path *registrar_main_path(const struct oo_record *rec);

/* openover_registrar_relay.c; false without memory. */
bool registrar_relay_new(struct oo_registrar *r,
			 const struct oo_registrar_cfg *cfg);
void registrar_relay_free(struct oo_registrar *r);
enum iax2_err registrar_on_relay(struct oo_registrar *r, const struct dgram *d,
				 const struct oo_msg *m, mono_us now);
/* Append the addresses that the node has at the relay. */
void registrar_relay_put(const struct oo_registrar *r,
			 const struct oo_record *rec, struct wire_wr *w);
/* The node's session is about to be replaced. */
void registrar_relay_keep(struct oo_registrar *r, const struct oo_record *rec,
			  mono_us now);
/* The node is no longer one. */
void registrar_relay_drop(struct oo_registrar *r, const struct oo_record *rec);
void registrar_relay_sweep(struct oo_registrar *r, mono_us now);

/* OPEN and OVER as they go to our nodes, also for the cluster. */

/* The record, as long as it still is the party it was; or NULL. */
struct oo_record *registrar_party(struct oo_registrar *r, uint32_t index,
				  uint64_t session);
/* Addresses of a node that are fit to be named to any other: proved, and heard
 * of lately. */
void registrar_candidates_of(const struct oo_registrar *r,
			     const struct oo_record *rec,
			     struct oo_candidates *out, mono_us now);
void registrar_send_verdict(struct oo_registrar *r, struct oo_record *caller,
			    const struct net_path *path, uint64_t caller_tx,
			    enum oo_verdict verdict);
void registrar_send_over(struct oo_registrar *r, const struct open_tx *t,
			 struct oo_record *caller,
			 const struct oo_record *target, mono_us now);
void registrar_send_open(struct oo_registrar *r, const struct open_tx *t,
			 const struct oo_record *caller,
			 struct oo_record *target, mono_us now);
mono_us registrar_last_heard(const struct oo_record *rec);
/* Takes one token of @rec's in @t, a table by record. */
bool registrar_take_of(struct oo_registrar *r, struct rate_table *t,
		       const struct oo_record *rec, mono_us now);
/* Is it a verdict that a target may give? */
static inline bool registrar_is_targets(uint8_t verdict)
{
	return verdict == OO_ACCEPTED || verdict == OO_REFUSED ||
	       verdict == OO_LIMITED;
}

/* The cluster's side (openover_cluster.h); without one they do nothing. */

void registrar_cluster_free(struct oo_registrar *r);
/* A node came, moved or went. */
void registrar_cluster_changed(struct oo_registrar *r, const char *number);
/* A node of the directory that is not here is wanted: false when nobody else
 * can be asked.  Then, for each repetition: false when it is not known. */
bool registrar_cluster_ask(struct oo_registrar *r, const struct oo_msg *m,
			   const struct oo_record *caller, mono_us now);
bool registrar_cluster_repeat(struct oo_registrar *r, const struct oo_msg *m,
			      const struct oo_record *caller, mono_us now);
/* An authentic OVER of @target: false when no other registrar waits for it. */
bool registrar_cluster_over(struct oo_registrar *r,
			    const struct oo_record *target,
			    const struct oo_msg *m, mono_us now);
void registrar_cluster_tick(struct oo_registrar *r, mono_us now);
mono_us registrar_cluster_deadline(const struct oo_registrar *r);

#endif
