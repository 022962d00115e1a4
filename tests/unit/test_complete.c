/* SPDX-License-Identifier: MIT */

/* What Tab offers, by what stands before it. */

#include "daemon/console/complete.h"

#include "tests/t.h"

/* Of the line's last word. */
static struct complete at(const char *line)
{
	const char *blank = strrchr(line, ' ');
	const size_t start = blank ? (size_t)(blank - line) + 1 : 0;

	return complete_at(line, start, line + start);
}

static void expect(const char *line, enum complete_kind kind, const char *words)
{
	const struct complete c = at(line);

	T_EQ(kind, c.kind);
	if (words)
		T_STR(words, c.words);
}

static void the_first_word_is_a_command(void)
{
	expect("", COMPLETE_COMMANDS, NULL);
	expect("con", COMPLETE_COMMANDS, NULL);
	expect("  con", COMPLETE_COMMANDS, NULL);
}

static void a_node_is_any_that_is_known_or_one_that_is_linked(void)
{
	expect("connect 20", COMPLETE_NODES, NULL);
	expect("connect --permanent 20", COMPLETE_NODES, NULL);
	expect("connect --mode monitor 20", COMPLETE_NODES, NULL);
	expect("message 2", COMPLETE_NODES, "--all");
	expect("disconnect ", COMPLETE_LINKED, "--all --json");
}

static void options_follow_a_node_or_a_dash(void)
{
	const char *options =
		"--monitor --local-monitor --mode --permanent --wait --json";

	expect("connect --", COMPLETE_WORDS, options);
	expect("connect 2002 ", COMPLETE_WORDS, options);
	expect("connect 2002 --p", COMPLETE_WORDS, options);
	expect("connect 2002 --wait 5 ", COMPLETE_WORDS, options);
}

static void values_follow_their_option(void)
{
	expect("connect 2002 --mode ", COMPLETE_WORDS,
	       "transceive monitor local-monitor");
	expect("connect 2002 --wait ", COMPLETE_NOTHING, "");
	expect("import dir --out f", COMPLETE_FILES, NULL);
	expect("levels --tone ", COMPLETE_NOTHING, NULL);
}

static void setup_has_its_options_and_their_values(void)
{
	const struct complete c = at("setup --");
	const char *got;

	T_EQ(COMPLETE_WORDS, c.kind);
	T_EQ(7, complete_word(c.words, "--radio", 0, &got));
	T_EQ(10, complete_word(c.words, "--no-", 0, &got));
	expect("setup --number ", COMPLETE_NOTHING, "");
	expect("setup --number 2001 --network a", COMPLETE_WORDS,
	       "keyhole allstarlink none");
	expect("setup --radio ", COMPLETE_WORDS, "cm108 alsa sim none");
	expect("setup --key-file /v", COMPLETE_FILES, "");
	expect("setup --password-file /r", COMPLETE_FILES, "");
}

static void files_and_words(void)
{
	expect("pubkey /e", COMPLETE_FILES, NULL);
	expect("sim ", COMPLETE_WORDS, "play cor");
	expect("sim cor o", COMPLETE_WORDS, "on off");
	expect("sim play a", COMPLETE_FILES, NULL);
}

static void of_what_is_no_command_nothing_is_known(void)
{
	expect("nonsense ", COMPLETE_NOTHING, "");
	expect("conn 20", COMPLETE_NOTHING, "");
	expect("connector 20", COMPLETE_NOTHING, "");
}

static void words_that_begin_so(void)
{
	const char *words = "one two  three";
	const char *got;

	T_EQ(3, complete_word(words, "", 1, &got));
	T_TRUE(got == words + 4);
	T_EQ(5, complete_word(words, "t", 1, &got));
	T_TRUE(got == words + 9);
	T_EQ(0, complete_word(words, "t", 2, &got));
	T_EQ(0, complete_word(words, "ones", 0, &got));
	T_EQ(0, complete_word("", "", 0, &got));
}

int main(void)
{
	T_RUN(the_first_word_is_a_command);
	T_RUN(a_node_is_any_that_is_known_or_one_that_is_linked);
	T_RUN(options_follow_a_node_or_a_dash);
	T_RUN(values_follow_their_option);
	T_RUN(setup_has_its_options_and_their_values);
	T_RUN(files_and_words);
	T_RUN(of_what_is_no_command_nothing_is_known);
	T_RUN(words_that_begin_so);
	return T_DONE();
}
