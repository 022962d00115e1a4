/* SPDX-License-Identifier: MIT */

#include "proto/iax2_reg.h"

#include <string.h>

#include "proto/backoff.h"
#include "proto/iax2_endpoint.h"
#include "proto/iax2_ie.h"

#define FIRST_RETRY_US (500 * MONO_MS)
#define RELEASE_RETRY_US (200 * MONO_MS)
#define RELEASE_MAX_US (1500 * MONO_MS)
#define STEP_TRIES 4U
#define BACKOFF_MIN_US (2 * MONO_S)
#define REFUSED_MIN_US (30 * MONO_S)
#define BACKOFF_MAX_US (60 * MONO_S)
#define REFRESH_ASKED_S 60U
#define REFRESH_WAIT_MIN_US (10 * MONO_S)
#define BODY_MAX 512U

const char *iax2_reg_state_text(enum iax2_reg_state s)
{
	static const char *const text[] = {
		[IAX2_REG_NO_ADDRESS] = "resolving",
		[IAX2_REG_WAITING] = "waiting",
		[IAX2_REG_ASK] = "registering",
		[IAX2_REG_TOKEN] = "registering",
		[IAX2_REG_ANSWER] = "registering",
		[IAX2_REG_UP] = "registered",
		[IAX2_REG_HELD] = "held",
		[IAX2_REG_RELEASED] = "unregistered",
	};

	return text[s];
}

const char *iax2_reg_trouble_text(enum iax2_reg_trouble t)
{
	static const char *const text[] = {
		[IAX2_REG_OK] = "",
		[IAX2_REG_SILENT] = "the registrar does not answer",
		[IAX2_REG_REFUSED] = "the registrar refuses",
		[IAX2_REG_NO_METHOD] =
			"the registrar wants a proof other than MD5",
		[IAX2_REG_INVALID] = "the registrar forgot the registration",
	};

	return text[t];
}

static struct backoff backoff_of(const struct iax2_reg *g)
{
	return (struct backoff){ .min = BACKOFF_MIN_US,
				 .max = BACKOFF_MAX_US,
				 .random = g->random,
				 .random_ctx = g->random_ctx };
}

bool iax2_reg_init(struct iax2_reg *g, const struct iax2_reg_cfg *cfg,
		   mono_us now)
{
	const size_t name = strlen(cfg->username);
	const size_t secret = strlen(cfg->secret);

	memset(g, 0, sizeof(*g));
	if (name == 0 || name > IAX2_REG_USERNAME_MAX ||
	    secret > IAX2_REG_SECRET_MAX)
		return false;
	memcpy(g->username, cfg->username, name);
	memcpy(g->secret, cfg->secret, secret);
	g->random = cfg->random;
	g->random_ctx = cfg->random_ctx;
	g->tx = cfg->tx;
	g->start = now;
	g->due = MONO_NEVER;
	return true;
}

bool iax2_reg_is_up(const struct iax2_reg *g)
{
	return g->expires != 0;
}

static bool is_exchanging(const struct iax2_reg *g)
{
	return g->state == IAX2_REG_ASK || g->state == IAX2_REG_TOKEN ||
	       g->state == IAX2_REG_ANSWER;
}

/* --- sending ------------------------------------------------------------ */

static void send_frame(struct iax2_reg *g, const struct iax2_full *f)
{
	uint8_t buf[IAX2_FULL_HDR_LEN + BODY_MAX];
	struct dgram d = { .path = { .peer = g->peer, .sock = g->sock },
			   .data = buf };

	/* A full queue is a lost frame, and those are sent again. */
	if (iax2_full_encode(f, buf, sizeof(buf), &d.len) == IAX2_OK)
		dgram_queue_push(g->tx, &d, false);
}

static void send_ack(struct iax2_reg *g, const struct iax2_full *of)
{
	/* An ACK bears the time stamp of what it acknowledges (RFC 5456
	 * 6.9.1) and takes no number itself. */
	const struct iax2_full f = {
		.src_callno = g->callno,
		.dst_callno = of->src_callno,
		.ts_ms = of->ts_ms,
		.oseq = g->oseq,
		.iseq = (uint8_t)(of->oseq + 1),
		.type = IAX2_FRAME_IAX,
		.subclass = IAX2_IAX_ACK,
	};

	send_frame(g, &f);
}

static void send_request(struct iax2_reg *g, mono_us now)
{
	const bool answering = g->state == IAX2_REG_ANSWER;
	uint8_t body[BODY_MAX];
	struct wire_wr w = wire_wr(body, sizeof(body));
	struct iax2_full f = {
		.src_callno = g->callno,
		.dst_callno = g->peer_callno,
		.retransmit = g->tries > 0,
		.ts_ms = (uint32_t)((now - g->start) / MONO_MS),
		.oseq = (uint8_t)(g->oseq - 1),
		.iseq = g->iseq,
		.type = IAX2_FRAME_IAX,
		.subclass = g->releasing ? IAX2_IAX_REGREL : IAX2_IAX_REGREQ,
		.body = body,
	};

	iax2_ie_put_text(&w, IAX2_IE_USERNAME, g->username);
	if (answering)
		iax2_ie_put_text(&w, IAX2_IE_MD5_RESULT, g->md5);
	if (!g->releasing)
		iax2_ie_put_u16(&w, IAX2_IE_REFRESH, REFRESH_ASKED_S);
	/* Empty beside a proof too, as Asterisk has it. */
	iax2_ie_put(&w, IAX2_IE_CALLTOKEN, g->token,
		    g->state == IAX2_REG_TOKEN ? g->token_len : 0);
	f.body_len = (size_t)(w.p - body);
	if (!w.bad)
		send_frame(g, &f);
	g->sent_at = now;
	if (g->releasing)
		g->due = mono_min(now + (RELEASE_RETRY_US << g->tries),
				  g->end_by);
	else
		g->due = now + (FIRST_RETRY_US << g->tries);
	g->tries++;
}

static void enter(struct iax2_reg *g, enum iax2_reg_state state, mono_us now)
{
	g->state = state;
	g->tries = 0;
	send_request(g, now);
}

/* A new exchange with the address whose turn it is. */
static void begin(struct iax2_reg *g, mono_us now)
{
	const uint16_t was = g->callno;
	uint8_t b[1] = { 0 };

	g->random(g->random_ctx, b, sizeof(b));
	g->callno = (uint16_t)(IAX2_CALLNO_REG_MIN | b[0]);
	/* Late frames of the last exchange must not meet this one. */
	if (g->callno == was)
		g->callno ^= 1U;
	g->peer = g->addrs[g->cur];
	g->peer_callno = 0;
	g->oseq = 1;
	g->iseq = 0;
	g->token_len = 0;
	enter(g, IAX2_REG_ASK, now);
}

/* --- how a try ends ----------------------------------------------------- */

static unsigned released(struct iax2_reg *g)
{
	g->state = IAX2_REG_RELEASED;
	g->expires = 0;
	g->due = MONO_NEVER;
	return IAX2_REG_CHANGE_RELEASED;
}

static void next_address(struct iax2_reg *g)
{
	g->cur = (g->cur + 1) % g->addrs_n;
}

static unsigned give_up(struct iax2_reg *g, enum iax2_reg_trouble why,
			mono_us now)
{
	struct backoff b = backoff_of(g);
	unsigned change = IAX2_REG_CHANGE_TROUBLE;

	if (g->releasing)
		return released(g);
	g->trouble = why;
	next_address(g);
	g->tried = 0;
	g->state = IAX2_REG_WAITING;
	/* Whoever tries a wrong secret often is shut out by many registrars. */
	if (why == IAX2_REG_REFUSED)
		b.min = REFUSED_MIN_US;
	g->due = now + backoff_pause(&b, g->failures);
	if (g->failures < UINT8_MAX)
		g->failures++;
	/* A refusal is the registrar's word that we are not registered. */
	if (why == IAX2_REG_REFUSED && g->expires != 0) {
		g->expires = 0;
		change |= IAX2_REG_CHANGE_DOWN;
	}
	return change;
}

static unsigned on_silence(struct iax2_reg *g, mono_us now)
{
	g->tried++;
	if (g->releasing || g->tried >= g->addrs_n)
		return give_up(g, IAX2_REG_SILENT, now);
	next_address(g);
	begin(g, now);
	return 0;
}

/* --- answers ------------------------------------------------------------ */

static void measure(struct iax2_reg *g, mono_us now)
{
	/* Of a frame sent twice, nobody knows which one was answered. */
	if (g->tries != 1)
		return;
	g->rtt_us = (uint32_t)(now - g->sent_at);
	if (g->rtt_us == 0)
		g->rtt_us = 1;
}

static unsigned on_calltoken(struct iax2_reg *g, const struct iax2_full *f,
			     mono_us now)
{
	struct iax2_ie_view ie;

	/* Once only: a registrar that asks for ever gets no further. */
	if (g->state != IAX2_REG_ASK ||
	    !iax2_ie_find(f->body, f->body_len, IAX2_IE_CALLTOKEN, &ie) ||
	    ie.len == 0)
		return 0;
	measure(g, now);
	memcpy(g->token, ie.value, ie.len);
	g->token_len = ie.len;
	/* The registrar kept nothing: our numbers start anew. */
	enter(g, IAX2_REG_TOKEN, now);
	return 0;
}

static unsigned on_regauth(struct iax2_reg *g, const struct iax2_full *f,
			   mono_us now)
{
	uint16_t methods = 0;
	char challenge[256];

	if (g->state == IAX2_REG_ANSWER) {
		send_ack(g, f); /* it did not see our answer yet */
		return 0;
	}
	if (!is_exchanging(g) ||
	    !iax2_ie_u16(f->body, f->body_len, IAX2_IE_AUTHMETHODS, &methods))
		return 0;
	if (!(methods & IAX2_AUTH_MD5) || g->secret[0] == '\0') {
		send_ack(g, f);
		return give_up(g, IAX2_REG_NO_METHOD, now);
	}
	if (!iax2_ie_text(f->body, f->body_len, IAX2_IE_CHALLENGE, challenge,
			  sizeof(challenge)))
		return 0;
	measure(g, now);
	key_md5_response(challenge, g->secret, g->md5);
	g->peer_callno = f->src_callno;
	g->oseq = 2;
	g->iseq = (uint8_t)(f->oseq + 1);
	enter(g, IAX2_REG_ANSWER, now);
	return 0;
}

static unsigned note_apparent(struct iax2_reg *g, const struct iax2_full *f)
{
	struct iax2_ie_view ie;
	struct net_addr a;

	if (!iax2_ie_find(f->body, f->body_len, IAX2_IE_APPARENT_ADDR, &ie) ||
	    !net_addr_get_sockaddr(ie.value, ie.len, &a) ||
	    net_addr_equal(&g->apparent, &a))
		return 0;
	g->apparent = a;
	return IAX2_REG_CHANGE_APPARENT;
}

static unsigned on_regack(struct iax2_reg *g, const struct iax2_full *f,
			  mono_us now)
{
	const struct backoff b = backoff_of(g);
	const bool was_up = iax2_reg_is_up(g);
	uint16_t refresh = 0;
	mono_us span;

	/* Also when it is a repetition: our last ACK was lost. */
	send_ack(g, f);
	if (!is_exchanging(g))
		return 0;
	if (g->releasing)
		return released(g);
	measure(g, now);
	if (!iax2_ie_u16(f->body, f->body_len, IAX2_IE_REFRESH, &refresh) ||
	    refresh == 0)
		refresh = REFRESH_ASKED_S;
	span = refresh * MONO_S;
	g->peer_callno = f->src_callno;
	g->state = IAX2_REG_UP;
	g->trouble = IAX2_REG_OK;
	g->cause[0] = '\0';
	g->failures = 0;
	g->tried = 0;
	g->last_ok = now;
	g->due = now + backoff_spread(&b, span * 8 / 10, span * 9 / 10);
	if (g->due < now + REFRESH_WAIT_MIN_US)
		g->due = now + REFRESH_WAIT_MIN_US;
	/* An absurdly short grant must not make us flap between refreshes. */
	g->expires = now + (span > 2 * REFRESH_WAIT_MIN_US
				    ? span
				    : 2 * REFRESH_WAIT_MIN_US);
	return note_apparent(g, f) | (was_up ? 0 : IAX2_REG_CHANGE_UP);
}

static unsigned on_regrej(struct iax2_reg *g, const struct iax2_full *f,
			  mono_us now)
{
	send_ack(g, f);
	if (!is_exchanging(g))
		return 0;
	if (!iax2_ie_text(f->body, f->body_len, IAX2_IE_CAUSE, g->cause,
			  sizeof(g->cause)))
		g->cause[0] = '\0';
	return give_up(g, IAX2_REG_REFUSED, now);
}

bool iax2_reg_owns(const struct iax2_reg *g, const struct dgram *d,
		   const struct iax2_full *f)
{
	if (g->callno == 0 || f->dst_callno != g->callno ||
	    !net_addr_equal(&d->path.peer, &g->peer))
		return false;
	/* The registrar's own number is fixed by its first counted frame;
	 * only INVAL may come without one. */
	return g->peer_callno == 0 || f->src_callno == g->peer_callno ||
	       (f->src_callno == 0 && f->subclass == IAX2_IAX_INVAL);
}

unsigned iax2_reg_rx(struct iax2_reg *g, const struct iax2_full *f, mono_us now)
{
	if (f->type != IAX2_FRAME_IAX)
		return 0;
	if (f->subclass == IAX2_IAX_INVAL)
		return is_exchanging(g) ? give_up(g, IAX2_REG_INVALID, now) : 0;
	if (f->src_callno == 0)
		return 0;
	switch (f->subclass) {
	case IAX2_IAX_CALLTOKEN:
		return on_calltoken(g, f, now);
	case IAX2_IAX_REGAUTH:
		return on_regauth(g, f, now);
	case IAX2_IAX_REGACK:
		return on_regack(g, f, now);
	case IAX2_IAX_REGREJ:
		return on_regrej(g, f, now);
	default:
		return 0;
	}
}

/* --- what the owner asks for -------------------------------------------- */

void iax2_reg_addresses(struct iax2_reg *g, const struct net_addr *addrs,
			size_t n, mono_us now)
{
	const struct net_addr was = g->addrs[g->cur];

	if (n == 0)
		return;
	if (n > IAX2_REG_ADDRS_MAX)
		n = IAX2_REG_ADDRS_MAX;
	memcpy(g->addrs, addrs, n * sizeof(*addrs));
	g->addrs_n = n;
	g->cur = 0;
	/* Stay with the one in use, wherever it stands now. */
	for (size_t i = 0; i < n; i++) {
		if (net_addr_equal(&addrs[i], &was))
			g->cur = i;
	}
	if (g->state == IAX2_REG_NO_ADDRESS)
		begin(g, now);
}

void iax2_reg_network_changed(struct iax2_reg *g, mono_us now)
{
	if (g->state != IAX2_REG_WAITING && g->state != IAX2_REG_UP)
		return;
	g->tried = 0;
	begin(g, now);
}

void iax2_reg_use_socket(struct iax2_reg *g, uint16_t sock, mono_us now)
{
	if (g->sock == sock)
		return;
	g->sock = sock;
	if (g->releasing || g->state == IAX2_REG_NO_ADDRESS ||
	    g->state == IAX2_REG_HELD || g->state == IAX2_REG_RELEASED)
		return;
	g->tried = 0;
	begin(g, now);
}

void iax2_reg_hold(struct iax2_reg *g)
{
	if (g->releasing || g->state == IAX2_REG_RELEASED)
		return;
	g->state = IAX2_REG_HELD;
	g->due = MONO_NEVER;
	g->expires = 0;
	g->callno = 0; /* late answers are nobody's */
}

void iax2_reg_resume(struct iax2_reg *g, mono_us now)
{
	if (g->state != IAX2_REG_HELD)
		return;
	g->state = IAX2_REG_NO_ADDRESS;
	g->tried = 0;
	g->failures = 0;
	if (g->addrs_n > 0)
		begin(g, now);
}

void iax2_reg_release(struct iax2_reg *g, mono_us now)
{
	if (g->releasing || g->state == IAX2_REG_RELEASED)
		return;
	g->releasing = true;
	g->end_by = now + RELEASE_MAX_US;
	if (!iax2_reg_is_up(g)) {
		(void)released(g);
		return;
	}
	begin(g, now);
}

static unsigned step_due(struct iax2_reg *g, mono_us now)
{
	if (g->releasing && now >= g->end_by)
		return released(g);
	if (!is_exchanging(g)) {
		begin(g, now);
		return 0;
	}
	if (g->releasing || g->tries < STEP_TRIES) {
		send_request(g, now);
		return 0;
	}
	return on_silence(g, now);
}

unsigned iax2_reg_tick(struct iax2_reg *g, mono_us now)
{
	unsigned change = 0;

	if (now >= g->due)
		change = step_due(g, now);
	if (g->expires != 0 && !g->releasing && now >= g->expires) {
		g->expires = 0;
		change |= IAX2_REG_CHANGE_DOWN;
	}
	return change;
}

mono_us iax2_reg_deadline(const struct iax2_reg *g)
{
	if (g->expires != 0 && !g->releasing)
		return mono_min(g->due, g->expires);
	return g->due;
}
