/* SPDX-License-Identifier: MIT */
#ifndef RADIO_FOB_FIND_H
#define RADIO_FOB_FIND_H

/*
 * Which of the USB devices on this machine is the radio's.  Pure: the devices
 * are a table that somebody else read (fob_sysfs.h).
 *
 * A fob is bound by its serial number, by the port that it is plugged into, by
 * both, or by being the only one.  A device whose ids are in the table of
 * models is a fob; one of C-Media's that is not is one when it has sound and
 * HID and no known one is there; any other only when it is bound by name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "radio/cm108.h"

#define FOB_WHY_MAX 256U
#define FOB_SERIAL_MAX 63U
#define FOB_PORT_MAX 31U
#define FOB_NAME_MAX 127U
/* More devices than this are not looked at. */
#define FOB_SEEN_MAX 64U

struct fob_binding {
	char serial[FOB_SERIAL_MAX + 1]; /* "": any */
	char port[FOB_PORT_MAX + 1];     /* "1-1.2" as in sysfs; "": any */
};

/* A USB device as the kernel shows it. */
struct fob_seen {
	uint16_t vendor, product;
	uint16_t bus, address;
	char port[FOB_PORT_MAX + 1];
	char serial[FOB_SERIAL_MAX + 1]; /* "": it has none */
	bool sound;                      /* an audio interface */
	bool hid;                        /* one with an interrupt input */
	uint8_t interface;               /* that one's number */
	uint8_t endpoint;                /* its input, with the direction bit */
};

struct fob_found {
	const struct fob_seen *seen; /* of the table */
	const struct cm108_model *model;
	bool known; /* by its ids; else it was taken for what it can do */
};

/* 0 and *@out; -ENODEV: none is plugged in; -ENOTUNIQ: more than one could be
 * meant; -ENOTSUP: the one that is meant is no radio interface.  @why is a
 * sentence for each but 0. */
int fob_find(const struct fob_binding *binding, const struct fob_seen *seen,
	     size_t n, struct fob_found *out, char why[FOB_WHY_MAX]);

/* All that fob_find() would take when nothing is bound: how many of @max were
 * filled, in the table's order. */
size_t fob_list(const struct fob_seen *seen, size_t n, struct fob_found *out,
		size_t max);

/* "CM108B at 1-1.2, serial A1" */
void fob_describe(const struct fob_found *found, char out[FOB_NAME_MAX + 1]);

/* Can @found do what @map asks of it?  Else a sentence in @why. */
bool fob_can(const struct fob_found *found, const struct cm108_map *map,
	     char why[FOB_WHY_MAX]);

/* The wiring of @base with PTT on @ptt (a pin, 0: as it is) and other inputs
 * (NULL: as they are).  A pin that is read is not driven. */
struct cm108_map fob_wiring(const struct cm108_map *base, uint8_t ptt,
			    const struct cm108_line *cos,
			    const struct cm108_line *ctcss);

#endif
