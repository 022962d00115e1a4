/* SPDX-License-Identifier: MIT */

#include "audio/playout.h"

#include <string.h>

#define SAMPLES_PER_MS 8U
#define SAMPLE_US 125U
#define FADE 40U /* samples of the end of speech: 5 ms */

void playout_reset(struct playout *p)
{
	memset(p, 0, sizeof(*p));
}

bool playout_wants(const struct playout *p)
{
	return p->n < PLAYOUT_BLOCK;
}

uint32_t playout_held_us(const struct playout *p)
{
	return (uint32_t)p->n * SAMPLE_US;
}

/* Milliseconds from @ms on that are all there, or all not. */
static uint32_t run_length(uint32_t valid, uint32_t ms)
{
	const uint32_t there = valid >> ms & 1;
	uint32_t end = ms;

	while (end < JITTER_BLOCK_MS && (valid >> end & 1) == there)
		end++;
	return end - ms;
}

/* @left samples were not taken before this block: more than the next will need,
 * unless the delay has to grow. */
static void take_advice(struct playout *p, enum jitter_advice advice,
			size_t left)
{
	if (advice == JITTER_STRETCH) {
		/* Twice, and the next tick needs no block. */
		p->n = wsola_stretch(p->pcm, p->n, PLAYOUT_MAX);
		p->n = wsola_stretch(p->pcm, p->n, PLAYOUT_MAX);
	} else if (!p->shrunk) {
		p->n = wsola_shrink(p->pcm, p->n,
				    advice == JITTER_SHRINK ? WSOLA_LAG_MAX
							    : left);
		p->shrunk = advice == JITTER_SHRINK;
	}
}

void playout_put(struct playout *p, const int16_t pcm[PLAYOUT_BLOCK],
		 uint32_t valid, enum jitter_advice advice)
{
	const size_t left = p->n;
	int16_t *to = p->pcm + left;

	if (!playout_wants(p))
		return;
	memcpy(to, pcm, PLAYOUT_BLOCK * sizeof(to[0]));
	for (uint32_t ms = 0; ms < JITTER_BLOCK_MS;) {
		const uint32_t run = run_length(valid, ms);
		int16_t *part = to + (size_t)ms * SAMPLES_PER_MS;

		if ((valid >> ms & 1) != 0)
			plc_good(&p->plc, part, (size_t)run * SAMPLES_PER_MS);
		else
			plc_lost(&p->plc, part, (size_t)run * SAMPLES_PER_MS);
		ms += run;
	}
	p->n += PLAYOUT_BLOCK;
	p->sounding = true;
	take_advice(p, advice, left);
}

/* What sounded last goes on as far as there is room, ever more quietly. */
static void end_softly(struct playout *p)
{
	const size_t room = PLAYOUT_BLOCK - p->n;
	const size_t more = room < FADE ? room : FADE;
	int16_t *fade;

	plc_lost(&p->plc, p->pcm + p->n, more);
	p->n += more;
	fade = p->pcm + p->n - FADE;
	for (int32_t i = 0; i < (int32_t)FADE; i++)
		fade[i] = (int16_t)(fade[i] * ((int32_t)FADE - 1 - i) /
				    (int32_t)FADE);
	memset(p->pcm + p->n, 0, (PLAYOUT_BLOCK - p->n) * sizeof(p->pcm[0]));
	p->n = PLAYOUT_BLOCK;
	p->sounding = false;
	plc_reset(&p->plc);
}

bool playout_take(struct playout *p, int16_t out[PLAYOUT_BLOCK])
{
	p->shrunk = false;
	if (p->n == 0 && !p->sounding) {
		memset(out, 0, PLAYOUT_BLOCK * sizeof(out[0]));
		return false;
	}
	if (playout_wants(p))
		end_softly(p);
	memcpy(out, p->pcm, PLAYOUT_BLOCK * sizeof(out[0]));
	p->n -= PLAYOUT_BLOCK;
	memmove(p->pcm, p->pcm + PLAYOUT_BLOCK, p->n * sizeof(out[0]));
	return true;
}
