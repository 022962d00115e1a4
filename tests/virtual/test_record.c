/* SPDX-License-Identifier: MIT */

/* What is told of a call when it is over: how long it was, what went over it,
 * and who ended it. */

#include "tests/t.h"
#include "tests/virtual/node_scene.h"

#define FRAME_OCTETS 160U /* of mu-law */

/* Each 20 ms 2001's radio hears a tone, which goes to 2002. */
static void speak(struct scene *s, unsigned blocks)
{
	for (unsigned b = 0; b < blocks; b++) {
		int16_t rx[AUDIO_BLOCK] = { 0 }, tx[AUDIO_BLOCK];

		for (size_t i = 0; i < AUDIO_BLOCK; i++)
			rx[i] = (int16_t)(i % 8 < 4 ? 8000 : -8000);
		scene_run(s, 20 * MONO_MS);
		node_inputs(s->at[0].node, COR_IN_COR, fake_net_now(s->net));
		(void)node_audio(s->at[0].node, rx, tx, fake_net_now(s->net));
		memset(rx, 0, sizeof(rx));
		(void)node_audio(s->at[1].node, rx, tx, fake_net_now(s->net));
	}
	node_inputs(s->at[0].node, 0, fake_net_now(s->net));
	scene_run(s, MONO_S);
}

static void both_ends_tell_of_the_same_call(void)
{
	const struct node_record *a, *b;
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	scene_begin(&s, 71, &scene_preserving, &scene_preserving);
	id = scene_dial(&s);
	scene_run(&s, 2 * MONO_S);
	T_TRUE(node_link(s.at[0].node, id, &l));
	T_EQ(1, l.serial);
	speak(&s, 100);
	scene_run(&s, 57 * MONO_S);
	T_EQ(1, node_disconnect(s.at[0].node, "2002", fake_net_now(s.net)));
	scene_run(&s, 2 * MONO_S);
	T_EQ(1, s.at[0].downs);
	T_EQ(1, s.at[1].downs);
	a = &s.at[0].down.record;
	b = &s.at[1].down.record;
	T_TRUE(!s.at[0].down.refused && !s.at[1].down.refused);
	T_EQ(1, s.at[0].down.serial);
	T_EQ(1, s.at[1].down.serial);
	T_STR("2002", s.at[0].down.number);
	T_STR("2001", s.at[1].down.number);
	T_TRUE(net_addr_is_set(&s.at[0].down.addr));
	T_TRUE(a->outbound && !b->outbound);
	T_EQ(NODE_ENDED_HERE, a->ended);
	T_EQ(NODE_ENDED_THERE, b->ended);
	T_STR("disconnected here", s.at[0].down.why);
	T_EQ(NODE_RUNG_OPENED, s.at[0].down.rung);
	T_TRUE(a->lasted > 60 * MONO_S && a->lasted < 63 * MONO_S);
	T_TRUE(b->lasted > 60 * MONO_S && b->lasted < 63 * MONO_S);
	T_TRUE(a->dial_us > 0 && a->dial_us < MONO_S);
	T_EQ(0, b->dial_us);
	T_EQ(IAX2_FORMAT_ULAW, a->call.format);
	T_TRUE(a->call.rtt_us >= RTT && a->call.rtt_us < 2 * RTT);
	T_EQ(100, a->call.tx_voice);
	T_EQ(100, b->call.rx_voice);
	T_EQ(0, b->call.rx_lost);
	/* What was said at the end is on its way, or was said after it. */
	T_TRUE(a->call.tx_packets >= 100);
	T_TRUE(b->call.rx_packets >= a->call.tx_packets &&
	       b->call.rx_packets <= a->call.tx_packets + 4);
	T_TRUE(a->call.tx_octets >= 100 * (FRAME_OCTETS + 4));
	T_TRUE(b->call.rx_octets >= a->call.tx_octets);
	T_TRUE(a->call.rx_packets <= b->call.tx_packets &&
	       a->call.rx_packets + 8 >= b->call.tx_packets);
	T_TRUE(a->call.rx_octets < a->call.tx_octets / 2);
	scene_end(&s);
}

static void nobody_ended_a_call_that_was_lost(void)
{
	struct scene s;

	scene_begin(&s, 72, &scene_preserving, &scene_preserving);
	(void)scene_dial(&s);
	scene_run(&s, 10 * MONO_S);
	fake_net_cut(s.net, 1, true);
	scene_run(&s, 90 * MONO_S);
	T_EQ(1, s.at[1].downs);
	T_TRUE(!s.at[1].down.refused);
	T_EQ(NODE_ENDED_NOBODY, s.at[1].down.record.ended);
	T_TRUE(s.at[1].down.record.lasted > 30 * MONO_S);
	T_TRUE(s.at[1].down.record.call.rx_packets > 0);
	scene_end(&s);
}

static void a_dial_that_fails_has_no_record(void)
{
	struct scene s;

	scene_begin(&s, 73, &scene_preserving, &scene_preserving);
	fake_net_cut(s.net, 2, true);
	(void)scene_dial(&s);
	scene_run(&s, 60 * MONO_S);
	T_EQ(1, s.at[0].downs);
	T_TRUE(s.at[0].down.refused);
	T_EQ(0, s.at[0].down.record.lasted);
	T_EQ(0, s.at[0].down.record.call.tx_packets);
	T_TRUE(!net_addr_is_set(&s.at[0].down.addr));
	scene_end(&s);
}

static void calls_are_counted_from_the_nodes_start(void)
{
	struct scene s;

	scene_begin(&s, 74, &scene_preserving, &scene_preserving);
	for (unsigned i = 1; i <= 3; i++) {
		(void)scene_dial(&s);
		scene_run(&s, 5 * MONO_S);
		T_EQ(i, s.at[0].ups);
		(void)node_disconnect(s.at[1].node, NULL, fake_net_now(s.net));
		scene_run(&s, 5 * MONO_S);
		T_EQ(i, s.at[0].down.serial);
		T_EQ(i, s.at[1].down.serial);
		T_EQ(NODE_ENDED_THERE, s.at[0].down.record.ended);
		T_EQ(NODE_ENDED_HERE, s.at[1].down.record.ended);
	}
	scene_end(&s);
}

/* A hub that stops tells the end of each link, though nobody listens yet. */
#define MANY 1000U

static void the_ends_of_all_links_at_once_are_all_told(void)
{
	static const uint8_t seed[KEY_SEED_LEN] = { 7 };
	struct fake_net *net = fake_net_new(75, MONO_S);
	struct key_identity id;
	const struct node_cfg cfg = {
		.number = "2000",
		.identity = &id,
		.port = 4569,
		.keepalive_s = 15,
		.calls_max = MANY,
		.limits = { 8, 8192, 8, 100, 100 },
		.jitter = { .min_ms = 40, .max_ms = 400 },
		.station = station_config_flat,
		.random = fake_net_random,
		.random_ctx = net,
	};
	struct node_event ev;
	struct node *n;
	unsigned downs = 0;

	key_identity_from_seed(&id, seed);
	n = node_new(&cfg, MONO_S);
	T_TRUE(n != NULL);
	for (unsigned i = 0; i < MANY; i++) {
		struct node_connect c = { 0 };
		struct node_link_id link;
		char number[8];

		(void)snprintf(number, sizeof(number), "%u", 30000 + i);
		c.number = number;
		c.addr = net_addr_v4(192, 0, 2, 1, (uint16_t)(1 + i));
		T_EQ(IAX2_OK, node_connect(n, &c, MONO_S, &link));
		while (node_next_event(n, &ev))
			;
	}
	T_EQ(MANY, node_disconnect(n, NULL, 2 * MONO_S));
	while (node_next_event(n, &ev))
		downs += ev.kind == NODE_EV_LINK_DOWN;
	T_EQ(MANY, downs);
	T_TRUE(node_free(n) == NULL);
	(void)fake_net_free(net);
}

int main(void)
{
	T_RUN(both_ends_tell_of_the_same_call);
	T_RUN(nobody_ended_a_call_that_was_lost);
	T_RUN(a_dial_that_fails_has_no_record);
	T_RUN(calls_are_counted_from_the_nodes_start);
	T_RUN(the_ends_of_all_links_at_once_are_all_told);
	return T_DONE();
}
