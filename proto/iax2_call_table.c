/* SPDX-License-Identifier: MIT */

/* The calls of an endpoint: slots, call numbers, peers, deadlines. */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define REST_S 60U            /* before a call number is used again */
#define MOVED_US (5 * MONO_S) /* the way of a datagram from where a call was */

/* --- deadlines: a heap of calls, the soonest first ---------------------- */

static void heap_put(struct iax2_endpoint *ep, size_t at, uint32_t slot)
{
	ep->heap[at] = slot;
	ep->calls[slot].heap_at = (uint32_t)at;
}

static mono_us heap_due(const struct iax2_endpoint *ep, size_t at)
{
	return ep->calls[ep->heap[at]].due;
}

static void heap_up(struct iax2_endpoint *ep, size_t at)
{
	const uint32_t slot = ep->heap[at];

	while (at > 1 && ep->calls[slot].due < heap_due(ep, at / 2)) {
		heap_put(ep, at, ep->heap[at / 2]);
		at /= 2;
	}
	heap_put(ep, at, slot);
}

static void heap_down(struct iax2_endpoint *ep, size_t at)
{
	const uint32_t slot = ep->heap[at];

	for (;;) {
		size_t child = 2 * at;

		if (child > ep->heap_n)
			break;
		if (child < ep->heap_n &&
		    heap_due(ep, child + 1) < heap_due(ep, child))
			child++;
		if (heap_due(ep, child) >= ep->calls[slot].due)
			break;
		heap_put(ep, at, ep->heap[child]);
		at = child;
	}
	heap_put(ep, at, slot);
}

static void heap_remove(struct iax2_endpoint *ep, struct call *c)
{
	const size_t at = c->heap_at;
	const uint32_t last = ep->heap[ep->heap_n];

	if (at == 0)
		return;
	c->heap_at = 0;
	ep->heap_n--;
	if (at > ep->heap_n)
		return;
	heap_put(ep, at, last);
	heap_up(ep, at);
	heap_down(ep, ep->calls[last].heap_at);
}

void endpoint_call_touch(struct iax2_endpoint *ep, struct call *c)
{
	c->due = call_deadline(c);
	if (c->heap_at == 0) {
		ep->heap_n++;
		heap_put(ep, ep->heap_n, (uint32_t)(c - ep->calls));
	}
	heap_up(ep, c->heap_at);
	heap_down(ep, c->heap_at);
}

mono_us endpoint_due(const struct iax2_endpoint *ep)
{
	return ep->heap_n > 0 ? heap_due(ep, 1) : MONO_NEVER;
}

struct call *endpoint_first(struct iax2_endpoint *ep)
{
	return &ep->calls[ep->heap[1]];
}

/* --- calls -------------------------------------------------------------- */

struct call *endpoint_call(struct iax2_endpoint *ep, struct iax2_call_id id)
{
	struct call *c;

	if (id.slot >= ep->cfg.calls_max)
		return NULL;
	c = &ep->calls[id.slot];
	return c->state != CALL_FREE && c->gen == id.gen && c->told ? c : NULL;
}

struct iax2_call_id endpoint_call_id(const struct iax2_endpoint *ep,
				     const struct call *c)
{
	return (struct iax2_call_id){ (uint16_t)(c - ep->calls), c->gen };
}

/* Random, not in use, and not in use within the last minute. */
static uint16_t new_callno(struct iax2_endpoint *ep, mono_us now)
{
	const uint32_t span = IAX2_CALLNO_CALL_MAX - IAX2_CALLNO_CALL_MIN + 1;
	const uint32_t now_s = (uint32_t)(now / MONO_S);
	uint32_t at = 0;
	uint8_t b[2];

	ep->cfg.random(ep->cfg.random_ctx, b, sizeof(b));
	at = (uint32_t)(b[0] << 8 | b[1]) % span;
	for (uint32_t i = 0; i < span; i++) {
		const uint16_t n =
			(uint16_t)(IAX2_CALLNO_CALL_MIN + (at + i) % span);

		if (ep->by_callno[n] == CALL_NONE &&
		    ep->rest_until_s[n] <= now_s)
			return n;
	}
	return 0;
}

/* A call that is over stays for a while, so that its end is heard; not where
 * its place is wanted. */
static void make_room(struct iax2_endpoint *ep, mono_us now)
{
	struct call *oldest = NULL;

	for (size_t i = 0; i < ep->cfg.calls_max; i++) {
		struct call *c = &ep->calls[i];

		if (c->state == CALL_ENDING &&
		    (!oldest || c->state_due < oldest->state_due))
			oldest = c;
	}
	if (oldest)
		endpoint_call_free(ep, oldest, now);
}

struct call *endpoint_call_new(struct iax2_endpoint *ep,
			       const struct net_path *path, mono_us now)
{
	const uint16_t callno = new_callno(ep, now);
	struct call *c;
	uint16_t gen;
	bool listed;

	if (ep->calls_n == ep->cfg.calls_max)
		make_room(ep, now);
	if (ep->calls_n == ep->cfg.calls_max || callno == 0)
		return NULL;
	c = &ep->calls[ep->free_slot[ep->cfg.calls_max - ++ep->calls_n]];
	gen = c->gen == UINT16_MAX ? 1 : (uint16_t)(c->gen + 1);
	listed = c->in_acks;
	memset(c, 0, sizeof(*c));
	c->gen = gen;
	c->in_acks = listed;
	c->callno = callno;
	c->path = *path;
	c->began = now;
	c->last_ts = UINT32_MAX;
	c->last_rx = now;
	c->state_due = MONO_NEVER;
	c->end_due = MONO_NEVER;
	c->ping_next = MONO_NEVER;
	c->lagrq_next = MONO_NEVER;
	ep->by_callno[callno] = (uint16_t)(c - ep->calls);
	return c;
}

static size_t net_bucket_of(const struct iax2_endpoint *ep,
			    const struct net_addr *a)
{
	return key_hash(ep->hash_key, a->ip, net_addr_net_len(a)) &
	       ep->bucket_mask;
}

static void enter_net(struct iax2_endpoint *ep, struct call *c)
{
	const size_t b = net_bucket_of(ep, &c->path.peer);

	c->in_net = true;
	c->net_next = ep->net_bucket[b];
	ep->net_bucket[b] = (uint16_t)(c - ep->calls);
}

void endpoint_call_opening(struct iax2_endpoint *ep, struct call *c)
{
	c->plain = !c->has_ticket;
	c->opening = c->plain;
	ep->plain_n += c->plain;
	ep->opening_n += c->opening;
	enter_net(ep, c);
}

void endpoint_call_opened(struct iax2_endpoint *ep, struct call *c)
{
	ep->opening_n -= c->opening;
	c->opening = false;
}

void endpoint_call_keyed(struct iax2_endpoint *ep, struct call *c)
{
	c->keyed = true;
	endpoint_call_opened(ep, c);
}

void endpoint_call_over(struct iax2_endpoint *ep, struct call *c)
{
	endpoint_call_opened(ep, c);
	ep->plain_n -= c->plain;
	c->plain = false;
}

static void leave_net(struct iax2_endpoint *ep, struct call *c)
{
	uint16_t *at;

	if (!c->in_net)
		return;
	at = &ep->net_bucket[net_bucket_of(ep, &c->path.peer)];
	while (*at != (uint16_t)(c - ep->calls))
		at = &ep->calls[*at].net_next;
	*at = c->net_next;
	c->in_net = false;
}

size_t endpoint_calls_of_net(const struct iax2_endpoint *ep,
			     const struct net_addr *from, size_t *half_open)
{
	const size_t len = net_addr_net_len(from);
	uint16_t at = ep->net_bucket[net_bucket_of(ep, from)];
	size_t n = 0;

	*half_open = 0;
	for (; at != CALL_NONE; at = ep->calls[at].net_next) {
		const struct call *c = &ep->calls[at];

		if (memcmp(c->path.peer.ip, from->ip, len) != 0)
			continue;
		n += c->plain && !c->keyed;
		*half_open += c->opening;
	}
	return n;
}

static size_t bucket_of(const struct iax2_endpoint *ep,
			const struct net_addr *a, uint16_t callno)
{
	uint8_t b[20];

	memcpy(b, a->ip, 16);
	b[16] = (uint8_t)(a->port >> 8);
	b[17] = (uint8_t)a->port;
	b[18] = (uint8_t)(callno >> 8);
	b[19] = (uint8_t)callno;
	return key_hash(ep->hash_key, b, sizeof(b)) & ep->bucket_mask;
}

void endpoint_call_hash(struct iax2_endpoint *ep, struct call *c,
			uint16_t peer_callno)
{
	const size_t b = bucket_of(ep, &c->path.peer, peer_callno);

	if (c->hashed || peer_callno == 0)
		return;
	c->peer_callno = peer_callno;
	c->hash_next = ep->bucket[b];
	c->hashed = true;
	ep->bucket[b] = (uint16_t)(c - ep->calls);
}

static void unhash(struct iax2_endpoint *ep, struct call *c)
{
	uint16_t *at;

	if (!c->hashed)
		return;
	at = &ep->bucket[bucket_of(ep, &c->path.peer, c->peer_callno)];
	while (*at != (uint16_t)(c - ep->calls))
		at = &ep->calls[*at].hash_next;
	*at = c->hash_next;
	c->hashed = false;
}

bool endpoint_call_is_from(const struct iax2_endpoint *ep, const struct call *c,
			   const struct net_addr *peer)
{
	return net_addr_equal(&c->path.peer, peer) ||
	       (ep->now < c->move.old_until &&
		net_addr_equal(&c->move.old, peer));
}

/* A call that was at @peer until lately. */
static struct call *moved_from(struct iax2_endpoint *ep,
			       const struct net_addr *peer, uint16_t callno)
{
	for (size_t i = 0; i < MOVED; i++) {
		struct call *c = &ep->calls[ep->moved[i]];

		if (c->state != CALL_FREE && c->hashed &&
		    c->peer_callno == callno &&
		    endpoint_call_is_from(ep, c, peer))
			return c;
	}
	return NULL;
}

struct call *endpoint_call_of_peer(struct iax2_endpoint *ep,
				   const struct net_addr *peer, uint16_t callno)
{
	uint16_t at = ep->bucket[bucket_of(ep, peer, callno)];

	while (at != CALL_NONE) {
		struct call *c = &ep->calls[at];

		if (c->peer_callno == callno &&
		    net_addr_equal(&c->path.peer, peer))
			return c;
		at = c->hash_next;
	}
	return ep->now < ep->moved_until ? moved_from(ep, peer, callno) : NULL;
}

void endpoint_call_rehome(struct iax2_endpoint *ep, struct call *c,
			  const struct net_path *path, mono_us now)
{
	const bool in_net = c->in_net;

	if (!net_addr_equal(&c->path.peer, &path->peer)) {
		c->move.old = c->path.peer;
		c->move.old_until = now + MOVED_US;
		ep->moved[ep->moved_next++ % MOVED] = (uint16_t)(c - ep->calls);
		ep->moved_until = now + MOVED_US;
	}
	unhash(ep, c);
	leave_net(ep, c);
	c->path = *path;
	endpoint_call_hash(ep, c, c->peer_callno);
	if (in_net)
		enter_net(ep, c);
}

void endpoint_call_free(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	transport_drop(ep, c);
	unhash(ep, c);
	heap_remove(ep, c);
	endpoint_call_over(ep, c);
	leave_net(ep, c);
	ep->by_callno[c->callno] = CALL_NONE;
	ep->rest_until_s[c->callno] = (uint32_t)(now / MONO_S) + REST_S;
	key_wipe(&c->ticket, sizeof(c->ticket));
	key_wipe(c->md5_secret, sizeof(c->md5_secret));
	c->state = CALL_FREE;
	ep->free_slot[ep->cfg.calls_max - ep->calls_n--] =
		(uint16_t)(c - ep->calls);
}
