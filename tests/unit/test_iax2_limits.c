/* SPDX-License-Identifier: MIT */

/* What one caller, one address and all of them together may take. */

#include "tests/unit/iax2_talk.h"

static struct iax2_endpoint_cfg roomy(void)
{
	struct iax2_endpoint_cfg c = usual_cfg();

	c.calls_max = 64;
	c.limits = (struct iax2_limits){ 64, 64, 64, 1000, 1000 };
	return c;
}

static const struct iax2_limited *limited(void)
{
	return &iax2_endpoint_counters(ep)->limits;
}

static enum iax2_err new_from(const struct net_addr *who, uint16_t callno,
			      const char *token)
{
	uint8_t body[64];
	struct wire_wr w = wire_wr(body, sizeof(body));

	iax2_ie_put_text(&w, IAX2_IE_CALLED_NUMBER, "2001");
	iax2_ie_put_text(&w, IAX2_IE_CALLING_NUMBER, "2000");
	iax2_ie_put_u32(&w, IAX2_IE_FORMAT, 4);
	if (token)
		iax2_ie_put_text(&w, IAX2_IE_CALLTOKEN, token);
	from = *who;
	return give((struct iax2_full){ .src_callno = callno,
					.type = IAX2_FRAME_IAX,
					.subclass = IAX2_IAX_NEW,
					.body = body,
					.body_len = (size_t)(w.p - body) });
}

/* A NEW with a token of its own. */
static enum iax2_err call_from(const struct net_addr *who, uint16_t callno)
{
	char token[64] = "";
	struct iax2_full f;

	(void)new_from(who, callno, "");
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_CALLTOKEN, 0, 1);
	memcpy(token, f.body + 2, f.body[1]);
	return new_from(who, callno, token);
}

static struct iax2_call_id called_from(const struct net_addr *who,
				       uint16_t callno)
{
	T_EQ(IAX2_OK, call_from(who, callno));
	(void)take(); /* ACK */
	event(IAX2_EV_CALL_IN);
	return ev.call;
}

static void answer(struct iax2_call_id call)
{
	T_EQ(IAX2_OK, iax2_accept(ep, call, now));
	event(IAX2_EV_CALL_UP);
	while (take())
		;
}

static struct net_addr host(uint8_t n)
{
	return net_addr_v4(198, 51, 100, n, 4569);
}

static struct net_addr host6(uint8_t net, uint8_t n)
{
	return (struct net_addr){ { 0x20, 1, 0xd, 0xb8, 0, 0, 0, net, 0, 0, 0,
				    0, 0, 0, 0, n },
				  4569 };
}

static void calls_in_all(void)
{
	struct iax2_endpoint_cfg c = roomy();
	struct net_addr a;
	struct iax2_full f;

	c.calls_max = 3;
	start_as(&c);
	for (uint8_t i = 0; i < 3; i++) {
		a = host(i);
		answer(called_from(&a, 7));
	}
	a = host(9);
	T_EQ(IAX2_E_REFUSED, call_from(&a, 7));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	T_EQ(34, f.body[2]);
	T_EQ(1, limited()->calls);
	no_event();
}

static void a_call_that_is_over_keeps_nobody_out(void)
{
	struct iax2_endpoint_cfg c = roomy();
	struct net_addr a;

	c.calls_max = 3;
	start_as(&c);
	for (uint8_t i = 0; i < 3; i++) {
		struct iax2_call_id call;

		a = host(i);
		call = called_from(&a, 7);
		T_EQ(IAX2_OK, iax2_reject(ep, call, NULL, 50, now));
		event(IAX2_EV_CALL_DOWN);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	}
	/* Their ends are not acknowledged yet. */
	T_EQ(3, iax2_endpoint_calls(ep));
	for (uint8_t i = 3; i < 6; i++) {
		a = host(i);
		answer(called_from(&a, 7));
	}
	T_EQ(3, iax2_endpoint_calls(ep));
	a = host(9);
	T_EQ(IAX2_E_REFUSED, call_from(&a, 7));
}

static void calls_of_an_address(void)
{
	struct iax2_endpoint_cfg c = roomy();
	struct net_addr a = host(1), b = host(2);
	struct iax2_call_id call;

	c.limits.calls_per_addr = 2;
	start_as(&c);
	call = called_from(&a, 7);
	answer(call);
	/* Another port is the same address. */
	a.port++;
	answer(called_from(&a, 7));
	T_EQ(IAX2_E_REFUSED, call_from(&a, 8));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	T_EQ(1, limited()->calls_per_addr);
	answer(called_from(&b, 7));
	/* One that ends makes room at once. */
	from = host(1);
	T_EQ(IAX2_OK, iax2_hangup(ep, call, NULL, 16, now));
	event(IAX2_EV_CALL_DOWN);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 2, 1);
	answer(called_from(&a, 8));
}

static void a_v6_network_is_one_address(void)
{
	struct iax2_endpoint_cfg c = roomy();
	struct net_addr a;

	c.limits.calls_per_addr = 2;
	start_as(&c);
	for (uint8_t i = 0; i < 2; i++) {
		a = host6(1, i);
		answer(called_from(&a, 7));
	}
	a = host6(1, 9);
	T_EQ(IAX2_E_REFUSED, call_from(&a, 7));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	a = host6(2, 9);
	answer(called_from(&a, 7));
}

static void half_open_calls(void)
{
	struct iax2_endpoint_cfg c = roomy();
	struct net_addr a = host(1), b = host(2), d = host(3);
	struct iax2_call_id call;

	c.limits.half_open = 3;
	c.limits.half_open_per_addr = 2;
	start_as(&c);
	call = called_from(&a, 7);
	(void)called_from(&a, 8);
	T_EQ(2, iax2_endpoint_half_open(ep));
	/* Silence: the caller's next try may succeed. */
	T_EQ(IAX2_E_LIMITED, call_from(&a, 9));
	nothing_sent();
	T_EQ(1, limited()->half_open_per_addr);
	(void)called_from(&b, 7);
	T_EQ(IAX2_E_LIMITED, call_from(&d, 7));
	nothing_sent();
	T_EQ(1, limited()->half_open);
	from = a;
	answer(call);
	T_EQ(2, iax2_endpoint_half_open(ep));
	(void)called_from(&d, 7);
	T_EQ(3, iax2_endpoint_half_open(ep));
}

static void new_calls_of_an_address_in_a_second(void)
{
	struct iax2_endpoint_cfg c = roomy();
	struct net_addr a = host(1), b = host(2);

	c.limits.calls_per_s = 3;
	start_as(&c);
	for (uint16_t i = 0; i < 3; i++)
		(void)called_from(&a, (uint16_t)(10 + i));
	T_EQ(IAX2_E_LIMITED, call_from(&a, 20));
	nothing_sent();
	T_EQ(1, limited()->calls_per_s);
	(void)called_from(&b, 20);
	now += MONO_S / 3 + 1;
	(void)called_from(&a, 21);
	T_EQ(IAX2_E_LIMITED, call_from(&a, 22));
}

static void failed_authentications_of_an_address(void)
{
	const struct iax2_credentials want = { .md5_secret = "secret" };
	static const char wrong[] = "\x10\x20"
				    "00000000000000000000000000000000";
	struct iax2_endpoint_cfg c = roomy();
	struct net_addr a = host(1), b = host(2);
	struct iax2_full f;

	c.limits.auth_failures_per_min = 3;
	start_as(&c);
	for (uint16_t i = 0; i < 3; i++) {
		const struct iax2_call_id call = called_from(&a, 100 + i);

		T_EQ(IAX2_OK, iax2_challenge(ep, call, &want, now));
		f = expect(IAX2_FRAME_IAX, IAX2_IAX_AUTHREQ, 0, 1);
		(void)give((struct iax2_full){ .src_callno = 100 + i,
					       .dst_callno = f.src_callno,
					       .oseq = 1,
					       .iseq = 1,
					       .type = IAX2_FRAME_IAX,
					       .subclass = IAX2_IAX_AUTHREP,
					       .body = (const uint8_t *)wrong,
					       .body_len = 34 });
		event(IAX2_EV_CALL_DOWN);
		T_EQ(IAX2_DOWN_AUTH_FAILED, ev.u.down.reason);
		while (take())
			;
	}
	T_EQ(3, iax2_endpoint_counters(ep)->auth_failed);
	/* No more questions for a while, and no hint why. */
	T_EQ(IAX2_E_REFUSED, call_from(&a, 200));
	f = expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	T_EQ(50, f.body[2]);
	T_EQ(1, limited()->auth_failures);
	no_event();
	(void)called_from(&b, 200);
	now += 21 * MONO_S;
	(void)called_from(&a, 201);
}

static void some_need_no_token(void)
{
	struct net_prefix known[] = {
		{ net_addr_v4(198, 51, 100, 64, 0), 96 + 26 },
		{ host6(3, 0), 64 },
	};
	struct iax2_endpoint_cfg c = roomy();
	struct net_addr a = host(127), b = host(128), d = host6(3, 200);

	c.token_optional = known;
	c.token_optional_n = 2;
	start_as(&c);
	T_EQ(IAX2_OK, new_from(&a, 7, NULL));
	event(IAX2_EV_CALL_IN);
	T_TRUE(take());
	T_EQ(IAX2_OK, new_from(&d, 7, NULL));
	event(IAX2_EV_CALL_IN);
	T_TRUE(take());
	T_EQ(IAX2_E_REFUSED, new_from(&b, 7, NULL));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	/* One who knows of tokens gets one, and a bad one is bad. */
	T_EQ(IAX2_OK, new_from(&a, 8, ""));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_CALLTOKEN, 0, 1);
	T_EQ(IAX2_E_REFUSED, new_from(&a, 8, "nonsense"));
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	no_event();
}

static void limits_must_make_sense(void)
{
	struct iax2_endpoint_cfg c = usual_cfg();

	start();
	c.identity = &id;
	c.limits.calls_per_s = 0;
	T_TRUE(!iax2_endpoint_new(&c, 0));
	c.limits.calls_per_s = 100001;
	T_TRUE(!iax2_endpoint_new(&c, 0));
	c.limits.calls_per_s = 1;
	c.limits.auth_failures_per_min = 100001;
	T_TRUE(!iax2_endpoint_new(&c, 0));
	c.limits.auth_failures_per_min = 1;
	c.prefs[0] = 3;
	T_TRUE(!iax2_endpoint_new(&c, 0));
	c.prefs[0] = UINT64_C(1) << 40;
	T_TRUE(!iax2_endpoint_new(&c, 0));
	c.prefs[0] = 4;
	c.prefs_n = 9;
	T_TRUE(!iax2_endpoint_new(&c, 0));
}

int main(void)
{
	T_RUN(calls_in_all);
	T_RUN(a_call_that_is_over_keeps_nobody_out);
	T_RUN(calls_of_an_address);
	T_RUN(a_v6_network_is_one_address);
	T_RUN(half_open_calls);
	T_RUN(new_calls_of_an_address_in_a_second);
	T_RUN(failed_authentications_of_an_address);
	T_RUN(some_need_no_token);
	T_RUN(limits_must_make_sense);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
