/* SPDX-License-Identifier: MIT */

#include "audio/mix.h"

void mix_add(int32_t *sum, const int16_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += in[i];
}

void mix_all(const int32_t *sum, int16_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = mix_saturate(sum[i]);
}

void mix_minus(const int32_t *sum, const int16_t *own, int16_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = mix_saturate(sum[i] - own[i]);
}
