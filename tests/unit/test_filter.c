/* SPDX-License-Identifier: MIT */

#include "audio/filter.h"

#include "tests/t.h"
#include "tests/unit/dsp_measure.h"

#define N 8000U /* a second; the second half of it is looked at */
#define AMPLITUDE 4000.0

static double gain_db(void (*init)(struct filter *), double hz)
{
	static int16_t s[N];
	struct filter f;

	init(&f);
	dsp_tone(s, N, AMPLITUDE, hz, FILTER_HZ);
	for (size_t i = 0; i < N; i += 160)
		filter_run(&f, s + i, 160);
	return dsp_db(dsp_fit(s + N / 2, N / 2, hz, FILTER_HZ).amplitude /
		      AMPLITUDE);
}

static void the_high_pass_takes_ctcss_out_and_leaves_speech(void)
{
	static const struct {
		double hz;
		double at_most_db;
	} tones[] = { { 67.0, -70.0 },  { 100.0, -70.0 }, { 151.4, -60.0 },
		      { 203.5, -40.0 }, { 225.7, -30.0 }, { 254.1, -18.0 } };

	for (size_t i = 0; i < sizeof(tones) / sizeof(tones[0]); i++) {
		const double db = gain_db(filter_high_pass_300, tones[i].hz);

		printf("# high-pass at %.1f Hz: %.1f dB\n", tones[i].hz, db);
		T_TRUE(db <= tones[i].at_most_db);
	}
	for (int hz = 300; hz <= 3800; hz += 25)
		T_TRUE(fabs(gain_db(filter_high_pass_300, hz)) <= 0.11);
}

/* The RC network, from the definition. */
static double de_emphasis_db(double hz)
{
	const double w = 2.0 * DSP_PI * 530.5e-6;
	const double at = 1.0 + w * hz * w * hz;
	const double ref = 1.0 + w * 1000.0 * w * 1000.0;

	return 10.0 * log10(ref / at);
}

static void the_emphases_are_those_of_the_network(void)
{
	double worst = 0.0;

	for (int hz = 300; hz <= 3000; hz += 50) {
		const double want = de_emphasis_db(hz);
		const double de = gain_db(filter_de_emphasis, hz) - want;
		const double pre = gain_db(filter_pre_emphasis, hz) + want;

		worst = fmax(worst, fmax(fabs(de), fabs(pre)));
		T_TRUE(fabs(de) <= 0.3);
		T_TRUE(fabs(pre) <= 0.3);
	}
	printf("# worst against the network: %.2f dB\n", worst);
	T_TRUE(fabs(gain_db(filter_de_emphasis, 1000)) <= 0.01);
}

static void one_emphasis_undoes_the_other(void)
{
	struct filter pre, de;
	uint32_t seed = 1;

	filter_pre_emphasis(&pre);
	filter_de_emphasis(&de);
	for (unsigned i = 0; i < 10000; i++) {
		double x, y;

		seed = seed * 1664525U + 1013904223U;
		x = (double)(int32_t)seed;
		y = filter_step(&de, filter_step(&pre, x));
		T_TRUE(fabs(x - y) < 1e-3);
	}
}

static void low_pass(struct filter *f)
{
	filter_low_pass(f, 300.0);
}

static void the_low_pass_is_butterworths(void)
{
	T_TRUE(fabs(gain_db(low_pass, 50)) < 0.05);
	T_TRUE(fabs(gain_db(low_pass, 300) + 3.01) < 0.05);
	T_TRUE(gain_db(low_pass, 1200) < -23.0);
}

static void too_much_saturates_and_silence_comes_back(void)
{
	int16_t s[160];
	struct filter f;

	filter_pre_emphasis(&f);
	for (unsigned i = 0; i < 160; i++)
		s[i] = i % 2 ? INT16_MAX : INT16_MIN;
	filter_run(&f, s, 160);
	T_EQ((uint64_t)INT16_MAX, s[101]);
	T_EQ((uint64_t)INT16_MIN, s[100]);
	for (unsigned k = 0; k < 50; k++) {
		memset(s, 0, sizeof(s));
		filter_run(&f, s, 160);
	}
	for (unsigned i = 0; i < 160; i++)
		T_EQ(0, s[i]);
	T_TRUE(fabs(f.section[0].z[0]) <= 0.0);
}

int main(void)
{
	T_RUN(the_high_pass_takes_ctcss_out_and_leaves_speech);
	T_RUN(the_emphases_are_those_of_the_network);
	T_RUN(one_emphasis_undoes_the_other);
	T_RUN(the_low_pass_is_butterworths);
	T_RUN(too_much_saturates_and_silence_comes_back);
	return T_DONE();
}
