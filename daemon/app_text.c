/* SPDX-License-Identifier: MIT */

/* Text between nodes, as the console sees it: who is where in the conference,
 * whose radio is keyed, words and commands for other nodes. */

#include <string.h>

#include "daemon/app.h"

/* --- JSON --------------------------------------------------------------- */

static const char *mode_text(enum asl_mode mode)
{
	switch (mode) {
	case ASL_TRANSCEIVED:
		return "transceive";
	case ASL_MONITORED:
		return "monitor";
	case ASL_CONNECTING:
		break;
	}
	return "connecting";
}

json_t *app_behind_json(const struct asl_list *list)
{
	json_t *nodes = json_array();
	struct asl_entry e;
	size_t at = 0;

	while (asl_list_next(list, &at, &e))
		(void)json_array_append_new(
			nodes, json_pack("{s:s, s:s}", "node", e.name, "mode",
					 mode_text(e.mode)));
	return nodes;
}

json_t *app_answers_json(const struct app *a)
{
	const struct node_answer *answer;
	const size_t n = node_answers(a->node, &answer);
	json_t *nodes = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(
			nodes,
			json_pack("{s:s, s:b, s:I}", "node", answer[i].number,
				  "keyed", (int)answer[i].keyed, "seconds",
				  (json_int_t)answer[i].seconds));
	return nodes;
}

json_t *app_text_counters(const struct app *a)
{
	const struct node_text_counters *c = node_text_counters(a->node);
	json_t *malformed = json_object();

	for (int k = 0; k < ASL_KINDS; k++)
		(void)json_object_set_new(
			malformed, asl_kind_text((enum asl_kind)k),
			json_integer((json_int_t)c->malformed[k]));
	return json_pack("{s:o, s:I, s:I, s:I, s:I}", "malformed", malformed,
			 "unknown", (json_int_t)c->unknown, "limited",
			 (json_int_t)c->limited, "looped",
			 (json_int_t)c->looped, "unsent",
			 (json_int_t)c->unsent);
}

/* --- who ---------------------------------------------------------------- */

void app_who(void *ctx, struct control_request *req, const json_t *params)
{
	struct app *a = ctx;
	size_t i = 0;

	(void)params;
	while (i < APP_WAITERS && a->who[i])
		i++;
	if (i == APP_WAITERS) {
		app_refuse(req, "too many consoles wait already");
		return;
	}
	a->who[i] = req;
	/* Whoever asks while the nodes are asked hears the same. */
	(void)node_ask(a->node, loop_now());
	app_pump(a);
}

void app_text_answered(struct app *a)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		struct control_request *req = a->who[i];

		a->who[i] = NULL;
		if (req)
			control_reply(req, json_pack("{s:o}", "nodes",
						     app_answers_json(a)));
	}
}

void app_text_cancel(struct app *a, const struct control_request *req)
{
	for (size_t i = 0; i < APP_WAITERS; i++) {
		if (a->who[i] == req)
			a->who[i] = NULL;
	}
}

/* --- words and commands ------------------------------------------------- */

void app_message(void *ctx, struct control_request *req, const json_t *params)
{
	const bool all = json_is_true(json_object_get(params, "all"));
	const char *number = app_text_param(params, "node");
	const char *text = app_text_param(params, "text");
	struct app *a = ctx;

	if (!text || (!all && !number))
		app_bad_params(req, "name a node, or all, and a text");
	else if (node_message(a->node, all ? NULL : number, text, loop_now()) !=
		 IAX2_OK)
		app_refuse(req, "a message is for a node's number and has 1 to "
				"about 140 octets on one line");
	else
		control_reply(req, json_object());
	app_pump(a);
}

void app_command(void *ctx, struct control_request *req, const json_t *params)
{
	const char *number = app_text_param(params, "node");
	const char *digits = app_text_param(params, "digits");
	struct app *a = ctx;
	enum iax2_err err;

	if (!number || !digits) {
		app_bad_params(req, "name a node and digits");
		return;
	}
	err = node_command(a->node, number, digits, loop_now());
	if (err == IAX2_E_RANGE)
		app_refuse(req, "digits are 0-9, A-D, * and #, for another "
				"node's number");
	else if (err != IAX2_OK)
		app_refuse(req, "other digits are on their way");
	else
		control_reply(req, json_object());
	/* What the other node says to it is of interest. */
	if (err == IAX2_OK)
		a->commands.used = loop_now();
	app_pump(a);
}
