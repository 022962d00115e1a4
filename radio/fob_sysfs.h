/* SPDX-License-Identifier: MIT */
#ifndef RADIO_FOB_SYSFS_H
#define RADIO_FOB_SYSFS_H

/*
 * USB devices as Linux shows them in sysfs, which needs no permission and no
 * word with the device.  @sysfs is where it is mounted, "/sys" but in tests.
 */

#include <stdbool.h>
#include <stddef.h>

#include "radio/fob_find.h"

/* The devices that are plugged in, hubs' own not among them: how many of @max
 * were filled. */
size_t fob_sysfs_scan(const char *sysfs, struct fob_seen *out, size_t max);

#define FOB_CARD_MAX 15U

/* The ALSA name, "hw:1", of the sound card that is an interface of the device
 * at @port; false: it has none, or none yet. */
bool fob_sysfs_card(const char *sysfs, const char *port,
		    char out[FOB_CARD_MAX + 1]);

#endif
