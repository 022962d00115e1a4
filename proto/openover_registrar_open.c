/* SPDX-License-Identifier: MIT */

/*
 * OPEN_REQUEST, OPEN and OVER at the registrar (OPEN-OVER.md section 4.4).
 *
 * The caller drives: what it repeats is carried on again, so one retry
 * schedule mends a loss on any leg, and nothing here needs a timer but the
 * end of a transaction.
 */

#include "proto/openover_registrar_priv.h"

#include <string.h>

#include "proto/iax2_ie.h"

/* A target that did not answer by then is silent; the caller still waits. */
#define SILENT_US (3 * MONO_S)
/* For how long an ended transaction answers repeated questions. */
#define LINGER_US (8 * MONO_S)
/* A repetition sooner than this is not carried on again. */
#define REPEAT_US (100 * MONO_MS)
#define PROBES 16U /* slots looked at for one id */

static const struct iax2_full outside = { .src_callno = IAX2_CALLNO_OUTSIDE };

static uint64_t tx_id(const struct oo_registrar *r, uint64_t session,
		      uint64_t caller_tx)
{
	const struct key_part parts[] = {
		{ &session, sizeof(session) },
		{ &caller_tx, sizeof(caller_tx) },
	};

	return key_derive_u64(r->tx_key, "keyhole transaction", parts, 2);
}

static struct open_tx *tx_find(struct oo_registrar *r, uint64_t id)
{
	for (size_t i = 0; i < PROBES; i++) {
		struct open_tx *t = &r->opens[(id + i) % r->opens_slots];

		if (t->state != OPEN_FREE && t->id == id)
			return t;
	}
	return NULL;
}

static struct open_tx *tx_new(struct oo_registrar *r, uint64_t id)
{
	if (r->fifo_n == r->opens_max)
		return NULL;
	for (size_t i = 0; i < PROBES; i++) {
		const size_t slot = (id + i) % r->opens_slots;
		struct open_tx *t = &r->opens[slot];

		if (t->state != OPEN_FREE)
			continue;
		memset(t, 0, sizeof(*t));
		t->id = id;
		r->fifo[(r->fifo_head + r->fifo_n++) % r->opens_max] =
			(uint32_t)slot;
		return t;
	}
	return NULL;
}

/* The record, as long as it still is the party it was. */
struct oo_record *registrar_party(struct oo_registrar *r, uint32_t index,
				  uint64_t session)
{
	struct oo_record *rec = oo_directory_at(r->dir, index);

	return rec->session.id == session ? rec : NULL;
}

const struct net_path *registrar_main_path(const struct oo_record *rec)
{
	const bool v6 = net_addr_is_set(&rec->path[OO_V6].peer) &&
			rec->heard[OO_V6] >= rec->heard[OO_V4];

	return &rec->path[v6 ? OO_V6 : OO_V4];
}

/* OVER with a refusal: to the address the caller asked from. */
void registrar_send_verdict(struct oo_registrar *r, struct oo_record *caller,
			    const struct net_path *path, uint64_t caller_tx,
			    enum oo_verdict verdict)
{
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, OO_OVER, &outside);

	oo_session_put(&caller->session, &w);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, caller_tx);
	iax2_ie_put_u8(&w, IAX2_IE_KH_VERDICT, (uint8_t)verdict);
	seal_append(&w, buf, caller->session.tx_key);
	registrar_send(r, path, buf, &w);
}

static void put_token(struct wire_wr *w, const struct oo_session *s,
		      uint64_t counter, const uint8_t token[KEY_SHARED_LEN])
{
	uint8_t hidden[KEY_SHARED_LEN];

	memcpy(hidden, token, sizeof(hidden));
	oo_session_cipher(s, true, counter, hidden);
	iax2_ie_put(w, IAX2_IE_KH_TOKEN, hidden, sizeof(hidden));
}

void registrar_send_over(struct oo_registrar *r, const struct open_tx *t,
			 struct oo_record *caller,
			 const struct oo_record *target, mono_us now)
{
	struct oo_candidates c;
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, OO_OVER, &outside);
	const uint64_t counter = oo_session_put(&caller->session, &w);

	registrar_candidates(r, target, &t->target_local, caller, &c, now);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, t->caller_tx);
	iax2_ie_put_u8(&w, IAX2_IE_KH_VERDICT, OO_ACCEPTED);
	iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, target->number);
	iax2_ie_put(&w, IAX2_IE_KH_PEER_KEY, target->key, KEY_PUBLIC_LEN);
	put_token(&w, &caller->session, counter, t->token);
	iax2_ie_put_u8(&w, IAX2_IE_KH_NAT, t->target_nat);
	oo_put_candidates(&w, &c);
	registrar_relay_put(r, target, &w);
	if (t->target_ports.round != 0)
		oo_put_ports(&w, &t->target_ports);
	seal_append(&w, buf, caller->session.tx_key);
	registrar_send(r, registrar_main_path(caller), buf, &w);
}

/* OPEN, on each path the target keeps open: one of them may just have died. */
void registrar_send_open(struct oo_registrar *r, const struct open_tx *t,
			 const struct oo_record *caller,
			 struct oo_record *target, mono_us now)
{
	struct oo_candidates c;

	registrar_candidates(r, caller, &t->caller_local, target, &c, now);
	for (int f = 0; f < OO_FAMILIES; f++) {
		uint8_t buf[OO_FRAME_MAX];
		struct wire_wr w;
		uint64_t counter;

		if (!net_addr_is_set(&target->path[f].peer))
			continue;
		w = oo_frame_begin(buf, OO_OPEN, &outside);
		counter = oo_session_put(&target->session, &w);
		iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, t->id);
		iax2_ie_put_text(&w, IAX2_IE_CALLING_NUMBER, caller->number);
		iax2_ie_put(&w, IAX2_IE_KH_PEER_KEY, caller->key,
			    KEY_PUBLIC_LEN);
		put_token(&w, &target->session, counter, t->token);
		iax2_ie_put_u8(&w, IAX2_IE_KH_NAT, t->caller_nat);
		iax2_ie_put_u16(&w, IAX2_IE_KH_DELAY, t->caller_delay_ms);
		oo_put_candidates(&w, &c);
		registrar_relay_put(r, caller, &w);
		if (t->caller_ports.round != 0)
			oo_put_ports(&w, &t->caller_ports);
		seal_append(&w, buf, target->session.tx_key);
		registrar_send(r, &target->path[f], buf, &w);
	}
}

static void finish(struct oo_registrar *r, struct open_tx *t,
		   enum oo_verdict verdict, mono_us now)
{
	struct oo_record *caller =
		registrar_party(r, t->caller, t->caller_session);
	const struct oo_record *target =
		registrar_party(r, t->target, t->target_session);

	t->state = OPEN_DONE;
	t->verdict = (uint8_t)verdict;
	if (!caller)
		return;
	if (verdict == OO_ACCEPTED && target)
		registrar_send_over(r, t, caller, target, now);
	else
		registrar_send_verdict(r, caller, registrar_main_path(caller),
				       t->caller_tx,
				       target ? verdict : OO_OFFLINE);
}

/* Who is asked for; NULL and a verdict when it cannot be asked. */
static struct oo_record *wanted(struct oo_registrar *r, const struct oo_msg *m,
				mono_us now, enum oo_verdict *why)
{
	struct oo_record *rec = NULL;

	if (m->has_called)
		rec = oo_directory_by_number(r->dir, m->called);
	else if (m->has_target)
		rec = oo_directory_by_addr(r->dir, &m->target);
	*why = OO_UNKNOWN;
	if (!rec)
		return NULL;
	*why = OO_OFFLINE;
	return oo_registrar_is_online(r, rec, now) ? rec : NULL;
}

/* A plain client opens no hole and needs none: its address is the answer. */
static enum iax2_err name_plain(struct oo_registrar *r, const struct dgram *d,
				const struct oo_msg *m,
				struct oo_record *caller,
				const struct oo_plain *c)
{
	struct oo_candidates where = { .n = 0 };
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, OO_OVER, &outside);

	r->n.opens++;
	r->n.opens_ok++;
	oo_candidate_add(&where, OO_CANDIDATE_REFLEXIVE, &c->path.peer);
	oo_session_put(&caller->session, &w);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, m->transaction);
	iax2_ie_put_u8(&w, IAX2_IE_KH_VERDICT, OO_PLAIN);
	oo_put_candidates(&w, &where);
	seal_append(&w, buf, caller->session.tx_key);
	registrar_send(r, &d->path, buf, &w);
	return IAX2_OK;
}

static enum iax2_err begin(struct oo_registrar *r, const struct dgram *d,
			   const struct oo_msg *m, struct oo_record *caller,
			   mono_us now)
{
	enum oo_verdict why;
	const struct oo_plain *plain = NULL;
	struct oo_record *target = NULL;
	struct open_tx *t = NULL;

	/* Every question counts: nobody reads the directory by asking. */
	if (rate_take(&caller->opens, &r->opens_limit, now)) {
		target = wanted(r, m, now, &why);
		if (m->has_called)
			plain = oo_plains_find(r->plains, m->called);
	} else {
		r->n.limited++;
		why = OO_LIMITED;
	}
	if (plain && oo_plain_is_online(plain, now))
		return name_plain(r, d, m, caller, plain);
	if (plain)
		why = OO_OFFLINE;
	if (!target && !plain && why == OO_OFFLINE &&
	    registrar_cluster_ask(r, m, caller, now))
		return IAX2_OK;
	if (target) {
		t = tx_new(r, tx_id(r, caller->session.id, m->transaction));
		why = OO_LIMITED;
	}
	if (!t) {
		registrar_send_verdict(r, caller, &d->path, m->transaction,
				       why);
		return IAX2_E_REFUSED;
	}
	r->n.opens++;
	t->state = OPEN_PENDING;
	t->caller_tx = m->transaction;
	t->caller = (uint32_t)oo_directory_index(r->dir, caller);
	t->target = (uint32_t)oo_directory_index(r->dir, target);
	t->caller_session = caller->session.id;
	t->target_session = target->session.id;
	t->caller_nat = m->nat;
	t->caller_delay_ms = m->delay_ms;
	registrar_keep_local(caller, m, &t->caller_local);
	t->began = now;
	t->carried = now;
	r->random(r->random_ctx, t->token, sizeof(t->token));
	registrar_send_open(r, t, caller, target, now);
	return IAX2_OK;
}

enum iax2_err registrar_on_open_request(struct oo_registrar *r,
					const struct dgram *d,
					const struct oo_msg *m, mono_us now)
{
	const struct net_addr *from = &d->path.peer;
	struct oo_record *caller = registrar_sender(r, d, m);
	struct oo_record *target;
	struct open_tx *t;

	if (!caller || !m->has_transaction)
		return IAX2_E_REFUSED;
	/* An answer is longer than the question may be: only to an address
	 * that the caller has proved.  Its next PING proves a new one. */
	if (!net_addr_equal(&caller->path[oo_family_of(from)].peer, from)) {
		r->n.limited++;
		return IAX2_E_LIMITED;
	}
	oo_directory_move(r->dir, caller, &d->path, now);
	t = tx_find(r, tx_id(r, caller->session.id, m->transaction));
	if (!t && registrar_cluster_repeat(r, m, caller, now))
		return IAX2_OK;
	if (!t)
		return begin(r, d, m, caller, now);
	if (now < t->carried + REPEAT_US) {
		r->n.limited++;
		return IAX2_E_LIMITED;
	}
	t->carried = now;
	target = registrar_party(r, t->target, t->target_session);
	if (m->has_ports)
		t->caller_ports = m->ports;
	/* What is asked anew of a target that agreed is where its ports are. */
	if (target && (t->state == OPEN_PENDING ||
		       (m->has_ports && t->verdict == OO_ACCEPTED)))
		registrar_send_open(r, t, caller, target, now);
	else
		finish(r, t,
		       t->state == OPEN_PENDING ? OO_OFFLINE
						: (enum oo_verdict)t->verdict,
		       now);
	return IAX2_OK;
}

enum iax2_err registrar_on_over(struct oo_registrar *r, const struct dgram *d,
				const struct oo_msg *m, mono_us now)
{
	const struct oo_record *target = registrar_sender(r, d, m);
	struct open_tx *t;

	if (!target || !m->has_transaction || !m->has_verdict)
		return IAX2_E_REFUSED;
	t = tx_find(r, m->transaction);
	if (!t && registrar_cluster_over(r, target, m, now))
		return IAX2_OK;
	if (!t || t->target_session != target->session.id ||
	    !registrar_is_targets(m->verdict)) {
		r->n.forged++;
		return IAX2_E_REFUSED;
	}
	if (t->state == OPEN_PENDING) {
		t->target_nat = m->nat;
		registrar_keep_local(target, m, &t->target_local);
		r->n.opens_ok += m->verdict == OO_ACCEPTED;
		t->verdict = m->verdict;
	}
	if (m->has_ports)
		t->target_ports = m->ports;
	/* Repeated: the caller asked again, so it lacks ours. */
	finish(r, t, (enum oo_verdict)t->verdict, now);
	return IAX2_OK;
}

static struct open_tx *nth(const struct oo_registrar *r, size_t i)
{
	return &r->opens[r->fifo[(r->fifo_head + i) % r->opens_max]];
}

/* All transactions last equally long, so they end in order of beginning. */
void registrar_opens_tick(struct oo_registrar *r, mono_us now)
{
	while (r->silent_n < r->fifo_n &&
	       now >= nth(r, r->silent_n)->began + SILENT_US) {
		struct open_tx *t = nth(r, r->silent_n++);

		if (t->state == OPEN_PENDING)
			finish(r, t, OO_SILENT, now);
	}
	while (r->fifo_n > 0 && now >= nth(r, 0)->began + LINGER_US) {
		key_wipe(nth(r, 0), sizeof(struct open_tx));
		r->fifo_head = (r->fifo_head + 1) % r->opens_max;
		r->fifo_n--;
		r->silent_n--;
	}
}

mono_us registrar_opens_deadline(const struct oo_registrar *r)
{
	mono_us due = MONO_NEVER;

	if (r->fifo_n > 0)
		due = nth(r, 0)->began + LINGER_US;
	if (r->silent_n < r->fifo_n)
		due = mono_min(due, nth(r, r->silent_n)->began + SILENT_US);
	return due;
}
