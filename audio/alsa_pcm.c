/* SPDX-License-Identifier: MIT */

#include "audio/alsa_pcm.h"

#include <alsa/asoundlib.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audio/sound.h"

#define PERIOD (PCM_HZ / 1000000.0 * SOUND_TURN_US)
#define ROOM 9600U /* 200 ms: for a thread that comes late, and the most held */

#define CHUNK 480U
#define CHANNELS_MAX 2U
#define REWIND_KEEP 360 /* 7.5 ms, until the next turn */
#define TROUBLE_MAX 20U /* in a row, of a card that says it is there */

struct alsa_pcm {
	snd_pcm_t *pcm;
	enum alsa_way way;
	unsigned channels;
	int card;
	unsigned trouble; /* since a call worked */
};

/* --- moving samples ----------------------------------------------------- */

/* What @err says of the stream, for pcm.h. */
static int fault(struct alsa_pcm *p, int err)
{
	switch (err) {
	case -EAGAIN:
		return 0;
	case -EPIPE:
	case -ESTRPIPE:
	case -EIO:
		/* A stalled device also says EIO, and works again. */
		return ++p->trouble > TROUBLE_MAX ? -EIO : -EPIPE;
	default:
		return err;
	}
}

static int write_frames(struct alsa_pcm *p, const int16_t *in, uint32_t n)
{
	int16_t frames[CHUNK * CHANNELS_MAX];
	snd_pcm_sframes_t done;

	n = n < CHUNK ? n : CHUNK;
	for (uint32_t i = 0; i < n; i++)
		for (unsigned k = 0; k < p->channels; k++)
			frames[i * p->channels + k] = in[i];
	done = snd_pcm_writei(p->pcm, frames, n);
	return done < 0 ? fault(p, (int)done) : (int)done;
}

static int pcm_write(void *self, const int16_t *in, uint32_t n)
{
	uint32_t done = 0;

	while (done < n) {
		const int put = write_frames(self, in + done, n - done);

		if (put < 0)
			return put;
		if (put == 0)
			break;
		done += (uint32_t)put;
	}
	return (int)done;
}

static int pcm_read(void *self, int16_t *out, uint32_t n)
{
	struct alsa_pcm *p = self;
	int16_t frames[CHUNK * CHANNELS_MAX];
	snd_pcm_sframes_t got;

	got = snd_pcm_readi(p->pcm, frames, n < CHUNK ? n : CHUNK);
	if (got < 0)
		return fault(p, (int)got);
	for (snd_pcm_sframes_t i = 0; i < got; i++)
		out[i] = frames[i * (snd_pcm_sframes_t)p->channels];
	return (int)got;
}

static int pcm_held(void *self)
{
	struct alsa_pcm *p = self;
	snd_pcm_sframes_t avail = 0, delay = 0;
	const int err = snd_pcm_avail_delay(p->pcm, &avail, &delay);

	if (err < 0) {
		const int what = fault(p, err);

		return what == 0 ? -EPIPE : what;
	}
	p->trouble = 0;
	if (p->way == ALSA_CAPTURE)
		return avail > 0 ? (int)avail : 0;
	return delay > 0 ? (int)delay : 0;
}

static int pcm_begin(void *self, uint32_t silence)
{
	static const int16_t zero[CHUNK];
	struct alsa_pcm *p = self;
	int err;

	(void)snd_pcm_drop(p->pcm);
	err = snd_pcm_prepare(p->pcm);
	while (err >= 0 && silence > 0) {
		const uint32_t n = silence < CHUNK ? silence : CHUNK;

		err = pcm_write(p, zero, n);
		silence -= n;
	}
	if (err >= 0)
		err = snd_pcm_start(p->pcm);
	return err < 0 ? err : 0;
}

/* The USB driver has up to 18 ms in hand, which count as held but not as
 * rewindable, and breaks off when it finds nothing after them. */
static int pcm_rewind(void *self, uint32_t n)
{
	const struct alsa_pcm *p = self;
	const snd_pcm_sframes_t most = snd_pcm_rewindable(p->pcm) - REWIND_KEEP;
	snd_pcm_sframes_t done = 0;

	if (most > 0)
		done = snd_pcm_rewind(p->pcm, (snd_pcm_uframes_t)most < n
						      ? (snd_pcm_uframes_t)most
						      : n);
	return done > 0 ? (int)done : 0;
}

struct pcm alsa_pcm_of(struct alsa_pcm *p)
{
	static const struct pcm_ops ops = {
		.begin = pcm_begin,
		.held = pcm_held,
		.read = pcm_read,
		.write = pcm_write,
		.rewind = pcm_rewind,
	};

	return (struct pcm){ .ops = &ops, .self = p };
}

int alsa_pcm_card(const struct alsa_pcm *p)
{
	return p->card;
}

unsigned alsa_pcm_poll(struct alsa_pcm *p, struct pollfd *fds, unsigned max)
{
	const int n = snd_pcm_poll_descriptors(p->pcm, fds, max);

	return n > 0 ? (unsigned)n : 0;
}

/* --- opening ------------------------------------------------------------ */

static int set_sizes(struct alsa_pcm *p, snd_pcm_hw_params_t *hw)
{
	snd_pcm_uframes_t period = (snd_pcm_uframes_t)PERIOD;
	snd_pcm_uframes_t room = ROOM;
	int err = snd_pcm_hw_params_set_period_size_near(p->pcm, hw, &period,
							 NULL);

	if (err >= 0)
		err = snd_pcm_hw_params_set_buffer_size_near(p->pcm, hw, &room);
	return err;
}

/* One channel where the card has it, else two. */
static int set_hardware(struct alsa_pcm *p, snd_pcm_hw_params_t *hw)
{
	int err = snd_pcm_hw_params_any(p->pcm, hw);

	p->channels = p->way == ALSA_CAPTURE ? 1 : 2;
	if (err >= 0)
		err = snd_pcm_hw_params_set_access(
			p->pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED);
	if (err >= 0)
		err = snd_pcm_hw_params_set_format(p->pcm, hw,
						   SND_PCM_FORMAT_S16);
	if (err >= 0)
		err = snd_pcm_hw_params_set_rate(p->pcm, hw, PCM_HZ, 0);
	if (err >= 0 &&
	    snd_pcm_hw_params_set_channels(p->pcm, hw, p->channels) < 0) {
		p->channels = p->channels == 1 ? 2 : 1;
		err = snd_pcm_hw_params_set_channels(p->pcm, hw, p->channels);
	}
	if (err >= 0)
		err = set_sizes(p, hw);
	return err < 0 ? err : snd_pcm_hw_params(p->pcm, hw);
}

/* It starts when it is told to, and wakes for a turn's worth. */
static int set_software(struct alsa_pcm *p, snd_pcm_sw_params_t *sw)
{
	snd_pcm_uframes_t never = 0;
	int err = snd_pcm_sw_params_current(p->pcm, sw);

	if (err >= 0)
		err = snd_pcm_sw_params_get_boundary(sw, &never);
	if (err >= 0)
		err = snd_pcm_sw_params_set_start_threshold(p->pcm, sw, never);
	if (err >= 0)
		err = snd_pcm_sw_params_set_avail_min(
			p->pcm, sw, (snd_pcm_uframes_t)PERIOD);
	return err < 0 ? err : snd_pcm_sw_params(p->pcm, sw);
}

static int set_params(struct alsa_pcm *p)
{
	snd_pcm_hw_params_t *hw = NULL;
	snd_pcm_sw_params_t *sw = NULL;
	int err = -ENOMEM;

	if (snd_pcm_hw_params_malloc(&hw) == 0 &&
	    snd_pcm_sw_params_malloc(&sw) == 0)
		err = set_hardware(p, hw);
	if (err >= 0)
		err = set_software(p, sw);
	if (hw)
		snd_pcm_hw_params_free(hw);
	if (sw)
		snd_pcm_sw_params_free(sw);
	return err;
}

static int card_number(snd_pcm_t *pcm)
{
	snd_pcm_info_t *info = NULL;
	int card = -1;

	if (snd_pcm_info_malloc(&info) != 0)
		return -1;
	if (snd_pcm_info(pcm, info) == 0)
		card = snd_pcm_info_get_card(info);
	snd_pcm_info_free(info);
	return card;
}

/* The card that "hw:1" or "plughw:CARD=Device,DEV=0" names; false: none. */
static bool card_of(const char *name, char card[ALSA_NAME_MAX])
{
	const char *at = strchr(name, ':');

	if (!at)
		return false;
	at++;
	if (strncmp(at, "CARD=", 5) == 0)
		at += 5;
	(void)snprintf(card, ALSA_NAME_MAX, "%.*s", (int)strcspn(at, ","), at);
	return card[0] != '\0';
}

static bool card_is_there(const char *name)
{
	char card[ALSA_NAME_MAX], ctl[ALSA_NAME_MAX + 4];
	snd_ctl_t *c = NULL;

	if (!card_of(name, card))
		return false;
	(void)snprintf(ctl, sizeof(ctl), "hw:%s", card);
	if (snd_ctl_open(&c, ctl, SND_CTL_NONBLOCK) != 0)
		return false;
	(void)snd_ctl_close(c);
	return true;
}

/* The number of the card that "hw:1" or "plughw:CARD=Device,DEV=0" names, by
 * what the kernel lists; -1: it does not. */
static int listed_card(const char *name)
{
	const char *at = strchr(name, ':');
	char path[ALSA_NAME_MAX + 16], to[16] = "";
	int card = -1;

	if (!at)
		return -1;
	at++;
	if (strncmp(at, "CARD=", 5) == 0)
		at += 5;
	if (*at >= '0' && *at <= '9')
		return (int)strtol(at, NULL, 10);
	(void)snprintf(path, sizeof(path), "/proc/asound/%.*s",
		       (int)strcspn(at, ","), at);
	if (readlink(path, to, sizeof(to) - 1) > 4 &&
	    strncmp(to, "card", 4) == 0)
		card = (int)strtol(to + 4, NULL, 10);
	return card;
}

/* ALSA says of a card that this user may not open that there is none. */
static bool card_is_forbidden(const char *name)
{
	char path[48];

	(void)snprintf(path, sizeof(path), "/dev/snd/controlC%d",
		       listed_card(name));
	return access(path, R_OK | W_OK) != 0 && errno == EACCES;
}

static int explain(enum alsa_way way, const char *name, int err,
		   char why[ALSA_WHY_MAX])
{
	const bool capture = way == ALSA_CAPTURE;
	const bool none = err == -ENOENT || err == -ENODEV || err == -ENXIO;

	switch (none && card_is_forbidden(name) ? -EACCES : err) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
	case -EINVAL:
		if (card_is_there(name)) {
			(void)snprintf(why, ALSA_WHY_MAX,
				       "the sound card %s has no %s: %s", name,
				       capture ? "capture" : "playback",
				       capture ? "nothing is received"
					       : "nothing is transmitted");
			return -ENXIO;
		}
		(void)snprintf(why, ALSA_WHY_MAX, "there is no sound card %s",
			       name);
		return -ENODEV;
	case -EBUSY:
		(void)snprintf(why, ALSA_WHY_MAX,
			       "another program holds the sound card %s; "
			       "fuser -v /dev/snd/* shows which",
			       name);
		return err;
	case -EACCES:
	case -EPERM:
		(void)snprintf(why, ALSA_WHY_MAX,
			       "this user may not open the sound card %s; it "
			       "must be in the group audio",
			       name);
		return -EACCES;
	default:
		(void)snprintf(why, ALSA_WHY_MAX,
			       "the sound card %s cannot be opened: %s", name,
			       snd_strerror(err));
		return err;
	}
}

/* ALSA's own words go to nobody: ours are for the operator. */
__attribute__((format(printf, 5, 6))) static void
say_nothing(const char *file, int line, const char *function, int err,
	    const char *fmt, ...)
{
	(void)file;
	(void)line;
	(void)function;
	(void)err;
	(void)fmt;
}

int alsa_pcm_open(struct alsa_pcm **out, enum alsa_way way, const char *name,
		  char why[ALSA_WHY_MAX])
{
	struct alsa_pcm *p = calloc(1, sizeof(*p));
	int err;

	*out = NULL;
	(void)snprintf(why, ALSA_WHY_MAX, "out of memory");
	if (!p)
		return -ENOMEM;
	(void)snd_lib_error_set_handler(say_nothing);
	p->way = way;
	err = snd_pcm_open(&p->pcm, name,
			   way == ALSA_CAPTURE ? SND_PCM_STREAM_CAPTURE
					       : SND_PCM_STREAM_PLAYBACK,
			   SND_PCM_NONBLOCK);
	if (err < 0) {
		free(p);
		return explain(way, name, err, why);
	}
	err = set_params(p);
	if (err < 0) {
		(void)snprintf(why, ALSA_WHY_MAX,
			       "the sound card %s does not do 48 kHz at 16 "
			       "bits: %s",
			       name, snd_strerror(err));
		(void)alsa_pcm_close(p);
		return err;
	}
	p->card = card_number(p->pcm);
	*out = p;
	return 0;
}

struct alsa_pcm *alsa_pcm_close(struct alsa_pcm *p)
{
	if (p)
		(void)snd_pcm_close(p->pcm);
	free(p);
	return NULL;
}
