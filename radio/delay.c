/* SPDX-License-Identifier: MIT */

#include "radio/delay.h"

#include <stdlib.h>
#include <string.h>

/* A block is put before it is taken, and the line reaches @max beyond it. */
#define BLOCK_MAX 960U /* samples: 20 ms of 48 kHz */

struct delay {
	size_t size;
	size_t put; /* where the next sample goes */
	int16_t sample[];
};

struct delay *delay_new(size_t max)
{
	struct delay *d;

	if (max > SIZE_MAX / sizeof(d->sample[0]) / 2)
		return NULL;
	d = calloc(1, sizeof(*d) + (max + BLOCK_MAX) * sizeof(d->sample[0]));
	if (d)
		d->size = max + BLOCK_MAX;
	return d;
}

struct delay *delay_free(struct delay *d)
{
	free(d);
	return NULL;
}

void delay_put(struct delay *d, const int16_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		d->sample[d->put] = in[i];
		d->put = d->put + 1 < d->size ? d->put + 1 : 0;
	}
}

void delay_get(const struct delay *d, size_t back, int16_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* The latest sample is one before the place of the next. */
		const size_t ago = n - i;

		if (back >= d->size || ago > d->size - back)
			out[i] = 0;
		else
			out[i] = d->sample[(d->put + d->size - back - ago) %
					   d->size];
	}
}

void delay_clear(struct delay *d)
{
	memset(d->sample, 0, d->size * sizeof(d->sample[0]));
}
