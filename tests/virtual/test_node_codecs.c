/* SPDX-License-Identifier: MIT */

/*
 * Nodes that speak different codecs hear one another: a hub and its leaves on
 * a simulated network.  Then a link's voice by itself, with what no node of
 * ours sends.
 */

#include <math.h>
#include <sodium.h>
#include <string.h>

#include "daemon/node/node_priv.h"
#include "tests/t.h"
#include "tests/virtual/fake_net.h"

#define PI 3.14159265358979323846
#define NODES 4
#define HUB 0
#define SECOND 50U /* blocks */

struct station {
	struct node *node;
	struct key_identity id;
	struct node_peer peers[NODES];
	int16_t heard[SECOND * AUDIO_BLOCK]; /* of the last second */
	unsigned keyed;
};

struct scene {
	struct fake_net *net;
	struct station at[NODES];
	unsigned n;
};

static void place_rx(void *ctx, const struct dgram *d, mono_us now)
{
	node_rx(((struct station *)ctx)->node, d, now);
}

static void place_tick(void *ctx, mono_us now)
{
	node_tick(((struct station *)ctx)->node, now);
}

static mono_us place_deadline(void *ctx)
{
	return node_deadline(((struct station *)ctx)->node);
}

static bool place_tx(void *ctx, struct dgram *out)
{
	return node_next_tx(((struct station *)ctx)->node, out);
}

static struct net_addr address(unsigned i)
{
	return net_addr_v4(198, 51, 100, (uint8_t)(20 + i), 4569);
}

static void number(unsigned i, char out[OO_NUMBER_MAX + 1])
{
	(void)snprintf(out, OO_NUMBER_MAX + 1, "%u", 2000 + i);
}

static struct node *make_node(struct station *s, unsigned i,
			      const struct node_formats *formats,
			      struct fake_net *net)
{
	const uint8_t seed[KEY_SEED_LEN] = { (uint8_t)(i + 1) };
	char own[OO_NUMBER_MAX + 1];
	const struct node_cfg cfg = {
		.number = own,
		.identity = &s->id,
		.port = 4569,
		.keepalive_s = 15,
		.calls_max = 8,
		.limits = { 8, 8, 8, 100, 100 },
		.formats = *formats,
		.jitter = { .min_ms = 40, .max_ms = 400 },
		.station = station_config_flat,
		.peers = s->peers,
		.peers_n = NODES,
		.random = fake_net_random,
		.random_ctx = net,
	};

	number(i, own);
	key_identity_from_seed(&s->id, seed);
	for (unsigned k = 0; k < NODES; k++) {
		number(k, s->peers[k].number);
		(void)snprintf(s->peers[k].md5_secret,
			       sizeof(s->peers[k].md5_secret), "secret");
	}
	return node_new(&cfg, fake_net_now(net));
}

/* The hub speaks @formats[0], each leaf the next; the leaves call it. */
static void begin(struct scene *s, const struct node_formats *formats,
		  unsigned n)
{
	const struct fake_weather fair = { .delay = 25 * MONO_MS };

	memset(s, 0, sizeof(*s));
	s->net = fake_net_new(1, MONO_S);
	s->n = n;
	fake_net_weather(s->net, &fair);
	for (unsigned i = 0; i < n; i++) {
		const struct fake_machine m = { .ctx = &s->at[i],
						.rx = place_rx,
						.tick = place_tick,
						.deadline = place_deadline,
						.next_tx = place_tx };
		const struct net_addr at = address(i);

		s->at[i].node = make_node(&s->at[i], i, &formats[i], s->net);
		T_TRUE(s->at[i].node != NULL);
		fake_net_address(s->net, fake_net_attach(s->net, &m), &at,
				 FAKE_NO_NAT);
	}
	for (unsigned i = 1; i < n; i++) {
		const struct node_connect c = { .number = "2000",
						.addr = address(HUB) };
		struct node_link_id id;

		T_EQ(IAX2_OK, node_connect(s->at[i].node, &c,
					   fake_net_now(s->net), &id));
	}
	fake_net_run(s->net, fake_net_now(s->net) + 2 * MONO_S);
}

static void end(struct scene *s)
{
	for (unsigned i = 0; i < s->n; i++)
		node_free(s->at[i].node);
	fake_net_free(s->net);
}

/* For @blocks the radio of @talker receives a tone of 1 kHz. */
static void speak(struct scene *s, unsigned talker, unsigned blocks)
{
	for (unsigned i = 0; i < s->n; i++)
		s->at[i].keyed = 0;
	for (unsigned b = 0; b < blocks; b++) {
		fake_net_run(s->net, fake_net_now(s->net) + 20 * MONO_MS);
		for (unsigned i = 0; i < s->n; i++) {
			int16_t rx[AUDIO_BLOCK] = { 0 };

			for (size_t k = 0; k < AUDIO_BLOCK && i == talker; k++)
				rx[k] = (int16_t)lrint(8000 *
						       sin(PI * (double)k / 4));
			node_inputs(s->at[i].node, i == talker ? COR_IN_COR : 0,
				    fake_net_now(s->net));
			s->at[i].keyed += node_audio(
				s->at[i].node, rx,
				s->at[i].heard +
					(size_t)(b % SECOND) * AUDIO_BLOCK,
				fake_net_now(s->net));
		}
	}
}

/* How much stronger than all else the tone is, in dB; -100 when it has not
 * the level that was sent. */
static double tone_db(const int16_t *heard)
{
	const size_t n = (size_t)SECOND * AUDIO_BLOCK;
	double a = 0, b = 0, power = 0, tone;

	for (size_t i = 0; i < n; i++) {
		a += heard[i] * cos(PI * (double)i / 4);
		b += heard[i] * sin(PI * (double)i / 4);
		power += (double)heard[i] * heard[i];
	}
	a *= 2.0 / (double)n;
	b *= 2.0 / (double)n;
	tone = (a * a + b * b) / 2;
	if (tone < 0.8 * 8000 * 8000 / 2 || tone > 1.2 * 8000 * 8000 / 2)
		return -100;
	return 10 * log10(tone / (power / (double)n - tone + 1e-9));
}

static uint64_t agreed(const struct scene *s, unsigned i)
{
	struct node_link_info l;

	for (size_t k = 0; k < node_links_max(s->at[i].node); k++) {
		if (node_link_at(s->at[i].node, k, &l) &&
		    l.state == NODE_LINK_UP)
			return l.call.format;
	}
	return 0;
}

static const struct {
	uint64_t format;
	double least_db;
} codecs[] = {
	{ IAX2_FORMAT_ULAW, 35 },      { IAX2_FORMAT_ALAW, 35 },
	{ IAX2_FORMAT_SLIN, 70 },      { IAX2_FORMAT_SLIN16, 60 },
	{ IAX2_FORMAT_G726_AAL2, 20 }, { IAX2_FORMAT_ADPCM, 18 },
	{ IAX2_FORMAT_GSM, 10 },
};

static void two_nodes_with_one_codec_in_common_hear_each_other(void)
{
	for (size_t i = 0; i < CODEC_COUNT; i++) {
		const struct node_formats only = { { codecs[i].format }, 1 };
		const struct node_formats pair[] = { only, only };
		static struct scene s;

		begin(&s, pair, 2);
		T_EQ(codecs[i].format, agreed(&s, 0));
		T_EQ(codecs[i].format, agreed(&s, 1));
		for (unsigned talker = 0; talker < 2; talker++) {
			const struct station *other = &s.at[1 - talker];

			speak(&s, talker, 3 * SECOND);
			printf("# %s: %.1f dB\n",
			       node_codec_name(codecs[i].format),
			       tone_db(other->heard));
			T_TRUE(tone_db(other->heard) > codecs[i].least_db);
			T_TRUE(other->keyed >= 3 * SECOND - 6);
			T_EQ(0, s.at[talker].keyed);
			speak(&s, NODES, SECOND);
			T_TRUE(other->keyed < 10);
		}
		end(&s);
	}
}

static void without_a_codec_in_common_there_is_no_link(void)
{
	const struct node_formats pair[] = { { { IAX2_FORMAT_GSM }, 1 },
					     { { IAX2_FORMAT_ULAW }, 1 } };
	static struct scene s;

	begin(&s, pair, 2);
	T_EQ(0, agreed(&s, 0));
	T_EQ(0, agreed(&s, 1));
	end(&s);
}

static void by_default_two_nodes_speak_ulaw(void)
{
	const struct node_formats pair[2] = { 0 };
	static struct scene s;

	begin(&s, pair, 2);
	T_EQ(IAX2_FORMAT_ULAW, agreed(&s, 0));
	T_EQ(IAX2_FORMAT_ULAW, agreed(&s, 1));
	end(&s);
}

/* Two leaves share an encoding, one has its own, and he who talks does not
 * hear himself. */
static void a_hub_joins_leaves_of_different_codecs(void)
{
	static const struct node_formats formats[NODES] = {
		{ { 0 }, 0 },
		{ { IAX2_FORMAT_G726_AAL2 }, 1 },
		{ { IAX2_FORMAT_ULAW }, 1 },
		{ { IAX2_FORMAT_ULAW }, 1 },
	};
	static struct scene s;

	begin(&s, formats, NODES);
	for (unsigned talker = 0; talker < NODES; talker++) {
		speak(&s, talker, 2 * SECOND);
		for (unsigned i = 0; i < NODES; i++) {
			if (i == talker)
				T_EQ(0, s.at[i].keyed);
			else
				T_TRUE(tone_db(s.at[i].heard) > 20);
		}
		speak(&s, NODES, SECOND);
	}
	end(&s);
}

static void formats_that_are_none_make_no_node(void)
{
	static const struct node_formats bad[] = {
		{ { IAX2_FORMAT_ULAW, IAX2_FORMAT_ULAW }, 2 },
		{ { IAX2_FORMAT_ULAW | IAX2_FORMAT_GSM }, 1 },
		{ { UINT64_C(1) << 40 }, 1 },
		{ { 0 }, 1 },
		{ { IAX2_FORMAT_ULAW }, CODEC_COUNT + 1 },
	};
	struct fake_net *net = fake_net_new(1, MONO_S);
	static struct station s;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		T_TRUE(make_node(&s, 1, &bad[i], net) == NULL);
	fake_net_free(net);
}

/* --- one link's voice --------------------------------------------------- */

static struct station lone;
static struct fake_net *lone_net;
static struct codec *far; /* the other end's encoder */
static mono_us now;
static uint32_t ts;

static struct link *lone_link(uint64_t format)
{
	const struct node_formats all = { 0 };
	struct link *l;

	lone_net = fake_net_new(1, MONO_S);
	lone.node = make_node(&lone, 1, &all, lone_net);
	T_TRUE(lone.node != NULL);
	l = &lone.node->link[5];
	T_TRUE(node_ear_for(lone.node, l) != NULL);
	node_voice_start(l, format);
	far = codec_new();
	now = 10 * MONO_S;
	ts = 0;
	return l;
}

static void lone_end(void)
{
	codec_free(far);
	node_free(lone.node);
	fake_net_free(lone_net);
}

static void frame(struct link *l, uint64_t format, const uint8_t *data,
		  size_t len)
{
	const struct iax2_event ev = { .kind = IAX2_EV_VOICE,
				       .u.voice = { .format = format,
						    .ts_ms = ts,
						    .data = data,
						    .len = len,
						    .spurt = ts == 0 } };

	lone.node->arrived = now;
	node_voice_in(lone.node, l, &ev);
}

/* 20 ms of the tone, perhaps lost; then what the node makes of them. */
static bool pass(struct link *l, uint64_t format, bool lost)
{
	uint8_t data[CODEC_FRAME_OCTETS_MAX];
	int16_t tone[AUDIO_BLOCK];
	enum codec_id id;
	bool talks;

	for (size_t k = 0; k < AUDIO_BLOCK; k++)
		tone[k] = (int16_t)lrint(8000 * sin(PI * (double)k / 4));
	T_TRUE(node_codec_of(format, &id));
	if (codec_current(far) != id)
		codec_start(far, id);
	if (codec_encode(far, tone, data, sizeof(data)) > 0 && !lost)
		frame(l, format, data, codec_frame_octets(id));
	talks = node_voice_hear(l->ear, now);
	ts += 20;
	now += 20 * MONO_MS;
	return talks;
}

static double level(const struct link *l)
{
	double sum = 0;

	for (size_t i = 0; i < AUDIO_BLOCK; i++)
		sum += (double)l->ear->block[i] * l->ear->block[i];
	return sqrt(sum / AUDIO_BLOCK);
}

static void another_format_in_mid_call_is_followed(void)
{
	struct link *l = lone_link(IAX2_FORMAT_ULAW);

	for (size_t i = 0; i < CODEC_COUNT; i++) {
		for (unsigned b = 0; b < 10; b++)
			(void)pass(l, codecs[i].format, false);
		T_TRUE(level(l) > 5200 && level(l) < 6200);
	}
	T_EQ(0, l->ear->jitter.counters.refused);
	lone_end();
}

static void what_is_lost_is_concealed_and_the_rest_is_heard(void)
{
	for (size_t i = 0; i < CODEC_COUNT; i++) {
		struct link *l = lone_link(codecs[i].format);
		unsigned loud = 0;

		for (unsigned b = 0; b < 100; b++) {
			T_EQ(b >= 2, pass(l, codecs[i].format, b % 10 == 5));
			loud += level(l) > 4500 && level(l) < 7000;
		}
		T_TRUE(loud >= 96);
		T_EQ(10, l->ear->jitter.counters.lost);
		lone_end();
	}
}

static void what_is_no_voice_of_ours_is_counted_and_dropped(void)
{
	static const uint64_t others[] = {
		0, 0x1, 0x80, 0x400, 0x6, UINT64_C(1) << 34, UINT64_C(1) << 63
	};
	static const uint8_t zeros[160];
	struct link *l = lone_link(IAX2_FORMAT_ULAW);

	for (size_t i = 0; i < 7; i++) {
		frame(l, others[i], zeros, sizeof(zeros));
		T_EQ(i + 1, l->ear->jitter.counters.refused);
	}
	frame(l, IAX2_FORMAT_GSM, zeros, sizeof(zeros));
	T_EQ(8, l->ear->jitter.counters.refused);
	T_TRUE(!node_voice_hear(l->ear, now + MONO_S));
	lone_end();
}

static void what_only_has_the_length_of_gsm_is_silence(void)
{
	static const uint8_t zeros[33];
	struct link *l = lone_link(IAX2_FORMAT_GSM);

	for (unsigned b = 0; b < 20; b++) {
		frame(l, IAX2_FORMAT_GSM, zeros, sizeof(zeros));
		T_EQ(b >= 2, node_voice_hear(l->ear, now));
		T_TRUE(level(l) < 1);
		ts += 20;
		now += 20 * MONO_MS;
	}
	lone_end();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_RUN(two_nodes_with_one_codec_in_common_hear_each_other);
	T_RUN(without_a_codec_in_common_there_is_no_link);
	T_RUN(by_default_two_nodes_speak_ulaw);
	T_RUN(a_hub_joins_leaves_of_different_codecs);
	T_RUN(formats_that_are_none_make_no_node);
	T_RUN(another_format_in_mid_call_is_followed);
	T_RUN(what_is_lost_is_concealed_and_the_rest_is_heard);
	T_RUN(what_is_no_voice_of_ours_is_counted_and_dropped);
	T_RUN(what_only_has_the_length_of_gsm_is_silence);
	return T_DONE();
}
