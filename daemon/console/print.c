/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <string.h>

#include "daemon/console/console.h"

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
	(void)json_dumpf(o, stdout, indent ? JSON_INDENT(2) : JSON_COMPACT);
	(void)printf("\n");
}

#define DURATION_TEXT 64

static void print_duration(double s, char out[DURATION_TEXT])
{
	const long t = (long)s;

	if (t >= 86400)
		(void)snprintf(out, DURATION_TEXT, "%ldd %ldh", t / 86400,
			       t / 3600 % 24);
	else if (t >= 3600)
		(void)snprintf(out, DURATION_TEXT, "%ldh %ldm", t / 3600,
			       t / 60 % 60);
	else
		(void)snprintf(out, DURATION_TEXT, "%ldm %lds", t / 60, t % 60);
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

static void print_link(const json_t *l)
{
	char up[DURATION_TEXT];

	print_duration(number(l, "connected_s"), up);
	if (strcmp(text(l, "state"), "up") != 0) {
		(void)printf("link       %s: %s  %s\n", text(l, "node"),
			     text(l, "state"), text(l, "why"));
		return;
	}
	(void)printf("link       %s (%s, %s) for %s, %s at %s\n",
		     text(l, "node"), text(l, "direction"), text(l, "mode"), up,
		     text(l, "path"), text(l, "peer"));
	(void)printf("           round trip %.0f ms, jitter %.0f ms, loss "
		     "%.1f %%, delay %.0f ms%s%s\n",
		     number(l, "rtt_ms"), number(l, "jitter_ms"),
		     number(l, "loss_pct"), number(l, "playout_ms"),
		     truth(l, "rx_keyed") ? ", they talk" : "",
		     truth(l, "tx_keyed") ? ", we talk" : "");
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

	print_duration(number(s, "uptime_s"), up);
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
	(void)printf("connected to %s: %s over %s at %s, ", text(link, "node"),
		     text(result, "path"), text(result, "family"),
		     text(link, "peer"));
	if (json_is_null(json_object_get(result, "dial_ms")))
		(void)printf("by its own call\n");
	else
		(void)printf("in %.0f ms (%.1f round trips of %.0f ms)\n",
			     number(result, "dial_ms"),
			     number(result, "dial_rtts"),
			     number(result, "rtt_ms"));
}

void print_doctor(const json_t *result)
{
	const json_t *f;
	size_t i;

	json_array_foreach(json_object_get(result, "findings"), i, f)
	{
		(void)printf("%-4s %s\n", text(f, "state"), text(f, "seen"));
		if (text(f, "meaning")[0] != '\0')
			(void)printf("     %s\n", text(f, "meaning"));
		if (text(f, "mend")[0] != '\0')
			(void)printf("     Mend: %s\n", text(f, "mend"));
	}
}

void print_levels(const json_t *r)
{
	(void)printf("receive  average %.0f dBFS, peak %.0f dBFS, %.0f "
		     "clipped\n",
		     number(r, "rx_dbfs"), number(r, "rx_peak_dbfs"),
		     number(r, "rx_clipped"));
	(void)printf("transmit average %.0f dBFS, peak %.0f dBFS, %.0f "
		     "clipped\n",
		     number(r, "tx_dbfs"), number(r, "tx_peak_dbfs"),
		     number(r, "tx_clipped"));
}

void print_reload(const json_t *r)
{
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(r, "restart"), i, name)(void) printf(
		"%s changed; it takes a restart\n", json_string_value(name));
}
