/* SPDX-License-Identifier: MIT */

/* Who is linked behind whom, as nodes tell each other, and loops. */

#include <sodium.h>
#include <string.h>

#include "daemon/node/node_priv.h"
#include "tests/t.h"
#include "tests/virtual/text_scene.h"

/* --- lists -------------------------------------------------------------- */

static void a_chain_knows_itself(void)
{
	struct text_scene s;

	text_chain(&s, 5);
	text_run(&s, 3 * MONO_S);
	T_STR("T2003,T2004,T2005", text_behind(&s, 0, 1));
	T_STR("T2001", text_behind(&s, 2, 1));
	T_STR("T2005", text_behind(&s, 2, 3));
	T_STR("T2003,T2002,T2001", text_behind(&s, 4, 3));
	/* What is gone at one end is gone at the other. */
	T_EQ(1, node_disconnect(s.at[3].node, "2005", text_now(&s)));
	text_run(&s, 3 * MONO_S);
	T_STR("T2003,T2004", text_behind(&s, 0, 1));
	for (int i = 0; i < 5; i++)
		T_EQ(0, s.at[i].loops);
	text_end(&s);
}

static void a_star_knows_itself(void)
{
	struct text_scene s;

	text_begin(&s, 5);
	for (int i = 1; i < 5; i++)
		text_link_both(&s, i, 0);
	text_run(&s, 3 * MONO_S);
	T_STR("T2002,T2003,T2005", text_behind(&s, 3, 0));
	T_STR("", text_behind(&s, 0, 3));
	text_end(&s);
}

static void a_list_comes_soon_after_a_change_and_every_30_s(void)
{
	struct text_scene s;
	mono_us joined;
	size_t n;

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, 5 * MONO_S);
	T_STR("L ", text_peer_last(&s, "L"));
	joined = text_now(&s);
	T_EQ(IAX2_OK, text_connect(&s, 0, 1, NODE_TRANSCEIVE, false));
	text_run(&s, 2 * MONO_S);
	T_STR("L T2002", text_peer_last(&s, "L"));
	T_TRUE(s.peer.heard[s.peer.n - 1].when < joined + 2 * MONO_S);
	n = text_peer_heard(&s, "L");
	text_run(&s, 301 * MONO_S);
	T_EQ(n + 10, text_peer_heard(&s, "L"));
	text_end(&s);
}

static void changes_in_numbers_are_told_at_a_bearable_pace(void)
{
	struct text_scene s;
	char list[32];

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, 5 * MONO_S);
	text_link_both(&s, 0, 1);
	text_run(&s, 5 * MONO_S);
	/* 2002 hears what the peer lists: 100 changes in 10 s. */
	s.at[1].behinds = 0;
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(list, sizeof(list), "L T%u", 3000 + i);
		text_peer_says(&s, list);
	}
	T_TRUE(s.at[1].behinds >= 8 && s.at[1].behinds <= 12);
	/* Some were too many; what it lists next is heard again. */
	T_TRUE(node_text_counters(s.at[0].node)->limited > 0);
	text_run(&s, 20 * MONO_S);
	text_peer_says(&s, "L T3100");
	text_run(&s, 2 * MONO_S);
	T_STR("T1999,T3100", text_behind(&s, 1, 0));
	text_end(&s);
}

static void a_list_that_is_not_renewed_is_forgotten(void)
{
	struct text_scene s;

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, MONO_S);
	text_link_both(&s, 0, 1);
	text_peer_says(&s, "L T3001,R3002,C3003");
	text_run(&s, MONO_S);
	T_STR("T1999,T3001,R3002,C3003", text_behind(&s, 1, 0));
	text_run(&s, 118 * MONO_S);
	T_STR("T3001,R3002,C3003", text_behind(&s, 0, -1));
	text_run(&s, 4 * MONO_S);
	T_STR("", text_behind(&s, 0, -1));
	T_STR("T1999", text_behind(&s, 1, 0));
	text_end(&s);
}

static void a_list_too_long_is_passed_on_cut_and_marked(void)
{
	static char list[IAX2_TEXT_MAX + 1];
	struct text_scene s;
	struct asl_list got;
	struct node_link_info l;
	size_t len = (size_t)snprintf(list, sizeof(list), "L T300000");

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_link_both(&s, 0, 1);
	for (unsigned i = 1; len + 8 < IAX2_TEXT_MAX; i++)
		len += (size_t)snprintf(list + len, 9, ",T%06u", 300000 + i);
	text_peer_says(&s, list);
	text_run(&s, MONO_S);
	T_TRUE(text_link(&s, 1, 0, &l));
	T_TRUE(node_link_behind(s.at[1].node, l.id, &got));
	T_TRUE(got.cut && got.len > ASL_LIST_MAX - 10);
	T_EQ('T', asl_list_find(&got, "1999"));
	T_EQ('T', asl_list_find(&got, "300100"));
	text_end(&s);
}

static void what_is_behind_a_monitored_link_is_only_heard(void)
{
	struct node_link_info l;
	struct text_scene s;

	text_begin(&s, 3);
	text_link_both(&s, 0, 1);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_MONITOR, false));
	text_run(&s, MONO_S);
	text_peer_says(&s, "L T3001,C3002");
	text_run(&s, MONO_S);
	T_STR("R1999,R3001,C3002", text_behind(&s, 1, 0));
	/* One that only our radio hears is nobody's affair. */
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_LOCAL_MONITOR, false));
	text_run(&s, 2 * MONO_S);
	T_STR("", text_behind(&s, 1, 0));
	T_TRUE(text_link(&s, 0, -1, &l));
	T_EQ(NODE_LOCAL_MONITOR, l.mode);
	T_EQ(1, s.peer.ups);
	text_end(&s);
}

static void a_node_that_is_being_called_is_listed_so(void)
{
	struct text_scene s;

	text_begin(&s, 3);
	text_link_both(&s, 0, 1);
	/* 2003 is not there. */
	fake_net_cut(s.net, 4, true);
	T_EQ(IAX2_OK, text_connect(&s, 0, 2, NODE_TRANSCEIVE, true));
	text_run(&s, 2 * MONO_S);
	T_STR("C2003", text_behind(&s, 1, 0));
	text_end(&s);
}

/* --- loops -------------------------------------------------------------- */

static void a_node_in_the_conference_is_not_dialled_again(void)
{
	struct text_scene s;

	text_chain(&s, 4);
	text_run(&s, 2 * MONO_S);
	T_EQ(IAX2_E_REFUSED, text_connect(&s, 0, 3, NODE_TRANSCEIVE, false));
	T_EQ(IAX2_E_REFUSED, text_connect(&s, 0, 2, NODE_MONITOR, false));
	T_STR("2002", node_behind(s.at[0].node, "2004"));
	T_TRUE(!node_behind(s.at[0].node, "2002"));
	T_EQ(1, text_links_up(&s, 0));
	/* When the way to it is gone there is nothing against it. */
	T_EQ(1, node_disconnect(s.at[1].node, "2003", text_now(&s)));
	text_run(&s, 2 * MONO_S);
	text_link_both(&s, 0, 3);
	T_EQ(2, text_links_up(&s, 0));
	text_end(&s);
}

static void a_link_that_is_there_is_not_made_again(void)
{
	struct text_scene s;

	text_begin(&s, 2);
	text_link_both(&s, 0, 1);
	T_EQ(IAX2_E_STATE, text_connect(&s, 0, 1, NODE_TRANSCEIVE, false));
	T_EQ(IAX2_E_STATE, text_connect(&s, 1, 0, NODE_TRANSCEIVE, false));
	T_EQ(1, text_links_up(&s, 0));
	T_EQ(1, text_links_up(&s, 1));
	text_end(&s);
}

static void a_loop_that_another_made_is_told(void)
{
	struct node_link_info l;
	struct text_scene s;

	text_chain(&s, 3);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, 2 * MONO_S);
	T_EQ(0, s.at[0].loops);
	/* It wants to, which is none yet. */
	text_peer_says(&s, "L C2002");
	text_run(&s, 2 * MONO_S);
	T_EQ(0, s.at[0].loops);
	text_peer_says(&s, "L T2002,T2003");
	text_run(&s, 2 * MONO_S);
	T_EQ(1, s.at[0].loops);
	T_STR("2002", s.at[0].looped);
	T_TRUE(text_link(&s, 0, -1, &l));
	T_TRUE(l.loop);
	text_peer_says(&s, "L ");
	text_run(&s, 2 * MONO_S);
	T_TRUE(text_link(&s, 0, -1, &l));
	T_TRUE(!l.loop);
	/* We ourselves behind it are one, too. */
	text_peer_says(&s, "L T2001");
	text_run(&s, 2 * MONO_S);
	T_EQ(2, s.at[0].loops);
	text_end(&s);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_chain_knows_itself);
	T_RUN(a_star_knows_itself);
	T_RUN(a_list_comes_soon_after_a_change_and_every_30_s);
	T_RUN(changes_in_numbers_are_told_at_a_bearable_pace);
	T_RUN(a_list_that_is_not_renewed_is_forgotten);
	T_RUN(a_list_too_long_is_passed_on_cut_and_marked);
	T_RUN(what_is_behind_a_monitored_link_is_only_heard);
	T_RUN(a_node_that_is_being_called_is_listed_so);
	T_RUN(a_node_in_the_conference_is_not_dialled_again);
	T_RUN(a_link_that_is_there_is_not_made_again);
	T_RUN(a_loop_that_another_made_is_told);
	return T_DONE();
}
