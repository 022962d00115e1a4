/* SPDX-License-Identifier: MIT */

/*
 * Frames in the name of a peer, by somebody who knows its address and its call
 * number, and not ours: they end, move and disturb nothing.
 */

#include "tests/virtual/rfc_talk.h"

static enum iax2_err forge(uint8_t type, uint64_t subclass, uint8_t oseq,
			   uint8_t iseq)
{
	return give((struct iax2_full){ .src_callno = PEERS,
					.ts_ms = 500,
					.oseq = oseq,
					.iseq = iseq,
					.type = type,
					.subclass = subclass });
}

static void number_0_is_no_number_of_a_call_that_stands(void)
{
	static const uint8_t subclasses[] = {
		IAX2_IAX_HANGUP,    IAX2_IAX_REJECT, IAX2_IAX_INVAL,
		IAX2_IAX_CALLTOKEN, IAX2_IAX_QUELCH, IAX2_IAX_VNAK,
	};
	const struct iax2_call_id call = in_and_up();

	for (size_t i = 0; i < sizeof(subclasses); i++) {
		for (unsigned seq = 0; seq < 256; seq++)
			(void)forge(IAX2_FRAME_IAX, subclasses[i], (uint8_t)seq,
				    2);
	}
	nothing_sent();
	no_event();
	is_up(call);
	/* Nothing has moved: the peer's next is 1 still. */
	(void)say(IAX2_FRAME_CONTROL, IAX2_CONTROL_KEY, 1, 2, NULL, 0);
	event(IAX2_EV_KEY);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 2, 2);
}

static void an_acknowledgement_names_what_it_answers(void)
{
	const struct iax2_call_id call = in_and_up();

	T_EQ(IAX2_OK, iax2_send_text(ep, call, "hello", now));
	T_TRUE(take());
	(void)forge(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 3);
	/* It is missed, and said again. */
	wait_us(5 * MONO_S);
	(void)expect(IAX2_FRAME_TEXT, 0, 2, 1);
}

static void a_caller_may_be_quicker_than_our_number(void)
{
	const struct iax2_call_id call = (start(), call_in(4, 4));

	T_EQ(IAX2_OK, iax2_accept(ep, call, now));
	event(IAX2_EV_CALL_UP);
	while (take())
		;
	(void)forge(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 1, 0);
	event(IAX2_EV_CALL_DOWN);
	T_EQ(IAX2_DOWN_HANGUP_REMOTE, ev.u.down.reason);
}

static void a_copied_new_moves_nothing(void)
{
	const struct iax2_call_id call = in_and_up();

	for (unsigned seq = 0; seq < 256; seq++) {
		(void)forge(IAX2_FRAME_IAX, IAX2_IAX_NEW, (uint8_t)seq, 2);
		(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 2, 1);
	}
	no_event();
	is_up(call);
	(void)say(IAX2_FRAME_CONTROL, IAX2_CONTROL_KEY, 1, 2, NULL, 0);
	event(IAX2_EV_KEY);
}

static void who_was_called_knows_our_number(void)
{
	const struct iax2_call_id call = up();

	(void)forge(IAX2_FRAME_IAX, IAX2_IAX_HANGUP, 2, 1);
	no_event();
	is_up(call);
}

static void inval_of_nobody(void)
{
	T_EQ(IAX2_OK, give((struct iax2_full){ .dst_callno = OURS,
					       .type = IAX2_FRAME_IAX,
					       .subclass = IAX2_IAX_INVAL }));
}

/* Asterisk says INVAL to a mini frame without a number of its own, and so can
 * anybody. */
static void an_inval_of_nobody_makes_us_ask_once_a_second(void)
{
	static const uint8_t codes[160];
	const struct iax2_voice v = { codes, sizeof(codes), 0, true };
	const struct iax2_call_id call = in_and_up();
	unsigned pings = 0;

	T_EQ(IAX2_OK, iax2_send_voice(ep, call, &v, now));
	T_TRUE(take());
	(void)say_iax(IAX2_IAX_ACK, 1, 3);
	/* The first PING of a call is due after a second anyway. */
	for (unsigned ms = 0; ms < 900; ms += 10) {
		now += 10 * MONO_MS;
		inval_of_nobody();
		while (take()) {
			struct iax2_full f;

			T_EQ(IAX2_OK, iax2_full_decode(sent, sent_len, &f));
			T_EQ(IAX2_IAX_PING, f.subclass);
			pings++;
		}
	}
	T_EQ(1, pings);
	no_event();
	is_up(call);
	/* It does not speak for the peer: silence is silence. */
	for (unsigned s = 0; s < 40; s++) {
		wait_us(MONO_S);
		if (iax2_endpoint_next_event(ep, &ev))
			break;
		inval_of_nobody();
		while (take())
			;
	}
	T_EQ(IAX2_EV_CALL_DOWN, ev.kind);
	T_EQ(IAX2_DOWN_TIMEOUT, ev.u.down.reason);
}

int main(void)
{
	T_RUN(number_0_is_no_number_of_a_call_that_stands);
	T_RUN(an_acknowledgement_names_what_it_answers);
	T_RUN(a_caller_may_be_quicker_than_our_number);
	T_RUN(a_copied_new_moves_nothing);
	T_RUN(who_was_called_knows_our_number);
	T_RUN(an_inval_of_nobody_makes_us_ask_once_a_second);
	ep = iax2_endpoint_free(ep);
	return T_DONE();
}
