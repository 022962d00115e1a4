/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_USB_H
#define DAEMON_IO_USB_H

/* A radio fob on the event loop: its descriptors and its deadline. */

#include <event2/event.h>

#include "radio/fob.h"

struct usb_fob;

/* What the fob tells; see struct fob_callbacks. */
struct usb_fob_cb {
	void *ctx;
	void (*on_input)(void *ctx, bool cor, bool ctcss);
	void (*on_state)(void *ctx, enum fob_state state, const char *why);
	void (*on_warning)(void *ctx, const char *what);
	void (*on_device)(void *ctx, const struct fob_unkey *unkey);
	void (*on_eeprom)(void *ctx, int err,
			  const struct cm108_levels *levels);
};

/* 0 and an owned *@out, or -errno and a sentence.  That no fob is there is no
 * error: it is looked for. */
int usb_fob_open(struct usb_fob **out, struct event_base *base,
		 const struct fob_config *config, const struct usb_fob_cb *cb,
		 char why[FOB_WHY_MAX]);
/* Unkeys first.  Accepts NULL, returns NULL. */
struct usb_fob *usb_fob_close(struct usb_fob *u);

void usb_fob_key(struct usb_fob *u, bool keyed);
/* As fob_eeprom(). */
int usb_fob_eeprom(struct usb_fob *u, const struct cm108_levels *levels);
const struct fob *usb_fob_get(const struct usb_fob *u);

#endif
