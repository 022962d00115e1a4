/* SPDX-License-Identifier: MIT */

/* A node with a relay: when it asks for one, and what it does with it
 * (OPEN-OVER.md section 4.9). */

#include <string.h>

#include "proto/iax2_frame.h"
#include "tests/t.h"
#include "tests/virtual/oo_world.h"

static struct world w;

static struct net_addr outsider(void)
{
	return net_addr_v4(203, 0, 113, 9, 4569);
}

static void begin(enum oo_relay_use caller, enum oo_relay_use target)
{
	const enum oo_relay_use use[WORLD_NODES] = { caller, target };

	world_init_relayed(&w, use);
	world_up(&w);
}

static struct oo_node_relay_view view(int node)
{
	struct oo_node_relay_view v;

	oo_node_relay_view(w.node[node], &v);
	return v;
}

#define ASK_LEN (12U + 18U + 4U + 18U)

static unsigned asked(int node)
{
	unsigned n = 0;

	for (size_t i = 0; i < w.log_n; i++)
		n += w.log[i].subclass == OO_RELAY && w.log[i].len == ASK_LEN &&
		     net_addr_equal(&w.log[i].from, &w.addr[node]);
	return n;
}

static const struct oo_event *path(void)
{
	T_EQ(1, w.seen[0][OO_EV_PATH]);
	return &w.last[0][OO_EV_PATH];
}

/* The caller's datagram on its path arrives as one that is for a call. */
static void path_carries(void)
{
	static const uint8_t new[12] = {
		0x80, 7, 0, 0, 0, 0, 0, 0, 0, 0, 6, 1
	};
	struct dgram d = { .path = path()->u.path.path,
			   .data = new,
			   .len = sizeof(new) };
	const struct oo_relay_counters *n =
		oo_relay_counters(oo_registrar_relay(w.registrar));
	const uint64_t carried = n->rx + n->tx;

	if (d.path.sock == OO_SOCK_RELAY) {
		T_TRUE(oo_node_relay_wrap(w.node[0], &d));
		T_EQ(IAX2_OK,
		     world_inject(&w, REGISTRAR, &w.addr[0], d.data, d.len));
	} else {
		world_to_relay(&w, &w.addr[0], d.path.peer.port, d.data, d.len);
	}
	T_EQ(carried + 1, n->rx + n->tx);
}

static void a_dial_without_a_path_takes_the_callers_relay(void)
{
	begin(OO_RELAY_LAST, OO_RELAY_NEVER);
	T_EQ(0, asked(0));
	w.wall = true;
	(void)world_dial(&w, 0, "2002");
	world_run(&w, 1100 * MONO_MS);
	T_EQ(0, asked(0));
	world_run(&w, 1200 * MONO_MS);
	T_TRUE(path()->u.path.relayed);
	T_TRUE(!path()->u.path.predicted);
	T_EQ(OO_SOCK_RELAY, path()->u.path.path.sock);
	T_TRUE(net_addr_equal(&w.addr[1], &path()->u.path.path.peer));
	T_TRUE(view(0).up && !view(1).up);
	/* The target expects the call from the relay. */
	T_TRUE(w.seen[1][OO_EV_EXPECT] >= 1);
	T_TRUE(net_addr_equal(&view(0).address[OO_V4],
			      &w.last[1][OO_EV_EXPECT].u.expect.path.peer));
	path_carries();
	/* Nobody uses it: it is given back. */
	world_run(&w, 400 * MONO_S);
	T_TRUE(!view(0).up);
	T_EQ(0, oo_relay_allocations(oo_registrar_relay(w.registrar)));
	world_done(&w);
}

static void a_target_with_a_relay_is_reached_there_by_any_caller(void)
{
	begin(OO_RELAY_NEVER, OO_RELAY_ALWAYS);
	T_TRUE(view(1).up);
	w.wall = true;
	(void)world_dial(&w, 0, "2002");
	world_run(&w, 290 * MONO_MS);
	T_EQ(0, w.seen[0][OO_EV_PATH]);
	world_run(&w, 710 * MONO_MS);
	T_TRUE(path()->u.path.relayed);
	T_EQ(0, path()->u.path.path.sock);
	T_TRUE(net_addr_equal(&view(1).address[OO_V4],
			      &path()->u.path.path.peer));
	T_EQ(OO_SOCK_RELAY, w.last[1][OO_EV_EXPECT].u.expect.path.sock);
	T_EQ(0, asked(0));
	path_carries();
	world_done(&w);
}

static void a_direct_path_goes_before_a_relay(void)
{
	begin(OO_RELAY_ALWAYS, OO_RELAY_ALWAYS);
	(void)world_dial(&w, 0, "2002");
	world_run(&w, 6 * MONO_S);
	T_TRUE(!path()->u.path.relayed);
	T_EQ(0, path()->u.path.path.sock);
	T_TRUE(net_addr_equal(&w.addr[1], &path()->u.path.path.peer));
	T_EQ(0, w.seen[0][OO_EV_BETTER]);
	world_done(&w);
}

static void a_dial_with_a_path_asks_for_no_relay(void)
{
	begin(OO_RELAY_LAST, OO_RELAY_LAST);
	(void)world_dial(&w, 0, "2002");
	world_run(&w, 6 * MONO_S);
	T_TRUE(!path()->u.path.relayed);
	T_EQ(0, asked(0));
	T_EQ(0, asked(1));
	world_done(&w);
}

static void who_wants_none_gets_none(void)
{
	begin(OO_RELAY_NEVER, OO_RELAY_LAST);
	w.wall = true;
	(void)world_dial(&w, 0, "2002");
	world_run(&w, 10 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_FAILED]);
	T_EQ(OO_NO_PATH, w.last[0][OO_EV_FAILED].u.failed.verdict);
	T_EQ(0, asked(0) + asked(1));
	world_done(&w);
}

static void a_better_path_is_told_of(void)
{
	begin(OO_RELAY_NEVER, OO_RELAY_ALWAYS);
	w.wall = true;
	(void)world_dial(&w, 0, "2002");
	world_run(&w, MONO_S);
	T_TRUE(path()->u.path.relayed);
	T_EQ(0, w.seen[0][OO_EV_BETTER]);
	w.wall = false;
	world_run(&w, 2 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_BETTER]);
	T_EQ(path()->u.path.ticket.id, w.last[0][OO_EV_BETTER].u.better.punch);
	T_TRUE(net_addr_equal(&w.addr[1],
			      &w.last[0][OO_EV_BETTER].u.better.path.peer));
	T_EQ(1, w.seen[0][OO_EV_PATH]);
	world_run(&w, 10 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_BETTER]);
	world_done(&w);
}

static void without_a_relay_a_dial_ends_as_ever(void)
{
	const enum oo_relay_use use[WORLD_NODES] = { OO_RELAY_LAST };
	unsigned before;

	world_init_relayed(&w, use);
	world_up(&w);
	w.no_ports = true;
	w.wall = true;
	(void)world_dial(&w, 0, "2002");
	world_run(&w, 10 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_FAILED]);
	T_EQ(OO_NO_PATH, w.last[0][OO_EV_FAILED].u.failed.verdict);
	before = asked(0);
	T_TRUE(before >= 1 && before <= 4);
	/* It was told no, and does not ask with every dial. */
	(void)world_dial(&w, 0, "2002");
	world_run(&w, 10 * MONO_S);
	T_EQ(2, w.seen[0][OO_EV_FAILED]);
	T_EQ(before, asked(0));
	world_done(&w);
}

static void an_old_registrar_does_not_answer(void)
{
	begin(OO_RELAY_LAST, OO_RELAY_NEVER);
	w.wall = true;
	(void)world_dial(&w, 0, "2002");
	world_run(&w, MONO_S);
	w.gone[REGISTRAR] = true;
	world_run(&w, 10 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_FAILED]);
	T_EQ(OO_NO_PATH, w.last[0][OO_EV_FAILED].u.failed.verdict);
	T_TRUE(asked(0) >= 2 && asked(0) <= 4);
	world_done(&w);
}

static void an_address_for_plain_callers_is_kept(void)
{
	struct net_addr at;

	begin(OO_RELAY_ALWAYS, OO_RELAY_NEVER);
	at = view(0).address[OO_V4];
	T_TRUE(net_addr_is_set(&at));
	T_EQ(1, w.seen[0][OO_EV_RELAY]);
	T_EQ(1, asked(0));
	w.log_n = 0;
	world_run(&w, 3600 * MONO_S);
	w.log_n = 0;
	T_TRUE(view(0).up);
	T_TRUE(net_addr_equal(&at, &view(0).address[OO_V4]));
	T_EQ(1, w.seen[0][OO_EV_RELAY]);
	/* The registrar is restarted: asked for again. */
	oo_relay_drop(oo_registrar_relay(w.registrar),
		      oo_relay_of_slot(oo_registrar_relay(w.registrar),
				       (uint16_t)(at.port - 20000)));
	world_run(&w, 300 * MONO_S);
	T_TRUE(view(0).up);
	T_EQ(1, oo_relay_allocations(oo_registrar_relay(w.registrar)));
	oo_node_release(w.node[0], w.now);
	world_run(&w, MONO_S);
	T_TRUE(!view(0).up);
	T_EQ(0, oo_relay_allocations(oo_registrar_relay(w.registrar)));
	world_done(&w);
}

static void a_relay_that_falls_silent_is_given_up_and_found_again(void)
{
	begin(OO_RELAY_ALWAYS, OO_RELAY_NEVER);
	w.gone[REGISTRAR] = true;
	world_run(&w, 300 * MONO_S);
	T_TRUE(!view(0).up);
	T_EQ(2, w.seen[0][OO_EV_RELAY]);
	w.gone[REGISTRAR] = false;
	world_run(&w, 120 * MONO_S);
	T_TRUE(view(0).up);
	T_EQ(3, w.seen[0][OO_EV_RELAY]);
	world_done(&w);
}

/* A frame as from @who through the relay, to node 0: what is for its
 * endpoint. */
static bool comes_through(const uint8_t *data, size_t len, struct dgram *out)
{
	const struct net_addr who = outsider();

	world_to_relay(&w, &who, view(0).address[OO_V4].port, data, len);
	world_settle(&w);
	return oo_node_relayed(w.node[0], out);
}

static void plain_calls_come_in_and_are_answered_there(void)
{
	static const uint8_t new[12] = {
		0x80, 7, 0, 0, 0, 0, 0, 0, 0, 0, 6, 1
	};
	static const uint8_t poke[12] = { 0x80, 7, 0, 0, 0, 0,
					  0,    0, 0, 0, 6, 0x1e };
	const struct net_addr who = outsider();
	static uint8_t lots[1400] = { 0x80 };
	struct dgram d;

	begin(OO_RELAY_ALWAYS, OO_RELAY_NEVER);
	T_TRUE(comes_through(poke, sizeof(poke), &d));
	T_TRUE(comes_through(new, sizeof(new), &d));
	T_EQ(sizeof(new), d.len);
	T_EQ(0, memcmp(new, d.data, d.len));
	T_EQ(OO_SOCK_RELAY, d.path.sock);
	T_TRUE(net_addr_equal(&who, &d.path.peer));
	T_TRUE(!oo_node_relayed(w.node[0], &d));
	/* The answer leaves from the relay. */
	d = (struct dgram){ .path = { .peer = who, .sock = OO_SOCK_RELAY },
			    .data = new,
			    .len = sizeof(new) };
	T_TRUE(oo_node_relay_wrap(w.node[0], &d));
	T_TRUE(net_addr_equal(&w.addr[REGISTRAR], &d.path.peer));
	T_EQ(0, d.path.sock);
	T_EQ(IAX2_OK, world_inject(&w, REGISTRAR, &w.addr[0], d.data, d.len));
	world_settle(&w);
	T_EQ(1, w.relayed);
	T_TRUE(net_addr_equal(&who, &w.relayed_to));
	d = (struct dgram){ .path = { .peer = who, .sock = OO_SOCK_RELAY },
			    .data = lots,
			    .len = sizeof(lots) };
	T_TRUE(!oo_node_relay_wrap(w.node[0], &d));
	T_EQ(1, view(0).dropped);
	T_EQ(2, view(0).rx);
	T_EQ(1, view(0).tx);
	world_done(&w);
}

static void own_plain_calls_go_through_it_when_always(void)
{
	const struct net_addr who = outsider();
	struct net_addr v6 = { .ip = { 0x20, 0x01, 0x0d, 0xb8, 1 },
			       .port = 4569 };
	struct net_addr itself;
	struct net_path path;

	begin(OO_RELAY_ALWAYS, OO_RELAY_LAST);
	path = oo_node_path_to(w.node[0], &who);
	T_EQ(OO_SOCK_RELAY, path.sock);
	T_TRUE(net_addr_equal(&who, &path.peer));
	T_EQ(OO_SOCK_RELAY, oo_node_path_to(w.node[0], &v6).sock);
	T_EQ(0, oo_node_path_to(w.node[1], &who).sock);
	itself = view(0).address[OO_V4];
	T_EQ(0, oo_node_path_to(w.node[0], &itself).sock);
	world_done(&w);
}

/* What the node last sent through the relay; counted by subclass. */
static unsigned left_as(uint8_t subclass)
{
	unsigned n = 0;

	for (size_t i = 0; i < w.left_n; i++)
		n += w.left[i] == subclass;
	return n;
}

static void plain_registrations_leave_from_it(void)
{
	const enum oo_relay_use use[WORLD_NODES] = { OO_RELAY_ALWAYS };
	const struct net_addr at = outsider();
	struct oo_registrar_view v;
	size_t index;
	bool direct = false;

	world_init_relayed(&w, use);
	T_EQ(IAX2_OK, oo_node_add_plain_registrar(w.node[0], "2001", "sesame",
						  w.now, &index));
	/* It begins before there is a relay, and again when there is. */
	oo_node_registrar_addresses(w.node[0], index, &at, 1, w.now);
	world_settle(&w);
	T_EQ(0, left_as(IAX2_IAX_REGREQ));
	world_up(&w);
	T_TRUE(left_as(IAX2_IAX_REGREQ) >= 1);
	T_TRUE(net_addr_equal(&at, &w.relayed_to));
	T_TRUE(oo_node_registrar_view(w.node[0], index, &v));
	T_TRUE(v.plain && !v.up);
	/* The relay goes, and with it that way. */
	w.gone[REGISTRAR] = true;
	world_run(&w, 300 * MONO_S);
	T_TRUE(!view(0).up);
	w.log_n = 0;
	world_run(&w, 60 * MONO_S);
	for (size_t i = 0; i < w.log_n; i++)
		direct |= net_addr_equal(&at, &w.log[i].to);
	T_TRUE(direct);
	world_done(&w);
}

static void good_byes_go_before_the_relay_is_left(void)
{
	const enum oo_relay_use use[WORLD_NODES] = { OO_RELAY_ALWAYS };
	const struct net_addr at = outsider();
	size_t index;

	world_init_relayed(&w, use);
	T_EQ(IAX2_OK, oo_node_add_plain_registrar(w.node[0], "2001", "sesame",
						  w.now, &index));
	oo_node_registrar_addresses(w.node[0], index, &at, 1, w.now);
	world_up(&w);
	oo_node_release(w.node[0], w.now);
	world_run(&w, 2 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_RELEASED]);
	T_TRUE(!view(0).up);
	T_EQ(0, oo_relay_allocations(oo_registrar_relay(w.registrar)));
	world_done(&w);
}

/* Two dials need it at once, and the second finds it there. */
static void two_dials_share_one_relay(void)
{
	const enum oo_relay_use use[WORLD_NODES] = { OO_RELAY_LAST };
	struct oo_id one, two;

	world_init_relayed(&w, use);
	world_up(&w);
	w.wall = true;
	one = world_dial(&w, 0, "2002");
	world_run(&w, 1100 * MONO_MS);
	two = world_dial(&w, 0, "2003");
	T_TRUE(one.slot != two.slot);
	world_run(&w, 5 * MONO_S);
	T_EQ(2, w.seen[0][OO_EV_PATH]);
	T_EQ(0, w.seen[0][OO_EV_FAILED]);
	T_EQ(1, asked(0));
	world_done(&w);
}

/* A registrar's frames come from the registrar, not through it. */
static void no_session_frame_comes_through(void)
{
	static const uint8_t broken[14] = { 0x80, 7, 0, 1, 0,    0,    0,
					    0,    0, 0, 6, 0x1e, 0xe0, 4 };
	struct world_frame f;
	struct dgram d;

	begin(OO_RELAY_ALWAYS, OO_RELAY_NEVER);
	world_run(&w, 20 * MONO_S);
	f = *world_find(&w, REGISTRAR, 0, IAX2_IAX_PONG);
	T_TRUE(!comes_through(f.data, f.len, &d));
	f = *world_find(&w, REGISTRAR, 0, OO_RELAY);
	T_TRUE(!comes_through(f.data, f.len, &d));
	T_TRUE(!comes_through(broken, sizeof(broken), &d));
	T_TRUE(view(0).up);
	world_done(&w);
}

int main(void)
{
	T_RUN(a_dial_without_a_path_takes_the_callers_relay);
	T_RUN(a_target_with_a_relay_is_reached_there_by_any_caller);
	T_RUN(a_direct_path_goes_before_a_relay);
	T_RUN(a_dial_with_a_path_asks_for_no_relay);
	T_RUN(who_wants_none_gets_none);
	T_RUN(a_better_path_is_told_of);
	T_RUN(without_a_relay_a_dial_ends_as_ever);
	T_RUN(an_old_registrar_does_not_answer);
	T_RUN(an_address_for_plain_callers_is_kept);
	T_RUN(a_relay_that_falls_silent_is_given_up_and_found_again);
	T_RUN(plain_calls_come_in_and_are_answered_there);
	T_RUN(own_plain_calls_go_through_it_when_always);
	T_RUN(plain_registrations_leave_from_it);
	T_RUN(good_byes_go_before_the_relay_is_left);
	T_RUN(two_dials_share_one_relay);
	T_RUN(no_session_frame_comes_through);
	return T_DONE();
}
