/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_UEVENT_H
#define DAEMON_IO_UEVENT_H

/*
 * Tells when a USB device or a sound card comes, goes, or has been given its
 * permissions: the kernel's messages (NETLINK_KOBJECT_UEVENT) and udev's.
 * They are no more than a reason to look.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void (*uevent_fn)(void *ctx);

struct uevent;

/* 0 and *@out, or -errno: not every machine lets everybody listen. */
int uevent_open(struct uevent **out, struct event_base *base, uevent_fn fn,
		void *ctx);
/* Accepts NULL, returns NULL. */
struct uevent *uevent_close(struct uevent *u);

/* Is @msg of a USB device or a sound card? */
bool uevent_matters(const uint8_t *msg, size_t len);

#endif
