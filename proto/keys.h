/* SPDX-License-Identifier: MIT */
#ifndef PROTO_KEYS_H
#define PROTO_KEYS_H

/*
 * Keys and the proofs made with them.  This room's only users of libsodium
 * and nettle are keys.c and what is built on it; sodium_init() must have been
 * called by the program.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/wire.h"

#define KEY_PUBLIC_LEN 32U    /* Ed25519 and X25519 public keys */
#define KEY_SECRET_LEN 64U    /* libsodium's Ed25519 secret key */
#define KEY_SEED_LEN 32U      /* what an identity file holds */
#define KEY_SHARED_LEN 32U    /* a symmetric key */
#define KEY_SIGNATURE_LEN 64U /* Ed25519, RFC 8032 */
#define KEY_TAG_LEN 16U       /* BLAKE2b-128, RFC 7693 */

/* A node's or registrar's identity (Ed25519, RFC 8032). */
struct key_identity {
	uint8_t public_key[KEY_PUBLIC_LEN];
	uint8_t secret_key[KEY_SECRET_LEN];
};

/* Fill @len octets of @buf unpredictably; a test passes a seeded one. */
typedef void (*random_fn)(void *ctx, uint8_t *buf, size_t len);

void key_identity_from_seed(struct key_identity *id,
			    const uint8_t seed[KEY_SEED_LEN]);

/*
 * Sign, or check a signature over, the parts of a statement.  Each part is
 * preceded by its length, and the whole by @label with its NUL, so no two
 * statements of different purpose or partition are ever the same octets.
 */
struct key_part {
	const void *data;
	size_t len; /* octets, <= 65535 */
};
void key_sign(const struct key_identity *id, const char *label,
	      const struct key_part *parts, size_t n,
	      uint8_t sig[KEY_SIGNATURE_LEN]);
bool key_verify(const uint8_t public_key[KEY_PUBLIC_LEN], const char *label,
		const struct key_part *parts, size_t n,
		const uint8_t sig[KEY_SIGNATURE_LEN]);

/*
 * Ed25519 over a bare challenge, as public practice has it for IAX2 calls.
 * Refuses (false) to sign a challenge that is not 1..64 printable ASCII
 * octets: a statement made by key_sign() starts otherwise, so a peer cannot
 * have one signed under the name of a challenge.  Whose challenge it is, it
 * cannot know: that is for its caller to see (iax2_call_auth.c).
 */
bool key_sign_challenge(const struct key_identity *id, const char *challenge,
			uint8_t sig[KEY_SIGNATURE_LEN]);
bool key_verify_challenge(const uint8_t public_key[KEY_PUBLIC_LEN],
			  const char *challenge, const uint8_t *sig,
			  size_t sig_len);

/* MD5(challenge || secret) as 32 hexadecimal digits (RFC 5456 8.6.15). */
void key_md5_response(const char *challenge, const char *secret, char out[33]);

/* A public key as people exchange it: 44 characters of base64 and a NUL. */
#define KEY_TEXT_LEN 45U
void key_to_text(const uint8_t key[KEY_PUBLIC_LEN], char out[KEY_TEXT_LEN]);

/* Constant-time comparison. */
bool key_equal(const void *a, const void *b, size_t len);
/* Overwrite in a way the compiler keeps. */
void key_wipe(void *p, size_t len);

/* 32 octets of BLAKE2b keyed by @key over @label and the parts. */
void key_derive(uint8_t out[KEY_SHARED_LEN], const uint8_t key[KEY_SHARED_LEN],
		const char *label, const struct key_part *parts, size_t n);
/* The first 8 octets of the same: cookies and identifiers. */
uint64_t key_derive_u64(const uint8_t key[KEY_SHARED_LEN], const char *label,
			const struct key_part *parts, size_t n);

/* SipHash-2-4 for tables that strangers can put things into. */
uint64_t key_hash(const uint8_t key[16], const void *data, size_t len);

/* X25519 (RFC 7748).  key_agree() is false for a peer key of small order. */
void key_agree_pair(uint8_t public_key[KEY_PUBLIC_LEN],
		    const uint8_t secret[KEY_SHARED_LEN]);
bool key_agree(uint8_t shared[KEY_SHARED_LEN],
	       const uint8_t secret[KEY_SHARED_LEN],
	       const uint8_t peer[KEY_PUBLIC_LEN]);

/*
 * Seal a frame: append a KH TAG element whose value is BLAKE2b-128, keyed by
 * @key, over every octet of the datagram before that value, with the
 * retransmission bit taken as zero.  @frame is where the datagram starts and
 * @w the cursor that wrote it.
 */
void seal_append(struct wire_wr *w, const uint8_t *frame,
		 const uint8_t key[KEY_SHARED_LEN]);
/* True when the datagram ends in a KH TAG element that @key made. */
bool seal_check(const uint8_t *frame, size_t len,
		const uint8_t key[KEY_SHARED_LEN]);

/*
 * Encrypt or decrypt in place (ChaCha20, RFC 8439) with @nonce, which must
 * never repeat under one @key.  Integrity comes from the frame's seal.
 */
void key_cipher(uint8_t *buf, size_t len, const uint8_t key[KEY_SHARED_LEN],
		uint64_t nonce);

#endif
