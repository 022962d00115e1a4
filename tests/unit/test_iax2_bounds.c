/* SPDX-License-Identifier: MIT */

/* What an endpoint does when something is full, or out of range. */

#include "tests/unit/iax2_talk.h"

/* --- buffers ------------------------------------------------------------ */

/* Call number @ours is up, as the peer's number @theirs. */
static struct iax2_call_id up_as(uint16_t ours, uint16_t theirs)
{
	static const uint8_t format[] = { 9, 4, 0, 0, 0, 4 };
	struct iax2_full f = {
		.src_callno = theirs,
		.dst_callno = ours,
		.iseq = 1,
		.type = IAX2_FRAME_IAX,
		.subclass = IAX2_IAX_ACCEPT,
		.body = format,
		.body_len = sizeof(format),
	};
	const struct iax2_call_id call = dial(NULL);

	T_TRUE(take());
	(void)give(f);
	f.oseq = 1;
	f.type = IAX2_FRAME_CONTROL;
	f.subclass = IAX2_CONTROL_ANSWER;
	f.body_len = 0;
	(void)give(f);
	event(IAX2_EV_CALL_ACCEPTED);
	event(IAX2_EV_CALL_UP);
	while (take())
		;
	return call;
}

/* Frames of three calls that nobody acknowledges, and frames before their
 * turn: the fourth call is placed, speaks and ends all the same. */
static void a_silent_peer_takes_no_other_calls_buffers(void)
{
	struct iax2_call_id call[4];
	unsigned sent_in[3] = { 0 };
	struct iax2_full f = { .type = IAX2_FRAME_TEXT,
			       .iseq = 1,
			       .body = (const uint8_t *)"early",
			       .body_len = 6 };

	start();
	for (uint16_t i = 0; i < 3; i++)
		call[i] = up_as((uint16_t)(OURS + i), (uint16_t)(PEERS + i));
	for (uint16_t i = 0; i < 3; i++) {
		while (iax2_send_text(ep, call[i], "L T2000", now) == IAX2_OK)
			sent_in[i]++;
		f.src_callno = (uint16_t)(PEERS + i);
		f.dst_callno = (uint16_t)(OURS + i);
		for (uint8_t k = 3; k < 40; k++) {
			f.oseq = k;
			(void)give(f);
		}
	}
	T_EQ(31, sent_in[0]);
	T_TRUE(sent_in[2] < 31 && sent_in[2] >= 4);
	while (take())
		;
	call[3] = up_as(OURS + 3, PEERS + 3);
	T_EQ(IAX2_OK, iax2_send_text(ep, call[3], "L T2000", now));
	while (take())
		;
	for (int i = 3; i >= 0; i--) {
		T_EQ(IAX2_OK, iax2_hangup(ep, call[i], NULL, 16, now));
		T_TRUE(take());
		T_EQ(IAX2_FRAME_IAX, sent[10]);
		T_EQ(IAX2_IAX_HANGUP, sent[11]);
		event(IAX2_EV_CALL_DOWN);
	}
	wait_us(6 * MONO_S);
	T_EQ(0, iax2_endpoint_calls(ep));
}

/* --- events ------------------------------------------------------------- */

static void what_cannot_be_told_is_not_taken(void)
{
	const struct iax2_call_id call = up();
	const uint8_t codes[160] = { 0 };
	struct iax2_call_id other;
	const struct iax2_dial d = { .path.peer = peer,
				     .called = "2000",
				     .calling = "2001" };
	uint64_t limited;
	unsigned voices = 0;

	(void)say(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 2, 1, codes,
		  sizeof(codes));
	for (uint16_t ts = 20; ts < 4000; ts += 20)
		mini(ts);
	limited = iax2_endpoint_counters(ep)->limited;
	T_TRUE(limited > 100);
	/* Neither do full frames get through, which come again ... */
	(void)say(IAX2_FRAME_TEXT, 0, 3, 1, (const uint8_t *)"x", 2);
	T_EQ(limited + 1, iax2_endpoint_counters(ep)->limited);
	while (iax2_endpoint_next_event(ep, &ev))
		voices += ev.kind == IAX2_EV_VOICE;
	T_TRUE(voices > 50);
	/* ... and are taken then. */
	(void)say(IAX2_FRAME_TEXT, 0, 3, 1, (const uint8_t *)"x", 2);
	event(IAX2_EV_TEXT);
	T_STR("x", ev.u.text.data);
	/* The node is told of every end, whatever it has not yet heard. */
	for (uint8_t i = 4; i < 250; i++)
		(void)say(IAX2_FRAME_CNG, 0, i, 1, NULL, 0);
	T_EQ(IAX2_E_FULL, iax2_dial(ep, &d, now, &other));
	T_EQ(IAX2_OK, iax2_hangup(ep, call, NULL, 16, now));
	while (iax2_endpoint_next_event(ep, &ev))
		;
	T_EQ(IAX2_EV_CALL_DOWN, ev.kind);
}

/* --- tickets ------------------------------------------------------------ */

static void tickets_have_an_end(void)
{
	struct iax2_ticket t = { .peer_number = "2" };
	struct net_addr a = peer;

	start();
	t.expires = now + 10 * MONO_S;
	for (t.id = 1; t.id <= 32; t.id++)
		T_EQ(IAX2_OK, iax2_expect(ep, &t, &a, now));
	T_EQ(IAX2_E_FULL, iax2_expect(ep, &t, &a, now));
	/* A known one may have more addresses, also more than it keeps. */
	t.id = 5;
	for (uint16_t i = 0; i < 8; i++) {
		a.port = (uint16_t)(peer.port + i);
		T_EQ(IAX2_OK, iax2_expect(ep, &t, &a, now));
	}
	/* They end by themselves. */
	now += 10 * MONO_S;
	t.id = 33;
	t.expires = now + 10 * MONO_S;
	T_EQ(IAX2_OK, iax2_expect(ep, &t, &a, now));
}

/* --- commands ----------------------------------------------------------- */

static void a_senseless_dial_is_refused(void)
{
	static const char long_name[] = "123456789012345678901234567890123";
	char secret[66];
	const struct iax2_dial good = { .path.peer = peer,
					.called = "2000",
					.calling = "2001" };
	struct iax2_dial d = good;
	struct iax2_call_id call;

	start();
	memset(secret, 'x', sizeof(secret));
	secret[65] = '\0';
	d.called = NULL;
	T_EQ(IAX2_E_RANGE, iax2_dial(ep, &d, now, &call));
	d.called = "";
	T_EQ(IAX2_E_RANGE, iax2_dial(ep, &d, now, &call));
	d.called = long_name;
	T_EQ(IAX2_E_RANGE, iax2_dial(ep, &d, now, &call));
	d = good;
	d.calling = long_name;
	T_EQ(IAX2_E_RANGE, iax2_dial(ep, &d, now, &call));
	d = good;
	d.username = long_name;
	T_EQ(IAX2_E_RANGE, iax2_dial(ep, &d, now, &call));
	d = good;
	d.path.peer.port = 0;
	T_EQ(IAX2_E_RANGE, iax2_dial(ep, &d, now, &call));
	d = good;
	d.md5_secret = secret;
	T_EQ(IAX2_E_RANGE, iax2_dial(ep, &d, now, &call));
	T_EQ(0, iax2_endpoint_calls(ep));
	nothing_sent();
	secret[64] = '\0';
	T_EQ(IAX2_OK, iax2_dial(ep, &d, now, &call));
}

static void what_is_too_long_is_not_sent(void)
{
	const struct iax2_call_id call = up();
	static char text[IAX2_TEXT_MAX + 2];
	static const uint8_t codes[1301];
	struct iax2_voice v = { codes, 0, 0, true };

	memset(text, 'x', IAX2_TEXT_MAX + 1);
	T_EQ(IAX2_E_RANGE, iax2_send_text(ep, call, text, now));
	T_EQ(IAX2_E_RANGE, iax2_send_voice(ep, call, &v, now));
	v.len = 1301;
	T_EQ(IAX2_E_RANGE, iax2_send_voice(ep, call, &v, now));
	T_EQ(IAX2_E_RANGE, iax2_send_dtmf(ep, call, '\0', true, now));
	T_EQ(IAX2_E_RANGE, iax2_send_dtmf(ep, call, 'E', true, now));
	nothing_sent();
	text[IAX2_TEXT_MAX] = '\0';
	T_EQ(IAX2_OK, iax2_send_text(ep, call, text, now));
	v.len = 1300;
	T_EQ(IAX2_OK, iax2_send_voice(ep, call, &v, now));
}

static void a_call_that_never_was_is_stale(void)
{
	const struct iax2_call_id none[] = { { UINT16_MAX, 1 }, { 3, 1 } };
	struct iax2_call_info info;
	uint32_t ts;

	(void)up();
	for (size_t i = 0; i < 2; i++) {
		T_EQ(IAX2_E_STALE, iax2_call_info(ep, none[i], &info));
		T_EQ(IAX2_E_STALE, iax2_media_time(ep, none[i], now, &ts));
		T_EQ(IAX2_E_STALE, iax2_accept(ep, none[i], now));
		T_EQ(IAX2_E_STALE, iax2_reject(ep, none[i], NULL, 0, now));
		T_EQ(IAX2_E_STALE, iax2_send_cng(ep, none[i], now));
		T_EQ(IAX2_E_STALE,
		     iax2_send_control(ep, none[i], IAX2_CONTROL_KEY, now));
		T_EQ(IAX2_E_STALE, iax2_send_dtmf(ep, none[i], '1', true, now));
	}
	nothing_sent();
}

/* --- frames ------------------------------------------------------------- */

static void a_caller_without_a_number_is_nobody(void)
{
	start();
	T_EQ(IAX2_E_RANGE,
	     give((struct iax2_full){ .type = IAX2_FRAME_IAX,
				      .subclass = IAX2_IAX_NEW }));
	T_EQ(1, iax2_endpoint_counters(ep)->malformed);
	nothing_sent();
}

static void an_empty_voice_frame_says_nothing(void)
{
	const uint8_t codes[160] = { 0 };
	const uint8_t empty[4] = { PEERS >> 8, PEERS & 0xff, 0, 40 };

	(void)up();
	(void)say(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 2, 1, codes, 0);
	no_event();
	(void)say(IAX2_FRAME_VOICE, IAX2_FORMAT_ULAW, 3, 1, codes,
		  sizeof(codes));
	event(IAX2_EV_VOICE);
	(void)give_octets(empty, sizeof(empty));
	no_event();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_silent_peer_takes_no_other_calls_buffers);
	T_RUN(what_cannot_be_told_is_not_taken);
	T_RUN(tickets_have_an_end);
	T_RUN(a_senseless_dial_is_refused);
	T_RUN(what_is_too_long_is_not_sent);
	T_RUN(a_call_that_never_was_is_stale);
	T_RUN(a_caller_without_a_number_is_nobody);
	T_RUN(an_empty_voice_frame_says_nothing);
	iax2_endpoint_free(ep);
	return T_DONE();
}
