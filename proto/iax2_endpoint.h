/* SPDX-License-Identifier: MIT */
#ifndef PROTO_IAX2_ENDPOINT_H
#define PROTO_IAX2_ENDPOINT_H

/*
 * The calls of one IAX2 endpoint (RFC 5456 section 6.2 to 6.9 and 7) as a
 * function of datagrams, commands and time.
 *
 * No socket, no clock, no thread, no allocation after iax2_endpoint_new().
 * The caller feeds input, then drains iax2_endpoint_next_tx() and
 * iax2_endpoint_next_event() until both say false, then arms one timer for
 * iax2_endpoint_deadline().  Nothing calls back, so nothing can be re-entered.
 * Registration and OPEN/OVER are other machines on the same port
 * (openover_node.h); whoever owns both offers each datagram to that one first.
 *
 * Not thread safe: one endpoint belongs to one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dgram.h"
#include "proto/iax2_err.h"
#include "proto/key_rsa.h"
#include "proto/keys.h"
#include "proto/mono.h"

#define IAX2_NUMBER_MAX 32U /* octets of a node number or user name */
#define IAX2_NAME_MAX 64U   /* octets of a caller's name */
#define IAX2_TEXT_MAX 1200U /* octets of a TEXT frame's payload, NUL apart */

/*
 * Call numbers: 1 stands for traffic outside of calls (as Asterisk uses it),
 * 0x7f00..0x7fff belong to registrations (openover_node.h), calls get random
 * ones from the rest.
 */
#define IAX2_CALLNO_OUTSIDE 1U
#define IAX2_CALLNO_CALL_MIN 2U
#define IAX2_CALLNO_CALL_MAX 0x7effU
#define IAX2_CALLNO_REG_MIN 0x7f00U
#define IAX2_CALLNO_REG_MAX 0x7fffU

/*
 * Media formats (RFC 5456 8.7), as the bit that names them.  Where practice
 * differs from the RFC the wire follows practice: linear samples are
 * big-endian, and 0x10 is G.726 packed as in AAL2.
 */
#define IAX2_FORMAT_GSM UINT64_C(0x2)
#define IAX2_FORMAT_ULAW UINT64_C(0x4)
#define IAX2_FORMAT_ALAW UINT64_C(0x8)
#define IAX2_FORMAT_G726_AAL2 UINT64_C(0x10)
#define IAX2_FORMAT_ADPCM UINT64_C(0x20)
#define IAX2_FORMAT_SLIN UINT64_C(0x40)
#define IAX2_FORMAT_SLIN16 UINT64_C(0x8000)
#define IAX2_PREFS_MAX 8U

/* AUTHMETHODS bits (RFC 5456 8.6.13; Ed25519 by public practice). */
#define IAX2_AUTH_MD5 0x02U
#define IAX2_AUTH_RSA 0x04U
#define IAX2_AUTH_ED25519 0x08U

/* Control frame subclasses (RFC 5456 8.3). */
enum iax2_control {
	IAX2_CONTROL_HANGUP = 1,
	IAX2_CONTROL_RINGING = 3,
	IAX2_CONTROL_ANSWER = 4,
	IAX2_CONTROL_BUSY = 5,
	IAX2_CONTROL_CONGESTION = 8,
	IAX2_CONTROL_FLASH = 9,
	IAX2_CONTROL_OPTION = 11,
	IAX2_CONTROL_KEY = 12,
	IAX2_CONTROL_UNKEY = 13,
	IAX2_CONTROL_PROGRESS = 14,
	IAX2_CONTROL_PROCEEDING = 15,
	IAX2_CONTROL_HOLD = 16,
	IAX2_CONTROL_UNHOLD = 17,
	IAX2_CONTROL_STOP_SOUNDS = 255, /* the wire's octet 0xff */
};

/* What an end of a call can do beyond IAX2; told with tickets only. */
#define IAX2_FEATURE_TALKER 0x1U /* text that names who talks */

/* How a caller's identity was proved. */
enum iax2_proof {
	IAX2_PROOF_NONE, /* it only claims; the call token proved its address */
	IAX2_PROOF_TICKET,  /* punch ticket and Ed25519 signature */
	IAX2_PROOF_ED25519, /* challenge answered with its key */
	IAX2_PROOF_MD5,     /* challenge answered with the shared secret */
	IAX2_PROOF_RSA,     /* challenge signed with its RSA key */
};

/*
 * What an OPEN/OVER exchange gives both ends: the right to open one call
 * without a call token.  Made by openover_node, held by the endpoint of the
 * target until used or expired, and given by the caller to iax2_dial().
 */
struct iax2_ticket {
	uint64_t id;                           /* KH PUNCH */
	uint8_t key[KEY_SHARED_LEN];           /* seals the NEW */
	uint8_t peer_key[KEY_PUBLIC_LEN];      /* the other end's identity */
	char peer_number[IAX2_NUMBER_MAX + 1]; /* the other end's number */
	mono_us expires;
};

/* Names a call across its life; a stale id is refused, never reused. */
struct iax2_call_id {
	uint16_t slot;
	uint16_t gen; /* never 0 in a valid id */
};

struct iax2_dial {
	struct net_path path;
	const char *called;   /* CALLED NUMBER, 1..IAX2_NUMBER_MAX octets */
	const char *calling;  /* CALLING NUMBER */
	const char *username; /* USERNAME; NULL: none */
	/* NULL: a plain call with a call token. */
	const struct iax2_ticket *ticket;
	/* For AUTHREQ with MD5; NULL: this method is not offered.  Ed25519 is
	 * answered with the endpoint's identity where the challenge is
	 * "keyhole CALLED CALLING HEX" of this very call, as iax2_challenge()
	 * makes it: a bare one may be another node's, passed on to us. */
	const char *md5_secret;
};

/* What a peer must prove in answer to iax2_challenge(); NULL: not accepted.
 * At least one is given. */
struct iax2_credentials {
	/* Ed25519, KEY_PUBLIC_LEN octets.  Not asked for where the numbers of
	 * the call have no room in a challenge (38 octets) or have spaces. */
	const uint8_t *public_key;
	const char *md5_secret;    /* <= 64 octets, copied */
	const struct key_rsa *rsa; /* copied */
};

enum iax2_event_kind {
	/* A NEW whose sender proved its address.  Answer it with one of
	 * iax2_accept(), iax2_challenge() and iax2_reject(). */
	IAX2_EV_CALL_IN,
	/* The caller answered the challenge rightly; iax2_accept() or
	 * iax2_reject() it.  A wrong answer ends in REJECT by itself and
	 * IAX2_EV_CALL_DOWN. */
	IAX2_EV_CALL_PROVED,
	IAX2_EV_CALL_ACCEPTED, /* ours was accepted, not yet answered */
	IAX2_EV_CALL_RINGING,
	IAX2_EV_CALL_UP,   /* answered */
	IAX2_EV_CALL_DOWN, /* the id is stale from here on */
	IAX2_EV_VOICE,
	IAX2_EV_KEY, /* control KEY or UNKEY */
	IAX2_EV_TEXT,
	IAX2_EV_DTMF,
	IAX2_EV_CONTROL, /* any other control frame */
	IAX2_EV_CNG,     /* comfort noise: the peer stops sending voice */
	/* A call that iax2_move() can move: nothing has been heard for a while
	 * though something waits for its answer.  Again after 5 s. */
	IAX2_EV_CALL_SILENT,
	/* It is at u.moved.to now: moved by us or by the peer, whom the keys
	 * of both proved.  Hang up if that peer is not welcome any more. */
	IAX2_EV_CALL_MOVED,
	IAX2_EV_MOVE_FAILED, /* iax2_move() had no answer within its time */
};

enum iax2_down_reason {
	IAX2_DOWN_HANGUP_LOCAL, /* iax2_hangup() or iax2_reject() */
	/* HANGUP, or control HANGUP, BUSY or CONGESTION.  What was sent before
	 * has arrived, but where it was missing for 5 s. */
	IAX2_DOWN_HANGUP_REMOTE,
	IAX2_DOWN_REJECTED,    /* REJECT */
	IAX2_DOWN_AUTH_FAILED, /* credentials did not prove */
	IAX2_DOWN_NO_ANSWER,   /* the peer never answered our NEW */
	IAX2_DOWN_TIMEOUT,     /* the peer fell silent in an established call */
	IAX2_DOWN_INVALID,     /* INVAL: the peer does not know this call */
	IAX2_DOWN_PROTOCOL,    /* the peer broke the protocol */
};

struct iax2_call_info {
	struct net_path path;
	bool up;
	bool outbound;
	bool movable;       /* by iax2_move(): it was opened with a ticket */
	mono_us heard;      /* when the peer was last heard */
	uint64_t format;    /* agreed; 0 before ACCEPT */
	uint32_t features;  /* IAX2_FEATURE_* that both ends announced */
	uint32_t rtt_us;    /* smoothed; 0: not yet measured */
	uint32_t jitter_us; /* interarrival jitter of voice, RFC 3550 A.8 */
	uint64_t rx_voice;  /* frames received */
	uint64_t rx_lost;   /* voice frames missing by their time stamps within
			       a spurt */
	uint64_t tx_voice;
	/* Datagrams of the call and what they carry, as UDP counts it; of one
	 * that several calls share, the call's own part.  MOVE apart. */
	uint64_t rx_packets;
	uint64_t rx_octets;
	uint64_t tx_packets;
	uint64_t tx_octets;
	mono_us since; /* when it came up */
};

struct iax2_event {
	enum iax2_event_kind kind;
	struct iax2_call_id call;
	union {
		struct {
			char called[IAX2_NUMBER_MAX + 1];
			char calling[IAX2_NUMBER_MAX + 1];
			char username[IAX2_NUMBER_MAX + 1];
			char name[IAX2_NAME_MAX + 1]; /* CALLING NAME */
			enum iax2_proof proof;
			/* With proof TICKET and ED25519. */
			uint8_t peer_key[KEY_PUBLIC_LEN];
			struct net_path path;
		} in; /* CALL_IN, CALL_PROVED */
		struct {
			enum iax2_down_reason reason;
			uint8_t code; /* CAUSECODE (RFC 5456 8.6.33), 0: none */
			char text[64]; /* CAUSE, printable, may be empty */
			struct iax2_call_info call; /* at its end */
		} down;
		struct {
			uint64_t format; /* IAX2_FORMAT_* */
			uint32_t ts_ms;  /* the sender's, extended to 32 bits */
			const uint8_t *data;
			size_t len; /* octets */
			bool spurt; /* came in a full frame */
		} voice;
		struct {
			bool keyed;
		} key;
		struct {
			const char *data; /* NUL-terminated */
			size_t len;       /* octets before the NUL */
		} text;
		struct {
			char digit; /* 0-9 A-D * # */
			bool begin; /* else the digit ended */
		} dtmf;
		struct {
			uint64_t subclass; /* enum iax2_control, or more */
			/* what followed: borrowed */
			const uint8_t *data;
			size_t len;
		} control;
		struct {
			struct net_path from;
			struct net_path to;
			bool ours; /* we asked for it */
			uint8_t peer_key[KEY_PUBLIC_LEN];
		} moved;
	} u;
};

/*
 * What inbound calls may take; "address" is an IPv4 address or an IPv6 /64.
 * Calls that we place, and those with a ticket, are bounded by calls_max only,
 * of which others never take the last quarter.
 */
struct iax2_limits {
	/* At once, 1..8192, those apart that were proved with a key. */
	uint16_t calls_per_addr;
	uint16_t half_open;          /* not yet up, in all, 1..8192 */
	uint16_t half_open_per_addr; /* not yet up, 1..8192 */
	uint32_t calls_per_s;        /* new ones of an address, 1..1000 */
	/* Of a number at an address, 1..1000, and 16 times as many of the
	 * address; its calls are refused while there are more. */
	uint32_t auth_failures_per_min;
};

struct iax2_endpoint_cfg {
	uint16_t calls_max;   /* 1..8192; memory is linear in this */
	uint32_t tx_max;      /* datagrams queued, 8..65536 */
	uint16_t tickets_max; /* expected at once; fewer than 32: 32 */
	struct iax2_limits limits;
	const struct key_identity *identity; /* copied */
	/* What we can do, IAX2_FORMAT_*, the one that we like best first. */
	uint64_t prefs[IAX2_PREFS_MAX];
	size_t prefs_n;    /* 1..IAX2_PREFS_MAX */
	uint32_t features; /* IAX2_FEATURE_*; 0: not announced */
	/* Who need not bring a call token (Asterisk's calltokenoptional);
	 * borrowed, outlives the endpoint. */
	const struct net_prefix *token_optional;
	size_t token_optional_n;
	random_fn random;
	void *random_ctx;
};

/* Calls refused for a limit, by the limit. */
struct iax2_limited {
	uint64_t calls; /* calls_max */
	uint64_t calls_per_addr;
	uint64_t half_open;
	uint64_t half_open_per_addr;
	uint64_t calls_per_s;
	uint64_t auth_failures;
};

/* Datagrams by fate; each one counts once in rx. */
struct iax2_counters {
	uint64_t rx;
	uint64_t malformed;    /* undecodable */
	uint64_t unknown_call; /* for no call of ours */
	uint64_t unsupported;  /* answered with UNSUPPORT */
	uint64_t token_bad;    /* call token missing, foreign or expired */
	uint64_t auth_failed;
	uint64_t limited; /* not taken or not answered for want of room */
	uint64_t retransmits;
	uint64_t duplicates;
	struct iax2_limited limits;
};

struct iax2_endpoint;

/* NULL when @cfg is out of range or memory is short. */
struct iax2_endpoint *iax2_endpoint_new(const struct iax2_endpoint_cfg *cfg,
					mono_us now);
/* Accepts NULL, wipes secrets, returns NULL. */
struct iax2_endpoint *iax2_endpoint_free(struct iax2_endpoint *ep);

/* Feed one datagram.  A non-OK result means "dropped and counted". */
enum iax2_err iax2_endpoint_rx(struct iax2_endpoint *ep, const struct dgram *d,
			       mono_us now);
/* Run everything due at or before @now.  Late calls are harmless. */
void iax2_endpoint_tick(struct iax2_endpoint *ep, mono_us now);
/* Earliest time tick() has work; MONO_NEVER when idle. */
mono_us iax2_endpoint_deadline(const struct iax2_endpoint *ep);
bool iax2_endpoint_next_tx(struct iax2_endpoint *ep, struct dgram *out);
/* Borrowed data in the event is valid until the next call on @ep. */
bool iax2_endpoint_next_event(struct iax2_endpoint *ep, struct iax2_event *out);
const struct iax2_counters *
iax2_endpoint_counters(const struct iax2_endpoint *ep);

/*
 * Commands.  All return IAX2_E_STALE for an id whose call has ended and
 * IAX2_E_STATE where the call's state does not permit them.  What is sent in a
 * call arrives once and in order, or the call ends; IAX2_E_FULL when too much
 * (31 frames, or what all calls share) awaits its acknowledgement: try again
 * later.
 */

/* Place a call; IAX2_E_FULL, IAX2_E_RANGE.  *@out names it. */
enum iax2_err iax2_dial(struct iax2_endpoint *ep, const struct iax2_dial *dial,
			mono_us now, struct iax2_call_id *out);
/* ACCEPT and ANSWER an inbound call. */
enum iax2_err iax2_accept(struct iax2_endpoint *ep, struct iax2_call_id call,
			  mono_us now);
/* Ask an inbound caller to prove itself (AUTHREQ). */
enum iax2_err iax2_challenge(struct iax2_endpoint *ep, struct iax2_call_id call,
			     const struct iax2_credentials *want, mono_us now);
/* Refuse an inbound call with CAUSE @text (NULL: none; at most 63 octets, or it
 * is left out) and CAUSECODE @code (0: none). */
enum iax2_err iax2_reject(struct iax2_endpoint *ep, struct iax2_call_id call,
			  const char *text, uint8_t code, mono_us now);
/* End any call; @text and @code as in iax2_reject().  CALL_DOWN follows at
 * once; what was sent before and the HANGUP are still delivered, for 5 s at
 * most. */
enum iax2_err iax2_hangup(struct iax2_endpoint *ep, struct iax2_call_id call,
			  const char *text, uint8_t code, mono_us now);
/* One frame of voice: 20 ms of the agreed format. */
struct iax2_voice {
	const uint8_t *data;
	size_t len;     /* octets, 1..1300 */
	uint32_t ts_ms; /* ms since the call started, a multiple of 20 as a
			   rule */
	bool spurt;     /* the first of a talk spurt */
};
/* Send it: in a full frame when it starts a spurt or the time stamp passes a
 * multiple of 32,768, else in a mini frame.  IAX2_E_STATE while the peer wants no
 * voice (QUELCH); IAX2_E_RANGE for the length. */
enum iax2_err iax2_send_voice(struct iax2_endpoint *ep,
			      struct iax2_call_id call,
			      const struct iax2_voice *v, mono_us now);
/* Media time of a call at @now, rounded down to 20 ms: where the next spurt
 * starts. */
enum iax2_err iax2_media_time(const struct iax2_endpoint *ep,
			      struct iax2_call_id call, mono_us now,
			      uint32_t *ts_ms);
/* Text, NUL added on the wire; IAX2_E_RANGE above IAX2_TEXT_MAX. */
enum iax2_err iax2_send_text(struct iax2_endpoint *ep, struct iax2_call_id call,
			     const char *text, mono_us now);
/* A digit: DTMF BEGIN or END frame.  IAX2_E_RANGE for what is no digit. */
enum iax2_err iax2_send_dtmf(struct iax2_endpoint *ep, struct iax2_call_id call,
			     char digit, bool begin, mono_us now);
enum iax2_err iax2_send_control(struct iax2_endpoint *ep,
				struct iax2_call_id call,
				enum iax2_control control, mono_us now);
/* Comfort noise: the spurt has ended (Asterisk's CNG frame, type 10). */
enum iax2_err iax2_send_cng(struct iax2_endpoint *ep, struct iax2_call_id call,
			    mono_us now);
/*
 * Ask the peer to carry on with the call on @path (OPEN-OVER.md section 4.8):
 * one that a punch proved, or NULL for the present one: another translator may
 * lie on it now.  Up to two paths are tried side by side, each for 10 s from its
 * last mention; the first that proves itself wins.  Until then the call stays
 * where it is, and it ends for silence no sooner than without.  Ends in
 * CALL_MOVED or MOVE_FAILED.  IAX2_E_STATE for a call without a ticket.
 */
enum iax2_err iax2_move(struct iax2_endpoint *ep, struct iax2_call_id call,
			const struct net_path *path, mono_us now);
/* Our own addresses changed: whatever the kernel chooses is our end of the call
 * from now on, and of what it is to be moved to. */
enum iax2_err iax2_unpin(struct iax2_endpoint *ep, struct iax2_call_id call);
/* Ask the peer for a sign of life: a PING, sent again until it is answered. */
enum iax2_err iax2_ping(struct iax2_endpoint *ep, struct iax2_call_id call,
			mono_us now);
enum iax2_err iax2_call_info(const struct iax2_endpoint *ep,
			     struct iax2_call_id call,
			     struct iax2_call_info *out);
/* Calls in every state. */
size_t iax2_endpoint_calls(const struct iax2_endpoint *ep);
/* Those that stand, or whose end the peer has not acknowledged. */
size_t iax2_endpoint_unsettled(const struct iax2_endpoint *ep);
/* Inbound calls without a ticket that are neither up nor proved with a key. */
size_t iax2_endpoint_half_open(const struct iax2_endpoint *ep);

/*
 * Tickets of calls that this endpoint expects.  @addr is an address that the
 * caller has proved to receive at; a NEW under the ticket is taken from proved
 * addresses only (up to 4), once.  IAX2_E_FULL when the table is.
 */
enum iax2_err iax2_expect(struct iax2_endpoint *ep,
			  const struct iax2_ticket *ticket,
			  const struct net_addr *addr, mono_us now);

#endif
