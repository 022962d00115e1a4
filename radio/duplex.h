/* SPDX-License-Identifier: MIT */
#ifndef RADIO_DUPLEX_H
#define RADIO_DUPLEX_H

/*
 * What may key the transmitter, and what is mixed into it, by the modes that
 * operators of app_rpt know by number.  In the half-duplex modes receiver and
 * transmitter share a frequency: while somebody is received nothing is sent.
 */

#include <stdbool.h>

enum duplex_mode {
	/* What comes from the network, without telemetry, tones, hang time. */
	DUPLEX_HALF_SILENT = 0,
	/* And with them. */
	DUPLEX_HALF = 1,
	/* A repeater. */
	DUPLEX_FULL = 2,
	/* Its receiver keys it and is not mixed in: the radio repeats. */
	DUPLEX_FULL_NO_REPEAT = 3,
	/* Not mixed in while there is a telephone patch. */
	DUPLEX_FULL_NO_PATCH = 4,
	/* Receiver and transmitter know nothing of each other; the links hear
	 * the one and speak through the other.  No number of app_rpt's. */
	DUPLEX_APART = 5,
};

#define DUPLEX_MODE_MAX 5U
#define DUPLEX_NUMBER_MAX 4U

/* What there is. */
struct duplex_in {
	bool received;  /* somebody is, on the air: cor_open() */
	bool heard;     /* and heard, perhaps a little later: cor_up() */
	bool network;   /* somebody speaks on a link */
	bool telemetry; /* announcements, identification */
	bool patch;     /* a telephone patch is up */
};

/* What is to be done about it. */
struct duplex_out {
	bool demand; /* for ptt_demand() */
	/* For ptt_force_off(), with whatever else forces it off: the
	 * frequency is taken. */
	bool hold_off;
	/* What goes into the transmitter's mix. */
	bool repeat;
	bool network;
	bool telemetry;
};

/* A @mode above DUPLEX_MODE_MAX demands nothing. */
struct duplex_out duplex_decide(enum duplex_mode mode,
				const struct duplex_in *in);

/* Are there courtesy tones and a hang time?  Else a transmitter is to be
 * configured without. */
bool duplex_has_tail(enum duplex_mode mode);

/* The mode that app_rpt calls so, 0..DUPLEX_NUMBER_MAX; false: there is none, and *@out
 * stays as it is. */
bool duplex_from_number(unsigned number, enum duplex_mode *out);

#endif
