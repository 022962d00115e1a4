/* SPDX-License-Identifier: MIT */

/* Callers without a ticket, let in as AllStarLink's nodes let them in: one node,
 * and callers that the test writes by hand. */

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "daemon/node/node.h"
#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"
#include "tests/t.h"

#define STEP (10 * MONO_MS)

/* A caller, by its call number and address. */
struct caller {
	uint16_t callno;
	struct net_addr at;
	const char *called, *calling, *username, *name;
	uint8_t oseq, iseq;
	uint16_t there;
	bool up, rejected;
	unsigned cause;
	mono_us up_at;
	char challenge[64];
	unsigned texts;
};

static struct node *node;
static mono_us now;
static struct node_event asked; /* the last question */
static unsigned questions;
static struct node_event refused; /* the last refusal */
static unsigned refusals, ups, downs;
static char last_up[IAX2_NUMBER_MAX + 1], down_why[NODE_WHY_MAX];
static struct caller *callers[NODE_WAITING_MAX + 2];
static size_t callers_n;

/* A challenge of zeros, so that the signature below is one of it. */
static void zeros(void *ctx, uint8_t *buf, size_t len)
{
	static uint8_t secrets;

	(void)ctx;
	memset(buf, len >= 16 ? ++secrets : 0, len);
}

/* Call numbers that differ. */
static void chance(void *ctx, uint8_t *buf, size_t len)
{
	static uint8_t next = 1;

	if (len >= 8) {
		zeros(ctx, buf, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		buf[i] = next++;
}

static struct net_addr at(uint8_t last)
{
	return net_addr_v4(198, 51, 100, last, 4569);
}

static struct node_cfg usual(void)
{
	static const uint8_t seed[KEY_SEED_LEN] = { 9 };
	static struct key_identity id;
	static struct net_prefix all;

	key_identity_from_seed(&id, seed);
	return (struct node_cfg){
		.number = "2001",
		.identity = &id,
		.port = 4569,
		.keepalive_s = 15,
		.calls_max = 256,
		.limits = { .calls_per_addr = 256,
			    .half_open = 256,
			    .half_open_per_addr = 256,
			    .calls_per_s = 1000,
			    .auth_failures_per_min = 1000 },
		.token_optional = &all,
		.token_optional_n = 1,
		.jitter = { .min_ms = 40, .max_ms = 400 },
		.station = station_config_flat,
		.acl = { .registered = true, .by_address = true },
		.random = chance,
	};
}

static void begin(const struct node_cfg *cfg)
{
	now = 50 * MONO_S;
	questions = refusals = ups = downs = 0;
	memset(&refused, 0, sizeof(refused));
	callers_n = 0;
	node = node_new(cfg, now);
	T_TRUE(node != NULL);
}

static void end(void)
{
	node = node_free(node);
}

/* --- callers ------------------------------------------------------------ */

static void say(struct caller *c, uint8_t subclass, const uint8_t *body,
		size_t len)
{
	const struct iax2_full f = {
		.src_callno = c->callno,
		.dst_callno = c->there,
		.ts_ms = 3U + c->oseq,
		.oseq = c->oseq,
		.iseq = c->iseq,
		.type = IAX2_FRAME_IAX,
		.subclass = subclass,
		.body = body,
		.body_len = len,
	};
	uint8_t buf[DGRAM_MAX];
	size_t n = 0;
	struct dgram d = { .path.peer = c->at, .data = buf };

	T_EQ(IAX2_OK, iax2_full_encode(&f, buf, sizeof(buf), &n));
	d.len = n;
	if (subclass != IAX2_IAX_ACK)
		c->oseq++;
	node_rx(node, &d, now);
}

static void on_reject(struct caller *c, const struct iax2_full *f)
{
	uint8_t cause = 0;

	(void)iax2_ie_u8(f->body, f->body_len, IAX2_IE_CAUSECODE, &cause);
	c->rejected = true;
	c->cause = cause;
}

static void hear(struct caller *c, const struct iax2_full *f)
{
	const bool iax = f->type == IAX2_FRAME_IAX;

	c->there = f->src_callno;
	if (iax && f->subclass == IAX2_IAX_ACK)
		return;
	if (f->oseq != c->iseq)
		return; /* again */
	c->iseq++;
	if (iax && f->subclass == IAX2_IAX_REJECT)
		on_reject(c, f);
	else if (iax && f->subclass == IAX2_IAX_AUTHREQ)
		T_TRUE(iax2_ie_text(f->body, f->body_len, IAX2_IE_CHALLENGE,
				    c->challenge, sizeof(c->challenge)));
	else if (f->type == IAX2_FRAME_CONTROL &&
		 f->subclass == IAX2_CONTROL_ANSWER) {
		c->up = true;
		c->up_at = now;
	}
	c->texts += f->type == IAX2_FRAME_TEXT;
	say(c, IAX2_IAX_ACK, NULL, 0);
}

static struct caller *caller_of(const struct dgram *d,
				const struct iax2_full *f)
{
	for (size_t i = 0; i < callers_n; i++) {
		if (net_addr_equal(&callers[i]->at, &d->path.peer) &&
		    callers[i]->callno == f->dst_callno)
			return callers[i];
	}
	return NULL;
}

static void take_event(const struct node_event *ev)
{
	if (ev->kind == NODE_EV_WHO_IS || ev->kind == NODE_EV_WHOSE_TOKEN) {
		questions++;
		asked = *ev;
	} else if (ev->kind == NODE_EV_CALLER_REFUSED) {
		refusals++;
		refused = *ev;
	} else if (ev->kind == NODE_EV_LINK_UP) {
		ups++;
		memcpy(last_up, ev->number, sizeof(last_up));
	} else if (ev->kind == NODE_EV_LINK_DOWN) {
		downs++;
		memcpy(down_why, ev->why, sizeof(down_why));
	}
}

static void drain(void)
{
	struct node_event ev;
	struct iax2_full f;
	struct dgram d;

	while (node_next_tx(node, &d)) {
		if (iax2_full_decode(d.data, d.len, &f) == IAX2_OK) {
			struct caller *c = caller_of(&d, &f);

			if (c)
				hear(c, &f);
		}
	}
	while (node_next_event(node, &ev))
		take_event(&ev);
}

static void run(mono_us d)
{
	const mono_us until = now + d;

	drain();
	while (now < until) {
		now += STEP;
		node_tick(node, now);
		drain();
	}
}

static void put(struct wire_wr *w, uint8_t type, const char *text)
{
	if (text)
		iax2_ie_put_text(w, type, text);
}

/* Its NEW; what is not set is as a node of AllStarLink has it. */
static void call(struct caller *c)
{
	uint8_t body[256];
	struct wire_wr w = wire_wr(body, sizeof(body));

	if (!net_addr_is_set(&c->at))
		c->at = at(7);
	c->callno = (uint16_t)(100 + callers_n);
	callers[callers_n++] = c;
	iax2_ie_put_u16(&w, IAX2_IE_VERSION, 2);
	put(&w, IAX2_IE_CALLED_NUMBER, c->called ? c->called : "2001");
	put(&w, IAX2_IE_CALLING_NUMBER, c->calling);
	put(&w, IAX2_IE_CALLING_NAME, c->name);
	put(&w, IAX2_IE_USERNAME, c->username ? c->username : "radio");
	iax2_ie_put_u32(&w, IAX2_IE_FORMAT, IAX2_FORMAT_ULAW);
	iax2_ie_put_u32(&w, IAX2_IE_CAPABILITY, IAX2_FORMAT_ULAW);
	say(c, IAX2_IAX_NEW, body, (size_t)(w.p - body));
	drain();
}

static void prove(struct caller *c, uint8_t element, const char *answer)
{
	uint8_t body[256];
	struct wire_wr w = wire_wr(body, sizeof(body));

	T_TRUE(c->challenge[0] != '\0');
	put(&w, element, answer);
	say(c, IAX2_IAX_AUTHREP, body, (size_t)(w.p - body));
	drain();
}

static void prove_md5(struct caller *c, const char *secret)
{
	char md5[33];

	key_md5_response(c->challenge, secret, md5);
	prove(c, IAX2_IE_MD5_RESULT, md5);
}

static void hang_up(struct caller *c)
{
	say(c, IAX2_IAX_HANGUP, NULL, 0);
	drain();
}

/* --- answers ------------------------------------------------------------ */

static void it_is_at(struct net_addr where, bool configured)
{
	const struct node_admission a = { .addr = &where,
					  .n = 1,
					  .configured = configured };

	node_admit(node, asked.caller, &a, now);
	drain();
}

static void nobody_knows(const char *why)
{
	const struct node_admission a = { .why = why };

	node_admit(node, asked.caller, &a, now);
	drain();
}

static void it_is(const char *callsign)
{
	const struct node_admission a = { .callsign = callsign };

	node_admit(node, asked.caller, &a, now);
	drain();
}

/* The caller was refused, by a rule that begins so. */
static void forbidden(const struct caller *c, const char *why)
{
	T_TRUE(c->rejected && !c->up);
	T_EQ(50, c->cause);
	T_EQ(1, refusals);
	T_STR(why, refused.why);
	T_STR(c->calling ? c->calling : "", refused.number);
	T_TRUE(net_addr_equal(&c->at, &refused.addr));
	T_EQ(0, ups);
}

/* --- by address --------------------------------------------------------- */

static void a_node_is_let_in_from_where_its_number_is(void)
{
	struct caller c = { .calling = "2000" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	T_EQ(1, questions);
	T_EQ(NODE_EV_WHO_IS, asked.kind);
	T_STR("2000", asked.number);
	T_TRUE(net_addr_equal(&c.at, &asked.addr));
	/* It hears nothing but that its NEW has come. */
	run(MONO_S);
	T_TRUE(!c.up && !c.rejected);
	/* The port is not compared. */
	it_is_at(net_addr_v4(198, 51, 100, 7, 4600), false);
	T_TRUE(c.up);
	T_EQ(1, ups);
	T_STR("2000", last_up);
	T_EQ(0, refusals);
	run(MONO_S);
	T_TRUE(c.texts > 0);
	end();
}

static void one_who_calls_from_elsewhere_is_refused(void)
{
	const struct net_addr claimed = at(9);
	struct caller c = { .calling = "2000" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	it_is_at(claimed, false);
	forbidden(&c, "accept.by_address: its number is at another address");
	T_TRUE(net_addr_equal(&claimed, &refused.claimed));
	end();
}

static void any_of_its_addresses_will_do(void)
{
	const struct net_addr where[] = { at(9), at(7) };
	const struct node_admission a = { .addr = where, .n = 2 };
	struct caller c = { .calling = "2000" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	node_admit(node, asked.caller, &a, now);
	drain();
	T_TRUE(c.up);
	end();
}

static void one_whom_nobody_knows_is_refused_with_the_reason(void)
{
	struct caller c = { .calling = "2999" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	nobody_knows("nobody knows node 2999 (dns: there is no such name)");
	forbidden(&c, "accept.by_address: nobody knows node 2999 (dns: there "
		      "is no such name)");
	T_TRUE(!net_addr_is_set(&refused.claimed));
	end();
}

static void some_numbers_are_refused_at_once(void)
{
	static const struct {
		const char *calling, *why;
	} rows[] = {
		{ NULL, "accept.by_address: it gives no number" },
		{ "", "accept.by_address: it gives no number" },
		{ "2001", "accept.by_address: it gives our own number" },
		{ "0", "accept.by_address: it gives no number of a node" },
		{ "0200", "accept.by_address: it gives no number of a node" },
		{ "W1AW", "accept.by_address: it gives no number of a node" },
		{ "20x0", "accept.by_address: it gives no number of a node" },
		{ "2000000000000000",
		  "accept.by_address: it gives no number of a node" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller c = { .calling = rows[i].calling };
		const struct node_cfg cfg = usual();

		begin(&cfg);
		call(&c);
		T_EQ(0, questions);
		forbidden(&c, rows[i].why);
		end();
	}
}

static void where_addresses_prove_nothing_nobody_is_asked(void)
{
	struct caller c = { .calling = "2000" };
	struct node_cfg cfg = usual();

	cfg.acl.by_address = false;
	begin(&cfg);
	call(&c);
	T_EQ(0, questions);
	forbidden(&c, "accept.by_address is off, and it has no key or secret "
		      "in peers");
	end();
}

static void another_called_number_is_not_ours(void)
{
	struct caller c = { .calling = "2000", .called = "2002" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	T_TRUE(c.rejected);
	T_EQ(3, c.cause);
	T_STR("it asked for another number", refused.why);
	T_EQ(0, questions);
	end();
}

static void a_private_number_is_the_operators_word_only(void)
{
	static const struct {
		const char *calling;
		bool configured, in;
	} rows[] = {
		{ "1999", false, false },
		{ "1999", true, true },
		{ "2000", false, true },
		{ "10000", false, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller c = { .calling = rows[i].calling };
		const struct node_cfg cfg = usual();

		begin(&cfg);
		call(&c);
		it_is_at(at(7), rows[i].configured);
		T_EQ(rows[i].in, c.up);
		if (!rows[i].in)
			forbidden(&c,
				  "accept.by_address: its number is a private "
				  "one, and not in peers");
		end();
	}
}

/* --- lists -------------------------------------------------------------- */

static void the_lists_hold_for_it_too(void)
{
	static const struct node_caller it = { .number = "2000" };
	static const struct node_peer peer = { .number = "2000" };
	static const struct {
		bool deny, allow, registered, peer;
		const char *why; /* NULL: let in */
	} rows[] = {
		{ .registered = true },
		{ .why = "accept.default" },
		{ .allow = true },
		{ .peer = true },
		{ .deny = true, .registered = true, .why = "accept.deny" },
		{ .deny = true, .allow = true, .why = "accept.deny" },
		{ .deny = true, .peer = true, .why = "accept.deny" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct caller c = { .calling = "2000" };
		struct node_cfg cfg = usual();

		cfg.acl.registered = rows[i].registered;
		cfg.acl.deny = cfg.acl.allow = &it;
		cfg.acl.deny_n = rows[i].deny;
		cfg.acl.allow_n = rows[i].allow;
		cfg.peers = &peer;
		cfg.peers_n = rows[i].peer;
		begin(&cfg);
		call(&c);
		T_EQ(rows[i].why == NULL, questions);
		if (rows[i].why) {
			forbidden(&c, rows[i].why);
		} else {
			it_is_at(at(7), false);
			T_TRUE(c.up);
		}
		end();
	}
}

static void they_do_not_hold_for_this_machine(void)
{
	static const struct node_caller it = { .number = "2000" };
	struct caller c = { .calling = "2000",
			    .at = net_addr_v4(127, 0, 0, 1, 4570) };
	struct node_cfg cfg = usual();

	cfg.acl.deny = &it;
	cfg.acl.deny_n = 1;
	begin(&cfg);
	call(&c);
	it_is_at(net_addr_v4(127, 0, 0, 1, 4569), true);
	T_TRUE(c.up);
	end();
}

static void what_is_denied_meanwhile_stays_out(void)
{
	static const struct node_caller it = { .number = "2000" };
	struct caller c = { .calling = "2000" };
	struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	cfg.acl.deny = &it;
	cfg.acl.deny_n = 1;
	node_reconfigure(node, &cfg, now);
	it_is_at(at(7), false);
	forbidden(&c, "accept.deny");
	end();
}

static void a_link_ends_when_its_door_is_closed(void)
{
	struct caller c = { .calling = "2000" };
	struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	it_is_at(at(7), false);
	node_reconfigure(node, &cfg, now);
	run(MONO_S);
	T_EQ(0, downs);
	cfg.acl.by_address = false;
	node_reconfigure(node, &cfg, now);
	run(MONO_S);
	T_EQ(1, downs);
	T_STR("no longer welcome: accept.by_address", down_why);
	end();
}

/* --- pace, and bounds --------------------------------------------------- */

static void calls_are_let_in_250_ms_apart(void)
{
	static const char *const number[] = { "2010", "2011", "2012" };
	struct caller c[3] = { { .at = at(10) },
			       { .at = at(11) },
			       { .at = at(12) } };
	const struct node_cfg cfg = usual();
	mono_us began;

	begin(&cfg);
	began = now;
	for (size_t i = 0; i < 3; i++) {
		c[i].calling = number[i];
		call(&c[i]);
		it_is_at(c[i].at, false);
	}
	run(2 * MONO_S);
	for (size_t i = 0; i < 3; i++) {
		T_TRUE(c[i].up);
		T_EQ((int64_t)(i * 250 * MONO_MS),
		     (int64_t)(c[i].up_at - began));
	}
	end();
}

static void who_calls_again_is_taken_anew_after_500_ms(void)
{
	struct caller first = { .calling = "2000" };
	struct caller again = { .calling = "2000" };
	const struct node_cfg cfg = usual();
	mono_us began;

	begin(&cfg);
	call(&first);
	it_is_at(at(7), false);
	run(5 * MONO_S);
	began = now;
	call(&again);
	T_EQ(0, downs); /* not by who may be anybody */
	it_is_at(at(7), false);
	T_EQ(1, downs);
	T_STR("the node called again", down_why);
	run(2 * MONO_S);
	T_TRUE(again.up);
	T_EQ(500 * MONO_MS, (int64_t)(again.up_at - began));
	T_EQ(2, ups);
	T_EQ(0, refusals);
	end();
}

static void an_answer_that_does_not_come_is_not_waited_for(void)
{
	struct caller c = { .calling = "2000" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	run(4 * MONO_S - STEP);
	T_TRUE(!c.rejected);
	run(STEP);
	forbidden(&c, "accept.by_address: nobody said in time where its "
		      "number is");
	/* Late. */
	it_is_at(at(7), false);
	run(MONO_S);
	T_EQ(0, ups);
	T_EQ(1, refusals);
	end();
}

static void who_hangs_up_meanwhile_is_forgotten(void)
{
	struct caller c = { .calling = "2000" }, other = { .calling = "2002" };
	const struct node_cfg cfg = usual();
	struct node_event first;

	begin(&cfg);
	call(&c);
	first = asked;
	run(MONO_S);
	hang_up(&c);
	run(STEP);
	T_EQ(1, refusals);
	T_STR("it went before it was let in", refused.why);
	/* Another takes its place, and is not meant by the answer. */
	call(&other);
	T_EQ(first.caller.slot, asked.caller.slot);
	T_TRUE(first.caller.gen != asked.caller.gen);
	asked = first;
	it_is_at(at(7), false);
	T_TRUE(!other.up);
	end();
}

static void so_many_wait_and_no_more(void)
{
	static struct caller c[NODE_WAITING_MAX + 1];
	char number[NODE_WAITING_MAX + 1][8];
	const struct node_cfg cfg = usual();

	begin(&cfg);
	for (size_t i = 0; i <= NODE_WAITING_MAX; i++) {
		(void)snprintf(number[i], sizeof(number[i]), "%zu", 3000 + i);
		c[i].calling = number[i];
		call(&c[i]);
	}
	T_EQ(NODE_WAITING_MAX, questions);
	forbidden(&c[NODE_WAITING_MAX], "too many callers wait to be let in");
	/* There is room again when they were given up. */
	run(5 * MONO_S);
	T_EQ(NODE_WAITING_MAX + 1, refusals);
	c[0] = (struct caller){ .calling = "2000" };
	call(&c[0]);
	it_is_at(at(7), false);
	T_TRUE(c[0].up);
	end();
}

static void a_node_that_stops_lets_nobody_in(void)
{
	struct caller c = { .calling = "2000" };
	const struct node_cfg cfg = usual();

	begin(&cfg);
	call(&c);
	node_stop(node, now);
	it_is_at(at(7), false);
	forbidden(&c, "the node is stopping");
	end();
}

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
	T_RUN(a_node_is_let_in_from_where_its_number_is);
	T_RUN(one_who_calls_from_elsewhere_is_refused);
	T_RUN(any_of_its_addresses_will_do);
	T_RUN(one_whom_nobody_knows_is_refused_with_the_reason);
	T_RUN(some_numbers_are_refused_at_once);
	T_RUN(where_addresses_prove_nothing_nobody_is_asked);
	T_RUN(another_called_number_is_not_ours);
	T_RUN(a_private_number_is_the_operators_word_only);
	T_RUN(the_lists_hold_for_it_too);
	T_RUN(they_do_not_hold_for_this_machine);
	T_RUN(what_is_denied_meanwhile_stays_out);
	T_RUN(a_link_ends_when_its_door_is_closed);
	T_RUN(calls_are_let_in_250_ms_apart);
	T_RUN(who_calls_again_is_taken_anew_after_500_ms);
	T_RUN(an_answer_that_does_not_come_is_not_waited_for);
	T_RUN(who_hangs_up_meanwhile_is_forgotten);
	T_RUN(so_many_wait_and_no_more);
	T_RUN(a_node_that_stops_lets_nobody_in);
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
