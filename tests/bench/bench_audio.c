/* SPDX-License-Identifier: MIT */

/*
 * What the radio's signal chain does to speech, in decibels, and what it costs:
 * how flat it is, what folds back into speech, distortion and noise on the way
 * 48 to 8 to 48 kHz with clocks 100 ppm off, and the processor's time for 20 ms.
 *
 * --curve prints the figures by frequency instead, as tests/bench/plot_audio.py
 * reads them: Hz, gain, alias, THD+N, THD+N with u-law in between, high-pass,
 * de-emphasis, pre-emphasis.
 */

#include <stdlib.h>

#include "audio/ctcss.h"
#include "audio/dtmf.h"
#include "audio/filter.h"
#include "audio/limiter.h"
#include "audio/resample.h"
#include "audio/ulaw.h"
#include "tests/bench/bench.h"
#include "tests/unit/dsp_measure.h"

#define DEVICE_HZ 48000U
#define VOICE_HZ 8000U
#define N 48000U
#define PERIOD 960U
#define BLOCK 160U
#define AMPLITUDE 16384.0
#define PPM 100.0
#define ROUNDS 500U

static int16_t wide[N + 2048], narrow[VOICE_HZ + 512];

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "bench_audio: %s\n", what);
	exit(EXIT_FAILURE);
}

static struct resample *converter(unsigned in, unsigned out, double ppm)
{
	struct resample *r = resample_new_adjustable(in, out);

	must(r && resample_adjust(r, ppm) == 0, "no converter");
	return r;
}

/* A second of @hz, 48 to 8 kHz. */
static size_t downwards(double hz, double ppm)
{
	struct resample *r = converter(DEVICE_HZ, VOICE_HZ, ppm);
	size_t made = 0;

	dsp_tone(wide, N, AMPLITUDE, hz, DEVICE_HZ);
	for (size_t at = 0; at < N; at += PERIOD)
		made += resample_run(r, wide + at, PERIOD, narrow + made);
	(void)resample_free(r);
	return made;
}

static double gain_db(double hz)
{
	(void)downwards(hz, 0.0);
	return dsp_db(dsp_fit(narrow + 2000, 4000, hz, VOICE_HZ).amplitude /
		      AMPLITUDE);
}

/* All that @hz leaves, wherever it folds to. */
static double alias_db(double hz)
{
	struct dsp_fit fit;

	(void)downwards(hz, 0.0);
	fit = dsp_fit(narrow + 2000, 4000, 2.0 * VOICE_HZ - hz, VOICE_HZ);
	return dsp_db(hypot(fit.amplitude, fit.residue) / AMPLITUDE);
}

static double noise_db(double hz, bool ulaw)
{
	static uint8_t codes[sizeof(narrow) / sizeof(narrow[0])];
	struct resample *up =
		converter(VOICE_HZ, DEVICE_HZ, -PPM / (1.0 + PPM * 1e-6));
	const size_t n = downwards(hz, PPM);
	size_t made = 0;

	if (ulaw) {
		ulaw_encode_block(narrow, codes, n);
		ulaw_decode_block(codes, narrow, n);
	}
	for (size_t at = 0; at + BLOCK <= n; at += BLOCK)
		made += resample_run(up, narrow + at, BLOCK, wide + made);
	(void)resample_free(up);
	must(made > N * 3 / 4, "samples are missing");
	return dsp_db(dsp_fit(wide + N / 4, N / 2, hz, DEVICE_HZ).residue /
		      AMPLITUDE);
}

static double thdn_db(double hz)
{
	return noise_db(hz, false);
}

static double ulaw_db(double hz)
{
	return noise_db(hz, true);
}

static double filter_db(void (*init)(struct filter *), double hz)
{
	struct filter f;

	init(&f);
	dsp_tone(narrow, VOICE_HZ, 4000.0, hz, VOICE_HZ);
	filter_run(&f, narrow, VOICE_HZ);
	return dsp_db(dsp_fit(narrow + 4000, 4000, hz, VOICE_HZ).amplitude /
		      4000.0);
}

static void curve(void)
{
	printf("hz,gain_db,alias_db,thdn_db,ulaw_db,high_pass_db,de_db,pre_"
	       "db\n");
	for (int hz = 50; hz < 8000; hz += 50) {
		if (hz == 4000)
			continue;
		if (hz > 4000) {
			printf("%d,,%.2f,,,,,\n", hz, alias_db(hz));
			continue;
		}
		printf("%d,%.3f,,", hz, gain_db(hz));
		if (hz <= 3400)
			printf("%.2f,%.2f", thdn_db(hz), ulaw_db(hz));
		else
			printf(",");
		printf(",%.3f,%.3f,%.3f\n", filter_db(filter_high_pass_300, hz),
		       filter_db(filter_de_emphasis, hz),
		       filter_db(filter_pre_emphasis, hz));
	}
}

struct cost {
	struct resample *down;
	struct resample *up;
	struct filter high_pass, de;
	struct limiter limiter;
	struct ctcss ctcss;
	struct dtmf *dtmf;
};

static void resample_round(void *ctx)
{
	struct cost *c = ctx;

	for (unsigned i = 0; i < ROUNDS; i++) {
		int16_t s[BLOCK + 8], out[PERIOD + 64];
		const size_t n = resample_run(c->down, wide, PERIOD, s);

		(void)resample_run(c->up, s, n, out);
	}
}

static void chain_round(void *ctx)
{
	struct cost *c = ctx;

	for (unsigned i = 0; i < ROUNDS; i++) {
		int16_t s[BLOCK];

		memcpy(s, wide, sizeof(s));
		(void)ctcss_run(&c->ctcss, s, BLOCK);
		filter_run(&c->high_pass, s, BLOCK);
		filter_run(&c->de, s, BLOCK);
		dtmf_run(c->dtmf, s, BLOCK);
		limiter_run(&c->limiter, s, BLOCK);
	}
}

static void cost_init(struct cost *c)
{
	c->down = converter(DEVICE_HZ, VOICE_HZ, PPM);
	c->up = converter(VOICE_HZ, DEVICE_HZ, -PPM);
	c->dtmf = dtmf_new();
	must(c->dtmf, "no memory");
	filter_high_pass_300(&c->high_pass);
	filter_de_emphasis(&c->de);
	limiter_init(&c->limiter, -3.0);
	ctcss_init(&c->ctcss, 100.0, -45.0);
	dsp_tone(wide, N, AMPLITUDE, 440.0, DEVICE_HZ);
}

static double worst_of(double (*measure)(double hz), int from, int to)
{
	double worst = 0.0;

	for (int hz = from; hz <= to; hz += 100) {
		const double db = measure(hz);

		if (hz == from || db > worst)
			worst = db;
	}
	return worst;
}

static double deviation_db(double hz)
{
	return fabs(gain_db(hz));
}

static void figures(bool json)
{
	struct cost c;
	const struct bench_figure quality[] = {
		{ "ripple_db", worst_of(deviation_db, 100, 3400), "dB" },
		{ "alias_db_4600", alias_db(4600), "dB" },
		{ "alias_db_worst", worst_of(alias_db, 4600, 7900), "dB" },
		{ "thdn_db_100", thdn_db(100), "dB" },
		{ "thdn_db_300", thdn_db(300), "dB" },
		{ "thdn_db_1000", thdn_db(1000), "dB" },
		{ "thdn_db_3000", thdn_db(3000), "dB" },
		{ "thdn_db_3400", thdn_db(3400), "dB" },
		{ "ulaw_thdn_db_worst", worst_of(ulaw_db, 100, 3400), "dB" },
		{ "ctcss_db_203", filter_db(filter_high_pass_300, 203.5),
		  "dB" },
	};

	cost_init(&c);
	const struct bench_figure costs[] = {
		{ "resample_us", bench_ns(resample_round, &c, ROUNDS) / 1e3,
		  "us for 20 ms, both ways" },
		{ "chain_us", bench_ns(chain_round, &c, ROUNDS) / 1e3,
		  "us for 20 ms, filters and detectors" },
	};

	bench_print("audio", quality, sizeof(quality) / sizeof(quality[0]),
		    json);
	bench_print("audio_cost", costs, sizeof(costs) / sizeof(costs[0]),
		    json);
	(void)resample_free(c.down);
	(void)resample_free(c.up);
	(void)dtmf_free(c.dtmf);
}

int main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "--curve") == 0)
		curve();
	else
		figures(bench_wants_json(argc, argv));
	return EXIT_SUCCESS;
}
