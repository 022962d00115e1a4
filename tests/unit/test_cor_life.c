/* SPDX-License-Identifier: MIT */

/* The receiver against a second opinion: one that sees the whole of what was
 * received, millisecond by millisecond, before it judges. */

#include "radio/cor.h"
#include "tests/t.h"

#define MS UINT64_C(1000)
#define COR ((unsigned)COR_IN_COR)

static const struct cor_config all_at_once = {
	.attack_ms = 20,
	.release_ms = 60,
	.tail_ms = 100,
	.kerchunk_ms = 500,
	.kerchunk_idle_s = 3,
};

static struct cor made(struct cor_config config)
{
	struct cor c;

	config.all = COR;
	config.stuck_s = COR_STUCK_S;
	T_EQ(0, cor_init(&c, &config));
	return c;
}

#define LIFE_MS 400000U

static bool level[LIFE_MS];    /* what the inputs come to */
static uint8_t want[LIFE_MS];  /* this millisecond is to be heard */
static uint8_t heard[LIFE_MS]; /* and how often it was */

struct opinion {
	struct cor_config k;
	uint32_t hold;     /* how much later than tail_ms audio is heard */
	uint32_t quiet_at; /* when an over is next held back */
	uint32_t heard_until;
	uint32_t overs, kerchunks;
};

/* The first millisecond from @at on before which the level was @up for
 * @lasts; *@since is when that began. */
static uint32_t lasting(uint32_t at, bool up, uint32_t lasts, uint32_t *since)
{
	uint32_t run = 0;

	for (; at < LIFE_MS; at++) {
		if (run >= lasts && (lasts > 0 || level[at] == up)) {
			*since = at - lasts;
			return at;
		}
		run = level[at] == up ? run + 1 : 0;
	}
	return LIFE_MS;
}

/* When the over from @from on proves itself: it is up until then, or again. */
static uint32_t proof(const struct opinion *o, uint32_t from)
{
	uint32_t at = from + o->k.kerchunk_ms;

	if (level[at - 1])
		return at;
	while (!level[at])
		at++;
	return at;
}

/* An over that begins, is believed, falls, and has shut. */
struct over {
	uint32_t from, at, fell, shut;
};

static void one_over(struct opinion *o, const struct over *v)
{
	const bool held = o->k.kerchunk_ms > 0 && v->from >= o->quiet_at;
	uint32_t first;

	if (held && v->fell < v->from + o->k.kerchunk_ms) {
		o->kerchunks++;
		return;
	}
	o->overs++;
	if (held)
		o->hold = proof(o, v->from) - v->from;
	else if (v->at >= o->heard_until)
		o->hold = 0;
	o->quiet_at = v->shut + o->hold + o->k.kerchunk_idle_s * 1000;
	if (v->from + o->k.tail_ms >= v->shut)
		return;
	o->heard_until = v->shut + o->hold;
	/* Where the line is shorter than the attack, the first milliseconds
	 * have passed when the over is believed. */
	first = v->at > v->from + o->k.tail_ms + o->hold
			? v->at - o->k.tail_ms - o->hold
			: v->from;
	for (uint32_t i = first; i + o->k.tail_ms < v->shut; i++)
		want[i] = 1;
}

static void decide(struct opinion *o)
{
	struct over v = { 0 };

	memset(want, 0, sizeof(want));
	for (;;) {
		v.at = lasting(v.shut, true, o->k.attack_ms, &v.from);
		if (v.at == LIFE_MS)
			return;
		v.shut = lasting(v.at, false, o->k.release_ms, &v.fell);
		one_over(o, &v);
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

/* Overs, taps and flutter, with silences of every length between. */
static void make_levels(uint32_t *seed)
{
	static const uint32_t lengths[] = { 3, 30, 150, 700, 4000 };
	bool up = false;
	uint32_t at = 0;

	memset(level, 0, sizeof(level));
	while (at < LIFE_MS - 12000) {
		uint32_t n =
			1 + next_random(seed) % lengths[next_random(seed) % 5];

		for (; n > 0 && at < LIFE_MS - 12000; n--)
			level[at++] = up;
		up = !up;
	}
}

static void listen(struct cor *c)
{
	memset(heard, 0, sizeof(heard));
	for (uint32_t at = 0; at < LIFE_MS; at++) {
		const uint64_t now = (at + 10000) * MS;
		uint64_t from;

		cor_input(c, level[at] ? COR : 0, now);
		T_TRUE(cor_deadline(c) > now);
		T_TRUE(cor_delay_us(c) <= COR_DELAY_MAX_MS * MS);
		if (!cor_plays(c, now))
			continue;
		T_TRUE(cor_up(c));
		from = (now - cor_delay_us(c)) / MS - 10000;
		T_TRUE(from <= at);
		T_TRUE(heard[from] < 2);
		heard[from]++;
	}
}

static void random_receivers(struct cor_config k, uint32_t seed)
{
	struct opinion o = { .k = k };
	struct cor c = made(k);

	make_levels(&seed);
	decide(&o);
	listen(&c);
	T_EQ(o.overs, c.counters.overs);
	T_EQ(o.kerchunks, c.counters.kerchunks);
	for (uint32_t i = 0; i < LIFE_MS; i++)
		T_EQ(want[i], heard[i]);
}

static void nothing_of_an_over_is_lost_and_nothing_else_heard(void)
{
	static const struct cor_config k[] = {
		{ .tail_ms = 0 },
		{ .tail_ms = 100 },
		{ .attack_ms = 50, .release_ms = 60, .tail_ms = 20 },
		{ .attack_ms = 20, .release_ms = 60, .tail_ms = 100 },
		{ .release_ms = 200, .kerchunk_ms = 300, .kerchunk_idle_s = 0 },
		{ .attack_ms = 20,
		  .release_ms = 60,
		  .tail_ms = 100,
		  .kerchunk_ms = 500,
		  .kerchunk_idle_s = 3 },
		{ .attack_ms = 5,
		  .release_ms = 300,
		  .tail_ms = 400,
		  .kerchunk_ms = 2000,
		  .kerchunk_idle_s = 2 },
	};

	for (uint32_t seed = 1; seed <= 28; seed++)
		random_receivers(k[seed % (sizeof(k) / sizeof(k[0]))], seed);
}

/* Whoever calls only when the inputs change is told the same in the end. */
static void what_was_due_meanwhile_is_made_good(void)
{
	for (uint32_t seed = 1; seed <= 5; seed++) {
		struct cor often = made(all_at_once), seldom = often;
		uint32_t s = seed;

		make_levels(&s);
		listen(&often);
		for (uint32_t at = 0; at < LIFE_MS; at++) {
			if (at == 0 || level[at] != level[at - 1])
				cor_input(&seldom, level[at] ? COR : 0,
					  (at + 10000) * MS);
		}
		cor_tick(&seldom, (LIFE_MS + 9999) * MS);
		T_EQ(often.counters.overs, seldom.counters.overs);
		T_EQ(often.counters.kerchunks, seldom.counters.kerchunks);
		T_EQ(often.quiet_at, seldom.quiet_at);
		T_EQ(often.delay_us, seldom.delay_us);
	}
}

/* Open or shut for up to two minutes: never believed for longer than the
 * limit, and after that only when it has been shut. */
static void a_receiver_is_never_believed_for_longer_than_the_limit(void)
{
	struct cor_config k = all_at_once;
	uint32_t seed = 7, left = 0, believed_ms = 0, shut_ms = 0;
	bool up = false, locked = false;
	struct cor c;

	k.all = COR;
	k.stuck_s = COR_STUCK_MIN_S;
	T_EQ(0, cor_init(&c, &k));
	for (uint32_t at = 0; at < 2000000; at++) {
		if (left-- == 0) {
			up = !up;
			/* Of its bits the upper ones are random. */
			left = next_random(&seed) >> 4;
			left %= next_random(&seed) >> 22 ? 100 : 120000;
		}
		cor_input(&c, up ? COR : 0, at * MS);
		shut_ms = up ? 0 : shut_ms + 1;
		believed_ms = cor_open(&c) ? believed_ms + 1 : 0;
		T_TRUE(believed_ms <= COR_STUCK_MIN_S * 1000);
		locked = (locked || cor_stuck(&c)) && shut_ms <= k.release_ms;
		T_EQ(locked, cor_stuck(&c));
		T_TRUE(!locked || !cor_open(&c));
	}
	T_TRUE(c.counters.stuck > 5);
}

int main(void)
{
	T_RUN(nothing_of_an_over_is_lost_and_nothing_else_heard);
	T_RUN(a_receiver_is_never_believed_for_longer_than_the_limit);
	T_RUN(what_was_due_meanwhile_is_made_good);
	return T_DONE();
}
