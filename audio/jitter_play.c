/* SPDX-License-Identifier: MIT */

/* Blocks that are asked for: when a spurt begins and ends, what is concealed,
 * and at which pace speech is played. */

#include "audio/jitter.h"

#include <string.h>

#include "audio/jitter_priv.h"

#define STARVE_BLOCKS 3U  /* concealed before speech counts as ended */
#define SHORT_MS 4        /* too little delay: stretch */
#define DEEP_MS 4         /* with a block less still too much: shrink */
#define EXCESS_BLOCKS 15U /* of too much delay, in a row, before that */
#define AMPLE_MS 45       /* the same, where the network takes less */
#define BACKLOG_MS 100    /* or, when it is as much as that, */
#define BACKLOG_BLOCKS 5U
#define HURRY_MS 60   /* much too much: shrink each block */
#define OVERDUE_MS 20 /* a frame is later than timers on a busy machine are */
#define RESERVE_MS 20 /* held besides, while the next is overdue */

void jitter_end(struct jitter *j)
{
	j->ended = true;
	j->tells_end = true;
}

static void go_idle(struct jitter *j)
{
	j->state = JITTER_STATE_IDLE;
	j->starving = 0;
}

/* How long speech waits that need not, in ms: its delay, as far as there is
 * something to play. */
static int64_t spare_ms(const struct jitter *j, uint64_t now_us)
{
	const int64_t held = jitter_held_ms(j, now_us);
	const int64_t ahead = jitter_spurt_end(j) - j->play;

	return held < ahead ? held : ahead;
}

/* After a gap, leave out as much as it lasted, rather than be late by it. */
static void bound_delay(struct jitter *j, uint64_t now_us)
{
	int64_t skip = spare_ms(j, now_us) - (int64_t)j->config.max_ms;

	if (skip > (int64_t)j->gap_ms)
		skip = (int64_t)j->gap_ms;
	skip -= skip % (int64_t)j->unit.ms;
	if (skip <= 0)
		return;
	j->gap_ms -= (uint32_t)skip;
	j->counters.skipped_ms += (uint64_t)skip;
	jitter_advance(j, j->play + skip);
}

/*
 * Nothing of this block is there.  Where nothing later is either, the network
 * holds speech back more often than it loses it: the stream waits.
 */
static enum jitter_get conceal(struct jitter *j, uint64_t now_us)
{
	if (j->play >= j->end) {
		if (j->ended || ++j->starving > STARVE_BLOCKS) {
			go_idle(j);
			j->idle_us = now_us;
			return JITTER_IDLE;
		}
		j->gap_ms += JITTER_BLOCK_MS;
		return JITTER_LOST;
	}
	j->counters.lost++;
	jitter_advance(j, j->play + BLOCK_MS);
	return JITTER_LOST;
}

/* Whether the frame after all that is held is later than most: then what is
 * held has to last.  When it is much later, it may never come, of a speaker who
 * does not say that he stops. */
static bool is_short(const struct jitter *j, uint64_t now_us)
{
	const int64_t overdue =
		(jitter_transit_us(now_us, j->end) - j->transit.base_us) / 1000;

	if (j->ended || j->pauses > 0 || overdue < OVERDUE_MS)
		return false;
	if (!j->tells_end && overdue > 2 * (OVERDUE_MS + (int64_t)j->need_ms))
		return false;
	return j->end - j->play < RESERVE_MS + overdue;
}

/* Blocks are asked for late rather than early: what is held too long only
 * counts when it always is. */
static bool is_too_deep(struct jitter *j, int64_t excess)
{
	const uint32_t patience =
		excess > BACKLOG_MS ? BACKLOG_BLOCKS : EXCESS_BLOCKS;

	const int64_t slack =
		j->need_ms < j->config.min_ms ? AMPLE_MS : BLOCK_MS + DEEP_MS;

	if (excess <= slack) {
		j->excess = 0;
		return false;
	}
	if (++j->excess < patience)
		return false;
	return j->excess % 2 == 0 || excess > HURRY_MS;
}

static enum jitter_advice advise(struct jitter *j, uint64_t now_us)
{
	const int64_t held = jitter_held_ms(j, now_us);

	if (held + SHORT_MS < j->need_ms || is_short(j, now_us)) {
		j->excess = 0;
		return JITTER_STRETCH;
	}
	return is_too_deep(j, spare_ms(j, now_us) - j->target_ms)
		       ? JITTER_SHRINK
		       : JITTER_KEEP;
}

static enum jitter_get play(struct jitter *j, uint64_t now_us,
			    struct jitter_block *out)
{
	int64_t held;

	bound_delay(j, now_us);
	out->ts_ms = (uint32_t)j->play;
	jitter_ring_take(j, out);
	if (out->valid == 0)
		return conceal(j, now_us);
	held = spare_ms(j, now_us);
	j->delay_ms = held > 0 ? (uint32_t)held : 0;
	j->counters.played++;
	out->advice = advise(j, now_us);
	jitter_advance(j, j->play + BLOCK_MS);
	return JITTER_FRAME;
}

/* What plays is over: the pause behind it gives way to a change of delay. */
static void end_spurt(struct jitter *j)
{
	jitter_advance(j, j->pause[0].to);
	j->pauses--;
	memmove(j->pause, j->pause + 1, j->pauses * sizeof(j->pause[0]));
	j->gap_ms = 0;
	j->state = JITTER_STATE_WAITING;
}

static bool may_start(const struct jitter *j, int64_t held)
{
	return held >= (int64_t)j->config.min_ms &&
	       held + SHORT_MS >= (int64_t)j->target_ms;
}

uint64_t jitter_due_us(const struct jitter *j)
{
	const uint32_t least =
		j->target_ms > SHORT_MS ? j->target_ms - SHORT_MS : 0;
	const uint32_t ms = least > j->config.min_ms ? least : j->config.min_ms;
	const int64_t due = j->transit.base_us + (j->play + (int64_t)ms) * 1000;

	return j->state == JITTER_STATE_WAITING && due > 0 ? (uint64_t)due : 0;
}

enum jitter_get jitter_get(struct jitter *j, uint64_t now_us,
			   struct jitter_block *out)
{
	out->ts_ms = (uint32_t)j->play;
	out->format = j->format;
	out->advice = JITTER_KEEP;
	out->valid = 0;
	memset(out->codes, 0, sizeof(out->codes));
	if (j->state == JITTER_STATE_IDLE)
		return JITTER_IDLE;
	if (j->pauses > 0 && j->state == JITTER_STATE_PLAYING &&
	    j->play >= j->pause[0].from)
		end_spurt(j);
	if (j->state == JITTER_STATE_WAITING) {
		if (!may_start(j, jitter_held_ms(j, now_us)))
			return JITTER_IDLE;
		j->state = JITTER_STATE_PLAYING;
		j->starving = 0;
	}
	return play(j, now_us, out);
}

uint32_t jitter_delay_ms(const struct jitter *j)
{
	return j->state == JITTER_STATE_PLAYING ? j->delay_ms : j->target_ms;
}
