/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_ALSA_MIXER_H
#define AUDIO_ALSA_MIXER_H

/*
 * A card's mixer, by what its elements can do and not by how they are named:
 *
 *	the first with a capture volume      what is received; switched on
 *	the first with a playback volume     what is transmitted; switched on
 *	only
 *	each with both                       its playback is the sidetone of
 *	                                     what is captured: switched off
 *	"Boost" or "Auto Gain" in the name   as levels say
 */

#include "audio/alsa.h"

/*
 * Set the mixer of the card with this number.  0, with what it came to in
 * *@now and what could not be set as wanted in @why, or "" when nothing; -errno
 * when there is no mixer.
 */
int alsa_mixer_set(int card, const struct alsa_levels *levels,
		   struct alsa_mixer *now, char why[ALSA_WHY_MAX]);

/* The same elements as they are.  0, or -errno with *@out empty. */
int alsa_mixer_look(int card, struct alsa_found *out);

#endif
