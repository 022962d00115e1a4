/* SPDX-License-Identifier: MIT */

/*
 * Links whose path has changed under them: our address is another one, or the
 * peer's, or a translator between has forgotten us.
 *
 * With a node that came by a ticket the call itself goes on: its peer is asked
 * at the address it had, which is enough where no filter is in between, and a
 * registrar opens a new path meanwhile.  A plain peer is asked for a sign of
 * life, and dialled again when there is none.
 */

#include <stdio.h>
#include <string.h>

#include "daemon/node/node_priv.h"

#define MOVE_US (15 * MONO_S) /* new ways are sought for so long */
/* The direct question has so long before the registrar is asked; the caller
 * goes first, lest both open a way. */
#define CALLER_WAIT_US (200 * MONO_MS)
#define CALLED_WAIT_US (500 * MONO_MS)
#define AGAIN_US (500 * MONO_MS)
#define SIGN_US (1500 * MONO_MS) /* a plain peer's time for a sign of life */
#define CHANGED_US \
	(60 * MONO_S) /* a loss so long after a change is due to it */

static void stop(struct node *n, struct link *l)
{
	if (l->move.dialling)
		(void)oo_node_cancel(n->oo, l->move.dial);
	if (l->move.path.sock != 0)
		node_push(n, NODE_EV_SOCKETS_CLOSE);
	memset(&l->move, 0, sizeof(l->move));
}

void node_move_end(struct node *n, struct link *l)
{
	if (l->move.moving)
		stop(n, l);
	node_better_end(n, l);
}

static mono_us patience(const struct link *l, const struct iax2_call_info *c)
{
	/* The question takes two round trips. */
	const mono_us exchange = 3 * (mono_us)c->rtt_us;
	const mono_us least = l->outbound ? CALLER_WAIT_US : CALLED_WAIT_US;

	return exchange > least ? exchange : least;
}

static void start(struct node *n, struct link *l, mono_us now)
{
	struct iax2_call_info c;

	if (l->state != NODE_LINK_UP ||
	    iax2_call_info(n->ep, l->call, &c) != IAX2_OK)
		return;
	/* What looks for a direct path only will not do now. */
	if (l->move.better && l->move.dialling)
		stop(n, l);
	if (c.movable)
		(void)iax2_move(n->ep, l->call, NULL, now);
	else
		(void)iax2_ping(n->ep, l->call, now);
	l->move.better = false;
	l->move.until = now + MOVE_US;
	if (l->move.moving && l->move.next != MONO_NEVER)
		return;
	if (!l->move.moving)
		l->move.began = now;
	l->move.moving = true;
	l->move.plain = !c.movable;
	if (!l->move.dialling)
		l->move.next = now + (c.movable ? patience(l, &c) : SIGN_US);
}

void node_move_all(struct node *n, mono_us now)
{
	n->net_changed = now;
	node_touch_all(n);
	for (size_t i = 0; i < n->links_max; i++) {
		/* A sign of life that came the former way says nothing. */
		if (n->link[i].move.plain)
			stop(n, &n->link[i]);
		start(n, &n->link[i], now);
		node_better_changed(&n->link[i], now);
	}
}

void node_network_changed(struct node *n, mono_us now)
{
	for (size_t i = 0; i < n->links_max; i++) {
		struct link *l = &n->link[i];

		if (l->state == NODE_LINK_UP || l->state == NODE_LINK_CALLING)
			(void)iax2_unpin(n->ep, l->call);
		net_path_unpin(&l->better.path);
	}
	oo_node_network_changed(n->oo, now);
	node_move_all(n, now);
}

enum iax2_err link_move_to(struct node *n, struct link *l,
			   const struct net_path *path, enum node_rung rung,
			   mono_us now)
{
	enum iax2_err err;

	if (l->state != NODE_LINK_UP)
		return IAX2_E_STATE;
	err = iax2_move(n->ep, l->call, path, now);
	if (err != IAX2_OK)
		return err;
	if (!l->move.moving) {
		l->move.moving = true;
		l->move.better = true;
		l->move.next = MONO_NEVER;
	}
	l->move.found = true;
	l->move.rung = rung;
	l->move.path = *path;
	return IAX2_OK;
}

void node_move_seek(struct node *n, struct link *l, mono_us now)
{
	if (oo_node_dial_direct(n->oo, l->number, now, &l->move.dial) !=
	    IAX2_OK)
		return;
	l->move.moving = true;
	l->move.better = true;
	l->move.dialling = true;
	l->move.next = MONO_NEVER;
}

/* --- what the call says ------------------------------------------------- */

static bool same_path(const struct net_path *a, const struct net_path *b)
{
	return a->sock == b->sock && net_addr_equal(&a->peer, &b->peer);
}

/* Of a path that the call was moved to, and not for the first time seen. */
static enum node_rung rung_of(const struct node *n, const struct link *l,
			      const struct iax2_event *ev)
{
	const struct net_path *to = &ev->u.moved.to;

	if (same_path(&ev->u.moved.from, to))
		return l->rung;
	if (ev->u.moved.ours)
		return l->move.found && same_path(&l->move.path, to)
			       ? l->move.rung
			       : l->rung;
	if (oo_node_is_relayed(n->oo, to))
		return NODE_RUNG_RELAYED;
	if (to->sock != 0)
		return NODE_RUNG_PREDICTED;
	return l->rung == NODE_RUNG_RELAYED ? NODE_RUNG_OPENED : l->rung;
}

static void on_moved(struct node *n, struct link *l,
		     const struct iax2_event *ev, mono_us now)
{
	const struct net_path *to = &ev->u.moved.to;
	const uint16_t had = l->sock;
	struct node_event *out;
	const char *why = NULL;

	l->rung = rung_of(n, l, ev);
	l->sock = to->sock;
	stop(n, l);
	if (had != 0 && had != l->sock)
		node_push(n, NODE_EV_SOCKETS_CLOSE);
	/* Who called us is asked for as if it called now. */
	if (!l->outbound)
		why = node_acl_forbids(n, l->number, ev->u.moved.peer_key,
				       true);
	out = node_push_link(n, NODE_EV_LINK_MOVED, l);
	out->addr = to->peer;
	out->old = ev->u.moved.from.peer;
	node_better_moved(n, l, !ev->u.moved.ours, now);
	if (why)
		link_end(n, l, why, now);
}

/* Those that called us call again, if they like. */
static void on_lost(struct node *n, struct link *l, const char *why,
		    mono_us now)
{
	stop(n, l);
	if (!l->outbound)
		return;
	l->ended = NODE_ENDED_NOBODY;
	link_redial(n, l, why, now);
}

static void on_move_failed(struct node *n, struct link *l, mono_us now)
{
	/* The other node is there, and does not know the call.  While it is
	 * not, the call lives as long as any that hears nothing: a network may
	 * be away for a while. */
	if (l->move.better)
		stop(n, l);
	else if (l->move.found)
		on_lost(n, l, "the call could not be moved", now);
	else
		start(n, l, now);
}

void node_move_on_call(struct node *n, struct link *l,
		       const struct iax2_event *ev, mono_us now)
{
	if (ev->kind == IAX2_EV_CALL_SILENT) {
		/* If it is our own address, the registrar knows soonest. */
		oo_node_ping(n->oo, now);
		start(n, l, now);
	} else if (ev->kind == IAX2_EV_CALL_MOVED) {
		on_moved(n, l, ev, now);
	} else if (ev->kind == IAX2_EV_MOVE_FAILED) {
		on_move_failed(n, l, now);
	}
}

bool node_move_redials(const struct node *n, const struct link *l,
		       enum iax2_down_reason reason, mono_us now)
{
	return l->outbound && l->was_up && !n->stopping &&
	       (reason == IAX2_DOWN_INVALID || reason == IAX2_DOWN_TIMEOUT) &&
	       n->net_changed != 0 && now < n->net_changed + CHANGED_US;
}

/* --- another way, through a registrar ----------------------------------- */

static struct link *by_dial(struct node *n, struct oo_id id)
{
	for (size_t i = 0; i < n->links_max; i++) {
		struct link *l = &n->link[i];

		if (l->move.dialling && l->move.dial.slot == id.slot &&
		    l->move.dial.gen == id.gen)
			return l;
	}
	return NULL;
}

static void on_path(struct node *n, struct link *l, const struct oo_event *ev,
		    mono_us now)
{
	l->move.dialling = false;
	l->move.next = MONO_NEVER;
	/* Its punch may still find a better one. */
	l->dial = ev->id;
	/* It may have become another kind of peer: the call is not there. */
	if ((ev->u.path.plain ||
	     link_move_to(n, l, &ev->u.path.path,
			  node_rung_found(ev->u.path.relayed,
					  ev->u.path.predicted,
					  ev->u.path.mapped),
			  now) != IAX2_OK) &&
	    l->move.better)
		stop(n, l);
	if (ev->u.path.predicted)
		node_push(n, NODE_EV_SOCKETS_CLOSE);
}

bool node_move_on_openover(struct node *n, const struct oo_event *ev,
			   mono_us now)
{
	struct link *l = by_dial(n, ev->id);

	if (!l || ev->kind == OO_EV_OPEN_IN)
		return false;
	if (ev->kind == OO_EV_PATH) {
		on_path(n, l, ev, now);
	} else if (ev->kind == OO_EV_FAILED && l->move.better) {
		l->move.dialling = false;
		stop(n, l);
		node_better_failed(l, ev);
	} else if (ev->kind == OO_EV_FAILED) {
		l->move.dialling = false;
		l->move.next = ev->u.failed.verdict == OO_REFUSED
				       ? MONO_NEVER
				       : now + AGAIN_US;
	}
	return true;
}

/* --- time --------------------------------------------------------------- */

static void due(struct node *n, struct link *l, mono_us now)
{
	struct iax2_call_info c;

	if (l->move.plain) {
		if (iax2_call_info(n->ep, l->call, &c) == IAX2_OK &&
		    c.heard > l->move.began)
			stop(n, l);
		else
			on_lost(n, l,
				"no sign of life after the network changed",
				now);
		return;
	}
	l->move.next = MONO_NEVER;
	if (now < l->move.until &&
	    oo_node_dial(n->oo, l->number, NULL, now, &l->move.dial) == IAX2_OK)
		l->move.dialling = true;
}

void link_move_tick(struct node *n, struct link *l, mono_us now)
{
	if (l->move.moving && now >= l->move.next)
		due(n, l, now);
}

mono_us link_move_due(const struct link *l)
{
	return l->move.moving ? l->move.next : MONO_NEVER;
}
