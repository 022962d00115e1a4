/* SPDX-License-Identifier: MIT */

#include "audio/dtmf.h"

#include <stdlib.h>
#include <string.h>

/* Not spandsp.h: it takes the headers of libtiff. */
#include <spandsp/telephony.h>

#include <spandsp/logging.h>
#include <spandsp/super_tone_rx.h>

#include <spandsp/dtmf.h>

/* The detector's blocks: at the end of each it may say something. */
#define STEP 102U

/* A digit's end is known late; and what rings behind it is to be gone too. */
#define TAIL 200U

struct dtmf {
	dtmf_rx_state_t *rx;
	bool down;     /* a digit lasts */
	unsigned mute; /* samples still to be muted, after it */
	unsigned at;   /* in the line */
	unsigned digits_n;
	char digits[DTMF_DIGITS_MAX];
	int16_t line[DTMF_DELAY];
};

/* spandsp's calls, when a digit starts (its code) and ends (0). */
static void on_change(void *user, int code, int level, int delay)
{
	struct dtmf *d = user;

	(void)level;
	(void)delay;
	d->down = code != 0;
	memset(d->line, 0, sizeof(d->line));
	d->mute = TAIL;
	if (code != 0 && d->digits_n < DTMF_DIGITS_MAX)
		d->digits[d->digits_n++] = (char)code;
}

struct dtmf *dtmf_new(void)
{
	struct dtmf *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->rx = dtmf_rx_init(NULL, NULL, NULL);
	if (!d->rx)
		return dtmf_free(d);
	dtmf_rx_set_realtime_callback(d->rx, on_change, d);
	return d;
}

struct dtmf *dtmf_free(struct dtmf *d)
{
	if (d && d->rx)
		(void)dtmf_rx_free(d->rx);
	free(d);
	return NULL;
}

static int16_t through_line(struct dtmf *d, int16_t in)
{
	const int16_t out = d->line[d->at];

	if (d->down || d->mute > 0)
		in = 0;
	if (!d->down && d->mute > 0)
		d->mute--;
	d->line[d->at] = in;
	d->at = (d->at + 1) % DTMF_DELAY;
	return out;
}

void dtmf_run(struct dtmf *d, int16_t *samples, size_t n)
{
	for (size_t at = 0; at < n; at += STEP) {
		const size_t run = n - at < STEP ? n - at : STEP;

		(void)dtmf_rx(d->rx, samples + at, (int)run);
		for (size_t i = at; i < at + run; i++)
			samples[i] = through_line(d, samples[i]);
	}
}

char dtmf_next(struct dtmf *d)
{
	char digit;

	if (d->digits_n == 0)
		return '\0';
	digit = d->digits[0];
	memmove(d->digits, d->digits + 1, --d->digits_n);
	return digit;
}
