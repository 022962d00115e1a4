/* SPDX-License-Identifier: MIT */

#include "tests/jitter_race.h"

#include <math.h>
#include <string.h>

#include "audio/jitter.h"
#include "audio/playout.h"
#include "tests/conceal_race.h"

#define FRAME_MS 20U
#define FRAME_SAMPLES 160U
#define PHASE_US 7000U /* of the ticks, against the sender's */
#define ULAW_FORMAT 4U
#define TAIL_TICKS 600U

/* --- what became of the frames ------------------------------------------ */

struct sum {
	uint64_t late;   /* of the overs that are done, in ms */
	uint64_t spoken; /* in this over, in ms, */
	uint64_t played; /* of those */
	uint64_t empty;  /* ms with nothing to play, while it lasted */
	uint64_t all;    /* played, in all overs */
	double delay_us; /* the sum of theirs */
};

static void over_ends(struct sum *s)
{
	const uint64_t unplayed = s->spoken - s->played;

	const uint64_t late = unplayed > s->empty ? unplayed : s->empty;

	s->late += late < s->spoken ? late : s->spoken;
	s->spoken = 0;
	s->played = 0;
	s->empty = 0;
}

static void plays(struct sum *s, uint32_t ms, double delay_us)
{
	s->played += ms;
	s->all += ms;
	s->delay_us += ms * delay_us;
}

static struct race_result result(const struct sum *s, const struct net *net)
{
	return (struct race_result){
		.late_pct = 100.0 * (double)s->late /
			    (double)(net->frames * FRAME_MS),
		.mean_delay_ms = s->delay_us / fmax(1, (double)s->all) / 1000,
	};
}

/* --- the others --------------------------------------------------------- */

/* An over begins at a tick. */
static double at_tick(const struct net_frame *f, double delay_us)
{
	const double at = (double)f->sent_us + delay_us - PHASE_US;

	return ceil(at / NET_SLOT_US) * NET_SLOT_US + PHASE_US -
	       (double)f->sent_us;
}

static void judge(struct sum *s, const struct net_frame *f, double delay_us)
{
	if (f->spurt)
		over_ends(s);
	s->spoken += FRAME_MS;
	if ((double)(f->arrival_us - f->sent_us) <= delay_us)
		plays(s, FRAME_MS, delay_us);
}

static struct race_result run_fixed(const struct net *net, double delay_ms)
{
	struct sum s = { 0 };
	double delay = 0;

	for (size_t i = 0; i < net->frames; i++) {
		const struct net_frame *f = &net->frame[i];

		if (f->spurt)
			delay = at_tick(f,
					(double)(f->arrival_us - f->sent_us) +
						delay_ms * 1000);
		judge(&s, f, delay);
	}
	over_ends(&s);
	return result(&s, net);
}

static struct race_result run_ramjee(const struct net *net, double factor)
{
	const double alpha = 0.998002;
	double mean = 0, spread = 0, delay = 0;
	struct sum s = { 0 };

	for (size_t i = 0; i < net->frames; i++) {
		const struct net_frame *f = &net->frame[i];
		const double n = (double)(f->arrival_us - f->sent_us);

		if (i == 0)
			mean = n;
		mean = alpha * mean + (1 - alpha) * n;
		spread = alpha * spread + (1 - alpha) * fabs(mean - n);
		if (f->spurt)
			delay = at_tick(f, mean + factor * spread);
		judge(&s, f, delay);
	}
	over_ends(&s);
	return result(&s, net);
}

/* --- ours --------------------------------------------------------------- */

struct runner {
	const struct net *net;
	struct jitter jitter;
	struct playout playout;
	struct sum sum;
	uint64_t now;
	uint64_t empty; /* ms since something was played */
	uint64_t blocks, changed;
	size_t in;     /* the next frame that arrives */
	size_t heard;  /* the newest that was played */
	uint32_t over; /* counts those that were heard */
};

static bool over_is_over(const struct net *net, size_t i)
{
	return i + 1 == net->frames || net->frame[i + 1].spurt;
}

static void arrive(struct runner *r)
{
	static const uint8_t codes[FRAME_SAMPLES];
	const struct net *net = r->net;

	for (; r->in < net->frames && net->frame[r->in].arrival_us <= r->now;
	     r->in++) {
		const struct net_frame *f = &net->frame[r->in];
		const struct jitter_in in = {
			.ts_ms = (uint32_t)(f->sent_us / 1000),
			.format = ULAW_FORMAT,
			.unit = { 1, 8 },
			.codes = codes,
			.len = sizeof(codes),
			.spurt = f->spurt,
		};

		(void)jitter_put(&r->jitter, &in, f->arrival_us);
		if (over_is_over(net, r->in))
			jitter_end(&r->jitter);
	}
}

/* From the newest frame of @heard to the end of its over. */
static uint64_t over_left_ms(const struct net *net, size_t heard)
{
	uint64_t ms = FRAME_MS;

	while (heard < net->frames && !net->frame[heard].spurt) {
		heard++;
		ms += FRAME_MS;
	}
	return ms;
}

/* Account for the frames up to what was sent at @sent_us. */
static void hear_until(struct runner *r, uint64_t sent_us)
{
	while (r->heard < r->net->frames &&
	       r->net->frame[r->heard].sent_us <= sent_us) {
		if (r->net->frame[r->heard].spurt) {
			over_ends(&r->sum);
			r->empty = 0;
		}
		r->sum.spoken += FRAME_MS;
		r->heard++;
	}
}

static void hear_block(struct runner *r, const struct jitter_block *b,
		       uint64_t at)
{
	static int16_t speech[30 * 8000];
	const uint64_t sent = (uint64_t)b->ts_ms * 1000;
	size_t from = (size_t)b->ts_ms * 8 % (29 * 8000);

	if (speech[8000] == 0)
		conceal_speech(speech, sizeof(speech) / sizeof(speech[0]));
	if (b->valid == 0) {
		r->empty += FRAME_MS;
	} else {
		const uint32_t ms = (uint32_t)__builtin_popcount(b->valid);
		uint64_t left;

		hear_until(r, sent);
		left = over_left_ms(r->net, r->heard);
		r->sum.empty +=
			(r->empty < left ? r->empty : left) + FRAME_MS - ms;
		r->empty = 0;
		plays(&r->sum, ms, (double)(at - sent));
	}
	r->blocks++;
	r->changed += b->valid != 0 && b->advice != JITTER_KEEP;
	playout_put(&r->playout, speech + from, b->valid, b->advice);
}

static void tick(struct runner *r)
{
	int16_t pcm[PLAYOUT_BLOCK];
	struct jitter_block b;

	while (playout_wants(&r->playout)) {
		const uint64_t at = r->now + playout_held_us(&r->playout);

		if (jitter_get(&r->jitter, r->now, &b) == JITTER_IDLE) {
			r->empty += FRAME_MS;
			break;
		}
		hear_block(r, &b, at);
	}
	(void)playout_take(&r->playout, pcm);
}

static struct race_result run_ours(const struct net *net, uint32_t permille)
{
	const struct jitter_config config = { .min_ms = 0,
					      .max_ms = JITTER_DELAY_MAX_MS,
					      .late_permille = permille };
	static struct runner r;
	struct race_result done;

	memset(&r, 0, sizeof(r));
	r.net = net;
	r.now = PHASE_US;
	(void)jitter_init(&r.jitter, &config);
	playout_reset(&r.playout);
	for (uint32_t tail = 0; tail < TAIL_TICKS;) {
		arrive(&r);
		tick(&r);
		r.now += NET_SLOT_US;
		tail += r.in == net->frames;
	}
	hear_until(&r, UINT64_MAX);
	over_ends(&r.sum);
	done = result(&r.sum, net);
	done.stretched_pct = 100.0 * (double)r.changed / (double)r.blocks;
	return done;
}

/* --- all of them -------------------------------------------------------- */

struct race_result race_run(const struct net *net, enum race_method method,
			    double parameter)
{
	if (method == RACE_FIXED)
		return run_fixed(net, parameter);
	if (method == RACE_RAMJEE)
		return run_ramjee(net, parameter);
	return run_ours(net, (uint32_t)parameter);
}

void race_sweep(const struct net *net, enum race_method method,
		struct race_curve *curve)
{
	static const double permille[] = { 400, 250, 150, 100, 70, 50, 35, 25,
					   18,  12,  8,   5,   3,  2,  1 };

	curve->n = 0;
	if (method == RACE_OURS) {
		for (size_t i = 0; i < sizeof(permille) / sizeof(permille[0]);
		     i++)
			curve->at[curve->n++] =
				race_run(net, method, permille[i]);
		return;
	}
	for (size_t i = 0; i < RACE_STEPS; i++)
		curve->at[curve->n++] =
			race_run(net, method,
				 method == RACE_FIXED ? 20.0 * (double)i
						      : 0.5 * (double)i - 2);
}

static double between(const struct race_result *a, const struct race_result *b,
		      double late_pct)
{
	const double part =
		(late_pct - a->late_pct) / (b->late_pct - a->late_pct);

	return a->mean_delay_ms + part * (b->mean_delay_ms - a->mean_delay_ms);
}

double race_delay_at(const struct race_curve *curve, double late_pct)
{
	double best = -1;

	for (size_t i = 0; i < curve->n; i++) {
		const struct race_result *a = &curve->at[i], *b = a + 1;
		double delay = -1;

		if (a->late_pct <= late_pct)
			delay = a->mean_delay_ms;
		else if (i + 1 < curve->n && b->late_pct <= late_pct)
			delay = between(a, b, late_pct);
		if (delay >= 0 && (best < 0 || delay < best))
			best = delay;
	}
	return best;
}
