/* SPDX-License-Identifier: MIT */

#include "radio/fob_eeprom.h"

#include <errno.h>
#include <string.h>

bool fob_eeprom_active(const struct fob_eeprom *e)
{
	return e->stage == FOB_EEPROM_READ || e->stage == FOB_EEPROM_WRITE ||
	       e->stage == FOB_EEPROM_CHECK;
}

bool fob_eeprom_begin(struct fob_eeprom *e, const struct cm108_levels *levels,
		      uint64_t now)
{
	if (e->stage != FOB_EEPROM_IDLE)
		return false;
	*e = (struct fob_eeprom){ .stage = FOB_EEPROM_READ,
				  .store = levels != NULL,
				  .due = now };
	if (levels)
		e->levels = *levels;
	return true;
}

static void done(struct fob_eeprom *e, int err)
{
	e->stage = FOB_EEPROM_DONE;
	e->err = err;
	e->busy = false;
}

/* --- what comes after --------------------------------------------------- */

/* From word @at on, the next that has to be written. */
static void next_to_write(struct fob_eeprom *e, unsigned at)
{
	while (at < CM108_EEPROM_WORDS && e->words[at] == e->want[at])
		at++;
	e->at = at;
	if (at < CM108_EEPROM_WORDS)
		return;
	e->stage = FOB_EEPROM_CHECK;
	e->at = 0;
}

static void was_read(struct fob_eeprom *e)
{
	if (e->stage == FOB_EEPROM_CHECK) {
		done(e, memcmp(e->words, e->want, sizeof(e->want)) == 0 ? 0
									: -EIO);
	} else if (e->store) {
		memcpy(e->want, e->words, sizeof(e->want));
		cm108_eeprom_encode(&e->levels, e->want);
		e->stage = FOB_EEPROM_WRITE;
		next_to_write(e, 0);
	} else {
		done(e,
		     cm108_eeprom_decode(e->words, &e->levels) ? 0 : -ENODATA);
	}
}

/* --- transfers ---------------------------------------------------------- */

enum fob_eeprom_do fob_eeprom_next(struct fob_eeprom *e, uint64_t now,
				   uint8_t report[CM108_REPORT_LEN])
{
	if (!fob_eeprom_active(e) || e->busy || now < e->due)
		return FOB_EEPROM_NOTHING;
	e->busy = true;
	if (e->asked)
		return FOB_EEPROM_ASK;
	if (e->stage == FOB_EEPROM_WRITE)
		cm108_eeprom_write(e->at, e->want[e->at], report);
	else
		cm108_eeprom_ask(e->at, report);
	return FOB_EEPROM_SEND;
}

static void failed(struct fob_eeprom *e)
{
	e->asked = false;
	if (++e->failures == FOB_EEPROM_TRIES)
		done(e, -EIO);
}

void fob_eeprom_sent(struct fob_eeprom *e, bool ok, uint64_t now)
{
	e->busy = false;
	e->due = now + FOB_EEPROM_SPACING_US;
	if (!ok) {
		failed(e);
	} else if (e->stage == FOB_EEPROM_WRITE) {
		e->failures = 0;
		e->due = now + FOB_EEPROM_WRITE_US;
		next_to_write(e, e->at + 1);
	} else {
		e->asked = true;
	}
}

void fob_eeprom_answered(struct fob_eeprom *e, const uint8_t *report,
			 uint64_t now)
{
	e->busy = false;
	e->asked = false;
	e->due = now + FOB_EEPROM_SPACING_US;
	if (!report) {
		failed(e);
		return;
	}
	e->failures = 0;
	e->words[e->at] = cm108_eeprom_answer(report);
	if (++e->at == CM108_EEPROM_WORDS)
		was_read(e);
}

void fob_eeprom_pause(struct fob_eeprom *e)
{
	e->asked = false;
}

void fob_eeprom_lost(struct fob_eeprom *e)
{
	if (fob_eeprom_active(e))
		done(e, -ENODEV);
}

bool fob_eeprom_result(struct fob_eeprom *e, int *err, struct cm108_levels *out)
{
	if (e->stage != FOB_EEPROM_DONE)
		return false;
	e->stage = FOB_EEPROM_IDLE;
	*err = e->err;
	if (e->err == 0)
		*out = e->levels;
	return true;
}
