/* SPDX-License-Identifier: MIT */

#include "proto/keys.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include <nettle/md5.h>

#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"

#define CHALLENGE_MAX 64U
#define R_BIT 0x80U /* octet 2 of a full frame */

static_assert(KEY_SECRET_LEN == crypto_sign_SECRETKEYBYTES, "Ed25519");
static_assert(KEY_SIGNATURE_LEN == crypto_sign_BYTES, "Ed25519");
static_assert(KEY_SHARED_LEN == crypto_scalarmult_BYTES, "X25519");

void key_identity_from_seed(struct key_identity *id,
			    const uint8_t seed[KEY_SEED_LEN])
{
	crypto_sign_seed_keypair(id->public_key, id->secret_key, seed);
}

/* BLAKE2b-512 of the statement: fixed size, so nothing is ever too long. */
static void statement_digest(uint8_t out[64], const uint8_t *key,
			     size_t key_len, const char *label,
			     const struct key_part *parts, size_t n)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, key, key_len, 64);
	crypto_generichash_update(&st, (const uint8_t *)label,
				  strlen(label) + 1);
	for (size_t i = 0; i < n; i++) {
		const uint8_t len[2] = { (uint8_t)(parts[i].len >> 8),
					 (uint8_t)parts[i].len };

		assert(parts[i].len <= 65535);
		crypto_generichash_update(&st, len, sizeof(len));
		if (parts[i].len > 0)
			crypto_generichash_update(&st, parts[i].data,
						  parts[i].len);
	}
	crypto_generichash_final(&st, out, 64);
}

/* What is signed starts with an octet that no printable challenge has. */
#define STATEMENT_LEN (1 + 64)

static void statement(uint8_t out[STATEMENT_LEN], const char *label,
		      const struct key_part *parts, size_t n)
{
	out[0] = 0;
	statement_digest(out + 1, NULL, 0, label, parts, n);
}

void key_sign(const struct key_identity *id, const char *label,
	      const struct key_part *parts, size_t n,
	      uint8_t sig[KEY_SIGNATURE_LEN])
{
	uint8_t st[STATEMENT_LEN];

	statement(st, label, parts, n);
	crypto_sign_detached(sig, NULL, st, sizeof(st), id->secret_key);
}

bool key_verify(const uint8_t public_key[KEY_PUBLIC_LEN], const char *label,
		const struct key_part *parts, size_t n,
		const uint8_t sig[KEY_SIGNATURE_LEN])
{
	uint8_t st[STATEMENT_LEN];

	statement(st, label, parts, n);
	return crypto_sign_verify_detached(sig, st, sizeof(st), public_key) ==
	       0;
}

static bool challenge_is_plain(const char *challenge)
{
	const size_t len = strlen(challenge);

	if (len == 0 || len > CHALLENGE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (challenge[i] < 0x20 || challenge[i] > 0x7e)
			return false;
	}
	return true;
}

bool key_sign_challenge(const struct key_identity *id, const char *challenge,
			uint8_t sig[KEY_SIGNATURE_LEN])
{
	if (!challenge_is_plain(challenge))
		return false;
	crypto_sign_detached(sig, NULL, (const uint8_t *)challenge,
			     strlen(challenge), id->secret_key);
	return true;
}

bool key_verify_challenge(const uint8_t public_key[KEY_PUBLIC_LEN],
			  const char *challenge, const uint8_t *sig,
			  size_t sig_len)
{
	return sig_len == KEY_SIGNATURE_LEN &&
	       crypto_sign_verify_detached(sig, (const uint8_t *)challenge,
					   strlen(challenge), public_key) == 0;
}

void key_md5_response(const char *challenge, const char *secret, char out[33])
{
	struct md5_ctx ctx;
	uint8_t digest[MD5_DIGEST_SIZE];

	md5_init(&ctx);
	md5_update(&ctx, strlen(challenge), (const uint8_t *)challenge);
	md5_update(&ctx, strlen(secret), (const uint8_t *)secret);
	md5_digest(&ctx, sizeof(digest), digest);
	sodium_bin2hex(out, 33, digest, sizeof(digest));
}

void key_to_text(const uint8_t key[KEY_PUBLIC_LEN], char out[KEY_TEXT_LEN])
{
	(void)sodium_bin2base64(out, KEY_TEXT_LEN, key, KEY_PUBLIC_LEN,
				sodium_base64_VARIANT_ORIGINAL);
}

bool key_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void key_wipe(void *p, size_t len)
{
	sodium_memzero(p, len);
}

void key_derive(uint8_t out[KEY_SHARED_LEN], const uint8_t key[KEY_SHARED_LEN],
		const char *label, const struct key_part *parts, size_t n)
{
	uint8_t digest[64];

	statement_digest(digest, key, KEY_SHARED_LEN, label, parts, n);
	memcpy(out, digest, KEY_SHARED_LEN);
	sodium_memzero(digest, sizeof(digest));
}

uint64_t key_derive_u64(const uint8_t key[KEY_SHARED_LEN], const char *label,
			const struct key_part *parts, size_t n)
{
	uint8_t digest[64] = { 0 };
	struct wire_rd r = wire_rd(digest, sizeof(digest));

	statement_digest(digest, key, KEY_SHARED_LEN, label, parts, n);
	return wire_rd_u64(&r);
}

uint64_t key_hash(const uint8_t key[16], const void *data, size_t len)
{
	uint8_t h[crypto_shorthash_BYTES] = { 0 };
	struct wire_rd r = wire_rd(h, sizeof(h));

	crypto_shorthash(h, data, len, key);
	return wire_rd_u64(&r);
}

void key_agree_pair(uint8_t public_key[KEY_PUBLIC_LEN],
		    const uint8_t secret[KEY_SHARED_LEN])
{
	(void)crypto_scalarmult_base(public_key, secret);
}

bool key_agree(uint8_t shared[KEY_SHARED_LEN],
	       const uint8_t secret[KEY_SHARED_LEN],
	       const uint8_t peer[KEY_PUBLIC_LEN])
{
	return crypto_scalarmult(shared, secret, peer) == 0;
}

/* The tag over @frame[0..@len), the retransmission bit taken as zero. */
static void seal_tag(uint8_t tag[KEY_TAG_LEN], const uint8_t *frame, size_t len,
		     const uint8_t key[KEY_SHARED_LEN])
{
	crypto_generichash_state st;
	uint8_t head[IAX2_FULL_HDR_LEN];

	assert(len >= sizeof(head));
	memcpy(head, frame, sizeof(head));
	head[2] &= (uint8_t)~R_BIT;
	crypto_generichash_init(&st, key, KEY_SHARED_LEN, KEY_TAG_LEN);
	crypto_generichash_update(&st, head, sizeof(head));
	crypto_generichash_update(&st, frame + sizeof(head),
				  len - sizeof(head));
	crypto_generichash_final(&st, tag, KEY_TAG_LEN);
}

void seal_append(struct wire_wr *w, const uint8_t *frame,
		 const uint8_t key[KEY_SHARED_LEN])
{
	uint8_t tag[KEY_TAG_LEN];

	wire_wr_u8(w, IAX2_IE_KH_TAG);
	wire_wr_u8(w, KEY_TAG_LEN);
	if (w->bad)
		return;
	seal_tag(tag, frame, (size_t)(w->p - frame), key);
	wire_wr_bytes(w, tag, sizeof(tag));
}

bool seal_check(const uint8_t *frame, size_t len,
		const uint8_t key[KEY_SHARED_LEN])
{
	const size_t covered = len - KEY_TAG_LEN;
	uint8_t tag[KEY_TAG_LEN];

	if (len < IAX2_FULL_HDR_LEN + 2 + KEY_TAG_LEN ||
	    frame[covered - 2] != IAX2_IE_KH_TAG ||
	    frame[covered - 1] != KEY_TAG_LEN)
		return false;
	seal_tag(tag, frame, covered, key);
	return sodium_memcmp(tag, frame + covered, KEY_TAG_LEN) == 0;
}

void key_cipher(uint8_t *buf, size_t len, const uint8_t key[KEY_SHARED_LEN],
		uint64_t nonce)
{
	uint8_t n[crypto_stream_chacha20_ietf_NONCEBYTES] = { 0 };
	struct wire_wr w = wire_wr(n + 4, 8);

	wire_wr_u64(&w, nonce);
	crypto_stream_chacha20_ietf_xor(buf, buf, len, n, key);
}
