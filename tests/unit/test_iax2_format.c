/* SPDX-License-Identifier: MIT */

#include "proto/iax2_format.h"

#include <string.h>

#include "proto/iax2_endpoint.h"
#include "proto/iax2_ie.h"
#include "tests/t.h"

static const uint64_t all[] = {
	IAX2_FORMAT_ULAW, IAX2_FORMAT_ALAW,      IAX2_FORMAT_SLIN16,
	IAX2_FORMAT_SLIN, IAX2_FORMAT_G726_AAL2, IAX2_FORMAT_ADPCM,
	IAX2_FORMAT_GSM,
};
static const struct iax2_prefs ours = { all, sizeof(all) / sizeof(all[0]) };

struct offer {
	const char *prefs; /* NULL: no CODEC PREFS */
	uint32_t format;
	uint32_t capability;
	uint64_t format2; /* 0: no element */
	uint64_t capability2;
	uint8_t version2;
};

static void wide(struct wire_wr *w, uint8_t type, uint8_t version, uint64_t v)
{
	uint8_t value[9];
	struct wire_wr in = wire_wr(value, sizeof(value));

	wire_wr_u8(&in, version);
	wire_wr_u64(&in, v);
	iax2_ie_put(w, type, value, sizeof(value));
}

static uint64_t chosen(const struct offer *o, const struct iax2_prefs *p)
{
	uint8_t buf[128], *copy;
	struct wire_wr w = wire_wr(buf, sizeof(buf));
	uint64_t format;
	size_t len;

	if (o->prefs)
		iax2_ie_put_text(&w, IAX2_IE_CODEC_PREFS, o->prefs);
	if (o->format)
		iax2_ie_put_u32(&w, IAX2_IE_FORMAT, o->format);
	if (o->capability)
		iax2_ie_put_u32(&w, IAX2_IE_CAPABILITY, o->capability);
	if (o->format2)
		wide(&w, IAX2_IE_FORMAT2, o->version2, o->format2);
	if (o->capability2)
		wide(&w, IAX2_IE_CAPABILITY2, o->version2, o->capability2);
	T_TRUE(!w.bad);
	len = (size_t)(w.p - buf);
	copy = t_dup(buf, len);
	format = iax2_format_choose(copy, len, p);
	free(copy);
	return format;
}

static void ulaw_comes_first_whatever_the_caller_likes(void)
{
	/* Asterisk's letters: gsm, ulaw. */
	T_EQ(IAX2_FORMAT_ULAW,
	     chosen(&(struct offer){ "CD", 2, 2 | 4, 0, 0, 0 }, &ours));
	T_EQ(IAX2_FORMAT_ULAW,
	     chosen(&(struct offer){ NULL, 2, 0xffffffff, 0, 0, 0 }, &ours));
}

static void then_the_callers_preferences_count(void)
{
	/* gsm, g726aal2 by letter; what we cannot is stepped over. */
	T_EQ(IAX2_FORMAT_GSM,
	     chosen(&(struct offer){ "NCF", 8, 2 | 8 | 16, 0, 0, 0 }, &ours));
	T_EQ(IAX2_FORMAT_G726_AAL2,
	     chosen(&(struct offer){ "FC", 8, 2 | 8 | 16, 0, 0, 0 }, &ours));
	/* A letter that it cannot itself, and what is no letter. */
	T_EQ(IAX2_FORMAT_ALAW, chosen(&(struct offer){ "\x01"
						       "AC\xff",
						       8, 8, 0, 0, 0 },
				      &ours));
}

static void then_ours(void)
{
	T_EQ(IAX2_FORMAT_ALAW,
	     chosen(&(struct offer){ NULL, 2, 2 | 8 | 64, 0, 0, 0 }, &ours));
	T_EQ(IAX2_FORMAT_SLIN,
	     chosen(&(struct offer){ "", 2, 2 | 64, 0, 0, 0 }, &ours));
	/* Only FORMAT, no CAPABILITY. */
	T_EQ(IAX2_FORMAT_GSM,
	     chosen(&(struct offer){ NULL, 2, 0, 0, 0, 0 }, &ours));
}

static void nothing_in_common_is_nothing(void)
{
	T_EQ(0, chosen(&(struct offer){ "N", 0x1000, 0x1000, 0, 0, 0 }, &ours));
	T_EQ(0, chosen(&(struct offer){ NULL, 0, 0, 0, 0, 0 }, &ours));
}

static void sixty_four_bits_count_where_given(void)
{
	const struct offer o = { NULL, 4, 4, 8, 8 | UINT64_C(1) << 40, 0 };
	struct offer later = o;

	T_EQ(IAX2_FORMAT_ALAW, chosen(&o, &ours));
	/* A version that we do not know says nothing. */
	later.version2 = 1;
	T_EQ(IAX2_FORMAT_ULAW, chosen(&later, &ours));
}

static void the_offer_says_it_all_twice(void)
{
	static const uint8_t want[] = {
		0x2d, 7, 'D', 'E', 'Q',  'H',  'F', 'G', 'C', /* prefs */
		0x09, 4, 0,   0,   0,    4,                   /* FORMAT */
		0x38, 9, 0,   0,   0,    0,    0,   0,   0,   0,    4,
		0x08, 4, 0,   0,   0x80, 0x7e, /* CAPABILITY */
		0x37, 9, 0,   0,   0,    0,    0,   0,   0,   0x80, 0x7e,
	};
	uint8_t buf[128];
	struct wire_wr w = wire_wr(buf, sizeof(buf));

	iax2_format_put_prefs(&w, &ours);
	iax2_format_put_offer(&w, &ours);
	T_TRUE(!w.bad);
	T_EQ(sizeof(want), (size_t)(w.p - buf));
	T_EQ(0, memcmp(want, buf, sizeof(want)));
	T_TRUE(iax2_format_is_wide(buf, sizeof(want)));
	T_TRUE(!iax2_format_is_wide(buf, 15));
}

static void an_accept_must_name_one_of_ours(void)
{
	for (int is_wide = 0; is_wide < 2; is_wide++) {
		uint8_t buf[32];
		struct wire_wr w = wire_wr(buf, sizeof(buf));

		iax2_format_put_agreed(&w, IAX2_FORMAT_SLIN16, is_wide);
		T_EQ(is_wide ? 17 : 6, w.p - buf);
		T_EQ(IAX2_FORMAT_SLIN16,
		     iax2_format_agreed(buf, (size_t)(w.p - buf), &ours));
	}
	for (uint32_t bad = 0; bad < 4; bad++) {
		static const uint32_t format[] = { 0, 4 | 8, 0x1000, 1 };
		uint8_t buf[8];
		struct wire_wr w = wire_wr(buf, sizeof(buf));

		iax2_ie_put_u32(&w, IAX2_IE_FORMAT, format[bad]);
		T_EQ(0, iax2_format_agreed(buf, 6, &ours));
	}
	T_EQ(0, iax2_format_agreed(NULL, 0, &ours));
}

int main(void)
{
	T_RUN(ulaw_comes_first_whatever_the_caller_likes);
	T_RUN(then_the_callers_preferences_count);
	T_RUN(then_ours);
	T_RUN(nothing_in_common_is_nothing);
	T_RUN(sixty_four_bits_count_where_given);
	T_RUN(the_offer_says_it_all_twice);
	T_RUN(an_accept_must_name_one_of_ours);
	return T_DONE();
}
