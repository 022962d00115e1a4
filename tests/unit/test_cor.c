/* SPDX-License-Identifier: MIT */

/* The receiver, rule by rule. */

#include "radio/cor.h"

#include <errno.h>

#include "tests/t.h"

#define MS UINT64_C(1000)
#define S UINT64_C(1000000)
#define COR ((unsigned)COR_IN_COR)
#define CTCSS ((unsigned)COR_IN_CTCSS)
#define VOX ((unsigned)COR_IN_VOX)

static struct cor made(struct cor_config config)
{
	struct cor c;

	if (config.stuck_s == 0)
		config.stuck_s = COR_STUCK_S;
	if (!(config.all | config.any))
		config.all = COR;
	T_EQ(0, cor_init(&c, &config));
	return c;
}

static void values_out_of_range_are_refused(void)
{
	const struct cor_config good = { .all = COR, .stuck_s = COR_STUCK_S };
	struct cor_config bad[12];
	struct cor c;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		bad[i] = good;
	bad[n++].all = 0;
	bad[n++].all = 8;
	bad[n++].any = 16;
	bad[n++].attack_ms = COR_ATTACK_MAX_MS + 1;
	bad[n++].release_ms = COR_RELEASE_MAX_MS + 1;
	bad[n++].tail_ms = COR_TAIL_MAX_MS + 1;
	bad[n++].kerchunk_ms = COR_KERCHUNK_MAX_MS + 1;
	bad[n++].kerchunk_idle_s = COR_KERCHUNK_IDLE_MAX_S + 1;
	bad[n++].stuck_s = 0;
	bad[n++].stuck_s = COR_STUCK_MIN_S - 1;
	bad[n++].stuck_s = COR_STUCK_MAX_S + 1;
	bad[n].attack_ms = 100;
	bad[n++].kerchunk_ms = 100;
	T_EQ(0, cor_init(&c, &good));
	T_EQ(0, cor_init(&c, &cor_config_default));
	for (size_t i = 0; i < n; i++) {
		T_EQ(-EINVAL, cor_init(&c, &bad[i]));
		cor_input(&c, COR | CTCSS | VOX, S);
		T_TRUE(!cor_open(&c) && !cor_up(&c));
		T_EQ(COR_NEVER, cor_deadline(&c));
	}
}

static void inputs_are_combined_as_configured(void)
{
	static const struct {
		unsigned all, any;
		const char *open; /* for inputs 0 to 7 */
	} rows[] = {
		{ COR, 0, "01010101" },
		{ CTCSS, 0, "00110011" },
		{ 0, VOX, "00001111" },
		{ COR | CTCSS, 0, "00010001" },
		{ 0, COR | CTCSS, "01110111" },
		{ COR, CTCSS | VOX, "00010101" },
		{ COR | CTCSS | VOX, 0, "00000001" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cor c = made((struct cor_config){ .all = rows[i].all,
							 .any = rows[i].any });

		for (unsigned in = 0; in < 8; in++) {
			cor_input(&c, in, in);
			T_EQ(rows[i].open[in] == '1', cor_up(&c));
		}
	}
}

static void a_level_counts_once_it_has_lasted(void)
{
	struct cor c =
		made((struct cor_config){ .attack_ms = 50, .release_ms = 200 });

	T_EQ(COR_NEVER, cor_deadline(&c));
	cor_input(&c, COR, 1 * S);
	T_TRUE(!cor_up(&c));
	T_EQ(1 * S + 50 * MS, cor_deadline(&c));
	cor_input(&c, COR, 1 * S + 20 * MS);
	T_EQ(1 * S + 50 * MS, cor_deadline(&c));
	cor_tick(&c, 1 * S + 50 * MS);
	T_TRUE(cor_up(&c));
	T_EQ(1 * S + COR_STUCK_S * S, cor_deadline(&c));

	/* A short dropout is bridged, a long one is not. */
	cor_input(&c, 0, 2 * S);
	cor_input(&c, COR, 2 * S + 199 * MS);
	T_TRUE(cor_up(&c));
	cor_input(&c, 0, 3 * S);
	cor_input(&c, COR, 3 * S + 200 * MS);
	T_TRUE(!cor_up(&c));
	cor_tick(&c, 4 * S);
	T_TRUE(cor_up(&c));
	T_EQ(2, c.counters.overs);
	cor_reset(&c, 5 * S);
	T_TRUE(!cor_up(&c) && !cor_open(&c));
	T_EQ(COR_NEVER, cor_deadline(&c));
}

static void without_delays_it_is_the_level(void)
{
	struct cor c = made((struct cor_config){ 0 });

	cor_input(&c, COR, 7);
	T_TRUE(cor_up(&c) && cor_plays(&c, 7));
	T_EQ(0, cor_delay_us(&c));
	cor_input(&c, 0, 8);
	T_TRUE(!cor_up(&c) && !cor_plays(&c, 8));
}

static void the_tail_stays_in_the_line(void)
{
	struct cor c =
		made((struct cor_config){ .release_ms = 100, .tail_ms = 180 });

	T_EQ(180 * MS, cor_delay_us(&c));
	cor_input(&c, COR, 1 * S);
	T_TRUE(cor_up(&c));
	/* What was in the line before it opened is noise. */
	T_TRUE(!cor_plays(&c, 1 * S + 180 * MS - 1));
	T_TRUE(cor_plays(&c, 1 * S + 180 * MS));
	cor_input(&c, 0, 3 * S);
	T_TRUE(cor_plays(&c, 3 * S + 100 * MS - 1));
	cor_tick(&c, 3 * S + 100 * MS);
	/* The 80 ms before it shut have not come out. */
	T_TRUE(!cor_plays(&c, 3 * S + 100 * MS));
	T_TRUE(!cor_up(&c));

	/* An over shorter than the tail is all tail. */
	cor_input(&c, COR, 4 * S);
	cor_input(&c, 0, 4 * S + 50 * MS);
	cor_tick(&c, 4 * S + 150 * MS);
	T_TRUE(!cor_up(&c) && !cor_plays(&c, 4 * S + 200 * MS));
}

static const struct cor_config kerchunk = {
	.attack_ms = 20,
	.release_ms = 60,
	.tail_ms = 100,
	.kerchunk_ms = 500,
	.kerchunk_idle_s = 60,
};

static void nobody_hears_of_a_kerchunk(void)
{
	struct cor c = made(kerchunk);

	for (uint64_t at = 1 * S; at < 100 * S; at += 2 * S) {
		cor_input(&c, COR, at);
		cor_tick(&c, at + 400 * MS);
		T_TRUE(cor_open(&c) && !cor_up(&c));
		cor_input(&c, 0, at + 499 * MS);
		cor_tick(&c, at + 1 * S);
		T_TRUE(!cor_open(&c) && !cor_up(&c));
	}
	T_EQ(50, c.counters.kerchunks);
	T_EQ(0, c.counters.overs);
}

static void what_is_no_kerchunk_is_heard_whole_but_later(void)
{
	struct cor c = made(kerchunk);

	cor_input(&c, COR, 10 * S);
	T_EQ(10 * S + 20 * MS, cor_deadline(&c));
	cor_tick(&c, 10 * S + 20 * MS);
	T_EQ(10 * S + 500 * MS, cor_deadline(&c));
	cor_tick(&c, 10 * S + 500 * MS);
	T_TRUE(cor_up(&c));
	T_EQ(600 * MS, cor_delay_us(&c));
	T_TRUE(!cor_plays(&c, 10 * S + 600 * MS - 1));
	T_TRUE(cor_plays(&c, 10 * S + 600 * MS));
	cor_input(&c, 0, 12 * S);
	cor_tick(&c, 12 * S + 60 * MS);
	T_TRUE(!cor_open(&c) && cor_up(&c));
	/* Received until 12 S + 60 ms less the tail, and heard 600 ms later. */
	T_EQ(12 * S + 560 * MS, cor_deadline(&c));
	T_TRUE(cor_plays(&c, 12 * S + 560 * MS - 1));
	cor_tick(&c, 12 * S + 560 * MS);
	T_TRUE(!cor_up(&c));

	/* The next, soon after, is not held back; and after a minute it is. */
	cor_input(&c, COR, 20 * S);
	cor_tick(&c, 20 * S + 20 * MS);
	T_TRUE(cor_up(&c));
	T_EQ(100 * MS, cor_delay_us(&c));
	cor_input(&c, 0, 21 * S);
	cor_input(&c, COR, 81 * S + 60 * MS);
	cor_tick(&c, 81 * S + 200 * MS);
	T_TRUE(cor_open(&c) && !cor_up(&c));
}

/* It drops out at the moment that would prove it: it must come back first. */
static void an_over_that_flutters_waits_for_its_proof(void)
{
	struct cor c = made(kerchunk);

	cor_input(&c, COR, 10 * S);
	cor_input(&c, 0, 10 * S + 480 * MS);
	cor_tick(&c, 10 * S + 520 * MS);
	T_TRUE(!cor_up(&c));
	cor_input(&c, COR, 10 * S + 530 * MS);
	T_TRUE(cor_up(&c));
	T_EQ(630 * MS, cor_delay_us(&c));

	c = made(kerchunk);
	cor_input(&c, COR, 10 * S);
	cor_input(&c, 0, 10 * S + 480 * MS);
	cor_tick(&c, 11 * S);
	T_TRUE(!cor_up(&c));
	T_EQ(1, c.counters.kerchunks);
}

static void an_over_that_begins_while_another_is_still_heard_is_heard_too(void)
{
	struct cor c = made(kerchunk);

	cor_input(&c, COR, 10 * S);
	cor_input(&c, 0, 12 * S);
	cor_input(&c, COR, 12 * S + 200 * MS);
	cor_tick(&c, 12 * S + 220 * MS);
	T_EQ(600 * MS, cor_delay_us(&c));
	T_TRUE(cor_plays(&c, 12 * S + 559 * MS));
	T_TRUE(!cor_plays(&c, 12 * S + 561 * MS));
	cor_tick(&c, 12 * S + 561 * MS);
	T_TRUE(cor_up(&c));
	T_TRUE(!cor_plays(&c, 12 * S + 799 * MS));
	T_TRUE(cor_plays(&c, 12 * S + 800 * MS));
	T_EQ(2, c.counters.overs);
}

/* More than can be told apart run together; none of them is lost. */
static void a_flutter_of_overs_in_the_line_runs_together(void)
{
	struct cor c = made((struct cor_config){ .kerchunk_ms = 2000 });
	uint64_t heard_ms = 0;

	cor_input(&c, COR, 10 * S);
	cor_input(&c, 0, 12 * S);
	for (uint64_t i = 0; i < 10; i++) {
		cor_input(&c, COR, 12 * S + (100 * i + 50) * MS);
		cor_input(&c, 0, 12 * S + (100 * i + 60) * MS);
	}
	T_EQ(11, c.counters.overs);
	for (uint64_t at = 13 * S; at < 20 * S; at += 1 * MS) {
		cor_tick(&c, at);
		heard_ms += cor_plays(&c, at);
	}
	/* From 13 S on: the rest of the first, two more, and the gaps of the
	 * last eight. */
	T_EQ(1000 + 2 * 10 + 7 * 100 + 10, heard_ms);
	T_TRUE(!cor_up(&c));
}

static void an_over_that_is_all_tail_is_not_up(void)
{
	struct cor_config config = kerchunk;
	struct cor c;

	config.tail_ms = 1000;
	c = made(config);
	cor_input(&c, COR, 10 * S);
	cor_input(&c, 0, 10 * S + 940 * MS);
	T_TRUE(cor_up(&c));
	cor_tick(&c, 11 * S);
	T_TRUE(!cor_up(&c));
}

static void a_stuck_receiver_is_not_believed_until_it_shuts(void)
{
	struct cor c =
		made((struct cor_config){ .release_ms = 100, .stuck_s = 30 });

	cor_input(&c, COR, 1 * S);
	/* Flutter does not help it. */
	for (uint64_t at = 2 * S; at < 30 * S; at += 1 * S) {
		cor_input(&c, 0, at);
		cor_input(&c, COR, at + 99 * MS);
	}
	cor_tick(&c, 31 * S - 1);
	T_TRUE(cor_up(&c) && !cor_stuck(&c));
	cor_tick(&c, 31 * S);
	T_TRUE(!cor_up(&c) && !cor_open(&c) && cor_stuck(&c));
	T_TRUE(!cor_plays(&c, 31 * S));
	T_EQ(COR_NEVER, cor_deadline(&c));
	cor_tick(&c, 3000 * S);
	T_TRUE(!cor_up(&c));
	cor_input(&c, 0, 3000 * S);
	cor_input(&c, COR, 3000 * S + 99 * MS);
	T_TRUE(cor_stuck(&c) && !cor_up(&c));
	cor_input(&c, 0, 3001 * S);
	cor_tick(&c, 3001 * S + 100 * MS);
	T_TRUE(!cor_stuck(&c));
	cor_input(&c, COR, 3002 * S);
	T_TRUE(cor_up(&c));
	T_EQ(1, c.counters.stuck);
}

static void a_receiver_that_goes_takes_its_audio_along(void)
{
	struct cor c = made(kerchunk);

	cor_input(&c, COR, 10 * S);
	cor_tick(&c, 12 * S);
	T_TRUE(cor_plays(&c, 12 * S));
	cor_reset(&c, 12 * S);
	T_TRUE(!cor_up(&c) && !cor_open(&c) && !cor_plays(&c, 12 * S));
	T_EQ(COR_NEVER, cor_deadline(&c));
	/* Its silence begins here. */
	cor_input(&c, COR, 13 * S);
	cor_tick(&c, 13 * S + 20 * MS);
	T_TRUE(cor_up(&c));
}

int main(void)
{
	T_RUN(values_out_of_range_are_refused);
	T_RUN(inputs_are_combined_as_configured);
	T_RUN(a_level_counts_once_it_has_lasted);
	T_RUN(without_delays_it_is_the_level);
	T_RUN(the_tail_stays_in_the_line);
	T_RUN(nobody_hears_of_a_kerchunk);
	T_RUN(what_is_no_kerchunk_is_heard_whole_but_later);
	T_RUN(an_over_that_flutters_waits_for_its_proof);
	T_RUN(an_over_that_begins_while_another_is_still_heard_is_heard_too);
	T_RUN(a_flutter_of_overs_in_the_line_runs_together);
	T_RUN(an_over_that_is_all_tail_is_not_up);
	T_RUN(a_stuck_receiver_is_not_believed_until_it_shuts);
	T_RUN(a_receiver_that_goes_takes_its_audio_along);
	return T_DONE();
}
