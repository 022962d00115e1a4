/* SPDX-License-Identifier: MIT */

/* Calls that begin on a relay and leave it for a direct path, seen from whole
 * nodes: what is heard is counted in frames. */

#include <sodium.h>
#include <string.h>

#include "daemon/node/node.h"
#include "proto/iax2_frame.h"
#include "tests/t.h"
#include "tests/virtual/node_scene.h"

#define SECOND 50U /* blocks of 20 ms */

/* What the other node transmits of a talker's speech. */
struct ear {
	unsigned spoken;
	unsigned heard;
	unsigned gap; /* blocks of silence in a row before more was heard */
	unsigned silent;
};

/* What becomes of what the two networks send each other, and what is seen. */
static struct {
	bool wall;    /* nothing passes */
	bool no_move; /* but MOVE */
	unsigned dials;
	mono_us dialled;
	uint64_t pokes;
} way;

static bool is_network(const struct net_addr *a)
{
	return net_addr_is_v4(a) && a->ip[12] == 203;
}

static bool is_iax(const struct fake_packet *p, uint8_t subclass)
{
	return p->len >= IAX2_FULL_HDR_LEN && (p->data[0] & 0x80) &&
	       p->data[10] == IAX2_FRAME_IAX && p->data[11] == subclass;
}

static bool on_packet(void *ctx, const struct fake_packet *p)
{
	(void)ctx;
	/* One request and what repeats it. */
	if (is_iax(p, OO_OPEN_REQUEST)) {
		way.dials +=
			way.dialled == 0 || p->now > way.dialled + 6 * MONO_S;
		way.dialled = p->now;
	}
	if (!is_network(&p->src) || !is_network(&p->dst))
		return true;
	way.pokes += is_iax(p, IAX2_IAX_POKE);
	return !way.wall && !(way.no_move && is_iax(p, IAX2_IAX_MOVE));
}

static void listen(struct ear *e, const int16_t tx[AUDIO_BLOCK])
{
	bool sound = false;

	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		sound = sound || tx[i] > 4000;
	if (sound && e->heard > 0 && e->silent > e->gap)
		e->gap = e->silent;
	e->heard += sound;
	e->silent = sound ? 0 : e->silent + 1;
}

static void block(struct scene *s, int talker, bool speaks, struct ear *e)
{
	for (int i = 0; i < NODES; i++) {
		int16_t rx[AUDIO_BLOCK] = { 0 }, tx[AUDIO_BLOCK];
		const bool cor = speaks && i == talker;

		for (size_t k = 0; cor && k < AUDIO_BLOCK; k++)
			rx[k] = (int16_t)(k % 8 < 4 ? 8000 : -8000);
		node_inputs(s->at[i].node, cor ? COR_IN_COR : 0,
			    fake_net_now(s->net));
		(void)node_audio(s->at[i].node, rx, tx, fake_net_now(s->net));
		if (i != talker)
			listen(e, tx);
	}
	e->spoken += speaks;
	scene_run(s, 20 * MONO_MS);
}

static void speak(struct scene *s, int talker, unsigned blocks, struct ear *e)
{
	for (unsigned b = 0; b < blocks; b++)
		block(s, talker, true, e);
}

/* Until all of it is played. */
static void unkey(struct scene *s, int talker, struct ear *e)
{
	for (unsigned b = 0; b < SECOND; b++)
		block(s, talker, false, e);
}

static struct node_link_info link_of(const struct scene *s, int i)
{
	struct node_link_info l = { .state = NODE_LINK_FREE };

	for (size_t k = 0; k < node_links_max(s->at[i].node); k++) {
		if (node_link_at(s->at[i].node, k, &l))
			return l;
	}
	T_EQ(NODE_LINK_UP, l.state);
	return l;
}

static void nothing_is_missing(const struct scene *s, int talker,
			       const struct ear *e)
{
	const struct jitter_counters j = link_of(s, !talker).jitter;

	printf("# talker %d: %u spoken, %u heard, gap %u; %u frames, %u late, "
	       "%u twice, %u lost, %u ms skipped, %u stretched\n",
	       talker, e->spoken, e->heard, e->gap, (unsigned)j.frames,
	       (unsigned)j.late, (unsigned)j.duplicates, (unsigned)j.lost,
	       (unsigned)j.skipped_ms, (unsigned)j.stretched);
	T_EQ(0, e->gap);
	/* The buffer gives back the delay that it no longer needs by making
	 * speech shorter: none of it is left out. */
	T_TRUE(e->heard + ONE_WAY / (20 * MONO_MS) + 1 >= e->spoken);
	T_EQ(0, j.skipped_ms);
	T_EQ(e->spoken, j.frames);
	T_EQ(0, j.late);
	T_EQ(0, j.duplicates);
	T_EQ(0, j.lost);
	T_EQ(0, j.refused);
	T_EQ(0, j.resyncs);
}

static void one_call_goes_on(const struct scene *s)
{
	for (int i = 0; i < NODES; i++) {
		T_EQ(1, scene_links(s, i, NODE_LINK_UP));
		T_EQ(1, scene_all_links(s, i));
		T_EQ(1, s->at[i].ups);
		T_EQ(0, s->at[i].downs);
		T_EQ(1, iax2_endpoint_calls(node_endpoint(s->at[i].node)));
		T_TRUE(!link_of(s, i).moving);
	}
}

static void both_are(const struct scene *s, enum node_rung rung)
{
	for (int i = 0; i < NODES; i++)
		T_EQ(rung, link_of(s, i).rung);
}

static bool relay_is_up(const struct scene *s, int i)
{
	struct oo_node_relay_view v;

	oo_node_relay_view(node_openover(s->at[i].node), &v);
	return v.up;
}

/* Whose relay it is: the caller's, got for the call, or the called one's. */
enum whose { CALLERS, CALLEES, WHOSE };

static void begin(struct scene *s, uint64_t seed, enum whose whose,
		  const struct fake_nat *a, const struct fake_nat *b)
{
	scene_relay[0] = whose == CALLERS ? OO_RELAY_LAST : OO_RELAY_NEVER;
	scene_relay[1] = whose == CALLERS ? OO_RELAY_NEVER : OO_RELAY_ALWAYS;
	scene_begin(s, seed, a, b);
	memset(&way, 0, sizeof(way));
	fake_net_hook(s->net, on_packet, NULL);
}

/* A call that goes through the relay. */
static void call(struct scene *s, uint64_t seed, enum whose whose)
{
	begin(s, seed, whose, &scene_preserving, &scene_preserving);
	way.wall = true;
	(void)scene_dial(s);
	scene_run(s, 2500 * MONO_MS);
	one_call_goes_on(s);
	both_are(s, NODE_RUNG_RELAYED);
}

static void end(struct scene *s)
{
	scene_end(s);
	memset(scene_relay, 0, sizeof(scene_relay));
}

/* --- while the first punch goes on -------------------------------------- */

static void a_call_leaves_the_relay_and_nothing_is_missing(void)
{
	for (int whose = 0; whose < WHOSE; whose++) {
		for (int talker = 0; talker < NODES; talker++) {
			struct ear e = { 0 };
			struct scene s;

			call(&s, 1, (enum whose)whose);
			speak(&s, talker, SECOND / 2, &e);
			way.wall = false;
			speak(&s, talker, 6 * SECOND, &e);
			both_are(&s, NODE_RUNG_OPENED);
			unkey(&s, talker, &e);
			one_call_goes_on(&s);
			nothing_is_missing(&s, talker, &e);
			for (int i = 0; i < NODES; i++) {
				T_EQ(1, s.at[i].moved);
				T_EQ(0, link_of(&s, i).call.path.sock);
			}
			end(&s);
		}
	}
}

static void a_relay_that_no_call_uses_is_given_back(void)
{
	struct scene s;

	call(&s, 2, CALLERS);
	T_TRUE(relay_is_up(&s, 0));
	scene_run(&s, 200 * MONO_S);
	T_TRUE(relay_is_up(&s, 0));
	way.wall = false;
	scene_run(&s, 600 * MONO_S);
	both_are(&s, NODE_RUNG_OPENED);
	scene_run(&s, 300 * MONO_S);
	T_TRUE(!relay_is_up(&s, 0));
	one_call_goes_on(&s);
	end(&s);
}

/* While the call is set up, too. */
static void the_way_may_open_at_any_time(void)
{
	for (mono_us at = 600; at < 3000; at += 60) {
		const enum whose whose = at / 60 % 2 ? CALLERS : CALLEES;
		struct scene s;

		begin(&s, at, whose, &scene_preserving, &scene_preserving);
		way.wall = true;
		(void)scene_dial(&s);
		scene_run(&s, at * MONO_MS);
		way.wall = false;
		scene_run(&s, 5 * MONO_S);
		one_call_goes_on(&s);
		both_are(&s, NODE_RUNG_OPENED);
		end(&s);
	}
}

static void sequential_ports_end_on_a_predicted_path(void)
{
	unsigned predicted = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		const enum whose whose = seed % 2 ? CALLERS : CALLEES;
		const int talker = (int)(seed / 2 % 2);
		struct ear e = { 0 };
		struct scene s;

		begin(&s, seed, whose, &scene_sequential, &scene_sequential);
		(void)scene_dial(&s);
		for (int k = 0; k < 40 && s.at[0].ups + s.at[1].ups < 2; k++)
			scene_run(&s, 50 * MONO_MS);
		printf("# up after %u ms\n", link_of(&s, 0).dial_us / 1000);
		one_call_goes_on(&s);
		both_are(&s, NODE_RUNG_RELAYED);
		T_TRUE(link_of(&s, 0).dial_us <= 16 * RTT);
		speak(&s, talker, 9 * SECOND, &e);
		unkey(&s, talker, &e);
		one_call_goes_on(&s);
		predicted += link_of(&s, 0).rung == NODE_RUNG_PREDICTED;
		T_EQ(link_of(&s, 0).rung, link_of(&s, 1).rung);
		for (int i = 0; i < NODES; i++) {
			const uint16_t sock = link_of(&s, i).call.path.sock;

			T_TRUE(node_uses_socket(s.at[i].node, sock));
			T_TRUE(!node_uses_socket(s.at[i].node, sock + 1));
		}
		nothing_is_missing(&s, talker, &e);
		end(&s);
	}
	printf("# %u of 20 predicted\n", predicted);
	T_TRUE(predicted >= 19);
}

/* --- moves that fail ---------------------------------------------------- */

static void a_move_that_fails_leaves_the_call_where_it_was(void)
{
	for (int talker = 0; talker < NODES; talker++) {
		struct ear e = { 0 };
		struct scene s;

		call(&s, 3, CALLERS);
		way.wall = false;
		way.no_move = true;
		speak(&s, talker, 15 * SECOND, &e);
		unkey(&s, talker, &e);
		one_call_goes_on(&s);
		both_are(&s, NODE_RUNG_RELAYED);
		nothing_is_missing(&s, talker, &e);
		/* And is tried again. */
		way.no_move = false;
		scene_run(&s, 30 * MONO_S);
		one_call_goes_on(&s);
		both_are(&s, NODE_RUNG_OPENED);
		end(&s);
	}
}

/* --- later tries -------------------------------------------------------- */

static void a_relayed_call_looks_again_ever_more_seldom(void)
{
	static const struct {
		mono_us after;
		unsigned dials;
	} want[] = { { 20 * MONO_S, 0 },  { 20 * MONO_S, 1 },
		     { 100 * MONO_S, 1 }, { 20 * MONO_S, 2 },
		     { 580 * MONO_S, 2 }, { 20 * MONO_S, 3 },
		     { 3600 * MONO_S, 9 } };

	for (int whose = 0; whose < WHOSE; whose++) {
		struct ear e = { 0 };
		struct scene s;
		unsigned first;

		call(&s, 4, (enum whose)whose);
		first = way.dials;
		for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
			scene_run(&s, want[i].after);
			T_EQ(want[i].dials, way.dials - first);
		}
		one_call_goes_on(&s);
		both_are(&s, NODE_RUNG_RELAYED);
		way.wall = false;
		scene_run(&s, 570 * MONO_S);
		speak(&s, 0, 40 * SECOND, &e);
		unkey(&s, 0, &e);
		one_call_goes_on(&s);
		both_are(&s, NODE_RUNG_OPENED);
		T_EQ(0, e.gap);
		first = way.dials;
		scene_run(&s, 3600 * MONO_S);
		T_EQ(first, way.dials);
		end(&s);
	}
}

static void who_has_no_hope_stops_looking(void)
{
	struct scene s;
	unsigned first;
	uint64_t pokes;

	begin(&s, 5, CALLERS, &scene_symmetric, &scene_symmetric);
	(void)scene_dial(&s);
	scene_run(&s, 20 * MONO_S);
	one_call_goes_on(&s);
	first = way.dials;
	pokes = way.pokes;
	scene_run(&s, 7200 * MONO_S);
	T_EQ(first + 2, way.dials);
	printf("# %u POKEs of both in two tries\n",
	       (unsigned)(way.pokes - pokes));
	T_TRUE(way.pokes - pokes <= 200);
	one_call_goes_on(&s);
	both_are(&s, NODE_RUNG_RELAYED);
	end(&s);
}

/* --- other networks ----------------------------------------------------- */

static void host_moves(struct scene *s, int i, const struct fake_nat *kind)
{
	const struct net_addr in = net_addr_v4(10, 9, (uint8_t)i, 2, 4569);
	struct fake_nat nat = *kind;

	nat.outside = net_addr_v4(203, 0, 113, (uint8_t)(80 + i), 0);
	fake_net_relocate(s->net, i + 1, &in, fake_net_nat(s->net, &nat));
	oo_node_own_addresses(node_openover(s->at[i].node), &in, 1);
	node_network_changed(s->at[i].node, fake_net_now(s->net));
}

static void a_relayed_call_goes_on_from_another_network(void)
{
	for (int whose = 0; whose < WHOSE; whose++) {
		for (int who = 0; who < NODES; who++) {
			struct ear e = { 0 };
			struct scene s;

			call(&s, 6, (enum whose)whose);
			speak(&s, 0, SECOND, &e);
			host_moves(&s, who, &scene_preserving);
			speak(&s, 0, 10 * SECOND, &e);
			printf("# relay %d, mover %d: gap %u ms\n", whose, who,
			       e.gap * 20);
			T_TRUE(e.gap <= 2 * SECOND);
			unkey(&s, 0, &e);
			scene_run(&s, 20 * MONO_S);
			one_call_goes_on(&s);
			both_are(&s, NODE_RUNG_RELAYED);
			end(&s);
		}
	}
}

static void another_network_is_looked_at_soon(void)
{
	for (int whose = 0; whose < WHOSE; whose++) {
		for (int who = 0; who < NODES; who++) {
			struct scene s;

			call(&s, 7, (enum whose)whose);
			/* So long after it began, the next try is far away. */
			scene_run(&s, 1000 * MONO_S);
			way.wall = false;
			host_moves(&s, who, &scene_preserving);
			scene_run(&s, 10 * MONO_S);
			one_call_goes_on(&s);
			both_are(&s, NODE_RUNG_OPENED);
			end(&s);
		}
	}
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_call_leaves_the_relay_and_nothing_is_missing);
	T_RUN(a_relay_that_no_call_uses_is_given_back);
	T_RUN(the_way_may_open_at_any_time);
	T_RUN(sequential_ports_end_on_a_predicted_path);
	T_RUN(a_move_that_fails_leaves_the_call_where_it_was);
	T_RUN(a_relayed_call_looks_again_ever_more_seldom);
	T_RUN(who_has_no_hope_stops_looking);
	T_RUN(a_relayed_call_goes_on_from_another_network);
	T_RUN(another_network_is_looked_at_soon);
	return T_DONE();
}
