/* SPDX-License-Identifier: MIT */

/* Whose a node is: AllStarLink's list, whatever is in it. */

#include "daemon/node/names.h"

#include "tests/t.h"

static struct names *table(const char *text)
{
	struct names *x = names_new(text, strlen(text));

	T_TRUE(x != NULL);
	return x;
}

static void a_line_as_it_is_handed_out(void)
{
	struct names *x = table("; made at noon\n\n"
				"2000|WB6NIL|ASL Public Hub|Los Angeles, CA\n"
				"29999| W1AW |146.520 MHz| Newington, CT\r\n"
				"1000|ALLSTAR\n");
	struct name n;

	T_EQ(3, names_count(x));
	T_EQ(0, names_bad(x));
	T_TRUE(names_find(x, "2000", &n));
	T_STR("WB6NIL", n.callsign);
	T_STR("ASL Public Hub", n.description);
	T_STR("Los Angeles, CA", n.location);
	T_TRUE(names_find(x, "29999", &n));
	T_STR("W1AW", n.callsign);
	T_STR("146.520 MHz", n.description);
	T_STR("Newington, CT", n.location);
	T_TRUE(names_find(x, "1000", &n));
	T_STR("ALLSTAR", n.callsign);
	T_STR("", n.description);
	T_STR("", n.location);
	names_free(x);
}

static void what_is_no_line_is_counted(void)
{
	struct names *x = table("2000\n|W1AW\nW1AW|x\n02000|x\n0|x\n"
				"1234567890123456|x\n2001 |x\n2002|\n");
	struct name n;

	T_EQ(7, names_bad(x));
	T_EQ(1, names_count(x));
	T_TRUE(names_find(x, "2002", &n));
	T_STR("", n.callsign);
	names_free(x);
}

static void the_first_of_a_number_counts(void)
{
	struct names *x = table("5|e\n3|c\n3|later\n4|d\n123456789012345|z");
	struct name n;

	T_EQ(4, names_count(x));
	T_TRUE(names_find(x, "3", &n));
	T_STR("c", n.callsign);
	T_TRUE(names_find(x, "123456789012345", &n));
	T_STR("z", n.callsign);
	names_free(x);
}

static void what_is_not_there_is_not_found(void)
{
	struct names *x = table("2000|a\n3000|b\n");
	struct name n;

	T_TRUE(!names_find(x, "2500", &n));
	T_TRUE(!names_find(x, "1", &n));
	T_TRUE(!names_find(x, "4000", &n));
	T_TRUE(!names_find(x, "02000", &n));
	T_TRUE(!names_find(x, "2000|a", &n));
	T_TRUE(!names_find(x, "W1AW", &n));
	T_TRUE(!names_find(x, "", &n));
	T_TRUE(!names_find(x, "12345678901234567890", &n));
	T_TRUE(!names_find(NULL, "2000", &n));
	names_free(x);
	x = names_new("", 0);
	T_TRUE(!names_find(x, "2000", &n));
	T_TRUE(names_free(x) == NULL);
}

static void fields_are_cut_and_do_nothing_to_a_terminal(void)
{
	char text[512] = "2000|";
	struct names *x;
	struct name n;

	memset(text + 5, 'C', 100);
	(void)strcpy(text + 105, "|\033[2J\t\177|");
	memset(text + strlen(text), 'L', 100);
	x = table(text);
	T_TRUE(names_find(x, "2000", &n));
	T_EQ(NAMES_CALLSIGN - 1, strlen(n.callsign));
	T_STR("?[2J??", n.description);
	T_EQ(NAMES_TEXT - 1, strlen(n.location));
	names_free(x);
}

static void lines_beyond_the_limit_are_not_looked_at(void)
{
	const size_t lines = NAMES_LINES_MAX + 3, len = lines * 9;
	char *text = malloc(len + 1);
	struct names *x;
	struct name n;

	T_TRUE(text != NULL);
	for (size_t i = 0; i < lines; i++)
		(void)snprintf(text + i * 9, 10, "%06zu|a\n", 100000 + i);
	x = names_new(text, len);
	T_TRUE(x != NULL);
	T_EQ(NAMES_LINES_MAX, names_count(x));
	T_EQ(3, names_bad(x));
	T_TRUE(names_find(x, "100000", &n));
	T_TRUE(names_find(x, "362143", &n));
	T_TRUE(!names_find(x, "362144", &n));
	names_free(x);
	free(text);
}

int main(void)
{
	T_RUN(a_line_as_it_is_handed_out);
	T_RUN(what_is_no_line_is_counted);
	T_RUN(the_first_of_a_number_counts);
	T_RUN(what_is_not_there_is_not_found);
	T_RUN(fields_are_cut_and_do_nothing_to_a_terminal);
	T_RUN(lines_beyond_the_limit_are_not_looked_at);
	return T_DONE();
}
