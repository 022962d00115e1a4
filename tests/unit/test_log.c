/* SPDX-License-Identifier: MIT */

/* What comes out of stderr, and that nobody who reads it can stop the log. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "daemon/io/log.h"
#include "tests/t.h"

#define WATCH_S 10U
#define SECOND_US UINT64_C(1000000)

static int screen;  /* the real stderr */
static int pipe_fd; /* the end where the log comes out */
static char out[65536];

/* @journal as systemd sets JOURNAL_STREAM; NULL: not under systemd. */
static void begin(const char *journal)
{
	int ends[2];

	T_EQ(0, pipe(ends));
	T_EQ(0, fcntl(ends[0], F_SETFL, O_NONBLOCK));
	screen = dup(STDERR_FILENO);
	T_TRUE(screen >= 0);
	T_EQ(STDERR_FILENO, dup2(ends[1], STDERR_FILENO));
	T_EQ(0, close(ends[1]));
	pipe_fd = ends[0];
	if (journal)
		T_EQ(0, setenv("JOURNAL_STREAM", journal, 1));
	else
		T_EQ(0, unsetenv("JOURNAL_STREAM"));
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
	begin("8:1");
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

	begin(NULL);
	log_warning("registrar silent");
	T_EQ(4, sscanf(logged(), "%2u:%2u:%2u.%3u %n", &h, &m, &s, &ms, &used));
	T_STR("warning: registrar silent\n", out + used);
	end();
}

static void a_strangers_text_stays_in_its_line(void)
{
	begin("8:1");
	log_info("number %s", "1\n<3>error: forged\r\x1b[2J\t\x7f");
	T_STR("<6>number 1?<3>error: forged??[2J??\n", logged());
	log_info("%s", "caf\xc3\xa9");
	T_STR("<6>caf\xc3\xa9\n", logged());
	end();
}

static void a_line_that_is_too_long_is_cut_and_ends(void)
{
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	begin("8:1");
	log_info("%s", text);
	T_EQ(1, lines_in(logged()));
	T_TRUE(strlen(out) > 1000 && strlen(out) <= 1024);
	T_EQ('\n', out[strlen(out) - 1]);
	end();
}

static void one_place_is_limited_and_says_what_it_left_out(void)
{
	begin("8:1");
	for (uint64_t i = 0; i < 101; i++) {
		const uint64_t now =
			i < 100 ? SECOND_US : SECOND_US + 5 * SECOND_US;

		LOG_LIMITED(now, LOG_WARNING, "refused n=%u", (unsigned)i);
	}
	T_EQ(6, lines_in(logged()));
	T_TRUE(strstr(out, "<4>refused n=4\n<4>refused n=100 (95 more)\n") !=
	       NULL);
	end();
}

/* A log that waits would be ended by the alarm. */
static void a_reader_that_does_not_read_stops_nothing(void)
{
	char text[1000];
	size_t whole;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	begin("8:1");
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
	T_RUN(one_place_is_limited_and_says_what_it_left_out);
	T_RUN(a_reader_that_does_not_read_stops_nothing);
	return T_DONE();
}
