/* SPDX-License-Identifier: MIT */

#include "tests/vm/fob_audio.h"

#include <math.h>
#include <stdlib.h>

static void meter(struct fob_audio *a, int sample, uint32_t rate)
{
	const int magnitude = abs(sample);

	a->square_sum += (double)sample * sample;
	if (magnitude > a->peak)
		a->peak = magnitude;
	if (sample > 0 && a->last <= 0)
		a->crossings++;
	if (sample != 0)
		a->last = sample;
	if (++a->samples < rate / 10)
		return;
	a->meter.rms = sqrt(a->square_sum / a->samples);
	a->meter.peak = a->peak;
	a->meter.hz = (double)a->crossings * rate / a->samples;
	a->square_sum = 0;
	a->peak = 0;
	a->crossings = 0;
	a->samples = 0;
}

/* Does a sound begin here? */
static bool begins(struct fob_audio *a, int sample)
{
	const bool quiet = a->quiet >= FOB_ONSET_QUIET;

	if (abs(sample) < FOB_ONSET_PEAK / 2)
		a->quiet += a->quiet <= FOB_ONSET_QUIET;
	else if (abs(sample) >= FOB_ONSET_PEAK || !quiet)
		a->quiet = 0;
	return quiet && abs(sample) >= FOB_ONSET_PEAK;
}

struct fob_edges fob_audio_play(struct fob_audio *a, const uint8_t *data,
				size_t len, uint32_t rate)
{
	struct fob_edges edges = { FOB_NO_EDGE, FOB_NO_EDGE };

	if (a->out)
		(void)fwrite(data, 1, len, a->out);
	for (size_t i = 0; i + 3 < len; i += 4) {
		const int16_t left =
			(int16_t)(uint16_t)(data[i] | data[i + 1] << 8);

		meter(a, left, rate);
		if (begins(a, left))
			edges.onset = i / 4;
		else if (a->quiet == FOB_ONSET_QUIET)
			edges.quiet = i / 4;
		a->loop[a->loop_wr++ % FOB_LOOP_SAMPLES] = left;
		if (a->loop_wr - a->loop_rd > FOB_LOOP_SAMPLES)
			a->loop_rd = a->loop_wr - FOB_LOOP_SAMPLES;
	}
	return edges;
}

static int16_t tone(struct fob_audio *a, uint32_t rate)
{
	const double v = a->tone_amplitude * sin(a->tone_phase);

	a->tone_phase =
		fmod(a->tone_phase + 2 * M_PI * a->tone_hz / rate, 2 * M_PI);
	return (int16_t)lrint(v);
}

static int16_t from_file(struct fob_audio *a)
{
	int16_t v = 0;

	if (!a->in || fread(&v, sizeof(v), 1, a->in) != 1)
		return 0;
	return v;
}

static int16_t sample(struct fob_audio *a, uint32_t rate)
{
	switch (a->source) {
	case FOB_TONE:
		return tone(a, rate);
	case FOB_LOOP:
		if (a->loop_rd == a->loop_wr)
			return 0;
		return a->loop[a->loop_rd++ % FOB_LOOP_SAMPLES];
	case FOB_RAMP:
		return (int16_t)a->ramp++;
	case FOB_FILE:
		return from_file(a);
	case FOB_SILENCE:
		break;
	}
	return 0;
}

void fob_audio_capture(struct fob_audio *a, uint8_t *out, size_t n,
		       uint32_t rate)
{
	for (size_t i = 0; i < n; i++) {
		const double s = sample(a, rate) * a->gain;
		const uint16_t v = (uint16_t)(int16_t)lrint(
			fmin(fmax(s, INT16_MIN), INT16_MAX));

		out[2 * i] = (uint8_t)v;
		out[2 * i + 1] = (uint8_t)(v >> 8);
	}
}
