/* SPDX-License-Identifier: MIT */

#include "audio/wav.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT_PCM 0x0001U
#define FORMAT_FLOAT 0x0003U
#define FORMAT_ALAW 0x0006U
#define FORMAT_ULAW 0x0007U
#define FORMAT_EXTENSIBLE 0xfffeU

#define CHUNK_HDR_LEN 8U
#define FMT_LEN 16U
#define FMT_EXTENSIBLE_LEN 40U
#define SUBFORMAT_AT 24U  /* in an extensible fmt chunk */
#define CHUNKS_MAX 1000U  /* ends the walk through a file made to be long */
#define READ_SAMPLES 480U /* per fread() */

struct wav_reader {
	FILE *stream;
	uint64_t left; /* frames not yet read */
	struct wav_info info;
};

__attribute__((format(printf, 3, 4))) static int
refuse(char why[WAV_WHY_MAX], int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, WAV_WHY_MAX, fmt, ap);
	va_end(ap);
	return err;
}

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

/* Octets read, or -errno. */
static ssize_t read_some(FILE *stream, void *buf, size_t len)
{
	size_t got;

	errno = 0;
	got = fread(buf, 1, len, stream);
	if (got < len && ferror(stream))
		return errno ? -errno : -EIO;
	return (ssize_t)got;
}

static int read_exactly(FILE *stream, void *buf, size_t len, const char *what,
			char why[WAV_WHY_MAX])
{
	const ssize_t got = read_some(stream, buf, len);

	if (got < 0)
		return refuse(why, (int)got, "cannot be read: %s",
			      strerror((int)-got));
	if ((size_t)got < len)
		return refuse(why, -EINVAL, "ends within %s", what);
	return 0;
}

static int check_coding(unsigned format, char why[WAV_WHY_MAX])
{
	switch (format) {
	case FORMAT_PCM:
		return 0;
	case FORMAT_FLOAT:
		return refuse(why, -EINVAL,
			      "holds floating-point samples, not 16-bit PCM");
	case FORMAT_ALAW:
	case FORMAT_ULAW:
		return refuse(why, -EINVAL,
			      "holds %s-law samples, not 16-bit PCM",
			      format == FORMAT_ALAW ? "A" : "u");
	default:
		return refuse(why, -EINVAL,
			      "holds samples of format 0x%04x, not 16-bit PCM",
			      format);
	}
}

/* What the fmt chunk says, once its octets are in memory. */
static int check_fmt(const uint8_t *fmt, size_t len, unsigned *rate_hz,
		     char why[WAV_WHY_MAX])
{
	const unsigned channels = le16(fmt + 2);
	const uint32_t rate = le32(fmt + 4);
	const unsigned bits = le16(fmt + 14);
	unsigned format = le16(fmt);
	int err;

	if (format == FORMAT_EXTENSIBLE) {
		if (len < FMT_EXTENSIBLE_LEN)
			return refuse(why, -EINVAL,
				      "has an extensible fmt chunk of %zu "
				      "octets; %u are needed",
				      len, FMT_EXTENSIBLE_LEN);
		format = le16(fmt + SUBFORMAT_AT);
	}
	err = check_coding(format, why);
	if (err < 0)
		return err;
	if (channels != 1)
		return refuse(why, -EINVAL,
			      "has %u channels; 1 (mono) is needed", channels);
	if (bits != 16)
		return refuse(why, -EINVAL, "has %u-bit samples; 16 are needed",
			      bits);
	if (rate != 8000 && rate != 16000 && rate != 48000)
		return refuse(why, -EINVAL,
			      "has a rate of %lu Hz; 8000, 16000 or 48000 is "
			      "needed",
			      (unsigned long)rate);
	*rate_hz = rate;
	return 0;
}

static int skip(FILE *stream, uint64_t len, char why[WAV_WHY_MAX])
{
	if (fseeko(stream, (off_t)len, SEEK_CUR) < 0)
		return refuse(why, -errno, "cannot be searched: %s",
			      strerror(errno));
	return 0;
}

static int read_fmt(struct wav_reader *r, uint32_t len, char why[WAV_WHY_MAX])
{
	uint8_t fmt[FMT_EXTENSIBLE_LEN];
	const size_t n = len < sizeof(fmt) ? len : sizeof(fmt);
	int err;

	if (len < FMT_LEN)
		return refuse(why, -EINVAL,
			      "has a fmt chunk of %lu octets; 16 are needed",
			      (unsigned long)len);
	err = read_exactly(r->stream, fmt, n, "the fmt chunk", why);
	if (err < 0)
		return err;
	err = check_fmt(fmt, n, &r->info.rate_hz, why);
	if (err < 0)
		return err;
	return skip(r->stream, (uint64_t)len - n + (len & 1), why);
}

/* Measure the data that is really there and go to its start. */
static int find_data_end(struct wav_reader *r, uint32_t len,
			 char why[WAV_WHY_MAX])
{
	const off_t start = ftello(r->stream);
	uint64_t there;
	off_t end;

	if (start < 0 || fseeko(r->stream, 0, SEEK_END) < 0)
		return refuse(why, -errno, "cannot be searched: %s",
			      strerror(errno));
	end = ftello(r->stream);
	if (end < 0 || fseeko(r->stream, start, SEEK_SET) < 0)
		return refuse(why, -errno, "cannot be searched: %s",
			      strerror(errno));
	there = end > start ? (uint64_t)(end - start) : 0;
	r->info.truncated = there < len;
	r->info.frames = (r->info.truncated ? there : len) / 2;
	r->left = r->info.frames;
	return 0;
}

/* Walk the chunks up to the samples. */
static int find_samples(struct wav_reader *r, char why[WAV_WHY_MAX])
{
	for (unsigned i = 0; i < CHUNKS_MAX; i++) {
		uint8_t head[CHUNK_HDR_LEN];
		uint32_t len;
		int err;

		err = read_exactly(r->stream, head, sizeof(head),
				   "its chunks, before any samples", why);
		if (err < 0)
			return err;
		len = le32(head + 4);
		if (memcmp(head, "data", 4) == 0) {
			if (r->info.rate_hz == 0)
				return refuse(why, -EINVAL,
					      "has no fmt chunk before its "
					      "samples");
			return find_data_end(r, len, why);
		}
		if (memcmp(head, "fmt ", 4) == 0)
			err = read_fmt(r, len, why);
		else
			err = skip(r->stream, (uint64_t)len + (len & 1), why);
		if (err < 0)
			return err;
	}
	return refuse(why, -EINVAL,
		      "has more than %u chunks before its "
		      "samples",
		      CHUNKS_MAX);
}

static int read_header(struct wav_reader *r, char why[WAV_WHY_MAX])
{
	uint8_t riff[12];
	int err;

	err = read_exactly(r->stream, riff, sizeof(riff), "the RIFF header",
			   why);
	if (err < 0)
		return err;
	if (memcmp(riff, "RIFF", 4) != 0 || memcmp(riff + 8, "WAVE", 4) != 0)
		return refuse(why, -EINVAL, "is not a RIFF/WAVE file");
	return find_samples(r, why);
}

int wav_open_stream(struct wav_reader **out, FILE *stream,
		    char why[WAV_WHY_MAX])
{
	struct wav_reader *r = calloc(1, sizeof(*r));
	int err;

	*out = NULL;
	why[0] = '\0';
	if (!r) {
		(void)fclose(stream);
		return refuse(why, -ENOMEM, "there is not enough memory");
	}
	r->stream = stream;
	err = read_header(r, why);
	if (err < 0) {
		(void)wav_reader_free(r);
		return err;
	}
	*out = r;
	return 0;
}

/* A FIFO or device could block for ever: only regular files are opened. */
static int open_regular(const char *path, FILE **out, char why[WAV_WHY_MAX])
{
	struct stat st;
	int err = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return refuse(why, -errno, "cannot be opened: %s",
			      strerror(errno));
	if (fstat(fd, &st) < 0)
		err = refuse(why, -errno, "cannot be read: %s",
			     strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err = refuse(why, -EINVAL, "is not a regular file");
	if (err == 0) {
		*out = fdopen(fd, "rb");
		if (*out)
			return 0;
		err = refuse(why, -errno, "cannot be opened: %s",
			     strerror(errno));
	}
	(void)close(fd);
	return err;
}

int wav_open(struct wav_reader **out, const char *path, char why[WAV_WHY_MAX])
{
	FILE *stream = NULL;
	int err;

	*out = NULL;
	err = open_regular(path, &stream, why);
	if (!stream)
		return err;
	return wav_open_stream(out, stream, why);
}

struct wav_info wav_info(const struct wav_reader *r)
{
	return r->info;
}

ssize_t wav_read(struct wav_reader *r, int16_t *out, size_t n)
{
	size_t done = 0;

	while (done < n && r->left > 0) {
		uint8_t buf[READ_SAMPLES * 2];
		size_t want = n - done < READ_SAMPLES ? n - done : READ_SAMPLES;
		ssize_t got;

		if (want > r->left)
			want = (size_t)r->left;
		got = read_some(r->stream, buf, want * 2);
		if (got < 0)
			return got;
		for (size_t i = 0; i < (size_t)got / 2; i++)
			out[done + i] = (int16_t)le16(buf + 2 * i);
		done += (size_t)got / 2;
		r->left -= (size_t)got / 2;
		/* The file shrank since it was opened. */
		if ((size_t)got < want * 2)
			r->left = 0;
	}
	return (ssize_t)done;
}

struct wav_reader *wav_reader_free(struct wav_reader *r)
{
	if (r) {
		(void)fclose(r->stream);
		free(r);
	}
	return NULL;
}
