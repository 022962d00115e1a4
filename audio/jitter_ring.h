/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_JITTER_RING_H
#define AUDIO_JITTER_RING_H

/* What a jitter buffer holds, by the stream's milliseconds; for jitter.c
 * and jitter_play.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/jitter.h"

/* A frame with its place in the stream. */
struct jitter_piece {
	int64_t pos;
	int64_t len_ms;
	struct jitter_unit unit;
	const uint8_t *codes;
};

bool jitter_unit_is_sound(const struct jitter_unit *u);

/* Milliseconds that the ring holds of what is made of @j's units. */
int64_t jitter_ring_ms(const struct jitter *j);

bool jitter_ring_has(const struct jitter *j, int64_t pos);

/* What is there from @from to before @to is so no longer. */
void jitter_ring_forget(struct jitter *j, int64_t from, int64_t to);

/* Store what is not before `play`.  False when all of it was there. */
bool jitter_ring_store(struct jitter *j, const struct jitter_piece *p);

/* What is there of the block at `play`, into its valid and codes, which are
 * zero before. */
void jitter_ring_take(const struct jitter *j, struct jitter_block *out);

#endif
