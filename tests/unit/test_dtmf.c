/* SPDX-License-Identifier: MIT */

#include "audio/dtmf.h"

#include "tests/t.h"
#include "tests/unit/dsp_measure.h"

#define HZ 8000.0
#define N 80000U

static int16_t s[N + 512];

/* Both tones of a digit, from Q.23. */
static void add_digit(char digit, size_t from, size_t n, double amplitude)
{
	static const char keys[] = "123A456B789C*0#D";
	static const double low[] = { 697, 770, 852, 941 };
	static const double high[] = { 1209, 1336, 1477, 1633 };
	const size_t k = (size_t)(strchr(keys, digit) - keys);

	for (size_t i = 0; i < n; i++) {
		const double t = 2.0 * DSP_PI * (double)i / HZ;

		s[from + i] =
			(int16_t)lrint(amplitude * (sin(t * low[k / 4]) +
						    sin(t * high[k % 4])));
	}
}

static void run(struct dtmf *d, size_t n, size_t block)
{
	for (size_t at = 0; at < n; at += block)
		dtmf_run(d, s + at, n - at < block ? n - at : block);
}

static int peak(size_t from, size_t n)
{
	int worst = 0;

	for (size_t i = from; i < from + n; i++)
		worst = abs(s[i]) > worst ? abs(s[i]) : worst;
	return worst;
}

static void digits_are_known_in_their_order(void)
{
	static const char want[] = "0123456789ABCD*#";
	struct dtmf *d = dtmf_new();

	T_TRUE(d);
	memset(s, 0, sizeof(s));
	for (size_t i = 0; want[i] != '\0'; i++)
		add_digit(want[i], 400 + i * 960, 480, 4000.0);
	run(d, 20000, 160);
	for (size_t i = 0; want[i] != '\0'; i++)
		T_EQ((unsigned char)want[i], (unsigned char)dtmf_next(d));
	T_EQ(0, dtmf_next(d));
	(void)dtmf_free(d);
}

/* Wherever the digit starts within the detector's blocks, and whatever the
 * caller's block is. */
static void nothing_of_a_digit_gets_through(void)
{
	static const size_t blocks[] = { 160, 80, 37, 1000 };

	for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++)
		for (size_t from = 1000; from < 1102; from++) {
			struct dtmf *d = dtmf_new();

			memset(s, 0, sizeof(s));
			add_digit('5', from, 800, 4000.0);
			add_digit('9', from + 1600, 800, 4000.0);
			T_TRUE(d);
			run(d, 8000, blocks[b]);
			T_EQ(0, peak(0, 8000));
			T_EQ('5', dtmf_next(d));
			T_EQ('9', dtmf_next(d));
			(void)dtmf_free(d);
		}
}

static void speech_passes_unchanged_and_comes_back_after_a_digit(void)
{
	static int16_t was[N];
	struct dtmf *d = dtmf_new();

	T_TRUE(d);
	dsp_tone(s, 16000, 6000.0, 500.0, HZ);
	memcpy(was, s, sizeof(was));
	add_digit('7', 8000, 800, 4000.0);
	run(d, 16000, 160);
	T_EQ(0, memcmp(s + DTMF_DELAY, was, 7000 * sizeof(*s)));
	/* The digit takes out at most 40 ms before it and 50 ms behind. */
	T_EQ(0, memcmp(s + 8000 + 800 + 400 + DTMF_DELAY,
		       was + 8000 + 800 + 400, 6000 * sizeof(*s)));
	T_EQ('7', dtmf_next(d));
	T_EQ(0, dtmf_next(d));
	(void)dtmf_free(d);
}

static void more_digits_than_wait_are_dropped(void)
{
	struct dtmf *d = dtmf_new();
	unsigned n = 0;

	T_TRUE(d);
	memset(s, 0, sizeof(s));
	for (size_t i = 0; i < 40; i++)
		add_digit('1', i * 1600, 800, 4000.0);
	run(d, 65000, 160);
	while (dtmf_next(d) == '1')
		n++;
	T_EQ(DTMF_DIGITS_MAX, n);
	T_TRUE(!dtmf_free(d));
	T_TRUE(!dtmf_free(NULL));
}

static void noise_is_no_digit(void)
{
	struct dtmf *d = dtmf_new();
	uint32_t seed = 5;

	T_TRUE(d);
	for (unsigned k = 0; k < 6; k++) {
		for (size_t i = 0; i < N; i++) {
			seed = seed * 1664525U + 1013904223U;
			s[i] = (int16_t)((int32_t)seed >> 18);
		}
		run(d, N, 160);
	}
	T_EQ(0, dtmf_next(d));
	(void)dtmf_free(d);
}

int main(void)
{
	T_RUN(digits_are_known_in_their_order);
	T_RUN(nothing_of_a_digit_gets_through);
	T_RUN(speech_passes_unchanged_and_comes_back_after_a_digit);
	T_RUN(more_digits_than_wait_are_dropped);
	T_RUN(noise_is_no_digit);
	return T_DONE();
}
