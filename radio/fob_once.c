/* SPDX-License-Identifier: MIT */

/* A fob unkeyed by a process that has nothing else to do. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "radio/fob_priv.h"

/* Who died has let go of it in a moment, or has a guardian that is at it. */
#define CLAIMS 6
#define CLAIM_AGAIN_MS 100L

static int claim(const struct fob_unkey *unkey)
{
	const struct timespec pause = { 0, CLAIM_AGAIN_MS * 1000000L };
	int err = fob_usbfs_claim(unkey->fd, unkey->interface);

	for (int i = 1; i < CLAIMS && err == -EBUSY; i++) {
		(void)nanosleep(&pause, NULL);
		err = fob_usbfs_claim(unkey->fd, unkey->interface);
	}
	return err;
}

int fob_unkey_once(const struct fob_config *config, char why[FOB_WHY_MAX])
{
	const struct cm108_output out =
		cm108_ptt(&config->map, false, config->ptt_inverted, NULL);
	struct fob_unkey unkey = { .ptt = config->map.ptt };
	struct fob_found found;
	struct fob_seen seen;
	int err = fob_find_plugged(config, &seen, &found, why);

	if (err != 0)
		return err == -ENODEV ? 0 : err;
	unkey.interface = seen.interface;
	cm108_output_encode(&out, unkey.report);
	unkey.fd = fob_usbfs_open(config->devices, &seen, why);
	if (unkey.fd < 0)
		return unkey.fd;
	err = claim(&unkey);
	if (err == 0)
		err = fob_usbfs_unkey(&unkey);
	if (err == 0)
		fob_usbfs_release(unkey.fd, unkey.interface);
	if (err != 0)
		(void)snprintf(why, FOB_WHY_MAX,
			       "the fob at %s is not unkeyed: %s", seen.port,
			       strerror(-err));
	(void)close(unkey.fd);
	return err;
}
