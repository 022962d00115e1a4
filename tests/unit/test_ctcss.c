/* SPDX-License-Identifier: MIT */

#include "audio/ctcss.h"

#include "audio/mix.h"
#include "audio/tone.h"
#include "tests/t.h"
#include "tests/unit/dsp_measure.h"

#define BLOCK 160U /* 20 ms */
#define FLOOR_DBFS (-45.0)

static uint32_t seed = 9;

/* Uniform; its level is that of the peak less 4.8 dB. */
static void add_noise(int16_t *s, int peak)
{
	for (unsigned i = 0; i < BLOCK; i++) {
		int32_t v;

		seed = seed * 1664525U + 1013904223U;
		v = (int32_t)(seed >> 8) % (2 * peak + 1) - peak;
		s[i] = mix_saturate(s[i] + v);
	}
}

/* Blocks until the state is @open; @limit when that does not come. */
static unsigned blocks_until(struct ctcss *c, struct tone *t, int noise,
			     bool open, unsigned limit)
{
	for (unsigned k = 0; k < limit; k++) {
		int16_t s[BLOCK] = { 0 };

		tone_add(t, s, BLOCK);
		if (noise > 0)
			add_noise(s, noise);
		if (ctcss_run(c, s, BLOCK) == open)
			return k;
	}
	return limit;
}

static void every_tone_opens_its_own_decoder_in_time(void)
{
	unsigned slowest = 0, slowest_close = 0;

	for (size_t i = 0; i < ctcss_tones_n; i++) {
		struct ctcss c;
		struct tone t;
		unsigned n;

		ctcss_init(&c, ctcss_tones[i], FLOOR_DBFS);
		tone_init(&t);
		T_EQ(i + 3, blocks_until(&c, &t, 100, true, (unsigned)i + 3));
		tone_on(&t, ctcss_tones[i], -26.0);
		n = blocks_until(&c, &t, 100, true, 50);
		T_TRUE(n <= 17);
		slowest = n > slowest ? n : slowest;
		T_EQ(200, blocks_until(&c, &t, 100, false, 200));
		tone_off(&t);
		n = blocks_until(&c, &t, 0, false, 50);
		T_TRUE(n <= 14);
		slowest_close = n > slowest_close ? n : slowest_close;
	}
	printf("# opens within %u ms, closes within %u ms\n", slowest * 20 + 20,
	       slowest_close * 20 + 20);
}

static void no_tone_opens_the_decoder_of_another(void)
{
	for (size_t i = 0; i < ctcss_tones_n; i++)
		for (size_t k = i < 2 ? 0 : i - 2;
		     k <= i + 2 && k < ctcss_tones_n; k++) {
			struct ctcss c;
			struct tone t;

			if (k == i)
				continue;
			ctcss_init(&c, ctcss_tones[i], FLOOR_DBFS);
			tone_init(&t);
			tone_on(&t, ctcss_tones[k], -20.0);
			T_EQ(150, blocks_until(&c, &t, 100, true, 150));
		}
}

static void an_encoder_half_a_percent_off_is_accepted(void)
{
	static const double off[] = { 0.995, 1.005 };

	for (size_t i = 0; i < 2; i++) {
		struct ctcss c;
		struct tone t;

		ctcss_init(&c, 114.8, FLOOR_DBFS);
		tone_init(&t);
		tone_on(&t, 114.8 * off[i], -26.0);
		T_TRUE(blocks_until(&c, &t, 100, true, 50) <= 17);
		T_EQ(500, blocks_until(&c, &t, 100, false, 500));
	}
}

static void open_squelch_noise_does_not_open_it(void)
{
	struct ctcss c;
	struct tone t;

	ctcss_init(&c, 88.5, FLOOR_DBFS);
	tone_init(&t);
	T_EQ(30000, blocks_until(&c, &t, 16000, true, 30000));
}

static void it_holds_in_noise_and_under_speech(void)
{
	struct ctcss c;
	struct tone t, voice;
	unsigned open = 0;

	ctcss_init(&c, 100.0, FLOOR_DBFS);
	tone_init(&t);
	tone_init(&voice);
	tone_on(&t, 100.0, -24.0);
	T_TRUE(blocks_until(&c, &t, 4000, true, 50) <= 30);
	for (unsigned k = 0; k < 3000; k++) {
		int16_t s[BLOCK] = { 0 };

		if (k % 10 == 0)
			tone_on(&voice, 320.0 + k % 97 * 13.0, -8.0);
		if (k % 10 == 6)
			tone_off(&voice);
		tone_add(&t, s, BLOCK);
		tone_add(&voice, s, BLOCK);
		add_noise(s, 1000);
		open += ctcss_run(&c, s, BLOCK);
	}
	printf("# open under speech for %u of 3000 blocks\n", open);
	T_TRUE(open >= 2950);
}

static void a_reverse_burst_closes_it(void)
{
	struct ctcss c;
	struct tone t;

	ctcss_init(&c, 123.0, FLOOR_DBFS);
	tone_init(&t);
	tone_on(&t, 123.0, -26.0);
	T_TRUE(blocks_until(&c, &t, 50, true, 50) <= 17);
	T_EQ(50, blocks_until(&c, &t, 50, false, 50));
	tone_reverse(&t);
	T_TRUE(blocks_until(&c, &t, 50, false, 50) <= 12);
}

static void what_is_too_soft_does_not_count(void)
{
	struct ctcss c;
	struct tone t;

	ctcss_init(&c, 100.0, FLOOR_DBFS);
	tone_init(&t);
	tone_on(&t, 100.0, FLOOR_DBFS - 3.0);
	T_EQ(100, blocks_until(&c, &t, 0, true, 100));
}

int main(void)
{
	T_RUN(every_tone_opens_its_own_decoder_in_time);
	T_RUN(no_tone_opens_the_decoder_of_another);
	T_RUN(an_encoder_half_a_percent_off_is_accepted);
	T_RUN(open_squelch_noise_does_not_open_it);
	T_RUN(it_holds_in_noise_and_under_speech);
	T_RUN(a_reverse_burst_closes_it);
	T_RUN(what_is_too_soft_does_not_count);
	return T_DONE();
}
