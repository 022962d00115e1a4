/* SPDX-License-Identifier: MIT */

/*
 * The conference: what the radio and the links hear of each other.  Everybody
 * hears all others and never itself.
 */

#include <string.h>

#include "audio/mix.h"
#include "daemon/node/node_priv.h"

/* This tick's sources. */
struct mix {
	int32_t links[AUDIO_BLOCK]; /* sum of the talking links */
	int32_t all[AUDIO_BLOCK];   /* and of the radio */
	unsigned relayed;           /* talking links that others may hear */
	unsigned heard;             /* talking links */
	bool radio;
};

static void set_keyed(struct node *n, struct link *l, bool keyed)
{
	if (l->rx_keyed == keyed)
		return;
	l->rx_keyed = keyed;
	node_push_link(n, NODE_EV_KEYED, l)->on = keyed;
}

/* Take one block from a link, into the mix if it talks. */
static void hear(struct node *n, struct link *l, struct mix *m, mono_us now)
{
	l->talking = node_voice_hear(n, l, now);
	set_keyed(n, l, l->talking);
	if (!l->talking)
		return;
	mix_add(m->links, l->block, AUDIO_BLOCK);
	m->heard++;
	if (l->mode == NODE_LOCAL_MONITOR)
		return;
	mix_add(m->all, l->block, AUDIO_BLOCK);
	m->relayed++;
}

/* What one link is to hear: the whole mix without itself.  Links that do not
 * talk hear the same. */
static void speak_to(struct node *n, struct link *l, const struct mix *m,
		     struct voice_mix *shared, mono_us now)
{
	const bool inside = l->talking && l->mode != NODE_LOCAL_MONITOR;
	const unsigned others = m->relayed - inside + m->radio;
	int16_t own[AUDIO_BLOCK];

	if (others == 0 || l->mode != NODE_TRANSCEIVE) {
		node_voice_pause(n, l, now);
	} else if (inside) {
		mix_minus(m->all, l->block, own, AUDIO_BLOCK);
		node_voice_say(n, l, own, now);
	} else {
		node_voice_say_mix(n, l, shared, now);
	}
}

static void note_ptt(struct node *n)
{
	const bool keyed = ptt_keyed(&n->ptt);

	if (keyed == n->ptt_was)
		return;
	n->ptt_was = keyed;
	node_push(n, NODE_EV_PTT)->on = keyed;
}

bool node_audio(struct node *n, const int16_t rx[AUDIO_BLOCK], bool cor,
		int16_t tx[AUDIO_BLOCK], mono_us now)
{
	struct mix m = { .radio = cor };
	struct voice_mix shared;

	if (cor != n->cor) {
		n->cor = cor;
		node_push(n, NODE_EV_COR)->on = cor;
	}
	if (cor) {
		mix_add(m.all, rx, AUDIO_BLOCK);
		meter_add(&n->rx_meter, rx, AUDIO_BLOCK);
	}
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		if (n->link[i].state == NODE_LINK_UP)
			hear(n, &n->link[i], &m, now);
	}
	mix_all(m.all, shared.pcm, AUDIO_BLOCK);
	memset(shared.coded, 0, sizeof(shared.coded));
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		if (n->link[i].state == NODE_LINK_UP)
			speak_to(n, &n->link[i], &m, &shared, now);
	}
	mix_all(m.links, tx, AUDIO_BLOCK);
	ptt_demand(&n->ptt, m.heard > 0, now);
	ptt_tick(&n->ptt, now);
	note_ptt(n);
	if (ptt_keyed(&n->ptt))
		meter_add(&n->tx_meter, tx, AUDIO_BLOCK);
	else
		memset(tx, 0, AUDIO_BLOCK * sizeof(tx[0]));
	return ptt_keyed(&n->ptt);
}

bool node_ptt(const struct node *n)
{
	return ptt_keyed(&n->ptt);
}

void node_force_unkey(struct node *n, bool force, mono_us now)
{
	ptt_force_off(&n->ptt, force, now);
	note_ptt(n);
}

bool node_cor(const struct node *n)
{
	return n->cor;
}
