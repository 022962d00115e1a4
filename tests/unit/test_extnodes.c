/* SPDX-License-Identifier: MIT */

#include "daemon/node/extnodes.h"
#include "tests/t.h"

static enum extnodes_line line(const char *text, struct extnode *out)
{
	return extnodes_line(text, strlen(text), out);
}

static struct extnodes *table(const char *text)
{
	struct extnodes *x = extnodes_new(text, strlen(text));

	T_TRUE(x != NULL);
	return x;
}

static void a_line_is_a_node(void)
{
	struct extnode n;

	T_EQ(EXTNODES_NODE,
	     line("27000=radio@192.0.2.7:4570/27000,198.51.100.9", &n));
	T_EQ(27000, n.number);
	T_EQ(4570, n.call.port);
	T_EQ(192, n.call.ip[12]);
	T_EQ(7, n.call.ip[15]);
	T_EQ(198, n.from.ip[12]);
	T_TRUE(net_addr_is_set(&n.from));
	T_EQ(EXTNODES_NODE,
	     line(" 2000 = radio@10.0.0.1:1/2000 , NONE \r", &n));
	T_TRUE(!net_addr_is_set(&n.from));
	T_EQ(EXTNODES_NODE, line("2000=>u@1.2.3.4:65535/2000", &n));
	T_EQ(65535, n.call.port);
	T_TRUE(!net_addr_is_set(&n.from));
}

static void a_number_without_an_end_is_none(void)
{
	char digits[1001] = "", text[1100];
	struct extnodes *x = table("2000=radio@10.0.0.1:1/2000,NONE\n");
	struct extnode n;

	memset(digits, '7', sizeof(digits) - 1);
	T_TRUE(!extnodes_find(x, digits));
	extnodes_free(x);
	(void)snprintf(text, sizeof(text), "%s=radio@10.0.0.1:1/2000", digits);
	T_EQ(EXTNODES_BAD, line(text, &n));
	(void)snprintf(text, sizeof(text), "2000=radio@10.0.0.1:1/%s", digits);
	T_EQ(EXTNODES_BAD, line(text, &n));
	(void)snprintf(text, sizeof(text), "2000=radio@10.0.0.1:%s/2000",
		       digits);
	T_EQ(EXTNODES_BAD, line(text, &n));
	(void)snprintf(text, sizeof(text), "2000=radio@%s.0.0.1:1/2000",
		       digits);
	T_EQ(EXTNODES_BAD, line(text, &n));
}

static void some_lines_say_nothing(void)
{
	static const char *const lines[] = { "",     "  ",         "\r",
					     "; a=", "[extnodes]", "# hello" };
	struct extnode n;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		T_EQ(EXTNODES_NOTHING, line(lines[i], &n));
}

static void what_is_no_such_line_is_bad(void)
{
	static const char *const lines[] = {
		"2000",
		"2000=",
		"=radio@1.2.3.4:1/2000,1.2.3.4",
		"0=radio@1.2.3.4:1/0,1.2.3.4",
		"02000=radio@1.2.3.4:1/02000,1.2.3.4",
		"2000=radio@1.2.3.4/2000,1.2.3.4",
		"2000=radio@1.2.3.4:/2000,1.2.3.4",
		"2000=radio@1.2.3.4:0/2000,1.2.3.4",
		"2000=radio@1.2.3.4:65536/2000,1.2.3.4",
		"2000=radio@1.2.3.4:123456/2000,1.2.3.4",
		"2000=radio@1.2.3:1/2000,1.2.3.4",
		"2000=radio@1.2.3.256:1/2000,1.2.3.4",
		"2000=radio@1.2.3.04:1/2000,1.2.3.4",
		"2000=radio@1.2.3.0004:1/2000,1.2.3.4",
		"2000=radio@0.2.3.4:1/2000,1.2.3.4",
		"2000=radio@224.0.0.1:1/2000,1.2.3.4",
		"2000=radio@host.example.org:1/2000,1.2.3.4",
		"2000=radio@1.2.3.4:1/2001,1.2.3.4",
		"2000=radio@1.2.3.4:1/,1.2.3.4",
		"2000=radio@1.2.3.4:1",
		"2000=radio@1.2.3.4:1/2000,",
		"2000=radio@1.2.3.4:1/2000,1.2.3.4,5",
		"2000=radio@1.2.3.4:1/2000;1.2.3.4",
		"2000=radio1.2.3.4:1/2000,1.2.3.4",
		"2000000000000000=radio@1.2.3.4:1/2000000000000000,1.2.3.4",
		"x2000=radio@1.2.3.4:1/2000,1.2.3.4",
	};
	struct extnode n;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		T_EQ(EXTNODES_BAD, line(lines[i], &n));
}

static void nodes_are_found_by_number(void)
{
	struct extnodes *x =
		table("[extnodes]\n\n3000=radio@192.0.2.3:4569/3000,NONE\n"
		      "2000=radio@192.0.2.2:4569/2000,NONE\r\n"
		      "rubbish\n"
		      "123456789012345=r@192.0.2.4:4569/123456789012345,NONE");

	T_EQ(3, extnodes_count(x));
	T_EQ(1, extnodes_bad(x));
	T_EQ(2, extnodes_find(x, "2000")->call.ip[15]);
	T_EQ(3, extnodes_find(x, "3000")->call.ip[15]);
	T_EQ(4, extnodes_find(x, "123456789012345")->call.ip[15]);
	T_TRUE(extnodes_find(x, "2500") == NULL);
	T_TRUE(extnodes_find(x, "200") == NULL);
	T_TRUE(extnodes_find(x, "02000") == NULL);
	T_TRUE(extnodes_find(x, "2000x") == NULL);
	T_TRUE(extnodes_find(x, "") == NULL);
	T_TRUE(extnodes_find(NULL, "2000") == NULL);
	T_EQ(0, extnodes_count(NULL) + extnodes_bad(NULL));
	(void)extnodes_free(x);
}

static void of_lines_with_one_number_the_first_counts(void)
{
	struct extnodes *x = table("2000=radio@192.0.2.1:4569/2000,NONE\n"
				   "1999=radio@192.0.2.2:4569/1999,NONE\n"
				   "2000=radio@192.0.2.3:4569/2000,NONE\n");

	T_EQ(2, extnodes_count(x));
	T_EQ(1, extnodes_find(x, "2000")->call.ip[15]);
	(void)extnodes_free(x);
}

static void an_empty_file_is_an_empty_table(void)
{
	struct extnodes *x = extnodes_new("", 0);

	T_EQ(0, extnodes_count(x) + extnodes_bad(x));
	(void)extnodes_free(x);
}

/* As many as AllStarLink has, and as many as are taken. */
static void a_large_file_is_read_up_to_its_bound(void)
{
	enum { LINES = EXTNODES_LINES_MAX + 10, LINE = 48 };
	char *text = malloc((size_t)LINES * LINE);
	struct extnodes *x;
	size_t len = 0;

	T_TRUE(text != NULL);
	for (unsigned i = 0; i < LINES; i++)
		len += (size_t)snprintf(
			text + len, LINE, "%u=radio@10.%u.%u.%u:4569/%u,NONE\n",
			600000 - i, i >> 16, i >> 8 & 255, i & 255, 600000 - i);
	x = extnodes_new(text, len);
	T_EQ(EXTNODES_LINES_MAX, extnodes_count(x));
	T_EQ(10, extnodes_bad(x));
	T_EQ(1, extnodes_find(x, "599999")->call.ip[15]);
	T_TRUE(extnodes_find(x, "1") == NULL);
	(void)extnodes_free(x);
	free(text);
}

int main(void)
{
	T_RUN(a_line_is_a_node);
	T_RUN(a_number_without_an_end_is_none);
	T_RUN(some_lines_say_nothing);
	T_RUN(what_is_no_such_line_is_bad);
	T_RUN(nodes_are_found_by_number);
	T_RUN(of_lines_with_one_number_the_first_counts);
	T_RUN(an_empty_file_is_an_empty_table);
	T_RUN(a_large_file_is_read_up_to_its_bound);
	return T_DONE();
}
