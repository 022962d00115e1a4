/* SPDX-License-Identifier: MIT */

/* The settings of where nodes are looked up. */

#include "config/conf.h"
#include "config/conf_table.h"
#include "tests/t.h"
#include "tests/unit/conf_expect.h"

static void nothing_is_asked_of_others_unless_it_is_set(void)
{
	struct conf_node c;

	load(NUMBER, &c);
	T_EQ(0, c.lookup.order_n);
	T_STR("", c.lookup.domain);
	T_STR("", c.lookup.extnodes);
	T_STR("", c.lookup.extnodes_url);
	T_EQ(900, c.lookup.extnodes_s);
	T_EQ(0, c.lookup.resolvers_n);
	T_EQ(4, c.lookup.digits_min);
	T_EQ(6, c.lookup.digits_max);
	conf_node_free(&c);
}

static void every_setting_arrives(void)
{
	struct conf_node c;

	load(NUMBER
	     "lookup: { order = [ \"registrar\", \"nodes\" ]; domain = "
	     "\"example.org\"; digits_min = 3; digits_max = 15; "
	     "resolvers = [ \"192.0.2.53\", \"[2001:db8::53]:5353\", "
	     "\"192.0.2.54:1\", \"2001:db8::1\" ]; extnodes = \"/x\"; };\n"
	     "peers = ( { number = \"19XX\"; host = \"a\"; }, "
	     "{ number = \"1*\"; host = \"b\"; } );\n",
	     &c);
	T_EQ(2, c.lookup.order_n);
	T_EQ(CONF_LOOKUP_REGISTRAR, c.lookup.order[0]);
	T_EQ(CONF_LOOKUP_NODES, c.lookup.order[1]);
	T_STR("example.org", c.lookup.domain);
	T_STR("/x", c.lookup.extnodes);
	T_EQ(4, c.lookup.resolvers_n);
	T_STR("[2001:db8::53]:5353", c.lookup.resolvers[1].text);
	T_EQ(3, c.lookup.digits_min);
	T_EQ(15, c.lookup.digits_max);
	T_STR("19XX", c.peers[0].number);
	T_STR("1*", c.peers[1].number);
	conf_node_free(&c);
}

static void what_is_wrong_is_told(void)
{
	expect(NUMBER "lookup: { order = [ \"dns\", \"dns\" ]; };\n",
	       "F:2: lookup.order[1] has the same source as lookup.order[0] in "
	       "line 2; allowed: each once\n");
	expect(NUMBER "lookup: { digits_min = 6; digits_max = 5; };\n",
	       "F:2: lookup.digits_max is less than lookup.digits_min; "
	       "allowed: the same or more\n");
	expect(NUMBER "lookup: { extnodes_url = \"https://h/\"; };\n",
	       "F:2: lookup.extnodes_url is set and lookup.extnodes is not; "
	       "allowed: with the file that it is written to\n");
	expect(NUMBER "lookup: { extnodes = \"/x\"; "
		      "extnodes_url = \"http://h/\"; extnodes_s = 299; };\n",
	       "F:2: lookup.extnodes_url is \"http://h/\"; allowed: an address "
	       "https://HOST/PATH, or \"\"\n"
	       "F:2: lookup.extnodes_s is 299; allowed: a whole number from "
	       "300 to 604800 s\n");
	expect(NUMBER "lookup: { resolvers = [ \"ns.example.org\" ]; };\n",
	       "F:2: lookup.resolvers[0] is \"ns.example.org\"; allowed: an "
	       "address, or ADDRESS:PORT or [IPV6]:PORT\n");
	expect(NUMBER "lookup: { domain = \"example.org.\"; };\n",
	       "F:2: lookup.domain is \"example.org.\"; allowed: a DNS name of "
	       "at most 200 octets, or \"\"\n");
	expect(NUMBER "peers = ( { number = \"1*\"; } );\n",
	       "F:2: peers[0] is a pattern without a host; allowed: a host, or "
	       "the number of one node\n");
	expect(NUMBER
	       "peers = ( { number = \"1X\"; host = \"a\"; key = \"" KEY_A
	       "\"; } );\n",
	       "F:2: peers[0] is a pattern with a key or secret_file; allowed: "
	       "these for the number of one node\n");
}

static void texts_are_what_they_say(void)
{
	static const char *const servers[] = {
		"1.2.3.4:0",   "1.2.3.4:65536", "[::1]", "[::1]x",
		"[1.2.3.4]:1", "1.2.3.4:",      "",      "1.2.3.4:123456",
		"::1:x:",      "[::1]:5 "
	};
	static const char *const domains[] = { ".",    "a..b", "a.",  ".a",
					       "a b.", "::1",  "-a.b" };
	static const char *const patterns[] = { "",   "*",   "1**", "1*2",
						"1x", "1 *", "_1X", "1." };

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		T_TRUE(!conf_text_is_server(servers[i]));
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		T_TRUE(!conf_text_is_domain(domains[i]));
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		T_TRUE(!conf_text_is_pattern(patterns[i]));
	T_TRUE(conf_text_is_server("[2001:db8::1]:65535"));
	T_TRUE(conf_text_is_domain("a"));
	T_TRUE(conf_text_is_pattern("XX*"));
}

int main(void)
{
	T_RUN(nothing_is_asked_of_others_unless_it_is_set);
	T_RUN(every_setting_arrives);
	T_RUN(what_is_wrong_is_told);
	T_RUN(texts_are_what_they_say);
	return T_DONE();
}
