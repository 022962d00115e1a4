/* SPDX-License-Identifier: MIT */

/* All that does not move a call, frame by frame (OPEN-OVER.md section 4.8). */

#include <sodium.h>
#include <string.h>

#include "proto/openover_node_relay.h"
#include "tests/t.h"
#include "tests/virtual/move_world.h"

static void nothing_moved(void)
{
	T_EQ(0, side[A].moved + side[B].moved);
	T_TRUE(!side[A].down && !side[B].down);
	meet();
}

/* What the called one answers goes to a third party, and no further. */
static void no_frame_of_a_move_moves_it_to_a_third_party(void)
{
	const struct net_addr third = place(99);

	begin(true);
	move(A, NULL);
	settle();
	T_EQ(1, side[B].moved);
	side[A].moved = side[B].moved = 0;
	for (uint8_t step = 1; step <= 4; step++) {
		const struct frame f = *last_step(step);
		const size_t before = frames_n;

		(void)give(1 - f.from, &third, f.data, f.len);
		(void)carry(1 - f.from);
		if (frames_n > before) {
			/* A cookie, no longer than the question. */
			T_EQ(2, step_of(&frames[before]));
			T_EQ(1, step);
			T_TRUE(frames[before].len <= f.len);
			T_TRUE(net_addr_equal(&third, &frames[before].dst));
		}
		T_TRUE(!carry(1 - f.from));
	}
	nothing_moved();
	/* Nor, when the mover is made to believe it: it never asked there. */
	(void)give(B, &third, last_step(1)->data, last_step(1)->len);
	settle();
	move(A, NULL);
	T_EQ(IAX2_E_STATE,
	     give(A, &third, last_step(2)->data, last_step(2)->len));
}

/* A relay says what address a datagram came from.  Whatever its registrar has
 * seen of a move and says again in the peer's name, the call does not come to go
 * by the relay, nor anything to a third party but a cookie. */
static void a_relay_draws_no_call_to_itself(void)
{
	const struct net_path third = { .peer = place(99),
					.sock = OO_SOCK_RELAY };

	for (uint8_t lost = 3; lost <= 4; lost++) {
		begin(true);
		side[A].at = place(9);
		lose_move = lost;
		move(A, NULL);
		settle();
		for (uint8_t step = 1; step <= lost; step++) {
			const struct frame f = *last_step(step);
			const int to = 1 - f.from;
			const struct net_path by = { .peer = f.src,
						     .sock = OO_SOCK_RELAY };
			const size_t before = frames_n;

			(void)give_by(to, &by, f.data, f.len);
			(void)give_by(to, &third, f.data, f.len);
			while (carry(to)) {
				T_TRUE(step == 1 && frames_n <= before + 2);
				T_EQ(2, step_of(&frames[frames_n - 1]));
				T_TRUE(frames[frames_n - 1].len <= f.len);
			}
		}
		T_EQ(0, info(A).path.sock);
		T_EQ(0, info(B).path.sock);
		T_EQ(0, side[A].moved);
		run(4 * MONO_S);
		T_EQ(1, side[A].moved);
		T_EQ(1, side[B].moved);
		T_EQ(0, info(A).path.sock);
		T_EQ(0, info(B).path.sock);
		meet();
	}
}

/* Signed, new, and never seen: but not from where it was signed for. */
static void a_commit_that_is_held_back_moves_nothing_from_elsewhere(void)
{
	const struct net_addr third = place(99);
	const struct frame *f;

	begin(true);
	side[A].at = place(9);
	lose_move = 3;
	move(A, NULL);
	settle();
	f = last_step(3);
	T_EQ(IAX2_E_REPLAY, give(B, &third, f->data, f->len));
	T_TRUE(!carry(B));
	T_EQ(0, side[B].moved);
	T_EQ(IAX2_OK, give(B, &f->src, f->data, f->len));
	T_EQ(1, side[B].moved);
	settle();
	meet();
}

static void a_move_that_was_made_is_not_made_again(void)
{
	struct frame f;

	begin(true);
	side[A].at = place(9);
	move(A, NULL);
	settle();
	f = *last_step(3);
	side[A].at = place(10);
	move(A, NULL);
	settle();
	T_EQ(2, side[B].moved);
	run(MONO_S);
	/* Held back and sent again from where it was good. */
	T_EQ(IAX2_E_REPLAY, give(B, &f.src, f.data, f.len));
	T_EQ(2, side[B].moved);
	meet();
	/* The last one, again: the same answer, and no more often than that. */
	f = *last_step(3);
	frames_n = 0;
	for (int i = 0; i < 50; i++) {
		(void)give(B, &f.src, f.data, f.len);
		settle();
		now += MONO_MS;
	}
	T_EQ(1, count_steps(B));
	T_EQ(2, side[B].moved);
	T_EQ(2, side[A].moved);
}

static void a_forged_move_draws_nothing(void)
{
	const struct net_addr third = place(99);
	struct frame f;

	begin(true);
	move(A, NULL);
	(void)carry(A);
	f = *last_step(1);
	/* Any bit of it. */
	for (size_t bit = 0; bit < 8 * f.len; bit++) {
		uint64_t failed;

		/* The retransmission bit is nobody's seal's. */
		if (bit == 8 * 2 + 7)
			continue;
		f.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		failed = iax2_endpoint_counters(side[B].ep)->auth_failed;
		(void)give(B, &third, f.data, f.len);
		while (carry(B))
			T_TRUE(!net_addr_equal(&third,
					       &frames[frames_n - 1].dst) ||
			       step_of(&frames[frames_n - 1]) == 0);
		T_TRUE(iax2_endpoint_counters(side[B].ep)->auth_failed >=
		       failed);
		f.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	settle();
	T_TRUE(!side[A].down && !side[B].down);
}

/* The registrar made the token and so knows the seal's key; it has no node's
 * identity. */
static void a_seal_without_the_peers_signature_moves_nothing(void)
{
	const struct net_addr third = place(99);
	uint8_t key[KEY_SHARED_LEN], body[160];
	const uint8_t token_key[KEY_SHARED_LEN] = { 1, 2, 3 };
	const struct key_part parts[] = {
		{ side[A].id.public_key, KEY_PUBLIC_LEN },
		{ side[B].id.public_key, KEY_PUBLIC_LEN },
	};
	struct iax2_ie_view v;
	struct frame f;
	struct wire_wr w;

	begin(true);
	key_derive(key, token_key, "keyhole move caller", parts, 2);
	move(A, NULL);
	settle();
	side[A].moved = side[B].moved = 0;
	/* It asks from its own address and gets a cookie for that. */
	f = *last_step(1);
	(void)give(B, &third, f.data, f.len);
	T_TRUE(carry(B));
	f = frames[frames_n - 1];
	T_EQ(2, step_of(&f));
	for (int signature = 0; signature < 2; signature++) {
		const struct frame c = *last_step(3);

		memcpy(body, c.data, IAX2_FULL_HDR_LEN);
		w = wire_wr(body, sizeof(body));
		w.p += IAX2_FULL_HDR_LEN;
		T_TRUE(iax2_ie_find(f.data + IAX2_FULL_HDR_LEN,
				    f.len - IAX2_FULL_HDR_LEN, IAX2_IE_KH_MOVE,
				    &v));
		iax2_ie_put(&w, IAX2_IE_KH_MOVE, v.value, v.len);
		iax2_ie_put_u8(&w, IAX2_IE_KH_STEP, 3);
		T_TRUE(iax2_ie_find(f.data + IAX2_FULL_HDR_LEN,
				    f.len - IAX2_FULL_HDR_LEN, IAX2_IE_KH_PATH,
				    &v));
		iax2_ie_put(&w, IAX2_IE_KH_PATH, v.value, v.len);
		/* One of the peer's, from another move. */
		T_TRUE(iax2_ie_find(c.data + IAX2_FULL_HDR_LEN,
				    c.len - IAX2_FULL_HDR_LEN,
				    IAX2_IE_ED25519_RESULT, &v));
		if (signature)
			iax2_ie_put(&w, IAX2_IE_ED25519_RESULT, v.value, v.len);
		seal_append(&w, body, key);
		T_EQ(signature ? IAX2_E_REFUSED : IAX2_E_BAD_IE,
		     give(B, &third, body, (size_t)(w.p - body)));
		T_TRUE(!carry(B));
	}
	nothing_moved();
}

static void a_stranger_who_knows_the_numbers_draws_no_inval(void)
{
	const struct net_addr third = place(99);
	struct frame f;

	begin(true);
	say(A, "text");
	(void)carry(A);
	f = frames[0];
	settle();
	T_EQ(IAX2_E_STALE, give(B, &third, f.data, f.len));
	T_TRUE(!carry(B));
	nothing_moved();
}

static void a_move_for_no_call_is_dropped(void)
{
	struct frame f;

	begin(true);
	move(A, NULL);
	(void)carry(A);
	f = *last_step(1);
	settle();
	T_EQ(IAX2_OK, iax2_hangup(side[B].ep, side[B].call, NULL, 16, now));
	run(8 * MONO_S);
	T_EQ(IAX2_E_STALE, give(B, &f.src, f.data, f.len));
	T_TRUE(!carry(B));
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(no_frame_of_a_move_moves_it_to_a_third_party);
	T_RUN(a_relay_draws_no_call_to_itself);
	T_RUN(a_commit_that_is_held_back_moves_nothing_from_elsewhere);
	T_RUN(a_move_that_was_made_is_not_made_again);
	T_RUN(a_forged_move_draws_nothing);
	T_RUN(a_seal_without_the_peers_signature_moves_nothing);
	T_RUN(a_stranger_who_knows_the_numbers_draws_no_inval);
	T_RUN(a_move_for_no_call_is_dropped);
	move_end();
	return T_DONE();
}
