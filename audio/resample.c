/* SPDX-License-Identifier: MIT */

#include "audio/resample.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <speex/speex_resampler.h>

/* Of 0..10: the least that is flat up to 3400 Hz; it delays by 4 ms. */
#define QUALITY 4

struct resample {
	SpeexResamplerState *state; /* NULL: the rates are equal */
	unsigned in_hz;
	unsigned out_hz;
};

static bool known_rate(unsigned hz)
{
	return hz == 8000 || hz == 16000 || hz == 48000;
}

struct resample *resample_new(unsigned in_hz, unsigned out_hz)
{
	struct resample *r;
	int err = 0;

	if (!known_rate(in_hz) || !known_rate(out_hz))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->in_hz = in_hz;
	r->out_hz = out_hz;
	if (in_hz == out_hz)
		return r;
	r->state = speex_resampler_init(1, in_hz, out_hz, QUALITY, &err);
	if (!r->state)
		return resample_free(r);
	return r;
}

struct resample *resample_free(struct resample *r)
{
	if (r && r->state)
		speex_resampler_destroy(r->state);
	free(r);
	return NULL;
}

void resample_reset(struct resample *r)
{
	if (r->state)
		(void)speex_resampler_reset_mem(r->state);
}

size_t resample_out_max(const struct resample *r, size_t in_n)
{
	return in_n * r->out_hz / r->in_hz + 1;
}

size_t resample_run(struct resample *r, const int16_t *in, size_t in_n,
		    int16_t *out)
{
	const size_t cap = resample_out_max(r, in_n);
	size_t used = 0, made = 0;

	if (!r->state) {
		memcpy(out, in, in_n * sizeof(*in));
		return in_n;
	}
	while (used < in_n) {
		spx_uint32_t in_len = (spx_uint32_t)(in_n - used);
		spx_uint32_t out_len = (spx_uint32_t)(cap - made);

		(void)speex_resampler_process_int(
			r->state, 0, in + used, &in_len, out + made, &out_len);
		used += in_len;
		made += out_len;
		if (in_len == 0 && out_len == 0)
			break;
	}
	assert(used == in_n);
	return made;
}

size_t resample_delay(const struct resample *r)
{
	if (!r->state)
		return 0;
	return (size_t)speex_resampler_get_output_latency(r->state);
}

void resample_skip_delay(struct resample *r)
{
	if (r->state)
		(void)speex_resampler_skip_zeros(r->state);
}
