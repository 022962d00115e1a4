/* SPDX-License-Identifier: MIT */

/* One question to the registrar: asked until it is answered, and what does not
 * arrive is asked for three times over (OPEN-OVER.md section 4.10). */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_measure_priv.h"

#define WAIT_MIN_US (500 * MONO_MS)
#define WAIT_MAX_US (2 * MONO_S)
#define TRIES_MAX 10U
#define ROUNDS 3U /* sent and not arrived: it is filtered */

/* A little less than the registrar allows. */
static const struct rate_limit own_limit = { .per_minute = 58, .burst = 14 };

static struct oo_measure_question *ask(struct oo_measure *m,
				       enum oo_family family, size_t flow,
				       enum oo_end end, mono_us now)
{
	struct oo_measure_question *q = &m->q;

	*q = (struct oo_measure_question){
		.asked = true,
		.family = family,
		.flow = flow,
		.end = end,
	};
	m->due = now;
	return q;
}

void measure_ask_seen(struct oo_measure *m, enum oo_family family, size_t flow,
		      enum oo_end end, mono_us now)
{
	(void)ask(m, family, flow, end, now);
}

void measure_ask_there(struct oo_measure *m, enum oo_family family, size_t flow,
		       enum oo_end end, mono_us now)
{
	ask(m, family, flow, end, now)->there = true;
}

/* Twice the round trip, growing, within limits. */
static mono_us patience(const struct oo_reg *g, enum oo_family f,
			unsigned tries)
{
	mono_us wait = 2 * (mono_us)g->hole[f].rtt_us;

	if (wait < WAIT_MIN_US)
		wait = WAIT_MIN_US;
	return mono_min(wait << (tries < 3 ? tries : 3), WAIT_MAX_US);
}

static struct net_path path_of(const struct oo_measure *m,
			       const struct oo_reg *g)
{
	const struct oo_measure_question *q = &m->q;
	const enum oo_family f = q->there ? oo_reg_best_family(g) : q->family;
	struct net_path p = { .peer = g->hole[f].registrar };

	if (q->there)
		return p; /* the live flow */
	p.sock = m->flow[q->family][q->flow].sock;
	if (q->end == OO_END_OTHER)
		p.peer = g->ends.other;
	else if (q->end == OO_END_PORT)
		p.peer.port = g->ends.port;
	return p;
}

static void send_question(struct oo_measure *m, struct oo_reg *g, mono_us now)
{
	static const struct iax2_full hdr = { .src_callno =
						      IAX2_CALLNO_OUTSIDE };
	struct oo_measure_question *q = &m->q;
	struct oo_measure_flow *f = &m->flow[q->family][q->flow];
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, OO_MEASURE, &hdr);
	struct dgram d = { .path = path_of(m, g), .data = buf };

	if (q->id == 0)
		g->cfg.random(g->cfg.random_ctx, (uint8_t *)&q->id,
			      sizeof(q->id));
	oo_session_put(&g->session, &w);
	iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, q->id);
	if (q->there) {
		iax2_ie_put_u8(&w, IAX2_IE_KH_END, (uint8_t)q->end);
		oo_put_addr(&w, IAX2_IE_KH_TARGET_ADDR, &f->seen);
		iax2_ie_put_u64(&w, IAX2_IE_KH_PATH, f->cookie);
	} else {
		f->sent = now;
	}
	oo_put_pad(&w, buf, OO_MEASURE_LEN, true);
	seal_append(&w, buf, g->session.tx_key);
	d.len = (size_t)(w.p - buf);
	if (!w.bad)
		dgram_queue_push(g->cfg.tx, &d, false);
	if (q->tries == 0)
		q->first = now;
}

enum measure_answer measure_question_due(struct oo_measure *m, struct oo_reg *g,
					 mono_us now)
{
	struct oo_measure_question *q = &m->q;

	if (q->waiting) {
		q->waiting = false;
		if (++q->confirmed == ROUNDS)
			return ANSWER_NO;
	}
	if (q->tries == TRIES_MAX)
		return ANSWER_LOST;
	if (!rate_take(&m->rate, &own_limit, now)) {
		m->due = now + MONO_S / 4;
		return ANSWER_NONE;
	}
	send_question(m, g, now);
	m->due = now + patience(g, q->family, q->tries - q->confirmed);
	q->tries++;
	return ANSWER_NONE;
}

enum measure_answer measure_question_rx(struct oo_measure *m,
					const struct oo_reg *g,
					const struct dgram *d,
					const struct oo_msg *msg, mono_us now)
{
	struct oo_measure_question *q = &m->q;
	struct oo_measure_flow *f = &m->flow[q->family][q->flow];

	if (!q->asked || !msg->has_transaction || msg->transaction != q->id)
		return ANSWER_NONE;
	if (!q->there) {
		if (d->path.sock != f->sock || !msg->has_reflexive ||
		    !msg->has_path)
			return ANSWER_NONE;
		q->seen = msg->reflexive;
		q->cookie = msg->path;
		return ANSWER_YES;
	}
	if (msg->has_end)
		return msg->end == q->end && d->path.sock == f->sock
			       ? ANSWER_YES
			       : ANSWER_NONE;
	if (d->path.sock == 0 && !q->waiting) {
		q->waiting = true;
		m->due = now + patience(g, q->family, 0);
	}
	return ANSWER_NONE;
}
