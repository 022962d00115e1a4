/* SPDX-License-Identifier: MIT */

#include "proto/call_token.h"

#include <sodium.h>
#include <string.h>

#include "tests/t.h"

static uint8_t fill;

static void counting(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, ++fill, len);
}

static const uint8_t *check(struct rotating_secret *s,
			    const struct net_addr *from, const char *token)
{
	return call_token_check(s, from, token, strlen(token));
}

static void a_token_is_for_one_address_and_port(void)
{
	const struct net_addr a = net_addr_v4(192, 0, 2, 1, 4569);
	struct net_addr b = a;
	struct rotating_secret s;
	char token[CALL_TOKEN_LEN + 1], other[CALL_TOKEN_LEN + 1];

	rotating_secret_init(&s, counting, NULL, 0);
	call_token_make(&s, &a, token);
	T_EQ(CALL_TOKEN_LEN, strlen(token));
	T_TRUE(check(&s, &a, token) != NULL);
	for (int bit = 0; bit < 16; bit++) {
		b.port = (uint16_t)(a.port ^ 1U << bit);
		T_TRUE(check(&s, &b, token) == NULL);
		call_token_make(&s, &b, other);
		T_TRUE(strcmp(token, other) != 0);
	}
	b = net_addr_v4(192, 0, 2, 2, 4569);
	T_TRUE(check(&s, &b, token) == NULL);
}

static void every_other_text_is_refused(void)
{
	const struct net_addr a = net_addr_v4(192, 0, 2, 1, 4569);
	struct rotating_secret s;
	char token[CALL_TOKEN_LEN + 1];

	rotating_secret_init(&s, counting, NULL, 0);
	call_token_make(&s, &a, token);
	for (size_t i = 0; i < CALL_TOKEN_LEN; i++) {
		T_TRUE(call_token_check(&s, &a, token, i) == NULL);
		token[i] ^= 1;
		T_TRUE(check(&s, &a, token) == NULL);
		token[i] ^= 1;
	}
	T_TRUE(call_token_check(&s, &a, token, CALL_TOKEN_LEN + 1) == NULL);
	T_TRUE(check(&s, &a, token) != NULL);
}

/* Good for 30 to 60 s, whenever it was made. */
static void a_token_ages(void)
{
	const struct net_addr a = net_addr_v4(192, 0, 2, 1, 4569);

	for (mono_us made = 0; made < 60 * MONO_S; made += MONO_S) {
		struct rotating_secret s;
		char token[CALL_TOKEN_LEN + 1];

		rotating_secret_init(&s, counting, NULL, 0);
		rotating_secret_tick(&s, counting, NULL, made);
		call_token_make(&s, &a, token);
		rotating_secret_tick(&s, counting, NULL, made + 29 * MONO_S);
		T_TRUE(check(&s, &a, token) != NULL);
		rotating_secret_tick(&s, counting, NULL, made + 59 * MONO_S);
		rotating_secret_tick(&s, counting, NULL, made + 89 * MONO_S);
		T_TRUE(check(&s, &a, token) == NULL);
		/* After a long rest nothing old is good. */
		call_token_make(&s, &a, token);
		rotating_secret_tick(&s, counting, NULL, made + 3600 * MONO_S);
		T_TRUE(check(&s, &a, token) == NULL);
	}
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_token_is_for_one_address_and_port);
	T_RUN(every_other_text_is_refused);
	T_RUN(a_token_ages);
	return T_DONE();
}
