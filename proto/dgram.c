/* SPDX-License-Identifier: MIT */

#include "proto/dgram.h"

#include <stdlib.h>
#include <string.h>

struct slot {
	struct net_path path;
	uint16_t len;
	uint8_t ttl;
	uint8_t data[DGRAM_MAX];
};

struct dgram_queue {
	size_t cap;
	size_t head;
	size_t fill;
	uint64_t dropped;
	struct slot slots[];
};

struct dgram_queue *dgram_queue_new(size_t slots)
{
	struct dgram_queue *q;

	if (slots < 8 || slots > 65536)
		return NULL;
	q = calloc(1, sizeof(*q) + slots * sizeof(q->slots[0]));
	if (q)
		q->cap = slots;
	return q;
}

struct dgram_queue *dgram_queue_free(struct dgram_queue *q)
{
	free(q);
	return NULL;
}

bool dgram_queue_push(struct dgram_queue *q, const struct dgram *d, bool media)
{
	const size_t limit = media ? q->cap - q->cap / 8 : q->cap;
	struct slot *s;

	if (d->len > DGRAM_MAX || q->fill >= limit) {
		q->dropped++;
		return false;
	}
	/* From the start again, so that a queue which is mostly empty stays in
	 * the processor's cache however long it is. */
	if (q->fill == 0)
		q->head = 0;
	s = &q->slots[(q->head + q->fill) % q->cap];
	s->path = d->path;
	s->ttl = d->ttl;
	s->len = (uint16_t)d->len;
	if (d->len > 0)
		memcpy(s->data, d->data, d->len);
	q->fill++;
	return true;
}

bool dgram_queue_pop(struct dgram_queue *q, struct dgram *out)
{
	const struct slot *s = &q->slots[q->head];

	if (q->fill == 0)
		return false;
	out->path = s->path;
	out->ttl = s->ttl;
	out->len = s->len;
	out->data = s->data;
	q->head = (q->head + 1) % q->cap;
	q->fill--;
	return true;
}

bool dgram_queue_empty(const struct dgram_queue *q)
{
	return q->fill == 0;
}

uint64_t dgram_queue_dropped(const struct dgram_queue *q)
{
	return q->dropped;
}
