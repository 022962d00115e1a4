/* SPDX-License-Identifier: MIT */

#include "audio/pace.h"

#include <math.h>

#define BLOCK_MS 20.0
#define MARGIN_MS 1.0
#define PULL_PPM 600.0 /* nobody hears that */
#define PPM_EACH_MS 50.0
#define PPM_MAX 1000.0
#define SMOOTH 0.02 /* of a block: 1 s */

static double within(double x, double most)
{
	return fmax(-most, fmin(most, x));
}

/* Fast: there is a block too much.  Slow: what it takes to have one more would
 * soon be too late. */
static bool matters(const struct pace_in *in)
{
	const double spare = in->held_ms - in->target_ms;

	if (in->clock_ppm > 0)
		return spare >= BLOCK_MS + MARGIN_MS;
	return in->clock_ppm < 0 &&
	       spare < MARGIN_MS - in->clock_ppm / PULL_PPM * BLOCK_MS;
}

double pace_ppm(struct pace *p, const struct pace_in *in)
{
	const double depth = in->held_ms + in->left_ms;

	if (!p->on) {
		if (!matters(in))
			return 0;
		p->on = true;
		p->depth_ms = depth;
	}
	p->depth_ms += SMOOTH * (depth - p->depth_ms);
	return within(in->clock_ppm +
			      within(PPM_EACH_MS * (p->depth_ms -
						    in->target_ms - BLOCK_MS),
				     PULL_PPM),
		      PPM_MAX);
}
