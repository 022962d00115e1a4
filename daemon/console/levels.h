/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_LEVELS_H
#define DAEMON_CONSOLE_LEVELS_H

/* keyhole levels: the meters as they move, and the calibration. */

#include "daemon/console/console.h"

#define LEVELS_USAGE                                                   \
	"levels [--seconds N] [--every MS]\n"                          \
	"       keyhole levels --calibrate [--receive] [--transmit] "  \
	"[--yes]\n"                                                    \
	"                      [--seconds N] [--tone N] [--deviation " \
	"KHZ]\n"                                                       \
	"                      [--eeprom] [--dry-run]"

struct levels_want {
	double seconds;  /* 0: not said */
	double every_ms; /* 0: not said */
	bool calibrate;
	bool receive, transmit;
	bool yes;      /* nobody is asked */
	double tone_s; /* 0: not said */
	double khz;    /* of deviation, as was measured; 0: not said */
	bool eeprom;   /* the fob's is to keep the levels */
	bool dry_run;  /* nothing is set */
};

/* @argv without the command's name.  False: not understood. */
bool levels_options(int argc, char *const *argv, struct levels_want *out);

/* levels.c: watch, until interrupted or for a time. */
enum console_exit levels_watch(const struct console *c,
			       const struct levels_want *want);
/* levels_talk.c: a conversation, or none. */
enum console_exit levels_calibrate(const struct console *c,
				   const struct levels_want *want);

#endif
