/* SPDX-License-Identifier: MIT */

/* A router that is asked for a port, by PCP (RFC 6887) and NAT-PMP
 * (RFC 6886): which of the two, and what the operator is told. */

#include "tests/t.h"
#include "tests/virtual/portmap_scene.h"

static void pcp_opens_the_port(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .pcp = true, .natpmp = true });
	T_EQ(PORTMAP_ASKING, view(&s).state);
	run(&s, 10 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_EQ(PORTMAP_PCP, view(&s).method);
	T_TRUE(is_at(&s, &outside));
	T_EQ(LIFE - 10, view(&s).lifetime_s);
	T_EQ(PORTMAP_CHANGE_MAPPED, s.change);
	T_EQ(1, s.pcp_n);
	T_EQ(PORT, s.last_suggested.port);
	/* NAT-PMP made none beside it. */
	T_EQ(0, s.natpmp_map_n);
	T_EQ(PORTMAP_NONE,
	     portmap_view_method(&s.m, PORTMAP_NATPMP, s.now).state);
	end(&s);
}

static void an_old_router_gets_nat_pmp(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .natpmp = true });
	run(&s, 500 * MONO_MS);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_EQ(PORTMAP_NATPMP, view(&s).method);
	T_TRUE(is_at(&s, &outside));
	T_EQ(1, s.natpmp_map_n);
	T_EQ(1, s.pcp_n);
	end(&s);
}

static void a_router_deaf_to_pcp_gets_nat_pmp_after_a_second(void)
{
	struct scene s;
	struct dgram d;

	begin(&s, (struct gateway){ .natpmp = true });
	/* PCP's first request is nowhere. */
	T_TRUE(dgram_queue_pop(s.tx, &d));
	T_EQ(2, d.data[0]);
	run(&s, 900 * MONO_MS);
	T_EQ(PORTMAP_ASKING, view(&s).state);
	run(&s, 200 * MONO_MS);
	T_EQ(PORTMAP_NATPMP, view(&s).method);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);
}

static void a_refusal_is_told_and_respected(void)
{
	struct scene s;

	begin(&s, (struct gateway){ .pcp = true,
				    .pcp_error = PCP_NOT_AUTHORIZED,
				    .lifetime_s = 600 });
	run(&s, 590 * MONO_S);
	T_EQ(1, s.pcp_n);
	T_EQ(PORTMAP_REFUSED, view(&s).state);
	T_STR("the router does not allow it", view(&s).why);
	T_TRUE(s.change & PORTMAP_CHANGE_REFUSED);
	run(&s, 20 * MONO_S);
	T_EQ(2, s.pcp_n);
	s.gw.pcp_error = 0;
	run(&s, 620 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	end(&s);

	begin(&s, (struct gateway){ .natpmp = true, .natpmp_error = 2 });
	run(&s, 10 * MONO_S);
	T_EQ(PORTMAP_REFUSED, view(&s).state);
	T_STR("the router does not allow it",
	      portmap_view_method(&s.m, PORTMAP_NATPMP, s.now).why);
	end(&s);
}

static void ipv6_gets_a_pinhole_by_pcp_only(void)
{
	const struct net_addr gw = { .ip = { 0xfe, 0x80, [15] = 1 } };
	const struct net_addr own = { .ip = { 0x20, 1, 0xd, 0xb8, [15] = 2 } };
	struct gateway g = { .pcp = true, .natpmp = true };
	struct scene s;

	g.external = own;
	g.external.port = PORT;
	begin_at(&s, &g, &gw, &own);
	run(&s, 60 * MONO_S);
	T_EQ(PORTMAP_MAPPED, view(&s).state);
	T_TRUE(is_at(&s, &g.external));
	T_EQ(0, s.natpmp_addr_n);
	end(&s);
}

static void states_have_words(void)
{
	T_STR("none", portmap_state_text(PORTMAP_NONE));
	T_STR("private", portmap_state_text(PORTMAP_PRIVATE));
	T_STR("PCP", portmap_method_text(PORTMAP_PCP));
	T_STR("NAT-PMP", portmap_method_text(PORTMAP_NATPMP));
}

int main(void)
{
	T_RUN(pcp_opens_the_port);
	T_RUN(an_old_router_gets_nat_pmp);
	T_RUN(a_router_deaf_to_pcp_gets_nat_pmp_after_a_second);
	T_RUN(a_refusal_is_told_and_respected);
	T_RUN(ipv6_gets_a_pinhole_by_pcp_only);
	T_RUN(states_have_words);
	return T_DONE();
}
