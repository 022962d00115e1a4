/* SPDX-License-Identifier: MIT */

/* Answers to a request for a port that are forged, senseless or useless. */

#include "tests/t.h"
#include "tests/virtual/portmap_scene.h"

static void strangers_are_not_believed(void)
{
	uint8_t forged[60] = { 2, 0x81, 0, 0, 0, 0, 28, 32 };
	struct scene s;
	struct dgram d = { .data = forged, .len = sizeof(forged) };

	begin(&s, (struct gateway){ 0 });
	drain(&s);
	memcpy(forged + 24, s.last_nonce, 12);
	forged[36] = 17;
	forged[40] = PORT >> 8;
	forged[41] = PORT & 255;
	forged[42] = 9;
	memcpy(forged + 44, outside.ip, 16);
	d.path.peer = net_addr_v4(192, 168, 1, 66, PORTMAP_PORT);
	T_EQ(0, portmap_rx(&s.m, &d, s.now));
	d.path.peer = s.gw_addr;
	forged[30] ^= 1; /* the nonce */
	T_EQ(0, portmap_rx(&s.m, &d, s.now));
	forged[30] ^= 1;
	forged[41] ^= 1; /* the port */
	T_EQ(0, portmap_rx(&s.m, &d, s.now));
	forged[41] ^= 1;
	d.len = 56;
	T_EQ(0, portmap_rx(&s.m, &d, s.now));
	T_EQ(PORTMAP_ASKING, view(&s).state);
	/* And the same, right in all, is. */
	d.len = 60;
	T_EQ(PORTMAP_CHANGE_MAPPED, portmap_rx(&s.m, &d, s.now));
	end(&s);
}

static void an_answer_without_sense_is_a_refusal(void)
{
	static const struct net_addr nowhere;
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	drain(&s);
	say_pcp_map(&s, PORT + 1, 100, &outside);
	T_EQ(PORTMAP_ASKING, view(&s).state);
	say_pcp_map(&s, PORT, 100, &nowhere);
	T_STR("the router's answer makes no sense",
	      portmap_view_method(&s.m, PORTMAP_PCP, s.now).why);
	/* It rests: what comes now was not asked for. */
	say_pcp_map(&s, PORT, 100, &outside);
	T_EQ(0, s.m.ask[PORTMAP_PCP].expires);
	end(&s);
}

static void an_address_of_the_other_family_is_a_refusal(void)
{
	static const struct net_addr other = { .ip = { 0x20, 1 }, .port = 9 };
	struct scene s;

	begin(&s, (struct gateway){ 0 });
	drain(&s);
	say_pcp_map(&s, PORT, 100, &other);
	T_EQ(0, s.m.ask[PORTMAP_PCP].expires);
	T_EQ(PORTMAP_STEP_REST, s.m.ask[PORTMAP_PCP].step);
	end(&s);
}

static void nat_pmp_answers_to_no_question_change_nothing(void)
{
	struct gateway pcp_only = { .pcp = true };
	struct scene s;

	begin(&s, pcp_only);
	run(&s, MONO_S);
	T_EQ(PORTMAP_PCP, view(&s).method);
	say_address(&s);
	s.gw.natpmp_error = NATPMP_NO_RESOURCES;
	say_address(&s);
	T_EQ(PORTMAP_PCP, view(&s).method);
	T_EQ(PORTMAP_NONE,
	     portmap_view_method(&s.m, PORTMAP_NATPMP, s.now).state);
	end(&s);
}

static void a_private_outside_is_not_offered(void)
{
	static const struct net_addr v6[] = { { .ip = { 0xfd, 1 } },
					      { .ip = { 0xfe, 0x80 } },
					      { .port = 1 } };
	const struct net_addr a[] = {
		net_addr_v4(10, 1, 2, 3, 9),      net_addr_v4(100, 64, 0, 1, 9),
		net_addr_v4(100, 127, 255, 9, 9), net_addr_v4(172, 31, 0, 1, 9),
		net_addr_v4(192, 168, 9, 9, 9),   net_addr_v4(192, 0, 0, 8, 9),
		net_addr_v4(169, 254, 1, 1, 9),   net_addr_v4(0, 0, 0, 0, 9),
	};
	const struct net_addr open[] = {
		net_addr_v4(100, 128, 0, 1, 9),
		net_addr_v4(172, 32, 0, 1, 9),
		net_addr_v4(192, 0, 1, 1, 9),
		{ .ip = { 0x2a, 1 } },
	};
	struct scene s;

	for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++) {
		begin(&s, (struct gateway){ .pcp = i % 2,
					    .natpmp = true,
					    .external = a[i] });
		run(&s, 10 * MONO_S);
		T_EQ(PORTMAP_PRIVATE, view(&s).state);
		T_STR("a router behind the carrier's NAT", view(&s).why);
		end(&s);
	}
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		T_TRUE(portmap_is_public(&open[i]));
	for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++)
		T_TRUE(!portmap_is_public(&v6[i]));
}

int main(void)
{
	T_RUN(strangers_are_not_believed);
	T_RUN(an_answer_without_sense_is_a_refusal);
	T_RUN(an_address_of_the_other_family_is_a_refusal);
	T_RUN(nat_pmp_answers_to_no_question_change_nothing);
	T_RUN(a_private_outside_is_not_offered);
	return T_DONE();
}
