/* SPDX-License-Identifier: MIT */

#include "proto/openover_plain.h"

#include <stdlib.h>
#include <string.h>

#include "proto/keys.h"

struct oo_plains {
	struct oo_plain *clients; /* the first n are in use */
	uint32_t *sorted;         /* their indices by name */
	size_t max;
	size_t n;
	size_t registered;
};

bool oo_plain_name_is_valid(const char *name)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz"
				   "0123456789_.-";
	const size_t len = strlen(name);

	return len >= 1 && len <= OO_PLAIN_NAME_MAX &&
	       strspn(name, good) == len;
}

struct oo_plains *oo_plains_new(size_t max)
{
	struct oo_plains *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->max = max;
	p->clients = calloc(max + 1, sizeof(p->clients[0]));
	p->sorted = calloc(max + 1, sizeof(p->sorted[0]));
	if (!p->clients || !p->sorted)
		return oo_plains_free(p);
	return p;
}

struct oo_plains *oo_plains_free(struct oo_plains *p)
{
	if (!p)
		return NULL;
	if (p->clients)
		key_wipe(p->clients, p->n * sizeof(p->clients[0]));
	free(p->clients);
	free(p->sorted);
	free(p);
	return NULL;
}

/* The first place in the order whose name is not below @name. */
static size_t place_of(const struct oo_plains *p, const char *name)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (strcmp(p->clients[p->sorted[mid]].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct oo_plain *oo_plains_find(const struct oo_plains *p, const char *name)
{
	const size_t at = place_of(p, name);

	if (at == p->n || strcmp(p->clients[p->sorted[at]].name, name) != 0)
		return NULL;
	return &p->clients[p->sorted[at]];
}

static void set_secret(struct oo_plains *p, struct oo_plain *c,
		       const char *secret)
{
	if (strcmp(c->secret, secret) == 0)
		return;
	key_wipe(c->secret, sizeof(c->secret));
	/* What the old one proved cannot be said again. */
	memset(c->used, 0, sizeof(c->used));
	memcpy(c->secret, secret, strlen(secret) + 1);
	oo_plains_release(p, c);
}

struct oo_plain *oo_plains_put(struct oo_plains *p, const char *name,
			       const char *secret)
{
	const size_t len = strlen(secret);
	struct oo_plain *c;
	size_t at;

	if (!oo_plain_name_is_valid(name) || len == 0 ||
	    len > OO_PLAIN_SECRET_MAX)
		return NULL;
	c = oo_plains_find(p, name);
	if (!c) {
		if (p->n == p->max)
			return NULL;
		at = place_of(p, name);
		memmove(&p->sorted[at + 1], &p->sorted[at],
			(p->n - at) * sizeof(p->sorted[0]));
		p->sorted[at] = (uint32_t)p->n;
		c = &p->clients[p->n++];
		memset(c, 0, sizeof(*c));
		memcpy(c->name, name, strlen(name) + 1);
	}
	set_secret(p, c, secret);
	return c;
}

/* The last client takes the place that becomes free. */
void oo_plains_remove(struct oo_plains *p, struct oo_plain *c)
{
	const size_t at = place_of(p, c->name);
	struct oo_plain *last = &p->clients[p->n - 1];

	oo_plains_release(p, c);
	if (c != last)
		p->sorted[place_of(p, last->name)] = p->sorted[at];
	memmove(&p->sorted[at], &p->sorted[at + 1],
		(p->n - at - 1) * sizeof(p->sorted[0]));
	*c = *last;
	key_wipe(last, sizeof(*last));
	p->n--;
}

struct oo_plain *oo_plains_at(const struct oo_plains *p, size_t i)
{
	return &p->clients[i];
}

size_t oo_plains_count(const struct oo_plains *p)
{
	return p->n;
}

bool oo_plain_is_online(const struct oo_plain *c, mono_us now)
{
	return net_addr_is_set(&c->path.peer) && now < c->expires;
}

void oo_plains_register(struct oo_plains *p, struct oo_plain *c,
			const struct net_path *path, mono_us expires)
{
	if (!net_addr_is_set(&c->path.peer))
		p->registered++;
	c->path = *path;
	c->expires = expires;
}

void oo_plains_release(struct oo_plains *p, struct oo_plain *c)
{
	if (net_addr_is_set(&c->path.peer))
		p->registered--;
	memset(&c->path, 0, sizeof(c->path));
	c->expires = 0;
}

size_t oo_plains_registered(const struct oo_plains *p)
{
	return p->registered;
}

bool oo_plain_has_used(const struct oo_plain *c, uint64_t challenge)
{
	for (size_t i = 0; i < OO_PLAIN_USED; i++) {
		if (c->used[i] == challenge)
			return true;
	}
	return false;
}

void oo_plain_use(struct oo_plain *c, uint64_t challenge)
{
	c->used[c->used_next] = challenge;
	c->used_next = (c->used_next + 1) % OO_PLAIN_USED;
}
