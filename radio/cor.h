/* SPDX-License-Identifier: MIT */
#ifndef RADIO_COR_H
#define RADIO_COR_H

/*
 * The receiver's carrier-operated relay, debounced: a level counts once it
 * has lasted.  Pure: `now_us` is microseconds of CLOCK_MONOTONIC.  After each
 * call, see cor_up() and arm one timer for cor_deadline().
 */

#include <stdbool.h>
#include <stdint.h>

#define COR_MS_MAX 5000U
#define COR_NEVER UINT64_MAX

struct cor_config {
	uint32_t up_ms;   /* a carrier counts after this, 0..COR_MS_MAX */
	uint32_t down_ms; /* its loss counts after this, 0..COR_MS_MAX */
};

struct cor {
	struct cor_config config;
	bool raw;           /* the level, as last told */
	bool up;            /* what counts */
	uint64_t raw_since; /* when the level last changed */
};

/* Down.  Returns 0, or -EINVAL for a value out of its range. */
int cor_init(struct cor *c, const struct cor_config *config);

/* The level now.  Repeating it is harmless. */
void cor_input(struct cor *c, bool raw, uint64_t now_us);

void cor_tick(struct cor *c, uint64_t now_us);

/* The receiver is gone: down at once. */
void cor_reset(struct cor *c, uint64_t now_us);

bool cor_up(const struct cor *c);

/* When cor_tick() is next needed; COR_NEVER: not before the next input. */
uint64_t cor_deadline(const struct cor *c);

#endif
