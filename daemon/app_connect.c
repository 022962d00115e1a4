/* SPDX-License-Identifier: MIT */

/* The method "connect": a host's name is looked up, a link begins, and the
 * console that waits hears how it goes. */

#include <stdio.h>
#include <string.h>

#include "daemon/app.h"
#include "daemon/io/addr.h"
#include "daemon/io/log.h"

#define WAIT_DEFAULT_S 20
#define WAIT_MAX_S 3600

/* --- who waits ---------------------------------------------------------- */

static struct app_waiter *waiter_for(struct app *a, struct node_link_id id)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		struct app_waiter *w = &a->waiter[i];

		if (w->req && w->link.slot == id.slot && w->link.gen == id.gen)
			return w;
	}
	return NULL;
}

static json_t *connected(struct app *a, const struct node_link_info *l)
{
	const double dial = (double)l->dial_us;
	json_t *link = app_link_json(a, l, loop_now());
	json_t *out = json_pack("{s:O, s:O, s:O, s:O}", "dial_ms",
				json_object_get(link, "dial_ms"), "path",
				json_object_get(link, "path"), "family",
				json_object_get(link, "family"), "rtt_ms",
				json_object_get(link, "rtt_ms"));

	/* The other node may have called meanwhile: no dial of ours to time. */
	(void)json_object_set_new(
		out, "dial_rtts",
		l->outbound && l->call.rtt_us
			? json_real(dial / (double)l->call.rtt_us)
			: json_null());
	(void)json_object_set_new(out, "link", link);
	return out;
}

static void tell_step(struct app *a, struct control_request *req,
		      enum node_link_state state)
{
	const char *text = "";

	(void)a;
	switch (state) {
	case NODE_LINK_REQUESTING:
		text = "asking the registrar";
		break;
	case NODE_LINK_PUNCHING:
		text = "the node accepts; opening a path to it";
		break;
	case NODE_LINK_CALLING:
		text = "calling";
		break;
	case NODE_LINK_FREE:
	case NODE_LINK_UP:
	case NODE_LINK_WAITING:
		return;
	}
	control_notify(req, "progress",
		       json_pack("{s:s, s:s}", "step",
				 node_link_state_text(state), "text", text));
}

void app_connect_link(struct app *a, const struct node_event *ev)
{
	struct app_waiter *w = waiter_for(a, ev->link);
	struct node_link_info l;
	struct control_request *req;

	if (ev->kind == NODE_EV_LINK_DOWN && app_dial_down(a, ev, w))
		return;
	if (!w)
		return;
	req = w->req;
	if (ev->kind == NODE_EV_LINK_STEP) {
		tell_step(a, req, ev->state);
		return;
	}
	if (ev->kind == NODE_EV_LINK_DOWN) {
		w->req = NULL;
		control_fail(
			req, CONTROL_REFUSED, ev->why,
			json_pack("{s:o}", "verdict", control_text(ev->why)));
		return;
	}
	if (node_link(a->node, ev->link, &l)) {
		w->req = NULL;
		control_reply(req, connected(a, &l));
	}
}

static void wait_for(struct app *a, struct control_request *req,
		     struct node_link_id id, mono_us until)
{
	struct node_link_info l;

	/* Only its mode is another one now. */
	if (node_link(a->node, id, &l) && l.state == NODE_LINK_UP) {
		control_reply(req, connected(a, &l));
		return;
	}
	for (size_t i = 0; i < APP_WAITERS; i++) {
		struct app_waiter *w = &a->waiter[i];

		if (w->req)
			continue;
		*w = (struct app_waiter){ req, id, until };
		return;
	}
	if (node_link(a->node, id, &l))
		control_reply(req, json_pack("{s:o}", "link",
					     app_link_json(a, &l, loop_now())));
	else
		app_refuse(req, "too many consoles wait already");
}

void app_connect_tick(struct app *a, mono_us now)
{
	struct node_link_info l;

	for (size_t i = 0; i < APP_WAITERS; i++) {
		struct app_waiter *w = &a->waiter[i];
		struct control_request *req = w->req;

		if (!req || now < w->until)
			continue;
		w->req = NULL;
		/* A permanent link goes on trying, as it was told to. */
		if (node_link(a->node, w->link, &l) && l.permanent) {
			app_refuse(req, "not connected yet; the node goes on "
					"trying");
			continue;
		}
		(void)node_drop(a->node, w->link, now);
		app_refuse(req, "gave up waiting");
	}
}

mono_us app_connect_deadline(const struct app *a)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (a->waiter[i].req)
			due = mono_min(due, a->waiter[i].until);
	}
	return due;
}

void app_connect_cancel(struct app *a, const struct control_request *req)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (a->waiter[i].req == req)
			a->waiter[i].req = NULL;
		if (a->lookup[i].req == req)
			a->lookup[i].req = NULL;
	}
}

/* --- links -------------------------------------------------------------- */

static const char *why_not(const struct app *a, enum iax2_err err,
			   const char *number, char loop[NODE_WHY_MAX])
{
	const char *by = node_behind(a->node, number);

	if (err == IAX2_E_REFUSED && by) {
		(void)snprintf(loop, NODE_WHY_MAX,
			       "that node is linked already, through node %s",
			       by);
		return loop;
	}
	if (err == IAX2_E_STATE)
		return "there is a link to that node already";
	if (err == IAX2_E_RANGE)
		return "that is not a node number, or this node's own";
	if (err == IAX2_E_NOT_OURS)
		return "a link-local address (fe80::) names no node without "
		       "its interface; give another address of it";
	return "too many links";
}

/* Who asked is told; when he has left meanwhile, the log is. */
void app_connect_failed(struct control_request *req,
			const struct app_lookup *what, const char *why)
{
	if (req)
		app_refuse(req, why);
	else
		LOG_EVENT_OF(loop_now(), LOG_WARNING, NULL, what->number,
			     "no %slink to node %s: %s",
			     what->permanent ? "permanent " : "", what->number,
			     why);
}

void app_connect_start(struct app *a, struct control_request *req,
		       const struct app_lookup *what,
		       const struct net_addr *addr)
{
	const struct node_connect c = {
		.number = what->number[0] ? what->number : NULL,
		.addr = addr ? *addr : net_addr_v4(0, 0, 0, 0, 0),
		.mode = what->mode,
		.permanent = what->permanent,
	};
	struct node_link_id id;
	struct node_link_info l;
	char loop[NODE_WHY_MAX];
	const enum iax2_err err = node_connect(a->node, &c, loop_now(), &id);

	if (err == IAX2_OK)
		app_dial_began(a, id, what);
	app_commands_dialled(a, what,
			     err == IAX2_OK ? NULL
			     : err == IAX2_E_REFUSED || err == IAX2_E_STATE
				     ? "already-connected"
				     : "failed");
	if (err != IAX2_OK)
		app_connect_failed(req, what,
				   why_not(a, err, what->number, loop));
	else if (req && !what->wait && node_link(a->node, id, &l))
		control_reply(req, json_pack("{s:o}", "link",
					     app_link_json(a, &l, loop_now())));
	else if (req) /* one that has ended already tells why */
		wait_for(a, req, id, what->until);
	app_pump(a);
}

static void on_looked_up(void *ctx, const struct net_addr *addrs, size_t n,
			 const char *why)
{
	struct app_lookup *l = ctx;
	struct control_request *req = l->req;

	l->used = false;
	l->req = NULL;
	if (n > 0)
		app_connect_start(l->app, req, l, &addrs[0]);
	else
		app_connect_failed(req, l, why);
}

/* --- the question ------------------------------------------------------- */

/* NUMBER, NUMBER@HOST:PORT, or ADDRESS:PORT.  False when it is none. */
static bool split(const char *text, struct app_lookup *l, char host[256],
		  uint16_t *port)
{
	const char *at = strchr(text, '@');
	const size_t len = at ? (size_t)(at - text) : strlen(text);
	const char *colon;

	host[0] = '\0';
	*port = 4569;
	if (!at && strspn(text, "0123456789") != len) {
		(void)snprintf(host, 256, "%s", text);
		return true;
	}
	if (len == 0 || len > OO_NUMBER_MAX)
		return false;
	memcpy(l->number, text, len);
	l->number[len] = '\0';
	if (!at)
		return true;
	(void)snprintf(host, 256, "%s", at + 1);
	/* A name or an IPv4 address with a port; IPv6 has brackets, which the
	 * resolver's numeric form reads itself. */
	colon = strrchr(host, ':');
	if (host[0] != '[' && colon && strchr(host, ':') == colon) {
		if (!net_port_parse(colon + 1, port))
			return false;
		host[colon - host] = '\0';
	}
	return host[0] != '\0';
}

static bool read_mode(const json_t *params, enum node_mode *out)
{
	const char *text = app_text_param(params, "mode");

	*out = NODE_TRANSCEIVE;
	for (int m = NODE_TRANSCEIVE; text && m <= NODE_LOCAL_MONITOR; m++) {
		if (strcmp(text, node_mode_text((enum node_mode)m)) == 0) {
			*out = (enum node_mode)m;
			return true;
		}
	}
	return text == NULL;
}

static void look_up(struct app *a, struct control_request *req,
		    const struct app_lookup *what, const char *host,
		    uint16_t port)
{
	struct app_lookup *l = app_dial_new(a, req, what);

	if (!l) {
		app_refuse(req, "too many connects at once");
		return;
	}
	app_dial_tell(req, host);
	if (resolve(a->resolver, host, port, on_looked_up, l) != 0) {
		l->used = false;
		app_refuse(req, "out of memory");
	}
}

/* Linked already, here or behind another node: what becomes of it depends on
 * that link, not on where the node is. */
static bool is_known(const struct app *a, const char *number)
{
	struct node_link_info l;

	for (size_t i = 0; i < node_links_max(a->node); i++) {
		if (node_link_at(a->node, i, &l) &&
		    strcmp(l.number, number) == 0)
			return true;
	}
	return node_behind(a->node, number) != NULL;
}

void app_connect(void *ctx, struct control_request *req, const json_t *params)
{
	const json_t *wait = json_object_get(params, "wait_s");
	const char *node = app_text_param(params, "node");
	struct app *a = ctx;
	struct app_lookup what = { 0 };
	struct net_addr addr;
	char host[256];
	uint16_t port;
	double wait_s = json_is_number(wait) ? json_number_value(wait) : 0;

	if (!node || !read_mode(params, &what.mode) ||
	    !split(node, &what, host, &port)) {
		app_bad_params(req,
			       "name a node as NUMBER, NUMBER@HOST:PORT or "
			       "ADDRESS:PORT, and a mode that exists");
		return;
	}
	if (wait_s > WAIT_MAX_S) {
		app_bad_params(req, "wait_s is at most 3600 seconds");
		return;
	}
	what.permanent = json_is_true(json_object_get(params, "permanent"));
	what.wait = json_is_number(wait) || json_is_true(wait);
	if (wait_s <= 0)
		wait_s = WAIT_DEFAULT_S;
	what.until = loop_now() + (mono_us)(wait_s * (double)MONO_S);
	if (what.number[0] == '\0') {
		if (net_addr_parse(host, port, &addr))
			app_connect_start(a, req, &what, &addr);
		else
			app_refuse(req, "that is neither a node number nor an "
					"address");
	} else if (host[0] != '\0') {
		look_up(a, req, &what, host, port);
	} else if (is_known(a, what.number)) {
		app_connect_start(a, req, &what, NULL);
	} else {
		app_dial(a, req, &what);
	}
}
