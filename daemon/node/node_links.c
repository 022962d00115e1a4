/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <string.h>

#include "daemon/node/node_priv.h"

#define CAUSECODE_NORMAL 16U
#define CAUSECODE_NO_AUTHORITY 50U
#define CAUSECODE_BUSY 17U
#define CAUSECODE_UNAVAILABLE 20U
#define RETRY_MIN_US (5 * MONO_S)
#define RETRY_MAX_US (60 * MONO_S)

/* --- the table ---------------------------------------------------------- */

static struct link *link_new(struct node *n)
{
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		struct link *l = &n->link[i];
		const uint16_t gen = l->gen == UINT16_MAX ? 1 : l->gen + 1;

		if (l->state != NODE_LINK_FREE)
			continue;
		memset(l, 0, sizeof(*l));
		l->gen = gen;
		(void)jitter_init(&l->jitter, &n->cfg.jitter);
		return l;
	}
	return NULL;
}

static struct link *by_number(struct node *n, const char *number)
{
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		struct link *l = &n->link[i];

		if (l->state != NODE_LINK_FREE && l->number[0] != '\0' &&
		    strcmp(l->number, number) == 0)
			return l;
	}
	return NULL;
}

static struct link *by_dial(struct node *n, struct oo_id id)
{
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		struct link *l = &n->link[i];

		if ((l->state == NODE_LINK_REQUESTING ||
		     l->state == NODE_LINK_PUNCHING) &&
		    l->dial.slot == id.slot && l->dial.gen == id.gen)
			return l;
	}
	return NULL;
}

static struct link *by_call(struct node *n, struct iax2_call_id id)
{
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		struct link *l = &n->link[i];

		if ((l->state == NODE_LINK_CALLING ||
		     l->state == NODE_LINK_UP) &&
		    l->call.slot == id.slot && l->call.gen == id.gen)
			return l;
	}
	return NULL;
}

static struct link *by_id(struct node *n, struct node_link_id id)
{
	struct link *l = &n->link[id.slot % NODE_LINKS_MAX];

	return id.slot < NODE_LINKS_MAX && l->state != NODE_LINK_FREE &&
			       l->gen == id.gen
		       ? l
		       : NULL;
}

/* --- ends --------------------------------------------------------------- */

/* The link is over, or, if it is permanent and @retry, rests for a while. */
static void link_down(struct node *n, struct link *l, const char *why,
		      bool retry, mono_us now)
{
	const unsigned shift = l->failures < 4 ? l->failures : 4;
	const bool had_socket = l->sock != 0;
	struct node_event *ev = node_push_link(n, NODE_EV_LINK_DOWN, l);
	mono_us pause = RETRY_MIN_US << shift;

	(void)snprintf(ev->why, sizeof(ev->why), "%s", why);
	ev->refused = !l->was_up;
	memcpy(l->why, ev->why, sizeof(l->why));
	l->sock = 0;
	l->rx_keyed = false;
	l->tx_keyed = false;
	l->talking = false;
	l->was_up = false;
	l->up_since = 0;
	if (had_socket)
		node_push(n, NODE_EV_SOCKETS_CLOSE);
	if (!l->permanent || !retry) {
		l->state = NODE_LINK_FREE;
		return;
	}
	if (pause > RETRY_MAX_US)
		pause = RETRY_MAX_US;
	l->failures++;
	l->state = NODE_LINK_WAITING;
	l->retry_at = now + pause;
}

/* Stop dialling, or hang up. */
static void leave(struct node *n, struct link *l, mono_us now)
{
	if (l->state == NODE_LINK_REQUESTING || l->state == NODE_LINK_PUNCHING)
		(void)oo_node_cancel(n->oo, l->dial);
	else if (l->state == NODE_LINK_CALLING || l->state == NODE_LINK_UP)
		(void)iax2_hangup(n->ep, l->call, NULL, CAUSECODE_NORMAL, now);
}

static void link_end(struct node *n, struct link *l, const char *why,
		     mono_us now)
{
	leave(n, l, now);
	link_down(n, l, why, false, now);
}

/* --- dialling ----------------------------------------------------------- */

static void step(struct node *n, struct link *l, enum node_link_state s)
{
	l->state = s;
	node_push_link(n, NODE_EV_LINK_STEP, l);
}

static void call(struct node *n, struct link *l, const struct net_path *path,
		 const struct iax2_ticket *ticket, mono_us now)
{
	const struct node_peer *peer = node_peer(n, l->number);
	const struct iax2_dial d = {
		.path = *path,
		.called = l->number,
		.calling = n->number,
		.username = ticket ? NULL : n->number,
		.ticket = ticket,
		.md5_secret = peer && peer->md5_secret[0] != '\0'
				      ? peer->md5_secret
				      : NULL,
	};

	l->sock = path->sock;
	if (iax2_dial(n->ep, &d, now, &l->call) != IAX2_OK) {
		link_down(n, l, "too many calls", true, now);
		return;
	}
	step(n, l, NODE_LINK_CALLING);
}

static void dial(struct node *n, struct link *l, mono_us now)
{
	const bool plain = l->want.number && net_addr_is_set(&l->want.addr);
	const struct net_path path = { .peer = l->want.addr };

	l->dialled = now;
	l->outbound = true;
	if (plain) {
		l->rung = NODE_RUNG_DIRECT;
		call(n, l, &path, NULL, now);
		return;
	}
	l->rung = NODE_RUNG_OPENED;
	l->state = NODE_LINK_REQUESTING;
	if (oo_node_dial(n->oo, l->want.number ? l->number : NULL,
			 &l->want.addr, now, &l->dial) != IAX2_OK)
		link_down(n, l, "too many dials at once", true, now);
	else
		step(n, l, NODE_LINK_REQUESTING);
}

static bool number_is_valid(const struct node *n, const char *number)
{
	const size_t len = strlen(number);

	return len >= 1 && len <= OO_NUMBER_MAX &&
	       strspn(number, "0123456789") == len &&
	       strcmp(number, n->number) != 0;
}

enum iax2_err node_connect(struct node *n, const struct node_connect *c,
			   mono_us now, struct node_link_id *out)
{
	struct link *l;

	if (c->number ? !number_is_valid(n, c->number)
		      : !net_addr_is_set(&c->addr))
		return IAX2_E_RANGE;
	if (n->stopping || (c->number && by_number(n, c->number)))
		return IAX2_E_STATE;
	l = link_new(n);
	if (!l)
		return IAX2_E_FULL;
	l->want = *c;
	if (c->number)
		memcpy(l->number, c->number, strlen(c->number) + 1);
	l->want.number = c->number ? l->number : NULL;
	l->mode = c->mode;
	l->permanent = c->permanent;
	l->outbound = true;
	*out = (struct node_link_id){ (uint16_t)(l - n->link), l->gen };
	dial(n, l, now);
	return IAX2_OK;
}

size_t node_disconnect(struct node *n, const char *number, mono_us now)
{
	size_t ended = 0;

	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		struct link *l = &n->link[i];

		if (l->state == NODE_LINK_FREE ||
		    (number && strcmp(l->number, number) != 0))
			continue;
		link_end(n, l, "disconnected here", now);
		ended++;
	}
	return ended;
}

enum iax2_err node_drop(struct node *n, struct node_link_id id, mono_us now)
{
	struct link *l = by_id(n, id);

	if (!l)
		return IAX2_E_STALE;
	link_end(n, l, "given up", now);
	return IAX2_OK;
}

/* --- OPEN/OVER ---------------------------------------------------------- */

static void caller_refused(struct node *n, const char *number,
			   const struct net_addr *addr, const char *why)
{
	struct node_event *ev = node_push(n, NODE_EV_CALLER_REFUSED);

	(void)snprintf(ev->number, sizeof(ev->number), "%s", number);
	(void)snprintf(ev->why, sizeof(ev->why), "%s", why);
	if (addr)
		ev->addr = *addr;
}

static void on_open_in(struct node *n, const struct oo_event *ev, mono_us now)
{
	const char *number = ev->u.open_in.number;
	const char *why = node_acl_forbids(n, number, ev->u.open_in.key, true);

	if (!why && n->stopping)
		why = "the node is stopping";
	if (why)
		caller_refused(n, number, NULL, why);
	(void)oo_node_answer(n->oo, ev->id, !why, now);
}

static void on_failed(struct node *n, struct link *l, const struct oo_event *ev,
		      mono_us now)
{
	char why[NODE_WHY_MAX];

	(void)snprintf(why, sizeof(why), "%s%s%s%s",
		       oo_verdict_text(ev->u.failed.verdict),
		       ev->u.failed.tried[0] ? " (tried: " : "",
		       ev->u.failed.tried, ev->u.failed.tried[0] ? ")" : "");
	link_down(n, l, why, ev->u.failed.verdict != OO_REFUSED, now);
	node_push(n, NODE_EV_SOCKETS_CLOSE);
}

/* A registrar's word is not enough against a key that is listed here. */
static void on_plain_path(struct node *n, struct link *l,
			  const struct net_path *path, mono_us now)
{
	const struct node_peer *peer = node_peer(n, l->number);

	if (peer && peer->has_key) {
		link_down(n, l,
			  "the registrar has no key for it, but one is listed "
			  "here",
			  true, now);
		return;
	}
	l->rung = NODE_RUNG_DIRECT;
	call(n, l, path, NULL, now);
}

static void on_path(struct node *n, struct link *l, const struct oo_event *ev,
		    mono_us now)
{
	const struct net_path *path = &ev->u.path.path;

	if (ev->u.path.plain) {
		on_plain_path(n, l, path, now);
		return;
	}
	if (l->number[0] == '\0')
		memcpy(l->number, ev->u.path.ticket.peer_number,
		       sizeof(l->number));
	if (ev->u.path.predicted)
		l->rung = NODE_RUNG_PREDICTED;
	call(n, l, path, &ev->u.path.ticket, now);
	if (ev->u.path.predicted)
		node_push(n, NODE_EV_SOCKETS_CLOSE);
}

void node_links_on_openover(struct node *n, const struct oo_event *ev,
			    mono_us now)
{
	struct link *l = by_dial(n, ev->id);

	if (ev->kind == OO_EV_OPEN_IN)
		on_open_in(n, ev, now);
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

/* --- calls -------------------------------------------------------------- */

static void refuse(struct node *n, const struct iax2_event *ev,
		   const char *text, uint8_t code, const char *why, mono_us now)
{
	const char *number = ev->u.in.calling;

	caller_refused(n, number, &ev->u.in.path.peer, why);
	(void)iax2_reject(n->ep, ev->call, text, code, now);
}

/* Give up what leads to the other node, and keep the link for its call. */
static void link_yield(struct node *n, struct link *l, mono_us now)
{
	leave(n, l, now);
	if (l->was_up) {
		struct node_event *ev = node_push_link(n, NODE_EV_LINK_DOWN, l);

		(void)snprintf(ev->why, sizeof(ev->why),
			       "the node called again");
	}
	if (l->sock != 0)
		node_push(n, NODE_EV_SOCKETS_CLOSE);
	l->sock = 0;
	l->rx_keyed = false;
	l->tx_keyed = false;
	l->talking = false;
	l->was_up = false;
	l->up_since = 0;
	l->outbound = false;
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
	struct link *l = by_number(n, ev->u.in.calling);

	/* A node that calls again has lost the link that we still hold; of two
	 * whose calls cross the lower number's stays. */
	if (l && has_called(l) && strcmp(n->number, l->number) < 0) {
		refuse(n, ev, "Already calling", CAUSECODE_BUSY,
		       "this node is calling it", now);
		return NULL;
	}
	if (l && l->state == NODE_LINK_UP && !l->permanent) {
		link_end(n, l, "the node called again", now);
		l = NULL;
	}
	if (l) {
		link_yield(n, l, now);
		return l;
	}
	l = link_new(n);
	if (!l)
		refuse(n, ev, "Too many links", CAUSECODE_BUSY,
		       "too many links", now);
	return l;
}

static void welcome(struct node *n, const struct iax2_event *ev, mono_us now)
{
	struct link *l;

	if (n->stopping) {
		refuse(n, ev, "Stopping", CAUSECODE_UNAVAILABLE,
		       "the node is stopping", now);
		return;
	}
	l = link_for(n, ev, now);
	if (!l)
		return;
	memcpy(l->number, ev->u.in.calling, sizeof(l->number));
	l->rung = ev->u.in.proof == IAX2_PROOF_TICKET ? NODE_RUNG_OPENED
						      : NODE_RUNG_DIRECT;
	if (ev->u.in.path.sock != 0)
		l->rung = NODE_RUNG_PREDICTED;
	l->call = ev->call;
	l->sock = ev->u.in.path.sock;
	l->state = NODE_LINK_CALLING;
	if (iax2_accept(n->ep, ev->call, now) != IAX2_OK)
		link_down(n, l, "the call is gone", true, now);
}

static void on_call_in(struct node *n, const struct iax2_event *ev, mono_us now)
{
	const bool ticket = ev->u.in.proof == IAX2_PROOF_TICKET;
	const struct node_peer *peer = node_peer(n, ev->u.in.calling);
	struct iax2_credentials want = { 0 };
	const char *why;

	if (n->stopping) {
		refuse(n, ev, "Stopping", CAUSECODE_UNAVAILABLE,
		       "the node is stopping", now);
		return;
	}
	if (strcmp(ev->u.in.called, n->number) != 0) {
		refuse(n, ev, "No such context/extension", 3,
		       "it asked for another number", now);
		return;
	}
	why = node_acl_forbids(n, ev->u.in.calling,
			       ticket ? ev->u.in.peer_key : NULL, ticket);
	if (!why && !ticket && !peer)
		why = "it came without a registrar and is not among peers";
	if (!why && peer && !ticket) {
		want.public_key = peer->has_key ? peer->key : NULL;
		want.md5_secret =
			peer->md5_secret[0] != '\0' ? peer->md5_secret : NULL;
		if (!want.public_key && !want.md5_secret)
			why = "its peers entry has neither key nor secret_file";
	}
	if (why)
		refuse(n, ev, "No authority found", CAUSECODE_NO_AUTHORITY, why,
		       now);
	else if (ticket)
		welcome(n, ev, now);
	else
		(void)iax2_challenge(n->ep, ev->call, &want, now);
}

static void on_up(struct node *n, struct link *l, mono_us now)
{
	struct iax2_call_info info;

	l->was_up = true;
	l->failures = 0;
	l->up_since = now;
	l->dial_us = l->outbound ? (uint32_t)(now - l->dialled) : 0;
	l->state = NODE_LINK_UP;
	(void)jitter_init(&l->jitter, &n->cfg.jitter);
	if (iax2_call_info(n->ep, l->call, &info) != IAX2_OK)
		return;
	node_voice_start(n, l, info.format);
	node_push_link(n, NODE_EV_LINK_UP, l)->addr = info.path.peer;
}

static void on_down(struct node *n, struct link *l, const struct iax2_event *ev,
		    mono_us now)
{
	static const char *const reason[] = {
		[IAX2_DOWN_HANGUP_LOCAL] = "disconnected here",
		[IAX2_DOWN_HANGUP_REMOTE] = "the other node hung up",
		[IAX2_DOWN_REJECTED] = "the other node refused the call",
		[IAX2_DOWN_AUTH_FAILED] = "the keys do not match",
		[IAX2_DOWN_NO_ANSWER] = "the other node does not answer",
		[IAX2_DOWN_TIMEOUT] = "the other node fell silent",
		[IAX2_DOWN_INVALID] = "the other node lost the call",
		[IAX2_DOWN_PROTOCOL] = "the other node broke the protocol",
	};
	char why[NODE_WHY_MAX];

	(void)snprintf(why, sizeof(why), "%s%s%s%s", reason[ev->u.down.reason],
		       ev->u.down.text[0] ? " (" : "", ev->u.down.text,
		       ev->u.down.text[0] ? ")" : "");
	link_down(n, l, why, true, now);
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

static void on_text(struct node *n, const struct link *l,
		    const struct iax2_event *ev)
{
	struct node_event *out = node_push_link(n, NODE_EV_TEXT, l);

	(void)snprintf(out->text, sizeof(out->text), "%s", ev->u.text.data);
	cut_whole(out->text, sizeof(out->text));
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
		node_voice_in(n, l, ev, now);
		break;
	case IAX2_EV_KEY:
		if (!ev->u.key.keyed)
			jitter_end(&l->jitter);
		break;
	case IAX2_EV_CNG:
		jitter_end(&l->jitter);
		break;
	case IAX2_EV_TEXT:
		on_text(n, l, ev);
		break;
	case IAX2_EV_DTMF:
		if (!ev->u.dtmf.begin)
			node_push_link(n, NODE_EV_DTMF, l)->digit =
				ev->u.dtmf.digit;
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
		welcome(n, ev, now);
		return;
	}
	l = by_call(n, ev->call);
	if (l)
		on_link_event(n, l, ev, now);
}

/* --- time, looking ------------------------------------------------------ */

void node_links_tick(struct node *n, mono_us now)
{
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		struct link *l = &n->link[i];

		if (l->state == NODE_LINK_WAITING && now >= l->retry_at)
			dial(n, l, now);
	}
}

mono_us node_links_deadline(const struct node *n)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		if (n->link[i].state == NODE_LINK_WAITING)
			due = mono_min(due, n->link[i].retry_at);
	}
	return due;
}

bool node_link_at(const struct node *n, size_t i, struct node_link_info *out)
{
	const struct link *l = &n->link[i];

	if (i >= NODE_LINKS_MAX || l->state == NODE_LINK_FREE)
		return false;
	memset(out, 0, sizeof(*out));
	out->id = (struct node_link_id){ (uint16_t)i, l->gen };
	memcpy(out->number, l->number, sizeof(out->number));
	out->state = l->state;
	out->mode = l->mode;
	out->rung = l->rung;
	out->outbound = l->outbound;
	out->permanent = l->permanent;
	out->rx_keyed = l->rx_keyed;
	out->tx_keyed = l->tx_keyed;
	out->playout_ms = jitter_delay_ms(&l->jitter);
	out->dialled = l->dialled;
	out->up_since = l->up_since;
	out->dial_us = l->dial_us;
	out->jitter = l->jitter.counters;
	memcpy(out->why, l->why, sizeof(out->why));
	if (l->state == NODE_LINK_CALLING || l->state == NODE_LINK_UP)
		(void)iax2_call_info(n->ep, l->call, &out->call);
	return true;
}

bool node_link(const struct node *n, struct node_link_id id,
	       struct node_link_info *out)
{
	return id.slot < NODE_LINKS_MAX && n->link[id.slot].gen == id.gen &&
	       node_link_at(n, id.slot, out);
}
