/* SPDX-License-Identifier: MIT */

/*
 * Two nodes and a registrar on a wire that the input rules: it delivers,
 * drops, repeats, changes and cuts what they send, adds frames of its own,
 * gives commands and lets time pass.  So changed frames are those of real
 * conversations, with keys that the fuzzer cannot make.
 */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/openover_node.h"
#include "proto/openover_registrar.h"
#include "proto/wire.h"

#define NODES 2
#define REGISTRAR NODES
#define PARTIES (NODES + 1)
#define WIRE 64U /* datagrams under way; more are lost */
#define SOCKETS 16U
#define STEPS_MAX 10000
#define LAST_US (60 * MONO_S)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct flying {
	unsigned from;
	uint16_t sock;
	struct net_addr to;
	uint8_t ttl;
	size_t len;
	uint8_t data[DGRAM_MAX];
};

struct fuzz {
	struct flying wire[WIRE];
	struct oo_node *node[NODES];
	struct oo_registrar *registrar;
	mono_us now;
	uint64_t random;
	size_t head;
	size_t n;
	struct oo_id dial[NODES];
	struct oo_id open[NODES];
	bool refuses; /* else calls are accepted at once */
};

static struct key_identity id[PARTIES];

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void counting(void *ctx, uint8_t *buf, size_t len)
{
	uint64_t *n = ctx;

	for (size_t i = 0; i < len; i++) {
		*n = *n * UINT64_C(6364136223846793005) + 1;
		buf[i] = (uint8_t)(*n >> 56);
	}
}

static struct net_addr address(unsigned party)
{
	struct net_addr a = net_addr_v4(192, 0, 2, (uint8_t)party, 4569);

	/* The last party of all is a stranger with IPv6. */
	if (party > PARTIES)
		a.ip[0] = 0x20;
	return a;
}

/* --- the wire ----------------------------------------------------------- */

static void launch(struct fuzz *z, unsigned from, const struct dgram *d)
{
	struct flying *f = &z->wire[(z->head + z->n) % WIRE];

	must(d->len <= DGRAM_MAX);
	if (z->n == WIRE)
		return;
	f->from = from;
	f->sock = d->path.sock;
	f->to = d->path.peer;
	f->ttl = d->ttl;
	f->len = d->len;
	memcpy(f->data, d->data, d->len);
	z->n++;
}

static void give_sockets(struct fuzz *z, unsigned i)
{
	struct oo_measure_sockets s = {
		.of[OO_V4] = { .first = 1, .n = OO_MEASURE_FLOWS },
	};

	for (uint16_t k = 0; k < OO_MEASURE_FLOWS; k++)
		s.of[OO_V4].port[k] = (uint16_t)(4570 + k);
	oo_node_measure_sockets(z->node[i], &s, z->now);
}

static void told(struct fuzz *z, unsigned i, const struct oo_event *ev)
{
	if (ev->kind == OO_EV_OPEN_IN) {
		z->open[i] = ev->id;
		if (!z->refuses)
			(void)oo_node_answer(z->node[i], ev->id, true, z->now);
	}
	if (ev->kind == OO_EV_MEASURE)
		give_sockets(z, i);
	if (ev->kind == OO_EV_SOCKETS)
		oo_node_sockets(z->node[i], ev->id, 1,
				(uint16_t)ev->u.sockets.count, z->now);
	if (ev->kind == OO_EV_FAILED)
		must(memchr(ev->u.failed.tried, 0,
			    sizeof(ev->u.failed.tried)) != NULL);
}

static void drain(struct fuzz *z)
{
	struct oo_registrar_event rev;
	struct oo_event ev;
	struct dgram d;

	for (unsigned i = 0; i < NODES; i++) {
		while (oo_node_next_event(z->node[i], &ev))
			told(z, i, &ev);
		for (unsigned n = 0; oo_node_next_tx(z->node[i], &d); n++) {
			must(n < STEPS_MAX);
			launch(z, i, &d);
		}
	}
	while (oo_registrar_next_event(z->registrar, &rev))
		;
	while (oo_registrar_next_tx(z->registrar, &d))
		launch(z, REGISTRAR, &d);
}

static void deliver(struct fuzz *z, unsigned from, const struct net_addr *to,
		    const struct flying *f)
{
	/* Exact size, so that an over-read is seen. */
	uint8_t *copy = malloc(f->len ? f->len : 1);
	struct dgram d = {
		.path.peer = address(from),
		.ttl = f->ttl ? f->ttl : 64,
		.data = copy,
		.len = f->len,
	};

	must(copy != NULL);
	d.path.peer.port = (uint16_t)(d.path.peer.port + f->sock);
	d.path.sock = (uint16_t)(to->port - 4569);
	if (f->len > 0)
		memcpy(copy, f->data, f->len);
	for (unsigned i = 0; i < PARTIES; i++) {
		const struct net_addr a = address(i);

		if (!net_addr_same_ip(&a, to) || d.path.sock > SOCKETS)
			continue;
		if (i == REGISTRAR)
			(void)oo_registrar_rx(z->registrar, &d, z->now);
		else
			(void)oo_node_rx(z->node[i], &d, z->now);
	}
	free(copy);
	drain(z);
}

/* The oldest one; false when there is none. */
static bool take(struct fuzz *z, struct flying *out)
{
	if (z->n == 0)
		return false;
	out->from = z->wire[z->head].from;
	out->sock = z->wire[z->head].sock;
	out->to = z->wire[z->head].to;
	out->ttl = z->wire[z->head].ttl;
	out->len = z->wire[z->head].len;
	memcpy(out->data, z->wire[z->head].data, out->len);
	z->head = (z->head + 1) % WIRE;
	z->n--;
	return true;
}

static void settle(struct fuzz *z)
{
	static struct flying f;

	for (unsigned n = 0; take(z, &f); n++) {
		must(n < STEPS_MAX);
		deliver(z, f.from, &f.to, &f);
	}
}

/* --- operations --------------------------------------------------------- */

static void pass(struct fuzz *z, mono_us d)
{
	z->now += d;
	oo_registrar_tick(z->registrar, z->now);
	must(oo_registrar_deadline(z->registrar) > z->now);
	for (unsigned i = 0; i < NODES; i++) {
		oo_node_tick(z->node[i], z->now);
		must(oo_node_deadline(z->node[i]) > z->now);
	}
	drain(z);
}

/* When somebody has something to do, within @most from now. */
static mono_us next_due(const struct fuzz *z, mono_us most)
{
	mono_us due = oo_registrar_deadline(z->registrar);

	for (unsigned i = 0; i < NODES; i++)
		due = mono_min(due, oo_node_deadline(z->node[i]));
	return mono_min(due, z->now + most);
}

/* Change one octet, or cut, or send from or to somebody else. */
static void spoil(struct fuzz *z, struct wire_rd *r, uint8_t how)
{
	const uint16_t at = wire_rd_u16(r);
	struct net_addr to;
	struct flying f;

	if (!take(z, &f))
		return;
	to = f.to;
	switch (how % 4) {
	case 0:
		if (f.len > 0)
			f.data[(at >> 8) % f.len] ^= (uint8_t)at;
		break;
	case 1:
		f.len = at % (f.len + 1);
		break;
	case 2:
		f.from = at % (PARTIES + 2);
		break;
	default:
		to = address(at % PARTIES);
		break;
	}
	deliver(z, f.from, &to, &f);
}

static void raw(struct fuzz *z, struct wire_rd *r, uint8_t how)
{
	const struct net_addr to = address(how % PARTIES);
	struct flying f = { .ttl = 64 };
	const uint8_t *octets;

	f.len = wire_rd_u8(r);
	if (f.len > wire_rd_left(r))
		f.len = wire_rd_left(r);
	octets = wire_rd_bytes(r, f.len);
	if (octets && f.len > 0)
		memcpy(f.data, octets, f.len);
	deliver(z, how / PARTIES % (PARTIES + 2), &to, &f);
}

static void command(struct fuzz *z, uint8_t op, uint8_t arg)
{
	static const char *const number[] = { "2001", "2002", "2999", "x" };
	const unsigned i = arg % NODES;
	const struct net_addr a = address(arg / NODES % (PARTIES + 2));
	struct oo_node *n = z->node[i];

	switch (op % 8) {
	case 0:
		(void)oo_node_dial(n, number[arg / NODES % 4], NULL, z->now,
				   &z->dial[i]);
		break;
	case 1:
		(void)oo_node_dial(n, NULL, &a, z->now, &z->dial[i]);
		break;
	case 2:
		(void)oo_node_cancel(n, z->dial[i]);
		break;
	case 3:
		(void)oo_node_answer(n, z->open[i], arg & 2, z->now);
		break;
	case 4:
		oo_node_network_changed(n, z->now);
		oo_node_mapped(n, &a, &a, z->now);
		break;
	case 5:
		oo_node_registrar_addresses(n, 0, &a, 1, z->now);
		break;
	case 6:
		if (arg == 0xff)
			oo_node_release(n, z->now);
		z->refuses = arg & 1;
		break;
	default:
		(void)oo_node_measure(n, z->now);
		oo_node_own_addresses(n, &a, 1);
		(void)oo_registrar_node_put(z->registrar, number[arg % 2],
					    id[arg / 2 % PARTIES].public_key);
		break;
	}
	drain(z);
}

static void operate(struct fuzz *z, struct wire_rd *r)
{
	const uint8_t op = wire_rd_u8(r);
	struct flying f;

	switch (op % 8) {
	case 0:
		settle(z);
		break;
	case 1:
		if (take(z, &f))
			deliver(z, f.from, &f.to, &f);
		break;
	case 2:
		(void)take(z, &f);
		break;
	case 3: /* now, and once more later */
		if (take(z, &f)) {
			deliver(z, f.from, &f.to, &f);
			launch(z, f.from,
			       &(struct dgram){ .path.peer = f.to,
						.path.sock = f.sock,
						.ttl = f.ttl,
						.data = f.data,
						.len = f.len });
		}
		break;
	case 4:
		spoil(z, r, op / 8);
		break;
	case 5:
		raw(z, r, op / 8);
		break;
	case 6:
		pass(z, (mono_us)wire_rd_u16(r) * MONO_MS);
		break;
	default:
		command(z, op / 8, wire_rd_u8(r));
		break;
	}
}

/* --- the parties -------------------------------------------------------- */

static void start(struct fuzz *z)
{
	static const struct oo_measure_ends ends = { .told = { .port = 4570 },
						     .port = { 1, 1 } };
	static const char *const number[NODES] = { "2001", "2002" };
	const struct oo_registrar_cfg rc = {
		.identity = &id[REGISTRAR],
		.nodes_max = 16,
		.opens_max = 16,
		.tx_max = 64,
		.refresh_s = 300,
		.registrations_per_min = 600,
		.opens_per_min = 60,
		.auth_failures_per_min = 60,
		.random = counting,
		.random_ctx = &z->random,
	};
	const struct net_addr at = address(REGISTRAR);

	z->registrar = oo_registrar_new(&rc, z->now);
	if (z->registrar)
		oo_registrar_measure(z->registrar, &ends);
	must(z->registrar != NULL);
	for (unsigned i = 0; i < NODES; i++) {
		const struct oo_node_cfg nc = {
			.identity = &id[i],
			.number = number[i],
			.port = 4569,
			.keepalive = 15 * MONO_S,
			.tx_max = 64,
			.spray_packets = 16,
			.spray_sockets = 4,
			.random = counting,
			.random_ctx = &z->random,
		};
		size_t index;

		must(oo_registrar_node_put(z->registrar, number[i],
					   id[i].public_key) == IAX2_OK);
		z->node[i] = oo_node_new(&nc, z->now);
		must(z->node[i] != NULL);
		must(oo_node_add_registrar(z->node[i], id[REGISTRAR].public_key,
					   z->now, &index) == IAX2_OK);
		oo_node_registrar_addresses(z->node[i], index, &at, 1, z->now);
	}
	drain(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz z;
	struct wire_rd r = wire_rd(data, size);

	must(sodium_init() >= 0);
	for (unsigned i = 0; i < PARTIES && id[i].secret_key[0] == 0; i++) {
		const uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };

		key_identity_from_seed(&id[i], seed);
	}
	/* Not the wire: what is there is what was put there. */
	memset((uint8_t *)&z + sizeof(z.wire), 0, sizeof(z) - sizeof(z.wire));
	z.now = MONO_S;
	start(&z);
	while (wire_rd_left(&r) > 0)
		operate(&z, &r);
	/* Whatever happened, dials and transactions end. */
	for (const mono_us end = z.now + LAST_US; z.now < end;) {
		settle(&z);
		pass(&z, next_due(&z, end - z.now) - z.now);
	}
	must(oo_registrar_opens(z.registrar) == 0);
	for (unsigned i = 0; i < NODES; i++) {
		must(oo_node_cancel(z.node[i], z.dial[i]) == IAX2_E_STALE);
		oo_node_free(z.node[i]);
	}
	oo_registrar_free(z.registrar);
	return 0;
}
