/* SPDX-License-Identifier: MIT */

/* The jitter buffer with other units than the octets of G.711. */

#include <stdlib.h>

#include "tests/unit/jitter_bench.h"

#define GSM 2U
#define WIDE 0x8000U

/* Octet @i of unit @n. */
static uint8_t octet_of(uint32_t n, uint32_t i)
{
	return (uint8_t)(n * 41 + i * 3 + 1);
}

/* @count units, the first of them number @n. */
static enum jitter_put put_units(uint32_t ts, const struct jitter_unit *unit,
				 uint32_t n, uint32_t count, bool spurt)
{
	struct jitter_in in = { .ts_ms = ts,
				.format = unit->ms == 1 ? WIDE : GSM,
				.unit = *unit,
				.len = (size_t)count * unit->octets,
				.spurt = spurt };
	uint8_t *codes = malloc(in.len > 0 ? in.len : 1);
	enum jitter_put got;

	T_TRUE(codes != NULL);
	for (uint32_t i = 0; i < in.len; i++)
		codes[i] = octet_of(n + i / unit->octets, i % unit->octets);
	in.codes = codes;
	got = jitter_put(&j, &in, now);
	free(codes);
	return got;
}

static void is_units(const struct jitter_unit *unit, uint32_t n)
{
	T_EQ(JITTER_WHOLE, block.valid);
	for (uint32_t i = 0; i < 20U / unit->ms * unit->octets; i++)
		T_EQ(octet_of(n + i / unit->octets, i % unit->octets),
		     block.codes[i]);
}

static void units_of_any_size_come_out_as_they_went_in(void)
{
	static const struct jitter_unit units[] = { { 20, 33 },  { 20, 1 },
						    { 20, 640 }, { 1, 1 },
						    { 1, 32 },   { 1, 4 } };

	for (size_t k = 0; k < 6; k++) {
		const struct jitter_unit *u = &units[k];
		const uint32_t a_block = 20U / u->ms;
		uint32_t played = 0;

		/* Frames of 40 ms, for longer than the ring. */
		reset(60, 200);
		for (uint32_t n = 0; n < 200; n++) {
			if (n % 2 == 0)
				T_EQ(JITTER_KEPT,
				     put_units(20 * n + 7, u, n * a_block,
					       2 * a_block, n == 0));
			if (get() != JITTER_FRAME)
				continue;
			is_units(u, played * a_block);
			played++;
		}
		T_TRUE(played >= 196);
		T_EQ(0, j.counters.lost + j.counters.late);
	}
}

static void a_unit_of_20_ms_is_played_whole_or_not_at_all(void)
{
	uint32_t seed = 5, whole = 0;

	reset(40, 200);
	for (uint32_t n = 0; n < 20000; n++) {
		const uint32_t r = next_random(&seed) % 64;
		/* Stamps that wander, stalls, and losses. */
		const uint32_t ts = 20 * n + next_random(&seed) % 40;

		if (r != 0)
			(void)put_units(ts, &gsm_unit, n, 1 + r % 3, r == 1);
		if (r == 2)
			now += next_random(&seed) % 400 * MS;
		if (get() == JITTER_FRAME) {
			T_EQ(JITTER_WHOLE, block.valid);
			whole++;
		}
	}
	T_TRUE(whole > 10000);
	T_TRUE(j.counters.skipped_ms > 0);
}

static void stamps_off_the_grid_by_a_constant_lose_nothing(void)
{
	uint32_t played = 0;

	reset(60, 200);
	for (uint32_t n = 0; n < 100; n++) {
		/* From the 50th on, 13 ms later. */
		const uint32_t ts = 20 * n + (n >= 50 ? 13 : 0);

		T_EQ(JITTER_KEPT, put_units(ts, &gsm_unit, n, 1, n == 0));
		played += get() == JITTER_FRAME;
	}
	T_TRUE(played >= 96);
	T_EQ(0, j.counters.late + j.counters.duplicates);
}

/* Anything at any time, in units that change with the format: every frame has
 * one fate, and a block of large units is whole or not. */
static void arbitrary_units_do_no_harm(void)
{
	uint64_t puts = 0, kept = 0;
	uint32_t seed = 99;

	reset(0, 500);
	for (uint32_t i = 0; i < 300000; i++) {
		const uint32_t r = next_random(&seed);
		const bool wide = next_random(&seed) % 4 == 0;
		uint32_t ts = (uint32_t)(now / MS) + r % 300 - 150;

		if (r % 100 == 0)
			ts = next_random(&seed) << 8 ^ r;
		if (r % 8 < 6) {
			puts++;
			kept += put_units(ts, wide ? &wide_unit : &gsm_unit, 0,
					  r / 8 % (wide ? 62 : 5),
					  r % 50 == 0) == JITTER_KEPT;
		} else if (get() == JITTER_FRAME && block.format == GSM) {
			T_EQ(JITTER_WHOLE, block.valid);
		}
		if (r % 200 == 0)
			jitter_end(&j);
		if (r % 5000 == 0)
			now += (uint64_t)r * 100 * MS;
	}
	T_EQ(puts, j.counters.frames);
	T_EQ(puts, kept + j.counters.late + j.counters.duplicates +
			   j.counters.overflow + j.counters.refused);
	T_TRUE(j.counters.played > 1000);
}

int main(void)
{
	T_RUN(units_of_any_size_come_out_as_they_went_in);
	T_RUN(a_unit_of_20_ms_is_played_whole_or_not_at_all);
	T_RUN(stamps_off_the_grid_by_a_constant_lose_nothing);
	T_RUN(arbitrary_units_do_no_harm);
	return T_DONE();
}
