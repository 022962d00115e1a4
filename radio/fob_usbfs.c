/* SPDX-License-Identifier: MIT */

#include "radio/fob_usbfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define TRIES 6
#define TIMES 2 /* never rely on one write */
#define SPACING_MS 3

static void say_open(const char *path, const struct fob_seen *seen, int err,
		     char why[FOB_WHY_MAX])
{
	if (err == EACCES || err == EPERM)
		(void)snprintf(why, FOB_WHY_MAX,
			       "no permission for the USB fob at %s (%.60s): "
			       "its udev rule or the group plugdev is missing",
			       seen->port, path);
	else
		(void)snprintf(why, FOB_WHY_MAX,
			       "the USB fob at %s does not open: %s",
			       seen->port, strerror(err));
}

int fob_usbfs_open(const char *devices, const struct fob_seen *seen,
		   char why[FOB_WHY_MAX])
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%.200s/%03u/%03u",
		       devices ? devices : "/dev/bus/usb", seen->bus,
		       seen->address);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	fd = -errno;
	say_open(path, seen, -fd, why);
	return fd;
}

int fob_usbfs_claim(int fd, unsigned interface)
{
	struct usbdevfs_disconnect_claim claim = {
		.interface = interface,
		.flags = USBDEVFS_DISCONNECT_CLAIM_EXCEPT_DRIVER,
		.driver = "usbfs",
	};

	return ioctl(fd, USBDEVFS_DISCONNECT_CLAIM, &claim) == 0 ? 0 : -errno;
}

void fob_usbfs_release(int fd, unsigned interface)
{
	unsigned number = interface;
	struct usbdevfs_ioctl connect = { .ifno = (int)interface,
					  .ioctl_code = USBDEVFS_CONNECT };

	(void)ioctl(fd, USBDEVFS_RELEASEINTERFACE, &number);
	(void)ioctl(fd, USBDEVFS_IOCTL, &connect);
}

static int set_report(int fd, unsigned interface, uint8_t *report)
{
	struct usbdevfs_ctrltransfer t = {
		.bRequestType = FOB_SET_REPORT_TYPE,
		.bRequest = FOB_SET_REPORT,
		.wValue = FOB_OUTPUT_REPORT,
		.wIndex = (uint16_t)interface,
		.wLength = CM108_REPORT_LEN,
		.timeout = FOB_USBFS_TIMEOUT_MS,
		.data = report,
	};

	return ioctl(fd, USBDEVFS_CONTROL, &t) < 0 ? -errno : 0;
}

/* The pins' levels, or -errno. */
static int get_pins(int fd, unsigned interface)
{
	uint8_t report[CM108_REPORT_LEN] = { 0 };
	struct cm108_input in;
	struct usbdevfs_ctrltransfer t = {
		.bRequestType = FOB_GET_REPORT_TYPE,
		.bRequest = FOB_GET_REPORT,
		.wValue = FOB_INPUT_REPORT,
		.wIndex = (uint16_t)interface,
		.wLength = CM108_REPORT_LEN,
		.timeout = FOB_USBFS_TIMEOUT_MS,
		.data = report,
	};
	const int n = ioctl(fd, USBDEVFS_CONTROL, &t);

	if (n < 0)
		return -errno;
	return cm108_input_decode(report, (size_t)n, &in) == 0 ? in.gpio
							       : -EINVAL;
}

static void pause_ms(long ms)
{
	const struct timespec t = { 0, ms * 1000000 };

	(void)nanosleep(&t, NULL);
}

int fob_usbfs_unkey(const struct fob_unkey *u)
{
	uint8_t copy[CM108_REPORT_LEN];
	int err = 0, taken = 0;

	for (int i = 0; i < TRIES && taken < TIMES; i++) {
		int pins;

		memcpy(copy, u->report, sizeof(copy));
		err = set_report(u->fd, u->interface, copy);
		if (err == -ENODEV)
			return err;
		pause_ms(SPACING_MS);
		if (err != 0)
			continue;
		pins = get_pins(u->fd, u->interface);
		if (pins >= 0 && ((pins ^ u->report[1]) & u->ptt) != 0)
			err = -EIO;
		taken += err == 0;
		pause_ms(SPACING_MS);
	}
	return taken > 0 ? 0 : err;
}
