/* SPDX-License-Identifier: MIT */

/*
 * MOVE (OPEN-OVER.md section 4.8) in a call between two endpoints of ours,
 * whose frames are lost, held back, changed and sent from elsewhere, among
 * frames that a registrar could seal.  Wherever the call goes, the peer was
 * there; a stranger never gets more than it sent.
 */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/iax2_endpoint.h"
#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"
#include "proto/wire.h"

#define PLACES 4U /* of each end; the first bits of an address' last octet */
#define STRANGER 99U
#define KEPT 16U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct end {
	struct iax2_endpoint *ep;
	struct iax2_call_id call;
	uint8_t at; /* last octet of its address, as the other sees it */
	bool down;
};

struct kept {
	unsigned from;
	uint8_t data[DGRAM_MAX];
	size_t len;
};

struct fuzz {
	mono_us now;
	struct end end[2];
	struct kept kept[KEPT];
	size_t kept_n;
	size_t stranger_sent;
	size_t stranger_got;
};

static struct key_identity ids[2];
static const uint8_t ticket_key[KEY_SHARED_LEN] = { 4, 5, 6 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void zeros(void *ctx, uint8_t *buf, size_t len)
{
	static uint8_t n;

	(void)ctx;
	memset(buf, len >= 16 ? ++n : 0, len);
}

static struct net_addr place(uint8_t n)
{
	return net_addr_v4(198, 51, 100, n, 4569);
}

static uint8_t place_of(unsigned end, unsigned n)
{
	return (uint8_t)(10 * (end + 1) + n % PLACES);
}

static void drain_events(struct fuzz *z, unsigned i)
{
	struct iax2_event ev;

	while (iax2_endpoint_next_event(z->end[i].ep, &ev)) {
		if (ev.kind == IAX2_EV_CALL_IN) {
			z->end[i].call = ev.call;
			(void)iax2_accept(z->end[i].ep, ev.call, z->now);
		}
		z->end[i].down |= ev.kind == IAX2_EV_CALL_DOWN;
		if (ev.kind != IAX2_EV_CALL_MOVED)
			continue;
		/* Its peer was there, or was said to be by us. */
		must(ev.u.moved.to.peer.ip[15] / 10 == 2 - i);
	}
}

static void give(struct fuzz *z, unsigned to, uint8_t from, const uint8_t *data,
		 size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	const struct dgram d = { .path.peer = place(from),
				 .data = copy,
				 .len = len };

	if (!copy)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	if (from == STRANGER)
		z->stranger_sent += len;
	(void)iax2_endpoint_rx(z->end[to].ep, &d, z->now);
	free(copy);
	drain_events(z, to);
}

/* One frame of @i's on its way; false: it has none. */
static bool carry(struct fuzz *z, unsigned i, bool lost)
{
	struct kept *k = &z->kept[z->kept_n % KEPT];
	const struct end *to = &z->end[1 - i];
	struct dgram d;

	if (!iax2_endpoint_next_tx(z->end[i].ep, &d))
		return false;
	if (d.path.peer.ip[15] == STRANGER)
		z->stranger_got += d.len;
	k->from = i;
	k->len = d.len;
	memcpy(k->data, d.data, d.len);
	z->kept_n++;
	if (!lost && d.path.peer.ip[15] == to->at)
		give(z, 1 - i, z->end[i].at, k->data, k->len);
	return true;
}

static void settle(struct fuzz *z)
{
	for (unsigned n = 0; carry(z, 0, false) || carry(z, 1, false); n++)
		must(n < 10000);
}

static void stand_up(struct fuzz *z)
{
	struct iax2_ticket t = { .id = 9, .peer_number = "1" };
	const struct iax2_dial dial = { .path.peer = place(place_of(1, 0)),
					.called = "2",
					.calling = "1",
					.ticket = &t };
	struct iax2_endpoint_cfg cfg = {
		.calls_max = 4,
		.tx_max = 64,
		.limits = { 8, 8, 8, 1000, 1000 },
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = zeros,
	};
	const struct net_addr caller = place(place_of(0, 0));

	memcpy(t.key, ticket_key, sizeof(t.key));
	t.expires = MONO_NEVER;
	z->now = 100 * MONO_S;
	for (unsigned i = 0; i < 2; i++) {
		cfg.identity = &ids[i];
		z->end[i].ep = iax2_endpoint_new(&cfg, z->now);
		z->end[i].at = place_of(i, 0);
		must(z->end[i].ep != NULL);
	}
	memcpy(t.peer_key, ids[0].public_key, KEY_PUBLIC_LEN);
	must(iax2_expect(z->end[1].ep, &t, &caller, z->now) == IAX2_OK);
	memcpy(t.peer_key, ids[1].public_key, KEY_PUBLIC_LEN);
	must(iax2_dial(z->end[0].ep, &dial, z->now, &z->end[0].call) ==
	     IAX2_OK);
	settle(z);
}

/* A MOVE with any content under the call's own seal, as who knows the token can
 * make it: the last one kept, with another body. */
static void sealed(struct fuzz *z, uint8_t op, struct wire_rd *r)
{
	const struct key_part parts[] = {
		{ ids[0].public_key, KEY_PUBLIC_LEN },
		{ ids[1].public_key, KEY_PUBLIC_LEN },
	};
	const struct kept *k = &z->kept[(z->kept_n + KEPT - 1) % KEPT];
	const unsigned from = op >> 3 & 1;
	uint8_t key[KEY_SHARED_LEN], buf[256], v[64];
	struct wire_wr w = wire_wr(buf, sizeof(buf));
	struct wire_wr e = wire_wr(v, sizeof(v));
	uint64_t cookie = wire_rd_u8(r);

	if (k->len < IAX2_FULL_HDR_LEN || k->from != from)
		return;
	(void)iax2_ie_u64(k->data + IAX2_FULL_HDR_LEN,
			  k->len - IAX2_FULL_HDR_LEN, IAX2_IE_KH_PATH, &cookie);
	wire_wr_bytes(&w, k->data, IAX2_FULL_HDR_LEN);
	buf[10] = IAX2_FRAME_IAX;
	buf[11] = IAX2_IAX_MOVE;
	wire_wr_u64(&e, key_derive_u64(ticket_key, "keyhole move id", NULL, 0));
	wire_wr_u64(&e, op & 0x80 ? UINT64_MAX : wire_rd_u8(r));
	iax2_ie_put(&w, IAX2_IE_KH_MOVE, v, 16);
	iax2_ie_put_u8(&w, IAX2_IE_KH_STEP, wire_rd_u8(r) % 6);
	if (op & 0x40)
		iax2_ie_put_u64(&w, IAX2_IE_KH_PATH, cookie);
	memset(v, op, sizeof(v));
	if (op & 0x20)
		iax2_ie_put(&w, IAX2_IE_ED25519_RESULT, v, sizeof(v));
	key_derive(key, ticket_key,
		   from == 0 ? "keyhole move caller" : "keyhole move target",
		   parts, 2);
	seal_append(&w, buf, key);
	give(z, 1 - from, op & 0x10 ? STRANGER : z->end[from].at, buf,
	     (size_t)(w.p - buf));
}

/* What was sent before comes again: changed, or from elsewhere. */
static void again(struct fuzz *z, uint8_t op, struct wire_rd *r)
{
	struct kept k = z->kept[wire_rd_u8(r) % KEPT];
	const uint16_t bit = wire_rd_u16(r);

	if (k.len == 0)
		return;
	if (op & 0x10)
		k.data[bit / 8 % k.len] ^= (uint8_t)(1U << bit % 8);
	give(z, op & 0x20 ? k.from : 1 - k.from,
	     op & 0x40 ? STRANGER : place_of(k.from, op >> 3), k.data, k.len);
}

static void operate(struct fuzz *z, struct wire_rd *r)
{
	const uint8_t op = wire_rd_u8(r);
	struct end *e = &z->end[op >> 3 & 1];
	struct net_path path = { .peer = place(
					 place_of(!(op >> 3 & 1), op >> 4)) };

	switch (op % 8) {
	case 0:
		e->at = place_of(op >> 3 & 1, op >> 4);
		break;
	case 1:
		(void)iax2_move(e->ep, e->call, op & 0x80 ? NULL : &path,
				z->now);
		break;
	case 2:
		(void)carry(z, op >> 3 & 1, op & 0x80);
		break;
	case 3:
		settle(z);
		break;
	case 4:
		z->now += (mono_us)wire_rd_u8(r) * 10 * MONO_MS;
		for (unsigned i = 0; i < 2; i++) {
			iax2_endpoint_tick(z->end[i].ep, z->now);
			must(iax2_endpoint_deadline(z->end[i].ep) > z->now);
			drain_events(z, i);
		}
		break;
	case 5:
		(void)iax2_send_text(e->ep, e->call, "text", z->now);
		break;
	case 6:
		again(z, op, r);
		break;
	default:
		sealed(z, op, r);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz z;
	struct wire_rd r = wire_rd(data, size);

	must(sodium_init() >= 0);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };

		key_identity_from_seed(&ids[i], seed);
	}
	memset(&z, 0, sizeof(z));
	stand_up(&z);
	while (wire_rd_left(&r) > 0)
		operate(&z, &r);
	for (unsigned i = 0; i < 2; i++) {
		while (carry(&z, i, true))
			;
		iax2_endpoint_free(z.end[i].ep);
	}
	must(z.stranger_got <= z.stranger_sent);
	return 0;
}
