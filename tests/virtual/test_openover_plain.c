/* SPDX-License-Identifier: MIT */

/* Plain IAX2 clients register at the registrar (RFC 5456 section 6.1): what
 * Asterisk and iaxmodem send, answered frame by frame. */

#include "tests/virtual/plain_client.h"

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
	T_RUN(a_proof_counts_only_at_the_address_it_was_asked_at);
	T_RUN(a_challenge_lives_half_a_minute_to_a_minute);
	T_RUN(what_is_said_twice_is_answered_twice_alike);
	T_RUN(a_release_needs_the_secret_and_cannot_be_undone_by_repetition);
	T_RUN(a_registration_that_is_not_refreshed_expires);
	T_RUN(the_refresh_asked_for_is_kept_within_bounds);
	T_RUN(a_client_that_moves_is_found_at_its_new_address);
	T_RUN(a_poke_is_answered_with_a_pong);
	return T_DONE();
}
