/* SPDX-License-Identifier: MIT */

/* After iax2_endpoint_new() an endpoint allocates nothing. */

#include "proto/iax2_endpoint.h"

#include <sodium.h>
#include <string.h>

#include "tests/alloc_count.h"
#include "tests/t.h"

#define CALLS 3

struct side {
	struct iax2_endpoint *ep;
	struct net_addr addr;
	struct iax2_call_id call;
	unsigned ups;
	unsigned downs;
	unsigned voices;
};

static uint32_t seed;

static void lcg(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525U + 1013904223U;
		buf[i] = (uint8_t)(seed >> 24);
	}
}

static void events(struct side *s, mono_us now)
{
	struct iax2_event ev;

	while (iax2_endpoint_next_event(s->ep, &ev)) {
		if (ev.kind == IAX2_EV_CALL_IN)
			T_EQ(IAX2_OK, iax2_accept(s->ep, ev.call, now));
		s->ups += ev.kind == IAX2_EV_CALL_UP;
		s->downs += ev.kind == IAX2_EV_CALL_DOWN;
		s->voices += ev.kind == IAX2_EV_VOICE;
	}
}

static void carry(struct side *a, struct side *b, mono_us now)
{
	struct dgram d;

	while (iax2_endpoint_next_tx(a->ep, &d)) {
		d.path.peer = a->addr;
		(void)iax2_endpoint_rx(b->ep, &d, now);
		events(b, now);
	}
}

static void step(struct side s[2], mono_us now)
{
	for (int i = 0; i < 2; i++)
		iax2_endpoint_tick(s[i].ep, now);
	for (int i = 0; i < 6; i++) {
		carry(&s[0], &s[1], now);
		carry(&s[1], &s[0], now);
	}
	events(&s[0], now);
}

static void talk(struct side s[2], mono_us *now)
{
	const struct iax2_dial d = { .path.peer = s[1].addr,
				     .called = "2",
				     .calling = "1" };
	static const uint8_t codes[160];

	T_EQ(IAX2_OK, iax2_dial(s[0].ep, &d, *now, &s[0].call));
	for (uint32_t ts = 0; ts < 100000; ts += 20) {
		step(s, *now);
		(void)iax2_send_voice(s[0].ep, s[0].call,
				      &(struct iax2_voice){ codes,
							    sizeof(codes), ts,
							    ts % 2000 == 0 },
				      *now);
		if (ts % 1000 == 0)
			(void)iax2_send_text(s[0].ep, s[0].call, "L T2000",
					     *now);
		if (ts % 1000 == 20)
			(void)iax2_send_dtmf(s[0].ep, s[0].call, '5',
					     ts % 2000 == 20, *now);
		if (ts % 1000 == 40)
			(void)iax2_send_control(s[0].ep, s[0].call,
						IAX2_CONTROL_KEY, *now);
		if (ts % 2000 == 1980)
			(void)iax2_send_cng(s[0].ep, s[0].call, *now);
		*now += 20 * MONO_MS;
	}
	T_EQ(IAX2_OK, iax2_hangup(s[0].ep, s[0].call, NULL, 16, *now));
	for (int i = 0; i < 10; i++) {
		step(s, *now);
		*now += MONO_S;
	}
}

static void hours_of_calls_allocate_nothing(void)
{
	const uint8_t key_seed[KEY_SEED_LEN] = { 1 };
	struct key_identity id;
	struct side s[2] = { { .addr = net_addr_v4(192, 0, 2, 1, 4569) },
			     { .addr = net_addr_v4(192, 0, 2, 2, 4569) } };
	struct iax2_endpoint_cfg cfg = {
		.calls_max = 16,
		.tx_max = 64,
		.limits = { .calls_per_addr = 16,
			    .half_open = 16,
			    .half_open_per_addr = 4,
			    .calls_per_s = 1000,
			    .auth_failures_per_min = 1000 },
		.identity = &id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = lcg,
	};
	mono_us now = MONO_S;

	key_identity_from_seed(&id, key_seed);
	for (int i = 0; i < 2; i++) {
		s[i].ep = iax2_endpoint_new(&cfg, now);
		T_TRUE(s[i].ep != NULL);
	}
	T_TRUE(alloc_count_works());
	alloc_count_begin();
	for (int i = 0; i < CALLS; i++)
		talk(s, &now);
	T_EQ(0, alloc_count_end());
	for (int i = 0; i < 2; i++) {
		T_EQ(CALLS, s[i].ups);
		T_EQ(CALLS, s[i].downs);
		T_EQ(0, iax2_endpoint_calls(s[i].ep));
		iax2_endpoint_free(s[i].ep);
	}
}

#define MANY 200

/* Slots, numbers, peers and deadlines of many calls at once. */
static void many_calls_come_and_go(void)
{
	const uint8_t key_seed[KEY_SEED_LEN] = { 1 };
	static struct iax2_call_id call[MANY];
	struct key_identity id;
	struct side s[2] = { { .addr = net_addr_v4(192, 0, 2, 1, 4569) },
			     { .addr = net_addr_v4(192, 0, 2, 2, 4569) } };
	const struct iax2_endpoint_cfg cfg = {
		.calls_max = MANY,
		.tx_max = 4096,
		.limits = { .calls_per_addr = 8192,
			    .half_open = 8192,
			    .half_open_per_addr = 64,
			    .calls_per_s = 100000,
			    .auth_failures_per_min = 1000 },
		.identity = &id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = lcg,
	};
	const struct iax2_dial d = { .path.peer = s[1].addr,
				     .called = "2",
				     .calling = "1" };
	mono_us now = MONO_S;
	unsigned dials = 0, most = 0;

	key_identity_from_seed(&id, key_seed);
	for (int i = 0; i < 2; i++)
		s[i].ep = iax2_endpoint_new(&cfg, now);
	for (unsigned step_n = 0; step_n < 4000; step_n++) {
		uint8_t r[2];
		struct iax2_call_id *c;

		lcg(NULL, r, sizeof(r));
		c = &call[(r[0] << 8 | r[1]) % MANY];
		if (iax2_hangup(s[0].ep, *c, NULL, 16, now) != IAX2_OK)
			dials += iax2_dial(s[0].ep, &d, now, c) == IAX2_OK;
		step(s, now);
		if (iax2_endpoint_calls(s[1].ep) > most)
			most = (unsigned)iax2_endpoint_calls(s[1].ep);
		now += 50 * MONO_MS;
	}
	for (size_t i = 0; i < MANY; i++)
		(void)iax2_hangup(s[0].ep, call[i], NULL, 16, now);
	for (int i = 0; i < 10; i++) {
		step(s, now);
		now += MONO_S;
	}
	T_TRUE(most > MANY / 2);
	for (int i = 0; i < 2; i++) {
		T_EQ(0, iax2_endpoint_calls(s[i].ep));
		T_EQ(MONO_NEVER, iax2_endpoint_deadline(s[i].ep));
	}
	T_EQ(dials, s[0].downs);
	T_EQ(s[1].ups, s[1].downs);
	T_TRUE(s[1].ups > 1000);
	for (int i = 0; i < 2; i++)
		iax2_endpoint_free(s[i].ep);
}

/* Mini frames name no call of ours: each finds its own all the same. */
static void each_mini_frame_finds_its_call(void)
{
	const uint8_t key_seed[KEY_SEED_LEN] = { 1 };
	const uint8_t codes[160] = { 0 };
	static struct iax2_call_id call[MANY];
	struct key_identity id;
	struct side s[2] = { { .addr = net_addr_v4(192, 0, 2, 1, 4569) },
			     { .addr = net_addr_v4(192, 0, 2, 2, 4569) } };
	const struct iax2_endpoint_cfg cfg = {
		/* Callers without a ticket do not get all. */
		.calls_max = 2 * MANY,
		.tx_max = 4096,
		.limits = { .calls_per_addr = 8192,
			    .half_open = 8192,
			    .half_open_per_addr = 64,
			    .calls_per_s = 100000,
			    .auth_failures_per_min = 1000 },
		.identity = &id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = lcg,
	};
	const struct iax2_dial d = { .path.peer = s[1].addr,
				     .called = "2",
				     .calling = "1" };
	mono_us now = MONO_S;

	key_identity_from_seed(&id, key_seed);
	for (int i = 0; i < 2; i++)
		s[i].ep = iax2_endpoint_new(&cfg, now);
	for (size_t i = 0; i < MANY; i++) {
		T_EQ(IAX2_OK, iax2_dial(s[0].ep, &d, now, &call[i]));
		step(s, now);
	}
	T_EQ(MANY, s[1].ups);
	for (size_t i = 0; i < 2 * MANY; i++) {
		T_EQ(IAX2_OK, iax2_send_voice(s[0].ep, call[i % MANY],
					      &(struct iax2_voice){
						      codes, sizeof(codes),
						      (uint32_t)(i / MANY) * 20,
						      i < MANY },
					      now));
		step(s, now);
	}
	T_EQ(2 * MANY, s[1].voices);
	for (int i = 0; i < 2; i++)
		iax2_endpoint_free(s[i].ep);
}

static void a_senseless_configuration_is_refused(void)
{
	const struct key_identity id = { .public_key = { 1 } };
	const struct iax2_endpoint_cfg good = {
		.calls_max = 1,
		.tx_max = 8,
		.limits = { .calls_per_addr = 1,
			    .half_open = 1,
			    .half_open_per_addr = 1,
			    .calls_per_s = 1000,
			    .auth_failures_per_min = 1000 },
		.identity = &id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = lcg,
	};
	struct iax2_endpoint_cfg c = good;
	struct iax2_endpoint *ep = iax2_endpoint_new(&c, 0);

	T_TRUE(ep != NULL);
	T_TRUE(iax2_endpoint_free(ep) == NULL);
	T_TRUE(iax2_endpoint_free(NULL) == NULL);
	c.calls_max = 0;
	T_TRUE(iax2_endpoint_new(&c, 0) == NULL);
	c.calls_max = 8193;
	T_TRUE(iax2_endpoint_new(&c, 0) == NULL);
	c = good;
	c.tx_max = 7;
	T_TRUE(iax2_endpoint_new(&c, 0) == NULL);
	c = good;
	c.limits.half_open = 0;
	T_TRUE(iax2_endpoint_new(&c, 0) == NULL);
	c = good;
	c.prefs_n = 0;
	T_TRUE(iax2_endpoint_new(&c, 0) == NULL);
	c = good;
	c.random = NULL;
	T_TRUE(iax2_endpoint_new(&c, 0) == NULL);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(hours_of_calls_allocate_nothing);
	T_RUN(many_calls_come_and_go);
	T_RUN(each_mini_frame_finds_its_call);
	T_RUN(a_senseless_configuration_is_refused);
	return T_DONE();
}
