/* SPDX-License-Identifier: MIT */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/node/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_field(const char *text, size_t room)
{
	if (strlen(text) >= room)
		abort();
	for (; *text != '\0'; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c < ' ' || c == 0x7f || c == '|')
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* At its own end, so that reading beyond it is seen. */
	char *text = malloc(size > 0 ? size : 1);
	struct names *x;
	size_t lines = 1;

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	x = names_new(text, size);
	free(text);
	if (!x || names_count(x) + names_bad(x) > lines)
		abort();
	for (unsigned i = 0; i < 3000; i++) {
		char number[16];
		struct name n;

		(void)snprintf(number, sizeof(number), "%u", i);
		if (!names_find(x, number, &n))
			continue;
		check_field(n.callsign, sizeof(n.callsign));
		check_field(n.description, sizeof(n.description));
		check_field(n.location, sizeof(n.location));
	}
	(void)names_free(x);
	return 0;
}
