/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_STATION_PRIV_H
#define DAEMON_NODE_STATION_PRIV_H

/* What the parts of the station share: its whole (station.c), the receiver
 * (station_receive.c) and the transmitter (station_transmit.c). */

#include "audio/ctcss.h"
#include "audio/dtmf.h"
#include "audio/filter.h"
#include "audio/limiter.h"
#include "audio/tone.h"
#include "daemon/node/station.h"
#include "radio/delay.h"

#define STATION_METER_MS 1000U
#define STATION_METER_NOW_MS 100U
#define STATION_BLOCK_US (20 * MONO_MS)
#define STATION_SAMPLES_PER_MS (AUDIO_HZ / 1000U)

struct station_rx {
	struct cor cor;
	unsigned hardware; /* enum cor_input, as last told */
	unsigned decoded;  /* CTCSS and VOX, by the station itself */
	mono_us inputs_at; /* when one of them changed last */
	struct filter de_emphasis;
	struct filter high_pass;
	struct ctcss ctcss;
	double vox_on, vox_off; /* sums of squares of a block */
	mono_us vox_until;
	struct delay *line;
	struct agc agc;
	struct limiter limiter;
	struct dtmf *dtmf;
	size_t behind; /* samples of an over that are still in the last three */
	struct meter meter, card_now, now;
	bool heard; /* this beat's block, below, is */
	int16_t block[AUDIO_BLOCK];
};

struct station_tx {
	struct ptt ptt;
	bool network;   /* somebody spoke in the last block */
	bool telemetry; /* the node itself did */
	int16_t said[AUDIO_BLOCK];
	bool forced_off;  /* by station_force_off() */
	bool gone;        /* by station_there() */
	bool interrupted; /* by the receiver, at half duplex */
	mono_us rest_until;
	uint64_t timeouts;
	struct delay *line;
	struct tone ctcss;
	bool ctcss_on;    /* as told to the tone */
	struct tone tone; /* courtesy, announcement */
	struct tone test;
	mono_us test_until; /* 0: none */
	struct filter pre_emphasis;
	struct limiter limiter;
	struct meter meter, now;
	bool modulated; /* since it was keyed */
};

struct station {
	struct station_config config;
	struct duplex_out duplex; /* what is to be done now */
	mono_us seen;             /* the latest time told */
	struct station_rx rx;
	struct station_tx tx;
};

/* station.c: what the receiver and the links come to for the transmitter. */
void station_decide(struct station *s, mono_us now);

/* station_receive.c.  @old: the settings until now, NULL at the start. */
bool station_rx_new(struct station_rx *r);
void station_rx_free(struct station_rx *r);
void station_rx_configure(struct station *s, const struct station_config *old,
			  mono_us now);
void station_rx_reset(struct station_rx *r, mono_us now);

/* station_transmit.c */
bool station_tx_new(struct station_tx *t);
void station_tx_free(struct station_tx *t);
void station_tx_configure(struct station *s);
/* The timers as the duplex mode has them. */
struct ptt_config station_ptt_config(const struct station_config *config);

#endif
