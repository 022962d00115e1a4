/* SPDX-License-Identifier: MIT */

/* The holes to a registrar: PING, PONG and what they tell (OPEN-OVER.md section
 * 4.3). */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_reg_priv.h"

#define PONG_WAIT_MIN_US (500 * MONO_MS)
#define PONG_WAIT_MAX_US (2 * MONO_S)
#define INTERVAL_MIN_US (5 * MONO_S)

uint32_t reg_stamp(const struct oo_reg *g, mono_us now)
{
	return (uint32_t)((now - g->start) / MONO_MS);
}

void reg_put_interval(const struct oo_reg *g, struct wire_wr *w)
{
	mono_us longest = 0;

	for (int f = 0; f < OO_FAMILIES; f++) {
		if (net_addr_is_set(&g->hole[f].registrar) &&
		    g->hole[f].interval > longest)
			longest = g->hole[f].interval;
	}
	iax2_ie_put_u8(w, IAX2_IE_KH_INTERVAL,
		       (uint8_t)((longest + MONO_S - 1) / MONO_S));
}

void oo_reg_hole_life(struct oo_reg *g, enum oo_family family, mono_us life,
		      mono_us longest)
{
	struct oo_hole *h = &g->hole[family];
	/* The margin is for a PING that is lost and sent again. */
	mono_us i = life - life / 8;

	if (life == 0)
		i = g->cfg.keepalive;
	i = mono_min(i, longest);
	if (h->bearable != 0) {
		i = mono_min(i, h->bearable);
		/* It may have been a router that was started again. */
		h->bearable += h->bearable / 4;
	}
	h->interval = i > INTERVAL_MIN_US ? i : INTERVAL_MIN_US;
}

/* Only what can be ours: behind a second NAT it is none of the outer one's. */
static bool is_mapped(const struct oo_reg *g)
{
	return net_addr_is_set(&g->mapped) &&
	       net_addr_same_ip(&g->mapped, &g->hole[OO_V4].apparent);
}

static void put_mapped(struct oo_reg *g, struct wire_wr *w)
{
	struct oo_candidates c = { .n = 0 };

	if (!is_mapped(g))
		return;
	if (g->hole[OO_V4].path == 0 && g->mapped_path != 0) {
		iax2_ie_put_u64(w, IAX2_IE_KH_PATH, g->mapped_path);
		g->mapped_path = 0;
	}
	oo_candidate_add(&c, OO_CANDIDATE_MAPPED, &g->mapped);
	oo_put_candidates(w, &c);
}

static void send_ping(struct oo_reg *g, enum oo_family family, mono_us now)
{
	struct oo_hole *h = &g->hole[family];
	const struct iax2_full hdr = {
		.src_callno = IAX2_CALLNO_OUTSIDE,
		.ts_ms = reg_stamp(g, now),
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_POKE, &hdr);

	oo_session_put(&g->session, &w);
	if (h->path != 0)
		iax2_ie_put_u64(&w, IAX2_IE_KH_PATH, h->path);
	reg_put_interval(g, &w);
	if (family == OO_V4)
		put_mapped(g, &w);
	oo_put_pad(&w, buf, OO_PING_LEN, true);
	oo_reg_send(g, buf, &w, family);
	h->sent_at = now;
	h->sent_ts = hdr.ts_ms;
}

static mono_us pong_wait(const struct oo_hole *h)
{
	mono_us wait = 2 * (mono_us)h->rtt_us;

	if (wait < PONG_WAIT_MIN_US)
		wait = PONG_WAIT_MIN_US;
	return mono_min(
		wait << (h->missed < MISSED_MAX ? h->missed : MISSED_MAX),
		PONG_WAIT_MAX_US);
}

bool oo_reg_is_up(const struct oo_reg *g)
{
	return g->session.id != 0 && !g->lost;
}

void reg_ping_due(struct oo_reg *g, enum oo_family family, mono_us now)
{
	struct oo_hole *h = &g->hole[family];

	if (h->sent_at != 0)
		h->missed++;
	send_ping(g, family, now);
	/* A family that has never answered is asked rarely. */
	if (h->missed >= MISSED_MAX)
		h->next = now + mono_min(h->interval, g->cfg.keepalive);
	else
		h->next = now + pong_wait(h);
}

void oo_reg_ping(struct oo_reg *g, mono_us now)
{
	if (g->session.id == 0)
		return;
	for (int f = 0; f < OO_FAMILIES; f++) {
		struct oo_hole *h = &g->hole[f];

		if (!net_addr_is_set(&h->registrar))
			continue;
		send_ping(g, (enum oo_family)f, now);
		h->next = now + pong_wait(h);
	}
}

void oo_reg_mapped(struct oo_reg *g, const struct net_addr *a, mono_us now)
{
	if (net_addr_equal(&g->mapped, a))
		return;
	g->mapped = *a;
	g->mapped_path = 0;
	oo_reg_ping(g, now);
}

void oo_reg_network_changed(struct oo_reg *g, mono_us now)
{
	for (int f = 0; f < OO_FAMILIES; f++) {
		g->hole[f].missed = 0;
		g->hole[f].rtt_us = 0;
		g->hole[f].bearable = 0;
		g->hole[f].interval = g->cfg.keepalive;
	}
	if (g->state == OO_REG_WAITING)
		g->due = now;
	oo_reg_ping(g, now);
}

static void measure(struct oo_hole *h, mono_us now)
{
	const uint32_t rtt = (uint32_t)(now - h->sent_at);

	h->rtt_us = h->rtt_us == 0 ? rtt : h->rtt_us - h->rtt_us / 8 + rtt / 8;
	if (h->rtt_us == 0)
		h->rtt_us = 1;
}

/* Senders start from 32, 64, 128 or 255 as a rule. */
static uint8_t hops_from_ttl(uint8_t ttl)
{
	static const uint8_t start[] = { 32, 64, 128, 255 };

	for (size_t i = 0; ttl != 0 && i < sizeof(start); i++) {
		if (ttl <= start[i])
			return (uint8_t)(start[i] - ttl);
	}
	return 0;
}

unsigned reg_note_apparent(struct oo_hole *h, const struct net_addr *a)
{
	const struct net_addr was = h->apparent;

	if (net_addr_equal(&was, a))
		return 0;
	h->apparent = *a;
	if (net_addr_is_set(&was) && !net_addr_same_ip(&was, a))
		return OO_CHANGE_APPARENT | OO_CHANGE_MOVED;
	return OO_CHANGE_APPARENT;
}

unsigned oo_reg_on_pong(struct oo_reg *g, const struct dgram *d,
			const struct oo_msg *m, mono_us now)
{
	const enum oo_family family = oo_family_of(&d->path.peer);
	struct oo_hole *h = &g->hole[family];
	const struct net_addr was = h->apparent;
	unsigned change;

	if (!m->has_reflexive || !net_addr_equal(&d->path.peer, &h->registrar))
		return 0;
	if (is_mapped(g) && m->has_path &&
	    net_addr_equal(&m->reflexive, &g->mapped) &&
	    !net_addr_equal(&m->reflexive, &h->apparent)) {
		/* It came through the router's mapping: say so at once. */
		g->mapped_path = m->path;
		h->next = now;
		return 0;
	}
	if (h->sent_at != 0 && m->hdr.ts_ms == h->sent_ts)
		measure(h, now);
	h->hops = hops_from_ttl(d->ttl);
	memcpy(h->local_ip, d->path.local_ip, sizeof(h->local_ip));
	h->sent_at = 0;
	h->missed = 0;
	h->last_ok = now;
	change = reg_note_apparent(h, &m->reflexive);
	if (g->lost) {
		g->lost = false;
		g->trouble = OO_TROUBLE_NONE;
		change |= OO_CHANGE_UP;
	}
	/* Only the port is another: the hole died between two PINGs. */
	if (was.port != 0 && was.port != m->reflexive.port &&
	    net_addr_same_ip(&was, &m->reflexive) &&
	    h->interval > INTERVAL_MIN_US) {
		h->interval = h->interval * 2 / 3;
		h->bearable = h->interval;
	}
	if (m->has_path) {
		/* Not yet proved to receive here: say the cookie at once. */
		h->path = m->path;
		h->next = now;
		return change;
	}
	h->path = 0;
	h->next = now +
		  reg_spread(g, h->interval * 85 / 100, h->interval * 95 / 100);
	if (family == OO_V4 && g->mapped_path != 0)
		h->next = now;
	return change;
}
