/* SPDX-License-Identifier: MIT */

#include "daemon/node/parrot.h"

#include <stdlib.h>
#include <string.h>

#include "audio/ulaw.h"

bool parrot_init(struct parrot *p, unsigned seconds)
{
	const size_t s = seconds < PARROT_MAX_S ? seconds : PARROT_MAX_S;

	memset(p, 0, sizeof(*p));
	if (s == 0)
		return true;
	p->room = s * AUDIO_HZ;
	p->codes = malloc(p->room);
	return p->codes != NULL;
}

void parrot_done(struct parrot *p)
{
	free(p->codes);
	memset(p, 0, sizeof(*p));
}

void parrot_on(struct parrot *p, bool on)
{
	p->on = on && p->room > 0;
	if (!p->on)
		p->state = PARROT_IDLE;
}

void parrot_hear(struct parrot *p, uint32_t source,
		 const int16_t block[AUDIO_BLOCK], mono_us now)
{
	if (!p->on)
		return;
	if (p->state == PARROT_IDLE ||
	    (p->state == PARROT_PLAYING && source == p->source)) {
		p->state = PARROT_RECORDING;
		p->source = source;
		p->n = 0;
	}
	if (p->state != PARROT_RECORDING || source != p->source)
		return;
	p->heard = now;
	if (p->room - p->n < AUDIO_BLOCK)
		return;
	ulaw_encode_block(block, p->codes + p->n, AUDIO_BLOCK);
	p->n += AUDIO_BLOCK;
}

bool parrot_step(struct parrot *p, int16_t out[AUDIO_BLOCK], mono_us now)
{
	if (p->state == PARROT_RECORDING && now >= p->heard + PARROT_PAUSE_US) {
		p->state = PARROT_PLAYING;
		p->at = 0;
	}
	if (p->state != PARROT_PLAYING)
		return false;
	if (p->at == p->n) {
		p->state = PARROT_IDLE;
		return false;
	}
	ulaw_decode_block(p->codes + p->at, out, AUDIO_BLOCK);
	p->at += AUDIO_BLOCK;
	return true;
}

bool parrot_rests(const struct parrot *p)
{
	return p->state == PARROT_IDLE;
}
