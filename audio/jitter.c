/* SPDX-License-Identifier: MIT */

#include "audio/jitter.h"

#include <errno.h>
#include <string.h>

#define HISTORY_MS 256 /* of the ring, behind what plays */
#define AHEAD_MS ((int64_t)JITTER_RING_MS - HISTORY_MS)
#define SNAP_MS 10         /* a timestamp this near continues the speech */
#define REORDER_MS 60      /* how far before the first frame a spurt starts */
#define JUMP_MS 60000      /* further is another timeline */
#define STALE_US 60000000U /* silence after which clocks drifted apart */
#define OUTLIERS_MAX 5U    /* then the stream's time has jumped */
#define STARVE_BLOCKS 3U   /* concealed before speech counts as ended */
#define LOSS_GAP_MS 500    /* a pause as short as that was a loss */
#define HOLD_MS 10         /* too little delay: wait for what is missing */
/* Too much delay: more than a block, wherever in its beat a frame comes. */
#define EXCESS_MS 45
#define EXCESS_BLOCKS 50U  /* one is left out once that lasted for 1 s, */
#define BACKLOG_MS 100     /* or, when it is as much as that, */
#define BACKLOG_BLOCKS 12U /* for 240 ms */
#define BLOCK_MS ((int64_t)JITTER_BLOCK_MS)

/* A frame with its place in the stream. */
struct piece {
	int64_t pos;
	int64_t len_ms;
	struct jitter_unit unit;
	const uint8_t *codes;
};

/* Octets of the ring for each millisecond.  A unit that does not fill those of
 * its time leaves the last of them unused. */
static size_t octets_per_ms(const struct jitter_unit *u)
{
	return ((size_t)u->octets + u->ms - 1) / u->ms;
}

static bool is_unit(const struct jitter_unit *u)
{
	return (u->ms == 1 || u->ms == JITTER_BLOCK_MS) && u->octets > 0 &&
	       octets_per_ms(u) <= JITTER_OCTETS_PER_MS;
}

static uint32_t ring_index(int64_t pos)
{
	return (uint32_t)((uint64_t)pos % JITTER_RING_MS);
}

static bool is_there(const struct jitter *j, int64_t pos)
{
	const uint32_t i = ring_index(pos);

	return (j->there[i / 64] >> i % 64 & 1) != 0;
}

static void forget(struct jitter *j, int64_t from, int64_t to)
{
	if (to - from >= (int64_t)JITTER_RING_MS) {
		memset(j->there, 0, sizeof(j->there));
		return;
	}
	for (int64_t pos = from; pos < to; pos++) {
		const uint32_t i = ring_index(pos);

		j->there[i / 64] &= ~(UINT64_C(1) << i % 64);
	}
}

/* Go on to play at @to; the history moves along. */
static void advance(struct jitter *j, int64_t to)
{
	forget(j, j->play - HISTORY_MS, to - HISTORY_MS);
	j->play = to;
}

static int64_t transit_us(uint64_t now_us, int64_t pos)
{
	return (int64_t)now_us - pos * 1000;
}

/* How long what is at `play` has been held, in ms. */
static int64_t delay_ms(const struct jitter *j, uint64_t now_us)
{
	return (transit_us(now_us, j->play) - j->transit.base_us) / 1000;
}

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

static void learn(struct jitter *j, const struct piece *p, uint64_t now_us)
{
	uint32_t ms;

	transit_add(&j->transit, transit_us(now_us, p->pos));
	ms = transit_quantile_ms(&j->transit) + straddle_ms(p->len_ms);
	if (ms < j->config.min_ms)
		ms = j->config.min_ms;
	if (ms > j->config.max_ms)
		ms = j->config.max_ms;
	j->target_ms = ms;
}

/* Millisecond @ms of @p into the ring. */
static void store_ms(struct jitter *j, const struct piece *p, size_t ms)
{
	const size_t share = octets_per_ms(&p->unit);
	const size_t at = ms % p->unit.ms * share;
	const uint8_t *unit = p->codes + ms / p->unit.ms * p->unit.octets;
	uint8_t *to = j->ring + ring_index(p->pos + (int64_t)ms) * share;

	if (at + share <= p->unit.octets)
		memcpy(to, unit + at, share);
	else if (at < p->unit.octets)
		memcpy(to, unit + at, p->unit.octets - at);
}

/* Store what is not before `play`.  False when all of it was there. */
static bool store(struct jitter *j, const struct piece *p)
{
	const int64_t skip = p->pos < j->play ? j->play - p->pos : 0;
	bool added = false;

	for (int64_t ms = skip; ms < p->len_ms; ms++) {
		const uint32_t i = ring_index(p->pos + ms);

		if (is_there(j, p->pos + ms))
			continue;
		added = true;
		j->there[i / 64] |= UINT64_C(1) << i % 64;
		store_ms(j, p, (size_t)ms);
	}
	return added;
}

static void set_newest(struct jitter *j, const struct jitter_in *in,
		       const struct piece *p)
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

/* Whether @p cannot be on the timeline known so far. */
static bool other_timeline(const struct jitter *j, const struct piece *p,
			   uint64_t now_us)
{
	const int64_t jump = p->pos - j->newest_pos;

	return !j->transit.known || now_us - j->last_put_us > STALE_US ||
	       jump > JUMP_MS || jump < -JUMP_MS;
}

/* A talk spurt out of silence: nothing of the past is kept. */
static enum jitter_put begin(struct jitter *j, const struct jitter_in *in,
			     struct piece *p, uint64_t now_us)
{
	const int64_t gap = p->pos - j->end;
	int64_t late_us;

	if (other_timeline(j, p, now_us)) {
		p->pos = (int64_t)in->ts_ms;
		transit_rebase(&j->transit, transit_us(now_us, p->pos));
	} else if (!in->spurt && !j->ended && gap > 0 && gap <= LOSS_GAP_MS) {
		j->counters.lost += (uint64_t)(gap / BLOCK_MS);
	}
	late_us = transit_us(now_us, p->pos) - j->transit.base_us;
	if (late_us > (int64_t)j->config.max_ms * 1000)
		transit_rebase(&j->transit, transit_us(now_us, p->pos));
	memset(j->there, 0, sizeof(j->there));
	j->state = JITTER_STATE_WAITING;
	j->format = in->format;
	j->unit = in->unit;
	j->play = p->pos;
	j->ended = false;
	j->next_pending = false;
	j->outliers = 0;
	set_newest(j, in, p);
	learn(j, p, now_us);
	(void)store(j, p);
	return JITTER_KEPT;
}

/* A frame of no use where the stream is; several, and the stream is where
 * they say. */
static enum jitter_put outlier(struct jitter *j, const struct jitter_in *in,
			       struct piece *p, uint64_t now_us,
			       enum jitter_put verdict)
{
	if (++j->outliers < OUTLIERS_MAX) {
		if (verdict == JITTER_LATE)
			j->counters.late++;
		else
			j->counters.overflow++;
		return verdict;
	}
	j->counters.resyncs++;
	return begin(j, in, p, now_us);
}

static enum jitter_put put_behind(struct jitter *j, const struct jitter_in *in,
				  struct piece *p, uint64_t now_us)
{
	bool all = p->pos >= j->play - HISTORY_MS;

	for (int64_t ms = 0; all && ms < p->len_ms; ms++)
		all = is_there(j, p->pos + ms);
	if (all) {
		j->counters.duplicates++;
		return JITTER_DUPLICATE;
	}
	if (p->pos >= j->play - AHEAD_MS)
		learn(j, p, now_us);
	return outlier(j, in, p, now_us, JITTER_LATE);
}

/* A spurt that arrives while the one before is still playing waits behind it,
 * so that the silence between them can take up a change of delay. */
static void note_spurt(struct jitter *j, const struct jitter_in *in,
		       const struct piece *p)
{
	if (j->next_pending) {
		if (p->pos < j->next_start && p->pos >= j->spurt_end)
			j->next_start = p->pos;
		return;
	}
	if ((in->spurt || j->ended) && p->pos - j->end >= BLOCK_MS) {
		j->next_pending = true;
		j->next_start = p->pos;
		j->spurt_end = j->end;
	}
}

static enum jitter_put put_ahead(struct jitter *j, const struct jitter_in *in,
				 struct piece *p, uint64_t now_us)
{
	if (p->pos >= j->end) {
		note_spurt(j, in, p);
		/* It went on: what ran out was not the end. */
		if (!j->next_pending)
			j->counters.lost += j->starved;
		j->starved = 0;
		j->starving = 0;
		j->ended = false;
	} else if (j->next_pending) {
		note_spurt(j, in, p);
	}
	if (!store(j, p)) {
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

static enum jitter_put put_piece(struct jitter *j, const struct jitter_in *in,
				 struct piece *p, uint64_t now_us)
{
	if (j->state == JITTER_STATE_IDLE) {
		/* A straggler of what was played is not a new spurt. */
		if (j->transit.known && p->pos < j->end &&
		    p->pos >= j->play - AHEAD_MS)
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
	if (p->pos + p->len_ms > j->play + AHEAD_MS)
		return outlier(j, in, p, now_us, JITTER_OVERFLOW);
	if (in->format != j->format)
		return begin(j, in, p, now_us);
	return put_ahead(j, in, p, now_us);
}

/* Its length, 0 when it is not made of whole units. */
static int64_t frame_ms(const struct jitter_in *in)
{
	if (!is_unit(&in->unit) || in->len % in->unit.octets != 0)
		return 0;
	return (int64_t)(in->len / in->unit.octets) * in->unit.ms;
}

enum jitter_put jitter_put(struct jitter *j, const struct jitter_in *in,
			   uint64_t now_us)
{
	struct piece p = { .unit = in->unit, .codes = in->codes };
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

void jitter_end(struct jitter *j)
{
	j->ended = true;
}

static void go_idle(struct jitter *j)
{
	j->state = JITTER_STATE_IDLE;
	j->starving = 0;
	j->starved = 0;
}

/* Leave out speech when it waits longer than it may. */
static void bound_delay(struct jitter *j, uint64_t now_us)
{
	const int64_t held = delay_ms(j, now_us);
	const int64_t end = j->next_pending ? j->spurt_end : j->end;
	int64_t skip = held - (int64_t)j->target_ms;

	if (held <= (int64_t)j->config.max_ms + BLOCK_MS)
		return;
	if (skip > end - j->play)
		skip = end - j->play;
	skip -= skip % (int64_t)j->unit.ms;
	if (skip <= 0)
		return;
	j->counters.skipped_ms += (uint64_t)skip;
	advance(j, j->play + skip);
}

/* Nothing of this block is there. */
static enum jitter_get conceal(struct jitter *j, uint64_t now_us)
{
	const bool hole = j->play < j->end;

	if (!hole && (j->ended || ++j->starving > STARVE_BLOCKS)) {
		go_idle(j);
		return JITTER_IDLE;
	}
	if (delay_ms(j, now_us) + HOLD_MS < (int64_t)j->target_ms) {
		j->counters.stretched++;
		return JITTER_LOST;
	}
	if (hole)
		j->counters.lost++;
	else
		j->starved++;
	advance(j, j->play + BLOCK_MS);
	return JITTER_LOST;
}

static void take_block(const struct jitter *j, struct jitter_block *out)
{
	const size_t share = octets_per_ms(&j->unit);

	for (uint32_t ms = 0; ms < JITTER_BLOCK_MS; ms++) {
		const int64_t pos = j->play + ms;

		if (!is_there(j, pos))
			continue;
		out->valid |= 1U << ms;
		memcpy(out->codes + ms * share,
		       j->ring + ring_index(pos) * share, share);
	}
}

/* After a block was played: leave one out when the delay has long been more
 * than is needed. */
static void shed_delay(struct jitter *j)
{
	uint32_t patience = EXCESS_BLOCKS;

	if (j->delay_ms <= j->target_ms + EXCESS_MS) {
		j->excess = 0;
		return;
	}
	if (j->delay_ms > j->target_ms + BACKLOG_MS)
		patience = BACKLOG_BLOCKS;
	if (++j->excess < patience || j->end - j->play < 2 * BLOCK_MS)
		return;
	j->excess = 0;
	j->counters.skipped_ms += JITTER_BLOCK_MS;
	advance(j, j->play + BLOCK_MS);
}

static enum jitter_get play(struct jitter *j, uint64_t now_us,
			    struct jitter_block *out)
{
	int64_t held;

	bound_delay(j, now_us);
	take_block(j, out);
	if (out->valid == 0)
		return conceal(j, now_us);
	held = delay_ms(j, now_us);
	j->delay_ms = held > 0 ? (uint32_t)held : 0;
	j->counters.played++;
	advance(j, j->play + BLOCK_MS);
	shed_delay(j);
	return JITTER_FRAME;
}

enum jitter_get jitter_get(struct jitter *j, uint64_t now_us,
			   struct jitter_block *out)
{
	out->format = j->format;
	out->valid = 0;
	memset(out->codes, 0, sizeof(out->codes));
	if (j->state == JITTER_STATE_IDLE)
		return JITTER_IDLE;
	if (j->next_pending && j->state == JITTER_STATE_PLAYING &&
	    j->play >= j->spurt_end) {
		advance(j, j->next_start);
		j->next_pending = false;
		j->state = JITTER_STATE_WAITING;
	}
	if (j->state == JITTER_STATE_WAITING) {
		if (delay_ms(j, now_us) < (int64_t)j->target_ms)
			return JITTER_IDLE;
		j->state = JITTER_STATE_PLAYING;
		j->starving = 0;
		j->starved = 0;
		j->excess = 0;
	}
	return play(j, now_us, out);
}

uint32_t jitter_delay_ms(const struct jitter *j)
{
	return j->state == JITTER_STATE_PLAYING ? j->delay_ms : j->target_ms;
}
