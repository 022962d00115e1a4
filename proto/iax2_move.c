/* SPDX-License-Identifier: MIT */

/*
 * A call that goes on from another address (OPEN-OVER.md section 4.8), and the
 * watch that notices when the one it has leads nowhere.
 *
 *     who moves                     the other
 *        ASK            ------>
 *                       <------     COOKIE      nothing is kept yet
 *        COMMIT         ------>                 it sends there from here on
 *                       <------     DONE
 *        and so does this one
 */

#include <string.h>

#include "proto/iax2_endpoint_priv.h"

#define MOVE_US (10 * MONO_S)  /* for a path to prove itself */
#define COMMIT_US (2 * MONO_S) /* for DONE; then all paths are tried again */
#define COMMIT_AGAIN_US (200 * MONO_MS)
#define DONE_PAUSE_US (100 * MONO_MS)
/* While somebody speaks a call is never this long without a sign of life. */
#define PROBE_US (600 * MONO_MS)
#define SPEECH_US MONO_S
/* What waits this long for its answer, or three round trips, may wait in
 * vain. */
#define SILENT_US (500 * MONO_MS)
#define SILENT_AGAIN_US (5 * MONO_S)

static const mono_us ask_pause_us[] = {
	80 * MONO_MS,  120 * MONO_MS, 160 * MONO_MS,
	240 * MONO_MS, 320 * MONO_MS, 480 * MONO_MS,
};
#define ASK_PAUSES (sizeof(ask_pause_us) / sizeof(ask_pause_us[0]))

static bool is_movable(const struct call *c)
{
	return c->state == CALL_UP && c->has_ticket;
}

/* For one way: what came directly is not good through a relay, which only says
 * where a datagram came from. */
static uint64_t cookie_for(const struct call *c,
			   const uint8_t secret[KEY_SHARED_LEN],
			   const struct net_path *from)
{
	uint8_t addr[18], id[10];
	const size_t n = net_addr_put(addr, &from->peer);
	struct wire_wr w = wire_wr(id, sizeof(id));
	const struct key_part parts[] = { { id, sizeof(id) }, { addr, n } };

	wire_wr_u64(&w, c->ticket.id);
	wire_wr_u16(&w, from->sock);
	return key_derive_u64(secret, "keyhole move cookie", parts, 2);
}

static bool cookie_is_good(const struct iax2_endpoint *ep, const struct call *c,
			   const struct net_path *from, uint64_t cookie)
{
	return cookie == cookie_for(c, ep->secret.now, from) ||
	       cookie == cookie_for(c, ep->secret.before, from);
}

/* --- moving ------------------------------------------------------------- */

static void stop(struct call *c)
{
	c->move.path_n = 0;
	c->move.committed = false;
	c->move.next = MONO_NEVER;
}

static void send_asks(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	struct call_move *v = &c->move;
	const struct move_msg m = { .step = MOVE_ASK, .number = v->number + 1 };

	for (size_t i = 0; i < v->path_n; i++)
		move_msg_send(ep, c, &v->path[i], &m, now);
	v->next =
		now +
		ask_pause_us[v->tries < ASK_PAUSES ? v->tries : ASK_PAUSES - 1];
	v->tries++;
}

static void send_commit(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	struct call_move *v = &c->move;
	const struct move_msg m = { .step = MOVE_COMMIT,
				    .number = v->chosen_number,
				    .cookie = v->cookie };

	move_msg_send(ep, c, &v->path[v->chosen], &m, now);
	v->next = now + COMMIT_AGAIN_US;
}

/* The same address through a relay, or from another socket, is another way. */
static bool is_same_way(const struct net_path *a, const struct net_path *b)
{
	return a->sock == b->sock && net_addr_equal(&a->peer, &b->peer);
}

/* The call's path, and one or none that was proved for it. */
static void add_path(struct call_move *v, const struct net_path *path)
{
	size_t i = 0;

	while (i < v->path_n && !is_same_way(&v->path[i], path))
		i++;
	if (i == MOVE_PATHS)
		i--; /* the later one is the better founded */
	if (i == v->path_n)
		v->path_n++;
	/* What the peer has our word for stays what it was. */
	if (!v->committed || i != v->chosen)
		v->path[i] = *path;
}

enum iax2_err iax2_move(struct iax2_endpoint *ep, struct iax2_call_id call,
			const struct net_path *path, mono_us now)
{
	struct call *c = endpoint_call(ep, call);

	ep->now = now;
	if (!c)
		return IAX2_E_STALE;
	if (!is_movable(c))
		return IAX2_E_STATE;
	add_path(&c->move, path ? path : &c->path);
	c->move.ends = now + MOVE_US;
	c->move.tries = 0;
	if (!c->move.committed)
		send_asks(ep, c, now);
	endpoint_call_touch(ep, c);
	return IAX2_OK;
}

enum iax2_err iax2_unpin(struct iax2_endpoint *ep, struct iax2_call_id call)
{
	struct call *c = endpoint_call(ep, call);

	if (!c)
		return IAX2_E_STALE;
	net_path_unpin(&c->path);
	for (size_t i = 0; i < c->move.path_n; i++)
		net_path_unpin(&c->move.path[i]);
	/* The cookie was for where we were. */
	c->move.committed = false;
	return IAX2_OK;
}

enum iax2_err iax2_ping(struct iax2_endpoint *ep, struct iax2_call_id call,
			mono_us now)
{
	enum iax2_err err;
	struct call *c = call_standing(ep, call, now, &err);

	return c ? transport_send_iax(ep, c, IAX2_IAX_PING, NULL, NULL, now)
		 : err;
}

/* Both ends agree: the call is at @path. */
static void arrive(struct iax2_endpoint *ep, struct call *c,
		   const struct net_path *path, uint64_t number, bool ours,
		   mono_us now)
{
	const struct net_path from = c->path;
	struct iax2_event *ev;

	stop(c);
	c->move.number = number;
	c->move.followed = !ours;
	c->move.silent_told = 0;
	endpoint_call_rehome(ep, c, path, now);
	c->last_rx = now;
	transport_moved(ep, c, now);
	/* Its round trip is another one. */
	c->ping_next = now;
	endpoint_call_touch(ep, c);
	ev = endpoint_event(ep, IAX2_EV_CALL_MOVED, c);
	if (!ev)
		return;
	ev->u.moved.from = from;
	ev->u.moved.to = *path;
	ev->u.moved.ours = ours;
	memcpy(ev->u.moved.peer_key, c->ticket.peer_key, KEY_PUBLIC_LEN);
}

/* --- what the peer says ------------------------------------------------- */

static enum iax2_err on_ask(struct iax2_endpoint *ep, struct call *c,
			    const struct dgram *d, const struct move_msg *m,
			    mono_us now)
{
	struct move_msg out = {
		.step = MOVE_COOKIE,
		.number = c->move.number + 1,
		.cookie = cookie_for(c, ep->secret.now, &d->path),
	};

	/* Neither end's count may fall behind the other's. */
	if (m->number > out.number)
		out.number = m->number;
	move_msg_send(ep, c, &d->path, &out, now);
	return IAX2_OK;
}

static enum iax2_err on_cookie(struct iax2_endpoint *ep, struct call *c,
			       const struct dgram *d, const struct move_msg *m,
			       mono_us now)
{
	struct call_move *v = &c->move;

	/* Only what we ask is answered, and where we asked. */
	for (size_t i = 0; i < v->path_n; i++) {
		if (v->committed || m->number <= v->number ||
		    !is_same_way(&v->path[i], &d->path))
			continue;
		v->path[i] = d->path;
		v->committed = true;
		v->commit_ends = now + COMMIT_US;
		v->chosen = i;
		v->chosen_number = m->number;
		v->cookie = m->cookie;
		send_commit(ep, c, now);
		return IAX2_OK;
	}
	return IAX2_E_STATE;
}

static void agree(struct iax2_endpoint *ep, struct call *c,
		  const struct net_path *path, mono_us now)
{
	const struct move_msg out = { .step = MOVE_DONE,
				      .number = c->move.number,
				      .cookie = c->move.followed_cookie };

	c->move.answer_at = now + DONE_PAUSE_US;
	move_msg_send(ep, c, path, &out, now);
}

static enum iax2_err on_commit(struct iax2_endpoint *ep, struct call *c,
			       const struct dgram *d, const struct move_msg *m,
			       mono_us now)
{
	struct call_move *v = &c->move;

	/* Our DONE was lost. */
	if (m->number == v->number && v->followed && now >= v->answer_at &&
	    m->cookie == v->followed_cookie &&
	    is_same_way(&d->path, &c->path)) {
		agree(ep, c, &d->path, now);
		return IAX2_OK;
	}
	if (m->number <= v->number ||
	    !cookie_is_good(ep, c, &d->path, m->cookie))
		return IAX2_E_REPLAY;
	/* Of two that move at once the caller leads. */
	if (c->outbound && v->committed && now < v->commit_ends)
		return IAX2_E_STATE;
	if (!move_msg_is_signed(ep, c, m)) {
		ep->n.auth_failed++;
		return IAX2_E_REFUSED;
	}
	/* Where it cannot be told it is not done: it comes again. */
	if (!endpoint_event_room(ep, false))
		return IAX2_E_LIMITED;
	v->followed_cookie = m->cookie;
	v->number = m->number;
	agree(ep, c, &d->path, now);
	arrive(ep, c, &d->path, m->number, false, now);
	return IAX2_OK;
}

static enum iax2_err on_done(struct iax2_endpoint *ep, struct call *c,
			     const struct dgram *d, const struct move_msg *m,
			     mono_us now)
{
	struct call_move *v = &c->move;

	if (!v->committed || m->number != v->chosen_number ||
	    m->cookie != v->cookie ||
	    !is_same_way(&v->path[v->chosen], &d->path))
		return IAX2_E_STATE;
	if (!move_msg_is_signed(ep, c, m)) {
		ep->n.auth_failed++;
		return IAX2_E_REFUSED;
	}
	if (!endpoint_event_room(ep, false))
		return IAX2_E_LIMITED;
	arrive(ep, c, &d->path, m->number, true, now);
	return IAX2_OK;
}

static struct call *call_of(const struct iax2_endpoint *ep,
			    const struct iax2_full *f)
{
	struct call *c;

	if (ep->by_callno[f->dst_callno] == CALL_NONE)
		return NULL;
	c = &ep->calls[ep->by_callno[f->dst_callno]];
	return is_movable(c) && c->peer_callno == f->src_callno ? c : NULL;
}

bool call_may_be_moving(const struct iax2_endpoint *ep,
			const struct iax2_full *f)
{
	return f->dst_callno != 0 && call_of(ep, f) != NULL;
}

/* Silence for what is not right: its sender proved nothing. */
enum iax2_err endpoint_on_move(struct iax2_endpoint *ep, const struct dgram *d,
			       const struct iax2_full *f, mono_us now)
{
	struct call *c = call_of(ep, f);
	struct move_msg m;
	enum iax2_err err;

	if (!c) {
		ep->n.unknown_call++;
		return IAX2_E_STALE;
	}
	err = move_msg_read(ep, c, d, f, &m);
	if (err != IAX2_OK) {
		ep->n.auth_failed++;
		return err;
	}
	switch (m.step) {
	case MOVE_ASK:
		err = on_ask(ep, c, d, &m, now);
		break;
	case MOVE_COOKIE:
		err = on_cookie(ep, c, d, &m, now);
		break;
	case MOVE_COMMIT:
		err = on_commit(ep, c, d, &m, now);
		break;
	case MOVE_DONE:
		err = on_done(ep, c, d, &m, now);
		break;
	}
	endpoint_call_touch(ep, c);
	return err;
}

/* --- the watch ---------------------------------------------------------- */

/* Did either side speak when the peer was last heard, or since?  Only then is a
 * dead path a loss.  Who speaks may hear nothing for long. */
static bool somebody_speaks(const struct call *c)
{
	const mono_us spoken =
		c->rx_any && c->rx_at > c->tx_at ? c->rx_at : c->tx_at;

	return spoken != 0 && spoken + SPEECH_US > c->last_rx;
}

static mono_us silent_due(const struct call *c)
{
	const mono_us three = 3 * (mono_us)c->rtt_us;
	mono_us since = c->last_rx;

	if (c->window_n == 0)
		return MONO_NEVER;
	if (c->window[0].first > since)
		since = c->window[0].first;
	since += three > SILENT_US ? three : SILENT_US;
	/* Told already, and nothing heard since. */
	if (c->move.silent_told >= c->last_rx &&
	    c->move.silent_told + SILENT_AGAIN_US > since)
		return c->move.silent_told + SILENT_AGAIN_US;
	return since;
}

static mono_us probe_due(const struct call *c)
{
	const mono_us since =
		c->last_rx > c->move.probed ? c->last_rx : c->move.probed;

	return c->window_n == 0 && somebody_speaks(c) ? since + PROBE_US
						      : MONO_NEVER;
}

static void watch(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	if (now >= silent_due(c)) {
		c->move.silent_told = now;
		if (endpoint_event_room(ep, false))
			(void)endpoint_event(ep, IAX2_EV_CALL_SILENT, c);
	} else if (now >= probe_due(c)) {
		c->move.probed = now;
		(void)transport_send_iax(ep, c, IAX2_IAX_PING, NULL, NULL, now);
	}
}

static void move_on(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	struct call_move *v = &c->move;

	if (v->path_n == 0 || now < v->next)
		return;
	if (now >= v->ends) {
		stop(c);
		if (endpoint_event_room(ep, false))
			(void)endpoint_event(ep, IAX2_EV_MOVE_FAILED, c);
		return;
	}
	if (v->committed && now >= v->commit_ends) {
		v->committed = false;
		v->tries = 0;
	}
	if (v->committed)
		send_commit(ep, c, now);
	else
		send_asks(ep, c, now);
}

void call_move_tick(struct iax2_endpoint *ep, struct call *c, mono_us now)
{
	if (!is_movable(c))
		return;
	move_on(ep, c, now);
	watch(ep, c, now);
}

mono_us call_move_deadline(const struct call *c)
{
	mono_us due;

	if (!is_movable(c))
		return MONO_NEVER;
	due = mono_min(silent_due(c), probe_due(c));
	return c->move.path_n > 0 ? mono_min(due, c->move.next) : due;
}
