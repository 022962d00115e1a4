/* SPDX-License-Identifier: MIT */

#include "audio/wsola.h"

#include <string.h>

#define ALIKE_PERCENT 50 /* of a perfect match: as much as it takes to join */
#define QUIET 64         /* mean amplitude below which anything can be joined */

struct likeness {
	int64_t dot;
	int64_t energy; /* of the one that moves */
};

static struct likeness compare(const int16_t *a, const int16_t *b, size_t n)
{
	struct likeness l = { 0, 0 };

	for (size_t i = 0; i < n; i++) {
		l.dot += (int64_t)a[i] * b[i];
		l.energy += (int64_t)b[i] * b[i];
	}
	return l;
}

/* dot / sqrt(energy) as far as its order goes, without the root. */
static double score(const struct likeness *l)
{
	const double dot = (double)l->dot;

	if (l->dot <= 0 || l->energy == 0)
		return 0;
	return dot * dot / (double)l->energy;
}

/* Compares @pcm with what is @dir * lag samples away from it. */
static uint32_t best_lag(const int16_t *pcm, size_t n, ptrdiff_t dir,
			 uint32_t most, double *best)
{
	uint32_t lag = most;

	*best = 0;
	for (uint32_t k = WSOLA_LAG_MIN; k <= most; k++) {
		const struct likeness l =
			compare(pcm, pcm + dir * (ptrdiff_t)k, n);
		const double s = score(&l);

		if (s > *best) {
			*best = s;
			lag = k;
		}
	}
	return lag;
}

uint32_t wsola_lag_back(const int16_t *pcm, size_t n)
{
	double best;

	return best_lag(pcm, n, -1, WSOLA_LAG_MAX, &best);
}

/* Where @pcm can be joined to itself; 0: nowhere. */
static uint32_t find_join(const int16_t *pcm, size_t n, uint32_t most)
{
	double best, energy;
	uint32_t lag;

	if (n < WSOLA_NEED || most < WSOLA_LAG_MIN)
		return 0;
	energy = (double)compare(pcm, pcm, WSOLA_JOIN).energy;
	lag = best_lag(pcm, WSOLA_JOIN, 1, most, &best);
	if (energy < (double)QUIET * QUIET * WSOLA_JOIN)
		return lag;
	return best * 10000 < energy * ALIKE_PERCENT * ALIKE_PERCENT ? 0 : lag;
}

/* Overlap-add: @to leads over from @from. */
static void join(int16_t *to, const int16_t *from)
{
	for (int32_t i = 0; i < (int32_t)WSOLA_JOIN; i++)
		to[i] = (int16_t)(from[i] + (to[i] - from[i]) * (i + 1) /
						    ((int32_t)WSOLA_JOIN + 1));
}

size_t wsola_shrink(int16_t *pcm, size_t n, size_t most)
{
	const uint32_t lag = find_join(
		pcm, n, most < WSOLA_LAG_MAX ? (uint32_t)most : WSOLA_LAG_MAX);

	if (lag == 0)
		return n;
	join(pcm + lag, pcm);
	memmove(pcm, pcm + lag, (n - lag) * sizeof(pcm[0]));
	return n - lag;
}

size_t wsola_stretch(int16_t *pcm, size_t n, size_t cap)
{
	const uint32_t lag = find_join(pcm, n, WSOLA_LAG_MAX);
	int16_t after[WSOLA_JOIN];

	if (lag == 0 || cap < n + lag)
		return n;
	/* What follows the stretch leads over to its beginning. */
	memcpy(after, pcm + lag, sizeof(after));
	memmove(pcm + lag, pcm, n * sizeof(pcm[0]));
	join(pcm + lag, after);
	return n + lag;
}
