/* SPDX-License-Identifier: MIT */

#include "daemon/io/log_text.h"

#include <stddef.h>
#include <stdint.h>

/* Octets of the character at @s (RFC 3629), the NUL never among them; 0: that
 * is none that may be shown. */
static size_t char_len(const unsigned char *s)
{
	static const struct {
		unsigned char first, last; /* octet */
		unsigned char low, high;   /* second octet */
		size_t len;
	} row[] = {
		{ 0x20, 0x7e, 0, 0, 1 },       { 0xc2, 0xc2, 0xa0, 0xbf, 2 },
		{ 0xc3, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t i = 0;

	while (i < sizeof(row) / sizeof(row[0]) && s[0] > row[i].last)
		i++;
	if (i == sizeof(row) / sizeof(row[0]) || s[0] < row[i].first)
		return 0;
	if (row[i].len > 1 && (s[1] < row[i].low || s[1] > row[i].high))
		return 0;
	for (size_t k = 2; k < row[i].len; k++) {
		if ((s[k] & 0xc0) != 0x80)
			return 0;
	}
	return row[i].len;
}

void log_text_clean(char *text)
{
	unsigned char *s = (unsigned char *)text;

	while (*s != '\0') {
		const size_t len = char_len(s);

		if (len == 0)
			*s = '?';
		s += len > 0 ? len : 1;
	}
}
