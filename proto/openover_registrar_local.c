/* SPDX-License-Identifier: MIT */

/*
 * Addresses of a node that its PINGs do not come from: those of its
 * interfaces, told to neighbours alone, and one that its router mapped, which
 * is proved like any other (OPEN-OVER.md sections 4.3 and 4.4).
 */

#include "proto/openover_registrar_priv.h"

#include "proto/iax2_ie.h"

/* The address of a family that is proved, and heard from lately. */
static const struct net_addr *proved(const struct oo_registrar *r,
				     const struct oo_record *rec,
				     enum oo_family f, mono_us now)
{
	return net_addr_is_set(&rec->path[f].peer) &&
			       registrar_is_lately(r, rec, rec->heard[f], now)
		       ? &rec->path[f].peer
		       : NULL;
}

/* Thousands share a carrier's address, so this is no proof: only a reason. */
static bool at_one_site(const struct oo_registrar *r, const struct oo_record *a,
			const struct oo_record *b, mono_us now)
{
	for (int f = 0; f < OO_FAMILIES; f++) {
		const struct net_addr *x = proved(r, a, (enum oo_family)f, now);
		const struct net_addr *y = proved(r, b, (enum oo_family)f, now);

		if (x && y && oo_addr_same_net(x, y))
			return true;
	}
	return false;
}

static void add_proved(const struct oo_registrar *r,
		       const struct oo_record *rec, struct oo_candidates *out,
		       mono_us now)
{
	const struct net_addr *v4 = proved(r, rec, OO_V4, now);
	const struct net_addr *v6 = proved(r, rec, OO_V6, now);
	struct net_addr mapped;

	if (v6)
		oo_candidate_add(out, OO_CANDIDATE_REFLEXIVE, v6);
	if (!v4)
		return;
	mapped = *v4;
	mapped.port = rec->mapped4;
	if (mapped.port != v4->port)
		oo_candidate_add(out, OO_CANDIDATE_REFLEXIVE, v4);
	if (mapped.port != 0)
		oo_candidate_add(out, OO_CANDIDATE_MAPPED, &mapped);
}

void registrar_candidates_of(const struct oo_registrar *r,
			     const struct oo_record *rec,
			     struct oo_candidates *out, mono_us now)
{
	out->n = 0;
	add_proved(r, rec, out, now);
}

void registrar_candidates(const struct oo_registrar *r,
			  const struct oo_record *rec,
			  const struct oo_local *local,
			  const struct oo_record *to, struct oo_candidates *out,
			  mono_us now)
{
	registrar_candidates_of(r, rec, out, now);
	if (!at_one_site(r, rec, to, now))
		return;
	for (size_t i = 0; i < local->n; i++) {
		const struct net_addr *a = &local->addr[i];

		if (!net_addr_equal(a, &rec->path[OO_V4].peer) &&
		    !net_addr_equal(a, &rec->path[OO_V6].peer))
			oo_candidate_add(out, OO_CANDIDATE_LOCAL, a);
	}
}

void registrar_keep_local(const struct oo_record *rec, const struct oo_msg *m,
			  struct oo_local *out)
{
	oo_local_keep(&m->candidates, &rec->path[OO_V6].peer, out);
}

/* --- mapped ------------------------------------------------------------- */

uint64_t registrar_cookie(const uint8_t secret[KEY_SHARED_LEN],
			  uint64_t session, const struct net_addr *a)
{
	uint8_t addr[18];
	const size_t n = net_addr_put(addr, a);
	const struct key_part parts[] = {
		{ &session, sizeof(session) },
		{ addr, n },
	};

	return key_derive_u64(secret, "keyhole path", parts, 2);
}

bool registrar_is_proved(const struct oo_registrar *r, const struct oo_msg *m,
			 const struct net_addr *a)
{
	return m->has_path &&
	       (m->path == registrar_cookie(r->secret.now, m->session, a) ||
		m->path == registrar_cookie(r->secret.before, m->session, a));
}

static const struct net_addr *mapped_in(const struct oo_msg *m)
{
	for (size_t i = 0; i < m->candidates.n; i++) {
		if (m->candidates.type[i] == OO_CANDIDATE_MAPPED)
			return &m->candidates.addr[i];
	}
	return NULL;
}

static void send_cookie(struct oo_registrar *r, struct oo_record *rec,
			const struct dgram *d, const struct oo_msg *m,
			const struct net_addr *to)
{
	const struct iax2_full hdr = registrar_answer_to(m);
	struct net_path path = d->path;
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_PONG, &hdr);

	path.peer = *to;
	oo_session_put(&rec->session, &w);
	oo_put_addr(&w, IAX2_IE_KH_REFLEXIVE, to);
	iax2_ie_put_u64(&w, IAX2_IE_KH_PATH,
			registrar_cookie(r->secret.now, m->session, to));
	seal_append(&w, buf, rec->session.tx_key);
	if ((size_t)(w.p - buf) <= d->len)
		registrar_send(r, &path, buf, &w);
}

void registrar_mapped(struct oo_registrar *r, struct oo_record *rec,
		      const struct dgram *d, const struct oo_msg *m)
{
	const struct net_addr *from = &d->path.peer;
	const struct net_addr *a = mapped_in(m);

	if (!net_addr_is_v4(from))
		return;
	/* Another address than the node's own could be anybody's. */
	if (!a || !net_addr_same_ip(a, from)) {
		rec->mapped4 = 0;
		return;
	}
	if (a->port == rec->mapped4)
		return;
	if (a->port == from->port || registrar_is_proved(r, m, a)) {
		rec->mapped4 = a->port;
		return;
	}
	rec->mapped4 = 0;
	send_cookie(r, rec, d, m, a);
}
