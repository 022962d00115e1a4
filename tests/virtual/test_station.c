/* SPDX-License-Identifier: MIT */

/* The station's transmitter: what keys it, for how long, and what nothing may
 * make it do. */

#include "tests/virtual/station_scene.h"

#define MINUTE (60 * MONO_S)
#define HOUR (60 * MINUTE)

static struct tape tape;

static void record(struct air *a, const int16_t block[AUDIO_BLOCK])
{
	(void)a;
	tape_put(&tape, block);
}

static void begin(struct air *a, const struct station_config *c)
{
	air_begin(a, c);
	tape.n = 0;
	a->receive = air_count_up;
	a->heard = record;
}

/* --- the transmitter ---------------------------------------------------- */

static void key_up_time_costs_no_syllable(void)
{
	for (unsigned ms = 0; ms <= 300; ms += 60) {
		struct station_config c = station_config_flat;
		struct air a;

		c.ptt.key_up_ms = ms;
		begin(&a, &c);
		a.heard = NULL;
		a.sent = record;
		a.speak = air_count_up;
		a.jitter_us = 5000;
		air_run(&a, 95 * MONO_MS);
		a.network = true;
		air_run(&a, 2 * MONO_S);
		a.network = false;
		air_run(&a, MONO_S);
		/* Silence, and then all of it. */
		for (size_t i = 0; i < (size_t)ms * 8; i++)
			T_EQ(0, tape.sample[i]);
		T_EQ(5 * AUDIO_BLOCK + 1, tape.sample[(size_t)ms * 8]);
		tape_follows(&tape, (size_t)ms * 8, (size_t)2 * AUDIO_HZ);
		T_EQ(2, a.edges);
		air_end(&a);
	}
}

static void hang_time_ends_between_the_beats(void)
{
	struct station_config c = station_config_flat;
	struct air a;
	mono_us fell;

	c.ptt.hang_ms = 333;
	air_begin(&a, &c);
	a.network = true;
	air_run(&a, MONO_S);
	a.network = false;
	fell = a.now;
	air_run(&a, MONO_S);
	T_EQ(fell + 333 * MONO_MS, a.edge);
	T_TRUE(!a.keyed);
	air_end(&a);
}

static void half_duplex_falls_silent_with_the_edge_of_cor(void)
{
	struct station_config c = station_config_flat;
	struct air a;
	mono_us up;

	c.duplex = DUPLEX_HALF;
	c.cor.attack_ms = 7;
	air_begin(&a, &c);
	a.network = true;
	air_run(&a, MONO_S);
	T_TRUE(a.keyed);
	up = a.now;
	air_inputs(&a, COR_IN_COR);
	air_run(&a, MONO_S);
	T_TRUE(!a.keyed);
	T_EQ(up + 7 * MONO_MS, a.edge);
	air_inputs(&a, 0);
	air_run(&a, MONO_S);
	T_TRUE(a.keyed);
	air_end(&a);
}

/* The receiver opens 30 ms after we key, and shuts 30 ms after we unkey. */
static void a_transmitter_that_hears_itself_does_not_chatter(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.duplex = DUPLEX_HALF;
	c.cor.attack_ms = 20;
	c.cor.release_ms = 40;
	air_begin(&a, &c);
	a.network = true;
	for (unsigned i = 0; i < 60 * 100; i++) {
		air_inputs(&a, a.keyed && a.now >= a.edge + 30 * MONO_MS
				       ? COR_IN_COR
				       : 0);
		air_run(&a, 10 * MONO_MS);
	}
	T_TRUE(a.edges > 60 && a.edges < 240);
	/* Somebody whom it hears, it does not keep waiting for long. */
	air_inputs(&a, COR_IN_COR);
	air_run(&a, 5 * MONO_S);
	T_TRUE(!a.keyed);
	air_inputs(&a, 0);
	air_run(&a, 600 * MONO_MS);
	T_TRUE(a.keyed);
	air_end(&a);
}

static void each_mode_keys_for_what_it_says(void)
{
	static const struct {
		enum duplex_mode mode;
		bool by_radio, by_link, by_both;
	} rows[] = {
		{ DUPLEX_HALF_SILENT, false, true, false },
		{ DUPLEX_HALF, false, true, false },
		{ DUPLEX_FULL, true, true, true },
		{ DUPLEX_FULL_NO_REPEAT, true, true, true },
		{ DUPLEX_FULL_NO_PATCH, true, true, true },
		{ DUPLEX_APART, false, true, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct station_config c = station_config_flat;
		struct air a;

		c.duplex = rows[i].mode;
		air_begin(&a, &c);
		air_inputs(&a, COR_IN_COR);
		air_run(&a, MONO_S);
		T_EQ(rows[i].by_radio, a.keyed);
		a.network = true;
		air_run(&a, MONO_S);
		T_EQ(rows[i].by_both, a.keyed);
		air_inputs(&a, 0);
		air_run(&a, MONO_S);
		T_EQ(rows[i].by_link, a.keyed);
		air_end(&a);
	}
}

static void the_timer_unkeys_and_starts_afresh_after_a_pause(void)
{
	struct station_config c = station_config_flat;
	struct station_view v;
	struct air a;

	c.ptt.timeout_s = 60;
	air_begin(&a, &c);
	a.network = true;
	air_run(&a, HOUR);
	T_EQ(60 * 50, a.keyed_blocks);
	T_EQ(SCENE_BEGIN + MINUTE, a.edge);
	station_view(a.s, &v);
	T_EQ(PTT_TIMED_OUT, v.ptt);
	T_EQ(1, v.timeouts);
	a.network = false;
	air_run(&a, 400 * MONO_MS);
	a.network = true;
	air_run(&a, MONO_S);
	T_TRUE(a.keyed);
	air_end(&a);
}

/* --- trust -------------------------------------------------------------- */

static void a_radio_that_is_gone_neither_hears_nor_keys(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.duplex = DUPLEX_FULL;
	c.ptt.hang_ms = 5000;
	c.cor.tail_ms = 300;
	air_begin(&a, &c);
	air_inputs(&a, COR_IN_COR);
	a.network = true;
	air_run(&a, MONO_S);
	T_TRUE(a.keyed && a.hears);
	station_there(a.s, false, a.now);
	T_TRUE(!station_keyed(a.s) && !station_received(a.s));
	air_run(&a, 10 * MONO_S);
	T_TRUE(!a.keyed && !a.hears);
	station_there(a.s, true, a.now);
	air_run(&a, MONO_S);
	/* The links speak; the receiver's input was not told again. */
	T_TRUE(a.keyed && !a.hears);
	air_inputs(&a, COR_IN_COR);
	air_run(&a, MONO_S);
	T_TRUE(a.keyed && a.hears);
	air_end(&a);
}

static void forced_off_means_off(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.duplex = DUPLEX_FULL;
	air_begin(&a, &c);
	a.network = true;
	air_run(&a, MONO_S);
	station_force_off(a.s, true, a.now);
	T_TRUE(!station_keyed(a.s));
	for (unsigned i = 0; i < 1000; i++) {
		air_inputs(&a, i & 1 ? COR_IN_COR : 0);
		a.network = i & 2;
		air_run(&a, 37 * MONO_MS);
		T_TRUE(!a.keyed);
	}
	station_force_off(a.s, false, a.now);
	a.network = true;
	air_run(&a, MONO_S);
	T_TRUE(a.keyed);
	air_end(&a);
}

/* Told late of an input, the transmitter does not come back from its
 * time-out. */
static void inputs_of_the_past_change_no_decision(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.duplex = DUPLEX_FULL;
	c.ptt.timeout_s = 10;
	air_begin(&a, &c);
	a.with_blocks = true;
	a.network = true;
	air_run(&a, 10 * MONO_S + 5 * MONO_MS);
	T_TRUE(!a.keyed);
	for (unsigned i = 0; i < 1000; i++) {
		station_inputs(a.s, ~i & 1, a.now - BLOCK_MS * MONO_MS);
		T_TRUE(!station_keyed(a.s));
		air_run(&a, 20 * MONO_MS);
	}
	T_EQ(2, a.edges);
	air_end(&a);
}

/* --- settings ----------------------------------------------------------- */

static void new_settings_hold_for_an_over_that_goes_on(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.cor.release_ms = 500;
	begin(&a, &c);
	a.network = true;
	air_inputs(&a, COR_IN_COR);
	air_run(&a, 30 * MONO_S);
	c.ptt.timeout_s = 40;
	c.cor.release_ms = 100;
	T_EQ(0, station_configure(a.s, &c, a.now));
	air_run(&a, 20 * MONO_S);
	/* Heard on, without a gap. */
	tape_follows(&tape, 0, tape.n);
	T_EQ(50 * 50, a.heard_blocks);
	T_EQ(SCENE_BEGIN + 40 * MONO_S, a.edge);
	air_inputs(&a, 0);
	air_run(&a, MONO_S);
	T_EQ(50 * 50 + 5, a.heard_blocks);
	air_end(&a);
}

static void another_source_counts_at_once(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	air_begin(&a, &c);
	air_inputs(&a, COR_IN_CTCSS);
	air_run(&a, MONO_S);
	T_TRUE(!a.hears);
	c.cor.all = COR_IN_CTCSS;
	T_EQ(0, station_configure(a.s, &c, a.now));
	air_run(&a, MONO_S);
	T_TRUE(a.hears);
	air_end(&a);
}

static void wrong(void (*spoil)(struct station_config *c))
{
	struct station_config c = station_config_flat;
	struct station *s = station_new(&c, SCENE_BEGIN);

	T_TRUE(s != NULL);
	spoil(&c);
	T_TRUE(station_configure(s, &c, SCENE_BEGIN) != 0);
	T_TRUE(!station_new(&c, SCENE_BEGIN));
	T_TRUE(!station_free(s));
}

#define SPOIL(name, member, value)                 \
	static void name(struct station_config *c) \
	{                                          \
		c->member = value;                 \
	}
SPOIL(bad_duplex, duplex, (enum duplex_mode)(DUPLEX_APART + 1))
SPOIL(bad_cor, cor.all, 0)
SPOIL(bad_timeout, ptt.timeout_s, 0)
SPOIL(bad_rx_ctcss, rx.ctcss, 100)
SPOIL(bad_vox, rx.vox_db, 0)
SPOIL(bad_vox_ms, rx.vox_ms, 5001)
SPOIL(bad_agc, rx.agc_db, 25)
SPOIL(bad_agc_to, rx.agc_to_db, 5)
SPOIL(bad_rx_limit, rx.limit_db, 41)
SPOIL(bad_dtmf, rx.dtmf, (enum station_dtmf)(STATION_DTMF_MUTE + 1))
SPOIL(bad_tx_ctcss, tx.ctcss, 2601)
SPOIL(bad_ctcss_db, tx.ctcss_db, 0)
SPOIL(bad_courtesy, tx.courtesy, 999)
SPOIL(bad_announce, tx.announce, 40001)
SPOIL(bad_tone, tx.tone_db, 41)
SPOIL(bad_tx_limit, tx.limit_db, 41)

static void what_is_out_of_its_range_is_refused(void)
{
	wrong(bad_duplex);
	wrong(bad_cor);
	wrong(bad_timeout);
	wrong(bad_rx_ctcss);
	wrong(bad_vox);
	wrong(bad_vox_ms);
	wrong(bad_agc);
	wrong(bad_agc_to);
	wrong(bad_rx_limit);
	wrong(bad_dtmf);
	wrong(bad_tx_ctcss);
	wrong(bad_ctcss_db);
	wrong(bad_courtesy);
	wrong(bad_announce);
	wrong(bad_tone);
	wrong(bad_tx_limit);
	T_TRUE(!station_free(NULL));
}

/* --- anything may happen ------------------------------------------------ */

static struct station_config any_config(struct air *a)
{
	struct station_config c = station_config_flat;

	c.duplex = (enum duplex_mode)(air_random(a) % (DUPLEX_APART + 1));
	c.cor.attack_ms = air_random(a) % 60;
	c.cor.release_ms = air_random(a) % 120;
	c.cor.tail_ms = air_random(a) % 200;
	c.cor.kerchunk_ms = air_random(a) % 2 * 400;
	c.cor.kerchunk_idle_s = air_random(a) % 5;
	c.cor.stuck_s = 30 + air_random(a) % 30;
	c.ptt = (struct ptt_config){
		.timeout_s = 10 + air_random(a) % 20,
		.hang_ms = air_random(a) % 1000,
		.key_up_ms = air_random(a) % 200,
		.courtesy_ms = air_random(a) % 200,
		.courtesy_wait_ms = air_random(a) % 300,
		.ctcss_off_ms = air_random(a) % 300,
		.announce_ms = air_random(a) % 1000,
	};
	c.rx.dtmf = (enum station_dtmf)(air_random(a) % 3);
	c.rx.limit_db = air_random(a) % 2 * 3;
	c.tx.ctcss = air_random(a) % 2 * 885;
	c.tx.courtesy = 8000;
	c.tx.announce = 4400;
	c.tx.limit_db = air_random(a) % 2 * 6;
	return c;
}

/* It stays keyed no longer than its timer takes to start afresh, so that no
 * transmission outlasts the timer. */
static void without_tail(struct station_config *c)
{
	c->ptt.hang_ms %= 60;
	c->ptt.key_up_ms %= 60;
	c->ptt.ctcss_off_ms %= 60;
	c->ptt.courtesy_ms = 0;
}

static bool has_tail(const struct station_config *c)
{
	return c->ptt.hang_ms + c->ptt.courtesy_ms > 60;
}

static void nudge(struct air *a, bool *forced)
{
	switch (air_random(a) % 8) {
	case 0:
		*forced = air_random(a) % 4 == 0;
		station_force_off(a->s, *forced, a->now);
		break;
	case 1:
	case 2:
		a->network = !a->network;
		break;
	case 3:
		station_test_tone(a->s, 1000, 20,
				  a->now + air_random(a) % 3 * MONO_S, a->now);
		break;
	default:
		air_inputs(a, air_random(a) % 4);
		break;
	}
}

/* What must hold whatever comes: nobody speaks for longer than the timer, no
 * transmission while forced off, nor at half duplex while somebody is
 * received. */
static void minutes_of_anything(const struct station_config *c, struct air *a)
{
	const bool half = c->duplex <= DUPLEX_HALF;
	bool forced = false;

	while (a->now < SCENE_BEGIN + HOUR / 12) {
		nudge(a, &forced);
		air_run(a, air_random(a) % 64 == 0
				   ? 40 * MONO_S
				   : air_random(a) % 3000 * MONO_MS);
		T_TRUE(!(forced && station_keyed(a->s)));
		T_TRUE(!a->keyed || has_tail(c) ||
		       a->now - a->edge <= c->ptt.timeout_s * MONO_S);
		T_TRUE(!(half && a->keyed && station_received(a->s) &&
			 a->inputs == COR_IN_COR && c->cor.tail_ms == 0 &&
			 c->cor.kerchunk_ms == 0));
		T_EQ(a->keyed, station_keyed(a->s));
		T_TRUE(!a->keyed || station_deadline(a->s) != MONO_NEVER);
	}
}

static void whatever_comes_the_transmitter_is_never_stuck(void)
{
	struct air dice = { .seed = 7 };

	for (unsigned round = 0; round < 12; round++) {
		struct station_config c = any_config(&dice);
		struct air a;

		if (round & 1)
			without_tail(&c);
		air_begin(&a, &c);
		a.seed = round + 1;
		a.jitter_us = 3000;
		minutes_of_anything(&c, &a);
		/* And all falls silent when nothing comes any more. */
		station_test_tone(a.s, 1000, 20, 0, a.now);
		air_inputs(&a, 0);
		a.network = false;
		air_run(&a, 10 * MONO_S);
		T_TRUE(!a.keyed && !a.hears && !station_received(a.s));
		air_end(&a);
	}
}

int main(void)
{
	T_RUN(key_up_time_costs_no_syllable);
	T_RUN(hang_time_ends_between_the_beats);
	T_RUN(half_duplex_falls_silent_with_the_edge_of_cor);
	T_RUN(a_transmitter_that_hears_itself_does_not_chatter);
	T_RUN(each_mode_keys_for_what_it_says);
	T_RUN(the_timer_unkeys_and_starts_afresh_after_a_pause);
	T_RUN(a_radio_that_is_gone_neither_hears_nor_keys);
	T_RUN(forced_off_means_off);
	T_RUN(inputs_of_the_past_change_no_decision);
	T_RUN(new_settings_hold_for_an_over_that_goes_on);
	T_RUN(another_source_counts_at_once);
	T_RUN(what_is_out_of_its_range_is_refused);
	T_RUN(whatever_comes_the_transmitter_is_never_stuck);
	return T_DONE();
}
