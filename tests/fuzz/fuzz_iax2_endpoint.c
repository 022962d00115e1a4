/* SPDX-License-Identifier: MIT */

/*
 * An endpoint under a stream of operations: datagrams from two addresses,
 * commands and time.  Each operation is an octet, and what it needs follows.
 * A call, outbound and inbound, stands before the stream begins, so that not
 * only strangers are heard.
 */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/iax2_endpoint.h"
#include "proto/iax2_frame.h"
#include "proto/wire.h"

#define CALLS 4
#define OURS_OUT 2U
#define PEERS_OUT 0x100U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	struct iax2_endpoint *ep;
	mono_us now;
	struct iax2_call_id call[CALLS];
	size_t calls;
};

static void zeros(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0, len);
}

static struct net_addr address(unsigned i)
{
	return net_addr_v4(192, 0, 2, (uint8_t)(1 + i % 2), 4569);
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

static void drain(struct fuzz *z)
{
	struct iax2_event ev;
	struct dgram d;
	struct iax2_full f;
	unsigned n = 0;

	while (iax2_endpoint_next_event(z->ep, &ev)) {
		if (ev.kind == IAX2_EV_CALL_IN)
			z->call[z->calls++ % CALLS] = ev.call;
		/* What is borrowed can be read. */
		if (ev.kind == IAX2_EV_TEXT)
			must(strlen(ev.u.text.data) == ev.u.text.len);
		if (ev.kind == IAX2_EV_VOICE && ev.u.voice.len > 0)
			touch(ev.u.voice.data[ev.u.voice.len - 1]);
		if (ev.kind == IAX2_EV_CONTROL && ev.u.control.len > 0)
			touch(ev.u.control.data[ev.u.control.len - 1]);
		must(++n < 10000);
	}
	for (n = 0; iax2_endpoint_next_tx(z->ep, &d); n++) {
		must(n < 10000);
		must(d.len >= IAX2_MINI_HDR_LEN);
		if (d.data[0] & 0x80)
			must(iax2_full_decode(d.data, d.len, &f) == IAX2_OK);
	}
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
	(void)iax2_endpoint_rx(z->ep, &d, z->now);
	free(copy);
}

static void dial(struct fuzz *z, bool ticket)
{
	const struct iax2_ticket t = { .id = 1, .peer_number = "1" };
	const struct iax2_dial d = {
		.path.peer = address(0),
		.called = "1",
		.calling = "2",
		.ticket = ticket ? &t : NULL,
		.md5_secret = "s",
	};

	(void)iax2_dial(z->ep, &d, z->now, &z->call[z->calls++ % CALLS]);
}

static void stand_up(struct fuzz *z)
{
	static const uint8_t format[] = { 9, 4, 0, 0, 0, 4 };
	struct iax2_full f = {
		.src_callno = PEERS_OUT,
		.dst_callno = OURS_OUT,
		.iseq = 1,
		.type = IAX2_FRAME_IAX,
		.subclass = IAX2_IAX_ACCEPT,
		.body = format,
		.body_len = sizeof(format),
	};
	uint8_t buf[64];
	size_t len = 0;

	dial(z, false);
	must(iax2_full_encode(&f, buf, sizeof(buf), &len) == IAX2_OK);
	feed(z, buf, len, 0);
	f.oseq = 1;
	f.type = IAX2_FRAME_CONTROL;
	f.subclass = IAX2_CONTROL_ANSWER;
	f.body_len = 0;
	f.body = NULL;
	must(iax2_full_encode(&f, buf, sizeof(buf), &len) == IAX2_OK);
	feed(z, buf, len, 0);
	drain(z);
}

static void command(struct fuzz *z, uint8_t op, uint8_t arg)
{
	const struct iax2_call_id call = z->call[arg % CALLS];
	const struct iax2_credentials want = { .md5_secret = "s" };
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
		dial(z, arg & 1);
		break;
	case 8:
		(void)iax2_send_control(z->ep, call, IAX2_CONTROL_KEY, z->now);
		break;
	default:
		(void)iax2_send_cng(z->ep, call, z->now);
		break;
	}
}

/* A frame of the peer in the call that stands: only what varies is given. */
static void in_call(struct fuzz *z, struct wire_rd *r)
{
	uint8_t buf[12 + 255] = { 0x80 | PEERS_OUT >> 8, PEERS_OUT & 0xff, 0,
				  OURS_OUT };
	size_t len;
	const uint8_t *body;

	for (size_t i = 6; i < 12; i++)
		buf[i] = wire_rd_u8(r);
	len = wire_rd_u8(r);
	if (len > wire_rd_left(r))
		len = wire_rd_left(r);
	body = wire_rd_bytes(r, len);
	if (body && len > 0)
		memcpy(buf + 12, body, len);
	feed(z, buf, 12 + len, 0);
}

static void operate(struct fuzz *z, struct wire_rd *r)
{
	const uint8_t op = wire_rd_u8(r);
	uint8_t arg;
	size_t len;

	switch (op % 5) {
	case 0:
		len = wire_rd_u8(r);
		if (len > wire_rd_left(r))
			len = wire_rd_left(r);
		feed(z, wire_rd_bytes(r, len), len, op >> 4);
		break;
	case 1:
		in_call(z, r);
		break;
	case 2:
		z->now += (mono_us)wire_rd_u16(r) * MONO_MS;
		iax2_endpoint_tick(z->ep, z->now);
		must(iax2_endpoint_deadline(z->ep) > z->now);
		break;
	case 3:
		arg = wire_rd_u8(r);
		command(z, op / 5, arg);
		break;
	default:
		drain(z);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz z = { .now = MONO_S };
	struct key_identity id;
	const uint8_t seed[KEY_SEED_LEN] = { 1 };
	const struct iax2_endpoint_cfg cfg = {
		.calls_max = CALLS,
		.tx_max = 64,
		.limits = { .calls_per_addr = 8,
			    .half_open = 8,
			    .half_open_per_addr = 4,
			    .calls_per_s = 1000,
			    .auth_failures_per_min = 1000 },
		.identity = &id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = zeros,
	};
	struct wire_rd r = wire_rd(data, size);

	must(sodium_init() >= 0);
	key_identity_from_seed(&id, seed);
	z.ep = iax2_endpoint_new(&cfg, z.now);
	must(z.ep != NULL);
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
