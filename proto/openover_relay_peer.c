/* SPDX-License-Identifier: MIT */

/*
 * What may pass between a node's address at the relay and the rest of the
 * world (OPEN-OVER.md section 4.9).
 *
 * A peer is proved when it names a call number or a punch that only what the
 * node sent it could tell.  Until then it may begin a call but not flood, and is sent no
 * more than it sent, since its address may be somebody else's.
 */

#include <string.h>

#include "proto/dgram.h"
#include "proto/iax2_endpoint.h"
#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"
#include "proto/openover_relay_frame.h"
#include "proto/openover_relay_priv.h"

#define STRANGE_MAX 512U /* octets of what begins a call */
#define CREDIT_MAX 4096U
#define OPENED_TRIES 5U
#define FRESH_PORT_MIN 1024U
/* A stranger that took a place keeps it so long against another one. */
#define GRACE_US (2 * MONO_S)
#define BURST_US MONO_S /* what the bit rate allows at once */
/* Strangers get what calls leave of it, so none is drowned by them. */
#define STRANGE_BURST_US (BURST_US / 4)

static const struct rate_limit strangers_limit = { 1200, 40 };
static const struct rate_limit fresh_limit = { 60, 3 };

/* --- addresses ---------------------------------------------------------- */

static bool v4_is_public(const uint8_t ip[4])
{
	static const struct {
		uint8_t net[4];
		uint8_t bits;
	} not_public[] = {
		/* RFC 6890 */
		{ { 0, 0, 0, 0 }, 8 },      { { 10, 0, 0, 0 }, 8 },
		{ { 100, 64, 0, 0 }, 10 },  { { 127, 0, 0, 0 }, 8 },
		{ { 169, 254, 0, 0 }, 16 }, { { 172, 16, 0, 0 }, 12 },
		{ { 192, 0, 0, 0 }, 24 },   { { 192, 88, 99, 0 }, 24 },
		{ { 192, 168, 0, 0 }, 16 }, { { 224, 0, 0, 0 }, 4 },
		{ { 240, 0, 0, 0 }, 4 },
	};

	for (size_t i = 0; i < sizeof(not_public) / sizeof(not_public[0]);
	     i++) {
		const unsigned shift = 32U - not_public[i].bits;
		struct wire_rd a = wire_rd(ip, 4);
		struct wire_rd b = wire_rd(not_public[i].net, 4);

		if (wire_rd_u32(&a) >> shift == wire_rd_u32(&b) >> shift)
			return false;
	}
	return true;
}

/* Global unicast (RFC 4291 2.4), without what stands for an IPv4 address. */
static bool v6_is_public(const uint8_t ip[16])
{
	static const uint8_t teredo[4] = { 0x20, 0x01, 0, 0 };

	return (ip[0] & 0xe0) == 0x20 && !(ip[0] == 0x20 && ip[1] == 0x02) &&
	       memcmp(ip, teredo, sizeof(teredo)) != 0;
}

bool oo_relay_is_public(const struct net_addr *a)
{
	return net_addr_is_v4(a) ? v4_is_public(a->ip + 12)
				 : v6_is_public(a->ip);
}

static bool may_be_peer(const struct oo_relay *r, const struct net_addr *a)
{
	if (!net_addr_is_set(a))
		return false;
	for (size_t i = 0; i < r->cfg.own_n; i++) {
		if (net_addr_same_ip(&r->cfg.own[i], a))
			return false;
	}
	for (int f = 0; f < OO_FAMILIES; f++) {
		if (net_addr_same_ip(&r->cfg.address[f], a))
			return false;
	}
	return oo_relay_is_public(a);
}

/* --- peers -------------------------------------------------------------- */

static mono_us last_of(const struct oo_relay_peer *p)
{
	return p->heard > p->made ? p->heard : p->made;
}

static struct oo_relay_peer *find(const struct oo_relay *r,
				  const struct oo_relay_alloc *a,
				  const struct net_addr *addr, mono_us now)
{
	for (size_t i = 0; i < r->cfg.peers; i++) {
		struct oo_relay_peer *p = &a->peers[i];

		if (net_addr_equal(&p->addr, addr))
			return now - last_of(p) < r->cfg.idle ? p : NULL;
	}
	return NULL;
}

/* Which of two places is the better one to take; NULL: none so far. */
static struct oo_relay_peer *older(struct oo_relay_peer *a,
				   struct oo_relay_peer *b)
{
	return !a || last_of(b) < last_of(a) ? b : a;
}

/* A place for another peer: the same one's from before, a free or forgotten
 * one, or that of a stranger who made nothing of it; never a proved one's. */
static struct oo_relay_peer *make(const struct oo_relay *r,
				  const struct oo_relay_alloc *a,
				  const struct net_addr *addr, mono_us now)
{
	struct oo_relay_peer *best = NULL;

	for (size_t i = 0; i < r->cfg.peers; i++) {
		struct oo_relay_peer *p = &a->peers[i];
		const mono_us silent = now - last_of(p);

		if (net_addr_equal(&p->addr, addr)) {
			best = p;
			break;
		}
		if (!net_addr_is_set(&p->addr) || silent >= r->cfg.idle ||
		    (!p->proved && silent >= GRACE_US))
			best = older(best, p);
	}
	if (!best)
		return NULL;
	memset(best, 0, sizeof(*best));
	best->addr = *addr;
	best->made = now;
	return best;
}

/* --- bit rate ----------------------------------------------------------- */

/* As in rate.c: a point in time that each octet moves ahead. */
static bool flow_take(const struct oo_relay *r, mono_us *until, size_t len,
		      bool proved, mono_us now)
{
	const mono_us base = *until > now ? *until : now;

	if (base - now > (proved ? BURST_US : STRANGE_BURST_US))
		return false;
	*until = base + (mono_us)len * 8 * MONO_MS / r->cfg.kbit_s;
	return true;
}

/* --- inwards ------------------------------------------------------------ */

static bool decode(const uint8_t *data, size_t len, struct iax2_full *f)
{
	return iax2_full_decode(data, len, f) == IAX2_OK &&
	       (f->type != IAX2_FRAME_IAX ||
		iax2_ie_check(f->body, f->body_len) == IAX2_OK);
}

/* What one that the node has not talked with may send: the beginning of a
 * call, or of a punch. */
static bool may_begin(const struct iax2_full *f)
{
	return f->type == IAX2_FRAME_IAX &&
	       (f->subclass == IAX2_IAX_NEW || f->subclass == IAX2_IAX_POKE);
}

static uint64_t punch_of(const struct iax2_full *f, uint8_t subclass)
{
	uint64_t id = 0;

	if (f->type == IAX2_FRAME_IAX && f->subclass == subclass)
		(void)iax2_ie_u64(f->body, f->body_len, IAX2_IE_KH_PUNCH, &id);
	return id;
}

static bool proves(const struct oo_relay_peer *p, const struct iax2_full *f)
{
	if (!p)
		return false;
	if (p->callno > IAX2_CALLNO_OUTSIDE && f->dst_callno == p->callno)
		return true;
	return p->punch != 0 && punch_of(f, IAX2_IAX_PONG) == p->punch;
}

static void note_told(struct oo_relay_peer *p, const struct iax2_full *f)
{
	const uint64_t punch = punch_of(f, IAX2_IAX_POKE);

	if (f->src_callno > IAX2_CALLNO_OUTSIDE)
		p->callno = f->src_callno;
	if (punch != 0)
		p->punch = punch;
}

static enum oo_relay_fate judge_stranger(struct oo_relay *r,
					 struct oo_relay_alloc *a,
					 struct oo_relay_peer **p,
					 const struct net_addr *addr,
					 const struct dgram *d, mono_us now)
{
	struct iax2_full f;

	if (d->len > STRANGE_MAX || !decode(d->data, d->len, &f))
		return OO_RELAY_STRANGE;
	/* The answer to a call is not always an IAX frame. */
	if (!may_begin(&f) && !proves(*p, &f) &&
	    !(*p && f.type == IAX2_FRAME_IAX))
		return OO_RELAY_STRANGE;
	if (!rate_take(&a->strangers, &strangers_limit, now))
		return OO_RELAY_STRANGERS;
	if (!*p)
		*p = make(r, a, addr, now);
	if (!*p)
		return OO_RELAY_FULL;
	(*p)->proved = proves(*p, &f);
	(*p)->credit += (uint32_t)d->len;
	if ((*p)->credit > CREDIT_MAX)
		(*p)->credit = CREDIT_MAX;
	return OO_RELAY_PASS;
}

static enum oo_relay_fate judge_in(struct oo_relay *r, struct oo_relay_alloc *a,
				   const struct net_addr *peer,
				   const uint8_t *data, size_t len, mono_us now)
{
	const struct dgram d = { .data = data, .len = len };
	enum oo_relay_fate fate = OO_RELAY_PASS;
	struct oo_relay_peer *p;

	if (len == 0 || len > OO_RELAY_INNER_MAX)
		return OO_RELAY_SIZE;
	if (!may_be_peer(r, peer))
		return OO_RELAY_FORBIDDEN;
	p = find(r, a, peer, now);
	if (!p || !p->proved)
		fate = judge_stranger(r, a, &p, peer, &d, now);
	if (fate != OO_RELAY_PASS)
		return fate;
	if (!flow_take(r, &a->in_until, len, p->proved, now))
		return OO_RELAY_RATE;
	p->heard = now;
	return OO_RELAY_PASS;
}

enum oo_relay_fate oo_relay_in(struct oo_relay *r, struct oo_relay_alloc *a,
			       const struct net_addr *peer, const uint8_t *data,
			       size_t len, mono_us now)
{
	const enum oo_relay_fate fate = judge_in(r, a, peer, data, len, now);

	r->n.fate[fate]++;
	if (fate == OO_RELAY_PASS) {
		r->n.rx++;
		r->n.rx_octets += len;
	}
	return fate;
}

/* --- outwards ----------------------------------------------------------- */

/* What a node may say to one that has not asked: its own call, registration
 * or question. */
static bool may_call(const struct iax2_full *f, const struct net_addr *to)
{
	return f->type == IAX2_FRAME_IAX && f->dst_callno == 0 &&
	       (f->subclass == IAX2_IAX_NEW || f->subclass == IAX2_IAX_POKE ||
		f->subclass == IAX2_IAX_REGREQ) &&
	       to->port >= FRESH_PORT_MIN;
}

static enum oo_relay_fate judge_unproved(struct oo_relay_peer *p, bool full,
					 size_t len)
{
	if (p->tries > 0 && full && len <= STRANGE_MAX) {
		p->tries--;
		return OO_RELAY_PASS;
	}
	if (p->heard == 0)
		return OO_RELAY_NEW_LIMIT;
	if (p->credit < len)
		return OO_RELAY_LONGER;
	p->credit -= (uint32_t)len;
	return OO_RELAY_PASS;
}

static enum oo_relay_fate judge_out(struct oo_relay *r,
				    struct oo_relay_alloc *a,
				    const struct net_addr *peer,
				    const uint8_t *data, size_t len,
				    mono_us now)
{
	enum oo_relay_fate fate = OO_RELAY_PASS;
	struct oo_relay_peer *p;
	struct iax2_full f;
	bool full;

	if (len == 0 || len > OO_RELAY_INNER_MAX)
		return OO_RELAY_SIZE;
	if (!may_be_peer(r, peer))
		return OO_RELAY_FORBIDDEN;
	full = decode(data, len, &f);
	p = find(r, a, peer, now);
	if (!p) {
		if (!full || !may_call(&f, peer))
			return OO_RELAY_UNASKED;
		if (!rate_take(&a->fresh, &fresh_limit, now))
			return OO_RELAY_NEW_LIMIT;
		p = make(r, a, peer, now);
		if (!p)
			return OO_RELAY_FULL;
		p->tries = OPENED_TRIES;
	}
	if (!p->proved)
		fate = judge_unproved(p, full, len);
	if (fate != OO_RELAY_PASS)
		return fate;
	if (!flow_take(r, &a->out_until, len, p->proved, now))
		return OO_RELAY_RATE;
	if (full)
		note_told(p, &f);
	return OO_RELAY_PASS;
}

enum oo_relay_fate oo_relay_out(struct oo_relay *r, struct oo_relay_alloc *a,
				const struct net_addr *peer,
				const uint8_t *data, size_t len, mono_us now)
{
	const enum oo_relay_fate fate = judge_out(r, a, peer, data, len, now);

	r->n.fate[fate]++;
	if (fate == OO_RELAY_PASS) {
		r->n.tx++;
		r->n.tx_octets += len;
	}
	return fate;
}
