/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VM_FOB_AUDIO_H
#define TESTS_VM_FOB_AUDIO_H

/*
 * What the fob's microphone input hears and what becomes of what its speaker
 * output plays: tones, files, ramps, and meters.  Samples are S16_LE; playback
 * is stereo, of which the left channel is metered; capture is mono.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FOB_LOOP_SAMPLES 65536U
/* What counts as a sound that begins: so loud, after so many samples that are
 * not half as loud. */
#define FOB_ONSET_PEAK 1000
#define FOB_ONSET_QUIET 2400U
#define FOB_NO_EDGE SIZE_MAX

enum fob_source {
	FOB_SILENCE,
	FOB_TONE,
	FOB_LOOP, /* what is being played */
	FOB_RAMP, /* each sample one more than the last: any slip shows */
	FOB_FILE, /* raw S16_LE */
};

/* Of the last 100 ms. */
struct fob_meter {
	double rms;
	int peak;
	double hz; /* by zero crossings */
};

struct fob_audio {
	double gain; /* of what is captured */
	enum fob_source source;
	bool changed; /* the source, since this was last cleared */
	double tone_hz, tone_amplitude, tone_phase;
	uint16_t ramp;
	FILE *in;  /* of FOB_FILE; owned */
	FILE *out; /* all that is played goes here; NULL: nowhere; owned */
	int16_t loop[FOB_LOOP_SAMPLES];
	unsigned loop_wr, loop_rd;
	struct fob_meter meter;
	/* the 100 ms under way */
	double square_sum;
	int peak, last;
	unsigned crossings, samples;
	unsigned quiet; /* samples since it was loud */
};

/* Samples among those played, or FOB_NO_EDGE: the one with which a sound
 * began, and the one at which FOB_ONSET_QUIET of silence were complete. */
struct fob_edges {
	size_t onset, quiet;
};

/* Play @len octets at @rate. */
struct fob_edges fob_audio_play(struct fob_audio *a, const uint8_t *data,
				size_t len, uint32_t rate);
/* Capture @n samples at @rate to @out, 2 octets each. */
void fob_audio_capture(struct fob_audio *a, uint8_t *out, size_t n,
		       uint32_t rate);

#endif
