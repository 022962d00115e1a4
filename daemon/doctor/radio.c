/* SPDX-License-Identifier: MIT */

#include "daemon/doctor/radio.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the network's nodes send one another: -12 dBFS, peaks of -3. */
#define LOUD_DBFS (-8.0)
#define PEAK_DBFS (-1.0)
#define SOFT_DBFS (-22.0)
#define SILENT_DBFS (-60.0)
#define NEAR_DB 2.0 /* a mixer's steps */

void doctor_recent_look(struct doctor_recent *r, uint64_t count,
			uint64_t now_us)
{
	if (now_us - r->since_us < DOCTOR_RECENT_US || count < r->base) {
		if (count < r->base) /* it began anew */
			*r = (struct doctor_recent){ .since_us = now_us };
		return;
	}
	r->before = r->base;
	r->base = count;
	r->since_us = now_us;
}

uint64_t doctor_recent(const struct doctor_recent *r, uint64_t count)
{
	return count >= r->before ? count - r->before : count;
}

static void find(struct doctor *d, const char *id, enum doctor_state state,
		 const char *seen, const char *cause, const char *mend)
{
	doctor_find(d,
		    &(struct doctor_finding){ id, state, seen, cause, mend });
}

static bool has_type(const struct doctor_radio *r, const char *type)
{
	return strcmp(r->type, type) == 0;
}

/* --- the fob, or whatever the radio is ---------------------------------- */

static const char *mend_of(const struct doctor_radio *r)
{
	if (has_type(r, "cm108"))
		return "Plug it in, or mend fob.serial, fob.port and "
		       "/etc/udev/rules.d; lsusb shows what is there.";
	return "Mend audio.capture and audio.playback; arecord -l and aplay "
	       "-l list the sound cards.";
}

void doctor_fob(struct doctor *d, const struct doctor_radio *r)
{
	char seen[DOCTOR_TEXT_MAX];

	if (has_type(r, "none")) {
		find(d, "fob", DOCTOR_SKIPPED, "this node has no radio", NULL,
		     NULL);
	} else if (r->fault) {
		find(d, "fob", DOCTOR_BAD, r->fault,
		     "Nothing is received or transmitted without it.",
		     mend_of(r));
	} else if (!r->running) {
		(void)snprintf(seen, sizeof(seen), "the radio (%s) is down",
			       r->type);
		find(d, "fob", DOCTOR_BAD, seen,
		     "Its sound has not started, or has stopped.", mend_of(r));
	} else {
		(void)snprintf(seen, sizeof(seen), "the radio (%s) works",
			       r->type);
		find(d, "fob", DOCTOR_OK, seen, NULL, NULL);
	}
}

/* --- the mixer ---------------------------------------------------------- */

static bool tell_volume(struct doctor *d, const struct doctor_volume *v,
			const char *way)
{
	char seen[DOCTOR_TEXT_MAX];

	if (!v->there) {
		(void)snprintf(seen, sizeof(seen),
			       "the mixer has no %s volume with dB", way);
		find(d, "mixer", DOCTOR_WARN, seen,
		     "The card's driver does not know its levels.",
		     "Set the level at the radio; or use another card.");
	} else if (v->muted) {
		(void)snprintf(seen, sizeof(seen),
			       "the mixer's %s switch is off", way);
		find(d, "mixer", DOCTOR_BAD, seen,
		     "Another program, or alsactl at the start, muted it.",
		     "keyhole reload sets the mixer anew; then find that "
		     "program.");
	} else if (fabs(v->db - v->want_db) > NEAR_DB) {
		(void)snprintf(seen, sizeof(seen),
			       "the mixer's %s volume is %.1f dB, not %.1f dB",
			       way, v->db, v->want_db);
		find(d, "mixer", DOCTOR_WARN, seen,
		     "Another program changed it, or it does not reach as "
		     "far.",
		     "keyhole reload sets the mixer anew; keyhole levels "
		     "--calibrate finds a level that it has.");
	} else {
		return false;
	}
	return true;
}

void doctor_mixer(struct doctor *d, const struct doctor_radio *r)
{
	const struct doctor_mixer *m = &r->mixer;
	bool any;

	if (has_type(r, "none") || has_type(r, "sim"))
		return;
	if (!m->known) {
		find(d, "mixer", DOCTOR_SKIPPED, "no mixer is open", NULL,
		     NULL);
		return;
	}
	any = tell_volume(d, &m->rx, "capture");
	any = tell_volume(d, &m->tx, "playback") || any;
	if (m->agc && !m->want_agc) {
		find(d, "mixer", DOCTOR_WARN,
		     "the card's automatic gain or boost is on",
		     "Another program switched it on: pauses get loud, and "
		     "levels mean nothing.",
		     "keyhole reload sets the mixer anew; then find that "
		     "program.");
		any = true;
	}
	if (!any)
		find(d, "mixer", DOCTOR_OK, "the mixer is as configured", NULL,
		     NULL);
}

/* --- the receiver ------------------------------------------------------- */

void doctor_cor(struct doctor *d, const struct doctor_radio *r)
{
	static const char cause[] =
		"The squelch is open, the line is wired or sensed the wrong "
		"way round, or something transmits.";
	static const char mend[] =
		"Close the squelch; else look at fob.cor and fob.cor_sense "
		"(usb, usbinvert), and at cor.source.";
	char seen[DOCTOR_TEXT_MAX];

	if (has_type(r, "none"))
		return;
	(void)snprintf(seen, sizeof(seen),
		       "COR is stuck: open for more than %" PRIu32 " s",
		       r->stuck_s);
	if (r->stuck) {
		find(d, "cor", DOCTOR_BAD, seen, cause, mend);
		return;
	}
	(void)snprintf(seen, sizeof(seen), "COR is %s, %" PRIu64 " overs",
		       r->received ? "up" : "down", r->overs);
	find(d, "cor", DOCTOR_OK, seen, NULL, NULL);
}

void doctor_levels(struct doctor *d, const struct doctor_radio *r)
{
	static const char mend[] = "keyhole levels --calibrate --receive";
	char seen[DOCTOR_TEXT_MAX];

	if (has_type(r, "none"))
		return;
	if (r->overs == 0 || r->peak_dbfs < -98.0) {
		find(d, "levels", DOCTOR_SKIPPED,
		     "nobody was received yet: the level is not known", NULL,
		     NULL);
		return;
	}
	(void)snprintf(seen, sizeof(seen),
		       "the receiver averages %ld dBFS, with peaks of %ld",
		       lrint(r->rx_dbfs), lrint(r->peak_dbfs));
	if (r->peak_dbfs > PEAK_DBFS)
		find(d, "levels", DOCTOR_WARN, seen,
		     "It clips: -12 dBFS with peaks of at most -3 is meant.",
		     mend);
	else if (r->rx_dbfs > LOUD_DBFS)
		find(d, "levels", DOCTOR_WARN, seen,
		     "It is too loud: -12 dBFS is meant.", mend);
	else if (r->rx_dbfs < SILENT_DBFS)
		find(d, "levels", DOCTOR_WARN, seen,
		     "COR opens, but no sound comes: the audio's wire, or a "
		     "switch of the mixer.",
		     "Look at the plug and at the lines on the mixer; then "
		     "keyhole levels.");
	else if (r->rx_dbfs < SOFT_DBFS)
		find(d, "levels", DOCTOR_WARN, seen,
		     "It is too soft: -12 dBFS is meant.", mend);
	else
		find(d, "levels", DOCTOR_OK, seen, NULL, NULL);
}

/* --- the sound's clock -------------------------------------------------- */

void doctor_sound(struct doctor *d, const struct doctor_radio *r)
{
	char seen[DOCTOR_TEXT_MAX];

	if (has_type(r, "none") || has_type(r, "sim") || !r->running)
		return;
	(void)snprintf(seen, sizeof(seen),
		       "the sound's clock is off by %.0f ppm, %" PRIu64
		       " xruns lately",
		       r->drift_ppm, r->xruns);
	if (fabs(r->drift_ppm) > DOCTOR_DRIFT_PPM)
		find(d, "sound", DOCTOR_WARN, seen,
		     "The card's crystal is bad, or USB loses sound.",
		     "Plug the fob into the machine itself, not into a hub; "
		     "else replace it.");
	else if (r->xruns > DOCTOR_XRUNS)
		find(d, "sound", DOCTOR_WARN, seen,
		     "The machine is too busy, or slow to wake up, for its "
		     "sound.",
		     "See what else runs (top), and the lines on cpu and "
		     "power; keyholed needs its real-time class.");
	else
		find(d, "sound", DOCTOR_OK, seen, NULL, NULL);
}
