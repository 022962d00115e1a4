/* SPDX-License-Identifier: MIT */

#include "audio/adpcm.h"

#define STEPS 49
#define SIGN 8U
#define WHOLE 4U /* bits of a code: a step, a half, a quarter */
#define HALF 2U
#define QUARTER 1U
#define SIGNAL_MAX 2047
#define SCALE 16        /* 16-bit units in one of 12 bits */
#define POLE_SHIFT 7    /* the high-pass' pole: 1 - 2^-7, with a zero at 1 */
#define FRACTION_BITS 8 /* of the high-pass' state */

/* 16 * 1.1^n, rounded down. */
static const int16_t step_size[STEPS] = {
	16,  17,  19,  21,  23,  25,   28,   31,   34,   37,   41,  45,  50,
	55,  60,  66,  73,  80,  88,   97,   107,  118,  130,  143, 157, 173,
	190, 209, 230, 253, 279, 307,  337,  371,  408,  449,  494, 544, 598,
	658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552,
};

static int32_t clamp(int32_t v, int32_t least, int32_t most)
{
	if (v < least)
		return least;
	return v > most ? most : v;
}

/* Follow @code; both ends do, and so stay together. */
static void follow(struct adpcm *a, unsigned code)
{
	static const int8_t adapt[] = { -1, -1, -1, -1, 2, 4, 6, 8 };
	const int32_t step = step_size[a->step];
	int32_t change = step / 8;

	if (code & WHOLE)
		change += step;
	if (code & HALF)
		change += (step + 1) / 2;
	if (code & QUARTER)
		change += step / 4;
	if (code & SIGN)
		change = -change;
	a->signal = clamp(a->signal + change, -SIGNAL_MAX, SIGNAL_MAX);
	a->step = clamp(a->step + adapt[code % SIGN], 0, STEPS - 1);
}

static unsigned encode(struct adpcm *a, int16_t sample)
{
	/* Rounds down, for both signs. */
	const int32_t wanted = (sample + INT16_MAX + 1) / SCALE - 2048;
	const int32_t step = step_size[a->step];
	int32_t rest = wanted - a->signal;
	unsigned code = 0;

	if (rest < 0) {
		code = SIGN;
		rest = -rest;
	}
	if (rest >= step) {
		code |= WHOLE;
		rest -= step;
	}
	if (rest >= step / 2) {
		code |= HALF;
		rest -= step / 2;
	}
	if (rest >= step / 4)
		code |= QUARTER;
	follow(a, code);
	return code;
}

static int16_t decode(struct adpcm *a, unsigned code)
{
	int32_t in, out;

	follow(a, code);
	in = a->signal * SCALE * (1 << FRACTION_BITS);
	out = a->last_out - a->last_out / (1 << POLE_SHIFT) + in - a->last_in;
	a->last_in = in;
	a->last_out = out;
	return (int16_t)clamp(out / (1 << FRACTION_BITS), INT16_MIN, INT16_MAX);
}

void adpcm_encode(struct adpcm *a, const int16_t *in, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned first = encode(a, in[2 * i]);

		out[i] = (uint8_t)(first << 4 | encode(a, in[2 * i + 1]));
	}
}

void adpcm_decode(struct adpcm *a, const uint8_t *in, int16_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = decode(a, in[i] >> 4);
		out[2 * i + 1] = decode(a, in[i] & 0x0fU);
	}
}
