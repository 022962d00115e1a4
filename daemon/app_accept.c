/* SPDX-License-Identifier: MIT */

/* What has to be found out of callers before they are let in: where the node
 * of a number is, and whose a token of AllStarLink's web transceiver is. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app.h"
#include "daemon/io/https.h"
#include "daemon/io/log.h"

#define YES "OHYES" /* the callsign follows */

/* A caller, at the place that the node has it. */
struct asking {
	struct app *app;
	struct node_caller_id id;
};

struct app_accept {
	struct app *app;
	struct https *https; /* NULL: no accept.web_url */
	struct rate whose;   /* questions to it, which strangers cause */
	struct asking asking[NODE_WAITING_MAX];
};

static void answer(struct app *a, struct node_caller_id id,
		   const struct node_admission *what)
{
	node_admit(a->node, id, what, loop_now());
	app_pump(a);
}

/* Of a question. */
static unsigned tag_of(struct node_caller_id id)
{
	return (unsigned)id.slot << 16 | id.gen;
}

static struct node_caller_id id_of(unsigned tag)
{
	return (struct node_caller_id){ (uint16_t)(tag >> 16), (uint16_t)tag };
}

/* --- which key a number has ---------------------------------------------- */

static void on_key(void *ctx, uint32_t id, const uint8_t *key, const char *why)
{
	const struct node_admission what = { .key = key, .why = why };
	struct app_accept *c = ctx;

	answer(c->app, id_of(id), &what);
}

static void ask_key(struct app *a, const struct node_event *ev)
{
	struct node_admission what = { 0 };
	const struct lookup_key_wanted want = { tag_of(ev->caller), on_key,
						a->accept };
	const int err = lookup_io_key(a->numbers, ev->number, &want);

	if (err == 0)
		return;
	/* Of what DNS is not asked for, it has no key. */
	if (err != -EINVAL)
		what.why = app_lookup_trouble(err);
	node_admit(a->node, ev->caller, &what, loop_now());
}

/* --- where a number is -------------------------------------------------- */

/* The first that knows where: a registrar tells that to who dials only. */
static const struct lookup_said *first_said(const struct app *a,
					    const struct lookup_answer *n,
					    enum lookup_source *source)
{
	enum lookup_source s;

	for (size_t i = 0;
	     (s = lookup_io_source(a->numbers, i)) != LOOKUP_SOURCES; i++) {
		if (n->said[s].state != LOOKUP_FOUND || n->said[s].n == 0)
			continue;
		*source = s;
		return &n->said[s];
	}
	return NULL;
}

static void on_where(void *ctx, const struct lookup_answer *n)
{
	const struct asking *w = ctx;
	struct net_addr addr[LOOKUP_ADDRS + 1];
	struct node_admission what = { .addr = addr };
	enum lookup_source source = LOOKUP_SOURCES;
	const struct lookup_said *said = first_said(w->app, n, &source);
	char why[CONTROL_WHY_MAX];

	if (!said) {
		app_lookup_why(w->app, n, why);
		what.why = why;
		answer(w->app, w->id, &what);
		return;
	}
	what.configured = source == LOOKUP_NODES;
	memcpy(addr, said->addr, said->n * sizeof(addr[0]));
	what.n = said->n;
	if (net_addr_is_set(&said->from))
		addr[what.n++] = said->from;
	answer(w->app, w->id, &what);
}

/* What comes after the registrar is asked as well. */
static unsigned flags_for(const struct app *a)
{
	enum lookup_source s;

	for (size_t i = 0;
	     (s = lookup_io_source(a->numbers, i)) != LOOKUP_SOURCES; i++) {
		if (s == LOOKUP_REGISTRAR &&
		    lookup_io_source(a->numbers, i + 1) != LOOKUP_SOURCES)
			return LOOKUP_STRANGER | LOOKUP_ALL;
	}
	return LOOKUP_STRANGER;
}

static void ask_where(struct app *a, struct asking *w, const char *number)
{
	struct node_admission what = { 0 };
	int err;

	/* Who was there before is not waited for any more. */
	lookup_io_forget(a->numbers, w);
	err = lookup_io_ask(a->numbers, number, flags_for(a), on_where, w);
	if (err == 0)
		return;
	what.why = app_lookup_trouble(err);
	node_admit(a->node, w->id, &what, loop_now());
}

/* --- whose a token is --------------------------------------------------- */

static const char *answer_trouble(const struct https_answer *h)
{
	if (h->status == 0)
		return h->why;
	if (h->status != 200 || h->too_long)
		return "that web server does not answer as it should";
	if (strncmp(h->text, YES, strlen(YES)) != 0)
		return "its token is nobody's";
	return NULL;
}

static void on_whose(void *ctx, const struct https_answer *h)
{
	struct app_accept *c = ctx;
	const struct node_caller_id id = id_of(h->tag);
	char sign[NODE_CALLSIGN_MAX + 2] = "";
	struct node_admission what = { .why = answer_trouble(h),
				       .callsign = sign };

	if (!what.why)
		(void)snprintf(sign, sizeof(sign), "%.*s",
			       (int)strcspn(h->text + strlen(YES), " \r\n"),
			       h->text + strlen(YES));
	answer(c->app, id, &what);
}

static void ask_whose(struct app *a, const struct node_event *ev)
{
	struct node_admission what = { .why = "there is nobody to ask" };
	char url[HTTPS_URL_MAX + 1];
	const struct https_question q = { .url = url,
					  .tag = tag_of(ev->caller) };
	static const struct rate_limit often = { 60, 8 };
	const int len = snprintf(url, sizeof(url), "%s?%s",
				 a->conf.accept.web_url, ev->text);

	if (a->accept->https && len > 0 && (size_t)len < sizeof(url) &&
	    rate_take(&a->accept->whose, &often, loop_now()) &&
	    https_ask(a->accept->https, &q) == 0)
		return;
	if (a->accept->https)
		what.why = "too many tokens are being asked about";
	node_admit(a->node, ev->caller, &what, loop_now());
}

/* --- life --------------------------------------------------------------- */

void app_accept_event(struct app *a, const struct node_event *ev)
{
	struct asking *w = &a->accept->asking[ev->caller.slot];

	if (ev->kind == NODE_EV_WHOSE_TOKEN) {
		ask_whose(a, ev);
		return;
	}
	if (ev->kind == NODE_EV_WHICH_KEY) {
		ask_key(a, ev);
		return;
	}
	*w = (struct asking){ a, ev->caller };
	ask_where(a, w, ev->number);
}

int app_accept_open(struct app *a, char why[CONTROL_WHY_MAX])
{
	const struct https_cfg cfg = {
		.ca_file = a->conf.https.ca_file,
		.interface = a->conf.iax2.interface,
		.bind4 = a->conf.iax2.bind4,
	};
	int err = 0;

	a->accept = calloc(1, sizeof(*a->accept));
	if (!a->accept) {
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	a->accept->app = a;
	if (a->conf.accept.web_url[0] != '\0')
		err = https_new(&a->accept->https, a->base, &cfg, on_whose,
				a->accept);
	if (err != 0)
		(void)snprintf(why, CONTROL_WHY_MAX,
			       err == -ELIBACC
				       ? "accept.web_url needs libcurl, "
					 "which is not installed"
				       : "out of memory");
	return err;
}

struct app_accept *app_accept_close(struct app_accept *c)
{
	if (!c)
		return NULL;
	c->https = https_free(c->https);
	for (size_t i = 0; i < NODE_WAITING_MAX; i++) {
		if (c->asking[i].app)
			lookup_io_forget(c->app->numbers, &c->asking[i]);
	}
	free(c);
	return NULL;
}
