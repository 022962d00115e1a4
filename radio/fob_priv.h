/* SPDX-License-Identifier: MIT */
#ifndef RADIO_FOB_PRIV_H
#define RADIO_FOB_PRIV_H

/* Between fob.c, which decides and tells, fob_opened.c, which does so for a
 * new one, fob_usb.c, which carries, and fob_usb_job.c, which may wait. */

#include <stdatomic.h>

#include "radio/fob.h"
#include "radio/fob_eeprom.h"
#include "radio/fob_machine.h"
#include "radio/fob_sysfs.h"

struct fob_usb; /* the device on the bus */
struct libusb_context;
struct libusb_device_handle;

enum fob_job_what { FOB_JOB_LOOK, FOB_JOB_CLOSE };

/* Both threads', one after the other: the loop's until on_job(), and again
 * from @done on. */
struct fob_job {
	enum fob_job_what what;
	const struct fob_config *config;
	struct libusb_context *context;
	/* To close; or what was found, opened and claimed. */
	struct libusb_device_handle *device;
	int fd;
	struct fob_seen seen;
	struct fob_found found;
	int err; /* 0, or -errno and a sentence */
	char why[FOB_WHY_MAX];
	atomic_bool done;
};

struct fob {
	struct fob_config config;
	struct fob_callbacks cb;
	struct fob_machine machine;
	struct fob_usb *usb;
	uint64_t now; /* of the entry that is running */

	struct fob_seen seen;
	struct fob_found found; /* seen NULL: none */
	char name[FOB_NAME_MAX + 1];
	char card[FOB_CARD_MAX + 1]; /* "": not yet */
	uint64_t card_due;
	bool warned_unknown;
	bool was_lost;           /* since it was last open */
	struct fob_seen refused; /* this one could not be used */
	uint64_t refused_since;

	enum fob_state told; /* what on_state() said last */
	bool told_any;
	char why[FOB_WHY_MAX];
	char told_why[FOB_WHY_MAX];

	bool cor, ctcss;
	uint64_t reports; /* input reports that came by themselves */
	uint64_t reports_at_read;
	struct fob_counters counters;

	struct fob_eeprom eeprom;
	bool lent;      /* the transfers are the EEPROM's */
	bool eeprom_in; /* so that input reports may not be of the inputs */
};

/* --- fob_usb.c ---------------------------------------------------------- */

/* 0 or -errno with a sentence. */
int fob_usb_new(struct fob_usb **out, struct fob *f, char why[FOB_WHY_MAX]);
struct fob_usb *fob_usb_free(struct fob_usb *u);
/* Find the fob, open and claim it, in the other thread: fob_opened() follows,
 * but when it is false. */
bool fob_usb_look(struct fob_usb *u);
/* That has ended. */
void fob_usb_job_done(struct fob_usb *u);
int fob_usb_fd(const struct fob_usb *u); /* -1: closed */
/* Begin to close. */
void fob_usb_close(struct fob_usb *u);
/* Go on with it, if it can be: fob_usb_closed() follows. */
void fob_usb_settle(struct fob_usb *u);
/* Send what unkeys, its file aside, and wait for it; then close at once. */
void fob_usb_end(struct fob_usb *u, struct fob_unkey *unkey);
/* No thread and no transfer that never ended has a hand on it. */
bool fob_usb_is_free(const struct fob_usb *u);
/* Begin a transfer; fob_wrote() or fob_read() follows, but when it is not 0. */
int fob_usb_write(struct fob_usb *u, const struct cm108_output *out);
int fob_usb_read(struct fob_usb *u);
/* The same for the EEPROM: fob_sent() or fob_answered() follows. */
int fob_usb_send(struct fob_usb *u, const uint8_t report[CM108_REPORT_LEN]);
int fob_usb_ask(struct fob_usb *u);
void fob_usb_events(struct fob_usb *u);
/* Microseconds until it must be called without an event; UINT64_MAX. */
uint64_t fob_usb_wait_us(const struct fob_usb *u);

/* --- fob_usb_job.c ------------------------------------------------------ */

/* The fob of @c in @seen and @found, or -errno and a sentence: of -ENOTSUP
 * it is in @seen all the same. */
int fob_find_plugged(const struct fob_config *c, struct fob_seen *seen,
		     struct fob_found *found, char why[FOB_WHY_MAX]);
/* Let go of an open device: the kernel's driver comes back, if there was one,
 * with @give_back. */
void fob_usb_let_go(struct libusb_device_handle *device, int fd,
		    uint8_t interface, bool give_back);

/* --- fob_opened.c ------------------------------------------------------- */

/* It was found and is open, as @job says; or why not. */
void fob_opened(struct fob *f, const struct fob_job *job);

/* --- fob.c, called by the others ---------------------------------------- */

/* What it takes to unkey it. */
struct fob_unkey fob_unkey_of(const struct fob *f);

void fob_wrote(struct fob *f, bool ok);
/* NULL: it failed. */
void fob_read(struct fob *f, const struct cm108_input *in);
void fob_sent(struct fob *f, bool ok);
/* NULL: it failed. */
void fob_answered(struct fob *f, const uint8_t *report);
/* A report that came by itself. */
void fob_reported(struct fob *f, const struct cm108_input *in);
/* The device went, or does not serve: fob_usb_close() it. */
void fob_gone(struct fob *f);
void fob_usb_closed(struct fob *f);

#endif
