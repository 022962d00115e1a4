/* SPDX-License-Identifier: MIT */

#include "proto/openover_reg.h"

#include <string.h>

#include "proto/backoff.h"
#include "proto/iax2_ie.h"
#include "proto/openover_reg_priv.h"

#define FIRST_RETRY_US (250 * MONO_MS)
#define STEP_TRIES 5U
#define BACKOFF_MIN_US MONO_S
#define BACKOFF_MAX_US (60 * MONO_S)
#define REFUSED_WAIT_US (5 * MONO_S)

const char *oo_reg_state_text(enum oo_reg_state s)
{
	static const char *const text[] = {
		[OO_REG_NO_ADDRESS] = "resolving",
		[OO_REG_WAITING] = "waiting",
		[OO_REG_TOKEN] = "registering",
		[OO_REG_AUTH] = "registering",
		[OO_REG_ACK] = "registering",
		[OO_REG_UP] = "registered",
		[OO_REG_RELEASING] = "unregistering",
		[OO_REG_RELEASED] = "unregistered",
	};

	return text[s];
}

const char *oo_reg_trouble_text(enum oo_reg_trouble t)
{
	static const char *const text[] = {
		[OO_TROUBLE_NONE] = "",
		[OO_TROUBLE_SILENT] = "the registrar does not answer",
		[OO_TROUBLE_REFUSED] =
			"the registrar refuses: it does not know this number, "
			"or knows it under another key",
		[OO_TROUBLE_FORGED] =
			"the answer was not made with the registrar key of "
			"the configuration",
		[OO_TROUBLE_LOST] = "the registrar no longer answers",
	};

	return text[t];
}

static struct backoff backoff_of(const struct oo_reg *g)
{
	return (struct backoff){ .min = BACKOFF_MIN_US,
				 .max = BACKOFF_MAX_US,
				 .random = g->cfg.random,
				 .random_ctx = g->cfg.random_ctx };
}

mono_us reg_spread(const struct oo_reg *g, mono_us low, mono_us high)
{
	const struct backoff b = backoff_of(g);

	return backoff_spread(&b, low, high);
}

void oo_reg_init(struct oo_reg *g, const struct oo_reg_cfg *cfg, mono_us now)
{
	memset(g, 0, sizeof(*g));
	g->cfg = *cfg;
	g->start = now;
	for (int f = 0; f < OO_FAMILIES; f++)
		g->hole[f].interval = cfg->keepalive;
	g->due = MONO_NEVER;
}

void oo_reg_done(struct oo_reg *g)
{
	key_wipe(g, sizeof(*g));
}

static void send_plain(struct oo_reg *g, const uint8_t *frame,
		       const struct wire_wr *w, enum oo_family family)
{
	const struct dgram d = {
		.path.peer = g->hole[family].registrar,
		.data = frame,
		.len = (size_t)(w->p - frame),
	};

	if (!w->bad)
		dgram_queue_push(g->cfg.tx, &d, false);
}

void oo_reg_send(struct oo_reg *g, const uint8_t *frame, struct wire_wr *w,
		 enum oo_family family)
{
	seal_append(w, frame, g->session.tx_key);
	send_plain(g, frame, w, family);
}

enum oo_family oo_reg_best_family(const struct oo_reg *g)
{
	return g->hole[OO_V6].last_ok > g->hole[OO_V4].last_ok ? OO_V6 : OO_V4;
}

/* --- registration ------------------------------------------------------- */

static struct oo_transcript own_transcript(const struct oo_reg *g)
{
	return (struct oo_transcript){
		.number = g->cfg.number,
		.challenge = g->challenge,
		.node_key = g->cfg.identity->public_key,
		.registrar_key = g->cfg.registrar_key,
		.node_hello = g->hello,
		.registrar_hello = g->registrar_hello,
	};
}

static void send_regreq(struct oo_reg *g, mono_us now)
{
	const bool answering = g->state == OO_REG_ACK;
	const struct iax2_full hdr = {
		.src_callno = g->callno,
		.dst_callno = answering ? IAX2_CALLNO_OUTSIDE : 0,
		.retransmit = g->tries > 0,
		.ts_ms = reg_stamp(g, now),
		.oseq = answering,
		.iseq = answering,
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_REGREQ, &hdr);

	iax2_ie_put_text(&w, IAX2_IE_USERNAME, g->cfg.number);
	iax2_ie_put_u16(&w, IAX2_IE_REFRESH,
			(uint16_t)(g->cfg.keepalive / MONO_S));
	reg_put_interval(g, &w);
	if (g->state != OO_REG_TOKEN)
		oo_put_hello(&w, g->hello);
	if (answering) {
		const struct oo_transcript t = own_transcript(g);
		uint8_t sig[KEY_SIGNATURE_LEN];

		oo_transcript_sign(&t, OO_ROLE_NODE, g->cfg.identity, sig);
		iax2_ie_put(&w, IAX2_IE_ED25519_RESULT, sig, sizeof(sig));
	}
	iax2_ie_put_text(&w, IAX2_IE_CALLTOKEN, g->token);
	if (g->state == OO_REG_TOKEN)
		oo_put_pad(&w, buf, OO_REGREQ_MIN, false);
	send_plain(g, buf, &w, g->family);
	g->due = now + (FIRST_RETRY_US << g->tries);
	g->tries++;
}

static void enter(struct oo_reg *g, enum oo_reg_state state, mono_us now)
{
	g->state = state;
	g->tries = 0;
	send_regreq(g, now);
}

/* The registrar's other address, if it has one. */
static void other_family(struct oo_reg *g)
{
	const enum oo_family other = g->family == OO_V4 ? OO_V6 : OO_V4;

	if (net_addr_is_set(&g->hole[other].registrar))
		g->family = other;
}

/* A new exchange: new call number, new ephemeral key, no token. */
static void begin(struct oo_reg *g, mono_us now)
{
	uint8_t b[1];

	if (g->other_family_next)
		other_family(g);
	g->other_family_next = false;
	g->cfg.random(g->cfg.random_ctx, b, sizeof(b));
	g->callno = (uint16_t)(IAX2_CALLNO_REG_MIN | b[0]);
	g->cfg.random(g->cfg.random_ctx, g->secret, sizeof(g->secret));
	key_agree_pair(g->hello, g->secret);
	g->token[0] = '\0';
	enter(g, OO_REG_TOKEN, now);
}

static bool is_registering(const struct oo_reg *g)
{
	return g->state == OO_REG_TOKEN || g->state == OO_REG_AUTH ||
	       g->state == OO_REG_ACK;
}

static void use_address(struct oo_hole *h, const struct net_addr *a,
			mono_us now)
{
	const struct oo_hole was = *h;

	memset(h, 0, sizeof(*h));
	h->interval = was.interval;
	h->bearable = was.bearable;
	h->registrar = *a;
	h->next = now;
}

/* The address behind @from in the list, of its family; the first one again
 * after the last. */
static const struct net_addr *address_after(const struct oo_reg *g,
					    const struct net_addr *from)
{
	const struct net_addr *next = NULL;
	bool passed = false;

	for (size_t i = 0; i < g->addrs_n; i++) {
		const struct net_addr *a = &g->addrs[i];

		if (net_addr_is_v4(a) != net_addr_is_v4(from))
			continue;
		if (passed)
			return a;
		passed = net_addr_equal(a, from);
		if (!next)
			next = a;
	}
	return next;
}

/* Where nobody answers, ask at the registrar's next address. */
static void turn_to_next(struct oo_reg *g, mono_us now)
{
	for (int f = 0; f < OO_FAMILIES; f++) {
		struct oo_hole *h = &g->hole[f];
		const struct net_addr *next;

		if (!net_addr_is_set(&h->registrar) ||
		    (h->last_ok != 0 && h->missed < MISSED_MAX))
			continue;
		next = address_after(g, &h->registrar);
		if (next && !net_addr_equal(next, &h->registrar))
			use_address(h, next, now);
	}
}

/* This try is over; the next one after a pause that grows, with jitter. */
static unsigned give_up(struct oo_reg *g, enum oo_reg_trouble why, mono_us now)
{
	const bool was_up = oo_reg_is_up(g);
	struct backoff b = backoff_of(g);

	if (why == OO_TROUBLE_REFUSED)
		b.min = REFUSED_WAIT_US;
	g->due = now + backoff_pause(&b, g->failures);
	g->failures++;
	g->trouble = why;
	g->other_family_next = true;
	if (why == OO_TROUBLE_SILENT)
		turn_to_next(g, now);
	/* Silence leaves the session as it was: an OPEN may still come. */
	if (g->session.id != 0 && why == OO_TROUBLE_SILENT) {
		g->state = OO_REG_UP;
		g->refresh_at = g->due;
		g->due = MONO_NEVER;
		return OO_CHANGE_TROUBLE;
	}
	key_wipe(&g->session, sizeof(g->session));
	g->state = OO_REG_WAITING;
	return (was_up ? OO_CHANGE_DOWN : 0) | OO_CHANGE_TROUBLE;
}

static bool is_listed(const struct oo_reg *g, const struct net_addr *a)
{
	for (size_t i = 0; i < g->addrs_n; i++) {
		if (net_addr_equal(&g->addrs[i], a))
			return true;
	}
	return false;
}

void oo_reg_addresses(struct oo_reg *g, const struct net_addr *addrs, size_t n,
		      mono_us now)
{
	bool have[OO_FAMILIES] = { false, false };
	const bool first = g->state == OO_REG_NO_ADDRESS;

	if (n == 0)
		return;
	g->addrs_n = n < OO_REG_ADDRS ? n : OO_REG_ADDRS;
	memcpy(g->addrs, addrs, g->addrs_n * sizeof(g->addrs[0]));
	for (size_t i = 0; i < g->addrs_n; i++) {
		const enum oo_family f = oo_family_of(&addrs[i]);

		if (!have[f] && !is_listed(g, &g->hole[f].registrar))
			use_address(&g->hole[f], &addrs[i], now);
		have[f] = true;
	}
	if (!first)
		return;
	g->family = have[OO_V6] ? OO_V6 : OO_V4;
	begin(g, now);
}

bool oo_reg_owns(const struct oo_reg *g, const struct dgram *d,
		 const struct oo_msg *m)
{
	return (is_registering(g) || g->state == OO_REG_RELEASING) &&
	       m->hdr.dst_callno == g->callno &&
	       net_addr_equal(&d->path.peer, &g->hole[g->family].registrar);
}

static unsigned on_calltoken(struct oo_reg *g, const struct oo_msg *m,
			     mono_us now)
{
	if (g->state != OO_REG_TOKEN || !m->has_calltoken)
		return 0;
	memcpy(g->token, m->calltoken, sizeof(g->token));
	enter(g, OO_REG_AUTH, now);
	return 0;
}

static unsigned on_regauth(struct oo_reg *g, const struct oo_msg *m,
			   mono_us now)
{
	struct oo_transcript t;

	if (g->state != OO_REG_AUTH || !m->has_challenge || !m->has_hello ||
	    !m->has_signature)
		return 0;
	memcpy(g->challenge, m->challenge, sizeof(g->challenge));
	memcpy(g->registrar_hello, m->hello, KEY_PUBLIC_LEN);
	t = own_transcript(g);
	if (!oo_transcript_verify(&t, OO_ROLE_REGISTRAR, m->signature) ||
	    !oo_session_agree(&g->next, &t, OO_ROLE_NODE, g->secret)) {
		/* Somebody else's word: wait for the registrar's own. */
		g->trouble = OO_TROUBLE_FORGED;
		return OO_CHANGE_TROUBLE;
	}
	enter(g, OO_REG_ACK, now);
	return 0;
}

static unsigned on_regack(struct oo_reg *g, const struct dgram *d,
			  const struct oo_msg *m, mono_us now)
{
	const enum oo_family other = g->family == OO_V4 ? OO_V6 : OO_V4;
	const mono_us refresh = MONO_S * (m->refresh_s ? m->refresh_s : 60);
	struct oo_hole *h = &g->hole[g->family];
	unsigned change = OO_CHANGE_UP;

	if (g->state != OO_REG_ACK || !m->has_session || !m->has_apparent ||
	    m->session != g->next.id ||
	    !oo_session_check(&g->next, d->data, d->len, m->counter))
		return 0;
	if (oo_reg_is_up(g))
		change = 0; /* a refresh */
	memset(&g->ends, 0, sizeof(g->ends));
	if (m->has_ends)
		g->ends = m->ends;
	g->lost = false;
	g->session = g->next;
	key_wipe(&g->next, sizeof(g->next));
	key_wipe(g->secret, sizeof(g->secret));
	g->state = OO_REG_UP;
	g->trouble = OO_TROUBLE_NONE;
	g->failures = 0;
	g->due = MONO_NEVER;
	g->refresh_at = now + reg_spread(g, refresh * 8 / 10, refresh * 9 / 10);
	change |= reg_note_apparent(h, &m->apparent);
	h->last_ok = now;
	h->missed = 0;
	h->path = 0;
	/* The first PING at once: it measures the round trip. */
	h->next = now;
	g->hole[other].next = now;
	return change;
}

static unsigned on_regrej(struct oo_reg *g, const struct oo_msg *m, mono_us now)
{
	const struct oo_transcript t = own_transcript(g);

	if (g->state != OO_REG_ACK || !m->has_signature ||
	    !oo_transcript_verify(&t, OO_ROLE_REFUSAL, m->signature))
		return 0;
	return give_up(g, OO_TROUBLE_REFUSED, now);
}

static unsigned released(struct oo_reg *g)
{
	key_wipe(&g->session, sizeof(g->session));
	g->state = OO_REG_RELEASED;
	g->due = MONO_NEVER;
	return OO_CHANGE_RELEASED;
}

unsigned oo_reg_rx(struct oo_reg *g, const struct dgram *d,
		   const struct oo_msg *m, mono_us now)
{
	switch (m->hdr.subclass) {
	case IAX2_IAX_CALLTOKEN:
		return on_calltoken(g, m, now);
	case IAX2_IAX_REGAUTH:
		return on_regauth(g, m, now);
	case IAX2_IAX_REGREJ:
		return on_regrej(g, m, now);
	case IAX2_IAX_REGACK:
		if (g->state == OO_REG_RELEASING && m->has_session &&
		    m->session == g->session.id &&
		    oo_session_check(&g->session, d->data, d->len, m->counter))
			return released(g);
		return on_regack(g, d, m, now);
	default:
		return 0;
	}
}

/* --- time --------------------------------------------------------------- */

static bool all_lost(const struct oo_reg *g)
{
	for (int f = 0; f < OO_FAMILIES; f++) {
		if (net_addr_is_set(&g->hole[f].registrar) &&
		    g->hole[f].missed < MISSED_MAX)
			return false;
	}
	return true;
}

static void send_regrel(struct oo_reg *g, mono_us now)
{
	const struct iax2_full hdr = {
		.src_callno = g->callno,
		.ts_ms = reg_stamp(g, now),
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, IAX2_IAX_REGREL, &hdr);

	oo_session_put(&g->session, &w);
	iax2_ie_put_text(&w, IAX2_IE_USERNAME, g->cfg.number);
	oo_reg_send(g, buf, &w, g->family);
	g->due = now + (FIRST_RETRY_US << g->tries);
	g->tries++;
}

void oo_reg_release(struct oo_reg *g, mono_us now)
{
	if (g->session.id == 0) {
		(void)released(g);
		return;
	}
	g->family = oo_reg_best_family(g);
	g->state = OO_REG_RELEASING;
	g->tries = 0;
	send_regrel(g, now);
}

static unsigned step_due(struct oo_reg *g, mono_us now)
{
	switch (g->state) {
	case OO_REG_WAITING:
		begin(g, now);
		return 0;
	case OO_REG_TOKEN:
	case OO_REG_AUTH:
	case OO_REG_ACK:
		if (g->tries < STEP_TRIES) {
			/* One family may lead nowhere: knock at both doors. */
			if (g->state == OO_REG_TOKEN && g->tries > 1)
				other_family(g);
			send_regreq(g, now);
			return 0;
		}
		return give_up(g,
			       g->trouble == OO_TROUBLE_FORGED
				       ? OO_TROUBLE_FORGED
				       : OO_TROUBLE_SILENT,
			       now);
	case OO_REG_RELEASING:
		if (g->tries < 3) {
			send_regrel(g, now);
			return 0;
		}
		return released(g);
	case OO_REG_UP:
	case OO_REG_NO_ADDRESS:
	case OO_REG_RELEASED:
		break;
	}
	g->due = MONO_NEVER;
	return 0;
}

unsigned oo_reg_tick(struct oo_reg *g, mono_us now)
{
	unsigned change = 0;

	if (now >= g->due)
		change |= step_due(g, now);
	if (g->session.id == 0 || g->state == OO_REG_RELEASING)
		return change;
	for (int f = 0; f < OO_FAMILIES; f++) {
		if (net_addr_is_set(&g->hole[f].registrar) &&
		    now >= g->hole[f].next)
			reg_ping_due(g, (enum oo_family)f, now);
	}
	if (!g->lost && all_lost(g)) {
		g->lost = true;
		g->trouble = OO_TROUBLE_LOST;
		g->refresh_at = mono_min(g->refresh_at, now);
		change |= OO_CHANGE_DOWN | OO_CHANGE_TROUBLE;
	}
	if (g->state == OO_REG_UP && now >= g->refresh_at) {
		g->refresh_at = MONO_NEVER;
		g->family = oo_reg_best_family(g);
		begin(g, now);
	}
	return change;
}

mono_us oo_reg_deadline(const struct oo_reg *g)
{
	mono_us due = g->due;

	if (g->session.id == 0 || g->state == OO_REG_RELEASING)
		return due;
	for (int f = 0; f < OO_FAMILIES; f++) {
		if (net_addr_is_set(&g->hole[f].registrar))
			due = mono_min(due, g->hole[f].next);
	}
	if (g->state == OO_REG_UP)
		due = mono_min(due, g->refresh_at);
	return due;
}
