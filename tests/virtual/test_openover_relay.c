/* SPDX-License-Identifier: MIT */

/* The relay: who may have an address there, and what passes through it
 * (OPEN-OVER.md section 4.9). */

#include <stdio.h>
#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_registrar_relay.h"
#include "proto/openover_relay_frame.h"
#include "tests/t.h"
#include "tests/virtual/oo_world.h"

#define PORT_FIRST 20000
#define NODE_CALL 77U

static struct world w;
static struct oo_session session; /* the node's end of 2001's */
static struct oo_relay_alloc *alloc;

static const struct net_addr caller = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7 }, 4569
};
static const struct net_addr other = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 8 }, 4569
};

static struct oo_record *record(void)
{
	return oo_directory_by_number(oo_registrar_directory(w.registrar),
				      "2001");
}

static struct oo_relay *relay(void)
{
	return oo_registrar_relay(w.registrar);
}

static uint64_t fate(enum oo_relay_fate f)
{
	return oo_relay_counters(relay())->fate[f];
}

/* --- what both ends send ------------------------------------------------ */

struct frame {
	uint8_t data[DGRAM_MAX];
	size_t len;
};

/* A full frame of type IAX, padded to @len. */
static struct frame full(uint8_t subclass, unsigned src, unsigned dst,
			 size_t len)
{
	const struct iax2_full f = { .src_callno = (uint16_t)src,
				     .dst_callno = (uint16_t)dst,
				     .type = IAX2_FRAME_IAX,
				     .subclass = subclass };
	struct frame out = { .len = 0 };
	struct wire_wr wr = wire_wr(out.data, sizeof(out.data));

	T_EQ(IAX2_OK,
	     iax2_full_encode(&f, out.data, sizeof(out.data), &out.len));
	wr.p += out.len;
	while (out.len < len) {
		static const uint8_t zeros[255] = { 0 };
		size_t n = len - out.len - 2;

		T_TRUE(len - out.len >= 2);
		n = n > 255 ? 200 : n;
		iax2_ie_put(&wr, IAX2_IE_KH_PAD, zeros, n);
		out.len = (size_t)(wr.p - out.data);
	}
	T_TRUE(!wr.bad);
	return out;
}

static struct frame mini(void)
{
	return (struct frame){ .data = { 0x00, 0x09, 0, 20, 1, 2, 3, 4 },
			       .len = 8 };
}

/* As the node would, sealed. */
static enum iax2_err node_sends(const uint8_t *frame, size_t len)
{
	return world_inject(&w, REGISTRAR, &w.addr[0], frame, len);
}

static enum iax2_err out(const struct net_addr *to, const struct frame *f)
{
	uint8_t buf[DGRAM_MAX];
	const size_t n =
		oo_relay_frame_wrap(&session, to, f->data, f->len, buf);

	T_TRUE(n > 0);
	return node_sends(buf, n);
}

static enum iax2_err out_full(const struct net_addr *to, uint8_t subclass,
			      unsigned dst, size_t len)
{
	const struct frame f = full(subclass, NODE_CALL, dst, len);

	return out(to, &f);
}

static enum iax2_err ask(unsigned lifetime_s)
{
	const struct iax2_full hdr = { .src_callno = IAX2_CALLNO_OUTSIDE };
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr wr = oo_frame_begin(buf, OO_RELAY, &hdr);

	oo_session_put(&session, &wr);
	iax2_ie_put_u16(&wr, IAX2_IE_KH_LIFETIME, (uint16_t)lifetime_s);
	seal_append(&wr, buf, session.tx_key);
	return node_sends(buf, (size_t)(wr.p - buf));
}

/* Something arrives at the relay's port: does the node get it? */
static bool in(const struct net_addr *from, const struct frame *f)
{
	const struct oo_relay_counters *n = oo_relay_counters(relay());
	const uint64_t before = n->rx;
	const struct dgram d = {
		.path = { .peer = *from,
			  .sock = (uint16_t)(alloc->port - PORT_FIRST) },
		.data = f->data,
		.len = f->len,
	};
	struct dgram got;

	oo_registrar_relay_rx(w.registrar, &d, w.now);
	while (oo_registrar_next_tx(w.registrar, &got)) {
		struct oo_relay_frame r;
		struct oo_msg m;

		T_TRUE(net_addr_equal(&w.addr[0], &got.path.peer));
		T_EQ(IAX2_OK, oo_msg_decode(got.data, got.len, &m));
		T_EQ(OO_RELAY, m.hdr.subclass);
		T_TRUE(oo_session_check(&session, got.data, got.len,
					m.counter));
		T_TRUE(oo_relay_frame_read(m.hdr.body, m.hdr.body_len, &r));
		T_TRUE(net_addr_equal(from, &r.peer));
		T_EQ(f->len, r.len);
		T_EQ(0, memcmp(f->data, r.data, r.len));
	}
	return n->rx == before + 1;
}

static bool in_full(const struct net_addr *from, uint8_t subclass, unsigned dst,
		    size_t len)
{
	const struct frame f = full(subclass, 9, dst, len);

	return in(from, &f);
}

/* What left from the relay's ports since: datagrams. */
static size_t left(void)
{
	struct dgram d;
	size_t n = 0;

	while (oo_registrar_relay_next_tx(w.registrar, &d)) {
		T_EQ(alloc->port - PORT_FIRST, d.path.sock);
		n++;
	}
	return n;
}

/* --- scenes ------------------------------------------------------------- */

static void open_sockets(uint8_t families)
{
	struct oo_relay_socket s;

	while (oo_registrar_next_socket(w.registrar, &s)) {
		if (s.open)
			oo_registrar_socket_opened(w.registrar, s.slot,
						   families, w.now);
	}
}

/* Three nodes are up; 2001 has an address unless @without. */
static void begin_with(bool without)
{
	world_init_relay(&w);
	world_up(&w);
	session = oo_node_registrar(w.node[0], 0)->session;
	alloc = NULL;
	if (without)
		return;
	T_EQ(IAX2_OK, ask(300));
	open_sockets(3);
	world_settle(&w);
	alloc = oo_relay_of_node(
		relay(),
		(uint32_t)oo_directory_index(
			oo_registrar_directory(w.registrar), record()));
	T_TRUE(alloc != NULL);
}

static void begin(void)
{
	begin_with(false);
}

/* A caller who has answered to the node's call number. */
static void prove(const struct net_addr *who)
{
	T_TRUE(in_full(who, IAX2_IAX_NEW, 0, 100));
	T_EQ(IAX2_OK, out_full(who, IAX2_IAX_ACCEPT, 9, 40));
	T_TRUE(in_full(who, IAX2_IAX_ACK, NODE_CALL, 12));
}

static void a_node_gets_an_address_of_each_family_and_keeps_it(void)
{
	const struct world_frame *f;
	struct oo_msg m;
	uint16_t port;

	begin();
	f = world_find(&w, REGISTRAR, 0, OO_RELAY);
	T_EQ(IAX2_OK, oo_msg_decode(f->data, f->len, &m));
	T_EQ(2, m.relays.n);
	T_EQ(0, m.candidates.n);
	T_EQ(alloc->port, m.relays.addr[0].port);
	T_EQ(alloc->port, m.relays.addr[1].port);
	T_TRUE(net_addr_is_v4(&m.relays.addr[0]));
	T_TRUE(!net_addr_is_v4(&m.relays.addr[1]));
	port = alloc->port;
	/* Given back and asked for again: the same one. */
	T_EQ(IAX2_OK, ask(0));
	T_EQ(0, oo_relay_allocations(relay()));
	T_EQ(IAX2_OK, ask(300));
	open_sockets(3);
	T_EQ(port, alloc->port);
	T_TRUE(alloc->used);
	world_done(&w);
}

static void an_address_ends_with_its_life_unless_it_is_asked_for(void)
{
	begin();
	world_run(&w, 200 * MONO_S);
	session = oo_node_registrar(w.node[0], 0)->session;
	T_EQ(IAX2_OK, ask(300));
	world_run(&w, 200 * MONO_S);
	T_EQ(1, oo_relay_allocations(relay()));
	world_run(&w, 102 * MONO_S);
	T_EQ(0, oo_relay_allocations(relay()));
	world_done(&w);
}

static void without_a_relay_the_answer_is_no(void)
{
	const struct world_frame *f;

	world_init(&w);
	world_up(&w);
	session = oo_node_registrar(w.node[0], 0)->session;
	T_EQ(IAX2_E_FULL, ask(300));
	world_settle(&w);
	f = world_find(&w, REGISTRAR, 0, OO_RELAY);
	T_TRUE(f->len <= 12 + 18 + 4 + 18);
	T_TRUE(relay() == NULL);
	world_done(&w);
}

static void a_port_in_use_is_answered_no_and_another_one_tried(void)
{
	uint16_t first;

	begin_with(true);
	T_EQ(IAX2_OK, ask(300));
	open_sockets(0);
	T_EQ(0, oo_relay_allocations(relay()));
	T_EQ(IAX2_OK, ask(300));
	open_sockets(1);
	T_EQ(1, oo_relay_allocations(relay()));
	alloc = oo_relay_of_node(
		relay(),
		(uint32_t)oo_directory_index(
			oo_registrar_directory(w.registrar), record()));
	first = alloc->port;
	T_EQ(1, alloc->families);
	T_EQ(0, oo_relay_address(relay(), alloc, OO_V6).port);
	T_EQ(first, oo_relay_address(relay(), alloc, OO_V4).port);
	world_done(&w);
}

static void a_plain_caller_talks_both_ways(void)
{
	const struct frame voice = mini();

	begin();
	/* Voice of a stranger is not carried. */
	T_TRUE(!in(&caller, &voice));
	prove(&caller);
	for (int i = 0; i < 100; i++) {
		w.now += 20 * MONO_MS;
		T_TRUE(in(&caller, &voice));
		T_EQ(IAX2_OK, out(&caller, &voice));
	}
	T_EQ(101, left());
	T_EQ(1, oo_relay_peers(relay(), w.now));
	world_done(&w);
}

static void a_punch_proves_its_peer(void)
{
	const struct frame voice = mini();
	struct frame poke = full(IAX2_IAX_POKE, 1, 0, 12);
	struct frame pong = full(IAX2_IAX_PONG, 1, 1, 12);
	struct wire_wr wr = wire_wr(poke.data + 12, 100);

	begin();
	iax2_ie_put_u64(&wr, IAX2_IE_KH_PUNCH, 4711);
	memcpy(pong.data + 12, poke.data + 12, 10);
	poke.len = 22;
	pong.len = 22;
	T_TRUE(in(&caller, &poke));
	/* Nothing was said to it, so it can prove nothing. */
	T_TRUE(in(&caller, &pong));
	T_TRUE(!in(&caller, &voice));
	T_EQ(IAX2_OK, out(&caller, &poke));
	pong.data[21] ^= 1;
	T_TRUE(in(&caller, &pong));
	T_TRUE(!in(&caller, &voice));
	pong.data[21] ^= 1;
	T_TRUE(in(&caller, &pong));
	T_TRUE(in(&caller, &voice));
	world_done(&w);
}

static void strangers_may_begin_a_call_and_nothing_else(void)
{
	static const uint8_t begins[] = { IAX2_IAX_NEW, IAX2_IAX_POKE };
	static const uint8_t noise[3][16] = { { 0 },
					      { 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0,
						6, 1, 1, 200 },
					      "OPTIONS sip:a" };

	begin();
	for (unsigned sub = 0; sub < 128; sub++) {
		const struct net_addr from =
			net_addr_v4(192, 0, 2, (uint8_t)(sub + 1), 4569);
		const bool may = memchr(begins, (int)sub, 2) != NULL;

		w.now += MONO_S;
		T_EQ(may, in_full(&from, (uint8_t)sub, 0, 20));
		/* Nor does a made-up call number help. */
		if (!may)
			T_TRUE(!in_full(&from, (uint8_t)sub, NODE_CALL, 20));
	}
	for (size_t i = 0; i < 3; i++) {
		struct frame f = { .len = 16 };

		memcpy(f.data, noise[i], 16);
		T_TRUE(!in(&other, &f));
	}
	/* Nor what is longer than any beginning. */
	T_TRUE(!in_full(&other, IAX2_IAX_NEW, 0, 600));
	world_done(&w);
}

static void a_flood_of_strangers_is_thinned_and_disturbs_no_call(void)
{
	const struct frame voice = mini();
	unsigned passed = 0;

	begin();
	prove(&caller);
	for (unsigned i = 0; i < 10000; i++) {
		const struct net_addr from =
			net_addr_v4(193, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
				    (uint8_t)i, 4569);

		w.now += MONO_MS;
		passed += in_full(&from, IAX2_IAX_NEW, 0, 100);
		if (i % 20 == 0)
			T_TRUE(in(&caller, &voice));
	}
	T_TRUE(passed >= 1 && passed <= 10 * 20 + 40);
	T_TRUE(fate(OO_RELAY_STRANGERS) > 9000);
	T_TRUE(oo_relay_peers(relay(), w.now) <= 8);
	world_done(&w);
}

/* As large as they may be, they alone would be more than the node's bit rate.
 */
static void large_frames_of_strangers_do_not_drown_a_call(void)
{
	struct frame voice = mini();
	unsigned passed = 0;

	begin();
	prove(&caller);
	voice.len = 4 + 33;
	for (unsigned i = 0; i < 30000; i++) {
		w.now += MONO_MS;
		if (i % 20 == 0)
			T_TRUE(in(&caller, &voice));
		passed += in_full(&other, IAX2_IAX_NEW, 0, 512);
	}
	T_TRUE(passed >= 100);
	T_TRUE(fate(OO_RELAY_RATE) > 0);
	world_done(&w);
}

static void no_more_goes_to_an_unproved_address_than_it_sent(void)
{
	begin();
	T_TRUE(in_full(&caller, IAX2_IAX_NEW, 0, 100));
	T_EQ(IAX2_E_LIMITED, out_full(&caller, IAX2_IAX_CALLTOKEN, 9, 102));
	T_EQ(IAX2_OK, out_full(&caller, IAX2_IAX_CALLTOKEN, 9, 60));
	T_EQ(IAX2_E_LIMITED, out_full(&caller, IAX2_IAX_CALLTOKEN, 9, 60));
	T_EQ(IAX2_OK, out_full(&caller, IAX2_IAX_CALLTOKEN, 9, 40));
	T_EQ(2, left());
	T_EQ(2, fate(OO_RELAY_LONGER));
	world_done(&w);
}

static void the_node_speaks_to_nobody_who_did_not_ask(void)
{
	const struct frame voice = mini();

	begin();
	T_EQ(IAX2_E_LIMITED, out(&caller, &voice));
	T_EQ(IAX2_E_LIMITED, out_full(&caller, IAX2_IAX_ACCEPT, 9, 40));
	T_EQ(IAX2_E_LIMITED, out_full(&caller, IAX2_IAX_NEW, 9, 40));
	T_EQ(3, fate(OO_RELAY_UNASKED));
	prove(&caller);
	T_EQ(IAX2_OK, out(&caller, &voice));
	(void)left();
	/* Nor to one that asked, but on another port. */
	T_EQ(IAX2_E_LIMITED, out(&other, &voice));
	/* Nor to one that fell silent. */
	w.now += 61 * MONO_S;
	T_EQ(IAX2_E_LIMITED, out(&caller, &voice));
	T_TRUE(!in(&caller, &voice));
	T_EQ(0, left());
	world_done(&w);
}

static void own_calls_leave_but_neither_scan_nor_flood(void)
{
	const struct frame voice = mini();
	unsigned passed = 0;

	begin();
	for (unsigned i = 0; i < 20; i++)
		passed += out_full(&caller, IAX2_IAX_NEW, 0, 80) == IAX2_OK;
	T_EQ(5, passed);
	T_EQ(IAX2_E_LIMITED, out(&caller, &voice));
	/* The answer names our call, and then there is talk. */
	T_TRUE(in_full(&caller, IAX2_IAX_ACCEPT, NODE_CALL, 40));
	T_EQ(IAX2_OK, out(&caller, &voice));
	T_TRUE(in(&caller, &voice));
	/* A thousand addresses in ten seconds. */
	passed = 0;
	for (unsigned i = 0; i < 1000; i++) {
		const struct net_addr to = net_addr_v4(
			193, 0, (uint8_t)(i >> 8), (uint8_t)i, 4569);

		w.now += 10 * MONO_MS;
		passed += out_full(&to, IAX2_IAX_POKE, 0, 12) == IAX2_OK;
	}
	T_TRUE(passed >= 5 && passed <= 13);
	/* No service of other programs is called. */
	w.now += 10 * MONO_S;
	T_EQ(IAX2_E_LIMITED,
	     out_full(&(struct net_addr){ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
					    0xff, 192, 0, 2, 9 },
					  53 },
		      IAX2_IAX_NEW, 0, 80));
	world_done(&w);
}

static void private_and_own_addresses_are_never_reached(void)
{
	static const struct net_addr v6[] = {
		{ { 0 }, 4569 },
		{ { [15] = 1 }, 4569 },
		{ { 0xfe, 0x80, [15] = 1 }, 4569 },
		{ { 0xfd, [15] = 1 }, 4569 },
		{ { 0xff, 0x02, [15] = 1 }, 4569 },
		{ { 0x20, 0x02, 10, 0, 0, 1 }, 4569 },
		{ { 0x20, 0x01, 0, 0, 1 }, 4569 },
		{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 0xee }, 20001 },
	};
	static const uint8_t v4[][4] = {
		{ 0, 1, 2, 3 },     { 10, 0, 0, 1 },    { 100, 64, 3, 4 },
		{ 127, 0, 0, 1 },   { 169, 254, 1, 1 }, { 172, 31, 255, 1 },
		{ 192, 168, 1, 1 }, { 224, 0, 0, 1 },   { 255, 255, 255, 255 },
		{ 192, 0, 2, 200 }, { 192, 0, 2, 201 },
	};
	uint64_t forbidden = 0;

	begin();
	for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++) {
		const struct net_addr to = net_addr_v4(
			v4[i][0], v4[i][1], v4[i][2], v4[i][3], 20001);

		w.now += 2 * MONO_S;
		T_EQ(IAX2_E_LIMITED, out_full(&to, IAX2_IAX_NEW, 0, 80));
		T_TRUE(!in_full(&to, IAX2_IAX_NEW, 0, 80));
		forbidden += 2;
	}
	for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++) {
		w.now += 2 * MONO_S;
		T_EQ(IAX2_E_LIMITED, out_full(&v6[i], IAX2_IAX_NEW, 0, 80));
		T_TRUE(!in_full(&v6[i], IAX2_IAX_NEW, 0, 80));
		forbidden += 2;
	}
	T_EQ(forbidden, fate(OO_RELAY_FORBIDDEN));
	T_EQ(0, left());
	/* The neighbours of those are. */
	T_TRUE(in_full(&caller, IAX2_IAX_NEW, 0, 80));
	world_done(&w);
}

static void a_node_has_a_bit_rate_in_each_direction(void)
{
	struct frame f = { .len = 1000 };
	unsigned passed = 0;

	begin();
	prove(&caller);
	/* A megabyte in ten seconds, where 64 kbit/s are allowed. */
	for (unsigned i = 0; i < 1000; i++) {
		w.now += 10 * MONO_MS;
		passed += in(&caller, &f);
	}
	T_TRUE(passed >= 75 && passed <= 92);
	passed = 0;
	for (unsigned i = 0; i < 1000; i++) {
		w.now += 10 * MONO_MS;
		passed += out(&caller, &f) == IAX2_OK;
		(void)left();
	}
	T_TRUE(passed >= 75 && passed <= 92);
	T_TRUE(fate(OO_RELAY_RATE) > 1800);
	world_done(&w);
}

static void what_is_too_long_is_dropped_and_the_rest_is_whole(void)
{
	struct frame f = { .len = OO_RELAY_INNER_MAX };

	begin();
	for (size_t i = 0; i < sizeof(f.data); i++)
		f.data[i] = (uint8_t)(i * 7 & 0x7f);
	prove(&caller);
	T_TRUE(in(&caller, &f));
	f.len++;
	T_TRUE(!in(&caller, &f));
	f.len = 0;
	T_TRUE(!in(&caller, &f));
	T_EQ(2, fate(OO_RELAY_SIZE));
	world_done(&w);
}

static void proved_peers_keep_their_places(void)
{
	struct net_addr peer[8];

	begin();
	for (unsigned i = 0; i < 8; i++) {
		peer[i] = net_addr_v4(192, 0, 2, (uint8_t)(20 + i), 4569);
		prove(&peer[i]);
	}
	T_TRUE(!in_full(&caller, IAX2_IAX_NEW, 0, 80));
	T_EQ(IAX2_E_LIMITED, out_full(&other, IAX2_IAX_NEW, 0, 80));
	T_EQ(2, fate(OO_RELAY_FULL));
	/* One of them is silent, and forgotten. */
	for (unsigned t = 0; t < 61; t++) {
		w.now += MONO_S;
		for (unsigned i = 1; i < 8; i++)
			T_TRUE(in_full(&peer[i], IAX2_IAX_PING, NODE_CALL, 12));
	}
	T_TRUE(in_full(&caller, IAX2_IAX_NEW, 0, 80));
	world_done(&w);
}

static void a_removed_node_loses_its_address_at_once(void)
{
	const struct frame voice = mini();

	begin();
	prove(&caller);
	T_EQ(IAX2_OK, oo_registrar_node_remove(w.registrar, "2001"));
	T_EQ(0, oo_relay_allocations(relay()));
	T_TRUE(!in(&caller, &voice));
	T_EQ(IAX2_E_REFUSED, out(&caller, &voice));
	T_EQ(1, fate(OO_RELAY_NO_NODE));
	open_sockets(3);
	world_done(&w);
}

static void another_key_ends_it_too(void)
{
	const uint8_t key[KEY_PUBLIC_LEN] = { 7 };
	const struct frame voice = mini();

	begin();
	prove(&caller);
	T_EQ(IAX2_OK, oo_registrar_node_put(w.registrar, "2001", key));
	T_TRUE(!in(&caller, &voice));
	world_run(&w, 2 * MONO_S);
	T_EQ(0, oo_relay_allocations(relay()));
	world_done(&w);
}

/* The caller goes on talking; our copy of the former session stays usable. */
static void run_until_a_new_session(void)
{
	const uint64_t id = session.id;

	session.tx_counter += 100;
	while (record()->session.id == id) {
		w.now += MONO_MS;
		T_TRUE(in_full(&caller, IAX2_IAX_PING, NODE_CALL, 12));
		world_run(&w, MONO_S);
		w.log_n = 0;
	}
}

static void voice_under_way_survives_a_new_session(void)
{
	const struct frame voice = mini();

	begin();
	prove(&caller);
	run_until_a_new_session();
	/* The node heard of it now; this it sent before. */
	T_EQ(IAX2_OK, out(&caller, &voice));
	T_EQ(IAX2_E_STALE, ask(0));
	T_EQ(1, oo_relay_allocations(relay()));
	/* But not twice. */
	session.tx_counter--;
	T_EQ(IAX2_E_REFUSED, ask(0));
	w.now += 6 * MONO_S;
	T_EQ(IAX2_E_REFUSED, out(&caller, &voice));
	world_done(&w);
}

/* Until then a port that was given back may have become another node's, which
 * the former one must not speak for. */
static void a_former_session_ends_with_the_address(void)
{
	const struct frame poke = full(IAX2_IAX_POKE, 1, 0, 12);
	struct oo_directory *dir;

	begin();
	dir = oo_registrar_directory(w.registrar);
	prove(&caller);
	(void)left();
	run_until_a_new_session();
	T_EQ(IAX2_OK, out(&caller, &poke));
	T_EQ(1, left());
	/* No other port is left, so the next node gets this one. */
	for (uint32_t i = 0; oo_relay_take(relay(), 1000 + i, "9", w.now); i++)
		;
	oo_relay_drop(relay(), alloc);
	T_TRUE(alloc ==
	       oo_relay_take(relay(),
			     (uint32_t)oo_directory_index(
				     dir, oo_directory_by_number(dir, "2002")),
			     "2002", w.now));
	T_TRUE(alloc->families != 0);
	T_EQ(IAX2_E_REFUSED, out(&caller, &poke));
	T_EQ(0, left());
	world_done(&w);
}

static void nothing_without_a_session(void)
{
	const struct iax2_full hdr = { .src_callno = IAX2_CALLNO_OUTSIDE };
	struct oo_session forged;
	struct wire_wr wr;
	uint8_t buf[DGRAM_MAX];
	struct frame f = mini();
	size_t n;

	begin();
	prove(&caller);
	(void)left();
	forged = session;
	forged.tx_key[0] ^= 1;
	n = oo_relay_frame_wrap(&forged, &caller, f.data, f.len, buf);
	T_EQ(IAX2_E_REFUSED, node_sends(buf, n));
	/* Said twice: carried once. */
	n = oo_relay_frame_wrap(&session, &caller, f.data, f.len, buf);
	T_EQ(IAX2_OK, node_sends(buf, n));
	T_EQ(IAX2_E_REFUSED, node_sends(buf, n));
	T_EQ(1, left());
	T_TRUE(node_sends(buf, n - 1) != IAX2_OK);
	/* Neither a question nor a datagram. */
	wr = oo_frame_begin(buf, OO_RELAY, &hdr);
	oo_session_put(&session, &wr);
	seal_append(&wr, buf, session.tx_key);
	T_EQ(IAX2_E_BAD_IE, node_sends(buf, (size_t)(wr.p - buf)));
	T_EQ(0, left());
	world_done(&w);
}

static void an_address_is_not_given_to_an_unproved_one(void)
{
	begin_with(true);
	w.addr[0] = net_addr_v4(10, 9, 9, 9, 4569);
	T_EQ(IAX2_E_LIMITED, ask(300));
	T_EQ(0, oo_relay_allocations(relay()));
	world_done(&w);
}

static void the_table_has_an_end(void)
{
	struct oo_relay_cfg cfg;
	struct oo_relay *r;
	char number[8];

	world_init_relay(&w);
	cfg = *oo_relay_cfg(relay());
	cfg.port_last = PORT_FIRST + 3;
	r = oo_relay_new(&cfg);
	T_TRUE(r != NULL);
	for (uint32_t i = 0; i < 5; i++) {
		(void)snprintf(number, sizeof(number), "30%02u", i);
		T_EQ(i < 4, oo_relay_take(r, i, number, 0) != NULL);
	}
	oo_relay_drop(r, oo_relay_of_node(r, 2));
	T_TRUE(oo_relay_of_node(r, 2) == NULL);
	T_TRUE(oo_relay_of_node(r, 0) && oo_relay_of_node(r, 1) &&
	       oo_relay_of_node(r, 3));
	/* Its record is another node's now. */
	T_TRUE(oo_relay_take(r, 1, "3999", 0) != NULL);
	T_EQ(3, oo_relay_allocations(r));
	r = oo_relay_free(r);
	cfg.peers = 7;
	T_TRUE(oo_relay_new(&cfg) == NULL);
	for (int f = 0; f < OO_RELAY_FATES; f++)
		T_TRUE(oo_relay_fate_name((enum oo_relay_fate)f) != NULL);
	world_done(&w);
}

int main(void)
{
	T_RUN(a_node_gets_an_address_of_each_family_and_keeps_it);
	T_RUN(an_address_ends_with_its_life_unless_it_is_asked_for);
	T_RUN(without_a_relay_the_answer_is_no);
	T_RUN(a_port_in_use_is_answered_no_and_another_one_tried);
	T_RUN(a_plain_caller_talks_both_ways);
	T_RUN(a_punch_proves_its_peer);
	T_RUN(strangers_may_begin_a_call_and_nothing_else);
	T_RUN(a_flood_of_strangers_is_thinned_and_disturbs_no_call);
	T_RUN(large_frames_of_strangers_do_not_drown_a_call);
	T_RUN(no_more_goes_to_an_unproved_address_than_it_sent);
	T_RUN(the_node_speaks_to_nobody_who_did_not_ask);
	T_RUN(own_calls_leave_but_neither_scan_nor_flood);
	T_RUN(private_and_own_addresses_are_never_reached);
	T_RUN(a_node_has_a_bit_rate_in_each_direction);
	T_RUN(what_is_too_long_is_dropped_and_the_rest_is_whole);
	T_RUN(proved_peers_keep_their_places);
	T_RUN(a_removed_node_loses_its_address_at_once);
	T_RUN(another_key_ends_it_too);
	T_RUN(voice_under_way_survives_a_new_session);
	T_RUN(a_former_session_ends_with_the_address);
	T_RUN(nothing_without_a_session);
	T_RUN(an_address_is_not_given_to_an_unproved_one);
	T_RUN(the_table_has_an_end);
	return T_DONE();
}
