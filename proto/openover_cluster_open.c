/* SPDX-License-Identifier: MIT */

/*
 * OPEN_REQUESTs between registrars (OPEN-OVER.md section 8.3).  The caller's
 * registrar asks the one that the node is with, and asks again whenever the
 * caller does; the other registrar brings the OPEN to its node each time, and
 * the answer each time.  Nothing here needs a timer but an end.
 */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_cluster_priv.h"

/* As within one registrar: a target that did not answer by then is silent. */
#define SILENT_US (3 * MONO_S)
#define LINGER_US (8 * MONO_S)
#define REPEAT_US (100 * MONO_MS)
#define PROBES 8U /* slots looked at for one id */

static const struct iax2_full outside = { .src_callno = IAX2_CALLNO_OUTSIDE };

/* --- the table ---------------------------------------------------------- */

static uint64_t id_of(const struct oo_registrar *r, const char *label,
		      uint64_t who, uint64_t what)
{
	const struct key_part parts[] = {
		{ &who, sizeof(who) },
		{ &what, sizeof(what) },
	};

	return key_derive_u64(r->tx_key, label, parts, 2);
}

static uint64_t our_id(const struct oo_registrar *r,
		       const struct oo_record *caller, uint64_t transaction)
{
	return id_of(r, "keyhole cluster ours", caller->session.id,
		     transaction);
}

static uint64_t their_id(const struct oo_registrar *r,
			 const struct oo_cluster_msg *m, uint64_t transaction)
{
	return id_of(r, "keyhole cluster theirs", m->from, transaction);
}

static struct cluster_ask *ask_find(struct oo_cluster *c, uint64_t id,
				    bool ours)
{
	for (size_t i = 0; i < PROBES; i++) {
		struct cluster_ask *a = &c->asks[(id + i) % c->asks_max];

		if (a->state != ASK_FREE && a->id == id && a->ours == ours)
			return a;
	}
	return NULL;
}

static struct cluster_ask *ask_new(struct oo_cluster *c, uint64_t id,
				   enum ask_state state, mono_us now)
{
	for (size_t i = 0; i < PROBES && c->fifo_n < c->asks_max; i++) {
		const size_t slot = (id + i) % c->asks_max;
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

/* --- frames between registrars ------------------------------------------ */

/* A node of another registrar, made to look like one of ours that is online
 * at these addresses, for the frames that name it. */
static struct oo_record stand_in(const char *number, const uint8_t *key,
				 const struct net_addr at[OO_FAMILIES],
				 mono_us now)
{
	struct oo_record rec = { .session.id = 1 };

	memcpy(rec.number, number, strlen(number) + 1);
	memcpy(rec.key, key, sizeof(rec.key));
	for (int f = 0; f < OO_FAMILIES; f++) {
		rec.path[f].peer = at[f];
		rec.heard[f] = now;
	}
	return rec;
}

/* The addresses that the other registrar vouches for, one of each family. */
static void take_candidates(struct net_addr at[OO_FAMILIES],
			    const struct oo_candidates *c)
{
	memset(at, 0, OO_FAMILIES * sizeof(at[0]));
	for (size_t i = 0; i < c->n; i++) {
		struct net_addr *a = &at[oo_family_of(&c->addr[i])];

		if (!net_addr_is_set(a))
			*a = c->addr[i];
	}
}

static void send_ask(struct oo_registrar *r, const struct cluster_ask *a,
		     const struct oo_record *caller, mono_us now)
{
	struct oo_candidates c;
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, OO_OPEN, &outside);

	registrar_candidates_of(caller, &c, now);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, a->id);
	iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, a->number);
	iax2_ie_put_text(&w, IAX2_IE_CALLING_NUMBER, caller->number);
	iax2_ie_put(&w, IAX2_IE_KH_PEER_KEY, caller->key, KEY_PUBLIC_LEN);
	iax2_ie_put(&w, IAX2_IE_KH_TOKEN, a->open.token, KEY_SHARED_LEN);
	iax2_ie_put_u8(&w, IAX2_IE_KH_NAT, a->open.caller_nat);
	iax2_ie_put_u16(&w, IAX2_IE_KH_DELAY, a->open.caller_delay_ms);
	oo_put_candidates(&w, &c);
	if (!w.bad)
		(void)cluster_send(r, OO_CLUSTER_ASK, a->peer, a->id, buf,
				   (size_t)(w.p - buf), now);
	key_wipe(buf, sizeof(buf));
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

	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, an->theirs);
	iax2_ie_put_u8(&w, IAX2_IE_KH_VERDICT, (uint8_t)an->verdict);
	if (an->verdict == OO_ACCEPTED) {
		registrar_candidates_of(an->target, &c, now);
		iax2_ie_put(&w, IAX2_IE_KH_PEER_KEY, an->target->key,
			    KEY_PUBLIC_LEN);
		iax2_ie_put_u8(&w, IAX2_IE_KH_NAT, an->nat);
		oo_put_candidates(&w, &c);
	}
	if (!w.bad)
		(void)cluster_send(r, OO_CLUSTER_ANSWER, an->to, 0, buf,
				   (size_t)(w.p - buf), now);
}

/* --- asking ------------------------------------------------------------- */

/* Tell the caller how it ended, now and whenever it asks again. */
static void finish(struct oo_registrar *r, struct cluster_ask *a,
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
	target = stand_in(a->number, known->key, a->at, now);
	registrar_send_over(r, &a->open, caller, &target, now);
}

bool registrar_cluster_ask(struct oo_registrar *r, const struct oo_msg *m,
			   const struct oo_record *caller, mono_us now)
{
	struct oo_cluster *c = r->cluster;
	struct cluster_ask *a;

	if (!c || !c->linked || !m->has_called)
		return false;
	a = ask_new(c, our_id(r, caller, m->transaction), ASK_LOOKING, now);
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
		r->cluster ? ask_find(r->cluster,
				      our_id(r, caller, m->transaction), true)
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
		finish(r, a, (enum oo_verdict)a->open.verdict, now);
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
	struct cluster_ask *a = ask_find(r->cluster, ask, true);
	const struct oo_record *caller;

	if (!a || a->state != ASK_LOOKING)
		return;
	a->peer = newest(r, a, v, n, now);
	if (a->peer == 0) {
		finish(r, a, OO_OFFLINE, now);
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
		finish(r, a, OO_OFFLINE, now);
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
	struct cluster_ask *a = ask_find(r->cluster, ask, true);

	if (!a || a->state != ASK_ASKED || a->peer != to)
		return;
	r->cluster->n.unreached++;
	look_again(r, a, now);
}

static void on_answer(struct oo_registrar *r, const struct oo_cluster_msg *from,
		      const struct oo_msg *m, mono_us now)
{
	struct oo_cluster *c = r->cluster;
	struct cluster_ask *a = ask_find(c, m->transaction, true);
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
		finish(r, a, (enum oo_verdict)m->verdict, now);
		return;
	default:
		return;
	}
	known = oo_directory_by_number(r->dir, a->number);
	if (!known || !m->has_peer_key ||
	    !key_equal(known->key, m->peer_key, KEY_PUBLIC_LEN)) {
		c->n.mismatched++;
		finish(r, a, OO_UNKNOWN, now);
		return;
	}
	r->n.opens_ok++;
	a->open.target_nat = m->nat;
	take_candidates(a->at, &m->candidates);
	finish(r, a, OO_ACCEPTED, now);
}

/* --- being asked -------------------------------------------------------- */

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
	return oo_registrar_is_online(target, now) ? OO_ACCEPTED : OO_OFFLINE;
}

static struct cluster_ask *take_up(struct oo_registrar *r,
				   const struct oo_cluster_msg *from,
				   const struct oo_msg *m,
				   const struct oo_record *target, mono_us now)
{
	struct cluster_ask *a = ask_new(
		r->cluster, their_id(r, from, m->transaction), ASK_HELD, now);

	if (!a)
		return NULL;
	r->cluster->n.opens_in++;
	a->peer = from->from;
	a->theirs = m->transaction;
	a->open.target = (uint32_t)oo_directory_index(r->dir, target);
	a->open.target_session = target->session.id;
	a->open.caller_nat = m->nat;
	a->open.caller_delay_ms = m->delay_ms;
	memcpy(a->open.token, m->token, sizeof(a->open.token));
	return a;
}

/* Carry it on to our node, or repeat what that has said. */
static void carry_on(struct oo_registrar *r, struct cluster_ask *a,
		     const struct oo_msg *m, mono_us now)
{
	struct oo_record *target =
		registrar_party(r, a->open.target, a->open.target_session);
	struct net_addr at[OO_FAMILIES];
	struct answer an = {
		.to = a->peer,
		.theirs = a->theirs,
		.verdict = (enum oo_verdict)a->open.verdict,
		.nat = a->open.target_nat,
		.target = target,
	};
	struct oo_record caller;

	if (target && a->state == ASK_HELD) {
		take_candidates(at, &m->candidates);
		caller = stand_in(m->calling, m->peer_key, at, now);
		registrar_send_open(r, &a->open, &caller, target, now);
		return;
	}
	if (!target)
		an.verdict = OO_OFFLINE;
	send_answer(r, &an, now);
}

static void on_ask(struct oo_registrar *r, const struct oo_cluster_msg *from,
		   const struct oo_msg *m, mono_us now)
{
	struct oo_record *target = oo_directory_by_number(r->dir, m->called);
	struct cluster_ask *a =
		ask_find(r->cluster, their_id(r, from, m->transaction), false);
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
		r->cluster ? ask_find(r->cluster, m->transaction, false) : NULL;
	struct answer an = { .target = target };

	if (!a || a->open.target_session != target->session.id ||
	    (m->verdict != OO_ACCEPTED && m->verdict != OO_REFUSED))
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
		on_ask(r, m, &in, now);
	else if (m->kind == OO_CLUSTER_ANSWER && in.hdr.subclass == OO_OVER &&
		 in.has_verdict)
		on_answer(r, m, &in, now);
}

void cluster_asks_tick(struct oo_registrar *r, mono_us now)
{
	struct oo_cluster *c = r->cluster;

	while (c->silent_n < c->fifo_n &&
	       now >= nth(c, c->silent_n)->open.began + SILENT_US) {
		struct cluster_ask *a = nth(c, c->silent_n++);

		/* Without an answer of the store nobody knows where it is. */
		if (a->state == ASK_LOOKING)
			finish(r, a, OO_OFFLINE, now);
		else if (a->state == ASK_ASKED)
			finish(r, a, OO_SILENT, now);
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
