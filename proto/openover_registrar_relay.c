/* SPDX-License-Identifier: MIT */

/*
 * RELAY frames at the registrar (OPEN-OVER.md section 4.9): proved nodes ask
 * for an address, and datagrams go between it and the node's hole.
 */

#include "proto/openover_registrar_relay.h"

#include <stdlib.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_registrar_priv.h"
#include "proto/openover_relay_frame.h"

#define RELAY_TX_MAX 1024U
/* What a node sent before it heard of its new session is under way so long at
 * most. */
#define BEFORE_US (5 * MONO_S)

bool registrar_relay_new(struct oo_registrar *r,
			 const struct oo_registrar_cfg *cfg)
{
	if (!cfg->relay)
		return true;
	r->relay = oo_relay_new(cfg->relay);
	r->relay_tx = dgram_queue_new(RELAY_TX_MAX);
	if (r->relay) {
		const size_t slots = oo_relay_slots(r->relay);

		r->relay_before = calloc(slots, sizeof(r->relay_before[0]));
		r->relay_before_at =
			calloc(slots, sizeof(r->relay_before_at[0]));
	}
	return r->relay_before && r->relay_before_at && r->relay_tx;
}

void registrar_relay_free(struct oo_registrar *r)
{
	if (r->relay_before)
		key_wipe(r->relay_before,
			 oo_relay_slots(r->relay) * sizeof(r->relay_before[0]));
	free(r->relay_before);
	free(r->relay_before_at);
	oo_relay_free(r->relay);
	dgram_queue_free(r->relay_tx);
}

struct oo_relay *oo_registrar_relay(struct oo_registrar *r)
{
	return r->relay;
}

static size_t slot_of(const struct oo_registrar *r,
		      const struct oo_relay_alloc *a)
{
	return (size_t)(a->port - oo_relay_cfg(r->relay)->port_first);
}

static struct oo_relay_alloc *alloc_of(const struct oo_registrar *r,
				       const struct oo_record *rec)
{
	struct oo_relay_alloc *a;

	if (!r->relay)
		return NULL;
	a = oo_relay_of_node(r->relay,
			     (uint32_t)oo_directory_index(r->dir, rec));
	return a && strcmp(a->number, rec->number) == 0 ? a : NULL;
}

/* The node of an allocation, as long as it is registered. */
static struct oo_record *node_of(struct oo_registrar *r,
				 const struct oo_relay_alloc *a)
{
	struct oo_record *rec = oo_directory_at(r->dir, a->node);

	return rec->session.id != 0 && strcmp(a->number, rec->number) == 0
		       ? rec
		       : NULL;
}

void registrar_relay_put(const struct oo_registrar *r,
			 const struct oo_record *rec, struct wire_wr *w)
{
	/* A node of another registrar is none of ours, though it may look it. */
	const bool ours = oo_directory_by_number(r->dir, rec->number) == rec;
	const struct oo_relay_alloc *a = ours ? alloc_of(r, rec) : NULL;
	struct oo_candidates c = { .n = 0 };

	for (int f = 0; a && f < OO_FAMILIES; f++) {
		const struct net_addr at =
			oo_relay_address(r->relay, a, (enum oo_family)f);

		if (net_addr_is_set(&at))
			oo_candidate_add(&c, OO_CANDIDATE_RELAY, &at);
	}
	oo_put_candidates(w, &c);
}

void registrar_relay_drop(struct oo_registrar *r, const struct oo_record *rec)
{
	struct oo_relay_alloc *a = alloc_of(r, rec);

	if (!a)
		return;
	/* The number may come back with another key. */
	key_wipe(&r->relay_before[slot_of(r, a)], sizeof(r->relay_before[0]));
	oo_relay_drop(r->relay, a);
}

static uint32_t *before_at(const struct oo_registrar *r, uint64_t session)
{
	return &r->relay_before_at[session % oo_relay_slots(r->relay)];
}

void registrar_relay_keep(struct oo_registrar *r, const struct oo_record *rec,
			  mono_us now)
{
	const struct oo_relay_alloc *a = alloc_of(r, rec);
	struct relay_before *b;

	if (!a || rec->session.id == 0)
		return;
	b = &r->relay_before[slot_of(r, a)];
	b->session = rec->session;
	memcpy(b->number, rec->number, sizeof(b->number));
	b->until = now + BEFORE_US;
	*before_at(r, b->session.id) = (uint32_t)slot_of(r, a) + 1;
}

/* The sender of a frame of a session that was just replaced; NULL: none. */
static struct oo_record *sender_before(struct oo_registrar *r,
				       const struct dgram *d,
				       const struct oo_msg *m, mono_us now)
{
	const uint32_t at = *before_at(r, m->session);
	const struct oo_relay_alloc *a;
	struct relay_before *b;

	if (!m->sealed || at == 0)
		return NULL;
	b = &r->relay_before[at - 1];
	if (now >= b->until || b->session.id != m->session)
		return NULL;
	a = oo_relay_of_slot(r->relay, (uint16_t)(at - 1));
	return a && strcmp(a->number, b->number) == 0 &&
			       oo_session_check(&b->session, d->data, d->len,
						m->counter)
		       ? node_of(r, a)
		       : NULL;
}

void registrar_relay_sweep(struct oo_registrar *r, mono_us now)
{
	if (!r->relay)
		return;
	oo_relay_expire(r->relay, now);
	for (size_t i = 0; i < oo_relay_slots(r->relay); i++) {
		struct oo_relay_alloc *a =
			oo_relay_of_slot(r->relay, (uint16_t)i);

		if (a && !node_of(r, a))
			oo_relay_drop(r->relay, a);
		if (r->relay_before[i].until != 0 &&
		    now >= r->relay_before[i].until)
			key_wipe(&r->relay_before[i],
				 sizeof(r->relay_before[i]));
	}
}

/* --- asking ------------------------------------------------------------- */

static void answer(struct oo_registrar *r, struct oo_record *rec,
		   const struct net_path *path, uint16_t lifetime_s)
{
	const struct iax2_full hdr = { .src_callno = IAX2_CALLNO_OUTSIDE };
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, OO_RELAY, &hdr);

	oo_session_put(&rec->session, &w);
	iax2_ie_put_u16(&w, IAX2_IE_KH_LIFETIME, lifetime_s);
	if (lifetime_s != 0)
		registrar_relay_put(r, rec, &w);
	seal_append(&w, buf, rec->session.tx_key);
	registrar_send(r, path, buf, &w);
}

static enum iax2_err on_ask(struct oo_registrar *r, const struct dgram *d,
			    struct oo_record *rec, uint16_t lifetime_s,
			    mono_us now)
{
	const struct net_addr *from = &d->path.peer;
	struct oo_relay_alloc *a = alloc_of(r, rec);

	/* The answer may be longer than the question. */
	if (!net_addr_equal(&rec->path[oo_family_of(from)].peer, from)) {
		r->n.limited++;
		return IAX2_E_LIMITED;
	}
	oo_directory_move(r->dir, rec, &d->path, now);
	if (lifetime_s == 0) {
		registrar_relay_drop(r, rec);
		answer(r, rec, &d->path, 0);
		return IAX2_OK;
	}
	/* Sockets are opened as seldom as paths, which use none of these up. */
	if (r->relay && (a || registrar_take_of(r, r->relays, rec, now)))
		a = oo_relay_take(r->relay,
				  (uint32_t)oo_directory_index(r->dir, rec),
				  rec->number, now);
	if (!a) {
		answer(r, rec, &d->path, 0);
		return IAX2_E_FULL;
	}
	/* Else when the socket is there. */
	if (a->families != 0)
		answer(r, rec, &d->path, OO_RELAY_LIFETIME_S);
	return IAX2_OK;
}

bool oo_registrar_next_socket(struct oo_registrar *r,
			      struct oo_relay_socket *out)
{
	return r->relay && oo_relay_next_socket(r->relay, out);
}

void oo_registrar_socket_opened(struct oo_registrar *r, uint16_t slot,
				uint8_t families, mono_us now)
{
	const struct oo_relay_alloc *a =
		r->relay ? oo_relay_of_slot(r->relay, slot) : NULL;
	struct oo_record *rec = a ? node_of(r, a) : NULL;

	if (!a)
		return;
	oo_relay_opened(r->relay, slot, families, now);
	if (rec)
		answer(r, rec, registrar_main_path(rec),
		       families ? OO_RELAY_LIFETIME_S : 0);
}

/* --- carrying ----------------------------------------------------------- */

static enum iax2_err carry_out(struct oo_registrar *r,
			       const struct oo_record *rec,
			       const struct oo_relay_frame *f, mono_us now)
{
	struct oo_relay_alloc *a = alloc_of(r, rec);
	struct dgram d = { .data = f->data, .len = f->len };

	if (!r->relay)
		return IAX2_E_REFUSED;
	if (!a || a->families == 0) {
		oo_relay_count(r->relay, OO_RELAY_NO_NODE);
		return IAX2_E_REFUSED;
	}
	if (oo_relay_out(r->relay, a, &f->peer, f->data, f->len, now) !=
	    OO_RELAY_PASS)
		return IAX2_E_LIMITED;
	d.path.peer = f->peer;
	d.path.sock = (uint16_t)slot_of(r, a);
	return dgram_queue_push(r->relay_tx, &d, false) ? IAX2_OK : IAX2_E_FULL;
}

enum iax2_err registrar_on_relay(struct oo_registrar *r, const struct dgram *d,
				 const struct oo_msg *m, mono_us now)
{
	struct oo_record *rec = NULL;
	struct oo_relay_frame f;
	bool late = false;

	if (r->relay && m->has_session &&
	    !oo_directory_by_session(r->dir, m->session))
		rec = sender_before(r, d, m, now);
	if (rec)
		late = true;
	else
		rec = registrar_sender(r, d, m);
	if (!rec)
		return IAX2_E_REFUSED;
	if (!oo_relay_frame_read(m->hdr.body, m->hdr.body_len, &f)) {
		r->n.malformed++;
		return IAX2_E_BAD_IE;
	}
	if (f.has_lifetime && late)
		return IAX2_E_STALE;
	if (f.has_lifetime)
		return on_ask(r, d, rec, f.lifetime_s, now);
	return carry_out(r, rec, &f, now);
}

void oo_registrar_relay_rx(struct oo_registrar *r, const struct dgram *d,
			   mono_us now)
{
	struct oo_relay_alloc *a = oo_relay_of_slot(r->relay, d->path.sock);
	struct oo_record *rec = a ? node_of(r, a) : NULL;
	uint8_t buf[DGRAM_MAX];
	struct dgram out = { .data = buf };

	if (!rec) {
		oo_relay_count(r->relay, OO_RELAY_NO_NODE);
		return;
	}
	if (oo_relay_in(r->relay, a, &d->path.peer, d->data, d->len, now) !=
	    OO_RELAY_PASS)
		return;
	out.path = *registrar_main_path(rec);
	out.len = oo_relay_frame_wrap(&rec->session, &d->path.peer, d->data,
				      d->len, buf);
	if (out.len > 0)
		(void)dgram_queue_push(r->tx, &out, true);
}

bool oo_registrar_relay_next_tx(struct oo_registrar *r, struct dgram *out)
{
	return r->relay && dgram_queue_pop(r->relay_tx, out);
}
