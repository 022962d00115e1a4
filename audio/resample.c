/* SPDX-License-Identifier: MIT */

#include "audio/resample.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

/*
 * A Kaiser window of 90 dB over 40 samples of the lower rate has its
 * transition, 0.15 of that rate, centred on half of it: at 8 kHz it is flat to
 * 3400 Hz and down from 4600 Hz.
 */
#define SPAN 40U
#define BETA 9.0

/* Rows of an adjustable table.  Between two rows the kernel is taken to be
 * straight; these keep the error under -95 dB.  Multiples of 6, so that an
 * unadjusted converter stands on rows only. */
#define ROWS_UP 480U
#define ROWS_DOWN 96U

#define CHUNK 256U /* input samples at a time */

/*
 * Positions are in rows, 32 bits before the point and 32 after.  Row p of the
 * table holds the kernel for an output p rows after an input sample; there is
 * one row more than in a sample, for what lies between the last and the next.
 */
struct resample {
	unsigned in_hz;
	unsigned out_hz;
	unsigned taps; /* input samples for one output, even; 0: copies */
	unsigned rows; /* in an input sample */
	bool adjustable;
	uint64_t step;  /* from an output to the next */
	uint64_t at;    /* of the next output, from the oldest of its taps */
	float *table;   /* [rows + 1][taps] */
	bool borrowed;  /* the table is */
	float *history; /* taps - 1 old samples, then a chunk */
};

static bool known_rate(unsigned hz)
{
	return hz == 8000 || hz == 16000 || hz == 48000;
}

/* The modified Bessel function of order 0, by its series. */
static double bessel_i0(double x)
{
	double sum = 1.0, term = 1.0;

	for (int k = 1; k < 40; k++) {
		term *= x / (2.0 * k) * (x / (2.0 * k));
		sum += term;
	}
	return sum;
}

/* The kernel @t samples of the lower rate from its centre. */
static double kernel(double t)
{
	const double u = 2.0 * t / SPAN;

	if (u * u >= 1.0)
		return 0.0;
	return (fabs(t) < 1e-9 ? 1.0 : sin(PI * t) / (PI * t)) *
	       bessel_i0(BETA * sqrt(1.0 - u * u)) / bessel_i0(BETA);
}

/* One row, scaled so that a constant passes unchanged. */
static void fill_row(const struct resample *r, unsigned p, float *row)
{
	const double low = r->in_hz > r->out_hz
				   ? (double)r->out_hz / (double)r->in_hz
				   : 1.0;
	const double centre = 0.5 * r->taps - 1.0 + (double)p / r->rows;
	double sum = 0.0;

	for (unsigned k = 0; k < r->taps; k++)
		sum += kernel((k - centre) * low);
	for (unsigned k = 0; k < r->taps; k++)
		row[k] = (float)(kernel((k - centre) * low) / sum);
}

static void set_sizes(struct resample *r)
{
	if (r->in_hz > r->out_hz) {
		r->taps = SPAN * r->in_hz / r->out_hz;
		r->rows = r->adjustable ? ROWS_DOWN : 1;
	} else {
		r->taps = SPAN;
		r->rows = r->adjustable ? ROWS_UP : r->out_hz / r->in_hz;
	}
}

static struct resample *make(unsigned in_hz, unsigned out_hz, bool adjustable)
{
	struct resample *r;

	if (!known_rate(in_hz) || !known_rate(out_hz))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->in_hz = in_hz;
	r->out_hz = out_hz;
	r->adjustable = adjustable;
	if (in_hz == out_hz && !adjustable)
		return r;
	set_sizes(r);
	r->table = calloc((size_t)(r->rows + 1) * r->taps, sizeof(*r->table));
	r->history = calloc(r->taps - 1 + CHUNK, sizeof(*r->history));
	if (!r->table || !r->history)
		return resample_free(r);
	for (unsigned p = 0; p <= r->rows; p++)
		fill_row(r, p, r->table + (size_t)p * r->taps);
	(void)resample_adjust(r, 0.0);
	resample_reset(r);
	return r;
}

struct resample *resample_new(unsigned in_hz, unsigned out_hz)
{
	return make(in_hz, out_hz, false);
}

struct resample *resample_new_adjustable(unsigned in_hz, unsigned out_hz)
{
	return make(in_hz, out_hz, true);
}

struct resample *resample_new_like(const struct resample *of)
{
	struct resample *r = malloc(sizeof(*r));

	if (!r)
		return NULL;
	*r = *of;
	r->borrowed = true;
	r->history = NULL;
	if (r->taps > 0) {
		r->history = calloc(r->taps - 1 + CHUNK, sizeof(*r->history));
		if (!r->history)
			return resample_free(r);
		resample_reset(r);
	}
	return r;
}

struct resample *resample_free(struct resample *r)
{
	if (r) {
		if (!r->borrowed)
			free(r->table);
		free(r->history);
	}
	free(r);
	return NULL;
}

int resample_adjust(struct resample *r, double ppm)
{
	const uint64_t nominal = ((uint64_t)r->rows * r->in_hz / r->out_hz)
				 << 32;

	if (!(fabs(ppm) <= RESAMPLE_PPM_MAX))
		return -EINVAL;
	if (!r->adjustable && ppm != 0.0)
		return -ENOTSUP;
	r->step = nominal + (uint64_t)llrint((double)nominal * ppm * 1e-6);
	return 0;
}

void resample_reset(struct resample *r)
{
	if (r->taps == 0)
		return;
	memset(r->history, 0, (r->taps - 1) * sizeof(*r->history));
	r->at = 0;
}

size_t resample_out_max(const struct resample *r, size_t in_n)
{
	const size_t n = in_n * r->out_hz / r->in_hz;

	return r->adjustable ? n + n / 500 + 2 : n + 1;
}

/* Four sums at once, and twice that, so that none waits for the other: an order
 * of its own choice the compiler may not take. */
typedef float lanes __attribute__((vector_size(16)));
#define LANES 4U
_Static_assert(SPAN % (2 * LANES) == 0, "what there are taps of");

static lanes load(const float *at)
{
	lanes v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static float sum_of(lanes v)
{
	return v[0] + v[1] + (v[2] + v[3]);
}

static float dot(const float *row, const float *x, unsigned n)
{
	lanes s = { 0 }, t = { 0 };

	for (unsigned i = 0; i < n; i += 2 * LANES) {
		s += load(row + i) * load(x + i);
		t += load(row + i + LANES) * load(x + i + LANES);
	}
	return sum_of(s + t);
}

/* Of the row and the one after it, @between of the way. */
static float dot_between(const float *row, float between, const float *x,
			 unsigned n)
{
	const float *next = row + n;
	lanes s[2] = { { 0 } }, t[2] = { { 0 } };

	for (unsigned i = 0; i < n; i += 2 * LANES) {
		const lanes v = load(x + i), w = load(x + i + LANES);

		s[0] += load(row + i) * v;
		s[1] += load(row + i + LANES) * w;
		t[0] += load(next + i) * v;
		t[1] += load(next + i + LANES) * w;
	}
	s[0] += s[1];
	t[0] += t[1];
	return sum_of(s[0] + between * (t[0] - s[0]));
}

static int16_t round_sample(float v)
{
	if (v >= 32767.0F)
		return INT16_MAX;
	if (v <= -32768.0F)
		return INT16_MIN;
	return (int16_t)lrintf(v);
}

/* The output @at, less than a sample, from the samples at @x on. */
static int16_t sample_at(const struct resample *r, uint64_t at, const float *x)
{
	const float *row = r->table + (size_t)(at >> 32) * r->taps;
	const float between = (float)(uint32_t)at * 0x1p-32F;

	return round_sample(between > 0.0F
				    ? dot_between(row, between, x, r->taps)
				    : dot(row, x, r->taps));
}

/* Up to a chunk: what the taps at hand suffice for. */
static size_t run_chunk(struct resample *r, const int16_t *in, size_t n,
			int16_t *out)
{
	const uint64_t sample = (uint64_t)r->rows << 32;
	const unsigned old = r->taps - 1;
	uint64_t at = r->at % sample;
	size_t from = r->at / sample, made = 0;

	for (size_t i = 0; i < n; i++)
		r->history[old + i] = in[i];
	while (from < n) {
		out[made++] = sample_at(r, at, r->history + from);
		/* A division for each would take as long as the sample. */
		for (at += r->step; at >= sample; at -= sample)
			from++;
	}
	r->at = (from - n) * sample + at;
	memmove(r->history, r->history + n, old * sizeof(*r->history));
	return made;
}

size_t resample_run(struct resample *r, const int16_t *in, size_t in_n,
		    int16_t *out)
{
	size_t made = 0;

	if (r->taps == 0) {
		made = in_n * r->out_hz / r->in_hz; /* as many */
		memcpy(out, in, made * sizeof(*in));
		return made;
	}
	for (size_t at = 0; at < in_n; at += CHUNK) {
		const size_t left = in_n - at;

		made += run_chunk(r, in + at, left < CHUNK ? left : CHUNK,
				  out + made);
	}
	return made;
}

size_t resample_delay(const struct resample *r)
{
	return (size_t)r->taps / 2 * r->out_hz / r->in_hz;
}

void resample_skip_delay(struct resample *r)
{
	r->at += ((uint64_t)r->taps / 2 * r->rows) << 32;
}
