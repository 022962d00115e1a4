/* SPDX-License-Identifier: MIT */
#ifndef AUDIO_CODEC_H
#define AUDIO_CODEC_H

/*
 * The codecs of voice on the wire, all from and to the voice path's 16-bit
 * samples at 8 kHz.
 *
 *	name      rate   20 ms  what it is
 *	ulaw      8 kHz  160    G.711 u-law (ulaw.h)
 *	alaw      8 kHz  160    G.711 A-law (alaw.h)
 *	slin      8 kHz  320    linear, 16 bits, big-endian as Asterisk sends
 *	slin16   16 kHz  640    the same at 16 kHz, resampled
 *	adpcm     8 kHz   80    Dialogic ADPCM (adpcm.h says why)
 *	gsm       8 kHz   33    GSM 06.10 full rate
 *	g726aal2  8 kHz   80    G.726 at 32 kbit/s, codes packed from the most
 *	                        significant bits (AAL2, ITU-T I.366.2)
 *
 * codec.c has spandsp do GSM and G.726; only dtmf.c knows it besides.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum codec_id {
	CODEC_ULAW,
	CODEC_ALAW,
	CODEC_SLIN,
	CODEC_SLIN16,
	CODEC_ADPCM,
	CODEC_GSM,
	CODEC_G726AAL2,
	CODEC_COUNT,
};

#define CODEC_FRAME_MS 20U
#define CODEC_FRAME_SAMPLES 160U    /* at 8 kHz */
#define CODEC_FRAME_OCTETS_MAX 640U /* of any codec */
#define CODEC_DECODE_MS_MAX 60U     /* of one codec_decode() */

struct codec_info {
	const char *name;
	uint32_t rate_hz;
	/* What can be decoded by itself; it divides a frame of 20 ms. */
	uint16_t unit_ms;
	uint16_t unit_octets;
	bool stateful; /* what comes depends on what came before */
};

const struct codec_info *codec_info(enum codec_id id);
/* Octets of a frame of 20 ms. */
size_t codec_frame_octets(enum codec_id id);

/*
 * One direction of one stream: encode or decode with it, not both.  It has room
 * for every codec, so that a change of codec in mid-call allocates nothing.
 */
struct codec;

/* Starts as CODEC_ULAW.  NULL when memory is short. */
struct codec *codec_new(void);
/* Accepts NULL; returns NULL. */
struct codec *codec_free(struct codec *c);

/*
 * Become @id, in its first state, even if it was @id before.
 *
 * At a call's start or a change of format only: Asterisk keeps a codec's state
 * through the pauses between talk spurts, and the two ends must agree.
 */
void codec_start(struct codec *c, enum codec_id id);
enum codec_id codec_current(const struct codec *c);

/* 20 ms at 8 kHz.  Returns the octets, codec_frame_octets(); 0 and nothing
 * written when @cap is less. */
size_t codec_encode(struct codec *c, const int16_t pcm[CODEC_FRAME_SAMPLES],
		    uint8_t *out, size_t cap);

/*
 * A whole number of units, up to CODEC_DECODE_MS_MAX.  Returns the samples at
 * 8 kHz, eight for each millisecond; 0, with the state as it was, when @len is
 * no such number, @cap samples are too few, or it is not this codec's.
 */
size_t codec_decode(struct codec *c, const uint8_t *data, size_t len,
		    int16_t *out, size_t cap);

#endif
