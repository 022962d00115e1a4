/* SPDX-License-Identifier: MIT */

/* Calling, octet by octet where it matters. */

#include "tests/unit/iax2_talk.h"

/* --- calling ------------------------------------------------------------ */

static const uint8_t our_new[] = {
	0x80, 0x02, 0x00, 0x00, 0,   0,   0,   0, 0, 0, 0x06, 0x01, /* header */
	0x0b, 2,    0,    2,                               /* VERSION */
	0x01, 4,    '2',  '0',  '0', '0',                  /* CALLED NUMBER */
	0x2d, 1,    'D',                                   /* CODEC PREFS */
	0x02, 4,    '2',  '0',  '0', '1',                  /* CALLING NUMBER */
	0x26, 1,    0,                                     /* CALLINGPRES */
	0x27, 1,    0,                                     /* CALLINGTON */
	0x28, 2,    0,    0,                               /* CALLINGTNS */
	0x06, 5,    'r',  'a',  'd', 'i', 'o',             /* USERNAME */
	0x09, 4,    0,    0,    0,   4,                    /* FORMAT */
	0x38, 9,    0,    0,    0,   0,   0,   0, 0, 0, 4, /* FORMAT2 */
	0x08, 4,    0,    0,    0,   4,                    /* CAPABILITY */
	0x37, 9,    0,    0,    0,   0,   0,   0, 0, 0, 4, /* CAPABILITY2 */
	0x36, 0,                                           /* CALLTOKEN */
};

static void a_call_to_asterisk_with_token_and_md5(void)
{
	static const char token[] =
		"\x36\x33"
		"1700000000?0123456789abcdef0123456789abcdef01234567";
	static const char authreq[] = "\x0e\x02\x00\x02"
				      "\x0f\x09"
				      "158459752"
				      "\x06\x05"
				      "radio";
	static const uint8_t accept[] = { 9, 4, 0, 0, 0, 4, 0x38, 9, 0,
					  0, 0, 0, 0, 0, 0, 0,    4 };
	struct iax2_full f;
	char md5[33];

	start();
	(void)dial("secret");
	T_TRUE(take());
	T_EQ(sizeof(our_new), sent_len);
	T_EQ(0, memcmp(our_new, sent, sent_len));
	nothing_sent();

	now += 10 * MONO_MS;
	T_EQ(53, sizeof(token) - 1);
	T_EQ(IAX2_OK,
	     give((struct iax2_full){ .src_callno = 1,
				      .dst_callno = OURS,
				      .iseq = 1,
				      .type = IAX2_FRAME_IAX,
				      .subclass = IAX2_IAX_CALLTOKEN,
				      .body = (const uint8_t *)token,
				      .body_len = sizeof(token) - 1 }));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_NEW, 0, 0);
	T_EQ(OURS, f.src_callno);
	T_EQ(0, f.dst_callno);
	T_TRUE(!f.retransmit);
	T_EQ(sizeof(our_new) - 2 + 53, sent_len);
	T_EQ(0, memcmp(sent + sizeof(our_new) - 2, token, 53));

	(void)say(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 0, 1, authreq,
		  sizeof(authreq) - 1);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREP, 1, 1);
	T_EQ(PEERS, f.dst_callno);
	T_EQ(34, f.body_len);
	T_EQ(IAX2_IE_MD5_RESULT, f.body[0]);
	key_md5_response("158459752", "secret", md5);
	T_EQ(0, memcmp(f.body + 2, md5, 32));
	nothing_sent();

	(void)say(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 1, 2, accept,
		  sizeof(accept));
	(void)say(IAX2_FRAME_CONTROL, IAX2_CONTROL_ANSWER, 2, 2, NULL, 0);
	(void)say(IAX2_FRAME_CONTROL, IAX2_SUBCLASS_STOP, 3, 2, NULL, 0);
	/* One ACK for the three, with the time stamp of the last. */
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 2, 4);
	T_EQ(103, f.ts_ms);
	T_EQ(12, sent_len);
	nothing_sent();
	event(IAX2_EV_CALL_ACCEPTED);
	event(IAX2_EV_CALL_UP);
	event(IAX2_EV_CONTROL);
	T_EQ(IAX2_CONTROL_STOP_SOUNDS, ev.u.control.subclass);
	no_event();
}

static void a_new_is_repeated_slowly_and_given_up_after_five_seconds(void)
{
	static const unsigned at_ms[] = { 1000, 3000 };
	const mono_us begin = 50 * MONO_S;
	struct iax2_full f;

	start();
	(void)dial(NULL);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_NEW, 0, 0);
	for (size_t i = 0; i < 2; i++) {
		now = iax2_endpoint_deadline(ep);
		T_EQ(begin + at_ms[i] * MONO_MS, now);
		iax2_endpoint_tick(ep, now);
		f = expect(IAX2_FRAME_IAX, IAX2_IAX_NEW, 0, 0);
		T_TRUE(f.retransmit);
		/* Else it is the same frame. */
		sent[2] &= 0x7f;
		T_EQ(0, memcmp(our_new, sent, sizeof(our_new)));
	}
	now = iax2_endpoint_deadline(ep);
	T_EQ(begin + 5 * MONO_S, now);
	iax2_endpoint_tick(ep, now);
	nothing_sent();
	event(IAX2_EV_CALL_DOWN);
	T_EQ(IAX2_DOWN_NO_ANSWER, ev.u.down.reason);
	T_EQ(MONO_NEVER, iax2_endpoint_deadline(ep));
}

static void a_ticketed_new_is_repeated_soon(void)
{
	static const unsigned at_ms[] = { 250, 750, 1750, 3750 };
	const struct iax2_ticket t = { .id = 1, .key = { 3 } };
	const struct iax2_dial d = { .path.peer = peer,
				     .called = "2000",
				     .calling = "2001",
				     .ticket = &t };
	struct iax2_call_id call;

	start();
	T_EQ(IAX2_OK, iax2_dial(ep, &d, now, &call));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_NEW, 0, 0);
	for (size_t i = 0; i < 4; i++) {
		now = iax2_endpoint_deadline(ep);
		T_EQ(50 * MONO_S + at_ms[i] * MONO_MS, now);
		iax2_endpoint_tick(ep, now);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_NEW, 0, 0);
		/* The seal is last, and holds with the R bit set. */
		T_EQ(IAX2_IE_KH_TAG, sent[sent_len - 18]);
		T_TRUE(seal_check(sent, sent_len, t.key));
	}
}

static void give_token(const char *token)
{
	uint8_t body[64];
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put_text(&w, IAX2_IE_CALLTOKEN, token);
	T_EQ(IAX2_OK,
	     give((struct iax2_full){ .src_callno = 1,
				      .dst_callno = OURS,
				      .iseq = 1,
				      .type = IAX2_FRAME_IAX,
				      .subclass = IAX2_IAX_CALLTOKEN,
				      .body = body,
				      .body_len = (size_t)(w.p - body) }));
}

static void a_token_is_taken_once(void)
{
	start();
	(void)dial(NULL);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_NEW, 0, 0);
	give_token("one");
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_NEW, 0, 0);
	give_token("two");
	nothing_sent();
}

static void a_stateless_reject_ends_a_dial(void)
{
	start();
	(void)dial(NULL);
	T_TRUE(take());
	T_EQ(IAX2_OK, give((struct iax2_full){ .src_callno = 1,
					       .dst_callno = OURS,
					       .iseq = 1,
					       .type = IAX2_FRAME_IAX,
					       .subclass = IAX2_IAX_REJECT }));
	event(IAX2_EV_CALL_DOWN);
	T_EQ(IAX2_DOWN_REJECTED, ev.u.down.reason);
	nothing_sent();
	T_EQ(0, iax2_endpoint_calls(ep));
}

static void dial_and_accept(uint8_t format)
{
	const uint8_t body[] = { 9, 4, 0, 0, 0, format };

	start();
	(void)dial("secret");
	T_TRUE(take());
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 0, 1, body, sizeof(body));
}

static void a_control_frame_may_end_a_call(void)
{
	static const struct {
		enum iax2_control control;
		uint8_t code;
	} rows[] = {
		{ IAX2_CONTROL_BUSY, 17 },
		{ IAX2_CONTROL_CONGESTION, 34 },
		{ IAX2_CONTROL_HANGUP, 16 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dial_and_accept(4);
		(void)say(IAX2_FRAME_CONTROL, IAX2_CONTROL_RINGING, 1, 1, NULL,
			  0);
		(void)say(IAX2_FRAME_CONTROL, rows[i].control, 2, 1, NULL, 0);
		event(IAX2_EV_CALL_ACCEPTED);
		event(IAX2_EV_CALL_RINGING);
		event(IAX2_EV_CALL_DOWN);
		T_EQ(IAX2_DOWN_HANGUP_REMOTE, ev.u.down.reason);
		T_EQ(rows[i].code, ev.u.down.code);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 1, 3);
	}
}

static void a_format_that_we_did_not_offer_ends_a_call(void)
{
	static const uint8_t bad[] = { 0, 2, 6 };

	for (size_t i = 0; i < sizeof(bad); i++) {
		dial_and_accept(bad[i]);
		event(IAX2_EV_CALL_DOWN);
		T_EQ(IAX2_DOWN_PROTOCOL, ev.u.down.reason);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 1, 1);
	}
}

static void endless_challenges_are_not_answered(void)
{
	static const char authreq[] = "\x0e\x02\x00\x02"
				      "\x0f\x03"
				      "123";

	start();
	(void)dial("secret");
	T_TRUE(take());
	for (uint8_t i = 0; i < 3; i++) {
		(void)say(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, i, 1 + i, authreq,
			  sizeof(authreq) - 1);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREP, 1 + i, 1 + i);
	}
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 3, 4, authreq,
		  sizeof(authreq) - 1);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 4, 4);
	event(IAX2_EV_CALL_DOWN);
	T_EQ(IAX2_DOWN_PROTOCOL, ev.u.down.reason);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_call_to_asterisk_with_token_and_md5);
	T_RUN(a_new_is_repeated_slowly_and_given_up_after_five_seconds);
	T_RUN(a_ticketed_new_is_repeated_soon);
	T_RUN(a_token_is_taken_once);
	T_RUN(a_stateless_reject_ends_a_dial);
	T_RUN(a_control_frame_may_end_a_call);
	T_RUN(a_format_that_we_did_not_offer_ends_a_call);
	T_RUN(endless_challenges_are_not_answered);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
