/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_RESAMPLE_H
#define AUDIO_RESAMPLE_H

/*
 * Sample rate conversion between 8, 16 and 48 kHz.
 *
 * 300..3400 Hz passes flat within 0.1 dB, what would alias into that band is
 * attenuated by 80 dB or more, and 48 to 8 kHz or back delays by 2.5 ms.
 * (With 16 kHz as the lower rate: to 6800 Hz and 1.25 ms.)
 *
 * An adjustable converter follows the clock of a sound device: its ratio
 * changes at any time, by any fraction, without a step in the sound.  Its
 * table takes 80 KiB, and it does the double of the work while adjusted.
 *
 * A converter belongs to one thread; only what makes one allocates.
 */

#include <stddef.h>
#include <stdint.h>

struct resample;

/* NULL when a rate is not 8000, 16000 or 48000, or memory is short. */
struct resample *resample_new(unsigned in_hz, unsigned out_hz);
/* The same; with equal rates too it has a delay and can be adjusted. */
struct resample *resample_new_adjustable(unsigned in_hz, unsigned out_hz);
/* Another like @of, with the same table: @of is freed after it. */
struct resample *resample_new_like(const struct resample *of);
struct resample *resample_free(struct resample *r);

#define RESAMPLE_PPM_MAX 1000.0

/*
 * Take @ppm millionths more of input for the same output from now on (less when
 * it is negative).  0; -EINVAL beyond RESAMPLE_PPM_MAX, -ENOTSUP when @r is not
 * adjustable; then nothing has changed.
 */
int resample_adjust(struct resample *r, double ppm);

/* Forget what was fed: the next sample is the first. */
void resample_reset(struct resample *r);

/* The most samples that one resample_run() of @in_n samples can give. */
size_t resample_out_max(const struct resample *r, size_t in_n);

/*
 * Convert all of @in; @out has room for resample_out_max(@in_n) samples.
 * Returns the number written, which from call to call may differ by one.
 */
size_t resample_run(struct resample *r, const int16_t *in, size_t in_n,
		    int16_t *out);

/* How far the output runs behind the input, in output samples. */
size_t resample_delay(const struct resample *r);

/*
 * Leave out that delay: the first sample out will belong to the first sample
 * in.  For files, before the first resample_run(); the end then needs zeros
 * fed after it.
 */
void resample_skip_delay(struct resample *r);

#endif
