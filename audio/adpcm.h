/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_ADPCM_H
#define AUDIO_ADPCM_H

/*
 * 4-bit ADPCM as telephony cards and Asterisk speak it: the Dialogic (OKI,
 * "VOX") algorithm on 12 bits, two samples an octet, the earlier in the upper
 * half.
 *
 * RFC 5456 8.7 calls format 0x20 "IMA ADPCM".  Asterisk, which every peer of
 * ours is or talks to, has Dialogic ADPCM under that bit; the step sizes differ
 * so much that one is noise to the other.  Its integration has no leak either:
 * an implementation that rounds differently drifts away, by several per cent
 * of full scale within a minute.  So this one rounds as Asterisk does: half a
 * step up, a quarter and an eighth down.
 *
 * For the same reason a lost frame would leave an offset for the rest of the
 * call.  The decoder takes that out with a high-pass at 10 Hz.
 */

#include <stddef.h>
#include <stdint.h>

/* One direction; zero is the state at the start. */
struct adpcm {
	int32_t signal;  /* what the decoder has reached, 12 bits */
	int32_t step;    /* index into the step sizes, 0..48 */
	int32_t last_in; /* the high-pass, decoder only */
	int32_t last_out;
};

/* @n octets from 2 * @n samples, and back. */
void adpcm_encode(struct adpcm *a, const int16_t *in, uint8_t *out, size_t n);
void adpcm_decode(struct adpcm *a, const uint8_t *in, int16_t *out, size_t n);

#endif
