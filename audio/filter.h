/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_FILTER_H
#define AUDIO_FILTER_H

/*
 * Filters between a radio and the voice path, at 8 kHz, in place.
 *
 *	high-pass     Chebyshev of order 8, within 0.1 dB from 300 Hz on.  Takes
 *	              out CTCSS: 203.5 Hz and below by 40 dB and more, 225.7 Hz
 *	              by 30 dB, the highest tone, 254.1 Hz, by 18 dB.
 *	de-emphasis   -6 dB an octave, 300..3000 Hz, 0 dB at 1 kHz: for audio
 *	              taken at the discriminator.  Time constant 530.5 us, the
 *	              corner at 300 Hz (TIA-603).
 *	pre-emphasis  its exact inverse: for a modulator that takes flat audio.
 *
 * Both emphases are within 0.3 dB of the RC network from 300 to 3000 Hz; a
 * plain bilinear transform would be 5 dB off at the upper end.  Pre-emphasis
 * adds 9 dB at 3 kHz: a limiter (limiter.h) belongs behind it.
 *
 * Pure; no allocation.
 */

#include <stddef.h>
#include <stdint.h>

#define FILTER_HZ 8000.0
#define FILTER_SECTIONS_MAX 4U
#define FILTER_EMPHASIS_US 530.5

/* y = b0 x + b1 x1 + b2 x2 - a1 y1 - a2 y2, transposed: two memories. */
struct filter_section {
	double b[3];
	double a[2];
	double z[2];
};

struct filter {
	unsigned n;
	struct filter_section section[FILTER_SECTIONS_MAX];
};

void filter_high_pass_300(struct filter *f);
void filter_de_emphasis(struct filter *f);
void filter_pre_emphasis(struct filter *f);
/* Butterworth of order 2, for measuring what lies below @hz (20..3000). */
void filter_low_pass(struct filter *f, double hz);

/* One sample, of any scale; and @n of them, saturated. */
double filter_step(struct filter *f, double x);
void filter_run(struct filter *f, int16_t *samples, size_t n);

#endif
