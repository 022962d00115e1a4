/* SPDX-License-Identifier: MIT */

#include "proto/portmap_upnp.h"

#include <string.h>

#define GRACE_US (3 * MONO_S)
/* A router that restarts forgets, and by UPnP it tells nobody. */
#define RENEW_MAX_US (300 * MONO_S)
#define PAUSE_MIN_US (10 * MONO_S)
#define PAUSE_MAX_US (1800 * MONO_S)
#define LIFETIME_MAX_S 86400U

void portmap_upnp_init(struct portmap_upnp *u, uint16_t port,
		       uint32_t lifetime_s)
{
	*u = (struct portmap_upnp){
		.port = port,
		.lifetime_s = lifetime_s,
		.due = MONO_NEVER,
		.why = "",
	};
}

static void off(struct portmap_upnp *u)
{
	u->step = PORTMAP_UPNP_OFF;
	u->pending = false;
	u->due = MONO_NEVER;
	u->expires = 0;
	u->why = "";
}

static void ask(struct portmap_upnp *u, enum portmap_upnp_step step)
{
	u->step = step;
	u->pending = true;
	u->due = MONO_NEVER;
}

static void find(struct portmap_upnp *u, mono_us now)
{
	u->began = now;
	ask(u, PORTMAP_UPNP_FINDING);
}

/* A mapping stands, or may stand once the job under way is done. */
static bool may_hold(const struct portmap_upnp *u)
{
	return u->expires != 0 ||
	       (u->busy && !u->stale && u->doing == PORTMAP_UPNP_MAP);
}

unsigned portmap_upnp_gateway(struct portmap_upnp *u,
			      const struct net_addr *gateway,
			      const struct net_addr *own, mono_us now)
{
	static const struct net_addr none;
	struct net_addr to = *gateway;
	const bool lost = u->expires != 0;

	to.port = net_addr_same_ip(gateway, &none) ? 0 : PORTMAP_PORT;
	if (u->released || (net_addr_equal(&u->gateway, &to) &&
			    net_addr_same_ip(&u->own, own)))
		return 0;
	u->gateway = to;
	u->own = *own;
	u->own.port = u->port;
	u->stale = u->busy;
	u->pause = 0;
	u->behind = false;
	off(u);
	if (net_addr_is_set(&to))
		find(u, now);
	return lost ? PORTMAP_CHANGE_LOST : 0;
}

/* It is one entry of one router's table when the address is the same: whoever
 * took it back would take it from the other method. */
static void stand_back(struct portmap_upnp *u)
{
	const bool same = net_addr_equal(&u->external, &u->better);

	if (u->busy && !u->stale && u->doing == PORTMAP_UPNP_MAP)
		u->step = PORTMAP_UPNP_UNMAPPING; /* once it is known */
	else if (u->expires != 0 && !same)
		ask(u, PORTMAP_UPNP_UNMAPPING);
	else
		off(u);
	u->expires = 0;
}

unsigned portmap_upnp_other(struct portmap_upnp *u,
			    const struct net_addr *external, mono_us now)
{
	const bool behind = net_addr_is_set(external);
	const bool held = u->expires != 0;

	u->better = *external;
	if (u->released || !net_addr_is_set(&u->gateway) || behind == u->behind)
		return 0;
	u->behind = behind;
	if (behind) {
		stand_back(u);
		return held ? PORTMAP_CHANGE_LOST : 0;
	}
	u->pause = 0;
	if (u->step == PORTMAP_UPNP_OFF)
		find(u, now);
	return 0;
}

bool portmap_upnp_next(struct portmap_upnp *u, struct portmap_upnp_job *out)
{
	if (!u->pending || u->busy)
		return false;
	*out = (struct portmap_upnp_job){
		.kind = PORTMAP_UPNP_FIND,
		.gateway = u->gateway,
		.own = u->own,
		.lifetime_s = u->lifetime_s,
	};
	if (u->step == PORTMAP_UPNP_MAPPING)
		out->kind = PORTMAP_UPNP_MAP;
	else if (u->step == PORTMAP_UPNP_UNMAPPING)
		out->kind = PORTMAP_UPNP_UNMAP;
	if (u->step == PORTMAP_UPNP_UNMAPPING || u->expires != 0)
		out->external = u->external;
	u->doing = out->kind;
	u->pending = false;
	u->busy = true;
	return true;
}

static unsigned failed(struct portmap_upnp *u, const char *why, mono_us now)
{
	const bool lost = u->expires != 0;

	u->pause =
		u->pause ? mono_min(2 * u->pause, PAUSE_MAX_US) : PAUSE_MIN_US;
	u->step = PORTMAP_UPNP_REST;
	u->due = now + u->pause;
	u->expires = 0;
	u->why = why;
	return lost ? PORTMAP_CHANGE_LOST : PORTMAP_CHANGE_REFUSED;
}

static unsigned mapped(struct portmap_upnp *u,
		       const struct portmap_upnp_result *r, mono_us now)
{
	const bool same =
		u->expires != 0 && net_addr_equal(&u->external, &r->external);
	uint32_t life = r->lifetime_s;

	if (life == 0 || life > LIFETIME_MAX_S)
		life = LIFETIME_MAX_S;
	u->external = r->external;
	u->expires = now + life * MONO_S;
	u->due = now + mono_min(life * MONO_S / 2, RENEW_MAX_US);
	u->step = PORTMAP_UPNP_HELD;
	u->pause = 0;
	u->why = "";
	return same ? 0 : PORTMAP_CHANGE_MAPPED;
}

/* What was asked for before it was to go. */
static void late_map(struct portmap_upnp *u,
		     const struct portmap_upnp_result *r)
{
	if (r->ok)
		u->external = r->external;
	if (!r->ok || (u->behind && !u->released &&
		       net_addr_equal(&u->external, &u->better)))
		off(u);
	else
		ask(u, PORTMAP_UPNP_UNMAPPING);
}

/* Nothing is left of a mapping that another method has replaced. */
static unsigned unmapped(struct portmap_upnp *u, mono_us now)
{
	off(u);
	if (!u->released && !u->behind)
		find(u, now);
	return 0;
}

unsigned portmap_upnp_done(struct portmap_upnp *u,
			   const struct portmap_upnp_result *result,
			   mono_us now)
{
	const bool stale = u->stale;
	unsigned change = 0;

	u->busy = false;
	u->stale = false;
	if (!stale && u->step == PORTMAP_UPNP_UNMAPPING) {
		if (u->doing == PORTMAP_UPNP_MAP)
			late_map(u, result);
		else if (u->doing == PORTMAP_UPNP_UNMAP)
			change = unmapped(u, now);
	} else if (!stale && (u->step == PORTMAP_UPNP_FINDING ||
			      u->step == PORTMAP_UPNP_MAPPING)) {
		if (!result->ok) {
			change = failed(u, result->why, now);
		} else if (u->doing == PORTMAP_UPNP_MAP) {
			change = mapped(u, result, now);
		} else {
			u->step = PORTMAP_UPNP_WAITING;
			u->due = u->began + GRACE_US;
		}
	}
	if (u->released && u->step == PORTMAP_UPNP_OFF)
		change |= PORTMAP_CHANGE_RELEASED;
	return change;
}

unsigned portmap_upnp_tick(struct portmap_upnp *u, mono_us now)
{
	unsigned change = 0;

	if (u->expires != 0 && now >= u->expires && !u->released) {
		u->expires = 0;
		change = PORTMAP_CHANGE_LOST;
	}
	if (now < u->due)
		return change;
	if (u->step == PORTMAP_UPNP_REST)
		find(u, now);
	else
		ask(u, PORTMAP_UPNP_MAPPING);
	return change;
}

mono_us portmap_upnp_deadline(const struct portmap_upnp *u)
{
	if (u->expires != 0 && !u->released)
		return mono_min(u->due, u->expires);
	return u->due;
}

unsigned portmap_upnp_release(struct portmap_upnp *u)
{
	const bool hold = may_hold(u);

	if (u->released)
		return 0;
	u->released = true;
	if (u->step == PORTMAP_UPNP_UNMAPPING)
		return 0;
	if (!hold) {
		off(u);
		return PORTMAP_CHANGE_RELEASED;
	}
	u->expires = 0;
	ask(u, PORTMAP_UPNP_UNMAPPING);
	/* A renewal under way says what is to go. */
	u->pending = !u->busy;
	return 0;
}

struct portmap_view portmap_upnp_view(const struct portmap_upnp *u, mono_us now)
{
	struct portmap_view v = { .method = PORTMAP_UPNP, .why = u->why };

	if (u->expires > now)
		return portmap_view_of(PORTMAP_UPNP, &u->external, u->expires,
				       now);
	if (u->step == PORTMAP_UPNP_REST || u->why[0] != '\0')
		v.state = PORTMAP_REFUSED;
	else if (u->step != PORTMAP_UPNP_OFF &&
		 u->step != PORTMAP_UPNP_UNMAPPING)
		v.state = PORTMAP_ASKING;
	return v;
}
