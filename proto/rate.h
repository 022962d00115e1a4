/* SPDX-License-Identifier: MIT */
#ifndef PROTO_RATE_H
#define PROTO_RATE_H

/*
 * Token buckets: how often something may happen, for one party
 * (struct rate) or for each source address (struct rate_table).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/mono.h"
#include "proto/net_path.h"

struct rate_limit {
	uint32_t per_minute; /* sustained */
	uint32_t burst;      /* at once, >= 1 */
};

/* All zero is a full bucket. */
struct rate {
	mono_us since; /* the bucket was full at or before this */
};

/* Take one token; false when the bucket is empty. */
bool rate_take(struct rate *r, const struct rate_limit *limit, mono_us now);

/*
 * Buckets by source: IPv4 by address, IPv6 by /64 and, for 16 times as much, by
 * /48.  A bucket belongs to one source (64 bits of a keyed hash name it), and a
 * new one gets the place of whoever owes the least: so nobody is refused for
 * what others did, outside of its own /64 or /48.
 *
 * What remains to an attacker with N addresses (IPv6: networks of /48) that it
 * receives at: N times the limit (N times 16 times), and when N comes near the
 * number of buckets, no limit at all, for those it used first are forgotten.
 * Addresses that it only writes are to be charged nothing; who does it all the
 * same lets it shut out their owners.
 */
struct rate_table;

/* @buckets is rounded up to a power of two; NULL when memory is short. */
struct rate_table *rate_table_new(size_t buckets, struct rate_limit limit,
				  const uint8_t key[16]);
struct rate_table *rate_table_free(struct rate_table *t);
/* Another limit from now on. */
void rate_table_limit(struct rate_table *t, struct rate_limit limit);
bool rate_table_take(struct rate_table *t, const struct net_addr *from,
		     mono_us now);

/*
 * The same for whoever goes by @name (its first 64 octets count) at an address:
 * each name has the limit, and the address 16 times as much.  So nobody is
 * refused for what another does behind the same address.
 */
bool rate_table_take_for(struct rate_table *t, const struct net_addr *from,
			 const char *name, mono_us now);
bool rate_table_has_for(const struct rate_table *t, const struct net_addr *from,
			const char *name, mono_us now);

#endif
