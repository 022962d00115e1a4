/* SPDX-License-Identifier: MIT */

/*
 * An ALSA plug-in whose card is two lines of shared memory (line.h):
 *
 *	pcm_type.line { lib ".../libasound_module_pcm_line.so" }
 *	pcm.radio { type line  tx "a"  rx "b" }
 *
 * Paced by CLOCK_MONOTONIC; it breaks off when it is read or written too late,
 * as hardware does.
 */

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

#include "tests/line/line.h"

struct card {
	snd_pcm_ioplug_t io;
	struct line_frame *line;
	int64_t zero; /* the line's frame of the stream's first */
	snd_pcm_uframes_t boundary, avail_min;
	int16_t *before; /* written before the start */
	bool running;
};

static bool plays(const struct card *c)
{
	return c->io.stream == SND_PCM_STREAM_PLAYBACK;
}

/* Frames read or written, less what was taken back. */
static int64_t moved(const struct card *c)
{
	return (int64_t)c->io.appl_ptr;
}

static int64_t clocked(const struct card *c)
{
	const int64_t n = c->running ? line_now() - c->zero : 0;

	return n > 0 ? n : 0;
}

static int64_t avail(const struct card *c)
{
	const int64_t ahead = moved(c) - clocked(c);

	return plays(c) ? (int64_t)c->io.buffer_size - ahead : -ahead;
}

/* Readable when avail_min is reached. */
static void arm(const struct card *c)
{
	const int64_t need = (int64_t)c->avail_min - avail(c);
	const int64_t ns = need * 1000000000 / LINE_HZ + 20000;
	struct itimerspec t = { { 0, 0 }, { 0, 1 } };

	if (need > 0 && c->running)
		t.it_value =
			(struct timespec){ ns / 1000000000, ns % 1000000000 };
	else if (need > 0)
		t.it_value.tv_nsec = 0;
	(void)timerfd_settime(c->io.poll_fd, 0, &t, NULL);
}

static int card_start(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;

	c->zero = line_now() + 1;
	c->running = true;
	for (int64_t i = 0; plays(c) && i < moved(c); i++)
		line_put(c->line, c->zero + i, c->before[i]);
	arm(c);
	return 0;
}

/* What has not sounded is taken back. */
static int card_stop(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;

	for (int64_t f = clocked(c) + 1; plays(c) && c->running && f < moved(c);
	     f++)
		line_put(c->line, c->zero + f, 0);
	c->running = false;
	return 0;
}

static int card_prepare(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;

	c->running = false;
	free(c->before);
	c->before = calloc(io->buffer_size, sizeof(*c->before));
	return c->before ? 0 : -ENOMEM;
}

static snd_pcm_sframes_t card_pointer(snd_pcm_ioplug_t *io)
{
	const struct card *c = io->private_data;

	if (avail(c) > (int64_t)io->buffer_size)
		return -EPIPE;
	return (snd_pcm_sframes_t)((uint64_t)clocked(c) %
				   (c->boundary ? c->boundary : UINT32_MAX));
}

static void move(struct card *c, int64_t n, int16_t *frame)
{
	const unsigned channels = c->io.channels;
	const int64_t at = c->zero + n;

	if (!plays(c)) {
		for (unsigned k = 0; k < channels; k++)
			frame[k] = line_get(c->line, at);
	} else if (c->running) {
		line_put(c->line, at, frame[0]);
	} else {
		c->before[(snd_pcm_uframes_t)n % c->io.buffer_size] = frame[0];
	}
}

static snd_pcm_sframes_t card_transfer(snd_pcm_ioplug_t *io,
				       const snd_pcm_channel_area_t *areas,
				       snd_pcm_uframes_t offset,
				       snd_pcm_uframes_t size)
{
	struct card *c = io->private_data;
	int16_t *at = (int16_t *)areas->addr +
		      (areas->first + areas->step * offset) / 16;

	for (snd_pcm_uframes_t i = 0; i < size; i++)
		move(c, moved(c) + (int64_t)i, at + i * io->channels);
	return (snd_pcm_sframes_t)size;
}

static int card_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *sw)
{
	struct card *c = io->private_data;

	(void)snd_pcm_sw_params_get_avail_min(sw, &c->avail_min);
	(void)snd_pcm_sw_params_get_boundary(sw, &c->boundary);
	return 0;
}

static int card_delay(snd_pcm_ioplug_t *io, snd_pcm_sframes_t *delay)
{
	const struct card *c = io->private_data;
	const int64_t a = avail(c);

	*delay = plays(c) ? (int64_t)io->buffer_size - a : a;
	return 0;
}

static int card_fds(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned n)
{
	if (n < 1)
		return -EINVAL;
	arm(io->private_data);
	*fds = (struct pollfd){ .fd = io->poll_fd, .events = POLLIN };
	return 1;
}

static int card_close(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;

	line_close(c->line);
	(void)close(io->poll_fd);
	free(c->before);
	free(c);
	return 0;
}

static const snd_pcm_ioplug_callback_t calls = {
	.start = card_start,
	.stop = card_stop,
	.prepare = card_prepare,
	.pointer = card_pointer,
	.transfer = card_transfer,
	.sw_params = card_sw_params,
	.delay = card_delay,
	.poll_descriptors = card_fds,
	.close = card_close,
};

static int set_limits(snd_pcm_ioplug_t *io)
{
	static const unsigned access[] = { SND_PCM_ACCESS_RW_INTERLEAVED };
	static const unsigned format[] = { SND_PCM_FORMAT_S16_LE };
	static const struct {
		int what;
		unsigned least, most;
	} limits[] = {
		{ SND_PCM_IOPLUG_HW_CHANNELS, 1, 2 },
		{ SND_PCM_IOPLUG_HW_RATE, LINE_HZ, LINE_HZ },
		{ SND_PCM_IOPLUG_HW_PERIOD_BYTES, 96, 65536 },
		{ SND_PCM_IOPLUG_HW_BUFFER_BYTES, 192, 262144 },
		{ SND_PCM_IOPLUG_HW_PERIODS, 2, 1024 },
	};
	int err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 1,
						access);

	if (err >= 0)
		err = snd_pcm_ioplug_set_param_list(
			io, SND_PCM_IOPLUG_HW_FORMAT, 1, format);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]) && err >= 0;
	     i++)
		err = snd_pcm_ioplug_set_param_minmax(
			io, limits[i].what, limits[i].least, limits[i].most);
	return err;
}

static int card_open(struct card *c, const char *line, const char *name,
		     snd_pcm_stream_t stream, int mode)
{
	int err;

	c->line = line_open(line);
	if (!c->line)
		return -errno;
	c->avail_min = 1;
	c->io.version = SND_PCM_IOPLUG_VERSION;
	c->io.name = "a line in shared memory";
	c->io.callback = &calls;
	c->io.private_data = c;
	c->io.flags =
		SND_PCM_IOPLUG_FLAG_MONOTONIC | SND_PCM_IOPLUG_FLAG_BOUNDARY_WA;
	c->io.poll_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	c->io.poll_events = POLLIN;
	err = snd_pcm_ioplug_create(&c->io, name, stream, mode);
	if (err >= 0)
		return set_limits(&c->io);
	line_close(c->line);
	(void)close(c->io.poll_fd);
	return err;
}

/* @key's text in @conf. */
static const char *text_of(snd_config_t *conf, const char *key)
{
	snd_config_t *found = NULL;
	const char *text = NULL;

	if (snd_config_search(conf, key, &found) < 0 ||
	    snd_config_get_string(found, &text) < 0)
		return NULL;
	return text;
}

int _snd_pcm_line_open(snd_pcm_t **out, const char *name, snd_config_t *root,
		       snd_config_t *conf, snd_pcm_stream_t stream, int mode);
__attribute__((visibility("default"))) int
_snd_pcm_line_open(snd_pcm_t **out, const char *name, snd_config_t *root,
		   snd_config_t *conf, snd_pcm_stream_t stream, int mode)
{
	const char *line =
		text_of(conf, stream == SND_PCM_STREAM_PLAYBACK ? "tx" : "rx");
	struct card *c = line ? calloc(1, sizeof(*c)) : NULL;
	int err;

	(void)root;
	if (!c)
		return line ? -ENOMEM : -EINVAL;
	err = card_open(c, line, name, stream, mode);
	if (err < 0) {
		free(c);
		return err;
	}
	*out = c->io.pcm;
	return 0;
}
SND_DLSYM_BUILD_VERSION(SND_PCM_PLUGIN_ENTRY(line), SND_PCM_DLSYM_VERSION)
