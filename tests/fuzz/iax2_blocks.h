/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_IAX2_BLOCKS_H
#define TESTS_FUZZ_IAX2_BLOCKS_H

/*
 * Bodies of IAX2 frames out of a fuzzer's input: likely elements, or raw
 * octets.  An input that ends early makes shorter ones.
 */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/keys.h"
#include "proto/wire.h"

#define BODY_MAX 600U
#define SECRET "s"

/* What a peer was told, and uses rightly when the input wants that. */
struct hints {
	char token[16];
	char challenge[65];
};

static inline void put_raw(struct wire_wr *w, struct wire_rd *r)
{
	const uint8_t type = wire_rd_u8(r);
	const size_t want = wire_rd_u8(r) & 63, left = wire_rd_left(r);
	const size_t len = want < left ? want : left;
	const uint8_t *value = wire_rd_bytes(r, len);

	if (value)
		iax2_ie_put(w, type, value, len);
}

/* One element: likely ones, or anything. */
static inline void put_element(const struct hints *h, struct wire_wr *w,
			       struct wire_rd *r)
{
	const uint8_t op = wire_rd_u8(r);
	char md5[33];

	switch (op % 12) {
	case 0:
		iax2_ie_put_text(w, IAX2_IE_CALLED_NUMBER, "1");
		break;
	case 1:
		iax2_ie_put_text(w, IAX2_IE_CALLING_NUMBER, "2");
		break;
	case 2:
		iax2_ie_put_u32(w, IAX2_IE_FORMAT, 1U << op / 12);
		break;
	case 3:
		iax2_ie_put_u32(w, IAX2_IE_CAPABILITY, 0xffff);
		break;
	case 4:
		iax2_ie_put_text(w, IAX2_IE_CALLTOKEN, h->token);
		break;
	case 5:
		iax2_ie_put_u16(w, IAX2_IE_AUTHMETHODS, op / 12);
		break;
	case 6:
		iax2_ie_put_text(w, IAX2_IE_CHALLENGE, "1234567890");
		break;
	case 7:
		key_md5_response(h->challenge, SECRET, md5);
		iax2_ie_put_text(w, IAX2_IE_MD5_RESULT, md5);
		break;
	case 8:
		iax2_ie_put_text(w, IAX2_IE_CAUSE, "because");
		break;
	case 9:
		iax2_ie_put_u8(w, IAX2_IE_CAUSECODE, op);
		break;
	case 10:
		iax2_ie_put_text(w, IAX2_IE_CALLTOKEN, "");
		break;
	default:
		put_raw(w, r);
		break;
	}
}

static inline size_t make_body(const struct hints *h, uint8_t *body,
			       struct wire_rd *r)
{
	const uint8_t how = wire_rd_u8(r);
	struct wire_wr w = wire_wr(body, BODY_MAX);
	const uint8_t *raw;
	size_t len = how / 2;

	if (how % 2) {
		for (unsigned i = how / 2 % 8; i > 0; i--)
			put_element(h, &w, r);
		return w.bad ? 0 : (size_t)(w.p - body);
	}
	if (len > wire_rd_left(r))
		len = wire_rd_left(r);
	raw = wire_rd_bytes(r, len);
	if (raw && len > 0)
		memcpy(body, raw, len);
	return len;
}

/* Small steps off the right sequence number, most often none. */
static inline uint8_t near(uint8_t right, uint8_t how)
{
	static const int8_t off[8] = { 0, 0, 0, 0, 1, 2, -1, -3 };

	return (uint8_t)(right + off[how & 7]);
}

#endif
