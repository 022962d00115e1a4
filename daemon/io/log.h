/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_LOG_H
#define DAEMON_IO_LOG_H

/*
 * One line an event on stderr: with a journal priority prefix under systemd,
 * with a time stamp elsewhere.  What strangers can cause is logged through
 * LOG_LIMITED(), which counts what it leaves out.  Control characters become
 * question marks, so a stranger's text stays in its line.  When stderr takes
 * no more, lines are lost and counted: logging never waits.  From one thread.
 */

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_init(enum log_level level);
void log_set_level(enum log_level level);

#define LOG_FORMAT(at) __attribute__((format(printf, at, (at) + 1)))

LOG_FORMAT(2) void log_at(enum log_level level, const char *format, ...);

/* Used like functions.
 * NOLINTBEGIN(readability-identifier-naming) */
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
/* NOLINTEND(readability-identifier-naming) */

/* A place in the code that may log @burst lines at once and one every
 * @every_ms after that. */
struct log_limit {
	uint32_t every_ms;
	uint32_t burst;
	uint64_t ahead_us;
	uint64_t suppressed;
};

/* True when this place may log now; *@left_out is how many it did not. */
bool log_limit_take(struct log_limit *l, uint64_t now_us, uint64_t *left_out);

LOG_FORMAT(4)
void log_limited(struct log_limit *l, uint64_t now_us, enum log_level level,
		 const char *format, ...);

/* A line that strangers can cause: five at once, then one in 5 s from this
 * place, saying how many were left out. */
#define LOG_LIMITED(now_us, level, ...)                                 \
	do {                                                            \
		static struct log_limit log_here = { 5000, 5, 0, 0 };   \
		log_limited(&log_here, (now_us), (level), __VA_ARGS__); \
	} while (0)

#endif
