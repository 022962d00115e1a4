/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_ALAW_H
#define AUDIO_ALAW_H

/*
 * G.711 A-law: 16-bit linear samples <-> 8-bit codes, one octet a sample.
 *
 * G.711 tables 1a and 1b give decision values on a scale of 4096, which is the
 * 16-bit scale divided by eight.  As in ulaw.h, a sample equal to a decision
 * value falls on the side towards plus infinity.
 *
 * Total functions: every input has a result.  No state.
 */

#include <stddef.h>
#include <stdint.h>

uint8_t alaw_encode(int16_t sample);

/* Never 0: the least magnitudes are +8 and -8.  Every code c has
 * alaw_encode(alaw_decode(c)) == c. */
int16_t alaw_decode(uint8_t code);

/* @n samples to @n octets, and back; the two must not overlap. */
void alaw_encode_block(const int16_t *in, uint8_t *out, size_t n);
void alaw_decode_block(const uint8_t *in, int16_t *out, size_t n);

#endif
