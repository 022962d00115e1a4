/* SPDX-License-Identifier: MIT */

/* What the node says, and when. */

#include <stdlib.h>
#include <string.h>

#include "daemon/node/telemetry.h"
#include "tests/t.h"

#define BEAT (20 * MONO_MS)

static struct telemetry t;
static struct telemetry_now what;
static mono_us now;
static int16_t block[AUDIO_BLOCK];
static int peak;

static int16_t sample[4][3200]; /* 0.4 s each */
static struct telemetry_sound sounds[] = {
	{ "connected", sample[0], 3200 },
	{ "1", sample[1], 1600 },
	{ "2", sample[2], 1601 },
	{ "w", sample[3], 800 },
};

static struct telemetry_cfg usual(void)
{
	return (struct telemetry_cfg){
		.announce = true,
		.sounds = sounds,
		.sounds_n = 4,
		.wpm = 20,
		.hz = 800,
		.tone_db = 20,
		.duck_db = 20,
		.id = "=W1AW",
		.id_interval_s = 600,
		.id_late_s = 30,
	};
}

static void begin(void)
{
	const struct telemetry_cfg cfg = usual();

	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < 3200; j++)
			sample[i][j] = (int16_t)(1000 * (i + 1));
	}
	now = MONO_S;
	what = (struct telemetry_now){ 0 };
	telemetry_init(&t);
	telemetry_configure(&t, &cfg);
}

static bool beat(void)
{
	bool said;

	now += BEAT;
	telemetry_tick(&t, now);
	said = telemetry_block(&t, &what, block, now);
	peak = 0;
	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		peak = abs(block[i]) > peak ? abs(block[i]) : peak;
	T_TRUE(said || peak == 0);
	return said;
}

static void run(mono_us d)
{
	const mono_us end = now + d;

	while (now < end)
		(void)beat();
}

/* Until something is said; how long that takes. */
static mono_us until_said(void)
{
	const mono_us since = now;

	while (!beat())
		T_TRUE(now < since + 3600 * MONO_S);
	return now - since;
}

/* Blocks of each sound in what is said now. */
static void listen(unsigned of[4])
{
	memset(of, 0, 4 * sizeof(of[0]));
	do {
		if (peak > 0 && peak % 1000 == 0)
			of[peak / 1000 - 1]++;
	} while (beat());
}

/* --- what is said ------------------------------------------------------- */

static void words_are_sounds_and_numbers_are_spelled(void)
{
	unsigned of[4];

	begin();
	telemetry_say(&t, "connected 112W", now);
	T_TRUE(!telemetry_rests(&t));
	(void)until_said();
	listen(of);
	T_EQ(20, of[0]);
	T_EQ(2 * 10, of[1]);
	T_EQ(11, of[2]);
	T_EQ(5, of[3]);
	T_EQ(1, t.said);
	T_TRUE(telemetry_rests(&t));
}

static void what_has_no_sound_is_sent_in_morse_code(void)
{
	unsigned loud = 0;

	begin();
	/* -- .--. ; 3 is no sound, so none of the number is spelled */
	telemetry_say(&t, "disconnected 13", now);
	(void)until_said();
	do {
		loud += peak > 2000;
	} while (beat());
	/* D: 5 dots' length of tone, 1: 13, 3: 9, of 60 ms */
	T_TRUE(loud >= 27 * 3 && loud <= 27 * 3 + 2 * 13);
}

static void nonsense_does_no_harm(void)
{
	static const char *const words[] = { "",   " ",      "=",
					     "=~", "~ \x01", "connected=" };
	char text[TELEMETRY_TEXT_MAX + 2];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		begin();
		telemetry_say(&t, words[i], now);
		run(20 * MONO_S);
		T_TRUE(telemetry_rests(&t));
	}
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	telemetry_say(&t, text, now);
	T_TRUE(telemetry_rests(&t));
	T_EQ(1, t.dropped);
	for (size_t i = 0; i < TELEMETRY_QUEUE + 3; i++)
		telemetry_say(&t, "1", now);
	T_EQ(4, t.dropped);
	run(60 * MONO_S);
	T_TRUE(telemetry_rests(&t));
}

static void it_can_be_off(void)
{
	struct telemetry_cfg cfg = usual();

	begin();
	cfg.announce = false;
	telemetry_configure(&t, &cfg);
	telemetry_say(&t, "connected", now);
	T_TRUE(telemetry_rests(&t));
	telemetry_identify(&t, now);
	T_TRUE(!telemetry_rests(&t));
	cfg.id[0] = '\0';
	begin();
	telemetry_configure(&t, &cfg);
	telemetry_identify(&t, now);
	what.busy = what.keyed = true;
	run(700 * MONO_S);
	T_EQ(0, t.said);
	T_EQ(MONO_NEVER, telemetry_deadline(&t));
}

/* --- when --------------------------------------------------------------- */

static void a_pause_is_waited_for(void)
{
	begin();
	what.busy = true;
	run(MONO_S);
	telemetry_say(&t, "connected", now);
	run(3 * MONO_S);
	T_EQ(0, t.said);
	T_TRUE(!t.saying);
	what.busy = false;
	T_TRUE(until_said() <= TELEMETRY_QUIET_US + 2 * BEAT);
}

static void it_is_quieter_under_voices(void)
{
	begin();
	what.busy = true;
	telemetry_say(&t, "connected", now);
	T_TRUE(until_said() >= TELEMETRY_POLITE_US - BEAT);
	while (peak == 0)
		(void)beat();
	(void)beat();
	T_EQ(100, peak);
	/* And no longer when they end; without a step that clicks. */
	what.busy = false;
	(void)beat();
	T_TRUE(block[0] == 100 && block[AUDIO_BLOCK - 1] > 980);
	(void)beat();
	T_EQ(1000, peak);
}

static void held_back_it_begins_anew(void)
{
	unsigned of[4];

	begin();
	telemetry_say(&t, "connected", now);
	(void)until_said();
	run(500 * MONO_MS);
	what.held = what.busy = true;
	T_TRUE(!beat());
	run(5 * MONO_S);
	what.held = what.busy = false;
	(void)until_said();
	listen(of);
	T_EQ(20, of[0]);
	/* But not for ever. */
	telemetry_say(&t, "connected", now);
	what.held = true;
	run(TELEMETRY_STALE_US + MONO_S);
	T_TRUE(telemetry_rests(&t));
	T_EQ(1, t.dropped);
}

/* --- identification ----------------------------------------------------- */

static void talk(mono_us d)
{
	what.busy = what.keyed = true;
	run(d);
	what.busy = what.keyed = false;
}

static void without_transmissions_there_is_no_identification(void)
{
	begin();
	run(1300 * MONO_S);
	T_EQ(0, t.ids);
	T_EQ(MONO_NEVER, telemetry_deadline(&t));
	/* Somebody is heard, but not transmitted. */
	what.busy = true;
	run(MONO_S);
	what.busy = false;
	run(MONO_S);
	T_EQ(MONO_NEVER, telemetry_deadline(&t));
}

static void the_first_comes_with_the_first_pause(void)
{
	begin();
	talk(20 * MONO_S);
	T_EQ(0, t.ids);
	T_TRUE(until_said() <= TELEMETRY_QUIET_US + 2 * BEAT);
	what.keyed = true;
	run(5 * MONO_S);
	T_EQ(1, t.ids);
	/* Its own tail is no reason for another one. */
	what.keyed = false;
	run(1300 * MONO_S);
	T_EQ(1, t.ids);
}

static void the_next_comes_after_the_interval_in_a_pause(void)
{
	mono_us last;

	begin();
	talk(MONO_S);
	run(5 * MONO_S);
	last = t.id_last;
	T_EQ(1, t.ids);
	talk(5 * MONO_S);
	run(MONO_S);
	T_TRUE(telemetry_rests(&t));
	T_EQ(last + 600 * MONO_S, telemetry_deadline(&t));
	/* Nobody speaks any more: it is sent all the same. */
	(void)until_said();
	T_TRUE(now >= last + 600 * MONO_S);
	T_TRUE(now <= last + 600 * MONO_S + 2 * BEAT);
}

static void it_is_forced_under_voices_when_it_is_late(void)
{
	mono_us last;

	begin();
	talk(MONO_S);
	run(5 * MONO_S);
	last = t.id_last;
	what.busy = what.keyed = true;
	(void)until_said();
	T_TRUE(now >= last + 630 * MONO_S);
	T_TRUE(now <= last + 630 * MONO_S + 2 * BEAT);
	/* From silence on: within the interval. */
	begin();
	what.busy = what.keyed = true;
	T_TRUE(until_said() <= 600 * MONO_S + 2 * BEAT);
}

static void a_command_identifies_at_once_and_once(void)
{
	begin();
	telemetry_identify(&t, now);
	telemetry_identify(&t, now);
	(void)until_said();
	run(10 * MONO_S);
	T_EQ(1, t.ids);
	T_TRUE(telemetry_rests(&t));
}

static void a_full_queue_makes_room_for_it(void)
{
	begin();
	what.busy = what.keyed = what.held = true;
	(void)beat();
	telemetry_tick(&t, now);
	T_EQ(1, t.n);
	begin();
	for (size_t i = 0; i < TELEMETRY_QUEUE; i++)
		telemetry_say(&t, "connected", now);
	talk(BEAT);
	run(30 * MONO_S);
	T_EQ(1, t.ids);
}

int main(void)
{
	T_RUN(words_are_sounds_and_numbers_are_spelled);
	T_RUN(what_has_no_sound_is_sent_in_morse_code);
	T_RUN(nonsense_does_no_harm);
	T_RUN(it_can_be_off);
	T_RUN(a_pause_is_waited_for);
	T_RUN(it_is_quieter_under_voices);
	T_RUN(held_back_it_begins_anew);
	T_RUN(without_transmissions_there_is_no_identification);
	T_RUN(the_first_comes_with_the_first_pause);
	T_RUN(the_next_comes_after_the_interval_in_a_pause);
	T_RUN(it_is_forced_under_voices_when_it_is_late);
	T_RUN(a_command_identifies_at_once_and_once);
	T_RUN(a_full_queue_makes_room_for_it);
	return T_DONE();
}
