/* SPDX-License-Identifier: MIT */

/* Being called, octet by octet where it matters; and what is no call. */

#include "tests/unit/iax2_talk.h"

/* Asterisk's NEW, all its elements; the token follows. */
static const char asterisks_new[] =
	"\x0b\x02\x00\x02"
	"\x01\x04"
	"2001"
	"\x2d\x01"
	"D"
	"\x02\x04"
	"2000"
	"\x26\x01\x00"
	"\x27\x01\x00"
	"\x28\x02\x00\x00"
	"\x39\x04\x00\x00\x00\x00"
	"\x04\x00"
	"\x0a\x02"
	"en"
	"\x09\x04\x00\x00\x00\x04"
	"\x38\x09\x00\x00\x00\x00\x00\x00\x00\x00\x04"
	"\x08\x04\x00\x00\x00\x06"
	"\x37\x09\x00\x00\x00\x00\x00\x00\x00\x00\x06"
	"\x0c\x02\x00\x02"
	"\x1f\x04\x5b\x35\x47\xa0";

static enum iax2_err give_new(const void *token, size_t len, bool again)
{
	uint8_t body[512];
	struct wire_wr w = wire_wr(body, sizeof(body));

	wire_wr_bytes(&w, asterisks_new, sizeof(asterisks_new) - 1);
	iax2_ie_put(&w, IAX2_IE_CALLTOKEN, token, len);
	T_TRUE(!w.bad);
	return give((struct iax2_full){ .src_callno = PEERS,
					.retransmit = again,
					.ts_ms = 6,
					.type = IAX2_FRAME_IAX,
					.subclass = IAX2_IAX_NEW,
					.body = body,
					.body_len = (size_t)(w.p - body) });
}

static void another_version_is_refused(void)
{
	static const uint8_t body[] = { 0x0b, 2,   0,   3,   0x01, 1,   '1',
					9,    4,   0,   0,   0,    4,   0x36,
					0,    6,   9,   'x', 'x',  'x', 'x',
					'x',  'x', 'x', 'x', 'x' };
	struct iax2_full f;

	start();
	T_EQ(IAX2_E_REFUSED,
	     give((struct iax2_full){ .src_callno = PEERS,
				      .type = IAX2_FRAME_IAX,
				      .subclass = IAX2_IAX_NEW,
				      .body = body,
				      .body_len = sizeof(body) }));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	T_EQ(IAX2_IE_CAUSECODE, f.body[0]);
	T_EQ(88, f.body[2]);
	nothing_sent();
}

static size_t get_token(char out[64])
{
	struct iax2_full f;

	T_EQ(IAX2_OK, give_new(NULL, 0, false));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_CALLTOKEN, 0, 1);
	T_EQ(1, f.src_callno);
	T_EQ(PEERS, f.dst_callno);
	T_EQ(6, f.ts_ms);
	T_EQ(IAX2_IE_CALLTOKEN, f.body[0]);
	T_EQ(f.body_len, f.body[1] + 2U);
	memcpy(out, f.body + 2, f.body[1]);
	return f.body[1];
}

static struct iax2_call_id called(void)
{
	char token[64];
	size_t len;

	start();
	len = get_token(token);
	T_EQ(0, iax2_endpoint_calls(ep));
	T_EQ(IAX2_OK, give_new(token, len, false));
	event(IAX2_EV_CALL_IN);
	T_STR("2001", ev.u.in.called);
	T_STR("2000", ev.u.in.calling);
	T_STR("", ev.u.in.username);
	T_EQ(IAX2_PROOF_NONE, ev.u.in.proof);
	return ev.call;
}

static void a_call_from_asterisk(void)
{
	struct iax2_call_id call = called();
	struct iax2_full f;
	/* FORMAT, and FORMAT2 because the NEW had such. */
	static const uint8_t format[] = { 9, 4, 0, 0, 0, 4, 0x38, 9, 0,
					  0, 0, 0, 0, 0, 0, 0,    4 };

	T_EQ(IAX2_OK, iax2_accept(ep, call, now));
	T_EQ(IAX2_E_STATE, iax2_accept(ep, call, now));
	event(IAX2_EV_CALL_UP);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 0, 1);
	T_EQ(OURS, f.src_callno);
	T_EQ(PEERS, f.dst_callno);
	T_EQ(sizeof(format), f.body_len);
	T_EQ(0, memcmp(format, f.body, sizeof(format)));
	(void)expect(IAX2_FRAME_CONTROL, IAX2_CONTROL_ANSWER, 1, 1);
	/* They acknowledge the NEW themselves. */
	nothing_sent();
	(void)say_iax(IAX2_IAX_ACK, 1, 2);
	nothing_sent();
	T_TRUE(iax2_endpoint_deadline(ep) >= now + MONO_S);
}

static void a_repeated_new_makes_no_second_call(void)
{
	const struct iax2_call_id call = called();
	char token[64];
	struct iax2_full f;

	(void)call;
	/* Before and after the answer, with and without the R bit. */
	for (int i = 0; i < 4; i++) {
		(void)give_new(token, 0, i & 1);
		f = expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 0, 1);
		T_EQ(6, f.ts_ms);
		nothing_sent();
	}
	T_EQ(1, iax2_endpoint_calls(ep));
	no_event();
}

static void a_caller_that_has_forgotten_its_call_may_call_again(void)
{
	const struct iax2_call_id call = called();
	char token[64];
	size_t len;

	T_EQ(IAX2_OK, iax2_accept(ep, call, now));
	event(IAX2_EV_CALL_UP);
	while (take())
		;
	(void)say_iax(IAX2_IAX_ACK, 1, 2);
	/* Soon after it may be a copy of the first. */
	now += 5 * MONO_S;
	len = 0;
	T_EQ(IAX2_OK, give_new("", 0, false));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 2, 1);
	/* Whoever asks must prove its address before the call suffers. */
	now += 6 * MONO_S;
	len = get_token(token);
	T_EQ(1, iax2_endpoint_calls(ep));
	token[0] ^= 1;
	T_EQ(IAX2_OK, give_new(token, len, false));
	no_event();
	while (take())
		;
	token[0] ^= 1;
	T_EQ(IAX2_OK, give_new(token, len, false));
	event(IAX2_EV_CALL_DOWN);
	T_EQ(IAX2_DOWN_INVALID, ev.u.down.reason);
	event(IAX2_EV_CALL_IN);
	T_EQ(1, iax2_endpoint_calls(ep));
}

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

static void a_telephone_portal_proves_itself_by_rsa(void)
{
	for (int right = 0; right < 2; right++) {
		const struct iax2_call_id call = called();
		struct iax2_credentials want = { 0 };
		uint8_t body[2 + sizeof(portal_answer) - 1] = {
			IAX2_IE_RSA_RESULT, sizeof(portal_answer) - 1
		};
		struct key_rsa key;
		struct iax2_full f;
		uint16_t methods = 0;

		T_TRUE(key_rsa_from_pem(portal_key, &key));
		want.rsa = &key;
		T_EQ(IAX2_OK, iax2_challenge(ep, call, &want, now));
		f = expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 0, 1);
		T_TRUE(iax2_ie_u16(f.body, f.body_len, IAX2_IE_AUTHMETHODS,
				   &methods));
		T_EQ(IAX2_AUTH_RSA, methods);
		memcpy(body + 2, portal_answer, sizeof(body) - 2);
		body[9] ^= (uint8_t)!right;
		(void)say(IAX2_FRAME_IAX, IAX2_IAX_AUTHREP, 1, 1, body,
			  sizeof(body));
		if (right) {
			event(IAX2_EV_CALL_PROVED);
			T_EQ(IAX2_PROOF_RSA, ev.u.in.proof);
		} else {
			event(IAX2_EV_CALL_DOWN);
			T_EQ(IAX2_DOWN_AUTH_FAILED, ev.u.down.reason);
		}
	}
}

static void a_bad_token_gets_a_bare_reject(void)
{
	static const uint8_t reject[] = { 0x80, 1, 0x12, 0x34, 0, 0,
					  0,    6, 0,    1,    6, 6 };
	char token[64];
	size_t len;

	start();
	len = get_token(token);
	token[0] ^= 1;
	T_EQ(IAX2_E_REFUSED, give_new(token, len, false));
	T_TRUE(take());
	T_EQ(sizeof(reject), sent_len);
	T_EQ(0, memcmp(reject, sent, sent_len));
	/* A good one, but from elsewhere. */
	token[0] ^= 1;
	from.port++;
	T_EQ(IAX2_E_REFUSED, give_new(token, len, false));
	T_TRUE(take());
	T_EQ(12, sent_len);
	from = peer;
	/* A good one, but an old one. */
	now += 100 * MONO_S;
	T_EQ(IAX2_E_REFUSED, give_new(token, len, false));
	T_TRUE(take());
	T_EQ(12, sent_len);
	T_EQ(0, iax2_endpoint_calls(ep));
	T_EQ(4, iax2_endpoint_counters(ep)->token_bad);
}

static void an_unproved_sender_gets_no_more_than_it_sent(void)
{
	/* A NEW so short that a token would be longer. */
	static const uint8_t tiny[] = { 0x92, 0x34, 0, 0, 0, 0,    0,
					0,    0,    0, 6, 1, 0x36, 0 };

	start();
	(void)give_octets(tiny, sizeof(tiny));
	nothing_sent();
	T_EQ(1, iax2_endpoint_counters(ep)->limited);
}

/* Frames of all kinds from all over: no calls, and no more octets back. */
static void strangers_get_no_calls_and_no_flood(void)
{
	uint32_t r = 1;
	size_t in = 0, out = 0;

	start();
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t buf[64] = { 0 };
		struct dgram d = { .path.peer = peer, .data = buf }, back;
		size_t answers = 0;

		for (size_t k = 0; k < sizeof(buf); k++) {
			r = r * 1664525U + 1013904223U;
			buf[k] = (uint8_t)(r >> 24);
		}
		memcpy(d.path.peer.ip + 12, buf + 60, 4);
		buf[0] |= (uint8_t)(buf[40] & 1 ? 0x80 : 0);
		if (buf[41] & 1)
			buf[10] = IAX2_FRAME_IAX;
		if (buf[42] & 1)
			buf[2] = buf[3] = 0;
		buf[11] &= 0x3f;
		d.len = buf[43] % 41U;
		if (d.len > IAX2_FULL_HDR_LEN && (buf[44] & 1)) {
			buf[12] = IAX2_IE_CALLTOKEN;
			buf[13] = (uint8_t)(d.len - 14);
		}
		in += d.len;
		(void)iax2_endpoint_rx(ep, &d, now);
		while (iax2_endpoint_next_tx(ep, &back)) {
			answers += back.len;
		}
		T_TRUE(answers <= d.len);
		out += answers;
	}
	T_TRUE(out > 0 && out < in);
	T_EQ(0, iax2_endpoint_calls(ep));
	no_event();
}

static void no_common_codec_is_said(void)
{
	char token[64], body[80];
	struct wire_wr w = wire_wr((uint8_t *)body, sizeof(body));
	struct iax2_full f = { .src_callno = PEERS,
			       .type = IAX2_FRAME_IAX,
			       .subclass = IAX2_IAX_NEW };
	size_t len;

	start();
	len = get_token(token);
	iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, "2001");
	iax2_ie_put_u32(&w, IAX2_IE_FORMAT, IAX2_FORMAT_GSM);
	iax2_ie_put_u32(&w, IAX2_IE_CAPABILITY, IAX2_FORMAT_GSM);
	iax2_ie_put(&w, IAX2_IE_CALLTOKEN, token, len);
	f.body = (const uint8_t *)body;
	f.body_len = (size_t)(w.p - (uint8_t *)body);
	(void)give(f);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	T_EQ(3, f.body_len);
	T_EQ(58, f.body[2]);
	no_event();
	T_EQ(0, iax2_endpoint_calls(ep));
}

static void half_open_calls_of_one_address_are_limited(void)
{
	char token[64];
	size_t len;
	struct iax2_full f = { .type = IAX2_FRAME_IAX,
			       .subclass = IAX2_IAX_NEW };
	uint8_t body[256];
	struct wire_wr w = wire_wr(body, sizeof(body));

	start();
	len = get_token(token);
	wire_wr_bytes(&w, asterisks_new, sizeof(asterisks_new) - 1);
	iax2_ie_put(&w, IAX2_IE_CALLTOKEN, token, len);
	f.body = body;
	f.body_len = (size_t)(w.p - body);
	for (uint16_t i = 0; i < 3; i++) {
		f.src_callno = (uint16_t)(100 + i);
		T_EQ(i < 2 ? IAX2_OK : IAX2_E_LIMITED, give(f));
	}
	T_EQ(2, iax2_endpoint_calls(ep));
	/* The node does not decide: they end. */
	wait_us(5 * MONO_S);
	for (int i = 0; i < 2; i++)
		event(IAX2_EV_CALL_IN);
	for (int i = 0; i < 2; i++)
		event(IAX2_EV_CALL_DOWN);
	f.src_callno = 103;
	T_EQ(IAX2_OK, give(f));
}

static void commands_check_what_they_are_given(void)
{
	struct iax2_dial d = { .path.peer = peer,
			       .called = "",
			       .calling = "1" };
	const struct iax2_credentials none = { 0 };
	struct iax2_call_id call = { 0 };
	struct iax2_call_info info;
	uint32_t ts;

	start();
	T_EQ(IAX2_E_STALE, iax2_accept(ep, call, now));
	T_EQ(IAX2_E_STALE, iax2_challenge(ep, call, &none, now));
	T_EQ(IAX2_E_STALE, iax2_reject(ep, call, NULL, 0, now));
	T_EQ(IAX2_E_STALE, iax2_hangup(ep, call, NULL, 0, now));
	T_EQ(IAX2_E_STALE, iax2_send_text(ep, call, "x", now));
	T_EQ(IAX2_E_STALE, iax2_media_time(ep, call, now, &ts));
	call.slot = 4;
	T_EQ(IAX2_E_STALE, iax2_call_info(ep, call, &info));
	T_EQ(IAX2_E_STALE, iax2_media_time(ep, call, now, &ts));

	T_EQ(IAX2_E_RANGE, iax2_dial(ep, &d, now, &call));
	d.called = "123456789012345678901234567890123";
	T_EQ(IAX2_E_RANGE, iax2_dial(ep, &d, now, &call));
	T_EQ(0, iax2_endpoint_calls(ep));
	d.called = "1";
	for (int i = 0; i < 4; i++)
		T_EQ(IAX2_OK, iax2_dial(ep, &d, now, &call));
	T_EQ(IAX2_E_FULL, iax2_dial(ep, &d, now, &call));
	T_EQ(IAX2_E_STATE, iax2_accept(ep, call, now));
	T_EQ(IAX2_E_STATE, iax2_reject(ep, call, NULL, 0, now));
	T_EQ(IAX2_E_STATE, iax2_challenge(ep, call, &none, now));
	T_EQ(IAX2_E_STATE, iax2_send_text(ep, call, "x", now));
	T_EQ(IAX2_OK, iax2_media_time(ep, call, now + 59 * MONO_MS, &ts));
	T_EQ(40, ts);

	call = called();
	T_EQ(IAX2_E_RANGE, iax2_challenge(ep, call, &none, now));
}

/* --- outside of calls --------------------------------------------------- */

static void a_poke_gets_a_bare_pong(void)
{
	static const uint8_t poke[] = { 0x80, 0x55, 0, 0, 0,    0,    0,
					9,    0,    0, 6, 0x1e, 0x36, 0 };
	static const uint8_t pong[] = {
		0x80, 1, 0, 0x55, 0, 0, 0, 9, 0, 1, 6, 3
	};
	static const uint8_t openover[] = { 0x80, 1, 0, 0,    0,    0, 0, 9,
					    0,    0, 6, 0x1e, 0xee, 1, 0 };

	start();
	T_EQ(IAX2_OK, give_octets(poke, sizeof(poke)));
	T_TRUE(take());
	T_EQ(sizeof(pong), sent_len);
	T_EQ(0, memcmp(pong, sent, sent_len));
	T_EQ(IAX2_E_NOT_OURS, give_octets(openover, sizeof(openover)));
	nothing_sent();
}

static void an_unknown_call_gets_inval(void)
{
	static const uint8_t silent[] = {
		IAX2_IAX_INVAL,
		IAX2_IAX_ACK,
		IAX2_IAX_VNAK,
		IAX2_IAX_CALLTOKEN,
	};
	struct iax2_full f;

	start();
	T_EQ(IAX2_E_STALE, say(IAX2_FRAME_TEXT, 0, 7, 9, "x", 2));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_INVAL, 9, 7);
	T_EQ(OURS, f.src_callno);
	T_EQ(PEERS, f.dst_callno);
	T_EQ(12, sent_len);
	for (size_t i = 0; i < sizeof(silent); i++)
		T_EQ(IAX2_E_STALE, say_iax(silent[i], 7, 9));
	nothing_sent();
	T_EQ(5, iax2_endpoint_counters(ep)->unknown_call);
}

static void what_cannot_be_read_is_counted(void)
{
	static const uint8_t cut[] = { 0x92, 0x34, 0, 2, 0, 0, 0, 0, 0, 0, 6 };
	static const uint8_t bad_element[] = { 0x92, 0x34, 0, 0, 0, 0, 0,
					       0,    0,    0, 6, 1, 1, 9 };
	static const uint8_t meta[] = { 0, 0, 1, 1, 0, 0, 0 };
	static const uint8_t oversize[DGRAM_MAX + 1] = { 0, 5 };

	start();
	for (size_t n = 0; n <= sizeof(cut); n++)
		T_EQ(IAX2_E_TRUNCATED, give_octets(cut, n));
	T_EQ(IAX2_E_TRUNCATED, give_octets(bad_element, sizeof(bad_element)));
	T_EQ(13, iax2_endpoint_counters(ep)->malformed);
	T_EQ(IAX2_E_RANGE, give_octets(oversize, sizeof(oversize)));
	T_EQ(IAX2_E_TRUNCATED, give_octets(meta, sizeof(meta)));
	T_EQ(15, iax2_endpoint_counters(ep)->rx);
	nothing_sent();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_call_from_asterisk);
	T_RUN(a_repeated_new_makes_no_second_call);
	T_RUN(another_version_is_refused);
	T_RUN(a_caller_that_has_forgotten_its_call_may_call_again);
	T_RUN(a_telephone_portal_proves_itself_by_rsa);
	T_RUN(a_bad_token_gets_a_bare_reject);
	T_RUN(an_unproved_sender_gets_no_more_than_it_sent);
	T_RUN(strangers_get_no_calls_and_no_flood);
	T_RUN(no_common_codec_is_said);
	T_RUN(a_poke_gets_a_bare_pong);
	T_RUN(an_unknown_call_gets_inval);
	T_RUN(what_cannot_be_read_is_counted);
	T_RUN(half_open_calls_of_one_address_are_limited);
	T_RUN(commands_check_what_they_are_given);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
