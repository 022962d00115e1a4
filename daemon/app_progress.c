/* SPDX-License-Identifier: MIT */

/* How a link comes about, step by step: the event "link_step" for all who
 * follow, and the notification "progress" for the console that waits. */

#include <string.h>

#include "daemon/app.h"
#include "daemon/io/addr.h"

struct step {
	const char *name;
	const char *node; /* empty: not known yet */
	const char *text; /* for people */
	const char *path; /* NULL: none yet */
	const char *peer; /* as well */
};

static json_t *step_json(const struct step *s)
{
	return json_pack("{s:o, s:o, s:s*, s:s*}", "node",
			 control_text(s->node[0] ? s->node : "?"), "text",
			 control_text(s->text), "path", s->path, "peer",
			 s->peer);
}

static void publish(struct app *a, const struct step *s)
{
	json_t *o = step_json(s);

	(void)json_object_set_new(o, "event", json_string("link_step"));
	(void)json_object_set_new(o, "state", json_string(s->name));
	app_publish(a, o);
}

static void tell(struct control_request *req, const struct step *s)
{
	json_t *o = step_json(s);

	(void)json_object_set_new(o, "step", json_string(s->name));
	control_notify(req, "progress", o);
}

void app_progress_looking(struct app *a, struct control_request *req,
			  const char *number, const char *what)
{
	char text[CONTROL_WHY_MAX + 16];
	const struct step s = { .name = "looking-up",
				.node = number,
				.text = text };

	(void)snprintf(text, sizeof(text), "looking up %s", what);
	publish(a, &s);
	if (req)
		tell(req, &s);
}

/* Steps of one event: a path that was proved is called at once. */
#define STEPS 2U

static size_t steps_of(const struct node_event *ev, char peer[NET_ADDR_TEXT],
		       struct step out[STEPS])
{
	const struct step s = { .name = node_link_state_text(ev->state),
				.node = ev->number };
	size_t n = 0;

	for (size_t i = 0; i < STEPS; i++)
		out[i] = s;
	if (ev->state == NODE_LINK_REQUESTING) {
		out[n++].text = "asking the registrar";
	} else if (ev->state == NODE_LINK_PUNCHING) {
		out[n++].text = "the node accepts; opening a path to it";
	} else if (ev->state == NODE_LINK_CALLING) {
		net_addr_format(&ev->addr, peer);
		if (ev->on) {
			out[n].name = "proved";
			out[n++].text = "a path is proved";
		}
		out[n++].text = "calling";
		for (size_t i = 0; i < n; i++) {
			out[i].path = node_rung_text(ev->rung);
			out[i].peer = peer;
		}
	}
	return n;
}

void app_progress_publish(struct app *a, const struct node_event *ev)
{
	char peer[NET_ADDR_TEXT];
	struct step s[STEPS];
	const size_t n = steps_of(ev, peer, s);

	for (size_t i = 0; i < n; i++)
		publish(a, &s[i]);
}

void app_progress_tell(struct control_request *req, const struct node_event *ev)
{
	char peer[NET_ADDR_TEXT];
	struct step s[STEPS];
	const size_t n = steps_of(ev, peer, s);

	for (size_t i = 0; i < n; i++)
		tell(req, &s[i]);
}
