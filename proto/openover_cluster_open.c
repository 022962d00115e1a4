/* SPDX-License-Identifier: MIT */

/*
 * OPEN_REQUESTs between registrars (OPEN-OVER.md section 8.3).  The caller's
 * registrar asks the one that the node is with, and asks again whenever the
 * caller does; the other registrar brings the OPEN to its node each time, and
 * the answer each time.  Nothing here needs a timer but an end.
 */

#include <string.h>

#include "proto/openover_cluster_priv.h"

/* As within one registrar: a target that did not answer by then is silent. */
#define SILENT_US (3 * MONO_S)
#define LINGER_US (8 * MONO_S)
#define PROBES 16U /* slots looked at for one id */

/* --- the table ---------------------------------------------------------- */

uint64_t cluster_ask_id(const struct oo_registrar *r, const char *label,
			uint64_t who, uint64_t what)
{
	const struct key_part parts[] = {
		{ &who, sizeof(who) },
		{ &what, sizeof(what) },
	};

	return key_derive_u64(r->tx_key, label, parts, 2);
}

struct cluster_ask *cluster_ask_find(struct oo_cluster *c, uint64_t id,
				     bool ours)
{
	for (size_t i = 0; i < PROBES; i++) {
		struct cluster_ask *a = &c->asks[(id + i) % c->asks_slots];

		if (a->state != ASK_FREE && a->id == id && a->ours == ours)
			return a;
	}
	return NULL;
}

struct cluster_ask *cluster_ask_new(struct oo_cluster *c, uint64_t id,
				    enum ask_state state, mono_us now)
{
	for (size_t i = 0; i < PROBES && c->fifo_n < c->asks_max; i++) {
		const size_t slot = (id + i) % c->asks_slots;
		struct cluster_ask *a = &c->asks[slot];

		if (a->state != ASK_FREE)
			continue;
		memset(a, 0, sizeof(*a));
		a->id = id;
		a->state = state;
		a->ours = state != ASK_HELD;
		a->open.id = id;
		a->open.began = now;
		a->open.carried = now;
		c->fifo[(c->fifo_head + c->fifo_n++) % c->asks_max] =
			(uint32_t)slot;
		return a;
	}
	c->n.dropped++;
	return NULL;
}

static struct cluster_ask *nth(const struct oo_cluster *c, size_t i)
{
	return &c->asks[c->fifo[(c->fifo_head + i) % c->asks_max]];
}

/* --- nodes of other registrars ------------------------------------------ */

struct oo_record cluster_stand_in(const char *number, const uint8_t *key,
				  const struct cluster_at *at, mono_us now)
{
	struct oo_record rec = { .session.id = 1, .mapped4 = at->mapped4 };

	memcpy(rec.number, number, strlen(number) + 1);
	memcpy(rec.key, key, sizeof(rec.key));
	for (int f = 0; f < OO_FAMILIES; f++) {
		rec.path[f].peer = at->addr[f];
		rec.heard[f] = now;
	}
	return rec;
}

void cluster_take_candidates(struct cluster_at *at,
			     const struct oo_candidates *c)
{
	memset(at, 0, sizeof(*at));
	for (size_t i = 0; i < c->n; i++) {
		const bool mapped = c->type[i] == OO_CANDIDATE_MAPPED;
		const enum oo_family f = oo_family_of(&c->addr[i]);
		struct net_addr *a = &at->addr[f];

		if (!mapped && c->type[i] != OO_CANDIDATE_REFLEXIVE)
			continue;
		if (!net_addr_is_set(a))
			*a = c->addr[i];
		if (mapped && f == OO_V4 && net_addr_same_ip(a, &c->addr[i]))
			at->mapped4 = c->addr[i].port;
	}
}

/* --- both --------------------------------------------------------------- */

void cluster_on_frame(struct oo_registrar *r, const struct oo_cluster_msg *m,
		      mono_us now)
{
	struct oo_msg in;

	if (oo_msg_decode(m->body, m->len, &in) != IAX2_OK ||
	    !in.has_transaction)
		return;
	if (m->kind == OO_CLUSTER_ASK && in.hdr.subclass == OO_OPEN &&
	    in.has_called && in.has_calling && in.has_peer_key &&
	    in.has_token && strlen(in.calling) <= OO_NUMBER_MAX)
		cluster_on_ask(r, m, &in, now);
	else if (m->kind == OO_CLUSTER_ANSWER && in.hdr.subclass == OO_OVER &&
		 in.has_verdict)
		cluster_on_answer(r, m, &in, now);
}

void cluster_asks_tick(struct oo_registrar *r, mono_us now)
{
	struct oo_cluster *c = r->cluster;

	while (c->silent_n < c->fifo_n &&
	       now >= nth(c, c->silent_n)->open.began + SILENT_US) {
		struct cluster_ask *a = nth(c, c->silent_n++);

		/* Without an answer of the store nobody knows where it is. */
		if (a->state == ASK_LOOKING)
			cluster_finish(r, a, OO_OFFLINE, now);
		else if (a->state == ASK_ASKED)
			cluster_finish(r, a, OO_SILENT, now);
	}
	while (c->fifo_n > 0 && now >= nth(c, 0)->open.began + LINGER_US) {
		key_wipe(nth(c, 0), sizeof(struct cluster_ask));
		c->fifo_head = (c->fifo_head + 1) % c->asks_max;
		c->fifo_n--;
		c->silent_n--;
	}
}

mono_us cluster_asks_deadline(const struct oo_cluster *c)
{
	mono_us due = MONO_NEVER;

	if (c->fifo_n > 0)
		due = nth(c, 0)->open.began + LINGER_US;
	if (c->silent_n < c->fifo_n)
		due = mono_min(due,
			       nth(c, c->silent_n)->open.began + SILENT_US);
	return due;
}
