/* SPDX-License-Identifier: MIT */

/*
 * Callers who have no ticket and are no peers of ours, let in as AllStarLink's
 * nodes do it: by the address of the node whose number they give, or as users
 * who are no nodes, by a secret, a key or a token.
 *
 * What it takes to know is asked of whoever owns the node, one question for a
 * caller, for as long as the call may wait for a decision; meanwhile the caller
 * has nothing but our acknowledgement.
 */

#include <stdio.h>
#include <string.h>

#include "daemon/node/node_priv.h"

#define ASK_US (4 * MONO_S)        /* a call waits 5 s for its decision */
#define SPACING_US (250 * MONO_MS) /* between two that are let in */
/* Since the link that it had; and a program's, until it is answered. */
#define PAUSE_US (500 * MONO_MS)
#define PRIVATE_BELOW 2000U
/* Everybody knows it: what proves the caller is its token. */
#define WEB_SECRET "allstar"

/* --- who waits ---------------------------------------------------------- */

static struct waiting *waiting_new(struct node *n)
{
	for (size_t i = 0; i < NODE_WAITING_MAX; i++) {
		struct waiting *w = &n->waiting[i];
		const uint16_t gen = w->gen == UINT16_MAX ? 1 : w->gen + 1;

		if (w->state != WAITING_FREE)
			continue;
		*w = (struct waiting){ .gen = gen };
		return w;
	}
	return NULL;
}

static struct waiting *waiting_of(struct node *n, struct iax2_call_id call)
{
	for (size_t i = 0; i < NODE_WAITING_MAX; i++) {
		struct waiting *w = &n->waiting[i];

		if (w->state != WAITING_FREE && w->ev.call.slot == call.slot &&
		    w->ev.call.gen == call.gen)
			return w;
	}
	return NULL;
}

static void ask(struct node *n, struct waiting *w, mono_us now)
{
	const bool by_key = w->door == NODE_DOOR_DNS_KEY;
	struct node_event *out =
		node_push(n, w->door == NODE_DOOR_WEB ? NODE_EV_WHOSE_TOKEN
			     : by_key                 ? NODE_EV_WHICH_KEY
						      : NODE_EV_WHO_IS);

	/* An answer to the question before is none to this one. */
	w->gen = w->gen == UINT16_MAX ? 1 : w->gen + 1;
	w->state = WAITING_ASKED;
	if (w->until == 0)
		w->until = now + ASK_US;
	w->at = w->until;
	out->caller =
		(struct node_caller_id){ (uint16_t)(w - n->waiting), w->gen };
	out->addr = w->ev.u.in.path.peer;
	memcpy(out->number, w->ev.u.in.calling, sizeof(out->number));
	(void)snprintf(out->text, sizeof(out->text), "%s", w->ev.u.in.name);
}

static void forbid(struct node *n, struct waiting *w, const char *why,
		   const struct net_addr *claimed, mono_us now)
{
	w->state = WAITING_FREE;
	node_call_forbid(n, &w->ev, why, claimed, now);
}

/* The rules may have changed during its pause. */
static void let_in(struct node *n, struct waiting *w, mono_us now)
{
	const char *why = node_door_forbids(n, &w->ev, w->door);

	if (why) {
		forbid(n, w, why, NULL, now);
		return;
	}
	w->state = WAITING_FREE;
	n->let_in = now;
	node_call_welcome(n, &w->ev, w->door, now);
}

/* Whoever calls again has lost the link that is still held.  True: there was
 * one. */
static bool make_way(struct node *n, const char *number, mono_us now)
{
	struct link *l = link_by_number(n, number);

	if (!l || l->state != NODE_LINK_UP || l->permanent)
		return false;
	l->ended = NODE_ENDED_THERE;
	link_end(n, l, "the node called again", now);
	return true;
}

/* When the next one may be let in, after those who wait for that. */
static mono_us pace_of(const struct node *n, mono_us now)
{
	mono_us at = n->let_in != 0 ? n->let_in + SPACING_US : now;

	for (size_t i = 0; i < NODE_WAITING_MAX; i++) {
		const struct waiting *w = &n->waiting[i];

		if (w->state == WAITING_ADMITTED && w->at + SPACING_US > at)
			at = w->at + SPACING_US;
	}
	return at;
}

/* As @name, no longer than a number may be, at the pace and with the pauses
 * that AllStarLink's nodes keep. */
static void admit(struct node *n, struct waiting *w, const char *name,
		  mono_us now)
{
	const mono_us pace = pace_of(n, now);
	mono_us at = now;

	/* Its call would be gone by then. */
	if (pace > (w->until != 0 ? w->until : now + ASK_US)) {
		w->state = WAITING_FREE;
		node_call_put_off(n, &w->ev, "too many callers at once", now);
		return;
	}
	memmove(w->ev.u.in.calling, name, strlen(name) + 1);
	if (make_way(n, name, now) ||
	    (w->door != NODE_DOOR_ADDRESS && w->door != NODE_DOOR_DNS_KEY))
		at = now + PAUSE_US;
	w->at = at > pace ? at : pace;
	w->state = WAITING_ADMITTED;
	if (w->at <= now)
		let_in(n, w, now);
}

/* --- answers ------------------------------------------------------------ */

static bool is_private(const char *number)
{
	unsigned v = 0;

	if (strlen(number) > 4)
		return false;
	for (; *number != '\0'; number++)
		v = v * 10 + (unsigned)(*number - '0');
	return v < PRIVATE_BELOW;
}

static const char *answer_forbids(const struct waiting *w,
				  const struct node_admission *a)
{
	const struct iax2_event *ev = &w->ev;

	if (a->n == 0)
		return "accept.by_address: nobody knows its number";
	if (is_private(ev->u.in.calling) && !a->configured)
		return "accept.by_address: its number is a private one, and "
		       "not in peers";
	for (size_t i = 0; i < a->n; i++) {
		if (net_addr_same_ip(&a->addr[i], &ev->u.in.path.peer))
			return NULL;
	}
	return "accept.by_address: its number is at another address";
}

static void forbid_why(struct node *n, struct waiting *w, const char *rule,
		       const char *why, mono_us now)
{
	char text[NODE_WHY_MAX];

	(void)snprintf(text, sizeof(text), "%s: %s", rule, why);
	forbid(n, w, text, NULL, now);
}

static void on_where(struct node *n, struct waiting *w,
		     const struct node_admission *a, mono_us now)
{
	const struct link *l = link_by_number(n, w->ev.u.in.calling);
	const char *why = node_door_forbids(n, &w->ev, w->door);

	if (!why && a->why) {
		forbid_why(n, w, "accept.by_address", a->why, now);
		return;
	}
	if (!why)
		why = answer_forbids(w, a);
	/* Who shares its carrier's address must not end its link. */
	if (!why && l && l->state == NODE_LINK_UP && l->has_key)
		why = "accept.by_address: its number is linked by a key";
	if (why)
		forbid(n, w, why, a->n > 0 ? a->addr : NULL, now);
	else
		admit(n, w, w->ev.u.in.calling, now);
}

/* Where DNS has no key of it, it may be known by its address; not where nobody
 * can say, which strangers can bring about. */
static void without_key(struct node *n, struct waiting *w, const char *trouble,
			mono_us now)
{
	const char *why;

	if (trouble || !n->cfg.acl.by_address) {
		forbid_why(n, w, "accept.by_dns_key",
			   trouble ? trouble : "DNS has no key of its number",
			   now);
		return;
	}
	w->door = NODE_DOOR_ADDRESS;
	why = node_door_forbids(n, &w->ev, w->door);
	if (why)
		forbid(n, w, why, NULL, now);
	else
		ask(n, w, now);
}

static void on_key(struct node *n, struct waiting *w,
		   const struct node_admission *a, mono_us now)
{
	const struct iax2_credentials want = { .public_key = a->key };
	const char *why = node_door_forbids(n, &w->ev, w->door);

	if (why) {
		forbid(n, w, why, NULL, now);
		return;
	}
	if (!a->key) {
		without_key(n, w, a->why, now);
		return;
	}
	w->state = WAITING_PROOF;
	w->at = MONO_NEVER;
	if (iax2_challenge(n->ep, w->ev.call, &want, now) != IAX2_OK)
		forbid(n, w, "it cannot be asked for a proof", NULL, now);
}

static void on_whose(struct node *n, struct waiting *w,
		     const struct node_admission *a, mono_us now)
{
	const char *why = node_door_forbids(n, &w->ev, w->door);

	if (!why && a->why)
		forbid_why(n, w, "accept.web_url", a->why, now);
	else if (!why && !(a->callsign && node_door_callsign(a->callsign)))
		forbid(n, w, "accept.web_url: its token is nobody's", NULL,
		       now);
	else if (why)
		forbid(n, w, why, NULL, now);
	else
		admit(n, w, a->callsign, now);
}

void node_admit_answer(struct node *n, struct node_caller_id id,
		       const struct node_admission *a, mono_us now)
{
	struct waiting *w = &n->waiting[id.slot % NODE_WAITING_MAX];

	if (id.slot >= NODE_WAITING_MAX || w->state != WAITING_ASKED ||
	    w->gen != id.gen)
		return;
	if (n->stopping)
		forbid(n, w, "the node is stopping", NULL, now);
	else if (w->door == NODE_DOOR_ADDRESS)
		on_where(n, w, a, now);
	else if (w->door == NODE_DOOR_DNS_KEY)
		on_key(n, w, a, now);
	else
		on_whose(n, w, a, now);
}

/* --- calls -------------------------------------------------------------- */

/* Room for a caller to wait in; NULL: there is none. */
static struct waiting *place_for(struct node *n, const struct iax2_event *ev,
				 enum node_door door)
{
	struct waiting *w = waiting_new(n);

	if (!w)
		return NULL;
	w->door = door;
	w->ev = *ev;
	w->at = MONO_NEVER;
	return w;
}

static bool has_spare_room(const struct node *n)
{
	size_t used = 0;

	for (size_t i = 0; i < NODE_WAITING_MAX; i++)
		used += n->waiting[i].state != WAITING_FREE;
	return used < NODE_WAITING_MAX / 2;
}

static void crowded(struct node *n, const struct iax2_event *ev, mono_us now)
{
	node_call_put_off(n, ev, "too many callers wait to be let in", now);
}

void node_admit_challenge(struct node *n, const struct iax2_event *ev,
			  enum node_door door,
			  const struct iax2_credentials *want, mono_us now)
{
	/* Its proof alone lets a peer in; where it waits only tells why not, and
	 * is not for it while others need the room. */
	struct waiting *w = door != NODE_DOOR_KEY || has_spare_room(n)
				    ? place_for(n, ev, door)
				    : NULL;

	if (!w && door != NODE_DOOR_KEY) {
		crowded(n, ev, now);
		return;
	}
	if (w)
		w->state = WAITING_PROOF;
	if (iax2_challenge(n->ep, ev->call, want, now) == IAX2_OK)
		return;
	if (w)
		w->state = WAITING_FREE;
	node_call_forbid(n, ev, "it cannot be asked for a proof", NULL, now);
}

void node_admit_call(struct node *n, const struct iax2_event *ev, mono_us now)
{
	const enum node_door door = node_door_of(n, ev);
	const struct node_user *user = node_door_user(n, ev->u.in.username);
	const char *why = node_door_forbids(n, ev, door);
	struct iax2_credentials want = { 0 };
	struct waiting *w;

	if (why) {
		node_call_forbid(n, ev, why, NULL, now);
		return;
	}
	if (door == NODE_DOOR_ADDRESS || door == NODE_DOOR_DNS_KEY) {
		w = place_for(n, ev, door);
		if (w)
			ask(n, w, now);
		else
			crowded(n, ev, now);
		return;
	}
	if (door == NODE_DOOR_PORTAL)
		want.rsa = &n->cfg.acl.portal;
	else
		want.md5_secret =
			door == NODE_DOOR_WEB ? WEB_SECRET : user->md5_secret;
	node_admit_challenge(n, ev, door, &want, now);
}

bool node_admit_proved(struct node *n, const struct iax2_event *ev, mono_us now)
{
	const struct node_user *user = node_door_user(n, ev->u.in.username);
	struct waiting *w = waiting_of(n, ev->call);
	const char *why;

	if (!w || w->door == NODE_DOOR_KEY) {
		if (w)
			w->state = WAITING_FREE;
		return false;
	}
	why = node_door_forbids(n, ev, w->door);
	if (w->door == NODE_DOOR_DNS_KEY)
		w->ev = *ev; /* with its key */
	if (why)
		forbid(n, w, why, NULL, now);
	else if (w->door == NODE_DOOR_DNS_KEY)
		admit(n, w, w->ev.u.in.calling, now);
	else if (w->door == NODE_DOOR_WEB)
		ask(n, w, now);
	else if (w->door == NODE_DOOR_PORTAL)
		admit(n, w, w->ev.u.in.name, now);
	else
		admit(n, w, node_door_name(user), now);
	return true;
}

void node_admit_gone(struct node *n, struct iax2_call_id call,
		     enum iax2_down_reason reason)
{
	static const char *const unproved[] = {
		[NODE_DOOR_KEY] = "peers: it proves neither its key nor its "
				  "secret",
		[NODE_DOOR_ADDRESS] = "",
		[NODE_DOOR_DNS_KEY] = "accept.by_dns_key: it does not prove "
				      "the key that DNS has of its number",
		[NODE_DOOR_USER] = "accept.users: it does not know the secret",
		[NODE_DOOR_PORTAL] = "accept.portal_key_file: its signature is "
				     "not the portal's",
		[NODE_DOOR_WEB] = "accept.web_url: it does not know the secret",
	};
	struct waiting *w = waiting_of(n, call);

	if (!w)
		return;
	w->state = WAITING_FREE;
	(void)node_caller_refused(n, w->ev.u.in.calling, &w->ev.u.in.path.peer,
				  reason == IAX2_DOWN_AUTH_FAILED
					  ? unproved[w->door]
					  : "it went before it was let in");
}

/* --- time --------------------------------------------------------------- */

static void due(struct node *n, struct waiting *w, mono_us now)
{
	if (n->stopping)
		forbid(n, w, "the node is stopping", NULL, now);
	else if (w->state == WAITING_ADMITTED)
		let_in(n, w, now);
	else if (w->door == NODE_DOOR_DNS_KEY)
		without_key(n, w, "nobody said in time whether DNS has one",
			    now);
	else if (w->door == NODE_DOOR_ADDRESS)
		forbid(n, w,
		       "accept.by_address: nobody said in time where its "
		       "number is",
		       NULL, now);
	else
		forbid(n, w,
		       "accept.web_url: nobody said in time whose its token "
		       "is",
		       NULL, now);
}

void node_admit_tick(struct node *n, mono_us now)
{
	for (size_t i = 0; i < NODE_WAITING_MAX; i++) {
		if (n->waiting[i].state != WAITING_FREE &&
		    now >= n->waiting[i].at)
			due(n, &n->waiting[i], now);
	}
}

mono_us node_admit_deadline(const struct node *n)
{
	mono_us at = MONO_NEVER;

	for (size_t i = 0; i < NODE_WAITING_MAX; i++) {
		if (n->waiting[i].state != WAITING_FREE)
			at = mono_min(at, n->waiting[i].at);
	}
	return at;
}
