/* SPDX-License-Identifier: MIT */
#ifndef PROTO_CALL_TOKEN_H
#define PROTO_CALL_TOKEN_H

/*
 * Call tokens (Asterisk's CALLTOKEN element, 0x36): proof that a sender
 * receives at the address it uses, without keeping anything for it; and the
 * short-lived secret that such stateless answers are made from.
 */

#include <stddef.h>
#include <stdint.h>

#include "proto/keys.h"
#include "proto/mono.h"
#include "proto/net_path.h"

/* Replaced every 30 s; what was made with it is good while it is the present
 * or the former one, so for 30 to 60 s. */
struct rotating_secret {
	uint8_t now[KEY_SHARED_LEN];
	uint8_t before[KEY_SHARED_LEN];
	mono_us since;
};

void rotating_secret_init(struct rotating_secret *s, random_fn random,
			  void *random_ctx, mono_us now);
/* Call before each use. */
void rotating_secret_tick(struct rotating_secret *s, random_fn random,
			  void *random_ctx, mono_us now);

/*
 * Eight characters, 48 bits: short, so that the answer is not longer than even
 * the smallest question with an empty token.  Forging one takes 2^47 guesses
 * within a minute, and gains no more than being asked for a key.
 */
#define CALL_TOKEN_LEN 8U

void call_token_make(const struct rotating_secret *s,
		     const struct net_addr *from, char out[CALL_TOKEN_LEN + 1]);
/* The secret (of the two) that made @token for @from; NULL when none did. */
const uint8_t *call_token_check(const struct rotating_secret *s,
				const struct net_addr *from, const void *token,
				size_t len);

#endif
