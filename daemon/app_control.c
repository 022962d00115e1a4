/* SPDX-License-Identifier: MIT */

/* The control socket's methods (JSON-RPC); what they are called and what they
 * answer stays put.  "connect" has its own file, app_connect.c. */

#include <stdio.h>

#include "daemon/app.h"

const char *app_text_param(const json_t *params, const char *name)
{
	return json_string_value(json_object_get(params, name));
}

void app_bad_params(struct control_request *req, const char *what)
{
	control_fail(req, CONTROL_BAD_PARAMS, what, NULL);
}

void app_refuse(struct control_request *req, const char *why)
{
	control_fail(req, CONTROL_REFUSED, why, NULL);
}

/* --- simple ones -------------------------------------------------------- */

static void do_status(void *ctx, struct control_request *req,
		      const json_t *params)
{
	(void)params;
	control_reply(req, app_status(ctx));
}

static void do_version(void *ctx, struct control_request *req,
		       const json_t *params)
{
	(void)ctx;
	(void)params;
	control_reply(req, json_pack("{s:s}", "version", KEYHOLE_VERSION));
}

static void do_doctor(void *ctx, struct control_request *req,
		      const json_t *params)
{
	(void)params;
	app_doctor_ask(ctx, req);
}

static void do_events(void *ctx, struct control_request *req,
		      const json_t *params)
{
	(void)ctx;
	(void)params;
	control_subscribe(req);
	control_reply(req, json_pack("{s:b}", "subscribed", 1));
}

static void do_trace(void *ctx, struct control_request *req,
		     const json_t *params)
{
	struct app *a = ctx;

	(void)params;
	a->trace = (struct trace){ .udp = a->udp, .control = a->control };
	trace_start(&a->trace, req);
}

static void do_reload(void *ctx, struct control_request *req,
		      const json_t *params)
{
	json_t *restart = json_array();
	char why[CONTROL_WHY_MAX];

	(void)params;
	if (app_reload(ctx, restart, why) != 0)
		app_refuse(req, why);
	else
		control_reply(req, json_pack("{s:O}", "restart", restart));
	json_decref(restart);
	app_pump(ctx);
}

static void do_sim_play(void *ctx, struct control_request *req,
			const json_t *params)
{
	struct app *a = ctx;
	char why[RADIO_WHY_MAX];

	if (radio_io_sim_play(a->radio, app_text_param(params, "file"), why) !=
	    0)
		app_refuse(req, why);
	else
		control_reply(req, json_object());
}

static void do_sim_cor(void *ctx, struct control_request *req,
		       const json_t *params)
{
	const json_t *on = json_object_get(params, "on");
	struct app *a = ctx;

	if (!json_is_boolean(on))
		app_bad_params(req, "on must be true or false");
	else if (radio_io_sim_cor(a->radio, json_is_true(on)) != 0)
		app_refuse(req, "this node has no sim radio");
	else
		control_reply(req, json_object());
}

static void do_dtmf(void *ctx, struct control_request *req,
		    const json_t *params)
{
	const char *digits = app_text_param(params, "digits");
	struct app *a = ctx;
	enum iax2_err err;

	if (!digits) {
		app_bad_params(req, "digits are missing");
		return;
	}
	err = node_dtmf(a->node, digits, loop_now());
	if (err == IAX2_E_RANGE)
		app_refuse(req, "a digit is one of 0-9, A-D, * and #");
	else if (err != IAX2_OK)
		app_refuse(req, "too many digits are waiting to be sent");
	else
		control_reply(req, json_object());
	app_pump(a);
}

static void do_disconnect(void *ctx, struct control_request *req,
			  const json_t *params)
{
	const bool all = json_is_true(json_object_get(params, "all"));
	const char *number = app_text_param(params, "node");
	struct app *a = ctx;
	char why[CONTROL_WHY_MAX];
	size_t n;

	if (!all && !number) {
		app_bad_params(req, "name a node, or all");
		return;
	}
	n = node_disconnect(a->node, all ? NULL : number, loop_now());
	if (n == 0 && !all) {
		(void)snprintf(why, sizeof(why),
			       "there is no link to node %.32s", number);
		app_refuse(req, why);
	} else {
		control_reply(req, json_pack("{s:i}", "ended", (int)n));
	}
	app_pump(a);
}

void app_control_tick(struct app *a, mono_us now)
{
	app_doctor_tick(a, now);
	app_connect_tick(a, now);
	app_levels_tick(a, now);
	app_commands_tick(a, now);
}

mono_us app_control_deadline(const struct app *a)
{
	const mono_us due =
		mono_min(app_levels_deadline(a), app_commands_deadline(a));

	return mono_min(
		due, mono_min(app_doctor_deadline(a), app_connect_deadline(a)));
}

static void on_cancelled(void *ctx, struct control_request *req)
{
	struct app *a = ctx;

	app_connect_cancel(a, req);
	app_levels_cancel(a, req);
	app_lookup_cancel(a, req);
	app_text_cancel(a, req);
	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (a->doctor[i].req == req)
			a->doctor[i].req = NULL;
	}
}

int app_control_open(struct app *a, char why[CONTROL_WHY_MAX])
{
	static const struct control_method methods[] = {
		{ "status", do_status },
		{ "version", do_version },
		{ "connect", app_connect },
		{ "lookup", app_lookup },
		{ "disconnect", do_disconnect },
		{ "dtmf", do_dtmf },
		{ "who", app_who },
		{ "nodes", app_nodes },
		{ "message", app_message },
		{ "command", app_command },
		{ "function", app_function },
		{ "events", do_events },
		{ "doctor", do_doctor },
		{ "levels", app_levels },
		{ "levels.get", app_levels_get },
		{ "levels.set", app_levels_set },
		{ "levels.keep", app_levels_keep },
		{ "levels.tone", app_levels_tone },
		{ "reload", do_reload },
		{ "sim.play", do_sim_play },
		{ "sim.cor", do_sim_cor },
		{ "trace", do_trace },
		{ NULL, NULL },
	};
	const struct control_cfg cfg = {
		.path = a->conf.control.socket,
		.group = a->conf.control.group,
		.methods = methods,
		.ctx = a,
		.cancelled = on_cancelled,
	};

	return control_open(&a->control, a->base, &cfg, why);
}
