/* SPDX-License-Identifier: MIT */

/* Calls between two endpoints over a network that does its worst. */

#include "tests/virtual/call_world.h"

#include "proto/iax2_frame.h"
#include "tests/t.h"

/* --- fair weather ------------------------------------------------------- */

static void a_plain_call_is_up_after_two_round_trips(void)
{
	struct call_world w;
	struct iax2_call_info info;

	call_world_init(&w, 1, NULL);
	call_world_dial(&w, (struct iax2_dial){ 0 });
	call_world_run(&w, 3 * MONO_S);
	T_EQ(1, w.p[ALICE].seen[IAX2_EV_CALL_ACCEPTED]);
	T_EQ(1, w.p[ALICE].seen[IAX2_EV_CALL_UP]);
	T_EQ(1, w.p[BOB].seen[IAX2_EV_CALL_UP]);
	T_EQ(IAX2_PROOF_NONE, w.p[BOB].proof);
	T_EQ(1000 * MONO_S + 120 * MONO_MS, w.p[ALICE].up_at);
	/* The PING of the first second has measured the round trip. */
	T_EQ(IAX2_OK, iax2_call_info(w.p[BOB].ep, w.p[BOB].call, &info));
	T_EQ(60 * MONO_MS, info.rtt_us);
	T_TRUE(info.up);
	T_TRUE(!info.outbound);
	T_EQ(IAX2_FORMAT_ULAW, info.format);
	T_EQ(IAX2_OK, call_world_hangup(&w, ALICE));
	T_EQ(IAX2_E_STALE, call_world_hangup(&w, ALICE));
	call_world_run(&w, MONO_S);
	T_EQ(IAX2_DOWN_HANGUP_LOCAL, w.p[ALICE].reason);
	T_EQ(IAX2_DOWN_HANGUP_REMOTE, w.p[BOB].reason);
	T_EQ(16, w.p[BOB].code);
	T_EQ(0, iax2_endpoint_calls(w.p[ALICE].ep));
	T_EQ(0, iax2_endpoint_counters(w.p[ALICE].ep)->retransmits);
	T_EQ(0, iax2_endpoint_counters(w.p[BOB].ep)->retransmits);
	call_world_end(&w);
}

static void a_ticket_saves_a_round_trip(void)
{
	struct call_world w;
	struct iax2_ticket ours, theirs;

	call_world_init(&w, 1, NULL);
	call_world_tickets(&w, &ours, &theirs);
	T_EQ(IAX2_OK, iax2_expect(w.p[BOB].ep, &theirs, &w.p[ALICE].addr,
				  fake_net_now(w.net)));
	call_world_dial(&w, (struct iax2_dial){ .ticket = &ours });
	call_world_run(&w, MONO_S);
	T_EQ(1000 * MONO_S + 60 * MONO_MS, w.p[ALICE].up_at);
	T_EQ(IAX2_PROOF_TICKET, w.p[BOB].proof);
	T_EQ(IAX2_OK, call_world_hangup(&w, BOB));
	call_world_end(&w);
}

static void a_refused_call_ends_with_the_reason(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	w.p[BOB].manners = REJECTS;
	call_world_dial(&w, (struct iax2_dial){ 0 });
	call_world_run(&w, MONO_S);
	T_EQ(IAX2_DOWN_REJECTED, w.p[ALICE].reason);
	T_EQ(21, w.p[ALICE].code);
	T_STR("Not today", w.p[ALICE].why);
	T_EQ(IAX2_DOWN_HANGUP_LOCAL, w.p[BOB].reason);
	call_world_end(&w);
}

static void a_call_that_nobody_decides_about_ends(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	w.p[BOB].manners = HOLDS;
	for (int i = 0; i < 4; i++)
		call_world_dial(&w, (struct iax2_dial){ 0 });
	call_world_run(&w, MONO_S);
	/* One address may have three calls waiting. */
	T_EQ(3, w.p[BOB].seen[IAX2_EV_CALL_IN]);
	T_TRUE(iax2_endpoint_counters(w.p[BOB].ep)->limits.half_open_per_addr >=
	       1);
	call_world_run(&w, 6 * MONO_S);
	T_EQ(4, w.p[ALICE].seen[IAX2_EV_CALL_DOWN]);
	T_EQ(3, w.p[BOB].seen[IAX2_EV_CALL_DOWN]);
	call_world_end(&w);
}

static void giving_up_a_dial_leaves_no_call_behind(void)
{
	struct call_world w;

	for (unsigned ms = 0; ms < 150; ms += 7) {
		call_world_init(&w, ms, NULL);
		call_world_dial(&w, (struct iax2_dial){ 0 });
		call_world_run(&w, ms * MONO_MS);
		T_EQ(IAX2_OK, call_world_hangup(&w, ALICE));
		call_world_run(&w, 8 * MONO_S);
		call_world_is_empty(&w);
		call_world_done(&w);
	}
}

static void both_may_hang_up_at_once(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	call_world_dial(&w, (struct iax2_dial){ 0 });
	call_world_run(&w, MONO_S);
	T_EQ(IAX2_OK, call_world_hangup(&w, ALICE));
	T_EQ(IAX2_OK, call_world_hangup(&w, BOB));
	call_world_end(&w);
}

/* --- proofs ------------------------------------------------------------- */

static void challenged(struct call_world *w, const struct iax2_credentials *c,
		       const char *secret)
{
	call_world_init(w, 1, NULL);
	w->p[BOB].manners = CHALLENGES;
	w->p[BOB].want = *c;
	call_world_dial(w, (struct iax2_dial){ .username = "2001",
					       .md5_secret = secret });
	call_world_run(w, 2 * MONO_S);
}

static void refused_for(struct call_world *w, enum iax2_down_reason alices)
{
	T_EQ(0, w->p[ALICE].seen[IAX2_EV_CALL_UP]);
	T_EQ(0, w->p[BOB].seen[IAX2_EV_CALL_PROVED]);
	T_EQ(alices, w->p[ALICE].reason);
	call_world_end(w);
}

static void a_challenge_is_answered_with_the_key(void)
{
	struct call_world w;
	struct call_world other;
	struct iax2_credentials c = { 0 };

	call_world_init(&other, 1, NULL);
	c.public_key = other.p[ALICE].id.public_key;
	challenged(&w, &c, NULL);
	T_EQ(1, w.p[ALICE].seen[IAX2_EV_CALL_UP]);
	T_EQ(IAX2_PROOF_ED25519, w.p[BOB].proof);
	/* Three round trips: token, challenge, answer. */
	T_EQ(1000 * MONO_S + 180 * MONO_MS, w.p[ALICE].up_at);
	(void)call_world_hangup(&w, ALICE);
	call_world_end(&w);

	c.public_key = other.p[BOB].id.public_key;
	challenged(&w, &c, NULL);
	T_EQ(50, w.p[ALICE].code);
	T_STR("No authority found", w.p[ALICE].why);
	T_EQ(IAX2_DOWN_AUTH_FAILED, w.p[BOB].reason);
	T_EQ(1, iax2_endpoint_counters(w.p[BOB].ep)->auth_failed);
	refused_for(&w, IAX2_DOWN_REJECTED);
	call_world_done(&other);
}

static void a_challenge_is_answered_with_the_secret(void)
{
	struct call_world w;
	const struct iax2_credentials c = { .md5_secret = "winter" };

	challenged(&w, &c, "winter");
	T_EQ(1, w.p[ALICE].seen[IAX2_EV_CALL_UP]);
	T_EQ(IAX2_PROOF_MD5, w.p[BOB].proof);
	(void)call_world_hangup(&w, ALICE);
	call_world_end(&w);
	challenged(&w, &c, "summer");
	refused_for(&w, IAX2_DOWN_REJECTED);
	/* Without a secret there is no answer to give. */
	challenged(&w, &c, NULL);
	T_EQ(IAX2_DOWN_HANGUP_REMOTE, w.p[BOB].reason);
	refused_for(&w, IAX2_DOWN_AUTH_FAILED);
}

enum ticket_flaw {
	WRONG_SEAL,
	WRONG_CALLER_KEY,
	WRONG_CALLEE_KEY,
	WRONG_NUMBER,
	FOREIGN_ADDRESS,
	FOREIGN_PORT,
	EXPIRED,
	UNKNOWN,
};

static void a_flawed_ticket(enum ticket_flaw flaw)
{
	struct call_world w;
	struct iax2_ticket ours, theirs;
	struct net_addr from;

	call_world_init(&w, 1, NULL);
	from = w.p[ALICE].addr;
	call_world_tickets(&w, &ours, &theirs);
	if (flaw == WRONG_SEAL)
		ours.key[31] ^= 1;
	if (flaw == WRONG_CALLER_KEY)
		theirs.peer_key[0] ^= 1;
	if (flaw == WRONG_CALLEE_KEY)
		ours.peer_key[0] ^= 1;
	if (flaw == WRONG_NUMBER)
		theirs.peer_number[0] = '9';
	if (flaw == FOREIGN_ADDRESS)
		from.ip[15] ^= 1;
	if (flaw == FOREIGN_PORT)
		from.port ^= 1;
	if (flaw == UNKNOWN)
		ours.id++;
	if (flaw == EXPIRED)
		theirs.expires = fake_net_now(w.net) + 29 * MONO_MS;
	T_EQ(IAX2_OK,
	     iax2_expect(w.p[BOB].ep, &theirs, &from, fake_net_now(w.net)));
	call_world_dial(&w, (struct iax2_dial){ .ticket = &ours });
	call_world_run(&w, 8 * MONO_S);
	T_EQ(0, w.p[BOB].seen[IAX2_EV_CALL_IN]);
	T_TRUE(iax2_endpoint_counters(w.p[BOB].ep)->auth_failed > 0);
	/* Silence: not one octet for who proves nothing. */
	T_EQ(0, fake_net_counters(w.net, BOB)->sent);
	T_EQ(IAX2_DOWN_NO_ANSWER, w.p[ALICE].reason);
	T_TRUE(w.p[ALICE].down_at - 1000 * MONO_S <= 5 * MONO_S);
	call_world_end(&w);
}

static void no_flawed_ticket_is_answered(void)
{
	for (enum ticket_flaw f = WRONG_SEAL; f <= UNKNOWN; f++)
		a_flawed_ticket(f);
}

struct recorded {
	uint8_t data[512];
	size_t len;
	unsigned news;
};

static bool record_new(void *ctx, const struct fake_packet *p)
{
	struct recorded *r = ctx;

	if (p->from == ALICE && p->data[10] == IAX2_FRAME_IAX &&
	    p->data[11] == IAX2_IAX_NEW) {
		memcpy(r->data, p->data, p->len);
		r->len = p->len;
		r->news++;
	}
	return true;
}

static void a_ticket_works_once(void)
{
	struct call_world w;
	struct recorded r = { 0 };
	struct iax2_ticket ours, theirs;
	struct dgram d;

	call_world_init(&w, 1, NULL);
	fake_net_hook(w.net, record_new, &r);
	call_world_tickets(&w, &ours, &theirs);
	T_EQ(IAX2_OK, iax2_expect(w.p[BOB].ep, &theirs, &w.p[ALICE].addr,
				  fake_net_now(w.net)));
	call_world_dial(&w, (struct iax2_dial){ .ticket = &ours });
	call_world_run(&w, MONO_S);
	d = (struct dgram){ .path.peer = w.p[ALICE].addr,
			    .data = r.data,
			    .len = r.len };
	/* While the call stands its NEW is only a duplicate. */
	(void)iax2_endpoint_rx(w.p[BOB].ep, &d, fake_net_now(w.net));
	T_EQ(1, iax2_endpoint_calls(w.p[BOB].ep));
	T_EQ(1, iax2_endpoint_counters(w.p[BOB].ep)->duplicates);
	T_EQ(IAX2_OK, call_world_hangup(&w, ALICE));
	call_world_run(&w, 7 * MONO_S);
	T_EQ(0, iax2_endpoint_calls(w.p[BOB].ep));
	/* Later it is nothing, though the ticket's time is not over; nor is
	 * it when the ticket is announced once more. */
	T_EQ(IAX2_E_REFUSED,
	     iax2_endpoint_rx(w.p[BOB].ep, &d, fake_net_now(w.net)));
	T_EQ(IAX2_OK, iax2_expect(w.p[BOB].ep, &theirs, &w.p[ALICE].addr,
				  fake_net_now(w.net)));
	T_EQ(IAX2_E_REFUSED,
	     iax2_endpoint_rx(w.p[BOB].ep, &d, fake_net_now(w.net)));
	T_EQ(1, w.p[BOB].seen[IAX2_EV_CALL_IN]);
	call_world_end(&w);
}

static bool spoil_accept(void *ctx, const struct fake_packet *p)
{
	struct call_world *w = ctx;
	uint8_t copy[DGRAM_MAX];
	struct dgram d = { .path.peer = w->p[BOB].addr, .data = copy };

	if (p->from != BOB || p->data[10] != IAX2_FRAME_IAX ||
	    p->data[11] != IAX2_IAX_ACCEPT)
		return true;
	/* Somebody on the way accepts in BOB's name: without his key the
	 * element is missing. */
	d.len = IAX2_FULL_HDR_LEN + 6;
	memcpy(copy, p->data, d.len);
	(void)iax2_endpoint_rx(w->p[ALICE].ep, &d, p->now);
	return false;
}

static void an_unsigned_accept_is_no_answer(void)
{
	struct call_world w;
	struct iax2_ticket ours, theirs;

	call_world_init(&w, 1, NULL);
	fake_net_hook(w.net, spoil_accept, &w);
	call_world_tickets(&w, &ours, &theirs);
	T_EQ(IAX2_OK, iax2_expect(w.p[BOB].ep, &theirs, &w.p[ALICE].addr,
				  fake_net_now(w.net)));
	call_world_dial(&w, (struct iax2_dial){ .ticket = &ours });
	call_world_run(&w, 8 * MONO_S);
	T_EQ(0, w.p[ALICE].seen[IAX2_EV_CALL_UP]);
	T_EQ(IAX2_DOWN_AUTH_FAILED, w.p[ALICE].reason);
	call_world_end(&w);
}

/* --- silence ------------------------------------------------------------ */

static void a_peer_that_is_not_there_is_given_up(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	fake_net_cut(w.net, BOB, true);
	call_world_dial(&w, (struct iax2_dial){ 0 });
	call_world_run(&w, 5 * MONO_S);
	T_EQ(IAX2_DOWN_NO_ANSWER, w.p[ALICE].reason);
	T_EQ(1, w.p[ALICE].seen[IAX2_EV_CALL_DOWN]);
	/* A plain NEW is repeated slowly. */
	T_EQ(3, fake_net_counters(w.net, ALICE)->sent);
	call_world_end(&w);
}

static void a_peer_that_falls_silent_is_noticed(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	T_TRUE(call_world_dial_as(&w, DIAL_PLAIN));
	fake_net_cut(w.net, BOB, true);
	call_world_run(&w, 31 * MONO_S);
	for (int i = 0; i < PARTIES; i++) {
		T_EQ(1, w.p[i].seen[IAX2_EV_CALL_DOWN]);
		T_EQ(IAX2_DOWN_TIMEOUT, w.p[i].reason);
	}
	T_TRUE(fake_net_counters(w.net, ALICE)->sent < 40);
	call_world_end(&w);
}

static void a_quiet_call_stays_up_for_hours(void)
{
	struct call_world w;
	struct iax2_call_info info;
	uint64_t before;

	call_world_init(&w, 1, NULL);
	T_TRUE(call_world_dial_as(&w, DIAL_PLAIN));
	before = fake_net_counters(w.net, ALICE)->sent;
	call_world_run(&w, 6 * 3600 * MONO_S);
	T_EQ(IAX2_OK, iax2_call_info(w.p[ALICE].ep, w.p[ALICE].call, &info));
	T_TRUE(info.up);
	/* PING each 20 s and LAGRQ each 10 s by both: their answers, and ACKs
	 * for those, but nothing more. */
	T_TRUE(fake_net_counters(w.net, ALICE)->sent - before <
	       UINT64_C(10800));
	T_EQ(0, iax2_endpoint_counters(w.p[ALICE].ep)->retransmits);
	T_EQ(IAX2_OK, call_world_hangup(&w, ALICE));
	call_world_end(&w);
}

static void a_restarted_peer_ends_the_call(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	T_TRUE(call_world_dial_as(&w, DIAL_PLAIN));
	call_world_restart(&w, BOB);
	w.p[BOB].seen[IAX2_EV_CALL_IN] = 0;
	call_world_run(&w, 21 * MONO_S);
	T_EQ(1, w.p[ALICE].seen[IAX2_EV_CALL_DOWN]);
	T_EQ(IAX2_DOWN_INVALID, w.p[ALICE].reason);
	call_world_end(&w);
}

/* --- translators -------------------------------------------------------- */

static void a_caller_behind_a_translator_is_served(void)
{
	const struct fake_nat nat = {
		.outside = net_addr_v4(203, 0, 113, 9, 0),
		.mapping_by_peer = true,
		.filtering = FAKE_FILTER_ADDRESS_PORT,
		.hole_life = 30 * MONO_S,
	};
	const struct fake_nat *const nats[PARTIES] = { &nat, NULL };
	struct call_world w;

	call_world_init_nat(&w, 3, NULL, nats);
	T_TRUE(call_world_dial_as(&w, DIAL_PLAIN));
	/* PING and LAGRQ keep the hole open. */
	call_world_run(&w, 600 * MONO_S);
	T_EQ(0, w.p[ALICE].seen[IAX2_EV_CALL_DOWN]);
	T_TRUE(call_world_text(&w, BOB));
	call_world_run(&w, MONO_S);
	T_EQ(1, w.p[ALICE].texts);
	T_EQ(IAX2_OK, call_world_hangup(&w, BOB));
	call_world_run(&w, 10 * MONO_S);
	T_EQ(IAX2_DOWN_HANGUP_REMOTE, w.p[ALICE].reason);
	call_world_end(&w);
}

/* A call belongs to one address: from another one it is not the peer. */
static void a_call_does_not_follow_a_new_address(void)
{
	const struct fake_nat nat = {
		.outside = net_addr_v4(203, 0, 113, 9, 0),
		.preserve_port = true,
		.filtering = FAKE_FILTER_ADDRESS_PORT,
	};
	const struct net_addr moved = net_addr_v4(203, 0, 113, 10, 0);
	const struct fake_nat *const nats[PARTIES] = { &nat, NULL };
	struct call_world w;

	call_world_init_nat(&w, 3, NULL, nats);
	T_TRUE(call_world_dial_as(&w, DIAL_PLAIN));
	fake_net_rebind(w.net, 0, fake_net_now(w.net) + MONO_S, &moved);
	call_world_run(&w, 60 * MONO_S);
	T_EQ(IAX2_DOWN_INVALID, w.p[ALICE].reason);
	T_EQ(IAX2_DOWN_TIMEOUT, w.p[BOB].reason);
	call_world_end(&w);
}

int main(void)
{
	T_RUN(a_plain_call_is_up_after_two_round_trips);
	T_RUN(a_ticket_saves_a_round_trip);
	T_RUN(a_refused_call_ends_with_the_reason);
	T_RUN(a_call_that_nobody_decides_about_ends);
	T_RUN(giving_up_a_dial_leaves_no_call_behind);
	T_RUN(both_may_hang_up_at_once);
	T_RUN(a_challenge_is_answered_with_the_key);
	T_RUN(a_challenge_is_answered_with_the_secret);
	T_RUN(no_flawed_ticket_is_answered);
	T_RUN(a_ticket_works_once);
	T_RUN(an_unsigned_accept_is_no_answer);
	T_RUN(a_peer_that_is_not_there_is_given_up);
	T_RUN(a_peer_that_falls_silent_is_noticed);
	T_RUN(a_quiet_call_stays_up_for_hours);
	T_RUN(a_restarted_peer_ends_the_call);
	T_RUN(a_caller_behind_a_translator_is_served);
	T_RUN(a_call_does_not_follow_a_new_address);
	return T_DONE();
}
