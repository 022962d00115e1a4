/* SPDX-License-Identifier: MIT */

#include "audio/plc.h"

#include <string.h>

#include "audio/wsola.h"

#define STAGE 80U      /* 10 ms: then another period takes turns */
#define WINDOW 160U    /* compared when looking for the pitch */
#define PERIODS_MAX 3U /* that take turns */
#define JOIN_MAX STAGE /* samples of overlap with what arrives again */
#define JOIN_MORE (STAGE / 5 * 2) /* for each stage of loss */

void plc_reset(struct plc *p)
{
	memset(p, 0, sizeof(*p));
}

static void remember(struct plc *p, const int16_t *pcm, size_t n)
{
	if (n > PLC_PAST) {
		pcm += n - PLC_PAST;
		n = PLC_PAST;
	}
	memmove(p->past, p->past + n, (PLC_PAST - n) * sizeof(p->past[0]));
	memcpy(p->past + PLC_PAST - n, pcm, n * sizeof(p->past[0]));
}

/* @part of @whole of the way from @a to @b. */
static int32_t between(int32_t a, int32_t b, uint32_t part, uint32_t whole)
{
	return a + (b - a) * (int32_t)part / (int32_t)whole;
}

/* The last @periods before the loss, as a wheel: its end leads over to what
 * came before its start. */
static int32_t wheel(const struct plc *p, uint32_t periods, uint32_t at)
{
	const uint32_t len = periods * p->pitch, quarter = p->pitch / 4;
	const uint32_t pos = PLC_PAST - len + at;

	if (at + quarter < len)
		return p->base[pos];
	return between(p->base[pos], p->base[pos - len], at + quarter - len + 1,
		       quarter + 1);
}

static void begin(struct plc *p)
{
	memcpy(p->base, p->past, sizeof(p->base));
	p->pitch = wsola_lag_back(p->base + PLC_PAST - WINDOW, WINDOW);
	p->periods = 1;
	p->at = 0;
	p->changing = 0;
	p->step = p->base[PLC_PAST - 1] - p->base[PLC_PAST - 1 - p->pitch];
}

static void add_period(struct plc *p)
{
	p->old_periods = p->periods;
	p->old_at = p->at;
	p->changing = p->pitch / 4;
	p->periods++;
	p->at %= p->pitch;
}

static int32_t faded(int32_t sample, uint32_t lost)
{
	if (lost <= STAGE)
		return sample;
	return sample * (int32_t)(PLC_MUTE - lost) /
	       (int32_t)(PLC_MUTE - STAGE);
}

static int16_t clipped(int32_t sample)
{
	if (sample > INT16_MAX)
		return INT16_MAX;
	if (sample < INT16_MIN)
		return INT16_MIN;
	return (int16_t)sample;
}

static int16_t next_sample(struct plc *p)
{
	const uint32_t quarter = p->pitch / 4;
	int32_t s;

	if (p->lost >= PLC_MUTE)
		return 0;
	if (p->lost > 0 && p->lost % STAGE == 0 && p->periods < PERIODS_MAX)
		add_period(p);
	s = wheel(p, p->periods, p->at);
	p->at = (p->at + 1) % (p->periods * p->pitch);
	if (p->changing > 0) {
		s = between(s, wheel(p, p->old_periods, p->old_at), p->changing,
			    quarter + 1);
		p->old_at = (p->old_at + 1) % (p->old_periods * p->pitch);
		p->changing--;
	}
	if (p->lost < quarter)
		s += between(p->step, 0, p->lost + 1, quarter + 1);
	s = faded(s, p->lost);
	p->lost++;
	return clipped(s);
}

void plc_lost(struct plc *p, int16_t *out, size_t n)
{
	if (p->lost == 0)
		begin(p);
	for (size_t i = 0; i < n; i++)
		out[i] = next_sample(p);
	remember(p, out, n);
}

/* The longer the loss, the less what arrives resembles what went on. */
static uint32_t join_samples(const struct plc *p)
{
	const uint32_t n = p->pitch / 4 + (p->lost - 1) / STAGE * JOIN_MORE;

	return n < JOIN_MAX ? n : JOIN_MAX;
}

void plc_good(struct plc *p, int16_t *pcm, size_t n)
{
	if (p->lost > 0 && n > 0) {
		uint32_t join = join_samples(p);

		if (join > n)
			join = (uint32_t)n;
		for (uint32_t i = 0; i < join; i++)
			pcm[i] = (int16_t)between(next_sample(p), pcm[i], i + 1,
						  join + 1);
		p->lost = 0;
	}
	remember(p, pcm, n);
}
