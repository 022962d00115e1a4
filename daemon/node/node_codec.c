/* SPDX-License-Identifier: MIT */

#include "daemon/node/node_codec.h"

#include "proto/iax2_endpoint.h"

static const struct node_formats all = {
	.v = { IAX2_FORMAT_ULAW, IAX2_FORMAT_ALAW, IAX2_FORMAT_SLIN16,
	       IAX2_FORMAT_SLIN, IAX2_FORMAT_G726_AAL2, IAX2_FORMAT_ADPCM,
	       IAX2_FORMAT_GSM },
	.n = CODEC_COUNT,
};

static const uint64_t format_of[CODEC_COUNT] = {
	[CODEC_ULAW] = IAX2_FORMAT_ULAW,
	[CODEC_ALAW] = IAX2_FORMAT_ALAW,
	[CODEC_SLIN] = IAX2_FORMAT_SLIN,
	[CODEC_SLIN16] = IAX2_FORMAT_SLIN16,
	[CODEC_ADPCM] = IAX2_FORMAT_ADPCM,
	[CODEC_GSM] = IAX2_FORMAT_GSM,
	[CODEC_G726AAL2] = IAX2_FORMAT_G726_AAL2,
};

const struct node_formats *node_formats_all(void)
{
	return &all;
}

bool node_formats_ok(const struct node_formats *f)
{
	uint64_t seen = 0;
	enum codec_id id;

	if (f->n == 0 || f->n > CODEC_COUNT)
		return false;
	for (size_t i = 0; i < f->n; i++) {
		if (!node_codec_of(f->v[i], &id) || (seen & f->v[i]) != 0)
			return false;
		seen |= f->v[i];
	}
	return true;
}

bool node_codec_of(uint64_t format, enum codec_id *out)
{
	for (size_t i = 0; i < CODEC_COUNT; i++) {
		if (format_of[i] != format)
			continue;
		*out = (enum codec_id)i;
		return true;
	}
	return false;
}

const char *node_codec_name(uint64_t format)
{
	enum codec_id id;

	return node_codec_of(format, &id) ? codec_info(id)->name : "";
}
