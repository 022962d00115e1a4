/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VM_CM108_H
#define TESTS_VM_CM108_H

/*
 * The emulated fob as a whole: requests of the kernel's that wait, the frame
 * clock that ends the isochronous ones, and the commands of a test.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/vm/fob.h"
#include "tests/vm/fob_audio.h"
#include "tests/vm/usbip.h"

#define CM108_CLIENTS 8
#define CM108_LINE_MAX 256U

struct cm108_urb {
	struct cm108_urb *next;
	struct usbip_request request;
	int64_t ends; /* frame after its last */
};

/* Requests of one endpoint, oldest first. */
struct cm108_ep {
	struct cm108_urb *head;
	int64_t next; /* frame that the next request begins with; 0: idle */
	double part;  /* of a sample, carried over (44.1 kHz) */
	uint64_t octets, frames;
	uint64_t late;    /* ended over 10 ms behind the clock */
	uint64_t resyncs; /* the clock was let run on: something was lost */
};

struct cm108_client {
	int fd; /* -1: free */
	size_t len;
	bool follows; /* told of events */
	char line[CM108_LINE_MAX];
};

struct cm108 {
	struct usbip usb;
	struct fob fob;
	struct fob_audio audio;
	struct cm108_ep play, capture, hid;
	struct cm108_ep unanswered; /* control requests, while wedged */
	bool wedged;
	uint8_t reported[FOB_REPORT_LEN]; /* the last input report sent */
	uint64_t reports;
	double began;     /* monotonic seconds of frame 0 */
	double ppm;       /* how much our clock is fast */
	long lag_ms;      /* behind by more, the clock is let run on */
	unsigned cor_bit; /* of the input report */
	bool gain;        /* the microphone's volume counts */
	bool keep;        /* unplugged by a fault: power and pins stay */
	FILE *log;
	struct cm108_client client[CM108_CLIENTS];
	bool quit;
};

/* cm108_usb.c: the kernel's side */
double cm108_now(void);
void cm108_set_ppm(struct cm108 *c, double ppm);
/* Negative errno. */
int cm108_plug(struct cm108 *c);
void cm108_unplug(struct cm108 *c, const char *why);
/* The kernel has something to say. */
void cm108_usb_readable(struct cm108 *c);
/* End what is due; seconds until the next is, negative: nothing waits. */
double cm108_tick(struct cm108 *c);
/* Answer no control request from now on; or do, those that wait first. */
void cm108_wedge(struct cm108 *c, bool wedged);
/* Send the input report if somebody waits for a new one. */
void cm108_report(struct cm108 *c);

/* cm108_command.c: the test's side */
void cm108_event(void *ctx, const char *text);
void cm108_accept(struct cm108 *c, int listener);
void cm108_client_readable(struct cm108 *c, struct cm108_client *from);

#endif
