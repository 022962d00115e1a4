/* SPDX-License-Identifier: MIT */

/* What goes over the air around the audio: the moment that a transmitter needs
 * to come up, courtesy tone, CTCSS, the announcement of a time-out. */

#include "radio/ptt.h"
#include "tests/t.h"

#define MS UINT64_C(1000)
#define S UINT64_C(1000000)

static struct ptt made(struct ptt_config config)
{
	struct ptt p;

	if (config.timeout_s == 0)
		config.timeout_s = PTT_TIMEOUT_MIN_S;
	T_EQ(0, ptt_init(&p, &config));
	return p;
}

/* The next deadline is @at, and brings @state. */
static void then(struct ptt *p, uint64_t at, enum ptt_state state)
{
	T_EQ(at, ptt_deadline(p));
	ptt_tick(p, at - 1);
	T_TRUE(p->state != state);
	ptt_tick(p, at);
	T_STR(ptt_state_name(state), ptt_state_name(p->state));
}

/* Let the time-out timer rest, which changes nothing else. */
static void rest(struct ptt *p, uint64_t at)
{
	const enum ptt_state state = p->state;

	T_EQ(at, ptt_deadline(p));
	ptt_tick(p, at);
	T_EQ(state, p->state);
}

static void audio_waits_until_the_transmitter_is_up(void)
{
	struct ptt p = made((struct ptt_config){ .key_up_ms = 150 });

	ptt_demand(&p, true, 1 * S);
	T_TRUE(ptt_keyed(&p));
	T_TRUE(!ptt_plays(&p, 1 * S + 150 * MS - 1));
	T_TRUE(ptt_plays(&p, 1 * S + 150 * MS));
	/* What was said last is transmitted too. */
	ptt_demand(&p, false, 2 * S);
	T_TRUE(ptt_plays(&p, 2 * S + 150 * MS - 1));
	then(&p, 2 * S + 150 * MS, PTT_OFF);
	T_TRUE(!ptt_plays(&p, 2 * S + 150 * MS));
}

static void once_it_is_up_it_does_not_come_up_again(void)
{
	struct ptt p =
		made((struct ptt_config){ .key_up_ms = 100, .hang_ms = 1000 });

	ptt_demand(&p, true, 1 * S);
	ptt_demand(&p, false, 2 * S);
	ptt_demand(&p, true, 2 * S + 500 * MS);
	T_TRUE(ptt_plays(&p, 2 * S + 500 * MS));
	ptt_force_off(&p, true, 3 * S);
	T_TRUE(!ptt_plays(&p, 3 * S));
	/* But after it was off. */
	ptt_force_off(&p, false, 4 * S);
	T_TRUE(!ptt_plays(&p, 4 * S + 99 * MS));
	T_TRUE(ptt_plays(&p, 4 * S + 100 * MS));
}

static void a_courtesy_tone_has_its_slot_within_the_hang_time(void)
{
	struct ptt p = made((struct ptt_config){ .hang_ms = 2000,
						 .key_up_ms = 100,
						 .courtesy_wait_ms = 300,
						 .courtesy_ms = 250 });

	ptt_demand(&p, true, 1 * S);
	ptt_demand(&p, false, 2 * S);
	then(&p, 2 * S + 100 * MS, PTT_HANG);
	rest(&p, 2 * S + 200 * MS);
	then(&p, 2 * S + 400 * MS, PTT_COURTESY);
	then(&p, 2 * S + 650 * MS, PTT_HANG);
	then(&p, 4 * S + 100 * MS, PTT_OFF);
	T_EQ(PTT_NEVER, ptt_deadline(&p));

	/* Who speaks first has the word. */
	ptt_demand(&p, true, 5 * S);
	ptt_demand(&p, false, 6 * S);
	ptt_demand(&p, true, 6 * S + 350 * MS);
	ptt_tick(&p, 6 * S + 500 * MS);
	T_EQ(PTT_ON, p.state);
}

static void a_courtesy_tone_is_finished_without_hang_time_too(void)
{
	struct ptt p = made((struct ptt_config){ .courtesy_wait_ms = 50,
						 .courtesy_ms = 250 });

	ptt_demand(&p, true, 1 * S);
	ptt_demand(&p, false, 2 * S);
	T_EQ(PTT_HANG, p.state);
	then(&p, 2 * S + 50 * MS, PTT_COURTESY);
	rest(&p, 2 * S + 200 * MS);
	then(&p, 2 * S + 300 * MS, PTT_OFF);

	/* Without a tone there is nothing to wait for. */
	p = made((struct ptt_config){ .courtesy_wait_ms = 500 });
	ptt_demand(&p, true, 1 * S);
	ptt_demand(&p, false, 2 * S);
	T_EQ(PTT_OFF, p.state);
}

static void the_carrier_outlasts_the_ctcss_tone(void)
{
	struct ptt p = made((struct ptt_config){
		.hang_ms = 500, .ctcss_off_ms = 180, .ctcss = true });

	T_TRUE(!ptt_tone(&p));
	ptt_demand(&p, true, 1 * S);
	T_TRUE(ptt_tone(&p));
	ptt_demand(&p, false, 2 * S);
	T_TRUE(ptt_tone(&p));
	rest(&p, 2 * S + 200 * MS);
	then(&p, 2 * S + 500 * MS, PTT_TAIL);
	T_TRUE(ptt_keyed(&p) && !ptt_tone(&p));
	then(&p, 2 * S + 680 * MS, PTT_OFF);

	/* The tone comes back when somebody speaks. */
	ptt_demand(&p, true, 3 * S);
	ptt_demand(&p, false, 4 * S);
	ptt_tick(&p, 4 * S + 600 * MS);
	T_EQ(PTT_TAIL, p.state);
	ptt_demand(&p, true, 4 * S + 610 * MS);
	T_TRUE(ptt_tone(&p));

	/* None is sent, none is waited for. */
	p = made((struct ptt_config){ .ctcss_off_ms = 180 });
	ptt_demand(&p, true, 1 * S);
	T_TRUE(!ptt_tone(&p));
	ptt_demand(&p, false, 2 * S);
	T_EQ(PTT_OFF, p.state);
}

static const struct ptt_config full = {
	.timeout_s = 10,
	.hang_ms = 700,
	.key_up_ms = 120,
	.courtesy_wait_ms = 100,
	.courtesy_ms = 900,
	.ctcss_off_ms = 250,
	.announce_ms = 3000,
	.ctcss = true,
};

static void a_time_out_is_announced_within_the_limit(void)
{
	struct ptt p = made(full);

	ptt_demand(&p, true, 1 * S);
	then(&p, 11 * S - 3250 * MS, PTT_ANNOUNCE);
	T_TRUE(ptt_keyed(&p) && ptt_tone(&p));
	T_TRUE(!ptt_plays(&p, 8 * S));
	then(&p, 11 * S - 250 * MS, PTT_TAIL);
	then(&p, 11 * S, PTT_TIMED_OUT);
	T_TRUE(!ptt_keyed(&p) && !ptt_tone(&p));
	T_EQ(PTT_NEVER, ptt_deadline(&p));
	ptt_demand(&p, false, 20 * S);
	T_TRUE(!ptt_keyed(&p));
	then(&p, 20 * S + 200 * MS, PTT_OFF);
}

static void who_stops_during_the_announcement_is_in_time(void)
{
	struct ptt p = made(full);

	ptt_demand(&p, true, 1 * S);
	ptt_tick(&p, 9 * S);
	T_EQ(PTT_ANNOUNCE, p.state);
	ptt_demand(&p, false, 9 * S);
	T_EQ(PTT_ON, p.state);
	ptt_tick(&p, 9 * S + 120 * MS);
	T_EQ(PTT_HANG, p.state);

	/* Too late for a rest before the limit: it is over. */
	p = made(full);
	ptt_demand(&p, true, 1 * S);
	ptt_tick(&p, 10 * S + 760 * MS);
	T_EQ(PTT_TAIL, p.state);
	ptt_demand(&p, false, 10 * S + 810 * MS);
	ptt_tick(&p, 11 * S - 1);
	T_EQ(PTT_TAIL, p.state);
	then(&p, 11 * S, PTT_TIMED_OUT);
	then(&p, 11 * S + 10 * MS, PTT_OFF);
}

static void in_the_last_moments_it_does_not_key_again(void)
{
	struct ptt p = made(full);

	ptt_demand(&p, true, 1 * S);
	ptt_force_off(&p, true, 5 * S);
	ptt_tick(&p, 10 * S + 800 * MS);
	ptt_force_off(&p, false, 10 * S + 800 * MS);
	T_EQ(PTT_OFF, p.state);
	then(&p, 11 * S, PTT_TIMED_OUT);
}

static void a_new_limit_may_end_a_transmission_in_its_announcement(void)
{
	struct ptt_config longer = full;
	struct ptt p;

	longer.timeout_s = 60;
	p = made(longer);
	ptt_demand(&p, true, 0);
	ptt_tick(&p, 8 * S);
	T_EQ(PTT_ON, p.state);
	T_EQ(0, ptt_configure(&p, &full, 8 * S));
	T_EQ(PTT_ANNOUNCE, p.state);
}

/* --- whatever happens --------------------------------------------------- */

struct life {
	struct ptt p;
	uint64_t now;
	bool want;
	uint64_t run_since; /* of demand without a rest */
	uint64_t went;      /* when the demand last went */
	uint64_t keyed_for; /* without demand, at most */
};

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

static void check(const struct life *l)
{
	const struct ptt *p = &l->p;

	T_TRUE(ptt_keyed(p) || !ptt_tone(p));
	T_TRUE(ptt_keyed(p) || !ptt_plays(p, l->now));
	T_TRUE(ptt_deadline(p) > l->now);
	if (!ptt_keyed(p))
		return;
	T_TRUE(ptt_deadline(p) != PTT_NEVER);
	if (l->want)
		T_TRUE(l->now - l->run_since < p->config.timeout_s * S);
	else
		T_TRUE(l->now - l->went < l->keyed_for);
}

/* Tick at the deadlines asked for, and at no other time. */
static void pass(struct life *l, uint64_t until)
{
	while (ptt_deadline(&l->p) <= until) {
		l->now = ptt_deadline(&l->p);
		ptt_tick(&l->p, l->now);
		check(l);
	}
	l->now = until;
}

static void demand(struct life *l, bool want)
{
	if (want && !l->want &&
	    (l->went == 0 || l->now - l->went >= PTT_REST_MS * MS))
		l->run_since = l->now;
	if (!want && l->want)
		l->went = l->now;
	l->want = want;
	ptt_demand(&l->p, want, l->now);
	check(l);
}

static struct ptt_config any_config(uint32_t *seed)
{
	return (struct ptt_config){
		.timeout_s = 10 + next_random(seed) % 5,
		.hang_ms = next_random(seed) % 3 * 800,
		.key_up_ms = next_random(seed) % (PTT_KEY_UP_MAX_MS + 1),
		.courtesy_wait_ms = next_random(seed) % 500,
		.courtesy_ms = next_random(seed) % 2 * 700,
		.ctcss_off_ms = next_random(seed) % (PTT_CTCSS_OFF_MAX_MS + 1),
		.announce_ms = next_random(seed) % (PTT_ANNOUNCE_MAX_MS + 1),
		.ctcss = next_random(seed) % 2,
	};
}

static uint64_t longest_end_ms(const struct ptt_config *c)
{
	const uint32_t courtesy =
		c->courtesy_ms ? c->courtesy_wait_ms + c->courtesy_ms : 0;

	return (uint64_t)c->key_up_ms +
	       (courtesy > c->hang_ms ? courtesy : c->hang_ms) +
	       (c->ctcss ? c->ctcss_off_ms : 0);
}

static void no_input_keeps_it_keyed_beyond_the_limits(void)
{
	static const uint64_t lengths[] = { 50 * MS, 400 * MS, 3 * S, 20 * S };

	for (uint32_t i = 1; i <= 300; i++) {
		uint32_t seed = i;
		const struct ptt_config config = any_config(&seed);
		struct life l = { .p = made(config),
				  .keyed_for = longest_end_ms(&config) * MS };

		for (unsigned n = 0; n < 400; n++) {
			const uint64_t most = lengths[next_random(&seed) % 4];

			pass(&l, l.now + 1 + next_random(&seed) % most);
			if (next_random(&seed) % 16 == 0)
				ptt_force_off(&l.p, next_random(&seed) % 2,
					      l.now);
			demand(&l, next_random(&seed) % 2);
		}
		/* And in the end it is off. */
		demand(&l, false);
		ptt_force_off(&l.p, false, l.now);
		pass(&l, l.now + 60 * S);
		T_EQ(PTT_OFF, l.p.state);
	}
}

/* Each of a spurt's milliseconds goes through the line, and is transmitted. */
static void nothing_said_within_the_limit_is_lost(void)
{
	for (uint32_t i = 1; i <= 300; i++) {
		uint32_t seed = i;
		const struct ptt_config config = any_config(&seed);
		struct ptt p = made(config);
		const uint64_t line = config.key_up_ms * MS;
		const uint64_t said = 1 + next_random(&seed) % 2000;
		uint64_t played = 0;

		for (uint64_t at = 0; at < 10000; at++) {
			const uint64_t now = (5000 + at) * MS;

			ptt_demand(&p, at < said, now);
			if (!ptt_plays(&p, now))
				continue;
			T_EQ(5000 + played, (now - line) / MS);
			played++;
		}
		T_EQ(said, played);
	}
}

int main(void)
{
	T_RUN(audio_waits_until_the_transmitter_is_up);
	T_RUN(once_it_is_up_it_does_not_come_up_again);
	T_RUN(a_courtesy_tone_has_its_slot_within_the_hang_time);
	T_RUN(a_courtesy_tone_is_finished_without_hang_time_too);
	T_RUN(the_carrier_outlasts_the_ctcss_tone);
	T_RUN(a_time_out_is_announced_within_the_limit);
	T_RUN(who_stops_during_the_announcement_is_in_time);
	T_RUN(in_the_last_moments_it_does_not_key_again);
	T_RUN(a_new_limit_may_end_a_transmission_in_its_announcement);
	T_RUN(no_input_keeps_it_keyed_beyond_the_limits);
	T_RUN(nothing_said_within_the_limit_is_lost);
	return T_DONE();
}
