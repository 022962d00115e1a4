/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <errno.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/conf_table.h"
#include "config/conf_text.h"

#define LABEL_LEN 96U /* "registrars[7].host", a stranger's name cut */
#define QUOTE_MAX 40U /* characters of a wrong value that are repeated */

struct load {
	const struct conf_scope *scope; /* what names are known here */
	const char *in;                 /* the list's entry, "" at the top */
	struct conf_diags *diags;
	int err; /* -ENOMEM, or 0 */
};

static void note(struct load *l, int err)
{
	if (err)
		l->err = err;
}

static unsigned line_of(const config_setting_t *s)
{
	return config_setting_source_line(s);
}

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

/* "LABEL is THIS; allowed: THAT"; @s is NULL when it is missing, and @row when
 * it is to be a group. */
static void reject(struct load *l, unsigned line, const char *label,
		   const config_setting_t *s, const struct conf_row *row)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to) {
		note(l, -ENOMEM);
		return;
	}
	(void)fprintf(to, "%s is ", label);
	if (s)
		describe(s, to);
	else
		(void)fputs("missing", to);
	(void)fputs("; allowed: ", to);
	if (row)
		conf_value_allowed(row, to);
	else
		(void)fputs("a group: { ... }", to);
	if (fclose(to) != 0)
		note(l, -ENOMEM);
	else
		note(l, conf_diags_add(l->diags, line, "%s", text));
	free(text);
}

static void load_value(struct load *l, const struct conf_row *row,
		       const char *label, const config_setting_t *s, void *base)
{
	bool ok = false;

	switch (config_setting_type(s)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		ok = row->type == CONF_U32 &&
		     conf_value_set_number(row, base,
					   config_setting_get_int64(s));
		break;
	case CONFIG_TYPE_BOOL:
		ok = row->type == CONF_BOOL &&
		     conf_value_set_number(row, base,
					   config_setting_get_bool(s));
		break;
	case CONFIG_TYPE_STRING:
		ok = conf_value_set_text(row, base,
					 config_setting_get_string(s));
		break;
	default:
		break;
	}
	if (!ok)
		reject(l, line_of(s), label, s, row);
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

	note(l, conf_diags_add(
			l->diags, line,
			"%s%.60s is a secret, and others may read this file; "
			"allowed: %s%s%s",
			l->in, name, instead ? l->in : "",
			instead ? instead : "secrets in files",
			instead ? " with the name of a file of mode 0600"
				: " of mode 0600 of their own"));
}

static void reject_unknown(struct load *l, const char *name, unsigned line)
{
	bool is_group = false;
	const struct conf_row *near;

	if (is_secret(name)) {
		reject_secret(l, name, line);
		return;
	}
	near = conf_nearest(l->scope, name, &is_group);
	if (!near) {
		note(l,
		     conf_diags_add(l->diags, line,
				    "%s%.60s is not a setting; --dump-config "
				    "prints those that are",
				    l->in, name));
		return;
	}
	note(l,
	     conf_diags_add(l->diags, line,
			    "%s%.60s is not a setting; did you mean %s%.*s%s?",
			    l->in, name, l->in,
			    (int)(is_group ? conf_row_group_len(near->name)
					   : strlen(near->name)),
			    near->name, is_group ? ": { ... }" : ""));
}

/* Rows that the file must have and has not, in @s or one of its groups. */
static void load_missing(struct load *l, config_setting_t *s)
{
	for (size_t i = 0; i < l->scope->n; i++) {
		const struct conf_row *row = &l->scope->rows[i];
		const config_setting_t *near = s;
		char name[LABEL_LEN];

		if (!(row->flags & CONF_REQUIRED) ||
		    config_setting_lookup(s, row->name))
			continue;
		(void)snprintf(name, sizeof(name), "%.*s",
			       (int)conf_row_group_len(row->name), row->name);
		if (name[0])
			near = config_setting_get_member(s, name);
		(void)snprintf(name, sizeof(name), "%s%s", l->in, row->name);
		reject(l, near && line_of(near) > 0 ? line_of(near) : 1, name,
		       NULL, row);
	}
}

/* One entry of a list of groups. */
static void load_entry(struct load *l, config_setting_t *s, void *base)
{
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *m =
			config_setting_get_elem(s, (unsigned)i);
		const char *name = config_setting_name(m);
		const struct conf_row *row = conf_row_find(l->scope, name);
		char label[LABEL_LEN];

		if (!row) {
			reject_unknown(l, name, line_of(m));
			continue;
		}
		(void)snprintf(label, sizeof(label), "%s%s", l->in, name);
		load_value(l, row, label, m, base);
	}
	load_missing(l, s);
}

/* What its settings are together. */
static void load_whole(struct load *l, const struct conf_row *row,
		       const char *label, const config_setting_t *s,
		       const void *base)
{
	const char *wrong = row->wrong ? row->wrong(base) : NULL;

	if (wrong)
		note(l, conf_diags_add(l->diags, line_of(s), "%s %s", label,
				       wrong));
}

static void load_item(struct load *l, const struct conf_row *row, unsigned i,
		      config_setting_t *s, void *base)
{
	char label[LABEL_LEN];
	char in[LABEL_LEN + 1];
	struct load entry = { row->items, in, l->diags, 0 };
	const size_t before = l->diags->n;

	(void)snprintf(label, sizeof(label), "%s[%u]", row->name, i);
	conf_values_default(row->items, base);
	if (row->type == CONF_TEXTS) {
		load_value(l, &row->items->rows[0], label, s, base);
	} else if (!config_setting_is_group(s)) {
		reject(l, line_of(s), label, s, NULL);
	} else {
		(void)snprintf(in, sizeof(in), "%s.", label);
		load_entry(&entry, s, base);
		if (l->diags->n == before)
			load_whole(&entry, row, label, s, base);
		note(l, entry.err);
	}
}

/* Entry @i against those before it. */
static void load_twice(struct load *l, const struct conf_row *row,
		       const config_setting_t *s, const char *items, unsigned i)
{
	const size_t size = row->items->size;
	const config_setting_t *first;
	const config_setting_t *again = config_setting_get_elem(s, i);

	for (unsigned j = 0; j < i; j++) {
		if (!row->same(items + j * size, items + i * size))
			continue;
		first = config_setting_get_elem(s, j);
		note(l, conf_diags_add(
				l->diags, line_of(again),
				"%s[%u] has the same %s as %s[%u] in line %u; "
				"allowed: each once",
				row->name, i, row->same_what, row->name, j,
				line_of(first)));
		return;
	}
}

static bool is_listed(const struct conf_row *row, const config_setting_t *s)
{
	return config_setting_is_list(s) ||
	       (config_setting_is_array(s) &&
		(row->type == CONF_TEXTS || config_setting_length(s) == 0));
}

static void load_list(struct load *l, const struct conf_row *row,
		      config_setting_t *s, void *base)
{
	const size_t size = row->items->size;
	struct conf_list list = { NULL, 0 };

	if (!is_listed(row, s) || config_setting_length(s) > (int)row->max) {
		reject(l, line_of(s), row->name, s, row);
		return;
	}
	list.n = (size_t)config_setting_length(s);
	if (list.n == 0)
		return;
	list.items = calloc(list.n, size);
	if (!list.items) {
		note(l, -ENOMEM);
		return;
	}
	conf_list_set(row, base, list);
	for (unsigned i = 0; i < list.n; i++) {
		load_item(l, row, i, config_setting_get_elem(s, i),
			  (char *)list.items + i * size);
		load_twice(l, row, s, list.items, i);
	}
}

/* Setting @name of the file, its group before a dot. */
static void load_setting(struct load *l, const char *name, config_setting_t *s,
			 void *base)
{
	const struct conf_row *row = conf_row_find(l->scope, name);

	if (!row)
		reject_unknown(l, name, line_of(s));
	else if (conf_row_is_list(row))
		load_list(l, row, s, base);
	else
		load_value(l, row, name, s, base);
}

static void load_group(struct load *l, config_setting_t *group, void *base)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *s =
			config_setting_get_elem(group, (unsigned)i);
		char name[LABEL_LEN];

		(void)snprintf(name, sizeof(name), "%s.%s",
			       config_setting_name(group),
			       config_setting_name(s));
		load_setting(l, name, s, base);
	}
}

static void load_root(struct load *l, config_setting_t *root, void *base)
{
	for (int i = 0; i < config_setting_length(root); i++) {
		config_setting_t *s =
			config_setting_get_elem(root, (unsigned)i);
		const char *name = config_setting_name(s);

		if (!conf_row_is_group(l->scope, name))
			load_setting(l, name, s, base);
		else if (config_setting_is_group(s))
			load_group(l, s, base);
		else
			reject(l, line_of(s), name, s, NULL);
	}
	load_missing(l, root);
}

static void load_rules(struct load *l, const struct conf_table *table,
		       const config_t *cfg, const void *base)
{
	for (size_t i = 0; i < table->rules_n; i++) {
		const struct conf_rule *rule = &table->rules[i];
		const config_setting_t *at = config_lookup(cfg, rule->at);

		if (rule->holds(base))
			continue;
		note(l, conf_diags_add(l->diags, at ? line_of(at) : 1, "%s",
				       rule->text));
	}
}

/* libconfig stops at the first of these. */
static int add_syntax_error(const config_t *cfg, struct conf_diags *diags)
{
	static const struct {
		const char *theirs, *ours;
	} words[] = {
		{ "syntax error", "syntax error here or just before; allowed: "
				  "NAME = VALUE; and "
				  "GROUP: { ... };" },
		{ "duplicate setting name", "this name is in the same group "
					    "already; allowed: each once" },
		{ "mismatched element type in array",
		  "not all of these are of one type; allowed: [ \"...\", "
		  "\"...\" ]" },
	};
	const char *text = config_error_text(cfg);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i].theirs) == 0)
			text = words[i].ours;
	}
	return conf_diags_add(diags, (unsigned)config_error_line(cfg), "%s",
			      text);
}

static int load_prepared(const struct conf_table *table, const char *text,
			 void *out, struct conf_diags *diags)
{
	struct load l = { &table->scope, "", diags, 0 };
	config_t cfg;

	config_init(&cfg);
	if (config_read_string(&cfg, text)) {
		load_root(&l, config_root_setting(&cfg), out);
		load_rules(&l, table, &cfg, out);
	} else {
		note(&l, add_syntax_error(&cfg, diags));
	}
	config_destroy(&cfg);
	return l.err;
}

static int load_text(const struct conf_table *table, const char *text,
		     void *out, struct conf_diags *diags)
{
	char *prepared = NULL;
	int err;

	conf_values_default(&table->scope, out);
	err = conf_text_prepare(text, &prepared, diags);
	if (!err)
		err = load_prepared(table, prepared, out, diags);
	free(prepared);
	if (!err && diags->n > 0)
		err = -EINVAL;
	if (err)
		conf_values_free(&table->scope, out);
	conf_diags_sort(diags);
	return err;
}

static int load_file(const struct conf_table *table, const char *file,
		     void *out, struct conf_diags *diags)
{
	char *text = NULL;
	int err = conf_text_read(file, &text, diags);

	if (err)
		memset(out, 0, table->scope.size);
	else
		err = load_text(table, text, out, diags);
	free(text);
	return err;
}

int conf_load_node(const char *file, struct conf_node *out,
		   struct conf_diags *diags)
{
	return load_file(&conf_node_table, file, out, diags);
}

int conf_load_registrar(const char *file, struct conf_registrar *out,
			struct conf_diags *diags)
{
	return load_file(&conf_registrar_table, file, out, diags);
}

int conf_load_node_text(const char *text, struct conf_node *out,
			struct conf_diags *diags)
{
	return load_text(&conf_node_table, text, out, diags);
}

int conf_load_registrar_text(const char *text, struct conf_registrar *out,
			     struct conf_diags *diags)
{
	return load_text(&conf_registrar_table, text, out, diags);
}
