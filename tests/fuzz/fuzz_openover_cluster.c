/* SPDX-License-Identifier: MIT */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_cluster.h"
#include "proto/openover_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WALL_MS UINT64_C(1800000000000)

static const uint8_t secret[KEY_SHARED_LEN] = "shared";
static const uint8_t node_key[KEY_SHARED_LEN] = "between node and registrar";

/* As every directory has it, for each node. */
static const uint8_t public_key[KEY_PUBLIC_LEN] =
	"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";

enum step {
	RAW,
	HELLO,
	ASK,
	ANSWER,
	FOUND_RAW,
	FOUND,
	UNREACHED,
	LINK,
	REQUEST,
	OVER,
	STEPS
};

struct scene {
	struct oo_registrar *reg;
	struct net_addr node; /* 2001, which is with us */
	uint8_t random;
	mono_us now;
	uint64_t counter[4]; /* of other registrars */
	uint64_t node_counter;
	uint64_t ask; /* of the last look-up or message */
	uint64_t to;
	uint64_t open; /* the transaction of the last OPEN */
};

static void counting_random(void *ctx, uint8_t *buf, size_t len)
{
	uint8_t *n = ctx;

	for (size_t i = 0; i < len; i++)
		buf[i] = (*n)++;
}

static void make(struct scene *s)
{
	const uint8_t seed[KEY_SEED_LEN] = { 1 };
	const struct net_path path = { .peer = net_addr_v4(10, 0, 0, 1, 4569) };
	const struct oo_cluster_cfg join = { .name = "one",
					     .key = secret,
					     .wall_ms = WALL_MS };
	struct oo_session session = { .id = 1 };
	struct key_identity id;
	const struct oo_registrar_cfg cfg = { .identity = &id,
					      .nodes_max = 16,
					      .opens_max = 16,
					      .tx_max = 64,
					      .refresh_s = 300,
					      .registrations_per_min = 60,
					      .opens_per_min = 6000,
					      .auth_failures_per_min = 60,
					      .random = counting_random,
					      .random_ctx = &s->random };
	struct oo_directory *dir;
	struct oo_record *rec;

	key_identity_from_seed(&id, seed);
	s->now = MONO_S;
	s->node = path.peer;
	s->reg = oo_registrar_new(&cfg, s->now);
	if (!s->reg || oo_cluster_join(s->reg, &join, s->now) != IAX2_OK ||
	    oo_registrar_node_put(s->reg, "2001", public_key) ||
	    oo_registrar_node_put(s->reg, "2002", public_key))
		abort();
	dir = oo_registrar_directory(s->reg);
	rec = oo_directory_by_number(dir, "2001");
	memcpy(session.tx_key, node_key, sizeof(node_key));
	memcpy(session.rx_key, node_key, sizeof(node_key));
	oo_directory_begin(dir, rec, &session);
	oo_directory_move(dir, rec, &path, s->now);
	oo_cluster_link(s->reg, true, s->now);
}

/* What a fuzzer cannot make: the box. */
static void message(struct scene *s, enum oo_cluster_kind kind,
		    const uint8_t *body, size_t len)
{
	const uint64_t from = len > 0 ? body[0] % 4U : 0;
	const struct oo_cluster_msg m = {
		.kind = kind,
		.from = from + 100,
		.to = kind == OO_CLUSTER_HELLO ? 0
					       : oo_cluster_instance(s->reg),
		.counter = ++s->counter[from],
		.at_ms = WALL_MS + (s->now - MONO_S) / MONO_MS,
		.body = len > 0 ? body + 1 : body,
		.len = len > 0 ? len - 1 : 0,
	};
	const uint8_t nonce[KEY_BOX_NONCE_LEN] = { 0 };
	uint8_t out[OO_CLUSTER_MSG_MAX];
	struct oo_cluster_keys keys;
	size_t n;

	oo_cluster_keys_from(&keys, secret);
	n = oo_cluster_msg_seal(&m, &keys, nonce, out);
	oo_cluster_rx(s->reg, out, n, s->now);
}

/* Elements, made a frame; nor can it know the transaction of an answer. */
static void framed(struct scene *s, enum oo_cluster_kind kind,
		   const uint8_t *data, size_t len)
{
	static const struct iax2_full hdr = { .src_callno = 1 };
	const bool ask = kind == OO_CLUSTER_ASK;
	uint8_t body[1 + OO_FRAME_MAX] = { len > 0 ? data[0] : 0 };
	struct wire_wr w =
		oo_frame_begin(body + 1, ask ? OO_OPEN : OO_OVER, &hdr);

	if (!ask)
		iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, s->ask);
	if (len > 0)
		wire_wr_bytes(&w, data + 1, len - 1);
	message(s, kind, body, (size_t)(w.p - body));
}

static void found(struct scene *s, const uint8_t *data, size_t len, bool good)
{
	const struct oo_record *rec =
		oo_directory_by_number(oo_registrar_directory(s->reg), "2002");
	const uint8_t nonce[KEY_BOX_NONCE_LEN] = { 0 };
	struct oo_cluster_presence p = {
		.at = 100 + (len > 0 ? data[0] % 4 : 0), .heard_ms = WALL_MS
	};
	uint8_t out[OO_CLUSTER_PRESENCE_LEN];
	struct oo_cluster_value v = { data, len };
	struct oo_cluster_keys keys;

	oo_cluster_keys_from(&keys, secret);
	memcpy(p.key, rec->key, sizeof(p.key));
	oo_cluster_presence_seal(&p, "2002", &keys, nonce, out);
	if (good)
		v = (struct oo_cluster_value){ out, sizeof(out) };
	oo_cluster_found(s->reg, s->ask, &v, 1, s->now);
}

/* A frame of the node's session. */
static void frame(struct scene *s, uint8_t subclass, const uint8_t *data,
		  size_t len)
{
	static const struct iax2_full hdr = { .src_callno = 1 };
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr w = oo_frame_begin(buf, subclass, &hdr);
	struct dgram d = { .path.peer = s->node, .data = buf };

	wire_wr_u8(&w, IAX2_IE_KH_SESSION);
	wire_wr_u8(&w, 16);
	wire_wr_u64(&w, 1);
	wire_wr_u64(&w, ++s->node_counter);
	if (subclass == OO_OPEN_REQUEST) {
		iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION,
				len > 0 ? data[0] : 0);
		iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, "2002");
	} else {
		iax2_ie_put_u64(&w, IAX2_IE_KH_TRANSACTION, s->open);
		iax2_ie_put_u8(&w, IAX2_IE_KH_VERDICT, len > 0 ? data[0] : 0);
	}
	seal_append(&w, buf, node_key);
	d.len = (size_t)(w.p - buf);
	(void)oo_registrar_rx(s->reg, &d, s->now);
}

static void take(struct scene *s, enum step step, const uint8_t *data,
		 size_t len)
{
	switch (step) {
	case RAW:
		oo_cluster_rx(s->reg, data, len, s->now);
		break;
	case HELLO:
		message(s, OO_CLUSTER_HELLO, data, len);
		break;
	case ASK:
		framed(s, OO_CLUSTER_ASK, data, len);
		break;
	case ANSWER:
		framed(s, OO_CLUSTER_ANSWER, data, len);
		break;
	case FOUND_RAW:
	case FOUND:
		found(s, data, len, step == FOUND);
		break;
	case UNREACHED:
		oo_cluster_unreached(s->reg, s->ask, s->to, s->now);
		break;
	case LINK:
		oo_cluster_link(s->reg, len > 0, s->now);
		break;
	case REQUEST:
		frame(s, OO_OPEN_REQUEST, data, len);
		break;
	case OVER:
		frame(s, OO_OVER, data, len);
		break;
	case STEPS:
		break;
	}
}

/* Whatever others say, frames go to the node's proved address alone. */
static void drain(struct scene *s)
{
	struct oo_cluster_out out;
	struct oo_cluster_note note;
	struct dgram d;
	struct oo_msg m;

	while (oo_registrar_next_tx(s->reg, &d)) {
		if (!net_addr_equal(&d.path.peer, &s->node) ||
		    oo_msg_decode(d.data, d.len, &m) != IAX2_OK)
			abort();
		if (m.hdr.subclass == OO_OPEN)
			s->open = m.transaction;
	}
	while (oo_cluster_next(s->reg, &out)) {
		if (out.len > OO_CLUSTER_MSG_MAX)
			abort();
		if (out.ask != 0)
			s->ask = out.ask;
		s->to = out.to;
	}
	while (oo_cluster_next_note(s->reg, &note, s->now)) {
		if (strcmp(note.number, "2001") != 0)
			abort();
	}
}

/* {time step, what, length, octets} again and again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_rd r = wire_rd(data, size);
	struct scene s = { 0 };

	if (sodium_init() < 0)
		abort();
	make(&s);
	while (wire_rd_left(&r) >= 4) {
		const mono_us step = wire_rd_u16(&r);
		const enum step what = wire_rd_u8(&r) % STEPS;
		const size_t len = wire_rd_u8(&r), have = wire_rd_left(&r);
		const size_t n = len < have ? len : have;
		const uint8_t *in = wire_rd_bytes(&r, n);

		s.now += step * MONO_MS;
		oo_registrar_tick(s.reg, s.now);
		take(&s, what, in, n);
		drain(&s);
	}
	(void)oo_registrar_free(s.reg);
	return 0;
}
