/* SPDX-License-Identifier: MIT */

/* Digits become commands, with time between them. */

#include <string.h>

#include "daemon/node/command.h"
#include "tests/t.h"

static struct commands c;
static mono_us now;

static void begin(const struct command_function *own, size_t n)
{
	const struct command_cfg cfg = { .usual = true,
					 .functions = own,
					 .n = n,
					 .radio = true,
					 .links = true,
					 .number_min = 4,
					 .number_max = 6 };

	memset(&c, 0, sizeof(c));
	now = MONO_S;
	command_configure(&c, &cfg);
}

static void wait(mono_us d)
{
	const mono_us end = now + d;

	while (command_deadline(&c) <= end) {
		now = command_deadline(&c);
		command_tick(&c, now);
	}
	now = end;
}

static void dial(enum command_from from, const char *who, const char *digits)
{
	for (; *digits; digits++) {
		wait(100 * MONO_MS);
		command_digit(&c, from, who, *digits, now);
	}
}

static void radio(const char *digits)
{
	dial(COMMAND_RADIO, "", digits);
}

static void nothing(void)
{
	struct command out;

	T_TRUE(!command_next(&c, &out));
}

static void expect(enum command_verb verb, const char *number)
{
	struct command out;

	T_TRUE(command_next(&c, &out));
	T_STR(command_verb_text(verb), command_verb_text(out.verb));
	T_STR(number, out.number);
}

static void expect_digit(const char *number, char digit)
{
	struct command out;

	T_TRUE(command_next(&c, &out));
	T_EQ(COMMAND_DIGIT, out.verb);
	T_STR(number, out.number);
	T_EQ(digit, out.digit);
}

/* --- codes -------------------------------------------------------------- */

static void each_usual_code_does_what_it_is_known_for(void)
{
	static const struct {
		const char *digits;
		enum command_verb verb;
		const char *number;
	} usual[] = {
		{ "*1512345", COMMAND_DISCONNECT, "512345" },
		{ "*2512345", COMMAND_MONITOR, "512345" },
		{ "*3512345", COMMAND_CONNECT, "512345" },
		{ "*70", COMMAND_STATUS, "" },
		{ "*71", COMMAND_ALL_OFF, "" },
		{ "*72", COMMAND_LAST_KEYED, "" },
		{ "*73", COMMAND_FULL_STATUS, "" },
		{ "*74", COMMAND_RESTORE, "" },
		{ "*75512345", COMMAND_LOCAL_MONITOR, "512345" },
		{ "*80", COMMAND_IDENTIFY, "" },
		{ "*811512345", COMMAND_DISCONNECT_PERMANENT, "512345" },
		{ "*812512345", COMMAND_PERMANENT_MONITOR, "512345" },
		{ "*813512345", COMMAND_PERMANENT_CONNECT, "512345" },
		{ "*818512345", COMMAND_PERMANENT_LOCAL_MONITOR, "512345" },
		{ "*980", COMMAND_VERSION, "" },
		{ "*921", COMMAND_PARROT_ON, "" },
		{ "*922", COMMAND_PARROT_OFF, "" },
	};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		begin(NULL, 0);
		radio(usual[i].digits);
		/* At once. */
		expect(usual[i].verb, usual[i].number);
		nothing();
		T_EQ(MONO_NEVER, command_deadline(&c));
	}
}

static void a_code_that_others_begin_with_waits_for_them(void)
{
	begin(NULL, 0);
	radio("*81");
	nothing();
	wait(COMMAND_PAUSE_US - 1);
	nothing();
	wait(1);
	expect(COMMAND_TIME, "");
	radio("*81#");
	expect(COMMAND_TIME, "");
}

static void codes_are_added_changed_and_taken_away(void)
{
	static const struct command_function own[] = {
		{ .code = "70", .verb = COMMAND_VERSION },
		{ .code = "3", .verb = COMMAND_NONE },
		{ .code = "A5", .verb = COMMAND_EVENT },
	};
	struct command out;

	begin(own, 3);
	radio("*70");
	expect(COMMAND_VERSION, "");
	radio("*A5");
	T_TRUE(command_next(&c, &out));
	T_EQ(COMMAND_EVENT, out.verb);
	T_STR("A5", out.code);
	radio("*3");
	expect(COMMAND_NONE, "");
	T_EQ(1, c.counters.unknown);
}

static void digits_without_a_star_are_nobodys(void)
{
	begin(NULL, 0);
	radio("70 71#3512345");
	nothing();
	command_digit(&c, COMMAND_RADIO, "", 'x', now);
	command_digit(&c, COMMAND_RADIO, "", '\0', now);
	nothing();
}

/* --- numbers ------------------------------------------------------------ */

static void a_short_number_is_complete_after_a_pause_or_a_hash(void)
{
	begin(NULL, 0);
	radio("*32000");
	nothing();
	wait(COMMAND_PAUSE_US);
	expect(COMMAND_CONNECT, "2000");
	radio("*32000#");
	expect(COMMAND_CONNECT, "2000");
	radio("*32000*70");
	expect(COMMAND_CONNECT, "2000");
	expect(COMMAND_STATUS, "");
}

static void a_number_cut_short_is_not_dialled(void)
{
	begin(NULL, 0);
	radio("*3200");
	wait(COMMAND_PAUSE_US);
	expect(COMMAND_NONE, "");
	radio("0");
	wait(COMMAND_PAUSE_US);
	nothing();
	radio("*320#");
	expect(COMMAND_NONE, "");
	radio("*32A00#");
	expect(COMMAND_NONE, "");
	T_EQ(3, c.counters.unknown);
}

/* What has no end is a number that is complete, and digits without a star. */
static void a_number_without_an_end_is_dialled_once_at_most(void)
{
	char digits[1004] = "*3";

	memset(digits + 2, '7', 1000);
	begin(NULL, 0);
	radio(digits);
	expect(COMMAND_CONNECT, "777777");
	wait(COMMAND_PAUSE_US);
	nothing();
	/* The console is told that they are too many. */
	T_TRUE(!command_digits(&c, digits, now));
	nothing();
	/* From a link, which may not dial. */
	begin(NULL, 0);
	dial(COMMAND_LINK, "2000", digits);
	wait(COMMAND_PAUSE_US);
	nothing();
	T_EQ(1, c.counters.refused);
	/* No code is as long, either. */
	digits[1] = 'D';
	begin(NULL, 0);
	radio(digits);
	expect(COMMAND_NONE, "");
	wait(COMMAND_PAUSE_US);
	nothing();
	T_EQ(1, c.counters.unknown);
}

static void zero_is_the_last_node(void)
{
	begin(NULL, 0);
	radio("*30");
	expect(COMMAND_CONNECT, "");
	command_last(&c, "2001");
	radio("*30");
	expect(COMMAND_CONNECT, "2001");
	radio("*2512345");
	expect(COMMAND_MONITOR, "512345");
	radio("*10");
	expect(COMMAND_DISCONNECT, "512345");
}

/* --- command mode ------------------------------------------------------- */

static void command_mode_sends_digits_until_a_hash(void)
{
	begin(NULL, 0);
	radio("*42000#");
	expect(COMMAND_REMOTE, "2000");
	radio("*70");
	expect_digit("2000", '*');
	expect_digit("2000", '7');
	expect_digit("2000", '0');
	radio("#*70");
	expect(COMMAND_STATUS, "");
	/* The star that ends the number is the first digit there. */
	radio("*42000*7");
	expect(COMMAND_REMOTE, "2000");
	expect_digit("2000", '*');
	expect_digit("2000", '7');
	nothing();
}

static void command_mode_ends_when_nobody_dials(void)
{
	begin(NULL, 0);
	radio("*4512345");
	expect(COMMAND_REMOTE, "512345");
	wait(COMMAND_REMOTE_US);
	T_EQ(MONO_NEVER, command_deadline(&c));
	radio("*70");
	expect(COMMAND_STATUS, "");
}

static void command_mode_begun_by_a_pause_lasts(void)
{
	begin(NULL, 0);
	radio("*42000");
	wait(COMMAND_PAUSE_US);
	expect(COMMAND_REMOTE, "2000");
	radio("5");
	expect_digit("2000", '5');
}

/* --- who may ------------------------------------------------------------ */

static void links_may_ask_and_not_connect(void)
{
	struct command out;

	begin(NULL, 0);
	dial(COMMAND_LINK, "2002", "*70");
	T_TRUE(command_next(&c, &out));
	T_EQ(COMMAND_STATUS, out.verb);
	T_EQ(COMMAND_LINK, out.from);
	T_STR("2002", out.who);
	dial(COMMAND_LINK, "2002", "*3512345");
	dial(COMMAND_LINK, "2002", "*71");
	nothing();
	T_EQ(2, c.counters.refused);
}

static void two_who_dial_at_once_do_not_disturb_each_other(void)
{
	static const char one[] = "*3512345", other[] = "*73";

	begin(NULL, 0);
	for (size_t i = 0; i < strlen(one); i++) {
		command_digit(&c, COMMAND_RADIO, "", one[i], now);
		if (i < strlen(other))
			command_digit(&c, COMMAND_LINK, "2002", other[i], now);
	}
	expect(COMMAND_FULL_STATUS, "");
	expect(COMMAND_CONNECT, "512345");
	nothing();
}

static void more_than_there_is_room_for_give_way(void)
{
	char who[8];

	begin(NULL, 0);
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(who, sizeof(who), "%u", 3000 + i);
		wait(MONO_MS);
		command_digit(&c, COMMAND_LINK, who, '*', now);
	}
	command_digit(&c, COMMAND_LINK, "3000", '7', now);
	command_digit(&c, COMMAND_LINK, "3000", '0', now);
	nothing();
	radio("*70");
	expect(COMMAND_STATUS, "");
	dial(COMMAND_LINK, "3099", "*70");
	expect(COMMAND_STATUS, "");
}

static void a_flood_of_links_is_bounded(void)
{
	struct command out;
	unsigned n = 0;

	begin(NULL, 0);
	for (unsigned i = 0; i < 600; i++) {
		dial(COMMAND_LINK, "2002", "*70");
		while (command_next(&c, &out))
			n++;
	}
	/* 180 s, at one in two seconds. */
	T_TRUE(n >= 90 && n <= 110);
	T_EQ(600 - n, c.counters.limited);
	for (unsigned i = 0; i < 40; i++)
		radio("*70");
	n = 0;
	while (command_next(&c, &out))
		n++;
	T_EQ(COMMAND_QUEUE, n);
}

static void what_is_switched_off_is_not_heeded(void)
{
	const struct command_cfg off = { .usual = true,
					 .number_min = 4,
					 .number_max = 6 };

	begin(NULL, 0);
	command_configure(&c, &off);
	radio("*70");
	dial(COMMAND_LINK, "2002", "*70");
	nothing();
	T_EQ(2, c.counters.refused);
	T_TRUE(command_digits(&c, "*70", now));
	expect(COMMAND_STATUS, "");
}

/* --- macros and the console --------------------------------------------- */

static void a_macro_dials_what_it_has(void)
{
	static const struct command_function own[] = {
		{ .code = "51",
		  .verb = COMMAND_MACRO,
		  .digits = "*71*32000*52",
		  .links = true },
		{ .code = "52", .verb = COMMAND_MACRO, .digits = "*51" },
	};

	begin(own, 2);
	radio("*51");
	expect(COMMAND_MACRO, "");
	expect(COMMAND_ALL_OFF, "");
	expect(COMMAND_CONNECT, "2000");
	/* And none begins in another: they would never end. */
	expect(COMMAND_MACRO, "");
	nothing();
	dial(COMMAND_LINK, "2002", "*51");
	expect(COMMAND_MACRO, "");
	expect(COMMAND_ALL_OFF, "");
}

static void the_console_needs_no_star_and_no_pause(void)
{
	begin(NULL, 0);
	T_TRUE(command_digits(&c, "32000", now));
	expect(COMMAND_CONNECT, "2000");
	T_TRUE(command_digits(&c, "*81", now));
	expect(COMMAND_TIME, "");
	T_TRUE(!command_digits(&c, "", now));
	T_TRUE(!command_digits(&c, "7x", now));
	T_TRUE(!command_digits(&c, "*123456789012345678901234567890123", now));
	T_TRUE(command_digits(&c, "99", now));
	expect(COMMAND_NONE, "");
	/* What the radio dials meanwhile is not disturbed. */
	radio("*7");
	T_TRUE(command_digits(&c, "80", now));
	expect(COMMAND_IDENTIFY, "");
	radio("0");
	expect(COMMAND_STATUS, "");
}

int main(void)
{
	T_RUN(each_usual_code_does_what_it_is_known_for);
	T_RUN(a_code_that_others_begin_with_waits_for_them);
	T_RUN(codes_are_added_changed_and_taken_away);
	T_RUN(digits_without_a_star_are_nobodys);
	T_RUN(a_short_number_is_complete_after_a_pause_or_a_hash);
	T_RUN(a_number_cut_short_is_not_dialled);
	T_RUN(a_number_without_an_end_is_dialled_once_at_most);
	T_RUN(zero_is_the_last_node);
	T_RUN(command_mode_sends_digits_until_a_hash);
	T_RUN(command_mode_ends_when_nobody_dials);
	T_RUN(command_mode_begun_by_a_pause_lasts);
	T_RUN(links_may_ask_and_not_connect);
	T_RUN(two_who_dial_at_once_do_not_disturb_each_other);
	T_RUN(more_than_there_is_room_for_give_way);
	T_RUN(a_flood_of_links_is_bounded);
	T_RUN(what_is_switched_off_is_not_heeded);
	T_RUN(a_macro_dials_what_it_has);
	T_RUN(the_console_needs_no_star_and_no_pause);
	return T_DONE();
}
