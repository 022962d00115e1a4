/* SPDX-License-Identifier: MIT */

#include "audio/transit.h"

#define WINDOW_FRAMES 250U /* 5 s of frames of 20 ms */
#define WEIGHT 16U         /* of one frame: lets it fade in steps */
#define FADE_AT (500U * WEIGHT)
#define BUCKET_US ((int64_t)TRANSIT_BUCKET_MS * 1000)

void transit_rebase(struct transit *t, int64_t transit_us)
{
	t->known = true;
	t->base_us = transit_us;
	t->window_us = transit_us;
	t->window_n = 0;
}

/* The least of the current window and of the one before it, so that a route
 * that became longer is believed after at most two windows. */
static void update_base(struct transit *t, int64_t transit_us)
{
	if (t->window_n == 0 || transit_us < t->window_us)
		t->window_us = transit_us;
	if (transit_us < t->base_us)
		t->base_us = transit_us;
	if (++t->window_n == WINDOW_FRAMES) {
		t->base_us = t->window_us;
		t->window_n = 0;
	}
}

static void fade(struct transit *t)
{
	t->weights_sum = 0;
	for (uint32_t i = 0; i < TRANSIT_BUCKETS; i++) {
		t->weight[i] /= 2;
		t->weights_sum += t->weight[i];
	}
}

void transit_add(struct transit *t, int64_t transit_us)
{
	int64_t bucket;

	update_base(t, transit_us);
	bucket = (transit_us - t->base_us) / BUCKET_US;
	if (bucket < 0)
		bucket = 0;
	if (bucket >= TRANSIT_BUCKETS)
		bucket = TRANSIT_BUCKETS - 1;
	t->weight[bucket] += WEIGHT;
	t->weights_sum += WEIGHT;
	if (t->weights_sum >= FADE_AT)
		fade(t);
}

uint32_t transit_quantile_ms(const struct transit *t)
{
	uint32_t seen = 0;

	for (uint32_t i = 0; i < TRANSIT_BUCKETS; i++) {
		seen += t->weight[i];
		if (seen > 0 && seen >= t->weights_sum - t->weights_sum / 50)
			return (i + 1) * TRANSIT_BUCKET_MS;
	}
	return 0;
}
