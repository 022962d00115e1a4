/* SPDX-License-Identifier: MIT */

/*
 * tonesnr FILE HZ [RATE [CHANNELS [SECONDS]]]: how clean the tone is that FILE
 * holds from its first sample to its last, or in its last SECONDS; S16_LE,
 * 48000 and 2 unless told, of which the left channel counts.
 *
 * A sine is fitted to every 100 ms, with the frequency that its neighbours'
 * phases tell: a clock that wanders is no noise.  What is left counts as noise.
 * A sample lost or put in shows as a step in time from one piece to the next.
 * A line of JSON: seconds, hz, dbfs (of the sine's peak), snr_db, worst_snr_db
 * (of a piece), step_us.
 *
 * Exit: 0 measured, 1 the file cannot be measured, 2 usage.
 */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PIECE_S 0.1
#define FULL_SCALE 32768.0
#define PIECES_MAX 36000U /* an hour */
#define CHANNELS_MAX 2U

struct tone {
	int16_t *x;
	size_t pieces;
	double rate;
	unsigned piece; /* samples */
};

struct sine {
	double a, b;  /* of cosine and sine, from the piece's start */
	double noise; /* sum of squares of what is left */
};

struct result {
	double hz, amplitude, snr_db, worst_snr_db, step_us;
};

static struct sine fit(const struct tone *t, size_t k, double hz)
{
	const int16_t *x = t->x + k * t->piece;
	const double turn = 2 * M_PI * hz / t->rate;
	double cc = 0, cs = 0, ss = 0, xc = 0, xs = 0, xx = 0, det;
	struct sine s;

	for (unsigned i = 0; i < t->piece; i++) {
		const double c = cos(turn * i), n = sin(turn * i);

		cc += c * c;
		cs += c * n;
		ss += n * n;
		xc += x[i] * c;
		xs += x[i] * n;
		xx += (double)x[i] * x[i];
	}
	det = cc * ss - cs * cs;
	s.a = (xc * ss - xs * cs) / det;
	s.b = (xs * cc - xc * cs) / det;
	s.noise = xx - s.a * xc - s.b * xs;
	if (s.noise < 0)
		s.noise = 0;
	return s;
}

/* Into -pi..pi. */
static double wrapped(double phase)
{
	return remainder(phase, 2 * M_PI);
}

/* By how much each piece's phase is more than that of the one before would
 * have it at @hz. */
static double *advances(const struct tone *t, double hz)
{
	double *d = calloc(t->pieces, sizeof(*d));
	double last = 0;

	for (size_t k = 0; d && k < t->pieces; k++) {
		const struct sine s = fit(t, k, hz);
		const double phase = atan2(-s.b, s.a);

		if (k > 0)
			d[k] = wrapped(phase - last - 2 * M_PI * hz * PIECE_S);
		last = phase;
	}
	if (d && t->pieces > 1)
		d[0] = d[1];
	return d;
}

static double db(double power_ratio)
{
	return 10 * log10(power_ratio + 1e-12);
}

static struct result measure(const struct tone *t, double hz, const double *d)
{
	struct result r = { .worst_snr_db = 120 };
	double tone = 0, noise = 0, turns = 0;

	for (size_t k = 0; k < t->pieces; k++) {
		const double next = k + 1 < t->pieces ? d[k + 1] : d[k];
		const double local =
			hz + (d[k] + next) / 2 / (2 * M_PI * PIECE_S);
		const struct sine s = fit(t, k, local);
		const double power = (s.a * s.a + s.b * s.b) * t->piece / 2;
		const double step = fabs(next - d[k]) / (2 * M_PI * hz) * 1e6;

		tone += power;
		noise += s.noise;
		turns += d[k];
		r.worst_snr_db = fmin(r.worst_snr_db,
				      db((power + 1e-9) / (s.noise + 1e-9)));
		r.step_us = fmax(r.step_us, step);
	}
	r.hz = hz + turns / (double)t->pieces / (2 * M_PI * PIECE_S);
	r.amplitude = sqrt(tone / ((double)t->pieces * t->piece / 2));
	r.snr_db = fmin(db((tone + 1e-9) / (noise + 1e-9)), 120);
	return r;
}

static size_t frames_of(FILE *f, unsigned channels)
{
	long octets = -1;

	if (fseek(f, 0, SEEK_END) == 0)
		octets = ftell(f);
	return octets < 0 ? 0 : (size_t)octets / sizeof(int16_t) / channels;
}

static void read_left(struct tone *t, FILE *f, size_t n, unsigned channels)
{
	int16_t frame[CHANNELS_MAX] = { 0 };
	size_t done = 0;

	t->x = calloc(n + 1, sizeof(*t->x));
	while (t->x && done < n &&
	       fread(frame, sizeof(frame[0]), channels, f) == channels)
		t->x[done++] = frame[0];
	t->pieces = done / t->piece;
}

/* The left channel of the last @seconds, or of all. */
static void load(struct tone *t, const char *path, unsigned channels,
		 double seconds)
{
	FILE *f = fopen(path, "re");
	const size_t want = (size_t)lrint(seconds * t->rate);
	size_t n = f ? frames_of(f, channels) : 0, skip = 0;

	if (want > 0 && n > want)
		skip = n - want;
	n -= skip;
	if (n > (size_t)PIECES_MAX * t->piece)
		n = (size_t)PIECES_MAX * t->piece;
	if (f &&
	    fseek(f, (long)(skip * channels * sizeof(int16_t)), SEEK_SET) == 0)
		read_left(t, f, n, channels);
	if (f)
		(void)fclose(f);
}

static int run(const struct tone *t, double hz)
{
	double *d = advances(t, hz);
	struct result r;

	if (!d)
		return 1;
	r = measure(t, hz, d);
	free(d);
	printf("{\"seconds\":%.1f,\"hz\":%.4f,\"dbfs\":%.2f,\"snr_db\":%.2f,"
	       "\"worst_snr_db\":%.2f,\"step_us\":%.1f}\n",
	       (double)t->pieces * PIECE_S, r.hz,
	       20 * log10(r.amplitude / FULL_SCALE + 1e-9), r.snr_db,
	       r.worst_snr_db, r.step_us);
	return 0;
}

int main(int argc, char **argv)
{
	const double hz = argc > 2 ? strtod(argv[2], NULL) : 0;
	struct tone t = { .rate = argc > 3 ? strtod(argv[3], NULL) : 48000 };
	const unsigned channels =
		argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 2;
	int status = 1;

	if (t.rate < 8000 || t.rate > 192000 || hz < 50 || hz > t.rate / 2 ||
	    channels < 1 || channels > CHANNELS_MAX) {
		(void)fprintf(stderr, "usage: tonesnr FILE HZ [RATE [CHANNELS "
				      "[SECONDS]]]\n");
		return 2;
	}
	t.piece = (unsigned)lrint(t.rate * PIECE_S);
	load(&t, argv[1], channels, argc > 5 ? strtod(argv[5], NULL) : 0);
	if (t.pieces < 3)
		(void)fprintf(stderr, "tonesnr: %s has no 300 ms\n", argv[1]);
	else
		status = run(&t, hz);
	free(t.x);
	return status;
}
