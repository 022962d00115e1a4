/* SPDX-License-Identifier: MIT */

#include "radio/cor.h"

#include <errno.h>

#define US_PER_MS UINT64_C(1000)
#define US_PER_S UINT64_C(1000000)
#define INPUTS ((unsigned)COR_IN_COR | COR_IN_CTCSS | COR_IN_VOX)

const struct cor_config cor_config_default = {
	.all = COR_IN_COR,
	.attack_ms = 20,
	.release_ms = 100,
	.kerchunk_idle_s = 60,
	.stuck_s = COR_STUCK_S,
};

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool valid(const struct cor_config *k)
{
	const unsigned named = k->all | k->any;

	return named != 0 && (named & ~INPUTS) == 0 &&
	       k->attack_ms <= COR_ATTACK_MAX_MS &&
	       k->release_ms <= COR_RELEASE_MAX_MS &&
	       k->tail_ms <= COR_TAIL_MAX_MS &&
	       k->kerchunk_ms <= COR_KERCHUNK_MAX_MS &&
	       (k->kerchunk_ms == 0 || k->kerchunk_ms > k->attack_ms) &&
	       k->kerchunk_idle_s <= COR_KERCHUNK_IDLE_MAX_S &&
	       k->stuck_s >= COR_STUCK_MIN_S && k->stuck_s <= COR_STUCK_MAX_S;
}

int cor_init(struct cor *c, const struct cor_config *config)
{
	*c = (struct cor){ 0 };
	if (!valid(config))
		return -EINVAL;
	c->config = *config;
	c->delay_us = config->tail_ms * US_PER_MS;
	return 0;
}

static bool combined(const struct cor *c)
{
	const struct cor_config *k = &c->config;

	return (k->all | k->any) != 0 && (c->inputs & k->all) == k->all &&
	       (k->any == 0 || (c->inputs & k->any) != 0);
}

/* --- what is heard ------------------------------------------------------ */

static uint64_t tail_us(const struct cor *c)
{
	return c->config.tail_ms * US_PER_MS;
}

static struct cor_span *last_span(struct cor *c)
{
	return c->spans > 0 ? &c->span[c->spans - 1] : NULL;
}

static bool is_heard(const struct cor *c)
{
	return c->spans > 0 && c->span[c->spans - 1].to_us == COR_NEVER;
}

/* When the last of it comes out of the line. */
static uint64_t over_at(const struct cor *c, const struct cor_span *s)
{
	return s->to_us == COR_NEVER ? COR_NEVER : s->to_us + c->delay_us;
}

/* The over that began at open_since is heard from its beginning on, as far as
 * the line reaches; @now_us is when that is certain. */
static void hear(struct cor *c, uint64_t now_us)
{
	c->counters.overs++;
	if (c->spans == 0)
		c->delay_us =
			tail_us(c) + (c->held ? now_us - c->open_since : 0);
	c->held = false;
	if (c->spans == COR_SPANS)
		last_span(c)->to_us = COR_NEVER;
	else
		c->span[c->spans++] =
			(struct cor_span){ c->open_since, COR_NEVER };
}

/* What came into the line before @at_us - tail is heard, and no more. */
static void hear_no_more(struct cor *c, uint64_t at_us)
{
	struct cor_span *s = last_span(c);

	/* It is silent once the last of it has been heard. */
	c->quiet_at = at_us + c->delay_us - tail_us(c) +
		      c->config.kerchunk_idle_s * US_PER_S;
	s->to_us = at_us > tail_us(c) ? at_us - tail_us(c) : 0;
	if (s->to_us <= s->from_us)
		c->spans--;
}

static void forget_what_was_heard(struct cor *c, uint64_t now_us)
{
	size_t gone = 0;

	while (gone < c->spans && over_at(c, &c->span[gone]) <= now_us)
		gone++;
	c->spans -= gone;
	for (size_t i = 0; gone > 0 && i < c->spans; i++)
		c->span[i] = c->span[i + gone];
}

/* --- what has lasted ---------------------------------------------------- */

/* When the level will have lasted. */
static uint64_t lasts_at(const struct cor *c)
{
	const uint32_t ms = c->raw ? c->config.attack_ms : c->config.release_ms;

	return c->raw == c->open ? COR_NEVER : c->raw_since + ms * US_PER_MS;
}

/* When an over that is held back will have proved to be one; while the inputs
 * are down it has to wait and see. */
static uint64_t proved_at(const struct cor *c)
{
	if (!c->held || !c->raw)
		return COR_NEVER;
	return later(c->raw_since,
		     c->open_since + c->config.kerchunk_ms * US_PER_MS);
}

static uint64_t stuck_at(const struct cor *c)
{
	return c->open && !c->stuck
		       ? c->open_since + c->config.stuck_s * US_PER_S
		       : COR_NEVER;
}

static uint64_t heard_at(const struct cor *c)
{
	return c->spans > 0 ? over_at(c, &c->span[0]) : COR_NEVER;
}

static void on_open(struct cor *c, uint64_t at_us)
{
	c->open = true;
	c->open_since = c->raw_since;
	c->held = c->config.kerchunk_ms > 0 && c->open_since >= c->quiet_at;
	if (!c->held)
		hear(c, at_us);
}

static void on_shut(struct cor *c, uint64_t at_us)
{
	if (c->held)
		c->counters.kerchunks++;
	else if (is_heard(c))
		hear_no_more(c, at_us);
	c->open = false;
	c->held = false;
	c->stuck = false;
}

static void on_stuck(struct cor *c, uint64_t at_us)
{
	c->stuck = true;
	c->held = false;
	c->counters.stuck++;
	if (is_heard(c))
		hear_no_more(c, at_us);
}

/* The earliest thing that is due; false when nothing is. */
static bool step(struct cor *c, uint64_t now_us)
{
	const uint64_t at = cor_deadline(c);

	if (at > now_us)
		return false;
	if (heard_at(c) == at)
		forget_what_was_heard(c, at);
	else if (proved_at(c) == at)
		hear(c, at);
	else if (stuck_at(c) == at)
		on_stuck(c, at);
	else if (c->raw)
		on_open(c, at);
	else
		on_shut(c, at);
	return true;
}

uint64_t cor_deadline(const struct cor *c)
{
	return earlier(earlier(lasts_at(c), proved_at(c)),
		       earlier(stuck_at(c), heard_at(c)));
}

void cor_tick(struct cor *c, uint64_t now_us)
{
	while (step(c, now_us))
		;
}

void cor_input(struct cor *c, unsigned inputs, uint64_t now_us)
{
	/* What was due before this moment comes first. */
	cor_tick(c, now_us);
	c->inputs = inputs;
	if (combined(c) == c->raw)
		return;
	c->raw = !c->raw;
	c->raw_since = now_us;
	cor_tick(c, now_us);
}

int cor_configure(struct cor *c, const struct cor_config *config,
		  uint64_t now_us)
{
	if (!valid(config))
		return -EINVAL;
	cor_tick(c, now_us);
	c->config = *config;
	if (c->spans == 0)
		c->delay_us = tail_us(c);
	cor_input(c, c->inputs, now_us);
	return 0;
}

void cor_reset(struct cor *c, uint64_t now_us)
{
	cor_tick(c, now_us);
	if (is_heard(c))
		hear_no_more(c, now_us);
	c->spans = 0;
	c->inputs = 0;
	c->raw = false;
	c->raw_since = now_us;
	c->open = false;
	c->held = false;
	c->stuck = false;
}

bool cor_open(const struct cor *c)
{
	return c->open && !c->stuck;
}

bool cor_up(const struct cor *c)
{
	return c->spans > 0;
}

bool cor_stuck(const struct cor *c)
{
	return c->stuck;
}

bool cor_plays(const struct cor *c, uint64_t now_us)
{
	for (size_t i = 0; i < c->spans; i++) {
		const struct cor_span *s = &c->span[i];

		if (now_us >= s->from_us + c->delay_us &&
		    now_us < over_at(c, s))
			return true;
	}
	return false;
}

uint64_t cor_delay_us(const struct cor *c)
{
	return c->delay_us;
}
