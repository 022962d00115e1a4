/* SPDX-License-Identifier: MIT */

/* What keys a link, with each kind of peer. */

#include <string.h>

#include "proto/asl_keying.h"
#include "tests/t.h"

#define START (100 * MONO_S)

static struct asl_keying open_link(void)
{
	struct asl_keying k;

	asl_keying_start(&k, START);
	return k;
}

static void a_new_peer_is_keyed_by_its_voice(void)
{
	struct asl_keying k = open_link();

	T_TRUE(asl_keying_hears(&k));
	T_TRUE(!asl_keying_on_text(&k, ASL_NEWKEY1, START + MONO_S));
	T_EQ(ASL_KEYING_NEW, k.state);
	T_EQ(MONO_NEVER, asl_keying_deadline(&k));
	T_EQ(ASL_KEYING_NOTHING, asl_keying_tick(&k, START + 60 * MONO_S));
	/* KEY is ignored, and none is sent. */
	asl_keying_on_key(&k, false, START);
	T_TRUE(asl_keying_hears(&k));
	T_TRUE(!asl_keying_speak(&k, true, START));
	/* It has said so: "!NEWKEY!" changes nothing and has no answer. */
	T_TRUE(!asl_keying_on_text(&k, ASL_NEWKEY, START + MONO_S));
	T_EQ(ASL_KEYING_NEW, k.state);
}

static void an_old_peer_is_one_that_says_nothing_for_two_seconds(void)
{
	struct asl_keying k = open_link();

	T_TRUE(!asl_keying_on_text(&k, ASL_LIST, START));
	T_EQ(START + 2 * MONO_S, asl_keying_deadline(&k));
	T_EQ(ASL_KEYING_NOTHING, asl_keying_tick(&k, START + 2 * MONO_S - 1));
	T_EQ(ASL_KEYING_IS_OLD, asl_keying_tick(&k, START + 2 * MONO_S));
	T_EQ(ASL_KEYING_LEGACY, k.state);
	T_TRUE(!asl_keying_hears(&k));
	asl_keying_on_key(&k, true, START + 3 * MONO_S);
	T_TRUE(asl_keying_hears(&k));
	/* It refreshes nothing, so nothing is missed. */
	T_EQ(MONO_NEVER, asl_keying_deadline(&k));
	asl_keying_on_key(&k, false, START + 90 * MONO_S);
	T_TRUE(!asl_keying_hears(&k));
	T_TRUE(asl_keying_speak(&k, true, START));
	T_TRUE(!asl_keying_speak(&k, false, START));
}

static void a_redundant_peer_repeats_its_key(void)
{
	struct asl_keying k = open_link();

	T_TRUE(asl_keying_on_text(&k, ASL_NEWKEY, START + MONO_S));
	T_EQ(ASL_KEYING_REDUNDANT, k.state);
	/* Its answer to our answer has none. */
	T_TRUE(!asl_keying_on_text(&k, ASL_NEWKEY, START + MONO_S));
	T_TRUE(!asl_keying_hears(&k));
	asl_keying_on_key(&k, true, START + MONO_S);
	T_TRUE(asl_keying_hears(&k));
	asl_keying_on_key(&k, true, START + 3 * MONO_S);
	while (asl_keying_tick(&k, START + 13 * MONO_S - 1) == ASL_KEYING_TELL)
		;
	T_TRUE(asl_keying_hears(&k));
	T_EQ(ASL_KEYING_LOST, asl_keying_tick(&k, START + 13 * MONO_S));
	T_TRUE(!asl_keying_hears(&k));
}

static void and_ours_is_repeated_for_it(void)
{
	struct asl_keying k = open_link();

	(void)asl_keying_on_text(&k, ASL_NEWKEY, START);
	T_EQ(START + 2 * MONO_S, asl_keying_deadline(&k));
	T_EQ(ASL_KEYING_TELL, asl_keying_tick(&k, START + 2 * MONO_S));
	T_TRUE(!k.ours);
	T_TRUE(asl_keying_speak(&k, true, START + 3 * MONO_S));
	T_EQ(START + 5 * MONO_S, asl_keying_deadline(&k));
	T_EQ(ASL_KEYING_TELL, asl_keying_tick(&k, START + 5 * MONO_S));
	T_TRUE(k.ours);
}

static void an_old_peer_may_still_speak_up(void)
{
	struct asl_keying k = open_link();

	asl_keying_on_key(&k, true, START);
	T_EQ(ASL_KEYING_IS_OLD, asl_keying_tick(&k, START + 2 * MONO_S));
	T_TRUE(asl_keying_hears(&k));
	T_TRUE(asl_keying_on_text(&k, ASL_NEWKEY, START + 5 * MONO_S));
	T_EQ(ASL_KEYING_REDUNDANT, k.state);
	T_TRUE(!asl_keying_on_text(&k, ASL_NEWKEY1, START + 6 * MONO_S));
	T_EQ(ASL_KEYING_NEW, k.state);
}

static void a_telephone_is_heard_by_its_voice_alone(void)
{
	struct asl_keying k = open_link();

	/* Some say UNKEY, all the same. */
	asl_keying_on_key(&k, false, START);
	T_EQ(ASL_KEYING_NOTHING, asl_keying_tick(&k, START + 2 * MONO_S));
	T_EQ(ASL_KEYING_PLAIN, k.state);
	T_TRUE(asl_keying_hears(&k));
	T_TRUE(!asl_keying_speak(&k, true, START));
	T_EQ(MONO_NEVER, asl_keying_deadline(&k));
	/* Until it shows that it is none. */
	asl_keying_on_key(&k, true, START + 9 * MONO_S);
	T_EQ(ASL_KEYING_LEGACY, k.state);
	T_TRUE(asl_keying_hears(&k));
}

static void states_have_words(void)
{
	T_STR("newkey1", asl_keying_text(ASL_KEYING_NEW));
	T_STR("plain", asl_keying_text(ASL_KEYING_PLAIN));
}

int main(void)
{
	T_RUN(a_new_peer_is_keyed_by_its_voice);
	T_RUN(an_old_peer_is_one_that_says_nothing_for_two_seconds);
	T_RUN(a_redundant_peer_repeats_its_key);
	T_RUN(and_ours_is_repeated_for_it);
	T_RUN(an_old_peer_may_still_speak_up);
	T_RUN(a_telephone_is_heard_by_its_voice_alone);
	T_RUN(states_have_words);
	return T_DONE();
}
