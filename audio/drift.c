/* SPDX-License-Identifier: MIT */

#include "audio/drift.h"

#include <assert.h>
#include <math.h>

#define PI 3.14159265358979323846
#define BANDWIDTH_HZ 0.02
#define BANDWIDTH_FIRST_HZ 0.5
#define PHASE_US 1e6 /* at first, the clock's place is found, not its rate */
#define GAP_US 500e3
#define AHEAD_US 100e3
#define LEVEL_PPM_PER_MS 50.0 /* returns with a time constant of 20 s */

static double nominal_us(const struct drift *d)
{
	return 1e6 / d->rate_hz;
}

static double clamp(double v, double limit)
{
	return fmax(-limit, fmin(limit, v));
}

void drift_init(struct drift *d, unsigned rate_hz)
{
	assert(rate_hz >= 8000 && rate_hz <= 192000);
	*d = (struct drift){ .rate_hz = rate_hz };
	d->us = nominal_us(d);
}

void drift_restart(struct drift *d)
{
	d->locked = false;
	d->count = 0;
}

void drift_resume(struct drift *d)
{
	drift_restart(d);
	d->resumed = true;
}

static void start(struct drift *d, uint64_t now_us)
{
	d->start_us = now_us;
	d->last_us = 0.0;
	d->place_us = PHASE_US;
	if (!d->resumed)
		d->age_us = 0.0;
	d->resumed = false;
	d->locked = true;
}

/* As wide as the loop's age allows: it averages over all that it has seen. */
static double bandwidth_hz(const struct drift *d)
{
	const double all = 1e6 / fmax(d->age_us, 1.0);

	if (d->place_us > 0.0)
		return BANDWIDTH_FIRST_HZ;
	return fmax(BANDWIDTH_HZ, fmin(BANDWIDTH_FIRST_HZ, all));
}

/* A loop of second order, damped by 0.7.  @late is its error. */
static void correct(struct drift *d, double late, uint32_t n)
{
	const double block_us = n * d->us;
	const double w =
		fmin(2.0 * PI * bandwidth_hz(d) * block_us * 1e-6, 1.0);
	const double least = 1.0 / (1.0 + DRIFT_PPM_MAX * 1e-6);
	const double most = 1.0 / (1.0 - DRIFT_PPM_MAX * 1e-6);
	const double us = d->us + w * w * late / n;

	d->last_us += block_us + sqrt(2.0) * w * late;
	d->age_us += block_us;
	if (d->place_us > 0.0)
		d->place_us -= block_us;
	else
		d->us = fmax(nominal_us(d) * least,
			     fmin(nominal_us(d) * most, us));
}

void drift_stamp(struct drift *d, uint32_t n, uint64_t now_us)
{
	double late;

	d->count += n;
	d->stamp_us = now_us;
	if (!d->locked) {
		start(d, now_us);
		return;
	}
	if (n == 0)
		return;
	late = (double)(int64_t)(now_us - d->start_us) -
	       (d->last_us + n * d->us);
	if (fabs(late) >= GAP_US) {
		d->restarts++;
		start(d, now_us);
		return;
	}
	correct(d, late, n);
}

double drift_count(const struct drift *d, uint64_t now_us)
{
	double since;

	if (!d->locked)
		return 0.0;
	since = (double)(int64_t)(now_us - d->start_us) - d->last_us;
	since = fmax(0.0, fmin(AHEAD_US, since));
	return (double)d->count + since / d->us;
}

double drift_ppm(const struct drift *d)
{
	return (nominal_us(d) / d->us - 1.0) * 1e6;
}

static double level_ppm(double excess_ms)
{
	return clamp(excess_ms * LEVEL_PPM_PER_MS, DRIFT_LEVEL_PPM_MAX);
}

double drift_capture_ppm(const struct drift *d, double excess_ms)
{
	return drift_ppm(d) + level_ppm(excess_ms);
}

double drift_playback_ppm(const struct drift *d, double excess_ms)
{
	return level_ppm(excess_ms) - drift_ppm(d);
}
