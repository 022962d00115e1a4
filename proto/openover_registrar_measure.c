/* SPDX-License-Identifier: MIT */

/*
 * Measuring at the registrar (OPEN-OVER.md section 4.10): tell a node how one of
 * its sockets looks from here, and send one datagram to an address of its own
 * from an end that it names.  Nothing is kept for it: the node brings the
 * cookie that shows that it receives at that address.
 */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_registrar_priv.h"

/* A hole is left idle for minutes before it is tried, so these cookies live
 * longer than those of a PING: five to ten minutes. */
#define COOKIE_US (300 * MONO_S)

static void rotate(struct oo_registrar *r, mono_us now)
{
	if (now - r->measure_since < COOKIE_US)
		return;
	memcpy(r->measure_key[1], r->measure_key[0], KEY_SHARED_LEN);
	r->random(r->random_ctx, r->measure_key[0], KEY_SHARED_LEN);
	if (now - r->measure_since >= 2 * COOKIE_US)
		r->random(r->random_ctx, r->measure_key[1], KEY_SHARED_LEN);
	r->measure_since = now;
}

/* By number: a registration that comes between does not void it. */
static uint64_t cookie(const struct oo_registrar *r, int which,
		       const struct oo_record *rec, const struct net_addr *a)
{
	uint8_t addr[18];
	const size_t n = net_addr_put(addr, a);
	const struct key_part parts[] = {
		{ rec->number, strlen(rec->number) },
		{ addr, n },
	};

	return key_derive_u64(r->measure_key[which], "keyhole measure", parts,
			      2);
}

static bool is_proved(const struct oo_registrar *r, const struct oo_record *rec,
		      const struct oo_msg *m)
{
	return m->has_path && (m->path == cookie(r, 0, rec, &m->target) ||
			       m->path == cookie(r, 1, rec, &m->target));
}

static struct wire_wr begin(uint8_t buf[OO_FRAME_MAX], struct oo_record *rec,
			    const struct oo_msg *m)
{
	const struct iax2_full hdr = registrar_answer_to(m);
	struct wire_wr w = oo_frame_begin(buf, OO_MEASURE, &hdr);

	oo_session_put(&rec->session, &w);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, m->transaction);
	return w;
}

static void finish(struct oo_registrar *r, const struct oo_record *rec,
		   const struct net_path *path, const uint8_t *buf,
		   struct wire_wr *w)
{
	seal_append(w, buf, rec->session.tx_key);
	registrar_send(r, path, buf, w);
}

/* How the sender looks from here, and the cookie for that address. */
static enum iax2_err tell(struct oo_registrar *r, struct oo_record *rec,
			  const struct dgram *d, const struct oo_msg *m)
{
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = begin(buf, rec, m);

	oo_put_addr(&w, IAX2_IE_KH_REFLEXIVE, &d->path.peer);
	iax2_ie_put_u64(&w, IAX2_IE_KH_PATH, cookie(r, 0, rec, &d->path.peer));
	finish(r, rec, &d->path, buf, &w);
	return IAX2_OK;
}

/* The way from an end of ours to the node's address; false: no such end. */
static bool path_from(const struct oo_registrar *r, const struct dgram *d,
		      const struct oo_msg *m, struct net_path *out)
{
	const enum oo_family f = oo_family_of(&m->target);

	memset(out, 0, sizeof(*out));
	out->peer = m->target;
	if (oo_family_of(&d->path.peer) == f)
		memcpy(out->local_ip, d->path.local_ip, sizeof(out->local_ip));
	switch (m->end) {
	case OO_END_MAIN:
		return true;
	case OO_END_PORT:
		out->sock = r->measure.port[f];
		return out->sock != 0;
	case OO_END_OTHER:
		memcpy(out->local_ip, r->measure.told.other.ip,
		       sizeof(out->local_ip));
		out->sock = r->measure.other;
		return out->sock != 0 && f == OO_V4;
	default:
		return false;
	}
}

/* One datagram there, and the word here that it was sent. */
static enum iax2_err send_there(struct oo_registrar *r, struct oo_record *rec,
				const struct dgram *d, const struct oo_msg *m)
{
	const struct net_addr *from = &d->path.peer;
	uint8_t buf[OO_FRAME_MAX];
	struct net_path there;
	struct wire_wr w;

	if (d->path.sock != 0 ||
	    !net_addr_equal(&rec->path[oo_family_of(from)].peer, from) ||
	    !is_proved(r, rec, m) || !path_from(r, d, m, &there))
		return IAX2_E_REFUSED;
	w = begin(buf, rec, m);
	iax2_ie_put_u8(&w, IAX2_IE_KH_END, m->end);
	finish(r, rec, &there, buf, &w);
	w = begin(buf, rec, m);
	finish(r, rec, &d->path, buf, &w);
	return IAX2_OK;
}

enum iax2_err registrar_on_measure(struct oo_registrar *r,
				   const struct dgram *d,
				   const struct oo_msg *m, mono_us now)
{
	struct oo_record *rec = registrar_sender(r, d, m);

	if (!rec)
		return IAX2_E_REFUSED;
	/* What it draws out of us, both answers together, is not longer. */
	if (r->measure.told.port == 0 || !m->has_transaction ||
	    d->len < OO_MEASURE_LEN || m->has_target != m->has_end) {
		r->n.not_ours++;
		return IAX2_E_NOT_OURS;
	}
	if (!registrar_take_of(r, r->measures, rec, now)) {
		r->n.limited++;
		return IAX2_E_LIMITED;
	}
	r->n.measures++;
	rotate(r, now);
	return m->has_target ? send_there(r, rec, d, m) : tell(r, rec, d, m);
}
