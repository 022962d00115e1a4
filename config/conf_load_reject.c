/* SPDX-License-Identifier: MIT */

/* What is wrong in a file, and what is allowed instead. */

#include "config/conf_load_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define QUOTE_MAX 40U /* characters of a wrong value that are repeated */

/* What the file gives, for people; it may be anything. */
static void describe_text(const char *text, FILE *to)
{
	const size_t len = strlen(text);

	(void)fputc('"', to);
	for (size_t i = 0; i < len && i < QUOTE_MAX; i++)
		(void)fputc(iscntrl((unsigned char)text[i]) ? '?' : text[i],
			    to);
	if (len > QUOTE_MAX)
		(void)fprintf(to, "...\" (%zu characters)", len);
	else
		(void)fputc('"', to);
}

static void describe(const config_setting_t *s, FILE *to)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		(void)fprintf(to, "%lld", config_setting_get_int64(s));
		break;
	case CONFIG_TYPE_FLOAT:
		(void)fputs("a number with a fraction", to);
		break;
	case CONFIG_TYPE_STRING:
		describe_text(config_setting_get_string(s), to);
		break;
	case CONFIG_TYPE_BOOL:
		(void)fputs(config_setting_get_bool(s) ? "true" : "false", to);
		break;
	case CONFIG_TYPE_GROUP:
		(void)fputs("a group", to);
		break;
	default:
		(void)fprintf(to, "a list of %d", config_setting_length(s));
		break;
	}
}

void load_reject(struct load *l, unsigned line, const char *label,
		 const config_setting_t *s, const struct conf_row *row)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to) {
		load_note(l, -ENOMEM);
		return;
	}
	(void)fprintf(to, "%s is ", label);
	if (s && row && row->type == CONF_DB &&
	    config_setting_type(s) == CONFIG_TYPE_FLOAT)
		(void)fprintf(to, "%g", config_setting_get_float(s));
	else if (s)
		describe(s, to);
	else
		(void)fputs("missing", to);
	(void)fputs("; allowed: ", to);
	if (row)
		conf_value_allowed(row, to);
	else
		(void)fputs("a group: { ... }", to);
	if (fclose(to) != 0)
		load_note(l, -ENOMEM);
	else
		load_note(l, conf_diags_add(l->diags, line, "%s", text));
	free(text);
}

/* Names that people give to what must not be in this file. */
static bool is_secret(const char *name)
{
	static const char *const words[] = {
		"secret",     "md5_secret", "password",     "passwd",
		"passphrase", "psk",        "private_key",  "secret_key",
		"seed",       "node.key",   "registrar.key"
	};
	const size_t group = conf_row_group_len(name);
	const char *last = group > 0 ? name + group + 1 : name;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(words[i], last) == 0 ||
		    strcasecmp(words[i], name) == 0)
			return true;
	}
	return false;
}

/* The setting next to @name that takes a secret's file; NULL: none does. */
static const char *file_for(const struct conf_scope *scope, const char *name)
{
	const size_t group = conf_row_group_len(name);

	for (size_t i = 0; i < scope->n; i++) {
		const struct conf_row *row = &scope->rows[i];

		if (row->type == CONF_PATH && strstr(row->name, "_file") &&
		    conf_row_group_len(row->name) == group &&
		    strncmp(row->name, name, group) == 0)
			return row->name;
	}
	return NULL;
}

static void reject_secret(struct load *l, const char *name, unsigned line)
{
	const char *instead = file_for(l->scope, name);

	load_note(l,
		  conf_diags_add(
			  l->diags, line,
			  "%s%.60s is a secret, and others may read this file; "
			  "allowed: %s%s%s",
			  l->in, name, instead ? l->in : "",
			  instead ? instead : "secrets in files",
			  instead ? " with the name of a file of mode 0600"
				  : " of mode 0600 of their own"));
}

void load_reject_unknown(struct load *l, const char *name, unsigned line)
{
	bool is_group = false;
	const struct conf_row *near;

	if (is_secret(name)) {
		reject_secret(l, name, line);
		return;
	}
	near = conf_nearest(l->scope, name, &is_group);
	if (!near) {
		load_note(l, conf_diags_add(
				     l->diags, line,
				     "%s%.60s is not a setting; --dump-config "
				     "prints those that are",
				     l->in, name));
		return;
	}
	load_note(l, conf_diags_add(
			     l->diags, line,
			     "%s%.60s is not a setting; did you mean %s%.*s%s?",
			     l->in, name, l->in,
			     (int)(is_group ? conf_row_group_len(near->name)
					    : strlen(near->name)),
			     near->name, is_group ? ": { ... }" : ""));
}
