/* SPDX-License-Identifier: MIT */

/*
 * Dials, opens and punches (OPEN-OVER.md sections 4.4 and 4.5).  The caller
 * drives: it repeats its OPEN_REQUEST, and each repetition is answered all the
 * way, so no other leg needs a retry of its own.
 */

#include "proto/openover_node_priv.h"

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_local.h"

#define REQUEST_RETRY_US (250 * MONO_MS)
#define REQUEST_LIFE_US (4 * MONO_S)
#define CONSENT_US (2 * MONO_S)
#define REFUSED_LINGER_US (5 * MONO_S)
#define TICKET_LIFE_US (10 * MONO_S)
/* A packet of the caller's that we assume under way is given this much. */
#define CALLER_MARGIN_US (15 * MONO_MS)

struct oo_id node_id_of(const struct oo_node *n, const struct peering *p)
{
	return (struct oo_id){ (uint16_t)(p - n->peer), p->gen };
}

struct peering *node_by_id(struct oo_node *n, struct oo_id id)
{
	struct peering *p = &n->peer[id.slot % PEERINGS];

	if (id.slot >= PEERINGS || p->state == PEERING_FREE ||
	    p->gen != id.gen || id.gen == 0)
		return NULL;
	return p;
}

struct peering *node_peering_new(struct oo_node *n)
{
	for (size_t i = 0; i < PEERINGS; i++) {
		struct peering *p = &n->peer[i];
		const uint16_t gen = p->gen == UINT16_MAX ? 1 : p->gen + 1;

		if (p->state != PEERING_FREE)
			continue;
		memset(p, 0, sizeof(*p));
		p->gen = gen;
		return p;
	}
	return NULL;
}

void node_peering_free(struct peering *p)
{
	const uint16_t gen = p->gen;

	key_wipe(p, sizeof(*p));
	p->gen = gen;
}

static const struct iax2_full outside = { .src_callno = IAX2_CALLNO_OUTSIDE };

static uint16_t half_rtt_ms(const struct oo_reg *g)
{
	const uint32_t ms = g->hole[oo_reg_best_family(g)].rtt_us / 2000;

	return (uint16_t)(ms < 10000 ? ms : 10000);
}

/* --- dialling ----------------------------------------------------------- */

void node_send_request(struct oo_node *n, struct peering *p)
{
	struct oo_reg *g = &n->regs[p->reg];
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, OO_OPEN_REQUEST, &outside);

	oo_session_put(&g->session, &w);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, p->transaction);
	if (net_addr_is_set(&p->addr))
		oo_put_addr(&w, IAX2_IE_KH_TARGET_ADDR, &p->addr);
	else
		iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, p->number);
	iax2_ie_put_u8(&w, IAX2_IE_KH_NAT, oo_node_nat(n));
	iax2_ie_put_u16(&w, IAX2_IE_KH_DELAY, half_rtt_ms(g));
	node_put_local(n, g, &w);
	node_look_put(p, &w);
	oo_reg_send(g, buf, &w, oo_reg_best_family(g));
}

static void send_request(struct oo_node *n, struct peering *p, mono_us now)
{
	struct oo_reg *g = &n->regs[p->reg];

	node_send_request(n, p);
	/* Should our address have changed since the last PING, the next
	 * request already comes from a proved one. */
	if (p->tries > 0)
		oo_reg_ping(g, now);
	p->next = now + (p->tries < 2 ? REQUEST_RETRY_US << p->tries
				      : REQUEST_RETRY_US << 2);
	p->tries++;
}

void node_request(struct oo_node *n, struct peering *p, mono_us now)
{
	p->tries = 0;
	p->ends = now + REQUEST_LIFE_US;
	p->state = PEERING_REQUESTING;
	n->cfg.random(n->cfg.random_ctx, (uint8_t *)&p->transaction,
		      sizeof(p->transaction));
	send_request(n, p, now);
}

/* The next registrar that we are registered with and have not asked. */
static bool request_start(struct oo_node *n, struct peering *p, mono_us now)
{
	for (size_t i = 0; i < n->regs_n; i++) {
		if (!oo_reg_is_up(&n->regs[i]) || (p->tried_regs >> i & 1))
			continue;
		p->reg = i;
		p->tried_regs |= 1U << i;
		node_request(n, p, now);
		return true;
	}
	return false;
}

static void dial_failed(struct oo_node *n, struct peering *p,
			enum oo_verdict verdict)
{
	struct oo_event *ev;

	if (node_rest_take_over(n, p))
		return;
	ev = node_event(n, OO_EV_FAILED);
	ev->id = node_id_of(n, p);
	ev->u.failed.verdict = verdict;
	if (p->state == PEERING_PUNCHING) {
		ev->u.failed.hopeless = oo_spray_is_hopeless(&p->punch);
		oo_punch_tried(&p->punch, ev->u.failed.tried,
			       sizeof(ev->u.failed.tried));
	}
	node_peering_free(p);
}

/* This registrar could not help; another one may. */
static void dial_next(struct oo_node *n, struct peering *p,
		      enum oo_verdict verdict, mono_us now)
{
	/* "Offline" says more than another registrar's "unknown". */
	if (p->verdict == OO_ACCEPTED || verdict != OO_UNKNOWN)
		p->verdict = verdict;
	if (verdict == OO_REFUSED || !request_start(n, p, now))
		dial_failed(n, p, p->verdict);
}

static struct peering *dial_new(struct oo_node *n, const char *number)
{
	struct peering *p = node_peering_new(n);

	if (!p)
		return NULL;
	p->dial = true;
	if (number)
		memcpy(p->number, number, strlen(number) + 1);
	return p;
}

static struct oo_id dial_begin(struct oo_node *n, struct peering *p,
			       mono_us now)
{
	const struct oo_id id = node_id_of(n, p);

	if (!request_start(n, p, now))
		dial_failed(n, p, OO_NOT_REGISTERED);
	else
		node_event(n, OO_EV_PROGRESS)->id = id;
	return id;
}

enum iax2_err oo_node_dial(struct oo_node *n, const char *number,
			   const struct net_addr *addr, mono_us now,
			   struct oo_id *out)
{
	struct peering *p;

	if (number ? (number[0] == '\0' || strlen(number) > OO_NUMBER_MAX)
		   : !addr || !net_addr_is_set(addr))
		return IAX2_E_RANGE;
	p = dial_new(n, number);
	if (!p)
		return IAX2_E_FULL;
	if (!number)
		p->addr = *addr;
	*out = dial_begin(n, p, now);
	return IAX2_OK;
}

enum iax2_err oo_node_dial_direct(struct oo_node *n, const char *number,
				  mono_us now, struct oo_id *out)
{
	struct peering *p;

	if (number[0] == '\0' || strlen(number) > OO_NUMBER_MAX)
		return IAX2_E_RANGE;
	p = dial_new(n, number);
	if (!p)
		return IAX2_E_FULL;
	p->direct = true;
	*out = dial_begin(n, p, now);
	return IAX2_OK;
}

enum iax2_err oo_node_cancel(struct oo_node *n, struct oo_id dial)
{
	struct peering *p = node_by_id(n, dial);

	if (!p)
		return IAX2_E_STALE;
	if (p->punch.sock_n > 0)
		node_event(n, OO_EV_SOCKETS_DONE);
	node_peering_free(p);
	return IAX2_OK;
}

/* --- punching ----------------------------------------------------------- */

static void path_found(struct oo_node *n, struct peering *p, mono_us now)
{
	struct oo_event *ev = node_event(n, OO_EV_PATH);
	const struct oo_candidate *best = oo_punch_best(&p->punch);

	ev->id = node_id_of(n, p);
	ev->u.path.path = best->path;
	ev->u.path.mapped = best->type == OO_CANDIDATE_MAPPED;
	ev->u.path.relayed = best->type == OO_CANDIDATE_RELAY;
	ev->u.path.predicted = oo_punch_is_predicted(&p->punch, best);
	oo_punch_ticket(&p->punch, now + TICKET_LIFE_US, &ev->u.path.ticket);
	/* It stays for its while: the peer may still have a POKE of ours to
	 * answer, or we one of its. */
	p->state = PEERING_DONE;
}

static void better_found(struct oo_node *n, const struct peering *p)
{
	struct oo_event *ev = node_event(n, OO_EV_BETTER);
	const struct oo_candidate *best = oo_punch_best(&p->punch);

	ev->id = node_id_of(n, p);
	ev->u.better.punch = p->punch.id;
	ev->u.better.path = best->path;
	ev->u.better.mapped = best->type == OO_CANDIDATE_MAPPED;
	ev->u.better.predicted = oo_punch_is_predicted(&p->punch, best);
}

/* A dial may have its path, or a better one, by what is left of its first punch.
 */
static void rest_on(struct oo_node *n, struct peering *q, unsigned change,
		    mono_us now)
{
	const struct peering *owner = node_by_id(n, q->rest_of);
	const bool had = owner && owner->state == PEERING_DONE;
	struct peering *p = node_rest_found(n, q, change);

	if (p && had) {
		p->state = PEERING_DONE;
		better_found(n, p);
	} else if (p) {
		path_found(n, p, now);
	}
}

static void handle(struct oo_node *n, struct peering *p, unsigned change,
		   const struct dgram *d, mono_us now)
{
	struct oo_event *ev;

	if (change & OO_PUNCH_SOCKETS)
		node_want_sockets(n, p);
	if (change & OO_PUNCH_LOOK)
		node_look_start(n, p, (uint8_t)(p->look.round + 1), now);
	if ((change & OO_PUNCH_PROVED) && d && !p->dial) {
		ev = node_event(n, OO_EV_EXPECT);
		ev->id = node_id_of(n, p);
		ev->u.expect.path = d->path;
		oo_punch_ticket(&p->punch, now + TICKET_LIFE_US,
				&ev->u.expect.ticket);
	}
	if (node_is_rest(p)) {
		rest_on(n, p, change, now);
		return;
	}
	if (change & OO_PUNCH_CHOSEN)
		path_found(n, p, now);
	if (change & OO_PUNCH_BETTER)
		better_found(n, p);
	if ((change & (OO_PUNCH_CHOSEN | OO_PUNCH_BETTER)) && !p->punch.relayed)
		node_rest_drop(n, p);
	if (!(change & OO_PUNCH_ENDED))
		return;
	if (p->punch.sock_n > 0)
		node_event(n, OO_EV_SOCKETS_DONE);
	if (p->dial && p->state == PEERING_PUNCHING)
		dial_failed(n, p, OO_NO_PATH);
	else
		node_peering_free(p);
}

static void punch_start(struct oo_node *n, struct peering *p,
			struct oo_punch_cfg *c, mono_us now)
{
	c->own_nat = oo_node_nat(n);
	/* Once is enough. */
	c->spray_packets = node_has_rest(n, p) ? 0 : n->cfg.spray_packets;
	c->spray_sockets = n->cfg.spray_sockets;
	c->random = n->cfg.random;
	c->random_ctx = n->cfg.random_ctx;
	c->tx = n->tx;
	node_relay_schedule(n, p, c, now);
	p->state = PEERING_PUNCHING;
	p->look.next = MONO_NEVER;
	oo_local_take(&c->candidates, n->own, n->own_n);
	oo_punch_start(&p->punch, c, now);
	handle(n, p, oo_punch_tick(&p->punch, now), NULL, now);
}

static void punch_cfg_from(struct oo_punch_cfg *c, const struct oo_reg *g,
			   const struct oo_msg *m)
{
	memset(c, 0, sizeof(*c));
	memcpy(c->token, m->token, sizeof(c->token));
	oo_session_cipher(&g->session, false, m->counter, c->token);
	memcpy(c->peer_key, m->peer_key, KEY_PUBLIC_LEN);
	c->candidates = m->candidates;
	c->relays = m->relays;
	c->peer_nat = m->nat;
}

enum iax2_err node_on_punch(struct oo_node *n, const struct dgram *d,
			    const struct oo_msg *m, mono_us now)
{
	for (size_t i = 0; i < PEERINGS; i++) {
		struct peering *p = &n->peer[i];

		if ((p->state != PEERING_PUNCHING &&
		     p->state != PEERING_DONE) ||
		    p->punch.id != m->punch)
			continue;
		handle(n, p, oo_punch_rx(&p->punch, d, m, now), d, now);
		return IAX2_OK;
	}
	n->count.forged++;
	return IAX2_E_REFUSED;
}

/* The registrar names a plain client: no punch, no ticket. */
static void plain_found(struct oo_node *n, struct peering *p,
			const struct oo_msg *m, mono_us now)
{
	struct oo_event *ev;

	if (m->candidates.n == 0) {
		dial_next(n, p, OO_OFFLINE, now);
		return;
	}
	ev = node_event(n, OO_EV_PATH);
	ev->id = node_id_of(n, p);
	ev->u.path.path.peer = m->candidates.addr[0];
	ev->u.path.plain = true;
	node_peering_free(p);
}

static bool is_out_of_reach(struct oo_node *n, struct peering *p,
			    const struct oo_msg *m, mono_us now)
{
	const bool relayed =
		!p->direct && (m->relays.n != 0 || node_relay_may_help(n, now));

	return !relayed && node_is_hopeless(n, p, &m->candidates);
}

static enum iax2_err accepted(struct oo_node *n, struct peering *p,
			      const struct oo_msg *m, mono_us now)
{
	struct oo_punch_cfg c;
	struct oo_event *ev;

	if (!m->has_token || !m->has_peer_key || !m->has_called)
		return IAX2_E_BAD_IE;
	if (is_out_of_reach(n, p, m, now))
		return IAX2_OK;
	punch_cfg_from(&c, &n->regs[p->reg], m);
	c.role = OO_PUNCH_CALLER;
	memcpy(c.peer_number, m->called, sizeof(c.peer_number));
	ev = node_event(n, OO_EV_PROGRESS);
	ev->id = node_id_of(n, p);
	ev->u.progress.step = OO_STEP_PUNCHING;
	punch_start(n, p, &c, now);
	key_wipe(&c, sizeof(c));
	return IAX2_OK;
}

enum iax2_err node_on_over(struct oo_node *n, struct oo_reg *g,
			   const struct dgram *d, const struct oo_msg *m,
			   mono_us now)
{
	const size_t reg = (size_t)(g - n->regs);

	(void)d;
	if (!m->has_transaction || !m->has_verdict)
		return IAX2_E_BAD_IE;
	for (size_t i = 0; i < PEERINGS; i++) {
		struct peering *p = &n->peer[i];

		if (!p->dial || p->reg != reg ||
		    p->transaction != m->transaction)
			continue;
		if (node_is_punching(p) && m->has_ports)
			node_look_peer(n, p, m, now);
		if (p->state != PEERING_REQUESTING)
			return IAX2_OK;
		if (m->verdict == OO_ACCEPTED)
			return accepted(n, p, m, now);
		if (m->verdict == OO_PLAIN)
			plain_found(n, p, m, now);
		else
			dial_next(n, p, (enum oo_verdict)m->verdict, now);
		return IAX2_OK;
	}
	return IAX2_OK; /* repeated, or of a dial that was cancelled */
}

/* --- being called ------------------------------------------------------- */

void node_send_over(struct oo_node *n, const struct peering *p,
		    enum oo_verdict verdict)
{
	struct oo_reg *g = &n->regs[p->reg];
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, OO_OVER, &outside);

	oo_session_put(&g->session, &w);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, p->transaction);
	iax2_ie_put_u8(&w, IAX2_IE_KH_VERDICT, (uint8_t)verdict);
	if (verdict == OO_ACCEPTED) {
		iax2_ie_put_u8(&w, IAX2_IE_KH_NAT, oo_node_nat(n));
		node_put_local(n, g, &w);
		node_look_put(p, &w);
	}
	oo_reg_send(g, buf, &w, oo_reg_best_family(g));
}

/* An OPEN said again: the same answer, if there is one yet. */
static bool repeated(struct oo_node *n, const struct oo_reg *g,
		     const struct oo_msg *m, mono_us now)
{
	const size_t reg = (size_t)(g - n->regs);

	for (size_t i = 0; i < PEERINGS; i++) {
		struct peering *p = &n->peer[i];

		if (p->state == PEERING_FREE || p->dial || p->reg != reg ||
		    p->transaction != m->transaction)
			continue;
		if (p->state == PEERING_PUNCHING && m->has_ports)
			node_look_peer(n, p, m, now);
		if (p->state != PEERING_ASKING)
			node_send_over(n, p,
				       p->state == PEERING_REFUSED
					       ? OO_REFUSED
					       : OO_ACCEPTED);
		return true;
	}
	return false;
}

enum iax2_err node_on_open(struct oo_node *n, struct oo_reg *g,
			   const struct dgram *d, const struct oo_msg *m,
			   mono_us now)
{
	struct oo_event *ev;
	struct peering *p;

	(void)d;
	if (!m->has_transaction || !m->has_token || !m->has_peer_key ||
	    !m->has_calling)
		return IAX2_E_BAD_IE;
	if (repeated(n, g, m, now))
		return IAX2_OK;
	p = node_peering_new(n);
	if (!p) {
		n->count.limited++;
		return IAX2_E_FULL;
	}
	p->state = PEERING_ASKING;
	p->reg = (size_t)(g - n->regs);
	p->transaction = m->transaction;
	p->ends = now + CONSENT_US;
	punch_cfg_from(&p->asked, g, m);
	p->asked.role = OO_PUNCH_TARGET;
	memcpy(p->asked.peer_number, m->calling, sizeof(m->calling));
	p->asked.caller_delay = (mono_us)m->delay_ms * MONO_MS;
	ev = node_event(n, OO_EV_OPEN_IN);
	ev->id = node_id_of(n, p);
	memcpy(ev->u.open_in.number, m->calling, sizeof(m->calling));
	memcpy(ev->u.open_in.key, m->peer_key, KEY_PUBLIC_LEN);
	return IAX2_OK;
}

enum iax2_err oo_node_answer(struct oo_node *n, struct oo_id open, bool accept,
			     mono_us now)
{
	struct peering *p = node_by_id(n, open);
	const struct oo_hole *h;
	struct oo_reg *g;

	if (!p || p->dial)
		return IAX2_E_STALE;
	if (p->state != PEERING_ASKING)
		return IAX2_E_STATE;
	g = &n->regs[p->reg];
	node_send_over(n, p, accept ? OO_ACCEPTED : OO_REFUSED);
	if (!accept) {
		key_wipe(&p->asked, sizeof(p->asked));
		p->state = PEERING_REFUSED;
		p->ends = now + REFUSED_LINGER_US;
		return IAX2_OK;
	}
	h = &g->hole[OO_V4];
	p->asked.caller_delay +=
		(mono_us)half_rtt_ms(g) * MONO_MS + CALLER_MARGIN_US;
	p->asked.opener_ttl = h->hops;
	punch_start(n, p, &p->asked, now);
	return IAX2_OK;
}

/* --- time --------------------------------------------------------------- */

static void peering_due(struct oo_node *n, struct peering *p, mono_us now)
{
	switch (p->state) {
	case PEERING_REQUESTING:
		if (now >= p->ends)
			dial_next(n, p, OO_REGISTRAR_SILENT, now);
		else if (now >= p->next)
			send_request(n, p, now);
		break;
	case PEERING_ASKING:
	case PEERING_REFUSED:
		if (now >= p->ends)
			node_peering_free(p);
		break;
	case PEERING_PUNCHING:
	case PEERING_DONE:
		node_relay_due(n, p, now);
		if (p->state == PEERING_REQUESTING)
			break;
		node_look_tick(n, p, now);
		handle(n, p, oo_punch_tick(&p->punch, now), NULL, now);
		break;
	case PEERING_FREE:
		break;
	}
}

void node_peers_tick(struct oo_node *n, mono_us now)
{
	for (size_t i = 0; i < PEERINGS; i++)
		peering_due(n, &n->peer[i], now);
}

mono_us node_peers_deadline(const struct oo_node *n)
{
	mono_us due = MONO_NEVER;

	for (size_t i = 0; i < PEERINGS; i++) {
		const struct peering *p = &n->peer[i];

		switch (p->state) {
		case PEERING_REQUESTING:
			due = mono_min(due, mono_min(p->ends, p->next));
			break;
		case PEERING_ASKING:
		case PEERING_REFUSED:
			due = mono_min(due, p->ends);
			break;
		case PEERING_PUNCHING:
		case PEERING_DONE:
			due = mono_min(due, oo_punch_deadline(&p->punch));
			due = mono_min(due, node_look_deadline(p));
			if (p->state == PEERING_PUNCHING)
				due = mono_min(due, p->relay_at);
			break;
		case PEERING_FREE:
			break;
		}
	}
	return due;
}
