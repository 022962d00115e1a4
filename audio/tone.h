/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_TONE_H
#define AUDIO_TONE_H

/*
 * A sine by recurrence: a vector turned by a fixed angle each sample.  It fades
 * in and out over 5 ms along half a cosine, and goes on in phase when its
 * frequency or level changes, so that it never clicks.  Harmonics and noise are
 * those of rounding to 16 bits.  At 8 kHz.  Pure; no allocation.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TONE_HZ 8000.0
#define TONE_FADE 40U /* samples */

struct tone {
	double re, im;           /* where the vector is, of length 1 */
	double turn_re, turn_im; /* what a sample turns it by */
	double amplitude;
	double goal;   /* of the amplitude, reached within a fade */
	double from;   /* the amplitude at the fade's start */
	unsigned fade; /* samples of it left */
};

void tone_init(struct tone *t);

/* Sound at @hz (1..4000) and a peak of @dbfs (at most 0) from the next sample
 * on. */
void tone_on(struct tone *t, double hz, double dbfs);

/* Fade out. */
void tone_off(struct tone *t);

/* Nothing is left to hear. */
bool tone_silent(const struct tone *t);

/* Turn the phase by half a period: the "reverse burst" that closes a CTCSS
 * decoder before the carrier goes. */
void tone_reverse(struct tone *t);

/* Add it to @n samples, saturating. */
void tone_add(struct tone *t, int16_t *samples, size_t n);

#endif
