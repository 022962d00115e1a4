/* SPDX-License-Identifier: MIT */

#include "proto/iax2_endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define RATE_BUCKETS 4096U

static bool limits_are_sane(const struct iax2_limits *l)
{
	return l->calls_per_addr >= 1 && l->half_open >= 1 &&
	       l->half_open_per_addr >= 1 && l->calls_per_s >= 1 &&
	       l->calls_per_s <= 100000 && l->auth_failures_per_min >= 1 &&
	       l->auth_failures_per_min <= 100000;
}

static bool prefs_are_sane(const struct iax2_endpoint_cfg *c)
{
	if (c->prefs_n < 1 || c->prefs_n > IAX2_PREFS_MAX)
		return false;
	for (size_t i = 0; i < c->prefs_n; i++) {
		const uint64_t f = c->prefs[i];

		if (f == 0 || f > UINT32_MAX || (f & (f - 1)) != 0)
			return false;
	}
	return true;
}

static bool cfg_is_sane(const struct iax2_endpoint_cfg *c)
{
	return c->calls_max >= 1 && c->calls_max <= 8192 && c->identity &&
	       c->random && limits_are_sane(&c->limits) && prefs_are_sane(c);
}

static struct rate_table *table(struct iax2_endpoint *ep, uint32_t per_minute,
				uint32_t burst)
{
	const struct rate_limit limit = { per_minute, burst };
	uint8_t key[16];

	ep->cfg.random(ep->cfg.random_ctx, key, sizeof(key));
	return rate_table_new(RATE_BUCKETS, limit, key);
}

static bool allocate(struct iax2_endpoint *ep)
{
	const size_t calls = ep->cfg.calls_max;
	/* One may be on loan (transport_take_early()). */
	const size_t kept = calls * (CALL_OWN + 1) + 1;
	const size_t pool = kept + calls * 2 + (size_t)2 * CALL_WINDOW;
	size_t buckets = 1;

	while (buckets < calls)
		buckets *= 2;
	ep->bucket_mask = buckets - 1;
	ep->pool_kept = kept;
	ep->ev_cap = 2 * calls + 64;
	if (ep->cfg.tickets_max < TICKETS_MIN)
		ep->cfg.tickets_max = TICKETS_MIN;
	ep->tx = dgram_queue_new(ep->cfg.tx_max);
	ep->calls = calloc(calls, sizeof(ep->calls[0]));
	ep->bucket = calloc(buckets, sizeof(ep->bucket[0]));
	ep->net_bucket = calloc(buckets, sizeof(ep->net_bucket[0]));
	ep->heap = calloc(calls + 1, sizeof(ep->heap[0]));
	ep->acks = calloc(calls, sizeof(ep->acks[0]));
	ep->free_slot = calloc(calls, sizeof(ep->free_slot[0]));
	ep->pool = calloc(pool, sizeof(ep->pool[0]));
	ep->pool_free = calloc(pool, sizeof(ep->pool_free[0]));
	ep->events = calloc(ep->ev_cap, sizeof(ep->events[0]));
	ep->expected = calloc(ep->cfg.tickets_max, sizeof(ep->expected[0]));
	ep->news = table(ep, 60 * ep->cfg.limits.calls_per_s,
			 ep->cfg.limits.calls_per_s);
	ep->auth_failures = table(ep, ep->cfg.limits.auth_failures_per_min,
				  ep->cfg.limits.auth_failures_per_min);
	if (!ep->tx || !ep->calls || !ep->bucket || !ep->net_bucket ||
	    !ep->heap || !ep->acks || !ep->free_slot || !ep->pool ||
	    !ep->pool_free || !ep->events || !ep->expected || !ep->news ||
	    !ep->auth_failures)
		return false;
	for (size_t i = 0; i < calls; i++)
		ep->free_slot[i] = (uint16_t)(calls - 1 - i);
	memset(ep->by_callno, 0xff, sizeof(ep->by_callno));
	memset(ep->bucket, 0xff, buckets * sizeof(ep->bucket[0]));
	memset(ep->net_bucket, 0xff, buckets * sizeof(ep->net_bucket[0]));
	for (size_t i = 0; i < pool; i++)
		ep->pool_free[ep->pool_free_n++] = (uint16_t)(pool - 1 - i);
	return true;
}

struct iax2_endpoint *iax2_endpoint_new(const struct iax2_endpoint_cfg *cfg,
					mono_us now)
{
	struct iax2_endpoint *ep;

	if (!cfg_is_sane(cfg))
		return NULL;
	ep = calloc(1, sizeof(*ep));
	if (!ep)
		return NULL;
	ep->cfg = *cfg;
	ep->id = *cfg->identity;
	ep->cfg.identity = &ep->id;
	ep->now = now;
	rotating_secret_init(&ep->secret, cfg->random, cfg->random_ctx, now);
	cfg->random(cfg->random_ctx, ep->hash_key, sizeof(ep->hash_key));
	if (!allocate(ep))
		return iax2_endpoint_free(ep);
	return ep;
}

struct iax2_endpoint *iax2_endpoint_free(struct iax2_endpoint *ep)
{
	if (!ep)
		return NULL;
	dgram_queue_free(ep->tx);
	if (ep->calls)
		key_wipe(ep->calls, ep->cfg.calls_max * sizeof(ep->calls[0]));
	free(ep->calls);
	free(ep->bucket);
	free(ep->net_bucket);
	free(ep->heap);
	free(ep->acks);
	free(ep->free_slot);
	free(ep->pool);
	free(ep->pool_free);
	free(ep->events);
	if (ep->expected)
		key_wipe(ep->expected,
			 ep->cfg.tickets_max * sizeof(ep->expected[0]));
	free(ep->expected);
	rate_table_free(ep->news);
	rate_table_free(ep->auth_failures);
	key_wipe(ep, sizeof(*ep));
	free(ep);
	return NULL;
}

/* --- events ------------------------------------------------------------- */

bool endpoint_event_room(const struct iax2_endpoint *ep, bool payload)
{
	/* Room for the end of every call is never given away. */
	return ep->ev_n + ep->cfg.calls_max < ep->ev_cap &&
	       (!payload || ep->payload_n < PAYLOADS);
}

struct iax2_event *endpoint_event(struct iax2_endpoint *ep,
				  enum iax2_event_kind kind,
				  const struct call *c)
{
	struct iax2_event *ev;

	if (ep->ev_n == ep->ev_cap)
		return NULL;
	ev = &ep->events[(ep->ev_head + ep->ev_n++) % ep->ev_cap];
	memset(ev, 0, sizeof(*ev));
	ev->kind = kind;
	ev->call = endpoint_call_id(ep, c);
	return ev;
}

const uint8_t *endpoint_payload(struct iax2_endpoint *ep, const uint8_t *data,
				size_t len)
{
	struct payload *p =
		&ep->payload[(ep->payload_head + ep->payload_n++) % PAYLOADS];

	if (len > sizeof(p->data) - 1)
		len = sizeof(p->data) - 1;
	if (len > 0)
		memcpy(p->data, data, len);
	p->data[len] = 0;
	return p->data;
}

static bool has_payload(enum iax2_event_kind kind)
{
	return kind == IAX2_EV_VOICE || kind == IAX2_EV_TEXT ||
	       kind == IAX2_EV_CONTROL;
}

bool iax2_endpoint_next_event(struct iax2_endpoint *ep, struct iax2_event *out)
{
	if (ep->ev_n == 0)
		return false;
	*out = ep->events[ep->ev_head];
	ep->ev_head = (ep->ev_head + 1) % ep->ev_cap;
	ep->ev_n--;
	if (has_payload(out->kind)) {
		ep->payload_head = (ep->payload_head + 1) % PAYLOADS;
		ep->payload_n--;
	}
	return true;
}

/* --- time and output ---------------------------------------------------- */

void iax2_endpoint_tick(struct iax2_endpoint *ep, mono_us now)
{
	ep->now = now;
	while (endpoint_due(ep) <= now) {
		struct call *c = endpoint_first(ep);

		call_tick(ep, c, now);
		if (c->state != CALL_FREE)
			endpoint_call_touch(ep, c);
	}
}

mono_us iax2_endpoint_deadline(const struct iax2_endpoint *ep)
{
	return endpoint_due(ep);
}

bool iax2_endpoint_next_tx(struct iax2_endpoint *ep, struct dgram *out)
{
	/* What is sent anyway acknowledges as well; the rest goes now. */
	transport_flush_acks(ep);
	return dgram_queue_pop(ep->tx, out);
}

const struct iax2_counters *
iax2_endpoint_counters(const struct iax2_endpoint *ep)
{
	return &ep->n;
}

size_t iax2_endpoint_calls(const struct iax2_endpoint *ep)
{
	return ep->calls_n;
}

size_t iax2_endpoint_unsettled(const struct iax2_endpoint *ep)
{
	size_t n = 0;

	for (size_t i = 0; i < ep->cfg.calls_max; i++) {
		const struct call *c = &ep->calls[i];

		n += c->state != CALL_FREE &&
		     (c->state != CALL_ENDING || c->window_n > 0);
	}
	return n;
}

size_t iax2_endpoint_half_open(const struct iax2_endpoint *ep)
{
	return ep->opening_n;
}

struct iax2_prefs endpoint_prefs(const struct iax2_endpoint *ep)
{
	return (struct iax2_prefs){ ep->cfg.prefs, ep->cfg.prefs_n };
}

/* --- tickets ------------------------------------------------------------ */

static void add_address(struct expected *e, const struct net_addr *addr)
{
	for (size_t i = 0; i < e->addr_n; i++) {
		if (net_addr_equal(&e->addr[i], addr))
			return;
	}
	if (e->addr_n < TICKET_ADDRS)
		e->addr[e->addr_n++] = *addr;
}

enum iax2_err iax2_expect(struct iax2_endpoint *ep,
			  const struct iax2_ticket *ticket,
			  const struct net_addr *addr, mono_us now)
{
	struct expected *free_slot = NULL;
	size_t last = 0;

	for (size_t i = 0; i < ep->expected_n; i++) {
		struct expected *e = &ep->expected[i];

		if (now < e->ticket.expires) {
			last = i + 1;
			if (e->ticket.id != ticket->id)
				continue;
			add_address(e, addr);
			return IAX2_OK;
		}
		key_wipe(e->ticket.key, sizeof(e->ticket.key));
		if (!free_slot)
			free_slot = e;
	}
	ep->expected_n = last;
	if (!free_slot && last < ep->cfg.tickets_max)
		free_slot = &ep->expected[last];
	if (!free_slot)
		return IAX2_E_FULL;
	if (free_slot == &ep->expected[last])
		ep->expected_n++;
	memset(free_slot, 0, sizeof(*free_slot));
	free_slot->ticket = *ticket;
	free_slot->addr[0] = *addr;
	free_slot->addr_n = 1;
	return IAX2_OK;
}
