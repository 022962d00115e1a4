/* SPDX-License-Identifier: MIT */

/* Being asked by another registrar for our node (OPEN-OVER.md section 8.3). */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_cluster_priv.h"

static const struct iax2_full outside = { .src_callno = IAX2_CALLNO_OUTSIDE };

static uint64_t their_id(const struct oo_registrar *r,
			 const struct oo_cluster_msg *m, uint64_t transaction)
{
	return cluster_ask_id(r, "keyhole cluster theirs", m->from,
			      transaction);
}

struct answer {
	uint64_t to;
	uint64_t theirs;
	enum oo_verdict verdict;
	uint8_t nat;
	const struct oo_record *target; /* when accepted */
};

static void send_answer(struct oo_registrar *r, const struct answer *an,
			mono_us now)
{
	struct oo_candidates c;
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, OO_OVER, &outside);
	struct cluster_letter l = {
		.kind = OO_CLUSTER_ANSWER,
		.to = an->to,
		.body = buf,
	};

	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, an->theirs);
	iax2_ie_put_u8(&w, IAX2_IE_KH_VERDICT, (uint8_t)an->verdict);
	if (an->verdict == OO_ACCEPTED) {
		registrar_candidates_of(r, an->target, &c, now);
		iax2_ie_put(&w, IAX2_IE_KH_PEER_KEY, an->target->key,
			    KEY_PUBLIC_LEN);
		iax2_ie_put_u8(&w, IAX2_IE_KH_NAT, an->nat);
		oo_put_candidates(&w, &c);
	}
	l.len = (size_t)(w.p - buf);
	if (!w.bad)
		(void)cluster_send(r, &l, now);
}

/* Why a node of ours cannot be asked; OO_ACCEPTED: it can. */
static enum oo_verdict hindrance(struct oo_registrar *r, const struct oo_msg *m,
				 const struct oo_record *target, mono_us now)
{
	const struct oo_record *caller =
		oo_directory_by_number(r->dir, m->calling);

	/* Both directories must know the caller as the same node: one who was
	 * struck out of ours does not get in by another. */
	if (!caller || !key_equal(caller->key, m->peer_key, KEY_PUBLIC_LEN)) {
		r->cluster->n.mismatched++;
		return OO_NOT_REGISTERED;
	}
	if (!target)
		return OO_UNKNOWN;
	return oo_registrar_is_online(r, target, now) ? OO_ACCEPTED
						      : OO_OFFLINE;
}

static struct cluster_ask *take_up(struct oo_registrar *r,
				   const struct oo_cluster_msg *from,
				   const struct oo_msg *m,
				   const struct oo_record *target, mono_us now)
{
	struct cluster_ask *a = cluster_ask_new(
		r->cluster, their_id(r, from, m->transaction), ASK_HELD, now);

	if (!a)
		return NULL;
	r->cluster->n.opens_in++;
	a->peer = from->from;
	a->theirs = m->transaction;
	a->open.target = (uint32_t)oo_directory_index(r->dir, target);
	a->open.target_session = target->session.id;
	a->open.caller_nat = m->nat;
	/* For so much longer will our node's OVER be under way. */
	a->open.caller_delay_ms = cluster_delay_ms(r->cluster, m->delay_ms);
	memcpy(a->open.token, m->token, sizeof(a->open.token));
	return a;
}

/* Carry it on to our node, or repeat what that has said. */
static void carry_on(struct oo_registrar *r, struct cluster_ask *a,
		     const struct oo_msg *m, mono_us now)
{
	struct oo_record *target =
		registrar_party(r, a->open.target, a->open.target_session);
	struct cluster_at at;
	struct answer an = {
		.to = a->peer,
		.theirs = a->theirs,
		.verdict = (enum oo_verdict)a->open.verdict,
		.nat = a->open.target_nat,
		.target = target,
	};
	struct oo_record caller;

	if (target && a->state == ASK_HELD) {
		cluster_take_candidates(&at, &m->candidates);
		caller = cluster_stand_in(m->calling, m->peer_key, &at, now);
		registrar_send_open(r, &a->open, &caller, target, now);
		return;
	}
	if (!target)
		an.verdict = OO_OFFLINE;
	send_answer(r, &an, now);
}

void cluster_on_ask(struct oo_registrar *r, const struct oo_cluster_msg *from,
		    const struct oo_msg *m, mono_us now)
{
	struct oo_record *target = oo_directory_by_number(r->dir, m->called);
	struct cluster_ask *a = cluster_ask_find(
		r->cluster, their_id(r, from, m->transaction), false);
	struct answer an = { .to = from->from, .theirs = m->transaction };

	if (!a) {
		an.verdict = hindrance(r, m, target, now);
		if (an.verdict == OO_ACCEPTED) {
			a = take_up(r, from, m, target, now);
			an.verdict = OO_LIMITED;
		}
	}
	if (a)
		carry_on(r, a, m, now);
	else
		send_answer(r, &an, now);
}

bool registrar_cluster_over(struct oo_registrar *r,
			    const struct oo_record *target,
			    const struct oo_msg *m, mono_us now)
{
	struct cluster_ask *a =
		r->cluster ? cluster_ask_find(r->cluster, m->transaction, false)
			   : NULL;
	struct answer an = { .target = target };

	if (!a || a->open.target_session != target->session.id ||
	    !registrar_is_targets(m->verdict))
		return false;
	if (a->state == ASK_HELD) {
		a->state = ASK_DONE;
		a->open.target_nat = m->nat;
		a->open.verdict = m->verdict;
	}
	an.to = a->peer;
	an.theirs = a->theirs;
	an.verdict = (enum oo_verdict)a->open.verdict;
	an.nat = a->open.target_nat;
	send_answer(r, &an, now);
	return true;
}
