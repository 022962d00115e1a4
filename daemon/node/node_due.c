/* SPDX-License-Identifier: MIT */

/*
 * When links need a tick.  Of thousands few do at a time, and their next times
 * lie side by side: to find the first takes microseconds.
 */

#include <string.h>

#include "daemon/node/node_priv.h"

void node_touch(struct node *n, const struct link *l)
{
	n->due[l - n->link] = 0;
}

void node_touch_all(struct node *n)
{
	memset(n->due, 0, n->links_max * sizeof(n->due[0]));
}

static mono_us link_due(const struct node *n, const struct link *l)
{
	mono_us due = link_wait_due(l);

	if (l->state == NODE_LINK_FREE)
		return MONO_NEVER;
	due = mono_min(due, link_move_due(l));
	due = mono_min(due, link_better_due(l));
	due = mono_min(due, link_keying_due(l));
	return mono_min(due, link_lists_due(n, l));
}

void node_links_tick(struct node *n, mono_us now)
{
	const size_t from = n->tick_from;
	struct lists_said said = { .made = false };

	for (size_t k = 0; k < n->links_max; k++) {
		const size_t i = (from + k) % n->links_max;
		struct link *l = &n->link[i];

		if (n->due[i] > now)
			continue;
		if (l->state != NODE_LINK_FREE) {
			link_wait_tick(n, l, now);
			link_move_tick(n, l, now);
			link_better_tick(n, l, now);
			link_keying_tick(n, l, now);
			link_lists_tick(n, l, &said, now);
		}
		n->due[i] = link_due(n, l);
	}
}

mono_us node_links_deadline(const struct node *n)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < n->links_max; i++)
		due = mono_min(due, n->due[i] != 0 ? n->due[i]
						   : link_due(n, &n->link[i]));
	return due;
}
