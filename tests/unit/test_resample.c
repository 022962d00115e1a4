/* SPDX-License-Identifier: MIT */

#include "audio/resample.h"

#include <errno.h>
#include <math.h>

#include "tests/t.h"

#define PI 3.14159265358979323846
#define AMPLITUDE 16000.0
#define SECONDS 1U
#define OUT_MAX (48000U * SECONDS + 8U)

static const unsigned rates[] = { 8000, 16000, 48000 };

/* Amplitude of the component at @hz, over a whole number of its periods. */
static double amplitude(const int16_t *s, size_t n, double hz, double rate_hz)
{
	double re = 0.0, im = 0.0;

	for (size_t i = 0; i < n; i++) {
		const double phase = 2.0 * PI * hz * (double)i / rate_hz;

		re += s[i] * cos(phase);
		im += s[i] * sin(phase);
	}
	return 2.0 * sqrt(re * re + im * im) / (double)n;
}

/* What is left of @s, in dB of an amplitude, without the tone at @hz that fits
 * it best. */
static double residue(const int16_t *s, size_t n, double hz, double rate_hz)
{
	double cc = 0.0, ss = 0.0, cs = 0.0, xc = 0.0, xs = 0.0, left = 0.0;
	double det, a, b;

	for (size_t i = 0; i < n; i++) {
		const double phase = 2.0 * PI * hz * (double)i / rate_hz;

		cc += cos(phase) * cos(phase);
		ss += sin(phase) * sin(phase);
		cs += cos(phase) * sin(phase);
		xc += s[i] * cos(phase);
		xs += s[i] * sin(phase);
	}
	det = cc * ss - cs * cs;
	a = (xc * ss - xs * cs) / det;
	b = (xs * cc - xc * cs) / det;
	for (size_t i = 0; i < n; i++) {
		const double phase = 2.0 * PI * hz * (double)i / rate_hz;
		const double e = s[i] - a * cos(phase) - b * sin(phase);

		left += e * e;
	}
	return 10.0 * log10(2.0 * left / (double)n + 1e-9);
}

/* Pass a tone of one second through in blocks of 20 ms. */
static size_t convert(unsigned in_hz, unsigned out_hz, double hz, int16_t *out)
{
	struct resample *r = resample_new(in_hz, out_hz);
	const size_t block = in_hz / 50;
	int16_t in[960];
	size_t made = 0;

	T_TRUE(r);
	for (size_t at = 0; at < (size_t)in_hz * SECONDS; at += block) {
		size_t got;

		for (size_t i = 0; i < block; i++)
			in[i] = (int16_t)lrint(
				AMPLITUDE *
				sin(2.0 * PI * hz * (double)(at + i) / in_hz));
		T_TRUE(resample_out_max(r, block) <= OUT_MAX - made);
		got = resample_run(r, in, block, out + made);
		T_TRUE(got <= resample_out_max(r, block));
		made += got;
	}
	(void)resample_free(r);
	return made;
}

/* Gain in dB over the half second in the middle, where all has settled. */
static double gain_db(unsigned in_hz, unsigned out_hz, double hz, double out_at)
{
	int16_t *out = calloc((size_t)OUT_MAX, sizeof(*out));
	double level;

	T_TRUE(out);
	T_TRUE(convert(in_hz, out_hz, hz, out) > (size_t)out_hz * 3 / 4);
	level = amplitude(out + out_hz / 4, out_hz / 2, out_at, out_hz);
	free(out);
	return 20.0 * log10((level + 1e-9) / AMPLITUDE);
}

static void speech_passes_flat_between_all_rates(void)
{
	double worst = 0.0;

	for (size_t i = 0; i < 3; i++)
		for (size_t o = 0; o < 3; o++)
			for (int hz = 300; hz <= 3400; hz += 100) {
				const double db =
					gain_db(rates[i], rates[o], hz, hz);

				worst = fabs(db) > worst ? fabs(db) : worst;
				T_TRUE(fabs(db) <= 0.1);
			}
	printf("# worst deviation in 300..3400 Hz: %.3f dB\n", worst);
}

static void what_would_alias_into_speech_is_removed(void)
{
	double worst = -200.0;

	for (size_t i = 1; i < 3; i++)
		for (int hz = 4600; hz <= 7700; hz += 100) {
			const double db =
				gain_db(rates[i], 8000, hz, 8000 - hz);

			worst = db > worst ? db : worst;
			T_TRUE(db <= -80.0);
		}
	printf("# worst alias of 4600..7700 Hz: %.1f dB\n", worst);
}

static void images_above_speech_are_removed(void)
{
	double worst = -200.0;

	for (size_t o = 1; o < 3; o++)
		for (int hz = 300; hz <= 3400; hz += 100) {
			const double db =
				gain_db(8000, rates[o], hz, 8000 - hz);

			worst = db > worst ? db : worst;
			T_TRUE(db <= -80.0);
		}
	printf("# worst image of 300..3400 Hz: %.1f dB\n", worst);
}

static void as_much_comes_out_as_went_in(void)
{
	int16_t *out = calloc((size_t)OUT_MAX, sizeof(*out));

	T_TRUE(out);
	for (size_t i = 0; i < 3; i++)
		for (size_t o = 0; o < 3; o++) {
			const size_t want = (size_t)rates[o] * SECONDS;
			const size_t made =
				convert(rates[i], rates[o], 1000.0, out);

			T_TRUE(made <= want + 1);
			T_TRUE(made + rates[o] / 100 >= want);
		}
	free(out);
}

static void the_delay_is_known_and_can_be_left_out(void)
{
	struct resample *r = resample_new(48000, 8000);
	int16_t in[960] = { 0 }, out[161];
	size_t n, peak = 0;

	T_TRUE(r);
	printf("# delay of 48 to 8 kHz: %.2f ms\n",
	       (double)resample_delay(r) / 8.0);
	T_TRUE(resample_delay(r) <= 32);
	resample_skip_delay(r);
	/* An impulse-like hump around input 480 is expected at output 80. */
	for (int i = -12; i <= 12; i++)
		in[480 + i] = (int16_t)(20000 - 1500 * abs(i));
	n = resample_run(r, in, 960, out);
	for (size_t i = 0; i < n; i++)
		peak = out[i] > out[peak] ? i : peak;
	T_EQ(80, peak);
	(void)resample_free(r);
}

static void equal_rates_change_nothing(void)
{
	const int16_t in[4] = { INT16_MIN, -1, 0, INT16_MAX };
	struct resample *r = resample_new(8000, 8000);
	int16_t out[8] = { 0 };

	T_TRUE(r);
	T_EQ(4, resample_run(r, in, 4, out));
	T_EQ(0, memcmp(in, out, sizeof(in)));
	T_EQ(0, resample_delay(r));
	resample_skip_delay(r);
	T_EQ(0, resample_run(r, in, 0, out));
	(void)resample_free(r);
}

static void other_rates_are_refused(void)
{
	T_TRUE(!resample_new(44100, 8000));
	T_TRUE(!resample_new(8000, 0));
	T_TRUE(!resample_free(NULL));
}

/*
 * A tone through an adjusted converter, whose ratio changes with every block as
 * @ppm says.  Returns the worst of what is not that tone, in dB below it, over
 * windows of 20 ms: a click anywhere shows in one of them.
 */
static double worst_residue_db(unsigned in_hz, unsigned out_hz, double hz,
			       double (*ppm)(unsigned block))
{
	struct resample *r = resample_new_adjustable(in_hz, out_hz);
	const size_t block = in_hz / 50;
	int16_t in[960], out[1000];
	double worst = -200.0;
	size_t at = 0;

	T_TRUE(r);
	for (unsigned k = 0; k < 500; k++) {
		const double local = hz * (1.0 + ppm(k) * 1e-6);
		double db;
		size_t n;

		for (size_t i = 0; i < block; i++, at++)
			in[i] = (int16_t)lrint(
				AMPLITUDE *
				sin(2.0 * PI * hz * (double)at / in_hz));
		T_EQ(0, resample_adjust(r, ppm(k)));
		n = resample_run(r, in, block, out);
		T_TRUE(n <= resample_out_max(r, block));
		db = residue(out, n, local, out_hz) - 20.0 * log10(AMPLITUDE);
		if (k > 0 && db > worst)
			worst = db;
	}
	(void)resample_free(r);
	return worst;
}

static double steady_300(unsigned block)
{
	(void)block;
	return 300.0;
}

static double sweeping(unsigned block)
{
	return 300.0 * sin(block * 0.07);
}

static double jumping(unsigned block)
{
	return block % 7 < 3 ? 300.0 : -300.0;
}

static void a_changing_ratio_makes_no_click(void)
{
	double (*const ways[])(unsigned) = { steady_300, sweeping, jumping };
	static const unsigned pairs[][2] = {
		{ 48000, 8000 },  { 8000, 48000 }, { 48000, 16000 },
		{ 16000, 48000 }, { 16000, 8000 }, { 8000, 16000 },
		{ 8000, 8000 },
	};
	double worst = -200.0;

	for (size_t p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++)
		for (size_t w = 0; w < 3; w++) {
			const double db = worst_residue_db(
				pairs[p][0], pairs[p][1], 3100.0, ways[w]);

			worst = db > worst ? db : worst;
			T_TRUE(db <= -80.0);
		}
	printf("# worst residue while the ratio changes: %.1f dB\n", worst);
}

static void the_ratio_is_exact_over_a_minute(void)
{
	struct resample *r = resample_new_adjustable(48000, 8000);
	static const int16_t in[960];
	int16_t out[200];
	size_t made = 0;

	T_TRUE(r);
	T_EQ(0, resample_adjust(r, 123.4));
	for (unsigned k = 0; k < 3000; k++)
		made += resample_run(r, in, 960, out);
	T_EQ(llrint(480000.0 / (1.0 + 123.4e-6)), made);
	(void)resample_free(r);
}

static void what_cannot_be_adjusted_says_so(void)
{
	struct resample *fixed = resample_new(48000, 8000);
	struct resample *free_running = resample_new_adjustable(48000, 8000);

	T_TRUE(fixed && free_running);
	T_EQ(0, resample_adjust(fixed, 0.0));
	T_EQ(-ENOTSUP, resample_adjust(fixed, 1.0));
	T_EQ(-EINVAL, resample_adjust(free_running, 1000.5));
	T_EQ(-EINVAL, resample_adjust(free_running, (double)NAN));
	T_EQ(0, resample_adjust(free_running, -1000.0));
	(void)resample_free(fixed);
	(void)resample_free(free_running);
}

int main(void)
{
	T_RUN(speech_passes_flat_between_all_rates);
	T_RUN(what_would_alias_into_speech_is_removed);
	T_RUN(images_above_speech_are_removed);
	T_RUN(as_much_comes_out_as_went_in);
	T_RUN(the_delay_is_known_and_can_be_left_out);
	T_RUN(equal_rates_change_nothing);
	T_RUN(a_changing_ratio_makes_no_click);
	T_RUN(the_ratio_is_exact_over_a_minute);
	T_RUN(what_cannot_be_adjusted_says_so);
	T_RUN(other_rates_are_refused);
	return T_DONE();
}
