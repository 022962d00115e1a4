/* SPDX-License-Identifier: MIT */

/* The nodes that this one knows of: linked, behind a link, configured, or
 * linked until all were ended.  Who types a number need not know it whole. */

#include <string.h>

#include "daemon/app.h"

#define NODES_MAX 256U

/* What is known of @number already; NULL: nothing, and no room. */
static json_t *entry(const struct app *a, json_t *nodes, const char *number)
{
	json_t *o;
	size_t i;

	if (number[0] == '\0' || strspn(number, "0123456789") != strlen(number))
		return NULL;
	json_array_foreach(nodes, i, o)
	{
		if (strcmp(json_string_value(json_object_get(o, "node")),
			   number) == 0)
			return o;
	}
	if (json_array_size(nodes) >= NODES_MAX)
		return NULL;
	o = json_pack("{s:s, s:b}", "node", number, "linked", 0);
	app_names_add(a, o, number);
	return json_array_append_new(nodes, o) == 0 ? o : NULL;
}

static void add_behind(const struct app *a, struct node_link_id link,
		       json_t *nodes)
{
	struct asl_list behind;
	struct asl_entry e;
	size_t at = 0;

	if (!node_link_behind(a->node, link, &behind))
		return;
	while (asl_list_next(&behind, &at, &e))
		(void)entry(a, nodes, e.name);
}

void app_nodes(void *ctx, struct control_request *req, const json_t *params)
{
	const struct app *a = ctx;
	const struct app_commands *m = &a->commands;
	json_t *nodes = json_array();
	struct node_link_info l;

	(void)params;
	for (size_t i = 0;
	     i < node_links_max(a->node) && json_array_size(nodes) < NODES_MAX;
	     i++) {
		json_t *o;

		if (!node_link_at(a->node, i, &l))
			continue;
		o = entry(a, nodes, l.number);
		if (o)
			(void)json_object_set_new(o, "linked", json_true());
	}
	for (size_t i = 0; i < a->conf.peers_n; i++)
		(void)entry(a, nodes, a->conf.peers[i].number);
	for (size_t i = 0; i < m->ended_n; i++)
		(void)entry(a, nodes, m->ended[i].number);
	for (size_t i = 0;
	     i < node_links_max(a->node) && json_array_size(nodes) < NODES_MAX;
	     i++) {
		if (node_link_at(a->node, i, &l))
			add_behind(a, l.id, nodes);
	}
	control_reply(req, json_pack("{s:o}", "nodes", nodes));
}
