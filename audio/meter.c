/* SPDX-License-Identifier: MIT */

#include "audio/meter.h"

#include <assert.h>
#include <math.h>

#define FULL_SCALE 32768.0
#define CLIP 32124U /* from here on u-law has no louder code (G.711) */

void meter_init(struct meter *m, unsigned rate_hz, unsigned window_ms)
{
	assert(rate_hz >= 1000 && rate_hz <= 48000);
	assert(window_ms >= 1 && window_ms <= 60000);
	*m = (struct meter){ .length = rate_hz / 1000 * window_ms };
}

static void add_sample(struct meter *m, int16_t sample)
{
	const uint32_t magnitude = (uint32_t)(sample < 0 ? -sample : sample);
	struct meter_window *w = &m->now;

	w->energy += (uint64_t)magnitude * magnitude;
	if (magnitude > w->peak)
		w->peak = magnitude;
	if (magnitude >= CLIP)
		m->clipped++;
	if (++w->n == m->length) {
		m->last = *w;
		*w = (struct meter_window){ 0 };
	}
}

void meter_add(struct meter *m, const int16_t *samples, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_sample(m, samples[i]);
}

/* 20 log10 of an amplitude relative to full scale. */
static double dbfs(double amplitude)
{
	double db;

	if (amplitude <= 0.0)
		return METER_FLOOR_DBFS;
	db = 20.0 * log10(amplitude / FULL_SCALE);
	return db > METER_FLOOR_DBFS ? db : METER_FLOOR_DBFS;
}

struct meter_level meter_read(const struct meter *m)
{
	const struct meter_window *w = m->last.n > 0 ? &m->last : &m->now;
	struct meter_level level = {
		.peak_dbfs = METER_FLOOR_DBFS,
		.average_dbfs = METER_FLOOR_DBFS,
		.clipped = m->clipped,
	};

	if (w->n == 0)
		return level;
	level.peak_dbfs = dbfs(w->peak);
	level.average_dbfs = dbfs(sqrt((double)w->energy / w->n));
	return level;
}
