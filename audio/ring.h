/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_RING_H
#define AUDIO_RING_H

/*
 * A queue of equal elements between one thread that puts and one that takes,
 * without a lock.  Neither side ever waits; what does not fit is not put.
 *
 * The two indices run freely and wrap: a difference is a number of elements.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	uint8_t *data;
	size_t size;   /* octets of an element */
	uint32_t mask; /* room - 1 */
	_Atomic uint32_t put;
	_Atomic uint32_t taken;
};

/* @room elements, a power of two up to 2^24, of @size octets.  0 or -ENOMEM. */
int ring_init(struct ring *r, size_t size, uint32_t room);
/* Accepts zeroes, leaves zeroes. */
void ring_done(struct ring *r);

/* The putting thread: elements put until now, how many more fit, and put @n of
 * them, or as many as fit.  Returns how many. */
uint32_t ring_put_index(const struct ring *r);
uint32_t ring_room(const struct ring *r);
uint32_t ring_put(struct ring *r, const void *elements, uint32_t n);

/* The taking thread: elements taken until now, how many wait, and take @n of
 * them, or what there is, to @out; NULL: nowhere. */
uint32_t ring_taken_index(const struct ring *r);
uint32_t ring_waits(const struct ring *r);
uint32_t ring_take(struct ring *r, void *out, uint32_t n);
/* The same, but they stay there. */
uint32_t ring_peek(const struct ring *r, void *out, uint32_t n);

#endif
