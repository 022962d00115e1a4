/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_ULAW_H
#define AUDIO_ULAW_H

/*
 * G.711 u-law: 16-bit linear samples <-> 8-bit codes, one octet a sample.
 *
 * G.711 tables 2a and 2b give decision values on a scale of 8159, which is the
 * 16-bit scale divided by four.  They are the same for both signs and leave
 * open which side a sample equal to a decision value falls on.  Here it falls
 * on the side towards plus infinity, for both signs, as in the ITU's own
 * reference code (G.191): a negative sample's magnitude is its one's
 * complement.  Inputs beyond the last decision value saturate.
 *
 * Total functions: every input has a result.  No state.
 */

#include <stddef.h>
#include <stdint.h>

#define ULAW_SILENCE 0xffU /* the code of a sample of 0 */
#define ULAW_PEAK 32124    /* largest magnitude that ulaw_decode() gives */

uint8_t ulaw_encode(int16_t sample);

/* Both zeros, 0xff and 0x7f, give 0; every other code c has
 * ulaw_encode(ulaw_decode(c)) == c. */
int16_t ulaw_decode(uint8_t code);

/* @n samples to @n octets, and back; the two must not overlap. */
void ulaw_encode_block(const int16_t *in, uint8_t *out, size_t n);
void ulaw_decode_block(const uint8_t *in, int16_t *out, size_t n);

#endif
