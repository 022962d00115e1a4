/* SPDX-License-Identifier: MIT */

#include "audio/playout.h"

#include <string.h>

#define SAMPLES_PER_MS 8U
#define SAMPLE_US 125U
#define FADE 40U /* samples of the end of speech: 5 ms */

void playout_reset(struct playout *p)
{
	struct resample *resample = p->resample;

	memset(p, 0, sizeof(*p));
	p->resample = resample;
}

static void begin_over(struct playout *p, double clock_ppm)
{
	p->paced = p->resample && clock_ppm != 0;
	p->pace = (struct pace){ 0 };
	if (!p->paced)
		return;
	resample_reset(p->resample);
	(void)resample_adjust(p->resample, 0);
}

void playout_pace(struct playout *p, double clock_ppm, uint32_t held_ms,
		  uint32_t target_ms)
{
	const struct pace_in in = {
		.clock_ppm = clock_ppm,
		.held_ms = held_ms,
		.left_ms = (double)p->n / SAMPLES_PER_MS,
		.target_ms = target_ms,
	};

	if (!p->sounding && p->n == 0)
		begin_over(p, clock_ppm);
	if (p->paced)
		(void)resample_adjust(p->resample, pace_ppm(&p->pace, &in));
}

/* At the sender's pace, after what is there. */
static void append(struct playout *p, const int16_t *pcm, size_t n)
{
	if (p->paced) {
		p->n += resample_run(p->resample, pcm, n, p->pcm + p->n);
		return;
	}
	memcpy(p->pcm + p->n, pcm, n * sizeof(pcm[0]));
	p->n += n;
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
	} else if (!p->shrunk && (advice == JITTER_SHRINK || !p->pace.on)) {
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
	int16_t to[PLAYOUT_BLOCK];

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
	append(p, to, PLAYOUT_BLOCK);
	p->sounding = true;
	take_advice(p, advice, left);
}

/* What sounded last goes on as far as there is room, ever more quietly. */
static void end_softly(struct playout *p)
{
	const size_t room = PLAYOUT_BLOCK - p->n;
	const size_t more = room < FADE ? room : FADE;
	int16_t tail[FADE];
	size_t len;

	if (p->paced)
		(void)resample_adjust(p->resample, 0);
	plc_lost(&p->plc, tail, more);
	append(p, tail, more);
	len = p->n < FADE ? p->n : FADE;
	for (size_t i = 1; i <= len; i++)
		p->pcm[p->n - i] = (int16_t)(p->pcm[p->n - i] *
					     ((int32_t)i - 1) / (int32_t)len);
	if (p->n > PLAYOUT_BLOCK)
		p->n = PLAYOUT_BLOCK;
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
