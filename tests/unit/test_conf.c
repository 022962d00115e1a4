/* SPDX-License-Identifier: MIT */

#include "config/conf.h"

#include <ctype.h>
#include <errno.h>
#include <unistd.h>

#include "config/conf_key.h"
#include "config/conf_table.h"
#include "tests/t.h"
#include "tests/unit/conf_expect.h"

static const char full[] =
	"node: { number = \"1999\"; key_file = \"/k\"; callsign = "
	"\"DL1ABC/P\"; };\n"
	"iax2: { port = 4570; bind4 = \"127.0.0.1\"; bind6 = \"\"; calls_max = "
	"8192; codecs = [ \"gsm\", \"slin16\", \"ulaw\" ]; };\n"
	"registrars = (\n"
	"  { host = \"reg.example.org\"; key = \"" KEY_A "\"; },\n"
	"  { host = \"2001:db8::1\"; port = 4571; key = \"" KEY_B "\"; }\n"
	");\n"
	"keepalive: { interval_s = 120; };\n"
	"accept: { default = \"listed\"; allow = [ \"1234\", \"" KEY_A
	"\" ]; deny = ( \"5\" ); };\n"
	"peers = (\n"
	"  { number = \"1001\"; host = \"10.0.0.1\"; port = 1; key = \"" KEY_B
	"\"; secret_file = \"/etc/keyhole/a \\\"b\\\\nc\"; },\n"
	"  { number = \"123456789012345\"; }\n"
	");\n"
	"open: { spray = false; spray_packets = 0; spray_sockets = 0x400; };\n"
	"radio: { type = \"cm108\"; timeout_s = 600; hang_ms = 5000; };\n"
	"sim: { rx_wav = \"in.wav\"; tx_wav = \"/tmp/ou\xc3\xa9.wav\"; "
	"autoplay = true; };\n"
	"jitter: { min_ms = 500; max_ms = 500; };\n"
	"control: { socket = \"/s\"; group = \"users\"; };\n"
	"log: { level = \"debug\"; };\n";

static char *dumped(const struct conf_node *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	conf_dump_node(c, to);
	T_EQ(0, fclose(to));
	return text;
}

static char *example(enum conf_program which)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	conf_example(to, which);
	T_EQ(0, fclose(to));
	return text;
}

/* Half open calls follow calls_max where they are not set. */
static void a_hub_lets_more_calls_be_half_open(void)
{
	static const struct {
		uint32_t calls_max, half_open, want;
	} rows[] = {
		{ 64, 0, 32 },
		{ 2000, 0, 500 },
		{ 8192, 0, 2048 },
		{ 2000, 7, 7 },
	};
	struct conf_node c;

	load(NUMBER, &c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c.iax2.calls_max = rows[i].calls_max;
		c.limits.half_open = rows[i].half_open;
		T_EQ(rows[i].want, conf_half_open(&c));
	}
	conf_node_free(&c);
}

static void the_defaults_are_those_of_the_table(void)
{
	struct conf_node c;
	struct conf_registrar r;

	load(NUMBER, &c);
	T_STR("1999", c.node.number);
	T_STR("/var/lib/keyhole/node.key", c.node.key_file);
	T_STR("", c.node.callsign);
	T_EQ(4569, c.iax2.port);
	T_STR("0.0.0.0", c.iax2.bind4);
	T_STR("::", c.iax2.bind6);
	T_STR("", c.iax2.interface);
	T_EQ(64, c.iax2.calls_max);
	T_EQ(0, c.limits.half_open);
	T_EQ(0, c.iax2.codecs_n);
	T_EQ(0,
	     c.registrars_n + c.peers_n + c.accept.allow_n + c.accept.deny_n);
	T_EQ(15, c.keepalive.interval_s);
	T_EQ(CONF_ACCEPT_REGISTERED, c.accept.by_default);
	T_TRUE(c.open.spray);
	T_EQ(2048, c.open.spray_packets);
	T_EQ(256, c.open.spray_sockets);
	T_EQ(CONF_RADIO_NONE, c.radio.type);
	T_EQ(180, c.radio.timeout_s);
	T_EQ(0, c.radio.hang_ms);
	T_STR("", c.sim.rx_wav);
	T_STR("", c.sim.tx_wav);
	T_TRUE(!c.sim.autoplay);
	T_EQ(10, c.jitter.min_ms);
	T_EQ(400, c.jitter.max_ms);
	T_STR("/run/keyhole/keyholed.sock", c.control.socket);
	T_STR("keyhole", c.control.group);
	T_EQ(CONF_LOG_INFO, c.log.level);
	conf_node_free(&c);

	conf_registrar_defaults(&r);
	T_EQ(4569, r.iax2.port);
	T_STR("0.0.0.0", r.iax2.bind4);
	T_STR("::", r.iax2.bind6);
	T_STR("", r.iax2.interface);
	T_STR("/var/lib/keyhole-registrar/registrar.key", r.registrar.key_file);
	T_STR("/var/lib/keyhole-registrar/directory.db", r.registrar.directory);
	T_EQ(20000, r.registrar.nodes_max);
	T_EQ(1024, r.registrar.plain_max);
	T_EQ(1800, r.registrar.refresh_s);
	T_EQ(60, r.limits.registrations_per_min);
	T_EQ(60, r.limits.opens_per_min);
	T_EQ(20, r.limits.auth_failures_per_min);
	T_EQ(4096, r.limits.opens_max);
	T_STR("/run/keyhole-registrar/registrar.sock", r.control.socket);
	T_STR("keyhole", r.control.group);
	T_EQ(CONF_LOG_INFO, r.log.level);
	conf_registrar_free(&r);
}

static void every_setting_of_a_node_arrives(void)
{
	struct conf_node c;

	load(full, &c);
	T_STR("/k", c.node.key_file);
	T_STR("DL1ABC/P", c.node.callsign);
	T_EQ(4570, c.iax2.port);
	T_STR("127.0.0.1", c.iax2.bind4);
	T_STR("", c.iax2.bind6);
	T_EQ(8192, c.iax2.calls_max);
	T_EQ(3, c.iax2.codecs_n);
	T_EQ(CONF_CODEC_GSM, c.iax2.codecs[0]);
	T_EQ(CONF_CODEC_SLIN16, c.iax2.codecs[1]);
	T_EQ(CONF_CODEC_ULAW, c.iax2.codecs[2]);
	T_EQ(2, c.registrars_n);
	T_STR("reg.example.org", c.registrars[0].host);
	T_EQ(4569, c.registrars[0].port);
	T_TRUE(c.registrars[0].key.set);
	for (unsigned i = 0; i < CONF_KEY_LEN; i++)
		T_EQ(i, c.registrars[0].key.octets[i]);
	T_STR("2001:db8::1", c.registrars[1].host);
	T_EQ(4571, c.registrars[1].port);
	T_EQ(120, c.keepalive.interval_s);
	T_EQ(CONF_ACCEPT_LISTED, c.accept.by_default);
	T_EQ(2, c.accept.allow_n);
	T_STR("1234", c.accept.allow[0].number);
	T_TRUE(!c.accept.allow[0].key.set);
	T_STR("", c.accept.allow[1].number);
	T_TRUE(c.accept.allow[1].key.set);
	T_EQ(31, c.accept.allow[1].key.octets[31]);
	T_EQ(1, c.accept.deny_n);
	T_STR("5", c.accept.deny[0].number);
	T_EQ(2, c.peers_n);
	T_STR("1001", c.peers[0].number);
	T_STR("10.0.0.1", c.peers[0].host);
	T_EQ(1, c.peers[0].port);
	T_TRUE(c.peers[0].key.set);
	T_STR("/etc/keyhole/a \"b\\nc", c.peers[0].secret_file);
	T_STR("123456789012345", c.peers[1].number);
	T_STR("", c.peers[1].host);
	T_EQ(4569, c.peers[1].port);
	T_TRUE(!c.peers[1].key.set);
	T_TRUE(!c.open.spray);
	T_EQ(0, c.open.spray_packets);
	T_EQ(1024, c.open.spray_sockets);
	T_EQ(CONF_RADIO_CM108, c.radio.type);
	T_EQ(600, c.radio.timeout_s);
	T_EQ(5000, c.radio.hang_ms);
	T_STR("in.wav", c.sim.rx_wav);
	T_TRUE(c.sim.autoplay);
	T_EQ(500, c.jitter.min_ms);
	T_EQ(500, c.jitter.max_ms);
	T_STR("/s", c.control.socket);
	T_STR("users", c.control.group);
	T_EQ(CONF_LOG_DEBUG, c.log.level);
	conf_node_free(&c);
	T_TRUE(c.peers == NULL && c.peers_n == 0);
	conf_node_free(&c);
}

static void a_dump_loads_to_the_same_values(void)
{
	const char *const texts[] = { NUMBER, full };

	for (size_t i = 0; i < 2; i++) {
		static struct conf_node c, again;
		char *first, *second;

		load(texts[i], &c);
		first = dumped(&c);
		load(first, &again);
		second = dumped(&again);
		T_STR(first, second);
		T_EQ(c.peers_n, again.peers_n);
		T_EQ(0, memcmp(&c.node, &again.node, sizeof(c.node)));
		T_EQ(c.iax2.port, again.iax2.port);
		T_STR(c.iax2.bind4, again.iax2.bind4);
		T_STR(c.iax2.bind6, again.iax2.bind6);
		T_EQ(c.iax2.codecs_n, again.iax2.codecs_n);
		T_EQ(0, memcmp(&c.radio, &again.radio, sizeof(c.radio)));
		T_EQ(0, memcmp(&c.jitter, &again.jitter, sizeof(c.jitter)));
		T_STR(c.sim.tx_wav, again.sim.tx_wav);
		if (c.peers_n > 0)
			T_EQ(0, memcmp(c.peers, again.peers,
				       c.peers_n * sizeof(*c.peers)));
		if (c.iax2.codecs_n > 0)
			T_EQ(0,
			     memcmp(c.iax2.codecs, again.iax2.codecs,
				    c.iax2.codecs_n * sizeof(*c.iax2.codecs)));
		if (c.registrars_n > 0)
			T_EQ(0, memcmp(c.registrars, again.registrars,
				       c.registrars_n * sizeof(*c.registrars)));
		free(first);
		free(second);
		conf_node_free(&c);
		conf_node_free(&again);
	}
}

static void a_registrars_dump_loads_to_the_same_values(void)
{
	static const char text[] =
		"iax2: { port = 1; bind4 = \"\"; };\n"
		"registrar: { directory = \"d\"; nodes_max = 4000000; };\n"
		"limits: { opens_max = 16; opens_per_min = 6000; };\n";
	struct conf_registrar c, again;
	struct conf_diags diags = { 0 };
	char *dump = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&dump, &len);

	T_EQ(0, conf_load_registrar_text(text, &c, &diags));
	T_EQ(4000000, c.registrar.nodes_max);
	conf_dump_registrar(&c, to);
	T_EQ(0, fclose(to));
	T_EQ(0, conf_load_registrar_text(dump, &again, &diags));
	T_EQ(1, again.iax2.port);
	T_STR("", again.iax2.bind4);
	T_STR("::", again.iax2.bind6);
	T_STR("d", again.registrar.directory);
	T_EQ(4000000, again.registrar.nodes_max);
	T_EQ(0, memcmp(&c.registrar, &again.registrar, sizeof(c.registrar)));
	T_EQ(0, memcmp(&c.limits, &again.limits, sizeof(c.limits)));
	free(dump);
	conf_registrar_free(&c);
	conf_registrar_free(&again);
}

static void keys_have_one_spelling(void)
{
	uint8_t key[CONF_KEY_LEN], again[CONF_KEY_LEN];
	char text[CONF_KEY_TEXT_LEN], bad[CONF_KEY_TEXT_LEN + 1];

	T_TRUE(conf_key_decode(KEY_A, key));
	for (unsigned i = 0; i < CONF_KEY_LEN; i++)
		T_EQ(i, key[i]);
	conf_key_encode(key, text);
	T_STR(KEY_A, text);
	T_TRUE(conf_key_decode(KEY_B, key));
	T_EQ(0, memcmp("example-key-replace-with-yours!!", key, sizeof(key)));
	memset(key, 0xff, sizeof(key));
	conf_key_encode(key, text);
	T_STR("//////////////////////////////////////////8=", text);
	T_TRUE(conf_key_decode(text, again));
	T_EQ(0, memcmp(key, again, sizeof(key)));

	/* Of 256 octets in each place, only the alphabet's 64 decode; in the
	 * 43rd the 16 without spare bits, in the last only '='. */
	memset(again, 0x5a, sizeof(again));
	for (unsigned at = 0; at < 44; at++) {
		unsigned good = 0;

		for (unsigned octet = 0; octet < 256; octet++) {
			memcpy(text, KEY_B, sizeof(text));
			text[at] = (char)octet;
			good += conf_key_decode(text, key);
		}
		T_EQ(at == 43 ? 1 : at == 42 ? 16 : 64, good);
	}
	for (size_t len = 0; len < 44; len++) {
		memcpy(bad, KEY_A, len);
		bad[len] = '\0';
		T_TRUE(!conf_key_decode(bad, again));
	}
	(void)snprintf(bad, sizeof(bad), "%s=", KEY_A);
	T_TRUE(!conf_key_decode(bad, again));
	T_TRUE(!conf_key_decode(" " KEY_A, again));
	T_EQ(0x5a, again[0]);
	T_EQ(0x5a, again[31]);
}

static void a_file_loads_like_its_text(void)
{
	const size_t len = sizeof(full) - 1;
	const char *name = temp_file(full, len, CONF_FILE_MAX);
	struct conf_diags diags = { 0 };
	static struct conf_registrar r;
	static struct conf_node c, same;
	char *a, *b;

	T_EQ(0, conf_load_node(name, &c, &diags));
	load(full, &same);
	a = dumped(&c);
	b = dumped(&same);
	T_STR(a, b);
	free(a);
	free(b);
	conf_node_free(&c);
	conf_node_free(&same);
	T_EQ(-EINVAL, conf_load_registrar(name, &r, &diags));
	T_TRUE(diags.n > 0);
	T_EQ(1, diags.v[0].line);
	conf_diags_free(&diags);
	T_EQ(0, unlink(name));
}

static char page[131072];

static void read_page(const char *dir, const char *name)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	T_TRUE(f != NULL);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	T_EQ(0, fclose(f));
}

static void compare_example(enum conf_program which, const char *name)
{
	char *want = example(which);

	read_page(CONF_EXAMPLES, name);
	T_STR(want, page);
	free(want);
}

static void the_example_files_are_up_to_date(void)
{
	compare_example(CONF_PROGRAM_NODE, "keyholed.conf.example");
	compare_example(CONF_PROGRAM_REGISTRAR, "registrar.conf.example");
}

static void compare_man(enum conf_program which, const char *name)
{
	static const char heading[] = "\n.SH SETTINGS\n";
	char *want = NULL, *begin, *end;
	size_t len = 0;
	FILE *to = open_memstream(&want, &len);

	T_TRUE(to != NULL);
	conf_man(to, which);
	T_EQ(0, fclose(to));
	read_page(CONF_MAN, name);
	begin = strstr(page, heading);
	T_TRUE(begin != NULL);
	begin += strlen(heading);
	end = strstr(begin, "\n.SH ");
	T_TRUE(end != NULL);
	end[1] = '\0';
	T_STR(want, begin);
	free(want);
}

static void the_manual_pages_are_up_to_date(void)
{
	compare_man(CONF_PROGRAM_NODE, "keyholed.conf.5");
	compare_man(CONF_PROGRAM_REGISTRAR, "registrar.conf.5");
}

static void an_untouched_example_lacks_only_the_number(void)
{
	char *text = example(CONF_PROGRAM_NODE);

	expect(text, "F:7: node.number is missing; allowed: 1 to 15 digits in "
		     "quotes\n");
	free(text);
	text = example(CONF_PROGRAM_REGISTRAR);
	expect_registrar(text, "");
	free(text);
}

/* Remove each # that stands right before a name or a bracket. */
static void uncomment(char *text)
{
	char *to = text;
	bool start = true;

	for (const char *p = text; *p; p++) {
		const bool off =
			start && *p == '#' && p[1] != ' ' && p[1] != '\n';

		start = *p == '\n' || (start && isspace((unsigned char)*p));
		if (!off)
			*to++ = *p;
	}
	*to = '\0';
}

static void an_uncommented_example_is_the_defaults(void)
{
	char *text = example(CONF_PROGRAM_NODE);
	static struct conf_node c, plain;
	char *a, *b;

	uncomment(text);
	load(text, &c);
	free(text);
	T_STR("1999", c.node.number);
	T_EQ(1, c.registrars_n);
	T_STR("registrar.example.org", c.registrars[0].host);
	T_EQ(1, c.peers_n);
	T_STR("1998", c.peers[0].number);
	T_EQ(1, c.links_n);
	T_STR("1998", c.links[0].node);
	T_EQ(CONF_MODE_TRANSCEIVE, c.links[0].mode);
	T_EQ(1, c.functions_n);
	T_STR("51", c.functions[0].code);
	T_EQ(CONF_DOES_MACRO, c.functions[0].does);
	T_STR("*32000", c.functions[0].digits);
	T_EQ(1, c.accept.users_n);
	T_STR("alice", c.accept.users[0].name);
	free(c.registrars);
	free(c.peers);
	free(c.links);
	free(c.functions);
	free(c.accept.users);
	c.registrars = NULL;
	c.peers = NULL;
	c.links = NULL;
	c.functions = NULL;
	c.accept.users = NULL;
	c.registrars_n = c.peers_n = c.links_n = 0;
	c.functions_n = c.accept.users_n = 0;
	load(NUMBER, &plain);
	a = dumped(&c);
	b = dumped(&plain);
	T_STR(b, a);
	free(a);
	free(b);
	conf_node_free(&c);
	conf_node_free(&plain);
}

static void the_manual_has_every_setting(void)
{
	char *text = NULL;
	size_t len = 0;
	unsigned items = 0;
	FILE *to = open_memstream(&text, &len);

	conf_man(to, CONF_PROGRAM_NODE);
	T_EQ(0, fclose(to));
	for (const char *p = text; (p = strstr(p, ".TP\n.B ")); p++)
		items++;
	T_TRUE(items > conf_node_table.scope.n);
	T_TRUE(strstr(text, "\n.TP\n.B keepalive.interval_s\n"));
	T_TRUE(strstr(text, "\nAllowed: a whole number from 5 to 120 s.\n"
			    "By default 15.\n"));
	T_TRUE(strstr(text,
		      "\n.B peers[].port\nIts UDP port.\nAllowed: a whole "
		      "number from 1 to 65535.\nBy default 4569.\n"
		      "Takes effect on reload.\n"));
	T_TRUE(strstr(text, "\n.SS jitter\n"));
	free(text);
}

struct seen {
	unsigned n, reloads;
	char last[64];
};

static void see(void *ctx, const char *name, bool reloads)
{
	struct seen *s = ctx;

	s->n++;
	s->reloads += reloads;
	(void)snprintf(s->last, sizeof(s->last), "%s", name);
}

static void changes_say_what_needs_a_restart(void)
{
	static const struct {
		const char *text, *name;
		bool reloads;
	} cases[] = {
		{ "log: { level = \"debug\"; };", "log.level", true },
		{ "radio: { timeout_s = 60; };", "radio.timeout_s", true },
		{ "jitter: { min_ms = 60; };", "jitter.min_ms", true },
		{ "accept: { deny = [ \"1\" ]; };", "accept.deny", true },
		{ "peers = ( { number = \"1\"; } );", "peers", true },
		{ "registrars = ( { host = \"a\"; key = \"" KEY_A "\"; } );",
		  "registrars", false },
		{ "iax2: { port = 4570; };", "iax2.port", false },
		{ "iax2: { codecs = [ \"ulaw\" ]; };", "iax2.codecs", false },
		{ "radio: { type = \"sim\"; };", "radio.type", false },
		{ "control: { group = \"x\"; };", "control.group", false },
	};
	static struct conf_node c, now;
	struct seen s = { 0 };

	load(NUMBER, &c);
	T_EQ(0, conf_node_changes(&c, &c, see, &s));
	T_EQ(0, s.n);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text), "%s%s", NUMBER,
			       cases[i].text);
		load(text, &now);
		s = (struct seen){ 0 };
		T_EQ(0, conf_node_changes(&c, &now, see, &s));
		T_EQ(1, s.n);
		T_EQ(cases[i].reloads, s.reloads);
		T_STR(cases[i].name, s.last);
		conf_node_free(&now);
	}
	conf_node_free(&c);
}

static void only_a_restart_changes_what_takes_one(void)
{
	static struct conf_node now, old;

	load(NUMBER
	     "iax2: { port = 4570; bind4 = \"127.0.0.1\"; codecs = [ "
	     "\"gsm\" ]; };\n"
	     "accept: { deny = [ \"1\" ]; };\nlog: { level = "
	     "\"debug\"; };\nradio: { type = \"sim\"; timeout_s = 60; };",
	     &now);
	load(NUMBER "registrars = ( { host = \"a\"; key = \"" KEY_A
		    "\"; } );\naccept: { deny = [ \"2\", \"3\" ]; };",
	     &old);
	conf_node_keep(&now, &old);
	/* In force as before. */
	T_EQ(4569, now.iax2.port);
	T_STR("0.0.0.0", now.iax2.bind4);
	T_EQ(0, now.iax2.codecs_n);
	T_EQ(1, now.registrars_n);
	T_STR("a", now.registrars[0].host);
	T_EQ(CONF_RADIO_NONE, now.radio.type);
	/* As loaded. */
	T_EQ(1, now.accept.deny_n);
	T_STR("1", now.accept.deny[0].number);
	T_EQ(CONF_LOG_DEBUG, now.log.level);
	T_EQ(60, now.radio.timeout_s);
	/* The rest is the other's, to be freed once. */
	T_EQ(4570, old.iax2.port);
	T_EQ(1, old.iax2.codecs_n);
	T_EQ(2, old.accept.deny_n);
	T_EQ(0, old.registrars_n);
	conf_node_free(&now);
	conf_node_free(&old);
}

/* Cut to fit it would be somebody else's number. */
static void a_number_of_16_digits_is_nobodys(void)
{
	struct conf_node c;

	load(NUMBER "accept: { deny = [ \"123456789012345\" ]; };", &c);
	T_STR("123456789012345", c.accept.deny[0].number);
	conf_node_free(&c);
	expect(NUMBER "accept:\n{\n deny = [\n  \"1\",\n"
		      "  \"1234567890123456\" ];\n};",
	       "F:6: accept.deny[1] is \"1234567890123456\"; allowed: a node "
	       "number or a public key, in quotes\n");
	expect("node: { number = \"1234567890123456\"; };",
	       "F:1: node.number is \"1234567890123456\"; allowed: 1 to 15 "
	       "digits in quotes\n");
}

static void check_row(const struct conf_row *row, const void *defaults)
{
	char text[128];

	T_TRUE(row->help && row->help[strlen(row->help) - 1] == '.');
	T_TRUE(row->size > 0);
	T_TRUE(conf_row_is_list(row) == (row->items != NULL));
	if (row->type == CONF_U32)
		T_TRUE(row->dflt >= row->min && row->dflt <= row->max);
	if (row->type == CONF_U32 && row->size == sizeof(uint16_t))
		T_TRUE(row->max <= UINT16_MAX);
	if (row->type == CONF_PATH || row->type == CONF_STRING)
		T_TRUE((row->flags & CONF_REQUIRED) ||
		       strlen(conf_row_at_const(row, defaults)) >= row->min);
	if (row->text)
		T_STR(row->text, conf_row_at_const(row, defaults));
	T_TRUE(!(row->flags & CONF_REQUIRED) || row->example);
	/* Names in messages are not cut. */
	T_TRUE((size_t)snprintf(text, sizeof(text), "list[1023].%s",
				row->name) < 64);
}

static void check_table(const struct conf_table *table, void *defaults)
{
	const struct conf_scope *scope = &table->scope;

	conf_values_default(scope, defaults);
	for (size_t i = 0; i < scope->n; i++) {
		const struct conf_row *row = &scope->rows[i];
		const size_t group = conf_row_group_len(row->name);
		size_t j = i;

		check_row(row, defaults);
		T_TRUE(conf_row_find(scope, row->name) == row);
		/* Rows of a group stand together. */
		while (group > 0 && j > 0 &&
		       strncmp(scope->rows[j - 1].name, row->name, group + 1) ==
			       0)
			j--;
		for (size_t k = 0; group > 0 && k < j; k++)
			T_TRUE(strncmp(scope->rows[k].name, row->name,
				       group + 1) != 0);
	}
	for (size_t i = 0; i < table->rules_n; i++)
		T_TRUE(conf_row_find(scope, table->rules[i].at) &&
		       table->rules[i].holds(defaults));
	conf_values_free(scope, defaults);
}

static void the_tables_are_consistent(void)
{
	struct conf_node c;
	struct conf_registrar r;

	check_table(&conf_node_table, &c);
	check_table(&conf_registrar_table, &r);
}

/* Every prefix of a good file ends in values or in messages, never both. */
static void every_truncation_is_survived(void)
{
	char cut[sizeof(full)];

	for (size_t len = 0; len < sizeof(full); len++) {
		memcpy(cut, full, len);
		cut[len] = '\0';
		free(node_messages(cut));
	}
}

int main(void)
{
	T_RUN(a_hub_lets_more_calls_be_half_open);
	T_RUN(the_defaults_are_those_of_the_table);
	T_RUN(every_setting_of_a_node_arrives);
	T_RUN(a_dump_loads_to_the_same_values);
	T_RUN(a_registrars_dump_loads_to_the_same_values);
	T_RUN(keys_have_one_spelling);
	T_RUN(a_file_loads_like_its_text);
	T_RUN(the_example_files_are_up_to_date);
	T_RUN(an_untouched_example_lacks_only_the_number);
	T_RUN(an_uncommented_example_is_the_defaults);
	T_RUN(the_manual_has_every_setting);
	T_RUN(the_manual_pages_are_up_to_date);
	T_RUN(changes_say_what_needs_a_restart);
	T_RUN(only_a_restart_changes_what_takes_one);
	T_RUN(a_number_of_16_digits_is_nobodys);
	T_RUN(the_tables_are_consistent);
	T_RUN(every_truncation_is_survived);
	return T_DONE();
}
