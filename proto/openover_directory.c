/* SPDX-License-Identifier: MIT */

#include "proto/openover_directory.h"

#include <stdlib.h>
#include <string.h>

#include "proto/keys.h"

enum table { BY_NUMBER, BY_SESSION, BY_V4, BY_V6, TABLES };

struct oo_directory {
	struct oo_record *recs;
	size_t max;
	size_t used;     /* records ever used: 0..used may hold nodes */
	size_t count;    /* nodes */
	size_t sessions; /* nodes with a session */
	uint8_t *
		interval; /* of each record: an octet, not eight with padding */
	uint32_t *free_list;
	size_t free_n;
	uint32_t *slot[TABLES]; /* record index + 1; 0: empty */
	size_t mask;
	uint8_t key[16];
};

static uint64_t hash_addr(const struct oo_directory *d,
			  const struct net_addr *a)
{
	uint8_t b[18];

	memcpy(b, a->ip, 16);
	b[16] = (uint8_t)(a->port >> 8);
	b[17] = (uint8_t)a->port;
	return key_hash(d->key, b, sizeof(b));
}

static uint64_t hash_of(const struct oo_directory *d, enum table t,
			const struct oo_record *rec)
{
	switch (t) {
	case BY_NUMBER:
		return key_hash(d->key, rec->number, strlen(rec->number));
	case BY_SESSION:
		return rec->session.id;
	case BY_V4:
		return hash_addr(d, &rec->path[OO_V4].peer);
	case BY_V6:
		return hash_addr(d, &rec->path[OO_V6].peer);
	case TABLES:
		break;
	}
	return 0;
}

static void link_record(struct oo_directory *d, enum table t,
			const struct oo_record *rec)
{
	size_t i = hash_of(d, t, rec) & d->mask;

	while (d->slot[t][i] != 0)
		i = (i + 1) & d->mask;
	d->slot[t][i] = (uint32_t)(rec - d->recs) + 1;
}

/* Linear probing without tombstones: close the gap that a removal leaves. */
static void unlink_record(struct oo_directory *d, enum table t,
			  const struct oo_record *rec)
{
	uint32_t *slot = d->slot[t];
	const uint32_t want = (uint32_t)(rec - d->recs) + 1;
	size_t gap = hash_of(d, t, rec) & d->mask;

	while (slot[gap] != want) {
		if (slot[gap] == 0)
			return;
		gap = (gap + 1) & d->mask;
	}
	for (size_t i = (gap + 1) & d->mask; slot[i] != 0;
	     i = (i + 1) & d->mask) {
		const size_t home =
			hash_of(d, t, &d->recs[slot[i] - 1]) & d->mask;

		if (((i - home) & d->mask) >= ((i - gap) & d->mask)) {
			slot[gap] = slot[i];
			gap = i;
		}
	}
	slot[gap] = 0;
}

struct oo_directory *oo_directory_new(size_t max, const uint8_t key[16])
{
	struct oo_directory *d = calloc(1, sizeof(*d));
	size_t size = 1;

	if (!d)
		return NULL;
	while (size < 2 * max)
		size *= 2;
	d->max = max;
	d->mask = size - 1;
	memcpy(d->key, key, sizeof(d->key));
	d->recs = calloc(max, sizeof(d->recs[0]));
	d->interval = calloc(max, sizeof(d->interval[0]));
	d->free_list = calloc(max, sizeof(d->free_list[0]));
	for (int t = 0; t < TABLES; t++)
		d->slot[t] = calloc(size, sizeof(d->slot[t][0]));
	if (!d->recs || !d->interval || !d->free_list || !d->slot[BY_NUMBER] ||
	    !d->slot[BY_SESSION] || !d->slot[BY_V4] || !d->slot[BY_V6])
		return oo_directory_free(d);
	return d;
}

struct oo_directory *oo_directory_free(struct oo_directory *d)
{
	if (!d)
		return NULL;
	if (d->recs)
		key_wipe(d->recs, d->used * sizeof(d->recs[0]));
	free(d->recs);
	free(d->interval);
	free(d->free_list);
	for (int t = 0; t < TABLES; t++)
		free(d->slot[t]);
	free(d);
	return NULL;
}

struct oo_record *oo_directory_by_number(struct oo_directory *d,
					 const char *number)
{
	size_t i = key_hash(d->key, number, strlen(number)) & d->mask;

	for (; d->slot[BY_NUMBER][i] != 0; i = (i + 1) & d->mask) {
		struct oo_record *rec = &d->recs[d->slot[BY_NUMBER][i] - 1];

		if (strcmp(rec->number, number) == 0)
			return rec;
	}
	return NULL;
}

struct oo_record *oo_directory_by_session(struct oo_directory *d, uint64_t id)
{
	size_t i = id & d->mask;

	for (; d->slot[BY_SESSION][i] != 0; i = (i + 1) & d->mask) {
		struct oo_record *rec = &d->recs[d->slot[BY_SESSION][i] - 1];

		if (rec->session.id == id)
			return rec;
	}
	return NULL;
}

struct oo_record *oo_directory_by_addr(struct oo_directory *d,
				       const struct net_addr *a)
{
	const enum oo_family fam = oo_family_of(a);
	const enum table t = fam == OO_V4 ? BY_V4 : BY_V6;
	size_t i = hash_addr(d, a) & d->mask;

	for (; d->slot[t][i] != 0; i = (i + 1) & d->mask) {
		struct oo_record *rec = &d->recs[d->slot[t][i] - 1];

		if (net_addr_equal(&rec->path[fam].peer, a))
			return rec;
	}
	return NULL;
}

static bool number_is_valid(const char *number)
{
	const size_t len = strlen(number);

	return len >= 1 && len <= OO_NUMBER_MAX &&
	       strspn(number, "0123456789") == len;
}

struct oo_record *oo_directory_put(struct oo_directory *d, const char *number,
				   const uint8_t key[KEY_PUBLIC_LEN])
{
	struct oo_record *rec;

	if (!number_is_valid(number))
		return NULL;
	rec = oo_directory_by_number(d, number);
	if (rec) {
		if (!key_equal(rec->key, key, KEY_PUBLIC_LEN))
			oo_directory_end(d, rec);
		memcpy(rec->key, key, KEY_PUBLIC_LEN);
		return rec;
	}
	if (d->count == d->max)
		return NULL;
	rec = d->free_n > 0 ? &d->recs[d->free_list[--d->free_n]]
			    : &d->recs[d->used++];
	memcpy(rec->number, number, strlen(number) + 1);
	memcpy(rec->key, key, KEY_PUBLIC_LEN);
	link_record(d, BY_NUMBER, rec);
	d->count++;
	return rec;
}

void oo_directory_remove(struct oo_directory *d, struct oo_record *rec)
{
	oo_directory_end(d, rec);
	unlink_record(d, BY_NUMBER, rec);
	memset(rec, 0, sizeof(*rec));
	d->free_list[d->free_n++] = (uint32_t)(rec - d->recs);
	d->count--;
}

void oo_directory_end(struct oo_directory *d, struct oo_record *rec)
{
	if (rec->session.id == 0)
		return;
	unlink_record(d, BY_SESSION, rec);
	for (int f = 0; f < OO_FAMILIES; f++) {
		if (net_addr_is_set(&rec->path[f].peer))
			unlink_record(d, f == OO_V4 ? BY_V4 : BY_V6, rec);
	}
	key_wipe(&rec->session, sizeof(rec->session));
	memset(rec->path, 0, sizeof(rec->path));
	memset(rec->heard, 0, sizeof(rec->heard));
	rec->mapped4 = 0;
	d->sessions--;
}

void oo_directory_begin(struct oo_directory *d, struct oo_record *rec,
			const struct oo_session *s)
{
	const uint64_t parent = rec->session.id;

	oo_directory_end(d, rec);
	rec->parent = parent;
	rec->session = *s;
	link_record(d, BY_SESSION, rec);
	d->sessions++;
}

void oo_directory_move(struct oo_directory *d, struct oo_record *rec,
		       const struct net_path *path, mono_us now)
{
	const enum oo_family fam = oo_family_of(&path->peer);
	const enum table t = fam == OO_V4 ? BY_V4 : BY_V6;
	const bool same = net_addr_equal(&rec->path[fam].peer, &path->peer);

	if (!same && net_addr_is_set(&rec->path[fam].peer))
		unlink_record(d, t, rec);
	if (fam == OO_V4 &&
	    !net_addr_same_ip(&rec->path[fam].peer, &path->peer))
		rec->mapped4 = 0;
	rec->path[fam] = *path;
	rec->heard[fam] = now;
	if (!same)
		link_record(d, t, rec);
}

void oo_directory_set_interval(struct oo_directory *d,
			       const struct oo_record *rec, uint8_t seconds)
{
	d->interval[rec - d->recs] = seconds;
}

uint8_t oo_directory_interval(const struct oo_directory *d,
			      const struct oo_record *rec)
{
	/* One that stands in for another registrar's node is not in it. */
	const uintptr_t at = (uintptr_t)rec - (uintptr_t)d->recs;

	return at < d->max * sizeof(d->recs[0]) ? d->interval[rec - d->recs]
						: 0;
}

size_t oo_directory_count(const struct oo_directory *d)
{
	return d->count;
}

size_t oo_directory_sessions(const struct oo_directory *d)
{
	return d->sessions;
}

struct oo_record *oo_directory_at(struct oo_directory *d, size_t i)
{
	return &d->recs[i];
}

size_t oo_directory_max(const struct oo_directory *d)
{
	return d->used;
}

size_t oo_directory_index(const struct oo_directory *d,
			  const struct oo_record *rec)
{
	return (size_t)(rec - d->recs);
}
