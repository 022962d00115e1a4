/* SPDX-License-Identifier: MIT */

/* An address that changes in the middle of a call, seen from whole nodes: the
 * call goes on, and what is lost of the speech is counted. */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/node/node_priv.h"
#include "proto/iax2_ie.h"
#include "tests/t.h"
#include "tests/virtual/node_scene.h"

#define SECOND 50U /* blocks of 20 ms */

/* What a node transmits, block by block. */
struct ear {
	unsigned heard;
	unsigned silent; /* blocks in a row, now */
	unsigned gap;    /* and at most, since the first that was heard */
};

static void listen(struct ear *e, const int16_t tx[AUDIO_BLOCK])
{
	bool sound = false;

	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		sound = sound || tx[i] > 4000;
	e->heard += sound;
	e->silent = sound ? 0 : e->silent + 1;
	if (e->heard > 0 && e->silent > e->gap)
		e->gap = e->silent;
}

/* @talker receives a tone for so many blocks, and the other transmits it. */
static void speak(struct scene *s, int talker, unsigned blocks, struct ear *e)
{
	for (unsigned b = 0; b < blocks; b++) {
		int16_t rx[NODES][AUDIO_BLOCK] = { { 0 } }, tx[AUDIO_BLOCK];

		for (size_t i = 0; i < AUDIO_BLOCK; i++)
			rx[talker][i] = (int16_t)(i % 8 < 4 ? 8000 : -8000);
		scene_run(s, 20 * MONO_MS);
		for (int i = 0; i < NODES; i++) {
			(void)node_audio(s->at[i].node, rx[i], i == talker, tx,
					 fake_net_now(s->net));
			if (i != talker)
				listen(e, tx);
		}
	}
}

static struct net_addr outside(uint8_t n)
{
	return net_addr_v4(203, 0, 113, n, 0);
}

static void carrier_renumbers(struct scene *s, int i)
{
	const struct net_addr a = outside((uint8_t)(90 + i));

	fake_net_rebind(s->net, s->nat[i], fake_net_now(s->net), &a);
}

/* The host itself is elsewhere, and knows it. */
static void host_moves(struct scene *s, int i, const struct fake_nat *kind)
{
	const struct net_addr in = net_addr_v4(10, 9, (uint8_t)i, 2, 4569);
	const struct net_addr public =
		net_addr_v4(198, 51, 100, (uint8_t)(70 + i), 4569);
	struct fake_nat nat;

	if (kind) {
		nat = *kind;
		nat.outside = outside((uint8_t)(80 + i));
	}
	fake_net_relocate(s->net, i + 1, kind ? &in : &public,
			  kind ? fake_net_nat(s->net, &nat) : FAKE_NO_NAT);
	oo_node_own_addresses(node_openover(s->at[i].node),
			      kind ? &in : &public, 1);
	node_network_changed(s->at[i].node, fake_net_now(s->net));
}

static void one_call_goes_on(const struct scene *s)
{
	for (int i = 0; i < NODES; i++) {
		T_EQ(1, scene_links(s, i, NODE_LINK_UP));
		T_EQ(1, scene_all_links(s, i));
		T_EQ(1, s->at[i].ups);
		T_EQ(0, s->at[i].downs);
		T_EQ(1, iax2_endpoint_calls(node_endpoint(s->at[i].node)));
	}
}

static void nobody_is_moving(const struct scene *s)
{
	struct node_link_info l;

	for (int i = 0; i < NODES; i++) {
		for (size_t k = 0; k < NODE_LINKS_MAX; k++)
			T_TRUE(!node_link_at(s->at[i].node, k, &l) ||
			       !l.moving);
	}
}

/* --- addresses that change ---------------------------------------------- */

/* Bits: the caller's carrier, the called one's. */
static void speech_goes_on_after_a_carrier_renumbers(void)
{
	for (unsigned who = 1; who <= 3; who++) {
		for (int talker = 0; talker < NODES; talker++) {
			struct ear e = { 0 };
			struct scene s;

			scene_begin(&s, who, &scene_preserving,
				    &scene_preserving);
			(void)scene_dial(&s);
			scene_run(&s, MONO_S);
			speak(&s, talker, 5 * SECOND, &e);
			for (int i = 0; i < NODES; i++) {
				if (who >> i & 1)
					carrier_renumbers(&s, i);
			}
			speak(&s, talker, 10 * SECOND, &e);
			one_call_goes_on(&s);
			printf("# carrier %u, talker %d: gap %u ms, heard %u\n",
			       who, talker, e.gap * 20, e.heard);
			T_TRUE(e.gap <= 2 * SECOND);
			scene_run(&s, 10 * MONO_S);
			nobody_is_moving(&s);
			scene_end(&s);
		}
	}
}

static void speech_goes_on_from_another_network(void)
{
	static const struct fake_nat *const kinds[] = { &scene_preserving,
							NULL };

	for (unsigned who = 1; who <= 3; who++) {
		for (size_t k = 0; k < 4; k++) {
			struct ear e = { 0 };
			struct scene s;

			scene_begin(&s, who, kinds[k % 2], &scene_preserving);
			(void)scene_dial(&s);
			scene_run(&s, MONO_S);
			speak(&s, 0, 5 * SECOND, &e);
			for (int i = 0; i < NODES; i++) {
				if (who >> i & 1)
					host_moves(&s, i, kinds[k / 2]);
			}
			speak(&s, 0, 10 * SECOND, &e);
			one_call_goes_on(&s);
			printf("# host %u, networks %zu: gap %u ms\n", who, k,
			       e.gap * 20);
			T_TRUE(e.gap <= 2 * SECOND);
			scene_end(&s);
		}
	}
}

static void nothing_is_lost_for_ever_when_much_is(void)
{
	const struct fake_weather foul = { .delay = ONE_WAY,
					   .jitter = 10 * MONO_MS,
					   .loss = 200 };
	unsigned soon = 0;

	for (uint64_t seed = 1; seed <= 100; seed++) {
		const unsigned who = 1 + (unsigned)(seed % 3);
		struct ear e = { 0 };
		struct scene s;

		scene_begin(&s, seed, &scene_preserving, &scene_preserving);
		(void)scene_dial(&s);
		scene_run(&s, 2 * MONO_S);
		fake_net_weather(s.net, &foul);
		speak(&s, (int)(seed % 2), 5 * SECOND, &e);
		for (int i = 0; i < NODES; i++) {
			if (who >> i & 1)
				carrier_renumbers(&s, i);
		}
		speak(&s, (int)(seed % 2), 10 * SECOND, &e);
		soon += e.gap <= 3 * SECOND;
		one_call_goes_on(&s);
		T_TRUE(e.silent < SECOND);
		T_TRUE(e.gap <= 6 * SECOND);
		scene_end(&s);
	}
	printf("# %u of 100 within 3 s\n", soon);
	T_TRUE(soon >= 75);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(speech_goes_on_after_a_carrier_renumbers);
	T_RUN(speech_goes_on_from_another_network);
	T_RUN(nothing_is_lost_for_ever_when_much_is);
	return T_DONE();
}
