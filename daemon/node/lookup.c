/* SPDX-License-Identifier: MIT */

#include "daemon/node/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/node/lookup_priv.h"

/* --- the table ---------------------------------------------------------- */

/* Its place; LOOKUP_KEPT: it has none. */
static size_t find(const struct lookup *l, const char *number)
{
	size_t i = 0;

	while (i < LOOKUP_KEPT && strcmp(l->entry[i].number, number) != 0)
		i++;
	return i;
}

static struct entry *known(struct lookup *l, const char *number)
{
	const size_t i = find(l, number);

	return i < LOOKUP_KEPT ? &l->entry[i] : NULL;
}

/* An empty place, or that of whom nobody asked about for longest. */
static struct entry *place(struct lookup *l)
{
	struct entry *oldest = NULL;

	for (size_t i = 0; i < LOOKUP_KEPT; i++) {
		struct entry *e = &l->entry[i];

		if (e->number[0] == '\0')
			return e;
		if (!e->busy && !e->done && (!oldest || e->used < oldest->used))
			oldest = e;
	}
	return oldest;
}

static bool has_room(const struct lookup *l, bool stranger)
{
	size_t busy = 0, strangers = 0;

	for (size_t i = 0; i < LOOKUP_KEPT; i++) {
		busy += l->entry[i].busy;
		strangers += l->entry[i].busy && l->entry[i].stranger;
	}
	return busy < LOOKUP_AT_ONCE &&
	       (!stranger || strangers < LOOKUP_STRANGERS);
}

static void forget(struct lookup *l)
{
	for (size_t i = 0; i < LOOKUP_KEPT; i++)
		memset(l->entry[i].said, 0, sizeof(l->entry[i].said));
}

/* --- from source to source ---------------------------------------------- */

static enum lookup_source winner(const struct lookup *l, const struct entry *e)
{
	for (size_t i = 0; i < l->cfg.order_n; i++) {
		if (e->said[l->cfg.order[i]].state == LOOKUP_FOUND)
			return l->cfg.order[i];
	}
	return LOOKUP_SOURCES;
}

static void count(struct lookup *l, const struct entry *e)
{
	if (winner(l, e) != LOOKUP_SOURCES) {
		l->counters.found++;
		return;
	}
	for (size_t i = 0; i < LOOKUP_SOURCES; i++) {
		if (e->said[i].state == LOOKUP_FAILED) {
			l->counters.failed++;
			return;
		}
	}
	l->counters.absent++;
}

/* Go on until something has to be waited for; true when all is known. */
static bool walk(struct lookup *l, struct entry *e, mono_us now)
{
	for (; e->at < l->cfg.order_n; e->at++) {
		const struct lookup_said *s = &e->said[l->cfg.order[e->at]];

		if (now >= s->until)
			lookup_ask_source(l, e, now);
		if (s->state == LOOKUP_ASKING)
			return false;
		if (s->state == LOOKUP_FOUND && !e->all)
			break;
	}
	return true;
}

static void go_on(struct lookup *l, struct entry *e, mono_us now)
{
	if (!walk(l, e, now))
		return;
	e->busy = false;
	e->done = true;
	count(l, e);
}

void lookup_result(struct lookup *l, struct lookup_id id,
		   const struct lookup_result *r, mono_us now)
{
	struct entry *e = &l->entry[id.slot % LOOKUP_KEPT];

	if (id.slot >= LOOKUP_KEPT || !e->busy || e->question ||
	    e->gen != id.gen)
		return;
	lookup_hear(l, e, r, now);
	go_on(l, e, now);
}

/* --- questions from outside --------------------------------------------- */

static bool is_number(const char *number)
{
	const size_t len = strlen(number);

	return len >= 1 && len <= LOOKUP_DIGITS &&
	       strspn(number, "0123456789") == len;
}

/* True when it may be asked, and a place for it is there. */
static struct entry *start(struct lookup *l, const char *number, unsigned flags,
			   mono_us now)
{
	static const struct rate_limit limit = { LOOKUP_STRANGERS_PER_MIN,
						 LOOKUP_STRANGERS_BURST };
	const bool stranger = flags & LOOKUP_STRANGER;
	struct entry *e = known(l, number);

	if (!has_room(l, stranger) ||
	    (stranger && !rate_take(&l->strangers, &limit, now)))
		return NULL;
	if (!e) {
		const uint16_t gen = (e = place(l)) ? e->gen : 0;

		if (!e)
			return NULL;
		memset(e, 0, sizeof(*e));
		e->gen = gen;
		memcpy(e->number, number, strlen(number) + 1);
	}
	if (flags & LOOKUP_FRESH)
		memset(e->said, 0, sizeof(e->said));
	e->busy = true;
	e->all = flags & LOOKUP_ALL;
	e->stranger = stranger;
	e->at = 0;
	return e;
}

/* It is being asked: with what is wanted now, too. */
static enum lookup_reply join(struct entry *e, unsigned flags)
{
	e->all = e->all || (flags & LOOKUP_ALL);
	e->stranger = e->stranger && (flags & LOOKUP_STRANGER);
	return LOOKUP_LATER;
}

enum lookup_reply lookup_ask(struct lookup *l, const char *number,
			     unsigned flags, mono_us now)
{
	struct lookup_answer kept;
	struct entry *e;

	if (!is_number(number))
		return LOOKUP_NUMBER;
	l->counters.asked++;
	e = known(l, number);
	if (e && e->busy)
		return join(e, flags);
	if (!(flags & (LOOKUP_ALL | LOOKUP_FRESH)) &&
	    lookup_kept(l, number, now, &kept)) {
		e->used = now;
		l->counters.kept++;
		return LOOKUP_NOW;
	}
	e = start(l, number, flags, now);
	if (!e) {
		l->counters.refused++;
		return LOOKUP_BUSY;
	}
	e->used = now;
	go_on(l, e, now);
	if (e->busy)
		return LOOKUP_LATER;
	e->done = false;
	return LOOKUP_NOW;
}

static void tell(const struct lookup *l, const struct entry *e,
		 struct lookup_answer *out)
{
	memcpy(out->number, e->number, sizeof(out->number));
	memcpy(out->said, e->said, sizeof(out->said));
	out->source = winner(l, e);
}

bool lookup_kept(const struct lookup *l, const char *number, mono_us now,
		 struct lookup_answer *out)
{
	const size_t at = find(l, number);
	const struct entry *e = &l->entry[at % LOOKUP_KEPT];

	if (number[0] == '\0' || at == LOOKUP_KEPT || e->busy)
		return false;
	for (size_t i = 0; i < l->cfg.order_n; i++) {
		const struct lookup_said *s = &e->said[l->cfg.order[i]];

		if (now >= s->until)
			return false;
		if (s->state == LOOKUP_FOUND)
			break;
	}
	tell(l, e, out);
	return true;
}

bool lookup_next_question(struct lookup *l, struct lookup_question *out)
{
	for (size_t i = 0; i < LOOKUP_KEPT; i++) {
		struct entry *e = &l->entry[i];

		if (!e->question)
			continue;
		e->question = false;
		out->id = (struct lookup_id){ (uint16_t)i, e->gen };
		out->srv = e->step == STEP_SRV;
		out->port = e->port;
		memcpy(out->name, e->said[l->cfg.order[e->at]].host,
		       sizeof(out->name));
		return true;
	}
	return false;
}

bool lookup_next_done(struct lookup *l, struct lookup_answer *out)
{
	for (size_t i = 0; i < LOOKUP_KEPT; i++) {
		struct entry *e = &l->entry[i];

		if (!e->done)
			continue;
		e->done = false;
		tell(l, e, out);
		return true;
	}
	return false;
}

/* --- life --------------------------------------------------------------- */

struct lookup *lookup_new(const struct lookup_cfg *cfg)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (l)
		l->cfg = *cfg;
	return l;
}

struct lookup *lookup_free(struct lookup *l)
{
	free(l);
	return NULL;
}

void lookup_reconfigure(struct lookup *l, const struct lookup_cfg *cfg,
			mono_us now)
{
	l->cfg = *cfg;
	forget(l);
	for (size_t i = 0; i < LOOKUP_KEPT; i++) {
		struct entry *e = &l->entry[i];

		if (!e->busy)
			continue;
		e->at = 0;
		e->question = false;
		e->gen++;
		go_on(l, e, now);
	}
}

void lookup_extnodes(struct lookup *l, const struct extnodes *x)
{
	l->extnodes = x;
	for (size_t i = 0; i < LOOKUP_KEPT; i++)
		memset(&l->entry[i].said[LOOKUP_EXTNODES], 0,
		       sizeof(struct lookup_said));
}

void lookup_tick(struct lookup *l, mono_us now)
{
	for (size_t i = 0; i < LOOKUP_KEPT; i++) {
		struct entry *e = &l->entry[i];

		if (!e->busy || now < e->give_up)
			continue;
		e->question = false;
		e->gen++;
		lookup_miss(l, e, LOOKUP_FAILED, "no name server answers", now);
		go_on(l, e, now);
	}
}

mono_us lookup_deadline(const struct lookup *l)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < LOOKUP_KEPT; i++) {
		if (l->entry[i].busy)
			due = mono_min(due, l->entry[i].give_up);
	}
	return due;
}

const struct lookup_counters *lookup_counters(const struct lookup *l)
{
	return &l->counters;
}
