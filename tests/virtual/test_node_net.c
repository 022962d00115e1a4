/* SPDX-License-Identifier: MIT */

/* Dialling between whole nodes, and keeping the hole to the registrar, in fair
 * and foul weather. */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_msg.h"
#include "tests/t.h"
#include "tests/virtual/node_scene.h"

/* --- dialling ----------------------------------------------------------- */

static void a_dial_between_two_carrier_nats_takes_four_round_trips(void)
{
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	scene_begin(&s, 1, &scene_preserving, &scene_preserving);
	id = scene_dial(&s);
	scene_run(&s, 2 * MONO_S);
	T_TRUE(node_link(s.at[0].node, id, &l));
	T_EQ(NODE_LINK_UP, l.state);
	T_EQ(NODE_RUNG_OPENED, l.rung);
	T_EQ(4 * RTT, l.dial_us);
	T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
	scene_end(&s);
}

/* Make 2002 a plain client of the registrar, registered at @at. */
static void register_as_plain(struct scene *s, const struct net_addr *at)
{
	static struct net_prefix all;
	const struct oo_registrar_cfg limits = { .refresh_s = 1800,
						 .registrations_per_min = 600,
						 .opens_per_min = 600,
						 .auth_failures_per_min = 60,
						 .token_optional = &all,
						 .token_optional_n = 1 };
	struct iax2_full hdr = { .src_callno = 7 };
	uint8_t buf[OO_FRAME_MAX];
	char challenge[65], md5[33];

	T_EQ(IAX2_OK, oo_registrar_plain_put(s->registrar, "2002", "sesame"));
	T_TRUE(oo_registrar_limits(s->registrar, &limits));
	for (int i = 0; i < 2; i++) {
		struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_REGREQ, &hdr);
		struct dgram d = { .path.peer = *at, .data = buf };
		struct oo_msg m;

		iax2_ie_put_text(&w, IAX2_IE_USERNAME, "2002");
		if (i == 1)
			iax2_ie_put_text(&w, IAX2_IE_MD5_RESULT, md5);
		d.len = (size_t)(w.p - buf);
		T_EQ(IAX2_OK,
		     oo_registrar_rx(s->registrar, &d, fake_net_now(s->net)));
		T_TRUE(oo_registrar_next_tx(s->registrar, &d));
		T_EQ(IAX2_OK, oo_msg_decode(d.data, d.len, &m));
		memcpy(challenge, m.challenge, sizeof(challenge));
		key_md5_response(challenge, "sesame", md5);
		hdr.dst_callno = m.hdr.src_callno;
	}
}

static const struct net_addr *open_address(int i)
{
	static struct net_addr a;

	a = net_addr_v4(198, 51, 100, (uint8_t)(20 + i), 4569);
	return &a;
}

static void a_plain_client_is_dialled_by_number_and_called_directly(void)
{
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	scene_peer_of[0] = (struct node_peer){ .number = "2002",
					       .md5_secret = "between us" };
	scene_peer_of[1] = (struct node_peer){ .number = "2001",
					       .md5_secret = "between us" };
	scene_begin(&s, 1, &scene_preserving, NULL);
	register_as_plain(&s, open_address(1));
	id = scene_dial(&s);
	scene_run(&s, 2 * MONO_S);
	T_TRUE(node_link(s.at[0].node, id, &l));
	T_EQ(NODE_LINK_UP, l.state);
	T_EQ(NODE_RUNG_DIRECT, l.rung);
	T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
	scene_end(&s);
	memset(scene_peer_of, 0, sizeof(scene_peer_of));
}

/* Or a registrar could take the place of a node whose key is known here. */
static void a_listed_key_is_not_given_up_for_a_plain_client(void)
{
	struct scene s;

	scene_peer_of[0] =
		(struct node_peer){ .number = "2002", .has_key = true };
	scene_begin(&s, 1, &scene_preserving, NULL);
	register_as_plain(&s, open_address(1));
	(void)scene_dial(&s);
	scene_run(&s, 2 * MONO_S);
	T_EQ(0, scene_all_links(&s, 0));
	T_EQ(1, s.at[0].downs);
	T_EQ(0, scene_all_links(&s, 1));
	T_TRUE(strstr(s.at[0].why, "key") != NULL);
	scene_end(&s);
	memset(scene_peer_of, 0, sizeof(scene_peer_of));
}

static bool lose_nth(void *ctx, const struct fake_packet *p)
{
	struct scene *s = ctx;

	(void)p;
	return s->lose == 0 || ++s->passed != s->lose;
}

static void any_one_packet_of_a_dial_may_be_lost(void)
{
	mono_us slowest = 0;

	for (unsigned n = 1; n <= 24; n++) {
		struct node_link_info l;
		struct node_link_id id;
		struct scene s;

		scene_begin(&s, n, &scene_preserving, &scene_preserving);
		fake_net_hook(s.net, lose_nth, &s);
		s.lose = n;
		id = scene_dial(&s);
		scene_run(&s, 3 * MONO_S);
		T_TRUE(node_link(s.at[0].node, id, &l));
		T_EQ(NODE_LINK_UP, l.state);
		T_EQ(1, scene_links(&s, 1, NODE_LINK_UP));
		if (l.dial_us > slowest)
			slowest = l.dial_us;
		scene_end(&s);
	}
	/* About one retry interval more than without loss. */
	T_TRUE(slowest <= 4 * RTT + 300 * MONO_MS);
}

static void in_foul_weather_a_dial_ends_and_both_ends_agree(void)
{
	const struct fake_weather foul = { .delay = ONE_WAY,
					   .jitter = 30 * MONO_MS,
					   .loss = 150,
					   .duplicate = 100,
					   .reorder = 100,
					   .reorder_delay = 60 * MONO_MS };
	unsigned up = 0;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct scene s;

		scene_begin(&s, seed, &scene_preserving, &scene_preserving);
		fake_net_weather(s.net, &foul);
		(void)scene_dial(&s);
		scene_run(&s, 12 * MONO_S);
		T_EQ(0, scene_links(&s, 0, NODE_LINK_REQUESTING));
		T_EQ(0, scene_links(&s, 0, NODE_LINK_PUNCHING));
		up += scene_links(&s, 0, NODE_LINK_UP);
		if (scene_all_links(&s, 0) == 0)
			T_TRUE(s.at[0].why[0] != '\0');
		/* Fair again: what one end has, the other has. */
		fake_net_weather(s.net,
				 &(struct fake_weather){ .delay = ONE_WAY });
		scene_run(&s, 60 * MONO_S);
		T_EQ(scene_links(&s, 0, NODE_LINK_UP),
		     scene_links(&s, 1, NODE_LINK_UP));
		(void)node_disconnect(s.at[0].node, NULL, fake_net_now(s.net));
		scene_run(&s, 10 * MONO_S);
		T_EQ(0, scene_all_links(&s, 0));
		T_EQ(0, scene_all_links(&s, 1));
		T_EQ(0, iax2_endpoint_calls(node_endpoint(s.at[0].node)));
		T_EQ(0, iax2_endpoint_calls(node_endpoint(s.at[1].node)));
		T_EQ(0, oo_registrar_opens(s.registrar));
		scene_end(&s);
	}
	/* One packet in seven is lost: nearly all get through all the same. */
	T_TRUE(up >= 190);
}

static void a_port_translating_nat_is_met_by_port_probing(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		const bool caller = seed % 2;
		struct node_link_info l;
		struct node_link_id id;
		struct scene s;

		scene_begin(&s, seed,
			    caller ? &scene_symmetric : &scene_preserving,
			    caller ? &scene_preserving : &scene_symmetric);
		id = scene_dial(&s);
		scene_run(&s, 10 * MONO_S);
		T_TRUE(node_link(s.at[0].node, id, &l));
		T_EQ(NODE_LINK_UP, l.state);
		T_EQ(NODE_RUNG_PREDICTED, l.rung);
		T_EQ(1, s.at[!caller].opened);
		/* All but the one in use are given back. */
		scene_run(&s, 10 * MONO_S);
		T_TRUE(s.at[!caller].closed >= 1);
		T_TRUE(!node_uses_socket(s.at[!caller].node, 0xffff));
		scene_end(&s);
	}
}

static void a_port_translating_target_reaches_a_public_caller_at_once(void)
{
	struct node_link_info l;
	struct node_link_id id;
	struct scene s;

	scene_begin(&s, 3, NULL, &scene_symmetric);
	id = scene_dial(&s);
	scene_run(&s, 2 * MONO_S);
	T_TRUE(node_link(s.at[0].node, id, &l));
	T_EQ(NODE_LINK_UP, l.state);
	T_EQ(NODE_RUNG_OPENED, l.rung);
	T_TRUE(l.dial_us <= 6 * RTT);
	T_EQ(0, s.at[1].opened);
	scene_end(&s);
}

/* --- keeping the hole --------------------------------------------------- */

static void the_hole_lives_for_a_day_and_costs_little(void)
{
	const mono_us day = 24 * 3600 * MONO_S;
	struct fake_counters before, after;
	struct scene s;

	scene_begin(&s, 5, &scene_preserving, &scene_preserving);
	before = *fake_net_counters(s.net, 1);
	scene_run(&s, day);
	after = *fake_net_counters(s.net, 1);
	/* A PING each 12.75 s at the most, and the refreshes. */
	T_TRUE(after.sent - before.sent < day / MONO_S / 12);
	T_TRUE(after.sent - before.sent > day / MONO_S / 16);
	(void)scene_dial(&s);
	scene_run(&s, MONO_S);
	T_EQ(1, scene_links(&s, 0, NODE_LINK_UP));
	scene_end(&s);
}

static void a_changed_carrier_address_is_noticed_within_an_interval(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		const struct net_addr other = net_addr_v4(203, 0, 113, 99, 0);
		struct scene s;

		scene_begin(&s, seed, &scene_preserving, &scene_preserving);
		scene_run(&s, seed * MONO_S);
		fake_net_rebind(s.net, s.nat[1], fake_net_now(s.net), &other);
		scene_run(&s, 16 * MONO_S);
		T_EQ(1, oo_registrar_counters(s.registrar)->moves);
		T_EQ(2, oo_registrar_counters(s.registrar)->registered);
		(void)scene_dial(&s);
		scene_run(&s, MONO_S);
		T_EQ(1, scene_links(&s, 0, NODE_LINK_UP));
		scene_end(&s);
	}
}

static void a_node_that_was_cut_off_for_a_minute_comes_back(void)
{
	struct scene s;

	scene_begin(&s, 9, &scene_preserving, &scene_preserving);
	fake_net_cut(s.net, 2, true);
	scene_run(&s, 60 * MONO_S);
	T_TRUE(!oo_reg_is_up(
		oo_node_registrar(node_openover(s.at[1].node), 0)));
	fake_net_cut(s.net, 2, false);
	scene_run(&s, 61 * MONO_S);
	(void)scene_dial(&s);
	scene_run(&s, MONO_S);
	T_EQ(1, scene_links(&s, 0, NODE_LINK_UP));
	scene_end(&s);
}

static void a_silent_registrar_is_asked_for_ever_but_not_often(void)
{
	struct fake_counters before, after;
	struct scene s;

	scene_begin(&s, 11, &scene_preserving, &scene_preserving);
	fake_net_cut(s.net, 0, true);
	scene_run(&s, 600 * MONO_S);
	before = *fake_net_counters(s.net, 1);
	scene_run(&s, 3600 * MONO_S);
	after = *fake_net_counters(s.net, 1);
	T_TRUE(after.sent - before.sent > 60);
	T_TRUE(after.sent - before.sent < 1500);
	fake_net_cut(s.net, 0, false);
	scene_run(&s, 90 * MONO_S);
	T_TRUE(oo_reg_is_up(oo_node_registrar(node_openover(s.at[0].node), 0)));
	scene_end(&s);
}

/* Who asks gets the sockets' event at once, whatever else happens or not. */
static void measuring_that_is_asked_for_begins_without_a_datagram(void)
{
	const struct oo_measure_ends ends = { .told = { .port = 4570 },
					      .port = { 1, 1 },
					      .other = 1 };
	struct node_event ev;
	unsigned asked = 0;
	struct scene s;

	scene_begin(&s, 1, &scene_preserving, NULL);
	oo_registrar_measure(s.registrar, &ends);
	/* It is told at the next registration. */
	scene_run(&s, 3600 * MONO_S);
	T_TRUE(node_measure(s.at[0].node, fake_net_now(s.net)));
	while (node_next_event(s.at[0].node, &ev))
		asked += ev.kind == NODE_EV_MEASURE;
	T_EQ(1, asked);
	scene_end(&s);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_dial_between_two_carrier_nats_takes_four_round_trips);
	T_RUN(a_plain_client_is_dialled_by_number_and_called_directly);
	T_RUN(a_listed_key_is_not_given_up_for_a_plain_client);
	T_RUN(any_one_packet_of_a_dial_may_be_lost);
	T_RUN(in_foul_weather_a_dial_ends_and_both_ends_agree);
	T_RUN(a_port_translating_nat_is_met_by_port_probing);
	T_RUN(a_port_translating_target_reaches_a_public_caller_at_once);
	T_RUN(the_hole_lives_for_a_day_and_costs_little);
	T_RUN(a_changed_carrier_address_is_noticed_within_an_interval);
	T_RUN(a_node_that_was_cut_off_for_a_minute_comes_back);
	T_RUN(a_silent_registrar_is_asked_for_ever_but_not_often);
	T_RUN(measuring_that_is_asked_for_begins_without_a_datagram);
	return T_DONE();
}
