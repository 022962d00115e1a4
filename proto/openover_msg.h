/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_MSG_H
#define PROTO_OPENOVER_MSG_H

/*
 * The messages of registration, PING and OPEN/OVER as plain structs
 * (OPEN-OVER.md section 5).  Layout only: no key, no state, no clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/iax2_endpoint.h"
#include "proto/iax2_err.h"
#include "proto/iax2_frame.h"
#include "proto/net_path.h"
#include "proto/wire.h"

#define OO_VERSION 1U
#define OO_CANDIDATES_MAX 8U
#define OO_TOKEN_TEXT_MAX 64U /* octets of a call token of ours */
#define OO_FRAME_MAX 640U     /* octets of the longest message */

/* Sizes that bound what an unproved sender can draw out of us: a question of
 * this size is never answered with more. */
#define OO_PING_LEN 78U     /* POKE of a session */
#define OO_PUNCH_LEN 70U    /* POKE of a punch */
#define OO_REGREQ_MIN 80U   /* the first REGREQ */
#define OO_MEASURE_LEN 120U /* a MEASURE that asks; up to two answers */

/* IAX subclasses of ours, from the unassigned range (RFC 5457 section 4.4). */
enum oo_subclass {
	OO_OPEN_REQUEST = 0x68,
	OO_OPEN = 0x69,
	OO_OVER = 0x6a,
	OO_MEASURE = 0x6b,
	OO_RELAY = 0x6c,
};

/* KH VERDICT: how an OPEN_REQUEST ended. */
enum oo_verdict {
	OO_ACCEPTED = 0,
	OO_NOT_REGISTERED = 1, /* the caller is not */
	OO_UNKNOWN = 2,        /* the registrar has no such node */
	OO_OFFLINE = 3,        /* it has, but the node is not registered */
	OO_REFUSED = 4, /* the target's operator does not want this call */
	OO_SILENT = 5,  /* the target is registered but did not answer */
	OO_LIMITED = 6, /* too many requests */
	OO_NO_PATH = 7, /* accepted, but no packet got through; never on
				  the wire, like the next */
	OO_REGISTRAR_SILENT = 8, /* it does not answer any more */
	OO_PLAIN = 9, /* the target is a plain IAX2 client: just call it */
};

/* One short sentence for people. */
const char *oo_verdict_text(enum oo_verdict v);

/* KH NAT: what a node knows of its own translation. */
enum oo_nat {
	OO_NAT_TRANSLATED = 0x01,   /* its address is not its own */
	OO_NAT_PORT_CHANGED = 0x02, /* nor is its port kept */
};

/* The registrar's addresses that a node measures its translator with. */
enum oo_end {
	OO_END_MAIN,  /* the port that nodes register at */
	OO_END_PORT,  /* another port of the same address */
	OO_END_OTHER, /* that port of another address */
	OO_ENDS,
};

/* KH ENDS: what the registrar has of them. */
struct oo_ends {
	uint16_t port;         /* of OO_END_PORT and OO_END_OTHER; 0: none */
	bool tcp;              /* the main port tells TCP clients theirs */
	struct net_addr other; /* IPv4 address of OO_END_OTHER; port 0: none */
};

/* KH CANDIDATE: how an address came to be known. */
enum oo_candidate_type {
	OO_CANDIDATE_REFLEXIVE = 1, /* proved to the registrar */
	OO_CANDIDATE_LOCAL = 2,     /* of an interface, on the node's word */
	OO_CANDIDATE_MAPPED = 3,    /* asked of the router, and proved */
	OO_CANDIDATE_RELAY = 16,    /* of the registrar's relay */
};

struct oo_candidates {
	struct net_addr addr[OO_CANDIDATES_MAX];
	size_t n;
	uint8_t type[OO_CANDIDATES_MAX]; /* enum oo_candidate_type */
};

/* KH PORTS: what a node saw of the ports that its translator gives to new
 * connections, in one round of looking. */
struct oo_ports {
	uint8_t round; /* 1..: 0: never looked */
	uint16_t last; /* the newest port; 0: nothing to say */
	int16_t delta; /* from each to the next; 0: cannot be told */
};

/* Every element that these messages may carry; has_* says which came. */
struct oo_msg {
	struct iax2_full hdr;
	bool has_session, has_hello, has_signature, has_result, has_path;
	bool has_reflexive, has_transaction, has_token, has_verdict;
	bool has_peer_key, has_punch, has_target, has_nat;
	bool has_called, has_calling, has_username, has_challenge;
	bool has_calltoken, has_refresh, has_apparent, has_md5, sealed;
	bool has_ends, has_interval, has_end, has_ports;
	uint64_t session;
	uint64_t counter;
	uint8_t hello_version;
	uint8_t hello[KEY_PUBLIC_LEN];
	uint8_t signature[KEY_SIGNATURE_LEN];
	uint8_t result[KEY_SIGNATURE_LEN];
	uint64_t path;
	struct net_addr reflexive;
	uint64_t transaction;
	uint8_t token[KEY_SHARED_LEN];
	uint8_t verdict;
	uint8_t peer_key[KEY_PUBLIC_LEN];
	uint64_t punch;
	struct net_addr target;
	uint8_t nat;
	uint16_t delay_ms;
	struct oo_ends ends;
	uint8_t interval_s; /* between the node's PINGs */
	uint8_t end;        /* enum oo_end, or one we do not know */
	struct oo_ports ports;
	char called[IAX2_NUMBER_MAX + 1];
	char calling[IAX2_NUMBER_MAX + 1];
	char username[IAX2_NUMBER_MAX + 1];
	char challenge[OO_TOKEN_TEXT_MAX + 1];
	char calltoken[OO_TOKEN_TEXT_MAX + 1];
	char md5[33]; /* MD5 RESULT, 32 characters */
	char cause[64];
	uint16_t refresh_s;
	struct net_addr apparent;
	struct oo_candidates candidates; /* beyond the maximum: ignored */
	struct oo_candidates relays;     /* those that a relay carries on */
};

/*
 * Decode a full frame of type IAX.  IAX2_E_TRUNCATED, IAX2_E_NOT_FULL,
 * IAX2_E_BAD_IE for a malformed one, IAX2_E_NOT_OURS for other frame types.
 * *@out is written only on IAX2_OK.
 */
enum iax2_err oo_msg_decode(const uint8_t *pkt, size_t len, struct oo_msg *out);

/*
 * Start a frame in @buf: the header, and a cursor for its elements.  Frames
 * outside of a registration use IAX2_CALLNO_OUTSIDE as the source number.
 */
struct wire_wr oo_frame_begin(uint8_t buf[OO_FRAME_MAX], uint8_t subclass,
			      const struct iax2_full *hdr);

void oo_put_hello(struct wire_wr *w, const uint8_t key[KEY_PUBLIC_LEN]);
void oo_put_addr(struct wire_wr *w, uint8_t ie, const struct net_addr *a);
void oo_put_ends(struct wire_wr *w, const struct oo_ends *e);
void oo_put_candidates(struct wire_wr *w, const struct oo_candidates *c);
/* One more of them; ignored when there are OO_CANDIDATES_MAX. */
void oo_candidate_add(struct oo_candidates *c, enum oo_candidate_type type,
		      const struct net_addr *a);
void oo_put_ports(struct wire_wr *w, const struct oo_ports *p);
/* Fill with KH PAD until @frame is @total octets once a seal is appended
 * (@sealed) or as it is.  Nothing when it is that long already. */
void oo_put_pad(struct wire_wr *w, const uint8_t *frame, size_t total,
		bool sealed);

#endif
