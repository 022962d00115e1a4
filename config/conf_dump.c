/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf_table.h"

#define COLUMNS 79U
#define TAB 8U

/* Where lines go, and what stands before each. */
struct page {
	FILE *to;
	bool example;  /* explain, and comment settings out */
	bool off;      /* inside a list that is commented out already */
	unsigned deep; /* tabs */
};

static void indent(const struct page *p, const char *sign)
{
	if (p->off)
		(void)fputc('#', p->to);
	for (unsigned i = 0; i < p->deep; i++)
		(void)fputc('\t', p->to);
	(void)fputs(sign, p->to);
}

/* Print @text as comment lines, broken between words. */
static void explain(const struct page *p, const char *text)
{
	const size_t room = COLUMNS - p->off - p->deep * TAB - 2;

	while (*text) {
		size_t len = strlen(text);

		if (len > room) {
			len = room;
			while (len > 0 && text[len] != ' ')
				len--;
			if (len == 0)
				len = strcspn(text, " ");
		}
		indent(p, "# ");
		(void)fprintf(p->to, "%.*s\n", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
}

/* The row's help, what it takes and when, in sentences. */
static char *sentences(const struct conf_row *row)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return NULL;
	(void)fprintf(to, "%s Allowed: ", row->help);
	conf_value_allowed(row, to);
	(void)fputc('.', to);
	if (row->flags & CONF_REQUIRED)
		(void)fputs(" Required.", to);
	if (row->flags & CONF_RELOAD)
		(void)fputs(" Takes effect on reload.", to);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

static void explain_row(const struct page *p, const struct conf_row *row)
{
	char *text = sentences(row);

	if (text)
		explain(p, text);
	free(text);
}

static const char *last_part(const struct conf_row *row)
{
	const size_t group = conf_row_group_len(row->name);

	return group > 0 ? row->name + group + 1 : row->name;
}

static void dump_value(const struct page *p, const struct conf_row *row,
		       const void *base)
{
	if (p->example)
		explain_row(p, row);
	else if (!conf_value_given(row, base))
		return;
	indent(p, p->example && !p->off ? "#" : "");
	(void)fprintf(p->to, "%s = ", last_part(row));
	if (p->example && row->example)
		(void)fprintf(p->to, "\"%s\"", row->example);
	else
		conf_value_print(row, base, p->to);
	(void)fputs(";\n", p->to);
}

static void dump_entry(struct page *p, const struct conf_scope *scope,
		       const void *base, const char *end)
{
	indent(p, "{\n");
	p->deep++;
	for (size_t i = 0; i < scope->n; i++)
		dump_value(p, &scope->rows[i], base);
	p->deep--;
	indent(p, end);
}

static void dump_texts(struct page *p, const struct conf_row *row,
		       struct conf_list list)
{
	const struct conf_scope *scope = row->items;

	indent(p, p->example ? "#" : "");
	(void)fprintf(p->to, "%s = [", last_part(row));
	p->deep++;
	for (size_t i = 0; i < list.n; i++) {
		(void)fputc('\n', p->to);
		indent(p, "");
		conf_value_print(scope->rows,
				 (const char *)list.items + i * scope->size,
				 p->to);
		(void)fputs(i + 1 < list.n ? "," : "\n", p->to);
	}
	p->deep--;
	if (list.n > 0)
		indent(p, "");
	(void)fputs("];\n", p->to);
}

static void dump_groups(struct page *p, const struct conf_row *row,
			struct conf_list list)
{
	const struct conf_scope *scope = row->items;

	indent(p, "");
	(void)fprintf(p->to, "%s = (", last_part(row));
	if (list.n > 0)
		(void)fputc('\n', p->to);
	p->deep++;
	for (size_t i = 0; i < list.n; i++)
		dump_entry(p, scope, (const char *)list.items + i * scope->size,
			   i + 1 < list.n ? "},\n" : "}\n");
	p->deep--;
	if (list.n > 0)
		indent(p, "");
	(void)fputs(");\n", p->to);
}

/* A list with one entry, to show what an entry is made of. */
static void example_groups(struct page *p, const struct conf_row *row)
{
	struct conf_list one = { calloc(1, row->items->size), 1 };

	if (!one.items)
		return;
	conf_values_default(row->items, one.items);
	p->off = true;
	dump_groups(p, row, one);
	p->off = false;
	free(one.items);
}

static void dump_row(struct page *p, const struct conf_row *row,
		     const void *base)
{
	if (!conf_row_is_list(row)) {
		dump_value(p, row, base);
		return;
	}
	if (p->example)
		explain_row(p, row);
	if (row->type == CONF_TEXTS)
		dump_texts(p, row, conf_list_get(row, base));
	else if (p->example)
		example_groups(p, row);
	else
		dump_groups(p, row, conf_list_get(row, base));
}

static bool same_group(const struct conf_row *a, const struct conf_row *b)
{
	const size_t len = conf_row_group_len(a->name);

	return len > 0 && conf_row_group_len(b->name) == len &&
	       strncmp(a->name, b->name, len) == 0;
}

/* Rows of one group stand together in the table. */
static void dump_table(struct page *p, const struct conf_table *table,
		       const void *base)
{
	const struct conf_scope *scope = &table->scope;

	for (size_t i = 0; i < scope->n; i++) {
		const struct conf_row *row = &scope->rows[i];
		const size_t group = conf_row_group_len(row->name);

		if (i == 0 || !same_group(row, row - 1)) {
			if (i > 0)
				(void)fputc('\n', p->to);
			if (group > 0)
				(void)fprintf(p->to, "%.*s:\n{\n", (int)group,
					      row->name);
		} else if (p->example) {
			(void)fputc('\n', p->to);
		}
		p->deep = group > 0;
		dump_row(p, row, base);
		if (group > 0 &&
		    (i + 1 == scope->n || !same_group(row, row + 1)))
			(void)fputs("};\n", p->to);
	}
}

static void dump(const struct conf_table *table, const void *base, FILE *to)
{
	struct page p = { .to = to };

	dump_table(&p, table, base);
}

void conf_dump_node(const struct conf_node *c, FILE *to)
{
	dump(&conf_node_table, c, to);
}

void conf_dump_registrar(const struct conf_registrar *c, FILE *to)
{
	dump(&conf_registrar_table, c, to);
}

/* The whole of one row as text, to compare; NULL: out of memory. */
static char *row_text(const struct conf_row *row, const void *base)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	struct page p = { .to = to };

	if (!to)
		return NULL;
	dump_row(&p, row, base);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

static int changes(const struct conf_table *table, const void *old,
		   const void *now, conf_change_fn fn, void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < table->scope.n && !err; i++) {
		const struct conf_row *row = &table->scope.rows[i];
		char *was = row_text(row, old);
		char *is = row_text(row, now);

		if (!was || !is)
			err = -ENOMEM;
		else if (strcmp(was, is) != 0)
			fn(ctx, row->name, (row->flags & CONF_RELOAD) != 0);
		free(was);
		free(is);
	}
	return err;
}

int conf_node_changes(const struct conf_node *old, const struct conf_node *now,
		      conf_change_fn fn, void *ctx)
{
	return changes(&conf_node_table, old, now, fn, ctx);
}

int conf_registrar_changes(const struct conf_registrar *old,
			   const struct conf_registrar *now, conf_change_fn fn,
			   void *ctx)
{
	return changes(&conf_registrar_table, old, now, fn, ctx);
}

void conf_example(FILE *to, enum conf_program which)
{
	void *defaults = NULL;
	const struct conf_table *table = conf_table_of(which, &defaults);
	struct page p = { .to = to, .example = true };

	if (!table)
		return;
	(void)fprintf(to, "# %s\n# Settings of %s.\n#\n", table->file,
		      table->about);
	explain(&p, "Every setting is here, at its default or with an example. "
		    "Where a # stands right before a name or a bracket, remove "
		    "it to set something.");
	(void)fputc('\n', to);
	dump_table(&p, table, defaults);
	free(defaults);
}
