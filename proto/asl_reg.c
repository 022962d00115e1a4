/* SPDX-License-Identifier: MIT */

#include "proto/asl_reg.h"

#include <string.h>

#include "proto/backoff.h"

/* The network's registrar asks for 179 s and refuses what comes before 120. */
#define REFRESH_S 180U
#define REFRESH_MIN_S 120U
#define REFRESH_MAX_S 3600U
#define SOONEST_US (120 * MONO_S)
#define LATE_US (5 * MONO_S)
/* A registration is kept for a while after its time. */
#define MARGIN_US (60 * MONO_S)
#define RETRY_MIN_US (20 * MONO_S)
#define RETRY_MAX_US (600 * MONO_S)
#define REFUSED_MIN_US (120 * MONO_S)
#define REFUSED_MAX_US (3600 * MONO_S)
/* What a choice is looked at again after: both agreed, or they did not. */
#define TURN_US (60 * MONO_S)
#define COMPARE_US (3600 * MONO_S)
#define DIFFER_US (21600 * MONO_S)

const char *asl_reg_trouble_text(enum asl_reg_trouble t)
{
	static const char *const text[] = {
		[ASL_REG_OK] = "",
		[ASL_REG_SILENT] = "the registrar does not answer",
		[ASL_REG_REFUSED] =
			"the registrar refuses: wrong password or number",
		[ASL_REG_TOO_SOON] = "the registrar wants to be asked less "
				     "often",
		[ASL_REG_BUSY] = "the registrar is out of order",
		[ASL_REG_STRANGE] = "the registrar's answer does not say that "
				    "this node is registered",
	};

	return text[t];
}

void asl_reg_init(struct asl_reg *g, const struct asl_reg_cfg *cfg, mono_us now)
{
	memset(g, 0, sizeof(*g));
	g->cfg = *cfg;
	g->way = cfg->choose ? ASL_REG_BY_IAX2 : ASL_REG_BY_HTTPS;
	g->due = cfg->choose ? MONO_NEVER : now;
}

bool asl_reg_is_up(const struct asl_reg *g)
{
	return g->expires != 0;
}

bool asl_reg_differs(const struct asl_reg *g)
{
	if (!net_addr_is_set(&g->by_https) || !net_addr_is_set(&g->by_iax2))
		return false;
	return !net_addr_same_ip(&g->by_https, &g->by_iax2) ||
	       g->by_iax2.port != g->cfg.port;
}

/* --- which way ---------------------------------------------------------- */

/* From now on by REGREQ; HTTPS has its turn at @turn. */
static unsigned take_iax2(struct asl_reg *g, mono_us turn)
{
	g->way = ASL_REG_BY_IAX2;
	g->due = turn > g->not_before ? turn : g->not_before;
	g->expires = 0;
	return ASL_REG_CHANGE_WAY;
}

static unsigned take_https(struct asl_reg *g, mono_us now)
{
	g->way = ASL_REG_BY_HTTPS;
	g->due = now > g->not_before ? now : g->not_before;
	return ASL_REG_CHANGE_WAY;
}

static bool is_by_iax2(const struct asl_reg *g)
{
	return g->way == ASL_REG_BY_IAX2;
}

unsigned asl_reg_iax2_up(struct asl_reg *g, const struct net_addr *apparent,
			 mono_us now)
{
	const bool known = asl_reg_differs(g);
	const struct net_addr was = g->by_iax2;

	if (!net_addr_is_v4(apparent))
		return 0;
	g->by_iax2 = *apparent;
	g->own_word = true;
	g->compared = now;
	if (!is_by_iax2(g))
		return 0;
	/* By HTTPS others would call a port that is not ours: no turn at all.
	 */
	if (apparent->port != g->cfg.port)
		g->due = MONO_NEVER;
	/* Or only what is known already would be found again. */
	else if (known && net_addr_equal(&was, apparent))
		g->due = now + DIFFER_US;
	else if (g->trouble != ASL_REG_OK)
		g->due = now + RETRY_MAX_US; /* this way does it as well */
	else
		g->due = mono_min(g->due, now + TURN_US);
	if (g->due < g->not_before)
		g->due = g->not_before;
	return 0;
}

unsigned asl_reg_iax2_failed(struct asl_reg *g, mono_us now)
{
	if (!is_by_iax2(g))
		return 0;
	/* Do not ask this way again before an hour is over. */
	g->compared = now;
	if (now < g->not_before) {
		g->due = g->not_before;
		return 0;
	}
	return take_https(g, now);
}

unsigned asl_reg_seen(struct asl_reg *g, const struct net_addr *apparent,
		      mono_us now)
{
	if (!net_addr_is_set(apparent) || !net_addr_is_v4(apparent))
		return 0;
	if (g->own_word)
		return 0;
	g->by_iax2 = *apparent;
	g->compared = now;
	if (!g->cfg.choose || is_by_iax2(g) || g->asking || !asl_reg_differs(g))
		return 0;
	return take_iax2(g, now + DIFFER_US);
}

unsigned asl_reg_network_changed(struct asl_reg *g, mono_us now)
{
	const mono_us soonest = g->asked_at + SOONEST_US;

	memset(&g->by_iax2, 0, sizeof(g->by_iax2));
	g->own_word = false;
	g->compared = 0;
	if (g->asking || is_by_iax2(g))
		return 0;
	if (g->cfg.choose)
		return take_iax2(g, MONO_NEVER);
	if (g->asked_at != 0 && now < soonest)
		g->due = mono_min(g->due, soonest);
	else
		g->due = now > g->not_before ? now : g->not_before;
	return 0;
}

/* --- answers ------------------------------------------------------------ */

static enum asl_reg_trouble judge(const struct asl_reg_answer *a)
{
	if (a->status == 0)
		return ASL_REG_SILENT;
	if (a->status == 429)
		return ASL_REG_TOO_SOON;
	if (a->status >= 500)
		return ASL_REG_BUSY;
	if (a->word == ASL_REG_BAD || a->status == 401 || a->status == 403)
		return ASL_REG_REFUSED;
	return a->status == 200 && a->word == ASL_REG_GOOD ? ASL_REG_OK
							   : ASL_REG_STRANGE;
}

static struct backoff pauses(const struct asl_reg *g, enum asl_reg_trouble why)
{
	const bool refused = why == ASL_REG_REFUSED || why == ASL_REG_STRANGE;

	return (struct backoff){
		.min = refused ? REFUSED_MIN_US : RETRY_MIN_US,
		.max = refused ? REFUSED_MAX_US : RETRY_MAX_US,
		.random = g->cfg.random,
		.random_ctx = g->cfg.random_ctx,
	};
}

static unsigned failed(struct asl_reg *g, enum asl_reg_trouble why, mono_us now)
{
	const struct backoff b = pauses(g, why);
	unsigned change = ASL_REG_CHANGE_TROUBLE;

	g->trouble = why;
	g->not_before = now + backoff_pause(&b, g->failures) +
			(why == ASL_REG_TOO_SOON ? SOONEST_US : 0);
	if (g->failures < UINT8_MAX)
		g->failures++;
	if (net_addr_is_set(&g->by_https))
		change |= ASL_REG_CHANGE_APPARENT;
	memset(&g->by_https, 0, sizeof(g->by_https));
	/* A refusal is the registrar's word that we are not registered. */
	if (why == ASL_REG_REFUSED && g->expires != 0) {
		g->expires = 0;
		change |= ASL_REG_CHANGE_DOWN;
	}
	g->due = g->not_before;
	if (g->cfg.choose)
		change |= take_iax2(g, g->not_before);
	return change;
}

static mono_us refresh_us(const struct asl_reg_answer *a)
{
	uint32_t s = a->refresh_s == 0 ? REFRESH_S : a->refresh_s;

	if (s < REFRESH_MIN_S)
		s = REFRESH_MIN_S;
	if (s > REFRESH_MAX_S)
		s = REFRESH_MAX_S;
	return s * MONO_S;
}

static unsigned succeeded(struct asl_reg *g, const struct asl_reg_answer *a,
			  mono_us now)
{
	const struct backoff b = pauses(g, ASL_REG_OK);
	const mono_us refresh = refresh_us(a);
	unsigned change = g->expires == 0 ? ASL_REG_CHANGE_UP : 0;

	if (!net_addr_equal(&g->by_https, &a->apparent))
		change |= ASL_REG_CHANGE_APPARENT;
	g->by_https = a->apparent;
	g->trouble = ASL_REG_OK;
	g->failures = 0;
	g->last_ok = now;
	g->rtt_us = (uint32_t)(now - g->asked_at);
	g->not_before = now + SOONEST_US;
	/* Not before its time, and a crowd not at the same time. */
	g->due = backoff_spread(&b, now + refresh, now + refresh + LATE_US);
	g->expires = now + refresh + MARGIN_US;
	if (g->cfg.choose && asl_reg_differs(g))
		change |= take_iax2(g, now + DIFFER_US);
	return change;
}

unsigned asl_reg_answered(struct asl_reg *g, const struct asl_reg_answer *a,
			  mono_us now)
{
	const enum asl_reg_trouble why = judge(a);

	if (!g->asking)
		return 0;
	g->asking = false;
	return why == ASL_REG_OK ? succeeded(g, a, now) : failed(g, why, now);
}

/* --- time --------------------------------------------------------------- */

static unsigned due_now(struct asl_reg *g, mono_us now)
{
	unsigned change = 0;

	if (is_by_iax2(g))
		change = take_https(g, now);
	else if (g->cfg.choose &&
		 (g->compared == 0 || now - g->compared > COMPARE_US))
		/* Does a REGREQ still come from where it came from? */
		return take_iax2(g, MONO_NEVER);
	g->asking = true;
	g->asked_at = now;
	return change | ASL_REG_CHANGE_POST;
}

unsigned asl_reg_tick(struct asl_reg *g, mono_us now)
{
	unsigned change = 0;

	if (!g->asking && now >= g->due)
		change = due_now(g, now);
	if (g->expires != 0 && now >= g->expires) {
		g->expires = 0;
		change |= ASL_REG_CHANGE_DOWN;
	}
	return change;
}

mono_us asl_reg_deadline(const struct asl_reg *g)
{
	const mono_us end = g->expires != 0 ? g->expires : MONO_NEVER;

	return g->asking ? end : mono_min(g->due, end);
}
