/* SPDX-License-Identifier: MIT */

/*
 * Receiver, delay lines, duplex mode and transmitter in a row, as in a
 * repeater: what people say must come out of it.
 */

#include "radio/cor.h"
#include "radio/delay.h"
#include "radio/duplex.h"
#include "radio/ptt.h"
#include "tests/t.h"

#define MS UINT64_C(1000)
#define RATE 8U /* samples in 1 ms */
#define BEGIN_MS UINT64_C(100000)

/* --- the line ----------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

/* Sample @n of all that were put; silence before the first. */
static int16_t sample(int64_t n)
{
	return (int16_t)(n < 0 ? 0 : n * 7919 % 30011 + 1);
}

static void a_line_gives_what_was_put(void)
{
	enum { MAX = 1000 };
	struct delay *d = delay_new(MAX);
	int16_t block[960];
	uint32_t seed = 1;
	int64_t put = 0;

	T_TRUE(d != NULL);
	for (unsigned round = 0; round < 500; round++) {
		const size_t n = 1 + next_random(&seed) % 960;
		const size_t back = next_random(&seed) % (MAX + 1);

		for (size_t i = 0; i < n; i++)
			block[i] = sample(put++);
		delay_put(d, block, n);
		delay_get(d, back, block, n);
		for (size_t i = 0; i < n; i++)
			T_EQ(sample(put - (int64_t)(back + n - i)), block[i]);
	}
	delay_clear(d);
	delay_get(d, 0, block, 960);
	for (size_t i = 0; i < 960; i++)
		T_EQ(0, block[i]);
	T_TRUE(!delay_free(d));
	T_TRUE(!delay_free(NULL));
}

static void beyond_a_line_is_silence(void)
{
	struct delay *d = delay_new(0);
	int16_t block[960], ones[960];

	for (size_t i = 0; i < 960; i++)
		ones[i] = 1;
	delay_put(d, ones, 960);
	delay_get(d, 0, block, 960);
	T_EQ(0, memcmp(ones, block, sizeof(ones)));
	delay_get(d, 100, block, 960);
	T_EQ(0, block[99]);
	T_EQ(1, block[100]);
	for (size_t back = 960; back < 5000; back += 13) {
		delay_get(d, back, block, 10);
		T_EQ(0, block[0] + block[9]);
	}
	delay_get(d, SIZE_MAX, block, 10);
	T_EQ(0, block[0]);
	T_TRUE(!delay_free(d));
	T_TRUE(!delay_new(SIZE_MAX));
}

/* --- a repeater --------------------------------------------------------- */

struct repeater {
	struct cor cor;
	struct ptt ptt;
	enum duplex_mode mode;
	struct delay *rx, *tx;
	uint64_t ms;       /* since BEGIN_MS */
	bool on_air;       /* PTT is on */
	int16_t air[RATE]; /* what this millisecond sounds like */
};

static const struct cor_config rx_config = {
	.all = COR_IN_COR,
	.attack_ms = 20,
	.release_ms = 60,
	.tail_ms = 100,
	.kerchunk_ms = 400,
	.kerchunk_idle_s = 5,
	.stuck_s = COR_STUCK_S,
};

static const struct ptt_config tx_config = {
	.timeout_s = 60,
	.hang_ms = 500,
	.key_up_ms = 150,
	.courtesy_wait_ms = 100,
	.courtesy_ms = 200,
	.ctcss_off_ms = 150,
	.ctcss = true,
};

static struct repeater repeater(enum duplex_mode mode)
{
	struct repeater r = {
		.mode = mode,
		.rx = delay_new((size_t)COR_DELAY_MAX_MS * RATE),
		.tx = delay_new((size_t)PTT_KEY_UP_MAX_MS * RATE),
	};

	T_TRUE(r.rx && r.tx);
	T_EQ(0, cor_init(&r.cor, &rx_config));
	T_EQ(0, ptt_init(&r.ptt, &tx_config));
	return r;
}

static void repeater_done(struct repeater *r)
{
	r->rx = delay_free(r->rx);
	r->tx = delay_free(r->tx);
}

/* One millisecond: the receiver is @open and says @said. */
static void step(struct repeater *r, bool open, const int16_t said[RATE])
{
	const uint64_t now = (BEGIN_MS + r->ms++) * MS;
	struct duplex_in in = { 0 };
	struct duplex_out out;
	int16_t mix[RATE] = { 0 };

	cor_input(&r->cor, open ? COR_IN_COR : 0, now);
	delay_put(r->rx, said, RATE);
	in.received = cor_open(&r->cor);
	in.heard = cor_up(&r->cor);
	out = duplex_decide(r->mode, &in);
	if (out.repeat && cor_plays(&r->cor, now))
		delay_get(r->rx, cor_delay_us(&r->cor) / MS * RATE, mix, RATE);
	ptt_force_off(&r->ptt, out.hold_off, now);
	ptt_demand(&r->ptt, out.demand, now);
	delay_put(r->tx, mix, RATE);
	memset(r->air, 0, sizeof(r->air));
	if (ptt_plays(&r->ptt, now))
		delay_get(r->tx, (size_t)tx_config.key_up_ms * RATE, r->air,
			  RATE);
	r->on_air = ptt_keyed(&r->ptt);
}

/* Somebody holds the key for @held_ms, after @idle_ms; long enough passes that
 * all is heard.  Returns the number of samples that were, in order. */
static uint64_t over(struct repeater *r, uint32_t idle_ms, uint32_t held_ms)
{
	uint64_t heard = 0;
	int16_t said[RATE] = { 0 };

	for (uint32_t i = 0; i < idle_ms; i++)
		step(r, false, said);
	for (uint32_t i = 0; i < held_ms + 4000; i++) {
		for (uint32_t k = 0; k < RATE; k++)
			said[k] = sample((int64_t)i * RATE + k);
		/* Noise from an open squelch follows it, and is not heard. */
		step(r, i < held_ms, said);
		for (uint32_t k = 0; k < RATE; k++) {
			if (r->air[k] == 0)
				continue;
			T_TRUE(r->on_air);
			T_EQ(sample((int64_t)heard), r->air[k]);
			heard++;
		}
	}
	T_TRUE(!r->on_air);
	return heard;
}

/* Of an over all but its last 40 ms: the line is that much longer than the
 * release. */
#define CUT_MS 40U

static void every_sample_of_an_over_is_repeated_once(void)
{
	struct repeater r = repeater(DUPLEX_FULL);
	uint32_t seed = 3;

	for (unsigned i = 0; i < 60; i++) {
		const uint32_t held = 400 + next_random(&seed) % 2000;
		/* Some follow a long silence, and wait for their proof. */
		const uint32_t idle = next_random(&seed) % 6000;

		T_EQ((uint64_t)(held - CUT_MS) * RATE, over(&r, idle, held));
	}
	T_EQ(60, r.cor.counters.overs);
	repeater_done(&r);
}

static void a_tap_on_the_key_does_not_key_the_repeater(void)
{
	struct repeater r = repeater(DUPLEX_FULL);
	static const int16_t noise[RATE] = { 1, 1, 1, 1, 1, 1, 1, 1 };

	for (unsigned i = 0; i < 50; i++) {
		for (unsigned ms = 0; ms < 3000; ms++) {
			step(&r, ms < 399, noise);
			T_TRUE(!r.on_air);
		}
	}
	T_EQ(50, r.cor.counters.kerchunks);
	repeater_done(&r);
}

static void without_repeat_only_the_carrier_comes(void)
{
	struct repeater r = repeater(DUPLEX_FULL_NO_REPEAT);

	T_EQ(0, over(&r, 0, 2000));
	T_EQ(1, r.cor.counters.overs);
	repeater_done(&r);
	r = repeater(DUPLEX_HALF);
	T_EQ(0, over(&r, 0, 2000));
	T_EQ(1, r.cor.counters.overs);
	repeater_done(&r);
}

/* Flutter, taps, long overs, and a receiver that sticks. */
static void nothing_received_keys_it_for_longer_than_the_limit(void)
{
	static const uint32_t lengths[] = { 30, 150, 900, 9000, 120000 };
	static const int16_t noise[RATE] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	struct repeater r = repeater(DUPLEX_FULL);
	uint32_t seed = 9, want_ms = 0, rest_ms = 0;
	bool open = false;

	for (unsigned i = 0; i < 250; i++) {
		uint32_t ms = 1 + next_random(&seed) %
					  lengths[next_random(&seed) % 5];

		for (; ms > 0; ms--) {
			step(&r, open, noise);
			/* Demand without a rest counts as one. */
			rest_ms = cor_up(&r.cor) ? 0 : rest_ms + 1;
			want_ms = rest_ms >= PTT_REST_MS ? 0 : want_ms + 1;
			T_TRUE(!r.on_air || want_ms <= 60000);
			/* The longest end: the line, hang time, the tone. */
			T_TRUE(!r.on_air || rest_ms <= 150 + 500 + 150);
		}
		open = !open;
	}
	T_TRUE(r.cor.counters.overs > 20);
	repeater_done(&r);
}

int main(void)
{
	T_RUN(a_line_gives_what_was_put);
	T_RUN(beyond_a_line_is_silence);
	T_RUN(every_sample_of_an_over_is_repeated_once);
	T_RUN(a_tap_on_the_key_does_not_key_the_repeater);
	T_RUN(without_repeat_only_the_carrier_comes);
	T_RUN(nothing_received_keys_it_for_longer_than_the_limit);
	return T_DONE();
}
