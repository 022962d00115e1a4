/* SPDX-License-Identifier: MIT */

/* What comes to the registrar's port: which part of it a frame is for; PINGs
 * (OPEN-OVER.md section 4.3) and good-byes. */

#include "proto/iax2_ie.h"
#include "proto/openover_registrar_priv.h"

struct oo_record *registrar_sender(struct oo_registrar *r,
				   const struct dgram *d,
				   const struct oo_msg *m)
{
	struct oo_record *rec;

	if (!m->has_session || !m->sealed) {
		r->n.not_ours++;
		return NULL;
	}
	rec = oo_directory_by_session(r->dir, m->session);
	if (!rec || !seal_check(d->data, d->len, rec->session.rx_key)) {
		r->n.forged++;
		return NULL;
	}
	if (!replay_accept(&rec->session.rx, m->counter)) {
		r->n.replayed++;
		return NULL;
	}
	return rec;
}

struct iax2_full registrar_answer_to(const struct oo_msg *m)
{
	return (struct iax2_full){
		.src_callno = IAX2_CALLNO_OUTSIDE,
		.dst_callno = m->hdr.src_callno,
		.ts_ms = m->hdr.ts_ms,
		.iseq = (uint8_t)(m->hdr.oseq + 1),
	};
}

static enum iax2_err on_ping(struct oo_registrar *r, const struct dgram *d,
			     const struct oo_msg *m, mono_us now)
{
	const struct net_addr *from = &d->path.peer;
	struct oo_record *rec = registrar_sender(r, d, m);
	const struct iax2_full hdr = registrar_answer_to(m);
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w;
	bool proved;

	if (!rec)
		return IAX2_E_REFUSED;
	r->n.pings++;
	proved = net_addr_equal(&rec->path[oo_family_of(from)].peer, from);
	if (!proved && registrar_is_proved(r, m, from)) {
		r->n.moves++;
		registrar_event(r, OO_REG_EV_MOVED, rec->number, from);
		proved = true;
	}
	if (proved) {
		oo_directory_move(r->dir, rec, &d->path, now);
		registrar_mapped(r, rec, d, m);
	}
	if (m->has_interval)
		oo_directory_set_interval(r->dir, rec, m->interval_s);

	w = oo_frame_begin(buf, IAX2_IAX_PONG, &hdr);
	oo_session_put(&rec->session, &w);
	oo_put_addr(&w, IAX2_IE_KH_REFLEXIVE, from);
	if (!proved)
		iax2_ie_put_u64(
			&w, IAX2_IE_KH_PATH,
			registrar_cookie(r->secret.now, m->session, from));
	seal_append(&w, buf, rec->session.tx_key);
	if ((size_t)(w.p - buf) > d->len)
		return IAX2_E_LIMITED;
	registrar_send(r, &d->path, buf, &w);
	return IAX2_OK;
}

/* A POKE that knows nothing of us gets the PONG of RFC 5456 6.7.2. */
static enum iax2_err on_plain_poke(struct oo_registrar *r,
				   const struct dgram *d,
				   const struct oo_msg *m)
{
	const struct iax2_full hdr = registrar_answer_to(m);
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w;

	/* A header, as the POKE has at least. */
	w = oo_frame_begin(buf, IAX2_IAX_PONG, &hdr);
	registrar_send(r, &d->path, buf, &w);
	return IAX2_OK;
}

static enum iax2_err on_regrel(struct oo_registrar *r, const struct dgram *d,
			       const struct oo_msg *m)
{
	struct oo_record *rec = registrar_sender(r, d, m);
	const struct iax2_full hdr = registrar_answer_to(m);
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w;

	if (!rec)
		return IAX2_E_REFUSED;
	w = oo_frame_begin(buf, IAX2_IAX_REGACK, &hdr);
	oo_session_put(&rec->session, &w);
	seal_append(&w, buf, rec->session.tx_key);
	if ((size_t)(w.p - buf) <= d->len)
		registrar_send(r, &d->path, buf, &w);
	registrar_relay_drop(r, rec);
	oo_directory_end(r->dir, rec);
	registrar_event(r, OO_REG_EV_DOWN, rec->number, &d->path.peer);
	return IAX2_OK;
}

/* The other ends are for measuring: no address is proved through them. */
static bool is_measuring_socket(const struct oo_registrar *r, uint16_t sock)
{
	return sock != 0 &&
	       (sock == r->measure.port[OO_V4] ||
		sock == r->measure.port[OO_V6] || sock == r->measure.other);
}

enum iax2_err oo_registrar_rx(struct oo_registrar *r, const struct dgram *d,
			      mono_us now)
{
	struct oo_msg m;
	enum iax2_err err;

	r->n.rx++;
	rotating_secret_tick(&r->secret, r->random, r->random_ctx, now);
	err = oo_msg_decode(d->data, d->len, &m);
	if (err != IAX2_OK) {
		if (err == IAX2_E_NOT_OURS)
			r->n.not_ours++;
		else
			r->n.malformed++;
		return err;
	}
	if (m.hdr.subclass == OO_MEASURE)
		return registrar_on_measure(r, d, &m, now);
	if (is_measuring_socket(r, d->path.sock)) {
		r->n.not_ours++;
		return IAX2_E_NOT_OURS;
	}
	switch (m.hdr.subclass) {
	case IAX2_IAX_POKE:
		if (m.has_session)
			return on_ping(r, d, &m, now);
		return on_plain_poke(r, d, &m);
	case IAX2_IAX_REGREQ:
		return registrar_on_regreq(r, d, &m, now);
	case IAX2_IAX_REGREL:
		if (m.has_session)
			return on_regrel(r, d, &m);
		return registrar_on_plain(r, d, &m, now);
	case IAX2_IAX_ACK:
		/* Plain clients acknowledge our last answer. */
		return IAX2_OK;
	case OO_OPEN_REQUEST:
		return registrar_on_open_request(r, d, &m, now);
	case OO_OVER:
		return registrar_on_over(r, d, &m, now);
	case OO_RELAY:
		return registrar_on_relay(r, d, &m, now);
	default:
		r->n.not_ours++;
		return IAX2_E_NOT_OURS;
	}
}
