/* SPDX-License-Identifier: MIT */

#include "daemon/console/import_take.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- values ------------------------------------------------------------- */

bool import_is_true(const char *text)
{
	static const char *const word[] = { "yes", "true", "y", "t",
					    "1",   "on",   NULL };

	for (size_t i = 0; word[i]; i++) {
		if (strcasecmp(text, word[i]) == 0)
			return true;
	}
	return false;
}

bool import_is_false(const char *text)
{
	static const char *const word[] = { "no", "false", "n", "f",
					    "0",  "off",   NULL };

	for (size_t i = 0; word[i]; i++) {
		if (strcasecmp(text, word[i]) == 0)
			return true;
	}
	return false;
}

bool import_is_number(const char *text)
{
	const size_t len = strspn(text, "0123456789");

	return len > 0 && len <= IMPORT_NUMBER_MAX && text[len] == '\0';
}

void import_number(struct import *im, const struct ast_var *v,
		   const struct import_map *m)
{
	char why[80], text[24];
	unsigned long n;
	char *end;

	n = strtoul(v->value, &end, 10);
	if (!isdigit((unsigned char)v->value[0]) || *end != '\0' ||
	    n > 1000000000) {
		import_note(im, v, "is no number");
		return;
	}
	n = n * (m->mul ? m->mul : 1) / (m->div ? m->div : 1);
	if (m->most > 0 && n > m->most) {
		(void)snprintf(why, sizeof(why),
			       "taken over as %u, the most that %s can be",
			       m->most, m->setting);
		import_note(im, v, why);
		n = m->most;
	}
	(void)snprintf(text, sizeof(text), "%lu", n);
	(void)import_set(im, v, m->setting, text);
}

void import_bool(struct import *im, const struct ast_var *v,
		 const struct import_map *m)
{
	if (import_is_true(v->value))
		(void)import_set(im, v, m->setting, "true");
	else if (import_is_false(v->value))
		(void)import_set(im, v, m->setting, "false");
	else
		import_note(im, v, "is neither yes nor no");
}

void import_string(struct import *im, const struct ast_var *v,
		   const struct import_map *m)
{
	if (*v->value)
		(void)import_set_text(im, v, m->setting, v->value);
}

/* --- sections ----------------------------------------------------------- */

static bool loses_nothing(const struct import_map *m, const char *value)
{
	if (!m->idle)
		return false;
	if (strcmp(m->idle, "*") == 0 || *value == '\0')
		return true;
	if (strcmp(m->idle, "no") == 0)
		return import_is_false(value);
	return strcasecmp(m->idle, value) == 0;
}

static bool is_named(const struct import_map *m, const char *name)
{
	const size_t len = strlen(m->name);

	if (m->name[len - 1] == '*')
		return strncasecmp(m->name, name, len - 1) == 0;
	return strcasecmp(m->name, name) == 0;
}

static void take_var(struct import *im, const struct ast_var *v,
		     const struct import_map *m)
{
	while (m->name && !is_named(m, v->name))
		m++;
	if (!m->name)
		import_note(im, v, "is not known here");
	else if (m->take)
		m->take(im, v, m);
	else if (!loses_nothing(m, v->value))
		import_note(im, v, m->why);
}

void import_section(struct import *im, const struct ast_section *s,
		    const struct import_map *map)
{
	for (size_t i = 0; s && i < s->n; i++) {
		/* What a later one of its name overrides does not count. */
		if (ast_var(s, s->vars[i].name) == &s->vars[i])
			take_var(im, &s->vars[i], map);
	}
}

void import_skip_section(struct import *im, const struct ast_section *s,
			 const char *why)
{
	char what[160];

	if (s->n == 0)
		return;
	(void)snprintf(what, sizeof(what), "[%.100s], %zu line%s", s->name,
		       s->n, s->n == 1 ? "" : "s");
	import_note_at(im, s->at, what, why);
}

size_t import_local(const struct import *im, const char *number)
{
	size_t i = 0;

	while (i < im->nodes_n && strcmp(im->nodes[i], number) != 0)
		i++;
	return i;
}

unsigned import_port(const struct import *im, size_t i)
{
	const struct ast_var *v =
		ast_var(ast_section(&im->iax, "general"), "bindport");
	const unsigned long port = v ? strtoul(v->value, NULL, 10) : 0;

	return (unsigned)(port > 0 && port + IMPORT_NODES_MAX <= 65535 ? port
								       : 4569) +
	       (unsigned)i;
}
