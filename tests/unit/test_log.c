/* SPDX-License-Identifier: MIT */

/* What comes out of stderr, and that nobody who reads it can stop the log. */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/log.h"
#include "daemon/io/log_text.h"
#include "daemon/io/loop.h"
#include "tests/t.h"

#define WATCH_S 10U
#define SECOND_US UINT64_C(1000000)

static int screen;  /* the real stderr */
static int pipe_fd; /* the end where the log comes out */
static char out[65536];

/* @journal: stderr is what systemd says is the journal, which cannot be had but
 * by stderr. */
static void begin(bool journal)
{
	char stream[64];
	struct stat st;
	int ends[2];

	T_EQ(0, pipe(ends));
	T_EQ(0, fcntl(ends[0], F_SETFL, O_NONBLOCK));
	screen = dup(STDERR_FILENO);
	T_TRUE(screen >= 0);
	T_EQ(STDERR_FILENO, dup2(ends[1], STDERR_FILENO));
	T_EQ(0, close(ends[1]));
	pipe_fd = ends[0];
	T_EQ(0, fstat(STDERR_FILENO, &st));
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino + (journal ? 0 : 1));
	T_EQ(0, setenv("JOURNAL_STREAM", stream, 1));
	log_journal_at("/nonexistent/socket");
	log_init(LOG_INFO);
}

/* All that has been logged since the last time. */
static const char *logged(void)
{
	size_t n = 0;
	ssize_t got;

	while ((got = read(pipe_fd, out + n, sizeof(out) - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	return out;
}

static void end(void)
{
	T_EQ(STDERR_FILENO, dup2(screen, STDERR_FILENO));
	T_EQ(0, close(screen));
	T_EQ(0, close(pipe_fd));
}

static size_t lines_in(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void a_line_has_its_priority_under_systemd(void)
{
	begin(true);
	log_error("a %d", 1);
	log_warning("b");
	log_info("c");
	log_debug("not at this level");
	T_STR("<3>a 1\n<4>b\n<6>c\n", logged());
	log_set_level(LOG_DEBUG);
	log_debug("d");
	T_STR("<7>d\n", logged());
	end();
}

static void a_line_has_the_time_elsewhere(void)
{
	unsigned h, m, s, ms;
	int used = 0;

	begin(false);
	log_warning("registrar silent");
	T_EQ(4, sscanf(logged(), "%2u:%2u:%2u.%3u %n", &h, &m, &s, &ms, &used));
	T_STR("warning: registrar silent\n", out + used);
	end();
}

static void a_strangers_text_stays_in_its_line(void)
{
	begin(true);
	log_info("number %s", "1\n<3>error: forged\r\x1b[2J\t\x7f");
	T_STR("<6>number 1?<3>error: forged??[2J??\n", logged());
	log_info("%s", "caf\xc3\xa9");
	T_STR("<6>caf\xc3\xa9\n", logged());
	end();
}

/* What a terminal, or a reader of the journal, would not take as text. */
static void octets_that_are_no_text_become_question_marks(void)
{
	static const char *const said[][2] = {
		{ "caf\xe9", "caf?" },              /* Latin 1 */
		{ "\xc3", "?" },                    /* cut */
		{ "\xc2\x9b[2J", "??[2J" },         /* C1: CSI */
		{ "\xc0\x8a", "??" },               /* overlong */
		{ "\xe0\x80\x8a", "???" },          /* overlong */
		{ "\xed\xa0\x80", "???" },          /* a surrogate */
		{ "\xf4\x90\x80\x80", "????" },     /* beyond Unicode */
		{ "\xe2\x82\xac", "\xe2\x82\xac" }, /* whole */
		{ "\xf0\x9f\x93\xbb!", "\xf0\x9f\x93\xbb!" },
		{ "\xff\xfe"
		  "a",
		  "??a" },
	};

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "%s", said[i][0]);
		log_text_clean(text);
		T_STR(said[i][1], text);
	}
}

static void a_line_that_is_too_long_is_cut_and_ends(void)
{
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	begin(true);
	log_info("%s", text);
	T_EQ(1, lines_in(logged()));
	T_TRUE(strlen(out) > 1000 && strlen(out) <= 1024);
	T_EQ('\n', out[strlen(out) - 1]);
	end();
}

#define FLOOD 100U

static void flood(uint64_t now)
{
	for (unsigned i = 0; i < FLOOD; i++)
		LOG_LIMITED(now, LOG_WARNING, "refused n=%u", i);
}

static void a_kind_of_line_is_limited_and_counted_when_its_minute_ends(void)
{
	const uint64_t over = SECOND_US + LOG_WINDOW_MS * 1000ULL;

	begin(true);
	flood(SECOND_US);
	T_EQ(LOG_LINES, lines_in(logged()));
	T_TRUE(strstr(out, "<4>refused n=9\n") != NULL);
	T_EQ(over, log_deadline());
	log_tick(over - 1);
	T_STR("", logged());
	log_tick(over);
	T_STR("<4>90 more like this in 60 s: refused n=9\n", logged());
	log_tick(over + SECOND_US);
	T_STR("", logged());
	T_EQ(LOG_LIMIT_NEVER, log_deadline());
	/* And so the next minute, whose count comes before its successor. */
	flood(2 * over);
	T_EQ(LOG_LINES, lines_in(logged()));
	flood(3 * over);
	T_EQ(LOG_LINES + 1, lines_in(logged()));
	T_EQ(0,
	     strncmp("<4>90 more like this in 60 s: refused n=9\n", out, 42));
	log_detach();
	T_STR("<4>90 more like this in 60 s: refused n=9\n", logged());
	end();
}

/* The loop says it, though nothing is logged any more. */
static void a_count_is_said_by_the_loop(void)
{
	static struct log_kind kind = { .limit = { 20, 1, 0, 0, 0 } };
	const struct log_about about = { .level = LOG_INFO };
	struct event_base *base = loop_base_new();

	begin(true);
	T_EQ(0, log_attach(base));
	for (int i = 0; i < 3; i++)
		log_limited(&kind, loop_now(), &about, "moved");
	T_STR("<6>moved\n", logged());
	T_TRUE(event_base_dispatch(base) >= 0);
	T_STR("<6>2 more like this in 0 s: moved\n", logged());
	log_detach();
	event_base_free(base);
	end();
}

/* What is not logged at this level is not counted either. */
static void a_level_that_is_off_leaves_no_counts(void)
{
	begin(true);
	for (int i = 0; i < 100; i++)
		LOG_LIMITED(SECOND_US, LOG_DEBUG, "step");
	T_STR("", logged());
	T_EQ(LOG_LIMIT_NEVER, log_deadline());
	end();
}

/* A log that waits would be ended by the alarm. */
static void a_reader_that_does_not_read_stops_nothing(void)
{
	char text[1000];
	size_t whole;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	begin(true);
	(void)alarm(WATCH_S);
	for (int i = 0; i < 1000; i++)
		log_info("%s", text);
	(void)alarm(0);
	whole = lines_in(logged());
	T_TRUE(whole > 0 && whole < 1000);
	T_EQ('\n', out[strlen(out) - 1]);
	(void)snprintf(text, sizeof(text),
		       "<4>%zu lines before this one were lost\n<6>back\n",
		       1000 - whole);
	log_info("back");
	T_STR(text, logged());
	log_info("and on");
	T_STR("<6>and on\n", logged());
	end();
}

int main(void)
{
	T_RUN(a_line_has_its_priority_under_systemd);
	T_RUN(a_line_has_the_time_elsewhere);
	T_RUN(a_strangers_text_stays_in_its_line);
	T_RUN(a_line_that_is_too_long_is_cut_and_ends);
	T_RUN(octets_that_are_no_text_become_question_marks);
	T_RUN(a_kind_of_line_is_limited_and_counted_when_its_minute_ends);
	T_RUN(a_count_is_said_by_the_loop);
	T_RUN(a_level_that_is_off_leaves_no_counts);
	T_RUN(a_reader_that_does_not_read_stops_nothing);
	return T_DONE();
}
