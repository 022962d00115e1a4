/* SPDX-License-Identifier: MIT */

#include "audio/wav.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define HDR_LEN 44U
#define RIFF_EXTRA 36U /* octets of the header that the RIFF length counts */
#define FRAMES_MAX ((UINT32_MAX - RIFF_EXTRA) / 2)
#define WRITE_SAMPLES 480U /* per pwrite() */

struct wav_writer {
	int fd;
	unsigned rate_hz;
	bool failing; /* the last write failed and was reported */
	uint64_t frames;
	uint64_t dropped;
	uint64_t header_due; /* frames at which the header is next rewritten */
};

static uint8_t *put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v & 0xffffU), v >> 16);
}

static uint8_t *put_tag(uint8_t *p, const char tag[4])
{
	for (size_t i = 0; i < 4; i++)
		*p++ = (uint8_t)tag[i];
	return p;
}

static int write_all(int fd, const uint8_t *buf, size_t len, uint64_t at)
{
	while (len > 0) {
		const ssize_t n = pwrite(fd, buf, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		buf += n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

static int write_header(struct wav_writer *w)
{
	const uint32_t data_len = (uint32_t)(w->frames * 2);
	uint8_t hdr[HDR_LEN];
	uint8_t *p = hdr;

	p = put_tag(p, "RIFF");
	p = put32(p, data_len + RIFF_EXTRA);
	p = put_tag(p, "WAVE");
	p = put_tag(p, "fmt ");
	p = put32(p, 16);
	p = put16(p, 1); /* PCM */
	p = put16(p, 1); /* channel */
	p = put32(p, w->rate_hz);
	p = put32(p, w->rate_hz * 2); /* octets a second */
	p = put16(p, 2);              /* octets a frame */
	p = put16(p, 16);             /* bits a sample */
	p = put_tag(p, "data");
	(void)put32(p, data_len);
	return write_all(w->fd, hdr, sizeof(hdr), 0);
}

int wav_create(struct wav_writer **out, const char *path, unsigned rate_hz)
{
	struct wav_writer *w;
	int err;

	*out = NULL;
	if (rate_hz != 8000 && rate_hz != 16000 && rate_hz != 48000)
		return -EINVAL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->rate_hz = rate_hz;
	w->header_due = rate_hz;
	w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	err = w->fd < 0 ? -errno : write_header(w);
	if (err < 0) {
		if (w->fd >= 0)
			(void)close(w->fd);
		free(w);
		return err;
	}
	*out = w;
	return 0;
}

static int append(struct wav_writer *w, const int16_t *samples, size_t n)
{
	uint8_t buf[WRITE_SAMPLES * 2];
	int err = 0;

	if (w->frames + n > FRAMES_MAX)
		return -EFBIG;
	for (size_t i = 0; i < n; i++)
		(void)put16(buf + 2 * i, (uint16_t)samples[i]);
	err = write_all(w->fd, buf, n * 2, HDR_LEN + w->frames * 2);
	if (err < 0)
		return err;
	/* A block that failed half-way was not counted, so it is overwritten
	 * by the next one. */
	w->frames += n;
	if (w->frames < w->header_due)
		return 0;
	w->header_due = w->frames + w->rate_hz;
	return write_header(w);
}

int wav_write(struct wav_writer *w, const int16_t *samples, size_t n)
{
	size_t done = 0;

	while (done < n) {
		const size_t left = n - done;
		const size_t step = left < WRITE_SAMPLES ? left : WRITE_SAMPLES;
		const int err = append(w, samples + done, step);
		const bool known = w->failing;

		w->failing = err < 0;
		if (err < 0) {
			w->dropped += left;
			return known ? 0 : err;
		}
		done += step;
	}
	return 0;
}

uint64_t wav_frames(const struct wav_writer *w)
{
	return w->frames;
}

uint64_t wav_dropped(const struct wav_writer *w)
{
	return w->dropped;
}

int wav_close(struct wav_writer *w)
{
	int err;

	if (!w)
		return 0;
	err = write_header(w);
	if (close(w->fd) < 0 && err == 0)
		err = -errno;
	free(w);
	return err;
}
