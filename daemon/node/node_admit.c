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

#define PORTAL_USER "allstar-sys"
#define WEB_USER "allstar-public"
/* Everybody knows it: what proves the caller is its token. */
#define WEB_SECRET "allstar"
#define WEB_CALLED "s"

/* --- which door --------------------------------------------------------- */

static const struct node_user *user_of(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->cfg.acl.users_n; i++) {
		if (strcmp(n->cfg.acl.users[i].name, name) == 0)
			return &n->cfg.acl.users[i];
	}
	return NULL;
}

static enum node_door door_of(const struct node *n, const struct iax2_event *ev)
{
	const char *user = ev->u.in.username;

	if (strcmp(user, PORTAL_USER) == 0)
		return NODE_DOOR_PORTAL;
	if (strcmp(user, WEB_USER) == 0)
		return NODE_DOOR_WEB;
	return user_of(n, user) ? NODE_DOOR_USER : NODE_DOOR_ADDRESS;
}

bool node_admit_is_called(const struct node *n, const struct iax2_event *ev)
{
	const char *called = ev->u.in.called;

	switch (door_of(n, ev)) {
	case NODE_DOOR_PORTAL: /* a digit says how, the number follows */
		return called[0] != '\0' && strcmp(called + 1, n->number) == 0;
	case NODE_DOOR_WEB:
		return strcmp(called, WEB_CALLED) == 0 &&
		       strcmp(ev->u.in.calling, n->number) == 0;
	case NODE_DOOR_KEY:
	case NODE_DOOR_ADDRESS:
	case NODE_DOOR_USER:
		break;
	}
	return strcmp(called, n->number) == 0;
}

bool link_is_client(const struct link *l)
{
	return l->door == NODE_DOOR_USER || l->door == NODE_DOOR_PORTAL ||
	       l->door == NODE_DOOR_WEB;
}

/* --- rules -------------------------------------------------------------- */

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* A letter makes sure that it is no node's number. */
static bool is_callsign(const char *s)
{
	const size_t len = strlen(s);

	return len <= NODE_CALLSIGN_MAX && strpbrk(s, LETTERS) &&
	       strspn(s, DIGITS LETTERS "-/") == len;
}

static const char *number_forbids(const struct node *n, const char *number)
{
	const size_t len = strlen(number);

	if (len == 0)
		return "accept.by_address: it gives no number";
	if (len > OO_NUMBER_MAX || strspn(number, DIGITS) != len ||
	    number[0] == '0')
		return "accept.by_address: it gives no number of a node";
	if (strcmp(number, n->number) == 0)
		return "accept.by_address: it gives our own number";
	return NULL;
}

/* Its number is proved, so it is as if a registrar vouched for it; and a node
 * of peers is welcome anyway. */
static const char *lists_forbid(const struct node *n, const char *number)
{
	const char *why = node_acl_forbids(n, number, NULL, true);

	return why && strcmp(why, NODE_ACL_DENY) != 0
		       ? node_acl_forbids(n, number, NULL, false)
		       : why;
}

/* A program on this machine is its operator's. */
static bool is_here(const struct net_addr *a)
{
	const struct net_addr here = net_addr_v4(127, 0, 0, 1, 0);

	return net_addr_same_ip(a, &here);
}

static const char *address_forbids(const struct node *n,
				   const struct iax2_event *ev)
{
	const char *number = ev->u.in.calling;
	const char *why = NULL;

	if (!n->cfg.acl.by_address)
		return "accept.by_address is off, and it has no key or secret "
		       "in peers";
	why = number_forbids(n, number);
	if (!why && !is_here(&ev->u.in.path.peer))
		why = lists_forbid(n, number);
	return why;
}

static const char *portal_forbids(const struct node *n,
				  const struct iax2_event *ev)
{
	if (n->cfg.acl.portal.modulus_len == 0)
		return "accept.portal_key_file is empty: no telephone portal";
	/* 1 is the reverse patch, which wants a telephone line here. */
	if (ev->u.in.called[0] < '2' || ev->u.in.called[0] > '5')
		return "accept.portal_key_file: it asks for what this node has "
		       "not";
	if (!is_callsign(ev->u.in.name))
		return "accept.portal_key_file: it brings no callsign";
	return NULL;
}

static const char *web_forbids(const struct node *n,
			       const struct iax2_event *ev)
{
	const char *token = ev->u.in.name;

	if (!n->cfg.acl.web)
		return "accept.web_url is empty: no web transceiver";
	/* It becomes part of an address. */
	if (token[0] == '\0' ||
	    strspn(token, DIGITS LETTERS "-_.") != strlen(token))
		return "accept.web_url: it brings no token";
	return NULL;
}

static const char *door_forbids(const struct node *n,
				const struct iax2_event *ev,
				enum node_door door)
{
	switch (door) {
	case NODE_DOOR_PORTAL:
		return portal_forbids(n, ev);
	case NODE_DOOR_WEB:
		return web_forbids(n, ev);
	case NODE_DOOR_ADDRESS:
		return address_forbids(n, ev);
	case NODE_DOOR_USER:
		return user_of(n, ev->u.in.username) ? NULL : "accept.users";
	case NODE_DOOR_KEY:
		break;
	}
	return NULL;
}

static const char *name_of(const struct node_user *u)
{
	return u->callsign[0] != '\0' ? u->callsign : u->name;
}

static bool has_user(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->cfg.acl.users_n; i++) {
		if (strcmp(name_of(&n->cfg.acl.users[i]), name) == 0)
			return true;
	}
	return false;
}

const char *node_admit_forbids(const struct node *n, enum node_door door,
			       const char *number)
{
	const struct node_acl *acl = &n->cfg.acl;

	switch (door) {
	case NODE_DOOR_ADDRESS:
		return acl->by_address ? lists_forbid(n, number)
				       : "accept.by_address";
	case NODE_DOOR_USER:
		return has_user(n, number) ? NULL : "accept.users";
	case NODE_DOOR_PORTAL:
		return acl->portal.modulus_len > 0 ? NULL
						   : "accept.portal_key_file";
	case NODE_DOOR_WEB:
		return acl->web ? NULL : "accept.web_url";
	case NODE_DOOR_KEY:
		break;
	}
	return NULL;
}

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
	const bool web = w->door == NODE_DOOR_WEB;
	struct node_event *out =
		node_push(n, web ? NODE_EV_WHOSE_TOKEN : NODE_EV_WHO_IS);

	w->state = WAITING_ASKED;
	w->at = now + ASK_US;
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
	const char *why = door_forbids(n, &w->ev, w->door);

	if (why) {
		forbid(n, w, why, NULL, now);
		return;
	}
	w->state = WAITING_FREE;
	node_call_welcome(n, &w->ev, w->door, now);
}

/* Whoever calls again has lost the link that is still held.  True: there was
 * one. */
static bool make_way(struct node *n, const char *number, mono_us now)
{
	struct link *l = link_by_number(n, number);

	if (!l || l->state != NODE_LINK_UP || l->permanent)
		return false;
	link_end(n, l, "the node called again", now);
	return true;
}

/* As @name, no longer than a number may be, at the pace and with the pauses that AllStarLink's nodes keep. */
static void admit(struct node *n, struct waiting *w, const char *name,
		  mono_us now)
{
	const mono_us pace = n->let_in != 0 ? n->let_in + SPACING_US : now;
	mono_us at = now;

	memmove(w->ev.u.in.calling, name, strlen(name) + 1);
	if (make_way(n, name, now) || w->door != NODE_DOOR_ADDRESS)
		at = now + PAUSE_US;
	w->at = at > pace ? at : pace;
	n->let_in = w->at;
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
	const char *why = address_forbids(n, &w->ev);

	if (!why && a->why) {
		forbid_why(n, w, "accept.by_address", a->why, now);
		return;
	}
	if (!why)
		why = answer_forbids(w, a);
	if (why)
		forbid(n, w, why, a->n > 0 ? a->addr : NULL, now);
	else
		admit(n, w, w->ev.u.in.calling, now);
}

static void on_whose(struct node *n, struct waiting *w,
		     const struct node_admission *a, mono_us now)
{
	const char *why = web_forbids(n, &w->ev);

	if (!why && a->why)
		forbid_why(n, w, "accept.web_url", a->why, now);
	else if (!why && !(a->callsign && is_callsign(a->callsign)))
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
	else
		on_whose(n, w, a, now);
}

/* --- calls -------------------------------------------------------------- */

/* Room for a caller to wait in; NULL: it was refused. */
static struct waiting *take_in(struct node *n, const struct iax2_event *ev,
			       enum node_door door, mono_us now)
{
	struct waiting *w = waiting_new(n);

	if (!w) {
		node_call_forbid(n, ev, "too many callers wait to be let in",
				 NULL, now);
		return NULL;
	}
	w->door = door;
	w->ev = *ev;
	w->at = MONO_NEVER;
	return w;
}

void node_admit_challenge(struct node *n, const struct iax2_event *ev,
			  enum node_door door,
			  const struct iax2_credentials *want, mono_us now)
{
	struct waiting *w = take_in(n, ev, door, now);

	if (!w)
		return;
	w->state = WAITING_PROOF;
	if (iax2_challenge(n->ep, ev->call, want, now) != IAX2_OK)
		forbid(n, w, "it cannot be asked for a proof", NULL, now);
}

void node_admit_call(struct node *n, const struct iax2_event *ev, mono_us now)
{
	const enum node_door door = door_of(n, ev);
	const struct node_user *user = user_of(n, ev->u.in.username);
	const char *why = door_forbids(n, ev, door);
	struct iax2_credentials want = { 0 };
	struct waiting *w;

	if (why) {
		node_call_forbid(n, ev, why, NULL, now);
		return;
	}
	if (door == NODE_DOOR_ADDRESS) {
		w = take_in(n, ev, door, now);
		if (w)
			ask(n, w, now);
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
	const struct node_user *user = user_of(n, ev->u.in.username);
	struct waiting *w = waiting_of(n, ev->call);
	const char *why;

	if (!w || w->door == NODE_DOOR_KEY) {
		if (w)
			w->state = WAITING_FREE;
		return false;
	}
	why = door_forbids(n, ev, w->door);
	if (why)
		forbid(n, w, why, NULL, now);
	else if (w->door == NODE_DOOR_WEB)
		ask(n, w, now);
	else if (w->door == NODE_DOOR_PORTAL)
		admit(n, w, w->ev.u.in.name, now);
	else
		admit(n, w, name_of(user), now);
	return true;
}

void node_admit_gone(struct node *n, struct iax2_call_id call,
		     enum iax2_down_reason reason)
{
	static const char *const unproved[] = {
		[NODE_DOOR_KEY] = "peers: it proves neither its key nor its "
				  "secret",
		[NODE_DOOR_ADDRESS] = "",
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
