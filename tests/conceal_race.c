/* SPDX-License-Identifier: MIT */

#include "tests/conceal_race.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "audio/plc.h"

#define PI 3.14159265358979323846
#define RATE 8000.0
#define BLOCK 160U
#define BLOCKS 3000U
#define BINS 64U
#define FLOOR 100.0 /* power below which a bin is as good as silent */

static double uniform(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return (double)(*seed >> 8) / (double)(1U << 24);
}

struct formant {
	double y1, y2;
};

static double resonate(struct formant *f, double x, double hz, double width_hz)
{
	const double r = exp(-PI * width_hz / RATE);
	const double y = (1 - r) * x + 2 * r * cos(2 * PI * hz / RATE) * f->y1 -
			 r * r * f->y2;

	f->y2 = f->y1;
	f->y1 = y;
	return y;
}

void conceal_speech(int16_t *pcm, size_t n)
{
	struct formant f[3] = { { 0, 0 }, { 0, 0 }, { 0, 0 } };
	uint32_t seed = 42;
	double phase = 0;

	for (size_t i = 0; i < n; i++) {
		const double t = (double)i / RATE;
		const double pitch_hz =
			120 + 30 * sin(2 * PI * 0.7 * t) + 4 * sin(19 * t);
		/* A syllable of 250 ms ends in 50 ms of noise; each ninth is
		 * a pause. */
		const double at = fmod(t, 0.25) / 0.25;
		const bool noise = at > 0.8;
		double x = (uniform(&seed) - 0.5) * (noise ? 3000 : 60);

		phase += pitch_hz / RATE;
		if (phase >= 1) {
			phase -= 1;
			x += noise ? 0 : 60000;
		}
		if ((uint64_t)(t / 0.25) % 9 == 8)
			x = (uniform(&seed) - 0.5) * 20;
		x *= 0.3 + 0.7 * sin(PI * at);
		x = resonate(&f[0], x, 550 + 200 * sin(5 * t), 90) +
		    resonate(&f[1], x, 1500 + 400 * sin(3 * t), 120) * 0.6 +
		    resonate(&f[2], x, 2500, 160) * 0.3;
		pcm[i] = (int16_t)fmax(-30000, fmin(30000, x));
	}
}

static void spectrum(const int16_t *pcm, double db[BINS])
{
	for (uint32_t k = 0; k < BINS; k++) {
		const double w = PI * (k + 1) / (BINS + 1);
		double re = 0, im = 0;

		for (uint32_t i = 0; i < BLOCK; i++) {
			const double x =
				pcm[i] * (0.5 - 0.5 * cos(2 * PI * i / BLOCK));

			re += x * cos(w * i);
			im += x * sin(w * i);
		}
		db[k] = 10 * log10((re * re + im * im) / BLOCK + FLOOR);
	}
}

static double distance_db(const int16_t *a, const int16_t *b)
{
	double da[BINS], db[BINS], sum = 0;

	spectrum(a, da);
	spectrum(b, db);
	for (uint32_t k = 0; k < BINS; k++)
		sum += (da[k] - db[k]) * (da[k] - db[k]);
	return sqrt(sum / BINS);
}

static double snr_db(const int16_t *want, const int16_t *got)
{
	double signal = FLOOR, noise = FLOOR;

	for (uint32_t i = 0; i < BLOCK; i++) {
		const double off = (double)want[i] - got[i];

		signal += (double)want[i] * want[i];
		noise += off * off;
	}
	return fmax(-10, fmin(35, 10 * log10(signal / noise)));
}

static void play(struct plc *plc, enum conceal how, bool lost, int16_t *now)
{
	if (how == CONCEAL_PLC && lost)
		plc_lost(plc, now, BLOCK);
	else if (how == CONCEAL_PLC)
		plc_good(plc, now, BLOCK);
	else if (how == CONCEAL_REPEAT && lost)
		memcpy(now, now - BLOCK, BLOCK * sizeof(*now));
	else if (lost)
		memset(now, 0, BLOCK * sizeof(*now));
}

struct conceal_result conceal_measure(uint32_t loss_pct, enum conceal how)
{
	static int16_t want[BLOCK * BLOCKS], got[BLOCK * BLOCKS];
	struct conceal_result sum = { 0, 0 };
	uint32_t seed = 7, judged = 0;
	struct plc plc;

	conceal_speech(want, (size_t)BLOCK * BLOCKS);
	memcpy(got, want, sizeof(got));
	plc_reset(&plc);
	for (uint32_t b = 0; b < BLOCKS; b++) {
		const bool lost = b > 0 && uniform(&seed) * 100 < loss_pct;

		play(&plc, how, lost, got + (size_t)b * BLOCK);
		if (lost) {
			const int16_t *w = want + (size_t)b * BLOCK;
			const int16_t *g = got + (size_t)b * BLOCK;

			sum.lsd_db += distance_db(w, g);
			sum.seg_snr_db += snr_db(w, g);
			judged++;
		}
	}
	sum.lsd_db /= judged > 0 ? judged : 1;
	sum.seg_snr_db /= judged > 0 ? judged : 1;
	return sum;
}
