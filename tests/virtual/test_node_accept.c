/* SPDX-License-Identifier: MIT */

/* Callers are let in by the address of their number, as AllStarLink's nodes let
 * them in. */

#include <sodium.h>
#include <stdio.h>

#include "tests/virtual/accept_talk.h"

/* --- by address --------------------------------------------------------- */

static void a_node_is_let_in_from_where_its_number_is(void)
{
	struct caller c = { .calling = "2000" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	T_EQ(1, questions);
	T_EQ(NODE_EV_WHO_IS, asked.kind);
	T_STR("2000", asked.number);
	T_TRUE(net_addr_equal(&c.at, &asked.addr));
	/* It hears nothing but that its NEW has come. */
	run(MONO_S);
	T_TRUE(!c.up && !c.rejected);
	/* The port is not compared. */
	it_is_at(net_addr_v4(198, 51, 100, 7, 4600), false);
	T_TRUE(c.up);
	T_EQ(1, ups);
	T_STR("2000", last_up);
	T_EQ(0, refusals);
	run(MONO_S);
	T_TRUE(c.texts > 0);
	end();
}

static void one_who_calls_from_elsewhere_is_refused(void)
{
	const struct net_addr claimed = at(9);
	struct caller c = { .calling = "2000" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	it_is_at(claimed, false);
	forbidden(&c, "accept.by_address: its number is at another address");
	T_TRUE(net_addr_equal(&claimed, &refused.claimed));
	end();
}

static void any_of_its_addresses_will_do(void)
{
	const struct net_addr where[] = { at(9), at(7) };
	const struct node_admission a = { .addr = where, .n = 2 };
	struct caller c = { .calling = "2000" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	node_admit(node, asked.caller, &a, now);
	drain();
	T_TRUE(c.up);
	end();
}

static void one_whom_nobody_knows_is_refused_with_the_reason(void)
{
	struct caller c = { .calling = "2999" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	nobody_knows("nobody knows node 2999 (dns: there is no such name)");
	forbidden(&c, "accept.by_address: nobody knows node 2999 (dns: there "
		      "is no such name)");
	T_TRUE(!net_addr_is_set(&refused.claimed));
	end();
}

static void some_numbers_are_refused_at_once(void)
{
	static const struct {
		const char *calling, *why;
	} rows[] = {
		{ NULL, "accept.by_address: it gives no number" },
		{ "", "accept.by_address: it gives no number" },
		{ "2001", "accept.by_address: it gives our own number" },
		{ "0", "accept.by_address: it gives no number of a node" },
		{ "0200", "accept.by_address: it gives no number of a node" },
		{ "W1AW", "accept.by_address: it gives no number of a node" },
		{ "20x0", "accept.by_address: it gives no number of a node" },
		{ "2000000000000000",
		  "accept.by_address: it gives no number of a node" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller c = { .calling = rows[i].calling };
		const struct node_cfg cfg = usual();

		begin(&cfg);
		call(&c);
		T_EQ(0, questions);
		forbidden(&c, rows[i].why);
		end();
	}
}

static void where_addresses_prove_nothing_nobody_is_asked(void)
{
	struct caller c = { .calling = "2000" };
	struct node_cfg cfg = usual();

	cfg.acl.by_address = false;
	begin(&cfg);
	call(&c);
	T_EQ(0, questions);
	forbidden(&c, "accept.by_address is off, and it has no key or secret "
		      "in peers");
	end();
}

static void another_called_number_is_not_ours(void)
{
	struct caller c = { .calling = "2000", .called = "2002" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	T_TRUE(c.rejected);
	T_EQ(3, c.cause);
	T_STR("it asked for another number", refused.why);
	T_EQ(0, questions);
	end();
}

static void a_private_number_is_the_operators_word_only(void)
{
	static const struct {
		const char *calling;
		bool configured, in;
	} rows[] = {
		{ "1999", false, false },
		{ "1999", true, true },
		{ "2000", false, true },
		{ "10000", false, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller c = { .calling = rows[i].calling };
		const struct node_cfg cfg = usual();

		begin(&cfg);
		call(&c);
		it_is_at(at(7), rows[i].configured);
		T_EQ(rows[i].in, c.up);
		if (!rows[i].in)
			forbidden(&c,
				  "accept.by_address: its number is a private "
				  "one, and not in peers");
		end();
	}
}

/* --- lists -------------------------------------------------------------- */

static void the_lists_hold_for_it_too(void)
{
	static const struct node_caller it = { .number = "2000" };
	static const struct node_peer peer = { .number = "2000" };
	static const struct {
		bool deny, allow, registered, peer;
		const char *why; /* NULL: let in */
	} rows[] = {
		{ .registered = true },
		{ .why = "accept.default" },
		{ .allow = true },
		{ .peer = true },
		{ .deny = true, .registered = true, .why = "accept.deny" },
		{ .deny = true, .allow = true, .why = "accept.deny" },
		{ .deny = true, .peer = true, .why = "accept.deny" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller c = { .calling = "2000" };
		struct node_cfg cfg = usual();

		cfg.acl.registered = rows[i].registered;
		cfg.acl.deny = cfg.acl.allow = &it;
		cfg.acl.deny_n = rows[i].deny;
		cfg.acl.allow_n = rows[i].allow;
		cfg.peers = &peer;
		cfg.peers_n = rows[i].peer;
		begin(&cfg);
		call(&c);
		T_EQ(rows[i].why == NULL, questions);
		if (rows[i].why) {
			forbidden(&c, rows[i].why);
		} else {
			it_is_at(at(7), false);
			T_TRUE(c.up);
		}
		end();
	}
}

static void they_do_not_hold_for_this_machine(void)
{
	static const struct node_caller it = { .number = "2000" };
	struct caller c = { .calling = "2000",
			    .at = net_addr_v4(127, 0, 0, 1, 4570) };
	struct node_cfg cfg = usual();

	cfg.acl.deny = &it;
	cfg.acl.deny_n = 1;
	begin(&cfg);
	call(&c);
	it_is_at(net_addr_v4(127, 0, 0, 1, 4569), true);
	T_TRUE(c.up);
	end();
}

static void what_is_denied_meanwhile_stays_out(void)
{
	static const struct node_caller it = { .number = "2000" };
	struct caller c = { .calling = "2000" };
	struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	cfg.acl.deny = &it;
	cfg.acl.deny_n = 1;
	node_reconfigure(node, &cfg, now);
	it_is_at(at(7), false);
	forbidden(&c, "accept.deny");
	end();
}

static void a_link_ends_when_its_door_is_closed(void)
{
	struct caller c = { .calling = "2000" };
	struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	it_is_at(at(7), false);
	node_reconfigure(node, &cfg, now);
	run(MONO_S);
	T_EQ(0, downs);
	cfg.acl.by_address = false;
	node_reconfigure(node, &cfg, now);
	run(MONO_S);
	T_EQ(1, downs);
	T_STR("no longer welcome: accept.by_address", down_why);
	end();
}

/* --- pace, and bounds --------------------------------------------------- */

static void calls_are_let_in_250_ms_apart(void)
{
	static const char *const number[] = { "2010", "2011", "2012" };
	struct caller c[3] = { { .at = at(10) },
			       { .at = at(11) },
			       { .at = at(12) } };
	const struct node_cfg cfg = usual();
	mono_us began;

	begin(&cfg);
	began = now;
	for (size_t i = 0; i < 3; i++) {
		c[i].calling = number[i];
		call(&c[i]);
		it_is_at(c[i].at, false);
	}
	run(2 * MONO_S);
	for (size_t i = 0; i < 3; i++) {
		T_TRUE(c[i].up);
		T_EQ((int64_t)(i * 250 * MONO_MS),
		     (int64_t)(c[i].up_at - began));
	}
	end();
}

static void who_hangs_up_takes_nobodys_turn(void)
{
	const struct node_cfg cfg = usual();
	struct caller last = { .calling = "2000" };
	static struct caller c[50];

	begin(&cfg);
	for (unsigned i = 0; i < 50; i++) {
		c[i] = (struct caller){ .calling = "2010", .at = at(10) };
		call(&c[i]);
		it_is_at(c[i].at, false);
		hang_up(&c[i]);
		run(100 * MONO_MS);
	}
	call(&last);
	it_is_at(at(7), false);
	run(MONO_S);
	T_TRUE(last.up);
	end();
}

static void who_calls_again_is_taken_anew_after_500_ms(void)
{
	struct caller first = { .calling = "2000" };
	struct caller again = { .calling = "2000" };
	const struct node_cfg cfg = usual();
	mono_us began;

	begin(&cfg);
	call(&first);
	it_is_at(at(7), false);
	run(5 * MONO_S);
	began = now;
	call(&again);
	T_EQ(0, downs); /* not by who may be anybody */
	it_is_at(at(7), false);
	T_EQ(1, downs);
	T_STR("the node called again", down_why);
	run(2 * MONO_S);
	T_TRUE(again.up);
	T_EQ(500 * MONO_MS, (int64_t)(again.up_at - began));
	T_EQ(2, ups);
	T_EQ(0, refusals);
	end();
}

static void an_answer_that_does_not_come_is_not_waited_for(void)
{
	struct caller c = { .calling = "2000" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	run(4 * MONO_S - STEP);
	T_TRUE(!c.rejected);
	run(STEP);
	forbidden(&c, "accept.by_address: nobody said in time where its "
		      "number is");
	/* Late. */
	it_is_at(at(7), false);
	run(MONO_S);
	T_EQ(0, ups);
	T_EQ(1, refusals);
	end();
}

static void who_hangs_up_meanwhile_is_forgotten(void)
{
	struct caller c = { .calling = "2000" }, other = { .calling = "2002" };
	const struct node_cfg cfg = usual();
	struct node_event first;

	begin(&cfg);
	call(&c);
	first = asked;
	run(MONO_S);
	hang_up(&c);
	run(STEP);
	T_EQ(1, refusals);
	T_STR("it went before it was let in", refused.why);
	/* Another takes its place, and is not meant by the answer. */
	call(&other);
	T_EQ(first.caller.slot, asked.caller.slot);
	T_TRUE(first.caller.gen != asked.caller.gen);
	asked = first;
	it_is_at(at(7), false);
	T_TRUE(!other.up);
	end();
}

static void so_many_wait_and_no_more(void)
{
	static struct caller c[NODE_WAITING_MAX + 1];
	char number[NODE_WAITING_MAX + 1][8];
	const struct node_cfg cfg = usual();

	begin(&cfg);
	for (size_t i = 0; i <= NODE_WAITING_MAX; i++) {
		(void)snprintf(number[i], sizeof(number[i]), "%zu", 3000 + i);
		c[i].calling = number[i];
		call(&c[i]);
	}
	T_EQ(NODE_WAITING_MAX, questions);
	put_off(&c[NODE_WAITING_MAX], "too many callers wait to be let in");
	/* There is room again when they were given up. */
	run(5 * MONO_S);
	T_EQ(NODE_WAITING_MAX + 1, refusals);
	c[0] = (struct caller){ .calling = "2000" };
	call(&c[0]);
	it_is_at(at(7), false);
	T_TRUE(c[0].up);
	end();
}

static void a_node_that_stops_lets_nobody_in(void)
{
	struct caller c = { .calling = "2000" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	node_stop(node, now);
	it_is_at(at(7), false);
	forbidden(&c, "the node is stopping");
	end();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_node_is_let_in_from_where_its_number_is);
	T_RUN(one_who_calls_from_elsewhere_is_refused);
	T_RUN(any_of_its_addresses_will_do);
	T_RUN(one_whom_nobody_knows_is_refused_with_the_reason);
	T_RUN(some_numbers_are_refused_at_once);
	T_RUN(where_addresses_prove_nothing_nobody_is_asked);
	T_RUN(another_called_number_is_not_ours);
	T_RUN(a_private_number_is_the_operators_word_only);
	T_RUN(the_lists_hold_for_it_too);
	T_RUN(they_do_not_hold_for_this_machine);
	T_RUN(what_is_denied_meanwhile_stays_out);
	T_RUN(a_link_ends_when_its_door_is_closed);
	T_RUN(calls_are_let_in_250_ms_apart);
	T_RUN(who_hangs_up_takes_nobodys_turn);
	T_RUN(who_calls_again_is_taken_anew_after_500_ms);
	T_RUN(an_answer_that_does_not_come_is_not_waited_for);
	T_RUN(who_hangs_up_meanwhile_is_forgotten);
	T_RUN(so_many_wait_and_no_more);
	T_RUN(a_node_that_stops_lets_nobody_in);
	return T_DONE();
}
