/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "daemon/registrar/zone_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A datagram from anybody: what is answered is short, is an answer, and says
 * so. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct net_addr at = net_addr_v4(192, 0, 2, 7, 4569);
	const struct zone_node node = {
		&at, "0123456789012345678901234567890123456789012="
	};
	uint8_t out[ZONE_UDP_MAX];
	struct zone_question q;
	size_t n;

	if (!zone_read(data, size, "club.example.org", &q))
		return 0;
	if (q.len > size || strlen(q.number) > ZONE_NUMBER_MAX)
		abort();
	n = zone_answer(data, &q, &node, out, sizeof(out));
	if (n < 12 || !(out[2] & 0x80) || memcmp(out, data, 2) != 0 ||
	    (q.name == ZONE_NAME_FOREIGN && n > size))
		abort();
	n = zone_truncated(data, &q, out, sizeof(out));
	if (n > size || n < 12)
		abort();
	return 0;
}
