/* SPDX-License-Identifier: MIT */

#include "daemon/node/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/node/node_priv.h"

#define DTMF_STEP_US (60 * MONO_MS)
#define RELAYED_US (400 * MONO_MS) /* of it, for those through a relay */
#define STOP_US (1500 * MONO_MS)   /* time for good-byes */

const char *node_link_state_text(enum node_link_state s)
{
	static const char *const text[] = {
		[NODE_LINK_FREE] = "free",
		[NODE_LINK_REQUESTING] = "requesting",
		[NODE_LINK_PUNCHING] = "punching",
		[NODE_LINK_CALLING] = "calling",
		[NODE_LINK_UP] = "up",
		[NODE_LINK_WAITING] = "waiting",
	};

	return text[s];
}

const char *node_mode_text(enum node_mode m)
{
	static const char *const text[] = {
		[NODE_TRANSCEIVE] = "transceive",
		[NODE_MONITOR] = "monitor",
		[NODE_LOCAL_MONITOR] = "local-monitor",
	};

	return text[m];
}

const char *node_rung_text(enum node_rung r)
{
	static const char *const text[] = {
		[NODE_RUNG_DIRECT] = "direct",
		[NODE_RUNG_OPENED] = "opened",
		[NODE_RUNG_PREDICTED] = "predicted",
		[NODE_RUNG_RELAYED] = "relayed",
		[NODE_RUNG_MAPPED] = "mapped",
	};

	return text[r];
}

static bool make_events(struct node *n)
{
	n->events_max = NODE_EVENTS_MIN + n->links_max;
	n->events = calloc(n->events_max, sizeof(n->events[0]));
	return n->events != NULL;
}

#define OPENS_MIN 32U
#define OPENS_MAX 1024U
/* A ticket is good for 10 s, and the place of its punch for 5 s at least: as
 * many as three of them can be made there in that time. */
#define TICKETS_OF_OPEN 3U

/* Callers on their way at the same time. */
static size_t opens_max(const struct node *n)
{
	const size_t opens = n->cfg.calls_max / 4U;

	if (opens < OPENS_MIN)
		return OPENS_MIN;
	return opens < OPENS_MAX ? opens : OPENS_MAX;
}

static bool make_parts(struct node *n, mono_us now)
{
	const struct oo_node_cfg oo = {
		.identity = n->cfg.identity,
		.number = n->number,
		.port = n->cfg.port,
		.keepalive = n->cfg.keepalive_s * MONO_S,
		.keepalive_max = n->cfg.keepalive_max_s * MONO_S,
		.tx_max = NODE_TX_MAX,
		.opens_max = opens_max(n),
		.spray_packets = n->cfg.spray_packets,
		.spray_sockets = n->cfg.spray_sockets,
		.relay = n->cfg.relay,
		.random = n->cfg.random,
		.random_ctx = n->cfg.random_ctx,
	};
	struct iax2_endpoint_cfg ep = {
		.calls_max = n->cfg.calls_max,
		/* A full frame and a mini frame for each, and some more. */
		.tx_max = NODE_TX_MAX + 2U * n->cfg.calls_max,
		.tickets_max = (uint16_t)(TICKETS_OF_OPEN * opens_max(n)),
		.limits = n->cfg.limits,
		.identity = n->cfg.identity,
		.prefs_n = n->cfg.formats.n,
		.features = IAX2_FEATURE_TALKER,
		.token_optional = n->cfg.token_optional,
		.token_optional_n = n->cfg.token_optional_n,
		.random = n->cfg.random,
		.random_ctx = n->cfg.random_ctx,
	};

	memcpy(ep.prefs, n->cfg.formats.v, sizeof(n->cfg.formats.v));
	n->oo = oo_node_new(&oo, now);
	n->ep = iax2_endpoint_new(&ep, now);
	return n->oo && n->ep;
}

struct node *node_new(const struct node_cfg *cfg, mono_us now)
{
	struct node *n;

	if (strlen(cfg->number) > OO_NUMBER_MAX)
		return NULL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->cfg = *cfg;
	memcpy(n->number, cfg->number, strlen(cfg->number) + 1);
	n->cfg.number = n->number;
	if (cfg->formats.n == 0)
		n->cfg.formats = *node_formats_all();
	n->station = station_new(&cfg->station, now);
	telemetry_init(&n->telemetry);
	if (cfg->telemetry.wpm > 0)
		telemetry_configure(&n->telemetry, &cfg->telemetry);
	if (!parrot_init(&n->parrot, cfg->parrot_s))
		return node_free(n);
	parrot_on(&n->parrot, cfg->parrot);
	if (!n->station || !node_formats_ok(&n->cfg.formats) ||
	    !node_links_new(n) || !node_voice_new(n) || !make_events(n) ||
	    !make_parts(n, now))
		return node_free(n);
	/* Both parts keep a copy of their own. */
	n->cfg.identity = NULL;
	node_text_init(n, now);
	return n;
}

struct node *node_free(struct node *n)
{
	if (!n)
		return NULL;
	oo_node_free(n->oo);
	iax2_endpoint_free(n->ep);
	node_voice_free(n);
	node_links_free(n);
	free(n->events);
	station_free(n->station);
	parrot_done(&n->parrot);
	free(n);
	return NULL;
}

struct node_event *node_push(struct node *n, enum node_event_kind kind)
{
	struct node_event *ev;

	/* Never drained: the oldest gives way. */
	if (n->ev_n == n->events_max) {
		n->ev_head = (n->ev_head + 1) % n->events_max;
		n->ev_n--;
	}
	ev = &n->events[(n->ev_head + n->ev_n++) % n->events_max];
	memset(ev, 0, sizeof(*ev));
	ev->kind = kind;
	return ev;
}

struct node_event *node_push_link(struct node *n, enum node_event_kind kind,
				  const struct link *l)
{
	struct node_event *ev = node_push(n, kind);

	node_touch(n, l);
	ev->link = (struct node_link_id){ (uint16_t)(l - n->link), l->gen };
	memcpy(ev->number, l->number, sizeof(ev->number));
	ev->state = l->state;
	ev->rung = l->rung;
	ev->serial = l->serial;
	return ev;
}

/* --- events of the parts ------------------------------------------------ */

static void on_registration(struct node *n, const struct oo_event *in,
			    mono_us now)
{
	static const enum node_event_kind map[] = {
		[OO_EV_REGISTERED] = NODE_EV_REGISTERED,
		[OO_EV_UNREGISTERED] = NODE_EV_UNREGISTERED,
		[OO_EV_TROUBLE] = NODE_EV_TROUBLE,
		[OO_EV_APPARENT] = NODE_EV_APPARENT,
	};
	struct oo_registrar_view v = { 0 };
	struct node_event *ev = node_push(n, map[in->kind]);

	(void)oo_node_registrar_view(n->oo, in->registrar, &v);
	ev->registrar = in->registrar;
	ev->addr = v.apparent;
	(void)snprintf(ev->why, sizeof(ev->why), "%s", v.why);
	if (in->kind == OO_EV_APPARENT)
		node_move_all(n, now);
}

static void on_openover(struct node *n, const struct oo_event *in, mono_us now)
{
	struct node_event *ev;

	node_touch_all(n);
	switch (in->kind) {
	case OO_EV_REGISTERED:
	case OO_EV_UNREGISTERED:
	case OO_EV_TROUBLE:
	case OO_EV_APPARENT:
		on_registration(n, in, now);
		break;
	case OO_EV_RELEASED:
		n->released = true;
		break;
	case OO_EV_SOCKETS:
		ev = node_push(n, NODE_EV_SOCKETS_OPEN);
		ev->count = in->u.sockets.count;
		ev->sockets_for = in->id;
		break;
	case OO_EV_SOCKETS_DONE:
		node_push(n, NODE_EV_SOCKETS_CLOSE);
		break;
	case OO_EV_MEASURE:
		node_push(n, NODE_EV_MEASURE)->registrar = in->registrar;
		break;
	case OO_EV_MEASURED:
		node_push(n, NODE_EV_MEASURED)->registrar = in->registrar;
		break;
	case OO_EV_EXPECT:
		(void)iax2_expect(n->ep, &in->u.expect.ticket,
				  &in->u.expect.path.peer, now);
		break;
	case OO_EV_RELAY:
		node_push(n, NODE_EV_RELAY)->registrar = in->registrar;
		break;
	case OO_EV_BETTER:
	case OO_EV_OPEN_IN:
	case OO_EV_PROGRESS:
	case OO_EV_PATH:
	case OO_EV_FAILED:
		node_links_on_openover(n, in, now);
		break;
	}
}

/* What the parts report may make them report more. */
static void settle(struct node *n, mono_us now)
{
	struct iax2_event call;
	struct oo_event oo;
	bool more = true;

	while (more) {
		more = false;
		while (oo_node_next_event(n->oo, &oo)) {
			on_openover(n, &oo, now);
			more = true;
		}
		while (iax2_endpoint_next_event(n->ep, &call)) {
			node_links_on_call(n, &call, now);
			more = true;
		}
	}
}

/* --- input, time, output ------------------------------------------------ */

void node_rx(struct node *n, const struct dgram *d, mono_us now)
{
	struct dgram inner;

	n->arrived = d->arrived > 0 && d->arrived < now ? d->arrived : now;
	if (oo_node_rx(n->oo, d, now) == IAX2_E_NOT_OURS)
		(void)iax2_endpoint_rx(n->ep, d, now);
	if (oo_node_relayed(n->oo, &inner))
		(void)iax2_endpoint_rx(n->ep, &inner, now);
	settle(n, now);
}

static void dtmf_step(struct node *n, mono_us now)
{
	for (size_t i = 0; i < n->links_max; i++) {
		const struct link *l = &n->link[i];

		if (l->state == NODE_LINK_UP)
			(void)iax2_send_dtmf(n->ep, l->call, n->dtmf[0],
					     !n->dtmf_down, now);
	}
	if (n->dtmf_down) {
		n->dtmf_n--;
		memmove(n->dtmf, n->dtmf + 1, n->dtmf_n);
	}
	n->dtmf_down = !n->dtmf_down;
	n->dtmf_next = now + DTMF_STEP_US;
}

static void release(struct node *n, mono_us now)
{
	if (!n->stopping || n->releasing ||
	    (now < n->release_at && iax2_endpoint_unsettled(n->ep) > 0))
		return;
	n->releasing = true;
	oo_node_release(n->oo, now);
}

static void check_stopped(struct node *n, mono_us now)
{
	const bool quiet = n->released && iax2_endpoint_unsettled(n->ep) == 0;

	if (n->stopping && !n->stopped && (quiet || now >= n->stop_by)) {
		n->stopped = true;
		node_push(n, NODE_EV_STOPPED);
	}
}

void node_tick(struct node *n, mono_us now)
{
	oo_node_tick(n->oo, now);
	iax2_endpoint_tick(n->ep, now);
	station_tick(n->station, now);
	telemetry_tick(&n->telemetry, now);
	node_note_radio(n);
	node_admit_tick(n, now);
	node_text_tick(n, now);
	node_links_tick(n, now);
	node_leave_tick(n, now);
	if (n->dtmf_n > 0 && now >= n->dtmf_next)
		dtmf_step(n, now);
	release(n, now);
	settle(n, now);
	check_stopped(n, now);
}

mono_us node_deadline(const struct node *n)
{
	mono_us due = mono_min(oo_node_deadline(n->oo),
			       iax2_endpoint_deadline(n->ep));

	due = mono_min(due, station_deadline(n->station));
	due = mono_min(due, telemetry_deadline(&n->telemetry));
	due = mono_min(due, node_links_deadline(n));
	due = mono_min(due, node_admit_deadline(n));
	due = mono_min(due, node_text_deadline(n));
	due = mono_min(due, node_leave_deadline(n));
	if (n->dtmf_n > 0)
		due = mono_min(due, n->dtmf_next);
	if (n->stopping && !n->stopped)
		due = mono_min(due, n->stop_by);
	if (n->stopping && !n->releasing)
		due = mono_min(due, n->release_at);
	return due;
}

bool node_next_tx(struct node *n, struct dgram *out)
{
	do {
		if (oo_node_next_tx(n->oo, out))
			return true;
		while (iax2_endpoint_next_tx(n->ep, out)) {
			if (out->path.sock != OO_SOCK_RELAY ||
			    oo_node_relay_wrap(n->oo, out))
				return true;
		}
	} while (node_speak(n));
	return false;
}

bool node_next_event(struct node *n, struct node_event *out)
{
	if (n->ev_n == 0)
		return false;
	*out = n->events[n->ev_head];
	n->ev_head = (n->ev_head + 1) % n->events_max;
	n->ev_n--;
	return true;
}

/* --- commands ----------------------------------------------------------- */

enum iax2_err node_dtmf(struct node *n, const char *digits, mono_us now)
{
	const size_t len = strlen(digits);

	if (len == 0 || strspn(digits, "0123456789ABCD*#") != len)
		return IAX2_E_RANGE;
	if (n->dtmf_n + len > NODE_DTMF_MAX)
		return IAX2_E_FULL;
	if (n->dtmf_n == 0) {
		n->dtmf_down = false;
		n->dtmf_next = now;
	}
	memcpy(n->dtmf + n->dtmf_n, digits, len);
	n->dtmf_n += len;
	return IAX2_OK;
}

void node_stop(struct node *n, mono_us now)
{
	struct oo_node_relay_view relay;

	node_force_unkey(n, true, now);
	n->stopping = true;
	node_touch_all(n);
	node_links_end(n, now);
	node_leave_now(n, now);
	n->stop_by = now + STOP_US;
	/* Good-byes that go through a relay go first. */
	oo_node_relay_view(n->oo, &relay);
	n->release_at = relay.up ? now + RELAYED_US : now;
	release(n, now);
	settle(n, now);
	check_stopped(n, now);
}

struct oo_node *node_openover(struct node *n)
{
	return n->oo;
}

const struct iax2_endpoint *node_endpoint(const struct node *n)
{
	return n->ep;
}

void node_sockets(struct node *n, struct oo_id id, uint16_t first,
		  uint16_t count, mono_us now)
{
	oo_node_sockets(n->oo, id, first, count, now);
}

void node_admit(struct node *n, struct node_caller_id id,
		const struct node_admission *a, mono_us now)
{
	node_admit_answer(n, id, a, now);
	settle(n, now);
}

bool node_measure(struct node *n, mono_us now)
{
	const bool begun = oo_node_measure(n->oo, now);

	settle(n, now);
	return begun;
}

void node_measure_sockets(struct node *n, const struct oo_measure_sockets *s,
			  mono_us now)
{
	oo_node_measure_sockets(n->oo, s, now);
	settle(n, now);
}

bool node_uses_socket(const struct node *n, uint16_t sock)
{
	for (size_t i = 0; i < n->links_max; i++) {
		const struct link *l = &n->link[i];

		if (l->state != NODE_LINK_FREE &&
		    (l->sock == sock || l->move.path.sock == sock ||
		     node_better_uses_socket(l, sock)))
			return true;
	}
	return node_leave_uses_socket(n, sock) ||
	       oo_node_uses_socket(n->oo, sock);
}

void node_reconfigure(struct node *n, const struct node_cfg *cfg, mono_us now)
{
	n->cfg.acl = cfg->acl;
	n->cfg.peers = cfg->peers;
	n->cfg.peers_n = cfg->peers_n;
	n->cfg.jitter = cfg->jitter;
	(void)station_configure(n->station, &cfg->station, now);
	if (cfg->telemetry.wpm > 0)
		telemetry_configure(&n->telemetry, &cfg->telemetry);
	node_note_radio(n);
	node_touch_all(n);
	node_links_recheck(n, now);
}
