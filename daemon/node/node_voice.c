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
#define VOICE_HZ 8000U

_Static_assert(AUDIO_BLOCK == CODEC_FRAME_SAMPLES, "a block is a frame");
_Static_assert(AUDIO_BLOCK == PLAYOUT_BLOCK, "a block is a block");
_Static_assert(JITTER_BLOCK_OCTETS >= CODEC_FRAME_OCTETS_MAX, "frames fit");

static struct voice *voice_of(struct node *n, const struct link *l)
{
	return &n->voice[l - n->link];
}

bool node_voice_new(struct node *n)
{
	n->pace = resample_new_adjustable(VOICE_HZ, VOICE_HZ);
	if (!n->pace)
		return false;
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		n->voice[i].rx = codec_new();
		n->voice[i].tx = codec_new();
		n->voice[i].playout.resample = resample_new_like(n->pace);
		if (!n->voice[i].rx || !n->voice[i].tx ||
		    !n->voice[i].playout.resample)
			return false;
	}
	return true;
}

void node_voice_free(struct node *n)
{
	for (size_t i = 0; i < NODE_LINKS_MAX; i++) {
		codec_free(n->voice[i].rx);
		codec_free(n->voice[i].tx);
		resample_free(n->voice[i].playout.resample);
	}
	resample_free(n->pace);
}

void node_voice_start(struct node *n, struct link *l, uint64_t format)
{
	struct voice *v = voice_of(n, l);
	enum codec_id id = CODEC_ULAW;

	/* The endpoint agrees to none but those that it was given. */
	(void)node_codec_of(format, &id);
	codec_start(v->tx, id);
	codec_start(v->rx, id);
	playout_reset(&v->playout);
	v->rx_format = (uint32_t)format;
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

	(void)jitter_put(&l->jitter, &in, n->arrived);
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

static void play_block(struct voice *v, const struct jitter_block *b)
{
	int16_t pcm[AUDIO_BLOCK] = { 0 };
	uint32_t valid = b->valid;
	enum codec_id id;

	if (!node_codec_of(b->format, &id))
		valid = 0;
	if (valid != 0 && b->format != v->rx_format) {
		codec_start(v->rx, id);
		v->rx_format = b->format;
	}
	if (valid != 0)
		decode_block(v->rx, b, pcm);
	playout_put(&v->playout, pcm, valid, b->advice);
}

bool node_voice_hear(struct node *n, struct link *l, mono_us now)
{
	struct voice *v = voice_of(n, l);
	struct jitter_block b;

	while (playout_wants(&v->playout)) {
		if (jitter_get(&l->jitter, now, &b) == JITTER_IDLE)
			break;
		playout_pace(&v->playout, peer_clock_ppm(&l->jitter.clock),
			     l->jitter.delay_ms, l->jitter.target_ms);
		play_block(v, &b);
	}
	return playout_take(&v->playout, l->block);
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
	const size_t len =
		codec_encode(voice_of(n, l)->tx, pcm, codes, sizeof(codes));

	send_frame(n, l, codes, len, now);
}

void node_voice_say_mix(struct node *n, struct link *l, struct voice_mix *m,
			mono_us now)
{
	struct codec *tx = voice_of(n, l)->tx;
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
	l->tx_keyed = false;
	(void)asl_keying_speak(&l->keying, false, now);
	(void)iax2_send_control(n->ep, l->call, IAX2_CONTROL_UNKEY, now);
	(void)iax2_send_cng(n->ep, l->call, now);
}
