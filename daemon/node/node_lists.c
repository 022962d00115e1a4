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
/* So many lists made or said, or links looked at, at once, and the next ones that much later:
 * thousands of links leave room for voice. */
#define AT_ONCE 8U
#define LOOKS 64U
#define NEXT_US (10 * MONO_MS)
#define PAUSE_US MONO_S /* between two lists of one link */
/* Three times what the slowest node leaves between two. */
#define AGE_US (120 * MONO_S)

/* --- what is known ------------------------------------------------------ */

const struct link *node_lists_find(const struct node *n, const char *number,
				   bool wished)
{
	for (size_t i = 0; i < n->links_max; i++) {
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
	if (id.slot >= n->links_max || n->link[id.slot].gen != id.gen ||
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
	return strcmp(e->name, n->number) == 0 || link_is_twice(n, l, e->name);
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
	node_lists_changed(n, now);
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
		    (!to || strcmp(e.name, to->number) != 0))
			(void)asl_list_add(list, weaker(mode, e.mode), e.name);
	}
	return !list->cut;
}

/* What @to, or somebody who is on none of these lists, is told; returns the slot
 * after the last one that was looked at. */
static size_t list_for(const struct node *n, const struct link *to,
		       struct asl_list *out)
{
	/* More do not fit, and in a loop the same ones come again. */
	size_t room = ASL_LIST_MAX / 3;
	bool all = true, marked = false;
	size_t i = 0;

	asl_list_clear(out);
	for (; i < n->links_max && all; i++) {
		const struct link *l = &n->link[i];

		if (l == to || l->mode == NODE_LOCAL_MONITOR ||
		    (l->state != NODE_LINK_UP && !is_dialling(l)) ||
		    (to && strcmp(l->number, to->number) == 0))
			continue;
		all = add_link(n, to, l, out, &room);
		marked |= l->text.behind.cut;
	}
	out->cut = marked || !all;
	return i;
}

/* Of thousands of links the first ones fill a list, which is then the same for
 * all the others. */
static bool is_usual(const struct node *n, const struct link *l,
		     struct lists_said *u)
{
	if (!u->made) {
		u->end = list_for(n, NULL, &u->list);
		asl_list_format(&u->list, u->text);
		u->hash = node_text_hash(n, u->text);
	}
	u->made = true;
	return (size_t)(l - n->link) >= u->end &&
	       asl_list_find(&u->list, l->number) == 0;
}

static void tell(struct node *n, struct link *l, struct lists_said *u,
		 mono_us now)
{
	char own_text[ASL_TEXT_MAX + 1];
	const char *text = u->text;
	struct asl_list own;
	uint64_t hash;
	bool said;

	u->looks++;
	if (is_usual(n, l, u)) {
		hash = u->hash;
	} else {
		u->n++;
		(void)list_for(n, l, &own);
		asl_list_format(&own, own_text);
		text = own_text;
		hash = node_text_hash(n, text);
	}
	if (l->text.list_sent != 0 && hash == l->text.list_hash &&
	    now < l->text.list_sent + LIST_US) {
		l->text.list_due = l->text.list_sent + LIST_US;
		return;
	}
	u->n += text == u->text;
	said = node_text_say(n, l, text, now);
	l->text.list_sent = now;
	l->text.list_hash = said ? hash : ~hash;
	l->text.list_due = now + (said ? LIST_US : PAUSE_US);
}

void node_lists_up(struct link *l, mono_us now)
{
	l->text.list_due = now;
}

void node_lists_changed(struct node *n, mono_us now)
{
	if (!n->text.look_at)
		n->text.look_at = now + PAUSE_US;
	if (!n->text.spread_at)
		n->text.spread_at = now + SOON_US;
}

/* Each at a time of its own. */
static void spread(struct node *n, mono_us now)
{
	uint8_t dice = 0;

	n->text.spread_at = 0;
	node_touch_all(n);
	n->cfg.random(n->cfg.random_ctx, &dice, sizeof(dice));
	for (size_t i = 0; i < n->links_max; i++) {
		struct link_text *t = &n->link[i].text;
		mono_us due = now + SPREAD_US * dice / UINT8_MAX;

		if (n->link[i].state != NODE_LINK_UP)
			continue;
		dice = (uint8_t)(dice + 67);
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
	for (size_t i = 0; i < n->links_max; i++) {
		if (n->link[i].state == NODE_LINK_UP)
			look_for_loop(n, &n->link[i]);
	}
}

void link_lists_tick(struct node *n, struct link *l, struct lists_said *said,
		     mono_us now)
{
	struct asl_list none;

	if (l->state != NODE_LINK_UP)
		return;
	if (now >= aged_at(l)) {
		asl_list_clear(&none);
		learn(n, l, &none, now);
	}
	if (now < l->text.list_due || now < n->text.list_next)
		return;
	tell(n, l, said, now);
	if (said->n < AT_ONCE && said->looks < LOOKS)
		return;
	n->text.list_next = now + NEXT_US;
	n->tick_from = (size_t)(l - n->link) + 1;
}

mono_us link_lists_due(const struct node *n, const struct link *l)
{
	const mono_us told = l->text.list_due > n->text.list_next
				     ? l->text.list_due
				     : n->text.list_next;

	return l->state == NODE_LINK_UP ? mono_min(aged_at(l), told)
					: MONO_NEVER;
}

void node_lists_tick(struct node *n, mono_us now)
{
	if (n->text.look_at != 0 && now >= n->text.look_at)
		look_for_loops(n);
	if (n->text.spread_at != 0 && now >= n->text.spread_at)
		spread(n, now);
}

mono_us node_lists_deadline(const struct node *n)
{
	mono_us due = n->text.look_at != 0 ? n->text.look_at : MONO_NEVER;

	return n->text.spread_at != 0 ? mono_min(due, n->text.spread_at) : due;
}
