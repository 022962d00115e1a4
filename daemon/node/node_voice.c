/* SPDX-License-Identifier: MIT */

/*
 * A link's voice: frames through the jitter buffer and a decoder to blocks of
 * samples, and blocks through an encoder to frames.
 *
 * The buffer holds coded frames and the decoder runs in the order of play, at
 * the pace of the conference.  What is lost is concealed, and a codec with a
 * memory goes on from what it last heard.
 */

#include <string.h>

#include "daemon/node/node_priv.h"

#define SAMPLES_PER_MS ((size_t)AUDIO_BLOCK / JITTER_BLOCK_MS)

_Static_assert(AUDIO_BLOCK == CODEC_FRAME_SAMPLES, "a block is a frame");
_Static_assert(AUDIO_BLOCK == PLAYOUT_BLOCK, "a block is a block");
_Static_assert(JITTER_BLOCK_OCTETS >= CODEC_FRAME_OCTETS_MAX, "frames fit");

bool node_voice_new(struct node *n)
{
	if (!node_ears_new(n))
		return false;
	for (size_t i = 0; i < n->links_max; i++) {
		n->link[i].tx = codec_new();
		if (!n->link[i].tx)
			return false;
	}
	return true;
}

void node_voice_free(struct node *n)
{
	for (size_t i = 0; n->link && i < n->links_max; i++)
		codec_free(n->link[i].tx);
	node_ears_free(n);
}

void node_voice_start(struct link *l, uint64_t format)
{
	enum codec_id id = CODEC_ULAW;

	/* The endpoint agrees to none but those that it was given. */
	(void)node_codec_of(format, &id);
	codec_start(l->tx, id);
	memset(&l->before, 0, sizeof(l->before));
}

void node_voice_drop(struct node *n, struct link *l)
{
	node_ear_drop(l);
	n->tx_keyed_n -= l->tx_keyed;
	node_touch(n, l);
	l->rx_keyed = false;
	l->tx_keyed = false;
	l->talking = false;
}

/* --- received ----------------------------------------------------------- */

/* What has no codec has no units: the buffer counts and refuses it. */
static struct jitter_unit unit_of(uint64_t format)
{
	const struct codec_info *info;
	enum codec_id id;

	if (!node_codec_of(format, &id))
		return (struct jitter_unit){ 0 };
	info = codec_info(id);
	return (struct jitter_unit){ info->unit_ms, info->unit_octets };
}

void node_voice_in(struct node *n, struct link *l, const struct iax2_event *ev)
{
	const struct jitter_in in = {
		.ts_ms = ev->u.voice.ts_ms,
		.format = (uint32_t)ev->u.voice.format,
		.unit = unit_of(ev->u.voice.format),
		.codes = ev->u.voice.data,
		.len = ev->u.voice.len,
		.spurt = ev->u.voice.spurt,
	};

	struct link_ear *e = node_ear_for(n, l);

	if (e)
		(void)jitter_put(&e->jitter, &in, n->arrived);
}

void node_voice_end(struct link *l)
{
	if (l->ear)
		jitter_end(&l->ear->jitter);
}

/* How many milliseconds from @ms on are there, or are not, as @there says. */
static uint32_t run_length(uint32_t valid, uint32_t ms, bool there)
{
	uint32_t end = ms;

	while (end < JITTER_BLOCK_MS && (valid >> end & 1) == there)
		end++;
	return end - ms;
}

static void decode_block(struct codec *c, const struct jitter_block *b,
			 int16_t out[AUDIO_BLOCK])
{
	const struct codec_info *info = codec_info(codec_current(c));
	uint32_t ms = 0;

	while (ms < JITTER_BLOCK_MS) {
		const uint32_t run = run_length(b->valid, ms, true);

		(void)codec_decode(
			c,
			b->codes + (size_t)(ms / info->unit_ms) *
					   info->unit_octets,
			(size_t)(run / info->unit_ms) * info->unit_octets,
			out + ms * SAMPLES_PER_MS, run * SAMPLES_PER_MS);
		ms += run;
		ms += run_length(b->valid, ms, false);
	}
}

static void play_block(struct link_ear *e, const struct jitter_block *b)
{
	int16_t pcm[AUDIO_BLOCK] = { 0 };
	uint32_t valid = b->valid;
	enum codec_id id;

	if (!node_codec_of(b->format, &id))
		valid = 0;
	if (valid != 0 && b->format != e->format) {
		codec_start(e->codec, id);
		e->format = b->format;
	}
	if (valid != 0)
		decode_block(e->codec, b, pcm);
	playout_put(&e->playout, pcm, valid, b->advice);
}

bool node_voice_hear(struct link_ear *e, mono_us now)
{
	struct jitter_block b;

	while (playout_wants(&e->playout)) {
		if (jitter_get(&e->jitter, now, &b) == JITTER_IDLE)
			break;
		playout_pace(&e->playout, peer_clock_ppm(&e->jitter.clock),
			     e->jitter.delay_ms, e->jitter.target_ms);
		play_block(e, &b);
	}
	return playout_take(&e->playout, e->block);
}

/* --- sent --------------------------------------------------------------- */

static void send_frame(struct node *n, struct link *l, const uint8_t *codes,
		       size_t len, mono_us now)
{
	const bool spurt = !l->tx_keyed;

	if (spurt && iax2_media_time(n->ep, l->call, now, &l->tx_ts) != IAX2_OK)
		return;
	if (spurt && asl_keying_speak(&l->keying, true, now))
		(void)iax2_send_control(n->ep, l->call, IAX2_CONTROL_KEY, now);
	if (spurt) {
		n->tx_keyed_n++;
		node_touch(n, l);
	}
	l->tx_keyed = true;
	(void)iax2_send_voice(
		n->ep, l->call,
		&(struct iax2_voice){ codes, len, l->tx_ts, spurt }, now);
	l->tx_ts += CODEC_FRAME_MS;
}

void node_voice_say(struct node *n, struct link *l,
		    const int16_t pcm[AUDIO_BLOCK], mono_us now)
{
	uint8_t codes[CODEC_FRAME_OCTETS_MAX];
	const size_t len = codec_encode(l->tx, pcm, codes, sizeof(codes));

	send_frame(n, l, codes, len, now);
}

void node_voice_say_mix(struct node *n, struct link *l, struct voice_mix *m,
			mono_us now)
{
	struct codec *tx = l->tx;
	const enum codec_id id = codec_current(tx);

	/* With a memory, what comes out depends on what this link alone was
	 * told before. */
	if (codec_info(id)->stateful) {
		node_voice_say(n, l, m->pcm, now);
		return;
	}
	if (!m->coded[id])
		(void)codec_encode(tx, m->pcm, m->codes[id],
				   sizeof(m->codes[id]));
	m->coded[id] = true;
	send_frame(n, l, m->codes[id], codec_frame_octets(id), now);
}

void node_voice_pause(struct node *n, struct link *l, mono_us now)
{
	if (!l->tx_keyed)
		return;
	n->tx_keyed_n--;
	node_touch(n, l);
	l->tx_keyed = false;
	(void)asl_keying_speak(&l->keying, false, now);
	(void)iax2_send_control(n->ep, l->call, IAX2_CONTROL_UNKEY, now);
	(void)iax2_send_cng(n->ep, l->call, now);
}
