/* SPDX-License-Identifier: MIT */

/* MOVE between two endpoints, frame by frame (OPEN-OVER.md section 4.8): what
 * moves a call, and all that does not. */

#include <sodium.h>
#include <string.h>

#include "proto/iax2_endpoint.h"
#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"
#include "tests/t.h"

#define SIDES 2
#define LOG_MAX 4096

enum { A, B }; /* A called B */

struct side {
	struct iax2_endpoint *ep;
	struct key_identity id;
	struct net_addr at;   /* where it is, as the other sees it */
	struct net_addr also; /* and where the other's own @also sees it */
	struct iax2_call_id call;
	unsigned moved, silent, failed, texts, voices;
	bool down;
	enum iax2_down_reason why;
	struct net_path from, to; /* of the last move */
	bool ours;
};

struct frame {
	int from;
	struct net_addr src;
	struct net_addr dst;
	uint8_t data[DGRAM_MAX];
	size_t len;
};

static struct side side[SIDES];
static mono_us now;
static uint64_t rng;
static struct frame frames[LOG_MAX]; /* of type IAX and others, no minis */
static size_t frames_n;
static int lose_move; /* of those from now on, this MOVE is lost; 0: none */

static void unpredictable(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		rng = rng * UINT64_C(6364136223846793005) + 1442695040888963407;
		buf[i] = (uint8_t)(rng >> 56);
	}
}

static struct net_addr place(uint8_t n)
{
	return net_addr_v4(198, 51, 100, n, 4569);
}

static bool is_move(const uint8_t *p, size_t len)
{
	return len >= IAX2_FULL_HDR_LEN && (p[0] & 0x80) &&
	       p[10] == IAX2_FRAME_IAX && p[11] == IAX2_IAX_MOVE;
}

static uint8_t step_of(const struct frame *f)
{
	uint8_t step = 0;

	if (is_move(f->data, f->len))
		(void)iax2_ie_u8(f->data + IAX2_FULL_HDR_LEN,
				 f->len - IAX2_FULL_HDR_LEN, IAX2_IE_KH_STEP,
				 &step);
	return step;
}

static void events(struct side *s)
{
	struct iax2_event ev;

	while (iax2_endpoint_next_event(s->ep, &ev)) {
		if (ev.kind == IAX2_EV_CALL_IN) {
			s->call = ev.call;
			T_EQ(IAX2_OK, iax2_accept(s->ep, ev.call, now));
		}
		s->texts += ev.kind == IAX2_EV_TEXT;
		s->voices += ev.kind == IAX2_EV_VOICE;
		s->silent += ev.kind == IAX2_EV_CALL_SILENT;
		s->failed += ev.kind == IAX2_EV_MOVE_FAILED;
		if (ev.kind == IAX2_EV_CALL_DOWN) {
			s->down = true;
			s->why = ev.u.down.reason;
		}
		if (ev.kind == IAX2_EV_CALL_MOVED) {
			s->moved++;
			s->from = ev.u.moved.from;
			s->to = ev.u.moved.to;
			s->ours = ev.u.moved.ours;
		}
	}
}

static enum iax2_err give(int to, const struct net_addr *src,
			  const uint8_t *data, size_t len)
{
	uint8_t *copy = t_dup(data, len);
	const struct dgram d = { .path.peer = *src, .data = copy, .len = len };
	const enum iax2_err err = iax2_endpoint_rx(side[to].ep, &d, now);

	free(copy);
	events(&side[to]);
	return err;
}

/* Take what @from sends; it arrives where somebody is. */
static bool carry(int from)
{
	const int to = 1 - from;
	struct frame *f = &frames[frames_n];
	struct dgram d;

	if (!iax2_endpoint_next_tx(side[from].ep, &d))
		return false;
	f->from = from;
	f->dst = d.path.peer;
	f->src = net_addr_equal(&f->dst, &side[to].also) ? side[from].also
							 : side[from].at;
	f->len = d.len;
	memcpy(f->data, d.data, d.len);
	if (d.data[0] & 0x80) {
		T_TRUE(frames_n < LOG_MAX - 1);
		frames_n++;
	}
	if (is_move(d.data, d.len) && lose_move > 0 && --lose_move == 0)
		return true;
	if (net_addr_equal(&f->dst, &side[to].at) ||
	    net_addr_equal(&f->dst, &side[to].also))
		(void)give(to, &f->src, f->data, f->len);
	return true;
}

static void settle(void)
{
	while (carry(A) || carry(B))
		;
}

static void run(mono_us d)
{
	const mono_us until = now + d;

	for (;;) {
		mono_us due;

		settle();
		due = mono_min(iax2_endpoint_deadline(side[A].ep),
			       iax2_endpoint_deadline(side[B].ep));
		if (due > until)
			break;
		now = due > now ? due : now;
		for (int i = 0; i < SIDES; i++) {
			iax2_endpoint_tick(side[i].ep, now);
			events(&side[i]);
		}
	}
	now = until;
}

/* A call that is up, by ticket or without. */
static void begin(bool ticketed)
{
	struct iax2_ticket t = { .id = 77, .key = { 1, 2, 3 } };
	struct iax2_dial dial = { .path.peer = place(2),
				  .called = "2002",
				  .calling = "2001" };
	struct iax2_endpoint_cfg cfg = {
		.calls_max = 8,
		.tx_max = 256,
		.limits = { 8, 8, 8, 1000, 1000 },
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = unpredictable,
	};

	now = 100 * MONO_S;
	rng = 5;
	lose_move = 0;
	for (int i = 0; i < SIDES; i++) {
		const uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };

		iax2_endpoint_free(side[i].ep);
		memset(&side[i], 0, sizeof(side[i]));
		side[i].at = place((uint8_t)(i + 1));
		key_identity_from_seed(&side[i].id, seed);
		cfg.identity = &side[i].id;
		side[i].ep = iax2_endpoint_new(&cfg, now);
		T_TRUE(side[i].ep != NULL);
	}
	t.expires = now + 10 * MONO_S;
	memcpy(t.peer_key, side[A].id.public_key, KEY_PUBLIC_LEN);
	memcpy(t.peer_number, "2001", 5);
	T_EQ(IAX2_OK, iax2_expect(side[B].ep, &t, &side[A].at, now));
	memcpy(t.peer_key, side[B].id.public_key, KEY_PUBLIC_LEN);
	memcpy(t.peer_number, "2002", 5);
	if (ticketed)
		dial.ticket = &t;
	T_EQ(IAX2_OK, iax2_dial(side[A].ep, &dial, now, &side[A].call));
	run(5 * MONO_S);
	frames_n = 0;
}

static struct iax2_call_info info(int i)
{
	struct iax2_call_info c;

	T_EQ(IAX2_OK, iax2_call_info(side[i].ep, side[i].call, &c));
	T_TRUE(c.up);
	return c;
}

/* Both ends send where the other one is. */
static void meet(void)
{
	for (int i = 0; i < SIDES; i++) {
		const struct iax2_call_info c = info(i);

		T_TRUE(net_addr_equal(&side[1 - i].at, &c.path.peer));
	}
}

static void say(int i, const char *text)
{
	T_EQ(IAX2_OK, iax2_send_text(side[i].ep, side[i].call, text, now));
}

static void speak(int i, unsigned n, bool spurt)
{
	static const uint8_t silence[160] = { 0 };

	for (unsigned k = 0; k < n; k++) {
		struct iax2_voice v = { silence, sizeof(silence), 0,
					spurt && k == 0 };

		T_EQ(IAX2_OK,
		     iax2_media_time(side[i].ep, side[i].call, now, &v.ts_ms));
		(void)iax2_send_voice(side[i].ep, side[i].call, &v, now);
		run(20 * MONO_MS);
	}
}

static void move(int i, const struct net_path *path)
{
	T_EQ(IAX2_OK, iax2_move(side[i].ep, side[i].call, path, now));
}

static const struct frame *last_step(uint8_t step)
{
	for (size_t i = frames_n; i-- > 0;) {
		if (step_of(&frames[i]) == step)
			return &frames[i];
	}
	t_fail_str(__FILE__, __LINE__, "the frames", "such a step", "none");
}

static unsigned count_steps(int from)
{
	unsigned n = 0;

	for (size_t i = 0; i < frames_n; i++)
		n += frames[i].from == from && step_of(&frames[i]) != 0;
	return n;
}

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
	{
		const struct net_addr old = place(1);

		T_EQ(IAX2_OK, give(B, &old, mini, sizeof(mini)));
		T_EQ(6, side[B].voices);
		run(6 * MONO_S);
		T_EQ(IAX2_E_STALE, give(B, &old, mini, sizeof(mini)));
		T_EQ(6, side[B].voices);
	}
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

/* --- who may not move it ------------------------------------------------ */

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
	T_RUN(no_frame_of_a_move_moves_it_to_a_third_party);
	T_RUN(a_commit_that_is_held_back_moves_nothing_from_elsewhere);
	T_RUN(a_move_that_was_made_is_not_made_again);
	T_RUN(a_forged_move_draws_nothing);
	T_RUN(a_seal_without_the_peers_signature_moves_nothing);
	T_RUN(a_stranger_who_knows_the_numbers_draws_no_inval);
	T_RUN(a_move_for_no_call_is_dropped);
	T_RUN(while_somebody_speaks_a_dead_path_is_noticed);
	T_RUN(a_quiet_call_costs_nothing_more);
	T_RUN(a_ping_is_answered_or_the_call_is_silent);
	for (int i = 0; i < SIDES; i++)
		iax2_endpoint_free(side[i].ep);
	return T_DONE();
}
