/* SPDX-License-Identifier: MIT */

/* What a key signs in a plain call, and what it does not: "2001" calls "2000",
 * or is called by it. */

#include "tests/virtual/rfc_talk.h"

#define DIGITS "00112233445566ff"

static void challenge(const char *text, uint16_t methods)
{
	uint8_t body[128];
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put_u16(&w, IAX2_IE_AUTHMETHODS, methods);
	iax2_ie_put_text(&w, IAX2_IE_CHALLENGE, text);
	T_TRUE(!w.bad);
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 0, 1, body,
		  (size_t)(w.p - body));
}

static void a_challenge_of_this_call_is_signed(void)
{
	static const char text[] = "keyhole 2000 2001 " DIGITS;
	struct iax2_ie_view v;
	struct iax2_full f;

	start();
	(void)dial(NULL);
	T_TRUE(take());
	challenge(text, IAX2_AUTH_ED25519);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREP, 1, 1);
	T_TRUE(iax2_ie_find(f.body, f.body_len, IAX2_IE_ED25519_RESULT, &v));
	T_TRUE(key_verify_challenge(id.public_key, text, v.value, v.len));
}

/* As a node would ask that is called by whoever passes it on to us. */
static void no_other_challenge_is_signed(void)
{
	static const char *const texts[] = {
		"159458752",
		DIGITS,
		"keyhole 2002 2001 " DIGITS,
		"keyhole 2000 2002 " DIGITS,
		"keyhole 2001 2000 " DIGITS,
		"keyhole 2000 2001 ",
		"keyhole 2000 2001 0011223344556677 ",
		"keyhole 2000 2001 001122334455667",
		"keyhole 2000 2001 001122334455667x",
		"keyhole 2000 2001  " DIGITS,
		"keyhole 2000",
		"Keyhole 2000 2001 " DIGITS,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		start();
		(void)dial(NULL);
		T_TRUE(take());
		challenge(texts[i], IAX2_AUTH_ED25519);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 1, 1);
		event(IAX2_EV_CALL_DOWN);
		T_EQ(IAX2_DOWN_AUTH_FAILED, ev.u.down.reason);
	}
}

static void a_secret_answers_where_the_key_does_not(void)
{
	struct iax2_full f;

	start();
	(void)dial("secret");
	T_TRUE(take());
	challenge("159458752", IAX2_AUTH_ED25519 | IAX2_AUTH_MD5);
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREP, 1, 1);
	T_TRUE(has(&f, IAX2_IE_MD5_RESULT));
	T_TRUE(!has(&f, IAX2_IE_ED25519_RESULT));
}

static void our_challenge_for_a_key_names_both_numbers(void)
{
	const struct iax2_credentials key = { .public_key = id.public_key };
	const struct iax2_credentials secret = { .md5_secret = "secret" };
	char text[65];
	struct iax2_full f;

	start();
	T_EQ(IAX2_OK, iax2_challenge(ep, call_in(4, 4), &key, now));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 0, 1);
	T_TRUE(iax2_ie_text(f.body, f.body_len, IAX2_IE_CHALLENGE, text,
			    sizeof(text)));
	T_STR("keyhole 2001 2000 0000000000000000", text);
	/* For a secret it is as everybody's. */
	start();
	T_EQ(IAX2_OK, iax2_challenge(ep, call_in(4, 4), &secret, now));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 0, 1);
	T_TRUE(iax2_ie_text(f.body, f.body_len, IAX2_IE_CHALLENGE, text,
			    sizeof(text)));
	T_STR("0000000000000000", text);
}

/* A name with spaces could be read as two. */
static void a_key_is_not_asked_for_where_names_are_no_words(void)
{
	static const char *const names[] = {
		"20 00",
		"",
		"20000000000000000000000000000000",
	};
	const struct iax2_credentials key = { .public_key = id.public_key };
	const struct iax2_credentials both = { .public_key = id.public_key,
					       .md5_secret = "secret" };

	for (size_t i = 0; i < 3; i++) {
		uint8_t body[256];
		struct wire_wr w = wire_wr(body, sizeof(body));
		uint16_t methods = 0;
		struct iax2_full f;

		start();
		iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, "2001000000000");
		iax2_ie_put_text(&w, IAX2_IE_CALLING_NUMBER, names[i]);
		iax2_ie_put_u32(&w, IAX2_IE_FORMAT, IAX2_FORMAT_ULAW);
		put_token(&w);
		T_EQ(IAX2_OK, give_new(PEERS, &w, body));
		event(IAX2_EV_CALL_IN);
		T_EQ(IAX2_E_RANGE, iax2_challenge(ep, ev.call, &key, now));
		T_EQ(IAX2_OK, iax2_challenge(ep, ev.call, &both, now));
		f = expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 0, 1);
		T_TRUE(iax2_ie_u16(f.body, f.body_len, IAX2_IE_AUTHMETHODS,
				   &methods));
		T_EQ(IAX2_AUTH_MD5, methods);
	}
}

int main(void)
{
	T_RUN(a_challenge_of_this_call_is_signed);
	T_RUN(no_other_challenge_is_signed);
	T_RUN(a_secret_answers_where_the_key_does_not);
	T_RUN(our_challenge_for_a_key_names_both_numbers);
	T_RUN(a_key_is_not_asked_for_where_names_are_no_words);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
