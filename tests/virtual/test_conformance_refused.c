/* SPDX-License-Identifier: MIT */

/* RFC 5456 sections 6.4 to 6.6, 6.8 and 6.9: what we do not do, and calls that
 * are no more.  tests/CONFORMANCE.md says which statement each test shows. */

#include "tests/virtual/rfc_talk.h"

/* --- not supported --------------------------------------------------- */

static void flash_hold_and_unhold_are_ignored(void)
{
	static const uint8_t subclasses[] = { 0x09, 0x10, 0x11 };
	const struct iax2_call_id call = up();

	for (size_t i = 0; i < LEN(subclasses); i++) {
		const uint8_t oseq = (uint8_t)(2 + i);

		(void)say(IAX2_FRAME_CONTROL, subclasses[i], oseq, 1, NULL, 0);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, oseq + 1);
		nothing_sent();
	}
	is_up(call);
	T_EQ(IAX2_OK, iax2_send_text(ep, call, "x", now));
}

static void what_we_do_not_support_is_named(void)
{
	/* DPREQ, DPREP, DIAL, MWI, TRANSFER, reserved and unheard of. */
	static const uint8_t subclasses[] = { 0x13, 0x14, 0x15, 0x20, 0x22,
					      0x1f, 0x23, 0x24, 0x25, 0x7f };
	const struct iax2_call_id call = up();
	uint8_t unknown = 0;

	for (size_t i = 0; i < LEN(subclasses); i++) {
		const uint8_t ours = (uint8_t)(1 + i);
		struct iax2_full f;

		(void)say_iax(subclasses[i], ours + 1, ours);
		f = expect(IAX2_FRAME_IAX, IAX2_IAX_UNSUPPORT, ours, ours + 2);
		T_TRUE(iax2_ie_u8(f.body, f.body_len, IAX2_IE_IAX_UNKNOWN,
				  &unknown));
		T_EQ(subclasses[i], unknown);
		nothing_sent();
	}
	is_up(call);
}

static void an_unsupport_names_the_octet_that_came(void)
{
	struct iax2_full f;
	uint8_t unknown = 0;

	(void)up();
	/* Octet 0x89, which stands for 2^9. */
	(void)say(IAX2_FRAME_IAX, 1 << 9, 2, 1, NULL, 0);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_UNSUPPORT, 1, 3);
	T_TRUE(iax2_ie_u8(f.body, f.body_len, IAX2_IE_IAX_UNKNOWN, &unknown));
	T_EQ(0x89, unknown);
}

static void a_control_that_is_not_understood_gets_unsupport(void)
{
	const struct iax2_call_id call = up();
	uint8_t unknown = 0;
	struct iax2_full f;

	(void)say(IAX2_FRAME_CONTROL, 99, 2, 1, NULL, 0);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_UNSUPPORT, 1, 3);
	T_TRUE(iax2_ie_u8(f.body, f.body_len, IAX2_IE_IAX_UNKNOWN, &unknown));
	T_EQ(99, unknown);
	is_up(call);
}

static void html_is_not_supported_and_that_is_said(void)
{
	const struct iax2_call_id call = up();

	(void)say(9, 1, 2, 1, "http://example.org", 18);
	(void)expect(9, 0x11, 1, 3);
	/* That answer itself is only acknowledged. */
	(void)say(9, 0x11, 3, 2, NULL, 0);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 2, 4);
	is_up(call);
}

static void an_unsupport_changes_nothing(void)
{
	static const uint8_t unknown[] = { 0x17, 1, 0x0b };
	const struct iax2_call_id call = up();

	(void)say(IAX2_FRAME_IAX, IAX2_IAX_UNSUPPORT, 2, 1, unknown,
		  sizeof(unknown));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 3);
	nothing_sent();
	no_event();
	is_up(call);
}

static void a_transfer_is_refused_and_the_call_stays(void)
{
	static const uint8_t txreq[] = {
		0x12, 16, 2, 0, 0x11, 0xd9, 192, 0,    2, 9, 0,
		0,    0,  0, 0, 0,    0,    0,   0x15, 2, 0, 7, /* CALLNO */
		0x1b, 4,  0, 0, 0,    1,                        /* TRANSFERID */
	};
	const struct iax2_call_id call = up();

	(void)say(IAX2_FRAME_IAX, IAX2_IAX_TXREQ, 2, 1, txreq, sizeof(txreq));
	/* To the peer that asked, and to nobody else: take() looks. */
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_TXREJ, 1, 3);
	nothing_sent();
	/* These have no place in the sequence. */
	(void)say_iax(IAX2_IAX_TXCNT, 3, 2);
	(void)say_iax(IAX2_IAX_TXACC, 3, 2);
	nothing_sent();
	(void)say(IAX2_FRAME_TEXT, 0, 3, 2, "x", 2);
	event(IAX2_EV_TEXT);
	is_up(call);
}

/* 6.1.5: a REGREJ has cause and code; there is room for both in an answer that
 * is no longer than what a registrant sends. */
static void a_refused_registration_is_told_why(void)
{
	uint8_t body[64];
	struct wire_wr w = wire_wr(body, sizeof(body));
	struct iax2_full f;

	start();
	iax2_ie_put_text(&w, IAX2_IE_USERNAME, "2000");
	iax2_ie_put_u16(&w, IAX2_IE_REFRESH, 60);
	iax2_ie_put(&w, IAX2_IE_CALLTOKEN, NULL, 0);
	iax2_ie_put_text(&w, IAX2_IE_MD5_RESULT,
			 "0123456789abcdef0123456789abcdef");
	(void)give((struct iax2_full){ .src_callno = PEERS,
				       .type = IAX2_FRAME_IAX,
				       .subclass = IAX2_IAX_REGREQ,
				       .body = body,
				       .body_len = (size_t)(w.p - body) });
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_REGREJ, 0, 1);
	T_TRUE(has(&f, IAX2_IE_CAUSECODE));
	T_TRUE(has(&f, IAX2_IE_CAUSE));
}

/* --- no such call ---------------------------------------------------- */

static void any_message_for_an_unknown_call_gets_inval(void)
{
	static const uint8_t subclasses[] = {
		IAX2_IAX_HANGUP, IAX2_IAX_REJECT,    IAX2_IAX_PONG,
		IAX2_IAX_LAGRP,  IAX2_IAX_UNSUPPORT, IAX2_IAX_ACCEPT,
	};

	start();
	for (size_t i = 0; i < LEN(subclasses); i++) {
		(void)say_iax(subclasses[i], 7, 9);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_INVAL, 9, 7);
	}
	(void)say_iax(IAX2_IAX_INVAL, 7, 9);
	nothing_sent();
}

static void after_the_peers_hangup_new_frames_get_inval(void)
{
	(void)up();
	(void)say_iax(IAX2_IAX_HANGUP, 2, 1);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 3);
	/* Our ACK was lost: again. */
	(void)say_iax(IAX2_IAX_HANGUP, 2, 1);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 3);
	(void)say(IAX2_FRAME_TEXT, 0, 3, 1, "x", 2);
	T_TRUE(take());
	T_EQ(IAX2_FRAME_IAX, sent[10]);
	T_EQ(IAX2_IAX_INVAL, sent[11]);
}

static void after_the_end_a_call_is_unknown(void)
{
	static const uint8_t types[] = { IAX2_FRAME_TEXT, IAX2_FRAME_VOICE,
					 IAX2_FRAME_CONTROL };

	for (int remote = 0; remote < 2; remote++) {
		const struct iax2_call_id call = up();

		if (remote)
			(void)say_iax(IAX2_IAX_HANGUP, 2, 1);
		else
			T_EQ(IAX2_OK, iax2_hangup(ep, call, NULL, 16, now));
		while (take())
			;
		wait_us(10 * MONO_S);
		while (take())
			;
		for (size_t i = 0; i < LEN(types); i++) {
			struct iax2_full f;

			(void)say(types[i], 4, 3, 2, "x", 2);
			f = expect(IAX2_FRAME_IAX, IAX2_IAX_INVAL, 2, 3);
			T_EQ(OURS, f.src_callno);
			T_EQ(PEERS, f.dst_callno);
		}
		/* Never an INVAL for an INVAL. */
		(void)say_iax(IAX2_IAX_INVAL, 3, 2);
		nothing_sent();
	}
}

/* A peer by the letter has no call any more that our HANGUP could end. */
static void an_inval_may_answer_our_hangup(void)
{
	const struct iax2_call_id call = up();

	T_EQ(IAX2_OK, iax2_hangup(ep, call, NULL, 16, now));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 1, 2);
	event(IAX2_EV_CALL_DOWN);
	T_EQ(IAX2_DOWN_HANGUP_LOCAL, ev.u.down.reason);
	(void)say_iax(IAX2_IAX_INVAL, 1, 2);
	T_EQ(0, iax2_endpoint_calls(ep));
	wait_us(10 * MONO_S);
	nothing_sent();
	no_event();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(flash_hold_and_unhold_are_ignored);
	T_RUN(what_we_do_not_support_is_named);
	T_RUN(an_unsupport_names_the_octet_that_came);
	T_RUN(a_control_that_is_not_understood_gets_unsupport);
	T_RUN(html_is_not_supported_and_that_is_said);
	T_RUN(an_unsupport_changes_nothing);
	T_RUN(a_transfer_is_refused_and_the_call_stays);
	T_RUN(a_refused_registration_is_told_why);
	T_RUN(any_message_for_an_unknown_call_gets_inval);
	T_RUN(after_the_peers_hangup_new_frames_get_inval);
	T_RUN(after_the_end_a_call_is_unknown);
	T_RUN(an_inval_may_answer_our_hangup);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
