/* SPDX-License-Identifier: MIT */

/* A fob that is kept safe, keyed and looked for, against a simulated one whose
 * transfers take a millisecond. */

#include "radio/fob_machine.h"

#include "tests/t.h"

#define MS 1000U
#define S 1000000U
#define TRANSFER MS

struct scene {
	struct fob_machine m;
	uint64_t now;
	enum fob_do doing; /* in flight */
	uint64_t ends;
	/* The fob. */
	bool plugged;
	enum fob_stage refused; /* what looking ends in, when it is plugged */
	bool pin;               /* as it is driven */
	bool deaf;              /* takes writes and does nothing */
	int shows;              /* -1: the pin, else always this level */
	unsigned failing;       /* transfers to fail yet */
	bool keyed_level;
	/* What was seen. */
	unsigned looks, writes, reads, closes, edges;
	const char *warning;
};

static struct scene new_scene(void)
{
	struct scene s = { .now = 5 * S,
			   .plugged = true,
			   .refused = FOB_STAGE_OPENING,
			   .shows = -1,
			   .keyed_level = true };

	fob_machine_init(&s.m, s.now);
	return s;
}

static void drive(struct scene *s)
{
	const bool level = s->m.sent == s->keyed_level;

	if (s->deaf)
		return;
	s->edges += level != s->pin;
	s->pin = level;
}

static void finish(struct scene *s)
{
	const bool ok = s->plugged && s->failing == 0;

	if (s->failing > 0)
		s->failing--;
	if (s->doing == FOB_DO_WRITE) {
		if (ok)
			drive(s);
		fob_machine_wrote(&s->m, ok, s->now);
	} else {
		fob_machine_read(&s->m, ok, s->shows < 0 ? s->pin : s->shows,
				 s->keyed_level, s->now);
	}
	s->doing = FOB_DO_NOTHING;
}

static void begin(struct scene *s)
{
	const char *warning;

	switch (fob_machine_next(&s->m, s->now)) {
	case FOB_DO_NOTHING:
		break;
	case FOB_DO_LOOK:
		s->looks++;
		fob_machine_looked(&s->m,
				   s->plugged ? s->refused : FOB_STAGE_ABSENT,
				   s->now);
		break;
	case FOB_DO_CLOSE:
		s->closes++;
		fob_machine_lost(&s->m, s->now);
		break;
	case FOB_DO_WRITE:
		s->writes++;
		s->doing = FOB_DO_WRITE;
		s->ends = s->now + TRANSFER;
		break;
	case FOB_DO_READ:
		s->reads++;
		s->doing = FOB_DO_READ;
		s->ends = s->now + TRANSFER;
		break;
	}
	warning = fob_machine_warning(&s->m);
	if (warning)
		s->warning = warning;
}

static void run(struct scene *s, uint64_t us)
{
	const uint64_t end = s->now + us;

	for (;;) {
		const uint64_t due = s->doing != FOB_DO_NOTHING
					     ? s->ends
					     : fob_machine_deadline(&s->m);

		if (due > end)
			break;
		if (due > s->now)
			s->now = due;
		if (s->doing != FOB_DO_NOTHING)
			finish(s);
		begin(s);
	}
	s->now = end;
}

static struct scene ready_scene(void)
{
	struct scene s = new_scene();

	run(&s, 100 * MS);
	T_EQ(FOB_STAGE_READY, s.m.stage);
	return s;
}

static void key(struct scene *s, bool keyed)
{
	fob_machine_key(&s->m, keyed, s->now);
	begin(s);
}

static void it_is_made_safe_twice_before_it_is_ready(void)
{
	struct scene s = new_scene();

	s.pin = true; /* who knows who left it so */
	fob_machine_key(&s.m, true, s.now);
	while (s.m.stage != FOB_STAGE_READY) {
		run(&s, 500);
		if (s.writes > 0 && s.doing == FOB_DO_NOTHING)
			T_TRUE(!s.pin || s.m.stage == FOB_STAGE_READY);
		T_TRUE(s.now < 6 * S);
	}
	T_TRUE(s.writes >= 2 && s.reads == 2);
	run(&s, 10 * MS);
	T_TRUE(s.pin); /* wanted all the while */
}

static void an_edge_goes_out_at_once_and_once_more(void)
{
	struct scene s = ready_scene();
	const unsigned writes = s.writes;

	key(&s, true);
	T_TRUE(fob_machine_output(&s.m));
	run(&s, TRANSFER);
	T_TRUE(s.pin);
	run(&s, 40 * MS);
	T_EQ(writes + 2, s.writes);
	key(&s, true);
	run(&s, 40 * MS);
	T_EQ(writes + 2, s.writes); /* the same again costs nothing */
	key(&s, false);
	run(&s, TRANSFER + FOB_SPACING_US);
	T_TRUE(!s.pin);
	T_EQ(2, s.edges);
}

static void it_is_hot_until_it_was_read_to_be_unkeyed(void)
{
	struct scene s = ready_scene();

	run(&s, 100 * MS);
	T_TRUE(!s.m.hot);
	key(&s, true);
	T_TRUE(s.m.hot);
	run(&s, 100 * MS);
	key(&s, false);
	s.failing = 3;
	run(&s, 8 * MS);
	T_TRUE(s.pin && s.m.hot);
	run(&s, 200 * MS);
	T_TRUE(!s.pin && !s.m.hot);
}

static void it_is_checked_again_and_again(void)
{
	struct scene s = ready_scene();
	unsigned reads;

	run(&s, 100 * MS);
	reads = s.reads;
	run(&s, 10 * S);
	T_TRUE(s.reads - reads >= 9 && s.reads - reads <= 10);
	key(&s, true);
	run(&s, 100 * MS);
	reads = s.reads;
	run(&s, 10 * S);
	T_TRUE(s.reads - reads >= 38 && s.reads - reads <= 40);
	/* Somebody else unkeyed it: it keys again. */
	s.pin = false;
	run(&s, 260 * MS);
	T_TRUE(s.pin);
}

static void an_edge_while_another_is_under_way(void)
{
	struct scene s = ready_scene();

	for (int i = 0; i < 100; i++) {
		key(&s, i % 2 == 0);
		run(&s, (uint64_t)(i * 37 % 9000));
	}
	run(&s, 50 * MS);
	T_TRUE(!s.pin && !s.m.want);
	T_TRUE(!s.m.hot);
	key(&s, true);
	key(&s, false);
	run(&s, 50 * MS);
	T_TRUE(!s.pin && !s.m.hot);
}

static void failures_are_tried_again_within_half_a_second(void)
{
	for (unsigned n = 1; n < 12; n++) {
		struct scene s = ready_scene();

		key(&s, true);
		run(&s, 100 * MS);
		s.failing = n;
		key(&s, false);
		run(&s, 500 * MS);
		T_TRUE(!s.pin);
		T_EQ(n >= FOB_FAILURES_MAX, s.closes);
		T_EQ(n, s.m.all_failures);
	}
}

static void one_that_never_answers_is_opened_anew_for_ever(void)
{
	struct scene s = ready_scene();

	s.failing = 1000000;
	key(&s, true);
	run(&s, 60 * S);
	T_TRUE(s.closes > 60);
	s.failing = 0;
	run(&s, S);
	T_EQ(FOB_STAGE_READY, s.m.stage);
	T_TRUE(s.pin);
}

static void one_that_is_pulled_is_looked_for_and_keyed_again(void)
{
	struct scene s = ready_scene();
	unsigned looks;

	key(&s, true);
	run(&s, 100 * MS);
	s.plugged = false;
	fob_machine_lost(&s.m, s.now);
	s.doing = FOB_DO_NOTHING;
	s.pin = false;
	T_TRUE(!s.m.hot && s.m.stage == FOB_STAGE_ABSENT);
	looks = s.looks;
	run(&s, 60 * S);
	T_TRUE(s.looks - looks >= 599 && s.looks - looks <= 601);
	s.plugged = true;
	run(&s, 200 * MS);
	T_TRUE(s.pin);
	T_EQ(FOB_STAGE_READY, s.m.stage);
}

static void news_of_the_bus_is_a_reason_to_look_at_once(void)
{
	struct scene s = new_scene();
	unsigned looks;

	s.m.look_us = S;
	s.plugged = false;
	run(&s, 10 * S + S / 2);
	T_TRUE(s.looks >= 11 && s.looks <= 12);
	/* A plug is many messages; all of them are few looks. */
	looks = s.looks;
	for (unsigned i = 0; i < 100; i++) {
		fob_machine_hint(&s.m, s.now);
		run(&s, 100);
	}
	T_TRUE(s.looks - looks >= 1 && s.looks - looks <= 2);
	run(&s, 100 * MS);
	s.plugged = true;
	fob_machine_hint(&s.m, s.now);
	run(&s, FOB_HINTED_US);
	T_EQ(FOB_STAGE_OPENING, s.m.stage);
	run(&s, 100 * MS);
	T_EQ(FOB_STAGE_READY, s.m.stage);
	/* One that is open is not looked for. */
	looks = s.looks;
	fob_machine_hint(&s.m, s.now);
	run(&s, 100 * MS);
	T_EQ(looks, s.looks);
}

static void what_came_during_a_look_is_looked_for_after_it(void)
{
	struct scene s = new_scene();

	s.m.look_us = 60 * S;
	T_EQ(FOB_DO_LOOK, fob_machine_next(&s.m, s.now));
	fob_machine_hint(&s.m, s.now + MS);
	T_EQ(FOB_DO_NOTHING, fob_machine_next(&s.m, s.now + MS));
	fob_machine_looked(&s.m, FOB_STAGE_ABSENT, s.now + 5 * MS);
	T_EQ(s.now + 5 * MS + FOB_HINTED_US, fob_machine_deadline(&s.m));
	run(&s, 100 * MS);
	T_EQ(FOB_STAGE_READY, s.m.stage);
	/* One that went may be back before it was noticed. */
	fob_machine_lost(&s.m, s.now);
	run(&s, 200 * MS);
	T_EQ(FOB_STAGE_READY, s.m.stage);
}

static void one_that_is_not_quite_there_is_looked_at_again_soon(void)
{
	struct scene s = new_scene();
	const uint64_t soon = s.now + 50 * MS;

	T_EQ(FOB_DO_LOOK, fob_machine_next(&s.m, s.now));
	fob_machine_looked(&s.m, FOB_STAGE_FAILED, s.now);
	fob_machine_look_at(&s.m, soon);
	T_EQ(soon, fob_machine_deadline(&s.m));
	fob_machine_look_at(&s.m, soon + S); /* never later */
	T_EQ(soon, fob_machine_deadline(&s.m));
}

static void one_that_is_held_is_asked_for_again(void)
{
	struct scene s = new_scene();

	s.refused = FOB_STAGE_FAILED;
	run(&s, 10 * S);
	T_EQ(FOB_STAGE_FAILED, s.m.stage);
	T_TRUE(s.looks >= 20 && s.looks <= 21 && s.writes == 0);
	s.refused = FOB_STAGE_OPENING;
	run(&s, S);
	T_EQ(FOB_STAGE_READY, s.m.stage);
}

static void a_pin_that_is_never_shown_is_warned_of_once(void)
{
	struct scene s = new_scene();

	s.shows = 0;
	run(&s, S);
	T_TRUE(!s.warning && s.m.stage == FOB_STAGE_READY);
	key(&s, true);
	run(&s, S);
	T_TRUE(s.pin && s.warning);
	T_TRUE(strstr(s.warning, "does not show its PTT pin"));
	s.warning = NULL;
	key(&s, false);
	run(&s, S);
	key(&s, true);
	run(&s, S);
	T_TRUE(s.pin && !s.warning && s.m.hot);
	key(&s, false);
	run(&s, S);
	T_TRUE(!s.pin && !s.m.hot);
}

static void a_pin_that_always_reads_high_does_not_keep_it_from_work(void)
{
	struct scene s = new_scene();

	s.shows = 1;
	run(&s, S);
	T_EQ(FOB_STAGE_READY, s.m.stage);
	T_TRUE(s.warning);
	key(&s, true);
	run(&s, 100 * MS);
	T_TRUE(s.pin);
	key(&s, false);
	run(&s, 100 * MS);
	T_TRUE(!s.pin);
}

static void one_that_does_not_unkey_is_told_until_it_does(void)
{
	struct scene s = ready_scene();

	key(&s, true);
	run(&s, 100 * MS);
	s.deaf = true;
	key(&s, false);
	run(&s, S);
	T_TRUE(s.warning && strstr(s.warning, "does not unkey"));
	T_TRUE(s.m.hot && s.m.all_mismatches > 20);
	s.deaf = false;
	run(&s, 30 * MS);
	T_TRUE(!s.pin);
	run(&s, 50 * MS);
	T_TRUE(!s.m.hot);
}

static void one_that_does_not_key_is_warned_of(void)
{
	struct scene s = ready_scene();

	key(&s, true);
	run(&s, 100 * MS);
	key(&s, false);
	run(&s, 100 * MS);
	s.deaf = true;
	key(&s, true);
	run(&s, S);
	T_TRUE(s.warning && strstr(s.warning, "does not key"));
	s.deaf = false;
	run(&s, S);
	T_TRUE(s.pin);
}

static void an_inverted_pin_is_the_same_the_other_way_round(void)
{
	struct scene s = new_scene();

	s.keyed_level = false;
	run(&s, 100 * MS);
	T_EQ(FOB_STAGE_READY, s.m.stage);
	T_TRUE(s.pin);
	key(&s, true);
	run(&s, 100 * MS);
	T_TRUE(!s.pin && s.m.hot);
	key(&s, false);
	run(&s, 100 * MS);
	T_TRUE(s.pin && !s.m.hot && !s.warning);
	T_EQ(0, s.m.all_mismatches);
}

/* --- lending ------------------------------------------------------------ */

/* From @now on, until it can be; with nothing else due for @us. */
static bool lends_within(struct scene *s, uint64_t us)
{
	const uint64_t end = s->now + us;

	while (!fob_machine_lend(&s->m, s->now)) {
		if (s->now >= end)
			return false;
		run(s, MS);
	}
	return true;
}

static void transfers_are_lent_and_what_was_written_is_written_again(void)
{
	struct scene s = ready_scene();
	unsigned writes;

	T_TRUE(lends_within(&s, 30 * MS));
	T_TRUE(!fob_machine_lend(&s.m, s.now));
	T_EQ(UINT64_MAX, fob_machine_deadline(&s.m));
	writes = s.writes;
	run(&s, 5 * S); /* not even a re-check */
	T_EQ(writes, s.writes);
	fob_machine_take_back(&s.m, s.now);
	run(&s, 10 * MS);
	T_EQ(writes + 1, s.writes);
	T_TRUE(!s.pin);
}

static void what_is_lent_comes_back_to_key(void)
{
	struct scene s = ready_scene();

	T_TRUE(lends_within(&s, 30 * MS));
	key(&s, true);
	T_TRUE(!s.pin);
	T_TRUE(s.m.hot);
	fob_machine_take_back(&s.m, s.now);
	run(&s, FOB_SPACING_US + TRANSFER);
	T_TRUE(s.pin);
}

static void a_fob_that_may_be_keyed_lends_nothing(void)
{
	struct scene s = new_scene();

	T_TRUE(!fob_machine_lend(&s.m, s.now));
	T_EQ(UINT64_MAX, fob_machine_lends_at(&s.m));
	s = ready_scene();
	key(&s, true);
	T_TRUE(!lends_within(&s, 2 * S));
	s.failing = 100; /* unkeyed, as far as we know */
	key(&s, false);
	T_TRUE(!lends_within(&s, 10 * MS));
	s.failing = 0;
	T_TRUE(lends_within(&s, 2 * S));
	T_TRUE(!s.pin);
}

int main(void)
{
	T_RUN(it_is_made_safe_twice_before_it_is_ready);
	T_RUN(an_edge_goes_out_at_once_and_once_more);
	T_RUN(it_is_hot_until_it_was_read_to_be_unkeyed);
	T_RUN(it_is_checked_again_and_again);
	T_RUN(an_edge_while_another_is_under_way);
	T_RUN(failures_are_tried_again_within_half_a_second);
	T_RUN(one_that_never_answers_is_opened_anew_for_ever);
	T_RUN(one_that_is_pulled_is_looked_for_and_keyed_again);
	T_RUN(news_of_the_bus_is_a_reason_to_look_at_once);
	T_RUN(what_came_during_a_look_is_looked_for_after_it);
	T_RUN(one_that_is_not_quite_there_is_looked_at_again_soon);
	T_RUN(one_that_is_held_is_asked_for_again);
	T_RUN(a_pin_that_is_never_shown_is_warned_of_once);
	T_RUN(a_pin_that_always_reads_high_does_not_keep_it_from_work);
	T_RUN(one_that_does_not_unkey_is_told_until_it_does);
	T_RUN(one_that_does_not_key_is_warned_of);
	T_RUN(an_inverted_pin_is_the_same_the_other_way_round);
	T_RUN(transfers_are_lent_and_what_was_written_is_written_again);
	T_RUN(what_is_lent_comes_back_to_key);
	T_RUN(a_fob_that_may_be_keyed_lends_nothing);
	return T_DONE();
}
