/* SPDX-License-Identifier: MIT */

/* A router that starts anew, or another one: the port is made again, and no
 * flood of announcements hurries it. */

#include "tests/t.h"
#include "tests/virtual/portmap_scene.h"

static void made_again_when_the_pcp_epoch_goes_back(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .pcp = true });
	run(&s, 100 * MONO_S);
	announce(&s);
	run(&s, 6 * MONO_S);
	T_EQ(1, s.pcp_n); /* all is as it was */
	s.gw.booted = s.now;
	announce(&s);
	run(&s, 6 * MONO_S);
	T_EQ(2, s.pcp_n);
	T_TRUE(view(&s).lifetime_s >= LIFE - 6);
	/* A clock that runs ahead is as bad (section 8.5). */
	s.gw.booted -= 30 * MONO_S;
	announce(&s);
	run(&s, 6 * MONO_S);
	T_EQ(3, s.pcp_n);
	T_EQ(PORTMAP_CHANGE_MAPPED, s.change);
	end(&s);
}

static void a_restarted_router_that_stays_silent_has_no_mapping(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .pcp = true });
	run(&s, 100 * MONO_S);
	s.gw.booted = s.now;
	announce(&s);
	s.gw.pcp = false;
	run(&s, 40 * MONO_S);
	T_TRUE(s.change & PORTMAP_CHANGE_LOST);
	end(&s);
}

static void made_again_when_the_nat_pmp_epoch_goes_back(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .natpmp = true });
	run(&s, 100 * MONO_S);
	say_address(&s);
	run(&s, 6 * MONO_S);
	T_EQ(1, s.natpmp_map_n);
	s.gw.booted = s.now;
	s.gw.external = net_addr_v4(198, 51, 100, 9, 40009);
	s.change = 0;
	say_address(&s);
	T_TRUE(s.change & PORTMAP_CHANGE_MAPPED);
	run(&s, 6 * MONO_S);
	T_EQ(2, s.natpmp_map_n);
	T_TRUE(is_at(&s, &s.gw.external));
	end(&s);
}

static void a_router_that_starts_late_is_asked_by_pcp_again(void)
{
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	run(&s, 1600 * MONO_MS);
	s.gw.pcp = s.gw.natpmp = true;
	run(&s, 400 * MONO_MS);
	T_EQ(PORTMAP_PCP, view(&s).method);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_EQ(0, s.natpmp_map_n);
	end(&s);
}

static void an_announcement_awakens_who_waits_but_no_flood_hurries_it(void)
{
	struct scene s;
	unsigned asked;

	begin(&s, (struct gateway){ 0 });
	run(&s, 3600 * MONO_S);
	asked = s.pcp_n;
	for (unsigned i = 0; i < 1000; i++) {
		announce(&s);
		run(&s, 10 * MONO_MS);
	}
	T_TRUE(s.pcp_n - asked >= 1 && s.pcp_n - asked <= 5);
	s.gw.pcp = true;
	run(&s, 6 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);
}

static void an_announcement_awakens_nat_pmp_too(void)
{
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	run(&s, 300 * MONO_S);
	T_EQ(PORTMAP_STEP_REST, s.m.ask[PORTMAP_NATPMP].step);
	s.gw.natpmp = true;
	say_address(&s);
	run(&s, 8 * MONO_S);
	T_EQ(PORTMAP_NATPMP, view(&s).method);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);
}

static void a_pcp_announcement_makes_nat_pmp_renew(void)
{
	struct scene s;
	struct dgram d;

	begin(&s, (struct gateway){ .natpmp = true });
	/* PCP's request is nowhere, so PCP stands back. */
	T_TRUE(dgram_queue_pop(s.tx, &d));
	run(&s, 10 * MONO_S);
	T_EQ(1, s.natpmp_map_n);
	announce(&s);
	run(&s, 5 * MONO_S);
	T_EQ(2, s.natpmp_map_n);
	end(&s);
}

static void another_network_is_asked_anew(void)
{
	const struct net_addr none = { 0 };
	struct scene s;
	uint8_t was[PORTMAP_NONCE_LEN];

	begin(&s, (struct gateway){ .pcp = true });
	run(&s, 10 * MONO_S);
	memcpy(was, s.last_nonce, sizeof(was));
	T_EQ(0, portmap_gateway(&s.m, &s.gw_addr, &own4, s.now));
	T_EQ(PORTMAP_CHANGE_LOST, portmap_gateway(&s.m, &none, &none, s.now));
	T_EQ(PORTMAP_NONE, view(&s).state);
	T_EQ(MONO_NEVER, portmap_deadline(&s.m));
	s.gw_addr = net_addr_v4(10, 0, 0, 1, PORTMAP_PORT);
	T_EQ(0, portmap_gateway(&s.m, &s.gw_addr, &own4, s.now));
	run(&s, MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_TRUE(memcmp(was, s.last_nonce, sizeof(was)) != 0);
	end(&s);
}

int main(void)
{
	T_RUN(made_again_when_the_pcp_epoch_goes_back);
	T_RUN(a_restarted_router_that_stays_silent_has_no_mapping);
	T_RUN(made_again_when_the_nat_pmp_epoch_goes_back);
	T_RUN(a_router_that_starts_late_is_asked_by_pcp_again);
	T_RUN(an_announcement_awakens_who_waits_but_no_flood_hurries_it);
	T_RUN(an_announcement_awakens_nat_pmp_too);
	T_RUN(a_pcp_announcement_makes_nat_pmp_renew);
	T_RUN(another_network_is_asked_anew);
	return T_DONE();
}
