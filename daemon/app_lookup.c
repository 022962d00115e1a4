/* SPDX-License-Identifier: MIT */

/* Where a node is, by its number: for a dial, for whoever asks at the console,
 * and for the status. */

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "daemon/app.h"
#include "daemon/app_fetch.h"
#include "daemon/io/addr.h"
#include "daemon/lookup_io.h"

int app_lookup_open(struct app *a)
{
	a->numbers = lookup_io_new(a->base, &a->conf);
	return a->numbers ? 0 : -ENOMEM;
}

/* --- for a dial --------------------------------------------------------- */

static bool can_call(const struct app *a, const struct net_addr *to)
{
	return net_addr_is_v4(to) ? a->conf.iax2.bind4[0] != '\0'
				  : a->conf.iax2.bind6[0] != '\0';
}

bool app_lookup_address(const struct app *a, const struct lookup_said *s,
			struct net_addr *out)
{
	for (size_t i = 0; i < s->n; i++) {
		if (can_call(a, &s->addr[i]) &&
		    !net_addr_is_link_local(&s->addr[i])) {
			*out = s->addr[i];
			return true;
		}
	}
	return false;
}

void app_lookup_why(const struct app *a, const struct lookup_answer *n,
		    char why[CONTROL_WHY_MAX])
{
	int at = snprintf(why, CONTROL_WHY_MAX, "nobody knows node %s",
			  n->number);
	const char *before = " (";

	for (size_t i = 0; lookup_io_source(a->numbers, i) < LOOKUP_SOURCES;
	     i++) {
		const enum lookup_source s = lookup_io_source(a->numbers, i);

		if (n->said[s].state == LOOKUP_UNASKED ||
		    at >= (int)CONTROL_WHY_MAX)
			continue;
		at += snprintf(why + at, CONTROL_WHY_MAX - (size_t)at,
			       "%s%s: %s", before, lookup_source_text(s),
			       s == LOOKUP_REGISTRAR ? "it is not known there"
						     : n->said[s].why);
		before = "; ";
	}
	if (before[0] == ';' && at < (int)CONTROL_WHY_MAX - 1)
		(void)snprintf(why + at, CONTROL_WHY_MAX - (size_t)at, ")");
}

/* --- for the console ---------------------------------------------------- */

static json_t *left_json(mono_us until)
{
	const mono_us now = loop_now();

	if (until == MONO_NEVER || until <= now)
		return json_null();
	return json_integer((json_int_t)((until - now) / MONO_S));
}

static json_t *said_json(enum lookup_source source, const struct lookup_said *s)
{
	char text[NET_ADDR_TEXT];
	json_t *addrs = json_array();
	json_t *o;

	for (size_t i = 0; i < s->n; i++)
		(void)json_array_append_new(
			addrs, json_string(net_addr_format(&s->addr[i], text)));
	o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "source",
		      lookup_source_text(source), "state",
		      lookup_state_text(s->state), "host",
		      s->host[0] ? control_text(s->host) : json_null(),
		      "addresses", addrs, "left_s", left_json(s->until), "why",
		      control_text(s->why));
	if (net_addr_is_set(&s->from))
		(void)json_object_set_new(
			o, "from",
			json_string(net_addr_format(&s->from, text)));
	return o;
}

static json_t *answer_json(const struct app *a, const struct lookup_answer *n)
{
	json_t *sources = json_array();

	for (size_t i = 0; lookup_io_source(a->numbers, i) < LOOKUP_SOURCES;
	     i++) {
		const enum lookup_source s = lookup_io_source(a->numbers, i);

		(void)json_array_append_new(sources, said_json(s, &n->said[s]));
	}
	return json_pack("{s:s, s:o, s:o}", "node", n->number, "found",
			 n->source == LOOKUP_SOURCES
				 ? json_null()
				 : json_string(lookup_source_text(n->source)),
			 "sources", sources);
}

static void on_answer(void *ctx, const struct lookup_answer *n)
{
	struct app_asker *w = ctx;
	struct control_request *req = w->req;

	w->req = NULL;
	w->used = false;
	if (req)
		control_reply(req, answer_json(w->app, n));
}

static struct app_asker *free_asker(struct app *a)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (!a->asker[i].used)
			return &a->asker[i];
	}
	return NULL;
}

const char *app_lookup_trouble(int err)
{
	return err == -EINVAL  ? "a node number has 1 to 15 digits"
	       : err == -EBUSY ? "too many numbers are being looked up"
			       : "out of memory";
}

void app_lookup(void *ctx, struct control_request *req, const json_t *params)
{
	const char *node = app_text_param(params, "node");
	struct app *a = ctx;
	struct app_asker *w = free_asker(a);
	int err;

	if (!node) {
		app_bad_params(req, "name a node by its number");
		return;
	}
	if (!w) {
		app_refuse(req, app_lookup_trouble(-EBUSY));
		return;
	}
	*w = (struct app_asker){ .app = a, .req = req, .used = true };
	err = lookup_io_ask(a->numbers, node, LOOKUP_ALL | LOOKUP_FRESH,
			    on_answer, w);
	if (err == 0)
		return;
	w->used = false;
	app_refuse(req, app_lookup_trouble(err));
}

void app_lookup_cancel(struct app *a, const struct control_request *req)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (a->asker[i].req == req)
			a->asker[i].req = NULL;
	}
}

/* --- for the status ----------------------------------------------------- */

static json_t *file_json(const struct app *a)
{
	const struct extnodes_io *file = lookup_io_file(a->numbers);
	const struct extnodes *x = lookup_io_table(a->numbers);
	const char *trouble = file ? extnodes_io_trouble(file) : NULL;

	if (!file)
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:o, s:s?, s:o}", "file",
			 a->conf.lookup.extnodes, "nodes",
			 (json_int_t)extnodes_count(x), "bad_lines",
			 (json_int_t)extnodes_bad(x), "age_s",
			 x ? json_integer((json_int_t)time(NULL) -
					  (json_int_t)extnodes_io_written(file))
			   : json_null(),
			 "trouble", trouble, "fetch", app_fetch_json(a));
}

json_t *app_lookup_json(const struct app *a)
{
	const struct lookup_counters *c = lookup_io_counters(a->numbers);

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
			 "domain", a->conf.lookup.domain, "asked",
			 (json_int_t)c->asked, "kept", (json_int_t)c->kept,
			 "found", (json_int_t)c->found, "absent",
			 (json_int_t)c->absent, "failed", (json_int_t)c->failed,
			 "refused", (json_int_t)c->refused, "questions",
			 (json_int_t)c->questions, "extnodes", file_json(a));
}
