/* SPDX-License-Identifier: MIT */

#include "daemon/radio_levels.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/io/log.h"

struct alsa_levels radio_levels_of(const struct conf_node *conf)
{
	return (struct alsa_levels){
		.rx_db = conf->audio.rx_db,
		.tx_a_db = conf->audio.tx_a_db,
		.tx_b_db = conf->audio.tx_b_db,
		.boost = conf->audio.boost,
	};
}

/* Only a USB fob has one. */
static bool is_by_eeprom(const struct conf_node *conf)
{
	return conf->audio.levels == CONF_LEVELS_EEPROM &&
	       conf->radio.type == CONF_RADIO_CM108;
}

static void use(struct radio_levels *l, const struct alsa_levels *levels,
		enum radio_levels_from from)
{
	l->now = *levels;
	l->from = from;
	alsa_set_levels(l->sound, levels);
}

void radio_levels_init(struct radio_levels *l, struct alsa *sound,
		       const struct conf_node *conf)
{
	*l = (struct radio_levels){
		.sound = sound,
		.config = radio_levels_of(conf),
		.by_eeprom = is_by_eeprom(conf),
	};
	l->now = l->config;
}

void radio_levels_reload(struct radio_levels *l, const struct conf_node *conf)
{
	l->config = radio_levels_of(conf);
	l->by_eeprom = is_by_eeprom(conf);
	l->waiting = false;
	/* Those of now hold until the EEPROM was read again. */
	if (l->by_eeprom && l->from != RADIO_LEVELS_CONFIG)
		return;
	use(l, &l->config, RADIO_LEVELS_CONFIG);
}

/* --- thousandths -------------------------------------------------------- */

static double to_db(uint16_t thousandths, double min, double max)
{
	return min + (max - min) * thousandths / 1000.0;
}

/* Rounded up, as those who read it round down to a step of the control. */
static uint16_t from_db(double db, double min, double max)
{
	const double v = ceil((db - min) / (max - min) * 1000.0 - 1e-6);

	return (uint16_t)fmin(fmax(v, 0.0), CM108_EEPROM_LEVEL_MAX);
}

void radio_levels_kept(struct radio_levels *l, int err,
		       const struct cm108_levels *kept)
{
	if (!l->by_eeprom)
		return;
	if (err == 0) {
		l->kept = *kept;
		l->waiting = true;
		return;
	}
	if (err != -ENODEV && l->from != RADIO_LEVELS_CONFIG)
		use(l, &l->config, RADIO_LEVELS_CONFIG);
	if (err == -ENODATA) {
		log_warning("radio: the fob's EEPROM keeps no levels: those of "
			    "the configuration hold; keyhole levels "
			    "--calibrate --eeprom stores some");
	} else if (err != -ENODEV) {
		log_warning("radio: the fob's EEPROM cannot be read: the "
			    "levels of the configuration hold");
	}
}

void radio_levels_beat(struct radio_levels *l)
{
	struct alsa_levels levels = l->config;
	struct alsa_mixer m;

	if (!l->waiting || !alsa_mixer_state(l->sound, &m))
		return;
	l->waiting = false;
	if (m.rx)
		levels.rx_db = to_db(l->kept.rx, m.rx_min_db, m.rx_max_db);
	if (m.tx) {
		levels.tx_a_db = to_db(l->kept.tx_a, m.tx_min_db, m.tx_max_db);
		levels.tx_b_db = to_db(l->kept.tx_b, m.tx_min_db, m.tx_max_db);
	}
	use(l, &levels, RADIO_LEVELS_EEPROM);
	log_info("radio: levels from the fob's EEPROM: receive %.1f dB, "
		 "transmit %.1f and %.1f dB",
		 levels.rx_db, levels.tx_a_db, levels.tx_b_db);
}

int radio_levels_to_keep(const struct radio_levels *l, struct cm108_levels *out,
			 char why[RADIO_LEVELS_WHY_MAX])
{
	struct alsa_mixer m;

	if (!alsa_mixer_state(l->sound, &m) || !m.rx || !m.tx) {
		(void)snprintf(why, RADIO_LEVELS_WHY_MAX,
			       "the sound card has no mixer in dB, or is not "
			       "there");
		return -ENODEV;
	}
	out->rx = from_db(m.rx_db, m.rx_min_db, m.rx_max_db);
	out->tx_a = from_db(m.tx_a_db, m.tx_min_db, m.tx_max_db);
	out->tx_b = from_db(m.tx_b_db, m.tx_min_db, m.tx_max_db);
	return 0;
}

/* --- by hand ------------------------------------------------------------ */

static bool within(const char *what, double db, double min, double max,
		   char why[RADIO_LEVELS_WHY_MAX])
{
	/* As far as the last step reaches. */
	if (db >= min - 0.5 && db <= max + 0.5)
		return true;
	(void)snprintf(why, RADIO_LEVELS_WHY_MAX,
		       "the sound card's %s volume goes from %.1f to %.1f dB",
		       what, min, max);
	return false;
}

int radio_levels_set(struct radio_levels *l, const struct alsa_levels *levels,
		     char why[RADIO_LEVELS_WHY_MAX])
{
	struct alsa_mixer m;

	(void)alsa_mixer_state(l->sound, &m);
	/* What stays as it is may be beyond. */
	if (m.rx && levels->rx_db != l->now.rx_db &&
	    !within("capture", levels->rx_db, m.rx_min_db, m.rx_max_db, why))
		return -ERANGE;
	if (m.tx && levels->tx_a_db != l->now.tx_a_db &&
	    !within("playback", levels->tx_a_db, m.tx_min_db, m.tx_max_db, why))
		return -ERANGE;
	if (m.tx && levels->tx_b_db != l->now.tx_b_db &&
	    !within("playback", levels->tx_b_db, m.tx_min_db, m.tx_max_db, why))
		return -ERANGE;
	l->waiting = false;
	use(l, levels, RADIO_LEVELS_SET);
	return 0;
}

void radio_levels_view(const struct radio_levels *l,
		       struct radio_levels_view *out)
{
	*out = (struct radio_levels_view){ .levels = l->now, .from = l->from };
	out->open = alsa_mixer_state(l->sound, &out->mixer);
}
