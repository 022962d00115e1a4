/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_CTCSS_H
#define AUDIO_CTCSS_H

/*
 * CTCSS (TIA-603): the tones below 300 Hz that tell whose signal it is.  To
 * send one is tone_on() with a frequency of the table, and tone_reverse() about
 * 150 ms before the carrier goes.
 *
 * The decoder correlates 250 ms with the tone, with the standard tones next to
 * it, and with eight frequencies around it where a tone of that length leaves
 * nothing: those tell the noise.  It opens after two looks, 50 ms apart, with
 * the tone 16 dB over the noise and stronger than its neighbours, which takes
 * 150..300 ms; it closes after two looks with it gone, within 250 ms.
 *
 * At 8 kHz, on audio before the high-pass.  Pure; no allocation.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTCSS_PROBES 11U /* the tone, two neighbours, eight for the noise */
#define CTCSS_PARTS 5U   /* of 50 ms */

/* The tones in use, in Hz, rising. */
extern const double ctcss_tones[];
extern const size_t ctcss_tones_n;

struct ctcss_sum {
	double re, im;
};

struct ctcss_probe {
	struct ctcss_sum at;   /* a vector that turns at the frequency */
	struct ctcss_sum turn; /* what a sample turns it by */
	struct ctcss_sum part[CTCSS_PARTS];
};

struct ctcss {
	struct ctcss_probe probe[CTCSS_PROBES];
	double floor;   /* the least amplitude that counts */
	unsigned part;  /* being filled */
	unsigned n;     /* samples in it */
	unsigned votes; /* looks in a row against the state */
	bool open;
};

/* @hz is 60..260, @floor_dbfs the level below which a tone does not count. */
void ctcss_init(struct ctcss *c, double hz, double floor_dbfs);

/* Returns whether the tone is there, after these @n samples. */
bool ctcss_run(struct ctcss *c, const int16_t *samples, size_t n);

#endif
