/* SPDX-License-Identifier: MIT */

/* What is sent makes the screen, and is little. */

#include "daemon/console/screen.h"

#include <limits.h>

#include "tests/unit/screen_terminal.h"

/* To be freed. */
static char *update(const struct screen *was, const struct screen *now,
		    bool colour)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	T_TRUE(to != NULL);
	screen_update(to, was, now, colour);
	(void)fclose(to);
	return text;
}

static void text_is_cut_at_the_edge_and_at_its_width(void)
{
	struct screen *s = screen_new(10, 2);

	T_EQ(10, screen_text(s, 0, 7, UINT_MAX, SCREEN_PLAIN, "abcdef"));
	T_EQ(3, screen_text(s, 1, 0, 3, SCREEN_PLAIN, "xyzzy"));
	T_EQ(5, screen_text(s, 2, 5, 3, SCREEN_PLAIN, "below"));
	T_EQ(12, screen_text(s, 1, 12, 3, SCREEN_PLAIN, "beside"));
	T_STR("       abc", screen_line(s, 0));
	T_STR("xyz", screen_line(s, 1));
	screen_free(s);
}

static void sizes_are_brought_into_range(void)
{
	struct screen *s = screen_new(0, 0);

	T_EQ(1, s->columns);
	T_EQ(1, s->lines);
	screen_free(s);
	s = screen_new(UINT_MAX, UINT_MAX);
	T_EQ(SCREEN_COLUMNS_MAX, s->columns);
	T_EQ(SCREEN_LINES_MAX, s->lines);
	T_TRUE(screen_free(s) == NULL);
}

static void the_first_time_it_is_cleared(void)
{
	struct screen *s = screen_new(20, 3);
	char *sent;

	(void)screen_text(s, 1, 2, UINT_MAX, SCREEN_PLAIN, "one  two");
	sent = update(NULL, s, false);
	T_STR("\033[H\033[2J\033[2;3Hone  two", sent);
	free(sent);
	screen_free(s);
}

static void nothing_changed_and_nothing_is_sent(void)
{
	struct screen *s = screen_new(80, 24);
	char *sent;

	(void)screen_text(s, 3, 0, UINT_MAX, SCREEN_BAD, "as it was");
	sent = update(s, s, true);
	T_STR("", sent);
	free(sent);
	screen_free(s);
}

static void one_figure_is_a_few_octets(void)
{
	struct screen *was = screen_new(80, 24), *now = screen_new(80, 24);
	char *sent;

	(void)screen_text(was, 9, 0, UINT_MAX, SCREEN_PLAIN, "2002  52 ms  3");
	(void)screen_text(now, 9, 0, UINT_MAX, SCREEN_PLAIN, "2002  53 ms  4");
	sent = update(was, now, false);
	T_STR("\033[10;8H3 ms  4", sent);
	free(sent);
	screen_free(was);
	screen_free(now);
}

static void a_line_that_got_shorter_is_ended(void)
{
	struct screen *was = screen_new(80, 24), *now = screen_new(80, 24);
	char *sent;

	(void)screen_text(was, 0, 0, UINT_MAX, SCREEN_PLAIN,
			  "link 2002: punching, for a while");
	(void)screen_text(now, 0, 0, UINT_MAX, SCREEN_PLAIN, "link 2002: up");
	sent = update(was, now, false);
	T_STR("\033[1;12Hup\033[1;14H\033[K", sent);
	free(sent);
	screen_free(was);
	screen_free(now);
}

static void looks_are_sent_only_in_colour(void)
{
	struct screen *s = screen_new(20, 1);
	char *sent;

	(void)screen_text(s, 0, 0, UINT_MAX, SCREEN_GOOD, "up");
	(void)screen_text(s, 0, 2, UINT_MAX, SCREEN_PLAIN, "!");
	sent = update(NULL, s, true);
	T_STR("\033[H\033[2J\033[1;1H\033[0;32mup\033[0m!", sent);
	free(sent);
	sent = update(NULL, s, false);
	T_STR("\033[H\033[2J\033[1;1Hup!", sent);
	free(sent);
	screen_free(s);
}

/* --- any change ---------------------------------------------------------- */

static uint32_t chance = 1;

static unsigned some(unsigned n)
{
	chance = chance * 1664525U + 1013904223U;
	return (chance >> 8) % n;
}

static void scribble(struct screen *s)
{
	static const char *const words[] = { "a",           "  ",
					     "2002",        "punching",
					     "\303\274ber", "   |   " };

	for (unsigned n = some(12); n > 0; n--)
		(void)screen_text(s, some(s->lines), some(s->columns), UINT_MAX,
				  (enum screen_look)some(SCREEN_LOOKS),
				  words[some(6)]);
}

static uint8_t number_of(uint8_t look)
{
	static const uint8_t sgr[SCREEN_LOOKS] = {
		[SCREEN_HEAD] = 1,  [SCREEN_DIM] = 2,  [SCREEN_GOOD] = 32,
		[SCREEN_WARN] = 33, [SCREEN_BAD] = 31,
	};

	return sgr[look];
}

static void check_shown(const struct terminal *t, const struct screen *s)
{
	for (size_t i = 0; i < (size_t)s->columns * s->lines; i++) {
		T_EQ(s->cell[i].ch, t->shown->cell[i].ch);
		if (s->cell[i].ch != ' ')
			T_EQ(number_of(s->cell[i].look),
			     t->shown->cell[i].look);
	}
}

static void whatever_changes_the_terminal_shows_it(void)
{
	struct terminal t = { .shown = screen_new(23, 5) };
	struct screen *was = NULL;

	plain_utf8(true);
	for (int round = 0; round < 3000; round++) {
		struct screen *now = screen_new(23, 5);
		char *sent;

		if (was && some(4) != 0)
			memcpy(now->cell, was->cell,
			       sizeof(now->cell[0]) * 23 * 5);
		scribble(now);
		sent = update(was, now, true);
		terminal_take(&t, sent);
		check_shown(&t, now);
		free(sent);
		screen_free(was);
		was = now;
	}
	screen_free(was);
	screen_free(t.shown);
}

int main(void)
{
	T_RUN(text_is_cut_at_the_edge_and_at_its_width);
	T_RUN(sizes_are_brought_into_range);
	T_RUN(the_first_time_it_is_cleared);
	T_RUN(nothing_changed_and_nothing_is_sent);
	T_RUN(one_figure_is_a_few_octets);
	T_RUN(a_line_that_got_shorter_is_ended);
	T_RUN(looks_are_sent_only_in_colour);
	T_RUN(whatever_changes_the_terminal_shows_it);
	return T_DONE();
}
