/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_PCM_H
#define AUDIO_PCM_H

/*
 * One direction of a sound card as the sound thread sees it: a stream of mono
 * samples of 16 bits at 48 kHz, by the card's own clock.  No call waits.
 *
 * -EPIPE says that the stream broke off, because it was read too late or
 * written too late: begin() starts it anew.  Any other negative errno says that
 * the card is lost.
 */

#include <stddef.h>
#include <stdint.h>

#define PCM_HZ 48000U

struct pcm_ops {
	/*
	 * Empty the stream and let it run.  A stream to be played has @silence
	 * samples of it written first.  0 or -errno.
	 */
	int (*begin)(void *self, uint32_t silence);
	/*
	 * Samples that were captured and not yet read; or written and not yet
	 * heard, as well as the card can tell.  From 0 on, or -errno.
	 */
	int (*held)(void *self);
	/* Read or write up to @n: how many, from 0 on, or -errno. */
	int (*read)(void *self, int16_t *out, uint32_t n);
	int (*write)(void *self, const int16_t *in, uint32_t n);
	/* Take back up to @n samples that were written last and that the card
	 * has not fetched: how many, from 0 on.  NULL: it never can. */
	int (*rewind)(void *self, uint32_t n);
};

/* No ops: there is none. */
struct pcm {
	const struct pcm_ops *ops;
	void *self;
};

#endif
