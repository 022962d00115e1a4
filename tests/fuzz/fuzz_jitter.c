/* SPDX-License-Identifier: MIT */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audio/jitter.h"
#include "audio/playout.h"

#define STEP 8U /* octets of input for each thing that happens */
#define BEGIN_US 1000000U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct jitter j;
	struct playout p;
	uint64_t now;
};

static const struct jitter_unit units[] = {
	{ 1, 8 }, { 20, 33 }, { 1, 32 }, { 20, 640 }, { 0, 0 }, { 7, 9 },
};

static void put(struct run *r, const uint8_t *d)
{
	static const uint8_t codes[JITTER_FRAME_MAX_MS * JITTER_OCTETS_PER_MS +
				   JITTER_OCTETS_PER_MS];
	const size_t kind = d[1] % (sizeof(units) / sizeof(units[0]));
	const struct jitter_in in = {
		.ts_ms = (uint32_t)d[2] << 24 | (uint32_t)d[3] << 16 |
			 (uint32_t)d[4] << 8 | d[5],
		.format = (uint32_t)kind,
		.unit = units[kind],
		.codes = codes,
		.len = (size_t)d[6] * units[kind].octets < sizeof(codes)
			       ? (size_t)d[6] * units[kind].octets
			       : sizeof(codes),
		.spurt = (d[7] & 1) != 0,
	};
	/* An arrival is stamped up to a second before it is told. */
	const uint64_t late = (uint64_t)(d[7] >> 1) * 8000;

	(void)jitter_put(&r->j, &in, r->now - late);
}

/* Property: where nothing is valid there is nothing; more than is played
 * cannot be held; a block is given for each that is asked for. */
static void tick(struct run *r)
{
	int16_t pcm[PLAYOUT_BLOCK] = { 0 };
	struct jitter_block b;

	while (playout_wants(&r->p)) {
		const enum jitter_get got = jitter_get(&r->j, r->now, &b);

		if ((got == JITTER_FRAME) != (b.valid != 0))
			abort();
		for (size_t i = 0; b.valid == 0 && i < sizeof(b.codes); i++) {
			if (b.codes[i] != 0)
				abort();
		}
		if (got == JITTER_IDLE)
			break;
		playout_put(&r->p, pcm, b.valid, b.advice);
		if (r->p.n > PLAYOUT_MAX)
			abort();
	}
	(void)playout_take(&r->p, pcm);
	if (r->j.target_ms > JITTER_DELAY_MAX_MS || r->p.n >= PLAYOUT_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;

	if (size < 1)
		return 0;
	memset(&r, 0, sizeof(r));
	r.now = BEGIN_US;
	if (jitter_init(&r.j, &(struct jitter_config){ .min_ms = data[0] % 60,
						       .max_ms = 400 }) != 0)
		abort();
	playout_reset(&r.p);
	for (size_t at = 1; at + STEP <= size; at += STEP) {
		const uint8_t *d = data + at;

		switch (d[0] % 4) {
		case 0:
		case 1:
			put(&r, d);
			break;
		case 2:
			r.now += (uint64_t)d[1] << (d[2] % 20);
			break;
		default:
			jitter_end(&r.j);
			break;
		}
		for (uint32_t ticks = d[0] / 64; ticks > 0; ticks--) {
			r.now += 20000;
			tick(&r);
		}
	}
	return 0;
}
