/* SPDX-License-Identifier: MIT */

/* Being called (OPEN-OVER.md section 4.4): the operator's word on an OPEN, and
 * the OVER that tells it. */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_node_priv.h"

#define CONSENT_US (2 * MONO_S)
#define REFUSED_LINGER_US (5 * MONO_S)
/* A packet of the caller's that we assume under way is given this much. */
#define CALLER_MARGIN_US (15 * MONO_MS)

static const struct iax2_full outside = { .src_callno = IAX2_CALLNO_OUTSIDE };

static struct wire_wr over_begin(uint8_t buf[OO_FRAME_MAX], struct oo_reg *g,
				 uint64_t transaction, enum oo_verdict verdict)
{
	struct wire_wr w = oo_frame_begin(buf, OO_OVER, &outside);

	oo_session_put(&g->session, &w);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, transaction);
	iax2_ie_put_u8(&w, IAX2_IE_KH_VERDICT, (uint8_t)verdict);
	return w;
}

void node_send_over(struct oo_node *n, const struct peering *p,
		    enum oo_verdict verdict)
{
	struct oo_reg *g = &n->regs[p->reg];
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = over_begin(buf, g, p->transaction, verdict);

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

	for (size_t i = 0; i < n->peer_n; i++) {
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

/* No room: the caller is told to try again later, and nothing is kept. */
static enum iax2_err full(struct oo_node *n, const struct oo_reg *g,
			  uint64_t transaction)
{
	struct oo_reg *to = &n->regs[g - n->regs];
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = over_begin(buf, to, transaction, OO_LIMITED);

	n->count.limited++;
	oo_reg_send(to, buf, &w, oo_reg_best_family(to));
	return IAX2_E_FULL;
}

enum iax2_err node_on_open(struct oo_node *n, const struct oo_reg *g,
			   const struct oo_msg *m, mono_us now)
{
	struct oo_event *ev;
	struct peering *p;

	if (!m->has_transaction || !m->has_token || !m->has_peer_key ||
	    !m->has_calling)
		return IAX2_E_BAD_IE;
	if (repeated(n, g, m, now))
		return IAX2_OK;
	p = node_peering_new(n, false);
	if (!p)
		return full(n, g, m->transaction);
	p->state = PEERING_ASKING;
	p->reg = (size_t)(g - n->regs);
	p->transaction = m->transaction;
	p->ends = now + CONSENT_US;
	node_punch_cfg_from(&p->asked, g, m);
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
		(mono_us)node_half_rtt_ms(g) * MONO_MS + CALLER_MARGIN_US;
	p->asked.opener_ttl = h->hops;
	node_punch_start(n, p, &p->asked, now);
	return IAX2_OK;
}
