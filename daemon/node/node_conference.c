/* SPDX-License-Identifier: MIT */

/*
 * The conference: what the radio and the links hear of each other.  Everybody
 * hears all others and never itself.
 */

#include <string.h>

#include "audio/mix.h"
#include "audio/ulaw.h"
#include "daemon/node/node_priv.h"

/* This tick's sources. */
struct mix {
	int32_t links[AUDIO_BLOCK]; /* sum of the talking links */
	int32_t all[AUDIO_BLOCK];   /* and of the radio */
	unsigned relayed;           /* talking links that others may hear */
	unsigned heard;             /* talking links */
	bool radio;
};

void node_voice_in(struct node *n, struct link *l, const struct iax2_event *ev,
		   mono_us now)
{
	const struct jitter_in in = {
		.ts_ms = ev->u.voice.ts_ms,
		.format = (uint32_t)ev->u.voice.format,
		.codes = ev->u.voice.data,
		.len = ev->u.voice.len,
		.spurt = ev->u.voice.spurt,
	};

	(void)n;
	if (ev->u.voice.format == IAX2_FORMAT_ULAW)
		(void)jitter_put(&l->jitter, &in, now);
}

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
	struct jitter_block b;
	const enum jitter_get got = jitter_get(&l->jitter, now, &b);

	l->talking = got != JITTER_IDLE;
	set_keyed(n, l, l->talking);
	if (!l->talking)
		return;
	ulaw_decode_block(b.codes, l->block, AUDIO_BLOCK);
	mix_add(m->links, l->block, AUDIO_BLOCK);
	m->heard++;
	if (l->mode == NODE_LOCAL_MONITOR)
		return;
	mix_add(m->all, l->block, AUDIO_BLOCK);
	m->relayed++;
}

static void stop_talking(struct node *n, struct link *l, mono_us now)
{
	l->tx_keyed = false;
	(void)iax2_send_control(n->ep, l->call, IAX2_CONTROL_UNKEY, now);
	(void)iax2_send_cng(n->ep, l->call, now);
}

static void say(struct node *n, struct link *l, const uint8_t *codes,
		mono_us now)
{
	const bool spurt = !l->tx_keyed;

	if (spurt && iax2_media_time(n->ep, l->call, now, &l->tx_ts) != IAX2_OK)
		return;
	l->tx_keyed = true;
	(void)iax2_send_voice(
		n->ep, l->call,
		&(struct iax2_voice){ codes, AUDIO_BLOCK, l->tx_ts, spurt },
		now);
	l->tx_ts += 20;
}

/* What one link is to hear: the whole mix without itself.  Links that do not
 * talk hear the same and share one encoding. */
static void speak_to(struct node *n, struct link *l, const struct mix *m,
		     uint8_t shared[AUDIO_BLOCK], bool *encoded, mono_us now)
{
	const bool inside = l->talking && l->mode != NODE_LOCAL_MONITOR;
	const unsigned others = m->relayed - inside + m->radio;
	uint8_t own[AUDIO_BLOCK];
	int16_t pcm[AUDIO_BLOCK];

	if (others == 0 || l->mode != NODE_TRANSCEIVE) {
		if (l->tx_keyed)
			stop_talking(n, l, now);
		return;
	}
	if (inside) {
		mix_minus(m->all, l->block, pcm, AUDIO_BLOCK);
		ulaw_encode_block(pcm, own, AUDIO_BLOCK);
		say(n, l, own, now);
		return;
	}
	if (!*encoded) {
		mix_all(m->all, pcm, AUDIO_BLOCK);
		ulaw_encode_block(pcm, shared, AUDIO_BLOCK);
		*encoded = true;
	}
	say(n, l, shared, now);
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
	uint8_t shared[AUDIO_BLOCK];
	bool encoded = false;

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
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		if (n->link[i].state == NODE_LINK_UP)
			speak_to(n, &n->link[i], &m, shared, &encoded, now);
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
	n->forced_off = force;
	ptt_force_off(&n->ptt, force, now);
	note_ptt(n);
}

bool node_cor(const struct node *n)
{
	return n->cor;
}
