/* SPDX-License-Identifier: MIT */

#include "proto/openover_msg.h"

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/keys.h"

#define SEAL_LEN (2 + KEY_TAG_LEN)
#define ENDS_TCP 0x01U

const char *oo_verdict_text(enum oo_verdict v)
{
	switch (v) {
	case OO_ACCEPTED:
		return "accepted";
	case OO_NOT_REGISTERED:
		return "this node is not registered";
	case OO_UNKNOWN:
		return "no node of that number is known to the registrar";
	case OO_OFFLINE:
		return "the node is offline";
	case OO_REFUSED:
		return "the node refuses calls from this node";
	case OO_SILENT:
		return "the node is registered but does not answer";
	case OO_LIMITED:
		return "too many requests, try again in a minute";
	case OO_NO_PATH:
		return "no packet gets through between the two nodes";
	case OO_REGISTRAR_SILENT:
		return "the registrar does not answer";
	case OO_PLAIN:
		return "the node is a plain IAX2 client";
	}
	return "unknown verdict";
}

static bool get_u64(const uint8_t *v, uint64_t *out)
{
	struct wire_rd r = wire_rd(v, 8);

	*out = wire_rd_u64(&r);
	return true;
}

static bool get_text(const struct iax2_ie_view *v, char *out, size_t cap)
{
	if (v->len >= cap)
		return false;
	for (size_t i = 0; i < v->len; i++) {
		if (v->value[i] < 0x20 || v->value[i] > 0x7e)
			return false;
	}
	if (v->len > 0)
		memcpy(out, v->value, v->len);
	out[v->len] = '\0';
	return true;
}

static bool get_candidate(const struct iax2_ie_view *v, struct oo_msg *m)
{
	struct oo_candidates *c = NULL;
	struct net_addr a;

	if (!net_addr_get(v->value + 1, v->len - 1U, &a))
		return false;
	switch (v->value[0]) {
	case OO_CANDIDATE_RELAY:
		c = &m->relays;
		break;
	case OO_CANDIDATE_REFLEXIVE:
	case OO_CANDIDATE_LOCAL:
	case OO_CANDIDATE_MAPPED:
		c = &m->candidates;
		break;
	default:
		return true;
	}
	if (net_addr_is_set(&a))
		oo_candidate_add(c, v->value[0], &a);
	return true;
}

static bool get_ports(const struct iax2_ie_view *v, struct oo_ports *p)
{
	struct wire_rd r = wire_rd(v->value, v->len);

	p->round = wire_rd_u8(&r);
	p->last = wire_rd_u16(&r);
	p->delta = (int16_t)wire_rd_u16(&r);
	return true;
}

/* Elements of RFC 5456; false: impossible content. */
static bool take_standard(struct oo_msg *m, const struct iax2_ie_view *v)
{
	switch (v->type) {
	case IAX2_IE_CALLED_NUMBER:
		return m->has_called =
			       get_text(v, m->called, sizeof(m->called));
	case IAX2_IE_CALLING_NUMBER:
		return m->has_calling =
			       get_text(v, m->calling, sizeof(m->calling));
	case IAX2_IE_USERNAME:
		return m->has_username =
			       get_text(v, m->username, sizeof(m->username));
	case IAX2_IE_CHALLENGE:
		return m->has_challenge =
			       get_text(v, m->challenge, sizeof(m->challenge));
	case IAX2_IE_CALLTOKEN:
		return m->has_calltoken =
			       get_text(v, m->calltoken, sizeof(m->calltoken));
	case IAX2_IE_MD5_RESULT:
		return m->has_md5 = v->len == 32 &&
				    get_text(v, m->md5, sizeof(m->md5));
	case IAX2_IE_CAUSE:
		/* For people only: what cannot be shown is left out. */
		(void)get_text(v, m->cause, sizeof(m->cause));
		return true;
	case IAX2_IE_REFRESH:
		m->refresh_s = (uint16_t)(v->value[0] << 8 | v->value[1]);
		return m->has_refresh = true;
	case IAX2_IE_APPARENT_ADDR:
		return m->has_apparent = net_addr_get_sockaddr(v->value, v->len,
							       &m->apparent);
	case IAX2_IE_ED25519_RESULT:
		if (v->len != KEY_SIGNATURE_LEN)
			return false;
		memcpy(m->result, v->value, KEY_SIGNATURE_LEN);
		return m->has_result = true;
	default:
		return true;
	}
}

/* Fixed-size elements of ours: the table has checked their lengths. */
static bool take_ours(struct oo_msg *m, const struct iax2_ie_view *v)
{
	switch (v->type) {
	case IAX2_IE_KH_SESSION:
		(void)get_u64(v->value + 8, &m->counter);
		return m->has_session = get_u64(v->value, &m->session);
	case IAX2_IE_KH_HELLO:
		m->hello_version = v->value[0];
		memcpy(m->hello, v->value + 1, KEY_PUBLIC_LEN);
		return m->has_hello = true;
	case IAX2_IE_KH_SIGNATURE:
		memcpy(m->signature, v->value, KEY_SIGNATURE_LEN);
		return m->has_signature = true;
	case IAX2_IE_KH_PATH:
		return m->has_path = get_u64(v->value, &m->path);
	case IAX2_IE_KH_TRANSACTION:
		return m->has_transaction = get_u64(v->value, &m->transaction);
	case IAX2_IE_KH_PUNCH:
		return m->has_punch = get_u64(v->value, &m->punch);
	case IAX2_IE_KH_TOKEN:
		memcpy(m->token, v->value, KEY_SHARED_LEN);
		return m->has_token = true;
	case IAX2_IE_KH_PEER_KEY:
		memcpy(m->peer_key, v->value, KEY_PUBLIC_LEN);
		return m->has_peer_key = true;
	case IAX2_IE_KH_VERDICT:
		m->verdict = v->value[0];
		return m->has_verdict = true;
	case IAX2_IE_KH_NAT:
		m->nat = v->value[0];
		return m->has_nat = true;
	case IAX2_IE_KH_DELAY:
		m->delay_ms = (uint16_t)(v->value[0] << 8 | v->value[1]);
		return true;
	case IAX2_IE_KH_PORTS:
		return m->has_ports = get_ports(v, &m->ports);
	default:
		return true;
	}
}

/* KH ENDS: flags, port, and perhaps an IPv4 address. */
static bool take_ends(struct oo_msg *m, const struct iax2_ie_view *v)
{
	const uint8_t *p = v->value;

	if (v->len != 3 && v->len != 7)
		return false;
	memset(&m->ends, 0, sizeof(m->ends));
	m->ends.tcp = p[0] & ENDS_TCP;
	m->ends.port = (uint16_t)(p[1] << 8 | p[2]);
	if (v->len == 7)
		m->ends.other =
			net_addr_v4(p[3], p[4], p[5], p[6], m->ends.port);
	return m->has_ends = true;
}

static bool take_measure(struct oo_msg *m, const struct iax2_ie_view *v)
{
	switch (v->type) {
	case IAX2_IE_KH_ENDS:
		return take_ends(m, v);
	case IAX2_IE_KH_INTERVAL:
		m->interval_s = v->value[0];
		return m->has_interval = true;
	case IAX2_IE_KH_END:
		m->end = v->value[0];
		return m->has_end = true;
	default:
		return true;
	}
}

static bool take_address(struct oo_msg *m, const struct iax2_ie_view *v)
{
	switch (v->type) {
	case IAX2_IE_KH_REFLEXIVE:
		return m->has_reflexive =
			       net_addr_get(v->value, v->len, &m->reflexive);
	case IAX2_IE_KH_TARGET_ADDR:
		return m->has_target =
			       net_addr_get(v->value, v->len, &m->target);
	case IAX2_IE_KH_CANDIDATE:
		return get_candidate(v, m);
	default:
		return true;
	}
}

enum iax2_err oo_msg_decode(const uint8_t *pkt, size_t len, struct oo_msg *out)
{
	struct oo_msg m = { 0 };
	struct iax2_ie_view v;
	struct wire_rd r;
	enum iax2_err err = iax2_full_decode(pkt, len, &m.hdr);

	if (err != IAX2_OK)
		return err;
	if (m.hdr.type != IAX2_FRAME_IAX)
		return IAX2_E_NOT_OURS;
	err = iax2_ie_check(m.hdr.body, m.hdr.body_len);
	if (err != IAX2_OK)
		return err;
	r = wire_rd(m.hdr.body, m.hdr.body_len);
	while (iax2_ie_next(&r, &v)) {
		if (!take_standard(&m, &v) || !take_ours(&m, &v) ||
		    !take_address(&m, &v) || !take_measure(&m, &v))
			return IAX2_E_BAD_IE;
		m.sealed = v.type == IAX2_IE_KH_TAG;
	}
	*out = m;
	return IAX2_OK;
}

struct wire_wr oo_frame_begin(uint8_t buf[OO_FRAME_MAX], uint8_t subclass,
			      const struct iax2_full *hdr)
{
	struct iax2_full f = *hdr;
	struct wire_wr w = wire_wr(buf, OO_FRAME_MAX);
	size_t len = 0;

	f.type = IAX2_FRAME_IAX;
	f.subclass = subclass;
	f.body = NULL;
	f.body_len = 0;
	if (iax2_full_encode(&f, buf, OO_FRAME_MAX, &len) != IAX2_OK)
		w.bad = true;
	w.p += len;
	return w;
}

void oo_put_hello(struct wire_wr *w, const uint8_t key[KEY_PUBLIC_LEN])
{
	wire_wr_u8(w, IAX2_IE_KH_HELLO);
	wire_wr_u8(w, 1 + KEY_PUBLIC_LEN);
	wire_wr_u8(w, OO_VERSION);
	wire_wr_bytes(w, key, KEY_PUBLIC_LEN);
}

void oo_put_addr(struct wire_wr *w, uint8_t ie, const struct net_addr *a)
{
	uint8_t v[18];
	const size_t n = net_addr_put(v, a);

	iax2_ie_put(w, ie, v, n);
}

void oo_put_ends(struct wire_wr *w, const struct oo_ends *e)
{
	const bool other = net_addr_is_set(&e->other);

	wire_wr_u8(w, IAX2_IE_KH_ENDS);
	wire_wr_u8(w, other ? 7 : 3);
	wire_wr_u8(w, e->tcp ? ENDS_TCP : 0);
	wire_wr_u16(w, e->port);
	if (other)
		wire_wr_bytes(w, e->other.ip + 12, 4);
}

void oo_put_candidates(struct wire_wr *w, const struct oo_candidates *c)
{
	for (size_t i = 0; i < c->n; i++) {
		uint8_t v[19] = { c->type[i] };
		const size_t n = net_addr_put(v + 1, &c->addr[i]);

		iax2_ie_put(w, IAX2_IE_KH_CANDIDATE, v, n + 1);
	}
}

void oo_candidate_add(struct oo_candidates *c, enum oo_candidate_type type,
		      const struct net_addr *a)
{
	if (c->n == OO_CANDIDATES_MAX)
		return;
	c->type[c->n] = (uint8_t)type;
	c->addr[c->n++] = *a;
}

void oo_put_ports(struct wire_wr *w, const struct oo_ports *p)
{
	wire_wr_u8(w, IAX2_IE_KH_PORTS);
	wire_wr_u8(w, 5);
	wire_wr_u8(w, p->round);
	wire_wr_u16(w, p->last);
	wire_wr_u16(w, (uint16_t)p->delta);
}

void oo_put_pad(struct wire_wr *w, const uint8_t *frame, size_t total,
		bool sealed)
{
	static const uint8_t zeros[255] = { 0 };
	const size_t now = (size_t)(w->p - frame) + (sealed ? SEAL_LEN : 0);

	if (w->bad || now + 2 > total)
		return;
	iax2_ie_put(w, IAX2_IE_KH_PAD, zeros, total - now - 2);
}
