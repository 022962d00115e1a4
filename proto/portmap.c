/* SPDX-License-Identifier: MIT */

#include "proto/portmap.h"

#include <string.h>

#include "proto/backoff.h"
#include "proto/portmap_priv.h"

/* PCP repeats after RFC 6887 section 8.1.1, NAT-PMP after RFC 6886 3.1. */
#define PCP_FIRST_US (3 * MONO_S)
#define PCP_LONGEST_US (1024 * MONO_S)
#define NATPMP_FIRST_US (250 * MONO_MS)
#define NATPMP_TRIES 9U
#define SILENT_TRIES 3U
#define RENEWAL_GAP_US (4 * MONO_S)
#define AGAIN_MIN_US (30 * MONO_S)
#define RELEASE_RETRY_US (200 * MONO_MS)
#define RELEASE_MAX_US (1500 * MONO_MS)

static const char silent_text[] = "the router does not answer";

const char *portmap_method_text(enum portmap_method m)
{
	static const char *const text[] = {
		[PORTMAP_PCP] = "PCP",
		[PORTMAP_NATPMP] = "NAT-PMP",
		[PORTMAP_UPNP] = "UPnP",
	};

	return text[m];
}

const char *portmap_state_text(enum portmap_state s)
{
	static const char *const text[] = {
		[PORTMAP_NONE] = "none",       [PORTMAP_ASKING] = "asking",
		[PORTMAP_MAPPED] = "mapped",   [PORTMAP_REFUSED] = "refused",
		[PORTMAP_PRIVATE] = "private",
	};

	return text[s];
}

bool portmap_is_public(const struct net_addr *a)
{
#define V4(o1, o2, o3, width)                                 \
	{                                                     \
		.addr.ip = { [10] = 0xff, 0xff, o1, o2, o3 }, \
		.bits = 96 + (width)                          \
	}
	static const struct net_prefix not4[] = {
		V4(0, 0, 0, 8),    V4(10, 0, 0, 8),     V4(100, 64, 0, 10),
		V4(127, 0, 0, 8),  V4(169, 254, 0, 16), V4(172, 16, 0, 12),
		V4(192, 0, 0, 24), V4(192, 168, 0, 16), V4(198, 18, 0, 15),
		V4(224, 0, 0, 3),
	};
#undef V4
	static const struct net_prefix global6 = { .addr.ip = { 0x20 },
						   .bits = 3 };

	if (net_addr_is_v4(a))
		return !net_prefix_has(not4, sizeof(not4) / sizeof(not4[0]), a);
	return net_prefix_has(&global6, 1, a);
}

void portmap_init(struct portmap *m, const struct portmap_cfg *cfg)
{
	memset(m, 0, sizeof(*m));
	m->cfg = *cfg;
	for (size_t i = 0; i < PORTMAP_METHODS; i++) {
		m->ask[i].due = MONO_NEVER;
		m->ask[i].why = "";
	}
}

bool portmap_has(const struct portmap *m, enum portmap_method method)
{
	return m->ask[method].expires != 0;
}

mono_us portmap_spread(const struct portmap *m, mono_us low, mono_us high)
{
	const struct backoff b = { .random = m->cfg.random,
				   .random_ctx = m->cfg.random_ctx };

	return backoff_spread(&b, low, high);
}

static void off(struct portmap_ask *a)
{
	a->step = PORTMAP_STEP_OFF;
	a->due = MONO_NEVER;
	a->why = "";
}

/* --- sending ------------------------------------------------------------ */

static void send(struct portmap *m, enum portmap_method method)
{
	const struct portmap_ask *a = &m->ask[method];
	struct portmap_want w = { .internal_port = m->cfg.port,
				  .external = a->external };
	uint8_t buf[PORTMAP_REQUEST_MAX];
	struct dgram d = { .path.peer = m->gateway, .data = buf };

	memcpy(w.nonce, a->nonce, sizeof(w.nonce));
	memcpy(w.own_ip, m->own.ip, sizeof(w.own_ip));
	w.lifetime_s = a->step == PORTMAP_STEP_DELETE ? 0 : m->cfg.lifetime_s;
	if (method == PORTMAP_PCP)
		d.len = pcp_put_map(buf, &w);
	else if (a->step == PORTMAP_STEP_ADDRESS)
		d.len = natpmp_put_address(buf);
	else
		d.len = natpmp_put_map(buf, &w);
	/* A full queue is a lost request, and those are sent again. */
	(void)dgram_queue_push(m->cfg.tx, &d, false);
}

static mono_us pause_of(const struct portmap *m, enum portmap_method method)
{
	const struct portmap_ask *a = &m->ask[method];
	mono_us rt = PCP_FIRST_US;

	if (a->step == PORTMAP_STEP_DELETE)
		return RELEASE_RETRY_US << a->tries;
	if (method == PORTMAP_NATPMP)
		return NATPMP_FIRST_US << a->tries;
	if (a->tries > 0)
		rt = mono_min(2 * a->pause, PCP_LONGEST_US);
	return portmap_spread(m, rt - rt / 10, rt + rt / 10);
}

static void send_step(struct portmap *m, enum portmap_method method,
		      mono_us now)
{
	struct portmap_ask *a = &m->ask[method];

	send(m, method);
	a->pause = pause_of(m, method);
	a->due = now + a->pause;
	a->tries++;
}

static void enter(struct portmap *m, enum portmap_method method,
		  enum portmap_step step, mono_us now)
{
	m->ask[method].step = step;
	m->ask[method].tries = 0;
	send_step(m, method, now);
}

static void suggest(struct portmap *m, struct portmap_ask *a)
{
	/* All zero of the family: we have no wish (RFC 6887 section 11.1). */
	if (net_addr_is_v4(&m->gateway))
		a->external = net_addr_v4(0, 0, 0, 0, m->cfg.port);
	else
		a->external = (struct net_addr){ .port = m->cfg.port };
}

static void begin(struct portmap *m, enum portmap_method method, mono_us now)
{
	if (method == PORTMAP_PCP)
		enter(m, method, PORTMAP_STEP_MAP, now);
	else if (net_addr_is_v4(&m->gateway))
		enter(m, method, PORTMAP_STEP_ADDRESS, now);
}

/* Anew, as on a network never seen. */
static void start(struct portmap *m, mono_us now)
{
	for (size_t i = 0; i < PORTMAP_METHODS; i++) {
		struct portmap_ask *a = &m->ask[i];

		memset(a, 0, sizeof(*a));
		off(a);
		m->cfg.random(m->cfg.random_ctx, a->nonce, sizeof(a->nonce));
		suggest(m, a);
		if (net_addr_is_set(&m->gateway))
			begin(m, (enum portmap_method)i, now);
	}
}

/* --- one method makes the mapping --------------------------------------- */

static bool wants_natpmp(const struct portmap *m)
{
	const struct portmap_ask *pcp = &m->ask[PORTMAP_PCP];

	return !portmap_has(m, PORTMAP_PCP) && pcp->step != PORTMAP_STEP_HELD;
}

unsigned portmap_refused(struct portmap *m, enum portmap_method method,
			 const char *why, mono_us again, mono_us now)
{
	struct portmap_ask *a = &m->ask[method];
	struct portmap_ask *natpmp = &m->ask[PORTMAP_NATPMP];

	a->step = PORTMAP_STEP_REST;
	a->why = why;
	a->due = now + (again < AGAIN_MIN_US ? AGAIN_MIN_US : again);
	if (method == PORTMAP_PCP && natpmp->step == PORTMAP_STEP_WAIT)
		natpmp->due = now;
	/* PCP stood back for a mapping that does not come. */
	if (method == PORTMAP_NATPMP &&
	    m->ask[PORTMAP_PCP].step == PORTMAP_STEP_OFF)
		begin(m, PORTMAP_PCP, now);
	return PORTMAP_CHANGE_REFUSED;
}

/*
 * Between 1/2 and 5/8 of the lifetime, then between 3/4 and 13/16, 7/8 and
 * 29/32, ...: RFC 6887 section 11.2.1.
 */
static mono_us renewal_at(const struct portmap *m, const struct portmap_ask *a,
			  mono_us now)
{
	const mono_us life = a->expires - a->granted;
	const unsigned n = a->tries < 16 ? a->tries : 16;
	const mono_us low = a->expires - (life >> (n + 1));
	const mono_us at = portmap_spread(m, low, low + (life >> (n + 3)));
	const mono_us soonest = now + RENEWAL_GAP_US;

	return at < soonest ? soonest : at;
}

unsigned portmap_held(struct portmap *m, enum portmap_method method,
		      const struct net_addr *external, uint32_t lifetime_s,
		      mono_us now)
{
	struct portmap_ask *a = &m->ask[method];
	struct portmap_ask *other = &m->ask[PORTMAP_METHODS - 1 - method];
	const bool same =
		a->expires != 0 && net_addr_equal(&a->external, external);

	if (lifetime_s > PORTMAP_AGAIN_MAX_S)
		lifetime_s = PORTMAP_AGAIN_MAX_S;
	a->external = *external;
	a->granted = now;
	a->expires = now + lifetime_s * MONO_S;
	a->step = PORTMAP_STEP_HELD;
	a->why = "";
	a->tries = 0;
	a->due = renewal_at(m, a, now);
	if (other->expires == 0)
		off(other);
	return same ? 0 : PORTMAP_CHANGE_MAPPED;
}

static unsigned expired(struct portmap *m, enum portmap_method method,
			mono_us now)
{
	m->ask[method].expires = 0;
	start(m, now);
	return PORTMAP_CHANGE_LOST;
}

unsigned portmap_released(struct portmap *m)
{
	for (size_t i = 0; i < PORTMAP_METHODS; i++) {
		off(&m->ask[i]);
		m->ask[i].expires = 0;
	}
	m->gateway = (struct net_addr){ 0 };
	return PORTMAP_CHANGE_RELEASED;
}

/* --- time --------------------------------------------------------------- */

static unsigned map_due(struct portmap *m, enum portmap_method method,
			mono_us now)
{
	struct portmap_ask *a = &m->ask[method];

	if (method == PORTMAP_NATPMP && a->tries >= NATPMP_TRIES &&
	    a->expires == 0)
		return portmap_refused(m, method, silent_text, PORTMAP_AGAIN_US,
				       now);
	if (a->tries >= NATPMP_TRIES && method == PORTMAP_NATPMP)
		a->tries = 0;
	send_step(m, method, now);
	/* PCP asks on for ever, ever slower. */
	if (a->tries != SILENT_TRIES || a->expires != 0)
		return 0;
	a->why = silent_text;
	return method == PORTMAP_PCP ? PORTMAP_CHANGE_REFUSED : 0;
}

static void wait_due(struct portmap *m, mono_us now)
{
	if (!wants_natpmp(m)) {
		off(&m->ask[PORTMAP_NATPMP]);
		return;
	}
	/* From here on a late answer to PCP would be a second mapping. */
	if (m->ask[PORTMAP_PCP].step == PORTMAP_STEP_MAP)
		off(&m->ask[PORTMAP_PCP]);
	enter(m, PORTMAP_NATPMP, PORTMAP_STEP_MAP, now);
}

static unsigned ask_due(struct portmap *m, enum portmap_method method,
			mono_us now)
{
	struct portmap_ask *a = &m->ask[method];

	switch (a->step) {
	case PORTMAP_STEP_ADDRESS:
	case PORTMAP_STEP_MAP:
		return map_due(m, method, now);
	case PORTMAP_STEP_WAIT:
		wait_due(m, now);
		return 0;
	case PORTMAP_STEP_HELD:
		a->tries++;
		send(m, method);
		a->due = renewal_at(m, a, now);
		return 0;
	case PORTMAP_STEP_REST:
		a->why = "";
		begin(m, method, now);
		return 0;
	case PORTMAP_STEP_DELETE:
		send_step(m, method, now);
		return 0;
	case PORTMAP_STEP_OFF:
		break;
	}
	a->due = MONO_NEVER;
	return 0;
}

unsigned portmap_tick(struct portmap *m, mono_us now)
{
	unsigned change = 0;

	if (m->end_by != 0 && now >= m->end_by && net_addr_is_set(&m->gateway))
		return portmap_released(m);
	for (unsigned i = 0; i < PORTMAP_METHODS; i++) {
		const enum portmap_method method = (enum portmap_method)i;

		if (m->end_by == 0 && portmap_has(m, method) &&
		    now >= m->ask[i].expires)
			change |= expired(m, method, now);
		if (now >= m->ask[i].due)
			change |= ask_due(m, method, now);
	}
	return change;
}

mono_us portmap_deadline(const struct portmap *m)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < PORTMAP_METHODS; i++) {
		due = mono_min(due, m->ask[i].due);
		if (m->ask[i].expires != 0 && m->end_by == 0)
			due = mono_min(due, m->ask[i].expires);
	}
	if (m->end_by != 0 && net_addr_is_set(&m->gateway))
		due = mono_min(due, m->end_by);
	return due;
}

/* --- what the owner asks for -------------------------------------------- */

unsigned portmap_gateway(struct portmap *m, const struct net_addr *gateway,
			 const struct net_addr *own, mono_us now)
{
	static const struct net_addr none;
	struct net_addr to = *gateway;
	const bool lost =
		portmap_has(m, PORTMAP_PCP) || portmap_has(m, PORTMAP_NATPMP);

	to.port = net_addr_same_ip(gateway, &none) ? 0 : PORTMAP_PORT;
	if (m->end_by != 0 || (net_addr_equal(&m->gateway, &to) &&
			       net_addr_same_ip(&m->own, own)))
		return 0;
	m->gateway = to;
	m->own = *own;
	start(m, now);
	return lost ? PORTMAP_CHANGE_LOST : 0;
}

unsigned portmap_release(struct portmap *m, mono_us now)
{
	bool any = false;

	if (m->end_by != 0)
		return 0;
	m->end_by = now + RELEASE_MAX_US;
	for (unsigned i = 0; i < PORTMAP_METHODS; i++) {
		const enum portmap_method method = (enum portmap_method)i;

		/* Also what was asked for and not answered yet. */
		if (m->ask[i].step == PORTMAP_STEP_HELD ||
		    m->ask[i].step == PORTMAP_STEP_MAP) {
			enter(m, method, PORTMAP_STEP_DELETE, now);
			any = any || portmap_has(m, method);
		} else {
			off(&m->ask[i]);
		}
	}
	return any ? 0 : portmap_released(m);
}

struct portmap_view portmap_view_of(enum portmap_method method,
				    const struct net_addr *external,
				    mono_us expires, mono_us now)
{
	const bool open = portmap_is_public(external);

	return (struct portmap_view){
		.state = open ? PORTMAP_MAPPED : PORTMAP_PRIVATE,
		.method = method,
		.external = *external,
		.lifetime_s = (uint32_t)((expires - now) / MONO_S),
		.why = open ? "" : "a router behind the carrier's NAT",
	};
}

struct portmap_view portmap_view_method(const struct portmap *m,
					enum portmap_method method, mono_us now)
{
	const struct portmap_ask *a = &m->ask[method];
	struct portmap_view v = { .method = method, .why = a->why };

	if (a->expires > now)
		return portmap_view_of(method, &a->external, a->expires, now);
	if (a->why[0] != '\0')
		v.state = PORTMAP_REFUSED;
	else if (a->step != PORTMAP_STEP_OFF)
		v.state = PORTMAP_ASKING;
	return v;
}

struct portmap_view portmap_view(const struct portmap *m, mono_us now)
{
	const struct portmap_view pcp =
		portmap_view_method(m, PORTMAP_PCP, now);
	const struct portmap_view natpmp =
		portmap_view_method(m, PORTMAP_NATPMP, now);

	if (portmap_has(m, PORTMAP_PCP))
		return pcp;
	if (portmap_has(m, PORTMAP_NATPMP))
		return natpmp;
	/* While one still asks, nothing is refused. */
	if (natpmp.state == PORTMAP_ASKING || pcp.state == PORTMAP_NONE)
		return natpmp;
	return pcp;
}
