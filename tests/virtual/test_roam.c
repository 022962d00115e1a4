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
			node_inputs(s->at[i].node, i == talker ? COR_IN_COR : 0,
				    fake_net_now(s->net));
			(void)node_audio(s->at[i].node, rx[i], tx,
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
		for (size_t k = 0; k < node_links_max(s->at[i].node); k++)
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

/* A machine that is plugged in elsewhere hears of the new address first, and
 * speaks from the old one until its route is another: whatever was agreed from
 * there is not gone by any more. */
static void what_was_begun_on_the_old_network_is_left_there(void)
{
	for (mono_us early = 0; early <= 400 * MONO_MS; early += 10 * MONO_MS) {
		for (int who = 0; who < NODES; who++) {
			struct ear e = { 0 };
			struct scene s;

			scene_begin(&s, 1 + early, &scene_preserving,
				    &scene_preserving);
			(void)scene_dial(&s);
			scene_run(&s, MONO_S);
			speak(&s, 0, SECOND, &e);
			node_network_changed(s.at[who].node,
					     fake_net_now(s.net));
			scene_run(&s, early);
			host_moves(&s, who, &scene_preserving);
			speak(&s, 0, 5 * SECOND, &e);
			one_call_goes_on(&s);
			T_TRUE(e.gap <= SECOND);
			scene_end(&s);
		}
	}
}

/* The target was told where we were, and looks for us there. */
static void a_dial_goes_on_from_another_network(void)
{
	/* Until a path is proved, and the call begins. */
	for (mono_us at = 0; at < 3 * RTT; at += 10 * MONO_MS) {
		const struct node_connect c = { .number = "2002" };
		struct node_link_id id;
		struct scene s;

		scene_begin(&s, 1 + at, &scene_preserving, &scene_preserving);
		T_EQ(IAX2_OK,
		     node_connect(s.at[0].node, &c, fake_net_now(s.net), &id));
		scene_run(&s, at);
		host_moves(&s, 0, &scene_preserving);
		scene_run(&s, 800 * MONO_MS);
		one_call_goes_on(&s);
		scene_end(&s);
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

static void the_call_outlives_an_outage(void)
{
	for (int talks = 0; talks < 2; talks++) {
		struct ear e = { 0 };
		struct scene s;

		scene_begin(&s, 7, &scene_preserving, &scene_preserving);
		(void)scene_dial(&s);
		scene_run(&s, MONO_S);
		fake_net_cut(s.net, 1, true);
		node_network_changed(s.at[0].node, fake_net_now(s.net));
		if (talks)
			speak(&s, 0, 12 * SECOND, &e);
		else
			scene_run(&s, 12 * MONO_S);
		fake_net_cut(s.net, 1, false);
		host_moves(&s, 0, &scene_preserving);
		memset(&e, 0, sizeof(e));
		speak(&s, 0, 5 * SECOND, &e);
		one_call_goes_on(&s);
		T_TRUE(e.heard > 3 * SECOND);
		scene_end(&s);
	}
}

/* Somebody proved a better path, and it is none after all. */
static void a_better_path_that_fails_changes_nothing(void)
{
	const struct net_path nowhere = {
		.peer = net_addr_v4(198, 51, 100, 200, 4569),
		.sock = 7,
	};
	struct ear e = { 0 };
	struct link *l;
	struct scene s;

	scene_begin(&s, 8, &scene_preserving, &scene_preserving);
	(void)scene_dial(&s);
	l = &s.at[0].node->link[0];
	T_EQ(IAX2_E_STATE,
	     link_move_to(s.at[0].node, l, &nowhere, NODE_RUNG_DIRECT, MONO_S));
	scene_run(&s, MONO_S);
	T_EQ(IAX2_OK, link_move_to(s.at[0].node, l, &nowhere, NODE_RUNG_DIRECT,
				   fake_net_now(s.net)));
	T_TRUE(node_uses_socket(s.at[0].node, 7));
	speak(&s, 0, 12 * SECOND, &e);
	one_call_goes_on(&s);
	nobody_is_moving(&s);
	T_EQ(0, e.gap);
	T_EQ(NODE_RUNG_OPENED, l->rung);
	T_TRUE(!node_uses_socket(s.at[0].node, 7));
	scene_end(&s);
}

/* --- consent ------------------------------------------------------------ */

static void reconfigure(struct scene *s, int i, const struct node_acl *acl)
{
	const struct node_cfg c = { .acl = *acl,
				    .jitter = { .min_ms = 40, .max_ms = 400 },
				    .station = station_config_flat,
				    .peers = &scene_peer_of[i],
				    .peers_n = scene_peer_of[i].number[0] !=
					       '\0' };

	node_reconfigure(s->at[i].node, &c, fake_net_now(s->net));
}

static void who_is_not_welcome_any_more_does_not_move_in(void)
{
	static const struct node_caller listed[] = { { .number = "2001" } };
	const struct node_acl deny = { .registered = true,
				       .deny = listed,
				       .deny_n = 1 };

	/* The question finds its way, or needs the registrar's help. */
	for (int nat = 0; nat < 2; nat++) {
		struct scene s;

		scene_begin(&s, 3, &scene_preserving,
			    nat ? &scene_preserving : NULL);
		(void)scene_dial(&s);
		scene_run(&s, MONO_S);
		reconfigure(&s, 1, &deny);
		host_moves(&s, 0, &scene_preserving);
		scene_run(&s, 60 * MONO_S);
		T_EQ(0, scene_all_links(&s, 0));
		T_EQ(0, scene_all_links(&s, 1));
		T_EQ(1, s.at[1].downs);
		T_TRUE(strstr(s.at[1].why, "accept.deny") != NULL);
		scene_end(&s);
	}
}

static void whom_we_called_may_move_though_it_may_not_call(void)
{
	const struct node_acl nobody = { .registered = false };
	struct scene s;

	scene_begin(&s, 4, &scene_preserving, &scene_preserving);
	reconfigure(&s, 0, &nobody);
	(void)scene_dial(&s);
	scene_run(&s, MONO_S);
	host_moves(&s, 1, &scene_preserving);
	scene_run(&s, 2 * MONO_S);
	one_call_goes_on(&s);
	nobody_is_moving(&s);
	/* It may not call for all that. */
	T_EQ(1, node_disconnect(s.at[0].node, NULL, fake_net_now(s.net)));
	scene_run(&s, MONO_S);
	T_EQ(IAX2_OK,
	     node_connect(s.at[1].node,
			  &(struct node_connect){ .number = "2001" },
			  fake_net_now(s.net), &(struct node_link_id){ 0 }));
	scene_run(&s, 2 * MONO_S);
	T_EQ(0, scene_all_links(&s, 0));
	scene_end(&s);
}

/* --- plain peers -------------------------------------------------------- */

static bool no_inval(void *ctx, const struct fake_packet *p)
{
	(void)ctx;
	return p->len < IAX2_FULL_HDR_LEN || !(p->data[0] & 0x80) ||
	       p->data[10] != IAX2_FRAME_IAX || p->data[11] != IAX2_IAX_INVAL;
}

static void plain_dial(struct scene *s, bool back)
{
	const struct node_connect c = {
		.number = back ? "2001" : "2002",
		.addr = net_addr_v4(198, 51, 100, back ? 20 : 21, 4569),
	};
	struct node_link_id id;

	T_EQ(IAX2_OK,
	     node_connect(s->at[back].node, &c, fake_net_now(s->net), &id));
	scene_run(s, MONO_S);
	T_EQ(1, scene_links(s, 0, NODE_LINK_UP));
	T_EQ(1, scene_links(s, 1, NODE_LINK_UP));
}

/* With the news of another address @early before the way is another, if so. */
static void dialled_again_once(bool silent, mono_us early)
{
	struct scene s;

	scene_begin(&s, 1 + early, &scene_preserving, NULL);
	plain_dial(&s, false);
	if (early != 0)
		node_network_changed(s.at[0].node, fake_net_now(s.net));
	scene_run(&s, early);
	if (silent)
		fake_net_hook(s.net, no_inval, NULL);
	host_moves(&s, 0, &scene_preserving);
	scene_run(&s, (silent ? 2500 : 800) * MONO_MS);
	T_EQ(2, s.at[0].ups);
	T_EQ(1, s.at[0].downs);
	T_EQ(1, scene_links(&s, 0, NODE_LINK_UP));
	T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
	T_EQ(1, scene_all_links(&s, 0));
	nobody_is_moving(&s);
	/* Nothing is dialled where a change leads to the same place. */
	node_network_changed(s.at[0].node, fake_net_now(s.net));
	scene_run(&s, 5 * MONO_S);
	T_EQ(2, s.at[0].ups);
	nobody_is_moving(&s);
	scene_end(&s);
}

static void a_plain_peer_is_dialled_again_at_once(void)
{
	scene_peer_of[0] =
		(struct node_peer){ .number = "2002", .md5_secret = "us" };
	scene_peer_of[1] =
		(struct node_peer){ .number = "2001", .md5_secret = "us" };
	for (int silent = 0; silent < 2; silent++) {
		for (mono_us early = 0; early <= 400 * MONO_MS;
		     early += 20 * MONO_MS)
			dialled_again_once(silent, early);
	}
	memset(scene_peer_of, 0, sizeof(scene_peer_of));
}

static void a_plain_peer_that_called_is_not_called(void)
{
	struct scene s;

	scene_peer_of[0] =
		(struct node_peer){ .number = "2002", .md5_secret = "us" };
	scene_peer_of[1] =
		(struct node_peer){ .number = "2001", .md5_secret = "us" };
	scene_begin(&s, 1, NULL, NULL);
	plain_dial(&s, true);
	host_moves(&s, 0, &scene_preserving);
	scene_run(&s, 60 * MONO_S);
	T_EQ(1, s.at[0].ups);
	T_EQ(0, scene_all_links(&s, 0));
	scene_end(&s);
	memset(scene_peer_of, 0, sizeof(scene_peer_of));
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(speech_goes_on_after_a_carrier_renumbers);
	T_RUN(speech_goes_on_from_another_network);
	T_RUN(what_was_begun_on_the_old_network_is_left_there);
	T_RUN(a_dial_goes_on_from_another_network);
	T_RUN(nothing_is_lost_for_ever_when_much_is);
	T_RUN(the_call_outlives_an_outage);
	T_RUN(a_better_path_that_fails_changes_nothing);
	T_RUN(who_is_not_welcome_any_more_does_not_move_in);
	T_RUN(whom_we_called_may_move_though_it_may_not_call);
	T_RUN(a_plain_peer_is_dialled_again_at_once);
	T_RUN(a_plain_peer_that_called_is_not_called);
	return T_DONE();
}
