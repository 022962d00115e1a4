/* SPDX-License-Identifier: MIT */

#include "daemon/io/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/io/log_journal.h"
#include "daemon/io/log_text.h"
#include "daemon/io/loop.h"

#define LINE_MAX_OCTETS 1024

static enum log_level threshold = LOG_INFO;
static bool in_journal;
static const char *journal_path = JOURNAL_SOCKET;
static const char *node;
static uint64_t lost;          /* lines, since one was written */
static struct log_kind *kinds; /* that ever logged */
static struct loop_timer timer;

static const struct {
	const char *priority; /* of syslog(3) */
	const char *name;
} severity[] = {
	[LOG_ERROR] = { "3", "error: " },
	[LOG_WARNING] = { "4", "warning: " },
	[LOG_INFO] = { "6", "" },
	[LOG_DEBUG] = { "7", "debug: " },
};

void log_init(enum log_level level)
{
	threshold = level;
	in_journal = journal_is_stderr(getenv("JOURNAL_STREAM"));
}

void log_set_level(enum log_level level)
{
	threshold = level;
}

void log_node(const char *number)
{
	node = number;
}

void log_journal_at(const char *path)
{
	journal_path = path;
}

/* --- one line ----------------------------------------------------------- */

static size_t prefix(char *out, size_t cap, enum log_level level)
{
	struct timespec ts;
	struct tm tm;
	int n;

	if (in_journal) {
		n = snprintf(out, cap, "<%s>", severity[level].priority);
		return (size_t)n;
	}
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)localtime_r(&ts.tv_sec, &tm);
	n = snprintf(out, cap, "%02d:%02d:%02d.%03ld %s", tm.tm_hour, tm.tm_min,
		     tm.tm_sec, ts.tv_nsec / 1000000, severity[level].name);
	return (size_t)n;
}

/* One write a line keeps lines whole.  A reader that does not read loses
 * lines; the loop never waits for it. */
static bool write_line(enum log_level level, const char *text)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[LINE_MAX_OCTETS];
	size_t n = prefix(line, sizeof(line), level);
	size_t len = strlen(text);

	if (len > sizeof(line) - 1 - n)
		len = sizeof(line) - 1 - n;
	memcpy(line + n, text, len);
	n += len;
	line[n++] = '\n';
	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) &&
	       write(STDERR_FILENO, line, n) == (ssize_t)n;
}

static int enter(const struct log_about *about, const char *text)
{
	char entry[JOURNAL_ENTRY_MAX], call[16];
	const struct journal_field field[] = {
		{ "MESSAGE", text },
		{ "PRIORITY", severity[about->level].priority },
		{ "SYSLOG_IDENTIFIER", program_invocation_short_name },
		{ "KEYHOLE_NODE", node },
		{ "KEYHOLE_EVENT", about->event },
		{ "KEYHOLE_PEER", about->peer },
		{ "KEYHOLE_CALL", about->call != 0 ? call : NULL },
		{ "KEYHOLE_RECORD", about->record },
	};
	size_t len;

	(void)snprintf(call, sizeof(call), "%" PRIu32, about->call);
	len = journal_entry(entry, sizeof(entry), field,
			    sizeof(field) / sizeof(field[0]));
	return len > 0 ? journal_send(journal_path, entry, len) : -EMSGSIZE;
}

/* A journal that cannot be had in its own way reads stderr. */
static bool emit(const struct log_about *about, const char *text)
{
	const int err = in_journal ? enter(about, text) : -ENOTCONN;

	return err == 0 || (err != -EAGAIN && write_line(about->level, text));
}

static void emit_lost(void)
{
	char text[96];

	(void)snprintf(text, sizeof(text),
		       "%" PRIu64 " lines before this one were lost", lost);
	if (emit(&(struct log_about){ .level = LOG_WARNING }, text))
		lost = 0;
}

static void say(const struct log_about *about, const char *text)
{
	if (lost > 0)
		emit_lost();
	if (lost > 0 || !emit(about, text))
		lost++;
}

__attribute__((format(printf, 3, 0))) static void
format_text(char *text, size_t cap, const char *format, va_list ap)
{
	if (vsnprintf(text, cap, format, ap) < 0)
		text[0] = '\0';
	log_text_clean(text);
}

void log_at(enum log_level level, const char *format, ...)
{
	char text[LINE_MAX_OCTETS];
	va_list ap;

	if (level > threshold)
		return;
	va_start(ap, format);
	format_text(text, sizeof(text), format, ap);
	va_end(ap);
	say(&(struct log_about){ .level = level }, text);
}

void log_about(const struct log_about *about, const char *format, ...)
{
	char text[LINE_MAX_OCTETS];
	va_list ap;

	if (about->level > threshold)
		return;
	va_start(ap, format);
	format_text(text, sizeof(text), format, ap);
	va_end(ap);
	say(about, text);
}

/* --- not too many ------------------------------------------------------- */

static void say_count(struct log_kind *k, uint64_t count)
{
	char text[LOG_LIKE_MAX + 64];

	if (count == 0 || k->level > threshold)
		return;
	(void)snprintf(text, sizeof(text),
		       "%" PRIu64 " more like this in %u s: %s", count,
		       k->limit.window_ms / 1000, k->like);
	say(&(struct log_about){ .level = k->level, .event = k->event }, text);
}

static void arm(void)
{
	if (timer.ev)
		loop_timer_set(&timer, log_deadline());
}

/* Keep how a line began, and be sure that its kind is asked for counts. */
static void remember(struct log_kind *k, const struct log_about *about,
		     const char *text)
{
	k->level = about->level;
	k->event = about->event;
	(void)snprintf(k->like, sizeof(k->like), "%s", text);
	log_text_clean(k->like); /* it may end within a character */
	if (k->listed)
		return;
	k->listed = true;
	k->next = kinds;
	kinds = k;
}

void log_limited(struct log_kind *k, uint64_t now_us,
		 const struct log_about *about, const char *format, ...)
{
	char text[LINE_MAX_OCTETS];
	va_list ap;

	if (about->level > threshold)
		return;
	say_count(k, log_limit_count(&k->limit, now_us));
	if (!log_limit_take(&k->limit, now_us)) {
		if (k->limit.left_out == 1)
			arm();
		return;
	}
	va_start(ap, format);
	format_text(text, sizeof(text), format, ap);
	va_end(ap);
	remember(k, about, text);
	say(about, text);
}

void log_tick(uint64_t now_us)
{
	for (struct log_kind *k = kinds; k; k = k->next)
		say_count(k, log_limit_count(&k->limit, now_us));
}

uint64_t log_deadline(void)
{
	uint64_t due = LOG_LIMIT_NEVER;

	for (const struct log_kind *k = kinds; k; k = k->next) {
		const uint64_t its = log_limit_due(&k->limit);

		due = its < due ? its : due;
	}
	return due;
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx;
	log_tick(loop_now());
	arm();
}

int log_attach(struct event_base *base)
{
	const int err = loop_timer_init(&timer, base, on_timer, NULL);

	if (err == 0)
		arm();
	return err;
}

void log_detach(void)
{
	loop_timer_done(&timer);
	log_tick(LOG_LIMIT_NEVER - 1);
	node = NULL;
}
