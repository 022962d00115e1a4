/* SPDX-License-Identifier: MIT */

/* Concealment, time-stretching, and the two of them in the playout. */

#include "audio/playout.h"

#include <math.h>

#include "tests/conceal_race.h"
#include "tests/t.h"

#define SPEECH 80000U
#define BLOCK ((size_t)PLAYOUT_BLOCK)
#define PI 3.14159265358979323846

static int16_t speech[SPEECH];

static uint32_t step_max(const int16_t *pcm, size_t n)
{
	int32_t most = 0;

	for (size_t i = 1; i < n; i++) {
		const int32_t step = abs(pcm[i] - pcm[i - 1]);

		if (step > most)
			most = step;
	}
	return (uint32_t)most;
}

static void tone(int16_t *pcm, size_t n, double hz, size_t from)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)(10000 * sin(2 * PI * hz *
					       (double)(from + i) / 8000));
}

static void concealed_is_nearer_than_silent_or_repeated(void)
{
	static const uint32_t pcts[] = { 1, 5, 10 };

	for (size_t i = 0; i < 3; i++) {
		const struct conceal_result silence =
			conceal_measure(pcts[i], CONCEAL_SILENCE);
		const struct conceal_result repeat =
			conceal_measure(pcts[i], CONCEAL_REPEAT);
		const struct conceal_result plc =
			conceal_measure(pcts[i], CONCEAL_PLC);

		printf("# %u %% lost: LSD %.2f %.2f %.2f dB, "
		       "SNR %.2f %.2f %.2f dB\n",
		       pcts[i], silence.lsd_db, repeat.lsd_db, plc.lsd_db,
		       silence.seg_snr_db, repeat.seg_snr_db, plc.seg_snr_db);
		T_TRUE(plc.seg_snr_db > silence.seg_snr_db);
		T_TRUE(plc.seg_snr_db > repeat.seg_snr_db);
		T_TRUE(plc.lsd_db < silence.lsd_db);
	}
}

/* Tones whose period is in reach, lost for 1 to 100 ms: no step where the loss
 * begins, or ends, much above what the tone itself has. */
static void a_loss_begins_and_ends_without_a_click(void)
{
	for (uint32_t hz = 70; hz <= 400; hz += 11) {
		const double own = 10000 * 2 * PI * hz / 8000;

		for (size_t lost = 8; lost <= 800; lost += 56) {
			int16_t pcm[1600];
			struct plc p;

			plc_reset(&p);
			tone(pcm, 1600, hz, 0);
			plc_good(&p, pcm, 400);
			plc_lost(&p, pcm + 400, lost);
			plc_good(&p, pcm + 400 + lost, 400);
			T_TRUE(step_max(pcm, 800 + lost) < 3 * own + 300);
		}
	}
}

static void a_loss_fades_and_is_mute_after_60_ms(void)
{
	int16_t pcm[400], gap[800];
	struct plc p;

	plc_reset(&p);
	tone(pcm, 400, 100, 0);
	plc_good(&p, pcm, 400);
	plc_lost(&p, gap, 800);
	T_TRUE(step_max(gap, 80) > 0);
	for (size_t i = PLC_MUTE; i < 800; i++)
		T_EQ(0, gap[i]);
	plc_lost(&p, gap, 800); /* and stays so */
	for (size_t i = 0; i < 800; i++)
		T_EQ(0, gap[i]);
}

static void any_length_and_level_is_concealed(void)
{
	uint32_t seed = 1;
	struct plc p;

	plc_reset(&p);
	for (uint32_t i = 0; i < 20000; i++) {
		int16_t pcm[1000];
		size_t n;

		seed = seed * 1664525 + 1013904223;
		n = (seed >> 8) % 1000;
		for (size_t k = 0; k < n; k++)
			pcm[k] = (seed >> (k % 24) & 1) != 0 ? INT16_MAX
							     : INT16_MIN;
		if ((seed >> 28) % 2 == 0)
			plc_good(&p, pcm, n);
		else
			plc_lost(&p, pcm, n);
	}
	T_TRUE(p.lost <= PLC_MUTE);
}

static void stretched_and_shrunk_speech_has_no_click(void)
{
	const uint32_t own = step_max(speech, SPEECH);
	size_t longer = 0, shorter = 0;

	for (size_t at = 0; at + 160 < SPEECH; at += 160) {
		int16_t pcm[160 + WSOLA_LAG_MAX];
		size_t n;

		memcpy(pcm, speech + at, 160 * sizeof(pcm[0]));
		n = wsola_stretch(pcm, 160, sizeof(pcm) / sizeof(pcm[0]));
		T_TRUE(n >= 160 && n <= 160 + WSOLA_LAG_MAX);
		T_TRUE(step_max(pcm, n) <= own);
		T_EQ((uint16_t)speech[at], (uint16_t)pcm[0]);
		T_EQ((uint16_t)speech[at + 159], (uint16_t)pcm[n - 1]);
		longer += n > 160;
		memcpy(pcm, speech + at, 160 * sizeof(pcm[0]));
		n = wsola_shrink(pcm, 160, WSOLA_LAG_MAX);
		T_TRUE(n >= 160 - WSOLA_LAG_MAX && n <= 160);
		T_TRUE(step_max(pcm, n) <= own);
		T_TRUE(abs(pcm[0] - speech[at]) <= (int32_t)own);
		shorter += n < 160;
	}
	printf("# of %u blocks %zu stretched, %zu shrunk\n", SPEECH / 160,
	       longer, shorter);
	T_TRUE(longer > SPEECH / 160 / 2 && shorter > SPEECH / 160 / 2);
}

static void too_little_is_left_as_it_is(void)
{
	int16_t pcm[WSOLA_NEED];

	tone(pcm, WSOLA_NEED, 200, 0);
	T_EQ(WSOLA_NEED - 1, wsola_shrink(pcm, WSOLA_NEED - 1, WSOLA_LAG_MAX));
	T_EQ(0, wsola_shrink(pcm, 0, WSOLA_LAG_MAX));
	T_EQ(WSOLA_NEED - 1,
	     wsola_stretch(pcm, WSOLA_NEED - 1, WSOLA_NEED - 1));
	T_EQ(WSOLA_NEED, wsola_stretch(pcm, WSOLA_NEED, WSOLA_NEED));
}

/* The end of an over in a loud vowel: no step, and 20 ms later nothing. */
static void the_end_of_an_over_fades_out(void)
{
	const double own = 10000 * 2 * PI * 150 / 8000;

	for (uint32_t advice = JITTER_KEEP; advice <= JITTER_SHRINK; advice++) {
		static int16_t out[160 * 40];
		int16_t in[160];
		struct playout p;
		size_t from = 0, n = 0;

		playout_reset(&p);
		while (n < BLOCK * 20) {
			while (playout_wants(&p)) {
				tone(in, 160, 150, from);
				playout_put(&p, in, JITTER_WHOLE,
					    (enum jitter_advice)advice);
				from += 160;
			}
			T_TRUE(p.n <= PLAYOUT_MAX);
			T_TRUE(playout_take(&p, out + n));
			n += 160;
		}
		while (playout_take(&p, out + n))
			n += 160;
		T_TRUE(n <= BLOCK * 22);
		T_EQ(0, out[n - 1]);
		T_TRUE(step_max(out, n) < 3 * own);
		T_TRUE(!playout_take(&p, out));
		T_TRUE(step_max(out, 160) == 0);
	}
}

static void a_hole_in_a_block_is_concealed(void)
{
	int16_t in[160], out[160];
	struct playout p;

	playout_reset(&p);
	for (size_t b = 0; b < 5; b++) {
		tone(in, 160, 200, 160 * b);
		if (b == 4)
			memset(in + 40, 0, 80 * sizeof(in[0]));
		playout_put(&p, in, b == 4 ? 0xf801f : JITTER_WHOLE,
			    JITTER_KEEP);
		T_TRUE(playout_take(&p, out));
	}
	tone(in, 160, 200, 640);
	for (size_t i = 0; i < 160; i++)
		T_TRUE(abs(in[i] - out[i]) < 1000);
}

int main(void)
{
	conceal_speech(speech, SPEECH);
	T_RUN(concealed_is_nearer_than_silent_or_repeated);
	T_RUN(a_loss_begins_and_ends_without_a_click);
	T_RUN(a_loss_fades_and_is_mute_after_60_ms);
	T_RUN(any_length_and_level_is_concealed);
	T_RUN(stretched_and_shrunk_speech_has_no_click);
	T_RUN(too_little_is_left_as_it_is);
	T_RUN(the_end_of_an_over_fades_out);
	T_RUN(a_hole_in_a_block_is_concealed);
	return T_DONE();
}
