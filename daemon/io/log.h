/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_LOG_H
#define DAEMON_IO_LOG_H

/*
 * One line an event: an entry with fields where stderr is the journal, a line
 * on stderr with the time elsewhere.  What strangers can cause is logged
 * through LOG_LIMITED() or LOG_ABOUT(), which count what they leave out and
 * say how much that was at the end of a minute.  Control characters, and
 * octets that are no UTF-8, become question marks: a stranger's text stays in
 * its line.  When nobody reads, lines are lost and counted: logging never
 * waits.  From one thread.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/io/log_limit.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_init(enum log_level level);
void log_set_level(enum log_level level);
/* Who logs, as the journal's KEYHOLE_NODE; borrowed until log_detach().  NULL:
 * nobody. */
void log_node(const char *number);
/* Where the journal listens, instead of JOURNAL_SOCKET; borrowed. */
void log_journal_at(const char *path);
/* Counts are said in time from here on; 0 or -ENOMEM. */
int log_attach(struct event_base *base);
/* Say what there is to say, and no more by itself.  Before the base goes. */
void log_detach(void);

#define LOG_FORMAT(at) __attribute__((format(printf, at, (at) + 1)))

LOG_FORMAT(2) void log_at(enum log_level level, const char *format, ...);

/* Used like functions.
 * NOLINTBEGIN(readability-identifier-naming) */
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
/* NOLINTEND(readability-identifier-naming) */

/* What a line is about: fields of the journal's entry. */
struct log_about {
	enum log_level level;
	const char *event;  /* KEYHOLE_EVENT, as consoles know it; or NULL */
	const char *peer;   /* KEYHOLE_PEER, a number; or NULL */
	uint32_t call;      /* KEYHOLE_CALL; 0: none */
	const char *record; /* KEYHOLE_RECORD, JSON; or NULL */
};

LOG_FORMAT(2)
void log_about(const struct log_about *about, const char *format, ...);

#define LOG_LIKE_MAX 120U

/* A kind of line: what lines a place in the code logs.  Static. */
struct log_kind {
	struct log_limit limit;
	bool listed;
	struct log_kind *next;
	enum log_level level;
	const char *event;
	char like[LOG_LIKE_MAX]; /* how the last one began */
};

LOG_FORMAT(4)
void log_limited(struct log_kind *k, uint64_t now_us,
		 const struct log_about *about, const char *format, ...);

/* Say the counts that are due. */
void log_tick(uint64_t now_us);
/* When the next one is; LOG_LIMIT_NEVER: there is none. */
uint64_t log_deadline(void);

/* A minute, and how many lines of a kind there are in it. */
#define LOG_WINDOW_MS 60000U
#define LOG_LINES 10U

#define LOG_KIND(lines_max)                                      \
	{                                                        \
		.limit = { LOG_WINDOW_MS, (lines_max), 0, 0, 0 } \
	}

/* A line of which there are no more than @lines a minute, and one that counts
 * the others. */
#define LOG_AT_MOST(lines, now_us, about, ...)                          \
	do {                                                            \
		static struct log_kind log_here = LOG_KIND(lines);      \
		log_limited(&log_here, (now_us), (about), __VA_ARGS__); \
	} while (0)

/* A line that strangers can cause; one of an event, one of an event and a
 * peer. */
#define LOG_ABOUT(now_us, about, ...) \
	LOG_AT_MOST(LOG_LINES, now_us, about, __VA_ARGS__)
#define LOG_EVENT_OF(now_us, severity, what, whose, ...)     \
	LOG_ABOUT(now_us,                                    \
		  (&(struct log_about){ .level = (severity), \
					.event = (what),     \
					.peer = (whose) }),  \
		  __VA_ARGS__)
#define LOG_EVENT(now_us, severity, what, ...) \
	LOG_EVENT_OF(now_us, severity, what, NULL, __VA_ARGS__)
#define LOG_LIMITED(now_us, severity, ...) \
	LOG_EVENT(now_us, severity, NULL, __VA_ARGS__)

#endif
