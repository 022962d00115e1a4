/* SPDX-License-Identifier: MIT */

#include "proto/iax2_format.h"

#include "proto/iax2_ie.h"

#define PREF_LETTER_FIRST 'B' /* of format bit 0, as Asterisk counts */
#define PREFS_TEXT_MAX 33U

/* All that are preferred, as a set. */
static uint64_t set_of(const struct iax2_prefs *p)
{
	uint64_t set = 0;

	for (size_t i = 0; i < p->n; i++)
		set |= p->format[i];
	return set;
}

static char letter_of(uint64_t format)
{
	unsigned bit = 0;

	while (!(format >> bit & 1))
		bit++;
	return (char)(PREF_LETTER_FIRST + bit);
}

static uint64_t format_of(uint8_t letter)
{
	if (letter < PREF_LETTER_FIRST || letter >= PREF_LETTER_FIRST + 64)
		return 0;
	return UINT64_C(1) << (letter - PREF_LETTER_FIRST);
}

static void put_wide(struct wire_wr *w, uint8_t type, uint64_t formats)
{
	uint8_t value[9];
	struct wire_wr v = wire_wr(value, sizeof(value));

	wire_wr_u8(&v, 0);
	wire_wr_u64(&v, formats);
	iax2_ie_put(w, type, value, sizeof(value));
}

/* The mask in a 64-bit element; 0 when absent or of another version. */
static uint64_t get_wide(const uint8_t *body, size_t len, uint8_t type)
{
	struct iax2_ie_view v;
	struct wire_rd r;

	if (!iax2_ie_find(body, len, type, &v) || v.len != 9 || v.value[0] != 0)
		return 0;
	r = wire_rd(v.value + 1, 8);
	return wire_rd_u64(&r);
}

static uint64_t get(const uint8_t *body, size_t len, uint8_t narrow,
		    uint8_t wide)
{
	const uint64_t w = get_wide(body, len, wide);
	uint32_t n = 0;

	(void)iax2_ie_u32(body, len, narrow, &n);
	return w != 0 ? w : n;
}

void iax2_format_put_prefs(struct wire_wr *w, const struct iax2_prefs *p)
{
	char text[PREFS_TEXT_MAX];
	size_t n = 0;

	for (; n < p->n && n < sizeof(text) - 1; n++)
		text[n] = letter_of(p->format[n]);
	text[n] = '\0';
	iax2_ie_put_text(w, IAX2_IE_CODEC_PREFS, text);
}

void iax2_format_put_offer(struct wire_wr *w, const struct iax2_prefs *p)
{
	const uint64_t all = set_of(p);

	iax2_ie_put_u32(w, IAX2_IE_FORMAT, (uint32_t)p->format[0]);
	put_wide(w, IAX2_IE_FORMAT2, p->format[0]);
	iax2_ie_put_u32(w, IAX2_IE_CAPABILITY, (uint32_t)all);
	put_wide(w, IAX2_IE_CAPABILITY2, all);
}

/* The first of the caller's preferences that is in @common; 0: none. */
static uint64_t callers_choice(const uint8_t *body, size_t len, uint64_t common)
{
	struct iax2_ie_view v;

	if (!iax2_ie_find(body, len, IAX2_IE_CODEC_PREFS, &v))
		return 0;
	for (size_t i = 0; i < v.len; i++) {
		if (format_of(v.value[i]) & common)
			return format_of(v.value[i]);
	}
	return 0;
}

uint64_t iax2_format_choose(const uint8_t *body, size_t len,
			    const struct iax2_prefs *ours)
{
	const uint64_t format = get(body, len, IAX2_IE_FORMAT, IAX2_IE_FORMAT2);
	const uint64_t can =
		get(body, len, IAX2_IE_CAPABILITY, IAX2_IE_CAPABILITY2);
	const uint64_t common = (format | can) & set_of(ours);
	uint64_t choice;

	if (common & ours->format[0])
		return ours->format[0];
	choice = callers_choice(body, len, common);
	for (size_t i = 0; i < ours->n && choice == 0; i++)
		choice = ours->format[i] & common;
	return choice;
}

void iax2_format_put_agreed(struct wire_wr *w, uint64_t format, bool wide)
{
	iax2_ie_put_u32(w, IAX2_IE_FORMAT, (uint32_t)format);
	if (wide)
		put_wide(w, IAX2_IE_FORMAT2, format);
}

bool iax2_format_is_wide(const uint8_t *body, size_t len)
{
	struct iax2_ie_view v;

	return iax2_ie_find(body, len, IAX2_IE_FORMAT2, &v) ||
	       iax2_ie_find(body, len, IAX2_IE_CAPABILITY2, &v);
}

uint64_t iax2_format_agreed(const uint8_t *body, size_t len,
			    const struct iax2_prefs *ours)
{
	const uint64_t f = get(body, len, IAX2_IE_FORMAT, IAX2_IE_FORMAT2);

	return (f & (f - 1)) == 0 ? f & set_of(ours) : 0;
}
