/* SPDX-License-Identifier: MIT */

/*
 * The fob's transfers, by libusb: one control transfer at a time, and the
 * interrupt endpoint always asked.  libusb looks for no devices here: the file
 * is opened from what sysfs showed, which needs no thread of libusb's own and
 * works where no udev runs.
 *
 * While the other thread opens or closes a device, libusb's word of a
 * descriptor comes in that thread, and is not passed on: this one adds the
 * device's when it is open, and removes it before it is closed.
 */

#include <errno.h>
#include <libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "radio/fob_priv.h"

#define INPUT_MAX 64U /* octets of an input report, at full speed */
#define DRAIN_MS 20
#define DRAINS_MAX 25

enum purpose { WRITING, READING, SENDING, ASKING };

struct fob_usb {
	struct fob *fob;
	libusb_context *context;
	libusb_device_handle *device; /* NULL: closed */
	struct libusb_transfer *control, *input;
	int fd;
	uint8_t interface, endpoint;
	bool control_busy, input_busy;
	enum purpose purpose; /* of the control transfer */
	bool closing;
	bool in_events; /* in a callback of libusb's, maybe */
	bool away;      /* the job is the other thread's */
	struct fob_job job;
	bool ending; /* nobody wants to hear of anything any more */
	uint8_t control_data[LIBUSB_CONTROL_SETUP_SIZE + CM108_REPORT_LEN];
	uint8_t input_data[INPUT_MAX];
};

/* --- closing ------------------------------------------------------------ */

static bool hand_over(struct fob_usb *u, enum fob_job_what what)
{
	u->job.what = what;
	atomic_store(&u->job.done, false);
	u->away = true;
	if (u->fob->cb.on_job(u->fob->cb.ctx, &u->job))
		return true;
	u->away = false;
	return false;
}

/* No transfer may be under way when the device is closed, nor a callback:
 * libusb holds a lock around them that closing takes. */
void fob_usb_settle(struct fob_usb *u)
{
	if (!u->closing || u->away || u->control_busy || u->input_busy ||
	    u->in_events)
		return;
	u->job.device = u->device;
	u->job.fd = u->fd;
	u->fob->cb.on_poll_remove(u->fob->cb.ctx, u->fd);
	if (!hand_over(u, FOB_JOB_CLOSE)) {
		u->away = true;
		fob_job_do(&u->job);
		fob_usb_job_done(u);
	}
}

static void cancel_all(struct fob_usb *u)
{
	if (u->control_busy)
		(void)libusb_cancel_transfer(u->control);
	if (u->input_busy)
		(void)libusb_cancel_transfer(u->input);
}

void fob_usb_close(struct fob_usb *u)
{
	if (!u->device || u->closing)
		return;
	u->closing = true;
	cancel_all(u);
}

/* The job is over, and nobody was told: what is open since is ours. */
static bool ended(struct fob_usb *u)
{
	if (!atomic_load(&u->job.done))
		return false;
	u->away = false;
	u->device = u->job.device;
	u->fd = u->job.fd;
	u->interface = u->job.seen.interface;
	return true;
}

static void drain(struct fob_usb *u)
{
	for (int i = 0; i < DRAINS_MAX && (u->control_busy || u->input_busy);
	     i++) {
		struct timeval t = { 0, DRAIN_MS * 1000L };

		(void)libusb_handle_events_timeout_completed(u->context, &t,
							     NULL);
	}
}

void fob_usb_end(struct fob_usb *u, struct fob_unkey *unkey)
{
	int err;

	if (u->away && !ended(u))
		return;
	if (!u->device)
		return;
	u->ending = true;
	cancel_all(u);
	drain(u);
	unkey->fd = u->fd;
	unkey->interface = u->interface;
	err = fob_usbfs_unkey(unkey);
	if (u->control_busy || u->input_busy)
		return; /* the kernel has them yet: leave it to exit */
	fob_usb_let_go(u->device, u->fd, u->interface, err == 0);
	u->device = NULL;
	u->fd = -1;
	u->fob->cb.on_device(u->fob->cb.ctx, NULL);
}

/* --- transfers ---------------------------------------------------------- */

static void tell_read(struct fob *f, const uint8_t *report, size_t len)
{
	struct cm108_input in;
	const bool ok = report && cm108_input_decode(report, len, &in) == 0;

	fob_read(f, ok ? &in : NULL);
}

static void LIBUSB_CALL on_control(struct libusb_transfer *t)
{
	struct fob_usb *u = t->user_data;
	const bool ok = t->status == LIBUSB_TRANSFER_COMPLETED;
	const bool whole = ok && t->actual_length == CM108_REPORT_LEN;
	const uint8_t *data = libusb_control_transfer_get_data(t);

	u->control_busy = false;
	if (u->ending || u->closing)
		return;
	if (t->status == LIBUSB_TRANSFER_NO_DEVICE) {
		fob_gone(u->fob);
		return;
	}
	switch (u->purpose) {
	case WRITING:
		fob_wrote(u->fob, whole);
		break;
	case READING:
		tell_read(u->fob, ok ? data : NULL, (size_t)t->actual_length);
		break;
	case SENDING:
		fob_sent(u->fob, whole);
		break;
	case ASKING:
		fob_answered(u->fob, whole ? data : NULL);
		break;
	}
}

static int submit_input(struct fob_usb *u)
{
	const int err = libusb_submit_transfer(u->input);

	u->input_busy = err == 0;
	return err;
}

static void LIBUSB_CALL on_input(struct libusb_transfer *t)
{
	struct fob_usb *u = t->user_data;
	struct cm108_input in;

	u->input_busy = false;
	if (u->ending || u->closing)
		return;
	if (t->status == LIBUSB_TRANSFER_COMPLETED &&
	    cm108_input_decode(u->input_data, (size_t)t->actual_length, &in) ==
		    0)
		fob_reported(u->fob, &in);
	if (u->closing)
		return;
	/* A fob without inputs is no fob: one that is opened anew may do. */
	if ((t->status != LIBUSB_TRANSFER_COMPLETED &&
	     t->status != LIBUSB_TRANSFER_OVERFLOW) ||
	    submit_input(u) != 0)
		fob_gone(u->fob);
}

static int submit_control(struct fob_usb *u, enum purpose purpose)
{
	int err;

	if (!u->device || u->closing || u->control_busy)
		return -EBUSY;
	u->purpose = purpose;
	libusb_fill_control_transfer(u->control, u->device, u->control_data,
				     on_control, u, FOB_USBFS_TIMEOUT_MS);
	err = libusb_submit_transfer(u->control);
	u->control_busy = err == 0;
	return err == 0 ? 0 : -EIO;
}

static int set_report(struct fob_usb *u, const uint8_t report[CM108_REPORT_LEN],
		      enum purpose purpose)
{
	if (u->control_busy)
		return -EBUSY;
	libusb_fill_control_setup(u->control_data, FOB_SET_REPORT_TYPE,
				  FOB_SET_REPORT, FOB_OUTPUT_REPORT,
				  u->interface, CM108_REPORT_LEN);
	memcpy(u->control_data + LIBUSB_CONTROL_SETUP_SIZE, report,
	       CM108_REPORT_LEN);
	return submit_control(u, purpose);
}

static int get_report(struct fob_usb *u, enum purpose purpose)
{
	if (u->control_busy)
		return -EBUSY;
	libusb_fill_control_setup(u->control_data, FOB_GET_REPORT_TYPE,
				  FOB_GET_REPORT, FOB_INPUT_REPORT,
				  u->interface, CM108_REPORT_LEN);
	return submit_control(u, purpose);
}

int fob_usb_write(struct fob_usb *u, const struct cm108_output *out)
{
	uint8_t report[CM108_REPORT_LEN];

	cm108_output_encode(out, report);
	return set_report(u, report, WRITING);
}

int fob_usb_read(struct fob_usb *u)
{
	return get_report(u, READING);
}

int fob_usb_send(struct fob_usb *u, const uint8_t report[CM108_REPORT_LEN])
{
	return set_report(u, report, SENDING);
}

int fob_usb_ask(struct fob_usb *u)
{
	return get_report(u, ASKING);
}

/* --- opening ------------------------------------------------------------ */

static void LIBUSB_CALL on_added(int fd, short events, void *ctx)
{
	const struct fob_usb *u = ctx;

	if (!u->away)
		u->fob->cb.on_poll_add(u->fob->cb.ctx, fd, events);
}

static void LIBUSB_CALL on_removed(int fd, void *ctx)
{
	const struct fob_usb *u = ctx;

	if (!u->away)
		u->fob->cb.on_poll_remove(u->fob->cb.ctx, fd);
}

bool fob_usb_look(struct fob_usb *u)
{
	u->job.config = &u->fob->config;
	u->job.context = u->context;
	return hand_over(u, FOB_JOB_LOOK);
}

static void watch_device(struct fob_usb *u)
{
	const struct libusb_pollfd **all = libusb_get_pollfds(u->context);

	for (size_t i = 0; all && all[i]; i++)
		if (all[i]->fd == u->fd)
			on_added(u->fd, all[i]->events, u);
	libusb_free_pollfds(all);
}

/* It is open: hear it.  False: it went meanwhile, in all likelihood. */
static bool begin(struct fob_usb *u)
{
	const struct fob_job *j = &u->job;

	u->device = j->device;
	u->fd = j->fd;
	u->interface = j->seen.interface;
	u->endpoint = j->seen.endpoint;
	watch_device(u);
	libusb_fill_interrupt_transfer(u->input, u->device, u->endpoint,
				       u->input_data, INPUT_MAX, on_input, u,
				       0);
	return submit_input(u) == 0;
}

void fob_usb_job_done(struct fob_usb *u)
{
	const struct fob_job *j = &u->job;
	bool gone = false;

	u->away = false;
	if (j->what == FOB_JOB_LOOK) {
		if (j->err == 0)
			gone = !begin(u);
		fob_opened(u->fob, j);
		if (gone)
			fob_gone(u->fob);
		return;
	}
	u->device = NULL;
	u->fd = -1;
	u->closing = false;
	fob_usb_closed(u->fob);
}

int fob_usb_fd(const struct fob_usb *u)
{
	return u->fd;
}

/* --- the loop ----------------------------------------------------------- */

static bool watch(struct fob_usb *u)
{
	const struct libusb_pollfd **all = libusb_get_pollfds(u->context);

	if (!all)
		return false;
	for (size_t i = 0; all[i]; i++)
		on_added(all[i]->fd, all[i]->events, u);
	libusb_free_pollfds(all);
	libusb_set_pollfd_notifiers(u->context, on_added, on_removed, u);
	return true;
}

void fob_usb_events(struct fob_usb *u)
{
	struct timeval none = { 0, 0 };

	u->in_events = true;
	(void)libusb_handle_events_timeout_completed(u->context, &none, NULL);
	u->in_events = false;
}

uint64_t fob_usb_wait_us(const struct fob_usb *u)
{
	struct timeval t;

	if (libusb_pollfds_handle_timeouts(u->context) ||
	    libusb_get_next_timeout(u->context, &t) != 1)
		return UINT64_MAX;
	return (uint64_t)t.tv_sec * 1000000U + (uint64_t)t.tv_usec;
}

/* --- life --------------------------------------------------------------- */

int fob_usb_new(struct fob_usb **out, struct fob *f, char why[FOB_WHY_MAX])
{
	struct fob_usb *u = calloc(1, sizeof(*u));

	*out = NULL;
	if (!u)
		goto none;
	u->fob = f;
	u->fd = -1;
	(void)libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	if (libusb_init(&u->context) != 0) {
		u->context = NULL;
		goto none;
	}
	u->control = libusb_alloc_transfer(0);
	u->input = libusb_alloc_transfer(0);
	if (!u->control || !u->input || !watch(u))
		goto none;
	*out = u;
	return 0;
none:
	(void)snprintf(why, FOB_WHY_MAX, "libusb does not start");
	(void)fob_usb_free(u);
	return -ENOMEM;
}

bool fob_usb_is_free(const struct fob_usb *u)
{
	return !u->away && !u->control_busy && !u->input_busy;
}

struct fob_usb *fob_usb_free(struct fob_usb *u)
{
	if (!u)
		return NULL;
	libusb_free_transfer(u->control);
	libusb_free_transfer(u->input);
	if (u->context) {
		libusb_set_pollfd_notifiers(u->context, NULL, NULL, NULL);
		libusb_exit(u->context);
	}
	free(u);
	return NULL;
}
