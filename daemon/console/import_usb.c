/* SPDX-License-Identifier: MIT */

/* simpleusb.conf and usbradio.conf: the USB fob of a node. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/console/import_take.h"

/* It is named with the interface: 1-1.2:1.0. */
static void take_port(struct import *im, const struct ast_var *v,
		      const struct import_map *m)
{
	char port[64];

	(void)snprintf(port, sizeof(port), "%.*s", (int)strcspn(v->value, ":"),
		       v->value);
	if (port[0])
		(void)import_set_text(im, v, m->setting, port);
}

static void take_hwtype(struct import *im, const struct ast_var *v,
			const struct import_map *m)
{
	static const char *const word[] = { "\"fob\"", "\"dingotel\"",
					    "\"n1kdo\"", "\"custom\"" };
	const char c = v->value[0];

	if (c >= '0' && c <= '3' && v->value[1] == '\0')
		(void)import_set(im, v, m->setting, word[c - '0']);
	else
		import_note(im, v, "is none of 0 to 3");
}

static void take_eeprom(struct import *im, const struct ast_var *v,
			const struct import_map *m)
{
	if (import_is_true(v->value))
		(void)import_set(im, v, m->setting, "\"eeprom\"");
}

/* Discriminator audio is de-emphasised by the driver. */
static void take_demod(struct import *im, const struct ast_var *v,
		       const struct import_map *m)
{
	if (strcasecmp(v->value, "flat") == 0)
		(void)import_set(im, v, m->setting, "true");
	else if (strcasecmp(v->value, "speaker") == 0)
		(void)import_set(im, v, m->setting, "false");
	else
		import_note(im, v, "is neither flat nor speaker");
}

static void take_filter(struct import *im, const struct ast_var *v,
			const struct import_map *m)
{
	if (import_is_true(v->value))
		(void)import_set(im, v, m->setting, "\"on\"");
	else if (import_is_false(v->value))
		(void)import_set(im, v, m->setting, "\"off\"");
	else
		import_note(im, v, "is neither yes nor no");
}

/* Pre-emphasis and a limiter in one. */
static void take_prelim(struct import *im, const struct ast_var *v,
			const struct import_map *m)
{
	if (!import_is_true(v->value))
		return;
	(void)import_set(im, v, m->setting, "true");
	import_note(im, v,
		    "pre-emphasis is taken over; the limiter is not, "
		    "set tx.limit_db");
}

static void take_tail(struct import *im, const struct ast_var *v,
		      const struct import_map *m)
{
	if (!import_is_false(v->value))
		import_number(im, v, m);
}

static void take_toctype(struct import *im, const struct ast_var *v,
			 const struct import_map *m)
{
	if (strcasecmp(v->value, "phase") == 0)
		(void)import_set(im, v, m->setting, "\"reverse\"");
	else if (strcasecmp(v->value, "notone") == 0)
		(void)import_set(im, v, m->setting, "\"silence\"");
	else if (import_is_false(v->value))
		(void)import_set(im, v, "ptt.ctcss_off_ms", "0");
	else
		import_note(im, v, "is neither no, phase nor notone");
}

static void take_mix(struct import *im, const struct ast_var *v,
		     const struct import_map *m)
{
	(void)m;
	if (strcasecmp(v->value, "voice") != 0 &&
	    strcasecmp(v->value, "composite") != 0)
		import_note(im, v,
			    "left and right carry the same; what is not to be "
			    "heard is turned down with audio.tx_a_db, tx_b_db");
}

/* --- the receiver ------------------------------------------------------- */

static bool says(const struct ast_section *s, const char *name,
		 const char *value)
{
	const struct ast_var *v = ast_var(s, name);

	return v && strcasecmp(v->value, value) == 0;
}

static bool is_line(const struct ast_var *v)
{
	return v && (strcasecmp(v->value, "usb") == 0 ||
		     strcasecmp(v->value, "usbinvert") == 0);
}

static void set_sense(struct import *im, const struct ast_var *v,
		      const char *setting)
{
	(void)import_set(im, v, setting,
			 strcasecmp(v->value, "usb") == 0 ? "\"usb\""
							  : "\"usbinvert\"");
}

/* A tone that is looked for in the sound; the first of a list. */
static bool take_tone(struct import *im, const struct ast_section *s)
{
	const struct ast_var *v = ast_var(s, "rxctcssfreqs");
	char tone[16];
	size_t len;

	if (!v)
		v = ast_var(s, "rxctcssfreq");
	if (!v || strtod(v->value, NULL) <= 0)
		return false;
	len = strcspn(v->value, ", ");
	(void)snprintf(tone, sizeof(tone), "%.*s", (int)len, v->value);
	if (!import_set_text(im, v, "cor.ctcss", tone))
		return false;
	if (v->value[len] != '\0')
		import_note(im, v, "of its tones only the first is taken over");
	return true;
}

/* Whether the receiver takes a CTCSS tone to open. */
static bool wants_ctcss(struct import *im, const struct ast_section *s)
{
	const struct ast_var *v = ast_var(s, "ctcssfrom");
	const struct ast_var *override = ast_var(s, "rxctcssoverride");

	if (override && import_is_true(override->value)) {
		import_note(im, override,
			    "taken over as: no CTCSS tone is needed");
		return false;
	}
	if (is_line(v)) {
		set_sense(im, v, "fob.ctcss_sense");
		import_note(im, v,
			    "taken over; when nothing is received, the fob's "
			    "CTCSS input may have no wire: then remove "
			    "fob.ctcss_sense and cor.source");
		return true;
	}
	if (!v || import_is_false(v->value))
		return false;
	if (strcasecmp(v->value, "dsp") == 0)
		return take_tone(im, s);
	import_note(im, v, "is neither no, usb, usbinvert nor dsp");
	return false;
}

/* What is no carrier for us is none at all: it is safer to hear nobody than
 * to key the links for ever. */
static void take_receiver(struct import *im, const struct ast_section *s)
{
	const struct ast_var *v = ast_var(s, "carrierfrom");
	const bool ctcss = wants_ctcss(im, s);
	const bool vox = v && strcasecmp(v->value, "vox") == 0;

	if (!v)
		return;
	if (vox) {
		(void)import_set(im, v, "cor.source",
				 ctcss ? "\"vox+ctcss\"" : "\"vox\"");
		return;
	}
	if (is_line(v)) {
		set_sense(im, v, "fob.cor_sense");
		if (ctcss)
			(void)import_set(im, v, "cor.source", "\"cor+ctcss\"");
		return;
	}
	(void)import_set(im, v, "fob.cor_sense", "\"no\"");
	if (ctcss) {
		(void)import_set(im, v, "cor.source", "\"ctcss\"");
		if (!import_is_false(v->value))
			import_note(im, v,
				    "there is no such squelch here: the "
				    "CTCSS tone alone opens");
	} else {
		import_note(
			im, v,
			"there is no such squelch here: nothing is received "
			"until cor.source or fob.cor_sense is set");
	}
}

static void take_tx_tone(struct import *im, const struct ast_var *v,
			 const struct import_map *m)
{
	const struct ast_section *s = im->device;

	if (strtod(v->value, NULL) <= 0)
		return;
	if (says(s, "txmixa", "composite") || says(s, "txmixb", "composite") ||
	    says(s, "txmixa", "tone") || says(s, "txmixb", "tone"))
		(void)import_set_text(im, v, m->setting, v->value);
}

/* --- tables ------------------------------------------------------------- */

#define LOST(what, reason)                      \
	{                                       \
		.name = (what), .why = (reason) \
	}
#define UNLESS_NO(what, reason)                               \
	{                                                     \
		.name = (what), .idle = "no", .why = (reason) \
	}

static const char levels[] =
	"is 0 to 999 of the card's own range, which only the card can tell in "
	"dB: keyhole levels --calibrate";
static const char dsp_levels[] =
	"is a level inside Asterisk: keyhole levels --calibrate";
static const char filters[] = "the filters are 300 Hz and 3 kHz";
static const char deaf[] = "the receiver is not held shut after transmitting";
static const char pins[] = "only PTT, COR and CTCSS lines are used";

static const struct import_map map[] = {
	{ .name = "devstr", .take = take_port, .setting = "fob.port" },
	{ .name = "serial", .take = import_string, .setting = "fob.serial" },
	{ .name = "hdwtype", .take = take_hwtype, .setting = "fob.hwtype" },
	{ .name = "eeprom", .take = take_eeprom, .setting = "audio.levels" },
	{ .name = "rxboost", .take = import_bool, .setting = "audio.boost" },
	{ .name = "invertptt",
	  .take = import_bool,
	  .setting = "fob.ptt_inverted" },
	{ .name = "deemphasis",
	  .take = import_bool,
	  .setting = "rx.deemphasis" },
	{ .name = "preemphasis",
	  .take = import_bool,
	  .setting = "tx.preemphasis" },
	{ .name = "rxdemod", .take = take_demod, .setting = "rx.deemphasis" },
	{ .name = "plfilter", .take = take_filter, .setting = "rx.highpass" },
	{ .name = "txprelim",
	  .take = take_prelim,
	  .setting = "tx.preemphasis" },
	{ .name = "rxsquelchdelay",
	  .take = take_tail,
	  .setting = "cor.tail_ms",
	  .most = 1000 },
	/* Blocks of 20 ms. */
	{ .name = "rxaudiodelay",
	  .take = take_tail,
	  .setting = "cor.tail_ms",
	  .mul = 20,
	  .most = 1000 },
	{ .name = "voxhangtime",
	  .take = import_number,
	  .setting = "cor.vox_ms",
	  .most = 5000 },
	{ .name = "txctcssdefault",
	  .take = take_tx_tone,
	  .setting = "ptt.ctcss" },
	{ .name = "txctcssfreq", .take = take_tx_tone, .setting = "ptt.ctcss" },
	{ .name = "txtoctype",
	  .take = take_toctype,
	  .setting = "ptt.ctcss_end" },
	{ .name = "txmixa", .take = take_mix },
	{ .name = "txmixb", .take = take_mix },
	IMPORT_ELSEWHERE("carrierfrom"),
	IMPORT_ELSEWHERE("ctcssfrom"),
	IMPORT_ELSEWHERE("rxctcssfreqs"),
	IMPORT_ELSEWHERE("rxctcssfreq"),
	IMPORT_ELSEWHERE("rxctcssoverride"),
	LOST("rxmixerset", levels),
	LOST("txmixaset", levels),
	LOST("txmixbset", levels),
	LOST("rxvoiceadj", dsp_levels),
	LOST("rxctcssadj", dsp_levels),
	LOST("txctcssadj", "is no dB: set ptt.ctcss_db"),
	LOST("txdsplvl", dsp_levels),
	LOST("txslimsp", dsp_levels),
	LOST("txctcssfreqs", "the tone transmitted does not follow the one "
			     "received: ptt.ctcss"),
	UNLESS_NO("rxondelay", deaf),
	UNLESS_NO("txoffdelay", deaf),
	UNLESS_NO("duplex3", "sound does not go from receiver to transmitter "
			     "inside the card"),
	UNLESS_NO("txlimonly", "set tx.limit_db"),
	UNLESS_NO("txboost", dsp_levels),
	UNLESS_NO("clipledgpio", "no GPIO shows clipping: keyhole levels does"),
	UNLESS_NO("legacyaudioscaling", "sound is not scaled in software"),
	UNLESS_NO("pager", "there is no paging channel"),
	UNLESS_NO("rxlpf", filters),
	UNLESS_NO("rxhpf", filters),
	UNLESS_NO("txlpf", filters),
	UNLESS_NO("txhpf", filters),
	LOST("rxsquelchadj", "there is no squelch by noise"),
	LOST("rxsqhyst", "there is no squelch by noise"),
	LOST("rxsqvox*", "there is no squelch by noise"),
	LOST("rxnoisefiltype", "there is no squelch by noise"),
	LOST("rxctcssrelax", "CTCSS is always as tolerant"),
	LOST("duplex", "rpt.conf's duplex is what counts"),
	LOST("gpio*", pins),
	LOST("pp*", "there is no parallel port"),
	LOST("area", pins),
	LOST("ukey", pins),
	LOST("dcs*", "there is no digital squelch"),
	LOST("lsd*", "there is no signalling below speech but CTCSS"),
	LOST("jb*", "the jitter buffer sets itself: jitter.min_ms, max_ms"),
	{ .name = NULL },
};

void import_usb(struct import *im, const struct ast_var *from,
		const char *device, bool dsp)
{
	const char *file = dsp ? "usbradio.conf" : "simpleusb.conf";
	const struct ast_conf *c = dsp ? &im->usbradio : &im->simpleusb;
	const struct ast_section *s = ast_section(c, device);
	char why[160];

	if (!s) {
		(void)snprintf(why, sizeof(why),
			       "%s has no section [%.60s]: of the USB fob "
			       "nothing is known",
			       file, device);
		import_note(im, from, why);
		return;
	}
	im->device = s;
	take_receiver(im, s);
	import_section(im, s, map);
	import_section(im, ast_section(c, "general"), map);
}
