/* SPDX-License-Identifier: MIT */

/* Translators that give each connection another port: where there is order in
 * it the two ends meet, and where there is none they say so in time
 * (OPEN-OVER.md section 4.6). */

#include <sodium.h>
#include <string.h>

#include "tests/t.h"
#include "tests/virtual/node_scene.h"

/* Dial @seed times over, each in a scene of its own, and want PREDICTED within
 * @most of the dial. */
static void meets(const struct fake_nat *a, const struct fake_nat *b,
		  mono_us most)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct node_link_info l;
		struct node_link_id id;
		struct scene s;

		scene_begin(&s, seed, a, b);
		id = scene_dial(&s);
		scene_run(&s, 10 * MONO_S);
		T_TRUE(node_link(s.at[0].node, id, &l));
		T_EQ(NODE_LINK_UP, l.state);
		T_EQ(NODE_RUNG_PREDICTED, l.rung);
		T_TRUE(l.dial_us <= most);
		T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
		scene_run(&s, 10 * MONO_S);
		for (int i = 0; i < NODES; i++) {
			T_TRUE(s.at[i].opened <= 1);
			T_TRUE(s.at[i].closed >= s.at[i].opened);
			T_TRUE(!node_uses_socket(s.at[i].node, 0xffff));
		}
		scene_end(&s);
	}
}

static void sequential_ports_at_both_ends_meet(void)
{
	meets(&scene_sequential, &scene_sequential, 25 * RTT);
}

static void ports_that_go_down_in_steps_meet_too(void)
{
	meets(&scene_downwards, &scene_sequential, 25 * RTT);
	meets(&scene_downwards, &scene_downwards, 25 * RTT);
}

static void sequential_ports_at_one_end_are_found_sooner_than_by_chance(void)
{
	meets(&scene_sequential, &scene_preserving, 20 * RTT);
	meets(&scene_preserving, &scene_sequential, 20 * RTT);
}

/* Each dial may open hundreds, and an operator thinks better of many. */
static void a_dial_that_is_given_up_leaves_no_sockets(void)
{
	struct scene s;
	struct node_link_id id;
	unsigned closed;

	scene_begin(&s, 1, &scene_sequential, &scene_symmetric);
	id = scene_dial(&s);
	while (s.at[0].opened == 0)
		scene_run(&s, 20 * MONO_MS);
	T_EQ(1, scene_links(&s, 0, NODE_LINK_PUNCHING));
	T_TRUE(node_uses_socket(s.at[0].node, 1));
	closed = s.at[0].closed;
	T_EQ(IAX2_OK, node_drop(s.at[0].node, id, fake_net_now(s.net)));
	T_TRUE(!node_uses_socket(s.at[0].node, 1));
	scene_run(&s, 100 * MONO_MS);
	T_EQ(closed + 1, s.at[0].closed);
	/* Nor do those that come when it has gone already. */
	node_sockets(s.at[0].node, (struct oo_id){ 0, 99 }, 300, 256,
		     fake_net_now(s.net));
	scene_run(&s, 20 * MONO_S);
	T_EQ(closed + 2, s.at[0].closed);
	scene_end(&s);
}

/* Where there is no order a relay is there in time. */
static void random_ports_are_relayed_where_that_is_allowed(void)
{
	static const struct fake_nat *const pair[][2] = {
		{ &scene_symmetric, &scene_symmetric },
		{ &scene_symmetric, &scene_sequential },
		{ &scene_sequential, &scene_symmetric },
	};

	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		struct node_link_info l;
		struct node_link_id id;
		struct scene s;

		scene_begin_relayed(&s, i + 1, pair[i][0], pair[i][1]);
		id = scene_dial(&s);
		scene_run(&s, 10 * MONO_S);
		T_TRUE(node_link(s.at[0].node, id, &l));
		T_EQ(NODE_LINK_UP, l.state);
		T_EQ(NODE_RUNG_RELAYED, l.rung);
		T_TRUE(l.dial_us <= 14 * RTT);
		T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
		scene_end(&s);
	}
}

static unsigned links_in(const struct fake_weather *weather, unsigned tries)
{
	unsigned up = 0;

	for (uint64_t seed = 1; seed <= tries; seed++) {
		struct scene s;

		scene_begin(&s, seed, &scene_sequential, &scene_sequential);
		fake_net_weather(s.net, weather);
		(void)scene_dial(&s);
		scene_run(&s, 10 * MONO_S);
		up += scene_links(&s, 0, NODE_LINK_UP);
		T_EQ(0, scene_links(&s, 0, NODE_LINK_PUNCHING));
		scene_end(&s);
	}
	return up;
}

static void they_meet_with_loss_and_over_a_long_way(void)
{
	const struct fake_weather lossy = { .delay = ONE_WAY, .loss = 50 };
	const struct fake_weather far = { .delay = 150 * MONO_MS,
					  .jitter = 20 * MONO_MS };

	T_TRUE(links_in(&lossy, 40) >= 38);
	T_EQ(40, links_in(&far, 40));
}

/* Of what the registrar answers to PINGs, the first s->lose are lost. */
static bool lose_pongs(void *ctx, const struct fake_packet *p)
{
	struct scene *s = ctx;

	if (p->from == 0 && p->dst.port >= 20000 && p->len < 79 &&
	    s->lose > 0) {
		s->lose--;
		return false;
	}
	return true;
}

static void lost_answers_of_the_registrar_are_asked_for_again(void)
{
	struct scene s;

	scene_begin(&s, 7, &scene_sequential, &scene_sequential);
	s.lose = 4;
	fake_net_hook(s.net, lose_pongs, &s);
	(void)scene_dial(&s);
	scene_run(&s, 9 * MONO_S);
	T_EQ(1, scene_links(&s, 0, NODE_LINK_UP));
	scene_end(&s);
}

/* Of three connections that look, and of the sixty-four that follow, others
 * come between: one round may miss, four seldom do. */
static void they_meet_while_others_use_the_translator(void)
{
	struct fake_nat busy = scene_sequential;
	unsigned up = 0;

	busy.busy = 200;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct scene s;

		scene_begin(&s, seed, &busy, &busy);
		(void)scene_dial(&s);
		scene_run(&s, 10 * MONO_S);
		up += scene_links(&s, 0, NODE_LINK_UP);
		scene_end(&s);
	}
	printf("# %u of 40\n", up);
	T_TRUE(up >= 38);
}

static void a_look_that_fails_ends_in_a_verdict(void)
{
	struct scene s;

	/* No PONG ever comes to a new socket. */
	scene_begin(&s, 3, &scene_sequential, &scene_sequential);
	s.lose = 10000;
	fake_net_hook(s.net, lose_pongs, &s);
	(void)scene_dial(&s);
	scene_run(&s, 9900 * MONO_MS);
	T_EQ(1, s.at[0].downs);
	scene_end(&s);
	/* And there are no sockets to look with. */
	for (int i = 0; i < NODES; i++) {
		scene_begin(&s, 4, &scene_sequential, &scene_sequential);
		s.at[i].no_sockets = true;
		(void)scene_dial(&s);
		scene_run(&s, 9900 * MONO_MS);
		T_EQ(1, s.at[0].downs);
		T_TRUE(strstr(s.at[0].why, "random at one end") != NULL);
		scene_end(&s);
	}
}

static void ports_without_order_end_in_a_verdict_that_says_so(void)
{
	static const struct {
		const struct fake_nat *a, *b;
		const char *why;
	} pairs[] = {
		{ &scene_symmetric, &scene_symmetric, "random at both ends" },
		{ &scene_sequential, &scene_symmetric, "random at one end" },
		{ &scene_symmetric, &scene_sequential, "random at one end" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct fake_counters before;
		struct scene s;

		scene_begin(&s, i + 1, pairs[i].a, pairs[i].b);
		before = *fake_net_counters(s.net, 1);
		(void)scene_dial(&s);
		scene_run(&s, 6 * MONO_S);
		T_EQ(1, s.at[0].downs);
		T_TRUE(strstr(s.at[0].why, pairs[i].why) != NULL);
		/* Nothing is gained by packets here, so there are few. */
		T_TRUE(fake_net_counters(s.net, 1)->sent - before.sent < 100);
		scene_run(&s, 10 * MONO_S);
		for (int k = 0; k < NODES; k++)
			T_TRUE(!node_uses_socket(s.at[k].node, 1));
		scene_end(&s);
	}
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(sequential_ports_at_both_ends_meet);
	T_RUN(random_ports_are_relayed_where_that_is_allowed);
	T_RUN(ports_that_go_down_in_steps_meet_too);
	T_RUN(sequential_ports_at_one_end_are_found_sooner_than_by_chance);
	T_RUN(a_dial_that_is_given_up_leaves_no_sockets);
	T_RUN(they_meet_with_loss_and_over_a_long_way);
	T_RUN(lost_answers_of_the_registrar_are_asked_for_again);
	T_RUN(they_meet_while_others_use_the_translator);
	T_RUN(a_look_that_fails_ends_in_a_verdict);
	T_RUN(ports_without_order_end_in_a_verdict_that_says_so);
	return T_DONE();
}
