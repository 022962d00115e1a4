/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_DSP_MEASURE_H
#define TESTS_UNIT_DSP_MEASURE_H

/* Tones to send through, and what comes of them.  Frequencies are in Hz. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define DSP_PI 3.14159265358979323846

static inline void dsp_tone(int16_t *s, size_t n, double amplitude, double hz,
			    double rate_hz)
{
	for (size_t i = 0; i < n; i++)
		s[i] = (int16_t)lrint(amplitude * sin(2.0 * DSP_PI * hz *
						      (double)i / rate_hz));
}

struct dsp_fit {
	double amplitude; /* of the tone at hz that fits best */
	double residue;   /* what is left: the amplitude of as strong a sine */
};

static inline struct dsp_fit dsp_fit(const int16_t *s, size_t n, double hz,
				     double rate_hz)
{
	const double w = 2.0 * DSP_PI * hz / rate_hz;
	double cc = 0.0, ss = 0.0, cs = 0.0, xc = 0.0, xs = 0.0, left = 0.0;
	double det, a, b;

	for (size_t i = 0; i < n; i++) {
		const double c = cos(w * (double)i), q = sin(w * (double)i);

		cc += c * c;
		ss += q * q;
		cs += c * q;
		xc += s[i] * c;
		xs += s[i] * q;
	}
	det = cc * ss - cs * cs;
	a = (xc * ss - xs * cs) / det;
	b = (xs * cc - xc * cs) / det;
	for (size_t i = 0; i < n; i++) {
		const double e =
			s[i] - a * cos(w * (double)i) - b * sin(w * (double)i);

		left += e * e;
	}
	return (struct dsp_fit){ sqrt(a * a + b * b),
				 sqrt(2.0 * left / (double)n) };
}

static inline double dsp_db(double ratio)
{
	return 20.0 * log10(ratio + 1e-12);
}

#endif
