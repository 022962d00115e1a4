/* SPDX-License-Identifier: MIT */

/* A dial that asks for a relay while it still tries other ways: the relay makes
 * none of them slower. */

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "tests/t.h"
#include "tests/virtual/node_scene.h"

#define SEEDS 20U

struct tried {
	unsigned ms; /* until the call was up */
	enum node_rung rung;
};

static struct tried dial(uint64_t seed, bool relayed, const struct fake_nat *a,
			 const struct fake_nat *b)
{
	struct tried t = { 0 };
	struct node_link_info l;
	struct scene s;

	scene_relay[0] = relayed ? OO_RELAY_LAST : OO_RELAY_NEVER;
	scene_begin(&s, seed, a, b);
	(void)scene_dial(&s);
	while (s.at[0].ups == 0 && t.ms < 10000) {
		scene_run(&s, 10 * MONO_MS);
		t.ms += 10;
	}
	if (node_link_at(s.at[0].node, 0, &l))
		t.rung = l.rung;
	scene_end(&s);
	memset(scene_relay, 0, sizeof(scene_relay));
	return t;
}

static void guessing_ports_goes_on_while_a_relay_is_asked_for(void)
{
	static const struct fake_nat *const kind[][NODES] = {
		{ &scene_preserving, &scene_symmetric },
		{ &scene_symmetric, &scene_preserving },
	};

	for (size_t k = 0; k < 2; k++) {
		unsigned late = 0, guessed = 0;

		for (unsigned seed = 1; seed <= SEEDS; seed++) {
			const struct tried without =
				dial(seed, false, kind[k][0], kind[k][1]);
			const struct tried with =
				dial(seed, true, kind[k][0], kind[k][1]);

			T_EQ(NODE_RUNG_PREDICTED, without.rung);
			/* A relay's way is there by then. */
			T_TRUE(with.ms <= 2200);
			/* The relay is asked for, and not yet of use. */
			if (without.ms <= 1250 || without.ms > 2100)
				continue;
			late++;
			guessed += with.rung == NODE_RUNG_PREDICTED;
		}
		printf("# %u of %u guessed\n", guessed, late);
		T_TRUE(late >= 5);
		T_TRUE(guessed * 2 > late);
	}
}

/* The sockets of both punches are given back, whichever found the path. */
static void nothing_is_left_of_the_other_punch(void)
{
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		struct node_link_info l;
		struct scene s;

		scene_relay[0] = OO_RELAY_LAST;
		scene_begin(&s, seed, &scene_symmetric, &scene_preserving);
		(void)scene_dial(&s);
		scene_run(&s, 20 * MONO_S);
		T_TRUE(node_link_at(s.at[0].node, 0, &l));
		T_EQ(NODE_LINK_UP, l.state);
		for (uint16_t i = 1; i < 1024; i++)
			T_EQ(i == l.call.path.sock,
			     node_uses_socket(s.at[0].node, i));
		scene_end(&s);
		memset(scene_relay, 0, sizeof(scene_relay));
	}
}

static bool nothing_but_registrars(void *ctx, const struct fake_packet *p)
{
	const struct net_addr registrar = net_addr_v4(198, 51, 100, 1, 0);

	(void)ctx;
	return net_addr_same_ip(&registrar, &p->src) ||
	       net_addr_same_ip(&registrar, &p->dst);
}

/* The relay is there, and nothing gets through it: the dial fails once, when
 * the last of its punches does, and says what was tried. */
static void a_dial_fails_when_both_punches_have(void)
{
	struct scene s;

	scene_relay[0] = OO_RELAY_LAST;
	scene_begin(&s, 3, &scene_symmetric, &scene_preserving);
	fake_net_hook(s.net, nothing_but_registrars, NULL);
	(void)scene_dial(&s);
	scene_run(&s, 8500 * MONO_MS);
	T_EQ(0, s.at[0].downs);
	scene_run(&s, 1500 * MONO_MS);
	T_EQ(1, s.at[0].downs);
	T_TRUE(strstr(s.at[0].why, "ports at random") != NULL);
	scene_run(&s, 10 * MONO_S);
	T_EQ(1, s.at[0].downs);
	scene_end(&s);
	memset(scene_relay, 0, sizeof(scene_relay));
}

static void who_hangs_up_ends_both_punches(void)
{
	struct scene s;

	scene_relay[0] = OO_RELAY_LAST;
	scene_begin(&s, 3, &scene_symmetric, &scene_preserving);
	fake_net_hook(s.net, nothing_but_registrars, NULL);
	(void)scene_dial(&s);
	scene_run(&s, 2 * MONO_S);
	T_TRUE(node_uses_socket(s.at[0].node, 1));
	T_EQ(1, node_disconnect(s.at[0].node, NULL, fake_net_now(s.net)));
	scene_run(&s, 100 * MONO_MS);
	T_EQ(0, scene_all_links(&s, 0));
	T_TRUE(!node_uses_socket(s.at[0].node, 1));
	scene_end(&s);
	memset(scene_relay, 0, sizeof(scene_relay));
}

/* Both translators change ports: nothing that is better is soon there. */
static void nobody_waits_for_what_cannot_come(void)
{
	const struct tried t =
		dial(1, true, &scene_symmetric, &scene_symmetric);

	T_EQ(NODE_RUNG_RELAYED, t.rung);
	printf("# up after %u ms\n", t.ms);
	/* Two questions to the registrar and one for the relay, a POKE through
	 * it, and the call. */
	T_TRUE(t.ms <= 10 * RTT / MONO_MS);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(guessing_ports_goes_on_while_a_relay_is_asked_for);
	T_RUN(nothing_is_left_of_the_other_punch);
	T_RUN(a_dial_fails_when_both_punches_have);
	T_RUN(who_hangs_up_ends_both_punches);
	T_RUN(nobody_waits_for_what_cannot_come);
	return T_DONE();
}
