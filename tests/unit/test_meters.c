/* SPDX-License-Identifier: MIT */

/* The meters as text, and the arithmetic of the calibration. */

#include "daemon/console/meters.h"

#include <math.h>
#include <string.h>

#include "daemon/console/calibrate.h"
#include "tests/t.h"

static struct meters reading(double average, double peak)
{
	return (struct meters){ .rx = { average, peak, 0 },
				.tx = { METERS_FLOOR_DBFS, METERS_FLOOR_DBFS,
					0 },
				.cor = true,
				.running = true,
				.ptt_state = "off" };
}

static bool is_near(double want, double got)
{
	return fabs(want - got) < 1e-6;
}

/* --- text --------------------------------------------------------------- */

static const struct meters busy = {
	.rx = { -12.0, -3.1, 17 },
	.tx = { -24.0, -9.0, 0 },
	.cor = true,
	.ctcss = true,
	.ptt = true,
	.running = true,
	.ptt_state = "courtesy",
	.drift_ppm = -123.45,
	.xruns = 3,
};
static const struct meters_shown busy_shown = { -1.0, -9.0, 17, 0 };

static void a_screen_of_80_columns(void)
{
	char out[METERS_ROOM];

	meters_screen(&busy, &busy_shown, 80, false, out);
	T_STR("receive  [###########################=====| ]  -12.0 avg   -1.0 "
	      "peak    17 clip\n"
	      "transmit [####################========|     ]  -24.0 avg   -9.0 "
	      "peak     0 clip\n"
	      "         -60    -48    -36   -24    -12     0\n"
	      "COR up     CTCSS yes  VOX no   PTT courtesy     sound running\n"
	      "drift -123.5 ppm   xruns 3\n",
	      out);
	/* A wider terminal gets no wider screen. */
	char wide[METERS_ROOM];

	meters_screen(&busy, &busy_shown, 300, false, wide);
	T_STR(out, wide);
}

static void silence_is_an_empty_bar(void)
{
	const struct meters_shown shown = { METERS_FLOOR_DBFS,
					    METERS_FLOOR_DBFS, 0, 0 };
	char out[METERS_ROOM];
	struct meters m;

	meters_read(NULL, &m);
	meters_screen(&m, &shown, 80, true, out);
	T_STR("receive  [                                  ]  -99.0 avg  -99.0 "
	      "peak     0 clip\n"
	      "transmit [                                  ]  -99.0 avg  -99.0 "
	      "peak     0 clip\n"
	      "         -60    -48    -36   -24    -12     0\n"
	      "COR down   CTCSS no   VOX no   PTT off          sound down\n"
	      "drift 0.0 ppm   xruns 0\n",
	      out);
}

/* Whatever is told: METERS_LINES lines, none too long, none with an escape
 * that was not asked for. */
static void no_line_is_wider_than_the_terminal(void)
{
	const struct meters most = {
		.rx = { 0, 0, UINT64_MAX },
		.tx = { -99, -99, UINT64_MAX },
		.stuck = true,
		.ctcss = true,
		.vox = true,
		.ptt_state = "fifteen letters",
		.drift_ppm = -1e15,
		.xruns = UINT64_MAX,
	};
	const struct meters_shown shown = { 0, -99, UINT64_MAX, UINT64_MAX };

	for (unsigned columns = 0; columns < 100; columns++) {
		const size_t room = columns < 2    ? 2
				    : columns < 80 ? columns
						   : 80;
		char out[METERS_ROOM], *line = out;
		unsigned lines = 0;

		meters_screen(&most, &shown, columns, false, out);
		T_TRUE(!strchr(out, '\033'));
		for (; *line != '\0'; lines++) {
			const size_t len = strcspn(line, "\n");

			T_TRUE(len < room);
			line += len + 1;
		}
		T_EQ(METERS_LINES, lines);
	}
}

static void loud_is_red_and_right_is_green(void)
{
	const struct meters_shown loud = { -2.0, -9.0, 0, 0 };
	const struct meters_shown right = { -4.0, -9.0, 0, 0 };
	const struct meters_shown clipped = { -4.0, -9.0, 1, 0 };
	char out[METERS_ROOM];

	meters_screen(&busy, &loud, 80, true, out);
	T_TRUE(strncmp(out, "\033[31mreceive", 12) == 0);
	T_TRUE(strstr(out, "\n\033[0mtransmit") != NULL);
	meters_screen(&busy, &clipped, 80, true, out);
	T_TRUE(strncmp(out, "\033[31mreceive", 12) == 0);
	meters_screen(&busy, &right, 80, true, out);
	T_TRUE(strncmp(out, "\033[32mreceive", 12) == 0);
}

static void a_line(void)
{
	char out[METERS_ROOM];

	meters_line(&busy, &busy_shown, out);
	T_STR("rx -12.0 peak -3.1 clip 17, tx -24.0 peak -9.0 clip 0, COR up, "
	      "CTCSS yes, PTT courtesy, -123.5 ppm, xruns 3",
	      out);
}

static void what_the_daemon_tells_is_read(void)
{
	json_t *o = json_pack(
		"{s:f, s:f, s:i, s:f, s:s, s:b, s:b, s:s, s:s, s:I, s:f}",
		"rx_now_dbfs", -12.5, "rx_now_peak_dbfs", -400.0,
		"card_clipped", 7, "tx_now_dbfs", 3.0, "tx_now_peak_dbfs", "x",
		"cor", 1, "ptt", 0, "ptt_state", "a state with a long name",
		"state", "running", "xruns", (json_int_t)-1, "drift_ppm", 2.5);
	struct meters m;

	meters_read(o, &m);
	T_TRUE(is_near(-12.5, m.rx.average_dbfs));
	T_TRUE(is_near(-99.0, m.rx.peak_dbfs));
	T_EQ(7, m.rx.clipped);
	T_TRUE(is_near(0.0, m.tx.average_dbfs));
	T_TRUE(is_near(-99.0, m.tx.peak_dbfs));
	T_TRUE(m.cor && !m.ptt && m.running && !m.vox);
	T_STR("a state with a ", m.ptt_state);
	T_EQ(0, m.xruns);
	T_TRUE(is_near(2.5, m.drift_ppm));
	json_decref(o);
}

/* --- arithmetic --------------------------------------------------------- */

static void powers_are_averaged_and_peaks_are_not(void)
{
	struct meters_sum s = { 0 };
	struct meters m = reading(-10, -4), taken;

	T_TRUE(is_near(-99.0, meters_taken(&s).rx.average_dbfs));
	meters_add(&s, &m);
	m = reading(-20, -12);
	meters_add(&s, &m);
	taken = meters_taken(&s);
	T_TRUE(is_near(10 * log10(0.055), taken.rx.average_dbfs));
	T_TRUE(is_near(-4.0, taken.rx.peak_dbfs));
}

/* A second of @m. */
static struct calibrate_level measured(struct meters m, uint64_t clips_each)
{
	struct calibrate c;

	calibrate_begin(&c, 2);
	for (int i = 0; i < 10; i++) {
		m.rx.clipped += clips_each;
		calibrate_add(&c, &m);
	}
	return calibrate_level(&c);
}

static void a_tone_is_brought_to_its_average(void)
{
	const struct calibrate_level soft = measured(reading(-30.0, -26.99), 0);
	const struct calibrate_level loud = measured(reading(-7.0, -3.99), 0);

	T_TRUE(soft.heard);
	T_TRUE(is_near(18.0, calibrate_change_db(&soft)));
	T_TRUE(is_near(-5.0, calibrate_change_db(&loud)));
}

static void speech_is_kept_from_its_peaks(void)
{
	const struct calibrate_level l = measured(reading(-25.0, -9.0), 0);

	T_TRUE(is_near(6.0, calibrate_change_db(&l)));
}

static void what_clips_is_made_softer(void)
{
	const struct calibrate_level l = measured(reading(-12.5, -9.5), 3);

	T_EQ(8 * 3, l.clipped);
	T_TRUE(is_near(-6.0, calibrate_change_db(&l)));
}

static void only_what_is_received_counts(void)
{
	struct meters m = reading(-12, -9);
	struct calibrate_level l;
	struct calibrate c;

	m.cor = false;
	T_TRUE(!measured(m, 0).heard);
	calibrate_begin(&c, 1);
	calibrate_add(&c, &m);
	m = reading(-1, 0); /* the squelch opens */
	calibrate_add(&c, &m);
	m = reading(-12, -9);
	calibrate_add(&c, &m);
	m = reading(-2, -1);
	m.cor = false;
	calibrate_add(&c, &m);
	l = calibrate_level(&c);
	T_TRUE(l.heard);
	T_TRUE(is_near(-12.0, l.average_dbfs));
	T_TRUE(is_near(-9.0, l.peak_dbfs));
}

static void deviation_in_decibels(void)
{
	T_TRUE(is_near(0.0, calibrate_deviation_db(3.0)));
	T_TRUE(is_near(20 * log10(2.0), calibrate_deviation_db(1.5)));
	T_TRUE(is_near(-20 * log10(2.0), calibrate_deviation_db(6.0)));
}

static void gains_are_tenths_within_the_mixers_range(void)
{
	T_TRUE(is_near(8.3, calibrate_gain(0.0, 8.26, -12, 23)));
	T_TRUE(is_near(23.0, calibrate_gain(20.0, 8.0, -12, 23)));
	T_TRUE(is_near(-12.0, calibrate_gain(0.0, -18.0, -12, 23)));
	T_TRUE(!signbit(calibrate_gain(0.0, -0.01, -12, 23)));
}

int main(void)
{
	T_RUN(a_screen_of_80_columns);
	T_RUN(silence_is_an_empty_bar);
	T_RUN(no_line_is_wider_than_the_terminal);
	T_RUN(loud_is_red_and_right_is_green);
	T_RUN(a_line);
	T_RUN(what_the_daemon_tells_is_read);
	T_RUN(powers_are_averaged_and_peaks_are_not);
	T_RUN(a_tone_is_brought_to_its_average);
	T_RUN(speech_is_kept_from_its_peaks);
	T_RUN(what_clips_is_made_softer);
	T_RUN(only_what_is_received_counts);
	T_RUN(deviation_in_decibels);
	T_RUN(gains_are_tenths_within_the_mixers_range);
	return T_DONE();
}
