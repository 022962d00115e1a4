/* SPDX-License-Identifier: MIT */

#include "audio/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MAX (1U << 24)

int ring_init(struct ring *r, size_t size, uint32_t room)
{
	assert(size > 0 && room > 0 && room <= ROOM_MAX);
	assert((room & (room - 1)) == 0);
	*r = (struct ring){ .size = size, .mask = room - 1 };
	r->data = calloc(room, size);
	return r->data ? 0 : -ENOMEM;
}

void ring_done(struct ring *r)
{
	free(r->data);
	r->data = NULL;
}

uint32_t ring_put_index(const struct ring *r)
{
	return atomic_load_explicit(&r->put, memory_order_relaxed);
}

/* Acquire: the other side is done with the room before it is filled again. */
uint32_t ring_room(const struct ring *r)
{
	return r->mask + 1 - ring_put_index(r) +
	       atomic_load_explicit(&r->taken, memory_order_acquire);
}

uint32_t ring_put(struct ring *r, const void *elements, uint32_t n)
{
	const uint32_t room = ring_room(r), from = ring_put_index(r);
	const uint32_t at = from & r->mask, end = r->mask + 1 - at;
	uint32_t first;

	n = n < room ? n : room;
	first = n < end ? n : end;
	memcpy(r->data + at * r->size, elements, first * r->size);
	memcpy(r->data, (const uint8_t *)elements + first * r->size,
	       (n - first) * r->size);
	atomic_store_explicit(&r->put, from + n, memory_order_release);
	return n;
}

uint32_t ring_taken_index(const struct ring *r)
{
	return atomic_load_explicit(&r->taken, memory_order_relaxed);
}

uint32_t ring_waits(const struct ring *r)
{
	return atomic_load_explicit(&r->put, memory_order_acquire) -
	       ring_taken_index(r);
}

uint32_t ring_peek(const struct ring *r, void *out, uint32_t n)
{
	const uint32_t waits = ring_waits(r);
	const uint32_t at = ring_taken_index(r) & r->mask;
	const uint32_t end = r->mask + 1 - at;
	uint32_t first;

	n = n < waits ? n : waits;
	first = n < end ? n : end;
	if (out) {
		memcpy(out, r->data + at * r->size, first * r->size);
		memcpy((uint8_t *)out + first * r->size, r->data,
		       (n - first) * r->size);
	}
	return n;
}

uint32_t ring_take(struct ring *r, void *out, uint32_t n)
{
	n = ring_peek(r, out, n);
	atomic_store_explicit(&r->taken, ring_taken_index(r) + n,
			      memory_order_release);
	return n;
}
