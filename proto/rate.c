/* SPDX-License-Identifier: MIT */

#include "proto/rate.h"

#include <stdlib.h>
#include <string.h>

#include "proto/keys.h"

#define WAYS 4U        /* buckets that one source may have, and takes one of */
#define SITE_OCTETS 6U /* of an IPv6 address: a /48 */
#define SITE_SHARE 16U /* what a /48 may do, in what a /64 may */
#define LEVELS 2U

struct bucket {
	struct rate rate;
	uint64_t owner; /* keyed hash of the source */
};

struct rate_table {
	struct rate_limit limit;
	uint8_t key[16];
	size_t sets; /* a power of two */
	struct bucket buckets[];
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
	size_t sets = 1;

	while (sets * WAYS < buckets)
		sets *= 2;
	t = calloc(1, sizeof(*t) + sets * WAYS * sizeof(t->buckets[0]));
	if (!t)
		return NULL;
	t->limit = limit;
	t->sets = sets;
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

/* What a source counts as: itself and, with IPv6, its site. */
struct source {
	uint64_t owner[LEVELS];
	struct rate_limit limit[LEVELS];
	size_t levels;
};

static struct source source_of(const struct rate_table *t,
			       const struct net_addr *from)
{
	const size_t len = net_addr_net_len(from);
	struct source s = { .levels = 1 };

	s.owner[0] = key_hash(t->key, from->ip, len);
	s.limit[0] = t->limit;
	if (len == sizeof(from->ip))
		return s;
	s.owner[1] = key_hash(t->key, from->ip, SITE_OCTETS);
	s.limit[1] = (struct rate_limit){ SITE_SHARE * t->limit.per_minute,
					  SITE_SHARE * t->limit.burst };
	s.levels = LEVELS;
	return s;
}

static size_t set_of(const struct rate_table *t, uint64_t owner)
{
	return (size_t)(owner & (t->sets - 1)) * WAYS;
}

static const struct bucket *find(const struct rate_table *t, uint64_t owner)
{
	const struct bucket *b = &t->buckets[set_of(t, owner)];

	for (size_t i = 0; i < WAYS; i++) {
		if (b[i].owner == owner)
			return &b[i];
	}
	return NULL;
}

/* The bucket of @owner; its first one is taken from whoever owes the least. */
static struct rate *claim(struct rate_table *t, uint64_t owner)
{
	struct bucket *b = &t->buckets[set_of(t, owner)];
	struct bucket *least = b;

	for (size_t i = 0; i < WAYS; i++) {
		if (b[i].owner == owner)
			return &b[i].rate;
		if (b[i].rate.since < least->rate.since)
			least = &b[i];
	}
	*least = (struct bucket){ .owner = owner };
	return &least->rate;
}

static bool source_has(const struct rate_table *t, const struct source *s,
		       mono_us now)
{
	for (size_t i = 0; i < s->levels; i++) {
		const struct bucket *b = find(t, s->owner[i]);

		if (b && !rate_has(&b->rate, &s->limit[i], now))
			return false;
	}
	return true;
}

bool rate_table_take(struct rate_table *t, const struct net_addr *from,
		     mono_us now)
{
	const struct source s = source_of(t, from);

	if (!source_has(t, &s, now))
		return false;
	for (size_t i = 0; i < s.levels; i++)
		(void)rate_take(claim(t, s.owner[i]), &s.limit[i], now);
	return true;
}

bool rate_table_has(const struct rate_table *t, const struct net_addr *from,
		    mono_us now)
{
	const struct source s = source_of(t, from);

	return source_has(t, &s, now);
}
