/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_WAV_SOURCE_H
#define AUDIO_WAV_SOURCE_H

/*
 * A WAV file of any rate that wav.h reads, as a stream of samples at 8 kHz.
 * The first sample out belongs to the first in the file, and the stream is as
 * long as the file.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "audio/wav.h"

#define WAV_SOURCE_HZ 8000U

struct wav_source;

/* As wav_open(). */
int wav_source_open(struct wav_source **out, const char *path,
		    char why[WAV_WHY_MAX]);

/* Samples that the whole file gives. */
uint64_t wav_source_total(const struct wav_source *s);

/* Read up to @n samples; fewer only at the end.  Returns their number, 0 at
 * the end, or -errno. */
ssize_t wav_source_read(struct wav_source *s, int16_t *out, size_t n);

/* Accepts NULL; returns NULL. */
struct wav_source *wav_source_free(struct wav_source *s);

#endif
