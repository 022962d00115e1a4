/* SPDX-License-Identifier: MIT */

#include "audio/cw.h"

#include <errno.h>

#include "tests/t.h"
#include "tests/unit/dsp_measure.h"

#define N 48000U
#define HZ 8000.0

static int16_t s[N];

static void a_tone_is_pure_and_on_its_level(void)
{
	static const double tones[] = { 67.0, 440.0, 1000.0, 2175.0, 3400.0 };

	for (size_t i = 0; i < sizeof(tones) / sizeof(tones[0]); i++) {
		struct tone t;
		struct dsp_fit fit;

		tone_init(&t);
		tone_on(&t, tones[i], -10.0);
		memset(s, 0, sizeof(s));
		for (size_t at = 0; at < N; at += 160)
			tone_add(&t, s + at, 160);
		fit = dsp_fit(s + N / 2, N / 2, tones[i], HZ);
		T_TRUE(fabs(dsp_db(fit.amplitude / 32767.0) + 10.0) < 0.01);
		T_TRUE(fit.residue < 0.6); /* rounding alone */
	}
}

/* The largest second difference: a step or a corner stands out in it. */
static int roughness(const int16_t *v, size_t n)
{
	int worst = 0;

	for (size_t i = 2; i < n; i++) {
		const int d = abs(v[i] - 2 * v[i - 1] + v[i - 2]);

		worst = d > worst ? d : worst;
	}
	return worst;
}

static void it_never_clicks(void)
{
	const double w = 2.0 * DSP_PI * 500.0 / HZ;
	struct tone t;

	memset(s, 0, sizeof(s));
	tone_init(&t);
	T_TRUE(tone_silent(&t));
	tone_off(&t);
	T_TRUE(tone_silent(&t));
	tone_on(&t, 500.0, -6.0);
	tone_add(&t, s, 333);
	tone_on(&t, 450.0, -9.0);
	tone_add(&t, s + 333, 500);
	tone_off(&t);
	tone_add(&t, s + 833, 20);
	tone_on(&t, 500.0, -6.0);
	tone_add(&t, s + 853, 300);
	tone_off(&t);
	T_TRUE(!tone_silent(&t));
	tone_add(&t, s + 1153, 100);
	T_TRUE(tone_silent(&t));
	T_EQ(0, s[1200]);
	T_TRUE(roughness(s, 1300) < 16422.0 * w * w * 1.25);
}

static void a_reversed_tone_is_its_own_opposite(void)
{
	struct tone t;

	memset(s, 0, sizeof(s));
	tone_init(&t);
	tone_on(&t, 100.0, -6.0);
	tone_add(&t, s, 800);
	tone_reverse(&t);
	tone_add(&t, s + 800, 800);
	T_TRUE(abs(s[220] + s[860]) <= 1 && abs(s[220]) > 1000);
}

static void too_much_saturates(void)
{
	struct tone t;
	int16_t loud[80];

	for (size_t i = 0; i < 80; i++)
		loud[i] = 32000;
	tone_init(&t);
	tone_on(&t, 1000.0, 0.0);
	tone_add(&t, loud, 80);
	T_EQ((uint64_t)INT16_MAX, loud[50]);
}

/* What a listener writes down: one character a dot. */
static void copy(const char *text, char *heard)
{
	struct cw c;
	size_t n = 0;

	cw_init(&c, 20, 800.0, -12.0);
	memset(s, 0, sizeof(s));
	T_EQ(0, cw_send(&c, text));
	while (cw_add(&c, s + n, 160)) {
		n += 160;
		T_TRUE(n + 160 <= N);
	}
	for (size_t dot = 0; dot * 480 < n; dot++) {
		const double level =
			dsp_fit(s + dot * 480 + 100, 320, 800.0, HZ).amplitude;

		heard[dot] = level > 4000.0 ? '=' : ' ';
		heard[dot + 1] = '\0';
	}
}

static void morse_has_its_standard_timing(void)
{
	char heard[256] = "";

	/* PARIS and its space take 50 dots, which is what wpm counts. */
	copy("PARIS p", heard);
	T_EQ(0, strncmp(heard,
			"= === === =   = ===   = === =   = =   = = =       "
			"= === === =",
			61));
	T_TRUE(strspn(heard + 61, " ") == strlen(heard + 61));
}

static void every_edge_is_shaped(void)
{
	const double w = 2.0 * DSP_PI * 800.0 / HZ;
	char heard[256];

	copy("5", heard);
	T_TRUE(roughness(s, N) < 32767.0 * pow(10.0, -0.6) * w * w * 1.1);
}

static void what_cannot_be_sent_is_refused(void)
{
	char longest[CW_TEXT_MAX + 2];
	struct cw c;

	cw_init(&c, 20, 800.0, -12.0);
	memset(longest, 'E', sizeof(longest));
	longest[CW_TEXT_MAX + 1] = '\0';
	T_EQ(-EMSGSIZE, cw_send(&c, longest));
	T_EQ(-EINVAL, cw_send(&c, "A\xc3\x84"));
	T_TRUE(!cw_add(&c, s, 160));
	T_EQ(0, cw_send(&c, longest + 1));
	T_TRUE(cw_add(&c, s, 160));
	T_EQ(0, cw_send(&c, ""));
	(void)cw_add(&c, s, 160);
	T_TRUE(!cw_add(&c, s, 160));
}

int main(void)
{
	T_RUN(a_tone_is_pure_and_on_its_level);
	T_RUN(it_never_clicks);
	T_RUN(a_reversed_tone_is_its_own_opposite);
	T_RUN(too_much_saturates);
	T_RUN(morse_has_its_standard_timing);
	T_RUN(every_edge_is_shaped);
	T_RUN(what_cannot_be_sent_is_refused);
	return T_DONE();
}
