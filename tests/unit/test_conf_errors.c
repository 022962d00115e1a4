/* SPDX-License-Identifier: MIT */

#include "config/conf.h"

#include <errno.h>
#include <unistd.h>

#include "tests/t.h"
#include "tests/unit/conf_expect.h"

static void unknown_names_are_errors_with_the_nearest_known(void)
{
	expect(NUMBER "iax2:\n{\n  prot = 4569;\n};\n",
	       "F:4: iax2.prot is not a setting; did you mean iax2.port?\n");
	expect(NUMBER "jiter: { min_ms = 40; };\n",
	       "F:2: jiter is not a setting; did you mean jitter: { ... }?\n");
	expect(NUMBER "\nregistrar = ();\n",
	       "F:3: registrar is not a setting; did you mean registrars?\n");
	expect(NUMBER "calls_max = 3;\n",
	       "F:2: calls_max is not a setting; did you mean "
	       "iax2.calls_max?\n");
	expect(NUMBER "peers = ( { number = \"1\";\n hots = \"x\"; } );\n",
	       "F:3: peers[0].hots is not a setting; did you mean "
	       "peers[0].host?\n");
	expect(NUMBER "zzzzzzzzzzzz = 1;\n",
	       "F:2: zzzzzzzzzzzz is not a setting; --dump-config prints "
	       "those that are\n");
	/* Names are letter for letter. */
	expect(NUMBER "log: { Level = \"info\"; };\n",
	       "F:2: log.Level is not a setting; did you mean log.level?\n");
	expect_registrar("radio: { type = \"sim\"; };\n",
			 "F:1: radio is not a setting; --dump-config prints "
			 "those that are\n");
}

static void wrong_types_are_errors(void)
{
	expect("node: { number = 1999; };\n",
	       "F:1: node.number is 1999; allowed: 1 to 15 digits in "
	       "quotes\n");
	expect(NUMBER "iax2: { port = \"4569\"; };\n",
	       "F:2: iax2.port is \"4569\"; allowed: a whole number from 1 to "
	       "65535\n");
	expect(NUMBER "iax2: { port = true;\n calls_max = 1.5; };\n",
	       "F:2: iax2.port is true; allowed: a whole number from 1 to "
	       "65535\n"
	       "F:3: iax2.calls_max is a number with a fraction; allowed: a "
	       "whole number from 1 to 8192\n");
	expect(NUMBER "sim: { autoplay = 1; };\n",
	       "F:2: sim.autoplay is 1; allowed: true or false\n");
	expect(NUMBER "log: { level = { a = 1; }; };\n",
	       "F:2: log.level is a group; allowed: \"error\", \"warning\", "
	       "\"info\" or \"debug\"\n");
	expect(NUMBER "control: { group = [ \"a\", \"b\" ]; };\n",
	       "F:2: control.group is a list of 2; allowed: a group's name of "
	       "at most 32 characters\n");
	expect(NUMBER "jitter = 40;\n",
	       "F:2: jitter is 40; allowed: a group: { ... }\n");
	expect(NUMBER "registrars: { host = \"a\"; };\n",
	       "F:2: registrars is a group; allowed: a list of at most 8 "
	       "groups: ( {...}, ... )\n");
	expect(NUMBER "registrars = [ \"a\" ];\n",
	       "F:2: registrars is a list of 1; allowed: a list of at most 8 "
	       "groups: ( {...}, ... )\n");
	expect(NUMBER "peers = (\n{ number = \"1\"; },\n\"2\"\n);\n",
	       "F:4: peers[1] is \"2\"; allowed: a group: { ... }\n");
	expect(NUMBER "accept: { allow = \"1999\"; };\n",
	       "F:2: accept.allow is \"1999\"; allowed: a list of at most 1024 "
	       "texts: [ \"...\", ... ]\n");
	expect(NUMBER "accept: { allow = [\n 2000,\n 2001\n]; };\n",
	       "F:3: accept.allow[0] is 2000; allowed: a node number or a "
	       "public key, in quotes\n"
	       "F:4: accept.allow[1] is 2001; allowed: a node number or a "
	       "public key, in quotes\n");
	expect(NUMBER "peers = [];\naccept: { deny = (); };\n", "");
}

static void numbers_out_of_range_are_errors(void)
{
	expect(NUMBER "iax2:\n{\n  port = 0;\n  calls_max = 8193;\n};\n",
	       "F:4: iax2.port is 0; allowed: a whole number from 1 to 65535\n"
	       "F:5: iax2.calls_max is 8193; allowed: a whole number from 1 to "
	       "8192\n");
	expect(NUMBER "keepalive: { interval_s = 4; };\n",
	       "F:2: keepalive.interval_s is 4; allowed: a whole number from 5 "
	       "to 120 s\n");
	expect(NUMBER "radio: { hang_ms = -1; };\n",
	       "F:2: radio.hang_ms is -1; allowed: a whole number from 0 to "
	       "5000 ms\n");
}

/* 4294971865 is 4569 modulo 2^32. */
static void large_numbers_do_not_wrap(void)
{
	expect(NUMBER "iax2: { port = 4294971865; };\n",
	       "F:2: iax2.port is 4294971865; allowed: a whole number from 1 "
	       "to 65535\n");
	expect(NUMBER "iax2: { port = 0x1000011D9; };\n",
	       "F:2: iax2.port is 4294971865; allowed: a whole number from 1 "
	       "to 65535\n");
	expect(NUMBER "iax2: { port = 4294971865L; };\n",
	       "F:2: iax2.port is 4294971865; allowed: a whole number from 1 "
	       "to 65535\n");
	expect(NUMBER "iax2: { port = 18446744073709556185; };\n",
	       "F:2: iax2.port is 999999999999999999; allowed: a whole number "
	       "from 1 to 65535\n");
	expect(NUMBER "iax2: { port = 0x100000000000011D9; };\n",
	       "F:2: iax2.port is 1152921504606846975; allowed: a whole number "
	       "from 1 to 65535\n");
	expect(NUMBER "iax2: { port = -4294962727; };\n",
	       "F:2: iax2.port is -4294962727; allowed: a whole number from 1 "
	       "to 65535\n");
	expect(NUMBER "iax2: { port = 0x11D9; calls_max = 0000000064; };\n",
	       "");
	expect(NUMBER "iax2: { port = 1234567890.5; };\n",
	       "F:2: iax2.port is a number with a fraction; allowed: a whole "
	       "number from 1 to 65535\n");
}

static void addresses_of_the_web_are_looked_at(void)
{
	static const char *const good[] = { "", "https://a/", "http://a.b:80/c",
					    "https://192.0.2.1/x?y=z" };
	static const char *const bad[] = { "a",
					   "ftp://a/",
					   "https://",
					   "https://u:p@a/",
					   "https://a b/",
					   "https://a/#b" };
	char text[256];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text),
			 NUMBER "stats: { url = \"%s\"; };\n", good[i]);
		expect(text, "");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char want[256];

		snprintf(text, sizeof(text),
			 NUMBER "stats: { url = \"%s\"; };\n", bad[i]);
		snprintf(want, sizeof(want),
			 "F:2: stats.url is \"%s\"; allowed: an address "
			 "http://HOST/PATH or https://HOST/PATH, or \"\"\n",
			 bad[i]);
		expect(text, want);
	}
	/* A password goes there. */
	expect(NUMBER "registrars = ( { host = \"a\"; secret_file = \"b\";\n"
		      "url = \"http://a/\"; } );\n",
	       "F:3: registrars[0].url is \"http://a/\"; allowed: an address "
	       "https://HOST/PATH, or \"\"\n");
	expect_registrar("dns: { domain = \"a..b\"; };\n",
			 "F:1: dns.domain is \"a..b\"; allowed: the name of a "
			 "domain, or \"\"\n");
	expect_registrar("dns: { domain = \"-a.b\"; };\n",
			 "F:1: dns.domain is \"-a.b\"; allowed: the name of a "
			 "domain, or \"\"\n");
	expect_registrar("dns: { domain = \"a.b.\"; };\n",
			 "F:1: dns.domain is \"a.b.\"; allowed: the name of a "
			 "domain, or \"\"\n");
	expect_registrar(
		"dns: { port = 53; domain = \"club.example.org\"; };\n", "");
	expect_registrar("dns: { port = 53; };\n",
			 "F:1: dns.port is set and dns.domain is not; allowed: "
			 "both, or port 0\n");
	expect_registrar("https: { port = 443; cert_file = \"a\"; };\n",
			 "F:1: https.port is set and https.cert_file or "
			 "https.key_file is not; allowed: all three, or port "
			 "0\n");
}

static void https_is_for_plain_registrars(void)
{
	expect(NUMBER "registrars = ( { host = \"a\"; secret_file = \"b\";"
		      " https = \"auto\"; } );\n",
	       "");
	expect(NUMBER "registrars = ( { host = \"a\"; https = \"only\"; } );\n",
	       "F:2: registrars[0] has neither key nor secret_file; allowed: "
	       "key for an OPEN/OVER registrar, secret_file for a plain one\n");
	expect(NUMBER
	       "registrars = ( { host = \"a\"; https = \"only\"; key = "
	       "\"ZXhhbXBsZS1rZXktcmVwbGFjZS13aXRoLXlvdXJzISE=\"; } );\n",
	       "F:2: registrars[0] has a key and also https; allowed: https "
	       "for a plain registrar\n");
}

static void texts_that_do_not_fit_are_errors(void)
{
	char text[1024];
	char long_path[CONF_SOCKET_MAX + 2];

	expect("node: { number = \"1999\"; callsign = \"DL1ABCDEFGHIJKLM\"; };",
	       "F:1: node.callsign is \"DL1ABCDEFGHIJKLM\"; allowed: at most "
	       "15 "
	       "letters, digits, / and -, or \"\"\n");
	expect("node: { number = \"1999\"; callsign = \"DL1 ABC\"; };",
	       "F:1: node.callsign is \"DL1 ABC\"; allowed: at most 15 "
	       "letters, "
	       "digits, / and -, or \"\"\n");
	expect("node: { number = \"1234567890123456\"; };",
	       "F:1: node.number is \"1234567890123456\"; allowed: 1 to 15 "
	       "digits in quotes\n");
	expect("node: { number = \"19a9\"; };",
	       "F:1: node.number is \"19a9\"; allowed: 1 to 15 digits in "
	       "quotes\n");
	expect("node: { number = \"\"; };",
	       "F:1: node.number is \"\"; allowed: 1 to 15 digits in quotes\n");
	expect(NUMBER "sim: { rx_wav = \"a\\nb\\x1b\"; };",
	       "F:2: sim.rx_wav is \"a?b?\"; allowed: a file's name of at most "
	       "255 characters\n");
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "%scontrol: { socket = \"%s\"; };",
		       NUMBER, long_path);
	expect(text, "F:2: control.socket is "
		     "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" (108 "
		     "characters); allowed: a file's name of 1 to 107 "
		     "characters\n");
	long_path[CONF_SOCKET_MAX] = '\0';
	(void)snprintf(text, sizeof(text), "%scontrol: { socket = \"%s\"; };",
		       NUMBER, long_path);
	expect(text, "");
}

static void words_addresses_and_names_are_checked(void)
{
	expect(NUMBER "radio: { type = \"simm\"; };",
	       "F:2: radio.type is \"simm\"; allowed: \"none\", \"sim\", "
	       "\"alsa\" or \"cm108\"\n");
	expect(NUMBER "iax2: { bind4 = \"10.0.0.256\"; bind6 = \"1.2.3.4\"; };",
	       "F:2: iax2.bind4 is \"10.0.0.256\"; allowed: an IPv4 address, "
	       "or \"\"\n"
	       "F:2: iax2.bind6 is \"1.2.3.4\"; allowed: an IPv6 address, or "
	       "\"\"\n");
	expect(NUMBER "peers = ( { number = \"1\"; host = \"a b\"; } );",
	       "F:2: peers[0].host is \"a b\"; allowed: a DNS name or an "
	       "address, or \"\"\n");
	expect(NUMBER "peers = ( { number = \"1\"; host = \"a:1\"; } );",
	       "F:2: peers[0].host is \"a:1\"; allowed: a DNS name or an "
	       "address, or \"\"\n");
	expect(NUMBER "registrars = ( { host = \"\"; key = \"" KEY_A "\"; } );",
	       "F:2: registrars[0].host is \"\"; allowed: a DNS name or an "
	       "address\n");
	expect(NUMBER "iax2: { interface = \"wg/0\"; };",
	       "F:2: iax2.interface is \"wg/0\"; allowed: an interface's name "
	       "of at most 15 characters, or \"\"\n");
	expect(NUMBER "iax2: { interface = \"w 0\"; };",
	       "F:2: iax2.interface is \"w 0\"; allowed: an interface's name "
	       "of at most 15 characters, or \"\"\n");
	expect(NUMBER "iax2: { interface = \"0123456789abcdef\"; };",
	       "F:2: iax2.interface is \"0123456789abcdef\"; allowed: an "
	       "interface's name of at most 15 characters, or \"\"\n");
	expect_registrar(
		"iax2: { interface = \"..\"; };",
		"F:1: iax2.interface is \"..\"; allowed: an interface's "
		"name of at most 15 characters, or \"\"\n");
	expect(NUMBER "iax2: { interface = \"wg0.1\"; };", "");
	expect(NUMBER "control: { group = \"-x\"; };",
	       "F:2: control.group is \"-x\"; allowed: a group's name of at "
	       "most 32 characters\n");
}

static void ctcss_tones_are_checked(void)
{
	static const char *const wrong[] = { "59.9",  "260.1", "88",  "88.55",
					     "88,5",  "-88.5", "8.5", "888.5",
					     "88.5 ", "x8.5" };
	char conf[128], want[160];

	expect(NUMBER "cor: { ctcss = \"60.0\"; }; ptt: { ctcss = \"260.0\"; "
		      "};",
	       "");
	expect(NUMBER "cor: { ctcss = \"\"; };", "");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(conf, sizeof(conf),
			       NUMBER "ptt: { ctcss = \"%s\"; };", wrong[i]);
		(void)snprintf(want, sizeof(want),
			       "F:2: ptt.ctcss is \"%s\"; allowed: a tone from "
			       "\"60.0\" to \"260.0\" Hz, or \"\"\n",
			       wrong[i]);
		expect(conf, want);
	}
}

static void what_the_radio_cannot_do_is_an_error(void)
{
	expect(NUMBER "cor: { kerchunk_ms = 20; };",
	       "F:2: cor.kerchunk_ms is not more than cor.attack_ms; allowed: "
	       "more, or 0\n");
	expect(NUMBER "cor: { kerchunk_ms = 21; };", "");
	expect(NUMBER "ptt: { courtesy_hz = 99; announce_hz = 100; };",
	       "F:2: ptt.courtesy_hz is too low; allowed: 100 to 4000 Hz, or "
	       "0\n");
	expect(NUMBER "ptt: { announce_hz = 1; };",
	       "F:2: ptt.announce_hz is too low; allowed: 100 to 4000 Hz, or "
	       "0\n");
	expect(NUMBER "radio: { type = \"alsa\"; };\n"
		      "cor: { source = \"vox+ctcss\"; };",
	       "F:3: cor.source names ctcss, which a sound card does not tell; "
	       "allowed: with the tone in cor.ctcss\n");
	expect(NUMBER "radio: { type = \"alsa\"; };\n"
		      "cor: { source = \"vox+ctcss\"; ctcss = \"88.5\"; };",
	       "");
}

static void wrong_keys_are_errors(void)
{
	expect(NUMBER "registrars = ( { host = \"a\";\n key = \"AAAA\"; } );",
	       "F:3: registrars[0].key is \"AAAA\"; allowed: a public key: 44 "
	       "characters of base64\n");
	expect(NUMBER "accept: { deny = [ \"1999\", \"AAAA\" ]; };",
	       "F:2: accept.deny[1] is \"AAAA\"; allowed: a node number or a "
	       "public key, in quotes\n");
}

static void what_is_required_is_missed(void)
{
	expect("", "F:1: node.number is missing; allowed: 1 to 15 digits in "
		   "quotes\n");
	expect("\n\nnode:\n{\n};\n",
	       "F:3: node.number is missing; allowed: 1 to 15 digits in "
	       "quotes\n");
	expect(NUMBER "registrars = (\n{ host = \"a\"; key = \"" KEY_A
		      "\"; },\n\n{ }\n);\n",
	       "F:5: registrars[1].host is missing; allowed: a DNS name or an "
	       "address\n");
	expect(NUMBER "registrars = ( { host = \"a\"; key = \"" KEY_A
		      "\"; secret_file = \"/s\"; } );\n",
	       "F:2: registrars[0] has a key and also a username or "
	       "secret_file; allowed: key for an OPEN/OVER registrar, the "
	       "others for a plain one\n");
	expect(NUMBER "registrars = (\n{ host = \"a\"; key = \"" KEY_A
		      "\"; },\n{ host = \"b\"; username = \"u\"; } );\n",
	       "F:4: registrars[1] has neither key nor secret_file; allowed: "
	       "key for an OPEN/OVER registrar, secret_file for a plain "
	       "one\n");
	expect(NUMBER "peers = ( { host = \"a\"; }, { host = \"a\"; } );\n",
	       "F:2: peers[0].number is missing; allowed: 1 to 15 digits in "
	       "quotes; X for any digit, and * at the end for any that "
	       "follow\n"
	       "F:2: peers[1].number is missing; allowed: 1 to 15 digits in "
	       "quotes; X for any digit, and * at the end for any that "
	       "follow\n");
	expect_registrar("", "");
}

static void entries_given_twice_are_errors(void)
{
	expect(NUMBER "peers = (\n{ number = \"1\"; },\n{ number = \"2\"; },\n"
		      "{ number = \"1\"; host = \"b\"; }\n);\n",
	       "F:5: peers[2] has the same number as peers[0] in line 3; "
	       "allowed: each once\n");
	expect(NUMBER "registrars = (\n{ host = \"a.b\"; key = \"" KEY_A
		      "\"; },\n{ host = \"A.B\"; port = 4569; key = \"" KEY_B
		      "\"; },\n{ host = \"a.b\"; port = 4570; key = \"" KEY_A
		      "\"; } );\n",
	       "F:4: registrars[1] has the same host and port as registrars[0] "
	       "in line 3; allowed: each once\n");
	expect(NUMBER "accept: { allow = [\n \"" KEY_A "\",\n \"1\",\n \"" KEY_A
		      "\",\n \"1\"\n\n]; };\n",
	       "F:5: accept.allow[2] has the same caller as accept.allow[0] in "
	       "line 3; allowed: each once\n"
	       "F:6: accept.allow[3] has the same caller as accept.allow[1] in "
	       "line 4; allowed: each once\n");
	expect(NUMBER "iax2: { codecs = [ \"gsm\", \"GSM\", \"mp3\",\n \"gsm\" "
		      "]; };\n",
	       "F:2: iax2.codecs[1] is \"GSM\"; allowed: \"ulaw\", \"alaw\", "
	       "\"slin16\", \"slin\", \"g726aal2\", \"adpcm\" or \"gsm\"\n"
	       "F:2: iax2.codecs[2] is \"mp3\"; allowed: \"ulaw\", \"alaw\", "
	       "\"slin16\", \"slin\", \"g726aal2\", \"adpcm\" or \"gsm\"\n"
	       "F:3: iax2.codecs[3] has the same name as iax2.codecs[0] in "
	       "line "
	       "2; allowed: each once\n");
	expect(NUMBER "log: { level = \"info\"; };\n\nlog: { };\n",
	       "F:4: this name is in the same group already; allowed: each "
	       "once\n");
}

static void a_relay_has_ports_of_its_own(void)
{
	static const char why[] =
		"F:1: relay.port_first to relay.port_last hold iax2.port or "
		"measure.port; allowed: ports of their own\n";

	expect_registrar("relay: { enabled = true; port_first = 4000;"
			 " port_last = 4569; };\n",
			 why);
	/* The second port is the next one. */
	expect_registrar("relay: { enabled = true; port_first = 4570;"
			 " port_last = 4600; };\n",
			 why);
	expect_registrar("relay: { enabled = true; port_first = 4570;"
			 " port_last = 4600; };\nmeasure: { port = 0; };\n",
			 "");
	expect_registrar("relay: { enabled = true; port_first = 4571;"
			 " port_last = 4600; };\n",
			 "");
	/* Those of a relay that is off are nobody's. */
	expect_registrar("iax2: { port = 20500; };\n", "");
	expect_registrar("relay: { enabled = true; };\n", "");
}

static void rules_between_settings_hold(void)
{
	expect(NUMBER "jitter:\n{\n min_ms = 100;\n max_ms = 99;\n};\n",
	       "F:5: jitter.max_ms is less than jitter.min_ms; allowed: the "
	       "same or more\n");
	expect(NUMBER "jitter:\n{\n max_ms = 40;\n min_ms = 41;\n};\n",
	       "F:4: jitter.max_ms is less than jitter.min_ms; allowed: the "
	       "same or more\n");
	expect(NUMBER "jitter: { min_ms = 100;\n max_ms = 100; };\n", "");
	expect(NUMBER "iax2: { bind4 = \"\";\n bind6 = \"\"; };\n",
	       "F:3: iax2.bind4 and iax2.bind6 are both empty; allowed: one of "
	       "them\n");
	expect_registrar("iax2: { bind4 = \"\";\n bind6 = \"\"; };\n",
			 "F:2: iax2.bind4 and iax2.bind6 are both empty; "
			 "allowed: one of them\n");
	expect(NUMBER "accept: { allow = [ \"1\" ];\n deny = [ \"1\" ]; };\n",
	       "F:3: a caller is both in accept.allow and in accept.deny; "
	       "allowed: one of them\n");
	expect(NUMBER "links = ( { node = \"1998\"; },\n"
		      " { node = \"1999\"; } );\n",
	       "F:2: links has this node's own number; allowed: those of "
	       "others\n");
}

static void secrets_do_not_belong_in_the_file(void)
{
	expect(NUMBER "peers = ( { number = \"1\";\nsecret = \"pw\"; } );\n",
	       "F:3: peers[0].secret is a secret, and others may read this "
	       "file; allowed: peers[0].secret_file with the name of a file of "
	       "mode 0600\n");
	expect("node: { number = \"1\"; key = \"" KEY_A "\"; };\n",
	       "F:1: node.key is a secret, and others may read this file; "
	       "allowed: node.key_file with the name of a file of mode 0600\n");
	expect(NUMBER "Password = \"pw\";\n",
	       "F:2: Password is a secret, and others may read this file; "
	       "allowed: secrets in files of mode 0600 of their own\n");
}

static void all_errors_are_told_in_the_order_of_lines(void)
{
	expect("iax2: { port = 0; };\n"
	       "nodes: { };\n"
	       "radio: { type = 5; };\n"
	       "node: { };\n"
	       "jitter: { min_ms = 501; };\n",
	       "F:1: iax2.port is 0; allowed: a whole number from 1 to 65535\n"
	       "F:2: nodes is not a setting; did you mean node: { ... }?\n"
	       "F:3: radio.type is 5; allowed: \"none\", \"sim\", \"alsa\" or "
	       "\"cm108\"\n"
	       "F:4: node.number is missing; allowed: 1 to 15 digits in "
	       "quotes\n"
	       "F:5: jitter.min_ms is 501; allowed: a whole number from 0 to "
	       "500 ms\n");
}

static void syntax_errors_have_their_line(void)
{
	static const char words[] =
		": syntax error here or just before; allowed: NAME = VALUE; "
		"and GROUP: { ... };\n";
	char want[256];

	(void)snprintf(want, sizeof(want), "F:3%s", words);
	expect(NUMBER "\niax2: { port = ; };\n", want);
	expect(NUMBER "\nradio.type = \"sim\";\n", want);
	expect("\n/* a\n */ } node: { };\n", want);
	expect(NUMBER "sim: {\nrx_wav = \"abc;\n};\n",
	       "F:3: the text that begins here is not closed; a \" must end "
	       "it\n");
	expect(NUMBER "/* abc\n\n",
	       "F:2: the comment that begins here is not closed; */ must end "
	       "it\n");
	expect(NUMBER "accept: { allow = [ \"1\",\n 5 ]; };\n",
	       "F:3: not all of these are of one type; allowed: [ \"...\", "
	       "\"...\" ]\n");
}

static void no_text_opens_another_file(void)
{
	static const char want[] = "F:2: @include is not allowed; all settings "
				   "are in one file\n";

	expect("\n@include \"/etc/passwd\"\n", want);
	expect("\n  @include\t\"/etc/passwd\"\n" NUMBER, want);
	expect("\n/* */ @include \"/etc/passwd\"\n" NUMBER, want);
	expect("# @include \"/etc/passwd\"\n" NUMBER
	       "sim: { rx_wav = \"@include\"; }; // @include \"x\"\n",
	       "");
}

static void comments_and_layout_are_libconfigs(void)
{
	struct conf_node c;

	load("\xef\xbb\xbf# one\r\n"
	     "node /* two\n * three */ = { number\n=\n\"19\"\n\"99\" # four\n"
	     "; callsign = \"a//b\"; } // five\n"
	     "sim: { rx_wav = \"#/*\\\"x\"; tx_wav = \"*/\" }\n"
	     "accept: { allow = [ \"1\" /* a */ # b\n\n, \"2\"\n] }",
	     &c);
	T_STR("1999", c.node.number);
	T_STR("#/*\"x", c.sim.rx_wav);
	T_STR("*/", c.sim.tx_wav);
	T_EQ(2, c.accept.allow_n);
	conf_node_free(&c);
	expect("accept: { allow = [ \"x\"\n\n, \"y\" # c\n /* d\n */ ] }\n"
	       "node = { number = \"z\" }\n",
	       "F:1: accept.allow[0] is \"x\"; allowed: a node number or a "
	       "public key, in quotes\n"
	       "F:3: accept.allow[1] is \"y\"; allowed: a node number or a "
	       "public key, in quotes\n"
	       "F:6: node.number is \"z\"; allowed: 1 to 15 digits in "
	       "quotes\n");
}

static char *peers_text(unsigned n)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	(void)fputs(NUMBER "peers = (\n", to);
	for (unsigned i = 0; i < n; i++)
		(void)fprintf(to, "%s{ number = \"%u\"; }\n", i ? "," : "", i);
	(void)fputs(");\n", to);
	T_EQ(0, fclose(to));
	return text;
}

static void lists_end_at_their_limit(void)
{
	char *text = peers_text(CONF_PEERS_MAX);
	struct conf_node c;

	load(text, &c);
	T_EQ(CONF_PEERS_MAX, c.peers_n);
	T_STR("255", c.peers[255].number);
	conf_node_free(&c);
	free(text);
	text = peers_text(CONF_PEERS_MAX + 1);
	expect(text, "F:2: peers is a list of 257; allowed: a list of at most "
		     "256 groups: ( {...}, ... )\n");
	free(text);
}

static void a_flood_of_errors_is_cut(void)
{
	struct conf_diags diags = { 0 };
	struct conf_node c;
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	for (unsigned i = 0; i < 2 * CONF_DIAGS_MAX; i++)
		(void)fprintf(to, "x%u = 1;\n", i);
	T_EQ(0, fclose(to));
	T_EQ(-EINVAL, conf_load_node_text(text, &c, &diags));
	T_EQ(CONF_DIAGS_MAX + 1, diags.n);
	T_EQ(CONF_DIAGS_MAX, diags.v[CONF_DIAGS_MAX - 1].line);
	T_STR("and more; these first", diags.v[CONF_DIAGS_MAX].text);
	conf_diags_free(&diags);
	free(text);
}

static void expect_file(const char *file, const char *want)
{
	struct conf_diags diags = { 0 };
	struct conf_node c;

	memset(&c, 0x5a, sizeof(c));
	T_EQ(-EINVAL, conf_load_node(file, &c, &diags));
	T_EQ(1, diags.n);
	T_EQ(0, diags.v[0].line);
	T_STR(want, diags.v[0].text);
	T_TRUE(c.peers == NULL);
	conf_node_free(&c);
	conf_diags_free(&diags);
}

static void unreadable_files_are_told_in_words(void)
{
	const char *name;

	expect_file("/nonexistent/keyholed.conf",
		    "cannot read it: No such file or directory");
	expect_file("/", "cannot read it: Is a directory");
	name = temp_file("a\0b", 3, 3);
	expect_file(name, "this is not a text file");
	T_EQ(0, unlink(name));
	name = temp_file("", 0, CONF_FILE_MAX + 1);
	expect_file(name, "the file is too long; at most 262144 octets are "
			  "allowed");
	T_EQ(0, unlink(name));
}

int main(void)
{
	T_RUN(unknown_names_are_errors_with_the_nearest_known);
	T_RUN(wrong_types_are_errors);
	T_RUN(numbers_out_of_range_are_errors);
	T_RUN(large_numbers_do_not_wrap);
	T_RUN(addresses_of_the_web_are_looked_at);
	T_RUN(https_is_for_plain_registrars);
	T_RUN(texts_that_do_not_fit_are_errors);
	T_RUN(words_addresses_and_names_are_checked);
	T_RUN(ctcss_tones_are_checked);
	T_RUN(what_the_radio_cannot_do_is_an_error);
	T_RUN(wrong_keys_are_errors);
	T_RUN(what_is_required_is_missed);
	T_RUN(entries_given_twice_are_errors);
	T_RUN(rules_between_settings_hold);
	T_RUN(a_relay_has_ports_of_its_own);
	T_RUN(secrets_do_not_belong_in_the_file);
	T_RUN(all_errors_are_told_in_the_order_of_lines);
	T_RUN(syntax_errors_have_their_line);
	T_RUN(no_text_opens_another_file);
	T_RUN(comments_and_layout_are_libconfigs);
	T_RUN(lists_end_at_their_limit);
	T_RUN(a_flood_of_errors_is_cut);
	T_RUN(unreadable_files_are_told_in_words);
	return T_DONE();
}
