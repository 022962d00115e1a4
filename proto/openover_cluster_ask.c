/* SPDX-License-Identifier: MIT */

/* Asking another registrar for its node (OPEN-OVER.md section 8.3). */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_cluster_priv.h"

/* A repetition sooner than this is not carried on again. */
#define REPEAT_US (100 * MONO_MS)

static const struct iax2_full outside = { .src_callno = IAX2_CALLNO_OUTSIDE };

static uint64_t our_id(const struct oo_registrar *r,
		       const struct oo_record *caller, uint64_t transaction)
{
	return cluster_ask_id(r, "keyhole cluster ours", caller->session.id,
			      transaction);
}

static void send_ask(struct oo_registrar *r, const struct cluster_ask *a,
		     const struct oo_record *caller, mono_us now)
{
	struct oo_candidates c;
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, OO_OPEN, &outside);
	struct cluster_letter l = {
		.kind = OO_CLUSTER_ASK,
		.to = a->peer,
		.ask = a->id,
		.body = buf,
	};

	registrar_candidates_of(r, caller, &c, now);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, a->id);
	iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, a->number);
	iax2_ie_put_text(&w, IAX2_IE_CALLING_NUMBER, caller->number);
	iax2_ie_put(&w, IAX2_IE_KH_PEER_KEY, caller->key, KEY_PUBLIC_LEN);
	iax2_ie_put(&w, IAX2_IE_KH_TOKEN, a->open.token, KEY_SHARED_LEN);
	iax2_ie_put_u8(&w, IAX2_IE_KH_NAT, a->open.caller_nat);
	iax2_ie_put_u16(&w, IAX2_IE_KH_DELAY,
			cluster_delay_ms(r->cluster, a->open.caller_delay_ms));
	oo_put_candidates(&w, &c);
	l.len = (size_t)(w.p - buf);
	if (!w.bad)
		(void)cluster_send(r, &l, now);
	key_wipe(buf, sizeof(buf));
}

void cluster_finish(struct oo_registrar *r, struct cluster_ask *a,
		    enum oo_verdict verdict, mono_us now)
{
	struct oo_record *caller =
		registrar_party(r, a->open.caller, a->open.caller_session);
	const struct oo_record *known =
		oo_directory_by_number(r->dir, a->number);
	struct oo_record target;

	a->state = ASK_DONE;
	a->open.verdict = (uint8_t)verdict;
	if (!caller)
		return;
	if (verdict != OO_ACCEPTED || !known) {
		registrar_send_verdict(r, caller, registrar_main_path(caller),
				       a->open.caller_tx,
				       known ? verdict : OO_UNKNOWN);
		return;
	}
	target = cluster_stand_in(a->number, known->key, &a->at, now);
	registrar_send_over(r, &a->open, caller, &target, now);
}

bool registrar_cluster_ask(struct oo_registrar *r, const struct oo_msg *m,
			   const struct oo_record *caller, mono_us now)
{
	struct oo_cluster *c = r->cluster;
	struct cluster_ask *a;

	if (!c || !c->linked || !m->has_called)
		return false;
	a = cluster_ask_new(c, our_id(r, caller, m->transaction), ASK_LOOKING,
			    now);
	if (!a)
		return false;
	r->n.opens++;
	c->n.opens_out++;
	memcpy(a->number, m->called, strlen(m->called) + 1);
	a->open.caller_tx = m->transaction;
	a->open.caller = (uint32_t)oo_directory_index(r->dir, caller);
	a->open.caller_session = caller->session.id;
	a->open.caller_nat = m->nat;
	a->open.caller_delay_ms = m->delay_ms;
	r->random(r->random_ctx, a->open.token, sizeof(a->open.token));
	(void)cluster_look_up(r, a->id, a->number);
	return true;
}

bool registrar_cluster_repeat(struct oo_registrar *r, const struct oo_msg *m,
			      const struct oo_record *caller, mono_us now)
{
	struct cluster_ask *a =
		r->cluster ? cluster_ask_find(r->cluster,
					      our_id(r, caller, m->transaction),
					      true)
			   : NULL;

	if (!a)
		return false;
	if (now < a->open.carried + REPEAT_US) {
		r->n.limited++;
		return true;
	}
	a->open.carried = now;
	if (a->state == ASK_LOOKING)
		(void)cluster_look_up(r, a->id, a->number);
	else if (a->state == ASK_ASKED)
		send_ask(r, a, caller, now);
	else
		cluster_finish(r, a, (enum oo_verdict)a->open.verdict, now);
	return true;
}

static bool asked_in_vain(const struct cluster_ask *a, uint64_t at)
{
	for (size_t i = 0; i < a->not_at_n; i++) {
		if (a->not_at[i] == at)
			return true;
	}
	return false;
}

/* Is a note worth following, and the node's key what we know it to be? */
static bool is_of_use(struct oo_registrar *r, const struct cluster_ask *a,
		      const struct oo_cluster_value *v,
		      struct oo_cluster_presence *p)
{
	struct oo_cluster *c = r->cluster;
	const struct oo_record *rec = oo_directory_by_number(r->dir, a->number);

	if (!oo_cluster_presence_open(v->data, v->len, a->number, &c->keys,
				      p)) {
		c->n.forged++;
		return false;
	}
	if (!rec || !key_equal(p->key, rec->key, KEY_PUBLIC_LEN)) {
		c->n.mismatched++;
		return false;
	}
	return p->at != c->instance && !asked_in_vain(a, p->at);
}

/* Where the node was heard of last; 0: nowhere that is worth asking.  A
 * registrar that is no longer heard comes after those that are. */
static uint64_t newest(struct oo_registrar *r, const struct cluster_ask *a,
		       const struct oo_cluster_value *v, size_t n, mono_us now)
{
	const uint64_t oldest = cluster_wall_ms(r->cluster, now) -
				OO_CLUSTER_NOTE_S * UINT64_C(1000);
	uint64_t at[2] = { 0 }, heard[2] = { oldest, oldest };

	for (size_t i = 0; i < n; i++) {
		struct oo_cluster_presence p;
		unsigned gone;

		if (!is_of_use(r, a, &v[i], &p))
			continue;
		gone = cluster_is_gone(r->cluster, p.at, now);
		if (p.heard_ms <= heard[gone])
			continue;
		at[gone] = p.at;
		heard[gone] = p.heard_ms;
	}
	return at[0] != 0 ? at[0] : at[1];
}

void oo_cluster_found(struct oo_registrar *r, uint64_t ask,
		      const struct oo_cluster_value *v, size_t n, mono_us now)
{
	struct cluster_ask *a = cluster_ask_find(r->cluster, ask, true);
	const struct oo_record *caller;

	if (!a || a->state != ASK_LOOKING)
		return;
	a->peer = newest(r, a, v, n, now);
	if (a->peer == 0) {
		cluster_finish(r, a, OO_OFFLINE, now);
		return;
	}
	a->state = ASK_ASKED;
	caller = registrar_party(r, a->open.caller, a->open.caller_session);
	if (caller)
		send_ask(r, a, caller, now);
}

/* The node is not where it was said to be: look who else says so. */
static void look_again(struct oo_registrar *r, struct cluster_ask *a,
		       mono_us now)
{
	if (a->not_at_n == CLUSTER_NOT_AT) {
		cluster_finish(r, a, OO_OFFLINE, now);
		return;
	}
	a->not_at[a->not_at_n++] = a->peer;
	a->peer = 0;
	a->state = ASK_LOOKING;
	(void)cluster_look_up(r, a->id, a->number);
}

void oo_cluster_unreached(struct oo_registrar *r, uint64_t ask, uint64_t to,
			  mono_us now)
{
	struct cluster_ask *a = cluster_ask_find(r->cluster, ask, true);

	if (!a || a->state != ASK_ASKED || a->peer != to)
		return;
	r->cluster->n.unreached++;
	look_again(r, a, now);
}

void cluster_on_answer(struct oo_registrar *r,
		       const struct oo_cluster_msg *from,
		       const struct oo_msg *m, mono_us now)
{
	struct oo_cluster *c = r->cluster;
	struct cluster_ask *a = cluster_ask_find(c, m->transaction, true);
	const struct oo_record *known;

	if (!a || a->state != ASK_ASKED || a->peer != from->from)
		return;
	switch (m->verdict) {
	case OO_OFFLINE:
		c->n.moved++;
		look_again(r, a, now);
		return;
	case OO_ACCEPTED:
		break;
	case OO_NOT_REGISTERED:
	case OO_UNKNOWN:
	case OO_REFUSED:
	case OO_LIMITED:
		cluster_finish(r, a, (enum oo_verdict)m->verdict, now);
		return;
	default:
		return;
	}
	known = oo_directory_by_number(r->dir, a->number);
	if (!known || !m->has_peer_key ||
	    !key_equal(known->key, m->peer_key, KEY_PUBLIC_LEN)) {
		c->n.mismatched++;
		cluster_finish(r, a, OO_UNKNOWN, now);
		return;
	}
	r->n.opens_ok++;
	a->open.target_nat = m->nat;
	cluster_take_candidates(&a->at, &m->candidates);
	cluster_finish(r, a, OO_ACCEPTED, now);
}
