/* SPDX-License-Identifier: MIT */

/* The thread's side: between the card and the rings. */

#include <errno.h>

#include "audio/sound_priv.h"

#define BURST (PCM_HZ / 20U) /* that a card may do at once: 50 ms */

static void count_break(struct sound_end *e)
{
	atomic_fetch_add_explicit(&e->way->breaks, 1, memory_order_relaxed);
}

static void set_runs(struct sound_end *e, bool runs)
{
	atomic_store_explicit(&e->way->runs, runs, memory_order_release);
}

/* What a card can have done since its stream began.  One that would do more has
 * no clock: this is its clock then. */
static uint64_t clock_limit(const struct sound_end *e, uint64_t now_us)
{
	const double ppm = 1.0 + DRIFT_PPM_MAX * 1e-6;

	return BURST +
	       (uint64_t)((double)(now_us - e->began_us) * PCM_HZ * 1e-6 * ppm);
}

/* True: the loop has slept since the last turn, and is awake. */
static bool woke(struct sound_end *e, unsigned rest)
{
	const bool was = e->rest != rest;

	e->rest = rest;
	return was;
}

static unsigned rest_of(const struct sound *s)
{
	return atomic_load_explicit(&s->rest, memory_order_acquire);
}

bool sound_sleeps(const struct sound *s)
{
	return sound_rests(s) && (!s->out.pcm.ops || !s->out.lasts);
}

/* --- capture ------------------------------------------------------------ */

static int in_begin(struct sound_end *e, uint64_t now_us)
{
	const int err = e->pcm.ops->begin(e->pcm.self, 0);

	e->began_us = now_us;
	e->moved = 0;
	e->clocked = 0;
	e->unnoted = 0;
	e->fresh = true;
	e->resumed = false;
	return err;
}

int sound_in_set(struct sound *s, struct pcm pcm, uint64_t now_us)
{
	struct sound_end *e = &s->in;
	int err = 0;

	e->pcm = pcm;
	e->rest = rest_of(s);
	if (pcm.ops)
		err = in_begin(e, now_us);
	if (err != 0)
		e->pcm = (struct pcm){ 0 };
	set_runs(e, e->pcm.ops);
	return err;
}

/* Read @n samples; keep them when @keep.  How many there were, or -errno. */
static int in_read(struct sound_end *e, uint32_t n, bool keep)
{
	int16_t chunk[SOUND_CHUNK];
	uint32_t done = 0;

	while (done < n) {
		const uint32_t want =
			n - done < SOUND_CHUNK ? n - done : SOUND_CHUNK;
		const int got = e->pcm.ops->read(e->pcm.self, chunk, want);

		if (got < 0)
			return got;
		if (got == 0)
			break;
		if (keep)
			(void)ring_put(&e->way->samples, chunk, (uint32_t)got);
		done += (uint32_t)got;
	}
	return (int)done;
}

/* All that is held goes into the ring, or, when the loop does not take it out
 * there, nowhere. */
static int in_move(struct sound_end *e, uint32_t held, uint64_t now_us)
{
	struct sound_note note = {
		.us = now_us,
		.from = ring_put_index(&e->way->samples) - e->unnoted,
		.clocked = (uint32_t)(e->moved + held - e->clocked),
	};
	const bool fits = ring_room(&e->way->samples) >= held &&
			  ring_room(&e->way->notes) > 0;
	const int got = in_read(e, held, fits);

	if (got < 0)
		return got;
	e->moved += (uint32_t)got;
	e->clocked += note.clocked;
	if (!fits) {
		if (!e->fresh)
			count_break(e);
		e->fresh = true;
		e->unnoted = 0;
		return 0;
	}
	note.samples = (uint32_t)got + e->unnoted;
	note.fresh = e->fresh;
	note.resumed = e->resumed;
	e->unnoted = 0;
	e->fresh = false;
	e->resumed = false;
	(void)ring_put(&e->way->notes, &note, 1);
	return 0;
}

/* While nobody listens: what is read is counted, and forgotten. */
static int in_forget(struct sound_end *e, uint32_t held)
{
	const int got = in_read(e, held, false);

	if (got < 0)
		return got;
	e->moved += (uint32_t)got;
	e->clocked = e->moved;
	e->unnoted = 0;
	e->fresh = true;
	e->resumed = true;
	return 0;
}

/* The card was not looked at in time to tell when this was captured: the next
 * turn's note is for it, too. */
static int in_resume(struct sound_end *e, uint32_t held)
{
	const bool fits = ring_room(&e->way->samples) >= held;
	const int got = in_read(e, held, fits);

	if (got < 0)
		return got;
	e->clocked = e->moved;
	e->moved += (uint32_t)got;
	e->unnoted = fits ? (uint32_t)got : 0;
	e->fresh = true;
	e->resumed = true;
	return 0;
}

static int in_turn(struct sound_end *e, unsigned rest, uint32_t held,
		   uint64_t now_us)
{
	if (rest & 1)
		return in_forget(e, held);
	return woke(e, rest) ? in_resume(e, held) : in_move(e, held, now_us);
}

int sound_in_turn(struct sound *s, uint64_t now_us)
{
	struct sound_end *e = &s->in;
	uint64_t most;
	int err;

	if (!e->pcm.ops)
		return 0;
	most = clock_limit(e, now_us) - e->moved;
	err = e->pcm.ops->held(e->pcm.self);
	if (err > 0 && most > 0)
		err = in_turn(e, rest_of(s),
			      (uint64_t)err < most ? (uint32_t)err
						   : (uint32_t)most,
			      now_us);
	if (err != -EPIPE)
		return err < 0 ? err : 0;
	count_break(e);
	return in_begin(e, now_us);
}

/* --- playback ----------------------------------------------------------- */

/* What the loop gave for the stream before is not for this one. */
static int out_begin(struct sound_end *e, uint64_t now_us)
{
	const int err = e->pcm.ops->begin(e->pcm.self, SOUND_BEGIN);

	e->began_us = now_us;
	(void)ring_take(&e->way->samples, NULL, ring_waits(&e->way->samples));
	e->moved = SOUND_BEGIN;
	e->clocked = 0;
	e->silence = SOUND_BEGIN;
	e->fresh = true;
	e->resumed = false;
	return err;
}

int sound_out_set(struct sound *s, struct pcm pcm, uint64_t now_us)
{
	struct sound_end *e = &s->out;
	int err = 0;

	e->pcm = pcm;
	e->rest = rest_of(s);
	e->heard_us = now_us;
	e->lasts = false;
	if (pcm.ops)
		err = out_begin(e, now_us);
	if (err != 0)
		e->pcm = (struct pcm){ 0 };
	atomic_store(&s->starved, false);
	set_runs(e, e->pcm.ops);
	return err;
}

static void out_watch(struct sound *s, uint64_t now_us)
{
	struct sound_end *e = &s->out;
	const uint32_t pushed = ring_taken_index(&e->way->samples) +
				ring_waits(&e->way->samples);

	if (sound_rests(s))
		e->heard_us = now_us;
	if (pushed != e->pushed) {
		e->pushed = pushed;
		e->heard_us = now_us;
		atomic_store_explicit(&s->starved, false, memory_order_relaxed);
	} else if (now_us - e->heard_us > SOUND_STARVED_US &&
		   !atomic_load_explicit(&s->starved, memory_order_relaxed)) {
		atomic_store_explicit(&s->starved, true, memory_order_relaxed);
		atomic_fetch_add_explicit(&s->starvations, 1,
					  memory_order_relaxed);
	}
}

/* From the ring to the card, as much as it takes.  How many, or -errno. */
static int out_move(struct sound_end *e)
{
	int16_t chunk[SOUND_CHUNK];
	uint32_t done = 0;

	for (;;) {
		const uint32_t n =
			ring_peek(&e->way->samples, chunk, SOUND_CHUNK);
		const int put =
			n > 0 ? e->pcm.ops->write(e->pcm.self, chunk, n) : 0;

		if (put < 0)
			return put;
		(void)ring_take(&e->way->samples, NULL, (uint32_t)put);
		done += (uint32_t)put;
		if (n == 0 || (uint32_t)put < n)
			return (int)done;
	}
}

static int out_silence(struct sound_end *e, uint32_t n)
{
	static const int16_t zero[SOUND_REST_LOW];
	const int put = e->pcm.ops->write(e->pcm.self, zero, n);

	if (put > 0)
		e->silence += (uint32_t)put;
	return put;
}

static void out_note(struct sound_end *e, uint32_t held, uint64_t now_us)
{
	/* What is held is not exact: a clock does not run backwards for it. */
	const int64_t clocked =
		(int64_t)(e->moved - held) - (int64_t)e->clocked;
	const struct sound_note note = {
		.us = now_us,
		.clocked = clocked > 0 ? (uint32_t)clocked : 0,
		.samples = e->silence,
		.from = ring_taken_index(&e->way->samples),
		.fresh = e->fresh,
		.resumed = e->resumed,
	};

	if (note.clocked == 0 && note.samples == 0)
		return;
	/* Without room it is for the next. */
	if (ring_put(&e->way->notes, &note, 1) == 0)
		return;
	e->clocked += note.clocked;
	e->silence = 0;
	e->fresh = false;
	e->resumed = false;
}

static int out_held(const struct sound_end *e, uint64_t now_us)
{
	const int held = e->pcm.ops->held(e->pcm.self);
	const uint64_t most = clock_limit(e, now_us);

	if (held < 0 || e->moved <= most + (uint32_t)held)
		return held;
	return (int)(e->moved - most);
}

/* What the card still has of the last words, and then silence, enough of it to
 * sleep on. */
static int out_rest(struct sound_end *e, uint32_t held)
{
	const uint32_t low = e->lasts ? SOUND_LOW : SOUND_REST_LOW;
	int moved = out_move(e);
	int silence = 0;

	if (moved >= 0 && held + (uint32_t)moved < low)
		silence = out_silence(e, low - held - (uint32_t)moved);
	if (moved < 0 || silence < 0)
		return moved < 0 ? moved : silence;
	e->clocked = e->moved > held ? e->moved - held : 0;
	e->moved += (uint32_t)(moved + silence);
	return 0;
}

/* The stream begins with the silence that the card cannot give back. */
static int out_resume(struct sound_end *e, uint32_t held, uint64_t now_us)
{
	const uint32_t more = held > SOUND_LOW ? held - SOUND_LOW : 0;
	const int back = e->pcm.ops->rewind && more > 0
				 ? e->pcm.ops->rewind(e->pcm.self, more)
				 : 0;

	if (back == 0 && more > SOUND_LOW)
		e->lasts = true;
	e->moved = held - (uint32_t)back;
	e->began_us = now_us;
	e->clocked = 0;
	e->silence = held - (uint32_t)back;
	e->fresh = true;
	e->resumed = true;
	return (int)e->silence;
}

static int out_turn(struct sound_end *e, unsigned rest, uint64_t now_us)
{
	int held = out_held(e, now_us);
	int moved, silence = 0;

	if (held < 0)
		return held;
	if (rest & 1)
		return out_rest(e, (uint32_t)held);
	if (woke(e, rest))
		held = out_resume(e, (uint32_t)held, now_us);
	/* A fresh stream's note tells where the ring begins for it. */
	if (e->fresh)
		out_note(e, (uint32_t)held, now_us);
	moved = e->fresh ? 0 : out_move(e);
	if (moved < 0)
		return moved;
	if (held + moved < (int)SOUND_LOW)
		silence = out_silence(e, SOUND_LOW - (uint32_t)(held + moved));
	if (silence < 0)
		return silence;
	out_note(e, (uint32_t)held, now_us);
	e->moved += (uint32_t)(moved + silence);
	return 0;
}

int sound_out_turn(struct sound *s, uint64_t now_us)
{
	struct sound_end *e = &s->out;
	int err;

	if (!e->pcm.ops)
		return 0;
	out_watch(s, now_us);
	err = out_turn(e, rest_of(s), now_us);
	if (err != -EPIPE)
		return err;
	count_break(e);
	return out_begin(e, now_us);
}
