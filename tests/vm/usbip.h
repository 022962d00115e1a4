/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VM_USBIP_H
#define TESTS_VM_USBIP_H

/*
 * A USB device as a program: the USB/IP protocol (Linux,
 * Documentation/usb/usbip_protocol.rst) spoken with the kernel's vhci-hcd over
 * a private socket pair.  No network and no usbipd.  Needs root and vhci-hcd.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USBIP_LEN_MAX 65536U  /* octets of one request */
#define USBIP_PACKETS_MAX 256 /* isochronous packets of one request */

struct usbip {
	int fd;   /* -1: unplugged */
	int port; /* vhci's */
};

/* An isochronous packet's place in its request's data. */
struct usbip_packet {
	uint32_t offset;
	uint32_t len;
	uint32_t done; /* octets sent or received */
};

/* A request (URB) of the kernel's. */
struct usbip_request {
	uint32_t seq;
	bool in;
	unsigned ep;
	uint8_t setup[8];
	uint32_t len;   /* wanted (in) or sent (out) */
	uint8_t *data;  /* out; owned, free() it */
	int packets;    /* 0: not isochronous */
	uint32_t start; /* frame of the first packet, for the answer */
	struct usbip_packet packet[USBIP_PACKETS_MAX];
};

enum usbip_got {
	USBIP_REQUEST,
	USBIP_UNLINK, /* seq: the request to give up; usbip_unlinked() it */
	USBIP_GONE,   /* unplugged by the kernel, or it spoke nonsense */
};

/* Plug a full-speed device into a free port.  Negative errno. */
int usbip_plug(struct usbip *u);
void usbip_unplug(struct usbip *u);
/* Read what the kernel says; waits when there is nothing.  For USBIP_UNLINK,
 * @answer_to is the number that the answer has to name. */
enum usbip_got usbip_read(struct usbip *u, struct usbip_request *out,
			  uint32_t *answer_to);
/* A request is done: @status 0 or negative errno, @done octets, @data those of
 * one that goes in.  False when the kernel is gone. */
bool usbip_answer(struct usbip *u, const struct usbip_request *r, int status,
		  const uint8_t *data, uint32_t done);
bool usbip_unlinked(struct usbip *u, uint32_t answer_to, bool found);

#endif
