/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_CW_H
#define AUDIO_CW_H

/*
 * Text as Morse code (ITU-R M.1677-1): a tone (tone.h) keyed with its shaped
 * edges.  A dot takes 1200 / wpm ms (PARIS), a dash three, the gaps one within
 * a character, three between, seven between words.  At 8 kHz.  Pure; no
 * allocation.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/tone.h"

#define CW_TEXT_MAX 63U
#define CW_WPM_MIN 5U
#define CW_WPM_MAX 60U

struct cw {
	struct tone tone;
	double hz;
	double dbfs;
	uint32_t dot; /* samples */
	char text[CW_TEXT_MAX + 1];
	const char *signs; /* dots and dashes left of the character */
	size_t next;       /* character of the text */
	uint32_t left;     /* samples until the key changes */
	bool down;
	bool sending;
};

/* @wpm from CW_WPM_MIN to CW_WPM_MAX; @hz and @dbfs as of tone_on(). */
void cw_init(struct cw *c, unsigned wpm, double hz, double dbfs);

/*
 * Send @text from the next sample on, instead of what is being sent.  Letters
 * of either case, digits, space and .,?'!/()&:;=+-_"$@ are known.  0; -EINVAL
 * when a character is not, -EMSGSIZE beyond CW_TEXT_MAX: nothing has changed
 * then.
 */
int cw_send(struct cw *c, const char *text);

/* Add it to @n samples.  False once all is sent and faded out. */
bool cw_add(struct cw *c, int16_t *samples, size_t n);

#endif
