/* SPDX-License-Identifier: MIT */

#include "proto/openover_relay.h"

#include <stdlib.h>
#include <string.h>

#include "proto/keys.h"
#include "proto/openover_relay_priv.h"

#define BAD_US (600 * MONO_S) /* until a port in use is tried again */

static bool cfg_is_sane(const struct oo_relay_cfg *c)
{
	return c->port_first >= 1024 && c->port_last >= c->port_first &&
	       c->kbit_s >= 16 && c->kbit_s <= 100000 && c->peers >= 8 &&
	       c->peers <= OO_RELAY_PEERS_MAX && c->idle >= 10 * MONO_S &&
	       c->idle <= 600 * MONO_S && c->own_n <= OO_RELAY_OWN_MAX;
}

struct oo_relay *oo_relay_new(const struct oo_relay_cfg *cfg)
{
	struct oo_relay *r;
	size_t buckets = 1;

	if (!cfg_is_sane(cfg))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->cfg = *cfg;
	r->slots_n = (size_t)(cfg->port_last - cfg->port_first) + 1;
	while (buckets < r->slots_n)
		buckets *= 2;
	r->mask = buckets - 1;
	r->bucket = calloc(buckets, sizeof(r->bucket[0]));
	r->queue = calloc(r->slots_n, sizeof(r->queue[0]));
	r->peers = calloc(r->slots_n * cfg->peers, sizeof(r->peers[0]));
	r->slots = calloc(r->slots_n, sizeof(r->slots[0]));
	if (!r->bucket || !r->queue || !r->peers || !r->slots)
		return oo_relay_free(r);
	for (size_t i = 0; i < r->slots_n; i++) {
		r->slots[i].port = (uint16_t)(cfg->port_first + i);
		r->slots[i].peers = r->peers + i * cfg->peers;
	}
	return r;
}

struct oo_relay *oo_relay_free(struct oo_relay *r)
{
	if (!r)
		return NULL;
	free(r->bucket);
	free(r->queue);
	free(r->peers);
	free(r->slots);
	free(r);
	return NULL;
}

/* --- the table ---------------------------------------------------------- */

struct oo_relay_alloc *oo_relay_of_node(struct oo_relay *r, uint32_t node)
{
	uint32_t at = r->bucket[node & r->mask];

	while (at != 0) {
		struct oo_relay_alloc *a = &r->slots[at - 1];

		if (a->node == node)
			return a;
		at = a->chain;
	}
	return NULL;
}

struct oo_relay_alloc *oo_relay_of_slot(struct oo_relay *r, uint16_t slot)
{
	return slot < r->slots_n && r->slots[slot].used ? &r->slots[slot]
							: NULL;
}

/* At most once for each slot, so the queue is long enough. */
static void want_socket(struct oo_relay *r, struct oo_relay_alloc *a)
{
	if (a->queued)
		return;
	a->queued = true;
	r->queue[(r->queue_head + r->queue_n++) % r->slots_n] =
		(uint16_t)(a - r->slots);
}

/*
 * A node gets the same port again, after a restart of either side too: others
 * may have noted its address.
 */
static struct oo_relay_alloc *free_slot(struct oo_relay *r, const char *number,
					mono_us now)
{
	static const uint8_t key[16] = { 0 };
	const uint64_t home = key_hash(key, number, strlen(number));

	for (size_t i = 0; i < r->slots_n; i++) {
		struct oo_relay_alloc *a = &r->slots[(home + i) % r->slots_n];

		if (!a->used && now >= a->bad_until)
			return a;
	}
	return NULL;
}

struct oo_relay_alloc *oo_relay_take(struct oo_relay *r, uint32_t node,
				     const char *number, mono_us now)
{
	struct oo_relay_alloc *a = oo_relay_of_node(r, node);
	uint32_t *bucket = &r->bucket[node & r->mask];

	if (a && strcmp(a->number, number) != 0) {
		oo_relay_drop(r, a);
		a = NULL;
	}
	if (!a) {
		a = free_slot(r, number, now);
		if (!a)
			return NULL;
		a->used = true;
		a->node = node;
		memcpy(a->number, number, strlen(number) + 1);
		a->chain = *bucket;
		*bucket = (uint32_t)(a - r->slots) + 1;
		r->used++;
		if (a->families == 0)
			want_socket(r, a);
	}
	a->ends = now + OO_RELAY_LIFETIME_S * MONO_S;
	return a;
}

void oo_relay_drop(struct oo_relay *r, struct oo_relay_alloc *a)
{
	uint32_t *at = &r->bucket[a->node & r->mask];
	const uint32_t slot = (uint32_t)(a - r->slots) + 1;

	while (*at != slot)
		at = &r->slots[*at - 1].chain;
	*at = a->chain;
	memset(a->peers, 0, r->cfg.peers * sizeof(a->peers[0]));
	memset(a->number, 0, sizeof(a->number));
	memset(&a->strangers, 0, sizeof(a->strangers));
	memset(&a->fresh, 0, sizeof(a->fresh));
	a->used = false;
	a->in_until = 0;
	a->out_until = 0;
	r->used--;
	want_socket(r, a);
}

void oo_relay_expire(struct oo_relay *r, mono_us now)
{
	for (size_t i = 0; i < r->slots_n && r->used > 0; i++) {
		if (r->slots[i].used && now >= r->slots[i].ends)
			oo_relay_drop(r, &r->slots[i]);
	}
}

struct net_addr oo_relay_address(const struct oo_relay *r,
				 const struct oo_relay_alloc *a,
				 enum oo_family f)
{
	static const uint8_t none[16] = { 0 };
	struct net_addr at = r->cfg.address[f];

	at.port = 0;
	if ((a->families >> f & 1) && memcmp(at.ip, none, sizeof(none)) != 0)
		at.port = a->port;
	return at;
}

/* --- sockets ------------------------------------------------------------ */

bool oo_relay_next_socket(struct oo_relay *r, struct oo_relay_socket *out)
{
	while (r->queue_n > 0) {
		const uint16_t slot = r->queue[r->queue_head];
		struct oo_relay_alloc *a = &r->slots[slot];

		r->queue_head = (r->queue_head + 1) % r->slots_n;
		r->queue_n--;
		a->queued = false;
		/* Taken again, or dropped, before anybody looked. */
		if (a->used == (a->families != 0))
			continue;
		*out = (struct oo_relay_socket){ slot, a->port, a->used };
		if (!a->used)
			a->families = 0;
		return true;
	}
	return false;
}

void oo_relay_opened(struct oo_relay *r, uint16_t slot, uint8_t families,
		     mono_us now)
{
	struct oo_relay_alloc *a = oo_relay_of_slot(r, slot);

	if (!a)
		return;
	a->families = families;
	if (families != 0)
		return;
	oo_relay_drop(r, a);
	a->bad_until = now + BAD_US;
}

/* --- looking ------------------------------------------------------------ */

const struct oo_relay_cfg *oo_relay_cfg(const struct oo_relay *r)
{
	return &r->cfg;
}

const struct oo_relay_counters *oo_relay_counters(const struct oo_relay *r)
{
	return &r->n;
}

size_t oo_relay_allocations(const struct oo_relay *r)
{
	return r->used;
}

size_t oo_relay_peers(const struct oo_relay *r, mono_us now)
{
	size_t n = 0;

	for (size_t i = 0; i < r->slots_n * r->cfg.peers; i++) {
		const struct oo_relay_peer *p = &r->peers[i];
		const mono_us last = p->heard > p->made ? p->heard : p->made;

		n += net_addr_is_set(&p->addr) && now - last < r->cfg.idle;
	}
	return n;
}

size_t oo_relay_slots(const struct oo_relay *r)
{
	return r->slots_n;
}

const char *oo_relay_fate_name(enum oo_relay_fate f)
{
	static const char *const name[OO_RELAY_FATES] = {
		[OO_RELAY_PASS] = "passed",
		[OO_RELAY_NO_NODE] = "no_node",
		[OO_RELAY_FORBIDDEN] = "forbidden_address",
		[OO_RELAY_STRANGE] = "strange",
		[OO_RELAY_STRANGERS] = "too_many_strangers",
		[OO_RELAY_UNASKED] = "unasked",
		[OO_RELAY_NEW_LIMIT] = "too_many_new",
		[OO_RELAY_LONGER] = "longer_than_asked",
		[OO_RELAY_RATE] = "bit_rate",
		[OO_RELAY_FULL] = "peers_full",
		[OO_RELAY_SIZE] = "too_long",
	};

	return name[f];
}

void oo_relay_count(struct oo_relay *r, enum oo_relay_fate fate)
{
	r->n.fate[fate]++;
}
