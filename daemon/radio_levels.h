/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_RADIO_LEVELS_H
#define DAEMON_RADIO_LEVELS_H

/*
 * The levels of a radio's sound card: which are in force, and where they come
 * from.  The configuration's hold until others are set by hand, which last
 * until a reload, or, where it says so, until the USB fob told what its EEPROM
 * keeps.  That counts in thousandths of the mixer's range, so that both have
 * to be known.
 */

#include "audio/alsa.h"
#include "config/conf.h"
#include "radio/cm108_eeprom.h"

#define RADIO_LEVELS_WHY_MAX 256U

enum radio_levels_from {
	RADIO_LEVELS_CONFIG,
	RADIO_LEVELS_EEPROM,
	RADIO_LEVELS_SET, /* by hand */
};

struct radio_levels {
	struct alsa *sound;
	struct alsa_levels config, now;
	enum radio_levels_from from;
	bool by_eeprom;           /* the configuration wants it so */
	bool waiting;             /* for the mixer, with the following */
	struct cm108_levels kept; /* by the EEPROM */
};

struct radio_levels_view {
	struct alsa_levels levels;
	enum radio_levels_from from;
	bool open; /* a card is, and this is its mixer */
	struct alsa_mixer mixer;
};

/* The levels of @conf. */
struct alsa_levels radio_levels_of(const struct conf_node *conf);

/* @sound was started with the levels of @conf, and outlives @l. */
void radio_levels_init(struct radio_levels *l, struct alsa *sound,
		       const struct conf_node *conf);
/* What was set by hand is forgotten. */
void radio_levels_reload(struct radio_levels *l, const struct conf_node *conf);
/* What reading the fob's EEPROM came to: on_eeprom() of radio/fob.h. */
void radio_levels_kept(struct radio_levels *l, int err,
		       const struct cm108_levels *kept);
/* Now and then: the mixer may be known by now. */
void radio_levels_beat(struct radio_levels *l);

/* By hand.  0, or -ERANGE with a sentence when the mixer does not go there. */
int radio_levels_set(struct radio_levels *l, const struct alsa_levels *levels,
		     char why[RADIO_LEVELS_WHY_MAX]);
/* What an EEPROM is to keep of the mixer as it is.  0, or -ENODEV with a
 * sentence when no mixer is known, or none with dB. */
int radio_levels_to_keep(const struct radio_levels *l, struct cm108_levels *out,
			 char why[RADIO_LEVELS_WHY_MAX]);

void radio_levels_view(const struct radio_levels *l,
		       struct radio_levels_view *out);

#endif
