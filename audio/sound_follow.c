/* SPDX-License-Identifier: MIT */

/* The loop's side: conversion, at the level that is wanted. */

#include <math.h>
#include <string.h>

#include "audio/sound_priv.h"

#define SETTLE 5U /* blocks from a stream's begin to its level */
#define SETTLE_RESUMED 1U
#define SETTLE_AGAIN 3U   /* from a break to the level */
#define EVENT 10U         /* blocks: what breaks within them goes on breaking */
#define STEP_MS 4.0       /* more is held after a break, or twice that */
#define FALL_MS 1.0       /* less, after SOUND_HOLD or more without one */
#define HOLD_MAX 4320000U /* blocks, a day */
#define SMOOTH 32.0       /* blocks that the level is averaged over */
#define MORE_MS 60.0      /* at most, than at first */
#define ASTRAY_MS 12.0    /* off the level: it does not come back */
#define ASTRAY 50U        /* blocks, when it stays so */
#define LOST_MS 100.0     /* off the level: much sooner */
#define LOST 10U          /* of such a block counts as so many */
#define YOUNG \
	100U /* blocks after a rest, in which the clock's place is found */
#define YOUNG_MS 2.0 /* captured and held more at first; it goes slowly */
#define NEAR_MS 1.0  /* not worth a step in the sound */
#define IN_PER_MS (AUDIO_HZ / 1000.0)
#define CARD_PER_MS (PCM_HZ / 1000.0)

static void follow_begin(struct sound_follow *f, bool resumed)
{
	if (resumed)
		drift_resume(&f->drift);
	else
		drift_restart(&f->drift);
	resample_reset(f->resample);
	f->count = 0;
	f->excess_ms = 0.0;
	f->level_ms = 0.0;
	f->settle = resumed ? SETTLE_RESUMED : SETTLE;
	f->astray = 0;
	f->began = false;
	f->awaits = false;
	f->young = resumed ? YOUNG : 0;
}

static void follow_pause(struct sound_follow *f)
{
	drift_restart(&f->drift);
	f->began = false;
	f->awaits = true;
}

void sound_rest(struct sound *s, bool rests)
{
	if (rests == sound_rests(s))
		return;
	if (!rests) {
		follow_pause(&s->in_follow);
		follow_pause(&s->out_follow);
	}
	atomic_fetch_add_explicit(&s->rest, 1, memory_order_release);
}

/* @missing_ms were not there when they were due: from now on more is held. */
static void follow_broke(struct sound_follow *f, double missing_ms)
{
	const bool goes_on = f->event > 0;

	if (f->settle == 0)
		f->settle = SETTLE_AGAIN;
	f->event = EVENT;
	f->quiet = 0;
	if (goes_on)
		return;
	f->slips++;
	/* More than may be held would not have been of use either; nor does
	 * what is held tell how much it is, so soon. */
	if (f->young > 0 || missing_ms > MORE_MS)
		return;
	f->target_ms += STEP_MS + fmin(missing_ms, STEP_MS);
	f->target_ms = fmin(f->target_ms, f->least_ms + MORE_MS);
	f->hold = f->hold < HOLD_MAX / 2 ? f->hold * 2 : HOLD_MAX;
}

/* What was of use may be so no longer. */
static void follow_fall(struct sound_follow *f)
{
	if (f->event > 0)
		f->event--;
	if (++f->quiet < f->hold)
		return;
	f->quiet = 0;
	f->target_ms = fmax(f->target_ms - FALL_MS, f->least_ms);
}

static unsigned astray(double excess_ms)
{
	if (fabs(excess_ms) > LOST_MS)
		return LOST;
	return fabs(excess_ms) > ASTRAY_MS ? 1 : 0;
}

/* Once a block, of which @excess_ms more than wanted is held.  True: the level
 * is to be set now. */
static bool follow_watch(struct sound_follow *f, double excess_ms)
{
	const unsigned off = astray(excess_ms);

	f->excess_ms = excess_ms;
	f->level_ms += (excess_ms - f->level_ms) / SMOOTH;
	follow_fall(f);
	f->young -= f->young > 0;
	if (f->settle > 0)
		return --f->settle == 0 &&
		       (!f->began || fabs(excess_ms) > NEAR_MS);
	f->astray = off > 0 ? f->astray + off : 0;
	if (f->astray < ASTRAY)
		return false;
	f->slips++;
	return true;
}

/* The level is what it should be. */
static void follow_set(struct sound_follow *f)
{
	f->astray = 0;
	f->excess_ms = 0.0;
	f->level_ms = 0.0;
	f->began = true;
}

/* --- capture ------------------------------------------------------------ */

static void in_convert(struct sound *s, uint32_t n)
{
	struct sound_follow *f = &s->in_follow;
	int16_t chunk[SOUND_CHUNK], low[SOUND_CHUNK];

	while (n > 0) {
		const uint32_t want = n < SOUND_CHUNK ? n : SOUND_CHUNK;
		const uint32_t got = ring_take(&f->way->samples, chunk, want);
		const uint32_t made =
			(uint32_t)resample_run(f->resample, chunk, got, low);
		const uint32_t room = SOUND_WAITS_MAX - s->waits_n;
		const uint32_t keep = made < room ? made : room;

		memcpy(s->waits + s->waits_n, low, keep * sizeof(low[0]));
		s->waits_n += keep;
		f->count += got;
		n = got == want ? n - want : 0;
	}
}

/* What waits now, and not what comes meanwhile: a processor that does not keep
 * up is to get out of here. */
static void in_notes(struct sound *s)
{
	struct sound_follow *f = &s->in_follow;
	struct sound_note note;

	for (uint32_t n = ring_waits(&f->way->notes); n > 0; n--) {
		(void)ring_take(&f->way->notes, &note, 1);
		if (f->awaits && !note.fresh)
			continue;
		if (note.fresh) {
			const uint32_t at = ring_taken_index(&f->way->samples);

			(void)ring_take(&f->way->samples, NULL, note.from - at);
			s->waits_n = 0;
			follow_begin(f, note.resumed);
		}
		drift_stamp(&f->drift, note.clocked, note.us);
		in_convert(s, note.samples);
	}
}

static void in_drop(struct sound *s, uint32_t n)
{
	s->waits_n -= n;
	memmove(s->waits, s->waits + n, s->waits_n * sizeof(s->waits[0]));
}

/* Leave out what is too much, or put silence before what is too little. */
static void in_set_level(struct sound *s)
{
	struct sound_follow *f = &s->in_follow;
	const double more_ms = f->young > 0 ? YOUNG_MS : 0.0;
	const double excess_ms = f->excess_ms - more_ms;
	const uint32_t off = (uint32_t)lrint(fabs(excess_ms) * IN_PER_MS);

	if (excess_ms > 0.0) {
		in_drop(s, off < s->waits_n ? off : s->waits_n);
	} else if (s->waits_n + off <= SOUND_WAITS_MAX) {
		memmove(s->waits + off, s->waits,
			s->waits_n * sizeof(s->waits[0]));
		memset(s->waits, 0, off * sizeof(s->waits[0]));
		s->waits_n += off;
	}
	follow_set(f);
}

static double in_excess(const struct sound *s, uint64_t now_us)
{
	const struct sound_follow *f = &s->in_follow;

	return s->waits_n / IN_PER_MS - f->target_ms +
	       (drift_count(&f->drift, now_us) - (double)f->count) /
		       CARD_PER_MS;
}

int sound_capture(struct sound *s, int16_t out[AUDIO_BLOCK])
{
	struct sound_follow *f = &s->in_follow;
	const uint64_t now_us = s->now_us(s->ctx);

	in_notes(s);
	if (!atomic_load_explicit(&f->way->runs, memory_order_acquire) ||
	    !f->drift.locked)
		return AUDIO_DEVICE_NONE;
	if (follow_watch(f, in_excess(s, now_us)))
		in_set_level(s);
	(void)resample_adjust(f->resample,
			      drift_capture_ppm(&f->drift, f->level_ms));
	if (!f->began)
		return AUDIO_DEVICE_NONE;
	if (s->waits_n < AUDIO_BLOCK) {
		follow_broke(f, (AUDIO_BLOCK - s->waits_n) / IN_PER_MS);
		return AUDIO_DEVICE_NONE;
	}
	memcpy(out, s->waits, AUDIO_BLOCK * sizeof(out[0]));
	in_drop(s, AUDIO_BLOCK);
	return 0;
}

/* --- playback ----------------------------------------------------------- */

static void out_notes(struct sound *s)
{
	struct sound_follow *f = &s->out_follow;
	struct sound_note note;
	uint32_t silence = 0;

	for (uint32_t n = ring_waits(&f->way->notes); n > 0; n--) {
		(void)ring_take(&f->way->notes, &note, 1);
		if (f->awaits && !note.fresh)
			continue;
		if (note.fresh) {
			follow_begin(f, note.resumed);
			s->leave_out = 0;
			f->count = (int32_t)(ring_put_index(&f->way->samples) -
					     note.from);
		}
		f->count += note.samples;
		silence += note.samples;
		drift_stamp(&f->drift, note.clocked, note.us);
	}
	if (silence > 0 && f->began)
		follow_broke(f, silence / CARD_PER_MS);
}

static void out_push(struct sound *s, const int16_t *samples, uint32_t n)
{
	struct sound_follow *f = &s->out_follow;
	const uint32_t skip = n < s->leave_out ? n : s->leave_out;

	s->leave_out -= skip;
	f->count += ring_put(&f->way->samples, samples + skip, n - skip);
}

static void out_set_level(struct sound *s)
{
	static const int16_t zero[SOUND_CHUNK];
	struct sound_follow *f = &s->out_follow;
	uint32_t off = (uint32_t)lrint(fabs(f->excess_ms) * CARD_PER_MS);

	if (f->excess_ms > 0.0)
		s->leave_out += off;
	for (; f->excess_ms < 0.0 && off > 0;) {
		const uint32_t n = off < SOUND_CHUNK ? off : SOUND_CHUNK;

		out_push(s, zero, n);
		off -= n;
	}
	follow_set(f);
}

static double out_excess(const struct sound *s, uint64_t now_us)
{
	const struct sound_follow *f = &s->out_follow;

	return ((double)f->count - s->leave_out -
		drift_count(&f->drift, now_us)) /
		       CARD_PER_MS -
	       f->target_ms;
}

int sound_play(struct sound *s, const int16_t in[AUDIO_BLOCK])
{
	struct sound_follow *f = &s->out_follow;
	const uint64_t now_us = s->now_us(s->ctx);
	int16_t high[AUDIO_BLOCK * PCM_HZ / AUDIO_HZ + 16];
	size_t n;

	out_notes(s);
	if (!atomic_load_explicit(&f->way->runs, memory_order_acquire) ||
	    !f->drift.locked)
		return 0;
	if (follow_watch(f, out_excess(s, now_us)))
		out_set_level(s);
	(void)resample_adjust(f->resample,
			      drift_playback_ppm(&f->drift, f->level_ms));
	n = resample_run(f->resample, in, AUDIO_BLOCK, high);
	out_push(s, high, (uint32_t)n);
	return 0;
}
