/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_IAX2_TALK_H
#define TESTS_UNIT_IAX2_TALK_H

/*
 * One endpoint in conversations written by hand: the test is its peer, which
 * speaks as Asterisk 22 was observed to, and its node.
 */

#include "proto/iax2_endpoint.h"

#include <sodium.h>
#include <string.h>

#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"
#include "tests/t.h"

#define OURS 2U /* the call number that zeros choose */
#define PEERS 0x1234U

static struct iax2_endpoint *ep;
static struct key_identity id;
static mono_us now;
static const struct net_addr peer = {
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7 }, 4569
};
static struct net_addr from;
static uint8_t sent[DGRAM_MAX]; /* the last frame taken */
static size_t sent_len;
static struct iax2_event ev;

/* Zeros for numbers, something else for each secret. */
static inline void zeros(void *ctx, uint8_t *buf, size_t len)
{
	static uint8_t secrets;

	(void)ctx;
	memset(buf, len >= 16 ? ++secrets : 0, len);
}

static inline struct iax2_endpoint_cfg usual_cfg(void)
{
	return (struct iax2_endpoint_cfg){
		.calls_max = 4,
		.tx_max = 64,
		.limits = { .calls_per_addr = 4,
			    .half_open = 4,
			    .half_open_per_addr = 2,
			    .calls_per_s = 1000,
			    .auth_failures_per_min = 1000 },
		.identity = &id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = zeros,
	};
}

static inline void start_as(const struct iax2_endpoint_cfg *cfg)
{
	const uint8_t seed[KEY_SEED_LEN] = { 9 };

	key_identity_from_seed(&id, seed);
	now = 50 * MONO_S;
	from = peer;
	iax2_endpoint_free(ep);
	ep = iax2_endpoint_new(cfg, now);
	T_TRUE(ep != NULL);
}

static inline void start(void)
{
	const struct iax2_endpoint_cfg cfg = usual_cfg();

	start_as(&cfg);
}

static inline bool take(void)
{
	struct dgram d;

	if (!iax2_endpoint_next_tx(ep, &d))
		return false;
	T_TRUE(net_addr_equal(&from, &d.path.peer));
	memcpy(sent, d.data, d.len);
	sent_len = d.len;
	return true;
}

static inline void nothing_sent(void)
{
	T_TRUE(!take());
}

/* The next frame is of this kind, with these sequence numbers. */
static inline struct iax2_full expect(uint8_t type, uint64_t subclass,
				      uint8_t oseq, uint8_t iseq)
{
	struct iax2_full f;

	T_TRUE(take());
	T_EQ(IAX2_OK, iax2_full_decode(sent, sent_len, &f));
	T_EQ(type, f.type);
	T_EQ(subclass, f.subclass);
	T_EQ(oseq, f.oseq);
	T_EQ(iseq, f.iseq);
	return f;
}

static inline enum iax2_err give_octets(const void *data, size_t len)
{
	uint8_t *copy = t_dup(data, len);
	const struct dgram d = { .path.peer = from, .data = copy, .len = len };
	const enum iax2_err err = iax2_endpoint_rx(ep, &d, now);

	free(copy);
	return err;
}

static inline enum iax2_err give(struct iax2_full f)
{
	uint8_t buf[DGRAM_MAX];
	size_t len = 0;

	T_EQ(IAX2_OK, iax2_full_encode(&f, buf, sizeof(buf), &len));
	return give_octets(buf, len);
}

/* A frame of the peer in its call with us. */
static inline enum iax2_err say(uint8_t type, uint64_t subclass, uint8_t oseq,
				uint8_t iseq, const void *body, size_t len)
{
	return give((struct iax2_full){
		.src_callno = PEERS,
		.dst_callno = OURS,
		.ts_ms = 100U + oseq,
		.oseq = oseq,
		.iseq = iseq,
		.type = type,
		.subclass = subclass,
		.body = body,
		.body_len = len,
	});
}

static inline enum iax2_err say_iax(uint8_t subclass, uint8_t oseq,
				    uint8_t iseq)
{
	return say(IAX2_FRAME_IAX, subclass, oseq, iseq, NULL, 0);
}

static inline void mini(uint16_t ts)
{
	uint8_t buf[164] = { PEERS >> 8, PEERS & 0xff, (uint8_t)(ts >> 8),
			     (uint8_t)ts };

	(void)give_octets(buf, sizeof(buf));
}

static inline void event(enum iax2_event_kind kind)
{
	T_TRUE(iax2_endpoint_next_event(ep, &ev));
	T_EQ(kind, ev.kind);
}

static inline void no_event(void)
{
	T_TRUE(!iax2_endpoint_next_event(ep, &ev));
}

static inline void wait_us(mono_us d)
{
	now += d;
	iax2_endpoint_tick(ep, now);
}

static inline struct iax2_call_id dial(const char *secret)
{
	const struct iax2_dial d = {
		.path.peer = peer,
		.called = "2000",
		.calling = "2001",
		.username = "radio",
		.md5_secret = secret,
	};
	struct iax2_call_id call;

	T_EQ(IAX2_OK, iax2_dial(ep, &d, now, &call));
	return call;
}

/* An outbound call that is up; both have 2 frames behind them. */
static inline struct iax2_call_id up(void)
{
	static const uint8_t format[] = { 9, 4, 0, 0, 0, 4 };
	struct iax2_call_id call;

	start();
	call = dial(NULL);
	T_TRUE(take());
	(void)say(IAX2_FRAME_IAX, IAX2_IAX_ACCEPT, 0, 1, format,
		  sizeof(format));
	(void)say(IAX2_FRAME_CONTROL, IAX2_CONTROL_ANSWER, 1, 1, NULL, 0);
	event(IAX2_EV_CALL_ACCEPTED);
	event(IAX2_EV_CALL_UP);
	(void)expect(IAX2_FRAME_IAX, IAX2_IAX_ACK, 1, 2);
	nothing_sent();
	return call;
}

#endif
