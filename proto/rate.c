/* SPDX-License-Identifier: MIT */

#include "proto/rate.h"

#include <stdlib.h>
#include <string.h>

#include "proto/keys.h"

#define WAYS 4U        /* buckets that one source may have, and takes one of */
#define SITE_OCTETS 6U /* of an IPv6 address: a /48 */
#define SHARE 16U      /* what a /48 may do, in what a /64 may; and so on */
#define LEVELS 3U
#define NAME_MAX_OCTETS 64U

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

static bool rate_has(const struct rate *r, const struct rate_limit *limit,
		     mono_us now)
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

/* What a source counts as: its name at its address, that address, and with IPv6
 * its site; each of them may do SHARE times what the one before may. */
struct source {
	uint64_t owner[LEVELS];
	struct rate_limit limit[LEVELS];
	size_t levels;
};

/* The next level: @octets of the address and @name. */
static void count_as(const struct rate_table *t, struct source *s,
		     const struct net_addr *from, size_t octets,
		     const char *name)
{
	struct rate_limit limit = t->limit;
	uint8_t b[1 + sizeof(from->ip) + NAME_MAX_OCTETS];
	size_t len = 1 + octets;

	/* No two levels look the same. */
	b[0] = (uint8_t)(octets + (name ? 0x80 : 0));
	memcpy(b + 1, from->ip, octets);
	for (; name && *name != '\0' && len < sizeof(b); name++)
		b[len++] = (uint8_t)*name;
	if (s->levels > 0) {
		limit = s->limit[s->levels - 1];
		limit.per_minute *= SHARE;
		limit.burst *= SHARE;
	}
	s->owner[s->levels] = key_hash(t->key, b, len);
	s->limit[s->levels++] = limit;
}

static struct source source_of(const struct rate_table *t,
			       const struct net_addr *from, const char *name)
{
	const size_t len = net_addr_net_len(from);
	struct source s = { .levels = 0 };

	if (name)
		count_as(t, &s, from, len, name);
	count_as(t, &s, from, len, NULL);
	if (len != sizeof(from->ip))
		count_as(t, &s, from, SITE_OCTETS, NULL);
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

bool rate_table_take_for(struct rate_table *t, const struct net_addr *from,
			 const char *name, mono_us now)
{
	const struct source s = source_of(t, from, name);

	if (!source_has(t, &s, now))
		return false;
	for (size_t i = 0; i < s.levels; i++)
		(void)rate_take(claim(t, s.owner[i]), &s.limit[i], now);
	return true;
}

bool rate_table_has_for(const struct rate_table *t, const struct net_addr *from,
			const char *name, mono_us now)
{
	const struct source s = source_of(t, from, name);

	return source_has(t, &s, now);
}

bool rate_table_take(struct rate_table *t, const struct net_addr *from,
		     mono_us now)
{
	return rate_table_take_for(t, from, NULL, now);
}
