/* SPDX-License-Identifier: MIT */

/* A node's registration with a plain IAX2 registrar, which is scripted here. */

#include "proto/iax2_endpoint.h"
#include "proto/iax2_ie.h"
#include "proto/iax2_reg.h"
#include "tests/t.h"

#define SERVER_CALLNO 77U
#define CHALLENGE "418274931"

struct server {
	bool tokens, auth, refuse, other_method;
	uint16_t refresh; /* 0: says nothing */
	unsigned lose;    /* the frame, counted from 1 in both directions */
	unsigned frames;
	unsigned acks, requests, repeats, releases, answers;
	struct net_addr silent; /* this address of it does not answer */
	struct net_addr last;   /* asked last */
	uint16_t callno;
	uint8_t seen_oseq, seen_iseq;
};

static struct server sv;
static struct iax2_reg reg;
static struct dgram_queue *tx;
static mono_us now;
static unsigned changes;
static unsigned seed;

static void dice(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245U + 12345U;
		buf[i] = (uint8_t)(seed >> 16);
	}
}

static struct net_addr addr(uint8_t last)
{
	return net_addr_v4(192, 0, 2, last, 4569);
}

static struct net_addr addr6(void)
{
	return (struct net_addr){ .ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
				  .port = 4569 };
}

static void start(const struct net_addr *a, size_t n)
{
	const struct iax2_reg_cfg cfg = {
		.username = "1999",
		.secret = "tango",
		.random = dice,
		.tx = tx,
	};
	struct dgram d;

	while (dgram_queue_pop(tx, &d))
		;
	now = 5 * MONO_S;
	changes = 0;
	sv = (struct server){ .tokens = true, .auth = true, .refresh = 60 };
	T_TRUE(iax2_reg_init(&reg, &cfg, now));
	iax2_reg_addresses(&reg, a, n, now);
}

static void start_one(void)
{
	const struct net_addr a = addr(1);

	start(&a, 1);
}

/* Give the node a frame as if from @from. */
static void inject(const struct net_addr *from, const struct iax2_full *f)
{
	const struct dgram d = { .path.peer = *from };

	if (iax2_reg_owns(&reg, &d, f))
		changes |= iax2_reg_rx(&reg, f, now);
}

static struct iax2_full frame(uint8_t subclass, uint8_t oseq)
{
	return (struct iax2_full){
		.src_callno = SERVER_CALLNO,
		.dst_callno = reg.callno,
		.oseq = oseq,
		.iseq = (uint8_t)(oseq + 1),
		.type = IAX2_FRAME_IAX,
		.subclass = subclass,
	};
}

static bool lost(void)
{
	return ++sv.frames == sv.lose;
}

static void reply(const struct iax2_full *f, const struct wire_wr *w,
		  const uint8_t *body)
{
	struct iax2_full out = *f;

	out.body = body;
	out.body_len = (size_t)(w->p - body);
	if (!lost())
		inject(&sv.last, &out);
}

static void say_ack(uint8_t oseq)
{
	const struct iax2_full f = frame(IAX2_IAX_REGACK, oseq);
	uint8_t body[128], sa[28];
	struct wire_wr w = wire_wr(body, sizeof(body));
	const struct net_addr a = net_addr_v4(203, 0, 113, 9, 40000);

	if (sv.refresh)
		iax2_ie_put_u16(&w, IAX2_IE_REFRESH, sv.refresh);
	iax2_ie_put(&w, IAX2_IE_APPARENT_ADDR, sa,
		    net_addr_put_sockaddr(sa, &a));
	reply(&f, &w, body);
}

static void say_rej(uint8_t oseq)
{
	const struct iax2_full f = frame(IAX2_IAX_REGREJ, oseq);
	uint8_t body[64];
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put_text(&w, IAX2_IE_CAUSE, "Registration Refused");
	iax2_ie_put_u8(&w, IAX2_IE_CAUSECODE, 29);
	reply(&f, &w, body);
}

static void say_challenge(void)
{
	const struct iax2_full f = frame(IAX2_IAX_REGAUTH, 0);
	uint8_t body[64];
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put_u16(&w, IAX2_IE_AUTHMETHODS, sv.other_method ? 4 : 3);
	iax2_ie_put_text(&w, IAX2_IE_CHALLENGE, CHALLENGE);
	iax2_ie_put_text(&w, IAX2_IE_USERNAME, "1999");
	reply(&f, &w, body);
}

static void say_token(void)
{
	const struct iax2_full f = frame(IAX2_IAX_CALLTOKEN, 0);
	uint8_t body[64];
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put_text(&w, IAX2_IE_CALLTOKEN, "1700000000?abcdef");
	reply(&f, &w, body);
}

/* MD5_RESULT must be the digest of challenge and secret. */
static void on_answer(const struct iax2_full *f)
{
	char got[33] = "", want[33];

	T_EQ(SERVER_CALLNO, f->dst_callno);
	T_EQ(1, f->oseq);
	T_EQ(1, f->iseq);
	T_TRUE(iax2_ie_text(f->body, f->body_len, IAX2_IE_MD5_RESULT, got,
			    sizeof(got)));
	key_md5_response(CHALLENGE, "tango", want);
	T_STR(want, got);
	sv.answers++;
	if (sv.refuse)
		say_rej(1);
	else
		say_ack(1);
}

static void on_request(const struct iax2_full *f)
{
	struct iax2_ie_view token;
	char name[32];

	T_TRUE(iax2_ie_text(f->body, f->body_len, IAX2_IE_USERNAME, name,
			    sizeof(name)));
	T_STR("1999", name);
	T_TRUE(iax2_ie_find(f->body, f->body_len, IAX2_IE_CALLTOKEN, &token));
	sv.requests++;
	sv.repeats += f->retransmit;
	sv.releases += f->subclass == IAX2_IAX_REGREL;
	if (f->dst_callno != 0)
		on_answer(f);
	else if (sv.tokens && token.len == 0)
		say_token();
	else if (sv.auth)
		say_challenge();
	else
		say_ack(0);
}

/* One frame of the node's; false when it has none. */
static bool serve(void)
{
	struct iax2_full f;
	struct dgram d;

	if (!dgram_queue_pop(tx, &d))
		return false;
	T_EQ(IAX2_OK, iax2_full_decode(d.data, d.len, &f));
	T_EQ(IAX2_OK, iax2_ie_check(f.body, f.body_len));
	T_TRUE(f.src_callno >= IAX2_CALLNO_REG_MIN);
	T_TRUE(f.src_callno <= IAX2_CALLNO_REG_MAX);
	sv.last = d.path.peer;
	sv.callno = f.src_callno;
	if (net_addr_equal(&d.path.peer, &sv.silent))
		return true;
	if (f.subclass == IAX2_IAX_ACK) {
		sv.acks++;
		sv.seen_oseq = f.oseq;
		sv.seen_iseq = f.iseq;
	} else if (!lost()) {
		on_request(&f);
	}
	return true;
}

static void drain(void)
{
	while (serve())
		;
}

/* Run until @until, or until the state is @want. */
static void run(mono_us until, enum iax2_reg_state want)
{
	drain();
	while (reg.state != want) {
		const mono_us due = iax2_reg_deadline(&reg);

		if (due > until)
			break;
		T_TRUE(due >= now);
		now = due;
		changes |= iax2_reg_tick(&reg, now);
		drain();
	}
}

/* --- */

static void full_exchange(void)
{
	const struct net_addr apparent = net_addr_v4(203, 0, 113, 9, 40000);

	start_one();
	run(now, IAX2_REG_UP);
	T_EQ(IAX2_REG_UP, reg.state);
	T_EQ(IAX2_REG_CHANGE_UP | IAX2_REG_CHANGE_APPARENT, changes);
	T_TRUE(net_addr_equal(&apparent, &reg.apparent));
	T_EQ(3, sv.requests);
	T_EQ(1, sv.acks);
	T_EQ(2, sv.seen_oseq);
	T_EQ(2, sv.seen_iseq);
	T_TRUE(iax2_reg_is_up(&reg));
}

static void no_token_no_auth(void)
{
	for (unsigned k = 0; k < 4; k++) {
		start_one();
		sv.tokens = k & 1U;
		sv.auth = k & 2U;
		run(now, IAX2_REG_UP);
		T_EQ(IAX2_REG_UP, reg.state);
		T_EQ(1 + sv.tokens + sv.auth, sv.requests);
		T_EQ(1, sv.acks);
	}
}

static void each_loss_is_mended(void)
{
	for (unsigned k = 1; k <= 6; k++) {
		start_one();
		sv.lose = k;
		run(now + 3 * MONO_S, IAX2_REG_UP);
		T_EQ(IAX2_REG_UP, reg.state);
		T_EQ(1, sv.repeats);
	}
}

static void repeated_ack_is_acknowledged(void)
{
	start_one();
	run(now, IAX2_REG_UP);
	changes = 0;
	say_ack(1);
	drain();
	T_EQ(2, sv.acks);
	T_EQ(0, changes);
}

static void refusal_says_why(void)
{
	start_one();
	sv.refuse = true;
	run(now, IAX2_REG_UP);
	T_EQ(IAX2_REG_WAITING, reg.state);
	T_EQ(IAX2_REG_REFUSED, reg.trouble);
	T_STR("Registration Refused", reg.cause);
	T_EQ(IAX2_REG_CHANGE_TROUBLE, changes);
	T_EQ(1, sv.acks);
	/* A wrong secret is not tried again soon. */
	T_TRUE(iax2_reg_deadline(&reg) >= now + 15 * MONO_S);
}

static void refusal_ends_a_registration(void)
{
	start_one();
	run(now, IAX2_REG_UP);
	sv.refuse = true;
	changes = 0;
	run(now + 60 * MONO_S, IAX2_REG_WAITING);
	T_EQ(IAX2_REG_CHANGE_TROUBLE | IAX2_REG_CHANGE_DOWN, changes);
	T_TRUE(!iax2_reg_is_up(&reg));
}

static void other_methods_get_no_answer(void)
{
	start_one();
	sv.other_method = true;
	run(now, IAX2_REG_UP);
	T_EQ(IAX2_REG_NO_METHOD, reg.trouble);
	T_EQ(0, sv.answers);
}

static void forgeries_are_ignored(void)
{
	const struct net_addr other = addr(66), self = addr(1);
	struct iax2_full f;
	struct dgram d;

	start_one();
	T_TRUE(dgram_queue_pop(tx, &d));
	f = frame(IAX2_IAX_REGACK, 0);
	inject(&other, &f);
	f.dst_callno ^= 1U;
	inject(&self, &f);
	f = frame(IAX2_IAX_REGREJ, 0);
	inject(&other, &f);
	T_EQ(IAX2_REG_ASK, reg.state);
	/* Once the registrar has shown its number, no other will do. */
	sv.last = self;
	say_challenge();
	T_EQ(IAX2_REG_ANSWER, reg.state);
	f = frame(IAX2_IAX_REGACK, 1);
	f.src_callno++;
	inject(&self, &f);
	T_EQ(IAX2_REG_ANSWER, reg.state);
	T_EQ(0, changes);
}

static void inval_begins_anew(void)
{
	const struct net_addr self = addr(1);
	struct iax2_full f;
	struct dgram d;
	uint16_t was;

	start_one();
	T_TRUE(dgram_queue_pop(tx, &d));
	was = reg.callno;
	f = frame(IAX2_IAX_INVAL, 0);
	f.src_callno = 0;
	inject(&self, &f);
	T_EQ(IAX2_REG_INVALID, reg.trouble);
	run(now + 2 * MONO_S, IAX2_REG_UP);
	T_EQ(IAX2_REG_UP, reg.state);
	T_TRUE(reg.callno != was);
}

static void refresh_keeps_to_its_schedule(void)
{
	static const struct {
		uint16_t says;
		unsigned low_s, high_s;
	} row[] = {
		{ 60, 48, 54 }, { 180, 144, 162 }, { 0, 48, 54 }, { 1, 10, 10 }
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		start_one();
		sv.refresh = row[i].says;
		run(now, IAX2_REG_UP);
		for (unsigned k = 0; k < 20; k++) {
			const mono_us wait = iax2_reg_deadline(&reg) - now;

			T_TRUE(wait >= row[i].low_s * MONO_S);
			T_TRUE(wait <= row[i].high_s * MONO_S);
			changes = 0;
			now += wait;
			changes |= iax2_reg_tick(&reg, now);
			T_TRUE(iax2_reg_is_up(&reg));
			drain();
			T_EQ(IAX2_REG_UP, reg.state);
			T_EQ(0, changes);
		}
	}
}

static void silence_lets_the_grant_run_out(void)
{
	mono_us granted;

	start_one();
	run(now, IAX2_REG_UP);
	granted = now;
	sv.silent = addr(1);
	changes = 0;
	while (iax2_reg_is_up(&reg)) {
		now = iax2_reg_deadline(&reg);
		changes |= iax2_reg_tick(&reg, now);
		drain();
	}
	T_EQ(granted + 60 * MONO_S, now);
	T_TRUE(changes & IAX2_REG_CHANGE_DOWN);
}

static void all_addresses_in_turn(void)
{
	const struct net_addr a[] = { addr6(), addr(2), addr(3) };

	start(a, 3);
	sv.silent = a[0];
	run(now + 8 * MONO_S, IAX2_REG_UP);
	T_EQ(IAX2_REG_UP, reg.state);
	T_TRUE(net_addr_equal(&a[1], &sv.last));
	T_EQ(0, changes & IAX2_REG_CHANGE_TROUBLE);
	/* And it stays with the one that answers. */
	run(now + 60 * MONO_S, IAX2_REG_ASK);
	T_TRUE(net_addr_equal(&a[1], &sv.last));
}

static void backoff_is_bounded(void)
{
	mono_us longest = 0;

	start_one();
	sv.silent = addr(1);
	for (unsigned k = 0; k < 12; k++) {
		const mono_us most = (2 * MONO_S) << (k < 6 ? k : 6);
		mono_us wait;

		run(MONO_NEVER - 1, IAX2_REG_WAITING);
		T_EQ(IAX2_REG_SILENT, reg.trouble);
		wait = iax2_reg_deadline(&reg) - now;
		T_TRUE(wait <= mono_min(most, 60 * MONO_S));
		T_TRUE(wait >= mono_min(most, 60 * MONO_S) / 2);
		longest = wait > longest ? wait : longest;
		now += wait;
		changes |= iax2_reg_tick(&reg, now);
	}
	T_TRUE(longest > 30 * MONO_S);
	T_TRUE(!(changes & IAX2_REG_CHANGE_UP));
}

static void release_answers_the_challenge(void)
{
	start_one();
	run(now, IAX2_REG_UP);
	changes = 0;
	iax2_reg_release(&reg, now);
	run(now, IAX2_REG_RELEASED);
	T_EQ(IAX2_REG_RELEASED, reg.state);
	T_EQ(IAX2_REG_CHANGE_RELEASED, changes);
	T_EQ(3, sv.releases);
	T_EQ(MONO_NEVER, iax2_reg_deadline(&reg));
}

static void release_ends_without_answer(void)
{
	mono_us began;

	start_one();
	run(now, IAX2_REG_UP);
	sv.silent = addr(1);
	began = now;
	iax2_reg_release(&reg, now);
	run(MONO_NEVER - 1, IAX2_REG_RELEASED);
	T_EQ(IAX2_REG_RELEASED, reg.state);
	T_EQ(began + 1500 * MONO_MS, now);
}

static void held_it_is_silent_and_resumed_it_registers(void)
{
	const struct net_addr a = addr(1);
	unsigned frames;

	start_one();
	run(now, IAX2_REG_UP);
	iax2_reg_resume(&reg, now); /* nothing: it was not held */
	T_EQ(IAX2_REG_UP, reg.state);
	frames = sv.frames;
	iax2_reg_hold(&reg);
	T_STR("held", iax2_reg_state_text(reg.state));
	T_TRUE(!iax2_reg_is_up(&reg));
	T_EQ(MONO_NEVER, iax2_reg_deadline(&reg));
	/* Whatever happens meanwhile. */
	now += 100 * MONO_S;
	iax2_reg_network_changed(&reg, now);
	iax2_reg_use_socket(&reg, 3, now);
	iax2_reg_addresses(&reg, &a, 1, now);
	T_EQ(0, iax2_reg_tick(&reg, now));
	drain();
	T_EQ(frames, sv.frames);
	T_EQ(0, sv.releases);
	changes = 0;
	iax2_reg_resume(&reg, now);
	run(now, IAX2_REG_UP);
	T_TRUE(changes & IAX2_REG_CHANGE_UP);
}

static void held_it_has_no_good_bye_to_say(void)
{
	start_one();
	run(now, IAX2_REG_UP);
	iax2_reg_hold(&reg);
	iax2_reg_release(&reg, now);
	T_EQ(IAX2_REG_RELEASED, reg.state);
	iax2_reg_hold(&reg);
	T_EQ(IAX2_REG_RELEASED, reg.state);
	drain();
	T_EQ(0, sv.releases);
	/* Nor does one without an address begin. */
	start(NULL, 0);
	iax2_reg_hold(&reg);
	iax2_reg_resume(&reg, now);
	T_EQ(IAX2_REG_NO_ADDRESS, reg.state);
}

int main(void)
{
	tx = dgram_queue_new(8);
	if (!tx)
		return EXIT_FAILURE;
	T_RUN(full_exchange);
	T_RUN(no_token_no_auth);
	T_RUN(each_loss_is_mended);
	T_RUN(repeated_ack_is_acknowledged);
	T_RUN(refusal_says_why);
	T_RUN(refusal_ends_a_registration);
	T_RUN(other_methods_get_no_answer);
	T_RUN(forgeries_are_ignored);
	T_RUN(inval_begins_anew);
	T_RUN(refresh_keeps_to_its_schedule);
	T_RUN(silence_lets_the_grant_run_out);
	T_RUN(all_addresses_in_turn);
	T_RUN(backoff_is_bounded);
	T_RUN(release_answers_the_challenge);
	T_RUN(release_ends_without_answer);
	T_RUN(held_it_is_silent_and_resumed_it_registers);
	T_RUN(held_it_has_no_good_bye_to_say);
	tx = dgram_queue_free(tx);
	return T_DONE();
}
