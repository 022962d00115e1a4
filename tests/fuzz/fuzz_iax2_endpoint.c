/* SPDX-License-Identifier: MIT */

/*
 * An endpoint under a stream of operations: what two peers and a stranger
 * send, commands and time.  Each operation is an octet, and what it needs
 * follows.  The peers remember what the endpoint told them (call and sequence
 * numbers, tokens), so that whole conversations are within reach; how far they
 * keep to it, the input decides.  Two calls stand before the stream begins.
 */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/iax2_endpoint.h"
#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"
#include "proto/wire.h"
#include "tests/fuzz/iax2_blocks.h"

#define CALLS 8
#define PEERS 2
#define STRANGER PEERS /* never shows a token: gets no more than it sent */
#define TALKS 4        /* conversations of one peer */
#define TALK_CALLNO 0x100U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a peer knows of one call. */
struct talk {
	uint16_t callno; /* the endpoint's; 0: not told */
	uint8_t oseq;    /* our next */
	uint8_t iseq;    /* the endpoint's next */
};

struct fuzz {
	struct iax2_endpoint *ep;
	mono_us now;
	struct iax2_call_id call[CALLS];
	size_t calls;
	struct talk talk[PEERS][TALKS];
	size_t talks[PEERS];
	struct hints hints[PEERS + 1]; /* the stranger heeds none */
	size_t stranger_sent;
	size_t stranger_got;
};

static void zeros(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0, len);
}

static struct net_addr address(unsigned i)
{
	return net_addr_v4(192, 0, 2, (uint8_t)(1 + i % (PEERS + 1)), 4569);
}

static void must(bool ok)
{
	if (!ok)
		abort();
}

static volatile uint8_t touched;

static void touch(uint8_t octet)
{
	touched = octet;
}

/* --- what the endpoint says --------------------------------------------- */

static bool has_place(const struct iax2_full *f)
{
	return f->type != IAX2_FRAME_IAX ||
	       (f->subclass != IAX2_IAX_ACK && f->subclass != IAX2_IAX_VNAK &&
		f->subclass != IAX2_IAX_INVAL &&
		f->subclass != IAX2_IAX_CALLTOKEN);
}

static struct talk *talk_of(struct fuzz *z, unsigned who,
			    const struct iax2_full *f)
{
	if (f->dst_callno >= TALK_CALLNO && f->dst_callno < TALK_CALLNO + TALKS)
		return &z->talk[who][f->dst_callno - TALK_CALLNO];
	/* It calls: the peer takes its next number for that. */
	if (f->dst_callno != 0)
		return NULL;
	for (size_t i = 0; i < TALKS; i++) {
		if (z->talk[who][i].callno == f->src_callno)
			return &z->talk[who][i];
	}
	return &z->talk[who][z->talks[who]++ % TALKS];
}

static void remember(struct fuzz *z, unsigned who, const struct iax2_full *f)
{
	struct talk *t = talk_of(z, who, f);

	(void)iax2_ie_text(f->body, f->body_len, IAX2_IE_CALLTOKEN,
			   z->hints[who].token, sizeof(z->hints[who].token));
	(void)iax2_ie_text(f->body, f->body_len, IAX2_IE_CHALLENGE,
			   z->hints[who].challenge,
			   sizeof(z->hints[who].challenge));
	if (!t || f->src_callno == IAX2_CALLNO_OUTSIDE)
		return;
	t->callno = f->src_callno;
	t->oseq = f->iseq;
	if (has_place(f))
		t->iseq = (uint8_t)(f->oseq + 1);
}

static unsigned who_is(const struct net_addr *a)
{
	for (unsigned i = 0; i <= PEERS; i++) {
		const struct net_addr b = address(i);

		if (net_addr_equal(a, &b))
			return i;
	}
	abort();
}

static void sent(struct fuzz *z, const struct dgram *d)
{
	const unsigned who = who_is(&d->path.peer);
	struct iax2_full f;

	must(d->len >= IAX2_MINI_HDR_LEN);
	if (who == STRANGER)
		z->stranger_got += d->len;
	if (!(d->data[0] & 0x80))
		return;
	must(iax2_full_decode(d->data, d->len, &f) == IAX2_OK);
	if (who != STRANGER)
		remember(z, who, &f);
}

static void told(struct fuzz *z, const struct iax2_event *ev)
{
	if (ev->kind == IAX2_EV_CALL_IN)
		z->call[z->calls++ % CALLS] = ev->call;
	/* What is borrowed can be read. */
	if (ev->kind == IAX2_EV_TEXT)
		must(strlen(ev->u.text.data) == ev->u.text.len);
	if (ev->kind == IAX2_EV_VOICE && ev->u.voice.len > 0)
		touch(ev->u.voice.data[ev->u.voice.len - 1]);
	if (ev->kind == IAX2_EV_CONTROL && ev->u.control.len > 0)
		touch(ev->u.control.data[ev->u.control.len - 1]);
}

static void drain(struct fuzz *z)
{
	struct iax2_event ev;
	struct dgram d;
	unsigned n = 0;

	while (iax2_endpoint_next_event(z->ep, &ev)) {
		told(z, &ev);
		must(++n < 10000);
	}
	for (n = 0; iax2_endpoint_next_tx(z->ep, &d); n++) {
		must(n < 10000);
		sent(z, &d);
	}
	must(z->stranger_got <= z->stranger_sent);
}

static void feed(struct fuzz *z, const uint8_t *data, size_t len, unsigned who)
{
	/* Exact size, so that an over-read is seen. */
	uint8_t *copy = malloc(len ? len : 1);
	const struct dgram d = {
		.path.peer = address(who),
		.data = copy,
		.len = len,
	};

	must(copy != NULL);
	if (len > 0)
		memcpy(copy, data, len);
	if (who % (PEERS + 1) == STRANGER)
		z->stranger_sent += len;
	(void)iax2_endpoint_rx(z->ep, &d, z->now);
	free(copy);
}

/* --- building blocks ---------------------------------------------------- */

static void feed_full(struct fuzz *z, unsigned who, const struct iax2_full *f)
{
	uint8_t buf[DGRAM_MAX];
	size_t len = 0;

	if (iax2_full_encode(f, buf, sizeof(buf), &len) == IAX2_OK)
		feed(z, buf, len, who);
}

/* A frame of a peer in one of its conversations. */
static void in_call(struct fuzz *z, uint8_t op, struct wire_rd *r)
{
	static const uint8_t types[8] = { 6, 6, 6, 4, 2, 7, 1, 12 };
	const uint8_t seqs = wire_rd_u8(r), kind = wire_rd_u8(r);
	const unsigned who = (op >> 3) % PEERS, n = (op >> 4) % TALKS;
	struct talk *t = &z->talk[who][n];
	uint8_t body[BODY_MAX];
	struct iax2_full f = {
		.src_callno = (uint16_t)(TALK_CALLNO + n),
		.dst_callno = t->callno,
		.ts_ms = (uint32_t)(z->now / MONO_MS),
		.oseq = near(t->oseq, seqs),
		.iseq = near(t->iseq, seqs >> 3),
		.type = types[kind & 7],
		.body = body,
	};

	f.subclass = f.type == IAX2_FRAME_VOICE
			     ? IAX2_FORMAT_ULAW
			     : (uint8_t)(kind >> 3 | seqs >> 6 << 5);
	if (f.type == IAX2_FRAME_DTMF_BEGIN || f.type == IAX2_FRAME_DTMF_END)
		f.subclass += '#';
	f.body_len = make_body(&z->hints[who], body, r);
	if (seqs == 0xff)
		f.type = kind;
	feed_full(z, who, &f);
	if (f.oseq == t->oseq && has_place(&f))
		t->oseq++;
}

static void new_call(struct fuzz *z, uint8_t op, struct wire_rd *r)
{
	const unsigned who = (op >> 3) % (PEERS + 1), n = (op >> 5) % TALKS;
	uint8_t body[BODY_MAX];
	const struct iax2_full f = {
		.src_callno = (uint16_t)(TALK_CALLNO + n),
		.type = IAX2_FRAME_IAX,
		.subclass = IAX2_IAX_NEW,
		.body = body,
		.body_len = make_body(&z->hints[who], body, r),
	};

	if (who != STRANGER)
		z->talk[who][n] = (struct talk){ .oseq = 1 };
	feed_full(z, who, &f);
}

static void mini(struct fuzz *z, uint8_t op, struct wire_rd *r)
{
	uint8_t buf[164] = { TALK_CALLNO >> 8,
			     (uint8_t)(TALK_CALLNO + (op >> 4) % TALKS) };
	const uint16_t ts = wire_rd_u16(r);

	buf[2] = (uint8_t)(ts >> 8);
	buf[3] = (uint8_t)ts;
	feed(z, buf, op & 0x80 ? 4U + ts % 160U : sizeof(buf),
	     (op >> 3) % PEERS);
}

/* --- tickets ------------------------------------------------------------ */

static struct iax2_ticket ticket(const struct key_identity *peer)
{
	struct iax2_ticket t = { .id = 1,
				 .key = { 1, 2, 3 },
				 .peer_number = "2",
				 .expires = MONO_NEVER };

	memcpy(t.peer_key, peer->public_key, KEY_PUBLIC_LEN);
	return t;
}

/* Ours and the ticketed caller's; made once, for signing takes its time. */
static struct key_identity ours, theirs;

static struct iax2_endpoint *endpoint(const struct key_identity *id,
				      mono_us now)
{
	const struct iax2_endpoint_cfg cfg = {
		.calls_max = CALLS,
		.tx_max = 64,
		.limits = { .calls_per_addr = 8,
			    .half_open = 8,
			    .half_open_per_addr = 4,
			    .calls_per_s = 1000,
			    .auth_failures_per_min = 1000 },
		.identity = id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = zeros,
	};
	struct iax2_endpoint *ep = iax2_endpoint_new(&cfg, now);

	must(ep != NULL);
	return ep;
}

/* What a caller with the ticket sends, made by another endpoint. */
static uint8_t ticketed_new[DGRAM_MAX];
static size_t ticketed_len;

static void make_ticketed(void)
{
	const uint8_t seed[2][KEY_SEED_LEN] = { { 1 }, { 2 } };
	struct iax2_endpoint *ep;
	struct iax2_ticket t;
	struct iax2_call_id id;
	struct dgram out;
	struct iax2_dial d = { .path.peer = address(0),
			       .called = "1",
			       .calling = "2",
			       .ticket = &t };

	key_identity_from_seed(&ours, seed[0]);
	key_identity_from_seed(&theirs, seed[1]);
	t = ticket(&ours);
	ep = endpoint(&theirs, MONO_S);
	must(iax2_dial(ep, &d, MONO_S, &id) == IAX2_OK &&
	     iax2_endpoint_next_tx(ep, &out));
	memcpy(ticketed_new, out.data, out.len);
	ticketed_len = out.len;
	iax2_endpoint_free(ep);
}

static void ticketed(struct fuzz *z, uint8_t op, struct wire_rd *r)
{
	const struct iax2_ticket t = ticket(&theirs);
	const struct net_addr from = address((op >> 3) % PEERS);
	const size_t at = wire_rd_u16(r) % ticketed_len;
	const uint8_t change = op >> 6 & 1;

	if (op & 0x80)
		(void)iax2_expect(z->ep, &t, &from, z->now);
	ticketed_new[at] ^= change;
	feed(z, ticketed_new, ticketed_len, (op >> 3) % PEERS);
	ticketed_new[at] ^= change;
}

/* --- commands ----------------------------------------------------------- */

static void dial(struct fuzz *z, bool with_ticket, unsigned who)
{
	const struct iax2_ticket t = ticket(&theirs);
	const struct iax2_dial d = {
		.path.peer = address(who % PEERS),
		.called = "1",
		.calling = "2",
		.ticket = with_ticket ? &t : NULL,
		.md5_secret = SECRET,
	};

	(void)iax2_dial(z->ep, &d, z->now, &z->call[z->calls++ % CALLS]);
}

static void command(struct fuzz *z, uint8_t op, uint8_t arg)
{
	const struct iax2_call_id call = z->call[arg % CALLS];
	const struct iax2_credentials want = { .md5_secret = SECRET };
	static const uint8_t codes[160];

	switch (op % 10) {
	case 0:
		(void)iax2_accept(z->ep, call, z->now);
		break;
	case 1:
		(void)iax2_challenge(z->ep, call, &want, z->now);
		break;
	case 2:
		(void)iax2_reject(z->ep, call, "no", arg, z->now);
		break;
	case 3:
		(void)iax2_hangup(z->ep, call, NULL, arg, z->now);
		break;
	case 4:
		(void)iax2_send_text(z->ep, call, "text", z->now);
		break;
	case 5:
		(void)iax2_send_voice(
			z->ep, call,
			&(struct iax2_voice){ codes, sizeof(codes), arg * 1000U,
					      arg & 1 },
			z->now);
		break;
	case 6:
		(void)iax2_send_dtmf(z->ep, call, (char)arg, arg & 1, z->now);
		break;
	case 7:
		dial(z, arg & 1, arg >> 1);
		break;
	case 8:
		(void)iax2_send_control(z->ep, call, IAX2_CONTROL_KEY, z->now);
		break;
	default:
		(void)iax2_send_cng(z->ep, call, z->now);
		break;
	}
}

static void operate(struct fuzz *z, struct wire_rd *r)
{
	const uint8_t op = wire_rd_u8(r);
	size_t len;

	switch (op % 8) {
	case 0:
		len = wire_rd_u8(r);
		if (len > wire_rd_left(r))
			len = wire_rd_left(r);
		feed(z, wire_rd_bytes(r, len), len, op >> 4);
		break;
	case 1:
	case 2:
		in_call(z, op, r);
		break;
	case 3:
		z->now += (mono_us)wire_rd_u16(r) * MONO_MS;
		iax2_endpoint_tick(z->ep, z->now);
		must(iax2_endpoint_deadline(z->ep) > z->now);
		break;
	case 4:
		command(z, op / 8, wire_rd_u8(r));
		break;
	case 5:
		new_call(z, op, r);
		break;
	case 6:
		mini(z, op, r);
		break;
	default:
		ticketed(z, op, r);
		break;
	}
	/* Now and then it is not listened to. */
	if (op < 0xf0)
		drain(z);
}

/* One call of each direction is up, by the same blocks. */
static void stand_up(struct fuzz *z)
{
	static const uint8_t talk[] = {
		7 * 8 + 4,  0, /* dial */
		1,          0,          IAX2_IAX_ACCEPT << 3,
		3,          2 + 2 * 12, /* u-law */
		1,          0,          IAX2_CONTROL_ANSWER << 3 | 3,
		0,          5 | 1 << 3, 11,
		0,          1,          2 + 2 * 12,
		3,          10, /* NEW */
		5 | 1 << 3, 11,         0,
		1,          2 + 2 * 12, 3,
		4,             /* with its token */
		4,          1, /* accept */
	};
	struct wire_rd r = wire_rd(talk, sizeof(talk));
	struct iax2_call_info info;

	while (wire_rd_left(&r) > 0)
		operate(z, &r);
	for (size_t i = 0; i < 2; i++) {
		must(iax2_call_info(z->ep, z->call[i], &info) == IAX2_OK);
		must(info.up);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz z;
	struct wire_rd r = wire_rd(data, size);

	must(sodium_init() >= 0);
	if (ticketed_len == 0)
		make_ticketed();
	memset(&z, 0, sizeof(z));
	z.now = MONO_S;
	z.ep = endpoint(&ours, z.now);
	stand_up(&z);
	while (wire_rd_left(&r) > 0)
		operate(&z, &r);
	drain(&z);
	/* Whatever happened, it comes to rest. */
	for (unsigned i = 0; iax2_endpoint_calls(z.ep) > 0; i++) {
		must(i < 10000);
		z.now = iax2_endpoint_deadline(z.ep);
		must(z.now != MONO_NEVER);
		iax2_endpoint_tick(z.ep, z.now);
		drain(&z);
	}
	iax2_endpoint_free(z.ep);
	return 0;
}
