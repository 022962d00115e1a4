/* SPDX-License-Identifier: MIT */

/* The registrar's control socket: its methods (JSON-RPC). */

#include <stdio.h>

#include "daemon/io/log.h"
#include "daemon/registrar/server_priv.h"

static size_t count_online(const struct server *s)
{
	struct oo_directory *dir = oo_registrar_directory(s->registrar);
	const mono_us now = loop_now();
	size_t n = 0;

	for (size_t i = 0; i < oo_directory_max(dir); i++)
		n += oo_registrar_is_online(s->registrar,
					    oo_directory_at(dir, i), now);
	return n;
}

static size_t plain_online(const struct oo_plains *plains)
{
	const mono_us now = loop_now();
	size_t n = 0;

	for (size_t i = 0; i < oo_plains_count(plains); i++)
		n += oo_plain_is_online(oo_plains_at(plains, i), now);
	return n;
}

static void do_status(void *ctx, struct control_request *req,
		      const json_t *params)
{
	const struct server *s = ctx;
	const struct oo_registrar_counters *n =
		oo_registrar_counters(s->registrar);
	struct oo_directory *dir = oo_registrar_directory(s->registrar);
	const struct oo_plains *plains = oo_registrar_plains(s->registrar);
	json_t *counters = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
		" s:I, s:I}",
		"rx", (json_int_t)n->rx, "malformed", (json_int_t)n->malformed,
		"not_ours", (json_int_t)n->not_ours, "limited",
		(json_int_t)n->limited, "forged", (json_int_t)n->forged,
		"replayed", (json_int_t)n->replayed, "token_bad",
		(json_int_t)n->token_bad, "refused", (json_int_t)n->refused,
		"registered", (json_int_t)n->registered, "pings",
		(json_int_t)n->pings, "moves", (json_int_t)n->moves,
		"auth_failed", (json_int_t)n->auth_failed, "auth_limited",
		(json_int_t)n->auth_limited, "oversize",
		(json_int_t)udp_counters(s->udp)->rx_oversize);

	(void)params;
	control_reply(
		req,
		json_pack("{s:s, s:I, s:I, s:I, s:f, s:{s:I, s:I}, "
			  "s:{s:I, s:I, s:I}, s:o, s:o, s:o, s:o, s:o}",
			  "version", KEYHOLE_VERSION, "uptime_s",
			  (json_int_t)((loop_now() - s->started) / MONO_S),
			  "nodes", (json_int_t)oo_directory_count(dir),
			  "online", (json_int_t)count_online(s), "pings_per_s",
			  s->pings_per_s, "plain", "clients",
			  (json_int_t)oo_plains_count(plains), "online",
			  (json_int_t)plain_online(plains), "opens", "now",
			  (json_int_t)oo_registrar_opens(s->registrar), "asked",
			  (json_int_t)n->opens, "accepted",
			  (json_int_t)n->opens_ok, "relay",
			  relay_io_json(s->relay), "counters", counters,
			  "cluster", cluster_status(s->cluster), "https",
			  web_json(s->web), "dns", zone_server_json(s->dns)));
}

/* The command line has changed the directory and does not want to wait. */
static void do_refresh(void *ctx, struct control_request *req,
		       const json_t *params)
{
	struct server *s = ctx;
	char why[DIRECTORY_WHY_MAX], text[DIRECTORY_WHY_MAX + 48];

	(void)params;
	if (server_refresh(s, why) == 0) {
		control_reply(req, json_object());
		return;
	}
	(void)snprintf(text, sizeof(text),
		       "the directory cannot be read just now: %s", why);
	control_fail(req, CONTROL_REFUSED, text, NULL);
}

static void do_trace(void *ctx, struct control_request *req,
		     const json_t *params)
{
	struct server *s = ctx;

	(void)params;
	s->trace = (struct trace){ .udp = s->udp, .control = s->control };
	trace_start(&s->trace, req);
}

int server_control_open(struct server *s, char why[CONTROL_WHY_MAX])
{
	static const struct control_method methods[] = {
		{ "status", do_status },
		{ "refresh", do_refresh },
		{ "trace", do_trace },
		{ NULL, NULL },
	};
	const struct control_cfg cfg = {
		.path = s->conf->control.socket,
		.group = s->conf->control.group,
		.methods = methods,
		.ctx = s,
	};
	const int err = control_open(&s->control, s->base, &cfg, why);

	if (err == 0 && why[0] != '\0')
		log_warning("%s", why);
	return err;
}
