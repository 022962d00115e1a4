/* SPDX-License-Identifier: MIT */

/* A conference of a thousand: one talks, all others listen; and the ears that
 * those who talk share. */

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/node/node_priv.h"
#include "tests/t.h"

#define CALLS 1000U
#define STEP_US (5 * MONO_MS)
#define BEAT 4U /* steps */

struct hearer {
	struct iax2_call_id call;
	unsigned frames;
	unsigned beat;   /* of the last one */
	unsigned missed; /* at a time */
	unsigned messages;
	bool up;
};

struct world {
	mono_us now;
	struct node *node;
	struct iax2_endpoint *ep; /* of all others */
	struct node_peer *peers;
	struct hearer hearer[CALLS];
	uint16_t by_slot[CALLS];
	unsigned up, down;
	bool talks;
	unsigned talker;
	bool spurt;
	uint32_t ts;
	unsigned steps;
	unsigned takes;   /* steps from one exchange to the next */
	unsigned at_once; /* calls that are placed before the next step */
	bool unproved;    /* no challenge reaches them */
	unsigned room;    /* for voice from the hub, each beat; 0: any */
	unsigned used;
};

static struct world w;

static void random_octets(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
}

static void number(unsigned i, char out[OO_NUMBER_MAX + 1])
{
	(void)snprintf(out, OO_NUMBER_MAX + 1, "%u", 10000 + i);
}

static struct net_addr address(unsigned i)
{
	return net_addr_v4(10, 1, (uint8_t)(i >> 8), (uint8_t)i, 4569);
}

static const struct net_addr hub = { .ip = { [10] = 0xff, 0xff, 10, 0, 0, 1 },
				     .port = 4569 };

static struct node *make_node(const struct node_peer *peers, uint16_t calls)
{
	static const uint8_t seed[KEY_SEED_LEN] = { 1 };
	struct key_identity id;
	const struct node_cfg cfg = {
		.number = "2000",
		.identity = &id,
		.port = 4569,
		.keepalive_s = 15,
		.calls_max = calls,
		.limits = { 8, 8192, 8, 100, 100 },
		.formats = { .v = { IAX2_FORMAT_ULAW }, .n = 1 },
		.jitter = { .min_ms = 40, .max_ms = 400 },
		.station = station_config_flat,
		.peers = peers,
		.peers_n = peers ? CALLS : 0,
		.random = random_octets,
	};

	key_identity_from_seed(&id, seed);
	return node_new(&cfg, MONO_S);
}

static void begin(void)
{
	static const uint8_t seed[KEY_SEED_LEN] = { 2 };
	struct key_identity id;
	const struct iax2_endpoint_cfg ep = {
		.calls_max = CALLS,
		.tx_max = 16384,
		.limits = { 8192, 8192, 8192, 1000, 1000 },
		.identity = &id,
		.prefs = { IAX2_FORMAT_ULAW },
		.prefs_n = 1,
		.random = random_octets,
	};

	memset(&w, 0, sizeof(w));
	w.now = MONO_S;
	w.takes = 1;
	w.at_once = 50;
	w.peers = calloc(CALLS, sizeof(w.peers[0]));
	T_TRUE(w.peers != NULL);
	for (unsigned i = 0; i < CALLS; i++) {
		number(i, w.peers[i].number);
		(void)snprintf(w.peers[i].md5_secret,
			       sizeof(w.peers[i].md5_secret), "secret");
	}
	w.node = make_node(w.peers, CALLS * 4 / 3 + 4);
	key_identity_from_seed(&id, seed);
	w.ep = iax2_endpoint_new(&ep, w.now);
	T_TRUE(w.node != NULL && w.ep != NULL);
}

static void end(void)
{
	iax2_endpoint_free(w.ep);
	node_free(w.node);
	free(w.peers);
}

static unsigned max(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

static void take_events(void)
{
	struct iax2_event ev;
	struct node_event own;

	while (node_next_event(w.node, &own))
		;
	while (iax2_endpoint_next_event(w.ep, &ev)) {
		struct hearer *h = &w.hearer[w.by_slot[ev.call.slot]];

		if (ev.kind == IAX2_EV_CALL_UP) {
			h->up = true;
			w.up++;
		} else if (ev.kind == IAX2_EV_CALL_DOWN) {
			h->up = false;
			w.down++;
		} else if (ev.kind == IAX2_EV_VOICE) {
			h->missed =
				max(h->missed, w.steps / BEAT - h->beat - 1);
			h->beat = w.steps / BEAT;
			h->frames++;
		} else if (ev.kind == IAX2_EV_TEXT) {
			h->messages += ev.u.text.data[0] == 'M';
		}
	}
}

static bool is_challenge(const struct dgram *d)
{
	return d->len > 11 && (d->data[0] & 0x80) != 0 &&
	       d->data[10] == IAX2_FRAME_IAX && d->data[11] == IAX2_IAX_AUTHREQ;
}

/* A port that takes no more than so many small frames. */
static bool passes(const struct dgram *d)
{
	return w.room == 0 || (d->data[0] & 0x80) != 0 || w.used++ < w.room;
}

/* A datagram each way as long as there is one; each of the others is at an
 * address of its own, which the path's local end says. */
static void exchange(void)
{
	bool more = true;

	while (more) {
		struct dgram d;

		more = false;
		while (iax2_endpoint_next_tx(w.ep, &d)) {
			struct dgram in = d;

			memcpy(in.path.peer.ip, d.path.local_ip, 16);
			in.path.peer.port = 4569;
			memcpy(in.path.local_ip, hub.ip, 16);
			node_rx(w.node, &in, w.now);
			more = true;
		}
		while (node_next_tx(w.node, &d)) {
			struct dgram in = d;

			if ((w.unproved && is_challenge(&d)) || !passes(&d))
				continue;
			in.path.peer = hub;
			memcpy(in.path.local_ip, d.path.peer.ip, 16);
			(void)iax2_endpoint_rx(w.ep, &in, w.now);
			take_events();
			more = true;
		}
		take_events();
	}
}

static void say(void)
{
	uint8_t codes[160];

	memset(codes, 0x84, sizeof(codes));
	T_EQ(IAX2_OK,
	     iax2_send_voice(w.ep, w.hearer[w.talker].call,
			     &(struct iax2_voice){ codes, sizeof(codes), w.ts,
						   w.spurt },
			     w.now));
	w.spurt = false;
	w.ts += 20;
}

static void run(mono_us us)
{
	static const int16_t silence[AUDIO_BLOCK];
	const mono_us until = w.now + us;
	int16_t tx[AUDIO_BLOCK];

	while (w.now < until) {
		w.now += STEP_US;
		if (w.now >= iax2_endpoint_deadline(w.ep))
			iax2_endpoint_tick(w.ep, w.now);
		if (w.now >= node_deadline(w.node))
			node_tick(w.node, w.now);
		if (++w.steps % BEAT == 0) {
			w.used = 0;
			if (w.talks)
				say();
			(void)node_audio(w.node, silence, tx, w.now);
		}
		if (w.steps % w.takes == 0)
			exchange();
	}
}

static void join_all(void)
{
	for (unsigned i = 0; i < CALLS; i++) {
		char own[OO_NUMBER_MAX + 1];
		struct iax2_dial d = { .path.peer = hub,
				       .called = "2000",
				       .calling = own,
				       .username = own,
				       .md5_secret = "secret" };
		const struct net_addr at = address(i);

		number(i, own);
		memcpy(d.path.local_ip, at.ip, 16);
		T_EQ(IAX2_OK, iax2_dial(w.ep, &d, w.now, &w.hearer[i].call));
		w.by_slot[w.hearer[i].call.slot] = (uint16_t)i;
		if (i % w.at_once == w.at_once - 1)
			run(STEP_US);
	}
	run(MONO_S);
}

static unsigned links(void)
{
	struct node_link_info l;
	unsigned n = 0;

	for (size_t i = 0; i < node_links_max(w.node); i++)
		n += node_link_at(w.node, i, &l) && l.state == NODE_LINK_UP;
	return n;
}

static void hear_one(void)
{
	T_EQ(IAX2_OK, iax2_media_time(w.ep, w.hearer[0].call, w.now, &w.ts));
	w.spurt = true;
	w.talks = true;
	run(MONO_S);
	for (unsigned i = 0; i < CALLS; i++)
		w.hearer[i].frames = 0;
	run(2 * MONO_S);
	for (unsigned i = 1; i < CALLS; i++)
		T_EQ(100, w.hearer[i].frames);
	T_EQ(0, w.hearer[0].frames);
	T_EQ(0, w.down);
}

static void a_thousand_hear_one(void)
{
	begin();
	join_all();
	T_EQ(CALLS, w.up);
	T_EQ(CALLS, links());
	hear_one();
	end();
}

/* As after a hub was cut off, or a loop was held up. */
static void all_that_come_at_once_are_let_in(void)
{
	begin();
	w.at_once = CALLS;
	join_all();
	T_EQ(CALLS, w.up);
	T_EQ(0, w.down);
	end();
}

static void peers_leave_places_to_those_who_need_one(void)
{
	size_t waiting = 0;

	begin();
	w.unproved = true;
	join_all();
	for (size_t i = 0; i < NODE_WAITING_MAX; i++)
		waiting += w.node->waiting[i].state != WAITING_FREE;
	T_EQ(NODE_WAITING_MAX / 2, waiting);
	end();
}

/* Nobody takes what a beat has for them before the next one. */
static void a_beat_that_nobody_took_is_not_lost(void)
{
	begin();
	join_all();
	w.takes = 8;
	hear_one();
	end();
}

/* Where a fifth of each beat is lost, it is not always the same who lose it,
 * and none of them loses much at a time. */
static void a_port_that_is_too_slow_is_so_for_everybody(void)
{
	begin();
	join_all();
	T_EQ(IAX2_OK, iax2_media_time(w.ep, w.hearer[0].call, w.now, &w.ts));
	w.spurt = true;
	w.talks = true;
	run(MONO_S);
	for (unsigned i = 0; i < CALLS; i++) {
		w.hearer[i].frames = 0;
		w.hearer[i].missed = 0;
	}
	w.room = CALLS * 4 / 5;
	run(4 * MONO_S);
	for (unsigned i = 1; i < CALLS; i++) {
		T_TRUE(w.hearer[i].frames >= 140);
		T_TRUE(w.hearer[i].missed <= 2);
	}
	T_EQ(0, w.down);
	end();
}

#define PREFERRED 80U

static unsigned times_among(const struct net_addr *peer, unsigned who)
{
	const struct net_addr at = address(who);
	unsigned times = 0;

	for (size_t i = 0; i < PREFERRED; i++)
		times += net_addr_equal(&peer[i], &at);
	return times;
}

/* Of a thousand not all can be read before strangers. */
static void who_talks_is_the_first_of_the_peers(void)
{
	struct net_addr peer[PREFERRED];
	const struct net_addr at = address(CALLS / 2);

	begin();
	join_all();
	T_EQ(PREFERRED, node_peers(w.node, peer, PREFERRED));
	T_EQ(0, times_among(peer, CALLS / 2));
	w.talker = CALLS / 2;
	T_EQ(IAX2_OK,
	     iax2_media_time(w.ep, w.hearer[w.talker].call, w.now, &w.ts));
	w.spurt = true;
	w.talks = true;
	run(200 * MONO_MS);
	T_EQ(PREFERRED, node_peers(w.node, peer, PREFERRED));
	T_TRUE(net_addr_equal(&at, &peer[0]));
	T_EQ(1, times_among(peer, CALLS / 2));
	T_EQ(1, times_among(peer, 0) + times_among(peer, CALLS - 1));
	T_EQ(1, node_peers(w.node, peer, 1));
	end();
}

static void write_to_all(unsigned i)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "M %u 0 I am %u", 10000 + i, i);
	T_EQ(IAX2_OK, iax2_send_text(w.ep, w.hearer[i].call, text, w.now));
}

/* Each would be passed on to all others: together a hundred thousand. */
static void what_many_say_at_once_is_passed_on_within_bounds(void)
{
	const struct node_text_counters *c;
	unsigned passed;

	begin();
	join_all();
	run(MONO_S);
	c = node_text_counters(w.node);
	for (unsigned i = 0; i < 100; i++)
		write_to_all(i);
	run(100 * MONO_MS);
	/* To the last one, who has written nothing itself. */
	passed = w.hearer[CALLS - 1].messages;
	T_TRUE(passed >= 4 && passed <= 6);
	T_EQ(100 - passed, c->limited);
	/* All others were told the same. */
	for (unsigned i = 100; i < CALLS; i++)
		T_EQ(passed, w.hearer[i].messages);
	for (unsigned i = 0; i < 15; i++) {
		run(60 * MONO_MS);
		write_to_all(i);
	}
	run(100 * MONO_MS);
	T_EQ(passed + 15, w.hearer[CALLS - 1].messages);
	T_EQ(100 - passed, c->limited);
	T_EQ(0, c->unsent);
	T_EQ(0, w.down);
	end();
}

static void who_left_makes_room_for_others(void)
{
	begin();
	for (unsigned round = 0; round < 2; round++) {
		w.up = 0;
		w.down = 0;
		join_all();
		T_EQ(CALLS, w.up);
		for (unsigned i = 0; i < CALLS; i++)
			(void)iax2_hangup(w.ep, w.hearer[i].call, NULL, 16,
					  w.now);
		run(MONO_S);
		T_EQ(CALLS, w.down);
		T_EQ(0, links());
		run(10 * MONO_S);
	}
	end();
}

/* --- ears --------------------------------------------------------------- */

static void frame(struct node *n, struct link *l, mono_us at)
{
	static const uint8_t codes[160];
	const struct iax2_event ev = { .kind = IAX2_EV_VOICE,
				       .u.voice = { .format = IAX2_FORMAT_ULAW,
						    .data = codes,
						    .len = sizeof(codes),
						    .spurt = true } };

	n->arrived = at;
	node_voice_in(n, l, &ev);
}

static void whoever_is_silent_longest_gives_its_ear(void)
{
	struct node *n = make_node(NULL, NODE_EARS + 2);

	T_TRUE(n != NULL);
	for (unsigned i = 0; i < NODE_EARS; i++) {
		struct link *l = &n->link[i];

		frame(n, l, (NODE_EARS - i) * MONO_S);
		T_TRUE(l->ear && l->ear->of == l);
	}
	/* All of them talk. */
	frame(n, &n->link[NODE_EARS], 90 * MONO_S);
	T_TRUE(n->link[NODE_EARS].ear == NULL);
	for (unsigned i = 0; i < NODE_EARS; i++)
		n->link[i].ear->jitter.state = JITTER_STATE_IDLE;
	n->link[NODE_EARS - 1].talking = true;
	n->link[NODE_EARS - 2].rx_keyed = true;
	frame(n, &n->link[NODE_EARS], 91 * MONO_S);
	T_TRUE(n->link[NODE_EARS].ear != NULL);
	T_TRUE(n->link[NODE_EARS - 3].ear == NULL);
	T_TRUE(n->link[NODE_EARS - 1].ear && n->link[NODE_EARS - 2].ear);
	/* What was counted is not lost. */
	T_EQ(1, n->link[NODE_EARS - 3].before.frames);
	node_voice_drop(n, &n->link[0]);
	frame(n, &n->link[NODE_EARS - 3], 92 * MONO_S);
	T_TRUE(n->link[NODE_EARS - 3].ear != NULL);
	T_EQ(2, n->link[NODE_EARS - 3].ear->jitter.counters.frames);
	node_free(n);
}

static void two_of_one_number_are_told_apart(void)
{
	struct node *n = make_node(NULL, 8);
	struct link *a = link_new(n), *b = link_new(n);

	T_TRUE(a && b);
	a->state = NODE_LINK_UP;
	b->state = NODE_LINK_UP;
	link_set_number(n, a, "3000");
	T_TRUE(link_by_number(n, "3000") == a);
	T_TRUE(!link_is_twice(n, a, "3000") && link_is_twice(n, b, "3000"));
	link_set_number(n, b, "3000");
	T_TRUE(link_by_number(n, "3000") == (a < b ? a : b));
	link_set_number(n, a, "3001");
	T_TRUE(link_by_number(n, "3000") == b);
	T_TRUE(link_by_number(n, "3001") == a);
	T_TRUE(link_by_number(n, "") == NULL);
	b->state = NODE_LINK_FREE;
	link_give_back(n, b);
	link_give_back(n, b);
	T_TRUE(link_by_number(n, "3000") == NULL);
	T_EQ(node_links_max(n) - 1, n->free_n);
	node_free(n);
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(a_thousand_hear_one);
	T_RUN(all_that_come_at_once_are_let_in);
	T_RUN(peers_leave_places_to_those_who_need_one);
	T_RUN(a_beat_that_nobody_took_is_not_lost);
	T_RUN(a_port_that_is_too_slow_is_so_for_everybody);
	T_RUN(who_talks_is_the_first_of_the_peers);
	T_RUN(what_many_say_at_once_is_passed_on_within_bounds);
	T_RUN(who_left_makes_room_for_others);
	T_RUN(whoever_is_silent_longest_gives_its_ear);
	T_RUN(two_of_one_number_are_told_apart);
	return T_DONE();
}
