/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_LOG_LIMIT_H
#define DAEMON_IO_LOG_LIMIT_H

/*
 * How many lines of one kind there may be: at most .lines in a window of
 * .window_ms, which its first line opens.  What is left out is counted, and
 * the count is due at the window's end.  Pure: time is an argument, in
 * microseconds.
 */

#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_NEVER UINT64_MAX

struct log_limit {
	uint32_t window_ms;
	uint32_t lines; /* at least 1 */
	uint32_t used;
	uint64_t ends_us; /* 0: no window is open */
	uint64_t left_out;
};

/* May this kind have a line now?  Counted if not.  A count that is due is lost
 * by this: take it first. */
bool log_limit_take(struct log_limit *l, uint64_t now_us);
/* When the count of what was left out is due; LOG_LIMIT_NEVER: nothing was. */
uint64_t log_limit_due(const struct log_limit *l);
/* The count if it is due, else 0; taken, it is 0 until more is left out. */
uint64_t log_limit_count(struct log_limit *l, uint64_t now_us);

#endif
