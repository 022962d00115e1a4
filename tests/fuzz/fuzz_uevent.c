/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "daemon/io/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Anybody in the machine's network namespace who is root may send them: they
 * are read to their end and no further. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	bool whole;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	whole = uevent_matters(copy, size);
	copy[size] = 0;
	/* A NUL more ends the same text. */
	if (whole != uevent_matters(copy, size + 1))
		abort();
	free(copy);
	return 0;
}
