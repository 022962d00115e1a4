/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <string.h>

#include "daemon/node/node_priv.h"

#define LOOP_US (5 * MONO_S) /* until a way may be free again */

static bool has_dial(const struct link *l, const void *what)
{
	const struct oo_id *dial = what;

	return (l->state == NODE_LINK_REQUESTING ||
		l->state == NODE_LINK_PUNCHING) &&
	       l->dial.slot == dial->slot && l->dial.gen == dial->gen;
}

static struct link *by_id(struct node *n, struct node_link_id id)
{
	struct link *l = &n->link[id.slot % n->links_max];

	return id.slot < n->links_max && l->state != NODE_LINK_FREE &&
			       l->gen == id.gen
		       ? l
		       : NULL;
}

/* --- dialling ----------------------------------------------------------- */

static void step(struct node *n, struct link *l, enum node_link_state s)
{
	l->state = s;
	node_push_link(n, NODE_EV_LINK_STEP, l);
}

/* Who shares a secret or a key with us knows us by our number; AllStarLink's
 * nodes have one user for all others. */
static const char *username(const struct node *n, const struct node_peer *peer)
{
	return peer && (peer->has_key || peer->md5_secret[0] != '\0')
		       ? n->number
		       : "radio";
}

static void call(struct node *n, struct link *l, const struct net_path *path,
		 const struct iax2_ticket *ticket, mono_us now)
{
	const struct node_peer *peer = node_peer(n, l->number);
	const struct iax2_dial d = {
		.path = *path,
		.called = l->number,
		.calling = n->number,
		.username = ticket ? NULL : username(n, peer),
		.ticket = ticket,
		.md5_secret = peer && peer->md5_secret[0] != '\0'
				      ? peer->md5_secret
				      : NULL,
	};

	struct node_event *ev;
	struct iax2_call_id id;

	l->sock = path->sock;
	if (iax2_dial(n->ep, &d, now, &id) != IAX2_OK) {
		link_down(n, l, "too many calls", LINK_LATER, now);
		return;
	}
	link_set_call(n, l, id);
	l->state = NODE_LINK_CALLING;
	ev = node_push_link(n, NODE_EV_LINK_STEP, l);
	ev->addr = path->peer;
	ev->on = ticket != NULL;
}

static enum node_rung plain_rung(const struct net_path *path)
{
	return path->sock == OO_SOCK_RELAY ? NODE_RUNG_RELAYED
					   : NODE_RUNG_DIRECT;
}

static void dial(struct node *n, struct link *l, mono_us now)
{
	const bool plain = l->want.number && net_addr_is_set(&l->want.addr);
	const struct net_path path = oo_node_path_to(n->oo, &l->want.addr);

	node_touch(n, l);
	l->dialled = now;
	l->outbound = true;
	link_proved(l, NULL, false);
	node_lists_changed(n, now);
	if (plain) {
		l->rung = plain_rung(&path);
		call(n, l, &path, NULL, now);
		return;
	}
	l->rung = NODE_RUNG_OPENED;
	l->state = NODE_LINK_REQUESTING;
	if (oo_node_dial(n->oo, l->want.number ? l->number : NULL,
			 &l->want.addr, now, &l->dial) != IAX2_OK)
		link_down(n, l, "too many dials at once", LINK_LATER, now);
	else
		step(n, l, NODE_LINK_REQUESTING);
}

void link_redial(struct node *n, struct link *l, const char *why, mono_us now)
{
	if (l->was_up)
		link_lost(l, now);
	link_yield(n, l, why, now);
	/* Whoever was seen at an address has a number now, and perhaps
	 * another address. */
	if (!l->want.number) {
		l->want.number = l->number;
		memset(&l->want.addr, 0, sizeof(l->want.addr));
	}
	dial(n, l, now);
}

/* Another's link may have been faster: a second way would be a loop. */
static void dial_again(struct node *n, struct link *l, mono_us now)
{
	const struct link *by = node_lists_find(n, l->number, false);

	if (!by) {
		dial(n, l, now);
		return;
	}
	(void)snprintf(l->why, sizeof(l->why), "linked already, through %s",
		       by->number);
	l->retry_at = now + LOOP_US;
}

static bool number_is_valid(const struct node *n, const char *number)
{
	const size_t len = strlen(number);

	return len >= 1 && len <= OO_NUMBER_MAX &&
	       strspn(number, "0123456789") == len &&
	       strcmp(number, n->number) != 0;
}

/* The other node knows nothing of our mode: the call can stay. */
static enum iax2_err change_mode(struct node *n, struct link *l,
				 const struct node_connect *c, mono_us now,
				 struct node_link_id *out)
{
	*out = (struct node_link_id){ (uint16_t)(l - n->link), l->gen };
	node_touch(n, l);
	if (l->mode == c->mode && l->permanent == c->permanent)
		return IAX2_E_STATE;
	l->mode = c->mode;
	l->permanent = c->permanent;
	node_lists_changed(n, now);
	return IAX2_OK;
}

enum iax2_err node_connect(struct node *n, const struct node_connect *c,
			   mono_us now, struct node_link_id *out)
{
	struct link *l = c->number ? link_by_number(n, c->number) : NULL;

	if (c->number ? !number_is_valid(n, c->number)
		      : !net_addr_is_set(&c->addr))
		return IAX2_E_RANGE;
	if (net_addr_is_link_local(&c->addr))
		return IAX2_E_NOT_OURS;
	if (n->stopping)
		return IAX2_E_STATE;
	if (l)
		return change_mode(n, l, c, now, out);
	if (c->number && node_behind(n, c->number))
		return IAX2_E_REFUSED;
	l = link_new(n);
	if (!l)
		return IAX2_E_FULL;
	l->want = *c;
	if (c->number)
		link_set_number(n, l, c->number);
	l->want.number = c->number ? l->number : NULL;
	l->mode = c->mode;
	l->permanent = c->permanent;
	l->outbound = true;
	*out = (struct node_link_id){ (uint16_t)(l - n->link), l->gen };
	dial(n, l, now);
	return IAX2_OK;
}

enum iax2_err node_redirect(struct node *n, struct node_link_id id,
			    const struct net_addr *addr)
{
	struct link *l = by_id(n, id);

	if (!l || l->state != NODE_LINK_WAITING || !l->want.number)
		return IAX2_E_STALE;
	if (net_addr_is_link_local(addr))
		return IAX2_E_NOT_OURS;
	node_touch(n, l);
	l->want.addr = *addr;
	return IAX2_OK;
}

enum iax2_err node_drop(struct node *n, struct node_link_id id, mono_us now)
{
	struct link *l = by_id(n, id);

	if (!l)
		return IAX2_E_STALE;
	link_good_bye(n, l, "given up", now);
	return IAX2_OK;
}

/* --- OPEN/OVER ---------------------------------------------------------- */

struct node_event *node_caller_refused(struct node *n, const char *number,
				       const struct net_addr *addr,
				       const char *why)
{
	struct node_event *ev = node_push(n, NODE_EV_CALLER_REFUSED);

	(void)snprintf(ev->number, sizeof(ev->number), "%s", number);
	(void)snprintf(ev->why, sizeof(ev->why), "%s", why);
	if (addr)
		ev->addr = *addr;
	return ev;
}

static bool node_has_called(struct node *n, const char *number)
{
	const struct link *l = link_by_number(n, number);

	return l && l->state == NODE_LINK_UP && l->outbound;
}

static void on_open_in(struct node *n, const struct oo_event *ev, mono_us now)
{
	const char *number = ev->u.open_in.number;
	const char *why = node_acl_forbids(n, number, ev->u.open_in.key, true);

	/* Whom we called may come to us to move that call. */
	if (why && strcmp(why, NODE_ACL_DENY) != 0 &&
	    node_has_called(n, number))
		why = NULL;
	if (!why && n->stopping)
		why = "the node is stopping";
	if (why)
		(void)node_caller_refused(n, number, NULL, why);
	(void)oo_node_answer(n->oo, ev->id, !why, now);
}

/* No word of anybody's against the call: who did not answer, was not there or
 * had too much to do may yet. */
static enum link_then then_of(enum oo_verdict verdict)
{
	if (verdict == OO_REFUSED)
		return LINK_OVER;
	return verdict == OO_UNKNOWN ? LINK_AGAIN : LINK_LATER;
}

static void on_failed(struct node *n, struct link *l, const struct oo_event *ev,
		      mono_us now)
{
	char why[NODE_WHY_MAX];

	(void)snprintf(why, sizeof(why), "%s%s%s%s",
		       oo_verdict_text(ev->u.failed.verdict),
		       ev->u.failed.tried[0] ? " (tried: " : "",
		       ev->u.failed.tried, ev->u.failed.tried[0] ? ")" : "");
	link_down(n, l, why, then_of(ev->u.failed.verdict), now);
	node_push(n, NODE_EV_SOCKETS_CLOSE);
}

/* A registrar's word is not enough against a key that is listed here. */
static void on_plain_path(struct node *n, struct link *l,
			  const struct net_path *path, mono_us now)
{
	const struct node_peer *peer = node_peer(n, l->number);
	const struct net_path way = oo_node_path_to(n->oo, &path->peer);

	if (peer && peer->has_key) {
		link_down(n, l,
			  "the registrar has no key for it, but one is listed "
			  "here",
			  LINK_AGAIN, now);
		return;
	}
	l->rung = plain_rung(&way);
	call(n, l, &way, NULL, now);
}

static void on_path(struct node *n, struct link *l, const struct oo_event *ev,
		    mono_us now)
{
	const struct net_path *path = &ev->u.path.path;
	const struct iax2_ticket *ticket = &ev->u.path.ticket;
	const char *why;

	if (ev->u.path.plain) {
		on_plain_path(n, l, path, now);
		return;
	}
	if (l->number[0] == '\0')
		link_set_number(n, l, ticket->peer_number);
	l->rung = node_rung_found(ev->u.path.relayed, ev->u.path.predicted,
				  ev->u.path.mapped);
	why = node_key_forbids(n, l->number, ticket->peer_key);
	link_proved(l, ticket->peer_key, true);
	if (why)
		link_down(n, l, why, LINK_AGAIN, now);
	else
		call(n, l, path, ticket, now);
	if (ev->u.path.predicted)
		node_push(n, NODE_EV_SOCKETS_CLOSE);
}

void node_links_on_openover(struct node *n, const struct oo_event *ev,
			    mono_us now)
{
	struct link *l = link_find(n, has_dial, &ev->id);

	if (node_move_on_openover(n, ev, now))
		return;
	if (ev->kind == OO_EV_OPEN_IN)
		on_open_in(n, ev, now);
	else if (ev->kind == OO_EV_BETTER)
		node_better_on_openover(n, ev, now);
	else if (!l)
		return;
	else if (ev->kind == OO_EV_FAILED)
		on_failed(n, l, ev, now);
	else if (ev->kind == OO_EV_PATH)
		on_path(n, l, ev, now);
	else if (ev->kind == OO_EV_PROGRESS &&
		 ev->u.progress.step == OO_STEP_PUNCHING)
		step(n, l, NODE_LINK_PUNCHING);
}

/* --- time --------------------------------------------------------------- */

void link_wait_tick(struct node *n, struct link *l, mono_us now)
{
	if (l->state == NODE_LINK_WAITING && now >= l->retry_at)
		dial_again(n, l, now);
}

mono_us link_wait_due(const struct link *l)
{
	return l->state == NODE_LINK_WAITING ? l->retry_at : MONO_NEVER;
}
