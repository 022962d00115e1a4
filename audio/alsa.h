/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_ALSA_H
#define AUDIO_ALSA_H

/*
 * A sound card through ALSA, at 48 kHz: an audio device (device.h) whose card
 * may be absent, come, go and come back at any moment.
 *
 * One thread, of real-time class where that is allowed, opens the card, sets
 * its mixer, moves samples between it and two rings, and closes it; the loop's
 * calls convert and follow the card's clock (sound.h).  What is said about a
 * card is said once: it is tried again every half second until it works.
 *
 * Thread and loop share rings and atomic counters only; the names, levels and
 * sentences go through a lock that the thread takes when something changed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "audio/device.h"

#define ALSA_NAME_MAX 128U /* octets of a PCM's or card's name, with the NUL */
#define ALSA_WHY_MAX 256U

struct alsa;

/* What the card's mixer is set to: what it does not reach is its nearest. */
struct alsa_levels {
	double rx_db;   /* capture volume */
	double tx_a_db; /* playback volume, left */
	double tx_b_db; /* and right */
	bool boost;     /* the microphone's 20 dB, or automatic gain */
};

/* What a mixer has, in dB; what has none is left out. */
struct alsa_mixer {
	bool rx, tx; /* there is such a volume, with dB */
	double rx_db, rx_min_db, rx_max_db;
	double tx_a_db, tx_b_db, tx_min_db, tx_max_db;
};

/* Start the thread, with no card.  0 and *@out, or -errno. */
int alsa_new(struct alsa **out, const struct alsa_levels *levels);

/* The device that this is; audio_close() ends the thread and frees all. */
struct audio_device alsa_device(struct alsa *a);

/*
 * Use @card both ways, and its mixer: "hw:CARD=Device" or "hw:1"; or none when
 * NULL, which closes what is open.  The same card again changes nothing.
 */
void alsa_card(struct alsa *a, const char *card);

/* Use two PCMs by ALSA's names, "" or NULL for none that way.  A mixer is set
 * when a name says whose ("hw:1", "plughw:CARD=Device,DEV=0"). */
void alsa_pcms(struct alsa *a, const char *capture, const char *playback);

/* Set the mixer anew, now and whenever the card is opened. */
void alsa_set_levels(struct alsa *a, const struct alsa_levels *levels);

/* The mixer, set as was asked last; false, and *@out is empty: it is not yet,
 * or no card with one is open. */
bool alsa_mixer_state(struct alsa *a, struct alsa_mixer *out);

/* The mixer as others may have left it. */
struct alsa_found {
	bool rx, tx;         /* there is such a volume, with dB */
	bool rx_off, tx_off; /* its switch */
	double rx_db, tx_a_db, tx_b_db;
	bool boost; /* the microphone's, or automatic gain, is on */
};

/* Have the mixer read, as it is now. */
void alsa_look_mixer(struct alsa *a);
/* It was, since it was last asked for.  @out, which may be NULL, is empty
 * where there is no card. */
bool alsa_mixer_found(struct alsa *a, struct alsa_found *out);

enum alsa_news_kind {
	ALSA_OPENED, /* it works (again) */
	ALSA_FAILED, /* it does not, or no longer */
	ALSA_WARNED, /* it works, but */
};

struct alsa_news {
	enum alsa_news_kind kind;
	char text[ALSA_WHY_MAX]; /* a sentence without a full stop */
};

/* The next thing to be said, oldest first.  False: nothing. */
bool alsa_news(struct alsa *a, struct alsa_news *out);

/* The loop handed no block over for 200 ms and silence is played: the thread's
 * notice of it, and how often it happened. */
bool alsa_starved(const struct alsa *a);
uint64_t alsa_starvations(const struct alsa *a);

#endif
