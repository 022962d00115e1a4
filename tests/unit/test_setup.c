/* SPDX-License-Identifier: MIT */

/* keyhole setup as a conversation: lines in, words out, and what comes of
 * them. */

#include "daemon/console/setup.h"

#include "tests/t.h"

#define KEY "ZXhhbXBsZS1rZXktcmVwbGFjZS13aXRoLXlvdXJzISE="
#define OTHER_KEY "b3RoZXItLWtleS1yZXBsYWNlLXdpdGgteW91cnMhISE="
#define CHIP(where, number)                                             \
	{                                                               \
		.vendor = 0x0d8c, .product = 0x0012, .port = where,     \
		.serial = number, .sound = true, .hid = true, .bus = 1, \
		.address = 5, .interface = 3, .endpoint = 0x87          \
	}

static const char settings[] =
	"# mine\n"
	"node = { number = \"2001\"; callsign = \"N0CALL\"; };\n"
	"registrars = (\n"
	"\t# the club's\n"
	"\t{ host = \"reg.example.org\"; key = \"" KEY "\"; }\n"
	");\n"
	"radio = { type = \"sim\"; duplex = 2; };\n";

static const struct fob_seen two[] = { CHIP("1-1", "A1"), CHIP("1-2", "B2") };
static const struct fob_seen twins[] = { CHIP("1-1", "A1"), CHIP("1-2", "A1") };

/* A conversation, and what was said in it. */
static struct conf_node is;
static struct setup_facts facts;
static struct setup_ask ask;
static char *said;
static size_t said_n;

static void machine(const char *text)
{
	struct conf_diags diags = { 0 };

	facts = (struct setup_facts){ .config = "keyholed.conf", .is = &is };
	conf_node_defaults(&is);
	if (text) {
		facts.existing = true;
		T_EQ(0, conf_load_node_text(text, &is, &diags));
	}
}

static void plugged_in(const struct fob_seen *seen, size_t n)
{
	facts.fobs_n = fob_list(seen, n, facts.fobs, SETUP_FOBS_MAX);
	T_EQ(n, facts.fobs_n);
}

static void begin(void)
{
	said = NULL;
	setup_ask_init(&ask, &facts, open_memstream(&said, &said_n));
}

static bool line(const char *text)
{
	return setup_ask_line(&ask, text);
}

static bool was_said(const char *words)
{
	(void)fflush(ask.to);
	return memmem(said, said_n, words, strlen(words)) != NULL;
}

/* What was said until now is forgotten. */
static void listen(void)
{
	rewind(ask.to);
	(void)fflush(ask.to);
}

static void end(void)
{
	(void)fclose(ask.to);
	free(said);
	conf_node_free(&is);
}

/* What the settings become. */
static char *edited(const char *text)
{
	char why[CONF_EDIT_WHY_MAX] = "";
	struct setup_edits e;
	char *out;

	setup_edits(&facts, &ask.plan, &e);
	T_EQ(0, conf_edit_text(text, e.v, e.n, &out, why));
	return out;
}

static size_t edits_n(void)
{
	struct setup_edits e;

	setup_edits(&facts, &ask.plan, &e);
	return e.n;
}

static void loads(const char *text)
{
	struct conf_diags diags = { 0 };
	struct conf_node conf;

	T_EQ(0, conf_load_node_text(text, &conf, &diags));
	conf_node_free(&conf);
}

/* --- a first run -------------------------------------------------------- */

static void a_new_node_is_asked_for_all_it_takes(void)
{
	static const char *const answers[] = {
		"2001", "n0call", "", "reg.example.org:4570", KEY, "sim", "y"
	};
	const size_t n = sizeof(answers) / sizeof(answers[0]);
	char *text;

	machine(NULL);
	begin();
	T_TRUE(setup_ask_begin(&ask));
	for (size_t i = 0; i < n; i++)
		T_EQ(i + 1 < n, line(answers[i]));
	T_TRUE(!ask.over);
	T_TRUE(was_said("Network [keyhole]: "));
	T_TRUE(was_said("No USB radio fob is plugged in."));
	T_TRUE(was_said("reg.example.org, port 4570, by key"));
	T_TRUE(was_said("Nothing was changed so far."));
	text = edited("# new\n");
	T_STR("# new\n"
	      "node = { number = \"2001\"; callsign = \"n0call\"; };\n"
	      "registrars = ( { host = \"reg.example.org\"; port = 4570; "
	      "key = \"" KEY "\"; } );\n"
	      "radio = { type = \"sim\"; };\n",
	      text);
	loads(text);
	free(text);
	end();
}

static void allstarlink_takes_a_password_that_is_not_shown(void)
{
	char *text;

	machine(NULL);
	begin();
	T_TRUE(setup_ask_begin(&ask));
	T_TRUE(line("50123") && line("") && line("allstarlink"));
	T_EQ(SETUP_Q_PASSWORD, ask.at);
	T_TRUE(setup_ask_is_secret(&ask));
	T_TRUE(line(""));
	T_TRUE(was_said("It takes the node's password."));
	T_TRUE(line("s3cret"));
	T_TRUE(!setup_ask_is_secret(&ask));
	T_TRUE(line("none"));
	T_TRUE(!line(""));
	T_TRUE(!was_said("s3cret"));
	T_STR("s3cret", ask.plan.secret);
	T_STR("/var/lib/keyhole/allstarlink.password", ask.plan.secret_file);
	text = edited("");
	T_TRUE(!strstr(text, "s3cret"));
	T_STR("node = { number = \"50123\"; };\n"
	      "registrars = ( { host = \"register.allstarlink.org\"; "
	      "secret_file = \"/var/lib/keyhole/allstarlink.password\"; "
	      "https = \"auto\"; } );\n"
	      "lookup = { domain = \"allstarlink.org\"; };\n"
	      "accept = { by_address = true; };\n"
	      "radio = { type = \"none\"; };\n",
	      text);
	loads(text);
	free(text);
	end();
}

/* The example, copied to its place. */
static void settings_without_a_number_are_nobodys_yet(void)
{
	char why[SETUP_WHY_MAX];

	machine(settings);
	conf_node_free(&is);
	conf_node_defaults(&is);
	plugged_in(two, 1);
	begin();
	T_TRUE(setup_ask_given(&ask, SETUP_Q_NUMBER, "2001", why));
	T_TRUE(!setup_ask_rest(&ask, why));
	T_TRUE(strncmp(why, "--registrar is missing", 22) == 0);
	T_EQ(SETUP_KEYHOLE, ask.plan.network);
	T_TRUE(setup_ask_given(&ask, SETUP_Q_NETWORK, "none", why));
	T_TRUE(setup_ask_rest(&ask, why));
	T_EQ(CONF_RADIO_CM108, ask.plan.radio);
	end();
}

/* --- answers that will not do ------------------------------------------- */

static void a_wrong_answer_is_told_why_and_asked_for_again(void)
{
	static const struct {
		enum setup_question q;
		const char *wrong, *why, *right;
	} row[] = {
		{ SETUP_Q_NUMBER, "", "1 to 15 digits", NULL },
		{ SETUP_Q_NUMBER, "12a", "1 to 15 digits", NULL },
		{ SETUP_Q_NUMBER, "-1", "1 to 15 digits", NULL },
		{ SETUP_Q_NUMBER, "1234567890123456", "1 to 15 digits", NULL },
		{ SETUP_Q_NUMBER, "2001\x1b[2J", "cannot be seen", "  2001\t" },
		{ SETUP_Q_CALLSIGN, "N0 CALL", "at most 15 letters", NULL },
		{ SETUP_Q_CALLSIGN, "A\"; };", "at most 15 letters", NULL },
		{ SETUP_Q_CALLSIGN, "ABCDEFGHIJKLMNOP", "at most 15", "" },
		{ SETUP_Q_NETWORK, "cb", "keyhole, allstarlink and none", "k" },
		{ SETUP_Q_REGISTRAR, "", "a DNS name or an address", NULL },
		{ SETUP_Q_REGISTRAR, "a b", "no DNS name or address", NULL },
		{ SETUP_Q_REGISTRAR, "a:", "no DNS name or address", NULL },
		{ SETUP_Q_REGISTRAR, "a:0", "no DNS name or address", NULL },
		{ SETUP_Q_REGISTRAR, "a:65536", "no DNS name", NULL },
		{ SETUP_Q_REGISTRAR, "a:-1", "no DNS name", NULL },
		{ SETUP_Q_REGISTRAR, "a:1x", "no DNS name", NULL },
		{ SETUP_Q_REGISTRAR, "[::1", "no DNS name", NULL },
		{ SETUP_Q_REGISTRAR, "[::1]x", "no DNS name", NULL },
		{ SETUP_Q_REGISTRAR, "::g", "no DNS name", NULL },
		{ SETUP_Q_REGISTRAR, "a\";", "no DNS name",
		  "[2001:db8::1]:4570" },
		{ SETUP_Q_KEY, "", "poses as it", NULL },
		{ SETUP_Q_KEY, "abc", "44 characters; these are 3", NULL },
		{ SETUP_Q_KEY, KEY "=", "44 characters; these are 45", NULL },
		{ SETUP_Q_KEY, "ZXhhbXBsZS1rZXktcmVwbGFjZS13aXRoLXlvdXJz-SE=",
		  "mistyped", KEY },
		{ SETUP_Q_RADIO, "usb", "cm108, alsa, sim and none", "" },
		{ SETUP_Q_AGREE, "maybe", "y or n", NULL },
	};

	machine(NULL);
	begin();
	T_TRUE(setup_ask_begin(&ask));
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		listen();
		T_EQ(row[i].q, ask.at);
		T_TRUE(line(row[i].wrong));
		T_TRUE(was_said(row[i].why));
		T_EQ(row[i].q, ask.at);
		if (row[i].right)
			T_TRUE(line(row[i].right));
	}
	T_STR("2001", ask.plan.number);
	T_STR("2001:db8::1", ask.plan.host);
	T_EQ(4570, ask.plan.port);
	end();
}

static void what_is_too_long_is_refused_whole(void)
{
	char text[2 * SETUP_ANSWER_MAX];

	memset(text, '7', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	machine(NULL);
	begin();
	T_TRUE(setup_ask_begin(&ask));
	T_TRUE(line(text));
	T_TRUE(was_said("too long"));
	T_STR("", ask.plan.number);
	end();
}

static void the_end_of_answers_ends_it_anywhere(void)
{
	static const char *const answers[] = { "2001", "", "", "a", KEY, "" };

	for (size_t n = 0; n <= sizeof(answers) / sizeof(answers[0]); n++) {
		machine(NULL);
		begin();
		T_TRUE(setup_ask_begin(&ask));
		for (size_t i = 0; i < n; i++)
			T_TRUE(line(answers[i]));
		T_TRUE(!line(NULL));
		T_TRUE(ask.over);
		end();
	}
}

static void who_does_not_agree_changes_nothing(void)
{
	machine(settings);
	begin();
	T_TRUE(setup_ask_begin(&ask));
	for (int i = 0; i < 6; i++)
		T_TRUE(line(""));
	T_EQ(SETUP_Q_AGREE, ask.at);
	T_TRUE(!line("n"));
	T_TRUE(ask.over);
	end();
}

/* --- settings that are there -------------------------------------------- */

static void what_is_set_stands_in_brackets_and_stays(void)
{
	machine(settings);
	begin();
	T_TRUE(setup_ask_begin(&ask));
	for (int i = 0; i < 6; i++)
		T_TRUE(line(""));
	T_TRUE(!line(""));
	T_TRUE(was_said("Node number [2001]: "));
	T_TRUE(was_said("Callsign [N0CALL]: "));
	T_TRUE(was_said("Network [keyhole]: "));
	T_TRUE(was_said("Registrar [reg.example.org]: "));
	T_TRUE(was_said("key [" KEY "]: "));
	T_TRUE(was_said("Radio [sim]: "));
	T_EQ(0, edits_n());
	end();
}

static void only_what_differs_is_changed(void)
{
	char why[SETUP_WHY_MAX];
	char *text;

	machine(settings);
	begin();
	T_TRUE(setup_ask_given(&ask, SETUP_Q_CALLSIGN, "-", why));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_REGISTRAR, "new.example.org:5000",
			       why));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_KEY, OTHER_KEY, why));
	T_TRUE(setup_ask_rest(&ask, why));
	text = edited(settings);
	T_STR("# mine\n"
	      "node = { number = \"2001\"; callsign = \"\"; };\n"
	      "registrars = (\n"
	      "\t# the club's\n"
	      "\t{ port = 5000; host = \"new.example.org\"; key = \"" OTHER_KEY
	      "\"; }\n"
	      ");\n"
	      "radio = { type = \"sim\"; duplex = 2; };\n",
	      text);
	loads(text);
	free(text);
	end();
}

static void another_network_comes_beside_the_one_that_is_there(void)
{
	char why[SETUP_WHY_MAX];
	char *text;

	machine(settings);
	begin();
	T_TRUE(setup_ask_given(&ask, SETUP_Q_PASSWORD, "s3cret", why));
	T_TRUE(setup_ask_rest(&ask, why));
	T_EQ(SETUP_ALLSTARLINK, ask.plan.network);
	text = edited(settings);
	T_TRUE(strstr(text, "{ host = \"reg.example.org\"; key = \"" KEY
			    "\"; }, { host = \"register.allstarlink.org\"; "));
	end();
	/* Once is enough. */
	machine(text);
	begin();
	T_TRUE(setup_ask_given(&ask, SETUP_Q_NETWORK, "allstarlink", why));
	T_TRUE(setup_ask_rest(&ask, why));
	T_EQ(0, edits_n());
	free(text);
	end();
}

static void the_registrar_that_is_named_is_the_one_that_is_meant(void)
{
	static const char both[] =
		"node = { number = \"2001\"; };\n"
		"registrars = ( { host = \"a\"; key = \"" KEY "\"; }, "
		"{ host = \"b\"; key = \"" OTHER_KEY "\"; } );\n";
	char why[SETUP_WHY_MAX];

	machine(both);
	begin();
	T_TRUE(setup_ask_given(&ask, SETUP_Q_REGISTRAR, "b", why));
	T_TRUE(setup_ask_rest(&ask, why));
	T_STR(OTHER_KEY, ask.plan.key);
	T_EQ(0, edits_n());
	end();
}

static void a_password_that_is_set_stays_with_enter(void)
{
	static const char asl[] =
		"node = { number = \"50123\"; };\n"
		"registrars = ( { host = \"register.allstarlink.org\"; "
		"secret_file = \"/etc/keyhole/pw\"; https = \"only\"; } );\n";

	machine(asl);
	begin();
	T_TRUE(setup_ask_begin(&ask));
	T_TRUE(line("") && line("") && line(""));
	T_TRUE(was_said("Network [allstarlink]: "));
	T_EQ(SETUP_Q_PASSWORD, ask.at);
	T_TRUE(line("") && line(""));
	T_TRUE(!line(""));
	T_STR("", ask.plan.secret);
	T_STR("/etc/keyhole/pw", ask.plan.secret_file);
	T_EQ(0, edits_n());
	end();
}

static void the_registrars_of_others_are_let_alone(void)
{
	static const char pbx[] =
		"node = { number = \"2001\"; };\n"
		"registrars = ( { host = \"pbx.example.org\"; "
		"secret_file = \"/etc/keyhole/pw\"; } );\n";
	char why[SETUP_WHY_MAX];

	machine(pbx);
	begin();
	T_TRUE(setup_ask_rest(&ask, why));
	T_EQ(SETUP_ALONE, ask.plan.network);
	T_EQ(0, edits_n());
	end();
}

/* --- options ------------------------------------------------------------ */

static void what_an_option_says_is_not_asked(void)
{
	char why[SETUP_WHY_MAX];

	machine(NULL);
	begin();
	T_TRUE(setup_ask_given(&ask, SETUP_Q_NUMBER, "2001", why));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_NETWORK, "none", why));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_RADIO, "none", why));
	T_TRUE(setup_ask_begin(&ask));
	T_EQ(SETUP_Q_CALLSIGN, ask.at);
	T_TRUE(line(""));
	T_EQ(SETUP_Q_AGREE, ask.at);
	end();
}

static void a_wrong_option_is_named(void)
{
	char why[SETUP_WHY_MAX];

	machine(NULL);
	begin();
	T_TRUE(!setup_ask_given(&ask, SETUP_Q_NUMBER, "x", why));
	T_STR("--number: A node's number is 1 to 15 digits, such as 2001.",
	      why);
	end();
}

static void what_no_option_says_is_missing_by_name(void)
{
	static const struct {
		enum setup_question q;
		const char *option, *answer;
	} row[] = {
		{ SETUP_Q_NUMBER, "--number", "2001" },
		{ SETUP_Q_REGISTRAR, "--registrar", "a" },
		{ SETUP_Q_KEY, "--registrar-key", KEY },
	};
	char why[SETUP_WHY_MAX];

	machine(NULL);
	begin();
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const size_t len = strlen(row[i].option);

		T_TRUE(!setup_ask_rest(&ask, why));
		T_TRUE(strncmp(why, row[i].option, len) == 0);
		T_TRUE(strncmp(why + len, " is missing: ", 13) == 0);
		T_TRUE(setup_ask_given(&ask, row[i].q, row[i].answer, why));
	}
	T_TRUE(setup_ask_rest(&ask, why));
	end();
}

static void another_registrar_does_not_get_the_old_ones_key(void)
{
	char why[SETUP_WHY_MAX];

	machine(settings);
	begin();
	T_TRUE(setup_ask_given(&ask, SETUP_Q_REGISTRAR, "new.example.org",
			       why));
	T_TRUE(!setup_ask_rest(&ask, why));
	T_TRUE(strncmp(why, "--registrar-key is missing", 26) == 0);
	end();
}

/* --- fobs --------------------------------------------------------------- */

static void the_only_fob_is_taken_without_a_name(void)
{
	char why[SETUP_WHY_MAX];

	machine(NULL);
	plugged_in(two, 1);
	begin();
	T_TRUE(setup_ask_given(&ask, SETUP_Q_NETWORK, "none", why));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_NUMBER, "1", why));
	T_TRUE(setup_ask_begin(&ask));
	T_TRUE(line(""));
	T_TRUE(was_said("CM108B at 1-1, serial A1"));
	T_TRUE(was_said("Radio [cm108]: "));
	T_TRUE(line(""));
	T_EQ(SETUP_Q_AGREE, ask.at);
	T_STR("", ask.plan.serial);
	T_STR("", ask.plan.fob_port);
	end();
}

static void of_two_fobs(const struct fob_seen *seen, const char *wrong,
			const char *why_not, const char *answer,
			const char *serial, const char *port)
{
	char why[SETUP_WHY_MAX];

	machine(settings);
	plugged_in(seen, 2);
	begin();
	T_TRUE(setup_ask_given(&ask, SETUP_Q_RADIO, "cm108", why));
	T_TRUE(!setup_ask_rest(&ask, why));
	T_TRUE(strncmp(why, "--fob-serial is missing", 23) == 0);
	ask.at = SETUP_Q_FOB;
	T_TRUE(line(wrong));
	T_TRUE(was_said(why_not));
	T_TRUE(was_said("  2  CM108B at 1-2"));
	T_TRUE(line(answer));
	T_STR(serial, ask.plan.serial);
	T_STR(port, ask.plan.fob_port);
	/* The next time that is what Enter means. */
	ask.at = SETUP_Q_FOB;
	T_TRUE(line(""));
	T_STR(serial, ask.plan.serial);
	T_STR(port, ask.plan.fob_port);
	end();
}

static void of_several_fobs_one_is_named(void)
{
	of_two_fobs(two, "3", "Which of the fobs", "2", "B2", "");
	of_two_fobs(two, "", "Which of the fobs", "A1", "A1", "");
	of_two_fobs(two, "1-9", "Which of the fobs", "1-2", "B2", "");
	of_two_fobs(twins, "A1", "Several have that", "1-2", "", "1-2");
}

static const char bound[] = "node = { number = \"2001\"; };\n"
			    "radio = { type = \"cm108\"; };\n"
			    "fob = { serial = \"C3\"; };\n";

/* The only fob is @seen, and the answer is @answer. */
static void of_another_fob(const struct fob_seen *seen, const char *answer,
			   const char *serial)
{
	machine(bound);
	plugged_in(seen, 1);
	begin();
	ask.at = SETUP_Q_RADIO;
	T_TRUE(line(""));
	T_EQ(SETUP_Q_FOB, ask.at);
	T_TRUE(was_said("name another fob (serial C3):\n  1  CM108B at 1-1"));
	T_TRUE(was_said("Fob [1-1]: "));
	T_TRUE(line("9"));
	T_EQ(SETUP_Q_FOB, ask.at);
	T_TRUE(was_said("Which of the fobs"));
	T_TRUE(line(answer));
	T_EQ(SETUP_Q_AGREE, ask.at);
	T_STR(serial, ask.plan.serial);
	T_STR("", ask.plan.fob_port);
	end();
}

static void another_fob_than_the_settings_name_is_asked_about(void)
{
	static const struct fob_seen same[] = { CHIP("1-1", "C3") };

	of_another_fob(two, "", "A1");
	of_another_fob(two, "1", "A1");
	of_another_fob(two, "C3", "C3");
	machine(bound);
	plugged_in(same, 1);
	begin();
	ask.at = SETUP_Q_RADIO;
	T_TRUE(line(""));
	T_EQ(SETUP_Q_AGREE, ask.at);
	T_STR("C3", ask.plan.serial);
	end();
}

static void options_that_do_not_go_together_are_refused(void)
{
	char why[SETUP_WHY_MAX] = "";

	machine(NULL);
	begin();
	T_TRUE(setup_ask_given(&ask, SETUP_Q_NUMBER, "1", why));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_FOB, "A1", why));
	T_TRUE(setup_ask_agrees(&ask, false, why));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_RADIO, "cm108", why));
	T_TRUE(setup_ask_agrees(&ask, false, why));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_RADIO, "alsa", why));
	T_TRUE(!setup_ask_agrees(&ask, false, why));
	T_TRUE(strstr(why, "--fob-serial is for"));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_RADIO, "cm108", why));
	/* Which network it is comes last. */
	T_TRUE(setup_ask_given(&ask, SETUP_Q_PASSWORD, "secret", why));
	T_TRUE(setup_ask_agrees(&ask, false, why));
	ask.at = SETUP_Q_NETWORK;
	T_TRUE(line("keyhole"));
	T_TRUE(!setup_ask_agrees(&ask, true, why));
	T_TRUE(strstr(why, "--password-file for allstarlink"));
	ask.at = SETUP_Q_NETWORK;
	(void)line("allstarlink");
	T_TRUE(setup_ask_agrees(&ask, true, why));
	end();
}

static void an_option_names_a_fob_that_comes_later(void)
{
	char why[SETUP_WHY_MAX];
	char *text;

	machine(NULL);
	begin();
	T_TRUE(!setup_ask_given(&ask, SETUP_Q_FOB, "", why));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_FOB, "C\"3\\", why));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_NETWORK, "none", why));
	T_TRUE(setup_ask_given(&ask, SETUP_Q_NUMBER, "1", why));
	T_TRUE(setup_ask_rest(&ask, why));
	T_EQ(CONF_RADIO_CM108, ask.plan.radio);
	text = edited("");
	T_TRUE(strstr(text, "fob = { serial = \"C\\\"3\\\\\"; };"));
	loads(text);
	free(text);
	end();
}

int main(void)
{
	T_RUN(a_new_node_is_asked_for_all_it_takes);
	T_RUN(allstarlink_takes_a_password_that_is_not_shown);
	T_RUN(settings_without_a_number_are_nobodys_yet);
	T_RUN(a_wrong_answer_is_told_why_and_asked_for_again);
	T_RUN(what_is_too_long_is_refused_whole);
	T_RUN(the_end_of_answers_ends_it_anywhere);
	T_RUN(who_does_not_agree_changes_nothing);
	T_RUN(what_is_set_stands_in_brackets_and_stays);
	T_RUN(only_what_differs_is_changed);
	T_RUN(another_network_comes_beside_the_one_that_is_there);
	T_RUN(the_registrar_that_is_named_is_the_one_that_is_meant);
	T_RUN(a_password_that_is_set_stays_with_enter);
	T_RUN(the_registrars_of_others_are_let_alone);
	T_RUN(what_an_option_says_is_not_asked);
	T_RUN(a_wrong_option_is_named);
	T_RUN(what_no_option_says_is_missing_by_name);
	T_RUN(another_registrar_does_not_get_the_old_ones_key);
	T_RUN(the_only_fob_is_taken_without_a_name);
	T_RUN(of_several_fobs_one_is_named);
	T_RUN(another_fob_than_the_settings_name_is_asked_about);
	T_RUN(options_that_do_not_go_together_are_refused);
	T_RUN(an_option_names_a_fob_that_comes_later);
	return T_DONE();
}
