/* SPDX-License-Identifier: MIT */

/* The radio's settings, from the configuration to the machines. */

#include <stdlib.h>

#include "daemon/app.h"

/*
 * The simulated radio has no air in common with its transmitter, and is there
 * to measure what the rest does to sound: by default it stays as it comes.
 */
static bool is_flat(enum conf_radio type)
{
	return type == CONF_RADIO_SIM;
}

/* Tenths of a hertz; 0: none. */
static uint32_t tenths(const char *hz)
{
	return hz[0] ? (uint32_t)(strtod(hz, NULL) * 10.0 + 0.5) : 0;
}

static enum duplex_mode duplex(const struct conf_node *conf,
			       enum conf_radio type)
{
	enum duplex_mode mode = is_flat(type) ? DUPLEX_APART : DUPLEX_HALF;

	/* CONF_DUPLEX_AUTO is no number of a mode. */
	(void)duplex_from_number(conf->radio.duplex, &mode);
	return mode;
}

static struct cor_config cor(const struct conf_node *conf, enum conf_radio type)
{
	static const struct {
		unsigned all, any;
	} inputs[] = {
		[CONF_COR_AUTO] = { COR_IN_COR, 0 },
		[CONF_COR_COR] = { COR_IN_COR, 0 },
		[CONF_COR_CTCSS] = { COR_IN_CTCSS, 0 },
		[CONF_COR_VOX] = { COR_IN_VOX, 0 },
		[CONF_COR_COR_AND_CTCSS] = { COR_IN_COR | COR_IN_CTCSS, 0 },
		[CONF_COR_VOX_AND_CTCSS] = { COR_IN_VOX | COR_IN_CTCSS, 0 },
		[CONF_COR_COR_OR_CTCSS] = { 0, COR_IN_COR | COR_IN_CTCSS },
		[CONF_COR_COR_OR_VOX] = { 0, COR_IN_COR | COR_IN_VOX },
	};
	enum conf_cor source = conf->cor.source;

	if (source == CONF_COR_AUTO && type == CONF_RADIO_ALSA)
		source = CONF_COR_VOX;
	return (struct cor_config){
		.all = inputs[source].all,
		.any = inputs[source].any,
		.attack_ms = conf->cor.attack_ms,
		.release_ms = conf->cor.release_ms,
		.tail_ms = conf->cor.tail_ms,
		.kerchunk_ms = conf->cor.kerchunk_ms,
		.kerchunk_idle_s = conf->cor.kerchunk_idle_s,
		.stuck_s = conf->cor.stuck_s,
	};
}

static struct ptt_config ptt(const struct conf_node *conf)
{
	return (struct ptt_config){
		.timeout_s = conf->radio.timeout_s,
		.hang_ms = conf->radio.hang_ms,
		.key_up_ms = conf->ptt.key_up_ms,
		.courtesy_wait_ms = conf->ptt.courtesy_wait_ms,
		.courtesy_ms = conf->ptt.courtesy_ms,
		.ctcss_off_ms = conf->ptt.ctcss_off_ms,
		.announce_ms = conf->ptt.announce_ms,
	};
}

static bool high_pass(const struct conf_node *conf, enum conf_radio type)
{
	return conf->rx.highpass == CONF_SWITCH_ON ||
	       (conf->rx.highpass == CONF_SWITCH_AUTO && !is_flat(type));
}

static struct station_receiver receiver(const struct conf_node *conf,
					enum conf_radio type)
{
	static const enum station_dtmf dtmf[] = {
		[CONF_DTMF_OFF] = STATION_DTMF_OFF,
		[CONF_DTMF_DECODE] = STATION_DTMF_DECODE,
		[CONF_DTMF_MUTE] = STATION_DTMF_MUTE,
	};

	return (struct station_receiver){
		.ctcss = tenths(conf->cor.ctcss),
		.vox_db = conf->cor.vox_db,
		.vox_ms = conf->cor.vox_ms,
		.agc_db = conf->rx.agc_db,
		.agc_to_db = conf->rx.agc_to_db,
		.limit_db = conf->rx.limit_db,
		.de_emphasis = conf->rx.deemphasis,
		.high_pass = high_pass(conf, type),
		.dtmf = dtmf[conf->rx.dtmf],
	};
}

static struct station_transmitter transmitter(const struct conf_node *conf)
{
	return (struct station_transmitter){
		.ctcss = tenths(conf->ptt.ctcss),
		.ctcss_db = conf->ptt.ctcss_db,
		.courtesy = conf->ptt.courtesy_hz * 10,
		.announce = conf->ptt.announce_hz * 10,
		.tone_db = conf->ptt.tone_db,
		.limit_db = conf->tx.limit_db,
		.ctcss_reverse = conf->ptt.ctcss_end == CONF_CTCSS_REVERSE,
		.pre_emphasis = conf->tx.preemphasis,
	};
}

struct station_config app_station(const struct conf_node *conf,
				  enum conf_radio type)
{
	return (struct station_config){
		.duplex = duplex(conf, type),
		.cor = cor(conf, type),
		.ptt = ptt(conf),
		.rx = receiver(conf, type),
		.tx = transmitter(conf),
	};
}
