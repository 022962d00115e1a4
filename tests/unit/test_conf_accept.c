/* SPDX-License-Identifier: MIT */

/* The settings of who may call without a registrar. */

#include "tests/t.h"
#include "tests/unit/conf_expect.h"

#define USER(rest)                                                          \
	NUMBER "accept: { users = ( { " rest " secret_file = \"/s\"; } ); " \
	       "};\n"
#define NAMES                                                              \
	"allowed: at most 15 letters, digits, -, . and /, a letter among " \
	"them; not radio, allstar-sys or allstar-public\n"

static void nobody_is_let_in_so_unless_it_is_set(void)
{
	struct conf_node c;

	load(NUMBER, &c);
	T_TRUE(!c.accept.by_address);
	T_EQ(0, c.accept.users_n);
	T_STR("", c.accept.portal_key_file);
	T_STR("", c.accept.web_url);
	conf_node_free(&c);
}

static void every_setting_arrives(void)
{
	struct conf_node c;

	load(NUMBER
	     "accept: { by_address = true; users = ( { name = \"alice\"; "
	     "secret_file = \"/s\"; }, { name = \"b0b\"; callsign = "
	     "\"W1AW/P\"; secret_file = \"/t\"; } ); portal_key_file = "
	     "\"/p\"; web_url = \"https://example.org/x.pl\"; };\n",
	     &c);
	T_TRUE(c.accept.by_address);
	T_EQ(2, c.accept.users_n);
	T_STR("alice", c.accept.users[0].name);
	T_STR("", c.accept.users[0].callsign);
	T_STR("W1AW/P", c.accept.users[1].callsign);
	T_STR("/t", c.accept.users[1].secret_file);
	T_STR("/p", c.accept.portal_key_file);
	T_STR("https://example.org/x.pl", c.accept.web_url);
	conf_node_free(&c);
}

static void what_is_wrong_is_told(void)
{
	expect(USER("name = \"2000\";"),
	       "F:2: accept.users[0].name is \"2000\"; " NAMES);
	expect(USER("name = \"radio\";"),
	       "F:2: accept.users[0].name is \"radio\"; " NAMES);
	expect(USER("name = \"allstar-public\";"),
	       "F:2: accept.users[0].name is \"allstar-public\"; " NAMES);
	expect(USER("name = \"a b\";"),
	       "F:2: accept.users[0].name is \"a b\"; " NAMES);
	expect(USER("name = \"al\"; callsign = \"1999\";"),
	       "F:2: accept.users[0].callsign is \"1999\"; allowed: at most 8 "
	       "letters, digits, / and -, a letter among them, or \"\"\n");
	expect(NUMBER "accept: { web_url = \"http://example.org/\"; };\n",
	       "F:2: accept.web_url is \"http://example.org/\"; allowed: an "
	       "address https://HOST/PATH, or \"\"\n");
}

int main(void)
{
	T_RUN(nobody_is_let_in_so_unless_it_is_set);
	T_RUN(every_setting_arrives);
	T_RUN(what_is_wrong_is_told);
	return T_DONE();
}
