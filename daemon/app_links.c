/* SPDX-License-Identifier: MIT */

/* Links that come, move and go, and callers that are refused: in the log, for
 * consoles and for hooks. */

#include <stdlib.h>
#include <time.h>

#include "daemon/app.h"
#include "daemon/io/addr.h"
#include "daemon/io/log.h"
#include "daemon/record.h"

/* Links a minute that each have a line: a club's hub has many. */
#define LINK_LINES 120U

static struct log_about about_of(enum log_level level, const char *event,
				 const struct node_event *ev)
{
	return (struct log_about){
		.level = level,
		.event = event,
		.peer = ev->number[0] != '\0' ? ev->number : NULL,
		.call = ev->serial,
	};
}

static const char *number_of(const struct node_event *ev)
{
	return ev->number[0] != '\0' ? ev->number : "?";
}

static void on_up(struct app *a, const struct node_event *ev)
{
	const struct log_about about = about_of(LOG_INFO, "link_up", ev);
	struct node_link_info l = { 0 };
	char addr[NET_ADDR_TEXT];

	net_addr_format(&ev->addr, addr);
	(void)node_link(a->node, ev->link, &l);
	LOG_AT_MOST(LINK_LINES, loop_now(), &about,
		    "link to %s is up: %s, at %s, path %s", number_of(ev),
		    l.outbound ? "we called" : "it called", addr,
		    node_rung_text(ev->rung));
	app_publish(a, json_pack("{s:s, s:s, s:I, s:s}", "event", "link_up",
				 "node", number_of(ev), "call",
				 (json_int_t)ev->serial, "peer", addr));
}

/* The line of a link's end is the call's record. */
static void tell_record(struct app *a, const struct node_event *ev)
{
	struct log_about about = about_of(LOG_INFO, "call_record", ev);
	json_t *record = record_json(ev, (int64_t)time(NULL));
	char *json = record ? json_dumps(record, JSON_COMPACT) : NULL;
	char text[RECORD_TEXT_MAX];

	about.record = json;
	record_text(ev, text);
	LOG_AT_MOST(LINK_LINES, loop_now(), &about, "%s", text);
	free(json);
	if (record)
		app_publish(a, record);
}

static void on_down(struct app *a, const struct node_event *ev)
{
	const struct log_about about = about_of(LOG_INFO, "link_down", ev);

	if (ev->refused)
		LOG_ABOUT(loop_now(), &about, "link to %s failed: %s",
			  number_of(ev), ev->why);
	app_publish(a, json_pack("{s:s, s:s, s:I, s:o}", "event", "link_down",
				 "node", number_of(ev), "call",
				 (json_int_t)ev->serial, "why",
				 control_text(ev->why)));
	if (!ev->refused)
		tell_record(a, ev);
}

static void on_step(struct app *a, const struct node_event *ev)
{
	const char *state = node_link_state_text(ev->state);

	log_debug("link to %s: %s", number_of(ev), state);
	app_publish(a, json_pack("{s:s, s:s, s:s}", "event", "link_step",
				 "node", number_of(ev), "state", state));
}

/* At debug level when it is where it was: a packet or two were lost. */
static void on_moved(struct app *a, const struct node_event *ev)
{
	const bool stayed = net_addr_equal(&ev->old, &ev->addr);
	const struct log_about about =
		about_of(stayed ? LOG_DEBUG : LOG_INFO, "link_moved", ev);
	const char *path = node_rung_text(ev->rung);
	char old[NET_ADDR_TEXT], addr[NET_ADDR_TEXT];

	net_addr_format(&ev->old, old);
	net_addr_format(&ev->addr, addr);
	if (stayed)
		log_about(&about, "link to %s goes on with %s", ev->number,
			  addr);
	else
		LOG_ABOUT(loop_now(), &about,
			  "link to %s goes on %s, with %s in place of %s",
			  ev->number, path, addr, old);
	app_publish(a, json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}", "event",
				 "link_moved", "node", ev->number, "call",
				 (json_int_t)ev->serial, "old", old, "peer",
				 addr, "path", path));
}

static void on_refused(struct app *a, const struct node_event *ev)
{
	const struct log_about about = about_of(LOG_WARNING, "refused", ev);
	const char *number = ev->number[0] != '\0' ? ev->number : "nobody";
	const bool claimed = net_addr_is_set(&ev->claimed);
	char addr[NET_ADDR_TEXT], its[NET_ADDR_TEXT];

	net_addr_format(&ev->addr, addr);
	net_addr_format(&ev->claimed, its);
	LOG_ABOUT(loop_now(), &about, "refused a call from %s at %s: %s%s%s",
		  number, addr, ev->why, claimed ? ", " : "",
		  claimed ? its : "");
	app_publish(a, json_pack("{s:s, s:o, s:s, s:o, s:o}", "event",
				 "refused", "node", control_text(ev->number),
				 "peer", addr, "claimed",
				 claimed ? json_string(its) : json_null(),
				 "why", control_text(ev->why)));
}

void app_link_event(struct app *a, const struct node_event *ev)
{
	if (ev->kind == NODE_EV_CALLER_REFUSED) {
		on_refused(a, ev);
		return;
	}
	if (ev->kind == NODE_EV_LINK_MOVED) {
		on_moved(a, ev);
		return;
	}
	if (ev->kind == NODE_EV_LINK_UP)
		on_up(a, ev);
	else if (ev->kind == NODE_EV_LINK_DOWN)
		on_down(a, ev);
	else
		on_step(a, ev);
	app_connect_link(a, ev);
}
