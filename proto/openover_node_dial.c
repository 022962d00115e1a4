/* SPDX-License-Identifier: MIT */

/*
 * Dialling (OPEN-OVER.md section 4.4).  The caller drives: it repeats its
 * OPEN_REQUEST, and each repetition is answered all the way, so no other leg
 * needs a retry of its own.
 */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_node_priv.h"

#define REQUEST_RETRY_US (250 * MONO_MS)
#define REQUEST_LIFE_US (4 * MONO_S)

static const struct iax2_full outside = { .src_callno = IAX2_CALLNO_OUTSIDE };

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
	iax2_ie_put_u16(&w, IAX2_IE_KH_DELAY, node_half_rtt_ms(g));
	node_put_local(n, g, &w);
	node_look_put(p, &w);
	oo_reg_send(g, buf, &w, oo_reg_best_family(g));
}

void node_dial_repeat(struct oo_node *n, struct peering *p, mono_us now)
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
	node_dial_repeat(n, p, now);
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

void node_dial_failed(struct oo_node *n, struct peering *p,
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

void node_dial_next(struct oo_node *n, struct peering *p,
		    enum oo_verdict verdict, mono_us now)
{
	/* "Offline" says more than another registrar's "unknown". */
	if (p->verdict == OO_ACCEPTED || verdict != OO_UNKNOWN)
		p->verdict = verdict;
	if (verdict == OO_REFUSED || !request_start(n, p, now))
		node_dial_failed(n, p, p->verdict);
}

static struct peering *dial_new(struct oo_node *n, const char *number)
{
	struct peering *p = node_peering_new(n, true);

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
		node_dial_failed(n, p, OO_NOT_REGISTERED);
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

/* The registrar names a plain client: no punch, no ticket. */
static void plain_found(struct oo_node *n, struct peering *p,
			const struct oo_msg *m, mono_us now)
{
	struct oo_event *ev;

	if (m->candidates.n == 0) {
		node_dial_next(n, p, OO_OFFLINE, now);
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
	node_punch_cfg_from(&c, &n->regs[p->reg], m);
	c.role = OO_PUNCH_CALLER;
	memcpy(c.peer_number, m->called, sizeof(c.peer_number));
	ev = node_event(n, OO_EV_PROGRESS);
	ev->id = node_id_of(n, p);
	ev->u.progress.step = OO_STEP_PUNCHING;
	node_punch_start(n, p, &c, now);
	key_wipe(&c, sizeof(c));
	return IAX2_OK;
}

enum iax2_err node_on_over(struct oo_node *n, const struct oo_reg *g,
			   const struct oo_msg *m, mono_us now)
{
	const size_t reg = (size_t)(g - n->regs);

	if (!m->has_transaction || !m->has_verdict)
		return IAX2_E_BAD_IE;
	for (size_t i = 0; i < n->peer_n; i++) {
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
			node_dial_next(n, p, (enum oo_verdict)m->verdict, now);
		return IAX2_OK;
	}
	return IAX2_OK; /* repeated, or of a dial that was cancelled */
}
