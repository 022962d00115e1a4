/* SPDX-License-Identifier: MIT */

#include "proto/rate.h"

#include <stdlib.h>
#include <string.h>

#include "proto/keys.h"

struct rate_table {
	struct rate_limit limit;
	uint8_t key[16];
	size_t mask;
	struct rate buckets[];
};

/*
 * A bucket is a point in time (GCRA): each token moves it one emission
 * interval ahead, and it may run ahead of now by the burst.
 */
static mono_us interval(const struct rate_limit *limit)
{
	return 60 * MONO_S / limit->per_minute;
}

bool rate_has(const struct rate *r, const struct rate_limit *limit, mono_us now)
{
	return r->since <= now + interval(limit) * (limit->burst - 1);
}

bool rate_take(struct rate *r, const struct rate_limit *limit, mono_us now)
{
	const mono_us base = r->since > now ? r->since : now;

	if (!rate_has(r, limit, now))
		return false;
	r->since = base + interval(limit);
	return true;
}

struct rate_table *rate_table_new(size_t buckets, struct rate_limit limit,
				  const uint8_t key[16])
{
	struct rate_table *t;
	size_t n = 1;

	while (n < buckets)
		n *= 2;
	t = calloc(1, sizeof(*t) + n * sizeof(t->buckets[0]));
	if (!t)
		return NULL;
	t->limit = limit;
	t->mask = n - 1;
	memcpy(t->key, key, sizeof(t->key));
	return t;
}

struct rate_table *rate_table_free(struct rate_table *t)
{
	free(t);
	return NULL;
}

void rate_table_limit(struct rate_table *t, struct rate_limit limit)
{
	t->limit = limit;
}

static size_t bucket_of(const struct rate_table *t, const struct net_addr *from)
{
	return key_hash(t->key, from->ip, net_addr_net_len(from)) & t->mask;
}

bool rate_table_take(struct rate_table *t, const struct net_addr *from,
		     mono_us now)
{
	return rate_take(&t->buckets[bucket_of(t, from)], &t->limit, now);
}

bool rate_table_has(const struct rate_table *t, const struct net_addr *from,
		    mono_us now)
{
	return rate_has(&t->buckets[bucket_of(t, from)], &t->limit, now);
}
