/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_RADIO_IO_H
#define DAEMON_RADIO_IO_H

/*
 * The radio that the configuration names, as the node needs it: every 20 ms a
 * block in and a block out, and its inputs and PTT at any time.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "audio/device.h"
#include "config/conf.h"
#include "daemon/radio_levels.h"

#define RADIO_WHY_MAX 256U

struct radio_io;

/* What it tells; one is called from within radio_io_receive() or from the
 * loop, never from radio_io_open(). */
struct radio_io_calls {
	/* Its inputs (enum cor_input of radio/cor.h) are these, since then:
	 * now, or when the block began that is being received. */
	void (*inputs)(void *ctx, unsigned inputs, uint64_t since_us);
	/* It is gone, or back. */
	void (*there)(void *ctx, bool there);
	/* radio_io_keep_levels() is done.  NULL: well; else a sentence. */
	void (*kept)(void *ctx, const char *why);
	void *ctx;
};

/* 0 and *@out, or -errno with a sentence in @why. */
int radio_io_open(struct radio_io **out, struct event_base *base,
		  const struct conf_node *conf,
		  const struct radio_io_calls *calls, char why[RADIO_WHY_MAX]);
/* Unkeys first.  Accepts NULL, returns NULL. */
struct radio_io *radio_io_close(struct radio_io *r, uint64_t now_us);

/* The received block, silence when there is none. */
void radio_io_receive(struct radio_io *r, int16_t out[AUDIO_BLOCK],
		      uint64_t now_us);
/* Key or unkey, then send the block if keyed. */
void radio_io_transmit(struct radio_io *r, const int16_t in[AUDIO_BLOCK],
		       bool keyed, uint64_t now_us);
/* Nothing is received or transmitted for now, or again.  False: this radio
 * cannot know when it is awaited, and goes on. */
bool radio_io_rest(struct radio_io *r, bool rests);
/* Between blocks that are far apart: at least each 100 ms. */
void radio_io_look(struct radio_io *r, bool keyed, uint64_t now_us);
/* Key or unkey between blocks.  Repeating it is harmless. */
void radio_io_key(struct radio_io *r, bool keyed, uint64_t now_us);

const char *radio_io_type(const struct radio_io *r);
struct audio_device_status radio_io_status(const struct radio_io *r);

/* What is wrong with it, in one sentence; NULL: nothing is known to be. */
const char *radio_io_fault(const struct radio_io *r);
/* The configuration that is in force now. */
void radio_io_reload(struct radio_io *r, const struct conf_node *conf);
/* The ALSA card of a USB fob, "hw:1"; NULL: none, or none yet. */
const char *radio_io_card(const struct radio_io *r);

/* The levels of its sound card.  False: it has no mixer of ours. */
bool radio_io_levels(const struct radio_io *r, struct radio_levels_view *out);
/* Have the mixer read as it is now, whoever set it.  False: there is none of
 * ours. */
bool radio_io_look_mixer(struct radio_io *r);
/* It was, and this is it; @out may be NULL. */
bool radio_io_mixer(const struct radio_io *r, struct alsa_found *out);
/* Set them until the next reload.  0, or -errno with a sentence. */
int radio_io_set_levels(struct radio_io *r, const struct alsa_levels *levels,
			char why[RADIO_WHY_MAX]);
/* Have the fob's EEPROM keep them.  0, and kept() follows; or -errno with a
 * sentence. */
int radio_io_keep_levels(struct radio_io *r, char why[RADIO_WHY_MAX]);

/* The simulated radio only; -ENODEV for others. */
int radio_io_sim_play(struct radio_io *r, const char *path,
		      char why[RADIO_WHY_MAX]);
int radio_io_sim_cor(struct radio_io *r, bool up);

#endif
