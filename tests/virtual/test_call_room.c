/* SPDX-License-Identifier: MIT */

/* However many strangers call, there is room for those who were let in, and
 * for our own calls. */

#include "tests/virtual/rfc_talk.h"

static struct iax2_endpoint *alice;
static struct key_identity alice_id;
static const struct net_addr alice_at = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 9 }, 4569
};

/* ALICE speaks one format only. */
static uint64_t alices = IAX2_FORMAT_ULAW;

static void begin(uint16_t calls_max, uint16_t half_open)
{
	const uint8_t seed[KEY_SEED_LEN] = { 10 };
	struct iax2_endpoint_cfg cfg = usual_cfg();

	cfg.calls_max = calls_max;
	cfg.limits.half_open = half_open;
	start_as(&cfg);
	key_identity_from_seed(&alice_id, seed);
	cfg.identity = &alice_id;
	cfg.prefs[0] = alices;
	iax2_endpoint_free(alice);
	alice = iax2_endpoint_new(&cfg, now);
	T_TRUE(alice != NULL);
}

/* A stranger calls; *@call is what the node is told of if he gets in. */
static bool stranger(const struct net_addr *at, struct iax2_call_id *call)
{
	uint8_t body[256];
	struct wire_wr w = wire_wr(body, sizeof(body));

	from = *at;
	put_required(&w, IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW);
	put_token(&w);
	if (give_new(PEERS, &w, body) != IAX2_OK) {
		(void)take();
		return false;
	}
	event(IAX2_EV_CALL_IN);
	*call = ev.call;
	T_TRUE(take());
	return true;
}

/* As many strangers as get in, each from a new address; how many. */
static unsigned strangers(struct iax2_call_id calls[], unsigned max)
{
	static uint8_t host;

	for (unsigned n = 0; n < max; n++) {
		const struct net_addr at =
			net_addr_v4(198, 51, 100, ++host, 4569);

		if (!stranger(&at, &calls[n]))
			return n;
	}
	return max;
}

static void carry(void)
{
	struct dgram d;

	from = alice_at;
	while (iax2_endpoint_next_tx(alice, &d))
		(void)give_octets(d.data, d.len);
}

/* ALICE calls with a ticket. */
static void dial_with_ticket(void)
{
	static uint64_t ids = 77;
	struct iax2_ticket t = { .id = ids++,
				 .key = { 7 },
				 .expires = now + 10 * MONO_S };
	struct iax2_dial d = { .path.peer = peer,
			       .called = "2001",
			       .calling = "2000",
			       .ticket = &t };
	struct iax2_call_id call;

	memcpy(t.peer_key, alice_id.public_key, KEY_PUBLIC_LEN);
	memcpy(t.peer_number, "2000", 5);
	T_EQ(IAX2_OK, iax2_expect(ep, &t, &alice_at, now));
	memcpy(t.peer_key, id.public_key, KEY_PUBLIC_LEN);
	memcpy(t.peer_number, "2001", 5);
	T_EQ(IAX2_OK, iax2_dial(alice, &d, now, &call));
	carry();
}

/* The same, and the node is told of it. */
static struct iax2_call_id ticketed(void)
{
	dial_with_ticket();
	event(IAX2_EV_CALL_IN);
	T_EQ(IAX2_PROOF_TICKET, ev.u.in.proof);
	return ev.call;
}

static void a_ticket_is_not_held_up_by_half_open_strangers(void)
{
	struct iax2_call_id calls[8];

	begin(8, 2);
	T_EQ(2, strangers(calls, 8));
	T_EQ(1, iax2_endpoint_counters(ep)->limits.half_open);
	T_EQ(IAX2_OK, iax2_accept(ep, ticketed(), now));
	event(IAX2_EV_CALL_UP);
}

static void strangers_leave_a_quarter_to_others(void)
{
	struct iax2_call_id calls[8];
	struct dgram d;

	begin(8, 8);
	T_EQ(6, strangers(calls, 8));
	T_EQ(1, iax2_endpoint_counters(ep)->limits.calls);
	T_EQ(IAX2_OK, iax2_accept(ep, ticketed(), now));
	event(IAX2_EV_CALL_UP);
	(void)dial(NULL);
	T_EQ(8, iax2_endpoint_calls(ep));
	/* One that goes makes room for the next, up or not. */
	while (iax2_endpoint_next_tx(ep, &d))
		;
	T_EQ(0, strangers(calls + 6, 1));
	T_EQ(IAX2_OK, iax2_reject(ep, calls[2], NULL, 50, now));
	event(IAX2_EV_CALL_DOWN);
	while (iax2_endpoint_next_tx(ep, &d))
		;
	T_EQ(1, strangers(calls, 1));
	T_EQ(8, iax2_endpoint_calls(ep));
}

/* Until nothing moves between ALICE and the endpoint. */
static void both_ways(void)
{
	struct dgram d;

	carry();
	while (iax2_endpoint_next_tx(ep, &d)) {
		d.path.peer = peer;
		(void)iax2_endpoint_rx(alice, &d, now);
		carry();
	}
	while (iax2_endpoint_next_event(alice, &ev))
		;
}

/* ALICE calls without a ticket and proves her key; the call stands then. */
static void proved(void)
{
	const struct iax2_credentials want = {
		.public_key = alice_id.public_key,
	};
	const struct iax2_dial d = { .path.peer = peer,
				     .called = "2001",
				     .calling = "2000" };
	struct iax2_call_id call;

	T_EQ(IAX2_OK, iax2_dial(alice, &d, now, &call));
	both_ways();
	event(IAX2_EV_CALL_IN);
	call = ev.call;
	T_EQ(IAX2_OK, iax2_challenge(ep, call, &want, now));
	both_ways();
	event(IAX2_EV_CALL_PROVED);
	T_EQ(0, iax2_endpoint_half_open(ep));
	T_EQ(IAX2_OK, iax2_accept(ep, call, now));
	event(IAX2_EV_CALL_UP);
	both_ways();
}

/* Others behind their address, which a carrier shares out, are not shut out. */
static void who_was_vouched_for_takes_nothing_from_an_address(void)
{
	const struct net_addr beside = net_addr_v4(203, 0, 113, 9, 20000);
	struct iax2_call_id call;

	for (int keys = 0; keys < 2; keys++) {
		begin(16, 8);
		for (int i = 0; i < 4; i++) {
			if (keys) {
				proved();
				continue;
			}
			T_EQ(IAX2_OK, iax2_accept(ep, ticketed(), now));
			event(IAX2_EV_CALL_UP);
			both_ways();
		}
		T_TRUE(stranger(&beside, &call));
		T_EQ(0, iax2_endpoint_counters(ep)->limits.calls_per_addr);
		T_EQ(1, iax2_endpoint_half_open(ep));
	}
}

static void tickets_do_not_hold_up_strangers(void)
{
	struct iax2_call_id calls[8];

	begin(8, 2);
	for (int i = 0; i < 2; i++)
		(void)ticketed();
	both_ways();
	T_EQ(0, iax2_endpoint_half_open(ep));
	T_EQ(2, strangers(calls, 8));
}

/* What refuses a ticketed call without keeping one has the ticket's seal. */
static void a_stateless_refusal_is_sealed_too(void)
{
	struct dgram d = { .path.peer = peer, .data = sent };

	alices = IAX2_FORMAT_GSM;
	begin(8, 8);
	alices = IAX2_FORMAT_ULAW;
	dial_with_ticket();
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_REJECT, 0, 1);
	d.len = sent_len;
	sent[sent_len - 1] ^= 1;
	T_EQ(IAX2_E_REFUSED, iax2_endpoint_rx(alice, &d, now));
	T_TRUE(!iax2_endpoint_next_event(alice, &ev));
	sent[sent_len - 1] ^= 1;
	T_EQ(IAX2_OK, iax2_endpoint_rx(alice, &d, now));
	T_TRUE(iax2_endpoint_next_event(alice, &ev));
	T_EQ(IAX2_DOWN_REJECTED, ev.u.down.reason);
	T_EQ(58, ev.u.down.code);
}

int main(void)
{
	T_RUN(a_ticket_is_not_held_up_by_half_open_strangers);
	T_RUN(strangers_leave_a_quarter_to_others);
	T_RUN(who_was_vouched_for_takes_nothing_from_an_address);
	T_RUN(tickets_do_not_hold_up_strangers);
	T_RUN(a_stateless_refusal_is_sealed_too);
	ep = iax2_endpoint_free(ep);
	alice = iax2_endpoint_free(alice);
	return T_DONE();
}
