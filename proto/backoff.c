/* SPDX-License-Identifier: MIT */

#include "proto/backoff.h"

mono_us backoff_spread(const struct backoff *b, mono_us low, mono_us high)
{
	uint8_t o[4] = { 0 };
	uint64_t v;

	if (high <= low)
		return low;
	b->random(b->random_ctx, o, sizeof(o));
	v = (uint64_t)o[0] << 24 | (uint64_t)o[1] << 16 | (uint64_t)o[2] << 8 |
	    o[3];
	/* Spans of hours stay far below 2^32 microseconds times 2^32. */
	return low + v * (high - low) / ((uint64_t)UINT32_MAX + 1);
}

mono_us backoff_pause(const struct backoff *b, unsigned failures)
{
	mono_us pause = b->min;

	while (failures-- > 0 && pause < b->max)
		pause *= 2;
	pause = mono_min(pause, b->max);
	return backoff_spread(b, pause / 2, pause);
}
