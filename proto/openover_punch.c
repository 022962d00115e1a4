/* SPDX-License-Identifier: MIT */

#include "proto/openover_punch.h"

#include <stdio.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_local.h"
#include "proto/openover_node_relay.h"
#include "proto/openover_spray.h"

/* How long a proved IPv4 path waits for an IPv6 one (RFC 8305 in spirit). */
#define HEAD_START_US (50 * MONO_MS)
/* And one through a relay for any other. */
#define RELAY_WAIT_US (200 * MONO_MS)
/* A path that is proved late is kept open until its call has come. */
#define PROVED_LIFE_US (3 * MONO_S)
/* By then a neighbour has answered. */
#define LOCAL_START_US (40 * MONO_MS)
/* Whoever has the address in this network gets no more than these. */
#define LOCAL_TRIES 4U
#define TRIES 30U /* any other */
/* Its own POKE is answered with one of ours, but not with a chain of them. */
#define REPLY_US (40 * MONO_MS)
/* Between the first POKEs to several addresses of one kind. */
#define PACE_US (20 * MONO_MS)

/* Pauses between POKEs to one candidate, the last one repeated. */
static const mono_us pause_us[] = {
	60 * MONO_MS,  80 * MONO_MS,  110 * MONO_MS,
	150 * MONO_MS, 200 * MONO_MS, 250 * MONO_MS,
};
#define SENT (sizeof((struct oo_candidate){ 0 }.sent) / sizeof(uint64_t))
#define PAUSES (sizeof(pause_us) / sizeof(pause_us[0]))

/* What a token is called on the wire. */
static uint64_t punch_id(const uint8_t token[KEY_SHARED_LEN])
{
	return key_derive_u64(token, "keyhole punch id", NULL, 0);
}

void oo_punch_ticket(const struct oo_punch *p, mono_us expires,
		     struct iax2_ticket *out)
{
	memset(out, 0, sizeof(*out));
	out->id = p->id;
	key_derive(out->key, p->cfg.token, "keyhole punch call", NULL, 0);
	memcpy(out->peer_key, p->cfg.peer_key, KEY_PUBLIC_LEN);
	memcpy(out->peer_number, p->cfg.peer_number, sizeof(out->peer_number));
	out->expires = expires;
}

/* Which kind of way is liked better: less is more. */
enum rank { RANK_LOCAL, RANK_V6, RANK_MAPPED, RANK_V4, RANK_RELAY, RANKS };

static enum rank rank(const struct oo_candidate *c)
{
	if (c->type == OO_CANDIDATE_LOCAL)
		return RANK_LOCAL;
	if (c->type == OO_CANDIDATE_RELAY)
		return RANK_RELAY;
	if (!net_addr_is_v4(&c->path.peer))
		return RANK_V6;
	return c->type == OO_CANDIDATE_MAPPED ? RANK_MAPPED : RANK_V4;
}

/* --- sending ------------------------------------------------------------ */

static uint32_t stamp(const struct oo_punch *p, mono_us now)
{
	return (uint32_t)((now - p->began) / MONO_MS);
}

void oo_punch_send_poke(struct oo_punch *p, const struct net_path *path,
			uint8_t ttl, mono_us now)
{
	const struct iax2_full hdr = {
		.src_callno = IAX2_CALLNO_OUTSIDE,
		.ts_ms = stamp(p, now),
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_POKE, &hdr);
	struct dgram d = { .path = *path, .ttl = ttl, .data = buf };

	iax2_ie_put_u64(&w, IAX2_IE_KH_PUNCH, p->id);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, ++p->tx_counter);
	oo_put_pad(&w, buf, OO_PUNCH_LEN, true);
	seal_append(&w, buf, p->tx_key);
	d.len = (size_t)(w.p - buf);
	if (!w.bad)
		dgram_queue_push(p->cfg.tx, &d, false);
}

static void send_pong(struct oo_punch *p, const struct dgram *poke,
		      const struct oo_msg *m)
{
	const struct iax2_full hdr = {
		.src_callno = IAX2_CALLNO_OUTSIDE,
		.dst_callno = m->hdr.src_callno,
		.ts_ms = m->hdr.ts_ms,
		.iseq = (uint8_t)(m->hdr.oseq + 1),
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_PONG, &hdr);
	struct dgram d = { .path = poke->path, .data = buf };

	iax2_ie_put_u64(&w, IAX2_IE_KH_PUNCH, p->id);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, m->transaction);
	oo_put_addr(&w, IAX2_IE_KH_REFLEXIVE, &poke->path.peer);
	seal_append(&w, buf, p->tx_key);
	d.len = (size_t)(w.p - buf);
	if (!w.bad && d.len <= poke->len)
		dgram_queue_push(p->cfg.tx, &d, false);
}

static unsigned most(const struct oo_candidate *c)
{
	return c->type == OO_CANDIDATE_LOCAL && !c->heard ? LOCAL_TRIES : TRIES;
}

static void poke(struct oo_punch *p, struct oo_candidate *c, mono_us now)
{
	const unsigned step = c->tries < PAUSES ? c->tries : PAUSES - 1;

	oo_punch_send_poke(p, &c->path, 0, now);
	c->sent[c->tries % SENT] = p->tx_counter;
	c->sent_at = now;
	c->tries++;
	c->next = now + pause_us[step];
	if (c->tries >= most(c))
		c->next = MONO_NEVER;
}

/* --- candidates --------------------------------------------------------- */

/* A way is an address of the peer's and a socket of ours: probing may find
 * several between the same two hosts. */
static struct oo_candidate *find(struct oo_punch *p,
				 const struct net_path *path)
{
	for (size_t i = 0; i < p->cand_n; i++) {
		const struct net_path *c = &p->cand[i].path;

		if (c->sock == path->sock &&
		    net_addr_equal(&c->peer, &path->peer))
			return &p->cand[i];
	}
	return NULL;
}

static struct oo_candidate *learn(struct oo_punch *p,
				  const struct net_path *path, mono_us now)
{
	struct oo_candidate *c = find(p, path);

	if (!c) {
		if (p->cfg.direct && path->sock == OO_SOCK_RELAY)
			return NULL;
		if (p->cand_n == OO_CANDIDATES_MAX)
			return NULL;
		c = &p->cand[p->cand_n++];
		memset(c, 0, sizeof(*c));
		c->learned = true;
		c->next = now;
		c->type = path->sock == OO_SOCK_RELAY ? OO_CANDIDATE_RELAY
			  : oo_addr_is_private(&path->peer)
				  ? OO_CANDIDATE_LOCAL
				  : OO_CANDIDATE_REFLEXIVE;
	}
	c->path = *path;
	return c;
}

static void add_relays(struct oo_punch *p, mono_us now)
{
	const struct oo_candidates *relays = &p->cfg.relays;

	for (size_t i = 0;
	     !p->cfg.direct && i < relays->n && p->cand_n < OO_CANDIDATES_MAX;
	     i++) {
		struct oo_candidate *c = &p->cand[p->cand_n++];

		c->path.peer = relays->addr[i];
		c->type = OO_CANDIDATE_RELAY;
		c->next = now + p->cfg.relay_delay;
	}
}

/*
 * A translator that takes note of a packet which it does not pass would give
 * the caller's own POKE another port.  So the packet that opens the target's
 * side dies on the way, and the ones that arrive follow when the caller's side
 * is open.
 */
static bool waits_for_caller(const struct oo_punch *p,
			     const struct oo_candidate *c)
{
	return p->cfg.role == OO_PUNCH_TARGET && rank(c) >= RANK_MAPPED;
}

static void add_candidates(struct oo_punch *p, mono_us now)
{
	const struct oo_candidates *given = &p->cfg.candidates;
	mono_us at[RANKS];
	bool opened = false;

	for (size_t i = 0; i < RANKS; i++)
		at[i] = now;
	for (size_t i = 0; i < given->n; i++) {
		struct oo_candidate *c = &p->cand[p->cand_n++];
		mono_us *turn;

		c->path.peer = given->addr[i];
		c->type = given->type[i];
		/* What a router mapped is IPv4 like the rest of it. */
		turn = &at[rank(c) == RANK_MAPPED ? RANK_V4 : rank(c)];
		c->next = *turn;
		*turn += PACE_US;
		if (!waits_for_caller(p, c))
			continue;
		c->next += p->cfg.caller_delay;
		/* To where its POKEs come from, which is the first. */
		if (p->cfg.opener_ttl > 1 && !opened)
			oo_punch_send_poke(p, &c->path, p->cfg.opener_ttl, now);
		opened = true;
	}
}

void oo_punch_start(struct oo_punch *p, const struct oo_punch_cfg *cfg,
		    mono_us now)
{
	const bool caller = cfg->role == OO_PUNCH_CALLER;

	memset(p, 0, sizeof(*p));
	p->cfg = *cfg;
	p->id = punch_id(cfg->token);
	key_derive(caller ? p->tx_key : p->rx_key, cfg->token,
		   "keyhole punch caller", NULL, 0);
	key_derive(caller ? p->rx_key : p->tx_key, cfg->token,
		   "keyhole punch target", NULL, 0);
	p->began = now;
	p->ends = oo_spray_start(p, now);
	add_candidates(p, now);
	add_relays(p, now);
}

/* --- receiving ---------------------------------------------------------- */

/* Nothing is left to look for. */
static bool rests(const struct oo_punch *p)
{
	return p->chosen && !p->relayed;
}

/* Where no other was given a start there is none to wait for. */
static mono_us relay_choose_at(const struct oo_punch *p)
{
	return p->relay_at + (p->cfg.relay_delay == 0 ? 0 : RELAY_WAIT_US);
}

/* Until when the best way so far waits for a better one; 0: no longer. */
static mono_us choose_at(const struct oo_punch *p,
			 const struct oo_candidate *best)
{
	mono_us at = 0;

	if (best->type == OO_CANDIDATE_RELAY)
		return p->chosen ? MONO_NEVER : relay_choose_at(p);
	for (size_t i = 0; i < p->cand_n; i++) {
		const struct oo_candidate *c = &p->cand[i];
		mono_us hope = 0;

		if (c->proved || rank(c) >= rank(best))
			continue;
		if (rank(c) == RANK_LOCAL)
			hope = p->began + LOCAL_START_US;
		else if (rank(c) == RANK_V6)
			hope = p->proved_at + HEAD_START_US;
		if (hope > at)
			at = hope;
	}
	return at;
}

static unsigned choose(struct oo_punch *p, mono_us now)
{
	const struct oo_candidate *best = oo_punch_best(p);

	if (p->cfg.role != OO_PUNCH_CALLER || rests(p) || !best ||
	    now < choose_at(p, best))
		return 0;
	p->relayed = best->type == OO_CANDIDATE_RELAY;
	if (p->chosen)
		return OO_PUNCH_BETTER;
	p->chosen = true;
	return OO_PUNCH_CHOSEN;
}

static void proved(struct oo_punch *p, const struct oo_candidate *c,
		   mono_us now)
{
	if (c->type == OO_CANDIDATE_RELAY) {
		if (p->relay_at == 0)
			p->relay_at = now;
		return;
	}
	p->spray_at = MONO_NEVER;
	p->look_at = MONO_NEVER;
	if (p->proved_at != 0)
		return;
	p->proved_at = now;
	if (p->ends < now + PROVED_LIFE_US)
		p->ends = now + PROVED_LIFE_US;
}

static unsigned on_poke(struct oo_punch *p, const struct dgram *d,
			const struct oo_msg *m, mono_us now)
{
	struct oo_candidate *c;

	if (!replay_accept(&p->rx, m->transaction))
		return 0;
	c = learn(p, &d->path, now);
	if (c)
		c->heard = true;
	/* Its way to us is open now, so ours to it is worth a try at once; and
	 * before the PONG, so that the peer's answer is not behind its NEW. */
	if (c && !c->proved && !rests(p) && c->tries < most(c) &&
	    (c->sent_at == 0 || now >= c->sent_at + REPLY_US))
		poke(p, c, now);
	send_pong(p, d, m);
	return 0;
}

static unsigned on_pong(struct oo_punch *p, const struct dgram *d,
			const struct oo_msg *m, mono_us now)
{
	struct oo_candidate *c = find(p, &d->path);

	if (m->transaction == 0 || m->transaction > p->tx_counter)
		return 0;
	if (!c) {
		/* An answer from elsewhere, as to a guessed port: its sender is
		 * the peer, but this address has to answer for itself. */
		if (!rests(p))
			(void)learn(p, &d->path, now);
		return 0;
	}
	for (size_t i = 0; i < SENT; i++) {
		if (c->sent[i] != m->transaction)
			continue;
		c->path = d->path;
		c->next = MONO_NEVER;
		if (c->proved)
			return 0;
		c->proved = true;
		proved(p, c, now);
		return OO_PUNCH_PROVED | choose(p, now);
	}
	return 0;
}

unsigned oo_punch_rx(struct oo_punch *p, const struct dgram *d,
		     const struct oo_msg *m, mono_us now)
{
	if (!m->has_transaction || !seal_check(d->data, d->len, p->rx_key))
		return 0;
	if (m->hdr.subclass == IAX2_IAX_POKE)
		return on_poke(p, d, m, now);
	return on_pong(p, d, m, now);
}

/* --- time --------------------------------------------------------------- */

unsigned oo_punch_tick(struct oo_punch *p, mono_us now)
{
	unsigned change = 0;

	if (now >= p->ends)
		return OO_PUNCH_ENDED;
	for (size_t i = 0; i < p->cand_n && !rests(p); i++) {
		struct oo_candidate *c = &p->cand[i];

		if (!c->proved && now >= c->next)
			poke(p, c, now);
	}
	if (!rests(p))
		change |= oo_spray_tick(p, now);
	return change | choose(p, now);
}

mono_us oo_punch_deadline(const struct oo_punch *p)
{
	const struct oo_candidate *best = oo_punch_best(p);
	mono_us due = p->ends;

	if (rests(p))
		return due;
	for (size_t i = 0; i < p->cand_n; i++) {
		if (!p->cand[i].proved)
			due = mono_min(due, p->cand[i].next);
	}
	due = mono_min(due, mono_min(p->spray_at, p->look_at));
	if (best && p->cfg.role == OO_PUNCH_CALLER)
		due = mono_min(due, choose_at(p, best));
	return due;
}

const struct oo_candidate *oo_punch_best(const struct oo_punch *p)
{
	const struct oo_candidate *best = NULL;

	for (size_t i = 0; i < p->cand_n; i++) {
		const struct oo_candidate *c = &p->cand[i];

		if (c->proved && (!best || rank(c) < rank(best)))
			best = c;
	}
	return best;
}

bool oo_punch_is_predicted(const struct oo_punch *p,
			   const struct oo_candidate *c)
{
	return c->type != OO_CANDIDATE_RELAY && c->learned &&
	       p->spray_left < p->cfg.spray_packets;
}

void oo_punch_tried(const struct oo_punch *p, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%zu address%s, %llu packets%s", p->cand_n,
		       p->cand_n == 1 ? "" : "es",
		       (unsigned long long)p->tx_counter, oo_spray_tried(p));
}
