/* SPDX-License-Identifier: MIT */

/*
 * Registration at the registrar (RFC 5456 section 6.1, OPEN-OVER.md
 * section 4), without state until the node has proved its key: the call
 * token, the challenge and our ephemeral key are all computed again from what
 * the node sends and a secret that lives at most a minute.
 */

#include "proto/openover_registrar_priv.h"

#include <string.h>

#include "proto/iax2_ie.h"

#define AUTH_ED25519 0x08U
#define CAUSECODE_REGISTRATION_REFUSED 29U

/* What one secret makes of one REGREQ. */
struct exchange {
	uint8_t secret[KEY_SHARED_LEN]; /* our ephemeral X25519 secret */
	uint8_t hello[KEY_PUBLIC_LEN];
	char challenge[33];
};

/*
 * The node's present session goes into the challenge, so that an exchange is
 * void once a later one has succeeded, however soon it is repeated.
 */
static void exchange_for(struct exchange *x,
			 const uint8_t secret[KEY_SHARED_LEN],
			 const struct net_addr *from, const struct oo_msg *m,
			 uint64_t session)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t addr[18], c[KEY_SHARED_LEN];
	const size_t n = net_addr_put(addr, from);
	const struct key_part parts[] = {
		{ addr, n },
		{ m->username, strlen(m->username) },
		{ m->hello, KEY_PUBLIC_LEN },
		{ &session, sizeof(session) },
	};

	key_derive(x->secret, secret, "keyhole ephemeral", parts, 4);
	key_agree_pair(x->hello, x->secret);
	key_derive(c, secret, "keyhole challenge", parts, 4);
	for (size_t i = 0; i < 16; i++) {
		x->challenge[2 * i] = hex[c[i] >> 4];
		x->challenge[2 * i + 1] = hex[c[i] & 15];
	}
	x->challenge[32] = '\0';
}

static struct oo_transcript transcript(const struct oo_registrar *r,
				       const struct exchange *x,
				       const struct oo_msg *m,
				       const uint8_t *node_key)
{
	return (struct oo_transcript){
		.number = m->username,
		.challenge = x->challenge,
		.node_key = node_key,
		.registrar_key = r->id.public_key,
		.node_hello = m->hello,
		.registrar_hello = x->hello,
	};
}

struct iax2_full registrar_answer(const struct oo_msg *m)
{
	return (struct iax2_full){
		.src_callno = IAX2_CALLNO_OUTSIDE,
		.dst_callno = m->hdr.src_callno,
		.ts_ms = m->hdr.ts_ms,
		.oseq = m->hdr.iseq,
		.iseq = (uint8_t)(m->hdr.oseq + 1),
	};
}

enum iax2_err registrar_ask_for_token(struct oo_registrar *r,
				      const struct dgram *d,
				      const struct oo_msg *m)
{
	const struct iax2_full hdr = registrar_answer(m);
	char token[CALL_TOKEN_LEN + 1];
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w;

	r->n.token_bad++;
	/* Who knows of no tokens gets nothing; the others no more than they
	 * sent, and as often as they like: a limit by an address that anybody
	 * can write would shut out whoever lives there. */
	if (!m->has_calltoken) {
		r->n.limited++;
		return IAX2_E_LIMITED;
	}
	call_token_make(&r->secret, &d->path.peer, token);
	w = oo_frame_begin(buf, IAX2_IAX_CALLTOKEN, &hdr);
	iax2_ie_put_text(&w, IAX2_IE_CALLTOKEN, token);
	if ((size_t)(w.p - buf) > d->len)
		return IAX2_E_LIMITED;
	registrar_send(r, &d->path, buf, &w);
	return IAX2_OK;
}

/* A number that nobody has gets a challenge too: who asks learns nothing. */
static enum iax2_err challenge(struct oo_registrar *r, const struct dgram *d,
			       const struct oo_msg *m, const uint8_t *secret)
{
	const struct oo_record *rec =
		oo_directory_by_number(r->dir, m->username);
	const struct iax2_full hdr = registrar_answer(m);
	uint8_t sig[KEY_SIGNATURE_LEN], buf[OO_FRAME_MAX];
	struct oo_transcript t;
	struct exchange x;
	struct wire_wr w;

	exchange_for(&x, secret, &d->path.peer, m, rec ? rec->session.id : 0);
	t = transcript(r, &x, m, NULL);
	oo_transcript_sign(&t, OO_ROLE_REGISTRAR, &r->id, sig);
	w = oo_frame_begin(buf, IAX2_IAX_REGAUTH, &hdr);
	iax2_ie_put_u16(&w, IAX2_IE_AUTHMETHODS, AUTH_ED25519);
	iax2_ie_put_text(&w, IAX2_IE_CHALLENGE, x.challenge);
	iax2_ie_put_text(&w, IAX2_IE_USERNAME, m->username);
	oo_put_hello(&w, x.hello);
	iax2_ie_put(&w, IAX2_IE_KH_SIGNATURE, sig, sizeof(sig));
	registrar_send(r, &d->path, buf, &w);
	key_wipe(&x, sizeof(x));
	return IAX2_OK;
}

static void acknowledge(struct oo_registrar *r, const struct dgram *d,
			const struct oo_msg *m, struct oo_record *rec)
{
	const struct iax2_full hdr = registrar_answer(m);
	uint8_t buf[OO_FRAME_MAX], addr[28];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_REGACK, &hdr);

	iax2_ie_put_text(&w, IAX2_IE_USERNAME, rec->number);
	iax2_ie_put_u16(&w, IAX2_IE_REFRESH, r->refresh_s);
	iax2_ie_put(&w, IAX2_IE_APPARENT_ADDR, addr,
		    net_addr_put_sockaddr(addr, &d->path.peer));
	if (r->measure.told.port != 0)
		oo_put_ends(&w, &r->measure.told);
	oo_session_put(&rec->session, &w);
	seal_append(&w, buf, rec->session.tx_key);
	registrar_send(r, &d->path, buf, &w);
}

struct wire_wr registrar_rejection(uint8_t buf[OO_FRAME_MAX],
				   const struct iax2_full *hdr)
{
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_REGREJ, hdr);

	iax2_ie_put_text(&w, IAX2_IE_CAUSE, "Registration Refused");
	iax2_ie_put_u8(&w, IAX2_IE_CAUSECODE, CAUSECODE_REGISTRATION_REFUSED);
	return w;
}

static enum iax2_err refuse(struct oo_registrar *r, const struct dgram *d,
			    const struct oo_msg *m, const struct exchange *x)
{
	const struct oo_transcript t = transcript(r, x, m, NULL);
	const struct iax2_full hdr = registrar_answer(m);
	uint8_t sig[KEY_SIGNATURE_LEN], buf[OO_FRAME_MAX];
	struct wire_wr w = registrar_rejection(buf, &hdr);

	r->n.refused++;
	registrar_event(r, OO_REG_EV_REFUSED, m->username, &d->path.peer);
	oo_transcript_sign(&t, OO_ROLE_REFUSAL, &r->id, sig);
	iax2_ie_put(&w, IAX2_IE_KH_SIGNATURE, sig, sizeof(sig));
	registrar_send(r, &d->path, buf, &w);
	return IAX2_E_REFUSED;
}

/* A REGREQ with a good token and a signature. */
struct attempt {
	const struct dgram *d;
	const struct oo_msg *m;
	const uint8_t *secret; /* that made the token */
};

/* True when the node's signature fits the exchange that was begun while its
 * session was @parent; *@s is the session that follows. */
static bool proves(const struct oo_registrar *r, const struct attempt *a,
		   const struct oo_record *rec, uint64_t parent,
		   struct oo_session *s)
{
	struct exchange x;
	struct oo_transcript t;
	bool good;

	exchange_for(&x, a->secret, &a->d->path.peer, a->m, parent);
	t = transcript(r, &x, a->m, rec->key);
	good = oo_transcript_verify(&t, OO_ROLE_NODE, a->m->result) &&
	       oo_session_agree(s, &t, OO_ROLE_REGISTRAR, x.secret);
	key_wipe(&x, sizeof(x));
	return good;
}

static enum iax2_err authenticate(struct oo_registrar *r, const struct dgram *d,
				  const struct oo_msg *m, const uint8_t *secret,
				  mono_us now)
{
	const struct attempt a = { d, m, secret };
	struct oo_record *rec = oo_directory_by_number(r->dir, m->username);
	struct oo_session s;
	struct exchange x;
	enum iax2_err err = IAX2_OK;

	if (rec && proves(r, &a, rec, rec->session.id, &s)) {
		registrar_relay_keep(r, rec, now);
		oo_directory_begin(r->dir, rec, &s);
		oo_directory_move(r->dir, rec, &d->path, now);
		oo_directory_set_interval(r->dir, rec, m->interval_s);
		r->n.registered++;
		registrar_event(r, OO_REG_EV_UP, rec->number, &d->path.peer);
		acknowledge(r, d, m, rec);
	} else if (rec && rec->session.id != 0 &&
		   proves(r, &a, rec, rec->parent, &s) &&
		   s.id == rec->session.id) {
		/* Said again because our REGACK was lost. */
		acknowledge(r, d, m, rec);
	} else {
		exchange_for(&x, secret, &d->path.peer, m,
			     rec ? rec->session.id : 0);
		err = refuse(r, d, m, &x);
		key_wipe(&x, sizeof(x));
	}
	key_wipe(&s, sizeof(s));
	return err;
}

enum iax2_err registrar_on_regreq(struct oo_registrar *r, const struct dgram *d,
				  const struct oo_msg *m, mono_us now)
{
	const uint8_t *secret = NULL;

	if (!m->has_username || m->username[0] == '\0') {
		r->n.malformed++;
		return IAX2_E_BAD_IE;
	}
	if (!m->has_hello)
		return registrar_on_plain(r, d, m, now);
	if (m->has_calltoken)
		secret = call_token_check(&r->secret, &d->path.peer,
					  m->calltoken, strlen(m->calltoken));
	if (!secret)
		return registrar_ask_for_token(r, d, m);
	if (m->hello_version != OO_VERSION) {
		r->n.not_ours++;
		return IAX2_E_NOT_OURS;
	}
	/* Nodes behind one address do not eat each other's share. */
	if (!rate_table_take_for(r->registrations, &d->path.peer, m->username,
				 now)) {
		r->n.limited++;
		return IAX2_E_LIMITED;
	}
	if (!m->has_result)
		return challenge(r, d, m, secret);
	return authenticate(r, d, m, secret, now);
}
