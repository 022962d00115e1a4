/* SPDX-License-Identifier: MIT */

/* Links of each mode, how they end, and when they are made again. */

#include <sodium.h>
#include <string.h>

#include "tests/t.h"
#include "tests/virtual/text_scene.h"

/* 2001 hears the peer in @mode; 2002 is linked to 2001. */
static void begin(struct text_scene *s, enum node_mode mode)
{
	text_begin(s, 2);
	T_EQ(IAX2_OK, text_connect(s, 0, 1, NODE_TRANSCEIVE, false));
	T_EQ(IAX2_OK, text_connect(s, 0, -1, mode, false));
	text_run_sound(s, MONO_S);
	T_TRUE(s->peer.up);
	text_peer_says(s, "!NEWKEY1!");
}

static void everybody_talks(struct text_scene *s)
{
	s->at[0].cor = COR_IN_COR;
	text_run_sound(s, MONO_S);
	s->at[0].cor = 0;
	s->at[1].cor = COR_IN_COR;
	text_run_sound(s, MONO_S);
	s->at[1].cor = 0;
	text_run_sound(s, MONO_S);
	s->at[0].transmitted = 0;
	s->at[1].transmitted = 0;
	text_peer_talks(s, 50);
	text_run_sound(s, MONO_S);
}

static void a_transceived_link_hears_and_is_heard(void)
{
	struct text_scene s;

	begin(&s, NODE_TRANSCEIVE);
	everybody_talks(&s);
	T_TRUE(s.peer.voice >= 95);
	T_TRUE(s.at[0].transmitted > 45);
	T_TRUE(s.at[1].transmitted > 45);
	text_end(&s);
}

static void a_monitored_link_is_sent_nothing(void)
{
	struct text_scene s;

	begin(&s, NODE_MONITOR);
	everybody_talks(&s);
	T_EQ(0, s.peer.voice + s.peer.keys + s.peer.unkeys);
	T_TRUE(s.at[0].transmitted > 45);
	T_TRUE(s.at[1].transmitted > 45);
	/* Nor what we would tell a conference. */
	T_EQ(0, text_peer_heard(&s, "T 2001"));
	T_TRUE(text_peer_heard(&s, "L") > 0);
	text_end(&s);
}

static void a_locally_monitored_link_is_for_our_radio_alone(void)
{
	struct text_scene s;

	begin(&s, NODE_LOCAL_MONITOR);
	everybody_talks(&s);
	T_EQ(0, s.peer.voice);
	T_TRUE(s.at[0].transmitted > 45);
	T_EQ(0, s.at[1].transmitted);
	text_end(&s);
}

static void another_mode_takes_no_other_call(void)
{
	struct text_scene s;

	begin(&s, NODE_MONITOR);
	T_EQ(IAX2_E_STATE, text_connect(&s, 0, -1, NODE_MONITOR, false));
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	everybody_talks(&s);
	T_TRUE(s.peer.voice >= 95);
	T_EQ(1, s.peer.ups);
	T_EQ(0, s.peer.downs);
	text_end(&s);
}

/* --- ends --------------------------------------------------------------- */

static void a_disconnect_is_said_before_the_call_ends(void)
{
	struct text_scene s;
	mono_us told;

	begin(&s, NODE_TRANSCEIVE);
	T_EQ(1, node_disconnect(s.at[0].node, "1999", text_now(&s)));
	T_EQ(1, text_links_up(&s, 0));
	text_run(&s, 5 * MONO_S);
	T_EQ(1, text_peer_heard(&s, "!!DISCONNECT!!"));
	T_EQ(1, s.peer.downs);
	told = s.peer.heard[s.peer.n - 1].when;
	T_STR("!!DISCONNECT!!", s.peer.heard[s.peer.n - 1].text);
	T_TRUE(s.peer.down_at - told >= 190 * MONO_MS &&
	       s.peer.down_at - told <= 300 * MONO_MS);
	T_EQ(1, iax2_endpoint_calls(node_endpoint(s.at[0].node)));
	text_end(&s);
}

static void a_disconnect_ends_the_link_for_good(void)
{
	for (int permanent = 0; permanent < 2; permanent++) {
		struct node_link_info l;
		struct text_scene s;

		text_begin(&s, 1);
		T_EQ(IAX2_OK,
		     text_connect(&s, 0, -1, NODE_TRANSCEIVE, permanent != 0));
		text_run(&s, MONO_S);
		text_peer_says(&s, "!NEWKEY1!");
		text_peer_says(&s, "!!DISCONNECT!!");
		T_TRUE(!text_link(&s, 0, -1, &l));
		text_run(&s, 200 * MONO_S);
		T_EQ(1, s.peer.calls);
		T_EQ(1, s.peer.downs);
		text_end(&s);
	}
}

static void a_node_that_stops_may_be_dialled_again(void)
{
	struct text_scene s;

	begin(&s, NODE_TRANSCEIVE);
	node_stop(s.at[0].node, text_now(&s));
	text_run(&s, 3 * MONO_S);
	T_EQ(1, s.peer.downs);
	T_EQ(0, text_peer_heard(&s, "!!DISCONNECT!!"));
	text_end(&s);
}

/* --- and again ---------------------------------------------------------- */

static void nodes_that_lose_one_hub_come_back_one_by_one(void)
{
	struct text_scene s;
	mono_us least = MONO_NEVER, most = 0;

	text_begin(&s, TEXT_NODES);
	s.peer.refuses = true;
	for (int i = 0; i < TEXT_NODES; i++)
		T_EQ(IAX2_OK, text_connect(&s, i, -1, NODE_TRANSCEIVE, true));
	text_run(&s, 6 * MONO_S);
	T_TRUE(s.peer.calls >= 2 * TEXT_NODES);
	for (int i = 0; i < TEXT_NODES; i++) {
		const mono_us pause =
			s.peer.called[TEXT_NODES + i] - s.peer.called[i];

		T_TRUE(pause >= 2 * MONO_S && pause <= 6 * MONO_S);
		least = mono_min(least, pause);
		most = pause > most ? pause : most;
	}
	T_TRUE(most - least > 500 * MONO_MS);
	text_end(&s);
}

static void a_permanent_link_comes_back_by_schedule(void)
{
	/* Seconds from one call to the next, at most; half at least. */
	static const unsigned gap[] = { 5, 5, 5, 5, 5, 10, 20, 40, 60, 60 };
	struct node_link_info l;
	struct text_scene s;

	text_begin(&s, 1);
	s.peer.refuses = true;
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_MONITOR, true));
	text_run(&s, 240 * MONO_S);
	T_TRUE(s.peer.calls > 10);
	for (unsigned i = 0; i < 10; i++) {
		const mono_us was = s.peer.called[i + 1] - s.peer.called[i];

		T_TRUE(was >= gap[i] * MONO_S / 2 &&
		       was <= gap[i] * MONO_S + 300 * MONO_MS);
	}
	s.peer.refuses = false;
	text_run(&s, 61 * MONO_S);
	T_TRUE(text_link(&s, 0, -1, &l));
	T_EQ(NODE_LINK_UP, l.state);
	T_EQ(NODE_MONITOR, l.mode);
	T_TRUE(l.permanent);
	/* From there the schedule starts anew. */
	text_peer_hangs_up(&s);
	text_run(&s, 6 * MONO_S);
	T_EQ(2, s.peer.ups);
	text_end(&s);
}

static void a_nodes_link_that_was_lost_is_tried_five_times(void)
{
	struct node_link_info l;
	struct text_scene s;
	unsigned calls;

	begin(&s, NODE_TRANSCEIVE);
	text_peer_hangs_up(&s);
	T_TRUE(text_link(&s, 0, -1, &l));
	T_EQ(NODE_LINK_WAITING, l.state);
	T_TRUE(!l.permanent);
	text_run(&s, 6 * MONO_S);
	T_EQ(2, s.peer.ups);
	text_peer_says(&s, "!NEWKEY1!");
	calls = s.peer.calls;
	s.peer.refuses = true;
	text_peer_hangs_up(&s);
	text_run(&s, 200 * MONO_S);
	T_EQ(5, s.peer.calls - calls);
	T_TRUE(!text_link(&s, 0, -1, &l));
	text_end(&s);
}

/* As a hub is that all come back to: five tries would be over in 25 s. */
static void a_lost_link_waits_minutes_for_who_is_busy(void)
{
	struct node_link_info l;
	struct text_scene s;
	unsigned calls;

	begin(&s, NODE_TRANSCEIVE);
	s.peer.refuses = true;
	s.peer.cause = 17;
	calls = s.peer.calls;
	text_peer_hangs_up(&s);
	text_run(&s, 290 * MONO_S);
	T_TRUE(text_link(&s, 0, -1, &l));
	T_EQ(NODE_LINK_WAITING, l.state);
	T_TRUE(s.peer.calls - calls > 5);
	s.peer.refuses = false;
	text_run(&s, 60 * MONO_S);
	T_EQ(2, s.peer.ups);
	/* But not for ever. */
	text_peer_says(&s, "!NEWKEY1!");
	s.peer.refuses = true;
	text_peer_hangs_up(&s);
	text_run(&s, 1000 * MONO_S);
	T_TRUE(!text_link(&s, 0, -1, &l));
	text_end(&s);
}

/* It is not there, or its registrar does not know yet that it is. */
static void a_lost_link_is_back_when_its_hub_is(void)
{
	struct node_link_info l;
	struct text_scene s;

	text_begin(&s, 2);
	text_link_both(&s, 0, 1);
	text_run(&s, 5 * MONO_S);
	fake_net_cut(s.net, 3, true);
	text_run(&s, 200 * MONO_S);
	T_EQ(1, s.at[0].ups);
	T_TRUE(text_link(&s, 0, 1, &l));
	T_TRUE(!l.permanent && l.state != NODE_LINK_UP);
	fake_net_cut(s.net, 3, false);
	text_run(&s, 100 * MONO_S);
	T_EQ(2, s.at[0].ups);
	T_EQ(1, text_links_up(&s, 1));
	text_end(&s);
}

static void a_telephone_that_hangs_up_is_left_alone(void)
{
	struct node_link_info l;
	struct text_scene s;

	text_begin(&s, 1);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, 5 * MONO_S);
	text_peer_hangs_up(&s);
	text_run(&s, 60 * MONO_S);
	T_TRUE(!text_link(&s, 0, -1, &l));
	T_EQ(1, s.peer.calls);
	text_end(&s);
}

static void a_dial_that_never_was_a_link_is_not_tried_again(void)
{
	struct node_link_info l;
	struct text_scene s;

	text_begin(&s, 1);
	s.peer.refuses = true;
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, 60 * MONO_S);
	T_EQ(1, s.peer.calls);
	T_TRUE(!text_link(&s, 0, -1, &l));
	text_end(&s);
}

static void a_link_that_rests_gives_way_to_another_way(void)
{
	struct node_link_info l;
	struct text_scene s;

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, true));
	text_run(&s, MONO_S);
	text_peer_hangs_up(&s);
	/* Meanwhile 2002 has it: a second way would be a loop. */
	T_EQ(IAX2_OK, text_connect(&s, 1, -1, NODE_TRANSCEIVE, false));
	T_EQ(IAX2_OK, text_connect(&s, 1, 0, NODE_TRANSCEIVE, false));
	text_run(&s, 20 * MONO_S);
	T_EQ(2, s.peer.calls);
	T_TRUE(text_link(&s, 0, -1, &l));
	T_EQ(NODE_LINK_WAITING, l.state);
	T_STR("linked already, through 2002", l.why);
	T_EQ(1, node_disconnect(s.at[1].node, "1999", text_now(&s)));
	text_run(&s, 10 * MONO_S);
	T_EQ(3, s.peer.calls);
	T_EQ(2, text_links_up(&s, 0));
	text_end(&s);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_transceived_link_hears_and_is_heard);
	T_RUN(a_monitored_link_is_sent_nothing);
	T_RUN(a_locally_monitored_link_is_for_our_radio_alone);
	T_RUN(another_mode_takes_no_other_call);
	T_RUN(a_disconnect_is_said_before_the_call_ends);
	T_RUN(a_disconnect_ends_the_link_for_good);
	T_RUN(a_node_that_stops_may_be_dialled_again);
	T_RUN(nodes_that_lose_one_hub_come_back_one_by_one);
	T_RUN(a_permanent_link_comes_back_by_schedule);
	T_RUN(a_nodes_link_that_was_lost_is_tried_five_times);
	T_RUN(a_lost_link_waits_minutes_for_who_is_busy);
	T_RUN(a_lost_link_is_back_when_its_hub_is);
	T_RUN(a_telephone_that_hangs_up_is_left_alone);
	T_RUN(a_dial_that_never_was_a_link_is_not_tried_again);
	T_RUN(a_link_that_rests_gives_way_to_another_way);
	return T_DONE();
}
