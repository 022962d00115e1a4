/* SPDX-License-Identifier: MIT */

#include "config/conf_table.h"

static void swap(void *a, void *b, size_t len)
{
	unsigned char *x = a, *y = b;

	for (size_t i = 0; i < len; i++) {
		const unsigned char t = x[i];

		x[i] = y[i];
		y[i] = t;
	}
}

static void swap_row(const struct conf_row *row, void *a, void *b)
{
	/* A list's entries go with its pointer: each side frees what it has. */
	swap(conf_row_at(row, a), conf_row_at(row, b), row->size);
	if (conf_row_is_list(row))
		swap((char *)a + row->count_offset,
		     (char *)b + row->count_offset, sizeof(size_t));
}

void conf_node_keep(struct conf_node *now, struct conf_node *old)
{
	const struct conf_scope *scope = &conf_node_table.scope;

	for (size_t i = 0; i < scope->n; i++) {
		if (!(scope->rows[i].flags & CONF_RELOAD))
			swap_row(&scope->rows[i], now, old);
	}
}
