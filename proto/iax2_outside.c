/* SPDX-License-Identifier: MIT */

/*
 * Frames of no call: answered without keeping anything, and never with more
 * octets than came (RFC 5456 sections 6.7.1, 6.9.2, 6.9.6).
 */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define CAUSECODE_FACILITY_REJECTED 29U

static bool seal(uint8_t *frame, size_t cap, size_t *len, const uint8_t *key)
{
	struct wire_wr w = wire_wr(frame + *len, cap - *len);

	seal_append(&w, frame, key);
	*len = (size_t)(w.p - frame);
	return !w.bad;
}

void endpoint_stateless_sealed(struct iax2_endpoint *ep, const struct dgram *to,
			       const struct iax2_full *f, const void *body,
			       size_t body_len, const uint8_t *key)
{
	uint8_t buf[128];
	struct iax2_full out = *f;
	struct dgram d = { .path = to->path, .data = buf };

	out.body = body;
	out.body_len = body_len;
	/* Whoever has not proved its address gets no more than it sent. */
	if (iax2_full_encode(&out, buf, sizeof(buf), &d.len) != IAX2_OK ||
	    (key && !seal(buf, sizeof(buf), &d.len, key)) || d.len > to->len) {
		ep->n.limited++;
		return;
	}
	(void)dgram_queue_push(ep->tx, &d, false);
}

void endpoint_stateless(struct iax2_endpoint *ep, const struct dgram *to,
			const struct iax2_full *f, const void *body,
			size_t body_len)
{
	endpoint_stateless_sealed(ep, to, f, body, body_len, NULL);
}

struct iax2_full endpoint_answer_to(const struct iax2_full *f,
				    enum iax2_iax subclass)
{
	return (struct iax2_full){
		.src_callno = IAX2_CALLNO_OUTSIDE,
		.dst_callno = f->src_callno,
		.ts_ms = f->ts_ms,
		.iseq = (uint8_t)(f->oseq + 1),
		.type = IAX2_FRAME_IAX,
		.subclass = subclass,
	};
}

static bool has_our_elements(const struct iax2_full *f)
{
	struct wire_rd r = wire_rd(f->body, f->body_len);
	struct iax2_ie_view v;

	while (iax2_ie_next(&r, &v)) {
		if (v.type >= IAX2_IE_KH_SESSION && v.type <= IAX2_IE_KH_DELAY)
			return true;
	}
	return false;
}

static enum iax2_err on_poke(struct iax2_endpoint *ep, const struct dgram *d,
			     const struct iax2_full *f)
{
	const struct iax2_full pong = endpoint_answer_to(f, IAX2_IAX_PONG);

	/* With elements of ours it belongs to OPEN/OVER. */
	if (has_our_elements(f))
		return IAX2_E_NOT_OURS;
	endpoint_stateless(ep, d, &pong, NULL, 0);
	return IAX2_OK;
}

/* We are no registrar (RFC 5456 6.1.6). */
static enum iax2_err on_registration(struct iax2_endpoint *ep,
				     const struct dgram *d,
				     const struct iax2_full *f)
{
	const struct iax2_full rej = endpoint_answer_to(f, IAX2_IAX_REGREJ);
	static const char cause[] = "No registrar";
	uint8_t body[32];
	struct wire_wr w = wire_wr(body, sizeof(body));

	ep->n.unsupported++;
	iax2_ie_put_u8(&w, IAX2_IE_CAUSECODE, CAUSECODE_FACILITY_REJECTED);
	if (IAX2_FULL_HDR_LEN + 5 + strlen(cause) <= d->len)
		iax2_ie_put_text(&w, IAX2_IE_CAUSE, cause);
	endpoint_stateless(ep, d, &rej, body, (size_t)(w.p - body));
	return IAX2_E_REFUSED;
}

static enum iax2_err on_unsupported(struct iax2_endpoint *ep,
				    const struct dgram *d,
				    const struct iax2_full *f)
{
	const struct iax2_full out = endpoint_answer_to(f, IAX2_IAX_UNSUPPORT);
	uint8_t body[3];
	struct wire_wr w = wire_wr(body, sizeof(body));

	ep->n.unsupported++;
	iax2_ie_put_u8(&w, IAX2_IE_IAX_UNKNOWN,
		       iax2_subclass_octet(f->subclass));
	endpoint_stateless(ep, d, &out, body, sizeof(body));
	return IAX2_E_REFUSED;
}

/* What answers a frame that had no place in the sequence: to answer it might
 * go on for ever. */
static bool may_be_invalid(const struct iax2_full *f)
{
	return f->type != IAX2_FRAME_IAX ||
	       (f->subclass != IAX2_IAX_INVAL && f->subclass != IAX2_IAX_ACK &&
		f->subclass != IAX2_IAX_VNAK &&
		f->subclass != IAX2_IAX_CALLTOKEN);
}

/* For a call that is not ours: INVAL (RFC 5456 6.9.2). */
static enum iax2_err on_unknown_call(struct iax2_endpoint *ep,
				     const struct dgram *d,
				     const struct iax2_full *f)
{
	struct iax2_full inval = endpoint_answer_to(f, IAX2_IAX_INVAL);

	ep->n.unknown_call++;
	inval.src_callno = f->dst_callno;
	inval.oseq = f->iseq;
	inval.iseq = f->oseq;
	if (may_be_invalid(f) && f->dst_callno != 0)
		endpoint_stateless(ep, d, &inval, NULL, 0);
	return IAX2_E_STALE;
}

enum iax2_err endpoint_outside(struct iax2_endpoint *ep, const struct dgram *d,
			       const struct iax2_full *f)
{
	if (f->type != IAX2_FRAME_IAX || f->dst_callno != 0 ||
	    f->src_callno == 0)
		return on_unknown_call(ep, d, f);
	switch (f->subclass) {
	case IAX2_IAX_POKE:
		return on_poke(ep, d, f);
	case IAX2_IAX_REGREQ:
	case IAX2_IAX_REGREL:
		return on_registration(ep, d, f);
	default:
		/* What may open an exchange, and we do not have; the rest is
		 * of calls that are not. */
		if (f->subclass > IAX2_IAX_CALLTOKEN ||
		    f->subclass == IAX2_IAX_DPREQ ||
		    f->subclass == IAX2_IAX_DIAL ||
		    (f->subclass >= IAX2_IAX_MWI &&
		     f->subclass <= IAX2_IAX_FWDATA &&
		     f->subclass != IAX2_IAX_UNSUPPORT))
			return on_unsupported(ep, d, f);
		return on_unknown_call(ep, d, f);
	}
}
