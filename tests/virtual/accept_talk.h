/* SPDX-License-Identifier: MIT */
#ifndef TESTS_VIRTUAL_ACCEPT_TALK_H
#define TESTS_VIRTUAL_ACCEPT_TALK_H

/* One node, and callers without a ticket that the test writes by hand. */

#include <string.h>

#include "daemon/node/node.h"
#include "proto/iax2_frame.h"
#include "proto/iax2_ie.h"
#include "tests/t.h"

#define STEP (10 * MONO_MS)

/* A caller, by its call number and address. */
struct caller {
	uint16_t callno;
	struct net_addr at;
	const char *called, *calling, *username, *name;
	uint8_t oseq, iseq;
	uint16_t there;
	bool up, rejected;
	unsigned cause;
	mono_us up_at;
	char challenge[64];
	unsigned texts;
};

static struct node *node;
static mono_us now;
static struct node_event asked; /* the last question */
static unsigned questions;
static struct node_event refused; /* the last refusal */
static unsigned refusals, ups, downs;
static char last_up[IAX2_NUMBER_MAX + 1], down_why[NODE_WHY_MAX];
static struct caller *callers[NODE_WAITING_MAX + 2];
static size_t callers_n;

/* A challenge of zeros, so that the signature below is one of it. */
static inline void zeros(void *ctx, uint8_t *buf, size_t len)
{
	static uint8_t secrets;

	(void)ctx;
	memset(buf, len >= 16 ? ++secrets : 0, len);
}

/* Call numbers that differ. */
static inline void chance(void *ctx, uint8_t *buf, size_t len)
{
	static uint8_t next = 1;

	if (len >= 8) {
		zeros(ctx, buf, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		buf[i] = next++;
}

static inline struct net_addr at(uint8_t last)
{
	return net_addr_v4(198, 51, 100, last, 4569);
}

static inline struct node_cfg usual(void)
{
	static const uint8_t seed[KEY_SEED_LEN] = { 9 };
	static struct key_identity id;
	static struct net_prefix all;

	key_identity_from_seed(&id, seed);
	return (struct node_cfg){
		.number = "2001",
		.identity = &id,
		.port = 4569,
		.keepalive_s = 15,
		.calls_max = 256,
		.limits = { .calls_per_addr = 256,
			    .half_open = 256,
			    .half_open_per_addr = 256,
			    .calls_per_s = 1000,
			    .auth_failures_per_min = 1000 },
		.token_optional = &all,
		.token_optional_n = 1,
		.jitter = { .min_ms = 40, .max_ms = 400 },
		.station = station_config_flat,
		.acl = { .registered = true, .by_address = true },
		.random = chance,
	};
}

static inline void begin(const struct node_cfg *cfg)
{
	now = 50 * MONO_S;
	questions = refusals = ups = downs = 0;
	memset(&refused, 0, sizeof(refused));
	callers_n = 0;
	node = node_new(cfg, now);
	T_TRUE(node != NULL);
}

static inline void end(void)
{
	node = node_free(node);
}

/* --- callers ------------------------------------------------------------ */

static inline void say(struct caller *c, uint8_t subclass, const uint8_t *body,
		       size_t len)
{
	const struct iax2_full f = {
		.src_callno = c->callno,
		.dst_callno = c->there,
		.ts_ms = 3U + c->oseq,
		.oseq = c->oseq,
		.iseq = c->iseq,
		.type = IAX2_FRAME_IAX,
		.subclass = subclass,
		.body = body,
		.body_len = len,
	};
	uint8_t buf[DGRAM_MAX];
	size_t n = 0;
	struct dgram d = { .path.peer = c->at, .data = buf };

	T_EQ(IAX2_OK, iax2_full_encode(&f, buf, sizeof(buf), &n));
	d.len = n;
	if (subclass != IAX2_IAX_ACK)
		c->oseq++;
	node_rx(node, &d, now);
}

static inline void on_reject(struct caller *c, const struct iax2_full *f)
{
	uint8_t cause = 0;

	(void)iax2_ie_u8(f->body, f->body_len, IAX2_IE_CAUSECODE, &cause);
	c->rejected = true;
	c->cause = cause;
}

static inline void hear(struct caller *c, const struct iax2_full *f)
{
	const bool iax = f->type == IAX2_FRAME_IAX;

	c->there = f->src_callno;
	if (iax && f->subclass == IAX2_IAX_ACK)
		return;
	if (f->oseq != c->iseq)
		return; /* again */
	c->iseq++;
	if (iax && f->subclass == IAX2_IAX_REJECT)
		on_reject(c, f);
	else if (iax && f->subclass == IAX2_IAX_AUTHREQ)
		T_TRUE(iax2_ie_text(f->body, f->body_len, IAX2_IE_CHALLENGE,
				    c->challenge, sizeof(c->challenge)));
	else if (f->type == IAX2_FRAME_CONTROL &&
		 f->subclass == IAX2_CONTROL_ANSWER) {
		c->up = true;
		c->up_at = now;
	}
	c->texts += f->type == IAX2_FRAME_TEXT;
	say(c, IAX2_IAX_ACK, NULL, 0);
}

static inline struct caller *caller_of(const struct dgram *d,
				       const struct iax2_full *f)
{
	for (size_t i = 0; i < callers_n; i++) {
		if (net_addr_equal(&callers[i]->at, &d->path.peer) &&
		    callers[i]->callno == f->dst_callno)
			return callers[i];
	}
	return NULL;
}

static inline void take_event(const struct node_event *ev)
{
	if (ev->kind == NODE_EV_WHO_IS || ev->kind == NODE_EV_WHICH_KEY ||
	    ev->kind == NODE_EV_WHOSE_TOKEN) {
		questions++;
		asked = *ev;
	} else if (ev->kind == NODE_EV_CALLER_REFUSED) {
		refusals++;
		refused = *ev;
	} else if (ev->kind == NODE_EV_LINK_UP) {
		ups++;
		memcpy(last_up, ev->number, sizeof(last_up));
	} else if (ev->kind == NODE_EV_LINK_DOWN) {
		downs++;
		memcpy(down_why, ev->why, sizeof(down_why));
	}
}

static inline void drain(void)
{
	struct node_event ev;
	struct iax2_full f;
	struct dgram d;

	while (node_next_tx(node, &d)) {
		if (iax2_full_decode(d.data, d.len, &f) == IAX2_OK) {
			struct caller *c = caller_of(&d, &f);

			if (c)
				hear(c, &f);
		}
	}
	while (node_next_event(node, &ev))
		take_event(&ev);
}

static inline void run(mono_us d)
{
	const mono_us until = now + d;

	drain();
	while (now < until) {
		now += STEP;
		node_tick(node, now);
		drain();
	}
}

static inline void put(struct wire_wr *w, uint8_t type, const char *text)
{
	if (text)
		iax2_ie_put_text(w, type, text);
}

/* Its NEW; what is not set is as a node of AllStarLink has it. */
static inline void call(struct caller *c)
{
	uint8_t body[256];
	struct wire_wr w = wire_wr(body, sizeof(body));

	if (!net_addr_is_set(&c->at))
		c->at = at(7);
	c->callno = (uint16_t)(100 + callers_n);
	callers[callers_n++] = c;
	iax2_ie_put_u16(&w, IAX2_IE_VERSION, 2);
	put(&w, IAX2_IE_CALLED_NUMBER, c->called ? c->called : "2001");
	put(&w, IAX2_IE_CALLING_NUMBER, c->calling);
	put(&w, IAX2_IE_CALLING_NAME, c->name);
	put(&w, IAX2_IE_USERNAME, c->username ? c->username : "radio");
	iax2_ie_put_u32(&w, IAX2_IE_FORMAT, IAX2_FORMAT_ULAW);
	iax2_ie_put_u32(&w, IAX2_IE_CAPABILITY, IAX2_FORMAT_ULAW);
	say(c, IAX2_IAX_NEW, body, (size_t)(w.p - body));
	drain();
}

static inline void prove(struct caller *c, uint8_t element, const char *answer)
{
	uint8_t body[256];
	struct wire_wr w = wire_wr(body, sizeof(body));

	T_TRUE(c->challenge[0] != '\0');
	put(&w, element, answer);
	say(c, IAX2_IAX_AUTHREP, body, (size_t)(w.p - body));
	drain();
}

static inline void prove_md5(struct caller *c, const char *secret)
{
	char md5[33];

	key_md5_response(c->challenge, secret, md5);
	prove(c, IAX2_IE_MD5_RESULT, md5);
}

static inline void hang_up(struct caller *c)
{
	say(c, IAX2_IAX_HANGUP, NULL, 0);
	drain();
}

/* --- answers ------------------------------------------------------------ */

static inline void it_is_at(struct net_addr where, bool configured)
{
	const struct node_admission a = { .addr = &where,
					  .n = 1,
					  .configured = configured };

	node_admit(node, asked.caller, &a, now);
	drain();
}

static inline void nobody_knows(const char *why)
{
	const struct node_admission a = { .why = why };

	node_admit(node, asked.caller, &a, now);
	drain();
}

static inline void it_is(const char *callsign)
{
	const struct node_admission a = { .callsign = callsign };

	node_admit(node, asked.caller, &a, now);
	drain();
}

/* The caller was refused, by a rule that begins so. */
static inline void turned_away(const struct caller *c, uint8_t cause,
			       const char *why)
{
	T_TRUE(c->rejected && !c->up);
	T_EQ(cause, c->cause);
	T_EQ(1, refusals);
	T_STR(why, refused.why);
	T_STR(c->calling ? c->calling : "", refused.number);
	T_TRUE(net_addr_equal(&c->at, &refused.addr));
	T_EQ(0, ups);
}

static inline void forbidden(const struct caller *c, const char *why)
{
	turned_away(c, 50, why);
}

/* There was no room: it may come again. */
static inline void put_off(const struct caller *c, const char *why)
{
	turned_away(c, 34, why);
}

#endif
