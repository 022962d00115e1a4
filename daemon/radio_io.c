/* SPDX-License-Identifier: MIT */

#include "daemon/radio_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/sim.h"
#include "daemon/io/loop.h"
#include "daemon/radio_alsa.h"
#include "daemon/radio_cm108.h"
#include "radio/cor.h"
#include "radio/ptt_log.h"

#define BLOCK_US 20000U
/* What is still on its way to the transmitter keeps it keyed, for so long. */
#define SOUNDING_MAX_US 80000U
/* Less is not worth it: -72 dBFS. */
#define SILENT_PEAK 8

struct radio_io {
	enum conf_radio type;
	struct radio_io_calls calls;
	struct audio_device device; /* ops NULL: no radio */
	struct sim *sim;
	struct alsa *alsa;              /* the device's */
	struct radio_levels levels;     /* of alsa */
	char sound_fault[ALSA_WHY_MAX]; /* "": none */
	struct radio_cm108 *cm108;
	bool keeping; /* levels are being written to the fob */
	struct ptt_log *ptt_log;
	unsigned inputs; /* of the fob */
	bool there;      /* as told */
	bool keyed;
	bool wanted;       /* to be keyed */
	uint64_t sounding; /* a fob's card plays what was given until then */
	struct loop_timer sounded;
};

/* --- what is there ------------------------------------------------------ */

static bool is_there(const struct radio_io *r)
{
	if (r->cm108 && !radio_cm108_ready(r->cm108))
		return false;
	return !r->alsa || (r->device.ops && audio_status(&r->device).state ==
						     AUDIO_DEVICE_RUNNING);
}

/* A fob without its sound is no radio: it would transmit a bare carrier. */
static void note_there(struct radio_io *r)
{
	const bool there = is_there(r);

	if (there == r->there)
		return;
	r->there = there;
	r->calls.there(r->calls.ctx, there);
	if (there && r->inputs)
		r->calls.inputs(r->calls.ctx, r->inputs, loop_now());
}

static void on_inputs(void *ctx, bool cor, bool ctcss)
{
	struct radio_io *r = ctx;

	r->inputs = (cor ? COR_IN_COR : 0U) | (ctcss ? COR_IN_CTCSS : 0U);
	if (r->there)
		r->calls.inputs(r->calls.ctx, r->inputs, loop_now());
}

static void on_there(void *ctx, bool there)
{
	struct radio_io *r = ctx;

	if (there && r->levels.by_eeprom)
		(void)radio_cm108_eeprom(r->cm108, NULL);
	note_there(r);
}

static void on_eeprom(void *ctx, int err, const struct cm108_levels *levels)
{
	struct radio_io *r = ctx;

	if (!r->keeping) {
		radio_levels_kept(&r->levels, err, levels);
		return;
	}
	r->keeping = false;
	r->calls.kept(r->calls.ctx, err == 0         ? NULL
				    : err == -ENODEV ? "the fob was unplugged"
						     : "the fob's EEPROM does "
						       "not keep what is "
						       "written to it");
}

/* --- keying -------------------------------------------------------------- */

static void key(struct radio_io *r, bool keyed, uint64_t now_us)
{
	if (r->cm108) /* each time: it is a sign of life, too */
		radio_cm108_key(r->cm108, keyed, now_us);
	if (r->keyed == keyed)
		return;
	r->keyed = keyed;
	if (r->sim)
		sim_ptt(r->sim, keyed);
	if (r->ptt_log)
		(void)ptt_log_set(r->ptt_log, keyed, now_us);
}

/* Without a card to play there would be a bare carrier. */
static bool has_voice(const struct radio_io *r)
{
	return !r->cm108 ||
	       (r->device.ops && audio_status(&r->device).playback_ms > 0.0);
}

/* The end of an over is in the card's buffers when the node has done with it:
 * the transmitter stays until that is out, and no longer. */
static void follow(struct radio_io *r, uint64_t now_us)
{
	const bool last = !r->wanted && r->keyed && now_us < r->sounding;

	key(r, (r->wanted && has_voice(r)) || last, now_us);
	if (r->cm108)
		loop_timer_set(&r->sounded, last ? r->sounding : MONO_NEVER);
}

static void on_sounded(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	follow(ctx, loop_now());
}

static bool is_silent(const int16_t block[AUDIO_BLOCK])
{
	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		if (block[i] > SILENT_PEAK || block[i] < -SILENT_PEAK)
			return false;
	return true;
}

/* @block is played from now on. */
static void note_sound(struct radio_io *r, const int16_t block[AUDIO_BLOCK],
		       uint64_t now_us)
{
	uint64_t us;

	if (!r->cm108 || !r->device.ops || !r->wanted || is_silent(block))
		return;
	us = (uint64_t)(audio_status(&r->device).playback_ms * 1000.0) +
	     BLOCK_US;
	r->sounding = now_us + (us < SOUNDING_MAX_US ? us : SOUNDING_MAX_US);
}

/* --- opening and closing ------------------------------------------------ */

static int open_sim(struct radio_io *r, const struct conf_node *conf,
		    char why[RADIO_WHY_MAX])
{
	const struct sim_config c = {
		.rx_wav = conf->sim.rx_wav[0] ? conf->sim.rx_wav : NULL,
		.tx_wav = conf->sim.tx_wav[0] ? conf->sim.tx_wav : NULL,
		.autoplay = conf->sim.autoplay,
	};
	char reason[WAV_WHY_MAX];
	int err = sim_open(&r->sim, &c, reason);

	if (err != 0) {
		(void)snprintf(why, RADIO_WHY_MAX, "sim radio: %.200s", reason);
		return err;
	}
	r->device = sim_device(r->sim);
	if (!c.tx_wav)
		return 0;
	err = ptt_log_open(&r->ptt_log, c.tx_wav);
	if (err != 0)
		(void)snprintf(why, RADIO_WHY_MAX,
			       "sim radio: %.150s.ptt.json: %s", c.tx_wav,
			       strerror(-err));
	return err;
}

static int open_sound(struct radio_io *r, const struct conf_node *conf,
		      char why[RADIO_WHY_MAX])
{
	const int err = radio_alsa_open(&r->alsa, conf, why);

	if (err != 0)
		return err;
	r->device = alsa_device(r->alsa);
	radio_levels_init(&r->levels, r->alsa, conf);
	return 0;
}

static int open_alsa(struct radio_io *r, const struct conf_node *conf,
		     char why[RADIO_WHY_MAX])
{
	const int err = open_sound(r, conf, why);

	if (err == 0)
		alsa_pcms(r->alsa, conf->audio.capture, conf->audio.playback);
	return err;
}

static int open_cm108(struct radio_io *r, struct event_base *base,
		      const struct conf_node *conf, char why[RADIO_WHY_MAX])
{
	struct radio_cm108_calls calls = { .ctx = r,
					   .inputs = on_inputs,
					   .there = on_there,
					   .eeprom = on_eeprom };
	char reason[FOB_WHY_MAX];
	int err = open_sound(r, conf, why);

	if (err != 0)
		return err;
	if (loop_timer_init(&r->sounded, base, on_sounded, r) != 0)
		return -ENOMEM;
	calls.sound = r->alsa;
	err = radio_cm108_open(&r->cm108, base, conf, &calls, reason);
	if (err != 0)
		(void)snprintf(why, RADIO_WHY_MAX, "%s", reason);
	return err;
}

int radio_io_open(struct radio_io **out, struct event_base *base,
		  const struct conf_node *conf,
		  const struct radio_io_calls *calls, char why[RADIO_WHY_MAX])
{
	struct radio_io *r = calloc(1, sizeof(*r));
	int err = 0;

	*out = NULL;
	if (!r) {
		(void)snprintf(why, RADIO_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	r->type = conf->radio.type;
	r->calls = *calls;
	r->there = true; /* until the first look */
	switch (r->type) {
	case CONF_RADIO_NONE:
		break;
	case CONF_RADIO_SIM:
		err = open_sim(r, conf, why);
		break;
	case CONF_RADIO_ALSA:
		err = open_alsa(r, conf, why);
		break;
	case CONF_RADIO_CM108:
		err = open_cm108(r, base, conf, why);
		break;
	}
	if (err != 0) {
		radio_io_close(r, 0);
		return err;
	}
	*out = r;
	return 0;
}

struct radio_io *radio_io_close(struct radio_io *r, uint64_t now_us)
{
	if (!r)
		return NULL;
	if (r->sounded.ev)
		loop_timer_done(&r->sounded);
	key(r, false, now_us);
	r->cm108 = radio_cm108_close(r->cm108);
	audio_close(&r->device);
	ptt_log_free(r->ptt_log);
	free(r);
	return NULL;
}

void radio_io_reload(struct radio_io *r, const struct conf_node *conf)
{
	if (!r->alsa)
		return;
	radio_levels_reload(&r->levels, conf);
	if (r->cm108 && r->levels.by_eeprom)
		(void)radio_cm108_eeprom(r->cm108, NULL);
}

/* --- each block --------------------------------------------------------- */

void radio_io_key(struct radio_io *r, bool keyed, uint64_t now_us)
{
	r->wanted = keyed;
	follow(r, now_us);
}

bool radio_io_rest(struct radio_io *r, bool rests)
{
	/* The simulated radio's COR comes with its blocks. */
	if (r->sim)
		return false;
	if (r->device.ops)
		audio_rest(&r->device, rests);
	return true;
}

/* Does sound pass every way that it should? */
static bool sounds(const struct radio_io *r)
{
	const struct audio_device_status st = audio_status(&r->device);

	if (r->cm108)
		return st.capture_ms > 0.0 && st.playback_ms > 0.0;
	return st.state == AUDIO_DEVICE_RUNNING;
}

static void look(struct radio_io *r)
{
	if (r->alsa && r->device.ops) {
		radio_alsa_say(r->alsa, r->sound_fault);
		if (r->sound_fault[0] && sounds(r))
			r->sound_fault[0] = '\0';
		radio_levels_beat(&r->levels);
	}
	note_there(r);
}

void radio_io_look(struct radio_io *r, bool keyed, uint64_t now_us)
{
	look(r);
	radio_io_key(r, keyed, now_us);
}

void radio_io_receive(struct radio_io *r, int16_t out[AUDIO_BLOCK],
		      uint64_t now_us)
{
	look(r);
	if (!r->device.ops || audio_capture(&r->device, out) != 0)
		memset(out, 0, AUDIO_BLOCK * sizeof(out[0]));
	if (r->sim)
		r->calls.inputs(r->calls.ctx,
				sim_receiving(r->sim) ? COR_IN_COR : 0,
				now_us - BLOCK_US);
}

void radio_io_transmit(struct radio_io *r, const int16_t in[AUDIO_BLOCK],
		       bool keyed, uint64_t now_us)
{
	radio_io_key(r, keyed, now_us);
	note_sound(r, in, now_us);
	if (r->device.ops)
		(void)audio_play(&r->device, in);
}

/* --- what is shown ------------------------------------------------------ */

const char *radio_io_type(const struct radio_io *r)
{
	static const char *const text[] = {
		[CONF_RADIO_NONE] = "none",
		[CONF_RADIO_SIM] = "sim",
		[CONF_RADIO_ALSA] = "alsa",
		[CONF_RADIO_CM108] = "cm108",
	};

	return text[r->type];
}

struct audio_device_status radio_io_status(const struct radio_io *r)
{
	struct audio_device_status st = { .state = AUDIO_DEVICE_DOWN };

	if (r->device.ops)
		st = audio_status(&r->device);
	if (!is_there(r))
		st.state = AUDIO_DEVICE_DOWN;
	return st;
}

/* Without its fob a card is not looked for: the fob's fault comes first. */
const char *radio_io_fault(const struct radio_io *r)
{
	const char *fault = r->cm108 ? radio_cm108_fault(r->cm108) : NULL;

	if (fault)
		return fault;
	return r->sound_fault[0] ? r->sound_fault : NULL;
}

const char *radio_io_card(const struct radio_io *r)
{
	return r->cm108 ? radio_cm108_card(r->cm108) : NULL;
}

/* --- levels ------------------------------------------------------------- */

bool radio_io_levels(const struct radio_io *r, struct radio_levels_view *out)
{
	if (r->alsa)
		radio_levels_view(&r->levels, out);
	return r->alsa != NULL;
}

bool radio_io_look_mixer(struct radio_io *r)
{
	if (r->alsa)
		alsa_look_mixer(r->alsa);
	return r->alsa != NULL;
}

bool radio_io_mixer(const struct radio_io *r, struct alsa_found *out)
{
	return r->alsa && alsa_mixer_found(r->alsa, out);
}

int radio_io_set_levels(struct radio_io *r, const struct alsa_levels *levels,
			char why[RADIO_WHY_MAX])
{
	if (r->alsa)
		return radio_levels_set(&r->levels, levels, why);
	(void)snprintf(why, RADIO_WHY_MAX, "this radio has no sound card");
	return -ENODEV;
}

int radio_io_keep_levels(struct radio_io *r, char why[RADIO_WHY_MAX])
{
	struct cm108_levels levels;
	int err;

	(void)snprintf(why, RADIO_WHY_MAX,
		       "this radio has no EEPROM: that is for USB fobs");
	if (!r->cm108)
		return -ENODEV;
	err = radio_levels_to_keep(&r->levels, &levels, why);
	if (err != 0)
		return err;
	err = radio_cm108_eeprom(r->cm108, &levels);
	r->keeping |= err == 0;
	if (err == -EBUSY)
		(void)snprintf(why, RADIO_WHY_MAX,
			       "the fob's EEPROM is in use: try again");
	else if (err != 0)
		(void)snprintf(why, RADIO_WHY_MAX, "the fob is not there");
	return err;
}

/* --- the simulated radio ------------------------------------------------ */

int radio_io_sim_play(struct radio_io *r, const char *path,
		      char why[RADIO_WHY_MAX])
{
	char reason[WAV_WHY_MAX] = "";
	int err;

	if (!r->sim) {
		(void)snprintf(why, RADIO_WHY_MAX,
			       "this node has no sim radio");
		return -ENODEV;
	}
	err = sim_play(r->sim, path, reason);
	if (err == -ENOENT && reason[0] == '\0')
		(void)snprintf(why, RADIO_WHY_MAX,
			       "name a file: sim.rx_wav is not set");
	else if (err != 0)
		(void)snprintf(why, RADIO_WHY_MAX, "%.200s", reason);
	return err;
}

int radio_io_sim_cor(struct radio_io *r, bool up)
{
	if (!r->sim)
		return -ENODEV;
	sim_cor(r->sim, up);
	return 0;
}
