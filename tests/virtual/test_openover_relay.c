/* SPDX-License-Identifier: MIT */

/* The relay: who has an address there and for how long, and who is carried
 * (OPEN-OVER.md section 4.9). */

#include "tests/virtual/relay_talk.h"

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

int main(void)
{
	T_RUN(a_node_gets_an_address_of_each_family_and_keeps_it);
	T_RUN(an_address_ends_with_its_life_unless_it_is_asked_for);
	T_RUN(without_a_relay_the_answer_is_no);
	T_RUN(a_port_in_use_is_answered_no_and_another_one_tried);
	T_RUN(a_plain_caller_talks_both_ways);
	T_RUN(a_punch_proves_its_peer);
	T_RUN(proved_peers_keep_their_places);
	T_RUN(a_removed_node_loses_its_address_at_once);
	T_RUN(another_key_ends_it_too);
	T_RUN(voice_under_way_survives_a_new_session);
	T_RUN(a_former_session_ends_with_the_address);
	return T_DONE();
}
