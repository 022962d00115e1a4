/* SPDX-License-Identifier: MIT */

#include "audio/jitter_ring.h"

#include <string.h>

/* Octets of the ring for each millisecond.  A unit that does not fill those of
 * its time leaves the last of them unused. */
static size_t octets_per_ms(const struct jitter_unit *u)
{
	return ((size_t)u->octets + u->ms - 1) / u->ms;
}

bool jitter_unit_is_sound(const struct jitter_unit *u)
{
	return (u->ms == 1 || u->ms == JITTER_BLOCK_MS) && u->octets > 0 &&
	       octets_per_ms(u) <= JITTER_OCTETS_PER_MS;
}

int64_t jitter_ring_ms(const struct jitter *j)
{
	const size_t share = octets_per_ms(&j->unit);
	int64_t ms = JITTER_RING_MS;

	while ((size_t)ms * share > JITTER_RING_OCTETS)
		ms /= 2;
	return ms;
}

static uint32_t ring_index(const struct jitter *j, int64_t pos)
{
	return (uint32_t)((uint64_t)pos % (uint64_t)jitter_ring_ms(j));
}

bool jitter_ring_has(const struct jitter *j, int64_t pos)
{
	const uint32_t i = ring_index(j, pos);

	return (j->there[i / 64] >> i % 64 & 1) != 0;
}

void jitter_ring_forget(struct jitter *j, int64_t from, int64_t to)
{
	if (to - from >= jitter_ring_ms(j)) {
		memset(j->there, 0, sizeof(j->there));
		return;
	}
	for (int64_t pos = from; pos < to; pos++) {
		const uint32_t i = ring_index(j, pos);

		j->there[i / 64] &= ~(UINT64_C(1) << i % 64);
	}
}

/* Millisecond @ms of @p into the ring. */
static void store_ms(struct jitter *j, const struct jitter_piece *p, size_t ms)
{
	const size_t share = octets_per_ms(&p->unit);
	const size_t at = ms % p->unit.ms * share;
	const uint8_t *unit = p->codes + ms / p->unit.ms * p->unit.octets;
	uint8_t *to = j->ring + ring_index(j, p->pos + (int64_t)ms) * share;

	if (at + share <= p->unit.octets)
		memcpy(to, unit + at, share);
	else if (at < p->unit.octets)
		memcpy(to, unit + at, p->unit.octets - at);
}

bool jitter_ring_store(struct jitter *j, const struct jitter_piece *p)
{
	const int64_t skip = p->pos < j->play ? j->play - p->pos : 0;
	bool added = false;

	for (int64_t ms = skip; ms < p->len_ms; ms++) {
		const uint32_t i = ring_index(j, p->pos + ms);

		if (jitter_ring_has(j, p->pos + ms))
			continue;
		added = true;
		j->there[i / 64] |= UINT64_C(1) << i % 64;
		store_ms(j, p, (size_t)ms);
	}
	return added;
}

void jitter_ring_take(const struct jitter *j, struct jitter_block *out)
{
	const size_t share = octets_per_ms(&j->unit);

	for (uint32_t ms = 0; ms < JITTER_BLOCK_MS; ms++) {
		const int64_t pos = j->play + ms;

		if (!jitter_ring_has(j, pos))
			continue;
		out->valid |= 1U << ms;
		memcpy(out->codes + ms * share,
		       j->ring + ring_index(j, pos) * share, share);
	}
}
