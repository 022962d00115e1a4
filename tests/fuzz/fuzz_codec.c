/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "audio/codec.h"

#define SAMPLES_MAX ((size_t)CODEC_DECODE_MS_MAX * 8)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A frame at its own end, so that reading beyond it is seen. */
static void decode(struct codec *c, const uint8_t *data, size_t len)
{
	int16_t out[SAMPLES_MAX];
	uint8_t *copy = malloc(len > 0 ? len : 1);
	size_t n;

	if (!copy)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	n = codec_decode(c, copy, len, out, SAMPLES_MAX);
	if (n > SAMPLES_MAX || n % 8 != 0 || (n > 0) != (n * len > 0))
		abort();
	free(copy);
}

/* Frames, each after an octet that says which codec it is for and another with
 * its length, in a call that lasts for the whole input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct codec *c;

	if (!c)
		c = codec_new();
	if (!c)
		abort();
	codec_start(c, CODEC_ULAW);
	while (size >= 2) {
		const enum codec_id id = (enum codec_id)(data[0] % CODEC_COUNT);
		size_t len = (size_t)data[1] * (data[0] & 0x80U ? 4 : 1);

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		if (id != codec_current(c))
			codec_start(c, id);
		decode(c, data, len);
		data += len;
		size -= len;
	}
	return 0;
}
