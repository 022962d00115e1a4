/* SPDX-License-Identifier: MIT */

#include "daemon/radio_cm108.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/guardian.h"
#include "daemon/guardian_keep.h"
#include "daemon/io/log.h"
#include "daemon/io/loop.h"
#include "daemon/io/usb.h"

struct radio_cm108 {
	struct usb_fob *usb;
	struct radio_cm108_calls calls;
	bool told, there;         /* so as there() was told */
	char card[ALSA_NAME_MAX]; /* as the sound knows; "": none */
	char fault[FOB_WHY_MAX];  /* "": none */
	struct guardian_keep *guardian;
	const char *unguarded; /* why nothing is keyed; NULL */
};

/* --- configuration ------------------------------------------------------ */

static const struct cm108_line *line_of(enum conf_line which,
					struct cm108_line *out)
{
	static const uint8_t buttons[] = {
		[CONF_LINE_VOLUME_UP] = CM108_VOLUME_UP,
		[CONF_LINE_VOLUME_DOWN] = CM108_VOLUME_DOWN,
		[CONF_LINE_MUTE_PLAY] = CM108_MUTE_PLAY,
		[CONF_LINE_MUTE_RECORD] = CM108_MUTE_RECORD,
		[CONF_LINE_HOOK] = CM108_HOOK,
	};

	*out = (struct cm108_line){ 0 };
	if (which == CONF_LINE_AUTO)
		return NULL;
	if (which >= CONF_LINE_GPIO1)
		out->gpio = CM108_GPIO(which - CONF_LINE_GPIO1 + 1);
	else
		out->button = buttons[which];
	return out;
}

static enum cm108_sense sense_of(enum conf_sense sense)
{
	static const enum cm108_sense senses[] = {
		[CONF_SENSE_NO] = CM108_NO,
		[CONF_SENSE_USB] = CM108_BIT_CLEAR,
		[CONF_SENSE_USBINVERT] = CM108_BIT_SET,
	};

	return senses[sense];
}

/* A line that is never active is not looked at, nor missed. */
static void forget_unused(struct fob_config *c)
{
	if (c->cos == CM108_NO)
		c->map.cos = (struct cm108_line){ 0 };
	if (c->ctcss == CM108_NO)
		c->map.ctcss = (struct cm108_line){ 0 };
}

bool radio_cm108_config(const struct conf_node *conf, struct fob_config *out,
			char why[FOB_WHY_MAX])
{
	const uint32_t pin = conf->fob.ptt_pin;
	const struct cm108_map *base = cm108_map((unsigned)conf->fob.hwtype);
	struct cm108_line cor, ctcss;
	const struct cm108_map *map = &out->map;

	*out = (struct fob_config){
		.cos = sense_of(conf->fob.cor_sense),
		.ctcss = sense_of(conf->fob.ctcss_sense),
		.ptt_inverted = conf->fob.ptt_inverted,
		.map = fob_wiring(base, pin ? CM108_GPIO(pin) : 0,
				  line_of(conf->fob.cor, &cor),
				  line_of(conf->fob.ctcss, &ctcss)),
	};
	forget_unused(out);
	if (map->ptt & (map->cos.gpio | map->ctcss.gpio)) {
		(void)snprintf(why, FOB_WHY_MAX,
			       "the same GPIO is to key and to be an input: "
			       "change fob.ptt_pin, fob.cor or fob.ctcss");
		return false;
	}
	(void)snprintf(out->binding.serial, sizeof(out->binding.serial), "%s",
		       conf->fob.serial);
	(void)snprintf(out->binding.port, sizeof(out->binding.port), "%s",
		       conf->fob.port);
	return true;
}

/* --- what the fob tells ------------------------------------------------- */

static void on_input(void *ctx, bool cor, bool ctcss)
{
	const struct radio_cm108 *r = ctx;

	r->calls.inputs(r->calls.ctx, cor, ctcss);
}

/* It comes a moment after the fob, and goes with it. */
static void follow_card(struct radio_cm108 *r)
{
	const char *card = fob_card(usb_fob_get(r->usb));

	if (strcmp(card ? card : "", r->card) == 0)
		return;
	(void)snprintf(r->card, sizeof(r->card), "%s", card ? card : "");
	alsa_card(r->calls.sound, card);
}

static void on_state(void *ctx, enum fob_state state, const char *why)
{
	struct radio_cm108 *r = ctx;
	const bool there = state == FOB_READY;

	(void)snprintf(r->fault, sizeof(r->fault), "%s", why ? why : "");
	if (why)
		LOG_EVENT(loop_now(), LOG_WARNING, "radio",
			  "radio: %s; trying again", why);
	else if (there)
		LOG_EVENT(loop_now(), LOG_INFO, "radio", "radio: %s is ready",
			  fob_name(usb_fob_get(r->usb)));
	if (r->told && there == r->there)
		return;
	r->told = true;
	r->there = there;
	follow_card(r);
	r->calls.there(r->calls.ctx, there);
}

static void on_warning(void *ctx, const char *what)
{
	(void)ctx;
	LOG_EVENT(loop_now(), LOG_WARNING, "radio", "radio: %s", what);
}

static void on_device(void *ctx, const struct fob_unkey *unkey)
{
	(void)ctx;
	guardian_watch(unkey);
}

/* A transmitter that nobody would unkey is not keyed. */
static void on_guardian(void *ctx, const char *why)
{
	struct radio_cm108 *r = ctx;

	r->unguarded = why;
	if (why) {
		usb_fob_key(r->usb, false);
		LOG_EVENT(loop_now(), LOG_ERROR, "guardian", "radio: %s", why);
	} else {
		LOG_EVENT(loop_now(), LOG_WARNING, "guardian",
			  "radio: the guardian process is there again");
	}
}

static void on_eeprom(void *ctx, int err, const struct cm108_levels *levels)
{
	const struct radio_cm108 *r = ctx;

	r->calls.eeprom(r->calls.ctx, err, levels);
}

/* --- life --------------------------------------------------------------- */

int radio_cm108_open(struct radio_cm108 **out, struct event_base *base,
		     const struct conf_node *conf,
		     const struct radio_cm108_calls *calls,
		     char why[FOB_WHY_MAX])
{
	struct radio_cm108 *r = calloc(1, sizeof(*r));
	const struct usb_fob_cb cb = { r,          on_input,  on_state,
				       on_warning, on_device, on_eeprom };
	const struct guardian_keep_cb guardian = { r, on_guardian };
	struct fob_config config;
	int err = -EINVAL;

	*out = NULL;
	if (!r) {
		(void)snprintf(why, FOB_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	r->calls = *calls;
	if (radio_cm108_config(conf, &config, why))
		err = usb_fob_open(&r->usb, base, &config, &cb, why);
	if (err == 0)
		err = guardian_keep_open(&r->guardian, base, &guardian);
	if (err != 0) {
		(void)radio_cm108_close(r);
		return err;
	}
	if (config.ptt_inverted)
		log_warning("radio: fob.ptt_inverted: the transmitter may key "
			    "by itself when the fob loses its power or this "
			    "machine is off");
	*out = r;
	return 0;
}

struct radio_cm108 *radio_cm108_close(struct radio_cm108 *r)
{
	if (!r)
		return NULL;
	r->usb = usb_fob_close(r->usb);
	r->guardian = guardian_keep_close(r->guardian);
	free(r);
	return NULL;
}

void radio_cm108_key(struct radio_cm108 *r, bool keyed, uint64_t now_us)
{
	const struct fob *fob = usb_fob_get(r->usb);
	const bool may = keyed && guardian_kept(r->guardian);

	/* The guardian knows first, and stays until the fob was read to be
	 * unkeyed. */
	if (may)
		guardian_beat(true, now_us);
	usb_fob_key(r->usb, may);
	if (!may)
		guardian_beat(fob_hot(fob), now_us);
	follow_card(r);
}

int radio_cm108_eeprom(struct radio_cm108 *r, const struct cm108_levels *levels)
{
	return usb_fob_eeprom(r->usb, levels);
}

const char *radio_cm108_card(const struct radio_cm108 *r)
{
	return fob_card(usb_fob_get(r->usb));
}

bool radio_cm108_ready(const struct radio_cm108 *r)
{
	return r->there;
}

const char *radio_cm108_fault(const struct radio_cm108 *r)
{
	return r->fault[0] ? r->fault : r->unguarded;
}

const struct fob *radio_cm108_fob(const struct radio_cm108 *r)
{
	return usb_fob_get(r->usb);
}
