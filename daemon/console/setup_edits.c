/* SPDX-License-Identifier: MIT */

/* From the answers to settings: only what differs, so that running setup
 * again without other answers changes nothing. */

#include <stdio.h>
#include <string.h>

#include "config/conf_key.h"
#include "daemon/console/setup.h"

#define ALLSTARLINK_DOMAIN "allstarlink.org"

void setup_quote(const char *text, char *out, size_t cap)
{
	size_t n = 0;

	out[n++] = '"';
	for (; *text && n + 3 < cap; text++) {
		if (*text == '"' || *text == '\\')
			out[n++] = '\\';
		out[n++] = *text;
	}
	out[n++] = '"';
	out[n] = '\0';
}

static void put(struct setup_edits *e, const char *group, const char *name,
		const char *value)
{
	char *room = e->values[e->n];

	(void)snprintf(room, sizeof(e->values[0]), "%s", value);
	e->v[e->n++] = (struct conf_edit){ group, name, room };
}

static void put_text(struct setup_edits *e, const char *group, const char *name,
		     const char *text)
{
	char value[sizeof(e->values[0])];

	setup_quote(text, value, sizeof(value));
	put(e, group, name, value);
}

static void change(struct setup_edits *e, const char *group, const char *name,
		   const char *was, const char *text)
{
	if (strcmp(was, text) != 0)
		put_text(e, group, name, text);
}

/* --- the registrar ------------------------------------------------------ */

static bool is_of(const struct conf_registrar_ref *r,
		  enum setup_network network)
{
	const size_t len = strlen(r->host), tail = strlen(ALLSTARLINK_DOMAIN);

	if (network == SETUP_KEYHOLE)
		return r->key.set;
	return network == SETUP_ALLSTARLINK && !r->key.set &&
	       (r->https != CONF_HTTPS_NO ||
		(len >= tail &&
		 strcmp(r->host + len - tail, ALLSTARLINK_DOMAIN) == 0));
}

size_t setup_registrar(const struct conf_node *is, enum setup_network network,
		       const char *host)
{
	size_t first = is->registrars_n;

	for (size_t i = is->registrars_n; i-- > 0;) {
		if (!is_of(&is->registrars[i], network))
			continue;
		if (strcmp(is->registrars[i].host, host) == 0)
			return i;
		first = i;
	}
	return first;
}

/* A setting that is not there is put first: the last of them comes first. */
static void keyhole(const struct conf_registrar_ref *is,
		    const struct setup_plan *p, struct setup_edits *e)
{
	char port[8], key[CONF_KEY_TEXT_LEN] = "";

	if (is && is->key.set)
		conf_key_encode(is->key.octets, key);
	change(e, e->group, "key", key, p->key);
	(void)snprintf(port, sizeof(port), "%u", p->port);
	if (is ? is->port != p->port : p->port != 4569)
		put(e, e->group, "port", port);
	change(e, e->group, "host", is ? is->host : "", p->host);
}

static void allstarlink(const struct setup_facts *f,
			const struct conf_registrar_ref *is,
			const struct setup_plan *p, struct setup_edits *e)
{
	char port[8];

	if (!is)
		put_text(e, e->group, "https", "auto");
	change(e, e->group, "secret_file", is ? is->secret_file : "",
	       p->secret_file);
	(void)snprintf(port, sizeof(port), "%u", p->port);
	if (is ? is->port != p->port : p->port != 4569)
		put(e, e->group, "port", port);
	change(e, e->group, "host", is ? is->host : "", p->host);
	/* Where its nodes are found, and that they may call: whoever set them
	 * otherwise knows why. */
	if (!is && !f->is->lookup.domain[0])
		change(e, "lookup", "domain", "", ALLSTARLINK_DOMAIN);
	if (!is && !f->is->accept.by_address)
		put(e, "accept", "by_address", "true");
}

/* --- all ---------------------------------------------------------------- */

static const char *radio_name(enum conf_radio radio)
{
	static const char *const names[] = {
		[CONF_RADIO_NONE] = "none",
		[CONF_RADIO_SIM] = "sim",
		[CONF_RADIO_ALSA] = "alsa",
		[CONF_RADIO_CM108] = "cm108",
	};

	return names[radio];
}

void setup_edits(const struct setup_facts *facts, const struct setup_plan *plan,
		 struct setup_edits *out)
{
	const struct conf_node *is = facts->is;
	const size_t i = setup_registrar(is, plan->network, plan->host);
	const struct conf_registrar_ref *r =
		i < is->registrars_n ? &is->registrars[i] : NULL;

	out->n = 0;
	(void)snprintf(out->group, sizeof(out->group), "registrars[%zu]", i);
	change(out, "node", "key_file", is->node.key_file, plan->key_file);
	change(out, "node", "callsign", is->node.callsign, plan->callsign);
	change(out, "node", "number", is->node.number, plan->number);
	if (plan->network == SETUP_KEYHOLE)
		keyhole(r, plan, out);
	if (plan->network == SETUP_ALLSTARLINK)
		allstarlink(facts, r, plan, out);
	if (!facts->existing || plan->radio != is->radio.type)
		put_text(out, "radio", "type", radio_name(plan->radio));
	if (plan->radio == CONF_RADIO_CM108) {
		change(out, "fob", "port", is->fob.port, plan->fob_port);
		change(out, "fob", "serial", is->fob.serial, plan->serial);
	}
}
