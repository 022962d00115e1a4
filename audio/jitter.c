/* SPDX-License-Identifier: MIT */

/* Frames that come: their place in the stream, and what they tell of the
 * network. */

#include "audio/jitter.h"

#include <errno.h>
#include <string.h>

#include "audio/jitter_priv.h"

#define LATE_MS 768        /* further behind what plays is not late */
#define SNAP_MS 10         /* a timestamp this near continues the speech */
#define REORDER_MS 60      /* how far before the first frame a spurt starts */
#define OFF_MS 750         /* off its time: its time is not that */
#define JUMP_MS 60000      /* further is another timeline */
#define STALE_US 60000000U /* silence after which clocks drifted apart */
#define OUTLIERS_MAX 5U    /* then the stream's time has jumped */
#define LOSS_GAP_MS 500    /* a pause as short as that was a loss */

int jitter_init(struct jitter *j, const struct jitter_config *config)
{
	if (config->max_ms < JITTER_BLOCK_MS ||
	    config->max_ms > JITTER_DELAY_MAX_MS ||
	    config->min_ms > config->max_ms)
		return -EINVAL;
	memset(j, 0, sizeof(*j));
	j->config = *config;
	j->target_ms = config->min_ms;
	j->unit = (struct jitter_unit){ 1, 1 };
	return 0;
}

/*
 * Frames whose length does not divide a block straddle two of them: the later
 * part of a block then arrives up to 20 - gcd(length, 20) ms after the earlier.
 */
static uint32_t straddle_ms(int64_t len_ms)
{
	int64_t a = BLOCK_MS, b = len_ms;

	while (b != 0) {
		const int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return (uint32_t)(BLOCK_MS - a);
}

static uint32_t late_permille(const struct jitter *j)
{
	return j->config.late_permille > 0 ? j->config.late_permille
					   : JITTER_LATE_PERMILLE;
}

static void learn(struct jitter *j, const struct jitter_piece *p,
		  uint64_t now_us)
{
	uint32_t ms;

	transit_add(&j->transit, jitter_transit_us(now_us, p->pos));
	peer_clock_add(&j->clock, now_us, jitter_transit_us(now_us, p->pos));
	ms = transit_quantile_ms(&j->transit, late_permille(j)) +
	     straddle_ms(p->len_ms);
	if (ms > j->config.max_ms)
		ms = j->config.max_ms;
	j->need_ms = ms;
	j->target_ms = ms > j->config.min_ms ? ms : j->config.min_ms;
}

static void set_newest(struct jitter *j, const struct jitter_in *in,
		       const struct jitter_piece *p)
{
	j->newest_ts = in->ts_ms;
	j->newest_pos = p->pos;
	j->end = p->pos + p->len_ms;
}

/* Unwrap the timestamp, relative to the newest frame.  A sender that rounds
 * its timestamps still means continuous speech. */
static int64_t position(const struct jitter *j, const struct jitter_in *in)
{
	const int64_t pos = j->newest_pos + (int32_t)(in->ts_ms - j->newest_ts);
	const int64_t off = pos - j->end;

	if (!in->spurt && !j->ended && off > -SNAP_MS && off < SNAP_MS)
		return j->end;
	return pos;
}

/* How much later than the earliest, in us. */
static int64_t late_us(const struct jitter *j, const struct jitter_piece *p,
		       uint64_t now_us)
{
	return jitter_transit_us(now_us, p->pos) - j->transit.base_us;
}

/* Whether a spurt that begins with @p cannot be on the timeline known so
 * far. */
static bool other_timeline(const struct jitter *j, const struct jitter_in *in,
			   const struct jitter_piece *p, uint64_t now_us)
{
	const int64_t jump = p->pos - j->newest_pos;

	if (!j->transit.known || now_us - j->last_put_us > STALE_US ||
	    jump > JUMP_MS || jump < -JUMP_MS)
		return true;
	return (in->spurt || j->ended) &&
	       late_us(j, p, now_us) > (int64_t)OFF_MS * 1000;
}

/* A talk spurt out of silence: nothing of the past is kept. */
static enum jitter_put begin(struct jitter *j, const struct jitter_in *in,
			     struct jitter_piece *p, uint64_t now_us)
{
	const int64_t gap = p->pos - j->end;

	peer_clock_break(&j->clock);

	if (other_timeline(j, in, p, now_us)) {
		p->pos = (int64_t)in->ts_ms;
		transit_rebase(&j->transit, jitter_transit_us(now_us, p->pos));
	} else if (!in->spurt && !j->ended && gap > 0 && gap <= LOSS_GAP_MS) {
		j->counters.lost += (uint64_t)(gap / BLOCK_MS);
	}
	if (in->spurt || j->ended)
		j->gap_ms = 0;
	else if (j->state == JITTER_STATE_IDLE)
		j->gap_ms += (uint32_t)((now_us - j->idle_us) / 1000);
	memset(j->there, 0, sizeof(j->there));
	j->state = JITTER_STATE_WAITING;
	j->format = in->format;
	j->unit = in->unit;
	j->play = p->pos;
	j->ended = false;
	j->pauses = 0;
	j->outliers = 0;
	set_newest(j, in, p);
	learn(j, p, now_us);
	(void)jitter_ring_store(j, p);
	return JITTER_KEPT;
}

/* A frame of no use where the stream is; several, and the stream is where
 * they say. */
static enum jitter_put outlier(struct jitter *j, const struct jitter_in *in,
			       struct jitter_piece *p, uint64_t now_us,
			       enum jitter_put verdict)
{
	if (++j->outliers < OUTLIERS_MAX) {
		if (verdict == JITTER_LATE)
			j->counters.late++;
		else
			j->counters.overflow++;
		return verdict;
	}
	/* Speech that is only late was waited for. */
	j->counters.resyncs++;
	transit_rebase(&j->transit, jitter_transit_us(now_us, p->pos));
	return begin(j, in, p, now_us);
}

static enum jitter_put put_behind(struct jitter *j, const struct jitter_in *in,
				  struct jitter_piece *p, uint64_t now_us)
{
	bool all = p->pos >= j->play - JITTER_HISTORY_MS;

	for (int64_t ms = 0; all && ms < p->len_ms; ms++)
		all = jitter_ring_has(j, p->pos + ms);
	if (all) {
		j->counters.duplicates++;
		return JITTER_DUPLICATE;
	}
	if (p->pos >= j->play - LATE_MS)
		learn(j, p, now_us);
	return outlier(j, in, p, now_us, JITTER_LATE);
}

/* A spurt that arrives while the one before is still playing waits behind it,
 * so that the silence between them can take up a change of delay. */
static void note_spurt(struct jitter *j, const struct jitter_in *in,
		       const struct jitter_piece *p)
{
	if (p->pos < j->end && j->pauses > 0) {
		struct jitter_pause *last = &j->pause[j->pauses - 1];

		if (p->pos < last->to && p->pos >= last->from)
			last->to = p->pos;
	}
	if ((in->spurt || j->ended) && p->pos - j->end >= BLOCK_MS &&
	    j->pauses < JITTER_PAUSES) {
		peer_clock_break(&j->clock);
		j->pause[j->pauses++] = (struct jitter_pause){ j->end, p->pos };
	}
}

/* Speech goes on at @pos after the stream waited for it.  What is missing
 * before it was lost, and is concealed already. */
static void end_wait(struct jitter *j, int64_t pos)
{
	const int64_t waited = (int64_t)j->starving * BLOCK_MS;
	int64_t gone = pos - j->play;

	if (gone > waited)
		gone = waited;
	gone -= gone % BLOCK_MS;
	j->counters.lost += (uint64_t)(gone / BLOCK_MS);
	j->counters.stretched += (uint64_t)((waited - gone) / BLOCK_MS);
	jitter_advance(j, j->play + gone);
}

static enum jitter_put put_ahead(struct jitter *j, const struct jitter_in *in,
				 struct jitter_piece *p, uint64_t now_us)
{
	note_spurt(j, in, p);
	if (p->pos >= j->end) {
		if (j->starving > 0 && j->pauses == 0)
			end_wait(j, p->pos);
		j->starving = 0;
		j->ended = false;
	}
	if (!jitter_ring_store(j, p)) {
		j->counters.duplicates++;
		return JITTER_DUPLICATE;
	}
	learn(j, p, now_us);
	j->outliers = 0;
	if (p->pos + p->len_ms > j->end)
		set_newest(j, in, p);
	return JITTER_KEPT;
}

/* The grid's nearest place, for units that blocks must not cut. */
static int64_t on_grid(const struct jitter *j, int64_t pos)
{
	const int64_t unit = j->unit.ms;
	int64_t off = (pos - j->play) % unit;

	if (off < 0)
		off += unit;
	return off <= unit / 2 ? pos - off : pos - off + unit;
}

/* What continues the speech is worth more than the oldest that is held. */
static void make_room(struct jitter *j, const struct jitter_piece *p)
{
	const int64_t over = p->pos + p->len_ms - j->play - jitter_ahead_max(j);

	if (over <= 0 || over > jitter_spurt_end(j) - j->play ||
	    p->pos - j->end > LOSS_GAP_MS)
		return;
	j->counters.skipped_ms += (uint64_t)over;
	jitter_advance(j, j->play + over);
}

/* No network is that much faster at once: the sender's time has jumped. */
static bool is_early(const struct jitter *j, const struct jitter_piece *p,
		     uint64_t now_us)
{
	return late_us(j, p, now_us) < -(int64_t)OFF_MS * 1000;
}

static enum jitter_put put_piece(struct jitter *j, const struct jitter_in *in,
				 struct jitter_piece *p, uint64_t now_us)
{
	if (j->state == JITTER_STATE_IDLE) {
		/* A straggler of what was played is not a new spurt. */
		if (j->transit.known && p->pos < j->end &&
		    p->pos >= j->play - LATE_MS)
			return put_behind(j, in, p, now_us);
		return begin(j, in, p, now_us);
	}
	if (in->format == j->format)
		p->pos = on_grid(j, p->pos);
	if (j->state == JITTER_STATE_WAITING && p->pos < j->play &&
	    p->pos >= j->play - REORDER_MS)
		j->play = p->pos;
	if (p->pos + p->len_ms <= j->play)
		return put_behind(j, in, p, now_us);
	make_room(j, p);
	if (is_early(j, p, now_us) ||
	    p->pos + p->len_ms > j->play + jitter_ahead_max(j))
		return outlier(j, in, p, now_us, JITTER_OVERFLOW);
	if (in->format != j->format)
		return begin(j, in, p, now_us);
	return put_ahead(j, in, p, now_us);
}

/* Its length, 0 when it is not made of whole units. */
static int64_t frame_ms(const struct jitter_in *in)
{
	if (!jitter_unit_is_sound(&in->unit) || in->len % in->unit.octets != 0)
		return 0;
	return (int64_t)(in->len / in->unit.octets) * in->unit.ms;
}

enum jitter_put jitter_put(struct jitter *j, const struct jitter_in *in,
			   uint64_t now_us)
{
	struct jitter_piece p = { .unit = in->unit, .codes = in->codes };
	enum jitter_put verdict;

	j->counters.frames++;
	p.len_ms = frame_ms(in);
	if (p.len_ms < JITTER_FRAME_MIN_MS || p.len_ms > JITTER_FRAME_MAX_MS) {
		j->counters.refused++;
		return JITTER_REFUSED;
	}
	p.pos = position(j, in);
	verdict = put_piece(j, in, &p, now_us);
	j->last_put_us = now_us;
	return verdict;
}
