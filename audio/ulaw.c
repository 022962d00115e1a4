/* SPDX-License-Identifier: MIT */

#include "audio/ulaw.h"

#define BIAS 33             /* makes each segment start at a power of two */
#define BIASED_MAX 0x1fff   /* 8158 + BIAS: the last code's interval */
#define SIGN_POSITIVE 0x80U /* bit 1 of table 2: set for positive */
#define STEP_MASK 0x0fU     /* sixteen steps in a segment */
#define SEGMENT_MASK 0x07U  /* eight segments */
#define SEGMENT_SHIFT 4U
#define SCALE 4 /* 16-bit units in one unit of the tables */

uint8_t ulaw_encode(int16_t sample)
{
	const int magnitude = (sample < 0 ? ~sample : sample) / SCALE;
	unsigned biased = (unsigned)(magnitude + BIAS);
	unsigned segment = 0, code;

	if (biased > BIASED_MAX)
		biased = BIASED_MAX;
	/* The leading one, at bit 5 to 12, names the segment. */
	while (biased >> (segment + 6) != 0)
		segment++;
	code = segment << SEGMENT_SHIFT | (biased >> (segment + 1) & STEP_MASK);
	/* All bits but the sign are sent inverted (table 2, note 1). */
	code = ~code & (SIGN_POSITIVE - 1);
	return (uint8_t)(sample < 0 ? code : code | SIGN_POSITIVE);
}

int16_t ulaw_decode(uint8_t code)
{
	const unsigned bits = ~(unsigned)code;
	const unsigned segment = bits >> SEGMENT_SHIFT & SEGMENT_MASK;
	/* The middle of the step: half a step above its decision value. */
	const int biased = (int)((2 * (bits & STEP_MASK) + 33) << segment);
	const int magnitude = (biased - BIAS) * SCALE;

	return (int16_t)(code & SIGN_POSITIVE ? magnitude : -magnitude);
}

void ulaw_encode_block(const int16_t *in, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = ulaw_encode(in[i]);
}

void ulaw_decode_block(const uint8_t *in, int16_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = ulaw_decode(in[i]);
}
