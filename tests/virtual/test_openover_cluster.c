/* SPDX-License-Identifier: MIT */

/* Registrars of one cluster ask one another: what is lost, replayed, forged,
 * moved, silent or slow on the way. */

#include "tests/t.h"
#include "tests/virtual/cluster_world.h"

enum { A, B, C };

static struct cw_world w;

static const struct oo_cluster_counters *count(int reg)
{
	return oo_cluster_counters(w.reg[reg]);
}

/* The caller, 2001, at A; the target, 2002, at B. */
static void begin(void)
{
	cw_init(&w);
	cw_home(&w, 0, A);
	cw_home(&w, 1, B);
}

static enum oo_verdict verdict(void)
{
	const unsigned failures = w.failures[0];

	cw_dial(&w, 0, "2002");
	cw_run(&w, 15 * MONO_S);
	T_EQ(failures + 1, w.failures[0]);
	return w.failed[0].u.failed.verdict;
}

static void it_goes_through(void)
{
	const unsigned paths = w.paths[0], expects = w.expects[1];

	cw_dial(&w, 0, "2002");
	cw_run(&w, 12 * MONO_S);
	T_EQ(paths + 1, w.paths[0]);
	T_EQ(expects + 1, w.expects[1]);
}

static void registrars_know_of_one_another(void)
{
	uint64_t nodes;

	begin();
	cw_run(&w, 10 * MONO_S);
	T_EQ(2, oo_cluster_others(w.reg[A], w.now, &nodes));
	T_EQ(1, nodes);
	T_EQ(2, oo_cluster_others(w.reg[C], w.now, &nodes));
	T_EQ(2, nodes);
	w.gone[B] = true;
	cw_run(&w, 20 * MONO_S);
	T_EQ(1, oo_cluster_others(w.reg[A], w.now, &nodes));
	T_EQ(0, nodes);
	T_EQ(0, count(A)->forged + count(A)->replayed + count(A)->stale);
	cw_done(&w);
}

static void a_dial_reaches_a_node_of_another_registrar(void)
{
	begin();
	it_goes_through();
	T_TRUE(net_addr_equal(&w.addr[1], &w.path[0].u.path.path.peer));
	T_STR("2002", w.path[0].u.path.ticket.peer_number);
	T_STR("2001", w.open_in[1].u.open_in.number);
	T_TRUE(key_equal(w.open_in[1].u.open_in.key, w.id[0].public_key,
			 KEY_PUBLIC_LEN));
	T_EQ(1, count(A)->opens_out);
	T_EQ(1, count(B)->opens_in);
	T_EQ(2, w.log_n);
	T_EQ(1, oo_registrar_counters(w.reg[A])->opens_ok);
	/* The store carries no token and no address in the clear. */
	T_TRUE(memmem(w.log[0].out.data, w.log[0].out.len, &w.addr[0].ip[12],
		      4) == NULL);
	/* And back, and again. */
	cw_dial(&w, 1, "2001");
	cw_run(&w, 6 * MONO_S);
	T_EQ(1, w.paths[1]);
	it_goes_through();
	cw_done(&w);
}

/* What their routers opened is told of both, as within one registrar. */
static void mapped_ports_are_named_across(void)
{
	const struct net_addr none = { 0 };

	begin();
	for (int i = 0; i < 2; i++) {
		w.also[i] = w.addr[i];
		w.also[i].port = (uint16_t)(7777 + i);
		oo_node_mapped(w.node[i], &w.also[i], &none, w.now);
	}
	cw_run(&w, MONO_S);
	it_goes_through();
	for (int i = 0; i < 2; i++) {
		const struct oo_candidates *c = &w.named[i];

		T_EQ(2, c->n);
		T_EQ(OO_CANDIDATE_REFLEXIVE, c->type[0]);
		T_TRUE(net_addr_equal(&w.addr[i], &c->addr[0]));
		T_EQ(OO_CANDIDATE_MAPPED, c->type[1]);
		T_TRUE(net_addr_equal(&w.also[i], &c->addr[1]));
	}
	/* The one that the registrar sees anyway, and is preferred now. */
	oo_node_mapped(w.node[1], &w.addr[1], &none, w.now);
	cw_run(&w, MONO_S);
	it_goes_through();
	T_EQ(1, w.named[1].n);
	T_TRUE(w.path[0].u.path.mapped);
	cw_done(&w);
}

static void the_target_decides(void)
{
	begin();
	w.refuse[1] = true;
	T_EQ(OO_REFUSED, verdict());
	T_EQ(1, w.rings[1]);
	/* Its caller was told to it, as ever, and it to nobody. */
	T_EQ(1, w.named[0].n);
	T_EQ(0, w.named[1].n);
	/* Nor does its registrar tell the caller's, which might. */
	w.refuse[1] = false;
	it_goes_through();
	T_TRUE(w.log_n >= 4);
	T_TRUE(w.log[1].out.len + 7 < w.log[3].out.len);
	cw_done(&w);
}

/* The target must not POKE before the caller can have had the OVER. */
static void the_way_between_registrars_counts(void)
{
	begin();
	w.loop = 40 * MONO_MS;
	cw_run(&w, 12 * MONO_S);
	it_goes_through();
	T_EQ(40, w.open_delay_ms);
	/* Whatever the store does, half a second from each is the most. */
	w.loop = 4 * MONO_S;
	cw_run(&w, 12 * MONO_S);
	it_goes_through();
	T_EQ(1000, w.open_delay_ms);
	cw_done(&w);
}

static void what_is_lost_is_asked_again(void)
{
	/* Of the first ASKs and ANSWERs, whichever. */
	static const unsigned patterns[] = { 1, 2, 3, 5, 6, 7, 10 };

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const unsigned lose = patterns[i];

		begin();
		w.lose = lose;
		it_goes_through();
		T_TRUE(w.lost > 0);
		T_EQ(1, w.rings[1]);
		cw_done(&w);
	}
}

static void a_recording_does_nothing(void)
{
	struct cw_mail ask, answer;

	begin();
	it_goes_through();
	T_EQ(2, w.log_n);
	ask = w.log[0];
	answer = w.log[1];
	for (int i = 0; i < 3; i++) {
		cw_inject(&w, B, ask.out.data, ask.out.len);
		cw_inject(&w, A, answer.out.data, answer.out.len);
		cw_run(&w, 6 * MONO_S);
	}
	T_EQ(3, count(B)->replayed);
	T_EQ(3, count(A)->replayed);
	/* Nor at one that it was not meant for. */
	cw_inject(&w, C, ask.out.data, ask.out.len);
	T_EQ(1, count(C)->forged);
	/* Nor when its sender has been forgotten. */
	w.gone[A] = true;
	cw_run(&w, 200 * MONO_S);
	cw_inject(&w, B, ask.out.data, ask.out.len);
	T_EQ(1, count(B)->stale);
	T_EQ(1, w.rings[1]);
	cw_done(&w);
}

static void nobody_forges(void)
{
	uint8_t bad[OO_CLUSTER_MSG_MAX + 1];
	struct cw_mail ask;

	begin();
	it_goes_through();
	ask = w.log[0];
	for (size_t i = 0; i < ask.out.len; i++) {
		memcpy(bad, ask.out.data, ask.out.len);
		bad[i] ^= 0x10;
		cw_inject(&w, B, bad, ask.out.len);
	}
	T_EQ(ask.out.len, count(B)->forged);
	for (size_t n = 0; n < ask.out.len; n++)
		cw_inject(&w, B, ask.out.data, n);
	cw_inject(&w, B, bad, sizeof(bad));
	T_EQ(2 * ask.out.len + 1, count(B)->forged);
	T_EQ(1, w.rings[1]);
	T_EQ(0, count(B)->replayed);
	cw_done(&w);
}

static void a_forged_note_leads_nowhere(void)
{
	begin();
	w.notes[B][1].value[30] ^= 1;
	T_EQ(OO_OFFLINE, verdict());
	T_TRUE(count(A)->forged > 0);
	/* Nor does one for another number. */
	w.notes[B][1] = w.notes[A][0];
	memcpy(w.notes[B][1].number, "2002", 5);
	T_EQ(OO_OFFLINE, verdict());
	T_EQ(0, w.rings[1]);
	/* It is written again in time. */
	cw_run(&w, OO_CLUSTER_NOTE_S / 2 * MONO_S);
	it_goes_through();
	cw_done(&w);
}

static void a_node_that_nobody_has_is_offline(void)
{
	cw_init(&w);
	cw_home(&w, 0, A);
	T_EQ(OO_OFFLINE, verdict());
	cw_dial(&w, 0, "2999");
	cw_run(&w, 6 * MONO_S);
	T_EQ(OO_UNKNOWN, w.failed[0].u.failed.verdict);
	cw_done(&w);
}

static void a_good_bye_removes_the_note(void)
{
	begin();
	T_TRUE(w.notes[B][1].here);
	oo_node_release(w.node[1], w.now);
	cw_run(&w, MONO_S);
	T_TRUE(!w.notes[B][1].here);
	T_EQ(OO_OFFLINE, verdict());
	T_EQ(0, w.log_n);
	cw_done(&w);
}

static void the_newest_of_two_is_asked(void)
{
	begin();
	cw_home(&w, 1, C); /* B does not know that it is gone */
	T_TRUE(w.notes[B][1].here && w.notes[C][1].here);
	it_goes_through();
	T_EQ(0, count(B)->opens_in);
	T_EQ(1, count(C)->opens_in);
	cw_done(&w);
}

static struct oo_record *record(int reg, const char *number)
{
	return oo_directory_by_number(oo_registrar_directory(w.reg[reg]),
				      number);
}

static void one_that_lost_the_node_sends_on(void)
{
	begin();
	cw_home_too(&w, 1, C);
	oo_directory_end(oo_registrar_directory(w.reg[C]), record(C, "2002"));
	it_goes_through();
	T_EQ(1, count(A)->moved);
	T_EQ(1, count(B)->opens_in);
	/* And when both have: offline. */
	oo_directory_end(oo_registrar_directory(w.reg[B]), record(B, "2002"));
	oo_node_registrar_addresses(w.node[1], 0, &w.addr[2], 1, w.now);
	oo_node_registrar_addresses(w.node[1], 1, &w.addr[2], 1, w.now);
	T_EQ(OO_OFFLINE, verdict());
	T_EQ(3, count(A)->moved);
	cw_done(&w);
}

static void a_dead_registrar_is_passed_over(void)
{
	begin();
	cw_home_too(&w, 1, C);
	w.gone[C] = true;
	/* At once: nobody listens there. */
	it_goes_through();
	T_EQ(1, count(A)->unreached);
	T_EQ(1, count(B)->opens_in);
	/* And when it is known to be dead it is not even tried. */
	cw_run(&w, 20 * MONO_S);
	it_goes_through();
	T_EQ(1, count(A)->unreached);
	w.gone[B] = true;
	T_EQ(OO_OFFLINE, verdict());
	cw_done(&w);
}

/* One name with the addresses of all registrars, and one key for all: so a
 * node needs no more than one registration. */
static void a_node_goes_from_a_dead_registrar_to_another(void)
{
	struct net_addr name[2];
	mono_us lost;

	begin();
	name[0] = w.reg_addr[B];
	name[1] = w.reg_addr[C];
	oo_node_registrar_addresses(w.node[1], 0, name, 2, w.now);
	cw_run(&w, 60 * MONO_S);
	T_TRUE(w.notes[B][1].here && !w.notes[C][1].here);
	w.gone[B] = true;
	lost = w.now;
	while (!w.notes[C][1].here) {
		cw_run(&w, MONO_S);
		T_TRUE(w.now - lost <= 30 * MONO_S); /* two intervals */
	}
	it_goes_through();
	T_EQ(1, count(C)->opens_in);
	cw_done(&w);
}

static void a_silent_node_or_registrar_is_called_silent(void)
{
	begin();
	w.deaf[1] = true;
	T_EQ(OO_SILENT, verdict());
	w.deaf[1] = false;
	w.frozen[B] = true;
	T_EQ(OO_SILENT, verdict());
	w.frozen[B] = false;
	cw_run(&w, 40 * MONO_S);
	it_goes_through();
	cw_done(&w);
}

static void a_slow_store_ends_in_a_verdict(void)
{
	begin();
	w.slow = true;
	T_EQ(OO_OFFLINE, verdict());
	cw_home(&w, 2, A);
	cw_dial(&w, 0, "2003");
	cw_run(&w, 6 * MONO_S);
	T_EQ(1, w.paths[0]);
	w.slow = false;
	it_goes_through();
	cw_done(&w);
}

static void without_the_store_each_serves_its_own(void)
{
	begin();
	cw_home(&w, 2, A);
	cw_link(&w, false);
	memset(w.notes, 0, sizeof(w.notes));
	T_EQ(OO_OFFLINE, verdict());
	cw_dial(&w, 0, "2003");
	cw_run(&w, 6 * MONO_S);
	T_EQ(1, w.paths[0]);
	cw_run(&w, 300 * MONO_S);
	/* It comes back empty. */
	cw_link(&w, true);
	cw_run(&w, MONO_S);
	T_TRUE(w.notes[A][0].here && w.notes[B][1].here && w.notes[A][2].here);
	it_goes_through();
	cw_done(&w);
}

static void a_short_break_in_the_midst_of_a_dial_mends(void)
{
	begin();
	w.lose = 1;
	cw_dial(&w, 0, "2002");
	cw_run(&w, 100 * MONO_MS);
	cw_link(&w, false);
	cw_run(&w, 900 * MONO_MS);
	cw_link(&w, true);
	cw_run(&w, 6 * MONO_S);
	T_EQ(1, w.paths[0]);
	T_EQ(1, w.rings[1]);
	cw_done(&w);
}

static void directories_must_agree_on_keys(void)
{
	/* On the target's. */
	begin();
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(w.reg[A], "2002", w.id[2].public_key));
	T_EQ(OO_OFFLINE, verdict());
	T_TRUE(count(A)->mismatched > 0);
	T_EQ(0, w.rings[1]);
	cw_done(&w);
	/* And on the caller's. */
	begin();
	T_EQ(IAX2_OK, oo_registrar_node_remove(w.reg[B], "2001"));
	T_EQ(OO_NOT_REGISTERED, verdict());
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(w.reg[B], "2001", w.id[2].public_key));
	T_EQ(OO_NOT_REGISTERED, verdict());
	T_EQ(2, count(B)->mismatched);
	T_EQ(0, w.rings[1]);
	/* Or there is no such node any more. */
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(w.reg[B], "2001", w.id[0].public_key));
	w.keep_removed = true;
	T_EQ(IAX2_OK, oo_registrar_node_remove(w.reg[B], "2002"));
	T_EQ(OO_UNKNOWN, verdict());
	cw_done(&w);
}

static void a_key_that_changes_meanwhile_is_noticed(void)
{
	begin();
	w.lose = 2; /* the answer */
	cw_dial(&w, 0, "2002");
	cw_run(&w, 100 * MONO_MS);
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(w.reg[A], "2002", w.id[2].public_key));
	cw_run(&w, 6 * MONO_S);
	T_EQ(0, w.paths[0]);
	T_EQ(OO_UNKNOWN, w.failed[0].u.failed.verdict);
	T_EQ(1, count(A)->mismatched);
	cw_done(&w);
}

static void two_of_one_name_are_noticed(void)
{
	static const uint8_t key[KEY_SHARED_LEN] = "a key that they all have";
	struct oo_cluster_keys keys;
	uint8_t body[] = { 0, 0, 0, 5, 'r', '1' };
	struct oo_cluster_msg m = { .kind = OO_CLUSTER_HELLO,
				    .from = 77,
				    .counter = 1,
				    .body = body,
				    .len = sizeof(body) };
	const uint8_t nonce[KEY_BOX_NONCE_LEN] = { 1 };
	uint8_t out[OO_CLUSTER_MSG_MAX];
	uint64_t nodes;
	size_t len;

	cw_init(&w);
	oo_cluster_keys_from(&keys, key);
	m.at_ms = UINT64_C(1800000000000) + w.now / MONO_MS;
	len = oo_cluster_msg_seal(&m, &keys, nonce, out);
	cw_inject(&w, A, out, len);
	cw_inject(&w, B, out, len);
	T_EQ(1, count(A)->clashes);
	T_EQ(0, count(B)->clashes);
	T_EQ(3, oo_cluster_others(w.reg[A], w.now, &nodes));
	T_EQ(5, nodes);
	/* A clock that is wrong by more than half a minute is not believed. */
	m.counter++;
	m.at_ms += 40000;
	len = oo_cluster_msg_seal(&m, &keys, nonce, out);
	cw_inject(&w, A, out, len);
	T_EQ(1, count(A)->stale);
	m.at_ms -= 40000;
	m.len = 2;
	len = oo_cluster_msg_seal(&m, &keys, nonce, out);
	cw_inject(&w, A, out, len);
	T_EQ(1, count(A)->clashes);
	m.len = OO_FRAME_MAX + 1;
	T_EQ(0, oo_cluster_msg_seal(&m, &keys, nonce, out));
	cw_done(&w);
}

static void tables_are_bounded(void)
{
	unsigned dials = 0;
	struct oo_id id;

	begin();
	w.slow = true;
	for (int i = 0; i < 8; i++) {
		while (dials < 200 && oo_node_dial(w.node[0], "2002", NULL,
						   w.now, &id) == IAX2_OK)
			dials++;
		cw_run(&w, 4 * MONO_S);
	}
	T_TRUE(dials > 16);
	cw_run(&w, 20 * MONO_S);
	T_EQ(dials, w.paths[0] + w.failures[0]);
	w.slow = false;
	it_goes_through();
	cw_done(&w);
}

int main(void)
{
	T_RUN(registrars_know_of_one_another);
	T_RUN(a_dial_reaches_a_node_of_another_registrar);
	T_RUN(mapped_ports_are_named_across);
	T_RUN(the_target_decides);
	T_RUN(the_way_between_registrars_counts);
	T_RUN(what_is_lost_is_asked_again);
	T_RUN(a_recording_does_nothing);
	T_RUN(nobody_forges);
	T_RUN(a_forged_note_leads_nowhere);
	T_RUN(a_node_that_nobody_has_is_offline);
	T_RUN(a_good_bye_removes_the_note);
	T_RUN(the_newest_of_two_is_asked);
	T_RUN(one_that_lost_the_node_sends_on);
	T_RUN(a_dead_registrar_is_passed_over);
	T_RUN(a_node_goes_from_a_dead_registrar_to_another);
	T_RUN(a_silent_node_or_registrar_is_called_silent);
	T_RUN(a_slow_store_ends_in_a_verdict);
	T_RUN(without_the_store_each_serves_its_own);
	T_RUN(a_short_break_in_the_midst_of_a_dial_mends);
	T_RUN(directories_must_agree_on_keys);
	T_RUN(a_key_that_changes_meanwhile_is_noticed);
	T_RUN(two_of_one_name_are_noticed);
	T_RUN(tables_are_bounded);
	return T_DONE();
}
