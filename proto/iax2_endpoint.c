/* SPDX-License-Identifier: MIT */

#include "proto/iax2_endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "proto/iax2_endpoint_priv.h"

static bool cfg_is_sane(const struct iax2_endpoint_cfg *c)
{
	return c->calls_max >= 1 && c->calls_max <= 8192 &&
	       c->calls_per_addr_max >= 1 && c->calls_per_addr_max <= 64 &&
	       c->identity && c->random && c->formats != 0;
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
	ep->tx = dgram_queue_new(ep->cfg.tx_max);
	ep->calls = calloc(calls, sizeof(ep->calls[0]));
	ep->bucket = calloc(buckets, sizeof(ep->bucket[0]));
	ep->heap = calloc(calls + 1, sizeof(ep->heap[0]));
	ep->acks = calloc(calls, sizeof(ep->acks[0]));
	ep->free_slot = calloc(calls, sizeof(ep->free_slot[0]));
	ep->opening = calloc(calls, sizeof(ep->opening[0]));
	ep->pool = calloc(pool, sizeof(ep->pool[0]));
	ep->pool_free = calloc(pool, sizeof(ep->pool_free[0]));
	ep->events = calloc(ep->ev_cap, sizeof(ep->events[0]));
	if (!ep->tx || !ep->calls || !ep->bucket || !ep->heap || !ep->acks ||
	    !ep->free_slot || !ep->opening || !ep->pool || !ep->pool_free ||
	    !ep->events)
		return false;
	for (size_t i = 0; i < calls; i++)
		ep->free_slot[i] = (uint16_t)(calls - 1 - i);
	memset(ep->by_callno, 0xff, sizeof(ep->by_callno));
	memset(ep->bucket, 0xff, buckets * sizeof(ep->bucket[0]));
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
	free(ep->heap);
	free(ep->acks);
	free(ep->free_slot);
	free(ep->opening);
	free(ep->pool);
	free(ep->pool_free);
	free(ep->events);
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

/* --- receiving ---------------------------------------------------------- */

void endpoint_stateless(struct iax2_endpoint *ep, const struct dgram *to,
			const struct iax2_full *f, const void *body,
			size_t body_len)
{
	uint8_t buf[128];
	struct iax2_full out = *f;
	struct dgram d = { .path = to->path, .data = buf };

	out.body = body;
	out.body_len = body_len;
	/* Whoever has not proved its address gets no more than it sent. */
	if (iax2_full_encode(&out, buf, sizeof(buf), &d.len) != IAX2_OK ||
	    d.len > to->len) {
		ep->n.limited++;
		return;
	}
	(void)dgram_queue_push(ep->tx, &d, false);
}

static bool may_be_invalid(const struct iax2_full *f)
{
	if (f->type != IAX2_FRAME_IAX)
		return true;
	switch (f->subclass) {
	case IAX2_IAX_INVAL:
	case IAX2_IAX_ACK:
	case IAX2_IAX_VNAK:
	case IAX2_IAX_PONG:
	case IAX2_IAX_LAGRP:
	case IAX2_IAX_HANGUP:
	case IAX2_IAX_REJECT:
	case IAX2_IAX_CALLTOKEN:
	case IAX2_IAX_UNSUPPORT:
	case IAX2_IAX_TXCNT:
		return false;
	default:
		return true;
	}
}

/* A full frame for no call of ours: INVAL (RFC 5456 6.9.2). */
static enum iax2_err unknown_call(struct iax2_endpoint *ep,
				  const struct dgram *d,
				  const struct iax2_full *f)
{
	const struct iax2_full inval = {
		.src_callno = f->dst_callno,
		.dst_callno = f->src_callno,
		.ts_ms = f->ts_ms,
		.oseq = f->iseq,
		.iseq = f->oseq,
		.type = IAX2_FRAME_IAX,
		.subclass = IAX2_IAX_INVAL,
	};

	ep->n.unknown_call++;
	if (may_be_invalid(f) && f->dst_callno != 0)
		endpoint_stateless(ep, d, &inval, NULL, 0);
	return IAX2_E_STALE;
}

static enum iax2_err on_poke(struct iax2_endpoint *ep, const struct dgram *d,
			     const struct iax2_full *f)
{
	const struct iax2_full pong = {
		.src_callno = IAX2_CALLNO_OUTSIDE,
		.dst_callno = f->src_callno,
		.ts_ms = f->ts_ms,
		.iseq = (uint8_t)(f->oseq + 1),
		.type = IAX2_FRAME_IAX,
		.subclass = IAX2_IAX_PONG,
	};

	struct wire_rd r = wire_rd(f->body, f->body_len);
	struct iax2_ie_view v;

	/* With elements of ours it belongs to OPEN/OVER. */
	while (iax2_ie_next(&r, &v)) {
		if (v.type >= IAX2_IE_KH_SESSION && v.type <= IAX2_IE_KH_DELAY)
			return IAX2_E_NOT_OURS;
	}
	endpoint_stateless(ep, d, &pong, NULL, 0);
	return IAX2_OK;
}

static bool is_iax(const struct iax2_full *f, enum iax2_iax subclass)
{
	return f->type == IAX2_FRAME_IAX && f->subclass == subclass;
}

static struct call *find_call(struct iax2_endpoint *ep, const struct dgram *d,
			      const struct iax2_full *f)
{
	struct call *c;

	/* A peer that does not know our number yet says 0. */
	if (f->dst_callno == 0)
		return endpoint_call_of_peer(ep, &d->path.peer, f->src_callno);
	if (ep->by_callno[f->dst_callno] == CALL_NONE)
		return NULL;
	c = &ep->calls[ep->by_callno[f->dst_callno]];
	if (!net_addr_equal(&c->path.peer, &d->path.peer))
		return NULL;
	/* Only who has no call there says so under another number. */
	if (c->peer_callno != 0 && f->src_callno != c->peer_callno &&
	    !is_iax(f, IAX2_IAX_INVAL))
		return NULL;
	return c;
}

static enum iax2_err on_full(struct iax2_endpoint *ep, const struct dgram *d,
			     mono_us now)
{
	struct iax2_full f;
	struct call *c;
	enum iax2_err err = iax2_full_decode(d->data, d->len, &f);

	if (err == IAX2_OK && f.type == IAX2_FRAME_IAX)
		err = iax2_ie_check(f.body, f.body_len);
	if (err != IAX2_OK) {
		ep->n.malformed++;
		return err;
	}
	if (is_iax(&f, IAX2_IAX_POKE) && f.dst_callno == 0)
		return on_poke(ep, d, &f);
	c = find_call(ep, d, &f);
	if (c) {
		call_rx(ep, c, &f, now);
		if (c->state != CALL_FREE)
			endpoint_call_touch(ep, c);
		return IAX2_OK;
	}
	if (is_iax(&f, IAX2_IAX_NEW) && f.dst_callno == 0)
		return call_on_new(ep, d, &f, now);
	return unknown_call(ep, d, &f);
}

static enum iax2_err on_mini(struct iax2_endpoint *ep, const struct dgram *d,
			     mono_us now)
{
	struct iax2_mini m;
	struct call *c;
	const enum iax2_err err = iax2_mini_decode(d->data, d->len, &m);

	if (err != IAX2_OK) {
		ep->n.malformed++;
		return err;
	}
	c = endpoint_call_of_peer(ep, &d->path.peer, m.src_callno);
	if (!c) {
		ep->n.unknown_call++;
		return IAX2_E_STALE;
	}
	call_rx_mini(ep, c, &m, now);
	return IAX2_OK;
}

enum iax2_err iax2_endpoint_rx(struct iax2_endpoint *ep, const struct dgram *d,
			       mono_us now)
{
	enum iax2_kind kind;
	const enum iax2_err err = iax2_frame_kind(d->data, d->len, &kind);

	ep->now = now;
	ep->n.rx++;
	rotating_secret_tick(&ep->secret, ep->cfg.random, ep->cfg.random_ctx,
			     now);
	if (err != IAX2_OK || d->len > DGRAM_MAX) {
		ep->n.malformed++;
		return err != IAX2_OK ? err : IAX2_E_RANGE;
	}
	switch (kind) {
	case IAX2_KIND_FULL:
		return on_full(ep, d, now);
	case IAX2_KIND_MINI:
		return on_mini(ep, d, now);
	case IAX2_KIND_META:
		break;
	}
	ep->n.unknown_call++;
	return IAX2_E_NOT_OURS;
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

	for (size_t i = 0; i < TICKETS; i++) {
		struct expected *e = &ep->expected[i];

		if (e->ticket.id == ticket->id && now < e->ticket.expires) {
			add_address(e, addr);
			return IAX2_OK;
		}
		if (!free_slot && now >= e->ticket.expires)
			free_slot = e;
	}
	if (!free_slot)
		return IAX2_E_FULL;
	memset(free_slot, 0, sizeof(*free_slot));
	free_slot->ticket = *ticket;
	free_slot->addr[0] = *addr;
	free_slot->addr_n = 1;
	return IAX2_OK;
}
