/* SPDX-License-Identifier: MIT */

/* The settings as a manual page shows them (man(7)). */

#include <stdlib.h>
#include <string.h>

#include "config/conf_table.h"

const struct conf_table *conf_table_of(enum conf_program which, void **defaults)
{
	const struct conf_table *table = which == CONF_PROGRAM_REGISTRAR
						 ? &conf_registrar_table
						 : &conf_node_table;

	*defaults = calloc(1, table->scope.size);
	if (!*defaults)
		return NULL;
	conf_values_default(&table->scope, *defaults);
	return table;
}

/* Text that roff prints as it is. */
static void roff(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			(void)fputs("\\(aq", to);
		else if (*text == '"')
			(void)fputs("\\(dq", to);
		else if (*text == '-')
			(void)fputs("\\-", to);
		else if (*text == '\\')
			(void)fputs("\\e", to);
		else
			(void)fputc(*text, to);
	}
}

/* What @print writes about a row, as roff. */
static void roff_of(FILE *to, const struct conf_row *row, const void *base)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	if (base)
		conf_value_print(row, base, f);
	else
		conf_value_allowed(row, f);
	if (fclose(f) == 0)
		roff(to, text);
	free(text);
}

/* An entry's row takes effect when its list does. */
static void man_row(FILE *to, const struct conf_row *list,
		    const struct conf_row *row, const void *base)
{
	const unsigned flags = list ? list->flags : row->flags;

	(void)fprintf(to, ".TP\n.B %s%s%s\n", list ? list->name : "",
		      list ? "[]." : "", row->name);
	roff(to, row->help);
	(void)fputs("\nAllowed: ", to);
	roff_of(to, row, NULL);
	if (row->flags & CONF_REQUIRED) {
		(void)fputs(".\nRequired", to);
	} else if (!conf_row_is_list(row) && conf_value_given(row, base)) {
		(void)fputs(".\nBy default ", to);
		roff_of(to, row, base);
	} else {
		(void)fputs(".\nBy default none", to);
	}
	(void)fputs(".\n", to);
	if (flags & CONF_RELOAD)
		(void)fputs("Takes effect on reload.\n", to);
}

static void man_entry(FILE *to, const struct conf_row *list)
{
	void *entry = calloc(1, list->items->size);

	if (!entry)
		return;
	conf_values_default(list->items, entry);
	for (size_t i = 0; i < list->items->n; i++)
		man_row(to, list, &list->items->rows[i], entry);
	free(entry);
}

/* Does row @i start another group than the row before? */
static bool starts_group(const struct conf_scope *scope, size_t i)
{
	const char *name = scope->rows[i].name;
	const size_t len = conf_row_group_len(name);

	return i == 0 || len == 0 ||
	       conf_row_group_len(scope->rows[i - 1].name) != len ||
	       strncmp(scope->rows[i - 1].name, name, len) != 0;
}

void conf_man(FILE *to, enum conf_program which)
{
	void *defaults = NULL;
	const struct conf_table *table = conf_table_of(which, &defaults);

	if (!table)
		return;
	for (size_t i = 0; i < table->scope.n; i++) {
		const struct conf_row *row = &table->scope.rows[i];
		const size_t len = conf_row_group_len(row->name);

		if (starts_group(&table->scope, i))
			(void)fprintf(to, ".SS %.*s\n",
				      (int)(len ? len : strlen(row->name)),
				      row->name);
		man_row(to, NULL, row, defaults);
		if (row->type == CONF_GROUPS)
			man_entry(to, row);
	}
	free(defaults);
}
