/* SPDX-License-Identifier: MIT */

/*
 * A node that nobody needs is left without its beat, and begins it again so
 * that no voice waits for it: two nodes in virtual time.  The second is beaten
 * only as its owner does, by what node_rests() and node_audio_due() say.
 */

#include <string.h>

#include "tests/t.h"
#include "tests/virtual/node_scene.h"

#define BEAT (20 * MONO_MS)

struct beaten {
	bool rests;
	mono_us next;
	mono_us keyed_at; /* 0: it was not */
	unsigned beats;
};

static void beat(struct scene *s, int i, int16_t level, struct beaten *b)
{
	int16_t rx[AUDIO_BLOCK], tx[AUDIO_BLOCK];
	const mono_us now = fake_net_now(s->net);
	bool keyed;

	for (size_t k = 0; k < AUDIO_BLOCK; k++)
		rx[k] = level;
	keyed = node_audio(s->at[i].node, rx, tx, now);
	if (keyed && b->keyed_at == 0)
		b->keyed_at = now;
	b->beats++;
	b->next += BEAT;
	b->rests = node_rests(s->at[i].node);
}

static void wake(struct scene *s, int i, struct beaten *b)
{
	const mono_us now = fake_net_now(s->net);

	if (!b->rests || node_rests(s->at[i].node))
		return;
	b->rests = false;
	b->next = node_audio_due(s->at[i].node, now);
	T_TRUE(b->next >= now);
}

/* In steps of a millisecond. */
static void run(struct scene *s, mono_us d, int16_t level,
		struct beaten b[NODES])
{
	for (mono_us end = fake_net_now(s->net) + d;
	     fake_net_now(s->net) < end;) {
		for (int i = 0; i < NODES; i++) {
			wake(s, i, &b[i]);
			while (!b[i].rests && b[i].next <= fake_net_now(s->net))
				beat(s, i, level, &b[i]);
		}
		scene_run(s, MONO_MS);
	}
}

static void link_up(struct scene *s, struct beaten b[NODES])
{
	memset(b, 0, NODES * sizeof(b[0]));
	scene_begin(s, 7, NULL, NULL);
	for (int i = 0; i < NODES; i++)
		b[i].next = fake_net_now(s->net);
	(void)scene_dial(s);
	run(s, 2 * MONO_S, 0, b);
	T_EQ(1, scene_links(s, 0, NODE_LINK_UP));
	T_EQ(1, scene_links(s, 1, NODE_LINK_UP));
}

static void cor(struct scene *s, bool up)
{
	node_inputs(s->at[0].node, up ? COR_IN_COR : 0, fake_net_now(s->net));
}

/* When the second is keyed after the first's COR, for a phase of its beat. */
static mono_us takes(mono_us phase)
{
	struct scene s;
	struct beaten b[NODES];
	mono_us from;

	link_up(&s, b);
	T_TRUE(b[0].rests && b[1].rests);
	scene_run(&s, phase);
	from = fake_net_now(s.net);
	cor(&s, true);
	T_TRUE(!node_rests(s.at[0].node));
	run(&s, MONO_S, 4000, b);
	T_TRUE(b[1].keyed_at != 0);
	T_TRUE(!b[0].rests && !b[1].rests);
	scene_end(&s);
	return b[1].keyed_at - from;
}

/* The way, the buffer's least delay of 40 ms, and no beat to wait for but those
 * of the test. */
static void a_voice_waits_for_no_beat(void)
{
	for (mono_us phase = 0; phase < BEAT; phase += 3 * MONO_MS) {
		const mono_us d = takes(phase);

		T_TRUE(d >= ONE_WAY + 40 * MONO_MS);
		T_TRUE(d <= ONE_WAY + 43 * MONO_MS);
	}
}

static void it_rests_again_when_all_is_said(void)
{
	struct scene s;
	struct beaten b[NODES];
	unsigned beats[NODES];

	link_up(&s, b);
	for (int i = 0; i < NODES; i++)
		beats[i] = b[i].beats;
	run(&s, 10 * MONO_S, 0, b);
	for (int i = 0; i < NODES; i++)
		T_EQ(beats[i], b[i].beats);
	cor(&s, true);
	run(&s, 2 * MONO_S, 4000, b);
	T_TRUE(!b[0].rests && !b[1].rests);
	T_TRUE(node_ptt(s.at[1].node));
	cor(&s, false);
	run(&s, MONO_S, 0, b);
	T_TRUE(b[0].rests && b[1].rests);
	T_TRUE(!node_ptt(s.at[1].node));
	for (int i = 0; i < NODES; i++)
		T_TRUE(b[i].beats - beats[i] < 160);
	scene_end(&s);
}

static void what_listens_never_rests(void)
{
	struct scene s;
	struct beaten b[NODES];
	struct station_config c = station_config_flat;
	struct station *vox, *tone;

	link_up(&s, b);
	T_TRUE(node_rests(s.at[0].node));
	node_test_tone(s.at[0].node, 1000, 10, fake_net_now(s.net) + 5 * MONO_S,
		       fake_net_now(s.net));
	T_TRUE(!node_rests(s.at[0].node));
	scene_end(&s);

	c.cor.all = COR_IN_VOX;
	vox = station_new(&c, 0);
	c = station_config_flat;
	c.rx.ctcss = 885;
	tone = station_new(&c, 0);
	T_TRUE(vox && tone);
	T_TRUE(!station_rests(vox) && !station_rests(tone));
	(void)station_free(vox);
	(void)station_free(tone);
}

int main(void)
{
	T_RUN(a_voice_waits_for_no_beat);
	T_RUN(it_rests_again_when_all_is_said);
	T_RUN(what_listens_never_rests);
	return T_DONE();
}
