/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_JITTER_BENCH_H
#define TESTS_UNIT_JITTER_BENCH_H

/* One jitter buffer, taken from every 20 ms of a clock of its own. */

#include "audio/jitter.h"
#include "tests/t.h"

#define MS UINT64_C(1000)
#define START (UINT64_C(5000) * MS)

static const struct jitter_unit gsm_unit = { 20, 33 };
static const struct jitter_unit wide_unit = { 1, 32 };

static struct jitter j;
static struct jitter_block block;
static uint64_t now;

static inline void reset(uint32_t min_ms, uint32_t max_ms)
{
	const struct jitter_config config = { .min_ms = min_ms,
					      .max_ms = max_ms };

	T_EQ(0, jitter_init(&j, &config));
	now = START;
}

static inline enum jitter_get get(void)
{
	const enum jitter_get got = jitter_get(&j, now, &block);

	now += 20 * MS;
	return got;
}

/* A tick of somebody who stretches and shrinks by half a block. */
static inline void get_as_advised(void)
{
	static int32_t held_ms;

	if (held_ms >= 20) {
		held_ms -= 20;
		now += 20 * MS;
		return;
	}
	(void)get();
	if (block.advice == JITTER_STRETCH)
		held_ms += 10;
	if (block.advice == JITTER_SHRINK)
		held_ms -= 10;
	if (held_ms >= 0)
		return;
	(void)jitter_get(&j, now - 20 * MS, &block);
	held_ms += 20;
}

static inline uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

#endif
