/* SPDX-License-Identifier: MIT */
#ifndef RADIO_FOB_EEPROM_H
#define RADIO_FOB_EEPROM_H

/*
 * A visit to a fob's EEPROM: its block is read; to store levels, the words
 * that differ are written, and all is read again and compared.  Pure, with
 * injected time in microseconds; the hands are fob_usb.c's.
 *
 * It asks through the reports that key, so that it is for a fob that is
 * unkeyed, and may have to stop between any two transfers: the transmitter
 * comes first.
 */

#include "radio/cm108_eeprom.h"

#define FOB_EEPROM_SPACING_US 3000U
#define FOB_EEPROM_WRITE_US 12000U /* a word is written in at most 10 ms */
#define FOB_EEPROM_TRIES 5U        /* of one transfer */

enum fob_eeprom_do {
	FOB_EEPROM_NOTHING,
	FOB_EEPROM_SEND, /* a report, then fob_eeprom_sent() */
	FOB_EEPROM_ASK,  /* for the answer, then fob_eeprom_answered() */
};

enum fob_eeprom_stage {
	FOB_EEPROM_IDLE,
	FOB_EEPROM_READ,
	FOB_EEPROM_WRITE,
	FOB_EEPROM_CHECK,
	FOB_EEPROM_DONE, /* until fob_eeprom_result() is taken */
};

struct fob_eeprom {
	enum fob_eeprom_stage stage;
	bool store; /* levels, when the block was read */
	bool busy;  /* a transfer is under way */
	bool asked; /* the answer is to be fetched */
	unsigned at;
	unsigned failures; /* in a row */
	uint64_t due;
	int err;
	struct cm108_levels levels;
	uint16_t words[CM108_EEPROM_WORDS]; /* as read */
	uint16_t want[CM108_EEPROM_WORDS];
};

/* Read, or with @levels store them.  False: it is busy with another visit. */
bool fob_eeprom_begin(struct fob_eeprom *e, const struct cm108_levels *levels,
		      uint64_t now);
/* There is something to do, now or later. */
bool fob_eeprom_active(const struct fob_eeprom *e);

enum fob_eeprom_do fob_eeprom_next(struct fob_eeprom *e, uint64_t now,
				   uint8_t report[CM108_REPORT_LEN]);
void fob_eeprom_sent(struct fob_eeprom *e, bool ok, uint64_t now);
/* NULL: it failed. */
void fob_eeprom_answered(struct fob_eeprom *e, const uint8_t *report,
			 uint64_t now);
/* Other reports go out now: what was asked must be asked again. */
void fob_eeprom_pause(struct fob_eeprom *e);
/* The fob is gone, while it was active. */
void fob_eeprom_lost(struct fob_eeprom *e);

/* Done?  Once; *@err is 0, and the block's levels are in *@out; -ENODATA: there
 * is no sound block; -EIO: it does not answer, or does not keep what was
 * written; -ENODEV: the fob went. */
bool fob_eeprom_result(struct fob_eeprom *e, int *err,
		       struct cm108_levels *out);

#endif
