/* SPDX-License-Identifier: MIT */

/* A dial by number: the node is looked up, called where it was found, and
 * looked up elsewhere when the registrar knows nothing of it after all. */

#include <stdio.h>
#include <string.h>

#include "daemon/app.h"
#include "daemon/io/log.h"

struct app_lookup *app_dial_new(struct app *a, struct control_request *req,
				const struct app_lookup *what)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		struct app_lookup *l = &a->lookup[i];

		if (l->used)
			continue;
		*l = *what;
		l->used = true;
		l->app = a;
		l->req = req;
		return l;
	}
	return NULL;
}

/* --- where it is -------------------------------------------------------- */

/* Of the sources that come after the registrar. */
static enum lookup_source beyond(const struct app *a,
				 const struct lookup_answer *n)
{
	enum lookup_source s;
	bool past = false;

	for (size_t i = 0;
	     (s = lookup_io_source(a->numbers, i)) != LOOKUP_SOURCES; i++) {
		if (past && n->said[s].state == LOOKUP_FOUND)
			return s;
		past = past || s == LOOKUP_REGISTRAR;
	}
	return LOOKUP_SOURCES;
}

/* Where to call it; port 0: a registrar is to be asked. */
static bool where(struct app_lookup *l, const struct lookup_answer *n,
		  struct net_addr *out, char why[CONTROL_WHY_MAX])
{
	const enum lookup_source s = l->beyond ? beyond(l->app, n) : n->source;

	*out = net_addr_v4(0, 0, 0, 0, 0);
	l->by_registrar = s == LOOKUP_REGISTRAR;
	if (l->by_registrar)
		return true;
	if (s == LOOKUP_SOURCES)
		app_lookup_why(l->app, n, why);
	else if (app_lookup_address(l->app, &n->said[s], out))
		return true;
	else
		(void)snprintf(why, CONTROL_WHY_MAX,
			       "node %s has no address that this node can call",
			       n->number);
	return false;
}

static void on_found(void *ctx, const struct lookup_answer *n)
{
	struct app_lookup *l = ctx;
	struct control_request *req = l->req;
	char why[CONTROL_WHY_MAX];
	struct net_addr addr;

	l->used = false;
	l->req = NULL;
	l->by_number = true;
	if (where(l, n, &addr, why)) {
		app_connect_start(l->app, req, l, &addr);
		return;
	}
	app_connect_failed(req, l, why);
	app_commands_dialled(l->app, l, "not-found");
	app_pump(l->app);
}

void app_dial(struct app *a, struct control_request *req,
	      const struct app_lookup *what)
{
	struct app_lookup *l = app_dial_new(a, req, what);
	struct lookup_answer kept;
	int err;

	if (!l) {
		app_connect_failed(req, what, "too many connects at once");
		app_commands_dialled(a, what, "failed");
		return;
	}
	err = lookup_io_ask(a->numbers, what->number,
			    what->fresh ? LOOKUP_FRESH : 0, on_found, l);
	if (err != 0) {
		l->used = false;
		app_connect_failed(req, what, app_lookup_trouble(err));
		app_commands_dialled(a, what, "failed");
	} else if (!lookup_io_kept(a->numbers, what->number, &kept)) {
		app_progress_looking(a, req, what->number, what->number);
	}
}

/* --- and when it is not there ------------------------------------------- */

void app_dial_began(struct app *a, struct node_link_id id,
		    const struct app_lookup *what)
{
	struct app_dialled *d = &a->dialled[id.slot];

	*d = (struct app_dialled){ .gen = id.gen,
				   .by_number = what->by_number,
				   .by_registrar = what->by_registrar,
				   .mode = what->mode };
}

/* The registrar does not know the node, or nobody can ask it. */
static bool registrar_knows_nothing(const struct node_event *ev)
{
	static const enum oo_verdict words[] = { OO_UNKNOWN, OO_NOT_REGISTERED,
						 OO_REGISTRAR_SILENT };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *text = oo_verdict_text(words[i]);

		if (strncmp(ev->why, text, strlen(text)) == 0)
			return true;
	}
	return false;
}

static bool registrar_is_last(const struct app *a)
{
	enum lookup_source s, last = LOOKUP_SOURCES;

	for (size_t i = 0;
	     (s = lookup_io_source(a->numbers, i)) != LOOKUP_SOURCES; i++)
		last = s;
	return last == LOOKUP_REGISTRAR;
}

/* It may be elsewhere now. */
static void on_found_again(void *ctx, const struct lookup_answer *n)
{
	struct app_lookup *l = ctx;
	char why[CONTROL_WHY_MAX];
	struct net_addr addr;

	l->used = false;
	if (!where(l, n, &addr, why)) {
		log_debug("link to %s: %s", n->number, why);
		return;
	}
	if (node_redirect(l->app->node, l->link, &addr) == IAX2_OK)
		l->app->dialled[l->link.slot].by_registrar = l->by_registrar;
}

/* A permanent link waits for its next try: what was known of where its node is
 * may be why. */
static void look_up_again(struct app *a, const struct node_event *ev,
			  bool go_beyond)
{
	const struct app_lookup what = { .link = ev->link,
					 .beyond = go_beyond };
	struct app_lookup *l = app_dial_new(a, NULL, &what);

	if (l && lookup_io_ask(a->numbers, ev->number,
			       LOOKUP_FRESH | (go_beyond ? LOOKUP_ALL : 0),
			       on_found_again, l) != 0)
		l->used = false;
}

/* The same for one that is gone: whoever waits for it waits for the next. */
static bool look_beyond(struct app *a, const struct node_event *ev,
			enum node_mode mode, struct app_waiter *w)
{
	struct app_lookup what = { .mode = mode, .beyond = true };
	struct control_request *req = w ? w->req : NULL;
	struct app_lookup *l;

	if (w) {
		what.wait = true;
		what.until = w->until;
	}
	/* It was dialled, so it is not longer. */
	memcpy(what.number, ev->number, sizeof(what.number));
	what.number[sizeof(what.number) - 1] = '\0';
	l = app_dial_new(a, req, &what);
	if (!l)
		return false;
	if (lookup_io_ask(a->numbers, what.number, LOOKUP_ALL, on_found, l) !=
	    0) {
		l->used = false;
		return false;
	}
	if (w)
		w->req = NULL;
	app_progress_looking(a, req, what.number, what.number);
	return true;
}

bool app_dial_down(struct app *a, const struct node_event *ev,
		   struct app_waiter *w)
{
	struct app_dialled d = a->dialled[ev->link.slot];
	const bool go_beyond = d.by_registrar && ev->refused &&
			       registrar_knows_nothing(ev) &&
			       !registrar_is_last(a);
	struct node_link_info info;

	if (d.gen != ev->link.gen || !d.by_number)
		return false;
	if (node_link(a->node, ev->link, &info)) {
		if (info.state == NODE_LINK_WAITING)
			look_up_again(a, ev, go_beyond);
		return false;
	}
	a->dialled[ev->link.slot].gen = 0;
	return go_beyond && look_beyond(a, ev, d.mode, w);
}
