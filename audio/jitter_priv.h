/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_JITTER_PRIV_H
#define AUDIO_JITTER_PRIV_H

/* What taking frames (jitter.c) and playing them (jitter_play.c) share. */

#include "audio/jitter_ring.h"

#define JITTER_HISTORY_MS 256 /* of the ring, behind what plays */
#define BLOCK_MS ((int64_t)JITTER_BLOCK_MS)

/* Go on to play at @to; the history moves along. */
static inline void jitter_advance(struct jitter *j, int64_t to)
{
	jitter_ring_forget(j, j->play - JITTER_HISTORY_MS,
			   to - JITTER_HISTORY_MS);
	j->play = to;
}

static inline int64_t jitter_transit_us(uint64_t now_us, int64_t pos)
{
	return (int64_t)now_us - pos * 1000;
}

static inline int64_t jitter_ahead_max(const struct jitter *j)
{
	return jitter_ring_ms(j) - JITTER_HISTORY_MS;
}

/* Where the speech that plays ends, as far as it is known. */
static inline int64_t jitter_spurt_end(const struct jitter *j)
{
	return j->pauses > 0 ? j->pause[0].from : j->end;
}

/* How long what is at `play` has been held, in ms. */
static inline int64_t jitter_held_ms(const struct jitter *j, uint64_t now_us)
{
	return (jitter_transit_us(now_us, j->play) - j->transit.base_us) / 1000;
}

#endif
