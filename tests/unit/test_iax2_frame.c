/* SPDX-License-Identifier: MIT */

#include "proto/iax2_frame.h"

#include <string.h>

#include "tests/t.h"

/* A REGREQ as it crosses the wire: F|src=0x1234, R|dst=0, ts=3 ms, IAX/13,
 * then one USERNAME element "2000".  Written by hand from RFC 5456 8.1.1. */
static const uint8_t regreq[] = {
	0x92, 0x34, 0x80, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00,
	0x00, 0x06, 0x0d, 0x06, 0x04, '2',  '0',  '0',  '0',
};

static void decodes_every_field_of_a_known_packet(void)
{
	struct iax2_full f;

	T_EQ(IAX2_OK, iax2_full_decode(regreq, sizeof(regreq), &f));
	T_EQ(0x1234, f.src_callno);
	T_EQ(0, f.dst_callno);
	T_TRUE(f.retransmit);
	T_EQ(3, f.ts_ms);
	T_EQ(IAX2_FRAME_IAX, f.type);
	T_EQ(13, f.subclass);
	T_EQ(6, f.body_len);
	T_TRUE(f.body == regreq + IAX2_FULL_HDR_LEN);
}

static void every_truncation_fails_and_leaves_the_output_alone(void)
{
	struct iax2_full f = { .ts_ms = 0xa5a5a5a5, .subclass = 0xa5 };

	for (size_t len = 0; len < IAX2_FULL_HDR_LEN; len++) {
		uint8_t *cut = t_dup(regreq, len);

		T_EQ(IAX2_E_TRUNCATED, iax2_full_decode(cut, len, &f));
		free(cut);
	}
	T_EQ(0xa5a5a5a5, f.ts_ms);
	T_EQ(0xa5, f.subclass);
}

static void encode_is_the_inverse_of_decode(void)
{
	uint8_t buf[sizeof(regreq)];
	struct iax2_full f;
	size_t len = 0;

	T_EQ(IAX2_OK, iax2_full_decode(regreq, sizeof(regreq), &f));
	T_EQ(IAX2_OK, iax2_full_encode(&f, buf, sizeof(buf), &len));
	T_EQ(sizeof(regreq), len);
	T_EQ(0, memcmp(regreq, buf, len));
	T_EQ(IAX2_E_NO_SPACE, iax2_full_encode(&f, buf, len - 1, &len));
}

static void all_256_subclass_octets_round_trip_or_are_refused(void)
{
	uint8_t pkt[IAX2_FULL_HDR_LEN], back[IAX2_FULL_HDR_LEN];

	memcpy(pkt, regreq, sizeof(pkt));
	for (unsigned octet = 0; octet < 256; octet++) {
		struct iax2_full f, again;
		size_t len = 0;

		pkt[11] = (uint8_t)octet;
		if (octet > (0x80U | 63U) && octet != 0xff) {
			T_EQ(IAX2_E_BAD_SUBCLASS,
			     iax2_full_decode(pkt, sizeof(pkt), &f));
			continue;
		}
		T_EQ(IAX2_OK, iax2_full_decode(pkt, sizeof(pkt), &f));
		T_EQ(IAX2_OK, iax2_full_encode(&f, back, sizeof(back), &len));
		T_EQ(IAX2_OK, iax2_full_decode(back, len, &again));
		/* 0x80|0..6 shrink to the plain form: compare values, not
		 * octets. */
		T_EQ(f.subclass, again.subclass);
	}
}

/* Call number 5, time stamp 0xfff0, three octets. */
static const uint8_t mini[] = { 0x00, 0x05, 0xff, 0xf0, 'a', 'b', 'c' };

static void a_mini_frame_is_read_and_written(void)
{
	uint8_t buf[sizeof(mini)];
	struct iax2_mini m;
	size_t len = 0;

	T_EQ(IAX2_OK, iax2_mini_decode(mini, sizeof(mini), &m));
	T_EQ(5, m.src_callno);
	T_EQ(0xfff0, m.ts_ms);
	T_EQ(3, m.len);
	T_TRUE(m.data == mini + IAX2_MINI_HDR_LEN);
	T_EQ(IAX2_OK, iax2_mini_encode(&m, buf, sizeof(buf), &len));
	T_EQ(sizeof(mini), len);
	T_EQ(0, memcmp(mini, buf, len));
	T_EQ(IAX2_E_NO_SPACE, iax2_mini_encode(&m, buf, len - 1, &len));
	m.src_callno = 0;
	T_EQ(IAX2_E_RANGE, iax2_mini_encode(&m, buf, sizeof(buf), &len));
	m.src_callno = 0x8000;
	T_EQ(IAX2_E_RANGE, iax2_mini_encode(&m, buf, sizeof(buf), &len));
}

static void what_is_no_mini_frame_is_refused(void)
{
	static const uint8_t meta[] = { 0, 0, 1, 1, 0 };
	struct iax2_mini m = { .ts_ms = 0xa5a5 };
	enum iax2_kind kind;

	for (size_t n = 0; n < IAX2_MINI_HDR_LEN; n++) {
		uint8_t *cut = t_dup(mini, n);

		T_EQ(IAX2_E_TRUNCATED, iax2_mini_decode(cut, n, &m));
		T_EQ(IAX2_E_TRUNCATED, iax2_frame_kind(cut, n, &kind));
		free(cut);
	}
	T_EQ(IAX2_E_RANGE, iax2_mini_decode(regreq, sizeof(regreq), &m));
	T_EQ(IAX2_E_RANGE, iax2_mini_decode(meta, sizeof(meta), &m));
	T_EQ(0xa5a5, m.ts_ms);
	T_EQ(IAX2_OK, iax2_frame_kind(mini, sizeof(mini), &kind));
	T_EQ(IAX2_KIND_MINI, kind);
	T_EQ(IAX2_OK, iax2_frame_kind(meta, sizeof(meta), &kind));
	T_EQ(IAX2_KIND_META, kind);
	T_EQ(IAX2_OK, iax2_frame_kind(regreq, sizeof(regreq), &kind));
	T_EQ(IAX2_KIND_FULL, kind);
}

int main(void)
{
	T_RUN(decodes_every_field_of_a_known_packet);
	T_RUN(every_truncation_fails_and_leaves_the_output_alone);
	T_RUN(encode_is_the_inverse_of_decode);
	T_RUN(all_256_subclass_octets_round_trip_or_are_refused);
	T_RUN(a_mini_frame_is_read_and_written);
	T_RUN(what_is_no_mini_frame_is_refused);
	return T_DONE();
}
