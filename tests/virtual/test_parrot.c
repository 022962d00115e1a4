/* SPDX-License-Identifier: MIT */

/* The parrot, alone and in a node. */

#include <sodium.h>
#include <string.h>

#include "daemon/node/parrot.h"
#include "tests/t.h"
#include "tests/virtual/text_scene.h"

#define BEAT (20 * MONO_MS)

static struct parrot p;
static mono_us now;
static int16_t out[AUDIO_BLOCK];

static void begin(unsigned seconds)
{
	now = MONO_S;
	T_TRUE(parrot_init(&p, seconds));
	parrot_on(&p, true);
}

/* A beat in which @source says @value, or nobody does. */
static bool beat(uint32_t source, int16_t value)
{
	int16_t block[AUDIO_BLOCK];

	now += BEAT;
	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		block[i] = value;
	if (value != 0)
		parrot_hear(&p, source, block, now);
	return parrot_step(&p, out, now);
}

static void an_over_is_played_back_once_it_is_over(void)
{
	unsigned silent = 0, played = 0;

	begin(30);
	for (int i = 0; i < 50; i++)
		T_TRUE(!beat(7, 1000));
	while (!beat(0, 0))
		silent++;
	T_EQ(PARROT_PAUSE_US / BEAT - 1, silent);
	T_EQ(7, p.source);
	do {
		T_TRUE(out[0] > 950 && out[0] < 1050);
		played++;
	} while (beat(0, 0));
	T_EQ(50, played);
	T_TRUE(parrot_rests(&p));
	parrot_done(&p);
}

static void another_is_not_recorded_meanwhile(void)
{
	begin(30);
	(void)beat(7, 1000);
	for (int i = 0; i < 10; i++)
		(void)beat(8, 2000);
	T_EQ(AUDIO_BLOCK, p.n);
	while (!beat(8, 2000))
		;
	T_TRUE(out[0] < 1050);
	parrot_done(&p);
}

static void who_speaks_into_it_is_recorded_anew(void)
{
	begin(30);
	for (int i = 0; i < 50; i++)
		(void)beat(PARROT_RADIO, 1000);
	while (!beat(0, 0))
		;
	T_TRUE(!beat(PARROT_RADIO, 2000));
	while (!beat(0, 0))
		;
	T_TRUE(out[0] > 1900);
	T_TRUE(!beat(0, 0));
	parrot_done(&p);
}

static void there_is_no_more_than_there_is_room_for(void)
{
	unsigned played = 0;

	begin(1);
	for (int i = 0; i < 500; i++)
		(void)beat(7, 1000);
	while (!beat(0, 0))
		;
	do
		played++;
	while (beat(0, 0));
	T_EQ(50, played);
	parrot_done(&p);
}

static void off_it_says_nothing(void)
{
	begin(30);
	(void)beat(7, 1000);
	parrot_on(&p, false);
	T_TRUE(parrot_rests(&p));
	T_TRUE(!beat(7, 1000));
	T_TRUE(parrot_rests(&p));
	parrot_done(&p);
	begin(0);
	(void)beat(7, 1000);
	T_TRUE(parrot_rests(&p));
	parrot_done(&p);
}

/* --- in a node ---------------------------------------------------------- */

static void a_link_hears_itself_and_the_radio_does_not(void)
{
	struct text_scene s;
	unsigned heard;

	text_begin(&s, 1);
	node_parrot(s.at[0].node, true);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run_sound(&s, MONO_S);
	text_peer_says(&s, "!NEWKEY1!");
	text_peer_talks(&s, 100);
	heard = s.peer.voice;
	T_EQ(0, heard);
	text_run_sound(&s, 500 * MONO_MS);
	s.at[0].transmitted = 0;
	text_run_sound(&s, 4 * MONO_S);
	T_TRUE(s.peer.voice >= 98 && s.peer.voice <= 110);
	T_EQ(0, s.at[0].transmitted);
	T_TRUE(node_rests(s.at[0].node));
	text_end(&s);
}

static void the_radio_hears_itself_and_no_link_does(void)
{
	struct text_scene s;
	unsigned heard;

	text_begin(&s, 1);
	node_parrot(s.at[0].node, true);
	T_EQ(IAX2_OK, text_connect(&s, 0, -1, NODE_TRANSCEIVE, false));
	text_run_sound(&s, MONO_S);
	text_peer_says(&s, "!NEWKEY1!");
	s.at[0].cor = COR_IN_COR;
	text_run_sound(&s, 2 * MONO_S);
	s.at[0].cor = 0;
	text_run_sound(&s, 500 * MONO_MS);
	T_EQ(0, s.at[0].transmitted);
	heard = s.peer.voice;
	text_run_sound(&s, 4 * MONO_S);
	T_EQ(heard, s.peer.voice);
	T_TRUE(s.at[0].transmitted >= 98 && s.at[0].transmitted <= 104);
	text_end(&s);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(an_over_is_played_back_once_it_is_over);
	T_RUN(another_is_not_recorded_meanwhile);
	T_RUN(who_speaks_into_it_is_recorded_anew);
	T_RUN(there_is_no_more_than_there_is_room_for);
	T_RUN(off_it_says_nothing);
	T_RUN(a_link_hears_itself_and_the_radio_does_not);
	T_RUN(the_radio_hears_itself_and_no_link_does);
	return T_DONE();
}
