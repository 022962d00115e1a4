/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_SESSION_H
#define PROTO_OPENOVER_SESSION_H

/*
 * The session that a registration agrees on, and the replay window that it
 * shares with punches (OPEN-OVER.md sections 4 and 6).
 *
 * A frame of a session carries its id and a counter, and ends in a seal made
 * with the sender's direction's key.  No public-key operation is needed once
 * the session stands.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/keys.h"
#include "proto/wire.h"

/* Counters received: the highest, and a bit for each of the 64 up to it. */
struct replay_window {
	uint64_t highest;
	uint64_t seen;
};

/* True, and remembered, when @counter (>= 1) was not seen before and is not
 * more than 63 below the highest.  Call it only after the seal was checked. */
bool replay_accept(struct replay_window *w, uint64_t counter);

struct oo_session {
	uint64_t id; /* 0: no session */
	uint8_t tx_key[KEY_SHARED_LEN];
	uint8_t rx_key[KEY_SHARED_LEN];
	uint64_t tx_counter; /* of the last frame sent */
	struct replay_window rx;
};

/* Who speaks in a statement; REFUSAL is the registrar saying no, so that
 * nobody else can say it. */
enum oo_role { OO_ROLE_NODE, OO_ROLE_REGISTRAR, OO_ROLE_REFUSAL };

/* What both sides put into the key schedule. */
struct oo_transcript {
	const char *number;      /* the node's */
	const char *challenge;   /* REGAUTH CHALLENGE */
	const uint8_t *node_key; /* Ed25519, KEY_PUBLIC_LEN; not read for the
				     registrar's statements */
	const uint8_t *registrar_key;
	const uint8_t *node_hello; /* X25519, KEY_PUBLIC_LEN */
	const uint8_t *registrar_hello;
};

/* The statements that each side signs (OPEN-OVER.md section 4.2). */
void oo_transcript_sign(const struct oo_transcript *t, enum oo_role role,
			const struct key_identity *id,
			uint8_t sig[KEY_SIGNATURE_LEN]);
bool oo_transcript_verify(const struct oo_transcript *t, enum oo_role role,
			  const uint8_t sig[KEY_SIGNATURE_LEN]);

/* Derive the session from our ephemeral X25519 secret; false for a bad peer
 * key.  The id is the same on both sides and never 0. */
bool oo_session_agree(struct oo_session *s, const struct oo_transcript *t,
		      enum oo_role role, const uint8_t secret[KEY_SHARED_LEN]);

/* Append KH SESSION with the next counter, which is returned. */
uint64_t oo_session_put(struct oo_session *s, struct wire_wr *w);
/* Check the seal of a whole frame and that @counter is new. */
bool oo_session_check(struct oo_session *s, const uint8_t *frame, size_t len,
		      uint64_t counter);

/* Encrypt (@ours true: a frame we send) or decrypt a punch token under the
 * frame's counter. */
void oo_session_cipher(const struct oo_session *s, bool ours, uint64_t counter,
		       uint8_t token[KEY_SHARED_LEN]);

#endif
