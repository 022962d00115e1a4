/* SPDX-License-Identifier: MIT */
#ifndef RADIO_DELAY_H
#define RADIO_DELAY_H

/*
 * A delay line: what was put into it can be taken again, later.  Receiver
 * (radio/cor.h) and transmitter (radio/ptt.h) say how much later, and that may
 * change from one block to the next.  Put a block, then take one.
 */

#include <stddef.h>
#include <stdint.h>

struct delay;

/* A line that reaches @max samples back, which may be 0, full of silence.
 * Owned by the caller; NULL without memory. */
struct delay *delay_new(size_t max);

/* Accepts NULL; returns NULL. */
struct delay *delay_free(struct delay *d);

/* @n samples, the latest last; any number. */
void delay_put(struct delay *d, const int16_t *in, size_t n);

/*
 * The @n samples that end @back samples before the latest: with @back 0 and
 * the @n of delay_put(), what was put just now.  Beyond the line's reach, and
 * before the first that was put, there is silence.
 */
void delay_get(const struct delay *d, size_t back, int16_t *out, size_t n);

/* Forget what was put. */
void delay_clear(struct delay *d);

#endif
