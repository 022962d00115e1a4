/* SPDX-License-Identifier: MIT */

/* Calls between two endpoints over a network that does its worst. */

#include "tests/virtual/call_world.h"

#include "proto/iax2_frame.h"
#include "tests/t.h"

static void nothing_is_left(struct call_world *w)
{
	for (int i = 0; i < PARTIES; i++) {
		const struct party *p = &w->p[i];

		T_EQ(0, iax2_endpoint_calls(p->ep));
		T_EQ(MONO_NEVER, iax2_endpoint_deadline(p->ep));
		/* Who was told of a call was told of its end. */
		if (i == BOB)
			T_EQ(p->seen[IAX2_EV_CALL_IN],
			     p->seen[IAX2_EV_CALL_DOWN]);
	}
	T_EQ(0, fake_net_in_flight(w->net));
}

static void end_and_check(struct call_world *w)
{
	call_world_run(w, 60 * MONO_S);
	nothing_is_left(w);
	call_world_done(w);
}

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
	end_and_check(&w);
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
	end_and_check(&w);
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
	end_and_check(&w);
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
	T_TRUE(iax2_endpoint_counters(w.p[BOB].ep)->limited >= 1);
	call_world_run(&w, 6 * MONO_S);
	T_EQ(4, w.p[ALICE].seen[IAX2_EV_CALL_DOWN]);
	T_EQ(3, w.p[BOB].seen[IAX2_EV_CALL_DOWN]);
	end_and_check(&w);
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
		nothing_is_left(&w);
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
	end_and_check(&w);
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
	end_and_check(w);
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
	end_and_check(&w);

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
	end_and_check(&w);
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
	end_and_check(&w);
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
	end_and_check(&w);
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

static void an_unsigned_accept_ends_a_ticketed_call(void)
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
	end_and_check(&w);
}

/* --- foul weather ------------------------------------------------------- */

static void talk(struct call_world *w, unsigned texts, mono_us limit)
{
	const mono_us end = fake_net_now(w->net) + limit;
	struct party *a = &w->p[ALICE], *b = &w->p[BOB];
	uint32_t ts = 0;

	(void)iax2_media_time(a->ep, a->call, fake_net_now(w->net), &ts);
	for (unsigned i = 0; fake_net_now(w->net) < end; i++) {
		if (a->texts_sent < texts)
			(void)call_world_text(w, ALICE);
		if (b->texts_sent < texts)
			(void)call_world_text(w, BOB);
		(void)call_world_voice(w, ALICE, ts + 20 * i, i % 50 == 0);
		if (a->texts == texts && b->texts == texts)
			break;
		call_world_run(w, 20 * MONO_MS);
	}
}

static bool dial_as(struct call_world *w, unsigned how)
{
	struct iax2_ticket ours, theirs;
	struct iax2_dial d = { 0 };

	call_world_tickets(w, &ours, &theirs);
	if (how == 0) {
		d.ticket = &ours;
		T_EQ(IAX2_OK,
		     iax2_expect(w->p[BOB].ep, &theirs, &w->p[ALICE].addr,
				 fake_net_now(w->net)));
	} else if (how == 1) {
		w->p[BOB].manners = CHALLENGES;
		w->p[BOB].want.md5_secret = "winter";
		d.md5_secret = "winter";
	} else if (how == 2) {
		w->p[BOB].manners = CHALLENGES;
		w->p[BOB].want.public_key = w->p[ALICE].id.public_key;
	}
	call_world_dial(w, d);
	call_world_run(w, 20 * MONO_S);
	return w->p[ALICE].seen[IAX2_EV_CALL_UP] == 1 &&
	       w->p[BOB].seen[IAX2_EV_CALL_UP] == 1;
}

static void texts_arrive_once_and_in_order(const struct call_world *w,
					   unsigned texts)
{
	for (int i = 0; i < PARTIES; i++) {
		T_EQ(texts, w->p[i].texts);
		T_EQ(0, w->p[i].texts_wrong);
		T_EQ(0, w->p[i].voices_wrong);
	}
}

/* A fifth of all packets lost, a tenth twice, a fifth out of order. */
static void foul_weather_with_hundreds_of_seeds(void)
{
	const struct fake_weather foul = {
		.delay = 40 * MONO_MS,
		.jitter = 20 * MONO_MS,
		.loss = 200,
		.duplicate = 100,
		.reorder = 200,
		.reorder_delay = 120 * MONO_MS,
	};
	unsigned up[4] = { 0 };
	uint64_t most = 0;

	for (unsigned seed = 0; seed < 400; seed++) {
		struct call_world w;
		uint64_t sent;

		call_world_init(&w, seed, &foul);
		if (dial_as(&w, seed % 4)) {
			up[seed % 4]++;
			talk(&w, 40, 30 * MONO_S);
			texts_arrive_once_and_in_order(&w, 40);
			(void)call_world_hangup(&w, (int)(seed / 4 % 2));
		} else {
			(void)call_world_hangup(&w, ALICE);
			(void)call_world_hangup(&w, BOB);
		}
		call_world_run(&w, 60 * MONO_S);
		nothing_is_left(&w);
		sent = fake_net_counters(w.net, BOB)->sent;
		most = sent > most ? sent : most;
		call_world_done(&w);
	}
	fprintf(stderr,
		"# up of 100: ticket %u, MD5 %u, Ed25519 %u, plain %u; "
		"packets of the callee at most %u\n",
		up[0], up[1], up[2], up[3], (unsigned)most);
	T_TRUE(up[0] >= 98);
	for (int i = 1; i < 4; i++)
		T_TRUE(up[i] >= 85);
	T_TRUE(most < 1000);
}

struct lose_nth {
	uint64_t nth;
	int from; /* of this party's packets; -1: of all */
	uint64_t seen;
};

static bool lose_nth(void *ctx, const struct fake_packet *p)
{
	struct lose_nth *l = ctx;

	return (l->from >= 0 && p->from != l->from) || ++l->seen != l->nth;
}

static void any_one_packet_may_be_lost(void)
{
	for (unsigned i = 0; i < 4 * 2 * 60; i++) {
		struct lose_nth l = { .nth = 1 + i / 8,
				      .from = (int)(i / 4 % 2) };
		struct call_world w;

		call_world_init(&w, i, NULL);
		fake_net_hook(w.net, lose_nth, &l);
		T_TRUE(dial_as(&w, i % 4));
		/* One repetition is enough for the dial. */
		T_TRUE(w.p[ALICE].up_at < 1000 * MONO_S + 1300 * MONO_MS);
		T_TRUE(i % 4 != 0 ||
		       w.p[ALICE].up_at < 1000 * MONO_S + 320 * MONO_MS);
		talk(&w, 10, 5 * MONO_S);
		texts_arrive_once_and_in_order(&w, 10);
		T_EQ(IAX2_OK, call_world_hangup(&w, (int)(i % 2)));
		end_and_check(&w);
	}
}

static void sequence_numbers_wrap(void)
{
	const struct fake_weather drizzle = {
		.delay = 20 * MONO_MS,
		.loss = 30,
		.duplicate = 30,
		.reorder = 100,
		.reorder_delay = 50 * MONO_MS,
	};
	struct call_world w;

	call_world_init(&w, 7, &drizzle);
	T_TRUE(dial_as(&w, 3));
	talk(&w, 900, 200 * MONO_S);
	texts_arrive_once_and_in_order(&w, 900);
	T_EQ(IAX2_OK, call_world_hangup(&w, ALICE));
	end_and_check(&w);
}

static void time_stamps_wrap(void)
{
	struct call_world w;
	uint32_t ts = 64960;

	call_world_init(&w, 7, NULL);
	T_TRUE(dial_as(&w, 3));
	/* Past the wrap three times. */
	for (unsigned i = 0; i < 10000; i++) {
		T_TRUE(call_world_voice(&w, ALICE, ts, i == 0));
		call_world_run(&w, 20 * MONO_MS);
		ts += 20;
	}
	call_world_run(&w, MONO_S);
	T_EQ(10000, w.p[BOB].voices);
	T_EQ(0, w.p[BOB].voices_wrong);
	/* The first one, and one at each wrap. */
	T_EQ(1 + 4, w.p[BOB].voices_full);
	T_EQ(ts - 20, w.p[BOB].voice_ts);
	T_EQ(IAX2_OK, call_world_hangup(&w, ALICE));
	end_and_check(&w);
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
	end_and_check(&w);
}

static void a_peer_that_falls_silent_is_noticed(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	T_TRUE(dial_as(&w, 3));
	fake_net_cut(w.net, BOB, true);
	call_world_run(&w, 31 * MONO_S);
	for (int i = 0; i < PARTIES; i++) {
		T_EQ(1, w.p[i].seen[IAX2_EV_CALL_DOWN]);
		T_EQ(IAX2_DOWN_TIMEOUT, w.p[i].reason);
	}
	T_TRUE(fake_net_counters(w.net, ALICE)->sent < 40);
	end_and_check(&w);
}

static void a_quiet_call_stays_up_for_hours(void)
{
	struct call_world w;
	struct iax2_call_info info;
	uint64_t before;

	call_world_init(&w, 1, NULL);
	T_TRUE(dial_as(&w, 3));
	before = fake_net_counters(w.net, ALICE)->sent;
	call_world_run(&w, 6 * 3600 * MONO_S);
	T_EQ(IAX2_OK, iax2_call_info(w.p[ALICE].ep, w.p[ALICE].call, &info));
	T_TRUE(info.up);
	/* PING each 20 s and LAGRQ each 10 s by both: their answers, and ACKs
	 * for those, but nothing more. */
	T_TRUE(fake_net_counters(w.net, ALICE)->sent - before <
	       6 * 3600 / 20 * 10);
	T_EQ(0, iax2_endpoint_counters(w.p[ALICE].ep)->retransmits);
	T_EQ(IAX2_OK, call_world_hangup(&w, ALICE));
	end_and_check(&w);
}

static void a_restarted_peer_ends_the_call(void)
{
	struct call_world w;

	call_world_init(&w, 1, NULL);
	T_TRUE(dial_as(&w, 3));
	call_world_restart(&w, BOB);
	w.p[BOB].seen[IAX2_EV_CALL_IN] = 0;
	call_world_run(&w, 21 * MONO_S);
	T_EQ(1, w.p[ALICE].seen[IAX2_EV_CALL_DOWN]);
	T_EQ(IAX2_DOWN_INVALID, w.p[ALICE].reason);
	end_and_check(&w);
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
	T_TRUE(dial_as(&w, 3));
	/* PING and LAGRQ keep the hole open. */
	call_world_run(&w, 600 * MONO_S);
	T_EQ(0, w.p[ALICE].seen[IAX2_EV_CALL_DOWN]);
	T_TRUE(call_world_text(&w, BOB));
	call_world_run(&w, MONO_S);
	T_EQ(1, w.p[ALICE].texts);
	T_EQ(IAX2_OK, call_world_hangup(&w, BOB));
	call_world_run(&w, 10 * MONO_S);
	T_EQ(IAX2_DOWN_HANGUP_REMOTE, w.p[ALICE].reason);
	end_and_check(&w);
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
	T_TRUE(dial_as(&w, 3));
	fake_net_rebind(w.net, 0, fake_net_now(w.net) + MONO_S, &moved);
	call_world_run(&w, 60 * MONO_S);
	T_EQ(IAX2_DOWN_INVALID, w.p[ALICE].reason);
	T_EQ(IAX2_DOWN_TIMEOUT, w.p[BOB].reason);
	end_and_check(&w);
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
	T_RUN(an_unsigned_accept_ends_a_ticketed_call);
	T_RUN(any_one_packet_may_be_lost);
	T_RUN(foul_weather_with_hundreds_of_seeds);
	T_RUN(sequence_numbers_wrap);
	T_RUN(time_stamps_wrap);
	T_RUN(a_peer_that_is_not_there_is_given_up);
	T_RUN(a_peer_that_falls_silent_is_noticed);
	T_RUN(a_quiet_call_stays_up_for_hours);
	T_RUN(a_restarted_peer_ends_the_call);
	T_RUN(a_caller_behind_a_translator_is_served);
	T_RUN(a_call_does_not_follow_a_new_address);
	return T_DONE();
}
