/* SPDX-License-Identifier: MIT */

/* What the doctor says of the radio and its sound card. */

#include "daemon/doctor/radio.h"
#include "tests/unit/doctor_expect.h"

/* All is well with it. */
static const struct doctor_radio fob = {
	.type = "cm108",
	.running = true,
	.mixer = { .known = true,
		   .rx = { true, false, 8, 8 },
		   .tx = { true, false, -6, -5.5 } },
	.drift_ppm = -40,
	.xruns = 2,
	.stuck_s = 600,
	.overs = 3,
	.rx_dbfs = -12,
	.peak_dbfs = -3,
};

static void all_of(const struct doctor_radio *r)
{
	begin();
	doctor_fob(&d, r);
	doctor_mixer(&d, r);
	doctor_cor(&d, r);
	doctor_levels(&d, r);
	doctor_sound(&d, r);
}

static void one(void (*check)(struct doctor *d, const struct doctor_radio *r),
		const struct doctor_radio *r)
{
	begin();
	check(&d, r);
}

static void a_fob_is_well(void)
{
	all_of(&fob);
	expect("fob", "ok", "cm108", "");
	expect("mixer", "ok", "", "");
	expect("cor", "ok", "down, 3 overs", "");
	expect("levels", "ok", "-12 dBFS", "");
	expect("sound", "ok", "-40 ppm", "");
	end(true);
}

static void no_radio_is_no_fault(void)
{
	all_of(&(struct doctor_radio){ .type = "none" });
	expect("fob", "skipped", "no radio", "");
	end(true);
}

static void a_simulated_radio_has_no_card(void)
{
	all_of(&(struct doctor_radio){ .type = "sim", .running = true });
	expect("fob", "ok", "sim", "");
	expect("cor", "ok", "0 overs", "");
	expect("levels", "skipped", "not known", "");
	end(true);
}

static void a_fob_that_is_away_is_told(void)
{
	struct doctor_radio r = fob;

	r.fault = "no USB fob is plugged in";
	one(doctor_fob, &r);
	expect("fob", "bad", "no USB fob", "Plug it in");
	end(false);
	r.type = "alsa";
	one(doctor_fob, &r);
	expect("fob", "bad", "no USB fob", "arecord -l");
	end(false);
	r.fault = NULL;
	r.running = false;
	all_of(&r);
	expect("fob", "bad", "is down", "audio.capture");
	expect("mixer", "ok", "", "");
	expect("cor", "ok", "", "");
	expect("levels", "ok", "", "");
	end(false);
}

static void one_mixer(const struct doctor_radio *r, const char *state,
		      const char *seen, const char *mend)
{
	one(doctor_mixer, r);
	expect("mixer", state, seen, mend);
	end(strcmp(state, "ok") == 0 || strcmp(state, "skipped") == 0);
}

static void a_mixer_that_others_changed_is_told(void)
{
	struct doctor_radio r = fob;

	r.mixer.rx.muted = true;
	one_mixer(&r, "bad", "capture switch is off", "keyhole reload");
	r = fob;
	r.mixer.tx.muted = true;
	one_mixer(&r, "bad", "playback switch is off", "keyhole reload");
	r = fob;
	r.mixer.rx.db = 23;
	one_mixer(&r, "warn", "23.0 dB, not 8.0 dB", "keyhole reload");
	r = fob;
	r.mixer.tx.there = false;
	one_mixer(&r, "warn", "no playback volume", "another card");
	r = fob;
	r.mixer.agc = true;
	one_mixer(&r, "warn", "automatic gain", "keyhole reload");
	r.mixer.want_agc = true;
	one_mixer(&r, "ok", "as configured", "");
	r.mixer.known = false;
	one_mixer(&r, "skipped", "no mixer", "");
}

static void several_faults_of_a_mixer_are_told_each(void)
{
	struct doctor_radio r = fob;

	r.mixer.rx.muted = r.mixer.tx.muted = r.mixer.agc = true;
	one(doctor_mixer, &r);
	expect("mixer", "bad", "capture", "");
	expect("mixer", "bad", "playback", "");
	expect("mixer", "warn", "gain", "");
	end(false);
}

static void a_squelch_that_stays_open_is_told(void)
{
	struct doctor_radio r = fob;

	r.received = true;
	one(doctor_cor, &r);
	expect("cor", "ok", "COR is up", "");
	end(true);
	r.stuck = true;
	one(doctor_cor, &r);
	expect("cor", "bad", "more than 600 s", "fob.cor_sense");
	end(false);
}

static void one_level(double average, double peak, const char *state,
		      const char *mend)
{
	struct doctor_radio r = fob;

	r.rx_dbfs = average;
	r.peak_dbfs = peak;
	one(doctor_levels, &r);
	expect("levels", state, "", mend);
	end(strcmp(state, "ok") == 0 || strcmp(state, "skipped") == 0);
}

static void levels_that_are_off_are_told(void)
{
	one_level(-12, -3, "ok", "");
	one_level(-8.1, -1.1, "ok", "");
	one_level(-12, 0, "warn", "--calibrate --receive");
	one_level(-7, -2, "warn", "--calibrate --receive");
	one_level(-30, -20, "warn", "--calibrate --receive");
	one_level(-80, -70, "warn", "the plug");
	one_level(-99, -99, "skipped", "");
}

static void a_bad_sound_clock_is_told(void)
{
	struct doctor_radio r = fob;

	r.drift_ppm = 301;
	one(doctor_sound, &r);
	expect("sound", "warn", "301 ppm", "hub");
	end(false);
	r.drift_ppm = -301;
	one(doctor_sound, &r);
	expect("sound", "warn", "-301 ppm", "replace");
	end(false);
	r.drift_ppm = 299;
	r.xruns = DOCTOR_XRUNS;
	one(doctor_sound, &r);
	expect("sound", "ok", "", "");
	end(true);
	r.xruns++;
	one(doctor_sound, &r);
	expect("sound", "warn", "6 xruns", "top");
	end(false);
}

static void what_happened_lately_is_forgotten_after_a_while(void)
{
	struct doctor_recent r = { 0 };
	const uint64_t t = DOCTOR_RECENT_US;

	doctor_recent_look(&r, 10, t);
	T_EQ(10, doctor_recent(&r, 10));
	doctor_recent_look(&r, 12, t + 1);
	T_EQ(12, doctor_recent(&r, 12));
	doctor_recent_look(&r, 12, 2 * t);
	T_EQ(2, doctor_recent(&r, 12));
	doctor_recent_look(&r, 12, 3 * t);
	T_EQ(0, doctor_recent(&r, 12));
	/* The card was opened anew, and counts from 0. */
	T_EQ(3, doctor_recent(&r, 3));
	doctor_recent_look(&r, 3, 3 * t + 1);
	T_EQ(3, doctor_recent(&r, 3));
	doctor_recent_look(&r, 3, 4 * t + 1);
	doctor_recent_look(&r, 3, 5 * t + 1);
	T_EQ(0, doctor_recent(&r, 3));
}

int main(void)
{
	T_RUN(a_fob_is_well);
	T_RUN(no_radio_is_no_fault);
	T_RUN(a_simulated_radio_has_no_card);
	T_RUN(a_fob_that_is_away_is_told);
	T_RUN(a_mixer_that_others_changed_is_told);
	T_RUN(several_faults_of_a_mixer_are_told_each);
	T_RUN(a_squelch_that_stays_open_is_told);
	T_RUN(levels_that_are_off_are_told);
	T_RUN(a_bad_sound_clock_is_told);
	T_RUN(what_happened_lately_is_forgotten_after_a_while);
	return T_DONE();
}
