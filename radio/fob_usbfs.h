/* SPDX-License-Identifier: MIT */
#ifndef RADIO_FOB_USBFS_H
#define RADIO_FOB_USBFS_H

/*
 * The plain way to a fob, by Linux's usbfs: opening and claiming, and to unkey
 * when there is no event loop any more.  What talks to the device blocks, for
 * FOB_USBFS_TIMEOUT_MS at most a request.
 */

#include <stdbool.h>
#include <stdint.h>

#include "radio/cm108.h"
#include "radio/fob_find.h"

#define FOB_USBFS_TIMEOUT_MS 50U

/* HID's class requests, as the transfers of both ways begin. */
#define FOB_SET_REPORT_TYPE 0x21U
#define FOB_SET_REPORT 0x09U
#define FOB_OUTPUT_REPORT 0x0200U
#define FOB_GET_REPORT_TYPE 0xa1U
#define FOB_GET_REPORT 0x01U
#define FOB_INPUT_REPORT 0x0100U

/* The usbfs file of @seen below @devices (NULL: /dev/bus/usb), or -errno with
 * a sentence in @why. */
int fob_usbfs_open(const char *devices, const struct fob_seen *seen,
		   char why[FOB_WHY_MAX]);
/* The interface for us, the kernel's driver put off; -EBUSY: another program
 * has it. */
int fob_usbfs_claim(int fd, unsigned interface);
/* Give it back to the kernel's driver. */
void fob_usbfs_release(int fd, unsigned interface);
/* All that it takes to unkey a fob. */
struct fob_unkey {
	int fd;            /* its usbfs file, that has the interface */
	uint8_t interface; /* HID */
	uint8_t ptt;       /* pin */
	uint8_t report[CM108_REPORT_LEN]; /* the output report, unkeyed */
};

/* Write the report until it was taken twice and the pin reads as it says; a
 * handful of tries.  0, or -errno of the last one; -EIO when it was taken and
 * the pin never read so. */
int fob_usbfs_unkey(const struct fob_unkey *u);

#endif
