/* SPDX-License-Identifier: MIT */

/* Calls over a network that loses, repeats and reorders. */

#include "tests/virtual/call_world.h"

#include "tests/t.h"

static void texts_arrive_once_and_in_order(const struct call_world *w,
					   unsigned texts)
{
	for (int i = 0; i < PARTIES; i++) {
		T_EQ(texts, w->p[i].texts);
		T_EQ(0, w->p[i].texts_wrong);
		T_EQ(0, w->p[i].voices_wrong);
	}
}

/* A fifth of all packets lost, a tenth twice, a fifth out of order. */
static void foul_weather_with_hundreds_of_seeds(void)
{
	const struct fake_weather foul = {
		.delay = 40 * MONO_MS,
		.jitter = 20 * MONO_MS,
		.loss = 200,
		.duplicate = 100,
		.reorder = 200,
		.reorder_delay = 120 * MONO_MS,
	};
	unsigned up[DIAL_KINDS] = { 0 };
	uint64_t most = 0;

	for (unsigned seed = 0; seed < 400; seed++) {
		struct call_world w;
		uint64_t sent;

		call_world_init(&w, seed, &foul);
		if (call_world_dial_as(&w, seed % DIAL_KINDS)) {
			up[seed % DIAL_KINDS]++;
			call_world_talk(&w, 40, 30 * MONO_S);
			texts_arrive_once_and_in_order(&w, 40);
			(void)call_world_hangup(&w, (int)(seed / 4 % 2));
		} else {
			(void)call_world_hangup(&w, ALICE);
			(void)call_world_hangup(&w, BOB);
		}
		call_world_run(&w, 60 * MONO_S);
		call_world_is_empty(&w);
		sent = fake_net_counters(w.net, BOB)->sent;
		most = sent > most ? sent : most;
		call_world_done(&w);
	}
	(void)fprintf(stderr,
		      "# up of 100: ticket %u, MD5 %u, Ed25519 %u, plain %u; "
		      "packets of the callee at most %u\n",
		      up[0], up[1], up[2], up[3], (unsigned)most);
	T_TRUE(up[0] >= 98);
	for (int i = 1; i < 4; i++)
		T_TRUE(up[i] >= 85);
	T_TRUE(most < 1000);
}

struct lose_nth {
	uint64_t nth;
	int from; /* of this party's packets; -1: of all */
	uint64_t seen;
};

static bool lose_nth(void *ctx, const struct fake_packet *p)
{
	struct lose_nth *l = ctx;

	return (l->from >= 0 && p->from != l->from) || ++l->seen != l->nth;
}

static void any_one_packet_may_be_lost(void)
{
	for (unsigned i = 0; i < 4 * 2 * 60; i++) {
		struct lose_nth l = { .nth = 1 + i / 8,
				      .from = (int)(i / 4 % 2) };
		struct call_world w;

		call_world_init(&w, i, NULL);
		fake_net_hook(w.net, lose_nth, &l);
		T_TRUE(call_world_dial_as(&w, i % 4));
		/* One repetition is enough for the dial. */
		T_TRUE(w.p[ALICE].up_at < 1000 * MONO_S + 1300 * MONO_MS);
		T_TRUE(i % 4 != DIAL_TICKET ||
		       w.p[ALICE].up_at < 1000 * MONO_S + 320 * MONO_MS);
		call_world_talk(&w, 10, 5 * MONO_S);
		texts_arrive_once_and_in_order(&w, 10);
		T_EQ(IAX2_OK, call_world_hangup(&w, (int)(i % 2)));
		call_world_end(&w);
	}
}

static void sequence_numbers_wrap(void)
{
	const struct fake_weather drizzle = {
		.delay = 20 * MONO_MS,
		.loss = 30,
		.duplicate = 30,
		.reorder = 100,
		.reorder_delay = 50 * MONO_MS,
	};
	struct call_world w;

	call_world_init(&w, 7, &drizzle);
	T_TRUE(call_world_dial_as(&w, DIAL_PLAIN));
	call_world_talk(&w, 900, 200 * MONO_S);
	texts_arrive_once_and_in_order(&w, 900);
	T_EQ(IAX2_OK, call_world_hangup(&w, ALICE));
	call_world_end(&w);
}

static void time_stamps_wrap(void)
{
	struct call_world w;
	uint32_t ts = 64960;

	call_world_init(&w, 7, NULL);
	T_TRUE(call_world_dial_as(&w, DIAL_PLAIN));
	/* Past the wrap three times. */
	for (unsigned i = 0; i < 10000; i++) {
		T_TRUE(call_world_voice(&w, ALICE, ts, i == 0));
		call_world_run(&w, 20 * MONO_MS);
		ts += 20;
	}
	call_world_run(&w, MONO_S);
	T_EQ(10000, w.p[BOB].voices);
	T_EQ(0, w.p[BOB].voices_wrong);
	/* The first one, and one at each multiple of 32,768. */
	T_EQ(1 + 7, w.p[BOB].voices_full);
	T_EQ(ts - 20, w.p[BOB].voice_ts);
	T_EQ(IAX2_OK, call_world_hangup(&w, ALICE));
	call_world_end(&w);
}

int main(void)
{
	T_RUN(any_one_packet_may_be_lost);
	T_RUN(foul_weather_with_hundreds_of_seeds);
	T_RUN(sequence_numbers_wrap);
	T_RUN(time_stamps_wrap);
	return T_DONE();
}
