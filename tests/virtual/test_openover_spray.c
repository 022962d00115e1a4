/* SPDX-License-Identifier: MIT */

/* Port probing by itself: which ports are tried, from which sockets, how many
 * and when (OPEN-OVER.md section 4.6). */

#include <string.h>

#include "proto/openover_spray.h"
#include "tests/t.h"

#define BEGAN (10 * MONO_S)
#define PACKETS 2048U
#define CHANGES OO_NAT_PORT_CHANGED

static struct {
	struct dgram_queue *tx;
	struct oo_punch p;
	uint64_t dice;
	unsigned change;
	mono_us first; /* when the first probe left; 0: none did */
	unsigned n;
	struct net_path path[4096];
} s;

static void random_octets(void *ctx, uint8_t *buf, size_t len)
{
	uint64_t *x = ctx;

	for (size_t i = 0; i < len; i++) {
		*x = *x * UINT64_C(6364136223846793005) + 1442695040888963407U;
		buf[i] = (uint8_t)(*x >> 56);
	}
}

static struct net_addr theirs(void)
{
	return net_addr_v4(203, 0, 113, 9, 4569);
}

static void begin_at(const struct oo_candidates *c, uint8_t own, uint8_t peer,
		     uint32_t packets)
{
	struct oo_punch_cfg cfg = { .role = OO_PUNCH_CALLER,
				    .token = { 7 },
				    .candidates = *c,
				    .own_nat = own,
				    .peer_nat = peer,
				    .spray_packets = packets,
				    .spray_sockets = 256,
				    .random = random_octets,
				    .random_ctx = &s.dice };

	memset(&s, 0, sizeof(s));
	s.tx = dgram_queue_new(16);
	T_TRUE(s.tx != NULL);
	cfg.tx = s.tx;
	oo_punch_start(&s.p, &cfg, BEGAN);
}

static void begin(uint8_t own, uint8_t peer)
{
	const struct net_addr a = theirs();
	struct oo_candidates c = { .n = 0 };

	oo_candidate_add(&c, OO_CANDIDATE_REFLEXIVE, &a);
	begin_at(&c, own, peer, PACKETS);
}

/* Only the probing, not the punch around it; @ms after the punch began. */
static void run(unsigned from_ms, unsigned to_ms)
{
	struct dgram d;

	for (unsigned ms = from_ms; ms < to_ms; ms++) {
		const mono_us now = BEGAN + ms * MONO_MS;

		s.change |= oo_spray_tick(&s.p, now);
		while (dgram_queue_pop(s.tx, &d)) {
			if (s.n == 0)
				s.first = now;
			T_TRUE(s.n < sizeof(s.path) / sizeof(s.path[0]));
			s.path[s.n++] = d.path;
		}
	}
}

static void end(void)
{
	s.tx = dgram_queue_free(s.tx);
}

static void told(unsigned round, uint16_t last, int own, int peer,
		 unsigned at_ms)
{
	const struct oo_ports a = { (uint8_t)round, 30000, (int16_t)own };
	const struct oo_ports b = { (uint8_t)round, last, (int16_t)peer };

	oo_spray_ports(&s.p, &a, &b, BEGAN + at_ms * MONO_MS);
}

static const char *tried(void)
{
	return oo_spray_tried(&s.p);
}

static void where_ports_are_kept_nothing_is_probed(void)
{
	begin(0, 0);
	run(0, 9000);
	T_EQ(0, s.n);
	T_EQ(0, s.change);
	T_STR("", tried());
	T_EQ(BEGAN + 5 * MONO_S, s.p.ends);
	end();
}

static void it_can_be_switched_off(void)
{
	const struct net_addr a = theirs();
	struct oo_candidates c = { .n = 0 };

	oo_candidate_add(&c, OO_CANDIDATE_REFLEXIVE, &a);
	begin_at(&c, CHANGES, 0, 0);
	run(0, 9000);
	T_EQ(0, s.n + s.change);
	T_STR("", tried());
	end();
}

static void ports_of_a_peer_without_order_are_random_and_not_low(void)
{
	static bool seen[65536];
	unsigned distinct = 0;

	begin(0, CHANGES);
	T_STR("", tried());
	run(0, 9000);
	T_EQ(BEGAN + 600 * MONO_MS, s.first);
	T_EQ(OO_PUNCH_LOOK, s.change);
	T_EQ(PACKETS, s.n);
	for (unsigned i = 0; i < s.n; i++) {
		const uint16_t port = s.path[i].peer.port;
		const struct net_addr a = theirs();

		T_EQ(0, s.path[i].sock);
		T_TRUE(net_addr_same_ip(&a, &s.path[i].peer));
		T_TRUE(port >= 1024);
		distinct += !seen[port];
		seen[port] = true;
	}
	T_TRUE(distinct > 2000);
	T_STR(", ports at random", tried());
	end();
}

static void one_of_five_is_where_a_peer_in_order_will_be(void)
{
	unsigned where[3] = { 0 };

	begin(0, CHANGES);
	told(1, 40000, 0, 2, 400);
	run(400, 500);
	/* Sooner than by chance. */
	T_EQ(BEGAN + 400 * MONO_MS, s.first);
	T_EQ(50, s.n);
	for (unsigned i = 0; i < s.n; i += 5) {
		const unsigned ahead = s.path[i].peer.port - 40000U;

		T_TRUE(ahead == 32 || ahead == 96 || ahead == 256);
		where[ahead == 32 ? 0 : ahead == 96 ? 1 : 2]++;
	}
	for (size_t i = 0; i < 3; i++)
		T_TRUE(where[i] >= 3);
	end();
}

static void no_low_port_is_tried_where_the_order_leads_there(void)
{
	begin(0, CHANGES);
	told(1, 65500, 0, 3, 400);
	run(400, 600);
	T_EQ(100, s.n);
	for (unsigned i = 0; i < s.n; i++)
		T_TRUE(s.path[i].peer.port >= 1024);
	end();
}

static void own_ports_that_change_are_many_sockets(void)
{
	const struct net_addr a = theirs();

	begin(CHANGES, 0);
	run(0, 700);
	/* Asked for once, and nothing sent until they are there. */
	T_EQ(OO_PUNCH_SOCKETS | OO_PUNCH_LOOK, s.change);
	T_EQ(0, s.n);
	s.change = 0;
	run(700, 900);
	T_EQ(0, s.change);
	oo_punch_sockets(&s.p, 100, 8, BEGAN + 900 * MONO_MS);
	run(900, 1000);
	T_EQ(50, s.n);
	for (unsigned i = 0; i < s.n; i++) {
		T_EQ(100 + i % 8, s.path[i].sock);
		T_TRUE(net_addr_equal(&a, &s.path[i].peer));
	}
	end();
}

static void sockets_that_come_early_wait_for_their_time(void)
{
	begin(CHANGES, 0);
	oo_punch_sockets(&s.p, 100, 8, BEGAN + 100 * MONO_MS);
	run(100, 600);
	T_EQ(0, s.n);
	run(600, 650);
	T_EQ(25, s.n);
	end();
}

static void no_more_leaves_than_was_allowed(void)
{
	const struct net_addr a = theirs();
	struct oo_candidates c = { .n = 0 };

	oo_candidate_add(&c, OO_CANDIDATE_REFLEXIVE, &a);
	begin_at(&c, 0, CHANGES, 7);
	run(0, 9000);
	T_EQ(7, s.n);
	T_EQ(MONO_NEVER, s.p.spray_at);
	end();
	begin_at(&c, CHANGES, 0, 7);
	oo_punch_sockets(&s.p, 100, 8, BEGAN);
	run(0, 9000);
	T_EQ(7, s.n);
	T_EQ(MONO_NEVER, s.p.spray_at);
	end();
}

static void only_an_address_that_is_a_translators_is_probed(void)
{
	const struct net_addr local = net_addr_v4(192, 168, 1, 9, 4569);
	const struct net_addr v6 = { .ip = { 0x20, 1, 0xd, 0xb8 },
				     .port = 4569 };
	struct oo_candidates c = { .n = 0 };

	oo_candidate_add(&c, OO_CANDIDATE_LOCAL, &local);
	oo_candidate_add(&c, OO_CANDIDATE_REFLEXIVE, &v6);
	begin_at(&c, 0, CHANGES, PACKETS);
	run(0, 9000);
	T_EQ(0, s.n);
	T_EQ(MONO_NEVER, s.p.spray_at);
	end();
}

static void two_in_order_meet_ahead_of_the_last_port(void)
{
	begin(CHANGES, CHANGES);
	T_STR(", both ends change ports", tried());
	oo_punch_sockets(&s.p, 100, 256, BEGAN);
	run(0, 700);
	/* By chance there is nothing to hope for. */
	T_EQ(0, s.n);
	for (unsigned round = 1; round <= 4; round++) {
		const unsigned at = round * 1000;

		s.n = s.change = 0;
		told(round, 40000, 1, 2, at);
		run(at, at + 999);
		/* Six from each of 64. */
		T_TRUE(s.n >= 384 && s.n <= 388);
		for (unsigned i = 0; i < s.n; i++) {
			T_EQ(40000 + 2 * (16 + 12 * (round - 1)),
			     s.path[i].peer.port);
			T_EQ(100 + i % 64, s.path[i].sock);
		}
		/* The caller begins another, but for the last. */
		run(at + 999, at + 1001);
		T_EQ(round < 4 ? OO_PUNCH_LOOK : 0, s.change);
	}
	T_STR(", ports predicted", tried());
	end();
}

static void few_sockets_leave_those_alone_that_look(void)
{
	begin(CHANGES, CHANGES);
	oo_punch_sockets(&s.p, 100, 20, BEGAN);
	told(1, 40000, 1, 1, 700);
	run(700, 800);
	T_EQ(50, s.n);
	for (unsigned i = 0; i < s.n; i++)
		T_TRUE(s.path[i].sock >= 100 && s.path[i].sock < 108);
	end();
	begin(CHANGES, CHANGES);
	oo_punch_sockets(&s.p, 100, 12, BEGAN);
	told(1, 40000, 1, 1, 700);
	run(700, 800);
	T_EQ(0, s.n);
	end();
}

static void a_guess_that_is_a_low_port_is_not_made(void)
{
	begin(CHANGES, CHANGES);
	oo_punch_sockets(&s.p, 100, 256, BEGAN);
	told(1, 65530, 1, 1, 700);
	run(700, 1600);
	T_EQ(0, s.n);
	end();
}

static void the_extra_sockets_are_asked_for_when_a_round_needs_them(void)
{
	begin(CHANGES, CHANGES);
	told(1, 40000, 1, 1, 700);
	run(700, 900);
	T_EQ(0, s.n);
	T_EQ(OO_PUNCH_SOCKETS, s.change & OO_PUNCH_SOCKETS);
	end();
}

static void without_order_at_either_end_the_punch_ends_early(void)
{
	static const struct {
		int own, peer;
		const char *tried;
	} rows[] = {
		{ 0, 0, ", ports random at both ends" },
		{ 1, 0, ", ports random at one end" },
		{ 0, 1, ", ports random at one end" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(CHANGES, CHANGES);
		oo_punch_sockets(&s.p, 100, 256, BEGAN);
		told(1, 40000, rows[i].own, rows[i].peer, 700);
		run(700, 5000);
		T_EQ(0, s.n);
		T_EQ(BEGAN + 5 * MONO_S, s.p.ends);
		T_STR(rows[i].tried, tried());
		end();
	}
	/* Known late, at once. */
	begin(CHANGES, CHANGES);
	told(1, 40000, 0, 0, 6000);
	T_EQ(BEGAN + 6 * MONO_S, s.p.ends);
	end();
}

static void what_is_of_another_round_or_too_late_is_not_used(void)
{
	const struct oo_ports one = { 1, 30000, 1 }, two = { 2, 40000, 1 };

	begin(CHANGES, CHANGES);
	oo_punch_sockets(&s.p, 100, 256, BEGAN);
	oo_spray_ports(&s.p, &one, &two, BEGAN);
	run(0, 100);
	T_EQ(0, s.n);
	/* The same round twice does not begin it again. */
	told(1, 40000, 1, 1, 100);
	run(100, 1000);
	T_TRUE(s.n >= 384);
	s.n = 0;
	told(1, 40000, 1, 1, 1000);
	run(1000, 1900);
	T_EQ(0, s.n);
	/* A way was found. */
	s.p.proved_at = BEGAN + 1900 * MONO_MS;
	told(2, 40000, 1, 1, 1900);
	run(1900, 2500);
	T_EQ(0, s.n);
	end();
}

int main(void)
{
	T_RUN(where_ports_are_kept_nothing_is_probed);
	T_RUN(it_can_be_switched_off);
	T_RUN(ports_of_a_peer_without_order_are_random_and_not_low);
	T_RUN(one_of_five_is_where_a_peer_in_order_will_be);
	T_RUN(no_low_port_is_tried_where_the_order_leads_there);
	T_RUN(own_ports_that_change_are_many_sockets);
	T_RUN(sockets_that_come_early_wait_for_their_time);
	T_RUN(no_more_leaves_than_was_allowed);
	T_RUN(only_an_address_that_is_a_translators_is_probed);
	T_RUN(two_in_order_meet_ahead_of_the_last_port);
	T_RUN(few_sockets_leave_those_alone_that_look);
	T_RUN(a_guess_that_is_a_low_port_is_not_made);
	T_RUN(the_extra_sockets_are_asked_for_when_a_round_needs_them);
	T_RUN(without_order_at_either_end_the_punch_ends_early);
	T_RUN(what_is_of_another_round_or_too_late_is_not_used);
	return T_DONE();
}
