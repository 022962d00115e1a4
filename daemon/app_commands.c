/* SPDX-License-Identifier: MIT */

/* Functions: digits of the radio, of links and of the console become links,
 * their ends, and words about them. */

#include <stdio.h>
#include <string.h>

#include "daemon/app.h"
#include "daemon/io/log.h"

void app_commands_configure(struct app *a)
{
	const struct conf_node *conf = &a->conf;
	struct command_function f[CONF_FUNCTIONS_MAX];
	const struct command_cfg cfg = {
		.usual = conf->commands.usual,
		.functions = f,
		.n = conf->functions_n,
		.radio = conf->commands.radio,
		.links = conf->commands.links,
		.number_min = conf->commands.number_min,
		.number_max = conf->commands.number_max,
	};

	_Static_assert(CONF_DIGITS_MAX == COMMAND_DIGITS_MAX, "one size");
	_Static_assert((int)CONF_DOES_EVENT == (int)COMMAND_EVENT,
		       "one list of what there is");
	for (size_t i = 0; i < conf->functions_n; i++) {
		const struct conf_function *in = &conf->functions[i];

		memcpy(f[i].code, in->code, sizeof(f[i].code));
		memcpy(f[i].digits, in->digits, sizeof(f[i].digits));
		f[i].verb = (enum command_verb)in->does;
		f[i].links = in->links;
	}
	command_configure(&a->commands.machine, &cfg);
}

json_t *app_commands_json(const struct app *a)
{
	const struct command_counters *c = &a->commands.machine.counters;

	return json_pack("{s:I, s:I, s:I, s:I}", "done", (json_int_t)c->done,
			 "unknown", (json_int_t)c->unknown, "refused",
			 (json_int_t)c->refused, "limited",
			 (json_int_t)c->limited);
}

/* --- links -------------------------------------------------------------- */

static void say_of(struct app *a, const char *number, const char *what)
{
	char words[TELEMETRY_TEXT_MAX + 1];

	(void)snprintf(words, sizeof(words), "node %s %s", number, what);
	LOG_EVENT_OF(loop_now(), LOG_INFO, "function", number,
		     "function: node %s: %s", number, what);
	node_say(a->node, words, loop_now());
}

/* As app_rpt's nodes tell their conference, in whose name somebody may have
 * asked; who asked at the console has seen it. */
static void tell(struct app *a, const struct command *c, const char *word)
{
	if (c->from != COMMAND_CONSOLE)
		node_report(a->node, word, loop_now());
}

void app_commands_dialled(struct app *a, const struct app_lookup *what,
			  const char *outcome)
{
	char words[64];

	if (!what->function)
		return;
	if (outcome)
		say_of(a, what->number, outcome);
	if (!what->tell)
		return;
	if (!outcome)
		(void)snprintf(words, sizeof(words), "COMPLETE");
	else if (strcmp(outcome, "already-connected") == 0)
		(void)snprintf(words, sizeof(words), "REMALREADY");
	else if (strcmp(outcome, "not-found") == 0)
		(void)snprintf(words, sizeof(words), "REMNOTFOUND");
	else
		(void)snprintf(words, sizeof(words), "CONNFAIL,%s",
			       what->number);
	node_report(a->node, words, loop_now());
}

static void dial(struct app *a, struct app_lookup *what, const char *number)
{
	const size_t n = strlen(number);
	struct node_link_info l;

	if (n == 0 || n >= sizeof(what->number))
		return;
	what->function = true;
	memcpy(what->number, number, n + 1);
	if (app_link_by_number(a, number, &l) && l.mode == what->mode &&
	    l.permanent == what->permanent)
		app_commands_dialled(a, what, "already-connected");
	else
		app_dial(a, NULL, what);
}

/* A link that is to stay is ended by the function for such links only. */
static void hang_up(struct app *a, const struct command *c)
{
	const bool permanent = c->verb == COMMAND_DISCONNECT_PERMANENT;
	struct node_link_info l;

	if (!app_link_by_number(a, c->number, &l)) {
		say_of(a, c->number, "not-connected");
		return;
	}
	if (l.permanent && !permanent)
		say_of(a, c->number, "permanent");
	else
		(void)node_disconnect(a->node, c->number, loop_now());
	tell(a, c, "COMPLETE");
}

static void all_off(struct app *a)
{
	struct app_commands *m = &a->commands;
	struct node_link_info l;
	size_t n = 0;

	for (size_t i = 0; i < node_links_max(a->node); i++) {
		/* Who called us calls again if he likes; what is to stay is
		 * ours, whoever called last. */
		if (!node_link_at(a->node, i, &l) ||
		    (!l.outbound && !l.permanent) || l.number[0] == '\0' ||
		    n == APP_ENDED_MAX ||
		    strlen(l.number) >= sizeof(m->ended[n].number))
			continue;
		memcpy(m->ended[n].number, l.number, strlen(l.number) + 1);
		m->ended[n].mode = l.mode;
		m->ended[n++].permanent = l.permanent;
	}
	/* Twice in a row is not to forget them. */
	if (n > 0)
		m->ended_n = n;
	(void)node_disconnect(a->node, NULL, loop_now());
}

static void restore(struct app *a)
{
	const struct app_commands *m = &a->commands;

	for (size_t i = 0; i < m->ended_n; i++) {
		struct app_lookup what = { .mode = m->ended[i].mode,
					   .permanent = m->ended[i].permanent };

		dial(a, &what, m->ended[i].number);
	}
}

/* --- functions ---------------------------------------------------------- */

static void command_mode(struct app *a, const struct command *c)
{
	say_of(a, c->number, "command-mode");
	tell(a, c, "REMGO");
}

static void on_node(struct app *a, const struct command *c)
{
	static const struct {
		enum node_mode mode;
		bool permanent;
	} as[COMMAND_VERBS] = {
		[COMMAND_MONITOR] = { NODE_MONITOR, false },
		[COMMAND_CONNECT] = { NODE_TRANSCEIVE, false },
		[COMMAND_LOCAL_MONITOR] = { NODE_LOCAL_MONITOR, false },
		[COMMAND_PERMANENT_MONITOR] = { NODE_MONITOR, true },
		[COMMAND_PERMANENT_CONNECT] = { NODE_TRANSCEIVE, true },
		[COMMAND_PERMANENT_LOCAL_MONITOR] = { NODE_LOCAL_MONITOR,
						      true },
	};
	struct app_lookup what = { .mode = as[c->verb].mode,
				   .permanent = as[c->verb].permanent,
				   .tell = c->from != COMMAND_CONSOLE };

	if (c->number[0] == '\0')
		node_say(a->node, "no-links", loop_now());
	else if (c->verb == COMMAND_DISCONNECT ||
		 c->verb == COMMAND_DISCONNECT_PERMANENT)
		hang_up(a, c);
	else if (c->verb == COMMAND_REMOTE)
		command_mode(a, c);
	else
		dial(a, &what, c->number);
}

static void publish(struct app *a, const struct command *c)
{
	static const char *const from[] = { [COMMAND_RADIO] = "radio",
					    [COMMAND_LINK] = "link",
					    [COMMAND_CONSOLE] = "console" };

	LOG_EVENT(loop_now(), LOG_INFO, "function",
		  "function %s: %s %s, by %s%s%s", c->code,
		  command_verb_text(c->verb), c->number, from[c->from],
		  c->who[0] != '\0' ? " " : "", c->who);
	app_publish(a, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "event",
				 "function", "does", command_verb_text(c->verb),
				 "code", c->code, "number", c->number, "from",
				 from[c->from], "who", control_text(c->who)));
}

static void carry_out(struct app *a, const struct command *c)
{
	const char digit[] = { c->digit, '\0' };

	if (c->from != COMMAND_LINK)
		a->commands.used = loop_now();
	if (c->verb == COMMAND_DIGIT) {
		if (node_command(a->node, c->number, digit, loop_now()) !=
		    IAX2_OK)
			LOG_EVENT_OF(loop_now(), LOG_INFO, "function",
				     c->number,
				     "function: a digit for node %s found no "
				     "room",
				     c->number);
		return;
	}
	publish(a, c);
	if (command_takes_node(c->verb))
		on_node(a, c);
	else if (c->verb == COMMAND_ALL_OFF)
		all_off(a);
	else if (c->verb == COMMAND_RESTORE)
		restore(a);
	else if (c->verb == COMMAND_PARROT_ON || c->verb == COMMAND_PARROT_OFF)
		node_parrot(a->node, c->verb == COMMAND_PARROT_ON);
	app_telemetry_function(a, c);
}

static void carry_out_all(struct app *a)
{
	struct command c;

	while (command_next(&a->commands.machine, &c))
		carry_out(a, &c);
}

/* --- digits ------------------------------------------------------------- */

void app_commands_event(struct app *a, const struct node_event *ev)
{
	struct commands *m = &a->commands.machine;
	const mono_us now = loop_now();

	if (ev->kind == NODE_EV_RADIO_DTMF)
		command_digit(m, COMMAND_RADIO, "", ev->digit, now);
	else if (ev->kind == NODE_EV_DTMF)
		command_digit(m, COMMAND_LINK, ev->number, ev->digit, now);
	else if (ev->kind == NODE_EV_LINK_UP)
		command_last(m, ev->number);
	else if (ev->kind == NODE_EV_TALKER && ev->on)
		memcpy(a->commands.keyed, ev->number, sizeof(ev->number));
	else
		return;
	carry_out_all(a);
}

void app_function(void *ctx, struct control_request *req, const json_t *params)
{
	const char *digits = app_text_param(params, "digits");
	struct app *a = ctx;

	if (!digits) {
		app_bad_params(req, "digits are missing");
		return;
	}
	if (command_digits(&a->commands.machine, digits, loop_now()))
		control_reply(req, json_object());
	else
		app_refuse(req, "a function has 1 to 32 digits, each one of "
				"0-9, A-D, * and #");
	carry_out_all(a);
	app_pump(a);
}

void app_commands_tick(struct app *a, mono_us now)
{
	command_tick(&a->commands.machine, now);
	carry_out_all(a);
}

mono_us app_commands_deadline(const struct app *a)
{
	return command_deadline(&a->commands.machine);
}
