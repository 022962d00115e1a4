/* SPDX-License-Identifier: MIT */

/*
 * Links that end for good: "!!DISCONNECT!!" tells the other node not to dial
 * again.  app_rpt forgets what it has not read when a call is hung up, so that
 * comes a little later; to everybody else the link is over at once.
 */

#include "daemon/node/node_priv.h"

#define READ_US (200 * MONO_MS)
#define CAUSECODE_NORMAL 16U

void link_good_bye(struct node *n, struct link *l, const char *why, mono_us now)
{
	char text[ASL_TEXT_MAX + 1];
	struct leaving *leaving = NULL;

	link_note(n, l);
	for (size_t i = 0; i < n->links_max && !leaving; i++) {
		if (!n->leaving[i].used)
			leaving = &n->leaving[i];
	}
	(void)asl_text_format(&(struct asl_text){ .kind = ASL_DISCONNECT },
			      text);
	if (leaving && l->state == NODE_LINK_UP &&
	    node_text_say(n, l, text, now)) {
		node_voice_pause(n, l, now);
		*leaving = (struct leaving){ true, l->call, l->sock,
					     now + READ_US };
		n->leaving_n++;
	} else {
		link_leave(n, l, now);
	}
	link_down(n, l, why, LINK_OVER, now);
}

bool node_leave_uses_socket(const struct node *n, uint16_t sock)
{
	for (size_t i = 0; n->leaving_n > 0 && i < n->links_max; i++) {
		if (n->leaving[i].used && n->leaving[i].sock == sock)
			return true;
	}
	return false;
}

static void leave(struct node *n, struct leaving *l, mono_us now)
{
	/* The other end was faster, as a rule: there is no such call then. */
	(void)iax2_hangup(n->ep, l->call, NULL, CAUSECODE_NORMAL, now);
	l->used = false;
	n->leaving_n--;
	if (l->sock != 0 && l->sock != OO_SOCK_RELAY)
		node_push(n, NODE_EV_SOCKETS_CLOSE);
}

void node_leave_now(struct node *n, mono_us now)
{
	for (size_t i = 0; n->leaving_n > 0 && i < n->links_max; i++) {
		if (n->leaving[i].used)
			leave(n, &n->leaving[i], now);
	}
}

void node_leave_tick(struct node *n, mono_us now)
{
	for (size_t i = 0; n->leaving_n > 0 && i < n->links_max; i++) {
		if (n->leaving[i].used && now >= n->leaving[i].at)
			leave(n, &n->leaving[i], now);
	}
}

mono_us node_leave_deadline(const struct node *n)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; n->leaving_n > 0 && i < n->links_max; i++) {
		if (n->leaving[i].used)
			due = mono_min(due, n->leaving[i].at);
	}
	return due;
}
