/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_DEVICE_H
#define AUDIO_DEVICE_H

/*
 * One sound device, as the node sees it: blocks of 20 ms at 8 kHz, both ways.
 *
 * A device that runs at another rate or by its own clock converts inside and
 * keeps what it needs between calls; the node's 20 ms tick is then not exactly
 * the device's, which shows as AUDIO_DEVICE_NONE now and then, and as
 * drift_ppm.  No call blocks.  One thread calls.
 */

#include <stdbool.h>
#include <stdint.h>

#define AUDIO_HZ 8000U
#define AUDIO_BLOCK 160U /* samples in 20 ms */

enum audio_device_state {
	AUDIO_DEVICE_DOWN,    /* not there, or lost; it is looked for again */
	AUDIO_DEVICE_RUNNING, /* samples flow */
};

/* Outcome of capture() besides 0 and -errno: no whole block is there yet. */
#define AUDIO_DEVICE_NONE 1

struct audio_device_status {
	enum audio_device_state state;
	uint64_t xruns;   /* blocks lost or invented, since it was opened */
	double drift_ppm; /* device clock against CLOCK_MONOTONIC */
	/* How long ago the first sample of a block was at the card when the
	 * block is taken, and will be there after it is given. */
	double capture_ms, playback_ms;
};

struct audio_device_ops {
	/* Take the next received block.  0 and @out filled,
	 * AUDIO_DEVICE_NONE, or -errno (each fault is reported once). */
	int (*capture)(void *self, int16_t out[AUDIO_BLOCK]);
	/* Hand over the next block to transmit.  0 or -errno, as above. */
	int (*play)(void *self, const int16_t in[AUDIO_BLOCK]);
	struct audio_device_status (*status)(const void *self);
	/*
	 * Nobody listens or speaks for now: until told otherwise there is no
	 * capture() and no play(), and the device may save what it can.  Then
	 * they work again within a block.  NULL: there is nothing to save.
	 */
	void (*rest)(void *self, bool rests);
	/* Release the device and @self. */
	void (*close)(void *self);
};

struct audio_device {
	const struct audio_device_ops *ops;
	void *self;
};

static inline int audio_capture(const struct audio_device *d,
				int16_t out[AUDIO_BLOCK])
{
	return d->ops->capture(d->self, out);
}

static inline int audio_play(const struct audio_device *d,
			     const int16_t in[AUDIO_BLOCK])
{
	return d->ops->play(d->self, in);
}

static inline struct audio_device_status
audio_status(const struct audio_device *d)
{
	return d->ops->status(d->self);
}

static inline void audio_rest(const struct audio_device *d, bool rests)
{
	if (d->ops->rest)
		d->ops->rest(d->self, rests);
}

static inline void audio_close(struct audio_device *d)
{
	if (d->ops)
		d->ops->close(d->self);
	*d = (struct audio_device){ 0 };
}

#endif
