/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_RADIO_ALSA_H
#define DAEMON_RADIO_ALSA_H

/*
 * The sound card of a radio: configured, and its troubles in the log.
 */

#include "audio/alsa.h"
#include "config/conf.h"

/* Start without a card.  0 and *@out, whose device audio_close() ends it, or
 * -errno with a sentence in @why. */
int radio_alsa_open(struct alsa **out, const struct conf_node *conf,
		    char why[ALSA_WHY_MAX]);

/* Log what happened since the last call; to be called each beat.  @fault
 * becomes the last failure, if there was one. */
void radio_alsa_say(struct alsa *a, char fault[ALSA_WHY_MAX]);

#endif
