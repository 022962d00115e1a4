/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_MIX_H
#define AUDIO_MIX_H

/*
 * Mixing 16-bit blocks.  The sum is kept wide and saturates only on its way
 * out, so what a source gets to hear (everything but itself) is the sum minus
 * its own block, exactly.  Up to 65536 sources.  Pure; no allocation.
 */

#include <stddef.h>
#include <stdint.h>

static inline int16_t mix_saturate(int32_t v)
{
	if (v > INT16_MAX)
		return INT16_MAX;
	if (v < INT16_MIN)
		return INT16_MIN;
	return (int16_t)v;
}

/* Add @in to @sum, which the caller zeroed before the first. */
void mix_add(int32_t *sum, const int16_t *in, size_t n);

/* The whole mix. */
void mix_all(const int32_t *sum, int16_t *out, size_t n);

/* The mix without @own, which was added to @sum before.  @out may be @own. */
void mix_minus(const int32_t *sum, const int16_t *own, int16_t *out, size_t n);

#endif
