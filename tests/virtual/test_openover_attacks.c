/* SPDX-License-Identifier: MIT */

/* What a third party may try, and that it changes nothing (OPEN-OVER.md
 * section 7). */

#include <string.h>

#include "proto/openover_msg.h"
#include "tests/t.h"
#include "tests/virtual/oo_world.h"

static struct world w;
static const struct net_addr *stranger(void)
{
	static struct net_addr a;

	a = net_addr_v4(10, 9, 9, 9, 4569);
	return &a;
}

static struct oo_record *record(const char *number)
{
	return oo_directory_by_number(oo_registrar_directory(w.registrar),
				      number);
}

static void begin(void)
{
	world_init(&w);
	world_up(&w);
}

/* Run @w on and check that 2001 still reaches 2002. */
static void still_works(void)
{
	const unsigned paths = w.seen[0][OO_EV_PATH];

	world_run(&w, 40 * MONO_S);
	(void)world_dial(&w, 0, "2002");
	world_run(&w, 6 * MONO_S);
	T_EQ(paths + 1, w.seen[0][OO_EV_PATH]);
	T_EQ(0, w.seen[0][OO_EV_UNREGISTERED]);
	T_EQ(0, w.seen[1][OO_EV_UNREGISTERED]);
	world_done(&w);
}

static void a_dial_between_registered_nodes_finds_a_path(void)
{
	begin();
	still_works();
}

static void a_wrong_key_is_refused_and_told_so(void)
{
	const uint8_t other[KEY_PUBLIC_LEN] = { 9 };

	world_init(&w);
	T_EQ(IAX2_OK, oo_registrar_node_put(w.registrar, "2001", other));
	oo_node_registrar_addresses(w.node[0], 0, &w.addr[REGISTRAR], 1, w.now);
	world_run(&w, 5 * MONO_S);
	T_EQ(0, w.seen[0][OO_EV_REGISTERED]);
	T_TRUE(w.seen[0][OO_EV_TROUBLE] >= 1);
	T_EQ(OO_TROUBLE_REFUSED, oo_node_registrar(w.node[0], 0)->trouble);
	T_EQ(0, record("2001")->session.id);
	T_TRUE(oo_registrar_counters(w.registrar)->refused >= 1);
	world_done(&w);
}

static void an_unknown_number_is_challenged_like_a_known_one(void)
{
	world_init(&w);
	T_EQ(IAX2_OK, oo_registrar_node_remove(w.registrar, "2001"));
	oo_node_registrar_addresses(w.node[0], 0, &w.addr[REGISTRAR], 1, w.now);
	world_run(&w, 5 * MONO_S);
	T_EQ(OO_TROUBLE_REFUSED, oo_node_registrar(w.node[0], 0)->trouble);
	(void)world_find(&w, REGISTRAR, 0, IAX2_IAX_REGAUTH);
	world_done(&w);
}

/* The registrar's REGAUTH with one bit of the signature changed is the best
 * that a false registrar could say. */
static void a_registrar_with_another_key_is_not_believed(void)
{
	struct world_frame f;

	begin();
	f = *world_find(&w, REGISTRAR, 0, IAX2_IAX_REGAUTH);
	f.data[f.len - 1] ^= 1;
	world_done(&w);

	world_init(&w);
	w.swallow = 4; /* the true REGAUTH */
	oo_node_registrar_addresses(w.node[0], 0, &w.addr[REGISTRAR], 1, w.now);
	world_settle(&w);
	f.data[2] = w.log[0].data[0] & 0x7f;
	f.data[3] = w.log[0].data[1];
	(void)world_inject(&w, 0, &w.addr[REGISTRAR], f.data, f.len);
	world_settle(&w);
	T_EQ(0, w.seen[0][OO_EV_REGISTERED]);
	T_EQ(OO_TROUBLE_FORGED, oo_node_registrar(w.node[0], 0)->trouble);
	/* The true one is, a retry later. */
	world_run(&w, 2 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_REGISTERED]);
	world_done(&w);
}

static void a_forged_refusal_is_ignored(void)
{
	struct world_frame f;

	world_init(&w);
	T_EQ(IAX2_OK, oo_registrar_node_remove(w.registrar, "2001"));
	oo_node_registrar_addresses(w.node[0], 0, &w.addr[REGISTRAR], 1, w.now);
	world_settle(&w);
	f = *world_find(&w, REGISTRAR, 0, IAX2_IAX_REGREJ);
	world_done(&w);

	world_init(&w);
	w.swallow = 6; /* the REGACK */
	oo_node_registrar_addresses(w.node[0], 0, &w.addr[REGISTRAR], 1, w.now);
	world_settle(&w);
	T_EQ(OO_REG_ACK, oo_node_registrar(w.node[0], 0)->state);
	/* Same call number, from the right address, signed for another
	 * exchange. */
	f.data[2] = w.log[0].data[0] & 0x7f;
	f.data[3] = w.log[0].data[1];
	(void)world_inject(&w, 0, &w.addr[REGISTRAR], f.data, f.len);
	T_EQ(OO_REG_ACK, oo_node_registrar(w.node[0], 0)->state);
	world_run(&w, MONO_S);
	T_EQ(1, w.seen[0][OO_EV_REGISTERED]);
	world_done(&w);
}

static void a_replayed_registration_changes_nothing(void)
{
	struct world_frame f;
	uint64_t session;

	begin();
	f = *world_find(&w, 0, REGISTRAR, IAX2_IAX_REGREQ);
	session = record("2001")->session.id;
	/* At once, from the same address: the same session's REGACK again. */
	T_EQ(IAX2_OK, world_inject(&w, REGISTRAR, &w.addr[0], f.data, f.len));
	T_EQ(session, record("2001")->session.id);
	/* From elsewhere: not even a signature is checked. */
	(void)world_inject(&w, REGISTRAR, stranger(), f.data, f.len);
	T_EQ(session, record("2001")->session.id);
	T_TRUE(net_addr_equal(&w.addr[0], &record("2001")->path[OO_V4].peer));
	still_works();
}

/* 2001 forgets all and registers. */
static void restart_first(void)
{
	const struct oo_node_cfg nc = {
		.identity = &w.id[0],
		.number = "2001",
		.port = 4569,
		.keepalive = 15 * MONO_S,
		.tx_max = 64,
		.random = oo_node_registrar(w.node[0], 0)->cfg.random,
		.random_ctx = oo_node_registrar(w.node[0], 0)->cfg.random_ctx,
	};
	size_t index;

	oo_node_free(w.node[0]);
	w.node[0] = oo_node_new(&nc, w.now);
	T_EQ(IAX2_OK,
	     oo_node_add_registrar(w.node[0], w.id[REGISTRAR].public_key, w.now,
				   &index));
	oo_node_registrar_addresses(w.node[0], 0, &w.addr[REGISTRAR], 1, w.now);
}

static void an_old_registration_does_not_undo_a_newer_one(void)
{
	struct world_frame old;
	uint64_t newer;

	begin();
	old = *world_find(&w, 0, REGISTRAR, IAX2_IAX_REGREQ);
	/* The same node registers twice more within the life of the token. */
	for (int i = 0; i < 2; i++) {
		restart_first();
		world_run(&w, MONO_S);
	}
	newer = record("2001")->session.id;
	(void)world_inject(&w, REGISTRAR, &w.addr[0], old.data, old.len);
	T_EQ(newer, record("2001")->session.id);
	still_works();
}

static void a_replayed_ping_changes_nothing(void)
{
	struct world_frame f;
	uint64_t pings, moves;

	begin();
	f = *world_find(&w, 0, REGISTRAR, IAX2_IAX_POKE);
	pings = oo_registrar_counters(w.registrar)->pings;
	moves = oo_registrar_counters(w.registrar)->moves;
	T_EQ(IAX2_E_REFUSED,
	     world_inject(&w, REGISTRAR, &w.addr[0], f.data, f.len));
	T_EQ(IAX2_E_REFUSED,
	     world_inject(&w, REGISTRAR, stranger(), f.data, f.len));
	T_EQ(pings, oo_registrar_counters(w.registrar)->pings);
	T_EQ(moves, oo_registrar_counters(w.registrar)->moves);
	T_EQ(2, oo_registrar_counters(w.registrar)->replayed);
	still_works();
}

static void a_ping_made_by_a_third_party_is_forged(void)
{
	struct world_frame f;

	begin();
	/* 2003 is a registered node, and uses the session id of 2001. */
	f = *world_find(&w, 2, REGISTRAR, IAX2_IAX_POKE);
	memcpy(f.data + 14,
	       world_find(&w, 0, REGISTRAR, IAX2_IAX_POKE)->data + 14, 8);
	f.data[14 + 15] = 77;
	T_EQ(IAX2_E_REFUSED,
	     world_inject(&w, REGISTRAR, &w.addr[2], f.data, f.len));
	T_EQ(1, oo_registrar_counters(w.registrar)->forged);
	T_TRUE(net_addr_equal(&w.addr[0], &record("2001")->path[OO_V4].peer));
	still_works();
}

/* Somebody holds a PING back and sends it from another address, first. */
static void a_session_is_not_moved_by_a_forged_address(void)
{
	struct world_frame f;
	struct dgram d;
	mono_us limit;

	begin();
	w.swallow = 1;
	w.sent = 0;
	limit = w.now + 20 * MONO_S;
	while (w.sent == 0 && w.now < limit)
		world_run(&w, 100 * MONO_MS);
	f = w.swallowed;
	T_EQ(IAX2_IAX_POKE, f.subclass);
	{
		const char *who = net_addr_equal(&f.from, &w.addr[0]) ? "2001"
				  : net_addr_equal(&f.from, &w.addr[1])
					  ? "2002"
					  : "2003";

		T_EQ(IAX2_OK,
		     world_inject(&w, REGISTRAR, stranger(), f.data, f.len));
		/* It gets a PONG that is no longer than the PING, for it
		 * alone, and nothing has moved. */
		T_TRUE(oo_registrar_next_tx(w.registrar, &d));
		T_TRUE(net_addr_equal(stranger(), &d.path.peer));
		T_TRUE(d.len <= f.len);
		T_EQ(0, oo_registrar_counters(w.registrar)->moves);
		T_TRUE(net_addr_equal(&f.from, &record(who)->path[OO_V4].peer));
		/* An OPEN goes where the node was proved to be. */
		w.log_n = 0;
		if (strcmp(who, "2002") != 0) {
			(void)world_dial(&w, 1, who);
			world_settle(&w);
			for (size_t i = 0; i < w.log_n; i++)
				T_TRUE(!net_addr_equal(&w.log[i].to,
						       stranger()));
		}
	}
	still_works();
}

static void a_session_moves_when_the_node_itself_does(void)
{
	begin();
	w.addr[0] = net_addr_v4(10, 7, 7, 7, 1234);
	world_run(&w, 16 * MONO_S);
	T_EQ(1, oo_registrar_counters(w.registrar)->moves);
	T_TRUE(net_addr_equal(&w.addr[0], &record("2001")->path[OO_V4].peer));
	/* Without a new registration. */
	T_EQ(3, oo_registrar_counters(w.registrar)->registered);
	still_works();
}

static void a_replayed_open_changes_nothing(void)
{
	struct world_frame f;
	unsigned opens;

	begin();
	(void)world_dial(&w, 0, "2002");
	world_settle(&w);
	f = *world_find(&w, REGISTRAR, 1, OO_OPEN);
	opens = w.seen[1][OO_EV_OPEN_IN];
	w.log_n = 0;
	T_EQ(IAX2_E_REPLAY,
	     world_inject(&w, 1, &w.addr[REGISTRAR], f.data, f.len));
	world_settle(&w);
	T_EQ(0, w.log_n);
	T_EQ(opens, w.seen[1][OO_EV_OPEN_IN]);
	/* Nor does one of another node's session. */
	(void)world_inject(&w, 2, &w.addr[REGISTRAR], f.data, f.len);
	T_EQ(0, w.seen[2][OO_EV_OPEN_IN]);
	still_works();
}

static void an_open_request_in_another_nodes_name_is_forged(void)
{
	struct world_frame f;
	uint64_t opens;

	begin();
	(void)world_dial(&w, 2, "2002");
	world_settle(&w);
	f = *world_find(&w, 2, REGISTRAR, OO_OPEN_REQUEST);
	opens = oo_registrar_counters(w.registrar)->opens;
	/* 2003's request with 2001's session id. */
	memcpy(f.data + 14,
	       world_find(&w, 0, REGISTRAR, IAX2_IAX_POKE)->data + 14, 8);
	f.data[14 + 15] = 200;
	T_EQ(IAX2_E_REFUSED,
	     world_inject(&w, REGISTRAR, &w.addr[2], f.data, f.len));
	T_EQ(opens, oo_registrar_counters(w.registrar)->opens);
	still_works();
}

static void an_over_from_another_node_is_forged(void)
{
	struct world_frame over;
	uint64_t forged;

	begin();
	w.refuse[1] = true;
	(void)world_dial(&w, 0, "2002");
	world_settle(&w);
	over = *world_find(&w, 1, REGISTRAR, OO_OVER);
	forged = oo_registrar_counters(w.registrar)->forged;
	/* 2003's session, 2002's transaction: the tag does not fit. */
	memcpy(over.data + 14,
	       world_find(&w, 2, REGISTRAR, IAX2_IAX_POKE)->data + 14, 8);
	T_EQ(IAX2_E_REFUSED,
	     world_inject(&w, REGISTRAR, &w.addr[2], over.data, over.len));
	T_EQ(forged + 1, oo_registrar_counters(w.registrar)->forged);
	w.refuse[1] = false;
	still_works();
}

static void a_replayed_poke_is_not_answered(void)
{
	struct world_frame f;

	begin();
	(void)world_dial(&w, 0, "2002");
	world_settle(&w);
	f = *world_find(&w, 0, 1, IAX2_IAX_POKE);
	w.log_n = 0;
	(void)world_inject(&w, 1, stranger(), f.data, f.len);
	world_settle(&w);
	T_EQ(0, w.log_n);
	still_works();
}

/* Every octet of every frame of a dial, changed, is noticed. */
static void no_changed_octet_of_a_sealed_frame_is_accepted(void)
{
	static const struct {
		int from, to;
		uint8_t subclass;
	} frames[] = {
		{ 0, REGISTRAR, OO_OPEN_REQUEST }, { REGISTRAR, 1, OO_OPEN },
		{ 1, REGISTRAR, OO_OVER },         { REGISTRAR, 0, OO_OVER },
		{ 0, 1, IAX2_IAX_POKE },           { 1, 0, IAX2_IAX_PONG },
	};

	begin();
	(void)world_dial(&w, 0, "2002");
	world_settle(&w);
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		const struct world_frame f = *world_find(
			&w, frames[i].from, frames[i].to, frames[i].subclass);
		const unsigned opens = w.seen[1][OO_EV_OPEN_IN];

		w.log_n = 0;
		for (size_t at = 4; at < f.len; at++) {
			uint8_t bad[DGRAM_MAX];

			memcpy(bad, f.data, f.len);
			bad[at] ^= 0x21;
			(void)world_inject(&w, frames[i].to, &f.from, bad,
					   f.len);
			world_settle(&w);
		}
		T_EQ(opens, w.seen[1][OO_EV_OPEN_IN]);
		/* Nothing was said in answer: but for plain POKEs, which a
		 * frame without our elements is. */
		for (size_t k = 0; k < w.log_n; k++)
			T_TRUE(w.log[k].len == 12);
		w.log_n = 0;
		(void)world_dial(&w, 0, "2002");
		world_run(&w, 100 * MONO_MS);
	}
	still_works();
}

static void an_unproved_sender_never_gets_more_than_it_sent(void)
{
	static const uint8_t subclasses[] = {
		IAX2_IAX_POKE,     IAX2_IAX_REGREQ, IAX2_IAX_REGREL,
		OO_OPEN_REQUEST,   OO_OPEN,         OO_OVER,
		IAX2_IAX_CALLTOKEN
	};
	uint8_t buf[DGRAM_MAX] = { 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6 };
	struct dgram d;

	begin();
	for (size_t s = 0; s < sizeof(subclasses); s++) {
		for (size_t len = 12; len < 120; len++) {
			size_t got = 0;

			buf[11] = subclasses[s];
			memset(buf + 12, 0, sizeof(buf) - 12);
			memcpy(buf + 12,
			       "\x06\x04"
			       "2001\x36\x00\xee",
			       9);
			if (len > 22)
				buf[21] = (uint8_t)(len - 22);
			(void)world_inject(&w, REGISTRAR, stranger(), buf, len);
			while (oo_registrar_next_tx(w.registrar, &d)) {
				T_TRUE(net_addr_equal(stranger(),
						      &d.path.peer));
				got += d.len;
			}
			T_TRUE(got <= len);
			w.now += 60 * MONO_MS;
		}
	}
	still_works();
}

/* What the victim would send first: its POKE, and REGREQs as they begin. */
static size_t forged_question(unsigned i, uint8_t buf[DGRAM_MAX])
{
	static const uint8_t poke[12] = { 0x80, 1, 0, 0, 0, 0,
					  0,    0, 0, 0, 6, IAX2_IAX_POKE };
	const struct world_frame *f;

	if (i % 3 == 0) {
		memcpy(buf, poke, sizeof(poke));
		return sizeof(poke);
	}
	if (i % 3 == 1) {
		memcpy(buf, poke, sizeof(poke));
		buf[11] = IAX2_IAX_REGREQ;
		memcpy(buf + 12,
		       "\x06\x04"
		       "3000",
		       6);
		return 18;
	}
	f = &w.log[0];
	T_EQ(IAX2_IAX_REGREQ, f->subclass);
	memcpy(buf, f->data, f->len);
	return f->len;
}

static void a_forged_flood_shuts_nobody_out(void)
{
	uint8_t buf[DGRAM_MAX];
	struct dgram d;
	unsigned told = 0;
	struct oo_registrar_event ev;

	begin();
	while (oo_registrar_next_event(w.registrar, &ev))
		;
	for (unsigned i = 0; i < 3000; i++) {
		const size_t len = forged_question(i, buf);
		size_t got = 0;

		(void)world_inject(&w, REGISTRAR, &w.addr[0], buf, len);
		while (oo_registrar_next_tx(w.registrar, &d))
			got += d.len;
		T_TRUE(got <= len);
		T_TRUE(i % 3 == 1 || got > 0);
	}
	/* Nor is the log filled. */
	while (oo_registrar_next_event(w.registrar, &ev))
		told += ev.kind == OO_REG_EV_NO_TOKEN;
	T_TRUE(told >= 1 && told <= 20);
	/* In the same instant the victim comes back. */
	T_EQ(IAX2_OK, oo_registrar_node_remove(w.registrar, "2001"));
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(w.registrar, "2001", w.id[0].public_key));
	restart_first();
	world_settle(&w);
	T_TRUE(record("2001")->session.id != 0);
	still_works();
}

int main(void)
{
	T_RUN(a_dial_between_registered_nodes_finds_a_path);
	T_RUN(a_wrong_key_is_refused_and_told_so);
	T_RUN(an_unknown_number_is_challenged_like_a_known_one);
	T_RUN(a_registrar_with_another_key_is_not_believed);
	T_RUN(a_forged_refusal_is_ignored);
	T_RUN(a_replayed_registration_changes_nothing);
	T_RUN(an_old_registration_does_not_undo_a_newer_one);
	T_RUN(a_replayed_ping_changes_nothing);
	T_RUN(a_ping_made_by_a_third_party_is_forged);
	T_RUN(a_session_is_not_moved_by_a_forged_address);
	T_RUN(a_session_moves_when_the_node_itself_does);
	T_RUN(a_replayed_open_changes_nothing);
	T_RUN(an_open_request_in_another_nodes_name_is_forged);
	T_RUN(an_over_from_another_node_is_forged);
	T_RUN(a_replayed_poke_is_not_answered);
	T_RUN(no_changed_octet_of_a_sealed_frame_is_accepted);
	T_RUN(an_unproved_sender_never_gets_more_than_it_sent);
	T_RUN(a_forged_flood_shuts_nobody_out);
	return T_DONE();
}
