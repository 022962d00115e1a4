/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_RADIO_CM108_H
#define DAEMON_RADIO_CM108_H

/*
 * The USB fob as the node's radio: what the configuration says of it, its
 * sentences in the log, and the guardian that unkeys it when the daemon
 * cannot.  Its sound is the ALSA card on the same USB device.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "audio/alsa.h"
#include "config/conf.h"
#include "radio/fob.h"

struct radio_cm108;

/* Called from the loop, never from radio_cm108_open(). */
struct radio_cm108_calls {
	void *ctx;
	/* What its inputs are from now on. */
	void (*inputs)(void *ctx, bool cor, bool ctcss);
	/* It is ready, or gone. */
	void (*there)(void *ctx, bool there);
	/* radio_cm108_eeprom() is done: on_eeprom() of radio/fob.h. */
	void (*eeprom)(void *ctx, int err, const struct cm108_levels *levels);
	/* Is told which card is the fob's; outlives the fob. */
	struct alsa *sound;
};

/* The fob of @conf; false: its settings contradict one another, as @why
 * says. */
bool radio_cm108_config(const struct conf_node *conf, struct fob_config *out,
			char why[FOB_WHY_MAX]);

/* 0 and *@out, or -errno and a sentence.  A fob that is not there is no error:
 * it is looked for, and @conf need not outlive this call. */
int radio_cm108_open(struct radio_cm108 **out, struct event_base *base,
		     const struct conf_node *conf,
		     const struct radio_cm108_calls *calls,
		     char why[FOB_WHY_MAX]);
/* Unkeys first.  Accepts NULL, returns NULL. */
struct radio_cm108 *radio_cm108_close(struct radio_cm108 *r);

/* At least every 100 ms, also when nothing changes: it is the beat that the
 * guardian listens for. */
void radio_cm108_key(struct radio_cm108 *r, bool keyed, uint64_t now_us);

/* As fob_eeprom(). */
int radio_cm108_eeprom(struct radio_cm108 *r,
		       const struct cm108_levels *levels);

bool radio_cm108_ready(const struct radio_cm108 *r);
/* NULL: there is no card, now. */
const char *radio_cm108_card(const struct radio_cm108 *r);
/* What is wrong, in one sentence; NULL: nothing. */
const char *radio_cm108_fault(const struct radio_cm108 *r);
const struct fob *radio_cm108_fob(const struct radio_cm108 *r);

#endif
