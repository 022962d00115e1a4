/* SPDX-License-Identifier: MIT */

/* Calls that come in, and what happens to the calls of links. */

#include <stdio.h>
#include <string.h>

#include "daemon/node/node_priv.h"

#define CAUSECODE_NO_ROUTE 3U
#define CAUSECODE_NO_AUTHORITY 50U
#define CAUSECODE_BUSY 17U
#define CAUSECODE_NO_USER 18U
#define CAUSECODE_NO_ANSWER 19U
#define CAUSECODE_UNAVAILABLE 20U
#define CAUSECODE_NO_CIRCUIT 34U
#define CAUSECODE_OUT_OF_ORDER 38U
#define CAUSECODE_TEMPORARY 41U
#define CAUSECODE_CONGESTION 42U
#define NODE_OTHER_NUMBER "it asked for another number"

static void refuse(struct node *n, const struct iax2_event *ev,
		   const char *text, uint8_t code, const char *why, mono_us now)
{
	const char *number = ev->u.in.calling;

	(void)node_caller_refused(n, number, &ev->u.in.path.peer, why);
	(void)iax2_reject(n->ep, ev->call, text, code, now);
}

void node_call_forbid(struct node *n, const struct iax2_event *ev,
		      const char *why, const struct net_addr *claimed,
		      mono_us now)
{
	struct node_event *out = node_caller_refused(n, ev->u.in.calling,
						     &ev->u.in.path.peer, why);

	if (claimed)
		out->claimed = *claimed;
	(void)iax2_reject(n->ep, ev->call, "No authority found",
			  CAUSECODE_NO_AUTHORITY, now);
}

void node_call_put_off(struct node *n, const struct iax2_event *ev,
		       const char *why, mono_us now)
{
	refuse(n, ev, "Too many callers", CAUSECODE_NO_CIRCUIT, why, now);
}

void link_yield(struct node *n, struct link *l, const char *why, mono_us now)
{
	node_touch(n, l);
	link_leave(n, l, now);
	node_move_end(n, l);
	node_text_down(n, l, now);
	if (l->was_up) {
		struct node_event *ev = node_push_link(n, NODE_EV_LINK_DOWN, l);

		(void)snprintf(ev->why, sizeof(ev->why), "%s", why);
		link_record(l, ev, now);
	}
	if (l->sock != 0)
		node_push(n, NODE_EV_SOCKETS_CLOSE);
	link_forget_call(n, l);
	l->outbound = false;
	memset(&l->dial, 0, sizeof(l->dial));
}

/* Our NEW went out: the other node may have taken it already. */
static bool has_called(const struct link *l)
{
	return l->outbound &&
	       (l->state == NODE_LINK_CALLING || l->state == NODE_LINK_UP);
}

/*
 * The link for an inbound call, NULL when it was refused.  Whoever is on the
 * way to the other node, or waits to be, has what it wants when that one calls;
 * so a permanent link stays one, and a console that waits is told.
 */
static struct link *link_for(struct node *n, const struct iax2_event *ev,
			     mono_us now)
{
	struct link *l = link_by_number(n, ev->u.in.calling);

	/* A node that calls again has lost the link that we still hold; of two
	 * whose calls cross the lower number's stays. */
	if (l && has_called(l) && strcmp(n->number, l->number) < 0) {
		refuse(n, ev, "Already calling", CAUSECODE_BUSY,
		       "this node is calling it", now);
		return NULL;
	}
	if (l)
		l->ended = NODE_ENDED_THERE;
	if (l && l->state == NODE_LINK_UP && !l->permanent) {
		link_end(n, l, "the node called again", now);
		l = NULL;
	}
	if (l) {
		link_yield(n, l, "the node called again", now);
		return l;
	}
	l = link_new(n);
	if (!l)
		refuse(n, ev, "Too many links", CAUSECODE_BUSY,
		       "too many links", now);
	return l;
}

/* The key that the caller proved, or NULL. */
static const uint8_t *proved_key(const struct iax2_event *ev)
{
	return ev->u.in.proof == IAX2_PROOF_TICKET ||
			       ev->u.in.proof == IAX2_PROOF_ED25519
		       ? ev->u.in.peer_key
		       : NULL;
}

void node_call_welcome(struct node *n, const struct iax2_event *ev,
		       enum node_door door, mono_us now)
{
	const bool vouched = ev->u.in.proof == IAX2_PROOF_TICKET;
	struct link *l;
	enum iax2_err err;

	if (n->stopping) {
		refuse(n, ev, "Stopping", CAUSECODE_UNAVAILABLE,
		       "the node is stopping", now);
		return;
	}
	l = link_for(n, ev, now);
	if (!l)
		return;
	link_set_number(n, l, ev->u.in.calling);
	link_proved(l, proved_key(ev), vouched);
	l->door = door;
	l->rung = vouched ? NODE_RUNG_OPENED : NODE_RUNG_DIRECT;
	if (oo_node_is_relayed(n->oo, &ev->u.in.path))
		l->rung = NODE_RUNG_RELAYED;
	else if (ev->u.in.path.sock != 0)
		l->rung = NODE_RUNG_PREDICTED;
	link_set_call(n, l, ev->call);
	l->sock = ev->u.in.path.sock;
	l->state = NODE_LINK_CALLING;
	err = iax2_accept(n->ep, ev->call, now);
	if (err != IAX2_OK)
		link_down(n, l, iax2_err_str(err), LINK_AGAIN, now);
}

/* A node that is known by key or secret proves to have that. */
static void challenge_peer(struct node *n, const struct iax2_event *ev,
			   const struct node_peer *peer, mono_us now)
{
	const char *why = node_acl_forbids(n, ev->u.in.calling, NULL, false);
	const struct iax2_credentials want = {
		.public_key = peer->has_key ? peer->key : NULL,
		.md5_secret =
			peer->md5_secret[0] != '\0' ? peer->md5_secret : NULL,
	};

	if (why)
		node_call_forbid(n, ev, why, NULL, now);
	else
		node_admit_challenge(n, ev, NODE_DOOR_KEY, &want, now);
}

static void on_ticket(struct node *n, const struct iax2_event *ev, mono_us now)
{
	const char *why =
		node_acl_forbids(n, ev->u.in.calling, ev->u.in.peer_key, true);

	if (strcmp(ev->u.in.called, n->number) != 0)
		refuse(n, ev, "No such context/extension", CAUSECODE_NO_ROUTE,
		       NODE_OTHER_NUMBER, now);
	else if (why)
		node_call_forbid(n, ev, why, NULL, now);
	else
		node_call_welcome(n, ev, NODE_DOOR_KEY, now);
}

static void on_plain(struct node *n, const struct iax2_event *ev, mono_us now)
{
	const struct node_peer *peer = node_peer(n, ev->u.in.calling);

	if (!node_door_is_ours(n, ev))
		refuse(n, ev, "No such context/extension", CAUSECODE_NO_ROUTE,
		       NODE_OTHER_NUMBER, now);
	else if (peer && (peer->has_key || peer->md5_secret[0] != '\0'))
		challenge_peer(n, ev, peer, now);
	else
		node_admit_call(n, ev, now);
}

static void on_call_in(struct node *n, const struct iax2_event *ev, mono_us now)
{
	if (n->stopping)
		refuse(n, ev, "Stopping", CAUSECODE_UNAVAILABLE,
		       "the node is stopping", now);
	else if (ev->u.in.proof == IAX2_PROOF_TICKET)
		on_ticket(n, ev, now);
	else
		on_plain(n, ev, now);
}

/* The rules may have changed since it was asked, and may name its key. */
static void on_proved(struct node *n, const struct iax2_event *ev, mono_us now)
{
	const char *why;

	if (node_admit_proved(n, ev, now))
		return;
	why = node_acl_forbids(n, ev->u.in.calling, proved_key(ev), false);
	if (why)
		node_call_forbid(n, ev, why, NULL, now);
	else
		node_call_welcome(n, ev, NODE_DOOR_KEY, now);
}

static void on_up(struct node *n, struct link *l, mono_us now)
{
	struct iax2_call_info info;

	l->was_up = true;
	l->failures = 0;
	l->up_since = now;
	l->dial_us = l->outbound ? (uint32_t)(now - l->dialled) : 0;
	l->state = NODE_LINK_UP;
	if (iax2_call_info(n->ep, l->call, &info) != IAX2_OK)
		return;
	node_voice_start(l, info.format);
	node_push_link(n, NODE_EV_LINK_UP, l)->addr = info.path.peer;
	node_text_up(n, l, now);
	node_better_up(n, l, now);
}

/* Does what a CAUSECODE (RFC 5456 8.6.33) says pass by itself? */
static bool passes(uint8_t code)
{
	switch (code) {
	case CAUSECODE_BUSY:
	case CAUSECODE_NO_USER:
	case CAUSECODE_NO_ANSWER:
	case CAUSECODE_UNAVAILABLE:
	case CAUSECODE_NO_CIRCUIT:
	case CAUSECODE_OUT_OF_ORDER:
	case CAUSECODE_TEMPORARY:
	case CAUSECODE_CONGESTION:
		return true;
	default:
		return false;
	}
}

static enum link_then then_of(const struct iax2_event *ev)
{
	switch (ev->u.down.reason) {
	case IAX2_DOWN_NO_ANSWER:
	case IAX2_DOWN_TIMEOUT:
	case IAX2_DOWN_INVALID:
		return LINK_LATER;
	case IAX2_DOWN_HANGUP_REMOTE:
	case IAX2_DOWN_REJECTED:
		return passes(ev->u.down.code) ? LINK_LATER : LINK_AGAIN;
	case IAX2_DOWN_HANGUP_LOCAL:
	case IAX2_DOWN_AUTH_FAILED:
	case IAX2_DOWN_PROTOCOL:
		return LINK_AGAIN;
	}
	return LINK_AGAIN;
}

static void on_down(struct node *n, struct link *l, const struct iax2_event *ev,
		    mono_us now)
{
	static const char *const reason[] = {
		[IAX2_DOWN_HANGUP_LOCAL] = "disconnected here",
		[IAX2_DOWN_HANGUP_REMOTE] = "the other node hung up",
		[IAX2_DOWN_REJECTED] = "the other node refused the call",
		[IAX2_DOWN_AUTH_FAILED] = "authentication failed",
		[IAX2_DOWN_NO_ANSWER] = "the other node does not answer",
		[IAX2_DOWN_TIMEOUT] = "the other node fell silent",
		[IAX2_DOWN_INVALID] = "the other node lost the call",
		[IAX2_DOWN_PROTOCOL] = "the other node broke the protocol",
	};
	char why[NODE_WHY_MAX];

	(void)snprintf(why, sizeof(why), "%s%s%s%s", reason[ev->u.down.reason],
		       ev->u.down.text[0] ? " (" : "", ev->u.down.text,
		       ev->u.down.text[0] ? ")" : "");
	link_note_end(l, ev);
	if (node_move_redials(n, l, ev->u.down.reason, now))
		link_redial(n, l, why, now);
	else
		link_down(n, l, why, then_of(ev), now);
}

/* Text that fills @size may end within a character of UTF-8: leave that out. */
static void cut_whole(char *text, size_t size)
{
	const size_t len = strlen(text);
	size_t lead = len, need = 1;

	if (len + 1 < size)
		return;
	while (lead > 0 && ((unsigned char)text[--lead] & 0xc0) == 0x80)
		;
	if ((unsigned char)text[lead] >= 0xf0)
		need = 4;
	else if ((unsigned char)text[lead] >= 0xe0)
		need = 3;
	else if ((unsigned char)text[lead] >= 0xc0)
		need = 2;
	if (len - lead < need)
		text[lead] = '\0';
}

static void on_text(struct node *n, struct link *l, const struct iax2_event *ev,
		    mono_us now)
{
	struct node_event *out = node_push_link(n, NODE_EV_TEXT, l);

	(void)snprintf(out->text, sizeof(out->text), "%s", ev->u.text.data);
	cut_whole(out->text, sizeof(out->text));
	node_text_in(n, l, ev, now);
}

static void on_link_event(struct node *n, struct link *l,
			  const struct iax2_event *ev, mono_us now)
{
	switch (ev->kind) {
	case IAX2_EV_CALL_UP:
		on_up(n, l, now);
		break;
	case IAX2_EV_CALL_DOWN:
		on_down(n, l, ev, now);
		break;
	case IAX2_EV_VOICE:
		if (l->state == NODE_LINK_UP && asl_keying_hears(&l->keying))
			node_voice_in(n, l, ev);
		break;
	case IAX2_EV_KEY:
		node_text_key(n, l, ev->u.key.keyed, now);
		if (!ev->u.key.keyed)
			node_voice_end(l);
		break;
	case IAX2_EV_CNG:
		node_voice_end(l);
		break;
	case IAX2_EV_TEXT:
		on_text(n, l, ev, now);
		break;
	case IAX2_EV_DTMF:
		if (!ev->u.dtmf.begin)
			node_push_link(n, NODE_EV_DTMF, l)->digit =
				ev->u.dtmf.digit;
		break;
	case IAX2_EV_CALL_SILENT:
	case IAX2_EV_CALL_MOVED:
	case IAX2_EV_MOVE_FAILED:
		node_move_on_call(n, l, ev, now);
		break;
	case IAX2_EV_CALL_IN:
	case IAX2_EV_CALL_PROVED:
	case IAX2_EV_CALL_ACCEPTED:
	case IAX2_EV_CALL_RINGING:
	case IAX2_EV_CONTROL:
		break;
	}
}

void node_links_on_call(struct node *n, const struct iax2_event *ev,
			mono_us now)
{
	struct link *l;

	if (ev->kind == IAX2_EV_CALL_IN) {
		on_call_in(n, ev, now);
		return;
	}
	if (ev->kind == IAX2_EV_CALL_PROVED) {
		on_proved(n, ev, now);
		return;
	}
	if (ev->kind == IAX2_EV_CALL_DOWN)
		node_admit_gone(n, ev->call, ev->u.down.reason);
	l = link_by_call(n, ev->call);
	if (!l)
		return;
	if (ev->kind != IAX2_EV_VOICE)
		node_touch(n, l);
	on_link_event(n, l, ev, now);
}
