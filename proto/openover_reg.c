/* SPDX-License-Identifier: MIT */

#include "proto/openover_reg.h"

#include <string.h>

#include "proto/backoff.h"
#include "proto/openover_reg_priv.h"

#define STEP_TRIES 5U
#define BACKOFF_MIN_US MONO_S
#define BACKOFF_MAX_US (60 * MONO_S)
#define REFUSED_WAIT_US (5 * MONO_S)

const char *oo_reg_state_text(enum oo_reg_state s)
{
	static const char *const text[] = {
		[OO_REG_NO_ADDRESS] = "resolving",
		[OO_REG_WAITING] = "waiting",
		[OO_REG_TOKEN] = "registering",
		[OO_REG_AUTH] = "registering",
		[OO_REG_ACK] = "registering",
		[OO_REG_UP] = "registered",
		[OO_REG_RELEASING] = "unregistering",
		[OO_REG_RELEASED] = "unregistered",
	};

	return text[s];
}

const char *oo_reg_trouble_text(enum oo_reg_trouble t)
{
	static const char *const text[] = {
		[OO_TROUBLE_NONE] = "",
		[OO_TROUBLE_SILENT] = "the registrar does not answer",
		[OO_TROUBLE_REFUSED] =
			"the registrar refuses: it does not know this number, "
			"or knows it under another key",
		[OO_TROUBLE_FORGED] =
			"the answer was not made with the registrar key of "
			"the configuration",
		[OO_TROUBLE_LOST] = "the registrar no longer answers",
	};

	return text[t];
}

static struct backoff backoff_of(const struct oo_reg *g)
{
	return (struct backoff){ .min = BACKOFF_MIN_US,
				 .max = BACKOFF_MAX_US,
				 .random = g->cfg.random,
				 .random_ctx = g->cfg.random_ctx };
}

mono_us reg_spread(const struct oo_reg *g, mono_us low, mono_us high)
{
	const struct backoff b = backoff_of(g);

	return backoff_spread(&b, low, high);
}

void oo_reg_init(struct oo_reg *g, const struct oo_reg_cfg *cfg, mono_us now)
{
	memset(g, 0, sizeof(*g));
	g->cfg = *cfg;
	g->start = now;
	for (int f = 0; f < OO_FAMILIES; f++)
		g->hole[f].interval = cfg->keepalive;
	g->due = MONO_NEVER;
}

enum oo_family oo_reg_best_family(const struct oo_reg *g)
{
	return g->hole[OO_V6].last_ok > g->hole[OO_V4].last_ok ? OO_V6 : OO_V4;
}

/* --- addresses ---------------------------------------------------------- */

void reg_other_family(struct oo_reg *g)
{
	const enum oo_family other = g->family == OO_V4 ? OO_V6 : OO_V4;

	if (net_addr_is_set(&g->hole[other].registrar))
		g->family = other;
}

static void use_address(struct oo_hole *h, const struct net_addr *a,
			mono_us now)
{
	const struct oo_hole was = *h;

	memset(h, 0, sizeof(*h));
	h->interval = was.interval;
	h->bearable = was.bearable;
	h->registrar = *a;
	h->next = now;
}

/* The address behind @from in the list, of its family; the first one again
 * after the last. */
static const struct net_addr *address_after(const struct oo_reg *g,
					    const struct net_addr *from)
{
	const struct net_addr *next = NULL;
	bool passed = false;

	for (size_t i = 0; i < g->addrs_n; i++) {
		const struct net_addr *a = &g->addrs[i];

		if (net_addr_is_v4(a) != net_addr_is_v4(from))
			continue;
		if (passed)
			return a;
		passed = net_addr_equal(a, from);
		if (!next)
			next = a;
	}
	return next;
}

/* Where nobody answers, ask at the registrar's next address. */
static void turn_to_next(struct oo_reg *g, mono_us now)
{
	for (int f = 0; f < OO_FAMILIES; f++) {
		struct oo_hole *h = &g->hole[f];
		const struct net_addr *next;

		if (!net_addr_is_set(&h->registrar) ||
		    (h->last_ok != 0 && h->missed < MISSED_MAX))
			continue;
		next = address_after(g, &h->registrar);
		if (next && !net_addr_equal(next, &h->registrar))
			use_address(h, next, now);
	}
}

static bool is_listed(const struct oo_reg *g, const struct net_addr *a)
{
	for (size_t i = 0; i < g->addrs_n; i++) {
		if (net_addr_equal(&g->addrs[i], a))
			return true;
	}
	return false;
}

void oo_reg_addresses(struct oo_reg *g, const struct net_addr *addrs, size_t n,
		      mono_us now)
{
	bool have[OO_FAMILIES] = { false, false };
	const bool first = g->state == OO_REG_NO_ADDRESS;

	if (n == 0)
		return;
	g->addrs_n = n < OO_REG_ADDRS ? n : OO_REG_ADDRS;
	memcpy(g->addrs, addrs, g->addrs_n * sizeof(g->addrs[0]));
	for (size_t i = 0; i < g->addrs_n; i++) {
		const enum oo_family f = oo_family_of(&addrs[i]);

		if (!have[f] && !is_listed(g, &g->hole[f].registrar))
			use_address(&g->hole[f], &addrs[i], now);
		have[f] = true;
	}
	if (!first)
		return;
	g->family = have[OO_V6] ? OO_V6 : OO_V4;
	reg_begin(g, now);
}

/* --- how it ends --------------------------------------------------------- */

unsigned reg_give_up(struct oo_reg *g, enum oo_reg_trouble why, mono_us now)
{
	const bool was_up = oo_reg_is_up(g);
	struct backoff b = backoff_of(g);

	if (why == OO_TROUBLE_REFUSED)
		b.min = REFUSED_WAIT_US;
	g->due = now + backoff_pause(&b, g->failures);
	g->failures++;
	g->trouble = why;
	g->other_family_next = true;
	if (why == OO_TROUBLE_SILENT)
		turn_to_next(g, now);
	/* Silence leaves the session as it was: an OPEN may still come. */
	if (g->session.id != 0 && why == OO_TROUBLE_SILENT) {
		g->state = OO_REG_UP;
		g->refresh_at = g->due;
		g->due = MONO_NEVER;
		return OO_CHANGE_TROUBLE;
	}
	key_wipe(&g->session, sizeof(g->session));
	g->state = OO_REG_WAITING;
	return (was_up ? OO_CHANGE_DOWN : 0) | OO_CHANGE_TROUBLE;
}

unsigned reg_released(struct oo_reg *g)
{
	key_wipe(&g->session, sizeof(g->session));
	g->state = OO_REG_RELEASED;
	g->due = MONO_NEVER;
	return OO_CHANGE_RELEASED;
}

void oo_reg_release(struct oo_reg *g, mono_us now)
{
	if (g->session.id == 0) {
		(void)reg_released(g);
		return;
	}
	g->family = oo_reg_best_family(g);
	g->state = OO_REG_RELEASING;
	g->tries = 0;
	reg_send_regrel(g, now);
}

/* --- time --------------------------------------------------------------- */

static bool all_lost(const struct oo_reg *g)
{
	for (int f = 0; f < OO_FAMILIES; f++) {
		if (net_addr_is_set(&g->hole[f].registrar) &&
		    g->hole[f].missed < MISSED_MAX)
			return false;
	}
	return true;
}

static unsigned step_due(struct oo_reg *g, mono_us now)
{
	switch (g->state) {
	case OO_REG_WAITING:
		reg_begin(g, now);
		return 0;
	case OO_REG_TOKEN:
	case OO_REG_AUTH:
	case OO_REG_ACK:
		if (g->tries < STEP_TRIES) {
			/* One family may lead nowhere: knock at both doors. */
			if (g->state == OO_REG_TOKEN && g->tries > 1)
				reg_other_family(g);
			reg_send_regreq(g, now);
			return 0;
		}
		return reg_give_up(
			g, g->forged ? OO_TROUBLE_FORGED : OO_TROUBLE_SILENT,
			now);
	case OO_REG_RELEASING:
		if (g->tries < 3) {
			reg_send_regrel(g, now);
			return 0;
		}
		return reg_released(g);
	case OO_REG_UP:
	case OO_REG_NO_ADDRESS:
	case OO_REG_RELEASED:
		break;
	}
	g->due = MONO_NEVER;
	return 0;
}

unsigned oo_reg_tick(struct oo_reg *g, mono_us now)
{
	unsigned change = 0;

	if (now >= g->due)
		change |= step_due(g, now);
	if (g->session.id == 0 || g->state == OO_REG_RELEASING)
		return change;
	for (int f = 0; f < OO_FAMILIES; f++) {
		if (net_addr_is_set(&g->hole[f].registrar) &&
		    now >= g->hole[f].next)
			reg_ping_due(g, (enum oo_family)f, now);
	}
	if (!g->lost && all_lost(g)) {
		g->lost = true;
		g->trouble = OO_TROUBLE_LOST;
		g->refresh_at = mono_min(g->refresh_at, now);
		change |= OO_CHANGE_DOWN | OO_CHANGE_TROUBLE;
	}
	if (g->state == OO_REG_UP && now >= g->refresh_at) {
		g->refresh_at = MONO_NEVER;
		g->family = oo_reg_best_family(g);
		reg_begin(g, now);
	}
	return change;
}

mono_us oo_reg_deadline(const struct oo_reg *g)
{
	mono_us due = g->due;

	if (g->session.id == 0 || g->state == OO_REG_RELEASING)
		return due;
	for (int f = 0; f < OO_FAMILIES; f++) {
		if (net_addr_is_set(&g->hole[f].registrar))
			due = mono_min(due, g->hole[f].next);
	}
	if (g->state == OO_REG_UP)
		due = mono_min(due, g->refresh_at);
	return due;
}
