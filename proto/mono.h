/* SPDX-License-Identifier: MIT */
#ifndef PROTO_MONO_H
#define PROTO_MONO_H

/*
 * Injected time: microseconds of CLOCK_MONOTONIC, handed to every entry of
 * this room as `now`.  Nothing in proto/ reads a clock.
 */

#include <stdint.h>

typedef uint64_t mono_us;

#define MONO_NEVER UINT64_MAX
#define MONO_MS UINT64_C(1000)
#define MONO_S UINT64_C(1000000)

static inline mono_us mono_min(mono_us a, mono_us b)
{
	return a < b ? a : b;
}

#endif
