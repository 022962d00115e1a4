/* SPDX-License-Identifier: MIT */

#include "tests/unit/vectors.h"

#include <sodium.h>

#include "tests/t.h"

#ifndef VECTORS
#error VECTORS names the file
#endif

#define VECTORS_MAX 64U

static struct vector vectors[VECTORS_MAX];
static size_t vectors_n;

void vectors_read(void)
{
	static char line[2 * VECTOR_MAX + 80];
	FILE *f = fopen(VECTORS, "r");

	T_TRUE(f != NULL);
	while (f && fgets(line, sizeof(line), f)) {
		struct vector *v = &vectors[vectors_n];
		const size_t name = strcspn(line, " ");

		if (line[0] == '#' || line[0] == '\n')
			continue;
		T_TRUE(vectors_n < VECTORS_MAX && name < sizeof(v->name));
		memcpy(v->name, line, name);
		T_EQ(0,
		     sodium_hex2bin(v->data, sizeof(v->data), line + name,
				    strlen(line + name), " \n", &v->len, NULL));
		vectors_n++;
	}
	if (f)
		(void)fclose(f);
	T_TRUE(vectors_n > 0);
}

const struct vector *vector(const char *name)
{
	for (size_t i = 0; i < vectors_n; i++) {
		if (strcmp(vectors[i].name, name) == 0)
			return &vectors[i];
	}
	fprintf(stderr, "no vector %s in %s\n", name, VECTORS);
	t_die();
}

void vector_same(const char *name, const void *got, size_t len)
{
	static char hex[2 * VECTOR_MAX + 1];
	const struct vector *v = vector(name);

	if (v->len == len && memcmp(v->data, got, len) == 0)
		return;
	(void)sodium_bin2hex(hex, sizeof(hex), got, len);
	fprintf(stderr, "made: %s %s\n", name, hex);
	t_die();
}

struct key_identity node, registrar, peer;
uint8_t node_secret[32], registrar_secret[32];
uint8_t node_hello[32], registrar_hello[32];
struct oo_transcript transcript;

void parties_make(void)
{
	uint8_t seed[KEY_SEED_LEN];

	memset(seed, 0x11, sizeof(seed));
	key_identity_from_seed(&node, seed);
	memset(seed, 0x22, sizeof(seed));
	key_identity_from_seed(&registrar, seed);
	memset(seed, 0x55, sizeof(seed));
	key_identity_from_seed(&peer, seed);
	memset(node_secret, 0x33, sizeof(node_secret));
	memset(registrar_secret, 0x44, sizeof(registrar_secret));
	key_agree_pair(node_hello, node_secret);
	key_agree_pair(registrar_hello, registrar_secret);
	transcript = (struct oo_transcript){
		.number = "2001",
		.challenge = "00112233445566778899aabbccddeeff",
		.node_key = node.public_key,
		.registrar_key = registrar.public_key,
		.node_hello = node_hello,
		.registrar_hello = registrar_hello,
	};
}
