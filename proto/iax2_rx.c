/* SPDX-License-Identifier: MIT */

/* A datagram on its way to the call that it belongs to, or to what is outside
 * of calls (RFC 5456 section 8.1). */

#include "proto/iax2_endpoint_priv.h"

static bool is_iax(const struct iax2_full *f, enum iax2_iax subclass)
{
	return f->type == IAX2_FRAME_IAX && f->subclass == subclass;
}

/*
 * A peer that does not know our number yet says 0: a caller, up to the first
 * frame that names it.  What has no place in the sequence answers something of
 * ours and always names it.
 */
static bool may_not_know(const struct call *c, const struct iax2_full *f)
{
	if (is_iax(f, IAX2_IAX_NEW))
		return true;
	return !c->outbound && !c->heard && call_has_sequence(f);
}

static struct call *find_call(struct iax2_endpoint *ep, const struct dgram *d,
			      const struct iax2_full *f)
{
	struct call *c;

	if (f->dst_callno == 0) {
		c = endpoint_call_of_peer(ep, &d->path.peer, f->src_callno);
		return c && may_not_know(c, f) ? c : NULL;
	}
	if (ep->by_callno[f->dst_callno] == CALL_NONE)
		return NULL;
	c = &ep->calls[ep->by_callno[f->dst_callno]];
	if (!endpoint_call_is_from(ep, c, &d->path.peer))
		return NULL;
	if (c->peer_callno == 0 || f->src_callno == c->peer_callno) {
		c->heard = true;
		return c;
	}
	/* Asterisk says INVAL to a mini frame under no number of its own. */
	return is_iax(f, IAX2_IAX_INVAL) && f->src_callno == 0 &&
			       !c->has_ticket && c->tx_any
		       ? c
		       : NULL;
}

/* The peer calls as if for the first time; once it has proved that it is at
 * its address, what it has forgotten ends. */
static enum iax2_err call_again(struct iax2_endpoint *ep, struct call *c,
				const struct dgram *d,
				const struct iax2_full *f, mono_us now)
{
	static const struct ending lost = { .reason = IAX2_DOWN_INVALID };
	struct iax2_ie_view token;

	if (iax2_ie_find(f->body, f->body_len, IAX2_IE_CALLTOKEN, &token) &&
	    token.len > 0)
		call_forget(ep, c, &lost, now);
	return call_on_new(ep, d, f, now);
}

static void rx_of_call(struct iax2_endpoint *ep, struct call *c,
		       const struct iax2_full *f, mono_us now)
{
	if (is_iax(f, IAX2_IAX_NEW) && f->dst_callno == 0)
		call_rx_copy(ep, c, f);
	else if (f->src_callno == 0 && c->peer_callno != 0)
		call_rx_hint(ep, c, now);
	else
		call_rx(ep, c, f, now);
}

static enum iax2_err on_full(struct iax2_endpoint *ep, const struct dgram *d,
			     mono_us now)
{
	struct iax2_full f;
	struct call *c;
	enum iax2_err err = iax2_full_decode(d->data, d->len, &f);

	if (err != IAX2_OK) {
		ep->n.malformed++;
		return err;
	}
	if (f.type == IAX2_FRAME_IAX)
		err = iax2_ie_check(f.body, f.body_len);
	if (err != IAX2_OK) {
		ep->n.malformed++;
		if (f.dst_callno == 0)
			return err;
		/* In a call it has its turn all the same, with nothing in it:
		 * a sequence that stalls would end the call. */
		f.body_len = 0;
	}
	if (is_iax(&f, IAX2_IAX_POKE) && f.dst_callno == 0)
		return endpoint_outside(ep, d, &f);
	if (is_iax(&f, IAX2_IAX_MOVE) && f.dst_callno != 0)
		return endpoint_on_move(ep, d, &f, now);
	c = find_call(ep, d, &f);
	if (c && call_is_forgotten(ep, c, d, &f, now))
		return call_again(ep, c, d, &f, now);
	if (c && call_is_unproved(ep, c, d, &f)) {
		c->forged = true;
		ep->n.auth_failed++;
		return IAX2_E_REFUSED;
	}
	if (c) {
		call_count_rx(c, d->len);
		rx_of_call(ep, c, &f, now);
		if (c->state != CALL_FREE)
			endpoint_call_touch(ep, c);
		return err;
	}
	if (is_iax(&f, IAX2_IAX_NEW) && f.dst_callno == 0)
		return call_on_new(ep, d, &f, now);
	if (call_may_be_moving(ep, &f)) {
		ep->n.unknown_call++;
		return IAX2_E_STALE;
	}
	return endpoint_outside(ep, d, &f);
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
	call_count_rx(c, d->len);
	call_rx_mini(ep, c, &m, now);
	return IAX2_OK;
}

static enum iax2_err on_meta(struct iax2_endpoint *ep, const struct dgram *d,
			     mono_us now)
{
	struct iax2_trunk t;
	struct iax2_mini m;
	enum iax2_err err = iax2_trunk_decode(d->data, d->len, &t);

	if (err == IAX2_E_NOT_OURS) {
		ep->n.unsupported++;
		return err;
	}
	while (err == IAX2_OK) {
		struct call *c;

		err = iax2_trunk_next(&t, &m);
		if (err != IAX2_OK)
			break;
		c = endpoint_call_of_peer(ep, &d->path.peer, m.src_callno);
		if (!c) {
			ep->n.unknown_call++;
			continue;
		}
		call_count_rx(c, m.len);
		if (t.stamped)
			call_rx_mini(ep, c, &m, now);
		else
			call_rx_unstamped(ep, c, &m, t.ts_ms, now);
	}
	if (err != IAX2_E_NOT_OURS) {
		ep->n.malformed++;
		return err;
	}
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
		return on_meta(ep, d, now);
	}
	return IAX2_E_NOT_OURS;
}
