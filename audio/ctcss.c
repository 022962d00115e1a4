/* SPDX-License-Identifier: MIT */

#include "audio/ctcss.h"

#include <assert.h>
#include <math.h>

#define PI 3.14159265358979323846
#define HZ 8000.0
#define FULL_SCALE 32768.0
#define PART 400U /* samples, 50 ms */
#define FRESH 2U  /* parts that tell whether the tone still is there */
#define VOTES 2U
#define OPEN_RATIO 40.0 /* of powers, 16 dB */
#define CLOSE_RATIO 6.0
#define STEP_HZ 4.0 /* zeros of the correlation over 250 ms */

/* Probes by place. */
enum { TONE, LOWER, UPPER, NOISE };

const double ctcss_tones[] = {
	67.0,  69.3,  71.9,  74.4,  77.0,  79.7,  82.5,  85.4,  88.5,
	91.5,  94.8,  97.4,  100.0, 103.5, 107.2, 110.9, 114.8, 118.8,
	123.0, 127.3, 131.8, 136.5, 141.3, 146.2, 150.0, 151.4, 156.7,
	159.8, 162.2, 165.5, 167.9, 171.3, 173.8, 177.3, 179.9, 183.5,
	186.2, 189.9, 192.8, 196.6, 199.5, 203.5, 206.5, 210.7, 218.1,
	225.7, 229.1, 233.6, 241.8, 250.3, 254.1,
};
const size_t ctcss_tones_n = sizeof(ctcss_tones) / sizeof(ctcss_tones[0]);

static void probe_init(struct ctcss_probe *p, double hz)
{
	const double angle = -2.0 * PI * hz / HZ;

	*p = (struct ctcss_probe){
		.at = { 1.0, 0.0 },
		.turn = { cos(angle), sin(angle) },
	};
}

static void init_neighbours(struct ctcss *c, double hz)
{
	double lower = hz * 0.97, upper = hz * 1.03;

	for (size_t i = ctcss_tones_n; i-- > 0;)
		if (ctcss_tones[i] > hz + 0.5)
			upper = ctcss_tones[i];
	for (size_t i = 0; i < ctcss_tones_n; i++)
		if (ctcss_tones[i] < hz - 0.5)
			lower = ctcss_tones[i];
	probe_init(&c->probe[LOWER], lower);
	probe_init(&c->probe[UPPER], upper);
}

void ctcss_init(struct ctcss *c, double hz, double floor_dbfs)
{
	assert(hz >= 60.0 && hz <= 260.0);
	*c = (struct ctcss){
		.floor = FULL_SCALE * pow(10.0, floor_dbfs / 20.0),
	};
	probe_init(&c->probe[TONE], hz);
	init_neighbours(c, hz);
	for (unsigned i = 0; i < 4; i++) {
		const double away = STEP_HZ * (3 + 2 * i);

		probe_init(&c->probe[NOISE + 2 * i], hz - away);
		probe_init(&c->probe[NOISE + 2 * i + 1], hz + away);
	}
}

/* Amplitude squared over the last @parts complete parts. */
static double power(const struct ctcss *c, unsigned probe, unsigned parts)
{
	const struct ctcss_sum *part = c->probe[probe].part;
	double re = 0.0, im = 0.0, scale = 2.0 / (parts * PART);

	for (unsigned i = 0; i < parts; i++) {
		const unsigned k = (c->part + CTCSS_PARTS - i) % CTCSS_PARTS;

		re += part[k].re;
		im += part[k].im;
	}
	return (re * re + im * im) * scale * scale;
}

static double noise(const struct ctcss *c)
{
	double sum = 0.0;

	for (unsigned i = NOISE; i < CTCSS_PROBES; i++)
		sum += power(c, i, CTCSS_PARTS);
	return sum / (CTCSS_PROBES - NOISE);
}

static bool is_there(const struct ctcss *c)
{
	const double tone = power(c, TONE, CTCSS_PARTS);

	return tone >= c->floor * c->floor &&
	       tone > power(c, LOWER, CTCSS_PARTS) &&
	       tone > power(c, UPPER, CTCSS_PARTS) &&
	       tone > OPEN_RATIO * noise(c);
}

/* Whether the parts agree in phase.  After a reverse burst they do not. */
static bool is_coherent(const struct ctcss *c)
{
	double apart = 0.0;

	for (unsigned i = 0; i < CTCSS_PARTS; i++) {
		const struct ctcss_sum *p = &c->probe[TONE].part[i];

		apart += p->re * p->re + p->im * p->im;
	}
	apart *= 4.0 / (CTCSS_PARTS * (double)PART * PART);
	return power(c, TONE, CTCSS_PARTS) > apart / 2.0;
}

/* The fresh parts tell the end in silence, where no noise comes up. */
static bool is_gone(const struct ctcss *c)
{
	const double tone = power(c, TONE, CTCSS_PARTS);

	return tone < c->floor * c->floor / 2.0 ||
	       tone < CLOSE_RATIO * noise(c) ||
	       power(c, TONE, FRESH) < tone / 4.0 || !is_coherent(c);
}

static void look(struct ctcss *c)
{
	const bool against = c->open ? is_gone(c) : is_there(c);

	c->votes = against ? c->votes + 1 : 0;
	if (c->votes == VOTES) {
		c->open = !c->open;
		c->votes = 0;
	}
}

static void add(struct ctcss_probe *p, unsigned part, double x)
{
	struct ctcss_sum *sum = &p->part[part];
	const double re = p->at.re * p->turn.re - p->at.im * p->turn.im;

	sum->re += x * p->at.re;
	sum->im += x * p->at.im;
	p->at.im = p->at.re * p->turn.im + p->at.im * p->turn.re;
	p->at.re = re;
}

static void next_part(struct ctcss *c)
{
	look(c);
	c->n = 0;
	c->part = (c->part + 1) % CTCSS_PARTS;
	for (unsigned i = 0; i < CTCSS_PROBES; i++) {
		struct ctcss_probe *p = &c->probe[i];
		const double by =
			1.5 - 0.5 * (p->at.re * p->at.re + p->at.im * p->at.im);

		/* Rounding must not let the vector grow or shrink. */
		p->at.re *= by;
		p->at.im *= by;
		p->part[c->part] = (struct ctcss_sum){ 0 };
	}
}

bool ctcss_run(struct ctcss *c, const int16_t *samples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (unsigned k = 0; k < CTCSS_PROBES; k++)
			add(&c->probe[k], c->part, samples[i]);
		if (++c->n == PART)
			next_part(c);
	}
	return c->open;
}
