/* SPDX-License-Identifier: MIT */

#include "audio/ulaw.h"

#include "tests/t.h"

#define INTERVALS 128

/*
 * G.711 tables 2a and 2b from what they list, not from how a codec computes:
 * the first segment's decision values are 0, 1, 3, 5 ... 31, then each of the
 * segments 2 to 8 has sixteen intervals of twice the width of the one before.
 * x[n] is decision value n, y[n] the value of interval n at the decoder, both
 * on the tables' scale of 8159.
 */
static int x[INTERVALS + 1];
static int y[INTERVALS];

static void build_tables(void)
{
	int n = 0, at = 1, step = 2;

	x[n++] = 0;
	for (int i = 0; i < 15; i++, at += step)
		x[n++] = at;
	for (int segment = 2; segment <= 8; segment++) {
		step *= 2;
		for (int i = 0; i < 16; i++, at += step)
			x[n++] = at;
	}
	x[n] = at;
	y[0] = 0;
	for (int i = 1; i < INTERVALS; i++)
		y[i] = (x[i] + x[i + 1]) / 2;
}

static void the_construction_gives_the_values_printed_in_g711(void)
{
	build_tables();
	T_EQ(31, x[16]);
	T_EQ(35, x[17]);
	T_EQ(95, x[32]);
	T_EQ(103, x[33]);
	T_EQ(223, x[48]);
	T_EQ(479, x[64]);
	T_EQ(991, x[80]);
	T_EQ(2015, x[96]);
	T_EQ(4063, x[112]);
	T_EQ(4319, x[113]);
	T_EQ(7903, x[127]);
	T_EQ(8159, x[128]);
	T_EQ(2, y[1]);
	T_EQ(33, y[16]);
	T_EQ(99, y[32]);
	T_EQ(231, y[48]);
	T_EQ(4191, y[112]);
	T_EQ(8031, y[127]);
}

/* The interval of a magnitude in 16-bit units; one that is equal to a decision
 * value is above it for positive, below it for negative samples. */
static int interval(int magnitude, int negative)
{
	int n = INTERVALS - 1;

	while (n > 0 &&
	       (magnitude < 4 * x[n] || (negative && magnitude == 4 * x[n])))
		n--;
	return n;
}

static void all_65536_samples_encode_as_the_tables_say(void)
{
	build_tables();
	for (int s = INT16_MIN; s <= INT16_MAX; s++) {
		const int n = interval(s < 0 ? -s : s, s < 0);
		const int code = s < 0 ? 127 - n : 255 - n;

		T_EQ(code, ulaw_encode((int16_t)s));
	}
}

static void all_256_codes_decode_as_the_tables_say(void)
{
	build_tables();
	for (int code = 0; code < 256; code++) {
		const int want =
			code >= 128 ? 4 * y[255 - code] : -4 * y[127 - code];

		T_EQ(want, ulaw_decode((uint8_t)code));
	}
	T_EQ(ULAW_PEAK, ulaw_decode(0x80));
	T_EQ(-ULAW_PEAK, ulaw_decode(0x00));
}

static void encoding_a_decoded_code_gives_it_back_but_for_minus_zero(void)
{
	for (int code = 0; code < 256; code++) {
		const int16_t sample = ulaw_decode((uint8_t)code);

		T_EQ(code == 0x7f ? 0xff : code, ulaw_encode(sample));
	}
	T_EQ(0, ulaw_decode(0x7f));
	T_EQ(0, ulaw_decode(ULAW_SILENCE));
}

static void encoding_is_monotonic(void)
{
	for (int s = INT16_MIN; s < INT16_MAX; s++)
		T_TRUE(ulaw_decode(ulaw_encode((int16_t)s)) <=
		       ulaw_decode(ulaw_encode((int16_t)(s + 1))));
}

static void blocks_are_what_their_samples_are(void)
{
	int16_t in[160], back[160];
	uint8_t codes[160];

	for (int i = 0; i < 160; i++)
		in[i] = (int16_t)(i * 411 - 32768);
	ulaw_encode_block(in, codes, 160);
	ulaw_decode_block(codes, back, 160);
	for (int i = 0; i < 160; i++) {
		T_EQ(ulaw_encode(in[i]), codes[i]);
		T_EQ(ulaw_decode(codes[i]), back[i]);
	}
	ulaw_encode_block(in, codes, 0);
	T_EQ(ulaw_encode(in[0]), codes[0]);
}

int main(void)
{
	T_RUN(the_construction_gives_the_values_printed_in_g711);
	T_RUN(all_65536_samples_encode_as_the_tables_say);
	T_RUN(all_256_codes_decode_as_the_tables_say);
	T_RUN(encoding_a_decoded_code_gives_it_back_but_for_minus_zero);
	T_RUN(encoding_is_monotonic);
	T_RUN(blocks_are_what_their_samples_are);
	return T_DONE();
}
