/* SPDX-License-Identifier: MIT */

/* MOVE between two endpoints (OPEN-OVER.md section 4.8): what moves a call, and
 * the watch that notices when its path is dead. */

#include <sodium.h>
#include <string.h>

#include "tests/t.h"
#include "tests/virtual/move_world.h"

/* --- moving ------------------------------------------------------------- */

static void either_end_moves_and_nothing_said_is_lost(void)
{
	for (int who = A; who <= B; who++) {
		begin(true);
		side[who].at = place(9);
		say(A, "one");
		say(B, "two");
		run(300 * MONO_MS);
		T_EQ(0, side[A].texts + side[B].texts);
		move(who, NULL);
		settle();
		T_EQ(1, side[A].moved);
		T_EQ(1, side[B].moved);
		T_TRUE(side[who].ours && !side[1 - who].ours);
		/* At once: not when its timer would have said so. */
		T_EQ(1, side[A].texts);
		T_EQ(1, side[B].texts);
		meet();
		speak(A, 10, true);
		speak(B, 10, true);
		run(60 * MONO_S);
		T_EQ(1, side[A].texts);
		T_EQ(1, side[B].texts);
		T_EQ(10, side[A].voices);
		T_EQ(10, side[B].voices);
		T_EQ(0, side[A].failed + side[B].failed);
		T_EQ(1, iax2_endpoint_calls(side[A].ep));
		T_EQ(1, iax2_endpoint_calls(side[B].ep));
	}
}

static void any_frame_of_a_move_may_be_lost(void)
{
	for (int n = 1; n <= 6; n++) {
		begin(true);
		side[A].at = place(9);
		lose_move = n;
		move(A, NULL);
		run(MONO_S);
		T_EQ(1, side[A].moved);
		T_EQ(1, side[B].moved);
		meet();
	}
}

static void a_path_that_a_punch_proved_is_taken(void)
{
	const struct net_path proved = { .peer = place(22), .sock = 0 };

	begin(true);
	side[B].at = place(22);
	move(A, NULL);
	run(200 * MONO_MS);
	T_EQ(0, side[A].moved);
	move(A, &proved);
	settle();
	T_EQ(1, side[A].moved);
	T_EQ(1, side[B].moved);
	T_TRUE(net_addr_equal(&proved.peer, &side[A].to.peer));
	meet();
	run(30 * MONO_S);
	T_EQ(0, side[A].failed);
	/* From where it was to another family, and back. */
	side[B].at =
		(struct net_addr){ { 0x20, 1, 0xd, 0xb8, [15] = 2 }, 4569 };
	move(A, &(struct net_path){ .peer = side[B].at });
	settle();
	meet();
	T_EQ(2, side[B].moved);
}

static void what_is_under_way_from_the_old_address_is_heard(void)
{
	const struct net_addr old = place(1);
	uint8_t mini[164] = { 0 };
	struct iax2_call_info c;
	uint16_t callno;

	begin(true);
	speak(A, 5, true);
	callno = (uint16_t)((frames[0].data[0] << 8 | frames[0].data[1]) &
			    0x7fff);
	mini[0] = (uint8_t)(callno >> 8);
	mini[1] = (uint8_t)callno;
	side[A].at = place(9);
	move(A, NULL);
	settle();
	T_EQ(5, side[B].voices);
	(void)give(B, &(struct net_addr){ { 0 }, 1 }, mini, sizeof(mini));
	T_EQ(5, side[B].voices);
	c = info(A);
	mini[2] = (uint8_t)((now - c.since) / MONO_MS >> 8);
	T_EQ(IAX2_OK, give(B, &old, mini, sizeof(mini)));
	T_EQ(6, side[B].voices);
	run(6 * MONO_S);
	T_EQ(IAX2_E_STALE, give(B, &old, mini, sizeof(mini)));
	T_EQ(6, side[B].voices);
}

/* Both have other addresses, and each has a path of its own to the other:
 * whatever crosses, they agree on one in the end, and soon. */
static void of_two_moves_at_once_one_is_made(void)
{
	for (int lost = 0; lost <= 10; lost++) {
		for (unsigned order = 0; order < 64; order++) {
			begin(true);
			side[A].at = place(11);
			side[B].at = place(12);
			side[A].also = place(21);
			side[B].also = place(22);
			lose_move = lost;
			move(A, &(struct net_path){ .peer = place(12) });
			move(B, &(struct net_path){ .peer = place(21) });
			for (unsigned bits = order | 64; bits > 1; bits >>= 1)
				(void)carry((int)(bits & 1));
			run(4 * MONO_S);
			T_TRUE(side[A].moved >= 1 && side[B].moved >= 1);
			T_EQ(info(A).path.peer.ip[15],
			     info(B).path.peer.ip[15] + 1);
			say(A, "here");
			say(B, "there");
			run(MONO_S);
			T_EQ(1, side[A].texts);
			T_EQ(1, side[B].texts);
		}
	}
}

static void a_move_that_nobody_answers_fails_and_changes_nothing(void)
{
	begin(true);
	side[A].at = place(9);
	side[B].at = place(8);
	move(A, NULL);
	run(9 * MONO_S);
	T_EQ(0, side[A].failed);
	run(2 * MONO_S);
	T_EQ(1, side[A].failed);
	T_TRUE(!side[A].down);
	/* 10 s of questions, at least 80 ms apart, and not many. */
	T_TRUE(count_steps(A) > 10 && count_steps(A) < 40);
	side[A].at = place(1);
	side[B].at = place(2);
	run(MONO_S);
	say(A, "still here");
	run(5 * MONO_S);
	T_EQ(1, side[B].texts);
	T_EQ(0, side[A].moved);
}

static void only_calls_with_a_ticket_move(void)
{
	struct iax2_call_id none = { 3, 9 };

	begin(false);
	T_TRUE(!info(A).movable);
	T_EQ(IAX2_E_STATE, iax2_move(side[A].ep, side[A].call, NULL, now));
	T_EQ(IAX2_E_STALE, iax2_move(side[A].ep, none, NULL, now));
	T_EQ(IAX2_E_STALE, iax2_unpin(side[A].ep, none));
	T_EQ(IAX2_E_STALE, iax2_ping(side[A].ep, none, now));
	/* A stranger is answered as ever: INVAL, and the call ends there. */
	side[A].at = place(9);
	say(A, "hello");
	run(MONO_S);
	T_TRUE(side[A].down);
	T_EQ(IAX2_DOWN_INVALID, side[A].why);
}

/* --- the watch ---------------------------------------------------------- */

static void while_somebody_speaks_a_dead_path_is_noticed(void)
{
	for (int talker = A; talker <= B; talker++) {
		begin(true);
		speak(talker, 150, true);
		T_EQ(0, side[A].silent + side[B].silent);
		/* What is sent is lost, with no sign of it. */
		side[talker].at = place(9);
		speak(talker, 75, false);
		T_EQ(1, side[A].silent);
		T_EQ(1, side[B].silent);
		T_TRUE(!side[A].down && !side[B].down);
		/* And it is not told for each packet. */
		speak(talker, 100, false);
		T_EQ(1, side[A].silent);
		speak(talker, 400, false);
		T_TRUE(side[A].silent >= 2 && side[A].silent <= 4);
	}
}

static void a_quiet_call_costs_nothing_more(void)
{
	begin(true);
	run(60 * MONO_S);
	/* PING each 20 s and LAGRQ each 10 s, from both, and the answers. */
	T_TRUE(frames_n <= 2U * 3 * (3 + 6) + 6);
	T_EQ(0, side[A].silent + side[B].silent);
	frames_n = 0;
	speak(A, 500, true);
	/* Under two questions a second, with all that answers them. */
	T_TRUE(frames_n <= 10 * 2 * 3 + 10);
	T_EQ(500, side[B].voices);
}

static void a_ping_is_answered_or_the_call_is_silent(void)
{
	mono_us heard;

	begin(true);
	heard = info(A).heard;
	run(MONO_S);
	T_EQ(IAX2_OK, iax2_ping(side[A].ep, side[A].call, now));
	settle();
	T_TRUE(info(A).heard > heard);
	T_EQ(IAX2_OK, iax2_unpin(side[A].ep, side[A].call));
	side[B].at = place(8);
	T_EQ(IAX2_OK, iax2_ping(side[A].ep, side[A].call, now));
	run(MONO_S);
	T_EQ(1, side[A].silent);
	/* It ends for silence no sooner than any. */
	run(10 * MONO_S);
	T_TRUE(!side[A].down);
	run(30 * MONO_S);
	T_TRUE(side[A].down);
	T_EQ(IAX2_DOWN_TIMEOUT, side[A].why);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(either_end_moves_and_nothing_said_is_lost);
	T_RUN(any_frame_of_a_move_may_be_lost);
	T_RUN(a_path_that_a_punch_proved_is_taken);
	T_RUN(what_is_under_way_from_the_old_address_is_heard);
	T_RUN(of_two_moves_at_once_one_is_made);
	T_RUN(a_move_that_nobody_answers_fails_and_changes_nothing);
	T_RUN(only_calls_with_a_ticket_move);
	T_RUN(while_somebody_speaks_a_dead_path_is_noticed);
	T_RUN(a_quiet_call_costs_nothing_more);
	T_RUN(a_ping_is_answered_or_the_call_is_silent);
	move_end();
	return T_DONE();
}
