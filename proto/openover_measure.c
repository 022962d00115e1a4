/* SPDX-License-Identifier: MIT */

#include "proto/openover_measure.h"

#include <stdlib.h>
#include <string.h>

#include "proto/openover_measure_priv.h"

#define FRESH 5U    /* new mappings that are compared */
#define STEP_MAX 64 /* ports from one to the next, or it is chance */

void oo_measure_begin(struct oo_measure *m)
{
	m->step = OO_MEASURE_SOCKETS;
	m->out.running = true;
	m->out.failed = false;
	m->due = MONO_NEVER;
}

void oo_measure_stop(struct oo_measure *m)
{
	m->step = OO_MEASURE_IDLE;
	m->q.asked = false;
	m->out.running = false;
	m->out.living = false;
	m->due = MONO_NEVER;
	memset(m->flows, 0, sizeof(m->flows));
}

bool oo_measure_uses(const struct oo_measure *m, uint16_t sock)
{
	for (int f = 0; f < OO_FAMILIES; f++) {
		const uint16_t first = m->flow[f][0].sock;

		if (m->flows[f] > 0 && sock >= first &&
		    sock < first + m->flows[f])
			return true;
	}
	return false;
}

/* --- what the answers mean ---------------------------------------------- */

static size_t fresh(const struct oo_measure *m)
{
	return m->flows[OO_V4] < FRESH ? m->flows[OO_V4] : FRESH;
}

/* The ports of new mappings: those of the sockets, in steps, or by chance. */
static void look_at_ports(struct oo_measure *m)
{
	const struct oo_measure_flow *f = m->flow[OO_V4];
	const size_t n = fresh(m);
	size_t kept = 0, known = 0;
	int least = 0;

	for (size_t i = 0; i < n; i++) {
		known += f[i].port != 0;
		kept += f[i].port != 0 && f[i].port == f[i].seen.port;
	}
	m->out.delta = 0;
	m->out.port_preserved = OO_YES_UNKNOWN;
	if (known > 0)
		m->out.port_preserved = 2 * kept > known ? OO_YES : OO_YES_NO;
	if (n < 3 || m->out.port_preserved == OO_YES)
		return;
	for (size_t i = 1; i < n; i++) {
		const int step = (int)f[i].seen.port - f[i - 1].seen.port;

		/* All the same way; somebody else's come in between. */
		if (step == 0 || abs(step) > STEP_MAX ||
		    (least != 0 && (step > 0) != (least > 0)))
			return;
		if (least == 0 || abs(step) < abs(least))
			least = step;
	}
	m->out.delta = least;
}

static void look_at_filtering_other(struct oo_measure *m,
				    const struct oo_reg *g,
				    enum measure_answer a)
{
	(void)g;
	if (a == ANSWER_YES)
		m->out.filtering = OO_FILTERING_INDEPENDENT;
}

static void look_at_filtering_port(struct oo_measure *m, const struct oo_reg *g,
				   enum measure_answer a)
{
	if (a == ANSWER_NO)
		m->out.filtering = OO_FILTERING_ADDRESS_PORT;
	else
		m->out.filtering = net_addr_is_set(&g->ends.other)
					   ? OO_FILTERING_ADDRESS
					   : OO_FILTERING_NOT_PORT;
}

static void look_at_mapping_port(struct oo_measure *m, const struct oo_reg *g,
				 enum measure_answer a)
{
	(void)g;
	(void)a;
	m->mapped_port = m->q.seen;
	m->out.mapping = net_addr_equal(&m->flow[OO_V4][1].seen, &m->q.seen)
				 ? OO_MAPPING_NOT_PORT
				 : OO_MAPPING_ADDRESS_PORT;
}

static void look_at_mapping_other(struct oo_measure *m, const struct oo_reg *g,
				  enum measure_answer a)
{
	(void)g;
	(void)a;
	if (m->out.mapping == OO_MAPPING_NOT_PORT)
		m->out.mapping = net_addr_equal(&m->mapped_port, &m->q.seen)
					 ? OO_MAPPING_INDEPENDENT
					 : OO_MAPPING_ADDRESS;
}

/* Not even what was asked for comes: no word on filters. */
static void look_at_check(struct oo_measure *m, const struct oo_reg *g,
			  enum measure_answer a)
{
	(void)g;
	if (a == ANSWER_NO)
		m->step = m->step == OO_MEASURE_CHECK ? OO_MEASURE_FILTER_PORT
						      : OO_MEASURE_FILTER6;
}

static void look_at_ipv6(struct oo_measure *m, const struct oo_reg *g,
			 enum measure_answer a)
{
	(void)g;
	m->out.ipv6 = a == ANSWER_YES ? OO_IPV6_OPEN : OO_IPV6_FIREWALLED;
}

/* --- one step after the other ------------------------------------------- */

/* What each step asks, and what is made of the answer. */
static const struct {
	enum oo_family family;
	size_t flow;
	enum oo_end end;
	bool there;
	void (*heed)(struct oo_measure *m, const struct oo_reg *g,
		     enum measure_answer a);
} plan[] = {
	[OO_MEASURE_BIND] = { OO_V4, 0, OO_END_MAIN, false, NULL },
	[OO_MEASURE_CHECK] = { OO_V4, 0, OO_END_MAIN, true, look_at_check },
	[OO_MEASURE_FILTER_OTHER] = { OO_V4, 0, OO_END_OTHER, true,
				      look_at_filtering_other },
	[OO_MEASURE_FILTER_PORT] = { OO_V4, 0, OO_END_PORT, true,
				     look_at_filtering_port },
	[OO_MEASURE_MAP_PORT] = { OO_V4, 1, OO_END_PORT, false,
				  look_at_mapping_port },
	[OO_MEASURE_MAP_OTHER] = { OO_V4, 1, OO_END_OTHER, false,
				   look_at_mapping_other },
	[OO_MEASURE_BIND6] = { OO_V6, 0, OO_END_MAIN, false, NULL },
	[OO_MEASURE_CHECK6] = { OO_V6, 0, OO_END_MAIN, true, look_at_check },
	[OO_MEASURE_FILTER6] = { OO_V6, 0, OO_END_PORT, true, look_at_ipv6 },
};

/* Put the question of the step; false: there is nothing to ask. */
static bool put(struct oo_measure *m, const struct oo_reg *g, mono_us now)
{
	const enum oo_family f = plan[m->step].family;
	const size_t flow = plan[m->step].flow + m->at;
	const enum oo_end end = plan[m->step].end;

	if (flow >= m->flows[f] ||
	    (end == OO_END_OTHER && !net_addr_is_set(&g->ends.other)) ||
	    (m->step == OO_MEASURE_FILTER_PORT &&
	     m->out.filtering == OO_FILTERING_INDEPENDENT) ||
	    (m->step == OO_MEASURE_MAP_OTHER &&
	     !net_addr_is_set(&m->mapped_port)))
		return false;
	if (plan[m->step].there)
		measure_ask_there(m, f, flow, end, now);
	else
		measure_ask_seen(m, f, flow, end, now);
	return true;
}

static unsigned begin_life(struct oo_measure *m, mono_us now)
{
	if (!measure_life_begin(m, OO_V4, now) &&
	    !measure_life_begin(m, OO_V6, now)) {
		/* Nobody answered to anything. */
		m->out.failed = true;
		oo_measure_stop(m);
		return OO_MEASURE_OVER;
	}
	m->out.running = false;
	m->out.at = now;
	m->out.living = true;
	return OO_MEASURE_FOUND;
}

/* The next step that has a question. */
static unsigned go_on(struct oo_measure *m, const struct oo_reg *g, mono_us now)
{
	do {
		m->q.asked = false;
		m->at = 0;
		m->step++;
		if (m->step == OO_MEASURE_WARM)
			return begin_life(m, now);
	} while (!put(m, g, now));
	return 0;
}

void oo_measure_start(struct oo_measure *m, struct oo_reg *g,
		      const struct oo_measure_sockets *s, mono_us now)
{
	if (m->step != OO_MEASURE_SOCKETS)
		return;
	memset(m->flow, 0, sizeof(m->flow));
	memset(&m->mapped_port, 0, sizeof(m->mapped_port));
	for (int f = 0; f < OO_FAMILIES; f++) {
		const size_t n = s->of[f].n < OO_MEASURE_FLOWS
					 ? s->of[f].n
					 : OO_MEASURE_FLOWS;

		m->flows[f] = net_addr_is_set(&g->hole[f].registrar) ? n : 0;
		for (size_t i = 0; i < m->flows[f]; i++) {
			m->flow[f][i].sock = (uint16_t)(s->of[f].first + i);
			m->flow[f][i].port = s->of[f].port[i];
		}
	}
	m->out.mapping = OO_MAPPING_UNKNOWN;
	m->out.filtering = OO_FILTERING_UNKNOWN;
	m->out.ipv6 = OO_IPV6_NONE;
	(void)go_on(m, g, now);
}

/* An address is known: where a mapping is new, or from another end. */
static void note_seen(struct oo_measure *m)
{
	const struct oo_measure_question *q = &m->q;
	struct oo_measure_flow *f = &m->flow[q->family][q->flow];

	if (q->end != OO_END_MAIN)
		return;
	f->seen = q->seen;
	f->cookie = q->cookie;
	if (q->family == OO_V4)
		m->out.apparent = q->seen;
}

static unsigned life_over(struct oo_measure *m, unsigned change, mono_us now)
{
	if (change == 0)
		return 0;
	/* IPv6 too, where somebody watches over it. */
	if (m->ladder.family == OO_V4 && m->out.ipv6 != OO_IPV6_NONE &&
	    measure_life_begin(m, OO_V6, now))
		return change;
	oo_measure_stop(m);
	return change | OO_MEASURE_OVER;
}

/* A family that leads nowhere is none; without IPv4 too, all is lost. */
static unsigned lost(struct oo_measure *m, const struct oo_reg *g, mono_us now)
{
	if (m->step >= OO_MEASURE_BIND6 && m->step < OO_MEASURE_WARM)
		m->flows[OO_V6] = 0;
	if (m->step == OO_MEASURE_BIND || m->step == OO_MEASURE_CHECK)
		m->flows[OO_V4] = 0;
	/* An end that does not answer does not show what is filtered. */
	if (m->step == OO_MEASURE_MAP_PORT &&
	    m->out.filtering == OO_FILTERING_ADDRESS_PORT)
		m->out.filtering = OO_FILTERING_UNKNOWN;
	if (m->step < OO_MEASURE_WARM)
		return go_on(m, g, now);
	m->out.failed = true;
	oo_measure_stop(m);
	return OO_MEASURE_OVER;
}

static unsigned on_answer(struct oo_measure *m, const struct oo_reg *g,
			  enum measure_answer a, mono_us now)
{
	if (a == ANSWER_NONE)
		return 0;
	m->q.asked = false;
	if (a == ANSWER_LOST)
		return lost(m, g, now);
	if (a == ANSWER_YES && !m->q.there)
		note_seen(m);
	if (m->step >= OO_MEASURE_WARM)
		return life_over(m, measure_life_on(m, a, now), now);
	if (plan[m->step].heed)
		plan[m->step].heed(m, g, a);
	if (m->step == OO_MEASURE_BIND) {
		if (++m->at < fresh(m)) {
			(void)put(m, g, now);
			return 0;
		}
		look_at_ports(m);
	}
	return go_on(m, g, now);
}

unsigned oo_measure_rx(struct oo_measure *m, struct oo_reg *g,
		       const struct dgram *d, const struct oo_msg *msg,
		       mono_us now)
{
	if (m->step <= OO_MEASURE_SOCKETS)
		return 0;
	return on_answer(m, g, measure_question_rx(m, g, d, msg, now), now);
}

unsigned oo_measure_tick(struct oo_measure *m, struct oo_reg *g, mono_us now)
{
	unsigned change = 0;

	/* An answer may lead to a question that is due at once. */
	while (m->step > OO_MEASURE_SOCKETS && now >= m->due)
		change |= on_answer(m, g, measure_question_due(m, g, now), now);
	return change;
}

mono_us oo_measure_deadline(const struct oo_measure *m)
{
	return m->step <= OO_MEASURE_SOCKETS ? MONO_NEVER : m->due;
}
