/* SPDX-License-Identifier: MIT */

/*
 * Registration of plain IAX2 clients (RFC 5456 section 6.1): a challenge, the
 * MD5 of it and a shared secret.
 *
 * Nothing is kept for a client before it has answered well.  The challenge and
 * our call number are computed from its address, name and call number and from
 * a secret that lives at most a minute; the call number comes back as the
 * destination of the answer and shows that our REGAUTH was received there, so
 * wrong passwords are not counted against an address that somebody made up.
 * A name that nobody has is treated like one with another password.
 */

#include "proto/openover_registrar_priv.h"

#include <string.h>

#include "proto/iax2_ie.h"

#define REFRESH_MIN_S 30U
#define REFRESH_DEFAULT_S 60U /* when not asked for, RFC 5456 8.6.18 */
/* A client that lost some packets on its way back is still known. */
#define MARGIN_US (30 * MONO_S)

/* Of the whole log: the addresses may be made up. */
static const struct rate_limit no_token_limit = { 60, 10 };

/* What one secret makes of one REGREQ or REGREL. */
struct exchange {
	uint16_t callno; /* ours, 2..0x7eff: outside of all other use */
	uint64_t id;
	char challenge[17];
};

static void exchange_for(struct exchange *x,
			 const uint8_t secret[KEY_SHARED_LEN],
			 const struct net_addr *from, const struct oo_msg *m)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t addr[18], c[KEY_SHARED_LEN];
	const size_t n = net_addr_put(addr, from);
	const struct key_part parts[] = {
		{ addr, n },
		{ m->username, strlen(m->username) },
		{ &m->hdr.src_callno, sizeof(m->hdr.src_callno) },
		{ &m->hdr.subclass, sizeof(m->hdr.subclass) },
	};

	key_derive(c, secret, "keyhole plain challenge", parts, 4);
	memcpy(&x->id, c, sizeof(x->id));
	for (size_t i = 0; i < 8; i++) {
		x->challenge[2 * i] = hex[c[i] >> 4];
		x->challenge[2 * i + 1] = hex[c[i] & 15];
	}
	x->challenge[16] = '\0';
	x->callno = (uint16_t)(2 + (c[8] << 8 | c[9]) % 0x7efe);
}

static struct iax2_full answer_from(const struct oo_msg *m, uint16_t callno)
{
	struct iax2_full hdr = registrar_answer(m);

	hdr.src_callno = callno;
	return hdr;
}

static enum iax2_err challenge(struct oo_registrar *r, const struct dgram *d,
			       const struct oo_msg *m, mono_us now)
{
	struct exchange x;
	struct iax2_full hdr;
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w;

	exchange_for(&x, r->secret.now, &d->path.peer, m);
	hdr = answer_from(m, x.callno);
	w = oo_frame_begin(buf, IAX2_IAX_REGAUTH, &hdr);
	iax2_ie_put_u16(&w, IAX2_IE_AUTHMETHODS, IAX2_AUTH_MD5);
	iax2_ie_put_text(&w, IAX2_IE_CHALLENGE, x.challenge);
	iax2_ie_put_text(&w, IAX2_IE_USERNAME, m->username);
	/* Without a call token the sender may be made up. */
	if ((size_t)(w.p - buf) > d->len &&
	    !rate_table_take(r->unproved, &d->path.peer, now)) {
		r->n.limited++;
		return IAX2_E_LIMITED;
	}
	registrar_send(r, &d->path, buf, &w);
	return IAX2_OK;
}

static uint16_t refresh_for(const struct oo_registrar *r,
			    const struct oo_msg *m)
{
	const uint16_t asked =
		m->has_refresh ? m->refresh_s : REFRESH_DEFAULT_S;

	if (asked < REFRESH_MIN_S)
		return REFRESH_MIN_S;
	return asked < r->refresh_s ? asked : r->refresh_s;
}

static enum iax2_err acknowledge(struct oo_registrar *r, const struct dgram *d,
				 const struct oo_msg *m,
				 const struct oo_plain *c)
{
	const struct iax2_full hdr = answer_from(m, m->hdr.dst_callno);
	uint8_t buf[OO_FRAME_MAX], addr[28];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_REGACK, &hdr);

	iax2_ie_put_text(&w, IAX2_IE_USERNAME, c->name);
	if (r->datetime != 0)
		iax2_ie_put_u32(&w, IAX2_IE_DATETIME, r->datetime);
	if (m->hdr.subclass == IAX2_IAX_REGREQ) {
		iax2_ie_put_u16(&w, IAX2_IE_REFRESH, refresh_for(r, m));
		iax2_ie_put(&w, IAX2_IE_APPARENT_ADDR, addr,
			    net_addr_put_sockaddr(addr, &d->path.peer));
	}
	registrar_send(r, &d->path, buf, &w);
	return IAX2_OK;
}

/* Good answers that were taken before are only answered again, and only while
 * they still tell the truth. */
static enum iax2_err again(struct oo_registrar *r, const struct dgram *d,
			   const struct oo_msg *m, const struct oo_plain *c,
			   mono_us now)
{
	const bool here = oo_plain_is_online(c, now) &&
			  net_addr_equal(&c->path.peer, &d->path.peer);

	if (here != (m->hdr.subclass == IAX2_IAX_REGREQ)) {
		r->n.replayed++;
		return IAX2_E_REFUSED;
	}
	return acknowledge(r, d, m, c);
}

static enum iax2_err accept(struct oo_registrar *r, const struct dgram *d,
			    const struct oo_msg *m, struct oo_plain *c,
			    mono_us now)
{
	const struct net_addr *from = &d->path.peer;
	const bool online = oo_plain_is_online(c, now);

	if (m->hdr.subclass == IAX2_IAX_REGREL) {
		if (online)
			registrar_event(r, OO_REG_EV_DOWN, c->name, from);
		oo_plains_release(r->plains, c);
		return acknowledge(r, d, m, c);
	}
	if (!online)
		registrar_event(r, OO_REG_EV_UP, c->name, from);
	else if (!net_addr_equal(&c->path.peer, from))
		registrar_event(r, OO_REG_EV_MOVED, c->name, from);
	oo_plains_register(r->plains, c, &d->path,
			   now + refresh_for(r, m) * MONO_S + MARGIN_US);
	r->n.registered++;
	return acknowledge(r, d, m, c);
}

static enum iax2_err refuse(struct oo_registrar *r, const struct dgram *d,
			    const struct oo_msg *m, mono_us now)
{
	const struct iax2_full hdr = answer_from(m, m->hdr.dst_callno);
	uint8_t buf[OO_FRAME_MAX];
	const struct wire_wr w = registrar_rejection(buf, &hdr);

	(void)rate_table_take_for(r->auth_failures, &d->path.peer, m->username,
				  now);
	r->n.refused++;
	r->n.auth_failed++;
	registrar_event(r, OO_REG_EV_REFUSED, m->username, &d->path.peer);
	registrar_send(r, &d->path, buf, &w);
	return IAX2_E_REFUSED;
}

/* Some write hexadecimal digits large. */
static char lower_hex(char c)
{
	static const char large[] = "ABCDEF", small[] = "abcdef";
	const char *at = c != '\0' ? strchr(large, c) : NULL;

	if (!at)
		return c;
	return small[at - large];
}

static bool is_answer(const struct oo_msg *m, const struct exchange *x,
		      const char *secret)
{
	char want[33], got[33];
	bool good;

	key_md5_response(x->challenge, secret, want);
	for (size_t i = 0; i < sizeof(got); i++)
		got[i] = lower_hex(m->md5[i]);
	good = key_equal(want, got, 32);
	key_wipe(want, sizeof(want));
	return good;
}

static enum iax2_err authenticate(struct oo_registrar *r, const struct dgram *d,
				  const struct oo_msg *m, mono_us now)
{
	const uint8_t *const secrets[] = { r->secret.now, r->secret.before };
	struct oo_plain *c = oo_plains_find(r->plains, m->username);
	bool ours = false;

	if (!rate_table_has_for(r->auth_failures, &d->path.peer, m->username,
				now)) {
		r->n.auth_limited++;
		return IAX2_E_LIMITED;
	}
	for (size_t i = 0; i < 2; i++) {
		struct exchange x;

		exchange_for(&x, secrets[i], &d->path.peer, m);
		if (x.callno != m->hdr.dst_callno)
			continue;
		ours = true;
		/* Without such a client the work is the same. */
		if (!is_answer(m, &x, c ? c->secret : "") || !c)
			continue;
		if (oo_plain_has_used(c, x.id))
			return again(r, d, m, c, now);
		oo_plain_use(c, x.id);
		return accept(r, d, m, c, now);
	}
	if (ours)
		return refuse(r, d, m, now);
	r->n.forged++; /* or its challenge is too old */
	return IAX2_E_STALE;
}

enum iax2_err registrar_on_plain(struct oo_registrar *r, const struct dgram *d,
				 const struct oo_msg *m, mono_us now)
{
	const struct net_addr *from = &d->path.peer;

	if (!m->has_username || m->username[0] == '\0') {
		r->n.malformed++;
		return IAX2_E_BAD_IE;
	}
	if (m->has_md5)
		return authenticate(r, d, m, now);
	if (m->has_calltoken) {
		if (!call_token_check(&r->secret, from, m->calltoken,
				      strlen(m->calltoken)))
			return registrar_ask_for_token(r, d, m);
	} else if (!net_prefix_has(r->token_optional, r->token_optional_n,
				   from)) {
		r->n.token_bad++;
		if (rate_take(&r->no_token_log, &no_token_limit, now))
			registrar_event(r, OO_REG_EV_NO_TOKEN, m->username,
					from);
		return IAX2_E_LIMITED;
	}
	return challenge(r, d, m, now);
}

void registrar_plain_sweep(struct oo_registrar *r, mono_us now)
{
	for (size_t i = 0; i < oo_plains_count(r->plains) &&
			   oo_plains_registered(r->plains) > 0;
	     i++) {
		struct oo_plain *c = oo_plains_at(r->plains, i);

		if (!net_addr_is_set(&c->path.peer) || now < c->expires)
			continue;
		oo_plains_release(r->plains, c);
		registrar_event(r, OO_REG_EV_DOWN, c->name, NULL);
	}
}

enum iax2_err oo_registrar_plain_put(struct oo_registrar *r, const char *name,
				     const char *secret)
{
	const size_t len = strlen(secret);
	const struct oo_plain *c = oo_plains_find(r->plains, name);
	const bool was = c && net_addr_is_set(&c->path.peer);

	if (!oo_plain_name_is_valid(name) || len == 0 ||
	    len > OO_PLAIN_SECRET_MAX)
		return IAX2_E_RANGE;
	c = oo_plains_put(r->plains, name, secret);
	if (!c)
		return IAX2_E_FULL;
	/* What the old secret proved is over. */
	if (was && !net_addr_is_set(&c->path.peer))
		registrar_event(r, OO_REG_EV_DOWN, c->name, NULL);
	(void)oo_registrar_node_remove(r, name);
	return IAX2_OK;
}

enum iax2_err oo_registrar_plain_remove(struct oo_registrar *r,
					const char *name)
{
	struct oo_plain *c = oo_plains_find(r->plains, name);

	if (!c)
		return IAX2_E_STALE;
	if (net_addr_is_set(&c->path.peer))
		registrar_event(r, OO_REG_EV_DOWN, c->name, NULL);
	oo_plains_remove(r->plains, c);
	return IAX2_OK;
}
