/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_SOUND_PRIV_H
#define AUDIO_SOUND_PRIV_H

/* What the two sides of sound.h agree on. */

#include "audio/sound.h"

#define SOUND_CHUNK 480U /* samples moved at once */

/* Silence that a stream to be played begins with: 20 ms. */
#define SOUND_BEGIN (PCM_HZ / 50U)

/* Less than this, 12.5 ms, may not last until the next turn: silence then takes
 * the place of what the loop has not given.  Linux's USB driver breaks off when
 * the last 5 ms are all that is left. */
#define SOUND_LOW (PCM_HZ / 80U)

/* As much, while turns are seldom: 160 ms. */
#define SOUND_REST_LOW (2 * PCM_HZ / 1000U * (SOUND_REST_US / 1000U))

/* Blocks until less is held again, 10 minutes; twice that after each break. */
#define SOUND_HOLD 30000U

#endif
