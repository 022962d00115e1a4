/* SPDX-License-Identifier: MIT */

/* What the station does to sound: filters, tones, digits, levels. */

#include <math.h>

#include "tests/virtual/station_scene.h"

#define PEAK 8000.0
#define BELOW_DB(db) (32768.0 * pow(10.0, -(db) / 20.0))

/* What the receiver and the links sound like. */
static struct sound voice, hum;

static void two_sounds(struct air *a, int16_t block[AUDIO_BLOCK])
{
	(void)a;
	sound_add(&voice, block);
	sound_add(&hum, block);
}

static struct tape heard, sent;

static void on_heard(struct air *a, const int16_t block[AUDIO_BLOCK])
{
	(void)a;
	tape_put(&heard, block);
}

static void on_sent(struct air *a, const int16_t block[AUDIO_BLOCK])
{
	(void)a;
	tape_put(&sent, block);
}

static void begin(struct air *a, const struct station_config *c)
{
	air_begin(a, c);
	heard.n = sent.n = 0;
	voice = (struct sound){ .hz = 1000, .peak = PEAK };
	hum = (struct sound){ .hz = 100 };
	a->receive = two_sounds;
	a->speak = two_sounds;
	a->heard = on_heard;
	a->sent = on_sent;
}

/* The amplitude of @hz in 100 ms of @t from @ms on. */
static double at_ms(const struct tape *t, unsigned ms, double hz)
{
	T_TRUE((size_t)(ms + 100) * 8 <= t->n);
	return sound_of(t->sample + (size_t)ms * 8, 800, hz);
}

static double db(double ratio)
{
	return 20.0 * log10(ratio);
}

static bool near(double want_db, double ratio)
{
	return fabs(db(ratio) - want_db) < 0.5;
}

/* --- filters ------------------------------------------------------------ */

static void hear_a_second(struct air *a, const struct station_config *c,
			  double hz, double hum_peak)
{
	begin(a, c);
	voice.hz = hz;
	hum.peak = hum_peak;
	air_inputs(a, COR_IN_COR);
	air_run(a, MONO_S);
}

static void the_high_pass_takes_out_ctcss(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	hear_a_second(&a, &c, 1000, 2000);
	T_TRUE(near(0, at_ms(&heard, 500, 100) / 2000));
	air_end(&a);
	c.rx.high_pass = true;
	hear_a_second(&a, &c, 1000, 2000);
	T_TRUE(db(at_ms(&heard, 500, 100) / 2000) < -40);
	T_TRUE(near(0, at_ms(&heard, 500, 1000) / PEAK));
	air_end(&a);
}

static void de_emphasis_falls_by_6_db_an_octave(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.rx.de_emphasis = true;
	hear_a_second(&a, &c, 1000, 0);
	T_TRUE(near(0, at_ms(&heard, 500, 1000) / PEAK));
	air_end(&a);
	hear_a_second(&a, &c, 2000, 0);
	T_TRUE(near(-6, at_ms(&heard, 500, 2000) / PEAK));
	air_end(&a);
}

static void pre_emphasis_rises_and_the_limiter_holds(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.tx.pre_emphasis = true;
	begin(&a, &c);
	voice.hz = 2000;
	a.network = true;
	air_run(&a, MONO_S);
	T_TRUE(near(6, at_ms(&sent, 500, 2000) / PEAK));
	air_end(&a);

	c.tx.limit_db = 12;
	begin(&a, &c);
	voice.hz = 1900;
	a.network = true;
	air_run(&a, MONO_S);
	for (size_t i = 0; i < sent.n; i++)
		T_TRUE(abs(sent.sample[i]) <= (int)BELOW_DB(12) + 1);
	T_TRUE(near(0, at_ms(&sent, 500, 1900) / BELOW_DB(12)));
	air_end(&a);
}

static void soft_voices_are_brought_up_and_loud_ones_limited(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.rx.agc_db = 12;
	c.rx.agc_to_db = 12;
	begin(&a, &c);
	voice.peak = 400;
	air_inputs(&a, COR_IN_COR);
	air_run(&a, 20 * MONO_S);
	T_TRUE(near(12, at_ms(&heard, 19800, 1000) / 400));
	air_end(&a);

	c.rx.agc_db = 0;
	c.rx.limit_db = 20;
	hear_a_second(&a, &c, 1000, 0);
	for (size_t i = 0; i < heard.n; i++)
		T_TRUE(abs(heard.sample[i]) <= (int)BELOW_DB(20) + 1);
	/* What is in the limiter when the over ends comes out as well. */
	T_EQ(50, a.heard_blocks);
	air_inputs(&a, 0);
	air_run(&a, MONO_S);
	T_EQ(51, a.heard_blocks);
	air_end(&a);
}

/* --- what opens it ------------------------------------------------------ */

static void sound_opens_vox_from_its_first_block(void)
{
	struct station_config c = station_config_flat;
	struct air a;
	mono_us began;

	c.cor.all = COR_IN_VOX;
	c.cor.attack_ms = 20;
	c.rx.vox_db = 30;
	c.rx.vox_ms = 500;
	begin(&a, &c);
	voice.peak = BELOW_DB(30);
	air_run(&a, 200 * MONO_MS);
	/* Its average is 3 dB below its peak. */
	T_EQ(0, a.heard_blocks);
	voice.peak = BELOW_DB(24);
	began = a.now;
	air_run(&a, MONO_S);
	T_EQ(began, a.first_heard);
	/* A breath does not end it, and silence does. */
	voice.peak = 0;
	air_run(&a, 400 * MONO_MS);
	T_TRUE(a.hears);
	voice.peak = BELOW_DB(24);
	air_run(&a, MONO_S);
	voice.peak = 0;
	air_run(&a, 480 * MONO_MS);
	T_TRUE(a.hears);
	air_run(&a, 60 * MONO_MS);
	T_TRUE(!a.hears);
	air_end(&a);
}

static void the_right_ctcss_tone_opens_it(void)
{
	struct station_config c = station_config_flat;
	struct station_view v;
	struct air a;

	c.cor.all = COR_IN_COR | COR_IN_CTCSS;
	c.rx.ctcss = 885;
	c.rx.high_pass = true;
	begin(&a, &c);
	air_inputs(&a, COR_IN_COR);
	hum = (struct sound){ .hz = 91.5, .peak = 1500 };
	air_run(&a, 2 * MONO_S);
	T_EQ(0, a.heard_blocks);
	hum.hz = 88.5;
	air_run(&a, 500 * MONO_MS);
	T_TRUE(a.hears);
	air_run(&a, MONO_S);
	T_TRUE(at_ms(&heard, 500, 88.5) < 20);
	station_view(a.s, &v);
	T_TRUE(v.ctcss && v.received);
	/* New settings do not make it look for the tone again. */
	c.ptt.hang_ms = 100;
	T_EQ(0, station_configure(a.s, &c, a.now));
	air_run(&a, 40 * MONO_MS);
	T_TRUE(a.hears);
	hum.peak = 0;
	air_run(&a, 500 * MONO_MS);
	T_TRUE(!a.hears);
	air_end(&a);
}

/* --- what is transmitted ------------------------------------------------ */

static void the_repeater_mixes_links_and_receiver(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.duplex = DUPLEX_FULL;
	begin(&a, &c);
	air_inputs(&a, COR_IN_COR);
	air_run(&a, MONO_S);
	T_TRUE(near(0, at_ms(&sent, 500, 1000) / PEAK));
	T_EQ(0, memcmp(sent.sample, heard.sample, sizeof(int16_t) * sent.n));
	air_end(&a);

	c.duplex = DUPLEX_FULL_NO_REPEAT;
	begin(&a, &c);
	air_inputs(&a, COR_IN_COR);
	air_run(&a, MONO_S);
	T_EQ(50, a.keyed_blocks);
	for (size_t i = 0; i < sent.n; i++)
		T_EQ(0, sent.sample[i]);
	air_end(&a);
}

static void an_over_is_followed_by_its_courtesy_tone(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.duplex = DUPLEX_HALF;
	c.ptt.courtesy_wait_ms = 300;
	c.ptt.courtesy_ms = 200;
	c.tx.courtesy = 7000;
	c.tx.tone_db = 20;
	begin(&a, &c);
	a.network = true;
	air_run(&a, MONO_S);
	a.network = false;
	air_run(&a, MONO_S);
	T_EQ(SCENE_BEGIN + MONO_S + 500 * MONO_MS, a.edge);
	T_EQ(1500 * 8, sent.n);
	T_TRUE(at_ms(&sent, 1100, 700) < 1);
	T_TRUE(near(0, at_ms(&sent, 1350, 700) / BELOW_DB(20)));
	air_end(&a);

	c.duplex = DUPLEX_HALF_SILENT;
	begin(&a, &c);
	a.network = true;
	air_run(&a, MONO_S);
	a.network = false;
	air_run(&a, MONO_S);
	T_EQ(1000 * 8, sent.n);
	air_end(&a);
}

static void the_time_out_is_announced_in_place_of_the_links(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.ptt.timeout_s = 10;
	c.ptt.announce_ms = 500;
	c.tx.announce = 4400;
	begin(&a, &c);
	a.network = true;
	air_run(&a, 20 * MONO_S);
	T_EQ((size_t)10 * AUDIO_HZ, sent.n);
	T_TRUE(near(0, at_ms(&sent, 9300, 1000) / PEAK));
	T_TRUE(at_ms(&sent, 9300, 440) < 10);
	T_TRUE(near(0, at_ms(&sent, 9700, 440) / BELOW_DB(20)));
	T_TRUE(at_ms(&sent, 9700, 1000) < 10);
	air_end(&a);
}

static void ctcss_goes_before_the_carrier(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.tx.ctcss = 1000;
	c.tx.ctcss_db = 18;
	c.ptt.ctcss_off_ms = 200;
	c.ptt.hang_ms = 400;
	for (int reverse = 0; reverse <= 1; reverse++) {
		const int16_t *s = sent.sample;
		double product = 0.0;

		c.tx.ctcss_reverse = reverse;
		begin(&a, &c);
		a.network = true;
		air_run(&a, MONO_S);
		a.network = false;
		air_run(&a, MONO_S);
		T_EQ(1600 * 8, sent.n);
		for (unsigned ms = 100; ms < 1400; ms += 100)
			T_TRUE(near(0, at_ms(&sent, ms, 100) / BELOW_DB(18)));
		/* A period is 80 samples. */
		for (size_t i = (size_t)1450 * 8; i < (size_t)1550 * 8; i++)
			product += (double)s[i] * s[i - 1600];
		if (reverse)
			T_TRUE(product < 0 &&
			       near(0, at_ms(&sent, 1450, 100) / BELOW_DB(18)));
		else
			T_TRUE(at_ms(&sent, 1450, 100) < 1);
		air_end(&a);
	}
}

static void nothing_of_a_transmission_sounds_in_the_next(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.tx.limit_db = 3;
	c.tx.pre_emphasis = true;
	c.tx.ctcss = 1000;
	begin(&a, &c);
	a.network = true;
	air_run(&a, MONO_S);
	station_force_off(a.s, true, a.now);
	a.network = false;
	air_run(&a, MONO_S);
	station_force_off(a.s, false, a.now);
	sent.n = 0;
	voice.peak = 0;
	c.tx.ctcss = 0;
	T_EQ(0, station_configure(a.s, &c, a.now));
	a.network = true;
	air_run(&a, MONO_S);
	T_EQ(AUDIO_HZ, sent.n);
	for (size_t i = 0; i < sent.n; i++)
		T_EQ(0, sent.sample[i]);
	air_end(&a);
}

static void a_test_tone_is_sent_for_its_time(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	for (unsigned mode = 0; mode <= DUPLEX_APART; mode++) {
		c.duplex = (enum duplex_mode)mode;
		begin(&a, &c);
		station_test_tone(a.s, 1000, 10, a.now + 2 * MONO_S, a.now);
		air_run(&a, 5 * MONO_S);
		T_EQ(SCENE_BEGIN + 2 * MONO_S, a.edge);
		T_TRUE(near(0, at_ms(&sent, 1000, 1000) / BELOW_DB(10)));
		/* And given up before. */
		station_test_tone(a.s, 1000, 10, a.now + MONO_S, a.now);
		air_run(&a, 100 * MONO_MS);
		T_TRUE(a.keyed);
		station_test_tone(a.s, 1000, 10, 0, a.now);
		T_TRUE(!station_keyed(a.s));
		air_end(&a);
	}
}

static void the_timer_holds_for_a_test_tone(void)
{
	struct station_config c = station_config_flat;
	struct air a;

	c.ptt.timeout_s = 10;
	begin(&a, &c);
	station_test_tone(a.s, 1000, 10, a.now + 60 * MONO_S, a.now);
	air_run(&a, 70 * MONO_S);
	T_EQ(500, a.keyed_blocks);
	air_end(&a);
}

/* --- digits ------------------------------------------------------------- */

/* "159D", each 80 ms and then as long a gap, between words of 400 Hz. */
#define DIGITS_MS 1000U

static void dial(struct air *a, int16_t block[AUDIO_BLOCK])
{
	static const double row[] = { 697, 770, 852, 941 };
	static const double column[] = { 1209, 1336, 1477, 1633 };
	const unsigned ms = (unsigned)((a->now - SCENE_BEGIN) / MONO_MS) - 20;
	const unsigned i = (ms - DIGITS_MS) / 160;

	if (ms < DIGITS_MS || ms >= DIGITS_MS + 640) {
		sound_add(&voice, block);
	} else if ((ms - DIGITS_MS) % 160 < 80) {
		struct sound low = { row[i], 4000, 0 };
		struct sound high = { column[i], 4000, 0 };

		low.phase = high.phase = 0;
		for (unsigned k = 0; k < (ms - DIGITS_MS) % 160 / 20; k++) {
			int16_t before[AUDIO_BLOCK] = { 0 };

			sound_add(&low, before);
			sound_add(&high, before);
		}
		sound_add(&low, block);
		sound_add(&high, block);
	}
}

static void dial_with(enum station_dtmf how, const char *want)
{
	struct station_config c = station_config_flat;
	char digits[8] = { 0 };
	struct air a;

	c.rx.dtmf = how;
	begin(&a, &c);
	voice.hz = 400;
	a.receive = dial;
	air_run(&a, 20 * MONO_MS);
	air_inputs(&a, COR_IN_COR);
	air_run(&a, 2 * MONO_S);
	for (size_t i = 0; i < sizeof(digits) - 1; i++)
		digits[i] = station_digit(a.s);
	T_STR(want, digits);
	air_inputs(&a, 0);
	air_run(&a, MONO_S);
	air_end(&a);
}

static void digits_are_told_and_heard_or_not(void)
{
	dial_with(STATION_DTMF_OFF, "");
	T_EQ(100 * AUDIO_BLOCK, heard.n);
	T_TRUE(at_ms(&heard, 980, 697) > 1000);
	dial_with(STATION_DTMF_DECODE, "159D");
	T_EQ(100 * AUDIO_BLOCK, heard.n);
	T_TRUE(at_ms(&heard, 980, 697) > 1000);
	dial_with(STATION_DTMF_MUTE, "159D");
	/* The delay is emptied. */
	T_EQ(102 * AUDIO_BLOCK, heard.n);
	for (size_t i = (size_t)1040 * 8; i < (size_t)1640 * 8; i++)
		T_TRUE(abs(heard.sample[i]) < 100);
	T_TRUE(near(0, at_ms(&heard, 500, 400) / PEAK));
	T_TRUE(near(0, at_ms(&heard, 1850, 400) / PEAK));
}

/* --- levels ------------------------------------------------------------- */

static void levels_are_of_what_is_heard_and_sent(void)
{
	struct station_config c = station_config_flat;
	struct station_view v;
	struct air a;

	begin(&a, &c);
	air_run(&a, 2 * MONO_S);
	station_view(a.s, &v);
	T_TRUE(v.rx.peak_dbfs == METER_FLOOR_DBFS);
	T_TRUE(v.tx.peak_dbfs == METER_FLOOR_DBFS);
	air_inputs(&a, COR_IN_COR);
	a.network = true;
	air_run(&a, 2 * MONO_S);
	station_view(a.s, &v);
	T_TRUE(fabs(v.rx.peak_dbfs - db(PEAK / 32768)) < 0.1);
	T_TRUE(fabs(v.rx.average_dbfs - db(PEAK / 32768) + 3.01) < 0.1);
	T_TRUE(fabs(v.tx.peak_dbfs - db(PEAK / 32768)) < 0.1);
	T_TRUE(v.received && v.keyed);
	T_EQ(COR_IN_COR, v.inputs);
	air_end(&a);
}

/* Whoever sets a capture volume sees what comes in, and not what is made of
 * it. */
static void levels_of_now_are_there_before_anybody_is_heard(void)
{
	struct station_config c = station_config_flat;
	struct station_view v;
	struct air a;

	c.rx.agc_db = 24;
	c.rx.limit_db = 20;
	begin(&a, &c);
	air_run(&a, 2 * MONO_S);
	station_view(a.s, &v);
	T_TRUE(!v.received);
	T_TRUE(fabs(v.rx_now.peak_dbfs - db(PEAK / 32768)) < 0.1);
	T_TRUE(fabs(v.rx_now.average_dbfs - db(PEAK / 32768) + 3.01) < 0.1);
	T_TRUE(fabs(v.card_now.peak_dbfs - v.rx_now.peak_dbfs) < 0.1);
	T_TRUE(v.tx_now.peak_dbfs == METER_FLOOR_DBFS);
	air_inputs(&a, COR_IN_COR);
	a.network = true;
	air_run(&a, MONO_S);
	station_view(a.s, &v);
	T_TRUE(fabs(v.rx_now.peak_dbfs - db(PEAK / 32768)) < 0.1);
	T_TRUE(v.tx_now.peak_dbfs > -60.0);
	/* A tenth of a second is soon over. */
	a.network = false;
	a.receive = NULL;
	air_run(&a, MONO_S / 4);
	station_view(a.s, &v);
	T_TRUE(v.rx_now.peak_dbfs == METER_FLOOR_DBFS);
	T_TRUE(v.tx_now.peak_dbfs == METER_FLOOR_DBFS);
	air_end(&a);
}

int main(void)
{
	T_RUN(the_high_pass_takes_out_ctcss);
	T_RUN(de_emphasis_falls_by_6_db_an_octave);
	T_RUN(pre_emphasis_rises_and_the_limiter_holds);
	T_RUN(soft_voices_are_brought_up_and_loud_ones_limited);
	T_RUN(sound_opens_vox_from_its_first_block);
	T_RUN(the_right_ctcss_tone_opens_it);
	T_RUN(the_repeater_mixes_links_and_receiver);
	T_RUN(an_over_is_followed_by_its_courtesy_tone);
	T_RUN(the_time_out_is_announced_in_place_of_the_links);
	T_RUN(ctcss_goes_before_the_carrier);
	T_RUN(nothing_of_a_transmission_sounds_in_the_next);
	T_RUN(a_test_tone_is_sent_for_its_time);
	T_RUN(the_timer_holds_for_a_test_tone);
	T_RUN(digits_are_told_and_heard_or_not);
	T_RUN(levels_are_of_what_is_heard_and_sent);
	T_RUN(levels_of_now_are_there_before_anybody_is_heard);
	return T_DONE();
}
