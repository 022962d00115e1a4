/* SPDX-License-Identifier: MIT */

#include "audio/alaw.h"

#include "tests/t.h"

#define INTERVALS 128

/*
 * G.711 tables 1a and 1b from what they list: 32 intervals of width 2, then
 * each of the segments 3 to 8 has sixteen of twice the width of the one
 * before.  x[n] is decision value n, y[n] the value of interval n at the
 * decoder, both on the tables' scale of 4096.
 */
static int x[INTERVALS + 1];
static int y[INTERVALS];

static void build_tables(void)
{
	int n = 0, at = 0, step = 2;

	for (int i = 0; i < 32; i++, at += step)
		x[n++] = at;
	for (int segment = 3; segment <= 8; segment++) {
		step *= 2;
		for (int i = 0; i < 16; i++, at += step)
			x[n++] = at;
	}
	x[n] = at;
	for (int i = 0; i < INTERVALS; i++)
		y[i] = (x[i] + x[i + 1]) / 2;
}

static void the_construction_gives_the_values_printed_in_g711(void)
{
	build_tables();
	T_EQ(64, x[32]);
	T_EQ(68, x[33]);
	T_EQ(128, x[48]);
	T_EQ(136, x[49]);
	T_EQ(256, x[64]);
	T_EQ(512, x[80]);
	T_EQ(1024, x[96]);
	T_EQ(2048, x[112]);
	T_EQ(2176, x[113]);
	T_EQ(3968, x[127]);
	T_EQ(4096, x[128]);
	T_EQ(1, y[0]);
	T_EQ(66, y[32]);
	T_EQ(132, y[48]);
	T_EQ(2112, y[112]);
	T_EQ(4032, y[127]);
}

/* The interval of a magnitude in 16-bit units; one that is equal to a decision
 * value is above it for positive, below it for negative samples. */
static int interval(int magnitude, int negative)
{
	int n = INTERVALS - 1;

	while (n > 0 &&
	       (magnitude < 8 * x[n] || (negative && magnitude == 8 * x[n])))
		n--;
	return n;
}

/* Sign bit set for positive, even bits inverted (table 1a, note 2). */
static int code_of(int n, int negative)
{
	return (negative ? n : n + 128) ^ 0x55;
}

static void all_65536_samples_encode_as_the_tables_say(void)
{
	build_tables();
	for (int s = INT16_MIN; s <= INT16_MAX; s++) {
		const int n = interval(s < 0 ? -s : s, s < 0);

		T_EQ(code_of(n, s < 0), alaw_encode((int16_t)s));
	}
}

static void all_256_codes_decode_as_the_tables_say(void)
{
	build_tables();
	for (int n = 0; n < INTERVALS; n++) {
		T_EQ(8 * y[n], alaw_decode((uint8_t)code_of(n, 0)));
		T_EQ(-8 * y[n], alaw_decode((uint8_t)code_of(n, 1)));
	}
}

static void encoding_a_decoded_code_gives_it_back(void)
{
	for (int code = 0; code < 256; code++)
		T_EQ(code, alaw_encode(alaw_decode((uint8_t)code)));
	T_EQ(0xd5, alaw_encode(0));
}

static void blocks_are_what_their_samples_are(void)
{
	int16_t in[160], back[160];
	uint8_t codes[160];

	for (int i = 0; i < 160; i++)
		in[i] = (int16_t)(i * 411 - 32768);
	alaw_encode_block(in, codes, 160);
	alaw_decode_block(codes, back, 160);
	for (int i = 0; i < 160; i++) {
		T_EQ(alaw_encode(in[i]), codes[i]);
		T_EQ(alaw_decode(codes[i]), back[i]);
	}
}

int main(void)
{
	T_RUN(the_construction_gives_the_values_printed_in_g711);
	T_RUN(all_65536_samples_encode_as_the_tables_say);
	T_RUN(all_256_codes_decode_as_the_tables_say);
	T_RUN(encoding_a_decoded_code_gives_it_back);
	T_RUN(blocks_are_what_their_samples_are);
	return T_DONE();
}
