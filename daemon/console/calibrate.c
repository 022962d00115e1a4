/* SPDX-License-Identifier: MIT */

#include "daemon/console/calibrate.h"

#include <math.h>

#define CLIPPED_DB (-6.0)

void calibrate_begin(struct calibrate *c, unsigned skip)
{
	*c = (struct calibrate){ .skip = skip };
}

void calibrate_add(struct calibrate *c, const struct meters *m)
{
	if (!m->cor)
		return;
	if (c->skip > 0) {
		c->skip--;
		c->before = m->rx.clipped;
		c->counting = true;
		return;
	}
	if (!c->counting)
		c->before = m->rx.clipped;
	c->counting = true;
	meters_add(&c->sum, m);
}

struct calibrate_level calibrate_level(const struct calibrate *c)
{
	const struct meters m = meters_taken(&c->sum);
	struct calibrate_level l = { .heard = c->sum.n > 0 };

	if (!l.heard)
		return l;
	l.average_dbfs = m.rx.average_dbfs;
	l.peak_dbfs = m.rx.peak_dbfs;
	/* A daemon that was restarted counts from 0. */
	if (m.rx.clipped > c->before)
		l.clipped = m.rx.clipped - c->before;
	return l;
}

double calibrate_change_db(const struct calibrate_level *l)
{
	const double by = fmin(CALIBRATE_AVERAGE_DBFS - l->average_dbfs,
			       CALIBRATE_PEAK_DBFS - l->peak_dbfs);

	return l->clipped > 0 ? fmin(by, CLIPPED_DB) : by;
}

double calibrate_deviation_db(double khz)
{
	return 20.0 * log10(CALIBRATE_KHZ / khz);
}

double calibrate_gain(double db, double by, double min, double max)
{
	const double tenths = round(fmin(fmax(db + by, min), max) * 10.0);

	return tenths == 0.0 ? 0.0 : tenths / 10.0;
}
