/* SPDX-License-Identifier: MIT */

#include "tests/virtual/call_world.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "tests/t.h"

static const char *const number[PARTIES] = { "2001", "2002" };

static void on_in(struct party *p, const struct iax2_event *ev, mono_us now)
{
	p->call = ev->call;
	p->proof = ev->u.in.proof;
	T_STR(number[BOB], ev->u.in.called);
	T_STR(number[ALICE], ev->u.in.calling);
	switch (p->manners) {
	case CHALLENGES:
		if (ev->kind == IAX2_EV_CALL_IN)
			T_EQ(IAX2_OK,
			     iax2_challenge(p->ep, ev->call, &p->want, now));
		else
			T_EQ(IAX2_OK, iax2_accept(p->ep, ev->call, now));
		break;
	case ACCEPTS:
		T_EQ(IAX2_OK, iax2_accept(p->ep, ev->call, now));
		break;
	case REJECTS:
		T_EQ(IAX2_OK,
		     iax2_reject(p->ep, ev->call, "Not today", 21, now));
		break;
	case HOLDS:
		break;
	}
}

static void on_text(struct party *p, const struct iax2_event *ev)
{
	char want[16];

	(void)snprintf(want, sizeof(want), "%u", p->texts);
	if (strcmp(want, ev->u.text.data) == 0 &&
	    strlen(want) == ev->u.text.len)
		p->texts++;
	else
		p->texts_wrong++;
}

static void on_voice(struct party *p, const struct iax2_event *ev)
{
	uint32_t ts = 0;

	T_EQ(160, ev->u.voice.len);
	memcpy(&ts, ev->u.voice.data, sizeof(ts));
	p->voices++;
	p->voices_full += ev->u.voice.spurt;
	p->voices_wrong += ts != ev->u.voice.ts_ms;
	p->voices_wrong += ev->u.voice.format != IAX2_FORMAT_ULAW;
	p->voice_ts = ts;
}

static void settle(void *ctx, mono_us now)
{
	struct party *p = ctx;
	struct iax2_event ev;

	while (iax2_endpoint_next_event(p->ep, &ev)) {
		p->seen[ev.kind]++;
		if (ev.kind == IAX2_EV_CALL_IN ||
		    ev.kind == IAX2_EV_CALL_PROVED) {
			on_in(p, &ev, now);
		} else if (ev.kind == IAX2_EV_CALL_UP) {
			p->up_at = now;
		} else if (ev.kind == IAX2_EV_CALL_DOWN) {
			p->reason = ev.u.down.reason;
			p->code = ev.u.down.code;
			memcpy(p->why, ev.u.down.text, sizeof(p->why));
			p->down_at = now;
		} else if (ev.kind == IAX2_EV_TEXT) {
			on_text(p, &ev);
		} else if (ev.kind == IAX2_EV_VOICE) {
			on_voice(p, &ev);
		}
	}
}

static void rx(void *ctx, const struct dgram *d, mono_us now)
{
	(void)iax2_endpoint_rx(((struct party *)ctx)->ep, d, now);
}

static void tick(void *ctx, mono_us now)
{
	iax2_endpoint_tick(((struct party *)ctx)->ep, now);
}

static mono_us deadline(void *ctx)
{
	return iax2_endpoint_deadline(((struct party *)ctx)->ep);
}

static bool next_tx(void *ctx, struct dgram *out)
{
	return iax2_endpoint_next_tx(((struct party *)ctx)->ep, out);
}

static void party_new(struct call_world *w, int i)
{
	struct party *p = &w->p[i];
	const struct iax2_endpoint_cfg cfg = {
		.calls_max = 8,
		.tx_max = 256,
		.limits = { .calls_per_addr = 8,
			    .half_open = 8,
			    .half_open_per_addr = 3,
			    .calls_per_s = 1000,
			    .auth_failures_per_min = 1000 },
		.identity = &p->id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = fake_net_random,
		.random_ctx = w->net,
	};

	p->ep = iax2_endpoint_new(&cfg, fake_net_now(w->net));
	T_TRUE(p->ep != NULL);
}

void call_world_restart(struct call_world *w, int party)
{
	iax2_endpoint_free(w->p[party].ep);
	party_new(w, party);
}

void call_world_init_nat(struct call_world *w, uint64_t seed,
			 const struct fake_weather *weather,
			 const struct fake_nat *const nat[PARTIES])
{
	const struct fake_weather fair = { .delay = 30 * MONO_MS };

	T_TRUE(sodium_init() >= 0);
	memset(w, 0, sizeof(*w));
	w->net = fake_net_new(seed, 1000 * MONO_S);
	fake_net_weather(w->net, weather ? weather : &fair);
	for (int i = 0; i < PARTIES; i++) {
		struct party *p = &w->p[i];
		const struct fake_machine m = { p,        rx,      tick,
						deadline, next_tx, settle };
		const uint8_t key_seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };

		key_identity_from_seed(&p->id, key_seed);
		p->addr = nat && nat[i] ? net_addr_v4(192, 168, 1,
						      (uint8_t)(i + 1), 4569)
					: net_addr_v4(198, 51, 100,
						      (uint8_t)(i + 1), 4569);
		party_new(w, i);
		T_EQ(i, fake_net_attach(w->net, &m));
		fake_net_address(w->net, i, &p->addr,
				 nat && nat[i] ? fake_net_nat(w->net, nat[i])
					       : FAKE_NO_NAT);
	}
}

void call_world_init(struct call_world *w, uint64_t seed,
		     const struct fake_weather *weather)
{
	call_world_init_nat(w, seed, weather, NULL);
}

void call_world_done(struct call_world *w)
{
	for (int i = 0; i < PARTIES; i++)
		w->p[i].ep = iax2_endpoint_free(w->p[i].ep);
	w->net = fake_net_free(w->net);
}

void call_world_run(struct call_world *w, mono_us duration)
{
	fake_net_run(w->net, fake_net_now(w->net) + duration);
}

void call_world_dial(struct call_world *w, struct iax2_dial d)
{
	struct party *a = &w->p[ALICE];

	d.path.peer = w->p[BOB].addr;
	d.called = number[BOB];
	d.calling = number[ALICE];
	T_EQ(IAX2_OK, iax2_dial(a->ep, &d, fake_net_now(w->net), &a->call));
}

void call_world_tickets(const struct call_world *w, struct iax2_ticket *alices,
			struct iax2_ticket *bobs)
{
	*alices = (struct iax2_ticket){
		.id = UINT64_C(0x1122334455667788),
		.key = { 7, 7, 7 },
		.expires = fake_net_now(w->net) + 10 * MONO_S,
	};
	*bobs = *alices;
	memcpy(alices->peer_key, w->p[BOB].id.public_key, KEY_PUBLIC_LEN);
	memcpy(alices->peer_number, number[BOB], strlen(number[BOB]) + 1);
	memcpy(bobs->peer_key, w->p[ALICE].id.public_key, KEY_PUBLIC_LEN);
	memcpy(bobs->peer_number, number[ALICE], strlen(number[ALICE]) + 1);
}

bool call_world_text(struct call_world *w, int party)
{
	struct party *p = &w->p[party];
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", p->texts_sent);
	if (iax2_send_text(p->ep, p->call, text, fake_net_now(w->net)) !=
	    IAX2_OK)
		return false;
	p->texts_sent++;
	return true;
}

bool call_world_voice(struct call_world *w, int party, uint32_t ts, bool spurt)
{
	struct party *p = &w->p[party];
	uint8_t frame[160] = { 0 };

	memcpy(frame, &ts, sizeof(ts));
	return iax2_send_voice(
		       p->ep, p->call,
		       &(struct iax2_voice){ frame, sizeof(frame), ts, spurt },
		       fake_net_now(w->net)) == IAX2_OK;
}

enum iax2_err call_world_hangup(struct call_world *w, int party)
{
	struct party *p = &w->p[party];

	return iax2_hangup(p->ep, p->call, NULL, 16, fake_net_now(w->net));
}

void call_world_is_empty(struct call_world *w)
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

void call_world_end(struct call_world *w)
{
	call_world_run(w, 60 * MONO_S);
	call_world_is_empty(w);
	call_world_done(w);
}

void call_world_talk(struct call_world *w, unsigned texts, mono_us limit)
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

bool call_world_dial_as(struct call_world *w, enum dial_kind kind)
{
	struct iax2_ticket ours, theirs;
	struct iax2_dial d = { 0 };

	call_world_tickets(w, &ours, &theirs);
	if (kind == DIAL_TICKET) {
		d.ticket = &ours;
		T_EQ(IAX2_OK,
		     iax2_expect(w->p[BOB].ep, &theirs, &w->p[ALICE].addr,
				 fake_net_now(w->net)));
	} else if (kind == DIAL_MD5) {
		w->p[BOB].manners = CHALLENGES;
		w->p[BOB].want.md5_secret = "winter";
		d.md5_secret = "winter";
	} else if (kind == DIAL_ED25519) {
		w->p[BOB].manners = CHALLENGES;
		w->p[BOB].want.public_key = w->p[ALICE].id.public_key;
	}
	call_world_dial(w, d);
	call_world_run(w, 20 * MONO_S);
	return w->p[ALICE].seen[IAX2_EV_CALL_UP] == 1 &&
	       w->p[BOB].seen[IAX2_EV_CALL_UP] == 1;
}
