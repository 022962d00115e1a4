/* SPDX-License-Identifier: MIT */

/* What other nodes tell, in words; and what is not for the air. */

#include "daemon/node/told.h"
#include "tests/t.h"

static char words[TELEMETRY_TEXT_MAX + 1];

static void says(const char *src, const char *payload, const char *want)
{
	T_TRUE(told_words(src, payload, "2001", words));
	T_STR(want, words);
}

static void is_kept(const char *src, const char *payload)
{
	T_TRUE(!told_words(src, payload, "2001", words));
}

static void links_of_others_are_said(void)
{
	says("2000", "CONNECTED,2000,2002", "node 2000 connected node 2002");
	says("2000", "CONNECTED,2000,W1AW", "node 2000 connected node W1AW");
	says("2000", "REMDISC,2002", "node 2002 disconnected");
	says("2000", "CONNFAIL,2002", "node 2002 failed");
	says("2000", "STATUS,2000,0", "node 2000 no-links");
	says("2000", "STATUS,2000,0,T2002,R2003,L2004,C2005",
	     "node 2000 connected 2002 monitoring 2003 monitoring 2004");
}

static void what_functions_did_is_said(void)
{
	says("2000", "COMPLETE", "node 2000 complete");
	says("2000", "REMGO", "node 2000 command-mode");
	says("2000", "REMALREADY", "node 2000 already-connected");
	says("2000", "REMNOTFOUND", "node 2000 not-found");
	says("2000", "MACRO_NOTFOUND", "node 2000 unknown");
	says("2000", "LASTNODEKEY,2002", "node 2000 last node 2002");
	says("2000", "STATS_VERSION,3.10", "node 2000 version 3 point 10");
}

static void what_is_known_here_is_not_said_again(void)
{
	is_kept("2000", "CONNECTED,2000,2001");
	is_kept("2000", "CONNECTED,2001,2000");
	is_kept("2000", "REMDISC,2001");
	is_kept("2000", "CONNFAIL,2001");
}

static void what_is_of_no_use_on_the_air_is_not_said(void)
{
	is_kept("2000", "STATS_GPS,2000,1.0,2.0,3");
	is_kept("2000", "ARB_ALPHA,free-beer");
	is_kept("2000", "LASTUSER,W1AW");
	is_kept("2000", "PROC");
	is_kept("2000", "COMPLETE,2000");
	is_kept("2000", "");
}

/* Somebody in the conference may send anything: nothing of it becomes long
 * or Morse code. */
static void strange_fields_are_not_said(void)
{
	char payload[256];

	is_kept("20000000", "COMPLETE");
	is_kept("w1aw", "COMPLETE");
	is_kept("2000", "CONNECTED,2000");
	is_kept("2000", "CONNECTED,2000,");
	is_kept("2000", "CONNECTED,,2002");
	is_kept("2000", "CONNECTED,2000,2002,2003");
	is_kept("2000", "CONNECTED,2000,12345678");
	is_kept("2000", "CONNECTED,2000,ABCDEFGHI");
	is_kept("2000", "CONNECTED,2000,=PARIS");
	is_kept("2000", "CONNECTED,2000,20/2");
	is_kept("2000", "REMDISC");
	is_kept("2000", "REMDISC,2 2");
	is_kept("2000", "LASTNODEKEY,?");
	is_kept("2000", "STATS_VERSION,3");
	is_kept("2000", "STATS_VERSION,.1");
	is_kept("2000", "STATS_VERSION,1.");
	is_kept("2000", "STATS_VERSION,1.x");
	is_kept("2000", "STATS_VERSION,1234.1");
	is_kept("2000", "STATUS,2000");
	is_kept("2000", "STATUS,2000,0,T2002,T=");
	is_kept("2000", "STATUS,2000,0,T1,T2,T3,T4,T5,T6,T7,T8,T9");
	/* Eight callsigns are more than an announcement has room for. */
	is_kept("2000", "STATUS,2000,0,TAAAAAAAA,TBBBBBBBB,TCCCCCCCC,TDDDDDDDD,"
			"TEEEEEEEE,TFFFFFFFF,TGGGGGGGG,THHHHHHHH");
	memset(payload, '1', sizeof(payload) - 1);
	payload[sizeof(payload) - 1] = '\0';
	is_kept("2000", payload);
	memcpy(payload, "REMDISC,", 8);
	is_kept("2000", payload);
	memset(payload, ',', sizeof(payload) - 1);
	is_kept("2000", payload);
}

int main(void)
{
	T_RUN(links_of_others_are_said);
	T_RUN(what_functions_did_is_said);
	T_RUN(what_is_known_here_is_not_said_again);
	T_RUN(what_is_of_no_use_on_the_air_is_not_said);
	T_RUN(strange_fields_are_not_said);
	return T_DONE();
}
