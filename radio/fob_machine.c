/* SPDX-License-Identifier: MIT */

#include "radio/fob_machine.h"

#include <stddef.h>

#define LOW_SEEN 0x01U
#define HIGH_SEEN 0x02U
#define BACKOFF_MAX 4U /* doublings of the spacing */

void fob_machine_init(struct fob_machine *m, uint64_t now)
{
	*m = (struct fob_machine){ .due = now, .look_us = FOB_LOOK_US };
}

static bool is_open(const struct fob_machine *m)
{
	return m->stage == FOB_STAGE_OPENING || m->stage == FOB_STAGE_READY;
}

bool fob_machine_output(const struct fob_machine *m)
{
	return m->stage == FOB_STAGE_READY && m->want;
}

static void next_at(struct fob_machine *m, uint64_t when)
{
	m->due = when > m->free_at ? when : m->free_at;
}

/* The next cycle begins at @when, however far this one has come. */
static void cycle_at(struct fob_machine *m, uint64_t when)
{
	m->reading = false;
	next_at(m, when);
}

static void edge(struct fob_machine *m, uint64_t now)
{
	m->mismatches = 0;
	m->again = true;
	if (m->want)
		m->hot = true;
	/* What is under way ends first, and sees that it is outdated. */
	if (!m->busy)
		cycle_at(m, now);
}

void fob_machine_key(struct fob_machine *m, bool keyed, uint64_t now)
{
	if (m->want == keyed)
		return;
	m->want = keyed;
	if (m->stage == FOB_STAGE_READY)
		edge(m, now);
}

void fob_machine_look_at(struct fob_machine *m, uint64_t when)
{
	if (!is_open(m) && when < m->due)
		m->due = when;
}

void fob_machine_hint(struct fob_machine *m, uint64_t now)
{
	const uint64_t soonest = m->looked + FOB_HINTED_US;

	m->hinted = true;
	if (!m->busy)
		fob_machine_look_at(m, now > soonest ? now : soonest);
}

enum fob_do fob_machine_next(struct fob_machine *m, uint64_t now)
{
	if (m->busy || now < m->due)
		return FOB_DO_NOTHING;
	m->busy = true;
	if (!is_open(m)) {
		m->hinted = false;
		return FOB_DO_LOOK;
	}
	if (m->failures >= FOB_FAILURES_MAX)
		return FOB_DO_CLOSE;
	if (m->reading)
		return FOB_DO_READ;
	m->sent = fob_machine_output(m);
	return FOB_DO_WRITE;
}

uint64_t fob_machine_deadline(const struct fob_machine *m)
{
	return m->busy ? UINT64_MAX : m->due;
}

void fob_machine_looked(struct fob_machine *m, enum fob_stage stage,
			uint64_t now)
{
	m->busy = false;
	m->stage = stage;
	m->reading = false;
	m->again = false;
	m->blind = false;
	m->proven = 0;
	m->safe = 0;
	m->failures = 0;
	m->mismatches = 0;
	m->free_at = now;
	m->looked = now;
	/* Who knows what the one before left behind. */
	m->hot = stage == FOB_STAGE_OPENING;
	m->due = now;
	if (is_open(m))
		return;
	if (m->hinted)
		m->due += FOB_HINTED_US;
	else
		m->due += stage == FOB_STAGE_ABSENT ? m->look_us : FOB_RETRY_US;
}

void fob_machine_lost(struct fob_machine *m, uint64_t now)
{
	fob_machine_looked(m, FOB_STAGE_ABSENT, now);
	/* It may be back already. */
	fob_machine_look_at(m, now + FOB_LOOK_US);
}

/* Both halves of a cycle fail alike: wait a little longer each time. */
static void failed(struct fob_machine *m, uint64_t now)
{
	const unsigned doublings =
		m->failures < BACKOFF_MAX ? m->failures : BACKOFF_MAX;

	m->all_failures++;
	cycle_at(m, now + ((uint64_t)FOB_SPACING_US << doublings));
	if (m->failures < FOB_FAILURES_MAX)
		m->failures++;
}

void fob_machine_wrote(struct fob_machine *m, bool ok, uint64_t now)
{
	m->busy = false;
	m->free_at = now + FOB_SPACING_US;
	if (!ok) {
		failed(m, now);
		return;
	}
	/* Reading back is for later when another state is wanted by now. */
	m->reading = m->sent == fob_machine_output(m);
	next_at(m, now);
}

/* What the pin shows is not what was written. */
static void differs(struct fob_machine *m, uint64_t now)
{
	uint64_t wait = FOB_RECHECK_KEYED_US;

	m->all_mismatches++;
	m->mismatches++;
	if (m->mismatches < FOB_MISMATCHES_MAX) {
		cycle_at(m, now + FOB_SPACING_US);
		return;
	}
	if (m->proven == (LOW_SEEN | HIGH_SEEN)) {
		if (m->mismatches == FOB_MISMATCHES_MAX)
			m->warning = m->sent ? "the fob does not key: its PTT "
					       "pin reads back unkeyed"
					     : "the fob does not unkey: its "
					       "PTT pin reads back keyed";
		if (!m->sent)
			wait = FOB_AGAIN_US;
		cycle_at(m, now + wait);
		return;
	}
	m->blind = true;
	m->warning = "the fob does not show its PTT pin, so that nothing tells "
		     "whether it heeds: its PTT is written again and again";
}

/* The cycle is done, and well as far as can be seen. */
static void agreed(struct fob_machine *m, uint64_t now)
{
	m->mismatches = 0;
	if (m->stage == FOB_STAGE_OPENING && ++m->safe < FOB_SAFE_TIMES) {
		cycle_at(m, now);
		return;
	}
	if (!m->sent)
		m->hot = m->again;
	if (m->stage == FOB_STAGE_OPENING) {
		m->stage = FOB_STAGE_READY;
		if (m->want) {
			edge(m, now);
			return;
		}
	}
	if (m->again) {
		m->again = false;
		cycle_at(m, now + FOB_AGAIN_US);
	} else {
		cycle_at(m, now + (m->sent ? FOB_RECHECK_KEYED_US
					   : FOB_RECHECK_US));
	}
}

void fob_machine_read(struct fob_machine *m, bool ok, bool pin,
		      bool keyed_level, uint64_t now)
{
	const bool expected = m->sent == keyed_level;

	m->busy = false;
	m->free_at = now + FOB_SPACING_US;
	if (!ok) {
		failed(m, now);
		return;
	}
	m->failures = 0;
	if (pin == expected)
		m->proven |= pin ? HIGH_SEEN : LOW_SEEN;
	if (m->sent != fob_machine_output(m)) {
		cycle_at(m, now);
		return;
	}
	if (pin != expected && !m->blind)
		differs(m, now);
	if (pin == expected || m->blind)
		agreed(m, now);
}

static bool at_rest(const struct fob_machine *m)
{
	return m->stage == FOB_STAGE_READY && !m->busy && !m->want && !m->hot &&
	       !m->again && !m->reading && m->failures == 0;
}

uint64_t fob_machine_lends_at(const struct fob_machine *m)
{
	return at_rest(m) ? m->free_at : UINT64_MAX;
}

bool fob_machine_lend(struct fob_machine *m, uint64_t now)
{
	if (now < fob_machine_lends_at(m))
		return false;
	m->busy = true;
	return true;
}

void fob_machine_take_back(struct fob_machine *m, uint64_t now)
{
	m->busy = false;
	m->free_at = now + FOB_SPACING_US;
	cycle_at(m, now);
}

const char *fob_machine_warning(struct fob_machine *m)
{
	const char *warning = m->warning;

	m->warning = NULL;
	return warning;
}
