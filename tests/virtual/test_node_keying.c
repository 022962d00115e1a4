/* SPDX-License-Identifier: MIT */

/* What keys whole nodes, with each kind of peer. */

#include <sodium.h>
#include <string.h>

#include "tests/t.h"
#include "tests/virtual/text_scene.h"

static void begin(struct text_scene *s)
{
	text_begin(s, 1);
	T_EQ(IAX2_OK, text_connect(s, 0, -1, NODE_TRANSCEIVE, false));
	text_run_sound(s, 200 * MONO_MS);
	T_TRUE(s->peer.up);
}

static enum asl_keying_state keying(const struct text_scene *s)
{
	struct node_link_info l;

	T_TRUE(text_link(s, 0, -1, &l));
	return l.keying;
}

static void talk(struct text_scene *s, bool on, mono_us d)
{
	s->at[0].cor = on ? COR_IN_COR : 0;
	text_run_sound(s, d);
}

static void a_node_says_at_once_and_once_that_it_is_new(void)
{
	struct text_scene s;

	begin(&s);
	T_STR("!NEWKEY1!", s.peer.heard[0].text);
	text_run(&s, 10 * MONO_S);
	text_peer_says(&s, "!NEWKEY1!");
	text_run(&s, 10 * MONO_S);
	T_EQ(1, text_peer_heard(&s, "!NEWKEY1!"));
	T_EQ(ASL_KEYING_NEW, keying(&s));
	text_end(&s);
}

static void the_called_one_says_so_too(void)
{
	struct node_link_info l;
	struct text_scene s;

	text_begin(&s, 2);
	T_EQ(IAX2_OK, text_connect(&s, 0, 1, NODE_TRANSCEIVE, false));
	text_run(&s, MONO_S);
	T_TRUE(text_link(&s, 0, 1, &l));
	T_EQ(ASL_KEYING_NEW, l.keying);
	T_TRUE(text_link(&s, 1, 0, &l));
	T_EQ(ASL_KEYING_NEW, l.keying);
	text_end(&s);
}

static void a_new_one_is_keyed_by_voice_and_unkeyed_by_unkey(void)
{
	struct text_scene s;

	begin(&s);
	text_peer_says(&s, "!NEWKEY1!");
	/* KEY means nothing. */
	text_peer_keys(&s, true);
	text_run_sound(&s, MONO_S);
	T_EQ(0, s.at[0].transmitted);
	text_peer_talks(&s, 50);
	T_TRUE(s.at[0].keyed);
	text_peer_keys(&s, false);
	text_run_sound(&s, MONO_S);
	T_TRUE(!s.at[0].keyed);
	T_TRUE(s.at[0].transmitted >= 48 && s.at[0].transmitted <= 56);
	text_end(&s);
}

static void to_a_new_one_voice_goes_only_while_somebody_talks(void)
{
	struct text_scene s;

	begin(&s);
	text_peer_says(&s, "!NEWKEY1!");
	talk(&s, false, 10 * MONO_S);
	T_EQ(0, s.peer.voice);
	talk(&s, true, 2 * MONO_S);
	talk(&s, false, 2 * MONO_S);
	T_EQ(100, s.peer.voice);
	T_EQ(0, s.peer.keys);
	T_EQ(1, s.peer.unkeys);
	T_EQ(1, s.peer.cngs);
	text_end(&s);
}

static void a_redundant_one_gets_its_word_back_and_ours_every_2_s(void)
{
	struct text_scene s;

	begin(&s);
	text_peer_says(&s, "!NEWKEY!");
	T_EQ(1, text_peer_heard(&s, "!NEWKEY!"));
	/* Its echo of our echo is not echoed. */
	text_peer_says(&s, "!NEWKEY!");
	T_EQ(1, text_peer_heard(&s, "!NEWKEY!"));
	T_EQ(ASL_KEYING_REDUNDANT, keying(&s));
	talk(&s, false, 20 * MONO_S);
	T_TRUE(s.peer.unkeys >= 9 && s.peer.unkeys <= 10);
	T_EQ(0, s.peer.keys + s.peer.voice);
	s.peer.unkeys = 0;
	talk(&s, true, 7 * MONO_S);
	T_EQ(4, s.peer.keys);
	T_EQ(0, s.peer.unkeys);
	text_end(&s);
}

static void a_redundant_one_is_heard_while_it_says_key(void)
{
	struct text_scene s;

	begin(&s);
	text_peer_says(&s, "!NEWKEY!");
	text_peer_talks(&s, 50);
	T_EQ(0, s.at[0].transmitted);
	text_peer_keys(&s, true);
	text_peer_talks(&s, 50);
	T_TRUE(s.at[0].keyed);
	/* 12 s of voice, but KEY was said once. */
	text_peer_talks(&s, 12 * 50);
	T_TRUE(!s.at[0].keyed);
	T_TRUE(s.at[0].transmitted >= 480 && s.at[0].transmitted <= 510);
	text_peer_keys(&s, true);
	text_peer_talks(&s, 20);
	T_TRUE(s.at[0].keyed);
	text_peer_keys(&s, false);
	text_peer_talks(&s, 20);
	T_TRUE(!s.at[0].keyed);
	text_end(&s);
}

static void an_old_one_is_heard_between_key_and_unkey(void)
{
	struct text_scene s;

	begin(&s);
	text_peer_says(&s, "L ");
	T_EQ(ASL_KEYING_OPEN, keying(&s));
	text_run_sound(&s, 2 * MONO_S);
	T_EQ(ASL_KEYING_LEGACY, keying(&s));
	/* Its voice flows all the time. */
	text_peer_talks(&s, 100);
	T_EQ(0, s.at[0].transmitted);
	text_peer_keys(&s, true);
	text_peer_talks(&s, 15 * 50);
	T_TRUE(s.at[0].keyed);
	text_peer_keys(&s, false);
	text_peer_talks(&s, 50);
	T_TRUE(!s.at[0].keyed);
	T_TRUE(s.at[0].transmitted >= 745 && s.at[0].transmitted <= 760);
	text_end(&s);
}

static void an_old_one_hears_key_voice_and_unkey(void)
{
	struct text_scene s;

	begin(&s);
	text_peer_says(&s, "L ");
	talk(&s, false, 3 * MONO_S);
	T_EQ(0, s.peer.keys + s.peer.unkeys);
	talk(&s, true, 5 * MONO_S);
	talk(&s, false, MONO_S);
	T_EQ(1, s.peer.keys);
	T_EQ(1, s.peer.unkeys);
	T_EQ(250, s.peer.voice);
	text_end(&s);
}

static void a_telephone_keys_by_its_voice(void)
{
	struct text_scene s;

	begin(&s);
	text_peer_talks(&s, 50);
	T_TRUE(s.at[0].keyed);
	text_run_sound(&s, 5 * MONO_S);
	T_TRUE(!s.at[0].keyed);
	T_EQ(ASL_KEYING_PLAIN, keying(&s));
	text_peer_talks(&s, 50);
	T_TRUE(s.at[0].keyed);
	text_end(&s);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_node_says_at_once_and_once_that_it_is_new);
	T_RUN(the_called_one_says_so_too);
	T_RUN(a_new_one_is_keyed_by_voice_and_unkeyed_by_unkey);
	T_RUN(to_a_new_one_voice_goes_only_while_somebody_talks);
	T_RUN(a_redundant_one_gets_its_word_back_and_ours_every_2_s);
	T_RUN(a_redundant_one_is_heard_while_it_says_key);
	T_RUN(an_old_one_is_heard_between_key_and_unkey);
	T_RUN(an_old_one_hears_key_voice_and_unkey);
	T_RUN(a_telephone_keys_by_its_voice);
	return T_DONE();
}
