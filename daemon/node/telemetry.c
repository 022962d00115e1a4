/* SPDX-License-Identifier: MIT */

/* When something is said: the queue, pauses, and the identification. */

#include "daemon/node/telemetry.h"

#include <string.h>

#include "daemon/node/telemetry_priv.h"

void telemetry_init(struct telemetry *t)
{
	static const struct telemetry_cfg silent = { .wpm = 20,
						     .hz = 800,
						     .tone_db = 20 };

	memset(t, 0, sizeof(*t));
	t->gain = 1;
	telemetry_configure(t, &silent);
}

void telemetry_configure(struct telemetry *t, const struct telemetry_cfg *cfg)
{
	t->cfg = *cfg;
	t->saying = false;
	cw_init(&t->cw, cfg->wpm, cfg->hz, -(double)cfg->tone_db);
}

/* --- the queue ---------------------------------------------------------- */

static void put(struct telemetry *t, const char *words, bool id, mono_us now)
{
	const size_t len = strlen(words);
	struct telemetry_item *item = &t->queue[t->n];

	if (len == 0)
		return;
	if (len > TELEMETRY_TEXT_MAX || t->n == TELEMETRY_QUEUE) {
		t->dropped++;
		return;
	}
	t->n++;
	memcpy(item->text, words, len + 1);
	item->since = now;
	item->id = id;
}

static void drop_first(struct telemetry *t)
{
	t->saying = false;
	t->n--;
	memmove(t->queue, t->queue + 1, t->n * sizeof(t->queue[0]));
}

static bool has_id(const struct telemetry *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->queue[i].id)
			return true;
	}
	return false;
}

void telemetry_say(struct telemetry *t, const char *words, mono_us now)
{
	if (t->cfg.announce)
		put(t, words, false, now);
}

void telemetry_identify(struct telemetry *t, mono_us now)
{
	if (!has_id(t))
		put(t, t->cfg.id, true, now);
}

/* --- identification ----------------------------------------------------- */

/* After a long silence it comes with the first pause; else when the time is
 * over. */
static mono_us id_due(const struct telemetry *t)
{
	const mono_us interval = t->cfg.id_interval_s * MONO_S;

	if (interval == 0 || t->active == 0 || t->cfg.id[0] == '\0')
		return MONO_NEVER;
	if (t->id_last == 0 || t->active >= t->id_last + interval)
		return t->active;
	return t->id_last + interval;
}

/* And then no pause is waited for. */
static mono_us id_force(const struct telemetry *t, mono_us since)
{
	const mono_us interval = t->cfg.id_interval_s * MONO_S;
	const mono_us late = t->cfg.id_late_s * MONO_S;

	if (interval == 0 || t->active == 0)
		return since + TELEMETRY_POLITE_US;
	if (t->active == since)
		return since + interval;
	return since + late;
}

void telemetry_tick(struct telemetry *t, mono_us now)
{
	if (now >= id_due(t) && !has_id(t)) {
		/* Where there is no room, it is the most important. */
		if (t->n == TELEMETRY_QUEUE) {
			t->n--;
			t->dropped++;
		}
		put(t, t->cfg.id, true, id_due(t));
	}
}

mono_us telemetry_deadline(const struct telemetry *t)
{
	return has_id(t) ? MONO_NEVER : id_due(t);
}

/* --- blocks ------------------------------------------------------------- */

static bool may_begin(const struct telemetry *t, mono_us now)
{
	const struct telemetry_item *item = &t->queue[0];
	const bool pause = t->quiet_since != 0 &&
			   now >= t->quiet_since + TELEMETRY_QUIET_US;

	return pause || now >= (item->id ? id_force(t, item->since)
					 : item->since + TELEMETRY_POLITE_US);
}

static void note(struct telemetry *t, const struct telemetry_now *what,
		 mono_us now)
{
	const bool own = t->saying && !t->queue[0].id;

	if (what->busy)
		t->quiet_since = 0;
	else if (t->quiet_since == 0)
		t->quiet_since = now;
	if (what->keyed && (what->busy || own) && t->active == 0)
		t->active = now;
}

static void finished(struct telemetry *t, mono_us now)
{
	t->said++;
	if (t->queue[0].id) {
		t->ids++;
		t->id_last = now;
		t->active = 0;
	}
	drop_first(t);
}

static void forget_stale(struct telemetry *t, mono_us now)
{
	/* One that is due to an over waits for its end; one that was asked
	 * for, no longer than other words. */
	while (t->n > 0 && !t->saying && (!t->queue[0].id || t->active == 0) &&
	       now >= t->queue[0].since + TELEMETRY_STALE_US) {
		t->dropped++;
		drop_first(t);
	}
}

bool telemetry_block(struct telemetry *t, const struct telemetry_now *what,
		     int16_t out[AUDIO_BLOCK], mono_us now)
{
	memset(out, 0, AUDIO_BLOCK * sizeof(out[0]));
	note(t, what, now);
	telemetry_tick(t, now);
	forget_stale(t, now);
	if (what->held)
		t->saying = false;
	if (t->n == 0 || what->held || (!t->saying && !may_begin(t, now)))
		return false;
	if (!t->saying)
		telemetry_begin(t);
	if (telemetry_render(t, out)) {
		telemetry_duck(t, what->busy, out);
		return true;
	}
	finished(t, now);
	return false;
}

bool telemetry_rests(const struct telemetry *t)
{
	return t->n == 0;
}
