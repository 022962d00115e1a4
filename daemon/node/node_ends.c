/* SPDX-License-Identifier: MIT */

/* How links end, and when one that was lost is to be dialled again. */

#include <stdio.h>
#include <string.h>

#include "daemon/node/node_priv.h"
#include "proto/backoff.h"

#define CAUSECODE_NORMAL 16U
#define RETRY_MIN_US (5 * MONO_S)
#define RETRY_MAX_US (60 * MONO_S)
/* As often a link is dialled again at that pace; a permanent one goes on, but
 * ever more slowly. */
#define RETRIES 5U
/*
 * A hub or a registrar that starts again is silent for a minute or two, and
 * then busy with all who come back: so long after a link was up, that costs it
 * none of its tries.
 */
#define PATIENCE_US (300 * MONO_S)

/* Those that lost the same hub at once are not back at once. */
static mono_us retry_pause(const struct node *n, const struct link *l)
{
	const struct backoff b = { .min = RETRY_MIN_US,
				   .max = RETRY_MAX_US,
				   .random = n->cfg.random,
				   .random_ctx = n->cfg.random_ctx };

	return backoff_pause(
		&b, l->failures < RETRIES ? 0 : l->failures - RETRIES + 1);
}

/* A node's call that was lost is made again; a telephone's is not. */
void link_lost(struct link *l, mono_us now)
{
	const bool again = l->outbound && l->keying.node && !l->permanent;

	l->retries = again ? RETRIES : 0;
	l->lost = now;
}

static void count_retries(struct link *l, enum link_then then, mono_us now)
{
	const bool spared = then == LINK_LATER && now - l->lost < PATIENCE_US;

	if (then == LINK_OVER || l->permanent)
		l->retries = 0;
	else if (l->was_up)
		link_lost(l, now);
	else if (l->retries > 0 && !spared)
		l->retries--;
}

void link_forget_call(struct node *n, struct link *l)
{
	l->sock = 0;
	node_voice_drop(n, l);
	l->was_up = false;
	l->up_since = 0;
	l->serial = 0;
	l->ended = NODE_ENDED_HERE;
	memset(&l->last, 0, sizeof(l->last));
}

void link_down(struct node *n, struct link *l, const char *why,
	       enum link_then then, mono_us now)
{
	const bool had_socket = l->sock != 0 && l->sock != OO_SOCK_RELAY;
	struct node_event *ev = node_push_link(n, NODE_EV_LINK_DOWN, l);

	(void)snprintf(ev->why, sizeof(ev->why), "%s", why);
	ev->refused = !l->was_up;
	link_record(l, ev, now);
	memcpy(l->why, ev->why, sizeof(l->why));
	count_retries(l, then, now);
	node_move_end(n, l);
	node_text_down(n, l, now);
	link_forget_call(n, l);
	if (had_socket)
		node_push(n, NODE_EV_SOCKETS_CLOSE);
	if (then == LINK_OVER || (!l->permanent && l->retries == 0)) {
		l->state = NODE_LINK_FREE;
		link_give_back(n, l);
		return;
	}
	l->state = NODE_LINK_WAITING;
	l->retry_at = now + retry_pause(n, l);
	l->failures++;
}

void link_leave(struct node *n, struct link *l, mono_us now)
{
	link_note(n, l);
	if (l->state == NODE_LINK_REQUESTING || l->state == NODE_LINK_PUNCHING)
		(void)oo_node_cancel(n->oo, l->dial);
	else if (l->state == NODE_LINK_CALLING || l->state == NODE_LINK_UP)
		(void)iax2_hangup(n->ep, l->call, NULL, CAUSECODE_NORMAL, now);
}

void link_end(struct node *n, struct link *l, const char *why, mono_us now)
{
	link_leave(n, l, now);
	link_down(n, l, why, LINK_OVER, now);
}

void link_proved(struct link *l, const uint8_t *key, bool vouched)
{
	l->door = NODE_DOOR_KEY;
	l->vouched = vouched;
	l->has_key = key != NULL;
	if (key)
		memcpy(l->key, key, KEY_PUBLIC_LEN);
}

/* The lists say who may call; whom this node calls is its operator's choice,
 * but for a key that is not the listed one. */
static const char *forbidden(const struct node *n, const struct link *l)
{
	const uint8_t *key = l->has_key ? l->key : NULL;

	if (l->state != NODE_LINK_CALLING && l->state != NODE_LINK_UP)
		return NULL;
	if (!l->outbound && l->door != NODE_DOOR_KEY)
		return node_door_closed(n, l->door, l->number, key);
	if (!l->outbound)
		return node_acl_forbids(n, l->number, key, l->vouched);
	return key ? node_key_forbids(n, l->number, key) : NULL;
}

void node_links_recheck(struct node *n, mono_us now)
{
	for (size_t i = 0; i < n->links_max; i++) {
		struct link *l = &n->link[i];
		const char *rule = forbidden(n, l);
		char why[NODE_WHY_MAX];

		if (!rule)
			continue;
		(void)snprintf(why, sizeof(why), "no longer welcome: %s", rule);
		/* It need not try again. */
		if (!l->permanent) {
			link_good_bye(n, l, why, now);
			continue;
		}
		link_leave(n, l, now);
		link_down(n, l, why, LINK_AGAIN, now);
	}
}

size_t node_disconnect(struct node *n, const char *number, mono_us now)
{
	size_t ended = 0;

	for (size_t i = 0; i < n->links_max; i++) {
		struct link *l = &n->link[i];

		if (l->state == NODE_LINK_FREE ||
		    (number && strcmp(l->number, number) != 0))
			continue;
		link_good_bye(n, l, "disconnected here", now);
		ended++;
	}
	return ended;
}

void node_links_end(struct node *n, mono_us now)
{
	for (size_t i = 0; i < n->links_max; i++) {
		if (n->link[i].state != NODE_LINK_FREE)
			link_end(n, &n->link[i], "disconnected here", now);
	}
}
