/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_SIM_H
#define AUDIO_SIM_H

/*
 * The simulated radio's sound: it "receives" WAV files and "transmits" into
 * one.  It has no clock of its own; whoever calls every 20 ms makes it run in
 * real time.
 */

#include <stdbool.h>

#include "audio/device.h"
#include "audio/wav.h"

struct sim;

struct sim_config {
	const char *rx_wav; /* what sim_play(s, NULL) plays; NULL: none */
	const char *tx_wav; /* what is transmitted, 8 kHz; NULL: nowhere */
	bool autoplay;      /* start rx_wav at once */
};

/*
 * Open both files; the configuration's strings are copied.  Returns 0 and
 * *@out, which audio_close() of its device releases, or -errno with the reason
 * in @why and *@out NULL.
 */
int sim_open(struct sim **out, const struct sim_config *config,
	     char why[WAV_WHY_MAX]);

/* The device that this is; borrowed strings and state end with its close. */
struct audio_device sim_device(struct sim *s);

/*
 * Receive @path, or rx_wav when NULL, from its start, in place of what is
 * being received.  Returns 0, -ENOENT when there is nothing to play, or
 * -errno with the reason in @why; what was being received then goes on.
 */
int sim_play(struct sim *s, const char *path, char why[WAV_WHY_MAX]);

/* Force COR up, with silence when no file plays; or end that, and the file
 * that plays, so that COR is down. */
void sim_cor(struct sim *s, bool up);

/* COR for the block captured last: up from sim_play() or sim_cor() until the
 * first capture beyond the last sample. */
bool sim_receiving(const struct sim *s);

/* PTT: blocks played while it is up are appended to tx_wav, others vanish. */
void sim_ptt(struct sim *s, bool keyed);

#endif
