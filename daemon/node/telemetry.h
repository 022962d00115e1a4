/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_TELEMETRY_H
#define DAEMON_NODE_TELEMETRY_H

/*
 * What the node itself says on the air: announcements, one after the other, and
 * its identification by schedule.
 *
 * An announcement is words with spaces between them.  A word that names a sound
 * is that sound; digits and capitals are spelled when there is a sound for each
 * of them; what has no sound, and what follows a `=`, is sent in Morse code.
 *
 * It begins in a pause, or, when nobody makes one, under the voices; it is
 * quieter as long as somebody speaks.  Held back in its course (the frequency
 * is taken), it begins anew.  Pure; blocks are 20 ms at 8 kHz; no allocation.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/cw.h"
#include "audio/device.h"
#include "proto/mono.h"

#define TELEMETRY_QUEUE 8U
#define TELEMETRY_TEXT_MAX 127U
#define TELEMETRY_NAME_MAX 31U
#define TELEMETRY_QUIET_US (300 * MONO_MS) /* a pause */
#define TELEMETRY_POLITE_US (10 * MONO_S)  /* how long one is waited for */
#define TELEMETRY_STALE_US (60 * MONO_S)   /* then nobody wants to know */

/* Borrowed until the next telemetry_configure(). */
struct telemetry_sound {
	char name[TELEMETRY_NAME_MAX + 1];
	const int16_t *samples; /* at 8 kHz */
	size_t n;
};

struct telemetry_cfg {
	bool announce; /* else nothing but the identification */
	const struct telemetry_sound *sounds;
	size_t sounds_n;
	unsigned wpm;                    /* CW_WPM_MIN..CW_WPM_MAX */
	unsigned hz;                     /* 1..4000, of Morse code */
	unsigned tone_db;                /* below full scale, of it */
	unsigned duck_db;                /* quieter by this under voices */
	char id[TELEMETRY_TEXT_MAX + 1]; /* as an announcement; empty: none */
	uint32_t id_interval_s;          /* 0: by command only */
	uint32_t id_late_s; /* how long a pause is waited for, then */
};

struct telemetry_item {
	char text[TELEMETRY_TEXT_MAX + 1];
	mono_us since;
	bool id;
};

/* What is known of the beat that a block is for. */
struct telemetry_now {
	bool busy;  /* somebody speaks */
	bool held;  /* nothing may be transmitted */
	bool keyed; /* the transmitter is */
};

struct telemetry {
	struct telemetry_cfg cfg;
	struct telemetry_item queue[TELEMETRY_QUEUE];
	size_t n; /* the first is, or will be, said */
	bool saying;
	const char *next; /* of the first's text */
	unsigned gap;     /* blocks of silence before it */
	const int16_t *sound;
	size_t left; /* samples of it */
	struct cw cw;
	bool sending;        /* Morse code */
	double gain;         /* of the last block */
	mono_us quiet_since; /* 0: somebody speaks */
	mono_us id_last;     /* 0: never */
	mono_us active;      /* transmitted since then without it; 0: not */
	uint64_t dropped;    /* no room, or stale */
	uint64_t said, ids;
};

void telemetry_init(struct telemetry *t);
/* What is being said begins anew. */
void telemetry_configure(struct telemetry *t, const struct telemetry_cfg *cfg);

/* Say this; dropped when it is too long, there is no room, or announcements
 * are off. */
void telemetry_say(struct telemetry *t, const char *words, mono_us now);
/* Identify soon, whatever the schedule. */
void telemetry_identify(struct telemetry *t, mono_us now);

/* The next 20 ms; false: silence, and nothing is to be transmitted. */
bool telemetry_block(struct telemetry *t, const struct telemetry_now *what,
		     int16_t out[AUDIO_BLOCK], mono_us now);

/* Blocks are not needed until telemetry_deadline(). */
bool telemetry_rests(const struct telemetry *t);
void telemetry_tick(struct telemetry *t, mono_us now);
mono_us telemetry_deadline(const struct telemetry *t);

#endif
