/* SPDX-License-Identifier: MIT */

/* When a node measures its network, with whom, and what comes of it: how often
 * it PINGs (OPEN-OVER.md section 4.10). */

#include <string.h>

#include "proto/openover_node_priv.h"
#include "proto/openover_reg_priv.h"

#define SOON_US (2 * MONO_S)
#define AGAIN_US (21600 * MONO_S)
#define AGAIN_SOON_US (60 * MONO_S) /* when no registrar helps just now */
#define RETRY_US (600 * MONO_S)
#define SOCKETS_US (5 * MONO_S)

static bool helps(const struct oo_reg *g)
{
	return oo_reg_is_up(g) && g->state == OO_REG_UP && g->ends.port != 0;
}

static struct oo_reg *asked(struct oo_node *n)
{
	return &n->regs[n->measure_reg];
}

const struct oo_measured *oo_node_measured(const struct oo_node *n)
{
	return &n->measure.out;
}

bool oo_node_measure(struct oo_node *n, mono_us now)
{
	if (n->measure.step != OO_MEASURE_IDLE)
		return true;
	for (size_t i = 0; i < n->regs_n; i++) {
		if (!helps(&n->regs[i]))
			continue;
		n->measure_reg = i;
		n->measure_at = MONO_NEVER;
		n->measure_ends = now + SOCKETS_US;
		oo_measure_begin(&n->measure);
		n->measure.out.registrar = n->place[i];
		node_event(n, OO_EV_MEASURE)->registrar = n->place[i];
		return true;
	}
	return false;
}

/* Over, well or badly: when to do it again. */
static void over(struct oo_node *n, mono_us now)
{
	const struct oo_reg *g = asked(n);

	n->measure_ends = MONO_NEVER;
	n->measure_at =
		now + (n->measure.out.failed
			       ? RETRY_US
			       : reg_spread(g, AGAIN_US * 3 / 4, AGAIN_US));
	node_event(n, OO_EV_SOCKETS_DONE);
}

static void stop(struct oo_node *n, mono_us now)
{
	n->measure.out.failed = true;
	oo_measure_stop(&n->measure);
	over(n, now);
	node_event(n, OO_EV_MEASURED);
}

void oo_node_measure_sockets(struct oo_node *n,
			     const struct oo_measure_sockets *s, mono_us now)
{
	if (n->measure.step != OO_MEASURE_SOCKETS)
		return;
	n->measure_ends = MONO_NEVER;
	if (s->of[OO_V4].n == 0 && s->of[OO_V6].n == 0)
		stop(n, now);
	else
		oo_measure_start(&n->measure, asked(n), s, now);
}

static void keep_alive(struct oo_node *n)
{
	const struct oo_measured *o = &n->measure.out;

	for (size_t i = 0; i < n->regs_n && n->cfg.keepalive_max != 0; i++) {
		for (int f = 0; f < OO_FAMILIES; f++)
			oo_reg_hole_life(&n->regs[i], (enum oo_family)f,
					 o->life[f], n->cfg.keepalive_max);
	}
}

static void changed(struct oo_node *n, unsigned change, mono_us now)
{
	struct oo_measured *o = &n->measure.out;

	if ((change & OO_MEASURE_FOUND) && net_addr_is_set(&o->apparent) &&
	    node_is_own(n, &o->apparent))
		o->mapping = OO_MAPPING_NONE;
	if (change & OO_MEASURE_LIVED)
		keep_alive(n);
	if (change & OO_MEASURE_OVER)
		over(n, now);
	if (change)
		node_event(n, OO_EV_MEASURED)->registrar = o->registrar;
}

enum iax2_err node_on_measure(struct oo_node *n, struct oo_reg *g,
			      const struct dgram *d, const struct oo_msg *m,
			      mono_us now)
{
	if (g == asked(n))
		changed(n, oo_measure_rx(&n->measure, g, d, m, now), now);
	return IAX2_OK;
}

/* Another address: what was measured holds no longer. */
static void start_over(struct oo_node *n)
{
	struct oo_measured *o = &n->measure.out;

	memset(o->life, 0, sizeof(o->life));
	if (n->measure.step != OO_MEASURE_IDLE) {
		oo_measure_stop(&n->measure);
		n->measure_ends = MONO_NEVER;
		node_event(n, OO_EV_SOCKETS_DONE);
	}
	keep_alive(n);
}

void node_measure_change(struct oo_node *n, unsigned change, mono_us now)
{
	const mono_us at = n->measure.out.at;
	const bool stale = at == 0 || now - at > RETRY_US;

	if (change & OO_CHANGE_MOVED)
		start_over(n);
	if ((change & OO_CHANGE_MOVED) || (stale && (change & OO_CHANGE_UP)))
		n->measure_at = mono_min(n->measure_at, now + SOON_US);
}

void node_measure_tick(struct oo_node *n, mono_us now)
{
	const bool gone =
		n->measure.step > OO_MEASURE_SOCKETS &&
		(asked(n)->session.id == 0 || asked(n)->ends.port == 0);

	if (gone || now >= n->measure_ends)
		stop(n, now);
	if (n->measure.step == OO_MEASURE_IDLE && now >= n->measure_at) {
		n->measure_at = now + AGAIN_SOON_US;
		(void)oo_node_measure(n, now);
	}
	if (n->regs_n > 0)
		changed(n, oo_measure_tick(&n->measure, asked(n), now), now);
}

mono_us node_measure_deadline(const struct oo_node *n)
{
	const bool idle = n->measure.step == OO_MEASURE_IDLE;

	return mono_min(idle ? n->measure_at : n->measure_ends,
			oo_measure_deadline(&n->measure));
}
