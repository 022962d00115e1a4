/* SPDX-License-Identifier: MIT */

#include "daemon/console/plain.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN '?'

static bool shows_utf8;

void plain_utf8(bool utf8)
{
	shows_utf8 = utf8;
}

/* Latin, Greek and Cyrillic letters, all one column wide; no combining marks,
 * nothing that turns the direction, no soft hyphen. */
static bool is_letter(unsigned ch)
{
	return ch >= 0xa0 && ch < 0x530 && ch != 0xad &&
	       (ch < 0x300 || ch >= 0x370) && (ch < 0x483 || ch > 0x489);
}

/* Octets of the sequence that begins with @first; 0: none does. */
static size_t sequence(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

unsigned plain_next(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	const size_t len = sequence(p[0]);
	unsigned ch;
	size_t n = 1;

	if (p[0] == '\0')
		return 0;
	/* A sequence that breaks off ends where it does. */
	while (n < len && (p[n] & 0xc0) == 0x80)
		n++;
	*text += n;
	if (n != len || len > 2)
		return UNKNOWN;
	if (len == 1)
		return p[0] >= ' ' && p[0] < 0x7f ? p[0] : UNKNOWN;
	ch = (unsigned)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	return shows_utf8 && is_letter(ch) ? ch : UNKNOWN;
}

size_t plain_put(unsigned ch, char out[PLAIN_OCTETS_MAX])
{
	if (ch < 0x80) {
		out[0] = (char)ch;
		return 1;
	}
	out[0] = (char)(0xc0 | ch >> 6);
	out[1] = (char)(0x80 | (ch & 0x3f));
	return 2;
}

void plain_text(const char *text, char *out, size_t room)
{
	size_t at = 0;
	unsigned ch;

	while ((ch = plain_next(&text))) {
		char octets[PLAIN_OCTETS_MAX];
		const size_t n = plain_put(ch, octets);

		if (at + n >= room)
			break;
		memcpy(out + at, octets, n);
		at += n;
	}
	out[at] = '\0';
}

static void plain_string(json_t *s)
{
	const char *text = json_string_value(s);
	const size_t room = strlen(text) + 1; /* it grows by nothing */
	char *clean = malloc(room);

	if (clean)
		plain_text(text, clean, room);
	(void)json_string_set(s, clean ? clean : "?");
	free(clean);
}

static json_t *child(json_t *o, size_t i, void **at)
{
	if (json_is_array(o))
		return json_array_get(o, i);
	*at = i == 0 ? json_object_iter(o) : json_object_iter_next(o, *at);
	return *at ? json_object_iter_value(*at) : NULL;
}

/* As deep as jansson reads, which is bounded. */
// NOLINTNEXTLINE(misc-no-recursion)
void plain_json(json_t *o)
{
	void *at = NULL;
	json_t *c;

	if (json_is_string(o)) {
		plain_string(o);
		return;
	}
	if (!json_is_array(o) && !json_is_object(o))
		return;
	for (size_t i = 0; (c = child(o, i, &at)); i++)
		plain_json(c);
}
