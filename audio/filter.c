/* SPDX-License-Identifier: MIT */

#include "audio/filter.h"

#include <math.h>

#define PI 3.14159265358979323846
#define ORDER 8U
#define RIPPLE_DB 0.1
#define EDGE_HZ 300.0

#define LOW_HZ 1000.0 /* the emphases are exact here and there */
#define HIGH_HZ 3000.0

/*
 * A pair of poles of the analogue Chebyshev low-pass with its edge at 1, turned
 * into a high-pass at @k = tan(pi f / fs) by s -> k / s and the bilinear
 * transform: both zeros are at 0 Hz.
 */
static struct filter_section chebyshev(unsigned i, double k)
{
	const double e = sqrt(pow(10.0, RIPPLE_DB / 10.0) - 1.0);
	const double v = asinh(1.0 / e) / ORDER;
	const double angle = PI * (2 * i + 1) / (2.0 * ORDER);
	const double re = -sinh(v) * sin(angle); /* of the pole */
	const double im = cosh(v) * cos(angle);
	const double norm = re * re + im * im;
	/* norm s^2 - 2 re k s + k^2, over s^2 norm */
	const double a0 = norm - 2.0 * re * k + k * k;

	return (struct filter_section){
		.b = { norm / a0, -2.0 * norm / a0, norm / a0 },
		.a = { 2.0 * (k * k - norm) / a0,
		       (norm + 2.0 * re * k + k * k) / a0 },
	};
}

/* An even order is at the bottom of its ripple far from the edge; half of the
 * ripple up puts it around 0 dB. */
void filter_high_pass_300(struct filter *f)
{
	const double k = tan(PI * EDGE_HZ / FILTER_HZ);

	*f = (struct filter){ .n = ORDER / 2 };
	for (unsigned i = 0; i < f->n; i++)
		f->section[i] = chebyshev(i, k);
	for (unsigned i = 0; i < 3; i++)
		f->section[0].b[i] *= pow(10.0, -RIPPLE_DB / 40.0);
}

void filter_low_pass(struct filter *f, double hz)
{
	const double k = tan(PI * hz / FILTER_HZ);
	const double a0 = 1.0 + sqrt(2.0) * k + k * k;

	*f = (struct filter){ .n = 1 };
	f->section[0] = (struct filter_section){
		.b = { k * k / a0, 2.0 * k * k / a0, k * k / a0 },
		.a = { 2.0 * (k * k - 1.0) / a0,
		       (1.0 - sqrt(2.0) * k + k * k) / a0 },
	};
}

static double radians(double hz)
{
	return 2.0 * PI * hz / FILTER_HZ;
}

/* |1 + c z^-1| at @hz, squared. */
static double power_of(double c, double hz)
{
	return 1.0 + c * c + 2.0 * c * cos(radians(hz));
}

/* The RC network's loss at @hz, squared. */
static double rc_loss(double hz)
{
	const double wt = 2.0 * PI * hz * FILTER_EMPHASIS_US * 1e-6;

	return 1.0 + wt * wt;
}

struct emphasis {
	double pole;
	double zero;
	double gain;
};

/*
 * g (1 + c z^-1) / (1 - p z^-1): the pole is the RC network's, and what
 * sampling would take off its slope the zero gives back, exactly so between
 * 1 and 3 kHz.
 */
static struct emphasis emphasis(void)
{
	const double p = exp(-1e6 / (FILTER_EMPHASIS_US * FILTER_HZ));
	const double want = rc_loss(HIGH_HZ) / rc_loss(LOW_HZ);
	const double has = power_of(-p, HIGH_HZ) / power_of(-p, LOW_HZ);
	const double r = want / has;
	/* power_of(c, LOW) / power_of(c, HIGH) = r, a quadratic in c */
	const double half =
		(cos(radians(LOW_HZ)) - r * cos(radians(HIGH_HZ))) / (1.0 - r);
	const double c = -half - copysign(sqrt(half * half - 1.0), -half);

	return (struct emphasis){
		.pole = p,
		.zero = c,
		.gain = sqrt(power_of(-p, LOW_HZ) / power_of(c, LOW_HZ)),
	};
}

void filter_de_emphasis(struct filter *f)
{
	const struct emphasis e = emphasis();

	*f = (struct filter){ .n = 1 };
	f->section[0] = (struct filter_section){
		.b = { e.gain, e.gain * e.zero, 0.0 },
		.a = { -e.pole, 0.0 },
	};
}

void filter_pre_emphasis(struct filter *f)
{
	const struct emphasis e = emphasis();

	*f = (struct filter){ .n = 1 };
	f->section[0] = (struct filter_section){
		.b = { 1.0 / e.gain, -e.pole / e.gain, 0.0 },
		.a = { e.zero, 0.0 },
	};
}

double filter_step(struct filter *f, double x)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct filter_section *s = &f->section[i];
		const double y = s->b[0] * x + s->z[0];

		s->z[0] = s->b[1] * x - s->a[0] * y + s->z[1];
		s->z[1] = s->b[2] * x - s->a[1] * y;
		x = y;
	}
	return x;
}

/* Memories that die away would become denormal, and slow: below a millionth
 * of a step they are nothing. */
static void settle(struct filter *f)
{
	for (unsigned i = 0; i < f->n; i++)
		for (unsigned k = 0; k < 2; k++)
			if (fabs(f->section[i].z[k]) < 1e-6)
				f->section[i].z[k] = 0.0;
}

void filter_run(struct filter *f, int16_t *samples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const double y = filter_step(f, samples[i]);

		samples[i] =
			(int16_t)lrint(fmax(INT16_MIN, fmin(INT16_MAX, y)));
	}
	settle(f);
}
