/* SPDX-License-Identifier: MIT */

/* A port of a router's from the first request to the last: repeated when lost,
 * renewed in time, given back. */

#include "tests/t.h"
#include "tests/virtual/portmap_scene.h"

static void pcp_repeats_as_section_8_1_1_says(void)
{
	struct scene s;
	mono_us last = 0;

	begin(&s, (struct gateway){ 0 });
	run(&s, 3600 * MONO_S);
	T_TRUE(s.pcp_n >= 9);
	for (unsigned i = 1; i < s.pcp_n; i++) {
		const mono_us gap = s.pcp_at[i] - s.pcp_at[i - 1];
		mono_us rt = i == 1 ? 3 * MONO_S : 2 * last;

		rt = mono_min(rt, 1024 * MONO_S);
		T_TRUE(gap >= rt - rt / 10 && gap <= rt + rt / 10);
		last = gap;
	}
	T_EQ(PORTMAP_REFUSED, view(&s).state);
	T_STR("the router does not answer", view(&s).why);
	end(&s);
}

static void nat_pmp_repeats_from_250_ms_nine_times(void)
{
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	run(&s, 200 * MONO_S);
	T_EQ(9, s.natpmp_addr_n);
	for (unsigned i = 1; i < 9; i++)
		T_EQ((250 * MONO_MS) << (i - 1),
		     s.natpmp_at[i] - s.natpmp_at[i - 1]);
	/* And one day again. */
	run(&s, 1900 * MONO_S);
	T_TRUE(s.natpmp_addr_n > 9);
	end(&s);
}

static void lost_requests_are_repeated(void)
{
	struct scene s;

	for (unsigned lose = 0; lose < 8; lose++) {
		begin(&s, (struct gateway){
				  .pcp = true, .natpmp = true, .lose = lose });
		run(&s, 60 * MONO_S);
		T_EQ(PORTMAP_MAPPED, view(&s).state);
		/* One method only. */
		T_EQ(0, (s.m.ask[0].expires != 0) == (s.m.ask[1].expires != 0));
		end(&s);
	}
}

static void renewed_in_the_middle_of_its_life(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .pcp = true });
	run(&s, 3590 * MONO_S);
	T_EQ(1, s.pcp_n);
	run(&s, 920 * MONO_S);
	T_EQ(2, s.pcp_n);
	T_TRUE(net_addr_equal(&s.last_suggested, &outside));
	T_TRUE(view(&s).lifetime_s > 6000);
	/* A week without a gap. */
	s.change = 0;
	run(&s, 604800 * MONO_S);
	T_EQ(0, s.change);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);
}

static void a_silent_router_is_asked_at_each_half_and_lost_at_the_end(void)
{
	struct scene s;
	mono_us at, end_at;

	begin(&s, (struct gateway){ .pcp = true });
	run(&s, MONO_S);
	at = s.pcp_at[0];
	end_at = at + LIFE * MONO_S;
	s.gw.pcp = false;
	s.change = 0;
	run(&s, end_at - s.now - 1);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_EQ(0, s.change);
	T_TRUE(s.pcp_n >= 6);
	T_TRUE(s.pcp_at[1] - at >= 3600 * MONO_S &&
	       s.pcp_at[1] - at <= 4500 * MONO_S);
	T_TRUE(s.pcp_at[2] - at >= 5400 * MONO_S &&
	       s.pcp_at[2] - at <= 5850 * MONO_S);
	for (unsigned i = 1; i < s.pcp_n; i++)
		T_TRUE(s.pcp_at[i] - s.pcp_at[i - 1] >= 4 * MONO_S);
	run(&s, MONO_S);
	T_EQ(PORTMAP_CHANGE_LOST, s.change);
	T_EQ(PORTMAP_ASKING, view(&s).state);
	s.gw.pcp = true;
	run(&s, 60 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);
}

static void deleted_at_the_end(void)
{
	struct scene s;
	const struct gateway gw[] = { { .pcp = true }, { .natpmp = true } };

	for (size_t i = 0; i < 2; i++) {
		begin(&s, gw[i]);
		run(&s, 10 * MONO_S);
		s.change = 0;
		T_EQ(0, portmap_release(&s.m, s.now));
		s.gw.lose = 1;
		run(&s, 2 * MONO_S);
		T_EQ(0, s.last_lifetime_s);
		T_EQ(PORTMAP_CHANGE_RELEASED, s.change);
		T_EQ(PORTMAP_NONE, view(&s).state);
		T_EQ(MONO_NEVER, portmap_deadline(&s.m));
		end(&s);
	}
	/* A router that went away does not hold us. */
	begin(&s, gw[0]);
	run(&s, 10 * MONO_S);
	s.gw.pcp = false;
	s.change = 0;
	T_EQ(0, portmap_release(&s.m, s.now));
	run(&s, 1500 * MONO_MS);
	T_EQ(PORTMAP_CHANGE_RELEASED, s.change);
	end(&s);
	/* Nothing was asked: nothing to wait for. */
	portmap_init(&s.m, &(struct portmap_cfg){ .port = PORT });
	T_EQ(PORTMAP_CHANGE_RELEASED, portmap_release(&s.m, 5));
}

static void a_lifetime_without_end_is_a_day(void)
{
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	drain(&s);
	say_pcp_map(&s, PORT, UINT32_MAX, &outside);
	T_EQ(86400, view(&s).lifetime_s);
	end(&s);
}

int main(void)
{
	T_RUN(pcp_repeats_as_section_8_1_1_says);
	T_RUN(nat_pmp_repeats_from_250_ms_nine_times);
	T_RUN(lost_requests_are_repeated);
	T_RUN(renewed_in_the_middle_of_its_life);
	T_RUN(a_silent_router_is_asked_at_each_half_and_lost_at_the_end);
	T_RUN(deleted_at_the_end);
	T_RUN(a_lifetime_without_end_is_a_day);
	return T_DONE();
}
