/* SPDX-License-Identifier: MIT */

/* A node measures its network (OPEN-OVER.md section 4.10): translators of every
 * kind that RFC 4787 knows, with loss; how rarely it PINGs then. */

#include <stdio.h>

#include "tests/t.h"
#include "tests/virtual/measure_scene.h"

#define MINUTE (60 * MONO_S)
#define HOUR (60 * MINUTE)

static const struct oo_measured *found(const struct measure_scene *s)
{
	return oo_node_measured(s->node);
}

/* --- kinds -------------------------------------------------------------- */

struct kind {
	struct fake_nat nat;
	enum oo_mapping mapping;
	enum oo_filtering filtering;
	enum oo_yes preserved;
	int delta;
};

#define MAP_I .mapping = OO_MAPPING_INDEPENDENT
#define MAP_A .mapping = OO_MAPPING_ADDRESS
#define MAP_AP .mapping = OO_MAPPING_ADDRESS_PORT
#define FILTER_I .filtering = OO_FILTERING_INDEPENDENT
#define FILTER_A .filtering = OO_FILTERING_ADDRESS
#define FILTER_AP .filtering = OO_FILTERING_ADDRESS_PORT

static const struct kind kinds[] = {
	{ { .preserve_port = true, .filtering = FAKE_FILTER_NONE },
	  MAP_I,
	  FILTER_I,
	  .preserved = OO_YES },
	{ { .filtering = FAKE_FILTER_NONE },
	  MAP_I,
	  FILTER_I,
	  .preserved = OO_YES_NO },
	{ { .preserve_port = true, .filtering = FAKE_FILTER_ADDRESS },
	  MAP_I,
	  FILTER_A,
	  .preserved = OO_YES },
	{ { .preserve_port = true, .filtering = FAKE_FILTER_ADDRESS_PORT },
	  MAP_I,
	  FILTER_AP,
	  .preserved = OO_YES },
	{ { .step = 1, .filtering = FAKE_FILTER_ADDRESS_PORT },
	  MAP_I,
	  FILTER_AP,
	  .preserved = OO_YES_NO,
	  .delta = 1 },
	{ { .mapping_by_address = true, .filtering = FAKE_FILTER_ADDRESS },
	  MAP_A,
	  FILTER_A,
	  .preserved = OO_YES_NO },
	{ { .mapping_by_peer = true, .filtering = FAKE_FILTER_ADDRESS_PORT },
	  MAP_AP,
	  FILTER_AP,
	  .preserved = OO_YES_NO },
	{ { .mapping_by_peer = true, .filtering = FAKE_FILTER_NONE },
	  MAP_AP,
	  FILTER_I,
	  .preserved = OO_YES_NO },
	{ { .mapping_by_peer = true,
	    .step = 1,
	    .filtering = FAKE_FILTER_ADDRESS_PORT },
	  MAP_AP,
	  FILTER_AP,
	  .preserved = OO_YES_NO,
	  .delta = 1 },
	{ { .mapping_by_peer = true,
	    .step = 4,
	    .filtering = FAKE_FILTER_ADDRESS_PORT },
	  MAP_AP,
	  FILTER_AP,
	  .preserved = OO_YES_NO,
	  .delta = 4 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void check_kind(const struct kind *k, uint64_t seed, unsigned loss)
{
	struct measure_scene s = { .seed = seed, .weather.loss = loss };
	struct fake_nat nat = k->nat;

	nat.outside = measure_outside;
	nat.hole_life = 60 * MONO_S;
	measure_scene_init(&s, &nat);
	measure_scene_run(&s, 2 * MINUTE);
	T_TRUE(found(&s)->at != 0);
	T_EQ(k->mapping, found(&s)->mapping);
	T_EQ(k->filtering, found(&s)->filtering);
	T_EQ(k->preserved, found(&s)->port_preserved);
	T_EQ(k->delta, found(&s)->delta);
	T_EQ(OO_IPV6_NONE, found(&s)->ipv6);
	T_TRUE(net_addr_same_ip(&measure_outside, &found(&s)->apparent));
	measure_scene_done(&s);
}

static void every_kind_of_translator_is_told(void)
{
	for (size_t i = 0; i < KINDS; i++)
		check_kind(&kinds[i], i + 1, 0);
}

static void loss_is_not_taken_for_filtering(void)
{
	for (size_t i = 0; i < KINDS; i++) {
		for (uint64_t seed = 1; seed <= 20; seed++)
			check_kind(&kinds[i], seed, 50);
	}
}

static void a_public_address_is_not_translated(void)
{
	struct measure_scene s = { .seed = 1 };

	measure_scene_init(&s, NULL);
	measure_scene_run(&s, MINUTE);
	T_EQ(OO_MAPPING_NONE, found(&s)->mapping);
	T_EQ(OO_FILTERING_INDEPENDENT, found(&s)->filtering);
	T_EQ(OO_YES, found(&s)->port_preserved);
	measure_scene_done(&s);
}

/* With one address less is known, and no more is said. */
static void one_address_tells_what_it_can(void)
{
	static const struct {
		enum oo_mapping mapping;
		enum oo_filtering filtering;
	} want[KINDS] = {
		[0] = { OO_MAPPING_NOT_PORT, OO_FILTERING_NOT_PORT },
		[2] = { OO_MAPPING_NOT_PORT, OO_FILTERING_NOT_PORT },
		[3] = { OO_MAPPING_NOT_PORT, OO_FILTERING_ADDRESS_PORT },
		[6] = { OO_MAPPING_ADDRESS_PORT, OO_FILTERING_ADDRESS_PORT },
	};

	for (size_t i = 0; i < KINDS; i++) {
		struct measure_scene s = { .seed = i, .one_address = true };
		struct fake_nat nat = kinds[i].nat;

		if (want[i].mapping == OO_MAPPING_UNKNOWN)
			continue;
		nat.outside = measure_outside;
		measure_scene_init(&s, &nat);
		measure_scene_run(&s, MINUTE);
		T_EQ(want[i].mapping, found(&s)->mapping);
		T_EQ(want[i].filtering, found(&s)->filtering);
		measure_scene_done(&s);
	}
}

static void ipv6_is_open_or_watched_over(void)
{
	static const struct {
		enum measure_v6 is;
		enum oo_ipv6 want;
	} cases[] = {
		{ V6_NONE, OO_IPV6_NONE },
		{ V6_OPEN, OO_IPV6_OPEN },
		{ V6_FIREWALLED, OO_IPV6_FIREWALLED },
	};

	for (size_t i = 0; i < 3; i++) {
		struct measure_scene s = { .seed = i, .v6 = cases[i].is };
		const struct fake_nat nat = { .outside = measure_outside };

		measure_scene_init(&s, &nat);
		measure_scene_run(&s, MINUTE);
		T_EQ(cases[i].want, found(&s)->ipv6);
		T_EQ(OO_MAPPING_INDEPENDENT, found(&s)->mapping);
		measure_scene_done(&s);
	}
}

/* --- the hole's life ---------------------------------------------------- */

static struct fake_nat lasting(unsigned life_s)
{
	return (struct fake_nat){ .outside = measure_outside,
				  .filtering = FAKE_FILTER_ADDRESS_PORT,
				  .hole_life = life_s * MONO_S };
}

static void check_life(unsigned life_s, uint64_t seed, unsigned loss)
{
	struct measure_scene s = { .seed = seed, .weather.loss = loss };
	const struct fake_nat nat = lasting(life_s);
	mono_us life;

	measure_scene_init(&s, &nat);
	measure_scene_run(&s, 10 * MINUTE);
	life = found(&s)->life[OO_V4];
	T_TRUE(!found(&s)->at_least[OO_V4]);
	T_TRUE(!found(&s)->living);
	/* Never too much; too little by a quarter of a step at most. */
	T_TRUE(life <= nat.hole_life);
	T_TRUE(life + nat.hole_life / 5 >= nat.hole_life);
	measure_scene_done(&s);
}

static void a_hole_s_life_is_found(void)
{
	static const unsigned lives[] = { 12, 15,  20,  25,  30, 40,
					  60, 100, 120, 150, 179 };

	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		check_life(lives[i], i + 1, 0);
		check_life(lives[i], i + 1, 30);
	}
}

static void a_hole_that_does_not_close_is_no_trouble(void)
{
	struct measure_scene s = { .seed = 3 };
	const struct fake_nat nat = lasting(0);

	measure_scene_init(&s, &nat);
	measure_scene_run(&s, 10 * MINUTE);
	T_EQ(180 * MONO_S, found(&s)->life[OO_V4]);
	T_TRUE(found(&s)->at_least[OO_V4]);
	T_EQ(120 * MONO_S, measure_scene_reg(&s)->hole[OO_V4].interval);
	measure_scene_done(&s);
}

static void a_firewall_s_life_is_its_own(void)
{
	struct measure_scene s = { .seed = 4,
				   .v6 = V6_FIREWALLED,
				   .v6_life = 30 * MONO_S };
	const struct fake_nat nat = lasting(120);

	measure_scene_init(&s, &nat);
	measure_scene_run(&s, 15 * MINUTE);
	T_TRUE(found(&s)->life[OO_V6] >= 25 * MONO_S);
	T_TRUE(found(&s)->life[OO_V6] <= 30 * MONO_S);
	T_TRUE(found(&s)->life[OO_V4] >= 100 * MONO_S);
	T_TRUE(measure_scene_reg(&s)->hole[OO_V6].interval <= 30 * MONO_S);
	T_TRUE(measure_scene_reg(&s)->hole[OO_V4].interval >= 85 * MONO_S);
	measure_scene_done(&s);
}

/* --- keeping alive ------------------------------------------------------ */

/* PINGs come rarely, and the hole never closes: the port stays for hours. */
static void pings_keep_the_hole_open_all_the_same(void)
{
	static const unsigned lives[] = { 15, 30, 60, 120 };

	for (size_t i = 0; i < 4; i++) {
		struct measure_scene s = { .seed = i, .weather.loss = 10 };
		const struct fake_nat nat = lasting(lives[i]);
		struct net_addr was;
		mono_us interval;

		measure_scene_init(&s, &nat);
		measure_scene_run(&s, 12 * MINUTE);
		was = measure_scene_reg(&s)->hole[OO_V4].apparent;
		interval = measure_scene_reg(&s)->hole[OO_V4].interval;
		T_TRUE(interval <= lives[i] * MONO_S);
		T_TRUE(interval >= lives[i] * MONO_S * 7 / 10);
		for (int minute = 0; minute < 300; minute++) {
			measure_scene_run(&s, MINUTE);
			T_TRUE(oo_registrar_is_online(s.registrar,
						      measure_scene_record(&s),
						      fake_net_now(s.net)));
		}
		T_TRUE(net_addr_equal(
			&was, &measure_scene_reg(&s)->hole[OO_V4].apparent));
		measure_scene_done(&s);
	}
}

static void a_lost_registrar_is_noticed_within_two_intervals(void)
{
	struct measure_scene s = { .seed = 5 };
	const struct fake_nat nat = lasting(60);
	mono_us interval;

	measure_scene_init(&s, &nat);
	measure_scene_run(&s, 12 * MINUTE);
	interval = measure_scene_reg(&s)->hole[OO_V4].interval;
	T_TRUE(interval > 40 * MONO_S);
	T_EQ(0, s.seen[OO_EV_UNREGISTERED]);
	fake_net_cut(s.net, s.slot[1], true);
	measure_scene_run(&s, 2 * interval);
	T_EQ(1, s.seen[OO_EV_UNREGISTERED]);
	measure_scene_done(&s);
}

static void a_node_that_vanishes_is_offline_in_its_own_time(void)
{
	struct measure_scene s = { .seed = 6 };
	const struct fake_nat nat = lasting(0);
	const struct oo_record *rec;

	measure_scene_init(&s, &nat);
	measure_scene_run(&s, 12 * MINUTE);
	rec = measure_scene_record(&s);
	fake_net_cut(s.net, s.slot[0], true);
	measure_scene_run(&s, 120 * MONO_S);
	T_TRUE(oo_registrar_is_online(s.registrar, rec, fake_net_now(s.net)));
	measure_scene_run(&s, 140 * MONO_S);
	T_TRUE(!oo_registrar_is_online(s.registrar, rec, fake_net_now(s.net)));
	T_TRUE(rec->session.id != 0);
	measure_scene_run(&s, 20 * MINUTE);
	T_EQ(0, rec->session.id);
	measure_scene_done(&s);
}

/* The live hole died although the other ones did not: that counts. */
static void a_hole_that_dies_all_the_same_is_believed(void)
{
	struct measure_scene s = { .seed = 7 };
	const struct fake_nat nat = lasting(0);
	mono_us before;

	measure_scene_init(&s, &nat);
	measure_scene_run(&s, 12 * MINUTE);
	before = measure_scene_reg(&s)->hole[OO_V4].interval;
	/* The same address, and another port. */
	fake_net_rebind(s.net, 0, fake_net_now(s.net), &measure_outside);
	measure_scene_run(&s, 5 * MINUTE);
	T_EQ(before * 2 / 3, measure_scene_reg(&s)->hole[OO_V4].interval);
	/* Measured again, and still. */
	T_TRUE(oo_node_measure(s.node, fake_net_now(s.net)));
	measure_scene_run(&s, 12 * MINUTE);
	T_EQ(before * 2 / 3, measure_scene_reg(&s)->hole[OO_V4].interval);
	measure_scene_done(&s);
}

/* --- when --------------------------------------------------------------- */

static void another_network_is_measured_anew(void)
{
	struct measure_scene s = { .seed = 9 };
	const struct fake_nat nat = lasting(30);
	const struct net_addr moved = net_addr_v4(203, 0, 113, 8, 1);

	measure_scene_init(&s, &nat);
	measure_scene_run(&s, 10 * MINUTE);
	T_EQ(1, s.seen[OO_EV_MEASURE]);
	T_TRUE(found(&s)->life[OO_V4] != 0);
	fake_net_rebind(s.net, 0, fake_net_now(s.net), &moved);
	measure_scene_run(&s, 40 * MONO_S);
	T_EQ(2, s.seen[OO_EV_MEASURE]);
	T_EQ(0, found(&s)->life[OO_V4]);
	T_EQ(15 * MONO_S, measure_scene_reg(&s)->hole[OO_V4].interval);
	/* And in the midst of it. */
	oo_node_network_changed(s.node, fake_net_now(s.net));
	measure_scene_run(&s, 10 * MINUTE);
	T_EQ(3, s.seen[OO_EV_MEASURE]);
	T_TRUE(found(&s)->life[OO_V4] != 0);
	T_TRUE(net_addr_same_ip(&moved, &found(&s)->apparent));
	measure_scene_done(&s);
}

static void a_registrar_that_does_not_help_is_left_alone(void)
{
	struct measure_scene s = { .seed = 10, .no_ends = true };
	const struct fake_nat nat = lasting(30);

	measure_scene_init(&s, &nat);
	measure_scene_run(&s, HOUR);
	T_EQ(0, s.seen[OO_EV_MEASURE]);
	T_TRUE(!oo_node_measure(s.node, fake_net_now(s.net)));
	T_EQ(0, oo_registrar_counters(s.registrar)->measures);
	T_EQ(15 * MONO_S, measure_scene_reg(&s)->hole[OO_V4].interval);
	measure_scene_done(&s);
}

static void a_node_without_sockets_tries_later(void)
{
	struct measure_scene s = { .seed = 11, .no_sockets = true };
	const struct fake_nat nat = lasting(30);

	measure_scene_init(&s, &nat);
	measure_scene_run(&s, MINUTE);
	T_EQ(1, s.seen[OO_EV_MEASURE]);
	T_TRUE(found(&s)->failed);
	s.no_sockets = false;
	measure_scene_run(&s, 20 * MINUTE);
	T_EQ(2, s.seen[OO_EV_MEASURE]);
	T_TRUE(!found(&s)->failed);
	T_TRUE(found(&s)->life[OO_V4] != 0);
	measure_scene_done(&s);
}

static void a_registrar_that_falls_silent_ends_it(void)
{
	static const unsigned at_s[] = { 3, 5, 8, 20, 60 };

	for (size_t i = 0; i < 5; i++) {
		struct measure_scene s = { .seed = i };
		const struct fake_nat nat = lasting(30);

		measure_scene_init(&s, &nat);
		measure_scene_run(&s, at_s[i] * MONO_S);
		fake_net_cut(s.net, s.slot[1], true);
		measure_scene_run(&s, 5 * MINUTE);
		T_TRUE(!found(&s)->running && !found(&s)->living);
		T_TRUE(!oo_node_uses_socket(s.node, 1));
		fake_net_cut(s.net, s.slot[1], false);
		measure_scene_run(&s, 30 * MINUTE);
		T_EQ(OO_FILTERING_ADDRESS_PORT, found(&s)->filtering);
		T_TRUE(found(&s)->life[OO_V4] != 0);
		measure_scene_done(&s);
	}
}

static bool no_measuring(void *ctx, const struct fake_packet *p)
{
	(void)ctx;
	return p->len <= 11 || p->data[11] != OO_MEASURE;
}

/* It is registered and hears nothing of what it asks, as after the registrar
 * began a new session: nothing was found, and it asks again soon. */
static void what_nobody_answers_is_not_found(void)
{
	struct measure_scene s = { .seed = 12 };
	const struct fake_nat nat = lasting(30);

	measure_scene_init(&s, &nat);
	fake_net_hook(s.net, no_measuring, NULL);
	measure_scene_run(&s, 5 * MINUTE);
	T_EQ(1, s.seen[OO_EV_MEASURE]);
	T_EQ(1, s.seen[OO_EV_MEASURED]);
	T_TRUE(found(&s)->failed);
	T_EQ(0, found(&s)->at);
	T_TRUE(!found(&s)->running && !found(&s)->living);
	fake_net_hook(s.net, NULL, NULL);
	measure_scene_run(&s, 20 * MINUTE);
	T_TRUE(!found(&s)->failed);
	T_TRUE(found(&s)->life[OO_V4] != 0);
	measure_scene_done(&s);
}

int main(void)
{
	T_RUN(every_kind_of_translator_is_told);
	T_RUN(loss_is_not_taken_for_filtering);
	T_RUN(a_public_address_is_not_translated);
	T_RUN(one_address_tells_what_it_can);
	T_RUN(ipv6_is_open_or_watched_over);
	T_RUN(a_hole_s_life_is_found);
	T_RUN(a_hole_that_does_not_close_is_no_trouble);
	T_RUN(a_firewall_s_life_is_its_own);
	T_RUN(pings_keep_the_hole_open_all_the_same);
	T_RUN(a_lost_registrar_is_noticed_within_two_intervals);
	T_RUN(a_node_that_vanishes_is_offline_in_its_own_time);
	T_RUN(a_hole_that_dies_all_the_same_is_believed);
	T_RUN(another_network_is_measured_anew);
	T_RUN(a_registrar_that_does_not_help_is_left_alone);
	T_RUN(a_node_without_sockets_tries_later);
	T_RUN(a_registrar_that_falls_silent_ends_it);
	T_RUN(what_nobody_answers_is_not_found);
	return T_DONE();
}
