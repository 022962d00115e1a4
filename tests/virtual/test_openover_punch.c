/* SPDX-License-Identifier: MIT */

/* One punch by itself: when each address of the peer is tried, and which of
 * those that answer is taken (OPEN-OVER.md section 4.5). */

#include <sodium.h>
#include <string.h>

#include "proto/iax2_frame.h"
#include "proto/openover_punch.h"
#include "tests/t.h"

#define BEGAN (10 * MONO_S)

static const struct net_addr us = { .ip = { 0x20, 1, 0xd, 0xb8, 1 },
				    .port = 4569 };

/* A caller, and the target that answers it. */
static struct {
	struct dgram_queue *tx, *target_tx;
	struct oo_punch caller, target;
} s;

static struct net_addr v4(uint8_t last)
{
	return net_addr_v4(203, 0, 113, last, 4569);
}

static struct net_addr local(uint8_t last)
{
	return net_addr_v4(192, 168, 1, last, 4569);
}

static struct net_addr v6(uint8_t last)
{
	return (struct net_addr){ .ip = { 0x20, 1, 0xd, 0xb8, 2, [15] = last },
				  .port = 4569 };
}

static void begin(const struct oo_candidates *c)
{
	struct oo_punch_cfg cfg = { .role = OO_PUNCH_CALLER, .token = { 7 } };

	s.tx = dgram_queue_new(256);
	s.target_tx = dgram_queue_new(256);
	T_TRUE(s.tx && s.target_tx);
	cfg.candidates = *c;
	cfg.tx = s.tx;
	oo_punch_start(&s.caller, &cfg, BEGAN);
	cfg.role = OO_PUNCH_TARGET;
	cfg.tx = s.target_tx;
	cfg.candidates.n = 0;
	oo_punch_start(&s.target, &cfg, BEGAN);
}

static void end(void)
{
	dgram_queue_free(s.tx);
	dgram_queue_free(s.target_tx);
}

static unsigned give(struct oo_punch *p, const struct dgram *d,
		     const struct net_addr *from, mono_us now)
{
	struct dgram in = *d;
	struct oo_msg m;

	in.path = (struct net_path){ .peer = *from };
	T_EQ(IAX2_OK, oo_msg_decode(in.data, in.len, &m));
	return oo_punch_rx(p, &in, &m, now);
}

/* Let the caller go on until @until; what is sent to @answers is answered at
 * once, and all else lost.  Returns when a way was chosen, or 0. */
static mono_us run(const struct net_addr *answers, mono_us until)
{
	for (mono_us now = BEGAN; now < until; now += MONO_MS) {
		unsigned change = oo_punch_tick(&s.caller, now);
		struct dgram d, back;

		while (dgram_queue_pop(s.tx, &d)) {
			if (!answers || !net_addr_equal(&d.path.peer, answers))
				continue;
			(void)give(&s.target, &d, &us, now);
			while (dgram_queue_pop(s.target_tx, &back)) {
				if (back.data[11] == IAX2_IAX_PONG)
					change |= give(&s.caller, &back,
						       answers, now);
			}
		}
		if (change & OO_PUNCH_CHOSEN)
			return now;
	}
	return 0;
}

static void addresses_of_a_kind_are_tried_one_after_the_other(void)
{
	struct oo_candidates c = { .n = 0 };
	mono_us first[6] = { 0 }, second[6] = { 0 };
	struct net_addr a[6] = {
		local(1), local(2), v6(1), v6(2), v4(1), v4(2)
	};
	struct dgram d;

	for (size_t i = 0; i < 6; i++)
		oo_candidate_add(
			&c, i < 2 ? OO_CANDIDATE_LOCAL : OO_CANDIDATE_REFLEXIVE,
			&a[i]);
	begin(&c);
	for (mono_us now = BEGAN; now < BEGAN + 200 * MONO_MS; now += MONO_MS) {
		T_TRUE(oo_punch_deadline(&s.caller) >= now);
		(void)oo_punch_tick(&s.caller, now);
		while (dgram_queue_pop(s.tx, &d)) {
			for (size_t i = 0; i < 6; i++) {
				if (!net_addr_equal(&a[i], &d.path.peer))
					continue;
				if (first[i] == 0)
					first[i] = now;
				else if (second[i] == 0)
					second[i] = now;
			}
		}
	}
	for (size_t i = 0; i < 6; i++) {
		T_EQ(BEGAN + (i % 2) * 20 * MONO_MS, first[i]);
		T_EQ(first[i] + 60 * MONO_MS, second[i]);
	}
	end();
}

static mono_us wait_for(enum oo_candidate_type type,
			const struct net_addr *better,
			const struct net_addr *answers)
{
	struct oo_candidates c = { .n = 0 };
	mono_us at;

	oo_candidate_add(&c, type, better);
	oo_candidate_add(&c, OO_CANDIDATE_REFLEXIVE, answers);
	begin(&c);
	at = run(answers, BEGAN + MONO_S);
	T_TRUE(at != 0);
	T_TRUE(net_addr_equal(answers, &oo_punch_best(&s.caller)->path.peer));
	end();
	return at - BEGAN;
}

static void a_better_way_has_a_short_head_start(void)
{
	const struct net_addr one = v4(1), two = v4(2), six = v6(1),
			      near = local(1);

	T_EQ(0, wait_for(OO_CANDIDATE_REFLEXIVE, &one, &six));
	T_EQ(50 * MONO_MS, wait_for(OO_CANDIDATE_REFLEXIVE, &six, &one));
	T_EQ(40 * MONO_MS, wait_for(OO_CANDIDATE_LOCAL, &near, &one));
	T_EQ(40 * MONO_MS, wait_for(OO_CANDIDATE_LOCAL, &near, &six));
	/* The second of a kind waits for its turn, and for nothing else. */
	T_EQ(20 * MONO_MS, wait_for(OO_CANDIDATE_REFLEXIVE, &one, &two));
	T_EQ(20 * MONO_MS, wait_for(OO_CANDIDATE_MAPPED, &one, &two));
}

static void what_has_a_neighbours_address_gets_four_packets(void)
{
	struct oo_candidates c = { .n = 0 };
	const struct net_addr a = local(1), b = v4(1);
	unsigned near = 0, far = 0;
	struct dgram d;

	oo_candidate_add(&c, OO_CANDIDATE_LOCAL, &a);
	oo_candidate_add(&c, OO_CANDIDATE_REFLEXIVE, &b);
	begin(&c);
	for (mono_us now = BEGAN; now < BEGAN + 9 * MONO_S; now += MONO_MS) {
		(void)oo_punch_tick(&s.caller, now);
		while (dgram_queue_pop(s.tx, &d)) {
			near += net_addr_equal(&a, &d.path.peer);
			far += net_addr_equal(&b, &d.path.peer);
		}
	}
	T_EQ(4, near);
	T_TRUE(far > 15 && far <= 30);
	end();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(addresses_of_a_kind_are_tried_one_after_the_other);
	T_RUN(a_better_way_has_a_short_head_start);
	T_RUN(what_has_a_neighbours_address_gets_four_packets);
	return T_DONE();
}
