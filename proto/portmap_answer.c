/* SPDX-License-Identifier: MIT */

/* What a router answers and announces. */

#include <string.h>

#include "proto/portmap_priv.h"

#define PCP_GRACE_US (1 * MONO_S)
#define RECOVER_MAX_US (5 * MONO_S)
#define RECOVER_LOST_US (30 * MONO_S)

/* --- epochs ------------------------------------------------------------- */

/* Did the router keep what it knew?  RFC 6887 section 8.5. */
static bool pcp_epoch_holds(const struct portmap_ask *a, uint32_t epoch_s,
			    mono_us now)
{
	const uint64_t client = (now - a->epoch_at) / MONO_S;
	uint64_t server;

	if ((uint64_t)epoch_s + 1 < a->epoch_s)
		return false;
	server = epoch_s < a->epoch_s ? 0 : epoch_s - a->epoch_s;
	return client + 2 >= server - server / 16 &&
	       server + 2 >= client - client / 16;
}

/* RFC 6886 section 3.6. */
static bool natpmp_epoch_holds(const struct portmap_ask *a, uint32_t epoch_s,
			       mono_us now)
{
	const uint64_t client = (now - a->epoch_at) / MONO_S;

	return (uint64_t)epoch_s + 2 >= a->epoch_s + client * 7 / 8;
}

/* Returns whether the router forgot us. */
static bool note_epoch(struct portmap_ask *a, enum portmap_method method,
		       uint32_t epoch_s, mono_us now)
{
	const bool holds =
		!a->has_epoch ||
		(method == PORTMAP_PCP ? pcp_epoch_holds(a, epoch_s, now)
				       : natpmp_epoch_holds(a, epoch_s, now));

	a->has_epoch = true;
	a->epoch_s = epoch_s;
	a->epoch_at = now;
	return !holds;
}

/* Ask for the same again, but not in one moment with the whole network. */
static void recover(struct portmap *m, enum portmap_method method, mono_us now)
{
	struct portmap_ask *a = &m->ask[method];

	if (a->step != PORTMAP_STEP_HELD)
		return;
	a->step = PORTMAP_STEP_MAP;
	a->tries = 0;
	a->due = now + portmap_spread(m, 0, RECOVER_MAX_US);
	a->expires = mono_min(a->expires, now + RECOVER_LOST_US);
}

/* --- answers ------------------------------------------------------------ */

/* Who was silent or refused has started: ask before long, but let no flood of
 * announcements hurry that. */
static void awaken(struct portmap *m, enum portmap_method method, mono_us now)
{
	struct portmap_ask *a = &m->ask[method];
	const bool waits = a->step == PORTMAP_STEP_REST ||
			   (a->step == PORTMAP_STEP_MAP && a->expires == 0);

	if (!waits || a->due <= now + RECOVER_MAX_US)
		return;
	a->tries = 0;
	a->due = now + portmap_spread(m, 0, RECOVER_MAX_US);
}

static unsigned on_pcp_map(struct portmap *m, const struct portmap_msg *msg,
			   mono_us now)
{
	struct portmap_ask *a = &m->ask[PORTMAP_PCP];
	const mono_us life =
		mono_min(msg->lifetime_s, PORTMAP_AGAIN_MAX_S) * MONO_S;

	if (msg->internal_port != m->cfg.port ||
	    memcmp(msg->nonce, a->nonce, sizeof(a->nonce)) != 0)
		return 0;
	if (a->step == PORTMAP_STEP_DELETE)
		return msg->lifetime_s == 0 ? portmap_released(m) : 0;
	if (a->step != PORTMAP_STEP_MAP && a->step != PORTMAP_STEP_HELD)
		return 0;
	(void)note_epoch(a, PORTMAP_PCP, msg->epoch_s, now);
	if (msg->result == PCP_SUCCESS && msg->lifetime_s > 0 &&
	    net_addr_is_set(&msg->external) &&
	    net_addr_is_v4(&msg->external) == net_addr_is_v4(&m->gateway))
		return portmap_held(m, PORTMAP_PCP, &msg->external,
				    msg->lifetime_s, now);
	/* A renewal refused: what was granted stands to its end. */
	if (a->expires != 0)
		return 0;
	if (msg->result == PCP_SUCCESS)
		return portmap_refused(m, PORTMAP_PCP,
				       "the router's answer makes no sense",
				       PORTMAP_AGAIN_US, now);
	return portmap_refused(m, PORTMAP_PCP, pcp_result_text(msg->result),
			       life, now);
}

static unsigned on_pcp_announce(struct portmap *m,
				const struct portmap_msg *msg, mono_us now)
{
	struct portmap_ask *natpmp = &m->ask[PORTMAP_NATPMP];

	if (note_epoch(&m->ask[PORTMAP_PCP], PORTMAP_PCP, msg->epoch_s, now))
		recover(m, PORTMAP_PCP, now);
	awaken(m, PORTMAP_PCP, now);
	/* NAT-PMP's own announcement may not come: renew, early. */
	if (natpmp->step == PORTMAP_STEP_HELD &&
	    natpmp->due > now + RECOVER_MAX_US)
		natpmp->due = now + portmap_spread(m, 0, RECOVER_MAX_US);
	return 0;
}

static unsigned on_no_pcp(struct portmap *m, uint32_t lifetime_s, mono_us now)
{
	const mono_us life = mono_min(lifetime_s, PORTMAP_AGAIN_MAX_S) * MONO_S;

	if (m->ask[PORTMAP_PCP].step != PORTMAP_STEP_MAP ||
	    portmap_has(m, PORTMAP_PCP))
		return 0;
	return portmap_refused(
		m, PORTMAP_PCP, pcp_result_text(PCP_UNSUPP_VERSION),
		life > PORTMAP_AGAIN_US ? life : PORTMAP_AGAIN_US, now);
}

static unsigned on_no_natpmp(struct portmap *m, mono_us now)
{
	const enum portmap_step step = m->ask[PORTMAP_NATPMP].step;

	if (step != PORTMAP_STEP_ADDRESS && step != PORTMAP_STEP_MAP)
		return 0;
	return portmap_refused(m, PORTMAP_NATPMP,
			       natpmp_result_text(NATPMP_UNSUPP_VERSION),
			       PORTMAP_AGAIN_US, now);
}

/* PORTMAP_CHANGE_MAPPED when a mapping now has another address. */
static unsigned note_address(struct portmap *m, const struct portmap_msg *msg,
			     mono_us now)
{
	struct portmap_ask *a = &m->ask[PORTMAP_NATPMP];
	struct portmap_ask *pcp = &m->ask[PORTMAP_PCP];
	const bool same = memcmp(a->external.ip, msg->external.ip,
				 sizeof(a->external.ip)) == 0;

	memcpy(a->external.ip, msg->external.ip, sizeof(a->external.ip));
	if (a->step == PORTMAP_STEP_ADDRESS) {
		a->step = PORTMAP_STEP_WAIT;
		a->due = now + PCP_GRACE_US;
		if (pcp->step == PORTMAP_STEP_REST)
			a->due = now;
		/* The router is there now, if it was not when PCP asked. */
		if (pcp->step == PORTMAP_STEP_MAP &&
		    (pcp->tries > 1 || a->tries > 1)) {
			pcp->tries = 0;
			pcp->due = now;
		}
	}
	return !same && a->expires != 0 ? PORTMAP_CHANGE_MAPPED : 0;
}

static unsigned on_natpmp_map(struct portmap *m, const struct portmap_msg *msg,
			      mono_us now)
{
	struct portmap_ask *a = &m->ask[PORTMAP_NATPMP];
	struct net_addr external = a->external;

	external.port = msg->external.port;
	if (msg->lifetime_s > 0 && external.port != 0)
		return portmap_held(m, PORTMAP_NATPMP, &external,
				    msg->lifetime_s, now);
	return 0;
}

static unsigned on_natpmp(struct portmap *m, const struct portmap_msg *msg,
			  mono_us now)
{
	struct portmap_ask *a = &m->ask[PORTMAP_NATPMP];
	const bool map = msg->kind == PORTMAP_MSG_NATPMP_MAP;

	if (!map)
		awaken(m, PORTMAP_NATPMP, now);
	if (a->step == PORTMAP_STEP_OFF || a->step == PORTMAP_STEP_REST ||
	    (map && msg->internal_port != m->cfg.port))
		return 0;
	if (a->step == PORTMAP_STEP_DELETE)
		return map ? portmap_released(m) : 0;
	if (map && a->step != PORTMAP_STEP_MAP && a->step != PORTMAP_STEP_HELD)
		return 0;
	if (note_epoch(a, PORTMAP_NATPMP, msg->epoch_s, now) && !map)
		recover(m, PORTMAP_NATPMP, now);
	if (msg->result == NATPMP_SUCCESS)
		return map ? on_natpmp_map(m, msg, now)
			   : note_address(m, msg, now);
	if (a->expires != 0)
		return 0;
	return portmap_refused(m, PORTMAP_NATPMP,
			       natpmp_result_text(msg->result),
			       PORTMAP_AGAIN_US, now);
}

unsigned portmap_rx(struct portmap *m, const struct dgram *d, mono_us now)
{
	struct portmap_msg msg;

	if (!net_addr_is_set(&m->gateway) ||
	    !net_addr_equal(&d->path.peer, &m->gateway) ||
	    !portmap_msg_get(d->data, d->len, &msg))
		return 0;
	switch (msg.kind) {
	case PORTMAP_MSG_PCP_MAP:
		return on_pcp_map(m, &msg, now);
	case PORTMAP_MSG_PCP_ANNOUNCE:
		return on_pcp_announce(m, &msg, now);
	case PORTMAP_MSG_PCP_UNSUPP_VERSION:
		/* Of a router that has PCP only, to NAT-PMP. */
		if (msg.version == 2)
			return on_no_natpmp(m, now);
		return on_no_pcp(m, msg.lifetime_s, now);
	case PORTMAP_MSG_NATPMP_UNSUPP_VERSION:
		return on_no_pcp(m, 0, now);
	case PORTMAP_MSG_NATPMP_ADDRESS:
	case PORTMAP_MSG_NATPMP_MAP:
		return on_natpmp(m, &msg, now);
	}
	return 0;
}
