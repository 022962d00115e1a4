/* SPDX-License-Identifier: MIT */

/* Callers who are no nodes: users with a secret, AllStarLink's telephone portal,
 * and its web transceiver. */

#include <sodium.h>

#include "tests/virtual/accept_talk.h"

/* --- users -------------------------------------------------------------- */

static const struct node_user users[] = {
	{ .name = "alice", .callsign = "W1AW", .md5_secret = "rabbit" },
	{ .name = "bob", .md5_secret = "carol" },
};

static struct node_cfg with_users(void)
{
	struct node_cfg cfg = usual();

	cfg.acl.by_address = false;
	cfg.acl.users = users;
	cfg.acl.users_n = 2;
	return cfg;
}

static void a_user_is_called_by_its_callsign(void)
{
	struct caller c = { .calling = "0", .username = "alice" };
	struct caller d = { .username = "bob" };
	struct node_cfg cfg = with_users();
	struct node_link_info l;
	mono_us began;

	begin(&cfg);
	call(&c);
	began = now;
	prove_md5(&c, "rabbit");
	run(MONO_S);
	T_TRUE(c.up);
	T_EQ(500 * MONO_MS, (int64_t)(c.up_at - began));
	T_STR("W1AW", last_up);
	/* It keys by its voice and is sent no text. */
	T_TRUE(node_link_at(node, 0, &l));
	T_EQ(ASL_KEYING_PLAIN, l.keying);
	run(35 * MONO_S);
	T_EQ(0, c.texts);
	call(&d);
	prove_md5(&d, "carol");
	run(MONO_S);
	T_STR("bob", last_up);
	cfg.acl.users_n = 1;
	node_reconfigure(node, &cfg, now);
	run(MONO_S);
	T_EQ(1, downs);
	T_STR("no longer welcome: accept.users", down_why);
	end();
}

/* Whatever it says of its number: that is not proved. */
static void a_user_cannot_be_a_node(void)
{
	struct caller c = { .calling = "2000", .username = "alice" };
	const struct node_cfg cfg = with_users();

	begin(&cfg);
	call(&c);
	prove_md5(&c, "rabbit");
	run(MONO_S);
	T_STR("W1AW", last_up);
	end();
}

static void a_wrong_secret_is_refused(void)
{
	struct caller c = { .calling = "0", .username = "alice" };
	const struct node_cfg cfg = with_users();

	begin(&cfg);
	call(&c);
	prove_md5(&c, "carol");
	run(MONO_S);
	T_TRUE(c.rejected && !c.up);
	T_EQ(0, ups);
	T_EQ(1, refusals);
	T_STR("accept.users: it does not know the secret", refused.why);
	T_STR("0", refused.number);
	end();
}

/* --- AllStarLink's telephone portal ------------------------------------- */

/* Made with OpenSSL; the answer is to the challenge that zeros choose. */
static const char portal_key[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCmI0ZPONhGWeJgcU2N7k9EdNJ6\n"
	"ENumNs1L8/MQKvaGRRfw/cG7Xerg3jkPeOKQ3MGELOHd5iAwt3jXExkbinvfB6Ac\n"
	"Ski2sgjRzLb27g7JBhWB1g6FLf1b85fk3rpaO6SRgZqy8GSkb3lC307m47AIvvWG\n"
	"Upxu5LvD8VuiwQsqnwIDAQAB\n"
	"-----END PUBLIC KEY-----\n";
static const char portal_answer[] =
	"V0epNlYBon1i6oEjUDgUHWgJucXMhCrPH23aOCQd0U8WUwq6jZl/ldaC0SQVP1Cqm9"
	"OCUysXosNDHga7N1DMZp295yF17H7+idpQMHHr1EQmaPUZRS3DDRUoRwsBth+/PVSQ"
	"3bs5S/6DrFCA3AG7bS+r9r+BiOJjKXAnlI6ZyWk=";

static struct node_cfg with_portal(void)
{
	struct node_cfg cfg = usual();

	T_TRUE(key_rsa_from_pem(portal_key, &cfg.acl.portal));
	return cfg;
}

static void a_telephone_is_let_in_by_its_portals_signature(void)
{
	struct caller c = { .called = "32001",
			    .calling = "2025550100",
			    .name = "W1AW",
			    .username = "allstar-sys" };
	struct node_cfg cfg = with_portal();

	begin(&cfg);
	call(&c);
	T_STR("0000000000000000", c.challenge);
	prove(&c, IAX2_IE_RSA_RESULT, portal_answer);
	run(MONO_S);
	T_TRUE(c.up);
	T_STR("W1AW", last_up);
	T_EQ(0, questions);
	cfg.acl.portal.modulus_len = 0;
	node_reconfigure(node, &cfg, now);
	run(MONO_S);
	T_STR("no longer welcome: accept.portal_key_file", down_why);
	end();
}

/* 20 ms of a square wave of so much, which is 0 for silence, and its time. */
static void talk(struct caller *c, uint32_t *ts, uint8_t code, bool first)
{
	uint8_t codes[160];
	const struct iax2_full f = {
		.src_callno = c->callno,
		.dst_callno = c->there,
		.ts_ms = *ts,
		.oseq = c->oseq,
		.iseq = c->iseq,
		.type = IAX2_FRAME_VOICE,
		.subclass = IAX2_FORMAT_ULAW,
		.body = codes,
		.body_len = sizeof(codes),
	};
	uint8_t buf[DGRAM_MAX] = { (uint8_t)(c->callno >> 8),
				   (uint8_t)c->callno, (uint8_t)(*ts >> 8),
				   (uint8_t)*ts };
	struct dgram d = { .path.peer = c->at, .data = buf };
	int16_t rx[AUDIO_BLOCK] = { 0 }, tx[AUDIO_BLOCK];

	for (size_t i = 0; i < sizeof(codes); i++)
		codes[i] = (uint8_t)(i % 16 < 8 ? code : code ^ 0x80);
	d.len = 4 + sizeof(codes);
	memcpy(buf + 4, codes, sizeof(codes));
	if (first) {
		T_EQ(IAX2_OK, iax2_full_encode(&f, buf, sizeof(buf), &d.len));
		c->oseq++;
	}
	node_rx(node, &d, now);
	*ts += 20;
	now += 20 * MONO_MS;
	node_tick(node, now);
	(void)node_audio(node, rx, tx, now);
	drain();
}

/* How many of @frames keyed it. */
static unsigned keyed_by(struct caller *c, uint32_t *ts, uint8_t code,
			 unsigned frames, bool first)
{
	struct node_link_info l = { 0 };
	unsigned keyed = 0;

	for (unsigned i = 0; i < frames; i++) {
		talk(c, ts, code, first && i == 0);
		T_TRUE(node_link_at(node, 0, &l));
		keyed += l.rx_keyed;
	}
	return keyed;
}

#define LOUD 0x10  /* -8 dB of full scale */
#define STILL 0x7e /* the least that there is */

static void a_telephone_that_is_still_does_not_key(void)
{
	struct caller c = { .called = "32001",
			    .calling = "2025550100",
			    .name = "W1AW",
			    .username = "allstar-sys" };
	const struct node_cfg cfg = with_portal();
	uint32_t ts = 2000;
	unsigned held;

	begin(&cfg);
	call(&c);
	prove(&c, IAX2_IE_RSA_RESULT, portal_answer);
	run(2 * MONO_S);
	T_EQ(0, keyed_by(&c, &ts, STILL, 100, true));
	T_TRUE(keyed_by(&c, &ts, LOUD, 50, false) > 30);
	/* It holds for a second. */
	held = keyed_by(&c, &ts, STILL, 150, false);
	T_TRUE(held >= 40 && held <= 70);
	T_EQ(0, keyed_by(&c, &ts, STILL, 50, false));
	end();
}

static void without_that_it_is_not(void)
{
	struct caller c = { .called = "32001",
			    .calling = "2025550100",
			    .name = "W1AW",
			    .username = "allstar-sys" };
	const struct node_cfg cfg = with_portal();

	begin(&cfg);
	call(&c);
	prove_md5(&c, "allstar");
	run(MONO_S);
	T_TRUE(c.rejected && !c.up);
	T_STR("accept.portal_key_file: its signature is not the portal's",
	      refused.why);
	end();
}

static void a_telephone_may_not_ask_for_everything(void)
{
	static const struct {
		const char *called, *name, *why;
		bool off;
	} rows[] = {
		{ "12001", "W1AW",
		  "accept.portal_key_file: it asks for what this node has not",
		  false },
		{ "62001", "W1AW",
		  "accept.portal_key_file: it asks for what this node has not",
		  false },
		{ "32001", "2000",
		  "accept.portal_key_file: it brings no callsign", false },
		{ "32001", "TOOLONG12",
		  "accept.portal_key_file: it brings no callsign", false },
		{ "32001", "W1 AW",
		  "accept.portal_key_file: it brings no callsign", false },
		{ "32001", "W1AW",
		  "accept.portal_key_file is empty: no telephone portal",
		  true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller c = { .called = rows[i].called,
				    .calling = "2025550100",
				    .name = rows[i].name,
				    .username = "allstar-sys" };
		struct node_cfg cfg = with_portal();

		if (rows[i].off)
			cfg.acl.portal.modulus_len = 0;
		begin(&cfg);
		call(&c);
		forbidden(&c, rows[i].why);
		end();
	}
}

/* --- its web transceiver ------------------------------------------------ */

static struct caller web_caller(void)
{
	return (struct caller){ .called = "s",
				.calling = "2001",
				.name = "0a1b2c",
				.username = "allstar-public" };
}

static struct node_cfg with_web(void)
{
	struct node_cfg cfg = usual();

	cfg.acl.web = true;
	return cfg;
}

static void a_web_user_is_let_in_by_its_token(void)
{
	struct caller c = web_caller();
	struct node_cfg cfg = with_web();

	begin(&cfg);
	call(&c);
	T_EQ(0, questions);
	prove_md5(&c, "allstar");
	T_EQ(1, questions);
	T_EQ(NODE_EV_WHOSE_TOKEN, asked.kind);
	T_STR("0a1b2c", asked.text);
	it_is("W1AW");
	run(MONO_S);
	T_TRUE(c.up);
	T_STR("W1AW", last_up);
	cfg.acl.web = false;
	node_reconfigure(node, &cfg, now);
	run(MONO_S);
	T_STR("no longer welcome: accept.web_url", down_why);
	end();
}

static void a_token_that_is_nobodys_is_refused(void)
{
	static const struct {
		const char *callsign, *why, *says;
	} rows[] = {
		{ NULL, "its token is nobody's",
		  "accept.web_url: its token is nobody's" },
		{ "", NULL, "accept.web_url: its token is nobody's" },
		{ "2000", NULL, "accept.web_url: its token is nobody's" },
		{ "W1AW W1AW", NULL, "accept.web_url: its token is nobody's" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct node_admission a = { .why = rows[i].why,
						  .callsign =
							  rows[i].callsign };
		struct caller c = web_caller();
		const struct node_cfg cfg = with_web();

		begin(&cfg);
		call(&c);
		prove_md5(&c, "allstar");
		node_admit(node, asked.caller, &a, now);
		drain();
		forbidden(&c, rows[i].says);
		end();
	}
}

static void what_is_no_token_is_not_asked_about(void)
{
	static const char *const name[] = { NULL, "", "a b", "x&y", "../x" };

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		struct caller c = web_caller();
		const struct node_cfg cfg = with_web();

		c.name = name[i];
		begin(&cfg);
		call(&c);
		forbidden(&c, "accept.web_url: it brings no token");
		end();
	}
}

static void nobody_is_let_in_by_the_web_unasked(void)
{
	struct caller c = web_caller();
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	forbidden(&c, "accept.web_url is empty: no web transceiver");
	end();
}

static void nor_when_nobody_answers(void)
{
	struct caller c = web_caller();
	const struct node_cfg cfg = with_web();

	begin(&cfg);
	call(&c);
	prove_md5(&c, "allstar");
	run(4 * MONO_S);
	forbidden(&c, "accept.web_url: nobody said in time whose its token is");
	end();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_user_is_called_by_its_callsign);
	T_RUN(a_user_cannot_be_a_node);
	T_RUN(a_wrong_secret_is_refused);
	T_RUN(a_telephone_is_let_in_by_its_portals_signature);
	T_RUN(a_telephone_that_is_still_does_not_key);
	T_RUN(without_that_it_is_not);
	T_RUN(a_telephone_may_not_ask_for_everything);
	T_RUN(a_web_user_is_let_in_by_its_token);
	T_RUN(a_token_that_is_nobodys_is_refused);
	T_RUN(what_is_no_token_is_not_asked_about);
	T_RUN(nobody_is_let_in_by_the_web_unasked);
	T_RUN(nor_when_nobody_answers);
	return T_DONE();
}
