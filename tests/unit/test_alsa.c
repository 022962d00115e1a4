/* SPDX-License-Identifier: MIT */

/*
 * The ALSA device and its thread without a card: ALSA's own plug-ins read one
 * file and write another, by the clock that sound.h lends them.
 */

#include "audio/alsa.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

#include "tests/t.h"

#define DEADLINE_S 60
#define HZ 48000U
#define TONE 48U /* samples of 1 kHz */

static char folder[] = "/tmp/keyhole-alsa-XXXXXX";
static const struct alsa_levels levels = { .boost = false };

static const char *in_folder(char path[128], const char *name)
{
	(void)snprintf(path, 128, "%s/%s", folder, name);
	return path;
}

static void nap(void)
{
	const struct timespec ts = { 0, 20000000 };

	(void)nanosleep(&ts, NULL);
}

/* One channel, a minute of a tone. */
static void write_tone(const char *path)
{
	FILE *f = fopen(path, "we");

	T_TRUE(f);
	for (unsigned i = 0; i < 60 * HZ; i++) {
		const int16_t x =
			(int16_t)lrint(8000.0 * sin(2.0 * 3.14159265358979 *
						    (i % TONE) / TONE));

		T_EQ(1, fwrite(&x, sizeof(x), 1, f));
	}
	T_EQ(0, fclose(f));
}

static void configure(void)
{
	char path[128];
	FILE *f;

	T_TRUE(mkdtemp(folder));
	write_tone(in_folder(path, "in.raw"));
	f = fopen(in_folder(path, "asoundrc"), "we");
	T_TRUE(f);
	(void)fprintf(f,
		      "</usr/share/alsa/alsa.conf>\n"
		      "pcm.in { type file slave.pcm null file /dev/null "
		      "infile %s/in.raw format raw }\n"
		      "pcm.out { type file slave.pcm null file %s/out.raw "
		      "format raw }\n",
		      folder, folder);
	T_EQ(0, fclose(f));
	T_EQ(0, setenv("ALSA_CONFIG_PATH", path, 1));
}

static void clean_up(void)
{
	static const char *const files[] = { "in.raw", "out.raw", "asoundrc" };
	char path[128];

	for (size_t i = 0; i < 3; i++)
		(void)unlink(in_folder(path, files[i]));
	(void)rmdir(folder);
}

static void expect_news(struct alsa *a, enum alsa_news_kind kind,
			const char *text)
{
	const time_t end = time(NULL) + DEADLINE_S;
	struct alsa_news n;

	while (!alsa_news(a, &n)) {
		T_TRUE(time(NULL) < end);
		nap();
	}
	T_STR(text, n.text);
	T_EQ(kind, n.kind);
}

static int peak(const int16_t *x, size_t n)
{
	int most = 0;

	for (size_t i = 0; i < n; i++)
		most = abs(x[i]) > most ? abs(x[i]) : most;
	return most;
}

/* Play what is heard until @n blocks of the tone were. */
static void talk(struct audio_device *d, unsigned n)
{
	const time_t end = time(NULL) + DEADLINE_S;
	int16_t block[AUDIO_BLOCK];

	while (n > 0) {
		const int err = audio_capture(d, block);

		T_TRUE(err == 0 || err == AUDIO_DEVICE_NONE);
		if (err != 0)
			memset(block, 0, sizeof(block));
		if (abs(peak(block, AUDIO_BLOCK) - 8000) < 100)
			n--;
		T_EQ(0, audio_play(d, block));
		T_TRUE(time(NULL) < end);
		nap();
	}
}

static int played_peak(void)
{
	static int16_t x[4096];
	char path[128];
	FILE *f = fopen(in_folder(path, "out.raw"), "re");
	size_t n;
	int most = 0;

	T_TRUE(f);
	while ((n = fread(x, sizeof(x[0]), 4096, f)) > 0)
		most = peak(x, n) > most ? peak(x, n) : most;
	T_EQ(0, fclose(f));
	return most;
}

static void sound_passes_both_ways(void)
{
	struct audio_device d;
	struct alsa *a;

	T_EQ(0, alsa_new(&a, &levels));
	d = alsa_device(a);
	T_EQ(AUDIO_DEVICE_DOWN, audio_status(&d).state);
	alsa_pcms(a, "in", "out");
	expect_news(a, ALSA_OPENED, "the sound card in is in use");
	T_EQ(AUDIO_DEVICE_RUNNING, audio_status(&d).state);
	talk(&d, 40);
	audio_close(&d);
	T_TRUE(played_peak() > 7800);
}

static void a_loop_that_stands_still_is_said(void)
{
	time_t end;
	struct audio_device d;
	struct alsa *a;

	T_EQ(0, alsa_new(&a, &levels));
	d = alsa_device(a);
	end = time(NULL) + DEADLINE_S;
	alsa_pcms(a, "in", "out");
	expect_news(a, ALSA_OPENED, "the sound card in is in use");
	talk(&d, 3);
	expect_news(a, ALSA_WARNED,
		    "the node handed over no sound for 200 ms: silence was "
		    "played");
	T_TRUE(alsa_starvations(a) > 0);
	do {
		talk(&d, 1);
		T_TRUE(time(NULL) < end);
	} while (alsa_starved(a));
	audio_close(&d);
}

static void it_rests_and_is_back(void)
{
	struct audio_device d;
	struct alsa *a;

	T_EQ(0, alsa_new(&a, &levels));
	d = alsa_device(a);
	alsa_pcms(a, "in", "out");
	expect_news(a, ALSA_OPENED, "the sound card in is in use");
	talk(&d, 3);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t starvations;

		audio_rest(&d, true);
		nap(); /* a turn may be under way */
		starvations = alsa_starvations(a);
		for (unsigned k = 0; k < 15; k++)
			nap();
		T_EQ(starvations, alsa_starvations(a));
		audio_rest(&d, false);
		talk(&d, 3);
	}
	audio_close(&d);
}

static void what_is_wrong_is_said_once_until_it_works(void)
{
	struct audio_device d;
	struct alsa_news n;
	struct alsa *a;

	T_EQ(0, alsa_new(&a, &levels));
	d = alsa_device(a);
	alsa_card(a, "hw:CARD=Nowhere");
	expect_news(a, ALSA_FAILED, "there is no sound card hw:CARD=Nowhere");
	for (unsigned i = 0; i < 60; i++)
		nap();
	T_TRUE(!alsa_news(a, &n));
	T_EQ(AUDIO_DEVICE_DOWN, audio_status(&d).state);
	alsa_set_levels(a, &levels);
	alsa_pcms(a, "in", NULL);
	expect_news(a, ALSA_OPENED,
		    "the sound card in is in use, for capture only");
	talk(&d, 3);
	alsa_pcms(a, "", "out");
	expect_news(a, ALSA_OPENED,
		    "the sound card out is in use, for playback only");
	alsa_card(a, NULL);
	audio_close(&d);
}

static void it_ends_whatever_it_does(void)
{
	for (unsigned i = 0; i < 8; i++) {
		struct audio_device d;
		struct alsa_mixer m;
		struct alsa *a;

		T_EQ(0, alsa_new(&a, &levels));
		d = alsa_device(a);
		alsa_pcms(a, i % 2 ? "in" : "nothing", i % 4 ? "out" : NULL);
		for (unsigned k = 0; k < i; k++)
			nap();
		/* These PCMs are of no card. */
		T_TRUE(!alsa_mixer_state(a, &m));
		audio_close(&d);
	}
}

int main(void)
{
	configure();
	T_RUN(sound_passes_both_ways);
	T_RUN(a_loop_that_stands_still_is_said);
	T_RUN(it_rests_and_is_back);
	T_RUN(what_is_wrong_is_said_once_until_it_works);
	T_RUN(it_ends_whatever_it_does);
	clean_up();
	return T_DONE();
}
