/* SPDX-License-Identifier: MIT */

#include "audio/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audio/wav_source.h"

struct sim {
	char *rx_wav;              /* NULL: none */
	struct wav_source *source; /* being received; NULL: nothing */
	struct wav_writer *tx;     /* NULL: transmitted into nothing */
	bool cor_forced;
	bool keyed;
};

static void sim_free(struct sim *s)
{
	(void)wav_source_free(s->source);
	(void)wav_close(s->tx);
	free(s->rx_wav);
	free(s);
}

static int open_files(struct sim *s, const struct sim_config *config,
		      char why[WAV_WHY_MAX])
{
	int err;

	if (config->rx_wav) {
		s->rx_wav = strdup(config->rx_wav);
		if (!s->rx_wav) {
			(void)snprintf(why, WAV_WHY_MAX, "%s",
				       strerror(ENOMEM));
			return -ENOMEM;
		}
	}
	if (config->autoplay && s->rx_wav) {
		err = sim_play(s, NULL, why);
		if (err < 0)
			return err;
	}
	if (config->tx_wav) {
		err = wav_create(&s->tx, config->tx_wav, AUDIO_HZ);
		if (err < 0) {
			(void)snprintf(why, WAV_WHY_MAX,
				       "cannot be written: %s", strerror(-err));
			return err;
		}
	}
	return 0;
}

int sim_open(struct sim **out, const struct sim_config *config,
	     char why[WAV_WHY_MAX])
{
	struct sim *s = calloc(1, sizeof(*s));
	int err;

	*out = NULL;
	if (!s) {
		(void)snprintf(why, WAV_WHY_MAX, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	err = open_files(s, config, why);
	if (err < 0) {
		sim_free(s);
		return err;
	}
	*out = s;
	return 0;
}

int sim_play(struct sim *s, const char *path, char why[WAV_WHY_MAX])
{
	struct wav_source *source;
	int err;

	if (!path)
		path = s->rx_wav;
	if (!path) {
		(void)snprintf(why, WAV_WHY_MAX, "no file is configured");
		return -ENOENT;
	}
	err = wav_source_open(&source, path, why);
	if (err < 0)
		return err;
	(void)wav_source_free(s->source);
	s->source = source;
	return 0;
}

void sim_cor(struct sim *s, bool up)
{
	s->cor_forced = up;
	if (!up)
		s->source = wav_source_free(s->source);
}

bool sim_receiving(const struct sim *s)
{
	return s->cor_forced || s->source;
}

void sim_ptt(struct sim *s, bool keyed)
{
	s->keyed = keyed;
}

static int sim_capture(void *self, int16_t out[AUDIO_BLOCK])
{
	struct sim *s = self;
	ssize_t got = 0;

	if (s->source)
		got = wav_source_read(s->source, out, AUDIO_BLOCK);
	if (got <= 0)
		s->source = wav_source_free(s->source);
	if (got < 0)
		return (int)got;
	memset(out + got, 0, (AUDIO_BLOCK - (size_t)got) * sizeof(*out));
	return 0;
}

static int sim_transmit(void *self, const int16_t in[AUDIO_BLOCK])
{
	struct sim *s = self;

	if (!s->keyed || !s->tx)
		return 0;
	return wav_write(s->tx, in, AUDIO_BLOCK);
}

static struct audio_device_status sim_status(const void *self)
{
	const struct sim *s = self;

	return (struct audio_device_status){
		.state = AUDIO_DEVICE_RUNNING,
		.xruns = s->tx ? wav_dropped(s->tx) / AUDIO_BLOCK : 0,
	};
}

static void sim_close(void *self)
{
	sim_free(self);
}

struct audio_device sim_device(struct sim *s)
{
	static const struct audio_device_ops ops = {
		.capture = sim_capture,
		.play = sim_transmit,
		.status = sim_status,
		.close = sim_close,
	};

	return (struct audio_device){ .ops = &ops, .self = s };
}
