/* SPDX-License-Identifier: MIT */

#include "proto/iax2_frame.h"

#include <assert.h>

#include "proto/wire.h"

#define FLAG_FULL 0x8000U       /* F bit, octets 0-1 */
#define FLAG_RETRANSMIT 0x8000U /* R bit, octets 2-3 */
#define FLAG_POW2 0x80U         /* C bit, octet 11 */
#define OCTET_STOP 0xffU
#define SUBCLASS_SHIFT_MAX 63U
#define SUBCLASS_PLAIN_MAX 127U

static bool subclass_expand(uint8_t octet, uint64_t *out)
{
	const uint8_t low = octet & (uint8_t)~FLAG_POW2;

	if (!(octet & FLAG_POW2)) {
		*out = low;
		return true;
	}
	if (octet == OCTET_STOP) {
		*out = IAX2_SUBCLASS_STOP;
		return true;
	}
	if (low > SUBCLASS_SHIFT_MAX)
		return false;
	*out = UINT64_C(1) << low;
	return true;
}

static bool subclass_compress(uint64_t subclass, uint8_t *out)
{
	uint8_t shift = 0;

	if (subclass <= SUBCLASS_PLAIN_MAX) {
		*out = (uint8_t)subclass;
		return true;
	}
	if (subclass == IAX2_SUBCLASS_STOP) {
		*out = OCTET_STOP;
		return true;
	}
	if (subclass & (subclass - 1))
		return false;
	while (!(subclass >> shift & 1))
		shift++;
	*out = (uint8_t)(FLAG_POW2 | shift);
	return true;
}

uint8_t iax2_subclass_octet(uint64_t subclass)
{
	uint8_t octet = 0;

	(void)subclass_compress(subclass, &octet);
	return octet;
}

enum iax2_err iax2_frame_kind(const uint8_t *pkt, size_t len,
			      enum iax2_kind *kind)
{
	struct wire_rd r = wire_rd(pkt, len);
	const uint16_t first = wire_rd_u16(&r);
	enum iax2_kind found;
	size_t need;

	if (first & FLAG_FULL) {
		found = IAX2_KIND_FULL;
		need = IAX2_FULL_HDR_LEN;
	} else {
		found = first == 0 ? IAX2_KIND_META : IAX2_KIND_MINI;
		need = IAX2_MINI_HDR_LEN;
	}
	if (r.bad || len < need)
		return IAX2_E_TRUNCATED;
	*kind = found;
	return IAX2_OK;
}

enum iax2_err iax2_full_decode(const uint8_t *pkt, size_t len,
			       struct iax2_full *out)
{
	struct wire_rd r = wire_rd(pkt, len);
	const uint16_t src = wire_rd_u16(&r);
	const uint16_t dst = wire_rd_u16(&r);
	struct iax2_full f = {
		.src_callno = src & IAX2_CALLNO_MAX,
		.dst_callno = dst & IAX2_CALLNO_MAX,
		.retransmit = (dst & FLAG_RETRANSMIT) != 0,
	};
	uint8_t octet;

	/* One statement per field: an initialiser list would leave the order of
	 * the reads unspecified. */
	f.ts_ms = wire_rd_u32(&r);
	f.oseq = wire_rd_u8(&r);
	f.iseq = wire_rd_u8(&r);
	f.type = wire_rd_u8(&r);
	octet = wire_rd_u8(&r);

	/* The cursor is sticky, so one test covers the whole fixed header. */
	if (r.bad)
		return IAX2_E_TRUNCATED;
	if (!(src & FLAG_FULL))
		return IAX2_E_NOT_FULL;
	if (!subclass_expand(octet, &f.subclass))
		return IAX2_E_BAD_SUBCLASS;

	f.body_len = wire_rd_left(&r);
	f.body = wire_rd_bytes(&r, f.body_len);
	*out = f;
	return IAX2_OK;
}

enum iax2_err iax2_full_encode(const struct iax2_full *in, uint8_t *buf,
			       size_t cap, size_t *len)
{
	struct wire_wr w = wire_wr(buf, cap);
	uint16_t dst = in->dst_callno;
	uint8_t octet;

	assert(in->body || in->body_len == 0);

	if (in->src_callno > IAX2_CALLNO_MAX || dst > IAX2_CALLNO_MAX)
		return IAX2_E_RANGE;
	if (!subclass_compress(in->subclass, &octet))
		return IAX2_E_BAD_SUBCLASS;
	if (in->retransmit)
		dst |= FLAG_RETRANSMIT;

	wire_wr_u16(&w, (uint16_t)(in->src_callno | FLAG_FULL));
	wire_wr_u16(&w, dst);
	wire_wr_u32(&w, in->ts_ms);
	wire_wr_u8(&w, in->oseq);
	wire_wr_u8(&w, in->iseq);
	wire_wr_u8(&w, in->type);
	wire_wr_u8(&w, octet);
	wire_wr_bytes(&w, in->body, in->body_len);
	if (w.bad)
		return IAX2_E_NO_SPACE;
	*len = (size_t)(w.p - buf);
	return IAX2_OK;
}

enum iax2_err iax2_mini_decode(const uint8_t *pkt, size_t len,
			       struct iax2_mini *out)
{
	struct wire_rd r = wire_rd(pkt, len);
	const uint16_t src = wire_rd_u16(&r);
	struct iax2_mini m = { .src_callno = src };

	m.ts_ms = wire_rd_u16(&r);
	if (r.bad)
		return IAX2_E_TRUNCATED;
	if (src == 0 || (src & FLAG_FULL))
		return IAX2_E_RANGE;
	m.len = wire_rd_left(&r);
	m.data = wire_rd_bytes(&r, m.len);
	*out = m;
	return IAX2_OK;
}

enum iax2_err iax2_mini_encode(const struct iax2_mini *in, uint8_t *buf,
			       size_t cap, size_t *len)
{
	struct wire_wr w = wire_wr(buf, cap);

	if (in->src_callno == 0 || in->src_callno > IAX2_CALLNO_MAX)
		return IAX2_E_RANGE;
	wire_wr_u16(&w, in->src_callno);
	wire_wr_u16(&w, in->ts_ms);
	wire_wr_bytes(&w, in->data, in->len);
	if (w.bad)
		return IAX2_E_NO_SPACE;
	*len = (size_t)(w.p - buf);
	return IAX2_OK;
}

#define META_COMMAND_TRUNK 1U
#define TRUNK_STAMPED 0x01U

enum iax2_err iax2_trunk_decode(const uint8_t *pkt, size_t len,
				struct iax2_trunk *out)
{
	struct wire_rd r = wire_rd(pkt, len);
	const uint16_t zero = wire_rd_u16(&r);
	const uint8_t command = wire_rd_u8(&r);
	const uint8_t data = wire_rd_u8(&r);
	const uint32_t ts = wire_rd_u32(&r);

	if (len >= IAX2_MINI_HDR_LEN &&
	    (zero != 0 || command != META_COMMAND_TRUNK))
		return IAX2_E_NOT_OURS;
	if (r.bad)
		return IAX2_E_TRUNCATED;
	*out = (struct iax2_trunk){
		.stamped = (data & TRUNK_STAMPED) != 0,
		.ts_ms = ts,
		.next = r.p,
		.left = wire_rd_left(&r),
	};
	return IAX2_OK;
}

enum iax2_err iax2_trunk_next(struct iax2_trunk *t, struct iax2_mini *out)
{
	struct wire_rd r = wire_rd(t->next, t->left);
	uint16_t first, second, callno, len, ts = 0;

	if (t->left == 0)
		return IAX2_E_NOT_OURS;
	t->left = 0;
	first = wire_rd_u16(&r);
	second = wire_rd_u16(&r);
	/* With a time stamp the length comes first. */
	len = t->stamped ? first : second;
	callno = t->stamped ? second : first;
	if (t->stamped)
		ts = wire_rd_u16(&r);
	if (r.bad || wire_rd_left(&r) < len)
		return IAX2_E_TRUNCATED;
	*out = (struct iax2_mini){
		.src_callno = callno & IAX2_CALLNO_MAX,
		.ts_ms = ts,
		.data = r.p,
		.len = len,
	};
	t->next = r.p + len;
	t->left = wire_rd_left(&r) - len;
	return IAX2_OK;
}
