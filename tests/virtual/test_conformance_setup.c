/* SPDX-License-Identifier: MIT */

/* RFC 5456 sections 6.2, 6.3 and 8.6: setting up calls.  tests/CONFORMANCE.md
 * says which statement each test shows. */

#include "tests/virtual/rfc_talk.h"

/* --- NEW and ACCEPT ----------------------------------------------------- */

static void calls_have_numbers_of_their_own(void)
{
	uint16_t last = 0;

	start();
	for (int i = 0; i < 4; i++) {
		struct iax2_full f;

		(void)dial(NULL);
		f = expect(IAX2_FRAME_IAX, IAX2_IAX_NEW, 0, 0);
		T_TRUE(f.src_callno > last);
		T_EQ(0, f.dst_callno);
		T_EQ(0, f.ts_ms);
		last = f.src_callno;
	}
}

static void a_new_is_acknowledged(void)
{
	struct iax2_full f;

	start();
	(void)call_in(IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 0, 1);
	T_EQ(OURS, f.src_callno);
	T_EQ(PEERS, f.dst_callno);
	T_EQ(6, f.ts_ms);
	nothing_sent();
}

static void elements_come_in_any_order_and_unknown_ones_are_skipped(void)
{
	static const uint8_t empty_and_odd[] = {
		0x7a, 3, 1,    2,    3, /* nobody knows it */
		0x04, 0, 0x19, 0,       /* CALLING NAME, AUTOANSWER */
		0x0a, 2, 'e',  'n',  0x0d, 1,    '7', /* LANGUAGE, DNID */
		0x34, 2, 0,    1,                     /* OSPTOKEN */
		0x1f, 4, 0x5b, 0x35, 0x47, 0xa0,      /* DATETIME */
	};
	uint8_t body[256];
	struct wire_wr w = wire_wr(body, sizeof(body));

	start();
	put_token(&w);
	iax2_ie_put_u32(&w, IAX2_IE_FORMAT, IAX2_FORMAT_ULAW);
	wire_wr_bytes(&w, empty_and_odd, sizeof(empty_and_odd));
	iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, "hill-top.7");
	iax2_ie_put_text(&w, IAX2_IE_CALLING_NUMBER, "alice");
	iax2_ie_put_u16(&w, IAX2_IE_VERSION, 2);
	T_EQ(IAX2_OK, give_new(PEERS, &w, body));
	event(IAX2_EV_CALL_IN);
	T_STR("hill-top.7", ev.u.in.called);
	T_STR("alice", ev.u.in.calling);
}

/* ASCII needs no preparation; what is more is nobody's name. */
static void a_name_is_ascii_or_nobodys(void)
{
	static const struct {
		const char *given, *read;
	} rows[] = {
		{ "2001", "2001" },
		{ "hill-top.7@club", "hill-top.7@club" },
		{ "K\xc3\xb6ln", "" },
		{ "20\xff", "" },
		{ "20\n01", "" },
		{ "12345678901234567890123456789012",
		  "12345678901234567890123456789012" },
		{ "123456789012345678901234567890123", "" },
	};

	for (size_t i = 0; i < LEN(rows); i++) {
		uint8_t body[256];
		struct wire_wr w = wire_wr(body, sizeof(body));

		start();
		iax2_ie_put_u16(&w, IAX2_IE_VERSION, 2);
		iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, rows[i].given);
		iax2_ie_put_u32(&w, IAX2_IE_FORMAT, IAX2_FORMAT_ULAW);
		put_token(&w);
		T_EQ(IAX2_OK, give_new(PEERS, &w, body));
		event(IAX2_EV_CALL_IN);
		T_STR(rows[i].read, ev.u.in.called);
	}
}

static void a_new_of_another_version_is_rejected(void)
{
	static const uint16_t versions[] = { 0, 1, 3, 0xffff };

	for (size_t i = 0; i < LEN(versions); i++) {
		uint8_t body[256];
		struct wire_wr w = wire_wr(body, sizeof(body));

		start();
		iax2_ie_put_u16(&w, IAX2_IE_VERSION, versions[i]);
		iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, "2001");
		iax2_ie_put_u32(&w, IAX2_IE_FORMAT, IAX2_FORMAT_ULAW);
		put_token(&w);
		(void)give_new(PEERS, &w, body);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
		no_event();
		T_EQ(0, iax2_endpoint_calls(ep));
	}
}

/* The text of 8.6.34 has two octets, its figure one. */
static void either_form_of_encryption_is_read(void)
{
	for (uint8_t n = 1; n <= 2; n++) {
		static const uint8_t methods[] = { 1, 1 };
		uint8_t body[256];
		struct wire_wr w = wire_wr(body, sizeof(body));

		start();
		put_required(&w, IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
		iax2_ie_put(&w, IAX2_IE_ENCRYPTION, methods, n);
		put_token(&w);
		T_EQ(IAX2_OK, give_new(PEERS, &w, body));
		event(IAX2_EV_CALL_IN);
	}
}

static void a_call_is_accepted_with_one_format_of_the_callers(void)
{
	static const struct {
		uint32_t format, capability;
	} rows[] = {
		{ IAX2_FORMAT_ALAW, IAX2_FORMAT_ALAW },
		{ IAX2_FORMAT_SLIN, IAX2_FORMAT_SLIN },
		{ IAX2_FORMAT_ALAW, 0 },
		{ IAX2_FORMAT_GSM, IAX2_FORMAT_GSM | IAX2_FORMAT_SLIN },
		{ IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW | IAX2_FORMAT_ALAW },
		{ IAX2_FORMAT_SLIN, IAX2_FORMAT_SLIN | IAX2_FORMAT_ALAW },
	};

	for (size_t i = 0; i < LEN(rows); i++) {
		const uint32_t theirs = rows[i].format | rows[i].capability;
		struct iax2_call_info info;
		struct iax2_call_id call;
		struct iax2_full f;
		uint32_t got = 0;

		start_with(IAX2_FORMAT_ALAW, IAX2_FORMAT_SLIN);
		call = call_in(rows[i].format, rows[i].capability);
		T_EQ(IAX2_OK, iax2_accept(ep, call, now));
		f = expect(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 0, 1);
		T_TRUE(iax2_ie_u32(f.body, f.body_len, IAX2_IE_FORMAT, &got));
		T_TRUE(got != 0 && (got & (got - 1)) == 0);
		T_EQ(got, got & theirs);
		T_EQ(IAX2_OK, iax2_call_info(ep, call, &info));
		T_EQ(got, info.format);
	}
}

static void an_accept_is_acknowledged_and_the_channel_opens_with_answer(void)
{
	static const uint8_t format[] = { 9, 4, 0, 0, 0, 4 };
	static const uint8_t codes[160];
	const struct iax2_voice v = { codes, sizeof(codes), 20, true };
	struct iax2_call_id call;

	start();
	call = dial(NULL);
	T_TRUE(take());
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 0, 1, format,
		  sizeof(format));
	T_EQ(100, expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 1).ts_ms);
	event(IAX2_EV_CALL_ACCEPTED);
	(void)say(IAX2_FRAME_CONTROL, IAX2_CONTROL_PROCEEDING, 1, 1, NULL, 0);
	T_EQ(101, expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 2).ts_ms);
	event(IAX2_EV_CONTROL);
	T_EQ(IAX2_CONTROL_PROCEEDING, ev.u.control.subclass);
	(void)say(IAX2_FRAME_CONTROL, IAX2_CONTROL_RINGING, 2, 1, NULL, 0);
	T_EQ(102, expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 3).ts_ms);
	event(IAX2_EV_CALL_RINGING);
	/* Tones before the answer are heard, but we wait. */
	(void)say(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 3, 1, codes,
		  sizeof(codes));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 4);
	event(IAX2_EV_VOICE);
	T_EQ(IAX2_E_STATE, iax2_send_voice(ep, call, &v, now));
	nothing_sent();
	(void)say(IAX2_FRAME_CONTROL, IAX2_CONTROL_ANSWER, 4, 1, NULL, 0);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 5);
	event(IAX2_EV_CALL_UP);
	T_EQ(IAX2_OK, iax2_send_voice(ep, call, &v, now));
	(void)expect(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 1, 5);
}

static void an_accept_that_nobody_waits_for_is_ignored(void)
{
	static const uint8_t other[] = { 9, 4, 0, 0, 0, 8 };
	struct iax2_call_info info;
	struct iax2_call_id call = up();

	(void)say(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 2, 1, other, sizeof(other));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 3);
	T_EQ(IAX2_OK, iax2_call_info(ep, call, &info));
	T_TRUE(info.up);
	T_EQ(IAX2_FORMAT_ULAW, info.format);
	no_event();
	/* It is up already, too. */
	(void)say(IAX2_FRAME_CONTROL, IAX2_CONTROL_ANSWER, 3, 1, NULL, 0);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 4);
	no_event();
	/* Nor does a caller accept its own call. */
	start();
	call = call_in(IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	T_TRUE(take());
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 1, 0, other, sizeof(other));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 0, 2);
	T_EQ(IAX2_OK, iax2_call_info(ep, call, &info));
	T_TRUE(!info.up);
	no_event();
}

static void call_control_waits_for_accept(void)
{
	struct iax2_call_id call;

	start();
	call = call_in(IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 0, 1);
	T_EQ(IAX2_E_STATE,
	     iax2_send_control(ep, call, IAX2_CONTROL_ANSWER, now));
	nothing_sent();
	start();
	call = dial(NULL);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_NEW, 0, 0);
	T_EQ(IAX2_E_STATE, iax2_send_control(ep, call, IAX2_CONTROL_KEY, now));
	nothing_sent();
}

/* --- the end of a call -------------------------------------------------- */

static void a_reject_is_acknowledged_and_ends_the_call(void)
{
	static const char why[] = "\x16\x04"
				  "busy"
				  "\x2a\x01\x11";

	start();
	(void)dial(NULL);
	T_TRUE(take());
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1, why, sizeof(why) - 1);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 1);
	event(IAX2_EV_CALL_DOWN);
	T_EQ(IAX2_DOWN_REJECTED, ev.u.down.reason);
	T_EQ(17, ev.u.down.code);
	T_STR("busy", ev.u.down.text);
	wait_us(60 * MONO_S);
	nothing_sent();
	T_EQ(0, iax2_endpoint_calls(ep));
}

static void says_why(const struct iax2_full *f)
{
	char text[64];
	uint8_t code = 0;

	T_TRUE(iax2_ie_text(f->body, f->body_len, IAX2_IE_CAUSE, text,
			    sizeof(text)));
	T_STR("Not today", text);
	T_TRUE(iax2_ie_u8(f->body, f->body_len, IAX2_IE_CAUSECODE, &code));
	T_EQ(21, code);
}

static void the_end_of_a_call_says_why(void)
{
	struct iax2_call_id call;
	struct iax2_full f;

	start();
	call = call_in(IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	T_EQ(IAX2_OK, iax2_reject(ep, call, "Not today", 21, now));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	says_why(&f);
	call = up();
	T_EQ(IAX2_OK, iax2_hangup(ep, call, "Not today", 21, now));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 1, 2);
	says_why(&f);
}

static void has_cause_and_code(const struct iax2_full *f)
{
	T_TRUE(has(f, IAX2_IE_CAUSE));
	T_TRUE(has(f, IAX2_IE_CAUSECODE));
}

static void every_refusal_says_why(void)
{
	struct iax2_full f;

	(void)up();
	(void)say_iax(IAX2_IAX_TXREQ, 2, 1);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_TXREJ, 1, 3);
	has_cause_and_code(&f);
	/* Nobody decides. */
	start();
	(void)call_in(IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 0, 1);
	wait_us(5 * MONO_S);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	has_cause_and_code(&f);
	/* Nobody answers. */
	start();
	(void)dial(NULL);
	T_TRUE(take());
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 0, 1, "\x09\x04\0\0\0\x04",
		  6);
	T_TRUE(take());
	wait_us(60 * MONO_S);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 1, 1);
	has_cause_and_code(&f);
}

/* --- authentication ----------------------------------------------------- */

static const struct iax2_credentials secret = { .md5_secret = "secret" };

static void challenged(char challenge[65])
{
	struct iax2_call_id call;
	struct iax2_full f;
	uint16_t methods = 0;
	char username[33];

	start();
	call = call_in(IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	T_EQ(IAX2_OK, iax2_challenge(ep, call, &secret, now));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 0, 1);
	T_TRUE(iax2_ie_u16(f.body, f.body_len, IAX2_IE_AUTHMETHODS, &methods));
	T_EQ(IAX2_AUTH_MD5, methods);
	T_TRUE(iax2_ie_text(f.body, f.body_len, IAX2_IE_CHALLENGE, challenge,
			    65));
	T_TRUE(challenge[0] != '\0');
	T_TRUE(iax2_ie_text(f.body, f.body_len, IAX2_IE_USERNAME, username,
			    sizeof(username)));
	T_STR("radio", username);
	nothing_sent();
}

static void answer_with(const char *md5)
{
	uint8_t body[64];
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put_text(&w, IAX2_IE_MD5_RESULT, md5);
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_AUTHREP, 1, 1, body,
		  (size_t)(w.p - body));
}

static void an_authreq_has_all_that_it_needs_and_its_answer_is_answered(void)
{
	char challenge[65], md5[33];
	struct iax2_full f;
	uint8_t code = 0;

	challenged(challenge);
	key_md5_response(challenge, "secret", md5);
	answer_with(md5);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 2);
	event(IAX2_EV_CALL_PROVED);
	T_EQ(IAX2_PROOF_MD5, ev.u.in.proof);
	T_EQ(IAX2_OK, iax2_accept(ep, ev.call, now));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 1, 2);
	/* A wrong one. */
	challenged(challenge);
	key_md5_response(challenge, "guess", md5);
	answer_with(md5);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 1, 2);
	T_TRUE(has(&f, IAX2_IE_CAUSE));
	T_TRUE(iax2_ie_u8(f.body, f.body_len, IAX2_IE_CAUSECODE, &code));
	T_EQ(50, code);
	nothing_sent();
}

static void an_authreq_that_we_cannot_answer_gets_hangup(void)
{
	static const struct {
		const char *body;
		size_t len;
	} rows[] = {
		{ "", 0 },                 /* nothing */
		{ "\x0e\x02\x00\x02", 4 }, /* no challenge */
		{ "\x0e\x02\x00\x04\x0f\x03"
		  "123",
		  9 }, /* RSA */
		{ "\x0e\x02\x00\x01\x0f\x03"
		  "123",
		  9 }, /* plain text */
		{ "\x0f\x03"
		  "123",
		  5 }, /* no methods */
	};

	for (size_t i = 0; i < LEN(rows); i++) {
		start();
		(void)dial("secret");
		T_TRUE(take());
		(void)say(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 0, 1, rows[i].body,
			  rows[i].len);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 1, 1);
		nothing_sent();
		event(IAX2_EV_CALL_DOWN);
		T_EQ(IAX2_DOWN_AUTH_FAILED, ev.u.down.reason);
	}
}

static void encryption_is_not_offered_and_the_call_goes_on_without(void)
{
	static const char authreq[] = "\x0e\x02\x00\x02"
				      "\x0f\x03"
				      "123"
				      "\x2b\x02\x00\x01";
	uint8_t body[256];
	struct wire_wr w = wire_wr(body, sizeof(body));
	struct iax2_full f;

	start();
	put_required(&w, IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	iax2_ie_put_u16(&w, IAX2_IE_ENCRYPTION, 1);
	put_token(&w);
	T_EQ(IAX2_OK, give_new(PEERS, &w, body));
	event(IAX2_EV_CALL_IN);
	T_EQ(IAX2_OK, iax2_challenge(ep, ev.call, &secret, now));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 0, 1);
	T_TRUE(!has(&f, IAX2_IE_ENCRYPTION));
	/* Nor do we ask for it, nor heed an offer. */
	start();
	(void)dial("secret");
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_NEW, 0, 0);
	T_TRUE(!has(&f, IAX2_IE_ENCRYPTION));
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 0, 1, authreq,
		  sizeof(authreq) - 1);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREP, 1, 1);
	T_TRUE(has(&f, IAX2_IE_MD5_RESULT));
	T_TRUE(!has(&f, IAX2_IE_PASSWORD));
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(calls_have_numbers_of_their_own);
	T_RUN(a_new_is_acknowledged);
	T_RUN(elements_come_in_any_order_and_unknown_ones_are_skipped);
	T_RUN(a_name_is_ascii_or_nobodys);
	T_RUN(a_new_of_another_version_is_rejected);
	T_RUN(either_form_of_encryption_is_read);
	T_RUN(a_call_is_accepted_with_one_format_of_the_callers);
	T_RUN(an_accept_is_acknowledged_and_the_channel_opens_with_answer);
	T_RUN(an_accept_that_nobody_waits_for_is_ignored);
	T_RUN(call_control_waits_for_accept);
	T_RUN(a_reject_is_acknowledged_and_ends_the_call);
	T_RUN(the_end_of_a_call_says_why);
	T_RUN(every_refusal_says_why);
	T_RUN(an_authreq_has_all_that_it_needs_and_its_answer_is_answered);
	T_RUN(an_authreq_that_we_cannot_answer_gets_hangup);
	T_RUN(encryption_is_not_offered_and_the_call_goes_on_without);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
