/* SPDX-License-Identifier: MIT */

/* A file, setting by setting, into the struct that its table describes. */

#include "config/conf_load_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf_text.h"

static void load_value(struct load *l, const struct conf_row *row,
		       const char *label, const config_setting_t *s, void *base)
{
	bool ok = false;

	switch (config_setting_type(s)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		ok = (row->type == CONF_U32 &&
		      conf_value_set_number(row, base,
					    config_setting_get_int64(s))) ||
		     conf_value_set_db(row, base,
				       (double)config_setting_get_int64(s));
		break;
	case CONFIG_TYPE_FLOAT:
		ok = conf_value_set_db(row, base, config_setting_get_float(s));
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
		load_reject(l, load_line(s), label, s, row);
}

/* Rows that the file must have and has not, in @s or one of its groups. */
static void load_missing(struct load *l, config_setting_t *s)
{
	for (size_t i = 0; i < l->scope->n; i++) {
		const struct conf_row *row = &l->scope->rows[i];
		const config_setting_t *near = s;
		char name[LOAD_LABEL_LEN];

		if (!(row->flags & CONF_REQUIRED) ||
		    config_setting_lookup(s, row->name))
			continue;
		(void)snprintf(name, sizeof(name), "%.*s",
			       (int)conf_row_group_len(row->name), row->name);
		if (name[0])
			near = config_setting_get_member(s, name);
		(void)snprintf(name, sizeof(name), "%s%s", l->in, row->name);
		load_reject(l,
			    near && load_line(near) > 0 ? load_line(near) : 1,
			    name, NULL, row);
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
		char label[LOAD_LABEL_LEN];

		if (!row) {
			load_reject_unknown(l, name, load_line(m));
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
	const char *wrong = row->items->wrong ? row->items->wrong(base) : NULL;

	if (wrong)
		load_note(l, conf_diags_add(l->diags, load_line(s), "%s %s",
					    label, wrong));
}

static void load_item(struct load *l, const struct conf_row *row, unsigned i,
		      config_setting_t *s, void *base)
{
	char label[LOAD_LABEL_LEN];
	char in[LOAD_LABEL_LEN + 1];
	struct load entry = { row->items, in, l->diags, 0 };
	const size_t before = l->diags->n;

	(void)snprintf(label, sizeof(label), "%s[%u]", row->name, i);
	conf_values_default(row->items, base);
	if (row->type == CONF_TEXTS) {
		load_value(l, &row->items->rows[0], label, s, base);
	} else if (!config_setting_is_group(s)) {
		load_reject(l, load_line(s), label, s, NULL);
	} else {
		(void)snprintf(in, sizeof(in), "%s.", label);
		load_entry(&entry, s, base);
		if (l->diags->n == before)
			load_whole(&entry, row, label, s, base);
		load_note(l, entry.err);
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
		if (!row->items->same(items + j * size, items + i * size))
			continue;
		first = config_setting_get_elem(s, j);
		load_note(
			l,
			conf_diags_add(
				l->diags, load_line(again),
				"%s[%u] has the same %s as %s[%u] in line %u; "
				"allowed: each once",
				row->name, i, row->items->same_what, row->name,
				j, load_line(first)));
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
		load_reject(l, load_line(s), row->name, s, row);
		return;
	}
	list.n = (size_t)config_setting_length(s);
	if (list.n == 0)
		return;
	list.items = calloc(list.n, size);
	if (!list.items) {
		load_note(l, -ENOMEM);
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
		load_reject_unknown(l, name, load_line(s));
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
		char name[LOAD_LABEL_LEN];

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
			load_reject(l, load_line(s), name, s, NULL);
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
		load_note(l, conf_diags_add(l->diags, at ? load_line(at) : 1,
					    "%s", rule->text));
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
		load_note(&l, add_syntax_error(&cfg, diags));
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
