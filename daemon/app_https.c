/* SPDX-License-Identifier: MIT */

#include "daemon/app_https.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/addr.h"
#include "daemon/io/asl_json.h"
#include "daemon/io/https.h"
#include "daemon/io/keyfile.h"
#include "daemon/io/log.h"
#include "daemon/io/notify.h"
#include "proto/asl_reg.h"
#include "proto/iax2_reg.h"

/* A registrar; app.registrar[] has it at the same place. */
struct one {
	bool used;
	struct asl_reg reg;
	char url[CONF_URL_MAX + 1];
	char user[CONF_USERNAME_MAX + 1];
	char secret[IAX2_REG_SECRET_MAX + 2];
	char why[HTTPS_WHY_MAX]; /* what the transport says of the trouble */
	uint64_t posts;
	uint64_t cut; /* answers that were too long */
};

struct app_https {
	struct app *app;
	struct https *https;
	struct loop_timer timer;
	struct one one[CONF_REGISTRARS_MAX];
};

static void system_random(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

static const char *host_of(const struct app_https *h, const struct one *o)
{
	return h->app->conf.registrars[o - h->one].host;
}

static void arm(struct app_https *h)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < CONF_REGISTRARS_MAX; i++) {
		if (h->one[i].used)
			due = mono_min(due, asl_reg_deadline(&h->one[i].reg));
	}
	loop_timer_set(&h->timer, due);
}

/* --- what the machine wants --------------------------------------------- */

static const char *why_text(const struct one *o)
{
	return o->why[0] != '\0' ? o->why
				 : asl_reg_trouble_text(o->reg.trouble);
}

static void say(struct app_https *h, const struct one *o, const char *what)
{
	const char *why = o->reg.trouble == ASL_REG_OK ? "" : why_text(o);
	char addr[NET_ADDR_TEXT];

	net_addr_format(&o->reg.by_https, addr);
	control_publish(h->app->control, "event",
			json_pack("{s:s, s:s, s:s, s:s, s:o, s:I}", "event",
				  what, "registrar", host_of(h, o), "by",
				  "https", "apparent", addr, "why",
				  control_text(why), "t_us",
				  (json_int_t)loop_now()));
}

static void say_way(const struct app_https *h, const struct one *o)
{
	char by_https[NET_ADDR_TEXT], by_iax2[NET_ADDR_TEXT];

	if (o->reg.way == ASL_REG_BY_HTTPS) {
		LOG_LIMITED(loop_now(), LOG_INFO, "registrar %s: by HTTPS now",
			    host_of(h, o));
		return;
	}
	net_addr_format(&o->reg.by_https, by_https);
	net_addr_format(&o->reg.by_iax2, by_iax2);
	if (asl_reg_differs(&o->reg))
		LOG_LIMITED(
			loop_now(), LOG_INFO,
			"registrar %s: by IAX2, for HTTPS shows this node at "
			"%s and IAX2 at %s",
			host_of(h, o), by_https, by_iax2);
	else
		LOG_LIMITED(loop_now(), LOG_INFO, "registrar %s: by IAX2 now",
			    host_of(h, o));
}

static void say_change(struct app_https *h, const struct one *o,
		       unsigned change)
{
	const char *host = host_of(h, o);
	char addr[NET_ADDR_TEXT];

	net_addr_format(&o->reg.by_https, addr);
	if (change & ASL_REG_CHANGE_UP) {
		LOG_EVENT(loop_now(), LOG_INFO, "registered",
			  "registered with %s by HTTPS as %s", host, addr);
		notify_status("registered with %s as %s", host, addr);
		say(h, o, "registered");
	}
	if (change & ASL_REG_CHANGE_TROUBLE) {
		LOG_EVENT(loop_now(), LOG_WARNING, "trouble",
			  "registrar %s: HTTPS: %s", host, why_text(o));
		say(h, o, "trouble");
	}
	if (change & ASL_REG_CHANGE_DOWN) {
		LOG_EVENT(loop_now(), LOG_WARNING, "unregistered",
			  "no longer registered with %s", host);
		notify_status("not registered with %s", host);
		say(h, o, "unregistered");
	}
	if ((change & ASL_REG_CHANGE_APPARENT) && asl_reg_differs(&o->reg) &&
	    o->reg.way == ASL_REG_BY_HTTPS)
		LOG_EVENT(loop_now(), LOG_WARNING, "apparent",
			  "%s sees this node at %s by HTTPS; calls come from "
			  "another address: see registrars[].warning",
			  host, addr);
}

/* Returns what comes of it when that is known already. */
static unsigned post(struct app_https *h, struct one *o)
{
	char body[ASL_JSON_QUESTION_MAX];
	const struct https_question q = { .url = o->url,
					  .body = body,
					  .tag = (unsigned)(o - h->one) };
	const struct asl_reg_answer none = { .status = 0 };
	int err = -EMSGSIZE;

	if (asl_json_question(body, sizeof(body), o->user, o->secret,
			      h->app->conf.iax2.port) > 0)
		err = https_ask(h->https, &q);
	key_wipe(body, sizeof(body));
	o->posts++;
	if (err == 0)
		return 0;
	(void)snprintf(o->why, sizeof(o->why), "it cannot be asked: %s",
		       strerror(-err));
	return asl_reg_answered(&o->reg, &none, loop_now());
}

static void apply(struct app_https *h, struct one *o, unsigned change)
{
	const size_t i = (size_t)(o - h->one);

	while (change != 0 && !h->app->stopping) {
		if (change & ASL_REG_CHANGE_WAY) {
			say_way(h, o);
			oo_node_registrar_hold(node_openover(h->app->node), i,
					       o->reg.way == ASL_REG_BY_HTTPS,
					       loop_now());
		}
		say_change(h, o, change);
		change = change & ASL_REG_CHANGE_POST ? post(h, o) : 0;
	}
}

/* Where another registrar sees the call socket. */
static unsigned look_elsewhere(struct app_https *h, struct one *o)
{
	const struct oo_reg *up = app_first_up(h->app);

	if (!up)
		return 0;
	return asl_reg_seen(&o->reg, &up->hole[OO_V4].apparent, loop_now());
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct app_https *h = ctx;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < CONF_REGISTRARS_MAX; i++) {
		struct one *o = &h->one[i];

		if (!o->used || loop_now() < asl_reg_deadline(&o->reg))
			continue;
		apply(h, o, look_elsewhere(h, o));
		apply(h, o, asl_reg_tick(&o->reg, loop_now()));
	}
	arm(h);
	app_pump(h->app);
}

/* --- answers ------------------------------------------------------------ */

static void explain(struct app_https *h, struct one *o,
		    const struct https_answer *a)
{
	o->why[0] = '\0';
	if (a->too_long) {
		o->cut++;
		(void)snprintf(o->why, sizeof(o->why),
			       "its answer is longer than %u octets",
			       HTTPS_ANSWER_MAX);
		LOG_LIMITED(loop_now(), LOG_WARNING,
			    "registrar %s: its answer is cut off after %u "
			    "octets",
			    host_of(h, o), HTTPS_ANSWER_MAX);
	} else if (a->status == 0) {
		(void)snprintf(o->why, sizeof(o->why), "%s", a->why);
	} else if (a->status >= 500 || (a->status >= 300 && a->status < 400)) {
		(void)snprintf(o->why, sizeof(o->why), "%s (HTTP %u)",
			       asl_reg_trouble_text(a->status >= 500
							    ? ASL_REG_BUSY
							    : ASL_REG_STRANGE),
			       a->status);
	}
}

static void on_answer(void *ctx, const struct https_answer *a)
{
	struct app_https *h = ctx;
	struct one *o = &h->one[a->tag];
	struct asl_reg_answer answer = { .status = a->status };

	explain(h, o, a);
	if (!a->too_long)
		asl_json_read_answer(a->text, a->len, h->app->conf.iax2.port,
				     &answer);
	apply(h, o, asl_reg_answered(&o->reg, &answer, loop_now()));
	apply(h, o, look_elsewhere(h, o));
	arm(h);
	app_pump(h->app);
}

/* --- what happens elsewhere --------------------------------------------- */

/* Another registrar may have seen us at another address. */
static void look_everywhere(struct app_https *h)
{
	for (size_t i = 0; i < CONF_REGISTRARS_MAX; i++) {
		if (h->one[i].used)
			apply(h, &h->one[i], look_elsewhere(h, &h->one[i]));
	}
	arm(h);
}

void app_https_event(struct app *a, const struct node_event *ev)
{
	const mono_us now = loop_now();
	struct one *o;

	if (!a->https || ev->registrar >= CONF_REGISTRARS_MAX)
		return;
	o = &a->https->one[ev->registrar];
	if (!o->used) {
		look_everywhere(a->https);
		return;
	}
	if (ev->kind == NODE_EV_REGISTERED || ev->kind == NODE_EV_APPARENT)
		apply(a->https, o, asl_reg_iax2_up(&o->reg, &ev->addr, now));
	else if (ev->kind == NODE_EV_TROUBLE)
		apply(a->https, o, asl_reg_iax2_failed(&o->reg, now));
	arm(a->https);
}

void app_https_no_address(struct app *a, size_t registrar)
{
	struct one *o;

	if (!a->https || !a->https->one[registrar].used)
		return;
	o = &a->https->one[registrar];
	apply(a->https, o, asl_reg_iax2_failed(&o->reg, loop_now()));
	arm(a->https);
}

void app_https_network_changed(struct app *a)
{
	struct app_https *h = a->https;

	for (size_t i = 0; h && i < CONF_REGISTRARS_MAX; i++) {
		if (h->one[i].used)
			apply(h, &h->one[i],
			      asl_reg_network_changed(&h->one[i].reg,
						      loop_now()));
	}
	if (h)
		arm(h);
}

/* --- status ------------------------------------------------------------- */

static const struct one *one_of(const struct app *a, size_t i)
{
	return a->https && a->https->one[i].used ? &a->https->one[i] : NULL;
}

bool app_https_warning(const struct app *a, size_t i,
		       char out[APP_HTTPS_WARNING_MAX])
{
	const struct one *o = one_of(a, i);
	char by_https[NET_ADDR_TEXT], by_iax2[NET_ADDR_TEXT];

	if (!o || !asl_reg_differs(&o->reg))
		return false;
	net_addr_format(&o->reg.by_https, by_https);
	net_addr_format(&o->reg.by_iax2, by_iax2);
	(void)snprintf(out, APP_HTTPS_WARNING_MAX,
		       "by HTTPS this node is seen at %s, but its calls come "
		       "from %s%s",
		       by_https, by_iax2,
		       o->reg.way == ASL_REG_BY_HTTPS
			       ? ": others cannot call it, or refuse its calls"
			       : "; so it registers by IAX2");
	return true;
}

void app_https_view(const struct app *a, size_t i, struct oo_registrar_view *v)
{
	const struct one *o = one_of(a, i);
	const struct asl_reg *g;

	if (!o || o->reg.way != ASL_REG_BY_HTTPS)
		return;
	g = &o->reg;
	v->up = asl_reg_is_up(g);
	v->state = v->up ? "registered" : g->asking ? "registering" : "waiting";
	v->apparent = g->by_https;
	v->apparent4 = g->by_https;
	v->rtt_us = g->rtt_us;
	v->last_ok = g->last_ok;
	(void)snprintf(v->why, sizeof(v->why), "%s",
		       g->trouble == ASL_REG_OK ? "" : why_text(o));
}

static json_t *addr_json(const struct net_addr *a)
{
	char text[NET_ADDR_TEXT];

	return net_addr_is_set(a) ? json_string(net_addr_format(a, text))
				  : json_null();
}

void app_https_status(const struct app *a, size_t i, json_t *registrar)
{
	const struct one *o = one_of(a, i);
	char warning[APP_HTTPS_WARNING_MAX];

	if (!o)
		return;
	(void)json_object_update_new(
		registrar,
		json_pack(
			"{s:s, s:o, s:o, s:o, s:o, s:I, s:I}", "by",
			o->reg.way == ASL_REG_BY_HTTPS ? "https" : "iax2",
			"apparent_https", addr_json(&o->reg.by_https),
			"apparent_iax2", addr_json(&o->reg.by_iax2), "warning",
			app_https_warning(a, i, warning) ? control_text(warning)
							 : json_null(),
			"https_why",
			control_text(o->reg.trouble == ASL_REG_OK
					     ? ""
					     : why_text(o)),
			"https_posts", (json_int_t)o->posts, "https_cut",
			(json_int_t)o->cut));
}

/* --- start and end ------------------------------------------------------ */

static int add(struct app_https *h, struct one *o,
	       const struct conf_registrar_ref *c, char why[CONTROL_WHY_MAX])
{
	const struct asl_reg_cfg cfg = {
		.choose = c->https == CONF_HTTPS_AUTO,
		.port = h->app->conf.iax2.port,
		.random = system_random,
	};
	const int err = keyfile_secret(c->secret_file, o->secret,
				       sizeof(o->secret), why);

	if (err != 0)
		return err;
	if (c->url[0] != '\0')
		(void)snprintf(o->url, sizeof(o->url), "%s", c->url);
	else if (snprintf(o->url, sizeof(o->url), "https://%s/", c->host) >=
		 (int)sizeof(o->url))
		return -EMSGSIZE;
	(void)snprintf(o->user, sizeof(o->user), "%s",
		       c->username[0] ? c->username : h->app->conf.node.number);
	asl_reg_init(&o->reg, &cfg, loop_now());
	o->used = true;
	if (o->reg.way == ASL_REG_BY_HTTPS)
		oo_node_registrar_hold(node_openover(h->app->node),
				       (size_t)(o - h->one), true, loop_now());
	return 0;
}

static int open_client(struct app_https *h, char why[CONTROL_WHY_MAX])
{
	const struct https_cfg cfg = {
		.ca_file = h->app->conf.https.ca_file,
		.interface = h->app->conf.iax2.interface,
		.bind4 = h->app->conf.iax2.bind4,
	};
	const int err = https_new(&h->https, h->app->base, &cfg, on_answer, h);

	(void)snprintf(why, CONTROL_WHY_MAX, "registration by HTTPS: %s",
		       err == -ELIBACC ? "libcurl3-gnutls is not installed"
				       : "out of memory");
	if (err != 0)
		return err;
	if (loop_timer_init(&h->timer, h->app->base, on_timer, h) != 0)
		return -ENOMEM;
	arm(h);
	return 0;
}

static bool is_wanted(const struct conf_node *c)
{
	for (size_t i = 0; i < c->registrars_n; i++) {
		if (c->registrars[i].https != CONF_HTTPS_NO)
			return true;
	}
	return false;
}

int app_https_open(struct app *a, char why[CONTROL_WHY_MAX])
{
	struct app_https *h;
	int err = 0;

	if (!is_wanted(&a->conf))
		return 0;
	h = calloc(1, sizeof(*h));
	if (!h) {
		(void)snprintf(why, CONTROL_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	h->app = a;
	a->https = h;
	for (size_t i = 0; err == 0 && i < a->conf.registrars_n; i++) {
		if (a->conf.registrars[i].https != CONF_HTTPS_NO)
			err = add(h, &h->one[i], &a->conf.registrars[i], why);
	}
	return err == 0 ? open_client(h, why) : err;
}

struct app_https *app_https_close(struct app_https *h)
{
	if (!h)
		return NULL;
	https_free(h->https);
	loop_timer_done(&h->timer);
	key_wipe(h->one, sizeof(h->one));
	free(h);
	return NULL;
}
