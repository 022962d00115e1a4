/* SPDX-License-Identifier: MIT */

/* What is told of a link's call when it is over. */

#include "daemon/node/node_priv.h"

const char *node_ended_text(enum node_ended e)
{
	static const char *const text[] = {
		[NODE_ENDED_HERE] = "here",
		[NODE_ENDED_THERE] = "there",
		[NODE_ENDED_NOBODY] = "nobody",
	};

	return text[e];
}

void link_note(struct node *n, struct link *l)
{
	struct iax2_call_info info;

	if (l->state == NODE_LINK_UP &&
	    iax2_call_info(n->ep, l->call, &info) == IAX2_OK)
		l->last = info;
}

/* Nobody ended a call that the peer does not know any more. */
void link_note_end(struct link *l, const struct iax2_event *ev)
{
	static const enum node_ended by[] = {
		[IAX2_DOWN_HANGUP_LOCAL] = NODE_ENDED_HERE,
		[IAX2_DOWN_HANGUP_REMOTE] = NODE_ENDED_THERE,
		[IAX2_DOWN_REJECTED] = NODE_ENDED_THERE,
		[IAX2_DOWN_AUTH_FAILED] = NODE_ENDED_HERE,
		[IAX2_DOWN_NO_ANSWER] = NODE_ENDED_NOBODY,
		[IAX2_DOWN_TIMEOUT] = NODE_ENDED_NOBODY,
		[IAX2_DOWN_INVALID] = NODE_ENDED_NOBODY,
		[IAX2_DOWN_PROTOCOL] = NODE_ENDED_HERE,
	};

	l->last = ev->u.down.call;
	l->ended = by[ev->u.down.reason];
}

void link_record(const struct link *l, struct node_event *ev, mono_us now)
{
	const struct jitter_counters *heard =
		l->ear ? &l->ear->jitter.counters : &l->before;

	if (!l->was_up)
		return;
	ev->addr = l->last.path.peer;
	ev->record = (struct node_record){
		.outbound = l->outbound,
		.permanent = l->permanent,
		.mode = l->mode,
		.ended = l->ended,
		.lasted = now - l->up_since,
		.dial_us = l->dial_us,
		.call = l->last,
		.late = heard->late,
	};
}
