/* SPDX-License-Identifier: MIT */

/*
 * Who is linked behind whom.  Every node tells each link, now and then and soon
 * after a change, which nodes are reached through it, but for those that it
 * knows from that very link.  So a node knows the whole conference, and does
 * not dial into it a second time: that would be a loop.
 */

#include <string.h>

#include "daemon/node/node_priv.h"

#define LIST_US (30 * MONO_S) /* some call a link dead after 40 s */
#define SOON_US (150 * MONO_MS)
#define SPREAD_US (100 * MONO_MS)
#define PAUSE_US MONO_S /* between two lists of one link */
/* Three times what the slowest node leaves between two. */
#define AGE_US (120 * MONO_S)

/* --- what is known ------------------------------------------------------ */

const struct link *node_lists_find(const struct node *n, const char *number,
				   bool wished)
{
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		const struct link *l = &n->link[i];
		const int mode =
			l->state == NODE_LINK_UP
				? asl_list_find(&l->text.behind, number)
				: 0;

		if (mode != 0 && (wished || mode != ASL_CONNECTING))
			return l;
	}
	return NULL;
}

const char *node_behind(const struct node *n, const char *number)
{
	const struct link *l = node_lists_find(n, number, true);

	return l ? l->number : NULL;
}

bool node_link_behind(const struct node *n, struct node_link_id id,
		      struct asl_list *out)
{
	if (id.slot >= NODE_LINKS_MAX || n->link[id.slot].gen != id.gen ||
	    n->link[id.slot].state == NODE_LINK_FREE)
		return false;
	*out = n->link[id.slot].text.behind;
	return true;
}

/* One that is listed here must be neither this node nor another link of it. */
static bool is_twice(const struct node *n, const struct link *l,
		     const struct asl_entry *e)
{
	if (e->mode == ASL_CONNECTING)
		return false;
	if (strcmp(e->name, n->number) == 0)
		return true;
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		const struct link *other = &n->link[i];

		if (other != l && other->state == NODE_LINK_UP &&
		    other->mode == NODE_TRANSCEIVE &&
		    strcmp(other->number, e->name) == 0)
			return true;
	}
	return false;
}

static void look_for_loop(struct node *n, struct link *l)
{
	const bool was = l->text.loop;
	struct asl_entry e;
	size_t at = 0;

	l->text.loop = false;
	while (l->mode == NODE_TRANSCEIVE && !l->text.loop &&
	       asl_list_next(&l->text.behind, &at, &e))
		l->text.loop = is_twice(n, l, &e);
	if (l->text.loop && !was) {
		struct node_event *ev = node_push_link(n, NODE_EV_LOOP, l);

		memcpy(ev->text, ev->number, sizeof(ev->number));
		memcpy(ev->number, e.name, sizeof(e.name));
	}
}

static void learn(struct node *n, struct link *l, const struct asl_list *list,
		  mono_us now)
{
	if (asl_list_equal(&l->text.behind, list))
		return;
	l->text.behind = *list;
	node_push_link(n, NODE_EV_BEHIND, l);
	node_lists_changed(n, l, now);
}

void node_lists_in(struct node *n, struct link *l, const struct asl_text *t,
		   mono_us now)
{
	static const struct rate_limit often = { 240, 30 };
	struct asl_list list;

	if (!rate_take(&l->text.lists, &often, now)) {
		n->text.n.limited++;
		return;
	}
	n->text.n.malformed[ASL_LIST] +=
		asl_list_read(&list, t->rest, t->rest_len);
	l->text.behind_at = now;
	learn(n, l, &list, now);
}

/* --- what is told ------------------------------------------------------- */

static bool is_dialling(const struct link *l)
{
	return l->outbound &&
	       (l->state == NODE_LINK_REQUESTING ||
		l->state == NODE_LINK_PUNCHING ||
		l->state == NODE_LINK_CALLING || l->state == NODE_LINK_WAITING);
}

/* What is behind a link is linked no better than the link. */
static enum asl_mode weaker(enum asl_mode a, enum asl_mode b)
{
	return a < b ? a : b;
}

/* Add a link and who is behind it, and take each from @room; false when there
 * is no more of it. */
static bool add_link(const struct node *n, const struct link *to,
		     const struct link *l, struct asl_list *list, size_t *room)
{
	const enum asl_mode mode = l->state != NODE_LINK_UP ? ASL_CONNECTING
				   : l->mode == NODE_TRANSCEIVE
					   ? ASL_TRANSCEIVED
					   : ASL_MONITORED;
	struct asl_entry e;
	size_t at = 0;

	(void)asl_list_add(list, mode, l->number);
	while (l->state == NODE_LINK_UP &&
	       asl_list_next(&l->text.behind, &at, &e)) {
		if (list->cut || *room == 0)
			return false;
		--*room;
		if (strcmp(e.name, n->number) != 0 &&
		    strcmp(e.name, to->number) != 0)
			(void)asl_list_add(list, weaker(mode, e.mode), e.name);
	}
	return !list->cut;
}

static void list_for(const struct node *n, const struct link *to,
		     struct asl_list *out)
{
	/* More do not fit, and in a loop the same ones come again. */
	size_t room = ASL_LIST_MAX / 3;
	bool all = true, marked = false;

	asl_list_clear(out);
	for (size_t i = 0; i < NODE_LINKS_MAX && all; i++) {
		const struct link *l = &n->link[i];

		if (l == to || l->mode == NODE_LOCAL_MONITOR ||
		    (l->state != NODE_LINK_UP && !is_dialling(l)) ||
		    strcmp(l->number, to->number) == 0)
			continue;
		all = add_link(n, to, l, out, &room);
		marked |= l->text.behind.cut;
	}
	out->cut = marked || !all;
}

static void tell(struct node *n, struct link *l, mono_us now)
{
	char text[ASL_TEXT_MAX + 1];
	struct asl_list list;

	list_for(n, l, &list);
	asl_list_format(&list, text);
	l->text.list_sent = now;
	l->text.list_due =
		now + (node_text_say(n, l, text, now) ? LIST_US : PAUSE_US);
}

void node_lists_up(struct link *l, mono_us now)
{
	l->text.list_due = now;
}

void node_lists_changed(struct node *n, const struct link *except, mono_us now)
{
	uint8_t dice = 0;

	if (!n->text.look_at)
		n->text.look_at = now + PAUSE_US;
	n->cfg.random(n->cfg.random_ctx, &dice, sizeof(dice));
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		struct link_text *t = &n->link[i].text;
		mono_us due = now + SOON_US + SPREAD_US * dice / UINT8_MAX;

		if (&n->link[i] == except || n->link[i].state != NODE_LINK_UP)
			continue;
		if (t->list_sent != 0 && due < t->list_sent + PAUSE_US)
			due = t->list_sent + PAUSE_US;
		t->list_due = mono_min(t->list_due, due);
	}
}

/* --- time --------------------------------------------------------------- */

static mono_us aged_at(const struct link *l)
{
	return l->text.behind.len > 0 || l->text.behind.cut
		       ? l->text.behind_at + AGE_US
		       : MONO_NEVER;
}

static void look_for_loops(struct node *n)
{
	n->text.look_at = 0;
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		if (n->link[i].state == NODE_LINK_UP)
			look_for_loop(n, &n->link[i]);
	}
}

void node_lists_tick(struct node *n, mono_us now)
{
	if (n->text.look_at != 0 && now >= n->text.look_at)
		look_for_loops(n);
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		struct link *l = &n->link[i];
		struct asl_list none;

		if (l->state != NODE_LINK_UP)
			continue;
		if (now >= aged_at(l)) {
			asl_list_clear(&none);
			learn(n, l, &none, now);
		}
		if (now >= l->text.list_due)
			tell(n, l, now);
	}
}

mono_us node_lists_deadline(const struct node *n)
{
	mono_us due = n->text.look_at != 0 ? n->text.look_at : MONO_NEVER;

	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		const struct link *l = &n->link[i];

		if (l->state == NODE_LINK_UP)
			due = mono_min(due,
				       mono_min(aged_at(l), l->text.list_due));
	}
	return due;
}
