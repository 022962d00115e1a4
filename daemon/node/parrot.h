/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_PARROT_H
#define DAEMON_NODE_PARROT_H

/*
 * A parrot repeats to one who speaks what he said: an over is recorded, as
 * much of it as there is room for, and played back to its source once it is
 * over.  Who speaks into that is recorded anew.  One source at a time; others
 * are heard as ever, and not recorded.  Pure; blocks are 20 ms at 8 kHz.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/device.h"
#include "proto/mono.h"

#define PARROT_PAUSE_US (700 * MONO_MS) /* ends an over */
#define PARROT_MAX_S 120U
#define PARROT_RADIO UINT32_MAX /* the source that is no link */

enum parrot_state { PARROT_IDLE, PARROT_RECORDING, PARROT_PLAYING };

struct parrot {
	bool on;
	enum parrot_state state;
	uint32_t source; /* a link's, or PARROT_RADIO */
	uint8_t *codes;  /* mu-law, owned */
	size_t room, n, at;
	mono_us heard; /* last */
};

/* Room for @seconds (0..PARROT_MAX_S; 0: it stays off).  False without
 * memory. */
bool parrot_init(struct parrot *p, unsigned seconds);
void parrot_done(struct parrot *p);
/* Off forgets what is recorded. */
void parrot_on(struct parrot *p, bool on);

/* In a beat, first all that speak, then one step: true while @out is to be
 * played to p->source. */
void parrot_hear(struct parrot *p, uint32_t source,
		 const int16_t block[AUDIO_BLOCK], mono_us now);
bool parrot_step(struct parrot *p, int16_t out[AUDIO_BLOCK], mono_us now);

bool parrot_rests(const struct parrot *p);

#endif
