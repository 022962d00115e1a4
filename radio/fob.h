/* SPDX-License-Identifier: MIT */
#ifndef RADIO_FOB_H
#define RADIO_FOB_H

/*
 * A USB sound chip as a radio interface: found, claimed, keyed and read
 * through libusb's asynchronous transfers.
 *
 * Nothing here waits, but for fob_free() and what is meant to be done in a
 * thread: opening and closing a device, which the kernel may make last as long
 * as the device likes.  The caller polls the file descriptors that it is told
 * of and calls fob_events() when one is ready, and fob_tick() when
 * fob_deadline() has come.  A fob may be absent, be pulled and
 * come back at any moment: it is looked for again for ever, and what it said
 * no longer counts while it is away.
 *
 * PTT is written, read back and written again until it reads as it should, and
 * re-checked every quarter of a second while keyed, every second else.  Before
 * a fob is ready it was made safe twice.
 */

#include <stdbool.h>
#include <stdint.h>

#include "radio/cm108.h"
#include "radio/cm108_eeprom.h"
#include "radio/fob_find.h"
#include "radio/fob_usbfs.h"

enum fob_state {
	FOB_ABSENT,  /* none that fits is plugged in */
	FOB_OPENING, /* being made safe */
	FOB_READY,
	FOB_FAILED, /* it is there and cannot be used, or which is unclear */
};

struct fob_config {
	struct fob_binding binding;
	struct cm108_map map; /* wiring */
	enum cm108_sense cos;
	enum cm108_sense ctcss;
	bool ptt_inverted;
	const char *sysfs;   /* NULL: "/sys"; outlives the fob */
	const char *devices; /* NULL: "/dev/bus/usb"; outlives the fob */
	/* Between looks for a fob, or for its card, that no fob_hint() asked
	 * for; 0: FOB_LOOK_US. */
	uint32_t look_us;
};

struct fob_job; /* something that may block; the fob's */

/* None of them may call fob_free(). */
struct fob_callbacks {
	void *ctx;
	/* The inputs changed; both are false when the fob goes. */
	void (*on_input)(void *ctx, bool cor, bool ctcss);
	/* A new state, or a new reason for it: @why is one sentence, NULL with
	 * FOB_OPENING and FOB_READY. */
	void (*on_state)(void *ctx, enum fob_state state, const char *why);
	/* One sentence for the operator. */
	void (*on_warning)(void *ctx, const char *what);
	/* There is a fob, and who holds a copy of @unkey's file can unkey it
	 * when this process cannot; NULL: it is gone, let the copy go too, or
	 * it cannot be claimed again. */
	void (*on_device)(void *ctx, const struct fob_unkey *unkey);
	/* Poll @fd for @events (poll(2)) from now on; no longer. */
	void (*on_poll_add)(void *ctx, int fd, short events);
	void (*on_poll_remove)(void *ctx, int fd);
	/* Call fob_job_do() in another thread, then fob_job_done() in this
	 * one, from the loop.  One at a time.  False: it cannot be, now. */
	bool (*on_job)(void *ctx, struct fob_job *job);
	/* fob_eeprom() is done.  0, and @levels are what it keeps; -ENODATA:
	 * it keeps none; -EIO; -ENODEV: the fob went meanwhile. */
	void (*on_eeprom)(void *ctx, int err,
			  const struct cm108_levels *levels);
};

struct fob_counters {
	uint64_t opened;
	uint64_t lost;
	uint64_t errors;     /* transfers that failed */
	uint64_t mismatches; /* PTT did not read back as it was written */
};

struct fob;

/* 0 and an owned *@out, or -errno and a sentence in @why.  @config and @cb are
 * copied.  on_poll_add() is called from within. */
int fob_new(struct fob **out, const struct fob_config *config,
	    const struct fob_callbacks *cb, uint64_t now_us,
	    char why[FOB_WHY_MAX]);
/* Unkeys first, and takes up to a second when the fob does not answer.  A job
 * is done by now, or is left to the end of the process with all that it needs.
 * Accepts NULL, returns NULL. */
struct fob *fob_free(struct fob *f);

/* A descriptor is ready. */
void fob_events(struct fob *f, uint64_t now_us);
void fob_tick(struct fob *f, uint64_t now_us);
/* Something was plugged in, pulled or given its permissions: look at once. */
void fob_hint(struct fob *f, uint64_t now_us);
/* UINT64_MAX: not without an event. */
uint64_t fob_deadline(const struct fob *f);

/* In any thread. */
void fob_job_do(struct fob_job *job);
void fob_job_done(struct fob *f, uint64_t now_us);

/* Key or unkey; the same again costs nothing.  A fob that is away keys when it
 * is back, if that is still wanted. */
void fob_key(struct fob *f, bool keyed, uint64_t now_us);
/*
 * Read the levels that the fob keeps, or, with @levels, have it keep them;
 * on_eeprom() follows, later and never while it is keyed.  0; -EBUSY: not
 * before the last one is done; -ENODEV: there is no fob.
 */
int fob_eeprom(struct fob *f, const struct cm108_levels *levels,
	       uint64_t now_us);
/* It may be keyed: asked to be, or not yet read as unkeyed. */
bool fob_hot(const struct fob *f);

enum fob_state fob_state(const struct fob *f);
/* The ALSA name of the sound card on the same USB device, "hw:1"; NULL while
 * there is none. */
const char *fob_card(const struct fob *f);
/* What it is and where: "CM108B at 1-1.2, serial A1"; NULL while absent. */
const char *fob_name(const struct fob *f);
const struct cm108_model *fob_model(const struct fob *f); /* NULL as above */
struct fob_counters fob_counters(const struct fob *f);

/*
 * For a process that comes after one that died: find the fob, unkey it, let it
 * go.  0, also when there is none; else -errno and a sentence.  Blocks for up
 * to two seconds.
 */
int fob_unkey_once(const struct fob_config *config, char why[FOB_WHY_MAX]);

#endif
