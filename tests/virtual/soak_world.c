/* SPDX-License-Identifier: MIT */

#include "tests/virtual/soak_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/t.h"

#define STEP (20 * MONO_MS)
#define DIALS_UNTIL (15 * MONO_S)
#define CALLS_UNTIL (30 * MONO_S)
#define TAIL (70 * MONO_S)
#define SECRET "winter"

static const char digits[] = "0123456789ABCD*#";

/* splitmix64; apart from the network's, so that a frame more or less does not
 * change the plan. */
static uint64_t rnd(struct soak_world *w, uint64_t n)
{
	uint64_t z = w->rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % n;
}

static bool chance(struct soak_world *w, unsigned permille)
{
	return rnd(w, 1000) < permille;
}

/* --- ends --------------------------------------------------------------- */

static struct soak_end *end_new(struct soak_world *w, struct soak_plan *plan,
				int side, struct iax2_call_id id)
{
	const mono_us now = fake_net_now(w->net);
	struct soak_end *e;

	T_TRUE(w->ends_n < SOAK_ENDS);
	e = &w->ends[w->ends_n++];
	*e = (struct soak_end){
		.plan = plan,
		.side = side,
		.id = id,
		.made_at = now,
		.accept_at = MONO_NEVER,
		.hangup_at = chance(w, 600) ? now + rnd(w, CALLS_UNTIL / 2)
					    : MONO_NEVER,
	};
	w->side[side].things += 10;
	return e;
}

static bool same_id(struct iax2_call_id a, struct iax2_call_id b)
{
	return a.slot == b.slot && a.gen == b.gen;
}

/* The living end that an event is about. */
static struct soak_end *end_of(struct soak_world *w, int side,
			       struct iax2_call_id id)
{
	for (size_t i = 0; i < w->ends_n; i++) {
		struct soak_end *e = &w->ends[i];

		if (e->side == side && !e->down && same_id(e->id, id))
			return e;
	}
	return NULL;
}

/* --- events ------------------------------------------------------------- */

static void answer(struct soak_world *w, struct soak_end *e, mono_us now)
{
	struct iax2_endpoint *ep = w->side[e->side].ep;

	switch (e->plan->manners) {
	case SOAK_ACCEPTS:
		e->accept_at = now + (chance(w, 300) ? rnd(w, 2 * MONO_S) : 0);
		break;
	case SOAK_REJECTS:
		T_EQ(IAX2_OK, iax2_reject(ep, e->id, "Not today", 21, now));
		break;
	case SOAK_HOLDS:
		break;
	}
}

static void on_call_in(struct soak_world *w, int side,
		       const struct iax2_event *ev, mono_us now)
{
	const unsigned n = (unsigned)strtoul(ev->u.in.calling, NULL, 10);
	struct iax2_credentials want = { 0 };
	struct soak_plan *p;
	struct soak_end *e;

	T_TRUE(n < w->plans_n);
	p = &w->plan[n];
	T_TRUE(p->from != side && p->caller);
	/* One dial is one call, however often its NEW comes. */
	T_TRUE(!p->callee);
	T_EQ(p->kind == SOAK_TICKET ? IAX2_PROOF_TICKET : IAX2_PROOF_NONE,
	     ev->u.in.proof);
	e = end_new(w, p, side, ev->call);
	e->peer = p->caller;
	p->callee = e;
	p->caller->peer = e;
	if (p->kind == SOAK_PLAIN || p->kind == SOAK_TICKET) {
		answer(w, e, now);
		return;
	}
	if (p->kind == SOAK_ED25519)
		want.public_key = w->side[p->from].id.public_key;
	else
		want.md5_secret = SECRET;
	T_EQ(IAX2_OK, iax2_challenge(w->side[side].ep, ev->call, &want, now));
}

static void take(struct soak_end *e, enum iax2_event_kind kind, unsigned value)
{
	const struct soak_end *o = e->peer;

	T_TRUE(e->up && o && o->up);
	T_TRUE(e->got < o->sent_n);
	T_EQ(o->sent[e->got].kind, kind);
	T_EQ(o->sent[e->got].value, value);
	e->got++;
}

static void on_voice(const struct soak_end *e, const struct iax2_event *ev)
{
	uint32_t ts, from;

	T_TRUE(e->up && e->peer && e->peer->up);
	T_EQ(160, ev->u.voice.len);
	memcpy(&ts, ev->u.voice.data, sizeof(ts));
	memcpy(&from, ev->u.voice.data + sizeof(ts), sizeof(from));
	T_EQ(ts, ev->u.voice.ts_ms);
	/* The other end of this call said it. */
	T_EQ(2 * e->plan->number + e->outbound, from);
}

static void on_up(struct soak_end *e)
{
	T_TRUE(!e->up);
	e->up = true;
	if (e->outbound)
		T_TRUE(e->peer && e->peer->up);
}

static void on_down(struct soak_world *w, struct soak_end *e,
		    const struct iax2_event *ev, mono_us now)
{
	struct iax2_call_info info;

	e->down = true;
	e->down_at = now;
	e->reason = ev->u.down.reason;
	/* The id is stale from here on. */
	T_EQ(IAX2_E_STALE, iax2_call_info(w->side[e->side].ep, e->id, &info));
	T_EQ(IAX2_E_STALE,
	     iax2_hangup(w->side[e->side].ep, e->id, NULL, 0, now));
}

static void on_event(struct soak_world *w, int side,
		     const struct iax2_event *ev, mono_us now)
{
	struct soak_end *e;

	if (ev->kind == IAX2_EV_CALL_IN) {
		on_call_in(w, side, ev, now);
		return;
	}
	e = end_of(w, side, ev->call);
	T_TRUE(e != NULL);
	switch (ev->kind) {
	case IAX2_EV_CALL_PROVED:
		T_TRUE(e->plan->kind != SOAK_WRONG_SECRET);
		answer(w, e, now);
		break;
	case IAX2_EV_CALL_UP:
		on_up(e);
		break;
	case IAX2_EV_CALL_DOWN:
		on_down(w, e, ev, now);
		break;
	case IAX2_EV_TEXT:
		take(e, ev->kind, (unsigned)strtoul(ev->u.text.data, NULL, 10));
		break;
	case IAX2_EV_DTMF:
		take(e, ev->kind,
		     (unsigned)(ev->u.dtmf.digit << 1 | ev->u.dtmf.begin));
		break;
	case IAX2_EV_KEY:
		take(e, ev->kind, ev->u.key.keyed);
		break;
	case IAX2_EV_CNG:
		take(e, ev->kind, 0);
		break;
	case IAX2_EV_VOICE:
		on_voice(e, ev);
		break;
	case IAX2_EV_CALL_SILENT:
	case IAX2_EV_CALL_MOVED:
	case IAX2_EV_MOVE_FAILED:
		T_TRUE(ev->kind == IAX2_EV_CALL_SILENT);
		break;
	case IAX2_EV_CALL_ACCEPTED:
		T_TRUE(e->outbound && !e->up);
		break;
	case IAX2_EV_CALL_IN:
	case IAX2_EV_CALL_RINGING:
	case IAX2_EV_CONTROL:
		T_EQ(IAX2_EV_VOICE, ev->kind); /* nobody caused it */
		break;
	}
}

/* --- doings ------------------------------------------------------------- */

static enum iax2_err send_item(struct soak_world *w, struct soak_end *e,
			       struct soak_item *item, mono_us now)
{
	struct iax2_endpoint *ep = w->side[e->side].ep;
	char text[IAX2_TEXT_MAX + 1];
	const unsigned long r = rnd(w, 100);
	int len;

	if (r < 50) {
		*item = (struct soak_item){ IAX2_EV_TEXT, e->sent_n };
		len = snprintf(text, sizeof(text), "%u ", e->sent_n);
		if (chance(w, 50))
			len = (int)rnd(w, sizeof(text) - 8) + 4;
		for (int i = (int)strlen(text); i < len; i++)
			text[i] = '.';
		text[len] = '\0';
		return iax2_send_text(ep, e->id, text, now);
	}
	if (r < 80) {
		const char d = digits[rnd(w, 16)];
		const bool begin = chance(w, 500);

		*item = (struct soak_item){ IAX2_EV_DTMF,
					    (unsigned)(d << 1 | begin) };
		return iax2_send_dtmf(ep, e->id, d, begin, now);
	}
	if (r < 95) {
		*item = (struct soak_item){ IAX2_EV_KEY, chance(w, 500) };
		return iax2_send_control(ep, e->id,
					 item->value ? IAX2_CONTROL_KEY
						     : IAX2_CONTROL_UNKEY,
					 now);
	}
	*item = (struct soak_item){ IAX2_EV_CNG, 0 };
	return iax2_send_cng(ep, e->id, now);
}

static void items(struct soak_world *w, struct soak_end *e, mono_us now)
{
	/* Now and then as much as there is room for. */
	unsigned n = chance(w, 5) ? 40 : chance(w, 60);

	for (; n > 0 && e->sent_n < SOAK_ITEMS; n--) {
		struct soak_item item;
		const enum iax2_err err = send_item(w, e, &item, now);

		if (err == IAX2_E_FULL)
			return;
		T_EQ(IAX2_OK, err);
		e->sent[e->sent_n++] = item;
		w->side[e->side].things++;
	}
}

static void speech(struct soak_world *w, struct soak_end *e, mono_us now)
{
	uint8_t codes[160] = { 0 };
	struct iax2_voice v = { codes, sizeof(codes), 0, e->spurt };
	const uint32_t from = 2 * e->plan->number + !e->outbound;
	enum iax2_err err;

	if (now >= e->spurt_until) {
		if (!chance(w, 15))
			return;
		e->spurt_until = now + rnd(w, 1500 * MONO_MS);
		v.spurt = true;
		w->side[e->side].things++;
		T_EQ(IAX2_OK,
		     iax2_media_time(w->side[e->side].ep, e->id, now, &e->ts));
	}
	v.ts_ms = e->ts;
	memcpy(codes, &e->ts, sizeof(e->ts));
	memcpy(codes + sizeof(e->ts), &from, sizeof(from));
	err = iax2_send_voice(w->side[e->side].ep, e->id, &v, now);
	T_TRUE(err == IAX2_OK || err == IAX2_E_FULL);
	w->side[e->side].voices += err == IAX2_OK;
	e->spurt = err == IAX2_E_FULL && v.spurt;
	e->ts += 20;
}

static void act(struct soak_world *w, struct soak_end *e, mono_us now)
{
	struct iax2_endpoint *ep = w->side[e->side].ep;

	if (e->down)
		return;
	if (now >= e->hangup_at) {
		T_EQ(IAX2_OK, iax2_hangup(ep, e->id, NULL, 16, now));
		return;
	}
	if (now >= e->accept_at) {
		const enum iax2_err err = iax2_accept(ep, e->id, now);

		T_TRUE(err == IAX2_OK || (w->cramped && err == IAX2_E_FULL));
		if (err == IAX2_OK)
			e->accept_at = MONO_NEVER;
	}
	if (!e->up)
		return;
	speech(w, e, now);
	items(w, e, now);
}

static void dial(struct soak_world *w, struct soak_plan *p, mono_us now)
{
	struct soak_side *from = &w->side[p->from];
	const struct soak_side *to = &w->side[!p->from];
	struct iax2_ticket theirs = p->ticket;
	struct iax2_call_id id;
	char calling[8];
	struct iax2_dial d = { .path.peer = to->addr,
			       .called = "2000",
			       .calling = calling };

	(void)snprintf(calling, sizeof(calling), "%u", p->number);
	if (p->kind == SOAK_MD5)
		d.md5_secret = SECRET;
	if (p->kind == SOAK_WRONG_SECRET)
		d.md5_secret = "summer";
	if (p->kind == SOAK_TICKET) {
		d.ticket = &p->ticket;
		memcpy(theirs.peer_key, from->id.public_key, KEY_PUBLIC_LEN);
		memcpy(theirs.peer_number, calling, sizeof(calling));
		T_EQ(IAX2_OK, iax2_expect(to->ep, &theirs, &from->addr, now));
	}
	if (iax2_dial(from->ep, &d, now, &id) != IAX2_OK) {
		T_TRUE(w->cramped);
		return;
	}
	p->caller = end_new(w, p, p->from, id);
	p->caller->outbound = true;
}

/* --- the machines of fake_net ------------------------------------------- */

static void rx(void *ctx, const struct dgram *d, mono_us now)
{
	(void)iax2_endpoint_rx(((struct soak_side *)ctx)->ep, d, now);
}

static void tick(void *ctx, mono_us now)
{
	iax2_endpoint_tick(((struct soak_side *)ctx)->ep, now);
}

static mono_us deadline(void *ctx)
{
	return iax2_endpoint_deadline(((struct soak_side *)ctx)->ep);
}

static bool next_tx(void *ctx, struct dgram *out)
{
	return iax2_endpoint_next_tx(((struct soak_side *)ctx)->ep, out);
}

static void settle(void *ctx, mono_us now)
{
	struct soak_side *s = ctx;
	struct iax2_event ev;

	while (iax2_endpoint_next_event(s->ep, &ev))
		on_event(s->world, s->index, &ev, now);
}

/* --- the world ---------------------------------------------------------- */

static void side_new(struct soak_world *w, int i)
{
	struct soak_side *s = &w->side[i];
	const uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };
	const struct iax2_endpoint_cfg cfg = {
		.calls_max = w->cramped ? 4 : 16,
		.tx_max = w->cramped ? 16 : 256,
		.limits = { 64, 64, w->cramped ? 2 : 16, 1000, 1000 },
		.identity = &s->id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = fake_net_random,
		.random_ctx = w->net,
	};
	const struct fake_machine m = {
		s, rx, tick, deadline, next_tx, settle
	};

	s->world = w;
	s->index = i;
	key_identity_from_seed(&s->id, seed);
	s->addr = net_addr_v4(198, 51, 100, (uint8_t)(i + 1), 4569);
	s->ep = iax2_endpoint_new(&cfg, fake_net_now(w->net));
	T_TRUE(s->ep != NULL);
	T_EQ(i, fake_net_attach(w->net, &m));
	fake_net_address(w->net, i, &s->addr, FAKE_NO_NAT);
}

static void plan_new(struct soak_world *w, unsigned number)
{
	struct soak_plan *p = &w->plan[number];
	const uint64_t r = rnd(w, 100);

	p->number = number;
	p->from = (int)rnd(w, SOAK_SIDES);
	p->at = fake_net_now(w->net) + rnd(w, DIALS_UNTIL);
	p->kind = (enum soak_kind)rnd(w, SOAK_WRONG_SECRET);
	if (chance(w, 50))
		p->kind = SOAK_WRONG_SECRET;
	p->manners = r < 85 ? SOAK_ACCEPTS : r < 95 ? SOAK_REJECTS : SOAK_HOLDS;
	p->ticket.id = 1 + number;
	p->ticket.expires = MONO_NEVER;
	memset(p->ticket.key, (int)number + 1, sizeof(p->ticket.key));
	memcpy(p->ticket.peer_key, w->side[!p->from].id.public_key,
	       KEY_PUBLIC_LEN);
	memcpy(p->ticket.peer_number, "2000", 5);
}

void soak_init(struct soak_world *w, uint64_t seed)
{
	struct fake_weather foul = { .loss = 200,
				     .duplicate = 100,
				     .reorder = 200 };

	memset(w, 0, sizeof(*w));
	(void)snprintf(w->name, sizeof(w->name), "seed %u", (unsigned)seed);
	t_current = w->name;
	w->rng = seed * UINT64_C(0xd1342543de82ef95);
	w->net = fake_net_new(seed, 1000 * MONO_S);
	foul.delay = (1 + rnd(w, 100)) * MONO_MS;
	foul.jitter = rnd(w, 50) * MONO_MS;
	foul.reorder_delay = (1 + rnd(w, 200)) * MONO_MS;
	fake_net_weather(w->net, &foul);
	w->cramped = chance(w, 150);
	for (int i = 0; i < SOAK_SIDES; i++)
		side_new(w, i);
	w->plans_n = 4 + rnd(w, SOAK_PLANS - 3);
	for (unsigned i = 0; i < w->plans_n; i++)
		plan_new(w, i);
}

static void step(struct soak_world *w, mono_us now)
{
	for (size_t i = 0; i < w->plans_n; i++) {
		struct soak_plan *p = &w->plan[i];

		if (p->dialled || now < p->at)
			continue;
		p->dialled = true;
		dial(w, p, now);
	}
	for (size_t i = 0; i < w->ends_n; i++)
		act(w, &w->ends[i], now);
}

void soak_run(struct soak_world *w)
{
	const mono_us began = fake_net_now(w->net);
	mono_us now = began;

	for (; now < began + CALLS_UNTIL; now += STEP) {
		fake_net_run(w->net, now);
		step(w, now);
		for (int i = 0; i < SOAK_SIDES; i++)
			w->side[i].things +=
				now % MONO_S == 0
					? iax2_endpoint_calls(w->side[i].ep)
					: 0;
	}
	for (size_t i = 0; i < w->ends_n; i++) {
		const struct soak_end *e = &w->ends[i];

		(void)iax2_hangup(w->side[e->side].ep, e->id, NULL, 16, now);
		/* Some are told before they could do the same. */
		if (i % 2)
			fake_net_run(w->net, now += MONO_S);
	}
	fake_net_run(w->net, now + TAIL);
	for (int i = 0; i < SOAK_SIDES; i++)
		w->side[i].datagrams_but_voice =
			fake_net_counters(w->net, i)->sent - w->side[i].voices;
}

void soak_is_empty(const struct soak_world *w)
{
	for (int i = 0; i < SOAK_SIDES; i++) {
		T_EQ(0, iax2_endpoint_calls(w->side[i].ep));
		T_EQ(MONO_NEVER, iax2_endpoint_deadline(w->side[i].ep));
	}
	T_EQ(0, fake_net_in_flight(w->net));
}

void soak_done(struct soak_world *w)
{
	for (int i = 0; i < SOAK_SIDES; i++)
		w->side[i].ep = iax2_endpoint_free(w->side[i].ep);
	w->net = fake_net_free(w->net);
}
