/* SPDX-License-Identifier: MIT */

#include "proto/openover_relay_frame.h"

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_msg.h"

#define PIECE_MAX 255U /* octets of one element */

static bool add_piece(struct oo_relay_frame *f, const struct iax2_ie_view *v)
{
	if (f->len + v->len > sizeof(f->data))
		return false;
	if (v->len > 0)
		memcpy(f->data + f->len, v->value, v->len);
	f->len += v->len;
	return true;
}

static bool take(struct oo_relay_frame *f, const struct iax2_ie_view *v)
{
	switch (v->type) {
	case IAX2_IE_KH_LIFETIME:
		f->lifetime_s = (uint16_t)(v->value[0] << 8 | v->value[1]);
		return f->has_lifetime = true;
	case IAX2_IE_KH_RELAYED:
		return f->has_peer = net_addr_get(v->value, v->len, &f->peer) &&
				     net_addr_is_set(&f->peer);
	case IAX2_IE_KH_DATA:
		return add_piece(f, v);
	default:
		return true;
	}
}

bool oo_relay_frame_read(const uint8_t *body, size_t len,
			 struct oo_relay_frame *out)
{
	struct wire_rd r = wire_rd(body, len);
	struct iax2_ie_view v;

	out->has_lifetime = false;
	out->has_peer = false;
	out->len = 0;
	while (iax2_ie_next(&r, &v)) {
		if (!take(out, &v))
			return false;
	}
	return out->has_lifetime != out->has_peer &&
	       out->has_peer == (out->len > 0);
}

size_t oo_relay_frame_wrap(struct oo_session *s, const struct net_addr *peer,
			   const uint8_t *data, size_t len,
			   uint8_t buf[DGRAM_MAX])
{
	static const struct iax2_full hdr = { .src_callno =
						      IAX2_CALLNO_OUTSIDE };
	struct wire_wr w;

	if (len == 0 || len > OO_RELAY_INNER_MAX)
		return 0;
	w = oo_frame_begin(buf, OO_RELAY, &hdr);
	w.end = buf + DGRAM_MAX;
	oo_session_put(s, &w);
	oo_put_addr(&w, IAX2_IE_KH_RELAYED, peer);
	while (len > 0) {
		const size_t piece = len < PIECE_MAX ? len : PIECE_MAX;

		iax2_ie_put(&w, IAX2_IE_KH_DATA, data, piece);
		data += piece;
		len -= piece;
	}
	seal_append(&w, buf, s->tx_key);
	return w.bad ? 0 : (size_t)(w.p - buf);
}
