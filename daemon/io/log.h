/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_LOG_H
#define DAEMON_IO_LOG_H

/*
 * One line an event on stderr: with a journal priority prefix under systemd,
 * with a time stamp elsewhere.  What strangers can cause is logged through
 * LOG_LIMITED(), which counts what it leaves out.
 */

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_init(enum log_level level);
void log_set_level(enum log_level level);

__attribute__((format(printf, 2, 3))) void log_at(enum log_level level,
						  const char *format, ...);

#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

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

#define LOG_LIMITED(now_us, level, format, ...)                                \
	do {                                                                   \
		static struct log_limit log_here = { 5000, 5, 0, 0 };          \
		uint64_t log_out;                                              \
		if (log_limit_take(&log_here, (now_us), &log_out)) {           \
			if (log_out > 0)                                       \
				log_at(level,                                  \
				       format " (%" PRIu64 " more like this)", \
				       __VA_ARGS__, log_out);                  \
			else                                                   \
				log_at(level, format, __VA_ARGS__);            \
		}                                                              \
	} while (0)

#endif
