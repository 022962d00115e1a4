/* SPDX-License-Identifier: MIT */

#include "audio/limiter.h"

#include "tests/t.h"
#include "tests/unit/dsp_measure.h"

#define N 16000U
#define HZ 8000.0

static int16_t s[N], was[N];

static int16_t peak_of(const int16_t *v, size_t n)
{
	int peak = 0;

	for (size_t i = 0; i < n; i++)
		peak = abs(v[i]) > peak ? abs(v[i]) : peak;
	return (int16_t)(peak > INT16_MAX ? INT16_MAX : peak);
}

/* -6 dBFS and the largest sample that is not above it. */
#define CEILING_DBFS (-6.0)
#define CEILING 16422

static void what_is_under_the_ceiling_passes_unchanged(void)
{
	struct limiter l;

	limiter_init(&l, CEILING_DBFS);
	dsp_tone(was, N, CEILING, 440.0, HZ);
	memcpy(s, was, sizeof(s));
	for (size_t i = 0; i < N; i += 160)
		limiter_run(&l, s + i, 160);
	T_EQ(0,
	     memcmp(s + LIMITER_DELAY, was, (N - LIMITER_DELAY) * sizeof(*s)));
}

static void nothing_overshoots(void)
{
	struct limiter l;
	uint32_t seed = 3;

	limiter_init(&l, CEILING_DBFS);
	for (size_t i = 0; i < N; i++) {
		seed = seed * 1664525U + 1013904223U;
		s[i] = (int16_t)(seed >> 16);
		if (i % 1000 < 500)
			s[i] = (int16_t)(s[i] / 16);
		if (i % 777 == 0)
			s[i] = INT16_MIN;
	}
	limiter_run(&l, s, N);
	T_TRUE(peak_of(s, N) <= CEILING);
	T_TRUE(peak_of(s, N) > CEILING * 0.9);
}

static void a_loud_tone_stays_a_tone(void)
{
	struct limiter l;
	struct dsp_fit fit;

	limiter_init(&l, CEILING_DBFS);
	dsp_tone(s, N, 32000.0, 1000.0, HZ);
	limiter_run(&l, s, N);
	fit = dsp_fit(s + N / 2, N / 2, 1000.0, HZ);
	printf("# 6 dB too loud: distortion %.1f dB\n",
	       dsp_db(fit.residue / fit.amplitude));
	T_TRUE(fit.amplitude > CEILING * 0.97);
	T_TRUE(fit.residue < fit.amplitude * 0.01);
}

static void it_lets_go_within_half_a_second(void)
{
	struct limiter l;

	limiter_init(&l, CEILING_DBFS);
	dsp_tone(s, N, 32000.0, 1000.0, HZ);
	for (size_t i = 4000; i < N; i++)
		s[i] = (int16_t)(s[i] / 8);
	limiter_run(&l, s, N);
	T_TRUE(peak_of(s + 4100, 80) < 2600);
	T_TRUE(peak_of(s + 8000, 80) > 3960);
}

static double settled_dbfs(struct agc *a, double amplitude)
{
	for (unsigned k = 0; k < 6; k++) {
		dsp_tone(s, N, amplitude, 500.0, HZ);
		agc_run(a, s, N);
	}
	return dsp_db(dsp_fit(s, N, 500.0, HZ).amplitude / 32768.0 / sqrt(2.0));
}

static void soft_and_loud_speech_come_out_alike(void)
{
	struct agc a;

	agc_init(&a, -18.0, 12.0);
	T_TRUE(fabs(settled_dbfs(&a, 2000.0) + 18.0) < 0.5);
	T_TRUE(fabs(settled_dbfs(&a, 12000.0) + 18.0) < 0.5);
	/* No further than its range. */
	T_TRUE(fabs(settled_dbfs(&a, 400.0) -
		    (dsp_db(400.0 / 32768.0) - 3.0 + 12.0)) < 0.5);
}

static void a_pause_changes_no_gain(void)
{
	struct agc a;
	double gain;

	agc_init(&a, -18.0, 12.0);
	(void)settled_dbfs(&a, 2000.0);
	memset(s, 0, sizeof(s));
	agc_run(&a, s, 2000);
	gain = a.gain;
	agc_run(&a, s, N);
	T_TRUE(fabs(a.gain - gain) < 1e-12);
	T_EQ(0, peak_of(s, N));
}

int main(void)
{
	T_RUN(what_is_under_the_ceiling_passes_unchanged);
	T_RUN(nothing_overshoots);
	T_RUN(a_loud_tone_stays_a_tone);
	T_RUN(it_lets_go_within_half_a_second);
	T_RUN(soft_and_loud_speech_come_out_alike);
	T_RUN(a_pause_changes_no_gain);
	return T_DONE();
}
