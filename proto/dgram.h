/* SPDX-License-Identifier: MIT */
#ifndef PROTO_DGRAM_H
#define PROTO_DGRAM_H

/*
 * What crosses the edge of proto/: one datagram in or out, and the bounded
 * queue that holds what is to be sent until the caller takes it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/mono.h"
#include "proto/net_path.h"

#define DGRAM_MAX 1472U /* octets: 1500 less the IPv4 and UDP headers */

struct dgram {
	struct net_path path;
	uint8_t ttl;         /* hops: sent with (0 = default) or received with
			(0 = unknown) */
	const uint8_t *data; /* borrowed until the next call on its source */
	size_t len;          /* octets, 0..DGRAM_MAX */
	mono_us arrived;     /* at this machine; 0: unknown, or sent */
};

/* Slots are recycled; memory is allocated once. */
struct dgram_queue;

/* NULL when memory is short.  @slots 8..65536. */
struct dgram_queue *dgram_queue_new(size_t slots);
/* Accepts NULL; returns NULL. */
struct dgram_queue *dgram_queue_free(struct dgram_queue *q);

/*
 * Copy one datagram in.  False, and counted as dropped, when @d->len is above
 * DGRAM_MAX or the queue is full.  @media datagrams are refused already when
 * fewer than an eighth of the slots is left, so voice never displaces
 * signalling.
 */
bool dgram_queue_push(struct dgram_queue *q, const struct dgram *d, bool media);
/* Take the oldest; the borrowed data stays valid until the next push or pop.
 * False when the queue is empty. */
bool dgram_queue_pop(struct dgram_queue *q, struct dgram *out);
bool dgram_queue_empty(const struct dgram_queue *q);
uint64_t dgram_queue_dropped(const struct dgram_queue *q);

#endif
