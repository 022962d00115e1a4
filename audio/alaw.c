/* SPDX-License-Identifier: MIT */

#include "audio/alaw.h"

#define SIGN_POSITIVE 0x80U /* bit 1 of table 1: set for positive */
#define EVEN_BITS 0x55U     /* sent inverted (table 1, note 2) */
#define STEP_MASK 0x0fU     /* sixteen steps in a segment */
#define SEGMENT_MASK 0x07U  /* eight segments, the first two alike */
#define SEGMENT_SHIFT 4U
#define SCALE 16U /* 16-bit units in the least step */

uint8_t alaw_encode(int16_t sample)
{
	unsigned steps = (unsigned)(sample < 0 ? ~sample : sample) / SCALE;
	unsigned segment = 0, code;

	/* From segment 1 on the leading one is implied. */
	while (steps > 2 * STEP_MASK + 1) {
		steps >>= 1;
		segment++;
	}
	if (steps > STEP_MASK)
		segment++;
	code = segment << SEGMENT_SHIFT | (steps & STEP_MASK);
	return (uint8_t)((sample < 0 ? code : code | SIGN_POSITIVE) ^
			 EVEN_BITS);
}

int16_t alaw_decode(uint8_t code)
{
	const unsigned bits = code ^ EVEN_BITS;
	const unsigned segment = bits >> SEGMENT_SHIFT & SEGMENT_MASK;
	const unsigned step = bits & STEP_MASK;
	const unsigned shift = segment > 1 ? segment - 1 : 0;
	/* The middle of the step: half a step above its decision value. */
	const unsigned half =
		2 * (segment > 0 ? step + STEP_MASK + 1 : step) + 1;
	const int magnitude = (int)((half * SCALE / 2) << shift);

	return (int16_t)(bits & SIGN_POSITIVE ? magnitude : -magnitude);
}

void alaw_encode_block(const int16_t *in, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = alaw_encode(in[i]);
}

void alaw_decode_block(const uint8_t *in, int16_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = alaw_decode(in[i]);
}
