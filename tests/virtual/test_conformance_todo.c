/* SPDX-License-Identifier: MIT */

/* What RFC 5456 asks and the endpoint does not do yet; not registered.  A test
 * that passes moves to one of the other files. */

#include "tests/virtual/rfc_talk.h"

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

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_refused_registration_is_told_why);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
