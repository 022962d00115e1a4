/* SPDX-License-Identifier: MIT */

/* Text between whole nodes: questions, digits, words, and who talks. */

#include <sodium.h>
#include <string.h>

#include "daemon/node/node_priv.h"
#include "tests/t.h"
#include "tests/virtual/text_scene.h"

static void what_went_round_is_not_passed_on_again(void)
{
	struct text_scene s;

	text_chain(&s, 3);
	T_EQ(IAX2_OK, text_connect(&s, 1, -1, NODE_TRANSCEIVE, false));
	text_run(&s, MONO_S);
	T_EQ(IAX2_OK, node_message(s.at[0].node, NULL, "Hello", text_now(&s)));
	text_run(&s, MONO_S);
	T_EQ(1, text_peer_heard(&s, "M 2001 0 Hello"));
	T_EQ(1, s.at[2].messages);
	/* The peer closes the loop. */
	text_peer_says(&s, "M 2001 0 Hello");
	text_run(&s, MONO_S);
	T_EQ(1, s.at[2].messages);
	T_EQ(0, s.at[0].messages);
	T_EQ(1, node_text_counters(s.at[1].node)->looped);
	/* And what we said ourselves. */
	text_peer_says(&s, "M 2002 0 Hello");
	text_run(&s, MONO_S);
	T_EQ(1, s.at[2].messages);
	T_EQ(2, node_text_counters(s.at[1].node)->looped);
	text_end(&s);
}

/* --- questions, digits, words ------------------------------------------- */

static void everybody_answers_whose_radio_is_keyed(void)
{
	const struct node_answer *answer;
	struct text_scene s;

	text_chain(&s, 4);
	s.at[2].cor = COR_IN_COR;
	text_run_sound(&s, 2 * MONO_S);
	T_EQ(IAX2_OK, node_ask(s.at[0].node, text_now(&s)));
	T_EQ(IAX2_E_STATE, node_ask(s.at[0].node, text_now(&s)));
	text_run_sound(&s, 2 * MONO_S);
	T_EQ(0, s.at[0].answers);
	text_run_sound(&s, 2 * MONO_S);
	T_EQ(1, s.at[0].answers);
	T_EQ(3, node_answers(s.at[0].node, &answer));
	for (size_t i = 0; i < 3; i++)
		T_EQ(strcmp(answer[i].number, "2003") == 0, answer[i].keyed);
	/* Later it was a while ago. */
	s.at[2].cor = 0;
	text_run_sound(&s, 10 * MONO_S);
	T_EQ(IAX2_OK, node_ask(s.at[0].node, text_now(&s)));
	text_run_sound(&s, 4 * MONO_S);
	T_EQ(3, node_answers(s.at[0].node, &answer));
	for (size_t i = 0; i < 3; i++) {
		T_TRUE(!answer[i].keyed);
		if (strcmp(answer[i].number, "2003") == 0)
			T_TRUE(answer[i].seconds >= 9 &&
			       answer[i].seconds <= 10);
	}
	/* The answers are for who asked. */
	T_EQ(0, s.at[1].answers + s.at[2].answers + s.at[3].answers);
	text_end(&s);
}

static void a_question_is_answered_by_whom_it_is_for(void)
{
	struct text_scene s;

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, MONO_S);
	text_link_both(&s, 0, 1);
	text_peer_says(&s, "K? 2002 1999 0 0");
	text_run(&s, MONO_S);
	T_EQ(1, text_peer_heard(&s, "K "));
	T_EQ(1, text_peer_heard(&s, "K 1999 2002 0 "));
	text_peer_says(&s, "K? 0 1999 0 0");
	text_run(&s, MONO_S);
	T_EQ(1, text_peer_heard(&s, "K 1999 2001 0 "));
	text_peer_says(&s, "K? * 1999 0 0");
	text_run(&s, MONO_S);
	T_EQ(2, text_peer_heard(&s, "K 1999 2001 0 "));
	T_EQ(2, text_peer_heard(&s, "K 1999 2002 0 "));
	text_peer_says(&s, "K? 2009 1999 0 0");
	text_run(&s, MONO_S);
	T_EQ(4, text_peer_heard(&s, "K "));
	text_end(&s);
}

static void digits_reach_the_far_node_and_it_alone(void)
{
	struct text_scene s;

	text_chain(&s, 5);
	T_EQ(IAX2_OK, node_command(s.at[0].node, "2005", "*70#", text_now(&s)));
	T_EQ(IAX2_E_FULL,
	     node_command(s.at[0].node, "2004", "1", text_now(&s)));
	T_EQ(IAX2_OK, node_command(s.at[0].node, "2005", "1", text_now(&s)));
	text_run(&s, 2 * MONO_S);
	T_STR("*70#1", s.at[4].digits);
	T_STR("2001", s.at[4].digits_from);
	for (int i = 0; i < 4; i++)
		T_STR("", s.at[i].digits);
	/* A neighbour gets them without anybody else. */
	T_EQ(IAX2_OK, node_command(s.at[0].node, "2002", "1", text_now(&s)));
	text_run(&s, MONO_S);
	T_STR("1", s.at[1].digits);
	T_STR("", s.at[2].digits);
	T_EQ(IAX2_E_RANGE,
	     node_command(s.at[0].node, "2001", "1", text_now(&s)));
	T_EQ(IAX2_E_RANGE,
	     node_command(s.at[0].node, "2002", "1e", text_now(&s)));
	T_EQ(IAX2_E_RANGE,
	     node_command(s.at[0].node, "20 02", "1", text_now(&s)));
	text_end(&s);
}

static void app_rpts_digits_are_taken_as_it_sends_them(void)
{
	struct text_scene s;

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, MONO_S);
	text_link_both(&s, 0, 1);
	text_peer_says(&s, "D 2001 1999 1 *");
	text_peer_says(&s, "D 2001 1999 2 7");
	text_peer_says(&s, "D 0 1999 3 0");
	T_STR("*70", s.at[0].digits);
	T_STR("1999", s.at[0].digits_from);
	text_peer_says(&s, "D 2002 1999 4 5");
	T_STR("*70", s.at[0].digits);
	T_STR("5", s.at[1].digits);
	text_end(&s);
}

static void words_reach_one_or_all(void)
{
	char many[ASL_MESSAGE_MAX + 1];
	struct text_scene s;

	text_chain(&s, 3);
	T_EQ(IAX2_OK,
	     node_message(s.at[0].node, NULL, "Net at 20:00", text_now(&s)));
	text_run(&s, MONO_S);
	T_STR("Net at 20:00", s.at[2].message);
	T_STR("2001", s.at[2].message_from);
	T_EQ(1, s.at[1].messages);
	T_EQ(IAX2_OK,
	     node_message(s.at[0].node, "2003", "Only you", text_now(&s)));
	text_run(&s, MONO_S);
	T_STR("Only you", s.at[2].message);
	T_EQ(1, s.at[1].messages);
	memset(many, 'x', ASL_MESSAGE_MAX);
	many[ASL_MESSAGE_MAX] = '\0';
	T_EQ(IAX2_E_RANGE,
	     node_message(s.at[0].node, NULL, many, text_now(&s)));
	T_EQ(IAX2_E_RANGE,
	     node_message(s.at[0].node, NULL, "two\nlines", text_now(&s)));
	T_EQ(IAX2_E_RANGE,
	     node_message(s.at[0].node, "20 03", "Hello", text_now(&s)));
	text_end(&s);
}

static void telemetry_is_passed_on_and_not_sent_back(void)
{
	struct text_scene s;

	text_begin(&s, 3);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, MONO_S);
	text_link_both(&s, 0, 1);
	/* A link that we placed is told to those that we take part with. */
	T_EQ(1, text_peer_heard(&s, "T 2001 CONNECTED,2001,1999"));
	T_EQ(1, text_peer_heard(&s, "T 2001 CONNECTED,2001,2002"));
	text_link_both(&s, 1, 2);
	T_EQ(1, text_peer_heard(&s, "T 2002 CONNECTED,2002,2003"));
	text_peer_says(&s, "T 1999 STATS_VERSION,3.10");
	text_run(&s, MONO_S);
	T_EQ(0, text_peer_heard(&s, "T 1999"));
	/* Here and at the end of the chain it is known who told it. */
	T_STR("STATS_VERSION,3.10", s.at[0].told);
	T_STR("1999", s.at[0].told_by);
	T_STR("STATS_VERSION,3.10", s.at[2].told);
	T_STR("1999", s.at[2].told_by);
	text_peer_says(&s, "I 1999 1234");
	text_run(&s, MONO_S);
	T_EQ(0, text_peer_heard(&s, "I 1999"));
	text_end(&s);
}

static void where_a_node_is_goes_to_all_but_whence_it_came(void)
{
	struct text_scene s;

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, MONO_S);
	text_link_both(&s, 0, 1);
	text_peer_says(&s, "G 1999 4032.42N 07418.12W 12.3M");
	text_run(&s, MONO_S);
	T_STR("G 1999 4032.42N 07418.12W 12.3M", s.at[1].gps);
	T_EQ(0, text_peer_heard(&s, "G 1999"));
	/* Ours, which came back to us, goes no further. */
	text_peer_says(&s, "G 2001 4032.42N 07418.12W 12.3M");
	text_run(&s, MONO_S);
	T_STR("G 1999 4032.42N 07418.12W 12.3M", s.at[1].gps);
	text_end(&s);
}

static void a_link_that_is_soon_back_was_never_gone(void)
{
	struct text_scene s;

	text_begin(&s, 3);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, MONO_S);
	text_link_both(&s, 1, 0);
	T_EQ(1, node_disconnect(s.at[1].node, NULL, text_now(&s)));
	text_run(&s, 5 * MONO_S);
	text_link_both(&s, 1, 0);
	text_run(&s, 20 * MONO_S);
	T_EQ(0, text_peer_heard(&s, "T 2001 REMDISC"));
	T_EQ(1, node_disconnect(s.at[1].node, NULL, text_now(&s)));
	text_run(&s, 9 * MONO_S);
	T_EQ(0, text_peer_heard(&s, "T 2001 REMDISC"));
	text_run(&s, 2 * MONO_S);
	T_EQ(1, text_peer_heard(&s, "T 2001 REMDISC,2002"));
	/* A dial that fails is told at once. */
	fake_net_cut(s.net, 4, true);
	T_EQ(IAX2_OK, text_connect(&s, 0, 2, NODE_TRANSCEIVE, false));
	text_run(&s, 30 * MONO_S);
	T_EQ(1, text_peer_heard(&s, "T 2001 CONNFAIL,2003"));
	text_end(&s);
}

static void nonsense_is_counted_by_kind_and_goes_nowhere(void)
{
	const struct node_text_counters *c;
	struct text_scene s;

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, MONO_S);
	text_link_both(&s, 0, 1);
	c = node_text_counters(s.at[0].node);
	text_peer_says(&s, "Z 1 2 3");
	text_peer_says(&s, "D 2002 1999 1");
	text_peer_says(&s, "D 2002 1999 1 x");
	text_peer_says(&s, "M 1999 0 bell\a");
	text_peer_says(&s, "L T3001,Y3002");
	text_peer_says(&s, "G 1999 1 2");
	text_peer_says(&s, "K 2002 1999 2 0");
	text_peer_says(&s, "K? * 1999 0");
	text_peer_says(&s, "T 1999 two words");
	text_peer_says(&s, "I 1999");
	text_run(&s, MONO_S);
	T_EQ(1, c->unknown);
	T_EQ(2, c->malformed[ASL_DIGIT]);
	T_EQ(1, c->malformed[ASL_MESSAGE]);
	T_EQ(1, c->malformed[ASL_LIST]);
	T_EQ(1, c->malformed[ASL_GPS]);
	T_EQ(1, c->malformed[ASL_KEYED]);
	T_EQ(1, c->malformed[ASL_ASK]);
	T_EQ(1, c->malformed[ASL_TELEMETRY]);
	T_EQ(1, c->malformed[ASL_MDC]);
	T_STR("", s.at[1].told);
	/* The neighbour was sent nothing that it cannot read either. */
	c = node_text_counters(s.at[1].node);
	for (int k = 0; k < ASL_KINDS; k++)
		T_EQ(0, c->malformed[k]);
	T_EQ(0, c->unknown);
	T_STR("T1999,T3001", text_behind(&s, 1, 0));
	T_EQ(0, s.at[1].messages);
	T_STR("", s.at[1].digits);
	text_end(&s);
}

static void a_flood_of_words_is_bounded(void)
{
	struct text_scene s;
	char text[64];

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, MONO_S);
	text_link_both(&s, 0, 1);
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "M 1999 0 %u", i);
		while (iax2_send_text(s.peer.ep, s.peer.call, text,
				      text_now(&s)) != IAX2_OK)
			text_run(&s, 5 * MONO_MS);
	}
	text_run(&s, MONO_S);
	/* 200 at once and 50 a second. */
	T_TRUE(s.at[0].messages >= 200 && s.at[0].messages < 500);
	T_TRUE(node_text_counters(s.at[0].node)->limited > 500);
	/* The call lives, and a list is still heard. */
	text_peer_says(&s, "L T3001");
	T_STR("T3001", text_behind(&s, 0, -1));
	text_end(&s);
}

/* --- who talks ---------------------------------------------------------- */

static void everybody_knows_who_talks(void)
{
	struct text_scene s;

	text_chain(&s, 4);
	s.at[1].cor = COR_IN_COR;
	text_run_sound(&s, 2 * MONO_S);
	for (int i = 0; i < 4; i++) {
		if (i == 1)
			continue;
		T_STR("2002", s.at[i].talker);
		T_STR("DL0XX", s.at[i].talker_name);
		T_EQ(1, s.at[i].talks);
	}
	s.at[1].cor = 0;
	text_run_sound(&s, 2 * MONO_S);
	for (int i = 0; i < 4; i++)
		T_STR("", s.at[i].talker);
	text_end(&s);
}

static void a_talker_of_another_make_is_known_by_its_link(void)
{
	struct text_scene s;

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run(&s, MONO_S);
	text_link_both(&s, 0, 1);
	text_peer_talks(&s, 50);
	T_STR("1999", s.at[0].talker);
	T_STR("1999", s.at[1].talker);
	/* It never announced that it understands such texts. */
	s.at[1].cor = COR_IN_COR;
	text_run_sound(&s, 2 * MONO_S);
	T_EQ(0, text_peer_heard(&s, "!TALKER!"));
	T_STR("2002", s.at[0].talker);
	/* Nor may it name others. */
	text_peer_says(&s, "!TALKER! 3001 1 NOBODY");
	T_STR("2002", s.at[0].talker);
	/* Who goes while it talks has ended. */
	T_EQ(1, node_disconnect(s.at[0].node, "2002", text_now(&s)));
	text_run(&s, MONO_S);
	T_STR("", s.at[0].talker);
	text_end(&s);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(what_went_round_is_not_passed_on_again);
	T_RUN(everybody_answers_whose_radio_is_keyed);
	T_RUN(a_question_is_answered_by_whom_it_is_for);
	T_RUN(digits_reach_the_far_node_and_it_alone);
	T_RUN(app_rpts_digits_are_taken_as_it_sends_them);
	T_RUN(words_reach_one_or_all);
	T_RUN(telemetry_is_passed_on_and_not_sent_back);
	T_RUN(where_a_node_is_goes_to_all_but_whence_it_came);
	T_RUN(a_link_that_is_soon_back_was_never_gone);
	T_RUN(nonsense_is_counted_by_kind_and_goes_nowhere);
	T_RUN(a_flood_of_words_is_bounded);
	T_RUN(everybody_knows_who_talks);
	T_RUN(a_talker_of_another_make_is_known_by_its_link);
	return T_DONE();
}
