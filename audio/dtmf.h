/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_DTMF_H
#define AUDIO_DTMF_H

/*
 * DTMF from a radio: the digits, and the audio without them.
 *
 * A digit is known some 25 ms after its start, so the audio passes a delay of
 * 40 ms: nothing of a digit gets through.  What follows a digit is muted until
 * the delay has been emptied of it; a gap between digits is muted too.
 *
 * At 8 kHz.  dtmf.c has spandsp detect them.  Only dtmf_new() allocates.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTMF_DELAY 320U     /* samples */
#define DTMF_DIGITS_MAX 32U /* that wait; more are dropped */

struct dtmf;

/* NULL when memory is short. */
struct dtmf *dtmf_new(void);
/* Accepts NULL; returns NULL. */
struct dtmf *dtmf_free(struct dtmf *d);

/* Listen to @n samples, and leave in their place those of DTMF_DELAY before,
 * without the digits. */
void dtmf_run(struct dtmf *d, int16_t *samples, size_t n);

/* The next digit, one of 0-9 A-D * #; 0 when there is none. */
char dtmf_next(struct dtmf *d);

#endif
