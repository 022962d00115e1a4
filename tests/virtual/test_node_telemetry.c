/* SPDX-License-Identifier: MIT */

/* What a whole node says: who hears it, and when it may. */

#include <sodium.h>

#include "tests/t.h"
#include "tests/virtual/text_scene.h"

/* 2001 linked to the peer; its radio as @duplex. */
static void begin(struct text_scene *s, enum duplex_mode duplex)
{
	struct node_cfg cfg = { .station = station_config_flat,
				.jitter = { .min_ms = 40, .max_ms = 400 },
				.acl = { .registered = true },
				.telemetry = { .announce = true,
					       .wpm = 20,
					       .hz = 800,
					       .tone_db = 20,
					       .duck_db = 12,
					       .id = "=W1AW",
					       .id_interval_s = 600,
					       .id_late_s = 30 } };

	text_begin(s, 1);
	cfg.station.duplex = duplex;
	cfg.station.ptt.timeout_s = 20;
	node_reconfigure(s->at[0].node, &cfg, text_now(s));
	T_EQ(IAX2_OK, text_connect(s, 0, -1, NODE_TRANSCEIVE, false));
	text_run_sound(s, MONO_S);
	T_TRUE(s->peer.up);
	text_peer_says(s, "!NEWKEY1!");
	text_run_sound(s, MONO_S);
	s->at[0].transmitted = 0;
	s->peer.voice = 0;
}

static void say(struct text_scene *s, const char *words)
{
	node_say(s->at[0].node, words, text_now(s));
}

static void it_is_transmitted_and_not_sent_to_links(void)
{
	struct text_scene s;

	begin(&s, DUPLEX_HALF);
	T_TRUE(node_rests(s.at[0].node));
	say(&s, "=TEST");
	T_TRUE(!node_rests(s.at[0].node));
	text_run_sound(&s, 1500 * MONO_MS);
	/* 300 ms, then 21 dots of 60 ms. */
	T_TRUE(s.at[0].transmitted >= 73 && s.at[0].transmitted <= 75);
	T_EQ(0, s.peer.voice);
	/* It is a transmission, and is identified. */
	text_run_sound(&s, 10 * MONO_S);
	T_EQ(1, node_telemetry(s.at[0].node)->ids);
	T_TRUE(node_rests(s.at[0].node));
	text_end(&s);
}

static void while_the_frequency_is_taken_it_waits(void)
{
	struct text_scene s;

	begin(&s, DUPLEX_HALF);
	s.at[0].cor = COR_IN_COR;
	text_run_sound(&s, MONO_S);
	say(&s, "=E");
	text_run_sound(&s, 15 * MONO_S);
	T_EQ(0, s.at[0].transmitted);
	s.at[0].cor = 0;
	text_run_sound(&s, 3 * MONO_S);
	T_TRUE(s.at[0].transmitted > 0);
	text_end(&s);
}

static void a_silent_transmitter_says_nothing(void)
{
	struct text_scene s;

	begin(&s, DUPLEX_HALF_SILENT);
	say(&s, "=E");
	text_run_sound(&s, 70 * MONO_S);
	T_EQ(0, s.at[0].transmitted);
	T_EQ(1, node_telemetry(s.at[0].node)->dropped);
	T_TRUE(node_rests(s.at[0].node));
	text_end(&s);
}

static void a_repeater_tells_that_it_timed_out(void)
{
	struct text_scene s;

	begin(&s, DUPLEX_FULL);
	s.at[0].cor = COR_IN_COR;
	text_run_sound(&s, 25 * MONO_S);
	T_TRUE(!s.at[0].keyed);
	T_EQ(0, node_telemetry(s.at[0].node)->said);
	/* As long as nobody lets go, nothing keys it again. */
	s.at[0].transmitted = 0;
	text_run_sound(&s, 5 * MONO_S);
	T_EQ(0, s.at[0].transmitted);
	s.at[0].cor = 0;
	text_run_sound(&s, 15 * MONO_S);
	T_TRUE(s.at[0].transmitted > 0);
	/* And the identification that was due. */
	T_EQ(2, node_telemetry(s.at[0].node)->said);
	T_EQ(1, node_telemetry(s.at[0].node)->ids);
	text_end(&s);
}

static void what_is_asked_by_text_is_answered_by_text(void)
{
	struct text_scene s;

	begin(&s, DUPLEX_HALF);
	node_report(s.at[0].node, "STATUS,2001,0,T1999", text_now(&s));
	text_run_sound(&s, MONO_S);
	T_STR("T 2001 STATUS,2001,0,T1999", text_peer_last(&s, "T 2001"));
	T_EQ(0, s.at[0].transmitted);
	text_end(&s);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(it_is_transmitted_and_not_sent_to_links);
	T_RUN(while_the_frequency_is_taken_it_waits);
	T_RUN(a_silent_transmitter_says_nothing);
	T_RUN(a_repeater_tells_that_it_timed_out);
	T_RUN(what_is_asked_by_text_is_answered_by_text);
	return T_DONE();
}
