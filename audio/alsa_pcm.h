/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_ALSA_PCM_H
#define AUDIO_ALSA_PCM_H

/*
 * One PCM of ALSA's behind pcm.h: 48 kHz, 16 bits, one channel; of a card with
 * two the left is heard and both play the same.  Never waits; only opening and
 * closing allocate.
 */

#include <poll.h>
#include <stdbool.h>

#include "audio/alsa.h"
#include "audio/pcm.h"

struct alsa_pcm;

enum alsa_way { ALSA_CAPTURE, ALSA_PLAYBACK };

/*
 * 0 and *@out, or -errno with a sentence in @why:
 *   -ENODEV  no such card, or it went away
 *   -ENXIO   the card is there, and has nothing that way
 *   -EBUSY   another program holds it
 *   -EACCES  this user may not
 *   other    it does not do what is needed
 */
int alsa_pcm_open(struct alsa_pcm **out, enum alsa_way way, const char *name,
		  char why[ALSA_WHY_MAX]);
/* Accepts NULL; returns NULL. */
struct alsa_pcm *alsa_pcm_close(struct alsa_pcm *p);

struct pcm alsa_pcm_of(struct alsa_pcm *p);

/* The number of its card; -1: it has none, as a file. */
int alsa_pcm_card(const struct alsa_pcm *p);

/* What to wait for until a turn's worth is captured: how many of @max. */
unsigned alsa_pcm_poll(struct alsa_pcm *p, struct pollfd *fds, unsigned max);

#endif
