/* SPDX-License-Identifier: MIT */

#include "audio/transit.h"

#define WINDOW_FRAMES 250U /* 5 s of frames of 20 ms */
#define BUCKET_US ((int64_t)TRANSIT_BUCKET_MS * 1000)
#define STEP_US 40000 /* less is left to the window */
#define EARLY_FRAMES 5U
#define FOLLOWS_US 15000 /* less late than the one before: was behind it */

static void set_base(struct transit *t, int64_t us)
{
	t->base_us = us;
	t->window_us = us;
	t->window_n = 0;
	t->early = 0;
}

void transit_rebase(struct transit *t, int64_t transit_us)
{
	t->known = true;
	t->recent_n = 0;
	set_base(t, transit_us);
}

static uint8_t bucket_of(const struct transit *t, int64_t transit_us)
{
	const int64_t bucket = (transit_us - t->base_us) / BUCKET_US;

	if (bucket < 0)
		return 0;
	return bucket < (int64_t)TRANSIT_BUCKETS ? (uint8_t)bucket
						 : TRANSIT_BUCKETS - 1;
}

/* The least of the current window and of the one before it. */
static void follow_window(struct transit *t, int64_t transit_us)
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

/* Whether @transit_us is too good to be true, for now. */
static bool is_doubtful(struct transit *t, int64_t transit_us)
{
	if (transit_us >= t->base_us - STEP_US) {
		t->early = 0;
		return false;
	}
	if (t->early == 0 || transit_us > t->early_us)
		t->early_us = transit_us;
	if (++t->early < EARLY_FRAMES)
		return true;
	set_base(t, t->early_us);
	t->recent_n = 0;
	return false;
}

/* Whether it was held up behind the frame before it. */
static bool follows(const struct transit *t, int64_t transit_us)
{
	const int64_t before = t->recent_us[(t->next - 1) % TRANSIT_RECENT];

	return t->recent_n > 0 && transit_us <= before - FOLLOWS_US;
}

static void remember(struct transit *t, int64_t transit_us)
{
	const uint32_t i = t->next % TRANSIT_FRAMES;

	if (t->frames == TRANSIT_FRAMES)
		t->count[t->bucket[i]]--;
	else
		t->frames++;
	t->bucket[i] = follows(t, transit_us) ? 0 : bucket_of(t, transit_us);
	t->count[t->bucket[i]]++;
	t->recent_us[t->next % TRANSIT_RECENT] = transit_us;
	t->next++;
	if (t->recent_n < TRANSIT_RECENT)
		t->recent_n++;
}

/* Lateness of the recent frames, by the new base. */
static void correct(struct transit *t)
{
	for (uint32_t back = 1; back <= TRANSIT_RECENT; back++) {
		const uint32_t i = (t->next - back) % TRANSIT_FRAMES;

		t->count[t->bucket[i]]--;
		t->bucket[i] = bucket_of(
			t, t->recent_us[(t->next - back) % TRANSIT_RECENT]);
		t->count[t->bucket[i]]++;
	}
}

static void follow_step(struct transit *t)
{
	int64_t least = t->recent_us[0], most = least;

	if (t->recent_n < TRANSIT_RECENT)
		return;
	for (uint32_t i = 1; i < TRANSIT_RECENT; i++) {
		if (t->recent_us[i] < least)
			least = t->recent_us[i];
		if (t->recent_us[i] > most)
			most = t->recent_us[i];
	}
	if (least - t->base_us < STEP_US || least - t->base_us < most - least)
		return;
	set_base(t, least);
	correct(t);
}

void transit_add(struct transit *t, int64_t transit_us)
{
	if (is_doubtful(t, transit_us))
		return;
	follow_window(t, transit_us);
	remember(t, transit_us);
	follow_step(t);
}

uint32_t transit_quantile_ms(const struct transit *t, uint32_t late_permille)
{
	const uint32_t late = t->frames * late_permille / 1000;
	uint32_t seen = 0;

	for (uint32_t i = 0; i < TRANSIT_BUCKETS; i++) {
		seen += t->count[i];
		if (seen > 0 && seen + late >= t->frames)
			return (i + 1) * TRANSIT_BUCKET_MS;
	}
	return 0;
}
