/* SPDX-License-Identifier: MIT */

/*
 * tonesnr FILE HZ: how clean the tone is that FILE holds from its first sample
 * to its last; S16_LE, stereo, 48 kHz, of which the left channel counts.
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

#define RATE 48000.0
#define PIECE 4800U /* samples */
#define PIECE_S (PIECE / RATE)
#define FULL_SCALE 32768.0
#define PIECES_MAX 36000U /* an hour */

struct sine {
	double a, b;  /* of cosine and sine, from the piece's start */
	double noise; /* sum of squares of what is left */
};

struct result {
	double hz, amplitude, snr_db, worst_snr_db, step_us;
};

static struct sine fit(const int16_t *x, double hz)
{
	const double turn = 2 * M_PI * hz / RATE;
	double cc = 0, cs = 0, ss = 0, xc = 0, xs = 0, xx = 0, det;
	struct sine s;

	for (unsigned i = 0; i < PIECE; i++) {
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
static double *advances(const int16_t *x, size_t pieces, double hz)
{
	double *d = calloc(pieces, sizeof(*d));
	double last = 0;

	for (size_t k = 0; d && k < pieces; k++) {
		const struct sine s = fit(x + k * PIECE, hz);
		const double phase = atan2(-s.b, s.a);

		if (k > 0)
			d[k] = wrapped(phase - last - 2 * M_PI * hz * PIECE_S);
		last = phase;
	}
	if (d && pieces > 1)
		d[0] = d[1];
	return d;
}

static double db(double power_ratio)
{
	return 10 * log10(power_ratio + 1e-12);
}

static struct result measure(const int16_t *x, size_t pieces, double hz,
			     const double *d)
{
	struct result r = { .worst_snr_db = 120 };
	double tone = 0, noise = 0, turns = 0;

	for (size_t k = 0; k < pieces; k++) {
		const double next = k + 1 < pieces ? d[k + 1] : d[k];
		const double local =
			hz + (d[k] + next) / 2 / (2 * M_PI * PIECE_S);
		const struct sine s = fit(x + k * PIECE, local);
		const double power = (s.a * s.a + s.b * s.b) * PIECE / 2;
		const double step = fabs(next - d[k]) / (2 * M_PI * hz) * 1e6;

		tone += power;
		noise += s.noise;
		turns += d[k];
		r.worst_snr_db = fmin(r.worst_snr_db,
				      db((power + 1e-9) / (s.noise + 1e-9)));
		r.step_us = fmax(r.step_us, step);
	}
	r.hz = hz + turns / (double)pieces / (2 * M_PI * PIECE_S);
	r.amplitude = sqrt(tone / ((double)pieces * PIECE / 2));
	r.snr_db = fmin(db((tone + 1e-9) / (noise + 1e-9)), 120);
	return r;
}

/* The left channel; its pieces. */
static size_t load(const char *path, int16_t **out)
{
	FILE *f = fopen(path, "re");
	const size_t max = (size_t)PIECES_MAX * PIECE;
	int16_t *x = NULL, frame[2];
	size_t n = 0, room = 0;

	*out = NULL;
	while (f && n < max && fread(frame, sizeof(frame), 1, f) == 1) {
		if (n == room) {
			int16_t *more;

			room = room * 2 + PIECE;
			more = realloc(x, room * sizeof(*x));
			if (!more)
				break;
			x = more;
		}
		x[n++] = frame[0];
	}
	if (f)
		(void)fclose(f);
	*out = x;
	return n / PIECE;
}

int main(int argc, char **argv)
{
	const double hz = argc == 3 ? strtod(argv[2], NULL) : 0;
	int16_t *x = NULL;
	double *d = NULL;
	struct result r;
	size_t pieces;
	int status = 1;

	if (hz < 50 || hz > RATE / 2) {
		(void)fprintf(stderr, "usage: tonesnr FILE HZ\n");
		return 2;
	}
	pieces = load(argv[1], &x);
	if (pieces < 3) {
		(void)fprintf(stderr, "tonesnr: %s has no 300 ms\n", argv[1]);
		goto out;
	}
	d = advances(x, pieces, hz);
	if (!d)
		goto out;
	r = measure(x, pieces, hz, d);
	printf("{\"seconds\":%.1f,\"hz\":%.4f,\"dbfs\":%.2f,\"snr_db\":%.2f,"
	       "\"worst_snr_db\":%.2f,\"step_us\":%.1f}\n",
	       (double)pieces * PIECE_S, r.hz,
	       20 * log10(r.amplitude / FULL_SCALE + 1e-9), r.snr_db,
	       r.worst_snr_db, r.step_us);
	status = 0;
out:
	free(d);
	free(x);
	return status;
}
