/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/node/extnodes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is a node can be called, and is found by its number. */
static void check_line(const struct extnodes *x, const char *line, size_t len)
{
	const struct extnode *found;
	struct extnode n;
	char number[24];

	if (extnodes_line(line, len, &n) != EXTNODES_NODE)
		return;
	if (n.number == 0 || !net_addr_is_set(&n.call) ||
	    !net_addr_is_v4(&n.call) || !net_addr_is_v4(&n.from))
		abort();
	(void)snprintf(number, sizeof(number), "%llu",
		       (unsigned long long)n.number);
	found = extnodes_find(x, number);
	if (strlen(number) > EXTNODES_DIGITS || !found ||
	    found->number != n.number)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* At its own end, so that reading beyond it is seen. */
	char *text = malloc(size > 0 ? size : 1);
	struct extnodes *x;
	size_t lines = 1;

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	x = extnodes_new(text, size);
	if (!x)
		abort();
	for (size_t at = 0, begin = 0; at <= size; at++) {
		if (at < size && text[at] != '\n')
			continue;
		check_line(x, text + begin, at - begin);
		begin = at + 1;
		lines++;
	}
	if (extnodes_count(x) + extnodes_bad(x) > lines)
		abort();
	(void)extnodes_free(x);
	free(text);
	return 0;
}
