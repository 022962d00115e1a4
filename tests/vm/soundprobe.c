/* SPDX-License-Identifier: MIT */

/*
 * A sound card through audio/alsa.h, without a node around it:
 *
 *	soundprobe SECONDS CAPTURE PLAYBACK RX_DB TX_DB MODE [HEARD]
 *
 * MODE: tone, which plays 1 kHz at amplitude 8000; loop, which plays what it
 * hears; stall, a tone, but for the last half second of each three; rest, the
 * same, and the device is told so.  What it hears is appended to the file HEARD,
 * S16_LE at 8 kHz.  On its output, a line each: news with times, and once a
 * second what it measures.
 */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audio/alsa.h"
#include "audio/alsa_priv.h"

#define BEAT_NS 20000000L
#define BEATS 50U

static FILE *heard;
static uint64_t none;

static double now_s(void)
{
	return (double)alsa_clock_us(NULL) * 1e-6;
}

static void say_news(struct alsa *a)
{
	static const char *const kind[] = { "opened", "failed", "warned" };
	struct alsa_news n;

	while (alsa_news(a, &n))
		printf("%.6f %s %s\n", now_s(), kind[n.kind], n.text);
}

static void say_status(struct alsa *a, const struct audio_device *d)
{
	const struct audio_device_status st = audio_status(d);
	const struct sound *s = a->sound;

	printf("%.6f status running=%d xruns=%llu none=%llu in_ppm=%.2f "
	       "out_ppm=%.2f in_ms=%.2f out_ms=%.2f in_off_ms=%.2f "
	       "out_off_ms=%.2f in_breaks=%llu out_breaks=%llu in_slips=%llu "
	       "out_slips=%llu starved=%llu\n",
	       now_s(), st.state == AUDIO_DEVICE_RUNNING,
	       (unsigned long long)st.xruns, (unsigned long long)none,
	       drift_ppm(&s->in_follow.drift), drift_ppm(&s->out_follow.drift),
	       sound_in_delay_ms(s), sound_out_delay_ms(s),
	       s->in_follow.excess_ms, s->out_follow.excess_ms,
	       (unsigned long long)atomic_load(&s->in_way.breaks),
	       (unsigned long long)atomic_load(&s->out_way.breaks),
	       (unsigned long long)s->in_follow.slips,
	       (unsigned long long)s->out_follow.slips,
	       (unsigned long long)alsa_starvations(a));
}

static void beat(struct alsa *a, const struct audio_device *d, bool loop)
{
	static unsigned phase;
	int16_t block[AUDIO_BLOCK] = { 0 };

	say_news(a);
	if (audio_capture(d, block) != 0)
		none++;
	else if (heard)
		(void)fwrite(block, sizeof(block), 1, heard);
	for (unsigned i = 0; i < AUDIO_BLOCK && !loop; i++)
		block[i] = (int16_t)lrint(
			8000.0 * sin((double)(phase++ % 8) * 0.785398163397));
	(void)audio_play(d, block);
}

static void run(struct alsa *a, const struct audio_device *d, unsigned seconds,
		const char *mode)
{
	const bool loop = strcmp(mode, "loop") == 0;
	const bool rest = strcmp(mode, "rest") == 0;
	const bool stall = rest || strcmp(mode, "stall") == 0;
	bool pauses, rested = false;
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	for (unsigned i = 1; i <= seconds * BEATS; i++) {
		at.tv_nsec += BEAT_NS;
		at.tv_sec += at.tv_nsec / 1000000000L;
		at.tv_nsec %= 1000000000L;
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at,
				      NULL);
		pauses = stall && i % (3 * BEATS) >= 3 * BEATS - BEATS / 2;
		if (rest && pauses != rested)
			audio_rest(d, pauses);
		rested = pauses;
		if (!pauses)
			beat(a, d, loop);
		if (i % BEATS == 0)
			say_status(a, d);
		(void)fflush(stdout);
	}
}

int main(int argc, char *argv[])
{
	struct alsa_levels levels = { 0 };
	struct audio_device d;
	struct alsa *a;

	if (argc < 7)
		return 2;
	levels.rx_db = strtod(argv[4], NULL);
	levels.tx_a_db = strtod(argv[5], NULL);
	levels.tx_b_db = levels.tx_a_db;
	if (argc > 7)
		heard = fopen(argv[7], "ae");
	if (alsa_new(&a, &levels) != 0)
		return 1;
	d = alsa_device(a);
	alsa_pcms(a, argv[2], argv[3]);
	run(a, &d, (unsigned)strtoul(argv[1], NULL, 10), argv[6]);
	audio_close(&d);
	if (heard)
		(void)fclose(heard);
	return 0;
}
