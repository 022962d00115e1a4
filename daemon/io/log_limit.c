/* SPDX-License-Identifier: MIT */

#include "daemon/io/log_limit.h"

bool log_limit_take(struct log_limit *l, uint64_t now_us)
{
	if (now_us >= l->ends_us) {
		l->ends_us = now_us + (uint64_t)l->window_ms * 1000;
		l->used = 0;
		l->left_out = 0;
	}
	if (l->used >= l->lines) {
		l->left_out++;
		return false;
	}
	l->used++;
	return true;
}

uint64_t log_limit_due(const struct log_limit *l)
{
	return l->left_out > 0 ? l->ends_us : LOG_LIMIT_NEVER;
}

uint64_t log_limit_count(struct log_limit *l, uint64_t now_us)
{
	const uint64_t n = l->left_out;

	if (now_us < log_limit_due(l))
		return 0;
	l->left_out = 0;
	return n;
}
