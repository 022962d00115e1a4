/* SPDX-License-Identifier: MIT */

/* The exchanges of a registration, and the good-bye: what is said and what the
 * answers mean (RFC 5456 section 6.1, OPEN-OVER.md section 4.2). */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_reg_priv.h"

#define FIRST_RETRY_US (250 * MONO_MS)

static void send_plain(struct oo_reg *g, const uint8_t *frame,
		       const struct wire_wr *w, enum oo_family family)
{
	const struct dgram d = {
		.path.peer = g->hole[family].registrar,
		.data = frame,
		.len = (size_t)(w->p - frame),
	};

	if (!w->bad)
		dgram_queue_push(g->cfg.tx, &d, false);
}

void oo_reg_send(struct oo_reg *g, const uint8_t *frame, struct wire_wr *w,
		 enum oo_family family)
{
	seal_append(w, frame, g->session.tx_key);
	send_plain(g, frame, w, family);
}

/* --- asking ------------------------------------------------------------- */

static struct oo_transcript own_transcript(const struct oo_reg *g)
{
	return (struct oo_transcript){
		.number = g->cfg.number,
		.challenge = g->challenge,
		.node_key = g->cfg.identity->public_key,
		.registrar_key = g->cfg.registrar_key,
		.node_hello = g->hello,
		.registrar_hello = g->registrar_hello,
	};
}

void reg_send_regreq(struct oo_reg *g, mono_us now)
{
	const bool answering = g->state == OO_REG_ACK;
	const struct iax2_full hdr = {
		.src_callno = g->callno,
		.dst_callno = answering ? IAX2_CALLNO_OUTSIDE : 0,
		.retransmit = g->tries > 0,
		.ts_ms = reg_stamp(g, now),
		.oseq = answering,
		.iseq = answering,
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_REGREQ, &hdr);

	iax2_ie_put_text(&w, IAX2_IE_USERNAME, g->cfg.number);
	iax2_ie_put_u16(&w, IAX2_IE_REFRESH,
			(uint16_t)(g->cfg.keepalive / MONO_S));
	reg_put_interval(g, &w);
	if (g->state != OO_REG_TOKEN)
		oo_put_hello(&w, g->hello);
	if (answering) {
		const struct oo_transcript t = own_transcript(g);
		uint8_t sig[KEY_SIGNATURE_LEN];

		oo_transcript_sign(&t, OO_ROLE_NODE, g->cfg.identity, sig);
		iax2_ie_put(&w, IAX2_IE_ED25519_RESULT, sig, sizeof(sig));
	}
	iax2_ie_put_text(&w, IAX2_IE_CALLTOKEN, g->token);
	if (g->state == OO_REG_TOKEN)
		oo_put_pad(&w, buf, OO_REGREQ_MIN, false);
	send_plain(g, buf, &w, g->family);
	g->due = now + (FIRST_RETRY_US << g->tries);
	g->tries++;
}

static void enter(struct oo_reg *g, enum oo_reg_state state, mono_us now)
{
	g->state = state;
	g->tries = 0;
	reg_send_regreq(g, now);
}

void reg_begin(struct oo_reg *g, mono_us now)
{
	uint8_t b[1];

	if (g->other_family_next)
		reg_other_family(g);
	g->other_family_next = false;
	g->cfg.random(g->cfg.random_ctx, b, sizeof(b));
	g->callno = (uint16_t)(IAX2_CALLNO_REG_MIN | b[0]);
	g->cfg.random(g->cfg.random_ctx, g->secret, sizeof(g->secret));
	key_agree_pair(g->hello, g->secret);
	g->token[0] = '\0';
	g->forged = false;
	enter(g, OO_REG_TOKEN, now);
}

void reg_send_regrel(struct oo_reg *g, mono_us now)
{
	const struct iax2_full hdr = {
		.src_callno = g->callno,
		.ts_ms = reg_stamp(g, now),
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_REGREL, &hdr);

	oo_session_put(&g->session, &w);
	iax2_ie_put_text(&w, IAX2_IE_USERNAME, g->cfg.number);
	oo_reg_send(g, buf, &w, g->family);
	g->due = now + (FIRST_RETRY_US << g->tries);
	g->tries++;
}

/* --- answers ------------------------------------------------------------ */

static bool is_registering(const struct oo_reg *g)
{
	return g->state == OO_REG_TOKEN || g->state == OO_REG_AUTH ||
	       g->state == OO_REG_ACK;
}

bool oo_reg_owns(const struct oo_reg *g, const struct dgram *d,
		 const struct oo_msg *m)
{
	return (is_registering(g) || g->state == OO_REG_RELEASING) &&
	       m->hdr.dst_callno == g->callno &&
	       net_addr_equal(&d->path.peer, &g->hole[g->family].registrar);
}

static unsigned on_calltoken(struct oo_reg *g, const struct oo_msg *m,
			     mono_us now)
{
	if (g->state != OO_REG_TOKEN || !m->has_calltoken)
		return 0;
	memcpy(g->token, m->calltoken, sizeof(g->token));
	enter(g, OO_REG_AUTH, now);
	return 0;
}

static unsigned on_regauth(struct oo_reg *g, const struct oo_msg *m,
			   mono_us now)
{
	struct oo_transcript t;

	if (g->state != OO_REG_AUTH || !m->has_challenge || !m->has_hello ||
	    !m->has_signature)
		return 0;
	memcpy(g->challenge, m->challenge, sizeof(g->challenge));
	memcpy(g->registrar_hello, m->hello, KEY_PUBLIC_LEN);
	t = own_transcript(g);
	if (!oo_transcript_verify(&t, OO_ROLE_REGISTRAR, m->signature) ||
	    !oo_session_agree(&g->next, &t, OO_ROLE_NODE, g->secret)) {
		/* Somebody else's word: wait for the registrar's own. */
		g->forged = true;
		g->trouble = OO_TROUBLE_FORGED;
		return OO_CHANGE_TROUBLE;
	}
	enter(g, OO_REG_ACK, now);
	return 0;
}

static unsigned on_regack(struct oo_reg *g, const struct dgram *d,
			  const struct oo_msg *m, mono_us now)
{
	const enum oo_family other = g->family == OO_V4 ? OO_V6 : OO_V4;
	const mono_us refresh = MONO_S * (m->refresh_s ? m->refresh_s : 60);
	struct oo_hole *h = &g->hole[g->family];
	unsigned change = OO_CHANGE_UP;

	if (g->state != OO_REG_ACK || !m->has_session || !m->has_apparent ||
	    m->session != g->next.id ||
	    !oo_session_check(&g->next, d->data, d->len, m->counter))
		return 0;
	if (oo_reg_is_up(g))
		change = 0; /* a refresh */
	memset(&g->ends, 0, sizeof(g->ends));
	if (m->has_ends)
		g->ends = m->ends;
	g->lost = false;
	g->session = g->next;
	key_wipe(&g->next, sizeof(g->next));
	key_wipe(g->secret, sizeof(g->secret));
	g->state = OO_REG_UP;
	g->trouble = OO_TROUBLE_NONE;
	g->failures = 0;
	g->due = MONO_NEVER;
	g->refresh_at = now + reg_spread(g, refresh * 8 / 10, refresh * 9 / 10);
	change |= reg_note_apparent(h, &m->apparent);
	h->last_ok = now;
	h->missed = 0;
	h->path = 0;
	/* The first PING at once: it measures the round trip. */
	h->next = now;
	g->hole[other].next = now;
	return change;
}

static unsigned on_regrej(struct oo_reg *g, const struct oo_msg *m, mono_us now)
{
	const struct oo_transcript t = own_transcript(g);

	if (g->state != OO_REG_ACK || !m->has_signature ||
	    !oo_transcript_verify(&t, OO_ROLE_REFUSAL, m->signature))
		return 0;
	return reg_give_up(g, OO_TROUBLE_REFUSED, now);
}

unsigned oo_reg_rx(struct oo_reg *g, const struct dgram *d,
		   const struct oo_msg *m, mono_us now)
{
	switch (m->hdr.subclass) {
	case IAX2_IAX_CALLTOKEN:
		return on_calltoken(g, m, now);
	case IAX2_IAX_REGAUTH:
		return on_regauth(g, m, now);
	case IAX2_IAX_REGREJ:
		return on_regrej(g, m, now);
	case IAX2_IAX_REGACK:
		if (g->state == OO_REG_RELEASING && m->has_session &&
		    m->session == g->session.id &&
		    oo_session_check(&g->session, d->data, d->len, m->counter))
			return reg_released(g);
		return on_regack(g, d, m, now);
	default:
		return 0;
	}
}
