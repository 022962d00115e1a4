/* SPDX-License-Identifier: MIT */

/*
 * Calls that go through a relay leave it when there is another way: the punch
 * that found the relay goes on for a while, and later ones look again, ever
 * more seldom.  The call is moved as if its address had changed, so nothing of
 * it is lost, and where that fails it stays where it is.
 */

#include <string.h>

#include "daemon/node/node_priv.h"

/* A new network first shows itself to the registrar. */
#define CHANGED_US (5 * MONO_S)
/* Only one link looks at a time: the places of dials are for calls. */
#define BUSY_US (10 * MONO_S)
/* One such verdict may come of lost packets. */
#define HOPELESS_MAX 2U

/* Between tries, the last one repeated. */
static const mono_us pause_us[] = { 30 * MONO_S, 120 * MONO_S, 600 * MONO_S };
#define PAUSES (sizeof(pause_us) / sizeof(pause_us[0]))

enum node_rung node_rung_found(bool relayed, bool predicted, bool mapped)
{
	if (relayed)
		return NODE_RUNG_RELAYED;
	if (predicted)
		return NODE_RUNG_PREDICTED;
	return mapped ? NODE_RUNG_MAPPED : NODE_RUNG_OPENED;
}

static bool is_relayed(const struct node *n, const struct link *l)
{
	struct iax2_call_info c;

	return l->state == NODE_LINK_UP && l->rung == NODE_RUNG_RELAYED &&
	       iax2_call_info(n->ep, l->call, &c) == IAX2_OK && c.movable;
}

/* The caller looks; who was called does so when its own network changed. */
static void begin(const struct node *n, struct link *l, mono_us now)
{
	l->better.tries = 0;
	l->better.hopeless = 0;
	l->better.next = l->outbound && is_relayed(n, l) ? now + pause_us[0]
							 : MONO_NEVER;
}

void node_better_up(struct node *n, struct link *l, mono_us now)
{
	const struct link_better was = l->better;

	l->better.held = false;
	begin(n, l, now);
	if (was.held)
		(void)link_move_to(n, l, &was.path, was.rung, now);
}

void node_better_moved(struct node *n, struct link *l, bool followed,
		       mono_us now)
{
	/* What we began to wait for after a change of our own is to come. */
	if (!is_relayed(n, l) || l->better.next == MONO_NEVER ||
	    (followed && l->outbound))
		begin(n, l, now);
}

void node_better_changed(struct link *l, mono_us now)
{
	if (l->state != NODE_LINK_UP || l->rung != NODE_RUNG_RELAYED)
		return;
	l->better.tries = 0;
	l->better.hopeless = 0;
	l->better.next = now + CHANGED_US;
}

void node_better_failed(struct link *l, const struct oo_event *ev)
{
	if (!ev->u.failed.hopeless)
		l->better.hopeless = 0;
	else
		l->better.hopeless++;
	if (ev->u.failed.verdict == OO_REFUSED ||
	    l->better.hopeless >= HOPELESS_MAX)
		l->better.next = MONO_NEVER;
}

void node_better_end(struct node *n, struct link *l)
{
	if (l->better.held && l->better.path.sock != 0)
		node_push(n, NODE_EV_SOCKETS_CLOSE);
	memset(&l->better, 0, sizeof(l->better));
	l->better.next = MONO_NEVER;
}

static bool has_punch(const struct link *l, const void *what)
{
	const struct oo_id *id = what;

	return (l->state == NODE_LINK_CALLING || l->state == NODE_LINK_UP) &&
	       l->dial.slot == id->slot && l->dial.gen == id->gen;
}

void node_better_on_openover(struct node *n, const struct oo_event *ev,
			     mono_us now)
{
	const enum node_rung rung = node_rung_found(
		false, ev->u.better.predicted, ev->u.better.mapped);
	struct link *l = link_find(n, has_punch, &ev->id);

	if (!l)
		return;
	if (l->state == NODE_LINK_UP) {
		(void)link_move_to(n, l, &ev->u.better.path, rung, now);
		return;
	}
	l->better.held = true;
	l->better.path = ev->u.better.path;
	l->better.rung = rung;
}

bool node_better_uses_socket(const struct link *l, uint16_t sock)
{
	return l->better.held && l->better.path.sock == sock;
}

/* --- looking again ------------------------------------------------------ */

static bool somebody_looks(const struct node *n)
{
	for (size_t i = 0; i < n->links_max; i++) {
		if (n->link[i].move.better && n->link[i].move.dialling)
			return true;
	}
	return false;
}

static void look(struct node *n, struct link *l, mono_us now)
{
	const unsigned next =
		l->better.tries + 1 < PAUSES ? l->better.tries + 1 : PAUSES - 1;

	if (!is_relayed(n, l)) {
		l->better.next = MONO_NEVER;
		return;
	}
	if (l->move.moving || somebody_looks(n)) {
		l->better.next = now + BUSY_US;
		return;
	}
	l->better.tries = next;
	l->better.next = l->outbound ? now + pause_us[next] : MONO_NEVER;
	node_move_seek(n, l, now);
}

void link_better_tick(struct node *n, struct link *l, mono_us now)
{
	if (l->state == NODE_LINK_UP && now >= l->better.next)
		look(n, l, now);
}

mono_us link_better_due(const struct link *l)
{
	return l->state == NODE_LINK_UP ? l->better.next : MONO_NEVER;
}
