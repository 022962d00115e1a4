/* SPDX-License-Identifier: MIT */

/*
 * A radio's whole way, 48 to 8 to 48 kHz, with a clock that is 250 ppm off at
 * either end: distortion and noise, and the frequency response with the filters
 * of a repeater in between.
 */

#include "audio/filter.h"
#include "audio/limiter.h"
#include "audio/resample.h"
#include "audio/ulaw.h"
#include "tests/t.h"
#include "tests/unit/dsp_measure.h"

#define HZ 48000U
#define N 48000U
#define AMPLITUDE 16384.0 /* -6 dBFS */

enum chain { PLAIN, WITH_ULAW, WITH_FILTERS };

static int16_t in[N], out[N + 1024];

static void as_ulaw(int16_t *s, size_t n)
{
	uint8_t codes[168];

	ulaw_encode_block(s, codes, n);
	ulaw_decode_block(codes, s, n);
}

static struct dsp_fit through(double hz, double ppm, enum chain chain)
{
	struct resample *down = resample_new_adjustable(HZ, 8000);
	struct resample *up = resample_new_adjustable(8000, HZ);
	struct filter high_pass, de, pre;
	struct limiter limiter;
	size_t made = 0;

	T_TRUE(down && up);
	T_EQ(0, resample_adjust(down, ppm));
	T_EQ(0, resample_adjust(up, -ppm / (1.0 + ppm * 1e-6)));
	filter_high_pass_300(&high_pass);
	filter_de_emphasis(&de);
	filter_pre_emphasis(&pre);
	limiter_init(&limiter, -1.0);
	dsp_tone(in, N, chain == WITH_FILTERS ? 1500.0 : AMPLITUDE, hz, HZ);
	for (size_t at = 0; at < N; at += 960) {
		int16_t s[168];
		const size_t n = resample_run(down, in + at, 960, s);

		if (chain == WITH_FILTERS) {
			filter_run(&high_pass, s, n);
			filter_run(&de, s, n);
			filter_run(&pre, s, n);
			limiter_run(&limiter, s, n);
		}
		if (chain == WITH_ULAW)
			as_ulaw(s, n);
		made += resample_run(up, s, n, out + made);
		T_TRUE(made <= N + 64);
	}
	(void)resample_free(down);
	(void)resample_free(up);
	return dsp_fit(out + N / 4, N / 2, hz, HZ);
}

static void distortion_and_noise_stay_80_db_below_any_tone(void)
{
	double worst = -200.0;

	for (int hz = 100; hz <= 3400; hz += 100) {
		const struct dsp_fit still = through(hz, 0.0, PLAIN);
		const struct dsp_fit moving = through(hz, 250.0, PLAIN);

		worst = fmax(worst, dsp_db(still.residue / AMPLITUDE));
		worst = fmax(worst, dsp_db(moving.residue / AMPLITUDE));
		T_TRUE(still.residue < AMPLITUDE * 1e-4);
		T_TRUE(moving.residue < AMPLITUDE * 1e-4);
		T_TRUE(fabs(dsp_db(still.amplitude / AMPLITUDE)) < 0.1);
		T_TRUE(fabs(dsp_db(moving.amplitude / AMPLITUDE)) < 0.1);
	}
	printf("# worst THD+N, 100..3400 Hz: %.1f dB\n", worst);
}

/* G.712 asks for 33 dB of its 8 bits, from -30 to 0 dBm0. */
static void ulaw_adds_what_its_eight_bits_must(void)
{
	double worst = -200.0;

	for (int hz = 100; hz <= 3400; hz += 100) {
		const struct dsp_fit fit = through(hz, 250.0, WITH_ULAW);

		worst = fmax(worst, dsp_db(fit.residue / AMPLITUDE));
		T_TRUE(dsp_db(fit.residue / AMPLITUDE) < -33.0);
		T_TRUE(fabs(dsp_db(fit.amplitude / AMPLITUDE)) < 0.1);
	}
	printf("# worst THD+N with u-law, 100..3400 Hz: %.1f dB\n", worst);
}

static void a_repeaters_filters_leave_speech_flat(void)
{
	for (int hz = 300; hz <= 3400; hz += 100) {
		const struct dsp_fit fit = through(hz, 100.0, WITH_FILTERS);

		T_TRUE(fabs(dsp_db(fit.amplitude / 1500.0)) < 0.25);
	}
	T_TRUE(dsp_db(through(203.5, 0.0, WITH_FILTERS).amplitude / 1500.0) <
	       -40.0);
}

int main(void)
{
	T_RUN(distortion_and_noise_stay_80_db_below_any_tone);
	T_RUN(ulaw_adds_what_its_eight_bits_must);
	T_RUN(a_repeaters_filters_leave_speech_flat);
	return T_DONE();
}
