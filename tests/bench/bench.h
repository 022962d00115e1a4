/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

/*
 * What benchmark programs share: processor time, the best of several rounds,
 * and figures printed for people or, with --json, as one object.
 *
 * Processor time of this thread, so that what else the machine does counts as
 * little as possible; the best round, for what disturbs only ever adds.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BENCH_ROUNDS 7

struct bench_figure {
	const char *name;
	double value;
	const char *unit; /* for people */
};

/* Seconds of processor time of this thread. */
static inline double bench_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Nanoseconds of one of the @n operations that one call of @round does. */
static inline double bench_ns(void (*round)(void *ctx), void *ctx, unsigned n)
{
	double best = 0;

	for (int i = 0; i < BENCH_ROUNDS; i++) {
		const double began = bench_now();
		double ns;

		round(ctx);
		ns = (bench_now() - began) * 1e9 / n;
		if (i == 0 || ns < best)
			best = ns;
	}
	return best;
}

static inline bool bench_wants_json(int argc, char *argv[])
{
	return argc > 1 && strcmp(argv[1], "--json") == 0;
}

static inline void bench_print(const char *name, const struct bench_figure *f,
			       size_t n, bool json)
{
	printf(json ? "{\"name\": \"%s\"" : "%s\n", name);
	for (size_t i = 0; i < n; i++) {
		if (json)
			printf(", \"%s\": %.6g", f[i].name, f[i].value);
		else
			printf("  %-24s %12.6g %s\n", f[i].name, f[i].value,
			       f[i].unit);
	}
	if (json)
		printf("}\n");
}

#endif
