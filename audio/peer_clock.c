/* SPDX-License-Identifier: MIT */

#include "audio/peer_clock.h"

#include <math.h>

#define SECOND_US 1000000
#define PAUSE_US 10000000 /* without a frame: another stretch */
#define FRAMES_MIN 10U    /* of a second that counts */
#define JUMP_US 40000     /* more is another route, or other timestamps */
#define STRETCH_S 60.0    /* then it is put with those before */
#define MEMORY_S 600.0    /* what lies that far back does not count */
#define STRETCH_MIN 4.0   /* seconds, to say anything */
#define KNOWN_S 10.0      /* of speech, in all */
#define SPREAD_US 2000.0  /* about the line: more is the network's */
#define PPM_MAX 500.0     /* further off no crystal is */
#define SURE 4.0          /* times the error that is to be expected */
#define SURE_PPM 10.0     /* and a little that is as good as none */

/* What the points differ by from their line, squared, in all. */
static double rest(const struct peer_line *l)
{
	const double off = l->xx > 0 ? l->yy - l->xy * l->xy / l->xx : l->yy;

	return off > 0 ? off : 0;
}

static bool is_steady(const struct peer_line *l)
{
	return l->n >= STRETCH_MIN && rest(l) / l->n <= SPREAD_US * SPREAD_US;
}

static void put_together(struct peer_line *sum, const struct peer_line *l,
			 double keep)
{
	sum->n = sum->n * keep + l->n;
	sum->xx = sum->xx * keep + l->xx;
	sum->xy = sum->xy * keep + l->xy;
	sum->yy = sum->yy * keep + l->yy;
}

void peer_clock_break(struct peer_clock *c)
{
	if (is_steady(&c->now))
		put_together(&c->past, &c->now,
			     fmax(0, 1 - c->now.n / MEMORY_S));
	c->now = (struct peer_line){ 0 };
	c->mean_x = 0;
	c->mean_y = 0;
	c->begun = false;
}

static void begin(struct peer_clock *c, int64_t now_us, int64_t transit_us)
{
	c->begun = true;
	c->begin_us = now_us;
	c->begin_transit_us = transit_us;
	c->second_us = now_us;
	c->frames = 0;
}

static void add_point(struct peer_clock *c, double x, double y)
{
	struct peer_line *l = &c->now;
	const double dx = x - c->mean_x, dy = y - c->mean_y;

	l->n++;
	c->mean_x += dx / l->n;
	c->mean_y += dy / l->n;
	l->xx += dx * (x - c->mean_x);
	l->xy += dx * (y - c->mean_y);
	l->yy += dy * (y - c->mean_y);
}

static void end_second(struct peer_clock *c)
{
	if (c->frames >= FRAMES_MIN)
		add_point(c, (double)(c->least_at_us - c->begin_us) / SECOND_US,
			  (double)(c->least_us - c->begin_transit_us));
	c->frames = 0;
}

void peer_clock_add(struct peer_clock *c, uint64_t now_us, int64_t transit_us)
{
	const int64_t now = (int64_t)now_us;

	if (c->begun && (transit_us < c->least_us - JUMP_US ||
			 now - c->second_us >= PAUSE_US || now < c->second_us))
		peer_clock_break(c);
	if (c->begun && now - c->second_us >= SECOND_US) {
		end_second(c);
		c->second_us = now;
	}
	if (c->now.n >= STRETCH_S)
		peer_clock_break(c);
	if (!c->begun)
		begin(c, now, transit_us);
	if (c->frames++ == 0 || transit_us < c->least_us) {
		c->least_us = transit_us;
		c->least_at_us = now;
	}
}

double peer_clock_ppm(const struct peer_clock *c)
{
	struct peer_line all = c->past;
	double ppm, error;

	if (is_steady(&c->now))
		put_together(&all, &c->now, 1);
	if (all.n < KNOWN_S || all.xx <= 0)
		return 0;
	ppm = -all.xy / all.xx;
	error = sqrt(rest(&all) / all.n / all.xx);
	if (fabs(ppm) > PPM_MAX || fabs(ppm) < SURE * error + SURE_PPM)
		return 0;
	return ppm;
}
