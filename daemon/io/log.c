/* SPDX-License-Identifier: MIT */

#include "daemon/io/log.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 1024

static enum log_level threshold = LOG_INFO;
static bool under_systemd;
static uint64_t lost; /* lines, since one was written */

void log_init(enum log_level level)
{
	threshold = level;
	under_systemd = getenv("JOURNAL_STREAM") != NULL;
}

void log_set_level(enum log_level level)
{
	threshold = level;
}

static size_t prefix(char *out, size_t cap, enum log_level level)
{
	static const struct {
		int priority; /* of syslog(3) */
		const char *name;
	} row[] = {
		[LOG_ERROR] = { 3, "error: " },
		[LOG_WARNING] = { 4, "warning: " },
		[LOG_INFO] = { 6, "" },
		[LOG_DEBUG] = { 7, "debug: " },
	};
	struct timespec ts;
	struct tm tm;
	int n;

	if (under_systemd) {
		n = snprintf(out, cap, "<%d>", row[level].priority);
		return (size_t)n;
	}
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)localtime_r(&ts.tv_sec, &tm);
	n = snprintf(out, cap, "%02d:%02d:%02d.%03ld %s", tm.tm_hour, tm.tm_min,
		     tm.tm_sec, ts.tv_nsec / 1000000, row[level].name);
	return (size_t)n;
}

/* What strangers sent may be in a line: it must not begin another, nor move a
 * terminal's cursor. */
static void make_printable(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			text[i] = '?';
	}
}

/* One write a line keeps lines whole.  A reader that does not read loses
 * lines; the loop never waits for it. */
static bool emit(const char *line, size_t len)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) &&
	       write(STDERR_FILENO, line, len) == (ssize_t)len;
}

static void emit_lost(void)
{
	char line[96];
	size_t n = prefix(line, sizeof(line), LOG_WARNING);
	const int m =
		snprintf(line + n, sizeof(line) - n,
			 "%" PRIu64 " lines before this one were lost\n", lost);

	if (m > 0 && emit(line, n + (size_t)m))
		lost = 0;
}

/* @left_out: lines like this one that were not logged. */
__attribute__((format(printf, 3, 0))) static void
write_line(enum log_level level, uint64_t left_out, const char *format,
	   va_list ap)
{
	char line[LINE_MAX_OCTETS];
	const size_t room = sizeof(line) - 1; /* for the line's end */
	size_t n, start;
	int m;

	if (level > threshold)
		return;
	n = start = prefix(line, room, level);
	m = vsnprintf(line + n, room - n, format, ap);
	if (m < 0)
		return;
	n = (size_t)m < room - n ? n + (size_t)m : room - 1;
	if (left_out > 0) {
		m = snprintf(line + n, room - n, " (%" PRIu64 " more)",
			     left_out);
		n = (size_t)m < room - n ? n + (size_t)m : room - 1;
	}
	make_printable(line + start, n - start);
	line[n++] = '\n';
	if (lost > 0)
		emit_lost();
	if (lost > 0 || !emit(line, n))
		lost++;
}

void log_at(enum log_level level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_line(level, 0, format, ap);
	va_end(ap);
}

void log_limited(struct log_limit *l, uint64_t now_us, enum log_level level,
		 const char *format, ...)
{
	uint64_t left_out;
	va_list ap;

	if (!log_limit_take(l, now_us, &left_out))
		return;
	va_start(ap, format);
	write_line(level, left_out, format, ap);
	va_end(ap);
}

bool log_limit_take(struct log_limit *l, uint64_t now_us, uint64_t *left_out)
{
	const uint64_t each = (uint64_t)l->every_ms * 1000;
	const uint64_t base = l->ahead_us > now_us ? l->ahead_us : now_us;

	if (base - now_us > each * (l->burst - 1)) {
		l->suppressed++;
		return false;
	}
	l->ahead_us = base + each;
	*left_out = l->suppressed;
	l->suppressed = 0;
	return true;
}
