/* SPDX-License-Identifier: MIT */

#include "audio/codec.h"

#include <stdlib.h>
#include <string.h>

/* Not spandsp.h: it takes the headers of libtiff. */
#include <spandsp/telephony.h>

#include <spandsp/g726.h>
#include <spandsp/gsm0610.h>

#include "audio/adpcm.h"
#include "audio/alaw.h"
#include "audio/resample.h"
#include "audio/ulaw.h"

#define SAMPLES_PER_MS 8U
#define G726_BITS_PER_S 32000
#define GSM_OCTETS 33U
#define GSM_MAGIC 0xd0U /* upper half of a frame's first octet */
#define WIDE_HZ 16000U
#define WIDE_SAMPLES_MAX (CODEC_DECODE_MS_MAX * WIDE_HZ / 1000U)

struct codec {
	enum codec_id id;
	struct adpcm adpcm;
	g726_state_t *g726;
	gsm0610_state_t *gsm;
	struct resample *up;   /* 8 to 16 kHz */
	struct resample *down; /* 16 to 8 kHz */
};

static const struct codec_info infos[CODEC_COUNT] = {
	[CODEC_ULAW] = { "ulaw", 8000, 1, 8, false },
	[CODEC_ALAW] = { "alaw", 8000, 1, 8, false },
	[CODEC_SLIN] = { "slin", 8000, 1, 16, false },
	[CODEC_SLIN16] = { "slin16", WIDE_HZ, 1, 32, true },
	[CODEC_ADPCM] = { "adpcm", 8000, 1, 4, true },
	[CODEC_GSM] = { "gsm", 8000, CODEC_FRAME_MS, GSM_OCTETS, true },
	[CODEC_G726AAL2] = { "g726aal2", 8000, 1, 4, true },
};

const struct codec_info *codec_info(enum codec_id id)
{
	return &infos[id];
}

size_t codec_frame_octets(enum codec_id id)
{
	return (size_t)infos[id].unit_octets *
	       (CODEC_FRAME_MS / infos[id].unit_ms);
}

struct codec *codec_new(void)
{
	struct codec *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->g726 = g726_init(NULL, G726_BITS_PER_S, G726_ENCODING_LINEAR,
			    G726_PACKING_LEFT);
	c->gsm = gsm0610_init(NULL, GSM0610_PACKING_VOIP);
	c->up = resample_new(8000, WIDE_HZ);
	c->down = resample_new(WIDE_HZ, 8000);
	if (!c->g726 || !c->gsm || !c->up || !c->down)
		return codec_free(c);
	codec_start(c, CODEC_ULAW);
	return c;
}

struct codec *codec_free(struct codec *c)
{
	if (!c)
		return NULL;
	if (c->g726)
		(void)g726_free(c->g726);
	if (c->gsm)
		(void)gsm0610_free(c->gsm);
	resample_free(c->up);
	resample_free(c->down);
	free(c);
	return NULL;
}

void codec_start(struct codec *c, enum codec_id id)
{
	c->id = id;
	memset(&c->adpcm, 0, sizeof(c->adpcm));
	/* Given a state, these set it anew in place. */
	(void)g726_init(c->g726, G726_BITS_PER_S, G726_ENCODING_LINEAR,
			G726_PACKING_LEFT);
	(void)gsm0610_init(c->gsm, GSM0610_PACKING_VOIP);
	resample_reset(c->up);
	resample_reset(c->down);
}

enum codec_id codec_current(const struct codec *c)
{
	return c->id;
}

static void put_linear(const int16_t *in, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint16_t bits = (uint16_t)in[i];

		out[2 * i] = (uint8_t)(bits >> 8);
		out[2 * i + 1] = (uint8_t)bits;
	}
}

static void get_linear(const uint8_t *in, int16_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (int16_t)(uint16_t)(in[2 * i] << 8 | in[2 * i + 1]);
}

static void encode_wide(struct codec *c, const int16_t *pcm, uint8_t *out)
{
	/* One more than 2 * n is the converter's bound, never its result. */
	int16_t wide[2 * CODEC_FRAME_SAMPLES + 1] = { 0 };

	(void)resample_run(c->up, pcm, CODEC_FRAME_SAMPLES, wide);
	put_linear(wide, out, (size_t)2 * CODEC_FRAME_SAMPLES);
}

static void decode_wide(struct codec *c, const uint8_t *data, int16_t *out,
			size_t n)
{
	int16_t wide[WIDE_SAMPLES_MAX];
	int16_t narrow[WIDE_SAMPLES_MAX / 2 + 1] = { 0 };

	get_linear(data, wide, 2 * n);
	(void)resample_run(c->down, wide, 2 * n, narrow);
	memcpy(out, narrow, n * sizeof(*out));
}

size_t codec_encode(struct codec *c, const int16_t pcm[CODEC_FRAME_SAMPLES],
		    uint8_t *out, size_t cap)
{
	const size_t len = codec_frame_octets(c->id);

	if (cap < len)
		return 0;
	switch (c->id) {
	case CODEC_ULAW:
		ulaw_encode_block(pcm, out, len);
		break;
	case CODEC_ALAW:
		alaw_encode_block(pcm, out, len);
		break;
	case CODEC_SLIN:
		put_linear(pcm, out, CODEC_FRAME_SAMPLES);
		break;
	case CODEC_SLIN16:
		encode_wide(c, pcm, out);
		break;
	case CODEC_ADPCM:
		adpcm_encode(&c->adpcm, pcm, out, len);
		break;
	case CODEC_GSM:
		(void)gsm0610_encode(c->gsm, out, pcm, CODEC_FRAME_SAMPLES);
		break;
	case CODEC_G726AAL2:
		(void)g726_encode(c->g726, out, pcm, CODEC_FRAME_SAMPLES);
		break;
	case CODEC_COUNT:
		break;
	}
	return len;
}

/* spandsp takes anything for a frame. */
static bool is_gsm(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i += GSM_OCTETS) {
		if ((data[i] & 0xf0U) != GSM_MAGIC)
			return false;
	}
	return true;
}

/* Samples of @len octets, 0 when they are not decodable by their number. */
static size_t samples_of(const struct codec_info *info, size_t len)
{
	const size_t ms = len / info->unit_octets * info->unit_ms;

	if (len % info->unit_octets != 0 || ms > CODEC_DECODE_MS_MAX)
		return 0;
	return ms * SAMPLES_PER_MS;
}

size_t codec_decode(struct codec *c, const uint8_t *data, size_t len,
		    int16_t *out, size_t cap)
{
	const size_t n = samples_of(&infos[c->id], len);

	if (n == 0 || n > cap)
		return 0;
	switch (c->id) {
	case CODEC_ULAW:
		ulaw_decode_block(data, out, n);
		break;
	case CODEC_ALAW:
		alaw_decode_block(data, out, n);
		break;
	case CODEC_SLIN:
		get_linear(data, out, n);
		break;
	case CODEC_SLIN16:
		decode_wide(c, data, out, n);
		break;
	case CODEC_ADPCM:
		adpcm_decode(&c->adpcm, data, out, len);
		break;
	case CODEC_GSM:
		if (!is_gsm(data, len))
			return 0;
		(void)gsm0610_decode(c->gsm, out, data, (int)len);
		break;
	case CODEC_G726AAL2:
		(void)g726_decode(c->g726, out, data, (int)len);
		break;
	case CODEC_COUNT:
		break;
	}
	return n;
}
