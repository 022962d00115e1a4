/* SPDX-License-Identifier: MIT */

/* Lines from standard input, which is a pipe here, and signals between them. */

#include <string.h>
#include <unistd.h>

#include "daemon/console/typed.h"
#include "tests/t.h"

static struct typed typed;
static int out;
static int raised; /* what would have ended us */

static void on_end(int number)
{
	raised = number;
}

static void begin(const char *text)
{
	int ends[2];

	T_EQ(0, pipe(ends));
	T_TRUE(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
	(void)close(ends[0]);
	out = ends[1];
	T_EQ((ssize_t)strlen(text), write(out, text, strlen(text)));
	typed_begin(&typed);
}

static void lines_come_one_by_one_and_the_last_needs_no_end(void)
{
	begin("one\ntwo\r\n\nfour");
	(void)close(out);
	T_STR("one", typed_line(&typed, false));
	T_STR("two", typed_line(&typed, true));
	T_STR("", typed_line(&typed, false));
	T_STR("four", typed_line(&typed, false));
	T_TRUE(typed_line(&typed, false) == NULL);
	T_TRUE(typed_line(&typed, false) == NULL);
	typed_end(&typed);
}

static void a_line_that_is_too_long_comes_in_pieces(void)
{
	static char text[TYPED_MAX + 12];
	const char *line;

	memset(text, 'x', TYPED_MAX + 9);
	text[TYPED_MAX + 9] = '\n';
	begin(text);
	(void)close(out);
	line = typed_line(&typed, false);
	T_EQ(TYPED_MAX, strlen(line));
	T_STR("xxxxxxxxx", typed_line(&typed, false));
	T_TRUE(typed_line(&typed, false) == NULL);
	typed_end(&typed);
}

/* Between the question and its answer is no moment in which it is missed. */
static void a_signal_before_the_line_is_read_ends_it(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		T_TRUE(signal(ends[i], on_end) != SIG_ERR);
		raised = 0;
		begin("one\n");
		T_STR("one", typed_line(&typed, false));
		T_EQ(0, raise(ends[i]));
		T_TRUE(typed_line(&typed, i % 2 == 0) == NULL);
		T_EQ(0, raised);
		typed_end(&typed);
		T_EQ(ends[i] == SIGINT ? 0 : ends[i], raised);
		(void)close(out);
	}
}

int main(void)
{
	T_RUN(lines_come_one_by_one_and_the_last_needs_no_end);
	T_RUN(a_line_that_is_too_long_comes_in_pieces);
	T_RUN(a_signal_before_the_line_is_read_ends_it);
	return T_DONE();
}
