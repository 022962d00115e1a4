/* SPDX-License-Identifier: MIT */

#include "proto/iax2_trace.h"

#include "proto/iax2_name.h"
#include "proto/wire.h"
#include "tests/t.h"

#define SECRET 0xaa /* fills every value, so that none is zero before */

static const uint8_t secrets[] = {
	IAX2_IE_PASSWORD,
	IAX2_IE_MD5_RESULT,
	IAX2_IE_RSA_RESULT,
	IAX2_IE_ENCKEY,
	IAX2_IE_OSPTOKEN,
	IAX2_IE_ED25519_RESULT,
	IAX2_IE_CALLTOKEN,
	IAX2_IE_KH_TAG,
	IAX2_IE_KH_SIGNATURE,
	IAX2_IE_KH_PATH,
	IAX2_IE_KH_TOKEN,
	IAX2_IE_VARIABLE,
	0x1d, /* PROVISIONING */
	0x1e, /* AESPROVISIONING */
};

static bool is_listed(uint8_t element)
{
	for (size_t i = 0; i < sizeof(secrets); i++) {
		if (secrets[i] == element)
			return true;
	}
	return false;
}

/* A full frame with one element; how long it is. */
static size_t frame_with(uint8_t buf[300], uint8_t type, uint8_t subclass,
			 uint8_t element, size_t value_len)
{
	uint8_t value[255], body[257];
	struct wire_wr w = wire_wr(body, sizeof(body));
	struct iax2_full f = {
		.src_callno = 0x1234,
		.dst_callno = 5,
		.ts_ms = 77,
		.oseq = 8,
		.iseq = 9,
		.type = type,
		.subclass = subclass,
		.body = body,
	};
	size_t len = 0;

	memset(value, SECRET, sizeof(value));
	iax2_ie_put(&w, element, value, value_len);
	T_TRUE(!w.bad);
	f.body_len = (size_t)(w.p - body);
	T_EQ(IAX2_OK, iax2_full_encode(&f, buf, 300, &len));
	return len;
}

static void what_authenticates_becomes_zeros_and_nothing_else_changes(void)
{
	for (unsigned element = 0; element < 256; element++) {
		const bool secret = is_listed((uint8_t)element);
		uint8_t before[300], after[300];
		const size_t len =
			frame_with(before, IAX2_FRAME_IAX, IAX2_IAX_REGREQ,
				   (uint8_t)element, 16);

		memcpy(after, before, len);
		T_EQ(secret, iax2_trace_mask(after, len));
		T_EQ(secret, iax2_trace_is_secret((uint8_t)element));
		T_EQ(0, memcmp(before, after, IAX2_FULL_HDR_LEN + 2));
		for (size_t i = IAX2_FULL_HDR_LEN + 2; i < len; i++)
			T_EQ(secret ? 0 : SECRET, after[i]);
	}
}

static void every_secret_of_a_list_is_masked(void)
{
	uint8_t buf[600] = { 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 1 };
	struct wire_wr w = wire_wr(buf + IAX2_FULL_HDR_LEN,
				   sizeof(buf) - IAX2_FULL_HDR_LEN);
	size_t len;

	for (size_t i = 0; i < sizeof(secrets); i++) {
		iax2_ie_put(&w, secrets[i], "\1\1\1\1\1\1\1\1", 8);
		iax2_ie_put_text(&w, IAX2_IE_USERNAME, "2001");
	}
	T_TRUE(!w.bad);
	len = (size_t)(w.p - buf);
	T_EQ(sizeof(secrets), iax2_trace_mask(buf, len));
	for (size_t i = IAX2_FULL_HDR_LEN; i < len; i += 16) {
		T_EQ(0, memcmp(buf + i + 2, "\0\0\0\0\0\0\0\0", 8));
		T_EQ(0, memcmp(buf + i + 10, "\6\0042001", 6));
	}
}

static void a_secret_that_is_cut_short_is_masked_to_the_end(void)
{
	uint8_t whole[300];
	const size_t full = frame_with(whole, IAX2_FRAME_IAX, IAX2_IAX_NEW,
				       IAX2_IE_MD5_RESULT, 32);

	for (size_t len = 0; len <= full; len++) {
		uint8_t *cut = t_dup(whole, len);
		const size_t n = iax2_trace_mask(cut, len);

		T_EQ(len >= IAX2_FULL_HDR_LEN + 2, n);
		for (size_t i = IAX2_FULL_HDR_LEN + 2; i < len; i++)
			T_EQ(0, cut[i]);
		free(cut);
	}
}

static void only_lists_of_elements_are_masked(void)
{
	static const uint8_t types[] = { IAX2_FRAME_VOICE, IAX2_FRAME_TEXT,
					 IAX2_FRAME_CONTROL };
	uint8_t before[300], after[300];
	size_t len;

	for (size_t i = 0; i < sizeof(types); i++) {
		len = frame_with(before, types[i], 4, IAX2_IE_MD5_RESULT, 32);
		memcpy(after, before, len);
		T_EQ(0, iax2_trace_mask(after, len));
		T_EQ(0, memcmp(before, after, len));
	}
	/* A mini frame whose voice looks like elements. */
	len = frame_with(before, IAX2_FRAME_IAX, 1, IAX2_IE_MD5_RESULT, 32);
	before[0] &= 0x7f;
	memcpy(after, before, len);
	T_EQ(0, iax2_trace_mask(after, len));
	T_EQ(0, memcmp(before, after, len));
}

static void a_subclass_nobody_can_decode_hides_no_secret(void)
{
	uint8_t buf[300];
	const size_t len = frame_with(buf, IAX2_FRAME_IAX, IAX2_IAX_NEW,
				      IAX2_IE_PASSWORD, 8);
	struct iax2_trace t;

	buf[11] = 0xe0;
	T_EQ(1, iax2_trace_mask(buf, len));
	T_EQ(0, buf[len - 1]);
	T_TRUE(iax2_trace_describe(buf, len, &t));
	T_EQ(IAX2_E_BAD_SUBCLASS, t.err);
	T_EQ(0xe0, t.subclass);
	T_TRUE(t.subclass_name == NULL);
}

static void line_of(const uint8_t *pkt, size_t len, const char *want)
{
	char line[IAX2_TRACE_LINE_MAX];
	struct iax2_trace t;

	T_TRUE(iax2_trace_describe(pkt, len, &t));
	iax2_trace_line(&t, line, sizeof(line));
	T_STR(want, line);
}

#define LINE(want, ...)                                  \
	do {                                             \
		const uint8_t pkt[] = { __VA_ARGS__ };   \
		uint8_t *copy = t_dup(pkt, sizeof(pkt)); \
		line_of(copy, sizeof(pkt), (want));      \
		free(copy);                              \
	} while (0)

static void each_kind_of_frame_is_a_line(void)
{
	LINE("IAX REGREQ call 4660>0 at 3 ms, out 0 in 0, again, USERNAME "
	     "\"2000\", CALLTOKEN (0), REFRESH 60",
	     0x92, 0x34, 0x80, 0, 0, 0, 0, 3, 0, 0, 6, 13, 6, 4, '2', '0', '0',
	     '0', 0x36, 0, 0x13, 2, 0, 60);
	LINE("IAX OPEN_REQUEST call 1>0 at 0 ms, out 0 in 0, KH NAT 0x1, KH "
	     "TAG masked",
	     0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0x68, 0xed, 1, 1, 0xe1, 16, 0,
	     0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	LINE("VOICE 0x4 call 1>2 at 20 ms, out 1 in 1, 3 octets", 0x80, 1, 0, 2,
	     0, 0, 0, 20, 1, 1, 2, 4, 9, 9, 9);
	LINE("CONTROL KEY call 1>2 at 20 ms, out 1 in 1", 0x80, 1, 0, 2, 0, 0,
	     0, 20, 1, 1, 4, 12);
	LINE("CONTROL STOP_SOUNDS call 1>2 at 20 ms, out 1 in 1", 0x80, 1, 0, 2,
	     0, 0, 0, 20, 1, 1, 4, 0xff);
	LINE("DTMF_END 5 call 1>2 at 20 ms, out 1 in 1", 0x80, 1, 0, 2, 0, 0, 0,
	     20, 1, 1, 1, '5');
	LINE("TEXT 0x0 call 1>2 at 20 ms, out 1 in 1, \"a.b\"", 0x80, 1, 0, 2,
	     0, 0, 0, 20, 1, 1, 7, 0, 'a', 0x1b, 'b', 0, 'c');
	LINE("0x40 0x21 call 1>2 at 20 ms, out 1 in 1", 0x80, 1, 0, 2, 0, 0, 0,
	     20, 1, 1, 0x40, 0x21);
	LINE("mini call 7 at 258 ms, 2 octets", 0, 7, 1, 2, 9, 9);
	LINE("trunk at 5 ms, 1 octets", 0, 0, 1, 1, 0, 0, 0, 5, 1);
	LINE("trunk at 0 ms, 0 octets; malformed: not addressed to this layer",
	     0, 0, 2, 1, 0, 0, 0, 5);
}

static void value_of(uint8_t type, const void *value, size_t len,
		     const char *want)
{
	char out[IAX2_TRACE_VALUE_MAX];
	uint8_t *copy = t_dup(value, len);
	const struct iax2_ie_view ie = { type, (uint8_t)len, copy };

	iax2_trace_value(&ie, out, sizeof(out));
	T_STR(want, out);
	free(copy);
}

static void each_kind_of_value_is_words(void)
{
	static const uint8_t v6[] = { 0x20, 1, 0x0d, 0xb8, 0,    1,
				      0,    0, 0,    0,    0,    0,
				      0,    0, 0,    0x10, 0x11, 0xd9 };
	const struct net_addr addr = net_addr_v4(192, 0, 2, 1, 4569);
	uint8_t sockaddr[28], long_value[255], candidate[19] = { 1 };
	char hex[IAX2_TRACE_VALUE_MAX];

	value_of(IAX2_IE_CALLING_NAME, "J\xc3\xb6rg \"x\"", 9, "J..rg \"x\"");
	value_of(IAX2_IE_VERSION, "\0\2", 2, "2");
	value_of(IAX2_IE_CAPABILITY, "\0\0\0\4", 4, "0x4");
	value_of(IAX2_IE_AUTHMETHODS, "\0", 1, "0x0");
	value_of(IAX2_IE_FORMAT2, "\0\0\0\0\0\0\0\0\4", 9,
		 "000000000000000004");
	value_of(IAX2_IE_RR_LOSS, "\1\0\0\1", 4, "16777217");
	value_of(IAX2_IE_RR_LOSS, "\1\0\0", 3, "010000");
	value_of(0x7f, "\1\2\3", 3, "010203");
	value_of(IAX2_IE_AUTOANSWER, "", 0, "");
	value_of(IAX2_IE_KH_REFLEXIVE, v6, sizeof(v6),
		 "[2001:db8:1:0:0:0:0:10]:4569");
	value_of(IAX2_IE_KH_REFLEXIVE, v6, 5, "20010db800");
	value_of(IAX2_IE_APPARENT_ADDR, sockaddr,
		 net_addr_put_sockaddr(sockaddr, &addr), "192.0.2.1:4569");
	value_of(IAX2_IE_KH_CANDIDATE, candidate,
		 1 + net_addr_put(candidate + 1, &addr), "192.0.2.1:4569");
	value_of(IAX2_IE_KH_CANDIDATE, "", 0, "");
	memset(long_value, 0xab, sizeof(long_value));
	for (size_t i = 0; i < 255; i++)
		memcpy(hex + 2 * i, "ab", 3);
	value_of(0x7f, long_value, sizeof(long_value), hex);
	for (size_t i = 0; i < sizeof(secrets); i++)
		value_of(secrets[i], "topsecret", 9, "masked");
}

static void broken_lists_say_so_and_show_what_is_whole(void)
{
	uint8_t pkt[] = { 0x80, 1, 0, 0, 0,    0,   0, 0, 0,    0,
			  6,    1, 6, 1, 0x32, 0xb, 1, 9, 0x10, 200 };
	char line[IAX2_TRACE_LINE_MAX];
	struct iax2_trace t;
	struct wire_rd r;
	struct iax2_ie_view ie;

	T_TRUE(iax2_trace_describe(pkt, sizeof(pkt), &t));
	T_EQ(IAX2_E_BAD_IE, t.err);
	T_TRUE(t.has_elements);
	r = wire_rd(t.body, t.body_len);
	T_TRUE(iax2_ie_next(&r, &ie) && ie.type == IAX2_IE_USERNAME);
	T_TRUE(iax2_ie_next(&r, &ie) && ie.type == IAX2_IE_VERSION);
	T_TRUE(!iax2_ie_next(&r, &ie));
	iax2_trace_line(&t, line, sizeof(line));
	T_STR("IAX NEW call 1>0 at 0 ms, out 0 in 0, USERNAME \"2\", VERSION "
	      "9; malformed: information element of impossible length",
	      line);
}

static void what_has_no_header_is_refused(void)
{
	static const uint8_t pkt[] = { 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 1 };
	struct iax2_trace t = { .ts_ms = 0xa5 };

	for (size_t len = 0; len < sizeof(pkt); len++) {
		uint8_t *cut = t_dup(pkt, len);

		T_TRUE(!iax2_trace_describe(cut, len, &t));
		free(cut);
	}
	T_EQ(0xa5, t.ts_ms);
	T_TRUE(!iax2_trace_describe((const uint8_t[]){ 0, 1, 0 }, 3, &t));
}

static void long_lines_are_cut_at_any_length(void)
{
	uint8_t buf[300];
	const size_t len = frame_with(buf, IAX2_FRAME_IAX, IAX2_IAX_NEW,
				      IAX2_IE_CAUSE, 255);
	char whole[IAX2_TRACE_LINE_MAX];
	struct iax2_trace t;

	T_TRUE(iax2_trace_describe(buf, len, &t));
	iax2_trace_line(&t, whole, sizeof(whole));
	for (size_t cap = 1; cap <= strlen(whole); cap++) {
		char *cut = malloc(cap);

		if (!cut)
			abort();
		iax2_trace_line(&t, cut, cap);
		T_EQ(cap - 1, strlen(cut));
		T_EQ(0, memcmp(whole, cut, cap - 1));
		free(cut);
	}
}

static void names_exist_for_what_has_one(void)
{
	T_STR("NEW", iax2_iax_name(IAX2_IAX_NEW));
	T_STR("OVER", iax2_iax_name(0x6a));
	T_TRUE(iax2_iax_name(0) == NULL);
	T_TRUE(iax2_iax_name(0x1f) == NULL);
	T_TRUE(iax2_iax_name(0xff) == NULL);
	T_STR("ANSWER", iax2_control_name(4));
	T_TRUE(iax2_control_name(0xfe) == NULL);
	T_STR("VOICE", iax2_frame_type_name(2));
	T_TRUE(iax2_frame_type_name(0) == NULL);
	T_TRUE(iax2_frame_type_name(0xff) == NULL);
}

int main(void)
{
	T_RUN(what_authenticates_becomes_zeros_and_nothing_else_changes);
	T_RUN(every_secret_of_a_list_is_masked);
	T_RUN(a_secret_that_is_cut_short_is_masked_to_the_end);
	T_RUN(only_lists_of_elements_are_masked);
	T_RUN(a_subclass_nobody_can_decode_hides_no_secret);
	T_RUN(each_kind_of_frame_is_a_line);
	T_RUN(each_kind_of_value_is_words);
	T_RUN(broken_lists_say_so_and_show_what_is_whole);
	T_RUN(what_has_no_header_is_refused);
	T_RUN(long_lines_are_cut_at_any_length);
	T_RUN(names_exist_for_what_has_one);
	return T_DONE();
}
