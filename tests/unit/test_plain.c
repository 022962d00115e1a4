/* SPDX-License-Identifier: MIT */

/* What comes from anywhere does nothing to a terminal. */

#include "daemon/console/plain.h"

#include "tests/t.h"

static const char *plain(const char *in)
{
	static char out[64];

	plain_text(in, out, sizeof(out));
	return out;
}

static void ascii_stays_as_it_is(void)
{
	char all[96], out[96];

	for (int c = ' '; c < 0x7f; c++)
		all[c - ' '] = (char)c;
	all[0x7f - ' '] = '\0';
	plain_text(all, out, sizeof(out));
	T_STR(all, out);
	T_STR("", plain(""));
}

static void escapes_and_controls_are_question_marks(void)
{
	plain_utf8(true);
	T_STR("?[2J?]0;x?", plain("\033[2J\033]0;x\007"));
	T_STR("a?b?c?d", plain("a\rb\nc\td"));
	T_STR("?", plain("\177"));
	/* CSI as one character of ISO 6429, raw and as UTF-8 has it. */
	T_STR("?2J", plain("\2332J"));
	T_STR("?2J", plain("\302\2332J"));
	/* What turns the direction of writing, and what has no width. */
	T_STR("a?b", plain("a\342\200\256b"));
	T_STR("a?b", plain("a\342\200\213b"));
	T_STR("e?", plain("e\314\201"));
	T_STR("?", plain("\302\255"));
}

static void letters_are_shown_where_the_terminal_can(void)
{
	plain_utf8(true);
	T_STR("Z\303\274rich \320\232\316\251",
	      plain("Z\303\274rich \320\232\316\251"));
	plain_utf8(false);
	T_STR("Z?rich ??", plain("Z\303\274rich \320\232\316\251"));
}

/* A wide character, a broken sequence, one that is longer than it must be. */
static void what_has_no_single_column_is_one_question_mark(void)
{
	plain_utf8(true);
	T_STR("??", plain("\346\227\245\346\234\254"));
	T_STR("?x", plain("\360\237\230\200x"));
	T_STR("?x", plain("\303x"));
	T_STR("??x", plain("\300\200x"));
	T_STR("?", plain("\342\202"));
	T_STR("????", plain("\200\277\370\377"));
}

static void a_cut_takes_whole_characters(void)
{
	char out[4];

	plain_utf8(true);
	plain_text("ab\303\274c", out, sizeof(out));
	T_STR("ab", out);
	plain_text("a\303\274c", out, sizeof(out));
	T_STR("a\303\274", out);
	plain_text("abc", out, 1);
	T_STR("", out);
}

static void every_octet_pair_yields_one_column_characters(void)
{
	plain_utf8(true);
	for (unsigned a = 1; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			const char in[3] = { (char)a, (char)b, '\0' };
			const char *at = in;
			unsigned ch;

			while ((ch = plain_next(&at)))
				T_TRUE((ch >= ' ' && ch < 0x7f) ||
				       (ch >= 0xa0 && ch < 0x530));
			T_TRUE(at <= in + 2 && *at == '\0');
		}
	}
}

static void all_strings_of_an_answer(void)
{
	json_t *o = json_pack("{s:s, s:[s, {s:s}], s:i}", "why", "a\033[1m",
			      "links", "\033", "node", "2\n", "n", 3);
	char *text;

	plain_json(o);
	text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	T_STR("{\"links\":[\"?\",{\"node\":\"2?\"}],\"n\":3,"
	      "\"why\":\"a?[1m\"}",
	      text);
	free(text);
	json_decref(o);
	plain_json(NULL);
}

int main(void)
{
	T_RUN(ascii_stays_as_it_is);
	T_RUN(escapes_and_controls_are_question_marks);
	T_RUN(letters_are_shown_where_the_terminal_can);
	T_RUN(what_has_no_single_column_is_one_question_mark);
	T_RUN(a_cut_takes_whole_characters);
	T_RUN(every_octet_pair_yields_one_column_characters);
	T_RUN(all_strings_of_an_answer);
	return T_DONE();
}
