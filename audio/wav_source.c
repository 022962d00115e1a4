/* SPDX-License-Identifier: MIT */

#include "audio/wav_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audio/resample.h"

#define IN_MAX 960U  /* 20 ms at 48 kHz */
#define OUT_MAX 161U /* what they can become at 8 kHz */

struct wav_source {
	struct wav_reader *wav;
	struct resample *resample;
	size_t in_block; /* 20 ms at the file's rate */
	uint64_t total;  /* samples at 8 kHz */
	uint64_t left;   /* of them, not yet given */
	int16_t ready[OUT_MAX];
	size_t ready_n;
	size_t ready_at;
};

int wav_source_open(struct wav_source **out, const char *path,
		    char why[WAV_WHY_MAX])
{
	struct wav_source *s;
	struct wav_info info;
	int err;

	*out = NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		(void)snprintf(why, WAV_WHY_MAX, "there is not enough memory");
		return -ENOMEM;
	}
	err = wav_open(&s->wav, path, why);
	if (err < 0) {
		(void)wav_source_free(s);
		return err;
	}
	info = wav_info(s->wav);
	s->resample = resample_new(info.rate_hz, WAV_SOURCE_HZ);
	if (!s->resample) {
		(void)snprintf(why, WAV_WHY_MAX, "there is not enough memory");
		(void)wav_source_free(s);
		return -ENOMEM;
	}
	resample_skip_delay(s->resample);
	s->in_block = info.rate_hz / 50;
	s->total = info.frames * WAV_SOURCE_HZ / info.rate_hz;
	s->left = s->total;
	*out = s;
	return 0;
}

uint64_t wav_source_total(const struct wav_source *s)
{
	return s->total;
}

/* Convert the next 20 ms of the file; after its end, zeros push out what the
 * resampler still holds. */
static int refill(struct wav_source *s)
{
	int16_t in[IN_MAX];
	const ssize_t got = wav_read(s->wav, in, s->in_block);

	if (got < 0)
		return (int)got;
	memset(in + got, 0, (s->in_block - (size_t)got) * sizeof(*in));
	s->ready_n = resample_run(s->resample, in, s->in_block, s->ready);
	s->ready_at = 0;
	return 0;
}

ssize_t wav_source_read(struct wav_source *s, int16_t *out, size_t n)
{
	size_t done = 0;

	if (n > s->left)
		n = (size_t)s->left;
	while (done < n) {
		size_t step = s->ready_n - s->ready_at;

		if (step == 0) {
			const int err = refill(s);

			if (err < 0)
				return err;
			continue;
		}
		if (step > n - done)
			step = n - done;
		memcpy(out + done, s->ready + s->ready_at, step * sizeof(*out));
		s->ready_at += step;
		done += step;
	}
	s->left -= done;
	return (ssize_t)done;
}

struct wav_source *wav_source_free(struct wav_source *s)
{
	if (s) {
		(void)wav_reader_free(s->wav);
		(void)resample_free(s->resample);
		free(s);
	}
	return NULL;
}
