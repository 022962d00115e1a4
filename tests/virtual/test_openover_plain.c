/* SPDX-License-Identifier: MIT */

/* Plain IAX2 clients at the registrar (RFC 5456 section 6.1), spoken to frame
 * by frame: what Asterisk and iaxmodem send, and what strangers may try. */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_msg.h"
#include "tests/t.h"
#include "tests/virtual/oo_world.h"

#define OURS 0x1234 /* the client's call number */

static struct world w;
static struct net_addr client, stranger;
static struct oo_registrar_cfg limits;

/* The last answer, and what it answered. */
static uint8_t answer[DGRAM_MAX];
static struct oo_msg got;
static size_t answer_len, sent_len;
static unsigned answers;

struct say {
	uint8_t subclass;
	uint16_t dst;
	const char *user;
	const char *token; /* NULL: no CALLTOKEN */
	const char *md5;   /* NULL: no MD5 RESULT */
	int refresh;       /* 0: none */
};

static const struct oo_registrar_counters *count(void)
{
	return oo_registrar_counters(w.registrar);
}

static struct oo_plain *record(const char *name)
{
	return oo_plains_find(oo_registrar_plains(w.registrar), name);
}

static bool online(const char *name)
{
	return oo_plain_is_online(record(name), w.now);
}

static unsigned events(enum oo_registrar_event_kind kind, const char *name)
{
	struct oo_registrar_event ev;
	unsigned n = 0;

	while (oo_registrar_next_event(w.registrar, &ev))
		n += ev.kind == kind && strcmp(ev.number, name) == 0;
	return n;
}

static void begin(void)
{
	world_init(&w);
	client = net_addr_v4(10, 7, 7, 7, 4569);
	stranger = net_addr_v4(10, 9, 9, 9, 4569);
	limits = (struct oo_registrar_cfg){
		.refresh_s = 300,
		.registrations_per_min = 60,
		.opens_per_min = 60,
		.auth_failures_per_min = 4,
	};
	T_TRUE(oo_registrar_limits(w.registrar, &limits));
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "3000", "sesame"));
}

static void put(const uint8_t *data, size_t len, const struct net_addr *from)
{
	struct dgram d;

	(void)world_inject(&w, REGISTRAR, from, data, len);
	sent_len = len;
	answers = 0;
	answer_len = 0;
	while (oo_registrar_next_tx(w.registrar, &d)) {
		T_TRUE(net_addr_equal(from, &d.path.peer));
		memcpy(answer, d.data, d.len);
		answer_len = d.len;
		answers++;
	}
	T_TRUE(answers <= 1);
	memset(&got, 0, sizeof(got));
	if (answers > 0)
		T_EQ(IAX2_OK, oo_msg_decode(answer, answer_len, &got));
}

static void say(const struct say *s, const struct net_addr *from)
{
	const struct iax2_full hdr = {
		.src_callno = OURS,
		.dst_callno = s->dst,
		.ts_ms = 3,
		.oseq = s->dst != 0,
		.iseq = s->dst != 0,
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr wr = oo_frame_begin(buf, s->subclass, &hdr);

	iax2_ie_put_text(&wr, IAX2_IE_USERNAME, s->user);
	if (s->md5)
		iax2_ie_put_text(&wr, IAX2_IE_MD5_RESULT, s->md5);
	if (s->refresh)
		iax2_ie_put_u16(&wr, IAX2_IE_REFRESH, (uint16_t)s->refresh);
	if (s->token)
		iax2_ie_put_text(&wr, IAX2_IE_CALLTOKEN, s->token);
	T_TRUE(!wr.bad);
	put(buf, (size_t)(wr.p - buf), from);
}

/* Up to the REGAUTH, as Asterisk does it. */
static void ask(uint8_t subclass, const char *user, const struct net_addr *from)
{
	char token[OO_TOKEN_TEXT_MAX + 1];

	say(&(struct say){ subclass, 0, user, "", NULL, 60 }, from);
	T_EQ(1, answers);
	T_EQ(IAX2_IAX_CALLTOKEN, got.hdr.subclass);
	T_TRUE(answer_len <= sent_len);
	memcpy(token, got.calltoken, sizeof(token));
	say(&(struct say){ subclass, 0, user, token, NULL, 60 }, from);
	T_EQ(1, answers);
	T_EQ(IAX2_IAX_REGAUTH, got.hdr.subclass);
}

/* What answers the challenge in hand. */
static struct say response(uint8_t subclass, const char *user,
			   const char *secret, char md5[33])
{
	key_md5_response(got.challenge, secret, md5);
	return (struct say){
		subclass, got.hdr.src_callno, user, NULL, md5, 60
	};
}

/* The whole exchange; the last answer's subclass. */
static uint64_t exchange(uint8_t subclass, const char *user, const char *secret,
			 const struct net_addr *from)
{
	char md5[33];
	struct say s;

	ask(subclass, user, from);
	s = response(subclass, user, secret, md5);
	say(&s, from);
	return answers ? got.hdr.subclass : 0;
}

static void a_client_registers_with_a_token_and_its_secret(void)
{
	uint16_t methods = 0;
	char md5[33];
	struct say s;

	begin();
	ask(IAX2_IAX_REGREQ, "3000", &client);
	T_EQ(OURS, got.hdr.dst_callno);
	T_TRUE(got.hdr.src_callno > 1);
	T_EQ(0, got.hdr.oseq);
	T_EQ(1, got.hdr.iseq);
	T_TRUE(iax2_ie_u16(got.hdr.body, got.hdr.body_len, IAX2_IE_AUTHMETHODS,
			   &methods));
	T_EQ(IAX2_AUTH_MD5, methods);
	T_STR("3000", got.username);
	T_TRUE(strlen(got.challenge) >= 16);
	s = response(IAX2_IAX_REGREQ, "3000", "sesame", md5);
	say(&s, &client);
	T_EQ(1, answers);
	T_EQ(IAX2_IAX_REGACK, got.hdr.subclass);
	T_EQ(s.dst, got.hdr.src_callno);
	T_EQ(OURS, got.hdr.dst_callno);
	T_EQ(1, got.hdr.oseq);
	T_EQ(2, got.hdr.iseq);
	T_STR("3000", got.username);
	T_EQ(60, got.refresh_s);
	T_TRUE(got.has_apparent && net_addr_equal(&client, &got.apparent));
	T_TRUE(online("3000"));
	T_EQ(1, count()->registered);
	T_EQ(1, events(OO_REG_EV_UP, "3000"));
	world_done(&w);
}

static void the_acknowledgement_tells_the_time_when_it_is_known(void)
{
	const struct iax2_datetime t = { 2026, 11, 21, 10, 17, 20 };
	uint32_t v = 0;

	T_EQ(0x3575522aU, iax2_datetime(&t));
	begin();
	oo_registrar_datetime(w.registrar, 0x3575522aU);
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	T_TRUE(iax2_ie_u32(got.hdr.body, got.hdr.body_len, IAX2_IE_DATETIME,
			   &v));
	T_EQ(0x3575522aU, v);
	world_done(&w);
}

/* Asterisk says CALLTOKEN '' in its answer to the challenge too. */
static void an_empty_token_beside_the_proof_is_no_new_question(void)
{
	char md5[33];
	struct say s;

	begin();
	ask(IAX2_IAX_REGREQ, "3000", &client);
	s = response(IAX2_IAX_REGREQ, "3000", "sesame", md5);
	s.token = "";
	say(&s, &client);
	T_EQ(IAX2_IAX_REGACK, got.hdr.subclass);
	world_done(&w);
}

static void large_hexadecimal_digits_are_the_same_proof(void)
{
	char md5[33];
	struct say s;

	begin();
	ask(IAX2_IAX_REGREQ, "3000", &client);
	s = response(IAX2_IAX_REGREQ, "3000", "sesame", md5);
	for (size_t i = 0; i < 32; i++) {
		if (md5[i] >= 'a')
			md5[i] = (char)(md5[i] - 'a' + 'A');
	}
	say(&s, &client);
	T_EQ(IAX2_IAX_REGACK, got.hdr.subclass);
	world_done(&w);
}

static void a_wrong_secret_and_an_unknown_name_look_the_same(void)
{
	size_t auth_len, reject_len;
	uint8_t code = 0;

	begin();
	ask(IAX2_IAX_REGREQ, "3000", &client);
	auth_len = answer_len;
	T_EQ(IAX2_IAX_REGREJ,
	     exchange(IAX2_IAX_REGREQ, "3000", "wrong", &client));
	T_STR("Registration Refused", got.cause);
	T_TRUE(iax2_ie_u8(got.hdr.body, got.hdr.body_len, IAX2_IE_CAUSECODE,
			  &code));
	T_EQ(29, code);
	T_TRUE(answer_len <= sent_len);
	reject_len = answer_len;
	ask(IAX2_IAX_REGREQ, "3999", &client);
	T_EQ(auth_len, answer_len);
	T_EQ(IAX2_IAX_REGREJ, exchange(IAX2_IAX_REGREQ, "3999", "", &client));
	T_EQ(reject_len, answer_len);
	/* A node's number too: it has a key, not a secret. */
	T_EQ(IAX2_IAX_REGREJ, exchange(IAX2_IAX_REGREQ, "2001", "", &client));
	T_EQ(3, count()->auth_failed);
	T_EQ(3, count()->refused);
	T_TRUE(!online("3000"));
	world_done(&w);
}

static void who_knows_no_tokens_must_be_listed(void)
{
	static struct net_prefix listed;
	char md5[33];
	struct say s = { IAX2_IAX_REGREQ, 0, "3000", NULL, NULL, 60 };

	begin();
	say(&s, &client);
	T_EQ(0, answers);
	T_EQ(1, events(OO_REG_EV_NO_TOKEN, "3000"));
	listed = (struct net_prefix){ net_addr_v4(10, 7, 0, 0, 0), 96 + 16 };
	limits.token_optional = &listed;
	limits.token_optional_n = 1;
	T_TRUE(oo_registrar_limits(w.registrar, &limits));
	say(&s, &stranger);
	T_EQ(0, answers);
	say(&s, &client);
	T_EQ(IAX2_IAX_REGAUTH, got.hdr.subclass);
	s = response(IAX2_IAX_REGREQ, "3000", "sesame", md5);
	say(&s, &client);
	T_EQ(IAX2_IAX_REGACK, got.hdr.subclass);
	T_TRUE(online("3000"));
	world_done(&w);
}

/* Its address may be somebody else's: no flood goes there. */
static void a_listed_address_is_challenged_so_many_times_a_second(void)
{
	const struct say s = { IAX2_IAX_REGREQ, 0, "3000", NULL, NULL, 60 };
	struct net_prefix all = { net_addr_v4(0, 0, 0, 0, 0), 96 };
	unsigned n = 0;

	begin();
	limits.token_optional = &all;
	limits.token_optional_n = 1;
	T_TRUE(oo_registrar_limits(w.registrar, &limits));
	for (int i = 0; i < 1000; i++) {
		say(&s, &client);
		n += answers;
	}
	T_TRUE(n >= 20 && n <= 100);
	say(&s, &stranger);
	T_EQ(1, answers);
	world_done(&w);
}

static void a_proof_counts_only_at_the_address_it_was_asked_at(void)
{
	char md5[33];
	struct say s;

	begin();
	ask(IAX2_IAX_REGREQ, "3000", &client);
	s = response(IAX2_IAX_REGREQ, "3000", "sesame", md5);
	say(&s, &stranger);
	T_EQ(0, answers);
	T_EQ(0, count()->auth_failed);
	T_TRUE(!online("3000"));
	/* Nor for another name or purpose. */
	s.user = "3001";
	say(&s, &client);
	T_EQ(0, answers);
	s.user = "3000";
	s.subclass = IAX2_IAX_REGREL;
	say(&s, &client);
	T_EQ(0, answers);
	s.subclass = IAX2_IAX_REGREQ;
	say(&s, &client);
	T_EQ(IAX2_IAX_REGACK, got.hdr.subclass);
	world_done(&w);
}

static void a_challenge_lives_half_a_minute_to_a_minute(void)
{
	static const mono_us ages[] = { 29, 61 };

	for (size_t i = 0; i < 2; i++) {
		char md5[33];
		struct say s;

		begin();
		ask(IAX2_IAX_REGREQ, "3000", &client);
		s = response(IAX2_IAX_REGREQ, "3000", "sesame", md5);
		world_run(&w, ages[i] * MONO_S);
		say(&s, &client);
		T_EQ(i == 0, answers);
		T_EQ(i == 0, online("3000"));
		world_done(&w);
	}
}

static void what_is_said_twice_is_answered_twice_alike(void)
{
	uint8_t first[DGRAM_MAX];
	size_t first_len;
	char md5[33];
	struct say s;

	begin();
	ask(IAX2_IAX_REGREQ, "3000", &client);
	memcpy(first, answer, answer_len);
	first_len = answer_len;
	ask(IAX2_IAX_REGREQ, "3000", &client);
	T_EQ(first_len, answer_len);
	T_EQ(0, memcmp(first, answer, answer_len));
	s = response(IAX2_IAX_REGREQ, "3000", "sesame", md5);
	say(&s, &client);
	memcpy(first, answer, answer_len);
	first_len = answer_len;
	say(&s, &client);
	T_EQ(first_len, answer_len);
	T_EQ(0, memcmp(first, answer, answer_len));
	T_EQ(1, count()->registered);
	T_EQ(1, events(OO_REG_EV_UP, "3000"));
	world_done(&w);
}

static void a_release_needs_the_secret_and_cannot_be_undone_by_repetition(void)
{
	char md5[33];
	struct say registered;

	begin();
	ask(IAX2_IAX_REGREQ, "3000", &client);
	registered = response(IAX2_IAX_REGREQ, "3000", "sesame", md5);
	say(&registered, &client);
	T_TRUE(online("3000"));
	T_EQ(IAX2_IAX_REGREJ,
	     exchange(IAX2_IAX_REGREL, "3000", "wrong", &client));
	T_TRUE(online("3000"));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREL, "3000", "sesame", &client));
	T_STR("3000", got.username);
	T_TRUE(!got.has_refresh && !got.has_apparent);
	T_TRUE(!online("3000"));
	T_EQ(1, events(OO_REG_EV_DOWN, "3000"));
	say(&registered, &client);
	T_EQ(0, answers);
	T_EQ(1, count()->replayed);
	T_TRUE(!online("3000"));
	world_done(&w);
}

static void a_registration_that_is_not_refreshed_expires(void)
{
	begin();
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	world_run(&w, 70 * MONO_S);
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	T_EQ(1, events(OO_REG_EV_UP, "3000"));
	world_run(&w, 85 * MONO_S);
	T_TRUE(online("3000"));
	world_run(&w, 10 * MONO_S);
	T_TRUE(!online("3000"));
	T_EQ(1, events(OO_REG_EV_DOWN, "3000"));
	T_EQ(0, oo_plains_registered(oo_registrar_plains(w.registrar)));
	world_done(&w);
}

static void the_refresh_asked_for_is_kept_within_bounds(void)
{
	static const int asked[] = { 0, 1, 30, 120, 300, 301, 65535 };
	static const int granted[] = { 60, 30, 30, 120, 300, 300, 300 };

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		char md5[33];
		struct say s;

		begin();
		ask(IAX2_IAX_REGREQ, "3000", &client);
		s = response(IAX2_IAX_REGREQ, "3000", "sesame", md5);
		s.refresh = asked[i];
		say(&s, &client);
		T_EQ((unsigned)granted[i], got.refresh_s);
		world_done(&w);
	}
}

static void a_client_that_moves_is_found_at_its_new_address(void)
{
	begin();
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	T_EQ(1, events(OO_REG_EV_UP, "3000"));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &stranger));
	T_EQ(1, events(OO_REG_EV_MOVED, "3000"));
	T_TRUE(net_addr_equal(&stranger, &record("3000")->path.peer));
	world_done(&w);
}

static void too_many_wrong_passwords_close_the_ear_for_a_while(void)
{
	unsigned rejected = 0;

	begin();
	for (int i = 0; i < 20; i++) {
		rejected += exchange(IAX2_IAX_REGREQ, "3000", "guess",
				     &client) == IAX2_IAX_REGREJ;
		world_run(&w, 100 * MONO_MS);
	}
	T_EQ(5, rejected); /* the burst of four a minute */
	T_EQ(5, count()->auth_failed);
	T_EQ(15, count()->auth_limited);
	/* Another client behind the same address is heard. */
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "3001", "open"));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3001", "open", &client));
	T_EQ(0, exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &stranger));
	world_run(&w, 60 * MONO_S);
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	world_done(&w);
}

/* Somebody who cannot receive at an address cannot spend its patience. */
static void wrong_proofs_from_a_made_up_address_are_not_counted(void)
{
	const struct say s = { IAX2_IAX_REGREQ,
			       0x2222,
			       "3000",
			       NULL,
			       "00112233445566778899aabbccddeeff",
			       60 };

	begin();
	for (int i = 0; i < 1000; i++) {
		say(&s, &client);
		T_EQ(0, answers);
	}
	T_EQ(0, count()->auth_failed);
	T_EQ(1000, count()->forged);
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	world_done(&w);
}

static void strangers_never_draw_more_than_they_send(void)
{
	static const uint8_t subclass[] = { IAX2_IAX_REGREQ, IAX2_IAX_REGREL,
					    IAX2_IAX_POKE, IAX2_IAX_ACK };
	static const char *const tokens[] = { NULL, "", "abcdefgh", "?" };
	static const char md5[] = "00112233445566778899aabbccddeeff";
	char user[OO_PLAIN_NAME_MAX + 1] = "";
	unsigned answered = 0;

	begin();
	for (size_t len = 1; len <= OO_PLAIN_NAME_MAX; len++) {
		user[len - 1] = '3';
		for (size_t i = 0; i < 4 * 4 * 2; i++) {
			const struct say s = { subclass[i % 4],
					       0,
					       user,
					       tokens[i / 4 % 4],
					       i < 16 ? NULL : md5,
					       len % 2 ? 60 : 0 };
			const struct net_addr from = net_addr_v4(
				10, 1, (uint8_t)len, (uint8_t)i, 4569);

			say(&s, &from);
			T_TRUE(answer_len <= sent_len);
			answered += answers;
		}
	}
	T_TRUE(answered > 100);
	world_done(&w);
}

static void a_new_secret_ends_the_registration_and_the_same_does_not(void)
{
	begin();
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "3000", "sesame"));
	T_TRUE(online("3000"));
	T_EQ(0, events(OO_REG_EV_DOWN, "3000"));
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "3000", "third"));
	T_TRUE(!online("3000"));
	T_EQ(1, events(OO_REG_EV_DOWN, "3000"));
	/* Once. */
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "3000", "other"));
	T_EQ(0, events(OO_REG_EV_DOWN, "3000"));
	T_EQ(IAX2_IAX_REGREJ,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "other", &client));
	T_EQ(IAX2_OK, oo_registrar_plain_remove(w.registrar, "3000"));
	T_EQ(1, events(OO_REG_EV_DOWN, "3000"));
	T_EQ(IAX2_E_STALE, oo_registrar_plain_remove(w.registrar, "3000"));
	T_EQ(IAX2_IAX_REGREJ,
	     exchange(IAX2_IAX_REGREQ, "3000", "other", &client));
	world_done(&w);
}

static void a_number_is_a_nodes_or_a_clients(void)
{
	struct oo_directory *dir;

	begin();
	dir = oo_registrar_directory(w.registrar);
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "2001", "x"));
	T_TRUE(!oo_directory_by_number(dir, "2001"));
	T_TRUE(record("2001") != NULL);
	T_EQ(IAX2_OK,
	     oo_registrar_node_put(w.registrar, "2001", w.id[0].public_key));
	T_TRUE(oo_directory_by_number(dir, "2001") != NULL);
	T_TRUE(!record("2001"));
	world_done(&w);
}

static void bad_names_and_secrets_are_refused(void)
{
	static const char *const bad[] = {
		"", "a b", "a/b", "\x80", "a23456789012345678901234567890123"
	};
	char secret[OO_PLAIN_SECRET_MAX + 2];

	begin();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_EQ(IAX2_E_RANGE,
		     oo_registrar_plain_put(w.registrar, bad[i], "x"));
	memset(secret, 's', sizeof(secret));
	secret[OO_PLAIN_SECRET_MAX + 1] = '\0';
	T_EQ(IAX2_E_RANGE, oo_registrar_plain_put(w.registrar, "a", secret));
	T_EQ(IAX2_E_RANGE, oo_registrar_plain_put(w.registrar, "a", ""));
	secret[OO_PLAIN_SECRET_MAX] = '\0';
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar,
					     "fax_modem.1-ABCDEFGHIJKLMNOPQRST",
					     secret));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "fax_modem.1-ABCDEFGHIJKLMNOPQRST",
		      secret, &client));
	world_done(&w);
}

static void the_table_finds_what_was_put_and_not_removed(void)
{
	enum { N = 500 };
	struct oo_plains *p = oo_plains_new(N);
	struct net_path path = { .peer = net_addr_v4(10, 0, 0, 1, 4569) };
	char name[16];

	T_TRUE(p != NULL);
	for (unsigned i = 0; i < N; i++) {
		/* A permutation: 211 and 500 have no common factor. */
		(void)snprintf(name, sizeof(name), "n%u", i * 211 % N);
		T_TRUE(oo_plains_put(p, name, name) != NULL);
	}
	T_TRUE(!oo_plains_put(p, "one-more", "x"));
	oo_plains_register(p, oo_plains_find(p, "n7"), &path, MONO_S);
	oo_plains_register(p, oo_plains_find(p, "n8"), &path, MONO_S);
	T_EQ(2, oo_plains_registered(p));
	for (unsigned i = 0; i < N; i += 2) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		oo_plains_remove(p, oo_plains_find(p, name));
	}
	T_EQ(N / 2, oo_plains_count(p));
	T_EQ(1, oo_plains_registered(p));
	for (unsigned i = 0; i < N; i++) {
		const struct oo_plain *c;

		(void)snprintf(name, sizeof(name), "n%u", i);
		c = oo_plains_find(p, name);
		T_EQ(i % 2, c != NULL);
		if (c)
			T_STR(name, c->secret);
	}
	T_TRUE(oo_plain_is_online(oo_plains_find(p, "n7"), 0));
	p = oo_plains_free(p);
}

static void who_dials_a_plain_client_is_told_its_address(void)
{
	const struct oo_event *ev = &w.last[0][OO_EV_PATH];

	begin();
	world_up(&w);
	(void)world_dial(&w, 0, "3000");
	world_run(&w, MONO_S);
	T_EQ(1, w.seen[0][OO_EV_FAILED]);
	T_EQ(OO_OFFLINE, w.last[0][OO_EV_FAILED].u.failed.verdict);
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	(void)world_dial(&w, 0, "3000");
	world_settle(&w);
	T_EQ(1, w.seen[0][OO_EV_PATH]);
	T_TRUE(ev->u.path.plain);
	T_TRUE(net_addr_equal(&client, &ev->u.path.path.peer));
	T_EQ(1, count()->opens_ok);
	/* The dial is over: nothing follows. */
	world_run(&w, 20 * MONO_S);
	T_EQ(1, w.seen[0][OO_EV_PATH]);
	T_EQ(1, w.seen[0][OO_EV_FAILED]);
	world_done(&w);
}

static void limits_out_of_range_are_refused_and_change_nothing(void)
{
	begin();
	limits.refresh_s = 29;
	T_TRUE(!oo_registrar_limits(w.registrar, &limits));
	limits.refresh_s = 45;
	limits.auth_failures_per_min = 0;
	T_TRUE(!oo_registrar_limits(w.registrar, &limits));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	T_EQ(60, got.refresh_s);
	limits.auth_failures_per_min = 1;
	T_TRUE(oo_registrar_limits(w.registrar, &limits));
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &stranger));
	T_EQ(45, got.refresh_s);
	world_done(&w);
}

static void a_poke_is_answered_with_a_pong(void)
{
	begin();
	T_EQ(IAX2_IAX_REGACK,
	     exchange(IAX2_IAX_REGREQ, "3000", "sesame", &client));
	say(&(struct say){ IAX2_IAX_POKE, 0, "", NULL, NULL, 0 }, &client);
	T_EQ(IAX2_IAX_PONG, got.hdr.subclass);
	say(&(struct say){ IAX2_IAX_ACK, 0, "", NULL, NULL, 0 }, &client);
	T_EQ(0, answers);
	T_EQ(0, count()->not_ours);
	world_done(&w);
}

int main(void)
{
	T_RUN(a_client_registers_with_a_token_and_its_secret);
	T_RUN(the_acknowledgement_tells_the_time_when_it_is_known);
	T_RUN(an_empty_token_beside_the_proof_is_no_new_question);
	T_RUN(large_hexadecimal_digits_are_the_same_proof);
	T_RUN(a_wrong_secret_and_an_unknown_name_look_the_same);
	T_RUN(who_knows_no_tokens_must_be_listed);
	T_RUN(a_listed_address_is_challenged_so_many_times_a_second);
	T_RUN(a_proof_counts_only_at_the_address_it_was_asked_at);
	T_RUN(a_challenge_lives_half_a_minute_to_a_minute);
	T_RUN(what_is_said_twice_is_answered_twice_alike);
	T_RUN(a_release_needs_the_secret_and_cannot_be_undone_by_repetition);
	T_RUN(a_registration_that_is_not_refreshed_expires);
	T_RUN(the_refresh_asked_for_is_kept_within_bounds);
	T_RUN(a_client_that_moves_is_found_at_its_new_address);
	T_RUN(too_many_wrong_passwords_close_the_ear_for_a_while);
	T_RUN(wrong_proofs_from_a_made_up_address_are_not_counted);
	T_RUN(strangers_never_draw_more_than_they_send);
	T_RUN(a_new_secret_ends_the_registration_and_the_same_does_not);
	T_RUN(a_number_is_a_nodes_or_a_clients);
	T_RUN(bad_names_and_secrets_are_refused);
	T_RUN(the_table_finds_what_was_put_and_not_removed);
	T_RUN(who_dials_a_plain_client_is_told_its_address);
	T_RUN(limits_out_of_range_are_refused_and_change_nothing);
	T_RUN(a_poke_is_answered_with_a_pong);
	return T_DONE();
}
