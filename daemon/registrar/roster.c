/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool put_node(void *ctx, const struct directory_node *node)
{
	struct roster *r = ctx;
	const enum iax2_err err =
		node->key ? oo_registrar_node_put(r->registrar, node->number,
						  node->key)
			  : oo_registrar_plain_put(r->registrar, node->number,
						   node->secret);

	if (err == IAX2_E_FULL && r->left_out++ == 0)
		(void)snprintf(r->first_left_out, sizeof(r->first_left_out),
			       "%s", node->number);
	return true;
}

struct known {
	struct oo_directory *dir;
	const struct oo_plains *plains;
	uint8_t *node;  /* one for each record: it is in the file */
	uint8_t *plain; /* and for each plain client */
};

static bool mark_node(void *ctx, const struct directory_node *node)
{
	const struct known *k = ctx;
	const struct oo_record *rec;
	const struct oo_plain *c;

	if (node->key) {
		rec = oo_directory_by_number(k->dir, node->number);
		if (rec)
			k->node[oo_directory_index(k->dir, rec)] = 1;
	} else {
		c = oo_plains_find(k->plains, node->number);
		if (c)
			k->plain[c - oo_plains_at(k->plains, 0)] = 1;
	}
	return true;
}

static void drop_unmarked(struct roster *r, const struct known *k)
{
	for (size_t i = oo_directory_max(k->dir); i-- > 0;) {
		const struct oo_record *rec = oo_directory_at(k->dir, i);

		if (rec->number[0] != '\0' && !k->node[i])
			(void)oo_registrar_node_remove(r->registrar,
						       rec->number);
	}
	/* From the end: the last one takes the place of one that goes. */
	for (size_t i = oo_plains_count(k->plains); i-- > 0;) {
		if (!k->plain[i])
			(void)oo_registrar_plain_remove(
				r->registrar, oo_plains_at(k->plains, i)->name);
	}
}

/* What is no longer in the file leaves memory as well. */
static int drop_missing(struct roster *r, char why[DIRECTORY_WHY_MAX])
{
	struct known k = {
		.dir = oo_registrar_directory(r->registrar),
		.plains = oo_registrar_plains(r->registrar),
	};
	int err = -ENOMEM;

	k.node = calloc(oo_directory_max(k.dir) + 1, 1);
	k.plain = calloc(oo_plains_count(k.plains) + 1, 1);
	if (k.node && k.plain)
		err = directory_each(r->directory, mark_node, &k, why);
	else
		(void)snprintf(why, DIRECTORY_WHY_MAX, "out of memory");
	if (err == 0)
		drop_unmarked(r, &k);
	free(k.node);
	free(k.plain);
	return err;
}

/* What leaves makes room for what comes. */
int roster_refresh(struct roster *r, bool *read, char why[DIRECTORY_WHY_MAX])
{
	int err;

	*read = false;
	if (directory_changed(r->directory))
		r->stale = true;
	if (!r->stale)
		return 0;
	r->left_out = 0;
	err = drop_missing(r, why);
	if (err == 0)
		err = directory_each(r->directory, put_node, r, why);
	if (err != 0)
		return err;
	r->stale = false;
	*read = true;
	return 0;
}
