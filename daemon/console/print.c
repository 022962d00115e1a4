/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/console/console.h"
#include "daemon/console/duration.h"
#include "daemon/console/tty.h"
#include "daemon/console/wrap.h"

static const char *text(const json_t *o, const char *name)
{
	const char *t = json_string_value(json_object_get(o, name));

	return t ? t : "-";
}

static double number(const json_t *o, const char *name)
{
	return json_number_value(json_object_get(o, name));
}

static bool truth(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

void print_json(const json_t *o, bool indent)
{
	/* On a terminal no character of others does anything. */
	const size_t ascii = isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0;

	(void)json_dumpf(o, stdout,
			 ascii | (indent ? JSON_INDENT(2) : JSON_COMPACT));
	(void)printf("\n");
}

void print_fitting(void (*print)(const json_t *), const json_t *o)
{
	FILE *const terminal = stdout;
	unsigned columns, lines;
	char *text = NULL;
	size_t len = 0;
	FILE *memory;

	memory = tty_screen() ? open_memstream(&text, &len) : NULL;
	if (!memory) {
		print(o);
		return;
	}
	/* The C library lets it be set. */
	stdout = memory;
	print(o);
	stdout = terminal;
	(void)fclose(memory);
	tty_size(&columns, &lines);
	wrap_text(stdout, text, columns);
	free(text);
}

static void print_registrar(const json_t *r)
{
	const char *why = text(r, "why");

	(void)printf("registrar  %s: %s, seen as %s", text(r, "host"),
		     text(r, "state"), text(r, "apparent"));
	if (!json_is_null(json_object_get(r, "rtt_ms")))
		(void)printf(", %.0f ms", number(r, "rtt_ms"));
	if (strcmp(text(r, "by"), "https") == 0)
		(void)printf(", by HTTPS");
	(void)printf("\n");
	if (why[0] != '\0')
		(void)printf("           %s\n", why);
	if (json_is_string(json_object_get(r, "warning")))
		(void)printf("           warning: %s\n", text(r, "warning"));
}

/* As many as fit a few lines; --json has them all. */
#define BEHIND_SHOWN 40U

static void print_behind(const json_t *behind)
{
	const json_t *e;
	size_t i;

	if (json_array_size(behind) == 0)
		return;
	(void)printf("           behind it:");
	json_array_foreach(behind, i, e)
	{
		const char *mode = text(e, "mode");

		if (i == BEHIND_SHOWN)
			break;
		(void)printf(" %s%s%s%s", text(e, "node"),
			     json_object_get(e, "callsign") ? "/" : "",
			     json_object_get(e, "callsign")
				     ? text(e, "callsign")
				     : "",
			     strcmp(mode, "transceive") == 0 ? ""
			     : strcmp(mode, "monitor") == 0  ? " (monitored)"
							     : " (connecting)");
	}
	if (i < json_array_size(behind))
		(void)printf(" and %zu more", json_array_size(behind) - i);
	(void)printf("\n");
}

/* Whose it is, and who talks through it, where that is known. */
static void print_name(const json_t *l)
{
	static const char *const parts[] = { "callsign", "description",
					     "location" };
	bool any = false;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!json_is_string(json_object_get(l, parts[i])))
			continue;
		(void)printf("%s%s", any ? ", " : "           ",
			     text(l, parts[i]));
		any = true;
	}
	if (any)
		(void)printf("\n");
	if (json_is_string(json_object_get(l, "talker")))
		(void)printf("           %s%s%s talks\n", text(l, "talker"),
			     json_object_get(l, "talker_callsign") ? " " : "",
			     json_object_get(l, "talker_callsign")
				     ? text(l, "talker_callsign")
				     : "");
}

static void print_link(const json_t *l)
{
	char up[DURATION_TEXT];

	duration_text(number(l, "connected_s"), up);
	if (strcmp(text(l, "state"), "up") != 0) {
		(void)printf("link       %s: %s  %s\n", text(l, "node"),
			     text(l, "state"), text(l, "why"));
		return;
	}
	(void)printf("link       %s (%s, %s) for %s, %s at %s\n",
		     text(l, "node"), text(l, "direction"), text(l, "mode"), up,
		     text(l, "path"), text(l, "peer"));
	print_name(l);
	(void)printf("           round trip %.0f ms, jitter %.0f ms, loss "
		     "%.1f %%, delay %.0f ms%s%s\n",
		     number(l, "rtt_ms"), number(l, "jitter_ms"),
		     number(l, "loss_pct"), number(l, "playout_ms"),
		     truth(l, "rx_keyed") ? ", they talk" : "",
		     truth(l, "tx_keyed") ? ", we talk" : "");
	if (truth(l, "loop"))
		(void)printf("           LOOP: a node behind it is linked in "
			     "another way as well\n");
	print_behind(json_object_get(l, "behind"));
}

/* One line for both families. */
static void print_mapped(const json_t *mapped)
{
	static const char *const family[] = { "ipv4", "ipv6" };

	(void)printf("mapped    ");
	for (size_t i = 0; i < 2; i++) {
		const json_t *m = json_object_get(mapped, family[i]);
		const char *method = text(m, "method");
		const char *why = text(m, "why");

		(void)printf("%s %s: %s", i > 0 ? ";" : "", family[i],
			     text(m, "external"));
		if (method[0] != '-')
			(void)printf(" by %s for %.0f s", method,
				     number(m, "lifetime_s"));
		if (why[0] != '\0' && why[0] != '-')
			(void)printf(" (%s)", why);
	}
	(void)printf("\n");
}

void print_status(const json_t *s)
{
	const json_t *radio = json_object_get(s, "radio");
	const json_t *reach = json_object_get(s, "reach");
	const json_t *relayed = json_object_get(reach, "relayed");
	const json_t *one;
	char up[DURATION_TEXT];
	size_t i;

	duration_text(number(s, "uptime_s"), up);
	(void)printf("node       %s %s, up %s, version %s\n", text(s, "node"),
		     text(s, "callsign"), up, text(s, "version"));
	json_array_foreach(json_object_get(s, "registrars"), i, one)
		print_registrar(one);
	(void)printf("reach      %s: %s\n", text(reach, "rung"),
		     text(reach, "verdict"));
	if (json_is_object(relayed))
		(void)printf("relay      %s %s\n", text(relayed, "address4"),
			     text(relayed, "address6"));
	print_mapped(json_object_get(reach, "mapped"));
	(void)printf("radio      %s, COR %s, PTT %s, receive %.0f dBFS, "
		     "transmit %.0f dBFS\n",
		     text(radio, "type"),
		     truth(radio, "cor_stuck") ? "stuck"
		     : truth(radio, "cor")     ? "up"
					       : "down",
		     truth(radio, "ptt") ? "keyed" : text(radio, "ptt_state"),
		     number(radio, "rx_dbfs"), number(radio, "tx_dbfs"));
	if (json_object_get(radio, "fault"))
		(void)printf("           %s\n", text(radio, "fault"));
	json_array_foreach(json_object_get(s, "links"), i, one) print_link(one);
	if (i == 0)
		(void)printf("links      none\n");
}

void print_connected(const char *node, const json_t *result)
{
	const json_t *link = json_object_get(result, "link");

	if (!json_object_get(result, "path")) {
		(void)printf("connecting to %s\n", node);
		return;
	}
	(void)printf("connected to %s: %s over %s at %s\n", text(link, "node"),
		     text(result, "path"), text(result, "family"),
		     text(link, "peer"));
	if (json_is_null(json_object_get(result, "dial_ms")))
		(void)printf("             by its own call\n");
	else
		(void)printf(
			"             in %.0f ms (%.1f round trips of %.0f "
			"ms)\n",
			number(result, "dial_ms"), number(result, "dial_rtts"),
			number(result, "rtt_ms"));
}

void print_who(const json_t *result)
{
	const json_t *e;
	char ago[DURATION_TEXT];
	size_t i;

	json_array_foreach(json_object_get(result, "nodes"), i, e)
	{
		duration_text(number(e, "seconds"), ago);
		(void)printf("%-15s %s%s%s%s\n", text(e, "node"),
			     truth(e, "keyed") ? "keyed now" : ago,
			     truth(e, "keyed") ? "" : " ago",
			     json_object_get(e, "callsign") ? "  " : "",
			     json_object_get(e, "callsign")
				     ? text(e, "callsign")
				     : "");
	}
	if (i == 0)
		(void)printf("no other node answered\n");
}

void print_reload(const json_t *r)
{
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(r, "restart"), i, name)(void) printf(
		"%s changed; it takes a restart\n", json_string_value(name));
}

static void print_said(const json_t *s, const char *found)
{
	const char *source = text(s, "source");
	const char *why = text(s, "why");
	const json_t *addr;
	size_t i;

	(void)printf("%c %-9s  %s", strcmp(source, found) == 0 ? '*' : ' ',
		     source, text(s, "state"));
	json_array_foreach(json_object_get(s, "addresses"), i, addr)(void)
		printf("%s%s", i > 0 ? ", " : ": ", json_string_value(addr));
	if (why[0] != '\0')
		(void)printf(": %s", why);
	(void)printf("\n");
	if (json_is_string(json_object_get(s, "host")))
		(void)printf("             %s\n", text(s, "host"));
	if (json_is_string(json_object_get(s, "from")))
		(void)printf("             calls from %s\n", text(s, "from"));
}

/* An asterisk marks what a dial would take. */
void print_lookup(const json_t *r)
{
	const char *found = text(r, "found");
	const json_t *said;
	size_t i;

	json_array_foreach(json_object_get(r, "sources"), i, said)
		print_said(said, found);
	if (found[0] == '-')
		(void)printf("nobody knows node %s\n", text(r, "node"));
}
