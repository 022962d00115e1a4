/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_WAV_H
#define AUDIO_WAV_H

/*
 * WAV files of mono 16-bit PCM at 8, 16 or 48 kHz: a reader that tolerates
 * what real programs write, and a writer whose file is readable at any moment.
 *
 * Both block on the disk and therefore serve the simulated radio, tests and
 * tools, never the real-time thread.  A frame is one sample.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define WAV_WHY_MAX 128U /* octets of a reason, NUL included */

struct wav_reader;
struct wav_writer;

struct wav_info {
	unsigned rate_hz; /* 8000, 16000 or 48000 */
	uint64_t frames;  /* present in the file, whatever its header says */
	bool truncated;   /* the header announces more than there is */
};

/*
 * Open @path for reading.  Chunks other than fmt and data are skipped,
 * WAVE_FORMAT_EXTENSIBLE is understood, a data chunk that ends early gives
 * what is there.
 *
 * Returns 0 and an owned *@out, -EINVAL for a file that is not such a WAV, or
 * the -errno of opening or reading it; on any error @why tells the reason in
 * a person's words, without the path, and *@out is NULL.
 */
int wav_open(struct wav_reader **out, const char *path, char why[WAV_WHY_MAX]);

/* The same from a seekable stream, which is closed in every case. */
int wav_open_stream(struct wav_reader **out, FILE *stream,
		    char why[WAV_WHY_MAX]);

struct wav_info wav_info(const struct wav_reader *r);

/* Read up to @n samples.  Returns their number, 0 at the end, or -errno. */
ssize_t wav_read(struct wav_reader *r, int16_t *out, size_t n);

/* Accepts NULL; returns NULL. */
struct wav_reader *wav_reader_free(struct wav_reader *r);

/*
 * Create @path, or empty it, for samples at @rate_hz (8000, 16000 or 48000).
 *
 * The header is brought up to date after each second of samples and at the
 * end, and samples reach the kernel at once, so a killed process leaves a
 * readable file.  Returns 0 and an owned *@out, -EINVAL for another rate, or
 * -errno, with *@out NULL.
 */
int wav_create(struct wav_writer **out, const char *path, unsigned rate_hz);

/*
 * Append @n samples.  A failure (-ENOSPC on a full disk, -EFBIG at 4 GiB,
 * -EIO) is returned once; until a write succeeds again, the samples of later
 * calls are dropped and 0 is returned.
 */
int wav_write(struct wav_writer *w, const int16_t *samples, size_t n);

uint64_t wav_frames(const struct wav_writer *w);  /* written so far */
uint64_t wav_dropped(const struct wav_writer *w); /* lost to failed writes */

/* Write the final header and free @w in every case; accepts NULL.  Returns 0
 * or the -errno of the header or of close(). */
int wav_close(struct wav_writer *w);

#endif
