/* SPDX-License-Identifier: MIT */
#ifndef TESTS_T_H
#define TESTS_T_H

/*
 * Checks that stay on under NDEBUG, print both values and stop at once, and a
 * TAP line for each test function: T_RUN() them, end with T_DONE().
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T_EQ(want, got)                                                       \
	do {                                                                  \
		const uint64_t t_w = (uint64_t)(want), t_g = (uint64_t)(got); \
		if (t_w != t_g)                                               \
			t_fail(__FILE__, __LINE__, #got, t_w, t_g);           \
	} while (0)
#define T_TRUE(expr) T_EQ(1, !!(expr))
#define T_STR(want, got)                                                  \
	do {                                                              \
		const char *t_ws = (want), *t_gs = (got);                 \
		if (strcmp(t_ws, t_gs) != 0)                              \
			t_fail_str(__FILE__, __LINE__, #got, t_ws, t_gs); \
	} while (0)

static int t_count;

#define T_RUN(fn)                                       \
	do {                                            \
		t_current = #fn;                        \
		fn();                                   \
		printf("ok %d - %s\n", ++t_count, #fn); \
		fflush(stdout);                         \
	} while (0)
#define T_DONE() (printf("1..%d\n", t_count), EXIT_SUCCESS)

static const char *t_current = "";

_Noreturn static inline void t_die(void)
{
	printf("not ok %d - %s\n", t_count + 1, t_current);
	fflush(stdout);
	abort();
}

_Noreturn static inline void t_fail(const char *file, int line,
				    const char *what, uint64_t want,
				    uint64_t got)
{
	fprintf(stderr, "%s:%d: %s: want %" PRIu64 ", got %" PRIu64 "\n", file,
		line, what, want, got);
	t_die();
}

_Noreturn static inline void t_fail_str(const char *file, int line,
					const char *what, const char *want,
					const char *got)
{
	fprintf(stderr, "%s:%d: %s: want \"%s\", got \"%s\"\n", file, line,
		what, want, got);
	t_die();
}

/* An exact-size heap copy, so that ASan faults on a one-octet over-read. */
static inline uint8_t *t_dup(const uint8_t *src, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	for (size_t i = 0; i < len; i++)
		copy[i] = src[i];
	return copy;
}

#endif
