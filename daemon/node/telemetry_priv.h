/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_NODE_TELEMETRY_PRIV_H
#define DAEMON_NODE_TELEMETRY_PRIV_H

/* What the parts of telemetry share: when (telemetry.c) and how
 * (telemetry_sound.c). */

#include "daemon/node/telemetry.h"

/* The first of the queue, from its start. */
void telemetry_begin(struct telemetry *t);
/* The next block of it into @out, which is silence; false: it is over. */
bool telemetry_render(struct telemetry *t, int16_t out[AUDIO_BLOCK]);
/* Make room for voices, or no longer. */
void telemetry_duck(struct telemetry *t, bool busy, int16_t out[AUDIO_BLOCK]);

#endif
