/* SPDX-License-Identifier: MIT */

/*
 * The kernel's side of the emulated fob.  Isochronous requests end on a clock
 * of 1 ms frames, so streams on the card run in real time.  A late emulator
 * catches up, and nothing is lost until it lags lag_ms.
 */

#include "tests/vm/cm108.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LATE_S 0.010
#define CONTROL_ROOM 1024U

__attribute__((format(printf, 2, 3))) static void say(struct cm108 *c,
						      const char *format, ...)
{
	char line[128];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	cm108_event(c, line);
}

/* --- the frame clock ---------------------------------------------------- */

double cm108_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double frame_s(const struct cm108 *c)
{
	return 1e-3 * (1.0 - c->ppm * 1e-6);
}

static int64_t frame_now(const struct cm108 *c)
{
	return (int64_t)((cm108_now() - c->began) / frame_s(c)) + 1;
}

static double time_of(const struct cm108 *c, int64_t frame)
{
	return c->began + (double)frame * frame_s(c);
}

void cm108_set_ppm(struct cm108 *c, double ppm)
{
	const int64_t frame = frame_now(c);

	c->ppm = ppm;
	c->began = cm108_now() - (double)frame * frame_s(c);
}

/* --- waiting requests --------------------------------------------------- */

static void add(struct cm108_ep *e, struct cm108_urb *u)
{
	struct cm108_urb **at = &e->head;

	while (*at)
		at = &(*at)->next;
	u->next = NULL;
	*at = u;
}

static void drop(struct cm108_urb **at)
{
	struct cm108_urb *u = *at;

	*at = u->next;
	free(u->request.data);
	free(u);
}

static bool drop_seq(struct cm108_ep *e, uint32_t seq)
{
	for (struct cm108_urb **at = &e->head; *at; at = &(*at)->next) {
		if ((*at)->request.seq != seq)
			continue;
		drop(at);
		return true;
	}
	return false;
}

static void drop_all(struct cm108_ep *e)
{
	while (e->head)
		drop(&e->head);
	e->next = 0;
	e->part = 0;
}

/* The head is done; forget it, unless the kernel went away meanwhile. */
static void finish(struct cm108 *c, struct cm108_ep *e, const uint8_t *data,
		   uint32_t done)
{
	if (!usbip_answer(&c->usb, &e->head->request, 0, data, done))
		cm108_unplug(c, "the kernel is gone");
	else
		drop(&e->head);
}

/* --- plugging ----------------------------------------------------------- */

int cm108_plug(struct cm108 *c)
{
	uint8_t pins[FOB_REPORT_LEN];
	int err;

	if (c->usb.fd >= 0)
		return 0;
	memcpy(pins, c->fob.out, sizeof(pins));
	fob_power_on(&c->fob);
	if (c->keep)
		memcpy(c->fob.out, pins, sizeof(c->fob.out));
	memset(c->reported, 0, sizeof(c->reported));
	err = usbip_plug(&c->usb);
	if (err == 0)
		say(c, "PLUG port=%d %04x:%04x", c->usb.port, c->fob.vendor,
		    c->fob.product);
	return err;
}

void cm108_unplug(struct cm108 *c, const char *why)
{
	if (c->usb.fd < 0)
		return;
	usbip_unplug(&c->usb);
	say(c, "UNPLUG %s", why);
	/* Without power no pin is driven. */
	if (fob_ptt(&c->fob) && !c->keep)
		say(c, "PTT 0");
	if (!c->keep)
		memset(c->fob.out, 0, sizeof(c->fob.out));
	drop_all(&c->play);
	drop_all(&c->capture);
	drop_all(&c->hid);
	drop_all(&c->unanswered);
}

/* --- audio -------------------------------------------------------------- */

/* The sound's own times: what is in a packet was heard, or is, in its frame. */
static uint32_t play(struct cm108 *c, struct usbip_request *r, int64_t frame)
{
	const double rate = c->fob.rate[0];
	uint32_t all = 0;

	for (int i = 0; i < r->packets; i++) {
		struct usbip_packet *p = &r->packet[i];
		const double began = time_of(c, frame + i);
		const struct fob_edges e = fob_audio_play(
			&c->audio, r->data + p->offset, p->len, c->fob.rate[0]);

		if (e.onset != FOB_NO_EDGE)
			say(c, "SOUND %.6f", began + (double)e.onset / rate);
		if (e.quiet != FOB_NO_EDGE)
			say(c, "QUIET %.6f",
			    began + ((double)e.quiet + 1 - FOB_ONSET_QUIET) /
					    rate);
		p->done = p->len;
		all += p->len;
	}
	return all;
}

static uint32_t capture(struct cm108 *c, struct usbip_request *r, int64_t frame,
			uint8_t *out)
{
	uint32_t all = 0;

	if (c->gain)
		c->audio.gain = fob_mic_gain(&c->fob);
	if (c->audio.changed)
		say(c, "MIC %.6f", time_of(c, frame));
	c->audio.changed = false;
	for (int i = 0; i < r->packets; i++) {
		struct usbip_packet *p = &r->packet[i];
		uint32_t n;

		c->capture.part += c->fob.rate[1] / 1000.0;
		n = (uint32_t)c->capture.part;
		c->capture.part -= n;
		if (n > p->len / 2)
			n = p->len / 2;
		if (all + n * 2 > USBIP_LEN_MAX)
			n = 0;
		fob_audio_capture(&c->audio, out + all, n, c->fob.rate[1]);
		p->done = n * 2;
		all += n * 2;
	}
	return all;
}

static void stream_done(struct cm108 *c, struct cm108_ep *e)
{
	static uint8_t out[USBIP_LEN_MAX];
	struct usbip_request *r = &e->head->request;
	const int64_t frame = e->head->ends - r->packets;
	const uint32_t all =
		r->in ? capture(c, r, frame, out) : play(c, r, frame);

	if (cm108_now() - time_of(c, e->head->ends) > LATE_S)
		e->late++;
	e->octets += all;
	e->frames += (uint64_t)r->packets;
	r->start = (uint32_t)frame;
	finish(c, e, out, all);
}

static double wait_for(struct cm108 *c, struct cm108_ep *e)
{
	while (c->usb.fd >= 0 && e->head) {
		const double left = time_of(c, e->head->ends) - cm108_now();

		if (left > 0)
			return left;
		stream_done(c, e);
	}
	return -1;
}

double cm108_tick(struct cm108 *c)
{
	const double a = wait_for(c, &c->play);
	const double b = wait_for(c, &c->capture);

	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static void stream_request(struct cm108 *c, struct cm108_ep *e,
			   struct cm108_urb *u)
{
	const int64_t frame = frame_now(c);
	const int64_t behind = frame - e->next;

	if (e->next != 0 && behind > c->lag_ms) {
		e->resyncs++;
		say(c, "RESYNC lost=%lld ms", (long long)behind);
	}
	if (e->next == 0 || behind > c->lag_ms)
		e->next = frame + 1;
	e->next += u->request.packets;
	u->ends = e->next;
	add(e, u);
}

/* --- HID and control ---------------------------------------------------- */

void cm108_report(struct cm108 *c)
{
	uint32_t n;

	if (c->usb.fd < 0 || !c->hid.head ||
	    memcmp(c->reported, c->fob.in, sizeof(c->reported)) == 0)
		return;
	memcpy(c->reported, c->fob.in, sizeof(c->reported));
	c->reports++;
	n = c->hid.head->request.len;
	finish(c, &c->hid, c->fob.in, n < FOB_REPORT_LEN ? n : FOB_REPORT_LEN);
}

static void control(struct cm108 *c, const struct usbip_request *r)
{
	const bool playing = c->fob.alt[FOB_PLAYBACK];
	const bool capturing = c->fob.alt[FOB_CAPTURE];
	uint8_t data[CONTROL_ROOM] = { 0 };
	uint32_t done = r->len;
	int n;

	if (!r->in && r->len > 0)
		memcpy(data, r->data,
		       r->len < sizeof(data) ? r->len : sizeof(data));
	n = fob_request(&c->fob, r->setup, data, r->len);
	if (r->in || n < 0)
		done = n < 0 ? 0 : (uint32_t)n < r->len ? (uint32_t)n : r->len;
	if (playing != !!c->fob.alt[FOB_PLAYBACK])
		c->play.next = 0;
	if (capturing != !!c->fob.alt[FOB_CAPTURE])
		c->capture.next = 0;
	if (!usbip_answer(&c->usb, r, n < 0 ? n : 0, data, done))
		cm108_unplug(c, "the kernel is gone");
}

static void request(struct cm108 *c, struct cm108_urb *u)
{
	const struct usbip_request *r = &u->request;

	if (r->ep == 1 && !r->in && r->packets > 0) {
		stream_request(c, &c->play, u);
	} else if (r->ep == 2 && r->in && r->packets > 0) {
		stream_request(c, &c->capture, u);
	} else if (r->ep == 7 && r->in) {
		add(&c->hid, u);
		cm108_report(c);
	} else if (r->ep == 0 && c->wedged) {
		add(&c->unanswered, u);
	} else {
		if (r->ep == 0)
			control(c, r);
		else if (!usbip_answer(&c->usb, r, -EPIPE, NULL, 0))
			cm108_unplug(c, "the kernel is gone");
		free(u->request.data);
		free(u);
	}
}

void cm108_wedge(struct cm108 *c, bool wedged)
{
	c->wedged = wedged;
	while (!wedged && c->unanswered.head) {
		struct cm108_urb *u = c->unanswered.head;

		c->unanswered.head = u->next;
		request(c, u);
	}
}

void cm108_usb_readable(struct cm108 *c)
{
	struct cm108_urb *u = calloc(1, sizeof(*u));
	uint32_t answer_to, seq;
	bool found;

	if (!u)
		abort();
	switch (usbip_read(&c->usb, &u->request, &answer_to)) {
	case USBIP_REQUEST:
		request(c, u);
		return;
	case USBIP_UNLINK:
		seq = u->request.seq;
		found = drop_seq(&c->play, seq) || drop_seq(&c->capture, seq) ||
			drop_seq(&c->hid, seq) || drop_seq(&c->unanswered, seq);
		if (!usbip_unlinked(&c->usb, answer_to, found))
			cm108_unplug(c, "the kernel is gone");
		break;
	case USBIP_GONE:
		cm108_unplug(c, "the kernel let go");
		break;
	}
	free(u);
}
