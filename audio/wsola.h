/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_WSOLA_H
#define AUDIO_WSOLA_H

/*
 * Speech made longer or shorter without a change of pitch: one stretch of 5 to
 * 15 ms is played twice or left out, where the waveform resembles itself most,
 * and joined by overlap-add (Verhelst and Roelands, "An overlap-add technique
 * based on waveform similarity", ICASSP 1993).
 *
 * Samples of 16 bits at 8 kHz.  Pure; no allocation.
 */

#include <stddef.h>
#include <stdint.h>

#define WSOLA_LAG_MIN 40U  /* samples: 5 ms */
#define WSOLA_LAG_MAX 120U /* 15 ms */
#define WSOLA_JOIN 40U     /* samples of overlap */
#define WSOLA_NEED (WSOLA_LAG_MAX + WSOLA_JOIN)

/*
 * Both leave the first sample and the last as they are, and change nothing
 * when there are fewer than WSOLA_NEED samples, or speech that does not
 * resemble itself.  They return how many samples there are now.
 */
/* By at most @most samples. */
size_t wsola_shrink(int16_t *pcm, size_t n, size_t most);
/* @cap is at least @n + WSOLA_LAG_MAX. */
size_t wsola_stretch(int16_t *pcm, size_t n, size_t cap);

/* The lag at which the @n samples at @pcm resemble most what came before them;
 * WSOLA_LAG_MAX samples before @pcm are read. */
uint32_t wsola_lag_back(const int16_t *pcm, size_t n);

#endif
