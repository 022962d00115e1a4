/* SPDX-License-Identifier: MIT */

/* Callers are let in by the key that DNS has of their number. */

#include <sodium.h>

#include "tests/virtual/accept_talk.h"

static struct key_identity theirs;

static struct node_cfg by_key(bool by_address)
{
	static const uint8_t seed[KEY_SEED_LEN] = { 7 };
	struct node_cfg cfg = usual();

	key_identity_from_seed(&theirs, seed);
	cfg.acl.by_address = by_address;
	cfg.acl.by_dns_key = true;
	return cfg;
}

static void dns_has(const uint8_t *key, const char *why)
{
	const struct node_admission a = { .key = key, .why = why };

	T_EQ(NODE_EV_WHICH_KEY, asked.kind);
	node_admit(node, asked.caller, &a, now);
	drain();
}

/* It signs with @id what it was asked for. */
static void sign(struct caller *c, const struct key_identity *id)
{
	uint8_t body[128], sig[KEY_SIGNATURE_LEN];
	struct wire_wr w = wire_wr(body, sizeof(body));

	T_TRUE(c->challenge[0] != '\0');
	T_TRUE(key_sign_challenge(id, c->challenge, sig));
	iax2_ie_put(&w, IAX2_IE_ED25519_RESULT, sig, sizeof(sig));
	say(c, IAX2_IAX_AUTHREP, body, (size_t)(w.p - body));
	drain();
}

static void a_node_is_let_in_by_its_key(void)
{
	const struct node_cfg cfg = by_key(false);
	struct caller c = { .calling = "2000" };

	begin(&cfg);
	call(&c);
	T_EQ(1, questions);
	T_STR("2000", asked.number);
	T_TRUE(c.challenge[0] == '\0');
	dns_has(theirs.public_key, NULL);
	sign(&c, &theirs);
	T_TRUE(c.up);
	T_STR("2000", last_up);
	T_EQ(0, refusals);
	end();
}

static void another_key_is_none(void)
{
	const struct node_cfg cfg = by_key(true);
	struct caller c = { .calling = "2000" };

	begin(&cfg);
	call(&c);
	dns_has(theirs.public_key, NULL);
	sign(&c, cfg.identity);
	run(MONO_S);
	T_TRUE(c.rejected && !c.up);
	T_EQ(1, refusals);
	T_STR("accept.by_dns_key: it does not prove the key that DNS has of "
	      "its number",
	      refused.why);
	/* Where it calls from is of no interest then. */
	T_EQ(1, questions);
	end();
}

static void without_a_key_its_address_may_do(void)
{
	const struct node_cfg cfg = by_key(true);
	struct caller c = { .calling = "2000" };

	begin(&cfg);
	call(&c);
	dns_has(NULL, NULL);
	T_EQ(2, questions);
	T_EQ(NODE_EV_WHO_IS, asked.kind);
	it_is_at(at(7), false);
	T_TRUE(c.up);
	end();
}

static void or_it_is_refused(void)
{
	static const struct {
		const char *why, *refusal;
		bool by_address;
	} rows[] = {
		{ NULL, "accept.by_dns_key: DNS has no key of its number",
		  false },
		{ "no answer", "accept.by_dns_key: no answer", false },
		/* What strangers can bring about opens no other door. */
		{ "no answer", "accept.by_dns_key: no answer", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct node_cfg cfg = by_key(rows[i].by_address);
		struct caller c = { .calling = "2000" };

		begin(&cfg);
		call(&c);
		dns_has(NULL, rows[i].why);
		forbidden(&c, rows[i].refusal);
		T_EQ(1, questions);
		end();
	}
}

static void an_answer_that_does_not_come_is_none(void)
{
	const struct node_cfg cfg = by_key(true);
	struct caller c = { .calling = "2000" };

	begin(&cfg);
	call(&c);
	run(3900 * MONO_MS);
	T_EQ(1, questions);
	T_TRUE(!c.rejected);
	run(200 * MONO_MS);
	T_TRUE(c.rejected);
	T_STR("accept.by_dns_key: nobody said in time whether DNS has one",
	      refused.why);
	end();
}

/* The question of the key was answered once. */
static void the_next_question_is_another(void)
{
	const struct node_cfg cfg = by_key(true);
	const struct node_admission none = { 0 };
	struct caller c = { .calling = "2000" };
	struct node_event first;

	begin(&cfg);
	call(&c);
	first = asked;
	dns_has(NULL, NULL);
	T_EQ(2, questions);
	node_admit(node, first.caller, &none, now);
	drain();
	T_EQ(0, refusals);
	it_is_at(at(7), false);
	T_TRUE(c.up);
	end();
}

static void a_late_answer_is_nobodys(void)
{
	const struct node_cfg cfg = by_key(false);
	struct caller c = { .calling = "2000" }, other = { .calling = "2002" };
	const struct node_admission a = { .key = theirs.public_key };
	struct node_event first;

	begin(&cfg);
	call(&c);
	first = asked;
	run(4100 * MONO_MS);
	T_TRUE(c.rejected);
	call(&other);
	/* It takes the same place, and is not taken for the other. */
	T_EQ(first.caller.slot, asked.caller.slot);
	node_admit(node, first.caller, &a, now);
	drain();
	T_TRUE(other.challenge[0] == '\0');
	end();
}

static void the_lists_hold_for_it_too(void)
{
	struct node_caller listed[2] = { { .number = "2000" } };
	struct caller c = { .calling = "2000" },
		      by_list = { .calling = "2002" };
	struct caller not_listed = { .calling = "2003" };
	struct node_cfg cfg = by_key(false);

	cfg.acl.deny = listed;
	cfg.acl.deny_n = 1;
	begin(&cfg);
	call(&c);
	T_EQ(0, questions);
	forbidden(&c, "accept.deny");
	end();
	/* Only one key is allowed. */
	cfg = by_key(false);
	cfg.acl.registered = false;
	memcpy(listed[1].key, theirs.public_key, KEY_PUBLIC_LEN);
	cfg.acl.allow = &listed[1];
	cfg.acl.allow_n = 1;
	begin(&cfg);
	call(&by_list);
	dns_has(theirs.public_key, NULL);
	sign(&by_list, &theirs);
	T_TRUE(by_list.up);
	call(&not_listed);
	dns_has(cfg.identity->public_key, NULL);
	sign(&not_listed, cfg.identity);
	run(MONO_S);
	T_TRUE(not_listed.rejected);
	T_STR("accept.default", refused.why);
	/* When the rule goes, who came by it goes. */
	cfg.acl.by_dns_key = false;
	node_reconfigure(node, &cfg, now);
	run(MONO_S);
	T_EQ(1, downs);
	end();
}

static void some_numbers_are_not_asked_about(void)
{
	static const struct {
		const char *calling, *why;
	} rows[] = {
		{ NULL, "accept.by_dns_key: it gives no number" },
		{ "2001", "accept.by_dns_key: it gives our own number" },
		{ "20.0", "accept.by_dns_key: it gives no number of a node" },
		{ "0200", "accept.by_dns_key: it gives no number of a node" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller c = { .calling = rows[i].calling };
		const struct node_cfg cfg = by_key(true);

		begin(&cfg);
		call(&c);
		T_EQ(0, questions);
		forbidden(&c, rows[i].why);
		end();
	}
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_node_is_let_in_by_its_key);
	T_RUN(another_key_is_none);
	T_RUN(without_a_key_its_address_may_do);
	T_RUN(or_it_is_refused);
	T_RUN(an_answer_that_does_not_come_is_none);
	T_RUN(the_next_question_is_another);
	T_RUN(a_late_answer_is_nobodys);
	T_RUN(the_lists_hold_for_it_too);
	T_RUN(some_numbers_are_not_asked_about);
	return T_DONE();
}
