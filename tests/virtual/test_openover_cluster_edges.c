/* SPDX-License-Identifier: MIT */

/* Registrars of one cluster: full tables, messages of one who has the key and
 * makes no sense, and parties that go while they are spoken of. */

#include "proto/iax2_ie.h"
#include "tests/t.h"
#include "tests/virtual/cluster_world.h"

enum { A, B, C };

static struct cw_world w;

static const struct oo_cluster_counters *count(int reg)
{
	return oo_cluster_counters(w.reg[reg]);
}

static struct oo_record *record(int reg, const char *number)
{
	return oo_directory_by_number(oo_registrar_directory(w.reg[reg]),
				      number);
}

static void begin(void)
{
	cw_init(&w);
	cw_home(&w, 0, A);
	cw_home(&w, 1, B);
}

static void some_random(void *ctx, uint8_t *buf, size_t len)
{
	static uint8_t n;

	(void)ctx;
	for (size_t i = 0; i < len; i++)
		buf[i] = n++;
}

static struct oo_registrar *alone(size_t nodes)
{
	static struct key_identity id;
	const struct oo_registrar_cfg cfg = {
		.identity = &id,
		.nodes_max = nodes,
		.opens_max = 16,
		.tx_max = 8,
		.refresh_s = 300,
		.registrations_per_min = 1,
		.opens_per_min = 1,
		.auth_failures_per_min = 1,
		.random = some_random,
	};
	struct oo_registrar *r = oo_registrar_new(&cfg, 0);

	T_TRUE(r != NULL);
	return r;
}

static void join(struct oo_registrar *r)
{
	const struct oo_cluster_cfg cfg = { .name = "alone", .key = cw_key };

	T_EQ(IAX2_OK, oo_cluster_join(r, &cfg, 0));
	oo_cluster_link(r, true, 0);
	oo_cluster_link(r, true, 0);
}

static void is_online(struct oo_registrar *r, const char *number, mono_us now)
{
	const struct net_path path = { .peer = net_addr_v4(10, 0, 0, 1, 4569) };
	const struct oo_session s = { .id = 1 };
	struct oo_directory *d = oo_registrar_directory(r);
	struct oo_record *rec = oo_directory_by_number(d, number);

	oo_directory_begin(d, rec, &s);
	oo_directory_move(d, rec, &path, now);
}

/* --- tables ------------------------------------------------------------- */

static void a_name_has_a_length(void)
{
	char name[OO_CLUSTER_NAME_MAX + 2] = "";
	const struct oo_cluster_cfg cfg = { .name = name, .key = cw_key };
	struct oo_registrar *r = alone(16);

	T_EQ(IAX2_E_RANGE, oo_cluster_join(r, &cfg, 0));
	memset(name, 'n', OO_CLUSTER_NAME_MAX + 1);
	T_EQ(IAX2_E_RANGE, oo_cluster_join(r, &cfg, 0));
	name[OO_CLUSTER_NAME_MAX] = '\0';
	T_EQ(IAX2_OK, oo_cluster_join(r, &cfg, 0));
	/* Until the store is there it has nothing to do. */
	T_EQ(MONO_NEVER, oo_registrar_deadline(r));
	oo_registrar_tick(r, 1);
	(void)oo_registrar_free(r);
}

static void what_nobody_takes_is_dropped(void)
{
	struct oo_registrar *r = alone(16);
	struct oo_cluster_out out;
	unsigned n = 0;

	join(r);
	for (mono_us now = 0; now < 2000 * MONO_S; now += MONO_S)
		oo_registrar_tick(r, now);
	T_EQ(400, oo_cluster_counters(r)->dropped + 256);
	while (oo_cluster_next(r, &out))
		n++;
	T_EQ(256, n);
	(void)oo_registrar_free(r);
}

static void registrars_beyond_the_table_are_not_heard(void)
{
	const uint8_t hello[] = { 0, 0, 0, 1, 'x' };
	uint64_t nodes;

	cw_init(&w);
	for (uint64_t i = 1; i <= 70; i++)
		cw_say(&w, A, i, OO_CLUSTER_HELLO, hello, sizeof(hello));
	T_EQ(64, oo_cluster_others(w.reg[A], w.now, &nodes));
	T_EQ(8, count(A)->dropped);
	/* They make room when they are gone. */
	cw_run(&w, 130 * MONO_S);
	T_EQ(2, oo_cluster_others(w.reg[A], w.now, &nodes));
	cw_say(&w, A, 70, OO_CLUSTER_HELLO, hello, sizeof(hello));
	T_EQ(3, oo_cluster_others(w.reg[A], w.now, &nodes));
	cw_done(&w);
}

static void more_changes_than_there_is_room_for_are_found(void)
{
	static const uint8_t key[KEY_PUBLIC_LEN] = { 1 };
	struct oo_registrar *r = alone(16);
	struct oo_registrar_event ev;
	struct oo_cluster_note note;
	unsigned here = 0, gone = 0;

	join(r);
	T_EQ(IAX2_OK, oo_registrar_node_put(r, "2001", key));
	while (oo_cluster_next_note(r, &note, 0)) {
	}
	for (int i = 0; i < 5000; i++) {
		T_EQ(IAX2_OK, oo_registrar_node_put(r, "2002", key));
		is_online(r, "2002", 0);
		T_EQ(IAX2_OK, oo_registrar_node_remove(r, "2002"));
		while (oo_registrar_next_event(r, &ev)) {
		}
	}
	is_online(r, "2001", 0);
	while (oo_cluster_next_note(r, &note, 0)) {
		here += note.here;
		gone += !note.here;
	}
	T_EQ(4096, gone);
	T_EQ(1, here);
	(void)oo_registrar_free(r);
}

static void a_large_directory_is_gone_through_in_pieces(void)
{
	static const uint8_t key[KEY_PUBLIC_LEN] = { 1 };
	struct oo_registrar *r = alone(150000);
	struct oo_cluster_note note;
	unsigned pauses = 0;
	char number[16];
	mono_us now = 0;

	for (int i = 0; i < 150000; i++) {
		(void)snprintf(number, sizeof(number), "%d", i);
		T_EQ(IAX2_OK, oo_registrar_node_put(r, number, key));
	}
	is_online(r, "149990", 0);
	join(r);
	while (!oo_cluster_next_note(r, &note, now)) {
		T_TRUE(++pauses < 5);
		T_EQ(now + 10 * MONO_MS, oo_registrar_deadline(r));
		now = oo_registrar_deadline(r);
		oo_registrar_tick(r, now);
	}
	T_EQ(2, pauses);
	T_STR("149990", note.number);
	(void)oo_registrar_free(r);
}

/* --- messages without sense --------------------------------------------- */

struct said {
	const char *called, *calling;
	bool key, token, transaction, verdict;
	uint64_t id;
	uint8_t says;
	uint8_t subclass;
};

static void say(int reg, uint64_t from, enum oo_cluster_kind kind,
		const struct said *s)
{
	static const struct iax2_full hdr = { .src_callno = 1 };
	const uint8_t token[KEY_SHARED_LEN] = { 7 };
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr wr = oo_frame_begin(buf, s->subclass, &hdr);

	if (s->transaction)
		iax2_ie_put_u64(&wr, IAX2_IE_KH_TRANSACTION, s->id);
	if (s->called)
		iax2_ie_put_text(&wr, IAX2_IE_CALLED_NUMBER, s->called);
	if (s->calling)
		iax2_ie_put_text(&wr, IAX2_IE_CALLING_NUMBER, s->calling);
	if (s->key)
		iax2_ie_put(&wr, IAX2_IE_KH_PEER_KEY, w.id[0].public_key,
			    KEY_PUBLIC_LEN);
	if (s->token)
		iax2_ie_put(&wr, IAX2_IE_KH_TOKEN, token, sizeof(token));
	if (s->verdict)
		iax2_ie_put_u8(&wr, IAX2_IE_KH_VERDICT, s->says);
	cw_say(&w, reg, from, kind, buf, (size_t)(wr.p - buf));
}

static void an_ask_without_sense_is_dropped(void)
{
	static const struct said whole = {
		.called = "2002",
		.calling = "2001",
		.key = true,
		.token = true,
		.transaction = true,
		.id = 5,
		.subclass = OO_OPEN,
	};
	const uint8_t noise[] = { 1, 2, 3 };
	struct said s[7];

	begin();
	for (int i = 0; i < 7; i++)
		s[i] = whole;
	s[0].called = NULL;
	s[1].calling = NULL;
	s[2].key = false;
	s[3].token = false;
	s[4].transaction = false;
	s[5].subclass = OO_OVER;
	s[6].calling = "2001200120012001";
	for (int i = 0; i < 7; i++)
		say(B, 500, OO_CLUSTER_ASK, &s[i]);
	cw_say(&w, B, 500, OO_CLUSTER_ASK, noise, sizeof(noise));
	cw_say(&w, B, 500, OO_CLUSTER_ASK, noise, 0);
	cw_say(&w, B, 500, (enum oo_cluster_kind)9, noise, sizeof(noise));
	cw_run(&w, MONO_S);
	T_EQ(0, w.rings[1]);
	T_EQ(0, w.log_n);
	say(B, 500, OO_CLUSTER_ASK, &whole);
	cw_run(&w, MONO_S);
	T_EQ(1, w.rings[1]);
	/* Its answer finds nobody, which changes nothing. */
	T_EQ(1, w.log_n);
	T_EQ(0, count(B)->unreached);
	cw_done(&w);
}

static void more_asks_than_there_is_room_for_are_refused(void)
{
	struct said s = {
		.called = "2002",
		.calling = "2001",
		.key = true,
		.token = true,
		.transaction = true,
		.subclass = OO_OPEN,
	};
	uint64_t before;

	begin();
	for (s.id = 1; s.id <= 40; s.id++)
		say(B, 500, OO_CLUSTER_ASK, &s);
	T_TRUE(count(B)->opens_in <= 16);
	T_EQ(40, count(B)->opens_in + count(B)->dropped);
	/* They go, and there is room again. */
	cw_run(&w, 10 * MONO_S);
	before = count(B)->opens_in;
	say(B, 500, OO_CLUSTER_ASK, &s);
	T_EQ(before + 1, count(B)->opens_in);
	cw_done(&w);
}

static void only_who_was_asked_answers(void)
{
	struct said s = {
		.transaction = true,
		.verdict = true,
		.says = OO_REFUSED,
		.subclass = OO_OVER,
	};
	uint64_t at;

	begin();
	at = oo_cluster_instance(w.reg[B]);
	w.deaf[1] = true;
	cw_dial(&w, 0, "2002");
	cw_run(&w, 100 * MONO_MS);
	T_EQ(1, w.log_n);
	s.id = w.log[0].out.ask;
	say(A, 500, OO_CLUSTER_ANSWER, &s);
	/* Nor anything that is no answer. */
	s.says = OO_NO_PATH;
	say(A, at, OO_CLUSTER_ANSWER, &s);
	s.verdict = false;
	say(A, at, OO_CLUSTER_ANSWER, &s);
	s.verdict = true;
	s.says = OO_REFUSED;
	s.id++;
	say(A, at, OO_CLUSTER_ANSWER, &s);
	cw_run(&w, 100 * MONO_MS);
	T_EQ(0, w.failures[0]);
	/* And one that accepts has to say whom. */
	s.id--;
	s.says = OO_ACCEPTED;
	say(A, at, OO_CLUSTER_ANSWER, &s);
	cw_run(&w, 100 * MONO_MS);
	T_EQ(1, w.failures[0]);
	T_EQ(OO_UNKNOWN, w.failed[0].u.failed.verdict);
	/* What comes after the end is too late. */
	s.says = OO_REFUSED;
	say(A, at, OO_CLUSTER_ANSWER, &s);
	oo_cluster_unreached(w.reg[A], s.id, at, w.now);
	oo_cluster_unreached(w.reg[A], s.id + 1, at, w.now);
	oo_cluster_found(w.reg[A], s.id, NULL, 0, w.now);
	oo_cluster_found(w.reg[A], s.id + 1, NULL, 0, w.now);
	cw_run(&w, 10 * MONO_S);
	T_EQ(1, w.failures[0]);
	cw_done(&w);
}

/* The store says that 2002 is at @instance. */
static void is_found_at(uint64_t instance)
{
	const uint8_t nonce[KEY_BOX_NONCE_LEN] = { (uint8_t)instance };
	struct oo_cluster_presence p = {
		.at = instance,
		.heard_ms = UINT64_C(1800000000000) + w.now / MONO_MS,
	};
	uint8_t value[OO_CLUSTER_PRESENCE_LEN];
	const struct oo_cluster_value v = { value, sizeof(value) };
	struct oo_cluster_keys keys;

	memcpy(p.key, w.id[1].public_key, sizeof(p.key));
	oo_cluster_keys_from(&keys, cw_key);
	oo_cluster_presence_seal(&p, "2002", &keys, nonce, value);
	oo_cluster_found(w.reg[A], w.looked_up, &v, 1, w.now);
}

static void a_node_is_looked_for_in_a_few_places_only(void)
{
	begin();
	w.slow = true;
	cw_dial(&w, 0, "2002");
	cw_run(&w, MONO_MS);
	for (uint64_t at = 600; at < 605; at++) {
		T_EQ(0, w.failures[0]);
		is_found_at(at);
		oo_cluster_unreached(w.reg[A], w.looked_up, at + 1, w.now);
		T_EQ(at - 600, count(A)->unreached);
		oo_cluster_unreached(w.reg[A], w.looked_up, at, w.now);
		cw_run(&w, MONO_MS);
	}
	T_EQ(1, w.failures[0]);
	T_EQ(OO_OFFLINE, w.failed[0].u.failed.verdict);
	T_EQ(5, count(A)->unreached);
	cw_done(&w);
}

static void where_it_was_not_it_is_not_looked_for_again(void)
{
	begin();
	w.slow = true;
	cw_dial(&w, 0, "2002");
	cw_run(&w, MONO_MS);
	is_found_at(600);
	oo_cluster_unreached(w.reg[A], w.looked_up, 600, w.now);
	is_found_at(600);
	cw_run(&w, MONO_MS);
	T_EQ(OO_OFFLINE, w.failed[0].u.failed.verdict);
	T_EQ(1, w.failures[0]);
	cw_done(&w);
}

/* --- who goes meanwhile ------------------------------------------------- */

static void a_caller_that_goes_gets_no_answer(void)
{
	begin();
	/* Before the store has answered. */
	w.slow = true;
	cw_dial(&w, 0, "2002");
	cw_run(&w, 50 * MONO_MS);
	oo_directory_end(oo_registrar_directory(w.reg[A]), record(A, "2001"));
	cw_run(&w, 10 * MONO_S);
	cw_done(&w);
	/* Between the question and the answer. */
	begin();
	w.deaf[1] = true;
	cw_dial(&w, 0, "2002");
	cw_run(&w, 50 * MONO_MS);
	T_EQ(1, w.log_n);
	oo_directory_end(oo_registrar_directory(w.reg[A]), record(A, "2001"));
	cw_run(&w, 10 * MONO_S);
	T_EQ(0, w.paths[0]);
	cw_done(&w);
}

static void a_target_that_goes_is_looked_for_again(void)
{
	begin();
	w.deaf[1] = true;
	cw_dial(&w, 0, "2002");
	cw_run(&w, 50 * MONO_MS);
	oo_directory_end(oo_registrar_directory(w.reg[B]), record(B, "2002"));
	cw_run(&w, MONO_S);
	T_EQ(1, count(A)->moved);
	T_EQ(OO_OFFLINE, w.failed[0].u.failed.verdict);
	cw_done(&w);
}

static void a_target_that_is_struck_out_is_unknown(void)
{
	begin();
	w.lose = 2; /* the answer */
	cw_dial(&w, 0, "2002");
	cw_run(&w, 50 * MONO_MS);
	T_EQ(IAX2_OK, oo_registrar_node_remove(w.reg[A], "2002"));
	cw_run(&w, 6 * MONO_S);
	T_EQ(OO_UNKNOWN, w.failed[0].u.failed.verdict);
	cw_done(&w);
}

static void a_verdict_is_repeated(void)
{
	begin();
	w.refuse[1] = true;
	cw_dial(&w, 0, "2002");
	/* The OVER goes astray; the next OPEN_REQUEST brings another. */
	w.deaf[0] = true;
	cw_run(&w, 50 * MONO_MS);
	w.deaf[0] = false;
	T_EQ(0, w.failures[0]);
	cw_run(&w, MONO_S);
	T_EQ(1, w.failures[0]);
	T_EQ(OO_REFUSED, w.failed[0].u.failed.verdict);
	T_EQ(2, w.log_n);
	cw_done(&w);
}

static void an_answer_is_repeated(void)
{
	begin();
	w.lose = 2 | 8; /* the answer, twice */
	cw_dial(&w, 0, "2002");
	cw_run(&w, 6 * MONO_S);
	T_EQ(1, w.paths[0]);
	T_EQ(1, w.rings[1]);
	T_EQ(2, w.lost);
	cw_done(&w);
}

int main(void)
{
	T_RUN(a_name_has_a_length);
	T_RUN(what_nobody_takes_is_dropped);
	T_RUN(registrars_beyond_the_table_are_not_heard);
	T_RUN(more_changes_than_there_is_room_for_are_found);
	T_RUN(a_large_directory_is_gone_through_in_pieces);
	T_RUN(an_ask_without_sense_is_dropped);
	T_RUN(more_asks_than_there_is_room_for_are_refused);
	T_RUN(only_who_was_asked_answers);
	T_RUN(a_node_is_looked_for_in_a_few_places_only);
	T_RUN(where_it_was_not_it_is_not_looked_for_again);
	T_RUN(a_caller_that_goes_gets_no_answer);
	T_RUN(a_target_that_goes_is_looked_for_again);
	T_RUN(a_target_that_is_struck_out_is_unknown);
	T_RUN(a_verdict_is_repeated);
	T_RUN(an_answer_is_repeated);
	return T_DONE();
}
