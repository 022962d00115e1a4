/* SPDX-License-Identifier: MIT */

#include "proto/openover_punch.h"

#include <stdio.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_node_relay.h"

#define LIFE_US (5 * MONO_S)
#define LIFE_SPRAY_US (9 * MONO_S)
/* How long a proved IPv4 path waits for an IPv6 one (RFC 8305 in spirit). */
#define HEAD_START_US (50 * MONO_MS)
/* And a relayed one for any other. */
#define RELAY_WAIT_US (200 * MONO_MS)
#define SPRAY_AFTER_US (600 * MONO_MS)
#define SPRAY_TICK_US (10 * MONO_MS)
#define SPRAY_EACH 5U /* packets a tick: 500 a second */
#define PORT_LOW 1024U

/* Pauses between POKEs to one candidate, the last one repeated. */
static const mono_us pause_us[] = {
	60 * MONO_MS,  80 * MONO_MS,  110 * MONO_MS,
	150 * MONO_MS, 200 * MONO_MS, 250 * MONO_MS,
};
#define PAUSES (sizeof(pause_us) / sizeof(pause_us[0]))

uint64_t oo_punch_id(const uint8_t token[KEY_SHARED_LEN])
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

static bool wants_spray(const struct oo_punch_cfg *c)
{
	return c->spray_packets > 0 && c->spray_sockets > 0 &&
	       ((c->own_nat ^ c->peer_nat) & OO_NAT_PORT_CHANGED);
}

static bool has_v6(const struct oo_punch *p)
{
	for (size_t i = 0; i < p->cand_n; i++) {
		if (!net_addr_is_v4(&p->cand[i].path.peer) && !p->cand[i].relay)
			return true;
	}
	return false;
}

/* --- sending ------------------------------------------------------------ */

static uint32_t stamp(const struct oo_punch *p, mono_us now)
{
	return (uint32_t)((now - p->began) / MONO_MS);
}

static void send_poke(struct oo_punch *p, const struct net_path *path,
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

static void poke(struct oo_punch *p, struct oo_candidate *c, mono_us now)
{
	const unsigned step = c->tries < PAUSES ? c->tries : PAUSES - 1;

	send_poke(p, &c->path, 0, now);
	c->sent[c->tries % 4] = p->tx_counter;
	c->tries++;
	c->next = now + pause_us[step];
}

/* --- candidates --------------------------------------------------------- */

/* The peer's address may be reached both directly and through our relay. */
static struct oo_candidate *find(struct oo_punch *p, const struct net_path *to)
{
	const bool by_relay = to->sock == OO_SOCK_RELAY;

	for (size_t i = 0; i < p->cand_n; i++) {
		const struct net_path *path = &p->cand[i].path;

		if (net_addr_equal(&path->peer, &to->peer) &&
		    (path->sock == OO_SOCK_RELAY) == by_relay)
			return &p->cand[i];
	}
	return NULL;
}

static struct oo_candidate *learn(struct oo_punch *p,
				  const struct net_path *path, mono_us now)
{
	struct oo_candidate *c = find(p, path);

	if (!c) {
		if (p->cand_n == OO_CANDIDATES_MAX)
			return NULL;
		c = &p->cand[p->cand_n++];
		memset(c, 0, sizeof(*c));
		c->learned = true;
		c->relay = path->sock == OO_SOCK_RELAY;
		c->next = now;
	}
	c->path = *path;
	return c;
}

static void add_relays(struct oo_punch *p, mono_us now)
{
	const struct oo_candidates *relays = &p->cfg.relays;

	for (size_t i = 0; i < relays->n && p->cand_n < OO_CANDIDATES_MAX;
	     i++) {
		struct oo_candidate *c = &p->cand[p->cand_n++];

		c->path.peer = relays->addr[i];
		c->relay = true;
		c->next = now + p->cfg.relay_delay;
	}
}

void oo_punch_start(struct oo_punch *p, const struct oo_punch_cfg *cfg,
		    mono_us now)
{
	const bool caller = cfg->role == OO_PUNCH_CALLER;

	memset(p, 0, sizeof(*p));
	p->cfg = *cfg;
	p->id = oo_punch_id(cfg->token);
	key_derive(caller ? p->tx_key : p->rx_key, cfg->token,
		   "keyhole punch caller", NULL, 0);
	key_derive(caller ? p->rx_key : p->tx_key, cfg->token,
		   "keyhole punch target", NULL, 0);
	p->began = now;
	p->spray_at = MONO_NEVER;
	p->spray_left = cfg->spray_packets;
	p->ends = now + LIFE_US;
	if (wants_spray(cfg)) {
		p->spray_at = now + SPRAY_AFTER_US;
		p->ends = now + LIFE_SPRAY_US;
	}
	for (size_t i = 0; i < cfg->candidates.n; i++) {
		struct oo_candidate *c = &p->cand[p->cand_n++];
		const bool v4 = net_addr_is_v4(&cfg->candidates.addr[i]);

		c->path.peer = cfg->candidates.addr[i];
		c->next = now;
		if (caller || !v4)
			continue;
		/*
		 * A translator that takes note of a packet which it does not
		 * pass would give the caller's own POKE another port.  So the
		 * packet that opens our side dies on the way, and the ones that
		 * arrive follow when the caller's side is open.
		 */
		c->next = now + cfg->caller_delay;
		if (cfg->opener_ttl > 1)
			send_poke(p, &c->path, cfg->opener_ttl, now);
	}
	add_relays(p, now);
}

/* --- receiving ---------------------------------------------------------- */

/* Nothing is left to look for. */
static bool rests(const struct oo_punch *p)
{
	return p->chosen && !p->relayed;
}

static unsigned choose(struct oo_punch *p, mono_us now)
{
	const struct net_path *best = oo_punch_best(p);
	const bool relayed = oo_punch_is_relayed(p);

	if (p->cfg.role != OO_PUNCH_CALLER || rests(p) || !best)
		return 0;
	if (relayed && (p->chosen || now < p->relay_at + RELAY_WAIT_US))
		return 0;
	if (!relayed && net_addr_is_v4(&best->peer) && has_v6(p) &&
	    now < p->proved_at + HEAD_START_US)
		return 0;
	p->relayed = relayed;
	if (p->chosen)
		return OO_PUNCH_BETTER;
	p->chosen = true;
	return OO_PUNCH_CHOSEN;
}

static void proved(struct oo_punch *p, const struct oo_candidate *c,
		   mono_us now)
{
	if (c->relay) {
		if (p->relay_at == 0)
			p->relay_at = now;
		return;
	}
	p->spray_at = MONO_NEVER;
	if (p->proved_at == 0)
		p->proved_at = now;
}

static unsigned on_poke(struct oo_punch *p, const struct dgram *d,
			const struct oo_msg *m, mono_us now)
{
	struct oo_candidate *c;

	if (!replay_accept(&p->rx, m->transaction))
		return 0;
	c = learn(p, &d->path, now);
	/* Its way to us is open now, so ours to it is worth a try at once; and
	 * before the PONG, so that the peer's answer is not behind its NEW. */
	if (c && !c->proved && !rests(p))
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
	for (size_t i = 0; i < 4; i++) {
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

/* --- port probing ------------------------------------------------------- */

static struct net_addr *spray_target(struct oo_punch *p)
{
	for (size_t i = 0; i < p->cand_n; i++) {
		if (net_addr_is_v4(&p->cand[i].path.peer) &&
		    !p->cand[i].learned && !p->cand[i].relay)
			return &p->cand[i].path.peer;
	}
	return NULL;
}

/* Our ports are unpredictable: POKE the peer from many of our own. */
static void spray_sockets(struct oo_punch *p, const struct net_addr *to,
			  mono_us now)
{
	for (unsigned i = 0; i < SPRAY_EACH && p->spray_left > 0; i++) {
		const struct net_path path = {
			.peer = *to,
			.sock = (uint16_t)(p->sock_first +
					   p->sock_next % p->sock_n),
		};

		send_poke(p, &path, 0, now);
		p->sock_next = (uint16_t)((p->sock_next + 1) % p->sock_n);
		p->spray_left--;
	}
}

/* The peer's ports are: POKE many of them from our one. */
static void spray_ports(struct oo_punch *p, const struct net_addr *to,
			mono_us now)
{
	for (unsigned i = 0; i < SPRAY_EACH && p->spray_left > 0; i++) {
		struct net_path path = { .peer = *to };
		uint8_t b[4] = { 0 };
		uint32_t v;

		p->cfg.random(p->cfg.random_ctx, b, sizeof(b));
		v = (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
		path.peer.port = (uint16_t)(PORT_LOW + v % (65536U - PORT_LOW));
		send_poke(p, &path, 0, now);
		p->spray_left--;
	}
}

static unsigned spray(struct oo_punch *p, mono_us now)
{
	const bool ours = p->cfg.own_nat & OO_NAT_PORT_CHANGED;
	const struct net_addr *to = spray_target(p);

	p->spray_at = now + SPRAY_TICK_US;
	if (!to || p->spray_left == 0) {
		p->spray_at = MONO_NEVER;
		return 0;
	}
	if (!ours) {
		spray_ports(p, to, now);
		return 0;
	}
	if (p->sock_n > 0) {
		spray_sockets(p, to, now);
		return 0;
	}
	p->spray_at = MONO_NEVER;
	if (p->socks_asked)
		return 0;
	p->socks_asked = true;
	return OO_PUNCH_SOCKETS;
}

void oo_punch_sockets(struct oo_punch *p, uint16_t first, uint16_t n,
		      mono_us now)
{
	p->sock_first = first;
	p->sock_n = n;
	if (n > 0 && p->proved_at == 0)
		p->spray_at = now;
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
	if (!rests(p) && now >= p->spray_at)
		change |= spray(p, now);
	return change | choose(p, now);
}

mono_us oo_punch_deadline(const struct oo_punch *p)
{
	mono_us due = p->ends;

	if (rests(p))
		return due;
	for (size_t i = 0; i < p->cand_n; i++) {
		if (!p->cand[i].proved)
			due = mono_min(due, p->cand[i].next);
	}
	due = mono_min(due, p->spray_at);
	if (p->proved_at != 0 && p->cfg.role == OO_PUNCH_CALLER)
		due = mono_min(due, p->proved_at + HEAD_START_US);
	if (p->relay_at != 0 && p->cfg.role == OO_PUNCH_CALLER && !p->chosen)
		due = mono_min(due, p->relay_at + RELAY_WAIT_US);
	return due;
}

static unsigned rank(const struct oo_candidate *c)
{
	return (c->relay ? 0 : 2U) + !net_addr_is_v4(&c->path.peer);
}

static const struct oo_candidate *best_of(const struct oo_punch *p)
{
	const struct oo_candidate *best = NULL;

	for (size_t i = 0; i < p->cand_n; i++) {
		const struct oo_candidate *c = &p->cand[i];

		if (c->proved && (!best || rank(c) > rank(best)))
			best = c;
	}
	return best;
}

const struct net_path *oo_punch_best(const struct oo_punch *p)
{
	const struct oo_candidate *best = best_of(p);

	return best ? &best->path : NULL;
}

bool oo_punch_is_relayed(const struct oo_punch *p)
{
	const struct oo_candidate *best = best_of(p);

	return best && best->relay;
}

void oo_punch_tried(const struct oo_punch *p, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%zu address%s, %llu packets sent", p->cand_n,
		       p->cand_n == 1 ? "" : "es",
		       (unsigned long long)p->tx_counter);
}
