/* SPDX-License-Identifier: MIT */

/*
 * How long a hole stays open (OPEN-OVER.md section 4.10): holes are opened side
 * by side and left idle, each for another time; then the registrar is asked
 * through the live flow whether it still gets through.  A second time narrows
 * the gap between the longest that was open and the shortest that was not.
 */

#include <string.h>

#include "proto/openover_measure_priv.h"

/* Linux and others give a flow that goes both ways for a while more time. */
#define WARM_US (3 * MONO_S)

static const uint8_t idle_s[OO_MEASURE_FLOWS] = { 10, 15, 20,  30, 45,
						  60, 90, 120, 180 };

static void warm(struct oo_measure *m, mono_us now)
{
	m->step = OO_MEASURE_WARM;
	m->at = 0;
	measure_ask_seen(m, m->ladder.family, 0, OO_END_MAIN, now);
}

bool measure_life_begin(struct oo_measure *m, enum oo_family family,
			mono_us now)
{
	struct oo_measure_ladder *l = &m->ladder;

	memset(l, 0, sizeof(*l));
	l->family = family;
	l->n = m->flows[family];
	if (l->n == 0)
		return false;
	for (size_t i = 0; i < l->n; i++)
		l->idle[i] = idle_s[i] * MONO_S;
	warm(m, now);
	return true;
}

/* Three steps between the good and the bad. */
static void look_closer(struct oo_measure *m, mono_us now)
{
	struct oo_measure_ladder *l = &m->ladder;

	l->closer = true;
	l->at = 0;
	l->n = m->flows[l->family] < 3 ? m->flows[l->family] : 3;
	for (size_t i = 0; i < l->n; i++)
		l->idle[i] = l->good + (l->bad - l->good) * (i + 1) / 4;
	warm(m, now);
}

static unsigned found(struct oo_measure *m)
{
	const struct oo_measure_ladder *l = &m->ladder;

	m->out.life[l->family] = l->good;
	m->out.at_least[l->family] = l->bad == 0;
	return OO_MEASURE_LIVED;
}

static void ask_step(struct oo_measure *m)
{
	const struct oo_measure_ladder *l = &m->ladder;

	m->step = OO_MEASURE_LIFE;
	measure_ask_there(m, l->family, l->at, OO_END_MAIN,
			  m->flow[l->family][l->at].sent + l->idle[l->at]);
}

static unsigned on_step(struct oo_measure *m, enum measure_answer a,
			mono_us now)
{
	struct oo_measure_ladder *l = &m->ladder;
	const mono_us idle = m->q.first - m->flow[l->family][l->at].sent;

	if (a == ANSWER_YES) {
		l->good = l->idle[l->at];
		if (++l->at < l->n) {
			ask_step(m);
			return 0;
		}
		return found(m);
	}
	if (l->bad == 0 || idle < l->bad)
		l->bad = idle;
	if (l->closer)
		return found(m);
	look_closer(m, now);
	return 0;
}

unsigned measure_life_on(struct oo_measure *m, enum measure_answer a,
			 mono_us now)
{
	struct oo_measure_ladder *l = &m->ladder;

	if (m->step == OO_MEASURE_LIFE)
		return on_step(m, a, now);
	if (++m->at < l->n) {
		measure_ask_seen(m, l->family, m->at, OO_END_MAIN, now);
	} else if (m->step == OO_MEASURE_WARM) {
		m->step = OO_MEASURE_WARM_AGAIN;
		m->at = 0;
		measure_ask_seen(m, l->family, 0, OO_END_MAIN,
				 m->flow[l->family][0].sent + WARM_US);
	} else {
		ask_step(m);
	}
	return 0;
}
