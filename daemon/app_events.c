/* SPDX-License-Identifier: MIT */

/* What the node reports: one line in the log for what an operator wants to
 * know, an event for consoles, and sockets where it asks for them. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app.h"
#include "daemon/app_https.h"
#include "daemon/app_stats.h"
#include "daemon/io/addr.h"
#include "daemon/io/log.h"
#include "daemon/io/notify.h"

static const char *registrar_host(const struct app *a, size_t i)
{
	return i < a->conf.registrars_n ? a->conf.registrars[i].host : "?";
}

static bool is_wanted(const struct app *a, const json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "event"));
	const struct conf_node *conf = &a->conf;

	for (size_t i = 0; name && i < conf->hooks.events_n; i++) {
		if (strcmp(conf->hooks.events[i].text, name) == 0)
			return true;
	}
	return name && conf->hooks.events_n == 0;
}

void app_publish(struct app *a, json_t *params)
{
	const char *node = json_string_value(json_object_get(params, "node"));
	char *text = NULL;

	if (node)
		app_names_add(a, params, node);

	(void)json_object_set_new(params, "t_us",
				  json_integer((json_int_t)loop_now()));
	if (a->conf.hooks.program[0] != '\0' && is_wanted(a, params)) {
		(void)json_object_set_new(params, "node_number",
					  json_string(a->conf.node.number));
		text = json_dumps(params, JSON_COMPACT);
		(void)json_object_del(params, "node_number");
	}
	if (text)
		hooks_tell(a->hooks, text);
	free(text);
	control_publish(a->control, "event", params);
}

static void publish(struct app *a, json_t *params)
{
	app_publish(a, params);
}

/* No line when it sees us where it said that we are. */
static void on_apparent(struct app *a, const struct node_event *ev,
			const char *host, const char *addr)
{
	struct net_addr *seen = &a->registrar[ev->registrar].seen;

	if (!net_addr_equal(seen, &ev->addr))
		LOG_EVENT(loop_now(), LOG_INFO, "apparent",
			  "%s sees this node at %s", host, addr);
	*seen = ev->addr;
}

static void on_registration(struct app *a, const struct node_event *ev)
{
	const char *host = registrar_host(a, ev->registrar);
	char addr[NET_ADDR_TEXT];
	const char *what = "trouble";

	net_addr_format(&ev->addr, addr);
	if (ev->kind == NODE_EV_REGISTERED) {
		what = "registered";
		a->registrar[ev->registrar].seen = ev->addr;
		LOG_EVENT(loop_now(), LOG_INFO, what,
			  "registered with %s as %s", host, addr);
		notify_status("registered with %s as %s", host, addr);
	} else if (ev->kind == NODE_EV_UNREGISTERED) {
		what = "unregistered";
		LOG_EVENT(loop_now(), LOG_WARNING, what,
			  "no longer registered with %s: %s", host, ev->why);
		notify_status("not registered with %s: %s", host, ev->why);
	} else if (ev->kind == NODE_EV_APPARENT) {
		what = "apparent";
		on_apparent(a, ev, host, addr);
	} else {
		LOG_EVENT(loop_now(), LOG_WARNING, what, "registrar %s: %s",
			  host, ev->why);
	}
	publish(a, json_pack("{s:s, s:s, s:s, s:s}", "event", what, "registrar",
			     host, "apparent", addr, "why", ev->why));
}

static void on_relay(struct app *a, const struct node_event *ev)
{
	const char *host = registrar_host(a, ev->registrar);
	struct oo_node_relay_view v;
	char at[OO_FAMILIES][NET_ADDR_TEXT];

	oo_node_relay_view(node_openover(a->node), &v);
	for (int f = 0; f < OO_FAMILIES; f++)
		net_addr_format(&v.address[f], at[f]);
	if (v.up)
		LOG_EVENT(loop_now(), LOG_INFO, "relay",
			  "%s relays for this node at %s and %s", host,
			  at[OO_V4], at[OO_V6]);
	else
		LOG_EVENT(loop_now(), LOG_INFO, "relay",
			  "%s no longer relays for this node", host);
	publish(a,
		json_pack("{s:s, s:s, s:s, s:s}", "event", "relay", "registrar",
			  host, "address4", at[OO_V4], "address6", at[OO_V6]));
}

static void on_switch(struct app *a, const struct node_event *ev,
		      const char *what)
{
	log_debug("%s %s %s", what, ev->number, ev->on ? "on" : "off");
	publish(a, json_pack("{s:s, s:s, s:b}", "event", what, "node",
			     ev->number, "on", (int)ev->on));
}

static void open_sockets(struct app *a, const struct node_event *ev)
{
	uint16_t first = 0;
	const uint16_t n = udp_extra_open(a->udp, (uint16_t)ev->count, &first);

	log_debug("port probing with %u sockets", (unsigned)n);
	node_sockets(a->node, ev->sockets_for, first, n, loop_now());
}

static bool keep_socket(void *ctx, uint16_t sock)
{
	return node_uses_socket(ctx, sock);
}

/* Registrars, and the peers of calls, are read before strangers. */
static void prefer_peers(struct app *a)
{
	const struct oo_node *oo = node_openover(a->node);
	struct net_addr peer[UDP_PREFER_MAX];
	struct oo_registrar_view v;
	size_t n = 0;
	int err;

	for (size_t i = 0; oo_node_registrar_view(oo, i, &v); i++) {
		for (int f = 0; f < OO_FAMILIES; f++) {
			if (net_addr_is_set(&v.server[f]))
				peer[n++] = v.server[f];
		}
	}
	n += node_peers(a->node, &peer[n], UDP_PREFER_MAX - n);
	err = udp_prefer(a->udp, peer, n);
	if (err != 0)
		LOG_LIMITED(loop_now(), LOG_WARNING,
			    "a flood will disturb calls: %s", strerror(-err));
}

static void on_text(struct app *a, const struct node_event *ev)
{
	publish(a, json_pack("{s:s, s:o, s:o}", "event", "text", "node",
			     control_text(ev->number), "text",
			     control_text(ev->text)));
}

static void on_dtmf(struct app *a, const struct node_event *ev)
{
	publish(a, json_pack("{s:s, s:s, s:s#}", "event", "dtmf", "node",
			     ev->number, "digit", &ev->digit, 1));
}

static void on_message(struct app *a, const struct node_event *ev)
{
	publish(a, json_pack("{s:s, s:o, s:o}", "event", "message", "node",
			     control_text(ev->number), "text",
			     control_text(ev->text)));
}

static void on_told(struct app *a, const struct node_event *ev)
{
	publish(a, json_pack("{s:s, s:o, s:o}", "event", "told", "node",
			     control_text(ev->number), "text",
			     control_text(ev->text)));
}

static void on_behind(struct app *a, const struct node_event *ev)
{
	struct asl_list list;

	if (node_link_behind(a->node, ev->link, &list))
		publish(a, json_pack("{s:s, s:o, s:o}", "event", "behind",
				     "node", control_text(ev->number), "nodes",
				     app_behind_json(a, &list)));
}

static void on_loop(struct app *a, const struct node_event *ev)
{
	LOG_EVENT_OF(loop_now(), LOG_WARNING, "loop", ev->number,
		     "node %s is linked twice, once through %s: end one of the "
		     "links, or what one says comes back by the other",
		     ev->number, ev->text);
	publish(a, json_pack("{s:s, s:s, s:o}", "event", "loop", "node",
			     ev->number, "through", control_text(ev->text)));
}

static void on_talker(struct app *a, const struct node_event *ev)
{
	struct node_link_info l = { .number = "" };

	(void)node_link(a->node, ev->link, &l);
	publish(a,
		json_pack("{s:s, s:s, s:o, s:b, s:o}", "event", "talker",
			  "node", ev->number, "through", control_text(l.number),
			  "on", (int)ev->on, "who", control_text(ev->text)));
}

static void on_keying(struct app *a, const struct node_event *ev)
{
	if (strcmp(ev->why, asl_keying_text(ASL_KEYING_LEGACY)) == 0)
		LOG_EVENT_OF(
			loop_now(), LOG_INFO, "keying", ev->number,
			"%s keys in the way of old nodes: its voice is heard "
			"between KEY and UNKEY only",
			ev->number);
	publish(a, json_pack("{s:s, s:o, s:s}", "event", "keying", "node",
			     control_text(ev->number), "keying", ev->why));
}

static void on_answers(struct app *a)
{
	publish(a, json_pack("{s:s, s:o}", "event", "answers", "nodes",
			     app_answers_json(a)));
	app_text_answered(a);
}

/* What came between nodes, and what it says of them. */
static void on_words(struct app *a, const struct node_event *ev)
{
	if (ev->kind == NODE_EV_TEXT)
		on_text(a, ev);
	else if (ev->kind == NODE_EV_DTMF)
		on_dtmf(a, ev);
	else if (ev->kind == NODE_EV_MESSAGE)
		on_message(a, ev);
	else if (ev->kind == NODE_EV_TOLD)
		on_told(a, ev);
	else if (ev->kind == NODE_EV_BEHIND)
		on_behind(a, ev);
	else if (ev->kind == NODE_EV_LOOP)
		on_loop(a, ev);
	else if (ev->kind == NODE_EV_TALKER)
		on_talker(a, ev);
	else if (ev->kind == NODE_EV_KEYING)
		on_keying(a, ev);
	else
		on_answers(a);
}

static void on_radio_dtmf(struct app *a, const struct node_event *ev)
{
	publish(a, json_pack("{s:s, s:s#}", "event", "radio_dtmf", "digit",
			     &ev->digit, 1));
}

static void on_stuck(struct app *a, bool stuck)
{
	if (stuck)
		LOG_EVENT(loop_now(), LOG_WARNING, "cor_stuck",
			  "the receiver has been open for %u s and is not "
			  "heard until it closes: look at its squelch, or at "
			  "cor.stuck_s",
			  (unsigned)a->conf.cor.stuck_s);
	else
		LOG_EVENT(loop_now(), LOG_INFO, "cor_stuck",
			  "the receiver has closed and is heard again");
	publish(a, json_pack("{s:s, s:b}", "event", "cor_stuck", "on",
			     (int)stuck));
}

static void on_timed_out(struct app *a)
{
	const unsigned limit = a->conf.radio.timeout_s;

	LOG_EVENT(loop_now(), LOG_WARNING, "timed_out",
		  "the transmitter was unkeyed: it was on for %u s without a "
		  "pause (radio.timeout_s)",
		  limit);
	publish(a, json_pack("{s:s, s:i}", "event", "timed_out", "timeout_s",
			     (int)limit));
}

static void on_radio(struct app *a, const struct node_event *ev)
{
	if (ev->kind == NODE_EV_RADIO_DTMF) {
		on_radio_dtmf(a, ev);
	} else if (ev->kind == NODE_EV_COR_STUCK) {
		on_stuck(a, ev->on);
	} else if (ev->kind == NODE_EV_TIMED_OUT) {
		on_timed_out(a);
	} else if (ev->kind == NODE_EV_COR) {
		on_switch(a, ev, "cor");
	} else {
		/* Before the next block, which may be 20 ms away. */
		radio_io_key(a->radio, node_ptt(a->node), loop_now());
		on_switch(a, ev, "ptt");
	}
	app_stats_event(a, ev);
}

static void on_measure(struct app *a, const struct node_event *ev)
{
	if (ev->kind == NODE_EV_MEASURE)
		app_measure_open(a, ev->registrar);
	else
		app_measure_news(a);
}

/* Whose voice is read first depends on these. */
static void on_registrar(struct app *a, const struct node_event *ev)
{
	on_registration(a, ev);
	app_https_event(a, ev);
	prefer_peers(a);
}

static void on_links(struct app *a, const struct node_event *ev)
{
	app_link_event(a, ev);
	prefer_peers(a);
}

/* A hub has more links than can be preferred: those who talk count first. */
static void on_keyed(struct app *a, const struct node_event *ev)
{
	on_switch(a, ev, "keyed");
	if (ev->on)
		prefer_peers(a);
}

static void on_sockets(struct app *a, const struct node_event *ev)
{
	if (ev->kind == NODE_EV_SOCKETS_OPEN)
		open_sockets(a, ev);
	else
		udp_extra_close(a->udp, keep_socket, a->node);
}

void app_on_event(struct app *a, const struct node_event *ev)
{
	switch (ev->kind) {
	case NODE_EV_REGISTERED:
	case NODE_EV_UNREGISTERED:
	case NODE_EV_TROUBLE:
	case NODE_EV_APPARENT:
		on_registrar(a, ev);
		break;
	case NODE_EV_RELAY:
		on_relay(a, ev);
		break;
	case NODE_EV_LINK_STEP:
	case NODE_EV_LINK_UP:
	case NODE_EV_LINK_DOWN:
	case NODE_EV_LINK_MOVED:
		on_links(a, ev);
		break;
	case NODE_EV_CALLER_REFUSED:
		app_link_event(a, ev);
		break;
	case NODE_EV_WHO_IS:
	case NODE_EV_WHICH_KEY:
	case NODE_EV_WHOSE_TOKEN:
		app_accept_event(a, ev);
		break;
	case NODE_EV_KEYED:
		on_keyed(a, ev);
		break;
	case NODE_EV_COR:
	case NODE_EV_COR_STUCK:
	case NODE_EV_PTT:
	case NODE_EV_TIMED_OUT:
	case NODE_EV_RADIO_DTMF:
		on_radio(a, ev);
		break;
	case NODE_EV_TEXT:
	case NODE_EV_DTMF:
	case NODE_EV_MESSAGE:
	case NODE_EV_TOLD:
	case NODE_EV_BEHIND:
	case NODE_EV_LOOP:
	case NODE_EV_TALKER:
	case NODE_EV_KEYING:
	case NODE_EV_ANSWERS:
		on_words(a, ev);
		break;
	case NODE_EV_SOCKETS_OPEN:
	case NODE_EV_SOCKETS_CLOSE:
		on_sockets(a, ev);
		break;
	case NODE_EV_MEASURE:
	case NODE_EV_MEASURED:
		on_measure(a, ev);
		break;
	case NODE_EV_STOPPED:
		a->stopped = true;
		app_end_when_done(a);
		break;
	}
}
