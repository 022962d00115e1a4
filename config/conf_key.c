/* SPDX-License-Identifier: MIT */

#include "config/conf_key.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* 32 octets are 43 characters of 6 bits, 2 bits of nothing, and one '='. */
#define CHARS 43U
#define SPARE_BITS 2U

bool conf_key_decode(const char *text, uint8_t out[CONF_KEY_LEN])
{
	uint8_t key[CONF_KEY_LEN];
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0;

	if (strnlen(text, CONF_KEY_TEXT_LEN) != CHARS + 1 || text[CHARS] != '=')
		return false;
	for (size_t i = 0; i < CHARS; i++) {
		const char *at = strchr(alphabet, text[i]);

		if (!at)
			return false;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		key[n++] = (uint8_t)(bits >> held);
	}
	if ((bits & ((1U << SPARE_BITS) - 1)) != 0)
		return false;
	memcpy(out, key, sizeof(key));
	return true;
}

void conf_key_encode(const uint8_t key[CONF_KEY_LEN],
		     char out[CONF_KEY_TEXT_LEN])
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0;

	for (size_t i = 0; i < CONF_KEY_LEN; i++) {
		bits = bits << 8 | key[i];
		held += 8;
		while (held >= 6) {
			held -= 6;
			out[n++] = alphabet[bits >> held & 0x3f];
		}
	}
	out[n++] = alphabet[bits << SPARE_BITS & 0x3f];
	out[n++] = '=';
	out[n] = '\0';
}
