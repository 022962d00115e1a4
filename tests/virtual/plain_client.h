/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_PLAIN_CLIENT_H
#define TESTS_VIRTUAL_PLAIN_CLIENT_H

/*
 * Plain IAX2 clients, "3000" with the secret "sesame" among them, that speak
 * to a registrar frame by frame.  After begin() @client and @stranger are two
 * addresses; each say() leaves its answer, of which there is at most one.
 */

#include <string.h>

#include "proto/iax2_ie.h"
#include "proto/openover_msg.h"
#include "tests/t.h"
#include "tests/virtual/oo_world.h"

#define OURS 0x1234 /* the client's call number */

static struct world w;
static struct net_addr client, stranger;
static struct oo_registrar_cfg limits;

/* The last answer, and what it answered. */
static uint8_t answer[DGRAM_MAX];
static struct oo_msg got;
static size_t answer_len, sent_len;
static unsigned answers;

struct say {
	uint8_t subclass;
	uint16_t dst;
	const char *user;
	const char *token; /* NULL: no CALLTOKEN */
	const char *md5;   /* NULL: no MD5 RESULT */
	int refresh;       /* 0: none */
};

static inline const struct oo_registrar_counters *count(void)
{
	return oo_registrar_counters(w.registrar);
}

static inline struct oo_plain *record(const char *name)
{
	return oo_plains_find(oo_registrar_plains(w.registrar), name);
}

static inline bool online(const char *name)
{
	return oo_plain_is_online(record(name), w.now);
}

static inline unsigned events(enum oo_registrar_event_kind kind,
			      const char *name)
{
	struct oo_registrar_event ev;
	unsigned n = 0;

	while (oo_registrar_next_event(w.registrar, &ev))
		n += ev.kind == kind && strcmp(ev.number, name) == 0;
	return n;
}

static inline void begin(void)
{
	world_init(&w);
	client = net_addr_v4(10, 7, 7, 7, 4569);
	stranger = net_addr_v4(10, 9, 9, 9, 4569);
	limits = (struct oo_registrar_cfg){
		.refresh_s = 300,
		.registrations_per_min = 60,
		.opens_per_min = 60,
		.auth_failures_per_min = 4,
	};
	T_TRUE(oo_registrar_limits(w.registrar, &limits));
	T_EQ(IAX2_OK, oo_registrar_plain_put(w.registrar, "3000", "sesame"));
}

static inline void put(const uint8_t *data, size_t len,
		       const struct net_addr *from)
{
	struct dgram d;

	(void)world_inject(&w, REGISTRAR, from, data, len);
	sent_len = len;
	answers = 0;
	answer_len = 0;
	while (oo_registrar_next_tx(w.registrar, &d)) {
		T_TRUE(net_addr_equal(from, &d.path.peer));
		memcpy(answer, d.data, d.len);
		answer_len = d.len;
		answers++;
	}
	T_TRUE(answers <= 1);
	memset(&got, 0, sizeof(got));
	if (answers > 0)
		T_EQ(IAX2_OK, oo_msg_decode(answer, answer_len, &got));
}

static inline void say(const struct say *s, const struct net_addr *from)
{
	const struct iax2_full hdr = {
		.src_callno = OURS,
		.dst_callno = s->dst,
		.ts_ms = 3,
		.oseq = s->dst != 0,
		.iseq = s->dst != 0,
	};
	uint8_t buf[OO_FRAME_MAX];
	struct wire_wr wr = oo_frame_begin(buf, s->subclass, &hdr);

	iax2_ie_put_text(&wr, IAX2_IE_USERNAME, s->user);
	if (s->md5)
		iax2_ie_put_text(&wr, IAX2_IE_MD5_RESULT, s->md5);
	if (s->refresh)
		iax2_ie_put_u16(&wr, IAX2_IE_REFRESH, (uint16_t)s->refresh);
	if (s->token)
		iax2_ie_put_text(&wr, IAX2_IE_CALLTOKEN, s->token);
	T_TRUE(!wr.bad);
	put(buf, (size_t)(wr.p - buf), from);
}

/* Up to the REGAUTH, as Asterisk does it. */
static inline void ask(uint8_t subclass, const char *user,
		       const struct net_addr *from)
{
	char token[OO_TOKEN_TEXT_MAX + 1];

	say(&(struct say){ subclass, 0, user, "", NULL, 60 }, from);
	T_EQ(1, answers);
	T_EQ(IAX2_IAX_CALLTOKEN, got.hdr.subclass);
	T_TRUE(answer_len <= sent_len);
	memcpy(token, got.calltoken, sizeof(token));
	say(&(struct say){ subclass, 0, user, token, NULL, 60 }, from);
	T_EQ(1, answers);
	T_EQ(IAX2_IAX_REGAUTH, got.hdr.subclass);
}

/* What answers the challenge in hand. */
static inline struct say response(uint8_t subclass, const char *user,
				  const char *secret, char md5[33])
{
	key_md5_response(got.challenge, secret, md5);
	return (struct say){
		subclass, got.hdr.src_callno, user, NULL, md5, 60
	};
}

/* The whole exchange; the last answer's subclass. */
static inline uint64_t exchange(uint8_t subclass, const char *user,
				const char *secret, const struct net_addr *from)
{
	char md5[33];
	struct say s;

	ask(subclass, user, from);
	s = response(subclass, user, secret, md5);
	say(&s, from);
	return answers ? got.hdr.subclass : 0;
}

#endif
