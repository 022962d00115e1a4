/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_STATION_H
#define DAEMON_NODE_STATION_H

/*
 * The radio as the node's conference knows it: what of the receiver's audio is
 * somebody's over, and what the transmitter is keyed for and modulated with.
 * It joins the machines of radio/ with what audio/ does to samples.
 *
 *	receiver     de-emphasis, CTCSS decoder, high-pass, VOX, COR with its
 *	             delay line, automatic gain, limiter, DTMF
 *	transmitter  links and what is repeated, delay line, courtesy and other
 *	             tones, pre-emphasis, limiter, CTCSS
 *
 * All of it is optional; what is switched off changes no sample and adds no
 * delay.  Pure: `now` is injected, and nothing is allocated after
 * station_new().  Blocks are 20 ms at 8 kHz (audio/device.h).
 *
 * Every 20 ms call station_receive(), then station_transmit(); call
 * station_inputs() whenever the hardware's inputs change, also in between.
 * After each call see station_keyed(), and arm one timer for
 * station_deadline(): the transmitter may have to be unkeyed before the next
 * block.
 */

#include <stdbool.h>
#include <stdint.h>

#include "audio/device.h"
#include "audio/meter.h"
#include "proto/mono.h"
#include "radio/cor.h"
#include "radio/duplex.h"
#include "radio/ptt.h"

enum station_dtmf {
	STATION_DTMF_OFF,
	STATION_DTMF_DECODE, /* the digits are reported, and heard */
	STATION_DTMF_MUTE,   /* reported, and not heard: 40 ms of delay */
};

/* Levels are dB below full scale; tones are tenths of a hertz, 0: none. */
struct station_receiver {
	uint32_t ctcss;     /* 0, 600..2600: decoded, as COR_IN_CTCSS */
	uint32_t vox_db;    /* 6..60, counts when COR_IN_VOX is named */
	uint32_t vox_ms;    /* 0..5000: VOX stays up for so long */
	uint32_t agc_db;    /* 0..24, both ways; 0: none */
	uint32_t agc_to_db; /* 6..40: what the average is brought to */
	uint32_t limit_db;  /* 0..40; 0: no limiter, else 5 ms of delay */
	bool de_emphasis;
	bool high_pass;
	enum station_dtmf dtmf;
};

struct station_transmitter {
	uint32_t ctcss;     /* 0, 600..2600 */
	uint32_t ctcss_db;  /* 6..40 */
	uint32_t courtesy;  /* 0, 1000..40000, for .ptt.courtesy_ms */
	uint32_t announce;  /* 0, 1000..40000, for .ptt.announce_ms */
	uint32_t tone_db;   /* 0..40, of both */
	uint32_t limit_db;  /* 0..40; 0: no limiter, else 5 ms of delay */
	bool ctcss_reverse; /* its end is a reversal of phase, not silence */
	bool pre_emphasis;
};

struct station_config {
	enum duplex_mode duplex;
	struct cor_config cor;
	struct ptt_config ptt; /* .ctcss is the station's to set */
	struct station_receiver rx;
	struct station_transmitter tx;
};

/* Nothing is filtered, delayed or held back, and receiver and transmitter know
 * nothing of each other; three minutes. */
extern const struct station_config station_config_flat;

struct station;

/* NULL when @config has a value out of its range, or memory is short. */
struct station *station_new(const struct station_config *config, mono_us now);
/* Accepts NULL; returns NULL. */
struct station *station_free(struct station *s);

/* New settings from now on, also for an over that is going on.  Returns 0, or
 * -EINVAL with nothing changed. */
int station_configure(struct station *s, const struct station_config *config,
		      mono_us now);

/*
 * What the hardware's inputs are (COR_IN_COR, COR_IN_CTCSS), and since when:
 * now, or for inputs that come with a block, a block ago, when it began.
 * Repeating them is harmless.
 */
void station_inputs(struct station *s, unsigned inputs, mono_us since);

/*
 * The 20 ms received until now, changed into what is to be heard of them.
 * False: nothing is, and @block is silence.
 */
bool station_receive(struct station *s, int16_t block[AUDIO_BLOCK],
		     mono_us now);

/*
 * What the links say (@network: somebody does; else @block counts as silence),
 * changed into what is to be transmitted.  Returns station_keyed(); unkeyed,
 * @block is silence.
 */
bool station_transmit(struct station *s, int16_t block[AUDIO_BLOCK],
		      bool network, mono_us now);

/*
 * What the node itself says, for the next station_transmit(); NULL: nothing.
 */
void station_telemetry(struct station *s, const int16_t *block);
/* May it say anything now?  Else the frequency is taken, or the transmitter is
 * not to be keyed. */
bool station_may_speak(const struct station *s);

/* Let time pass between blocks. */
void station_tick(struct station *s, mono_us now);
mono_us station_deadline(const struct station *s);

/* PTT. */
bool station_keyed(const struct station *s);
/* Somebody is received, or heard a little later. */
bool station_received(const struct station *s);
/* COR was up for too long, and is not believed until it falls. */
bool station_stuck(const struct station *s);

/* Unkey at once and stay so until told otherwise: the sound or the radio is
 * not trusted. */
void station_force_off(struct station *s, bool force, mono_us now);
/* The radio or its sound is gone: nobody is received any more, what was on its
 * way is forgotten, and nothing is transmitted until it is back. */
void station_there(struct station *s, bool there, mono_us now);

/*
 * Transmit a test tone of @hz (1..4000), @db below full scale, until @until;
 * in the past: no longer.  The time-out timer holds for it, and a half-duplex
 * transmitter still waits for its receiver.
 */
void station_test_tone(struct station *s, uint32_t hz, uint32_t db,
		       mono_us until, mono_us now);

/* The next digit received, one of 0-9 A-D * #; 0: none. */
char station_digit(struct station *s);

/* Nothing is going on, and nothing begins but by station_inputs() or by a
 * voice: blocks may be left out until then. */
bool station_rests(const struct station *s);

struct station_view {
	bool received; /* as station_received() */
	bool stuck;    /* as station_stuck() */
	bool ctcss;    /* the decoder's, or the hardware's */
	bool vox;
	bool keyed;
	unsigned inputs; /* the hardware's */
	enum ptt_state ptt;
	struct cor_counters cor;
	uint64_t timeouts;     /* of the transmitter's timer */
	struct meter_level rx; /* while somebody is heard */
	struct meter_level tx; /* while keyed, without CTCSS */
	/* Of the last tenth of a second, whether anybody is heard or not: the
	 * receiver's sound as it came from the card, .clipped there, and what
	 * is left of it before automatic gain and limiter; and what is
	 * transmitted, silence while unkeyed. */
	struct meter_level card_now, rx_now, tx_now;
};

void station_view(const struct station *s, struct station_view *out);

#endif
