/* SPDX-License-Identifier: MIT */

#include "tests/virtual/move_world.h"

#include <string.h>

#include "tests/t.h"

#define LOG_MAX 4096

struct side side[SIDES];
mono_us now;
struct frame frames[LOG_MAX];
size_t frames_n;
uint32_t features_of[SIDES];
int lose_move;
static uint64_t rng;

static void unpredictable(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		rng = rng * UINT64_C(6364136223846793005) + 1442695040888963407;
		buf[i] = (uint8_t)(rng >> 56);
	}
}

struct net_addr place(uint8_t n)
{
	return net_addr_v4(198, 51, 100, n, 4569);
}

static bool is_move(const uint8_t *p, size_t len)
{
	return len >= IAX2_FULL_HDR_LEN && (p[0] & 0x80) &&
	       p[10] == IAX2_FRAME_IAX && p[11] == IAX2_IAX_MOVE;
}

uint8_t step_of(const struct frame *f)
{
	uint8_t step = 0;

	if (is_move(f->data, f->len))
		(void)iax2_ie_u8(f->data + IAX2_FULL_HDR_LEN,
				 f->len - IAX2_FULL_HDR_LEN, IAX2_IE_KH_STEP,
				 &step);
	return step;
}

static void events(struct side *s)
{
	struct iax2_event ev;

	while (iax2_endpoint_next_event(s->ep, &ev)) {
		if (ev.kind == IAX2_EV_CALL_IN) {
			s->call = ev.call;
			T_EQ(IAX2_OK, iax2_accept(s->ep, ev.call, now));
		}
		s->texts += ev.kind == IAX2_EV_TEXT;
		s->voices += ev.kind == IAX2_EV_VOICE;
		s->silent += ev.kind == IAX2_EV_CALL_SILENT;
		s->failed += ev.kind == IAX2_EV_MOVE_FAILED;
		if (ev.kind == IAX2_EV_CALL_DOWN) {
			s->down = true;
			s->why = ev.u.down.reason;
		}
		if (ev.kind == IAX2_EV_CALL_MOVED) {
			s->moved++;
			s->from = ev.u.moved.from;
			s->to = ev.u.moved.to;
			s->ours = ev.u.moved.ours;
		}
	}
}

enum iax2_err give(int to, const struct net_addr *src, const uint8_t *data,
		   size_t len)
{
	return give_by(to, &(struct net_path){ .peer = *src }, data, len);
}

enum iax2_err give_by(int to, const struct net_path *path, const uint8_t *data,
		      size_t len)
{
	uint8_t *copy = t_dup(data, len);
	const struct dgram d = { .path = *path, .data = copy, .len = len };
	const enum iax2_err err = iax2_endpoint_rx(side[to].ep, &d, now);

	free(copy);
	events(&side[to]);
	return err;
}

/* Take what @from sends; it arrives where somebody is. */
bool carry(int from)
{
	const int to = 1 - from;
	struct frame *f = &frames[frames_n];
	struct dgram d;

	if (!iax2_endpoint_next_tx(side[from].ep, &d))
		return false;
	f->from = from;
	f->dst = d.path.peer;
	f->src = net_addr_equal(&f->dst, &side[to].also) ? side[from].also
							 : side[from].at;
	f->len = d.len;
	memcpy(f->data, d.data, d.len);
	if (d.data[0] & 0x80) {
		T_TRUE(frames_n < LOG_MAX - 1);
		frames_n++;
	}
	if (is_move(d.data, d.len) && lose_move > 0 && --lose_move == 0)
		return true;
	if (net_addr_equal(&f->dst, &side[to].at) ||
	    net_addr_equal(&f->dst, &side[to].also))
		(void)give(to, &f->src, f->data, f->len);
	return true;
}

void settle(void)
{
	while (carry(A) || carry(B))
		;
}

void run(mono_us d)
{
	const mono_us until = now + d;

	for (;;) {
		mono_us due;

		settle();
		due = mono_min(iax2_endpoint_deadline(side[A].ep),
			       iax2_endpoint_deadline(side[B].ep));
		if (due > until)
			break;
		now = due > now ? due : now;
		for (int i = 0; i < SIDES; i++) {
			iax2_endpoint_tick(side[i].ep, now);
			events(&side[i]);
		}
	}
	now = until;
}

/* A call that is up, by ticket or without. */
void begin(bool ticketed)
{
	struct iax2_ticket t = { .id = 77, .key = { 1, 2, 3 } };
	struct iax2_dial dial = { .path.peer = place(2),
				  .called = "2002",
				  .calling = "2001" };
	struct iax2_endpoint_cfg cfg = {
		.calls_max = 8,
		.tx_max = 256,
		.limits = { 8, 8, 8, 1000, 1000 },
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = unpredictable,
	};

	now = 100 * MONO_S;
	rng = 5;
	lose_move = 0;
	for (int i = 0; i < SIDES; i++) {
		const uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };

		iax2_endpoint_free(side[i].ep);
		memset(&side[i], 0, sizeof(side[i]));
		side[i].at = place((uint8_t)(i + 1));
		key_identity_from_seed(&side[i].id, seed);
		cfg.identity = &side[i].id;
		cfg.features = features_of[i];
		side[i].ep = iax2_endpoint_new(&cfg, now);
		T_TRUE(side[i].ep != NULL);
	}
	t.expires = now + 10 * MONO_S;
	memcpy(t.peer_key, side[A].id.public_key, KEY_PUBLIC_LEN);
	memcpy(t.peer_number, "2001", 5);
	T_EQ(IAX2_OK, iax2_expect(side[B].ep, &t, &side[A].at, now));
	memcpy(t.peer_key, side[B].id.public_key, KEY_PUBLIC_LEN);
	memcpy(t.peer_number, "2002", 5);
	if (ticketed)
		dial.ticket = &t;
	T_EQ(IAX2_OK, iax2_dial(side[A].ep, &dial, now, &side[A].call));
	run(5 * MONO_S);
	frames_n = 0;
}

struct iax2_call_info info(int i)
{
	struct iax2_call_info c;

	T_EQ(IAX2_OK, iax2_call_info(side[i].ep, side[i].call, &c));
	T_TRUE(c.up);
	return c;
}

/* Both ends send where the other one is. */
void meet(void)
{
	for (int i = 0; i < SIDES; i++) {
		const struct iax2_call_info c = info(i);

		T_TRUE(net_addr_equal(&side[1 - i].at, &c.path.peer));
	}
}

void say(int i, const char *text)
{
	T_EQ(IAX2_OK, iax2_send_text(side[i].ep, side[i].call, text, now));
}

void speak(int i, unsigned n, bool spurt)
{
	static const uint8_t silence[160] = { 0 };

	for (unsigned k = 0; k < n; k++) {
		struct iax2_voice v = { silence, sizeof(silence), 0,
					spurt && k == 0 };

		T_EQ(IAX2_OK,
		     iax2_media_time(side[i].ep, side[i].call, now, &v.ts_ms));
		(void)iax2_send_voice(side[i].ep, side[i].call, &v, now);
		run(20 * MONO_MS);
	}
}

void move(int i, const struct net_path *path)
{
	T_EQ(IAX2_OK, iax2_move(side[i].ep, side[i].call, path, now));
}

const struct frame *last_step(uint8_t step)
{
	for (size_t i = frames_n; i-- > 0;) {
		if (step_of(&frames[i]) == step)
			return &frames[i];
	}
	t_fail_str(__FILE__, __LINE__, "the frames", "such a step", "none");
}

unsigned count_steps(int from)
{
	unsigned n = 0;

	for (size_t i = 0; i < frames_n; i++)
		n += frames[i].from == from && step_of(&frames[i]) != 0;
	return n;
}

void move_end(void)
{
	for (int i = 0; i < SIDES; i++)
		side[i].ep = iax2_endpoint_free(side[i].ep);
}
