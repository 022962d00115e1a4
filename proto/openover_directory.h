/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_DIRECTORY_H
#define PROTO_OPENOVER_DIRECTORY_H

/*
 * What a registrar knows of each node: its key, and while it is registered
 * its session and the addresses it has proved.  All in memory, of a size fixed
 * at the start; found by number, by session and by address in constant time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/mono.h"
#include "proto/net_path.h"
#include "proto/openover_session.h"
#include "proto/rate.h"

#define OO_NUMBER_MAX 15U /* digits of a node number */

enum oo_family { OO_V4, OO_V6, OO_FAMILIES };

static inline enum oo_family oo_family_of(const struct net_addr *a)
{
	return net_addr_is_v4(a) ? OO_V4 : OO_V6;
}

struct oo_record {
	char number[OO_NUMBER_MAX + 1]; /* empty: the record is free */
	uint8_t key[KEY_PUBLIC_LEN];
	struct oo_session session;         /* id 0: not registered */
	uint64_t parent;                   /* the id before this session's */
	struct net_path path[OO_FAMILIES]; /* proved; port 0: none */
	mono_us heard[OO_FAMILIES];
	struct rate opens;
	uint16_t mapped4; /* a port that the router of path[OO_V4] mapped, also
			     proved; 0: none */
};

struct oo_directory;

/* @max 16..4,000,000 records; @key for the tables.  NULL without memory. */
struct oo_directory *oo_directory_new(size_t max, const uint8_t key[16]);
struct oo_directory *oo_directory_free(struct oo_directory *d);

/* NULL when there is none. */
struct oo_record *oo_directory_by_number(struct oo_directory *d,
					 const char *number);
struct oo_record *oo_directory_by_session(struct oo_directory *d, uint64_t id);
struct oo_record *oo_directory_by_addr(struct oo_directory *d,
				       const struct net_addr *a);

/* Add a node, or give a known one another key, which ends its session.
 * NULL when full or @number is not 1..OO_NUMBER_MAX digits. */
struct oo_record *oo_directory_put(struct oo_directory *d, const char *number,
				   const uint8_t key[KEY_PUBLIC_LEN]);
void oo_directory_remove(struct oo_directory *d, struct oo_record *rec);

/* Start a session (its id must not be 0) with no path, ending the former. */
void oo_directory_begin(struct oo_directory *d, struct oo_record *rec,
			const struct oo_session *s);
void oo_directory_end(struct oo_directory *d, struct oo_record *rec);
/* The node has proved that it receives at @path. */
void oo_directory_move(struct oo_directory *d, struct oo_record *rec,
		       const struct net_path *path, mono_us now);

/* How often the node PINGs, in seconds; as it said in this session. */
void oo_directory_set_interval(struct oo_directory *d,
			       const struct oo_record *rec, uint8_t seconds);
uint8_t oo_directory_interval(const struct oo_directory *d,
			      const struct oo_record *rec);

size_t oo_directory_count(const struct oo_directory *d);
size_t oo_directory_sessions(const struct oo_directory *d);
/* Record @i of 0..oo_directory_max(); free ones have an empty number. */
struct oo_record *oo_directory_at(struct oo_directory *d, size_t i);
size_t oo_directory_max(const struct oo_directory *d);
/* A stable index for a record, for keeping instead of a pointer. */
size_t oo_directory_index(const struct oo_directory *d,
			  const struct oo_record *rec);

#endif
