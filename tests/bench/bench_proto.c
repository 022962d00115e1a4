/* SPDX-License-Identifier: MIT */

/*
 * What the IAX2 endpoint costs on one core: a voice frame received and sent, a
 * full frame received and acknowledged, and whole calls set up.  The same run
 * measures a keyed BLAKE2b hash and a copy of the same octets, so that figures
 * of different machines can be compared.
 */

#include "proto/iax2_endpoint.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/iax2_frame.h"
#include "tests/bench/bench.h"

#define FRAMES 200000U
#define SETUPS 10000U
#define VOICE_LEN 160U
#define MINI_LEN (IAX2_MINI_HDR_LEN + VOICE_LEN)

struct side {
	struct iax2_endpoint *ep;
	struct net_addr addr;
	struct iax2_call_id call;
	unsigned ups;
	unsigned voices;
	unsigned texts;
};

struct pair {
	struct side s[2];
	mono_us now;
	uint32_t ts;
	uint8_t mini[MINI_LEN]; /* of the caller, as it was sent */
	struct iax2_full full;  /* its TEXT, as it was sent */
	uint8_t text[64];
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "bench_proto: %s\n", what);
	exit(EXIT_FAILURE);
}

static void random_octets(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

static void take_events(struct side *s, mono_us now)
{
	struct iax2_event ev;

	while (iax2_endpoint_next_event(s->ep, &ev)) {
		if (ev.kind == IAX2_EV_CALL_IN)
			(void)iax2_accept(s->ep, ev.call, now);
		s->ups += ev.kind == IAX2_EV_CALL_UP;
		s->voices += ev.kind == IAX2_EV_VOICE;
		s->texts += ev.kind == IAX2_EV_TEXT;
	}
}

/* True when anything was under way. */
static bool carry(struct side *from, struct side *to, mono_us now)
{
	struct dgram d;
	bool moved = false;

	while (iax2_endpoint_next_tx(from->ep, &d)) {
		d.path.peer = from->addr;
		(void)iax2_endpoint_rx(to->ep, &d, now);
		take_events(to, now);
		moved = true;
	}
	return moved;
}

static void exchange(struct pair *p)
{
	while (carry(&p->s[0], &p->s[1], p->now) ||
	       carry(&p->s[1], &p->s[0], p->now))
		;
}

static void dial(struct pair *p)
{
	const struct iax2_dial d = { .path.peer = p->s[1].addr,
				     .called = "2001",
				     .calling = "2002" };

	must(iax2_dial(p->s[0].ep, &d, p->now, &p->s[0].call) == IAX2_OK,
	     "the call cannot be placed");
	exchange(p);
}

static void pair_new(struct pair *p)
{
	static const uint8_t seed[KEY_SEED_LEN] = { 1 };
	struct key_identity id;
	const struct iax2_endpoint_cfg cfg = {
		.calls_max = 64,
		.tx_max = 256,
		.limits = { 64, 64, 64, 100000, 1000 },
		.identity = &id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = random_octets,
	};

	memset(p, 0, sizeof(*p));
	p->now = 1000 * MONO_S;
	key_identity_from_seed(&id, seed);
	for (int i = 0; i < 2; i++) {
		p->s[i].addr = net_addr_v4(192, 0, 2, (uint8_t)(1 + i), 4569);
		p->s[i].ep = iax2_endpoint_new(&cfg, p->now);
		must(p->s[i].ep != NULL, "no endpoint");
	}
}

static void pair_free(struct pair *p)
{
	for (int i = 0; i < 2; i++)
		p->s[i].ep = iax2_endpoint_free(p->s[i].ep);
}

static enum iax2_err speak(struct pair *p, bool spurt)
{
	static const uint8_t codes[VOICE_LEN];
	const struct iax2_voice v = { codes, sizeof(codes), p->ts, spurt };

	p->now += 20 * MONO_MS;
	p->ts += 20;
	return iax2_send_voice(p->s[0].ep, p->s[0].call, &v, p->now);
}

/* A call that stands, and the datagrams that it sends. */
static void stand_up(struct pair *p)
{
	struct dgram d;

	pair_new(p);
	dial(p);
	must(p->s[0].ups == 1 && p->s[1].ups == 1, "the call is not up");
	must(speak(p, true) == IAX2_OK, "no voice");
	exchange(p);
	must(speak(p, false) == IAX2_OK &&
		     iax2_endpoint_next_tx(p->s[0].ep, &d),
	     "no mini frame");
	must(d.len == MINI_LEN, "not a mini frame");
	memcpy(p->mini, d.data, d.len);
	must(iax2_send_text(p->s[0].ep, p->s[0].call, "L T2001", p->now) ==
		     IAX2_OK,
	     "no text");
	must(iax2_endpoint_next_tx(p->s[0].ep, &d) && d.len < sizeof(p->text),
	     "no full frame");
	memcpy(p->text, d.data, d.len);
	must(iax2_full_decode(p->text, d.len, &p->full) == IAX2_OK,
	     "not a full frame");
}

static void minis_received(void *ctx)
{
	struct pair *p = ctx;
	struct side *to = &p->s[1];
	struct dgram d = { .path.peer = p->s[0].addr,
			   .data = p->mini,
			   .len = sizeof(p->mini) };

	for (unsigned i = 0; i < FRAMES; i++) {
		p->now += 20 * MONO_MS;
		p->ts += 20;
		p->mini[2] = (uint8_t)(p->ts >> 8);
		p->mini[3] = (uint8_t)p->ts;
		(void)iax2_endpoint_rx(to->ep, &d, p->now);
		take_events(to, p->now);
	}
}

static void minis_sent(void *ctx)
{
	struct pair *p = ctx;
	struct dgram d;

	for (unsigned i = 0; i < FRAMES; i++) {
		/* Never as far as the next full frame: nobody acknowledges them
		 * here. */
		if (p->ts >= INT16_MAX - 20)
			p->ts = 0;
		must(speak(p, false) == IAX2_OK, "a voice frame was refused");
		must(iax2_endpoint_next_tx(p->s[0].ep, &d) && d.len == MINI_LEN,
		     "not a mini frame");
	}
}

static void fulls_received(void *ctx)
{
	struct pair *p = ctx;
	struct side *to = &p->s[1];
	uint8_t buf[64];
	struct dgram d = { .path.peer = p->s[0].addr };

	for (unsigned i = 0; i < FRAMES; i++) {
		struct dgram ack;

		p->now += 20 * MONO_MS;
		(void)iax2_full_encode(&p->full, buf, sizeof(buf), &d.len);
		d.data = buf;
		(void)iax2_endpoint_rx(to->ep, &d, p->now);
		take_events(to, p->now);
		while (iax2_endpoint_next_tx(to->ep, &ack))
			;
		p->full.oseq++;
		p->full.ts_ms += 20;
	}
}

static void calls_set_up(void *ctx)
{
	struct pair *p = ctx;

	for (unsigned i = 0; i < SETUPS; i++) {
		dial(p);
		(void)iax2_hangup(p->s[0].ep, p->s[0].call, NULL, 16, p->now);
		exchange(p);
		take_events(&p->s[0], p->now);
		/* A call number rests for a minute, an ended call lingers. */
		p->now += 6 * MONO_S;
		for (int k = 0; k < 2; k++)
			iax2_endpoint_tick(p->s[k].ep, p->now);
	}
}

static volatile uint8_t kept;

static void hashes(void *ctx)
{
	const struct pair *p = ctx;
	uint8_t key[32] = { 1 }, out[32];

	for (unsigned i = 0; i < FRAMES; i++) {
		(void)crypto_generichash(out, sizeof(out), p->mini,
					 sizeof(p->mini), key, sizeof(key));
		key[0] = out[0];
	}
	kept = out[0];
}

static void copies(void *ctx)
{
	const struct pair *p = ctx;
	static uint8_t to[64][MINI_LEN];

	for (unsigned i = 0; i < FRAMES; i++) {
		memcpy(to[i % 64], p->mini, MINI_LEN);
		/* The compiler must not see what is never read. */
		__asm__ volatile("" : : "r"(to) : "memory");
	}
	kept = to[0][0];
}

struct costs {
	double mini_rx;
	double mini_tx;
	double full_rx;
	double setup;
	double hash;
	double copy;
};

static void report(struct costs c, bool json)
{
	const struct bench_figure f[] = {
		{ "mini_rx_ns", c.mini_rx, "ns" },
		{ "mini_tx_ns", c.mini_tx, "ns" },
		{ "full_rx_ns", c.full_rx, "ns, acknowledged" },
		{ "calls_per_s", 1e9 / c.setup,
		  "a second, set up and ended, both ends" },
		{ "blake2b_ns", c.hash, "ns, keyed, of 164 octets" },
		{ "memcpy_ns", c.copy, "ns, of 164 octets" },
		{ "mini_rx_per_blake2b", c.mini_rx / c.hash, "" },
		{ "mini_tx_per_blake2b", c.mini_tx / c.hash, "" },
		{ "full_rx_per_blake2b", c.full_rx / c.hash, "" },
		{ "call_per_blake2b", c.setup / c.hash, "" },
		{ "mini_rx_per_memcpy", c.mini_rx / c.copy, "" },
	};

	bench_print("proto", f, sizeof(f) / sizeof(f[0]), json);
}

int main(int argc, char *argv[])
{
	static struct pair p;
	double mini_rx, mini_tx, full_rx, setup, hash, copy;

	must(sodium_init() >= 0, "libsodium does not start");
	stand_up(&p);
	hash = bench_ns(hashes, &p, FRAMES);
	copy = bench_ns(copies, &p, FRAMES);
	mini_rx = bench_ns(minis_received, &p, FRAMES);
	must(p.s[1].voices == 1 + BENCH_ROUNDS * FRAMES,
	     "not every mini frame was heard");
	full_rx = bench_ns(fulls_received, &p, FRAMES);
	must(p.s[1].texts == BENCH_ROUNDS * FRAMES,
	     "not every text was received");
	pair_free(&p);

	stand_up(&p);
	mini_tx = bench_ns(minis_sent, &p, FRAMES);
	pair_free(&p);

	pair_new(&p);
	setup = bench_ns(calls_set_up, &p, SETUPS);
	must(p.s[0].ups == BENCH_ROUNDS * SETUPS && p.s[1].ups == p.s[0].ups,
	     "not every call came up");
	pair_free(&p);

	report((struct costs){ mini_rx, mini_tx, full_rx, setup, hash, copy },
	       bench_wants_json(argc, argv));
	return EXIT_SUCCESS;
}
