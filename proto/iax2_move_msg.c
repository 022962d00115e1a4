/* SPDX-License-Identifier: MIT */

/*
 * MOVE on the wire (OPEN-OVER.md section 4.8).  A seal under a key of the call
 * keeps strangers out cheaply; the signatures are what a registrar, which
 * knows that key, cannot make.
 */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

/* An ASK is as long as the answer that it may draw to an address that proved
 * nothing; shorter ones are not answered. */
#define ASK_PAD 8U
#define ASK_LEN 61U
#define MOVE_LEN_MAX 192U

/* The key of what the caller (@caller) or the one it called sends. */
static void seal_key(const struct iax2_endpoint *ep, const struct call *c,
		     bool caller, uint8_t key[KEY_SHARED_LEN])
{
	const uint8_t *ours = ep->id.public_key;
	const uint8_t *theirs = c->ticket.peer_key;
	const struct key_part parts[] = {
		{ c->outbound ? ours : theirs, KEY_PUBLIC_LEN },
		{ c->outbound ? theirs : ours, KEY_PUBLIC_LEN },
	};

	key_derive(key, c->ticket.key,
		   caller ? "keyhole move caller" : "keyhole move target",
		   parts, 2);
}

static uint64_t move_id(const struct call *c)
{
	return key_derive_u64(c->ticket.key, "keyhole move id", NULL, 0);
}

/* What a signature is over: this move of this call, and who says it to whom.
 */
struct said {
	uint8_t octets[24];
	struct key_part parts[3];
};

static void say(const struct call *c, const struct move_msg *m,
		const uint8_t *from, const uint8_t *to, struct said *s)
{
	struct wire_wr w = wire_wr(s->octets, sizeof(s->octets));

	wire_wr_u64(&w, move_id(c));
	wire_wr_u64(&w, m->number);
	wire_wr_u64(&w, m->cookie);
	s->parts[0] = (struct key_part){ s->octets, sizeof(s->octets) };
	s->parts[1] = (struct key_part){ from, KEY_PUBLIC_LEN };
	s->parts[2] = (struct key_part){ to, KEY_PUBLIC_LEN };
}

static bool wants_signature(enum move_step step)
{
	return step == MOVE_COMMIT || step == MOVE_DONE;
}

static const char *label(enum move_step step)
{
	return step == MOVE_COMMIT ? "keyhole move" : "keyhole moved";
}

static void put_body(struct iax2_endpoint *ep, const struct call *c,
		     const struct move_msg *m, struct wire_wr *w)
{
	static const uint8_t zeros[ASK_PAD] = { 0 };
	uint8_t sig[KEY_SIGNATURE_LEN], v[16];
	struct wire_wr e = wire_wr(v, sizeof(v));
	struct said s;

	wire_wr_u64(&e, move_id(c));
	wire_wr_u64(&e, m->number);
	iax2_ie_put(w, IAX2_IE_KH_MOVE, v, sizeof(v));
	iax2_ie_put_u8(w, IAX2_IE_KH_STEP, (uint8_t)m->step);
	if (m->step == MOVE_ASK)
		iax2_ie_put(w, IAX2_IE_KH_PAD, zeros, sizeof(zeros));
	else
		iax2_ie_put_u64(w, IAX2_IE_KH_PATH, m->cookie);
	if (!wants_signature(m->step))
		return;
	say(c, m, ep->id.public_key, c->ticket.peer_key, &s);
	key_sign(&ep->id, label(m->step), s.parts, 3, sig);
	iax2_ie_put(w, IAX2_IE_ED25519_RESULT, sig, sizeof(sig));
}

void move_msg_send(struct iax2_endpoint *ep, const struct call *c,
		   const struct net_path *path, const struct move_msg *m,
		   mono_us now)
{
	const struct iax2_full hdr = {
		.src_callno = c->callno,
		.dst_callno = c->peer_callno,
		.ts_ms = (uint32_t)((now - c->began) / MONO_MS),
		.type = IAX2_FRAME_IAX,
		.subclass = IAX2_IAX_MOVE,
	};
	uint8_t buf[MOVE_LEN_MAX], key[KEY_SHARED_LEN];
	struct dgram d = { .path = *path, .data = buf };
	struct wire_wr w = wire_wr(buf, sizeof(buf));
	size_t len = 0;

	if (iax2_full_encode(&hdr, buf, sizeof(buf), &len) != IAX2_OK)
		return;
	w.p += len;
	put_body(ep, c, m, &w);
	seal_key(ep, c, c->outbound, key);
	seal_append(&w, buf, key);
	key_wipe(key, sizeof(key));
	d.len = (size_t)(w.p - buf);
	if (!w.bad)
		(void)dgram_queue_push(ep->tx, &d, false);
}

enum iax2_err move_msg_read(const struct iax2_endpoint *ep,
			    const struct call *c, const struct dgram *d,
			    const struct iax2_full *f, struct move_msg *out)
{
	uint8_t key[KEY_SHARED_LEN], v[16] = { 0 }, step = 0;
	struct wire_rd r = wire_rd(v, sizeof(v));
	bool sealed;

	if (!iax2_ie_octets(f->body, f->body_len, IAX2_IE_KH_MOVE, v,
			    sizeof(v)) ||
	    !iax2_ie_u8(f->body, f->body_len, IAX2_IE_KH_STEP, &step) ||
	    step < MOVE_ASK || step > MOVE_DONE)
		return IAX2_E_BAD_IE;
	if (wire_rd_u64(&r) != move_id(c))
		return IAX2_E_REFUSED;
	seal_key(ep, c, !c->outbound, key);
	sealed = seal_check(d->data, d->len, key);
	key_wipe(key, sizeof(key));
	if (!sealed)
		return IAX2_E_REFUSED;
	memset(out, 0, sizeof(*out));
	out->step = (enum move_step)step;
	out->number = wire_rd_u64(&r);
	if (step == MOVE_ASK && d->len < ASK_LEN)
		return IAX2_E_BAD_IE;
	if (step != MOVE_ASK &&
	    !iax2_ie_u64(f->body, f->body_len, IAX2_IE_KH_PATH, &out->cookie))
		return IAX2_E_BAD_IE;
	if (wants_signature(out->step) &&
	    !iax2_ie_octets(f->body, f->body_len, IAX2_IE_ED25519_RESULT,
			    out->signature, sizeof(out->signature)))
		return IAX2_E_BAD_IE;
	return IAX2_OK;
}

bool move_msg_is_signed(const struct iax2_endpoint *ep, const struct call *c,
			const struct move_msg *m)
{
	struct said s;

	say(c, m, c->ticket.peer_key, ep->id.public_key, &s);
	return key_verify(c->ticket.peer_key, label(m->step), s.parts, 3,
			  m->signature);
}
