/* SPDX-License-Identifier: MIT */

/*
 * What the kernel may make wait: finding, opening, claiming and closing a
 * device.  It asks the device things meanwhile, and holds a lock on it while
 * drivers are tried; a device that does not answer holds all of that up, by
 * seconds.
 */

#include <errno.h>
#include <libusb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "radio/fob_priv.h"

/* --- finding ------------------------------------------------------------ */

int fob_find_plugged(const struct fob_config *c, struct fob_seen *seen,
		     struct fob_found *found, char why[FOB_WHY_MAX])
{
	struct fob_seen all[FOB_SEEN_MAX];
	const size_t n =
		fob_sysfs_scan(c->sysfs ? c->sysfs : "/sys", all, FOB_SEEN_MAX);
	const int err = fob_find(&c->binding, all, n, found, why);

	if (err != 0 && err != -ENOTSUP)
		return err;
	*seen = *found->seen;
	found->seen = seen;
	if (err != 0)
		return err;
	return fob_can(found, &c->map, why) ? 0 : -ENOTSUP;
}

/* --- opening ------------------------------------------------------------ */

static int claim(libusb_device_handle *device, const struct fob_seen *seen,
		 char why[FOB_WHY_MAX])
{
	int err;

	(void)libusb_set_auto_detach_kernel_driver(device, 1);
	err = libusb_claim_interface(device, seen->interface);
	if (err == 0)
		return 0;
	if (err == LIBUSB_ERROR_NO_DEVICE) {
		(void)snprintf(why, FOB_WHY_MAX, "the fob at %s was unplugged",
			       seen->port);
		return -ENODEV;
	}
	if (err == LIBUSB_ERROR_BUSY)
		(void)snprintf(why, FOB_WHY_MAX,
			       "another program holds the USB fob at %s: end "
			       "it, or choose another fob",
			       seen->port);
	else
		(void)snprintf(why, FOB_WHY_MAX,
			       "the USB fob at %s cannot be claimed: %s",
			       seen->port, libusb_strerror(err));
	return err == LIBUSB_ERROR_BUSY ? -EBUSY : -EIO;
}

static int open_it(struct fob_job *j)
{
	int err = fob_usbfs_open(j->config->devices, &j->seen, j->why);

	j->fd = err;
	if (err < 0)
		return err == -ENOENT || err == -ENXIO ? -ENODEV : err;
	err = libusb_wrap_sys_device(j->context, j->fd, &j->device);
	if (err != 0) {
		(void)snprintf(j->why, FOB_WHY_MAX,
			       "the USB fob at %s does not open: %s",
			       j->seen.port, libusb_strerror(err));
		err = err == LIBUSB_ERROR_NO_DEVICE ? -ENODEV : -EIO;
		(void)close(j->fd);
		return err;
	}
	err = claim(j->device, &j->seen, j->why);
	if (err != 0) {
		libusb_close(j->device);
		(void)close(j->fd);
	}
	return err;
}

static void look(struct fob_job *j)
{
	j->err = fob_find_plugged(j->config, &j->seen, &j->found, j->why);
	if (j->err == 0)
		j->err = open_it(j);
	if (j->err != 0) {
		j->device = NULL;
		j->fd = -1;
	}
}

/* --- closing ------------------------------------------------------------ */

void fob_usb_let_go(libusb_device_handle *device, int fd, uint8_t interface,
		    bool give_back)
{
	(void)libusb_set_auto_detach_kernel_driver(device, give_back);
	(void)libusb_release_interface(device, interface);
	libusb_close(device);
	(void)close(fd);
}

void fob_job_do(struct fob_job *j)
{
	if (j->what == FOB_JOB_LOOK) {
		look(j);
	} else {
		fob_usb_let_go(j->device, j->fd, j->seen.interface, false);
		j->device = NULL;
		j->fd = -1;
	}
	atomic_store(&j->done, true);
}
