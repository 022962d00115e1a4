/* SPDX-License-Identifier: MIT */

#include "proto/call_token.h"

#include <string.h>

#include "proto/iax2_ie.h"

#define ROTATE_US (30 * MONO_S)

void rotating_secret_init(struct rotating_secret *s, random_fn random,
			  void *random_ctx, mono_us now)
{
	random(random_ctx, s->now, sizeof(s->now));
	random(random_ctx, s->before, sizeof(s->before));
	s->since = now;
}

void rotating_secret_tick(struct rotating_secret *s, random_fn random,
			  void *random_ctx, mono_us now)
{
	if (now - s->since < ROTATE_US)
		return;
	/* After a long rest even the present one is older than it may be. */
	if (now - s->since >= 2 * ROTATE_US)
		random(random_ctx, s->before, sizeof(s->before));
	else
		memcpy(s->before, s->now, sizeof(s->before));
	random(random_ctx, s->now, sizeof(s->now));
	s->since = now;
}

static void make(const uint8_t secret[KEY_SHARED_LEN],
		 const struct net_addr *from, char out[CALL_TOKEN_LEN + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t addr[18];
	const size_t n = net_addr_put(addr, from);
	const struct key_part parts[] = { { addr, n } };
	uint64_t v = key_derive_u64(secret, "keyhole call token", parts, 1);

	for (size_t i = 0; i < CALL_TOKEN_LEN; i++) {
		out[i] = digits[v & 63];
		v >>= 6;
	}
	out[CALL_TOKEN_LEN] = '\0';
}

void call_token_make(const struct rotating_secret *s,
		     const struct net_addr *from, char out[CALL_TOKEN_LEN + 1])
{
	make(s->now, from, out);
}

const uint8_t *call_token_check(const struct rotating_secret *s,
				const struct net_addr *from, const void *token,
				size_t len)
{
	const uint8_t *const secrets[] = { s->now, s->before };
	char want[CALL_TOKEN_LEN + 1];

	if (len != CALL_TOKEN_LEN)
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		make(secrets[i], from, want);
		if (key_equal(want, token, CALL_TOKEN_LEN))
			return secrets[i];
	}
	return NULL;
}
