/* SPDX-License-Identifier: MIT */

/* The table of links: which are free, and whose number or call is whose. */

#include <stdlib.h>
#include <string.h>

#include "daemon/node/node_priv.h"

static size_t max_of(const struct node *n)
{
	return n->cfg.calls_max > NODE_LINKS_MIN ? n->cfg.calls_max
						 : NODE_LINKS_MIN;
}

bool node_links_new(struct node *n)
{
	const size_t max = max_of(n);
	size_t buckets = NODE_LINKS_MIN;

	while (buckets < max)
		buckets *= 2;
	n->links_max = max;
	n->number_mask = buckets - 1;
	n->link = calloc(max, sizeof(n->link[0]));
	n->leaving = calloc(max, sizeof(n->leaving[0]));
	n->free_link = calloc(max, sizeof(n->free_link[0]));
	n->due = calloc(max, sizeof(n->due[0]));
	n->of_call = calloc(max, sizeof(n->of_call[0]));
	n->by_number = calloc(buckets, sizeof(n->by_number[0]));
	if (!n->link || !n->due || !n->leaving || !n->free_link ||
	    !n->of_call || !n->by_number)
		return false;
	memset(n->by_number, 0xff, buckets * sizeof(n->by_number[0]));
	for (size_t i = 0; i < max; i++)
		n->free_link[i] = (uint16_t)(max - 1 - i);
	n->free_n = max;
	return true;
}

void node_links_free(struct node *n)
{
	free(n->link);
	free(n->due);
	free(n->leaving);
	free(n->free_link);
	free(n->of_call);
	free(n->by_number);
}

/* --- by number ---------------------------------------------------------- */

/* Salted: callers choose their numbers. */
static uint16_t *bucket_of(const struct node *n, const char *number)
{
	const uint64_t h = node_text_hash(n, number);

	return &n->by_number[(h ^ h >> 32) & n->number_mask];
}

static void unhash(struct node *n, struct link *l)
{
	uint16_t *at;

	if (!l->hashed)
		return;
	at = bucket_of(n, l->number);
	while (*at != (uint16_t)(l - n->link))
		at = &n->link[*at].hash_next;
	*at = l->hash_next;
	l->hashed = false;
}

void link_set_number(struct node *n, struct link *l, const char *number)
{
	uint16_t *at;

	unhash(n, l);
	memcpy(l->number, number, strlen(number) + 1);
	if (number[0] == '\0')
		return;
	at = bucket_of(n, number);
	l->hash_next = *at;
	l->hashed = true;
	*at = (uint16_t)(l - n->link);
}

struct link *link_by_number(struct node *n, const char *number)
{
	struct link *first = NULL;

	if (number[0] == '\0')
		return NULL;
	for (uint16_t at = *bucket_of(n, number); at != NODE_NO_LINK;
	     at = n->link[at].hash_next) {
		struct link *l = &n->link[at];

		if (l->state != NODE_LINK_FREE &&
		    strcmp(l->number, number) == 0 && (!first || l < first))
			first = l;
	}
	return first;
}

bool link_is_twice(const struct node *n, const struct link *l,
		   const char *number)
{
	for (uint16_t at = *bucket_of(n, number); at != NODE_NO_LINK;
	     at = n->link[at].hash_next) {
		const struct link *other = &n->link[at];

		if (other != l && other->state == NODE_LINK_UP &&
		    other->mode == NODE_TRANSCEIVE &&
		    strcmp(other->number, number) == 0)
			return true;
	}
	return false;
}

/* --- by call ------------------------------------------------------------ */

void link_set_call(struct node *n, struct link *l, struct iax2_call_id call)
{
	l->call = call;
	l->serial = ++n->calls;
	n->of_call[call.slot] = (uint16_t)(l - n->link);
}

struct link *link_by_call(struct node *n, struct iax2_call_id call)
{
	struct link *l = &n->link[n->of_call[call.slot]];

	return (l->state == NODE_LINK_CALLING || l->state == NODE_LINK_UP) &&
			       l->call.slot == call.slot &&
			       l->call.gen == call.gen
		       ? l
		       : NULL;
}

/* --- any ---------------------------------------------------------------- */

struct link *link_new(struct node *n)
{
	struct link *l;
	struct codec *tx;
	uint16_t gen;

	if (n->free_n == 0)
		return NULL;
	l = &n->link[n->free_link[--n->free_n]];
	gen = l->gen == UINT16_MAX ? 1 : (uint16_t)(l->gen + 1);
	tx = l->tx;
	memset(l, 0, sizeof(*l));
	l->tx = tx;
	l->gen = gen;
	l->taken = true;
	node_touch(n, l);
	return l;
}

void link_give_back(struct node *n, struct link *l)
{
	if (!l->taken)
		return;
	l->taken = false;
	node_touch(n, l);
	unhash(n, l);
	n->free_link[n->free_n++] = (uint16_t)(l - n->link);
}

struct link *link_find(struct node *n, link_test *is_it, const void *what)
{
	for (size_t i = 0; i < n->links_max; i++) {
		if (is_it(&n->link[i], what))
			return &n->link[i];
	}
	return NULL;
}
