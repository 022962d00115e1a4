/* SPDX-License-Identifier: MIT */

/* What is said on the air: links that come and go, and what functions ask
 * for.  Links that ask are answered by text. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/app.h"
#include "daemon/node/told.h"

#define TOLD_US (120 * MONO_S) /* that what others tell is of interest */

static void add(char *out, size_t size, const char *before, const char *text,
		const char *after)
{
	const size_t n = strlen(out);

	if (n + strlen(before) + strlen(text) + strlen(after) < size)
		(void)snprintf(out + n, size - n, "%s%s%s", before, text,
			       after);
}

struct telemetry_cfg app_telemetry(const struct app *a,
				   const struct conf_node *conf)
{
	const enum conf_radio radio =
		a->node ? a->conf.radio.type : conf->radio.type;
	const enum conf_switch on = conf->telemetry.announce;
	struct telemetry_cfg out = {
		.announce = on == CONF_SWITCH_ON ||
			    (on == CONF_SWITCH_AUTO && radio != CONF_RADIO_SIM),
		.sounds = a->sounds.v,
		.sounds_n = a->sounds.n,
		.wpm = conf->telemetry.wpm,
		.hz = conf->telemetry.hz,
		.tone_db = conf->telemetry.tone_db,
		.duck_db = conf->telemetry.duck_db,
		.id_interval_s = conf->id.interval_s,
		.id_late_s = conf->id.late_s,
	};

	/* Nobody hears it. */
	if (radio == CONF_RADIO_NONE)
		return (struct telemetry_cfg){ .wpm = out.wpm,
					       .hz = out.hz,
					       .tone_db = out.tone_db };
	for (const char *c = conf->id.text; *c; c++) {
		const char text[] = { *c, '\0' };
		const bool first = c == conf->id.text || c[-1] == ' ';

		add(out.id, sizeof(out.id),
		    first && *c != ' ' && !conf->id.speech ? "=" : "", text,
		    "");
	}
	return out;
}

json_t *app_telemetry_json(const struct app *a)
{
	const struct telemetry *t = node_telemetry(a->node);

	return json_pack("{s:b, s:I, s:I, s:I}", "announce",
			 (int)t->cfg.announce, "said", (json_int_t)t->said,
			 "identified", (json_int_t)t->ids, "dropped",
			 (json_int_t)t->dropped);
}

/* --- links -------------------------------------------------------------- */

static void announce(struct app *a, const char *number, const char *what)
{
	/* Strangers who come and go do not keep the transmitter keyed. */
	static const struct rate_limit often = { 6, 6 };
	char words[TELEMETRY_TEXT_MAX + 1];

	if (number[0] == '\0' ||
	    !rate_take(&a->commands.announced, &often, loop_now()))
		return;
	(void)snprintf(words, sizeof(words), "node %s %s", number, what);
	node_say(a->node, words, loop_now());
}

static bool others_are_heard(const struct app *a)
{
	const mono_us used = a->commands.used;

	switch (a->conf.telemetry.others) {
	case CONF_OTHERS_OFF:
		break;
	case CONF_OTHERS_ASKED:
		return used != 0 && loop_now() < used + TOLD_US;
	case CONF_OTHERS_ON:
		return true;
	}
	return false;
}

/* It comes from anybody in the conference. */
static void announce_told(struct app *a, const struct node_event *ev)
{
	static const struct rate_limit often = { 6, 6 };
	char words[TELEMETRY_TEXT_MAX + 1];

	if (others_are_heard(a) &&
	    told_words(ev->number, ev->text, a->conf.node.number, words) &&
	    rate_take(&a->commands.told, &often, loop_now()))
		node_say(a->node, words, loop_now());
}

void app_telemetry_event(struct app *a, const struct node_event *ev)
{
	struct node_link_info l;

	if (ev->kind == NODE_EV_LINK_UP && node_link(a->node, ev->link, &l))
		announce(a, ev->number,
			 l.mode == NODE_TRANSCEIVE ? "connected"
						   : "monitoring");
	else if (ev->kind == NODE_EV_LINK_DOWN &&
		 !node_link(a->node, ev->link, &l))
		announce(a, ev->number,
			 ev->refused ? "failed" : "disconnected");
	else if (ev->kind == NODE_EV_TOLD)
		announce_told(a, ev);
}

/* --- functions ---------------------------------------------------------- */

static void say_links(struct app *a, bool all)
{
	char words[TELEMETRY_TEXT_MAX + 1] = "";
	struct node_link_info l;
	struct asl_list behind;

	for (size_t i = 0; i < node_links_max(a->node); i++) {
		struct asl_entry e;
		size_t at = 0;

		if (!node_link_at(a->node, i, &l) || l.number[0] == '\0' ||
		    l.state != NODE_LINK_UP)
			continue;
		add(words, sizeof(words), " node ", l.number,
		    l.mode == NODE_TRANSCEIVE ? " connected" : " monitoring");
		if (!all || !node_link_behind(a->node, l.id, &behind))
			continue;
		while (asl_list_next(&behind, &at, &e))
			add(words, sizeof(words), " ", e.name, "");
	}
	node_say(a->node, words[0] ? words : "no-links", loop_now());
}

static void report_links(struct app *a)
{
	char words[ASL_PAYLOAD_MAX + 1] = ""; /* what is too many is left out */
	struct node_link_info l;

	(void)snprintf(words, sizeof(words), "STATUS,%s,0",
		       a->conf.node.number);
	for (size_t i = 0; i < node_links_max(a->node); i++) {
		if (!node_link_at(a->node, i, &l) || l.number[0] == '\0')
			continue;
		add(words, sizeof(words),
		    l.state != NODE_LINK_UP     ? ",C"
		    : l.mode == NODE_TRANSCEIVE ? ",T"
		    : l.mode == NODE_MONITOR    ? ",R"
						: ",L",
		    l.number, "");
	}
	node_report(a->node, words, loop_now());
}

static void say_time(struct app *a)
{
	const time_t clock = time(NULL);
	char words[TELEMETRY_TEXT_MAX + 1];
	struct tm tm;

	if (localtime_r(&clock, &tm) &&
	    strftime(words, sizeof(words), "time-is %H %M", &tm) > 0)
		node_say(a->node, words, loop_now());
}

static void report(struct app *a, const struct command *c)
{
	char words[64];

	if (c->verb == COMMAND_STATUS || c->verb == COMMAND_FULL_STATUS) {
		report_links(a);
	} else if (c->verb == COMMAND_TIME) {
		(void)snprintf(words, sizeof(words), "STATS_TIME,%lld",
			       (long long)time(NULL));
		node_report(a->node, words, loop_now());
	} else if (c->verb == COMMAND_VERSION) {
		(void)snprintf(words, sizeof(words), "STATS_VERSION,%s",
			       KEYHOLE_VERSION);
		node_report(a->node, words, loop_now());
	}
}

static void say_version(struct app *a)
{
	char words[TELEMETRY_TEXT_MAX + 1] = "version ";

	for (const char *c = KEYHOLE_VERSION; *c; c++) {
		const char text[] = { *c, '\0' };

		if (*c >= '0' && *c <= '9')
			add(words, sizeof(words), "", text, "");
		else
			add(words, sizeof(words), "", " point ", "");
	}
	node_say(a->node, words, loop_now());
}

static void say_last(struct app *a)
{
	char words[TELEMETRY_TEXT_MAX + 1] = "no-links";

	if (a->commands.keyed[0])
		(void)snprintf(words, sizeof(words), "last node %s",
			       a->commands.keyed);
	node_say(a->node, words, loop_now());
}

static void speak(struct app *a, const struct command *c)
{
	if (c->verb == COMMAND_STATUS || c->verb == COMMAND_FULL_STATUS)
		say_links(a, c->verb == COMMAND_FULL_STATUS);
	else if (c->verb == COMMAND_TIME)
		say_time(a);
	else if (c->verb == COMMAND_VERSION)
		say_version(a);
	else if (c->verb == COMMAND_LAST_KEYED)
		say_last(a);
	else if (c->verb == COMMAND_ALL_OFF)
		node_say(a->node, "all-off", loop_now());
	else if (c->verb == COMMAND_RESTORE)
		node_say(a->node, "restored", loop_now());
	else if (c->verb == COMMAND_PARROT_ON)
		node_say(a->node, "parrot-on", loop_now());
	else if (c->verb == COMMAND_PARROT_OFF)
		node_say(a->node, "parrot-off", loop_now());
	else if (c->verb == COMMAND_NONE)
		node_say(a->node, "unknown", loop_now());
}

void app_telemetry_function(struct app *a, const struct command *c)
{
	if (c->verb == COMMAND_IDENTIFY)
		node_identify(a->node, loop_now());
	else if (c->from == COMMAND_LINK)
		report(a, c);
	else
		speak(a, c);
}
