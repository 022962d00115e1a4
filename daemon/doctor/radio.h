/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_DOCTOR_RADIO_H
#define DAEMON_DOCTOR_RADIO_H

/*
 * The radio: its fob, the sound card's mixer and clock, the receiver's squelch
 * and how loud it is.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/doctor/finding.h"

/* How much a counter rose in the last minutes: 5 to 10, or less since the
 * start.  Start with { 0 }. */
struct doctor_recent {
	uint64_t before, base;
	uint64_t since_us;
};

#define DOCTOR_RECENT_US 300000000U

/* Call it at least every few minutes. */
void doctor_recent_look(struct doctor_recent *r, uint64_t count,
			uint64_t now_us);
uint64_t doctor_recent(const struct doctor_recent *r, uint64_t count);

/* A volume or switch of the mixer as it is now. */
struct doctor_volume {
	bool there; /* there is such a control, with dB */
	bool muted;
	double db, want_db;
};

struct doctor_mixer {
	bool known; /* there is a mixer, and it was read */
	struct doctor_volume rx, tx;
	bool agc, want_agc; /* boost or automatic gain is on */
};

struct doctor_radio {
	const char *type;  /* none, sim, alsa, cm108 */
	const char *fault; /* NULL: nothing is known to be wrong */
	bool running;      /* samples flow */
	struct doctor_mixer mixer;
	/* sound */
	double drift_ppm;
	uint64_t xruns; /* in the last minutes */
	/* receiver */
	bool stuck, received;
	uint32_t stuck_s;          /* it may be open for so long */
	uint64_t stuck_count;      /* in the last minutes */
	uint64_t overs;            /* since the start */
	double rx_dbfs, peak_dbfs; /* of the last over, as it is heard */
};

#define DOCTOR_DRIFT_PPM 300.0
#define DOCTOR_XRUNS 5U /* a few when the machine was busy are no matter */

void doctor_fob(struct doctor *d, const struct doctor_radio *r);
void doctor_mixer(struct doctor *d, const struct doctor_radio *r);
void doctor_cor(struct doctor *d, const struct doctor_radio *r);
void doctor_levels(struct doctor *d, const struct doctor_radio *r);
void doctor_sound(struct doctor *d, const struct doctor_radio *r);

#endif
