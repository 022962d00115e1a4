/* SPDX-License-Identifier: MIT */

/*
 * How late what is said into one line is heard from another:
 *
 *	line_delay MOUTH EAR COUNT
 *
 * A burst of 1 kHz each second or so, at a time that is in no step with
 * anything, and a line of output for each: the delay of its middle in ms, or
 * "lost".  Before the first there is a tone, so that what waits for a voice is
 * open, and it goes on between the bursts.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/line/line.h"

#define AHEAD (LINE_HZ / 5) /* said so long before it sounds */
#define BURST (LINE_HZ / 25)
#define GAP LINE_HZ
#define TONE_AMPLITUDE 3000.0
#define BURST_AMPLITUDE 20000.0
#define LATEST (LINE_HZ) /* heard by then, or lost */
#define WINDOW (LINE_HZ / 1000 * 2)

static struct line_frame *mouth, *ear;
static int64_t said; /* up to this frame */

/* A burst at @burst, on the tone; its edges are soft within 5 ms. */
static int16_t sample_at(int64_t frame, int64_t burst)
{
	const int64_t in = frame - burst;
	double amplitude = TONE_AMPLITUDE;

	if (in >= 0 && in < (int64_t)BURST)
		amplitude += (BURST_AMPLITUDE - TONE_AMPLITUDE) *
			     sin(3.14159265358979 * (double)in / BURST);
	return (int16_t)lrint(amplitude *
			      sin(2.0 * 3.14159265358979 * 1000.0 *
				  (double)(frame % LINE_HZ) / LINE_HZ));
}

static void say(int64_t until, int64_t burst)
{
	for (; said < until; said++)
		line_put(mouth, said, sample_at(said, burst));
}

static double energy(const struct line_frame *line, int64_t from, int64_t n)
{
	double sum = 0.0;

	for (int64_t f = from; f < from + n; f++)
		sum += pow(line_get(line, f), 2.0);
	return sum;
}

/* Where what is heard from @from on is as it was around the burst's middle:
 * its centre of energy over the loudest BURST. */
static int64_t find(int64_t from, double *loud)
{
	int64_t best = from;
	double most = 0.0, sum = 0.0, moment = 0.0;

	for (int64_t f = from; f < from + (int64_t)LATEST - (int64_t)BURST;
	     f += WINDOW) {
		const double e = energy(ear, f, BURST);

		if (e > most) {
			most = e;
			best = f;
		}
	}
	for (int64_t f = best; f < best + (int64_t)BURST; f++) {
		const double e = pow(line_get(ear, f), 4.0);

		sum += e;
		moment += e * (double)(f - best);
	}
	*loud = sqrt(most / BURST);
	return best + (int64_t)(sum > 0.0 ? moment / sum : 0.0);
}

static void measure(int64_t burst)
{
	const struct timespec nap = { 0, 20000000 };
	double loud;
	int64_t at;

	while (line_now() < burst + (int64_t)LATEST) {
		say(line_now() + (int64_t)AHEAD, burst);
		(void)nanosleep(&nap, NULL);
	}
	at = find(burst, &loud);
	if (loud < BURST_AMPLITUDE / 4.0)
		printf("lost\n");
	else
		printf("%.2f\n", (double)(at - burst - (int64_t)BURST / 2) *
					 1000.0 / LINE_HZ);
	(void)fflush(stdout);
}

int main(int argc, char *argv[])
{
	if (argc != 4)
		return 2;
	mouth = line_open(argv[1]);
	ear = line_open(argv[2]);
	if (!mouth || !ear)
		return 1;
	said = line_now();
	for (unsigned i = 0; i < strtoul(argv[3], NULL, 10) + 2; i++)
		/* 7 ms more each time: all phases of a 20 ms beat. */
		measure(said + (int64_t)AHEAD +
			(int64_t)(i * 7 % 20 * (LINE_HZ / 1000)));
	return 0;
}
