/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_PLC_H
#define AUDIO_PLC_H

/*
 * Conceals lost speech: the last pitch periods heard go on, joined by
 * overlap-add, as ITU-T G.711 Appendix I describes.  After 10 ms of loss more
 * periods take turns, so that it does not buzz, and it fades; after 60 ms it
 * is silent.
 *
 * Unlike there nothing is delayed: the step where the concealment starts is
 * taken up by an offset that decays within a quarter of a period.
 *
 * Samples of 16 bits at 8 kHz.  Pure; no allocation.
 */

#include <stddef.h>
#include <stdint.h>

#define PLC_PAST 390U /* three and a quarter of the longest periods */
#define PLC_MUTE 480U /* samples of loss after which it is silent */

struct plc {
	int16_t past[PLC_PAST]; /* heard last, concealment included */
	/* Of the loss that goes on; lost = 0: none. */
	int16_t base[PLC_PAST]; /* heard before it */
	uint32_t lost;          /* samples, counted up to PLC_MUTE */
	uint32_t pitch;
	uint32_t periods;     /* that take turns, 1..3 */
	uint32_t at;          /* the next sample, in them */
	uint32_t old_periods; /* what fades out while periods change */
	uint32_t old_at;
	uint32_t changing; /* samples of that to go */
	int32_t step;      /* at the start, to be taken up */
};

/* Silence before the first sample. */
void plc_reset(struct plc *p);

/* @n samples that did arrive; what follows a loss is joined to it in place. */
void plc_good(struct plc *p, int16_t *pcm, size_t n);

/* @n samples in place of lost ones. */
void plc_lost(struct plc *p, int16_t *out, size_t n);

#endif
