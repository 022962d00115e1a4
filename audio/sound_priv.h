/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_SOUND_PRIV_H
#define AUDIO_SOUND_PRIV_H

/* What the two sides of sound.h agree on. */

#include "audio/sound.h"

#define SOUND_CHUNK 480U /* samples moved at once */

/* Silence that a stream to be played begins with. */
#define SOUND_BEGIN (PCM_HZ / 1000U * 15U)

/* Less than this between two turns may not last until the next: silence then
 * takes the place of what the loop has not given. */
#define SOUND_LOW (PCM_HZ / 125U) /* 8 ms */

#endif
