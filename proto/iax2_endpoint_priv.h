/* SPDX-License-Identifier: MIT */
#ifndef PROTO_IAX2_ENDPOINT_PRIV_H
#define PROTO_IAX2_ENDPOINT_PRIV_H

/*
 * What the parts of the endpoint share: tables and queues (iax2_endpoint.c,
 * iax2_call_table.c), demultiplexing (iax2_rx.c), the reliable transport of
 * one call (iax2_transport.c), the call machine's edges (iax2_call.c for calls in
 * general, iax2_call_frames.c for what a peer says, iax2_call_in.c,
 * iax2_call_out.c and iax2_call_auth.c for setting them up), voice
 * (iax2_media.c), commands (iax2_command.c), moving a call (iax2_move.c, its
 * messages in iax2_move_msg.c), frames of no call (iax2_outside.c).
 */

#include "proto/call_token.h"
#include "proto/iax2_endpoint.h"
#include "proto/iax2_format.h"
#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"
#include "proto/rate.h"

#define IAX2_PROTOCOL_VERSION 2U /* RFC 5456 8.6.10 */
#define CALL_NONE UINT16_MAX
#define CALL_WINDOW 32U     /* unacknowledged full frames of one call */
#define CALL_BODY_MAX 1300U /* octets after a full frame's header */
#define CALL_EARLY 31U      /* frames of one call kept before their turn */
#define CALL_OWN \
	4U            /* buffers that no other call can take from it, ...
			       and one for its end */
#define CALL_TRIES 8U /* sendings of one frame */
#define CALL_CHALLENGE_MAX 64U
#define CALL_SETUP_US (5 * MONO_S) /* for each step from NEW to ACCEPT */
#define CALL_SETUP_INTERVAL_US (250 * MONO_MS) /* no round trip known yet */

enum call_state {
	CALL_FREE,
	CALL_NEW_SENT,   /* outbound: NEW is out */
	CALL_ACCEPTED,   /* outbound: waits for ANSWER */
	CALL_WAIT_NODE,  /* inbound: the node decides */
	CALL_CHALLENGED, /* inbound: AUTHREQ is out */
	CALL_PROVED,     /* inbound: proved; the node decides */
	CALL_UP,
	CALL_ENDING, /* HANGUP or REJECT is out, or was received */
};

/* A full frame that was sent and not yet acknowledged. */
struct unacked {
	uint16_t buf;  /* of the endpoint's pool */
	uint16_t len;  /* octets in all */
	uint8_t tries; /* sendings so far */
	mono_us first; /* first sending */
	mono_us last;  /* last sending */
};

/* A full frame that came before its turn. */
struct early {
	uint16_t buf;
	uint16_t len;
	uint8_t seq;
};

#define MOVE_PATHS 2U

/* A call on its way to another path, and the watch over the one it has. */
struct call_move {
	uint64_t number; /* of the last move that both ends know of */
	struct net_path path[MOVE_PATHS]; /* ours to try */
	size_t path_n;                    /* 0: we are not moving */
	mono_us next;                     /* we ask, or commit, again */
	mono_us ends;
	unsigned tries;
	/* The peer gave path[chosen] a cookie, and has our signed word. */
	bool committed;
	mono_us commit_ends;
	size_t chosen;
	uint64_t chosen_number;
	uint64_t cookie;
	/* The peer's move that we agreed to, said again if it asks again. */
	bool followed;
	uint64_t followed_cookie;
	mono_us answer_at; /* not before */
	/* Where the call was: what is still under way from there is heard. */
	struct net_addr old;
	mono_us old_until;
	/* The watch. */
	mono_us probed; /* a PING for want of an answer */
	mono_us silent_told;
};

struct call {
	enum call_state state;
	uint16_t gen;
	uint16_t callno;      /* ours */
	uint16_t peer_callno; /* 0: not yet known */
	struct net_path path;
	/* What each voice frame that it is sent asks for stays together. */
	bool told;         /* the node knows of this call */
	bool quelched;     /* the peer wants no voice */
	bool tx_any;       /* a full voice frame went out */
	bool tx_full_owed; /* one had no room: the next voice tries again */
	uint32_t tx_ts;    /* of the last full voice frame */
	mono_us tx_at;     /* voice was last sent */
	uint64_t tx_voice;
	uint64_t tx_packets;
	uint64_t tx_octets;

	bool outbound;
	bool heard;         /* a frame named our call number */
	bool peer_ended;    /* its HANGUP or REJECT came */
	mono_us end_due;    /* one came before its turn: believed by then */
	uint16_t hash_next; /* next call in its address bucket */
	bool hashed;
	bool in_net;
	uint16_t net_next; /* inbound: next call in its network's bucket */
	uint32_t heap_at;  /* place in the heap, 0: not in it */
	mono_us due;       /* its key there */

	mono_us began;
	mono_us state_due; /* end of the state, MONO_NEVER: none */
	mono_us last_rx;
	mono_us up_since;
	uint32_t last_ts; /* the highest of a full frame of ours */

	/* transport */
	uint8_t oseq;
	uint8_t iseq;
	struct unacked window[CALL_WINDOW];
	size_t window_n;
	mono_us resend_at;       /* of the oldest in the window */
	mono_us resend_interval; /* what led to it */
	uint8_t resends;         /* since the peer acknowledged anything */
	bool recovering;         /* a loss showed; ... */
	uint8_t recover_to;      /* ... up to this number all was sent then */
	struct early early[CALL_EARLY];
	size_t early_n;
	bool ack_due;
	bool in_acks; /* listed in the endpoint's acks */
	uint32_t ack_ts;
	mono_us vnak_at;      /* no VNAK of ours before */
	mono_us vnak_heed_at; /* no VNAK of the peer heeded before */
	uint32_t rtt_us;
	mono_us first_interval; /* while no round trip is known */

	/* setting up */
	char called[IAX2_NUMBER_MAX + 1];
	char calling[IAX2_NUMBER_MAX + 1];
	char username[IAX2_NUMBER_MAX + 1];
	char name[IAX2_NAME_MAX + 1]; /* inbound */
	char md5_secret[65];
	char challenge[CALL_CHALLENGE_MAX + 1];
	bool token_used;
	bool forged;       /* outbound: an unproved answer came */
	uint8_t authreqs;  /* outbound: answered so far */
	bool opening;      /* inbound, counted in the endpoint's opening_n */
	bool plain;        /* inbound, counted in the endpoint's plain_n */
	bool keyed;        /* inbound: proved with an Ed25519 key */
	bool wide_formats; /* inbound: its NEW had 64-bit formats */
	bool has_ticket;
	struct iax2_ticket ticket;
	bool want_key; /* inbound: the peer may prove itself with public_key */
	uint8_t public_key[KEY_PUBLIC_LEN];
	struct key_rsa rsa; /* inbound: likewise with this one */
	uint32_t features;  /* of both ends */
	uint64_t format;

	/* media */
	bool rx_any; /* a full voice frame came */
	uint64_t rx_format;
	bool trunk_any;        /* voice came in trunk frames without stamps: */
	uint32_t trunk_offset; /* its time stamps are the trunk's and this */
	uint32_t rx_ts;        /* of the last voice frame */
	mono_us rx_at;
	uint32_t jitter_us; /* RFC 3550 A.8 */
	uint64_t rx_voice;
	uint64_t rx_lost;
	uint64_t rx_ooo;
	uint64_t rx_packets;
	uint64_t rx_octets;
	mono_us ping_next;
	mono_us hint_heed_at; /* no INVAL of number 0 heeded before */
	mono_us lagrq_next;

	struct call_move move;
};

#define TICKETS_MIN 32U
#define TICKET_ADDRS 4U

struct expected {
	struct iax2_ticket ticket; /* id 0: free */
	struct net_addr addr[TICKET_ADDRS];
	size_t addr_n;
	bool used;
};

#define MOVED 8U
#define PAYLOADS 64U

struct payload {
	uint8_t data[DGRAM_MAX];
};

struct iax2_endpoint {
	struct iax2_endpoint_cfg cfg;
	struct key_identity id;
	struct rotating_secret secret;
	uint8_t hash_key[16];
	struct dgram_queue *tx;
	struct iax2_counters n;
	mono_us now; /* of the entry that runs, or ran last */

	struct call *calls;
	size_t calls_n;      /* not free */
	uint16_t *free_slot; /* a stack of those that are free */
	size_t opening_n;    /* plain calls neither up nor keyed */
	size_t plain_n;      /* inbound without a ticket, ended ones apart */
	uint16_t by_callno[IAX2_CALLNO_MAX + 1];    /* CALL_NONE: no call */
	uint32_t rest_until_s[IAX2_CALLNO_MAX + 1]; /* not reused before */
	uint16_t *bucket;     /* calls by peer address and call number */
	uint16_t *net_bucket; /* inbound calls by their caller's network */
	size_t bucket_mask;   /* of both */
	uint32_t *heap;       /* slots by due time, from 1 */
	size_t heap_n;
	uint16_t *acks; /* slots that may owe an ACK */
	size_t acks_n;

	uint8_t (*pool)[IAX2_FULL_HDR_LEN + CALL_BODY_MAX];
	uint16_t *pool_free;
	size_t pool_free_n;
	size_t pool_kept; /* the rest is shared, first come first served */

	struct rate_table *news;          /* calls of an address */
	struct rate_table *auth_failures; /* of an address */

	struct expected *expected;
	size_t expected_n; /* behind the last one that was not over */

	/* Calls that moved lately, by slot; those before moved_until. */
	uint16_t moved[MOVED];
	size_t moved_next;
	mono_us moved_until;

	struct iax2_event *events;
	size_t ev_cap;
	size_t ev_head;
	size_t ev_n;
	struct payload payload[PAYLOADS];
	size_t payload_head;
	size_t payload_n;
};

/* --- iax2_call_table.c --- */

struct call *endpoint_call(struct iax2_endpoint *ep, struct iax2_call_id id);
struct iax2_call_id endpoint_call_id(const struct iax2_endpoint *ep,
				     const struct call *c);
/* A slot with a call number; NULL when full. */
struct call *endpoint_call_new(struct iax2_endpoint *ep,
			       const struct net_path *path, mono_us now);
void endpoint_call_free(struct iax2_endpoint *ep, struct call *c, mono_us now);
/* An inbound call without a ticket counts as plain from here on, until
 * endpoint_call_over(); as half open until endpoint_call_opened(), and against
 * its network until endpoint_call_keyed(). */
void endpoint_call_opening(struct iax2_endpoint *ep, struct call *c);
void endpoint_call_opened(struct iax2_endpoint *ep, struct call *c);
/* Its caller proved a key: it shares no account with its address's others. */
void endpoint_call_keyed(struct iax2_endpoint *ep, struct call *c);
void endpoint_call_over(struct iax2_endpoint *ep, struct call *c);
/* The calls that count against @from's network; those half open in
 * *@half_open. */
size_t endpoint_calls_of_net(const struct iax2_endpoint *ep,
			     const struct net_addr *from, size_t *half_open);
/* The peer's call number is known from here on. */
void endpoint_call_hash(struct iax2_endpoint *ep, struct call *c,
			uint16_t peer_callno);
/* The call of this peer's call number; NULL: none. */
struct call *endpoint_call_of_peer(struct iax2_endpoint *ep,
				   const struct net_addr *peer,
				   uint16_t callno);
/* The peer is at @path from here on; what comes from where it was is taken for
 * a while yet. */
void endpoint_call_rehome(struct iax2_endpoint *ep, struct call *c,
			  const struct net_path *path, mono_us now);
/* Does @peer speak for the call: its address, or until lately? */
bool endpoint_call_is_from(const struct iax2_endpoint *ep, const struct call *c,
			   const struct net_addr *peer);
/* Recompute when the call next needs a tick. */
void endpoint_call_touch(struct iax2_endpoint *ep, struct call *c);
/* When the first call needs a tick, and which that is. */
mono_us endpoint_due(const struct iax2_endpoint *ep);
struct call *endpoint_first(struct iax2_endpoint *ep);

/* --- iax2_endpoint.c: preferences, queues --- */

struct iax2_prefs endpoint_prefs(const struct iax2_endpoint *ep);

/* Room for one event, with payload or without? */
bool endpoint_event_room(const struct iax2_endpoint *ep, bool payload);
/* NULL when there is no room. */
struct iax2_event *endpoint_event(struct iax2_endpoint *ep,
				  enum iax2_event_kind kind,
				  const struct call *c);
/* Keep @data for the newest event; the kept copy, NUL added. */
const uint8_t *endpoint_payload(struct iax2_endpoint *ep, const uint8_t *data,
				size_t len);

/* --- iax2_outside.c --- */

/* The header of a stateless answer to @f. */
struct iax2_full endpoint_answer_to(const struct iax2_full *f,
				    enum iax2_iax subclass);
/* A full frame of no call of ours that is no NEW. */
enum iax2_err endpoint_outside(struct iax2_endpoint *ep, const struct dgram *d,
			       const struct iax2_full *f);
/* Send a frame that belongs to no call, in answer to @to. */
void endpoint_stateless(struct iax2_endpoint *ep, const struct dgram *to,
			const struct iax2_full *f, const void *body,
			size_t body_len);
/* The same with a KH TAG that @key makes; NULL: none. */
void endpoint_stateless_sealed(struct iax2_endpoint *ep, const struct dgram *to,
			       const struct iax2_full *f, const void *body,
			       size_t body_len, const uint8_t *key);

/* --- iax2_transport.c --- */

/* A full frame of a call: what to send. */
struct out_frame {
	uint8_t type;
	uint64_t subclass;
	const uint8_t *body;
	size_t body_len;
	bool unreliable; /* consumes no sequence number */
	bool has_ts;     /* else the time since the call began */
	uint32_t ts_ms;
	bool seal; /* append KH TAG with the ticket's key */
	bool last; /* ends the call: it may take the place kept for that */
};

enum iax2_err transport_send(struct iax2_endpoint *ep, struct call *c,
			     const struct out_frame *f, mono_us now);
/* An IAX frame with elements from @w, which started at @body. */
enum iax2_err transport_send_iax(struct iax2_endpoint *ep, struct call *c,
				 enum iax2_iax subclass, const uint8_t *body,
				 const struct wire_wr *w, mono_us now);
/* The next frame that came before its turn and has it now: counted as received.
 * It borrows buffer *@buf, which transport_release() returns. */
bool transport_take_early(struct iax2_endpoint *ep, struct call *c,
			  struct iax2_full *out, uint16_t *buf);
/* The HANGUP or REJECT among the frames that came before their turn; borrowed
 * until the call's next frame. */
bool transport_early_end(const struct iax2_endpoint *ep, const struct call *c,
			 struct iax2_full *out);
void transport_release(struct iax2_endpoint *ep, uint16_t buf);
/* Forget all that is unacknowledged and start counting again. */
void transport_restart(struct iax2_endpoint *ep, struct call *c);
void transport_drop(struct iax2_endpoint *ep, struct call *c);

enum transport_in {
	TRANSPORT_NEW,       /* in sequence: handle it */
	TRANSPORT_DUPLICATE, /* handled before; an ACK is due */
	TRANSPORT_AHEAD,     /* something is missing: kept, and asked for */
};
/* Sequence and acknowledgement of a frame that has a place in the sequence. */
enum transport_in transport_accept(struct iax2_endpoint *ep, struct call *c,
				   const struct iax2_full *f, mono_us now);
/* Only its acknowledgement. */
void transport_acked(struct iax2_endpoint *ep, struct call *c, uint8_t iseq,
		     mono_us now);
/* VNAK: send what follows @iseq again at once. */
void transport_vnak(struct iax2_endpoint *ep, struct call *c, uint8_t iseq,
		    mono_us now);
void transport_ack_due(struct iax2_endpoint *ep, struct call *c, uint32_t ts);
void transport_flush_acks(struct iax2_endpoint *ep);
/* Ask for what is missing; @ts is of the frame that showed it. */
void transport_ask_again(struct iax2_endpoint *ep, struct call *c, uint32_t ts,
			 mono_us now);
/* Voice leaves half of the window to signalling. */
bool transport_has_voice_room(const struct iax2_endpoint *ep,
			      const struct call *c);
/* Send again what is due; false when CALL_TRIES sendings moved nothing. */
bool transport_tick(struct iax2_endpoint *ep, struct call *c, mono_us now);
mono_us transport_deadline(const struct call *c);
/* The call has another path: what is unacknowledged goes there at once. */
void transport_moved(struct iax2_endpoint *ep, struct call *c, mono_us now);

/* --- iax2_move.c --- */

/* A MOVE, whatever its source. */
enum iax2_err endpoint_on_move(struct iax2_endpoint *ep, const struct dgram *d,
			       const struct iax2_full *f, mono_us now);
/* A frame of a call that may be moving, from where it is not (yet)? */
bool call_may_be_moving(const struct iax2_endpoint *ep,
			const struct iax2_full *f);
void call_move_tick(struct iax2_endpoint *ep, struct call *c, mono_us now);
mono_us call_move_deadline(const struct call *c);

/* --- iax2_move_msg.c --- */

enum move_step {
	MOVE_ASK = 1, /* may this call come here? */
	MOVE_COOKIE,  /* prove that you receive there */
	MOVE_COMMIT,  /* the cookie, and a signature */
	MOVE_DONE,    /* agreed, and a signature */
};

struct move_msg {
	enum move_step step;
	uint64_t number;
	uint64_t cookie;
	uint8_t signature[KEY_SIGNATURE_LEN]; /* COMMIT, DONE */
};

/* Send it to @path, signed where its step wants it. */
void move_msg_send(struct iax2_endpoint *ep, const struct call *c,
		   const struct net_path *path, const struct move_msg *m,
		   mono_us now);
/* Read one of @c; IAX2_E_REFUSED when it is not sealed by its peer,
 * IAX2_E_BAD_IE for what it lacks.  The signature is not looked at. */
enum iax2_err move_msg_read(const struct iax2_endpoint *ep,
			    const struct call *c, const struct dgram *d,
			    const struct iax2_full *f, struct move_msg *out);
bool move_msg_is_signed(const struct iax2_endpoint *ep, const struct call *c,
			const struct move_msg *m);

/* --- iax2_call*.c --- */

/* A frame of a call of ours. */
void call_rx(struct iax2_endpoint *ep, struct call *c,
	     const struct iax2_full *f, mono_us now);
/* The NEW that made it, again: whatever else it says, it moves nothing. */
void call_rx_copy(struct iax2_endpoint *ep, struct call *c,
		  const struct iax2_full *f);
/* INVAL from somebody who need not know the peer's call number to say it: the
 * peer is asked. */
void call_rx_hint(struct iax2_endpoint *ep, struct call *c, mono_us now);
/* Has a frame of this kind a place in the sequence of its call? */
bool call_has_sequence(const struct iax2_full *f);
void call_rx_voice(struct iax2_endpoint *ep, struct call *c,
		   const struct iax2_full *f, mono_us now);
void call_rx_mini(struct iax2_endpoint *ep, struct call *c,
		  const struct iax2_mini *m, mono_us now);
/* Voice of a trunk frame that has one time stamp for all its calls. */
void call_rx_unstamped(struct iax2_endpoint *ep, struct call *c,
		       const struct iax2_mini *m, uint32_t trunk_ts,
		       mono_us now);
void call_tick(struct iax2_endpoint *ep, struct call *c, mono_us now);
mono_us call_deadline(const struct call *c);
/* Why a call ends, for the node and (text, code) for the peer. */
struct ending {
	enum iax2_down_reason reason;
	uint8_t code;     /* CAUSECODE, 0: none */
	const char *text; /* CAUSE, NULL: none */
};
/* The same, and nothing of it stays. */
void call_forget(struct iax2_endpoint *ep, struct call *c,
		 const struct ending *e, mono_us now);
/* REJECT, of a call that was not let in, or HANGUP; then the end. */
void call_end(struct iax2_endpoint *ep, struct call *c, struct ending e,
	      mono_us now);
bool call_frame_ends(const struct iax2_full *f);
/* HANGUP or REJECT came; @stateless: its sender keeps no call that could be
 * told of its arrival. */
void call_on_end(struct iax2_endpoint *ep, struct call *c,
		 const struct iax2_full *f, bool stateless, mono_us now);
void call_up(struct iax2_endpoint *ep, struct call *c, mono_us now);
/* The parts of the statements that a ticketed NEW and its ACCEPT sign. */
void call_statement(const struct iax2_endpoint *ep, const struct call *c,
		    uint8_t id[8], struct key_part parts[5]);

/* iax2_command.c: what a call is. */
struct iax2_call_info call_look(const struct call *c);
/* A datagram of it, of @len octets, came; was sent. */
static inline void call_count_rx(struct call *c, size_t len)
{
	c->rx_packets++;
	c->rx_octets += len;
}

static inline void call_count_tx(struct call *c, size_t len)
{
	c->tx_packets++;
	c->tx_octets += len;
}

/* A call that is up, for a command; else NULL, and *@err says why. */
struct call *call_standing(struct iax2_endpoint *ep, struct iax2_call_id id,
			   mono_us now, enum iax2_err *err);

/* iax2_call_frames.c: a frame whose turn it is. */
void call_in_sequence(struct iax2_endpoint *ep, struct call *c,
		      const struct iax2_full *f, mono_us now);
/* iax2_call_in.c */
enum iax2_err call_on_new(struct iax2_endpoint *ep, const struct dgram *d,
			  const struct iax2_full *f, mono_us now);
/* Has the peer of @c forgotten it, as its NEW shows? */
bool call_is_forgotten(struct iax2_endpoint *ep, const struct call *c,
		       const struct dgram *d, const struct iax2_full *f,
		       mono_us now);
/* The caller has proved itself: the node's turn. */
void call_proved(struct iax2_endpoint *ep, struct call *c,
		 enum iax2_proof proof, mono_us now);
/* iax2_call_auth.c */
void call_on_authrep(struct iax2_endpoint *ep, struct call *c,
		     const struct iax2_full *f, mono_us now);
void call_on_authreq(struct iax2_endpoint *ep, struct call *c,
		     const struct iax2_full *f, mono_us now);
/* iax2_call_out.c */
void call_on_calltoken(struct iax2_endpoint *ep, struct call *c,
		       const struct iax2_full *f, mono_us now);
/* Does @f, in @d, change the fate of a call that has shown a ticket, without
 * proof that it comes from who has the other half? */
bool call_is_unproved(const struct iax2_endpoint *ep, const struct call *c,
		      const struct dgram *d, const struct iax2_full *f);
/* Those that the other end announced and that are ours, too. */
void call_read_features(const struct iax2_endpoint *ep, struct call *c,
			const struct iax2_full *f);
void call_on_accept(struct iax2_endpoint *ep, struct call *c,
		    const struct iax2_full *f, mono_us now);

#endif
