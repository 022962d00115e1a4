/* SPDX-License-Identifier: MIT */

/* Addresses that nodes tell of themselves: of interfaces, and mapped by a
 * router.  Who learns them, and that nobody else is sent anything for it
 * (OPEN-OVER.md sections 4.3, 4.4 and 7). */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_local.h"
#include "proto/openover_msg.h"
#include "tests/t.h"
#include "tests/virtual/oo_world.h"

static struct world w;
static struct net_addr home[WORLD_NODES]; /* of their interfaces */

/* 2001 and 2002 behind one router, 2003 behind another; nothing that is sent to
 * an address of an interface arrives, as among a carrier's customers. */
static void begin(void)
{
	world_init(&w);
	for (int i = 0; i < WORLD_NODES; i++) {
		const uint8_t router = i < 2 ? 1 : 2;

		home[i] = net_addr_v4(192, 168, 1, (uint8_t)(10 + i), 4569);
		w.addr[i] =
			net_addr_v4(203, 0, 113, router, (uint16_t)(4569 + i));
		oo_node_own_addresses(w.node[i], &home[i], 1);
	}
	world_up(&w);
	w.log_n = 0;
}

static unsigned sent_to(const struct net_addr *a)
{
	unsigned n = 0;

	for (size_t i = 0; i < w.log_n; i++)
		n += net_addr_equal(&w.log[i].to, a);
	return n;
}

/* How many candidates of @type the last such frame named. */
static unsigned named(int from, int to, uint8_t subclass, uint8_t type)
{
	const struct world_frame *f = world_find(&w, from, to, subclass);
	struct oo_msg m;
	unsigned n = 0;

	T_EQ(IAX2_OK, oo_msg_decode(f->data, f->len, &m));
	for (size_t i = 0; i < m.candidates.n; i++)
		n += m.candidates.type[i] == type;
	return n;
}

static struct oo_record *record(const char *number)
{
	return oo_directory_by_number(oo_registrar_directory(w.registrar),
				      number);
}

/* --- local -------------------------------------------------------------- */

static void neighbours_are_told_and_strangers_are_not(void)
{
	begin();
	(void)world_dial(&w, 0, "2002");
	world_run(&w, 6 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_PATH]);
	T_EQ(1, named(REGISTRAR, 1, OO_OPEN, OO_CANDIDATE_LOCAL));
	T_EQ(1, named(REGISTRAR, 0, OO_OVER, OO_CANDIDATE_LOCAL));
	w.log_n = 0;
	(void)world_dial(&w, 0, "2003");
	world_run(&w, 6 * MONO_S);
	T_EQ(2, w.seen[0][OO_EV_PATH]);
	T_EQ(0, named(REGISTRAR, 2, OO_OPEN, OO_CANDIDATE_LOCAL));
	T_EQ(0, named(REGISTRAR, 0, OO_OVER, OO_CANDIDATE_LOCAL));
	T_EQ(0, sent_to(&home[2]));
	T_EQ(0, sent_to(&home[0]));
	world_done(&w);
}

static void a_neighbour_is_called_at_home(void)
{
	begin();
	w.also[0] = home[0];
	(void)world_dial(&w, 0, "2002");
	/* The wire knows a sender by one address, so it is home's from now. */
	w.also[1] = w.addr[1];
	w.addr[1] = home[1];
	world_run(&w, 6 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_PATH]);
	T_TRUE(net_addr_equal(&home[1],
			      &w.last[0][OO_EV_PATH].u.path.path.peer));
	T_TRUE(!w.last[0][OO_EV_PATH].u.path.mapped);
	world_done(&w);
}

static void strangers_behind_one_carrier_lose_no_time_by_it(void)
{
	mono_us began;

	begin();
	began = w.now;
	(void)world_dial(&w, 0, "2002");
	while (w.seen[0][OO_EV_PATH] == 0 && w.now < began + MONO_S)
		world_run(&w, MONO_MS);
	/* Without delay on the wire the wait for a neighbour is all there is. */
	T_EQ(1, w.seen[0][OO_EV_PATH]);
	T_TRUE(w.now - began <= 41 * MONO_MS);
	world_run(&w, 6 * MONO_S);
	T_TRUE(sent_to(&home[0]) <= 4);
	T_TRUE(sent_to(&home[1]) >= 1 && sent_to(&home[1]) <= 4);
	world_done(&w);
}

static void who_is_refused_learns_no_address(void)
{
	begin();
	w.refuse[1] = true;
	(void)world_dial(&w, 0, "2002");
	world_run(&w, MONO_S);
	T_EQ(1, w.seen[0][OO_EV_FAILED]);
	T_EQ(0, named(1, REGISTRAR, OO_OVER, OO_CANDIDATE_LOCAL));
	T_EQ(0, named(REGISTRAR, 0, OO_OVER, OO_CANDIDATE_REFLEXIVE));
	T_EQ(0, sent_to(&home[1]));
	world_done(&w);
}

/* For frames of a node's that it would not make: with counters of the near
 * future. */
static struct oo_session session_of(int node)
{
	static uint64_t ahead;
	struct oo_session s = oo_node_registrar(w.node[node], 0)->session;

	s.tx_counter += ++ahead % 8;
	return s;
}

/* An OPEN_REQUEST of 2001's own making. */
static void request(const struct oo_candidates *said)
{
	struct oo_session s = session_of(0);
	const struct iax2_full hdr = { .src_callno = 1 };
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr wr = oo_frame_begin(buf, OO_OPEN_REQUEST, &hdr);

	oo_session_put(&s, &wr);
	iax2_ie_put_u64(&wr, IAX2_IE_KH_TRANSACTION, w.now);
	iax2_ie_put_text(&wr, IAX2_IE_CALLED_NUMBER, "2002");
	oo_put_candidates(&wr, said);
	seal_append(&wr, buf, s.tx_key);
	T_EQ(IAX2_OK, world_inject(&w, REGISTRAR, &w.addr[0], buf,
				   (size_t)(wr.p - buf)));
	world_run(&w, 6 * MONO_S);
}

static void a_registered_node_cannot_make_another_send_to_third_parties(void)
{
	const struct net_addr victim[] = {
		net_addr_v4(198, 51, 100, 7, 4569), /* somewhere else */
		net_addr_v4(127, 0, 0, 1, 4569),
		net_addr_v4(169, 254, 1, 1, 4569),
		net_addr_v4(224, 0, 0, 1, 4569),
		net_addr_v4(192, 168, 1, 1, 53), /* a service */
		{ .ip = { 0x20, 1, 0xd, 0xb8, 9 }, .port = 4569 },
		{ .ip = { 0xfe, 0x80, [15] = 1 }, .port = 4569 },
	};
	const uint8_t types[] = { OO_CANDIDATE_REFLEXIVE, OO_CANDIDATE_LOCAL,
				  OO_CANDIDATE_MAPPED };

	for (size_t t = 0; t < sizeof(types); t++) {
		struct oo_candidates said = { .n = 0 };

		begin();
		for (size_t i = 0; i < sizeof(victim) / sizeof(victim[0]); i++)
			oo_candidate_add(&said, types[t], &victim[i]);
		request(&said);
		T_EQ(1, w.seen[1][OO_EV_OPEN_IN]);
		for (size_t i = 0; i < said.n; i++)
			T_EQ(0, sent_to(&victim[i]));
		world_done(&w);
	}
}

static void a_scan_of_the_network_behind_a_node_comes_to_little(void)
{
	struct oo_candidates said = { .n = 0 };
	unsigned asked = 0;

	begin();
	for (uint8_t i = 0; i < OO_CANDIDATES_MAX; i++) {
		const struct net_addr a = net_addr_v4(10, 7, 0, i, 4569);

		oo_candidate_add(&said, OO_CANDIDATE_LOCAL, &a);
	}
	request(&said);
	for (size_t i = 0; i < said.n; i++) {
		T_TRUE(sent_to(&said.addr[i]) <= 4);
		asked += sent_to(&said.addr[i]) > 0;
	}
	T_EQ(OO_LOCAL_MAX, asked);
	world_done(&w);
	/* Nothing at all for one who is behind another router. */
	begin();
	w.addr[0] = net_addr_v4(203, 0, 113, 77, 4569);
	world_run(&w, 20 * MONO_S);
	request(&said);
	T_EQ(1, w.seen[1][OO_EV_OPEN_IN]);
	for (size_t i = 0; i < said.n; i++)
		T_EQ(0, sent_to(&said.addr[i]));
	world_done(&w);
}

/* A registrar that has turned bad is held by the node itself. */
static void a_node_takes_no_local_address_outside_its_networks(void)
{
	const struct net_addr own[] = {
		net_addr_v4(192, 168, 1, 10, 4569),
		{ .ip = { 0x20, 1, 0xd, 0xb8, 1 }, .port = 4569 },
	};
	const struct {
		struct net_addr addr;
		bool taken;
	} cases[] = {
		{ net_addr_v4(192, 168, 1, 11, 4569), true },
		{ net_addr_v4(10, 1, 2, 3, 4569), true },
		{ net_addr_v4(172, 31, 0, 1, 4569), true },
		{ net_addr_v4(100, 64, 0, 1, 4569), true },
		{ net_addr_v4(172, 32, 0, 1, 4569), false },
		{ net_addr_v4(100, 128, 0, 1, 4569), false },
		{ net_addr_v4(8, 8, 8, 8, 4569), false },
		{ net_addr_v4(192, 168, 1, 1, 1023), false },
		{ net_addr_v4(192, 168, 1, 10, 4569), false },
		{ net_addr_v4(192, 168, 1, 10, 4570), true },
		{ { .ip = { 0x20, 1, 0xd, 0xb8, 1, [15] = 9 }, .port = 4569 },
		  true },
		{ { .ip = { 0x20, 1, 0xd, 0xb8, 2, [15] = 9 }, .port = 4569 },
		  false },
		{ { .ip = { 0xfd, 1, [15] = 9 }, .port = 4569 }, true },
		{ { .ip = { 0xfe, 0x80, [15] = 9 }, .port = 4569 }, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct oo_candidates c = { .n = 0 };

		oo_candidate_add(&c, OO_CANDIDATE_LOCAL, &cases[i].addr);
		oo_candidate_add(&c, OO_CANDIDATE_REFLEXIVE, &own[0]);
		oo_local_take(&c, own, 2);
		T_EQ(cases[i].taken ? 2 : 1, c.n);
	}
}

static void what_is_in_use_is_told_first_and_four_at_most(void)
{
	struct oo_candidates c = { .n = 0 };
	struct net_addr own[8], used = net_addr_v4(10, 0, 0, 6, 0);

	for (uint8_t i = 0; i < 8; i++)
		own[i] = net_addr_v4(10, 0, 0, i, 4569);
	own[0] = net_addr_v4(203, 0, 113, 5, 4569);
	oo_local_tell(own, 8, &used, 1, &c);
	T_EQ(4, c.n);
	T_TRUE(net_addr_equal(&own[6], &c.addr[0]));
	T_TRUE(net_addr_equal(&own[1], &c.addr[1]));
	T_EQ(OO_CANDIDATE_LOCAL, c.type[3]);
}

/* --- mapped ------------------------------------------------------------- */

static const struct net_addr none = { 0 };

static void a_mapped_port_is_named_once_it_is_proved(void)
{
	begin();
	w.also[1] = net_addr_v4(203, 0, 113, 1, 7777);
	oo_node_mapped(w.node[1], &w.also[1], &none, w.now);
	world_run(&w, MONO_S);
	T_EQ(7777, record("2002")->mapped4);
	T_EQ(0, oo_registrar_counters(w.registrar)->moves);
	(void)world_dial(&w, 2, "2002");
	world_run(&w, 6 * MONO_S);
	T_EQ(1, named(REGISTRAR, 2, OO_OVER, OO_CANDIDATE_MAPPED));
	T_EQ(1, named(REGISTRAR, 2, OO_OVER, OO_CANDIDATE_REFLEXIVE));
	T_EQ(1, w.seen[2][OO_EV_PATH]);
	/* It stays for as long as it is said, and no longer. */
	world_run(&w, 60 * MONO_S);
	T_EQ(7777, record("2002")->mapped4);
	oo_node_mapped(w.node[1], &none, &none, w.now);
	world_run(&w, MONO_S);
	T_EQ(0, record("2002")->mapped4);
	world_done(&w);
}

static void a_mapped_port_that_is_the_proved_one_is_named_once(void)
{
	begin();
	oo_node_mapped(w.node[1], &w.addr[1], &none, w.now);
	world_run(&w, MONO_S);
	(void)world_dial(&w, 2, "2002");
	world_run(&w, 6 * MONO_S);
	T_EQ(1, named(REGISTRAR, 2, OO_OVER, OO_CANDIDATE_MAPPED));
	T_EQ(0, named(REGISTRAR, 2, OO_OVER, OO_CANDIDATE_REFLEXIVE));
	T_TRUE(w.last[2][OO_EV_PATH].u.path.mapped);
	world_done(&w);
}

static void a_port_where_nothing_arrives_is_named_to_nobody(void)
{
	const struct net_addr dead = net_addr_v4(203, 0, 113, 1, 7777);

	begin();
	oo_node_mapped(w.node[1], &dead, &none, w.now);
	world_run(&w, 60 * MONO_S);
	T_EQ(0, record("2002")->mapped4);
	/* A PONG for each PING, none longer than it, is all that went there. */
	T_TRUE(sent_to(&dead) >= 1 && sent_to(&dead) <= 8);
	for (size_t i = 0; i < w.log_n; i++) {
		if (net_addr_equal(&w.log[i].to, &dead))
			T_TRUE(w.log[i].len <= OO_PING_LEN);
	}
	w.log_n = 0;
	(void)world_dial(&w, 2, "2002");
	world_run(&w, 6 * MONO_S);
	T_EQ(0, sent_to(&dead));
	world_done(&w);
}

/* A PING of 2002's own making that claims to have had @a mapped. */
static void claim(const struct net_addr *a, uint64_t cookie)
{
	struct oo_session s = session_of(1);
	const struct iax2_full hdr = { .src_callno = 1 };
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr wr = oo_frame_begin(buf, IAX2_IAX_POKE, &hdr);
	struct oo_candidates c = { .n = 0 };

	oo_session_put(&s, &wr);
	iax2_ie_put_u64(&wr, IAX2_IE_KH_PATH, cookie);
	oo_candidate_add(&c, OO_CANDIDATE_MAPPED, a);
	oo_put_candidates(&wr, &c);
	oo_put_pad(&wr, buf, OO_PING_LEN, true);
	seal_append(&wr, buf, s.tx_key);
	T_EQ(IAX2_OK, world_inject(&w, REGISTRAR, &w.addr[1], buf,
				   (size_t)(wr.p - buf)));
	world_settle(&w);
}

static void an_address_of_somebody_else_is_not_taken_for_mapped(void)
{
	const struct net_addr other = net_addr_v4(203, 0, 113, 2, 7777);
	const struct net_addr mine = net_addr_v4(203, 0, 113, 1, 7777);

	begin();
	/* The node itself would not say it: it is none of its router's. */
	oo_node_mapped(w.node[1], &other, &none, w.now);
	world_run(&w, 20 * MONO_S);
	claim(&other, 1);
	T_EQ(0, record("2002")->mapped4);
	T_EQ(0, sent_to(&other));
	/* Nor does a made-up cookie prove anything. */
	claim(&mine, 1);
	T_EQ(0, record("2002")->mapped4);
	T_EQ(1, sent_to(&mine));
	world_done(&w);
}

static void a_node_that_moves_leaves_its_mapped_port_behind(void)
{
	begin();
	w.also[1] = net_addr_v4(203, 0, 113, 1, 7777);
	oo_node_mapped(w.node[1], &w.also[1], &none, w.now);
	world_run(&w, MONO_S);
	T_EQ(7777, record("2002")->mapped4);
	w.addr[1] = net_addr_v4(203, 0, 113, 99, 4569);
	world_run(&w, 20 * MONO_S);
	T_EQ(1, oo_registrar_counters(w.registrar)->moves);
	T_EQ(0, record("2002")->mapped4);
	world_done(&w);
}

/* --- families ----------------------------------------------------------- */

static void families_that_have_nothing_in_common_end_at_once(void)
{
	const struct net_addr v6 = { .ip = { 0x20, 1, 0xd, 0xb8, 7 },
				     .port = 4569 };
	mono_us began;

	begin();
	/* 2003 moves to where there is nothing but IPv6. */
	record("2003")->path[OO_V6].peer = v6;
	record("2003")->heard[OO_V6] = w.now;
	record("2003")->heard[OO_V4] = 0;
	w.now += 46 * MONO_S;
	world_run(&w, 0);
	record("2003")->heard[OO_V6] = w.now;
	began = w.now;
	memset(&record("2003")->path[OO_V4], 0, sizeof(struct net_path));
	w.also[2] = v6;
	(void)world_dial(&w, 0, "2003");
	world_run(&w, 100 * MONO_MS);
	T_EQ(1, w.seen[0][OO_EV_FAILED]);
	T_EQ(OO_NO_PATH, w.last[0][OO_EV_FAILED].u.failed.verdict);
	T_TRUE(strstr(w.last[0][OO_EV_FAILED].u.failed.tried, "only IPv6") !=
	       NULL);
	T_TRUE(w.now - began < 200 * MONO_MS);
	world_done(&w);
}

int main(void)
{
	T_RUN(neighbours_are_told_and_strangers_are_not);
	T_RUN(a_neighbour_is_called_at_home);
	T_RUN(strangers_behind_one_carrier_lose_no_time_by_it);
	T_RUN(who_is_refused_learns_no_address);
	T_RUN(a_registered_node_cannot_make_another_send_to_third_parties);
	T_RUN(a_scan_of_the_network_behind_a_node_comes_to_little);
	T_RUN(a_node_takes_no_local_address_outside_its_networks);
	T_RUN(what_is_in_use_is_told_first_and_four_at_most);
	T_RUN(a_mapped_port_is_named_once_it_is_proved);
	T_RUN(a_mapped_port_that_is_the_proved_one_is_named_once);
	T_RUN(a_port_where_nothing_arrives_is_named_to_nobody);
	T_RUN(an_address_of_somebody_else_is_not_taken_for_mapped);
	T_RUN(a_node_that_moves_leaves_its_mapped_port_behind);
	T_RUN(families_that_have_nothing_in_common_end_at_once);
	return T_DONE();
}
