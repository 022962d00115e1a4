/* SPDX-License-Identifier: MIT */

/* The words of AllStarLink's text messages: what is read, what is refused,
 * and that what we write is what we read. */

#include <string.h>

#include "proto/asl_text.h"
#include "tests/t.h"

static enum asl_result parse(const char *text, struct asl_text *out)
{
	/* On the heap, with its NUL: one octet further is an error. */
	char *copy = (char *)t_dup((const uint8_t *)text, strlen(text) + 1);
	const enum asl_result r = asl_text_parse(copy, strlen(text), out);

	if (out->rest)
		out->rest = text + (out->rest - copy);
	free(copy);
	return r;
}

static void good(const char *text, struct asl_text *out)
{
	T_EQ(ASL_GOOD, parse(text, out));
}

static void bad(const char *text, enum asl_kind kind)
{
	struct asl_text t;

	T_EQ(ASL_MALFORMED, parse(text, &t));
	T_EQ(kind, t.kind);
}

static void each_message_is_read(void)
{
	struct asl_text t;

	good("L T2001,R2002", &t);
	T_EQ(ASL_LIST, t.kind);
	T_STR("T2001,R2002", t.rest);
	good("L ", &t);
	T_EQ(0, t.rest_len);
	good("L", &t);
	T_EQ(0, t.rest_len);
	good("K? * 2001 0 0", &t);
	T_EQ(ASL_ASK, t.kind);
	T_STR("*", t.dest);
	T_STR("2001", t.src);
	good("K 2001 1999 1 73", &t);
	T_EQ(ASL_KEYED, t.kind);
	T_STR("2001", t.dest);
	T_STR("1999", t.src);
	T_TRUE(t.on);
	T_EQ(73, t.seconds);
	good("T 1999 STATUS,1999,0,T2002,T2001", &t);
	T_EQ(ASL_TELEMETRY, t.kind);
	T_STR("1999", t.src);
	T_STR("STATUS,1999,0,T2002,T2001", t.rest);
	good("D 1999 2001 4 *", &t);
	T_EQ(ASL_DIGIT, t.kind);
	T_EQ(4, t.seq);
	T_EQ('*', t.digit);
	good("M 2001 0 Net at 20:00, all welcome", &t);
	T_EQ(ASL_MESSAGE, t.kind);
	T_STR("0", t.dest);
	T_STR("Net at 20:00, all welcome", t.rest);
	good("I 2001 1234", &t);
	T_EQ(ASL_MDC, t.kind);
	good("G 2001 4032.42N 07418.12W 12.3M", &t);
	T_EQ(ASL_GPS, t.kind);
	T_STR("2001", t.src);
	T_STR("4032.42N 07418.12W 12.3M", t.rest);
	good("!NEWKEY1!", &t);
	T_EQ(ASL_NEWKEY1, t.kind);
	good("!NEWKEY!", &t);
	T_EQ(ASL_NEWKEY, t.kind);
	good("!IAXKEY! 1 1 0 0", &t);
	T_EQ(ASL_IAXKEY, t.kind);
	good("!!DISCONNECT!!", &t);
	T_EQ(ASL_DISCONNECT, t.kind);
	good("!TALKER! 2001 1 W1AW Hiram", &t);
	T_EQ(ASL_TALKER, t.kind);
	T_STR("W1AW Hiram", t.rest);
	good("!TALKER! 2001 0", &t);
	T_EQ(0, t.rest_len);
}

static void what_others_use_is_known_and_left_alone(void)
{
	static const char *const text[] = { "C 2001 1 1000", "J 2001", "R 100",
					    "V 2001 1,2" };
	struct asl_text t;

	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		good(text[i], &t);
		T_EQ(ASL_OTHER, t.kind);
	}
	T_EQ(ASL_UNKNOWN, parse("", &t));
	T_EQ(ASL_UNKNOWN, parse("Hello", &t));
	T_EQ(ASL_UNKNOWN, parse("!NEWKEY", &t));
	T_EQ(ASL_UNKNOWN, parse("T", &t));
}

static void spaces_may_be_many(void)
{
	struct asl_text t;

	good("K   2001  1999 0   5 ", &t);
	T_STR("1999", t.src);
	T_EQ(5, t.seconds);
	good("M 1  2   words  of two", &t);
	T_STR("words  of two", t.rest);
}

static void names_have_their_bounds(void)
{
	struct asl_text t;

	T_TRUE(asl_name_ok("123456789012345", 15));
	T_TRUE(!asl_name_ok("1234567890123456", 16));
	T_TRUE(asl_name_ok("W1AW-P", 6));
	T_TRUE(asl_name_ok("F/G4.XX", 7));
	T_TRUE(!asl_name_ok("", 0));
	T_TRUE(!asl_name_ok("2001,", 5));
	T_TRUE(!asl_name_ok("*", 1));
	good("T 123456789012345 COMPLETE", &t);
	bad("T 1234567890123456 COMPLETE", ASL_TELEMETRY);
	bad("D 20_1 2001 0 1", ASL_DIGIT);
	bad("M 2001 2002", ASL_MESSAGE);
}

static void what_is_not_as_it_must_be_is_refused_by_kind(void)
{
	char text[600];

	bad("LT2001", ASL_LIST);
	bad("K? * 2001 0", ASL_ASK);
	bad("K? * 2001 0 0 0", ASL_ASK);
	bad("K 2001 1999 2 0", ASL_KEYED);
	bad("K 2001 1999 -1 0", ASL_KEYED);
	bad("K 2001 1999 1 4294967296", ASL_KEYED);
	bad("K 2001 1999 1 1s", ASL_KEYED);
	bad("T 1999", ASL_TELEMETRY);
	bad("T 1999 two words", ASL_TELEMETRY);
	bad("D 1999 2001 0 12", ASL_DIGIT);
	bad("D 1999 2001 0 E", ASL_DIGIT);
	bad("D 1999 2001 0", ASL_DIGIT);
	bad("D 1999 2001 0 1 1", ASL_DIGIT);
	bad("G 2001 4032.42N 07418.12W", ASL_GPS);
	bad("G 2001 4032.42N 07418.12W 12.3M 4", ASL_GPS);
	bad("G 2001 4032.42N 07418.12W 12,3M", ASL_GPS);
	bad("G 2001 4032.4200000000N 07418.12W 12.3M", ASL_GPS);
	bad("G 20_1 4032.42N 07418.12W 12.3M", ASL_GPS);
	bad("I 1999", ASL_MDC);
	bad("I 1999 two words", ASL_MDC);
	bad("!NEWKEY1!!", ASL_NEWKEY1);
	bad("!!DISCONNECT!! now", ASL_DISCONNECT);
	bad("M 2001 0 bell\a", ASL_MESSAGE);
	bad("L T2001\n", ASL_LIST);
	bad("!TALKER! 2001 2", ASL_TALKER);
	memset(text, 'x', sizeof(text));
	memcpy(text, "T 1999 ", 7);
	text[7 + ASL_PAYLOAD_MAX + 1] = '\0';
	bad(text, ASL_TELEMETRY);
	memcpy(text, "M 1 2  ", 7);
	text[7 + ASL_MESSAGE_MAX + 1] = '\0';
	bad(text, ASL_MESSAGE);
}

/* A number of a thousand digits, wherever a message has one. */
static void a_number_without_an_end_is_refused(void)
{
	static const struct {
		const char *before, *after;
		enum asl_kind kind;
	} at[] = {
		{ "K? ", " 1999 0 0", ASL_ASK },
		{ "K? * ", " 0 0", ASL_ASK },
		{ "K 2001 ", " 1 73", ASL_KEYED },
		{ "K 2001 1999 1 ", "", ASL_KEYED },
		{ "K 2001 1999 ", " 0", ASL_KEYED },
		{ "T ", " COMPLETE", ASL_TELEMETRY },
		{ "T 1999 REMDISC,", "", ASL_TELEMETRY },
		{ "D ", " 1999 0 1", ASL_DIGIT },
		{ "D 2001 ", " 0 1", ASL_DIGIT },
		{ "D 2001 1999 ", " 1", ASL_DIGIT },
		{ "D 2001 1999 0 ", "", ASL_DIGIT },
		{ "M ", " 0 words", ASL_MESSAGE },
		{ "M 1999 ", " words", ASL_MESSAGE },
		{ "M 1999 0 ", "", ASL_MESSAGE },
		{ "I ", " 1234", ASL_MDC },
		{ "G ", " 1N 2W 3M", ASL_GPS },
		{ "G 1999 1N 2W ", "", ASL_GPS },
		{ "!TALKER! ", " 1", ASL_TALKER },
	};
	char digits[1001], text[1100];

	memset(digits, '7', sizeof(digits) - 1);
	digits[sizeof(digits) - 1] = '\0';
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s%s%s", at[i].before,
			       digits, at[i].after);
		bad(text, at[i].kind);
	}
}

static void every_beginning_of_a_message_is_read_or_refused(void)
{
	static const char *const text[] = {
		"L T2001,R2002",    "K? * 2001 0 0",
		"K 2001 1999 1 73", "T 1999 COMPLETE",
		"D 1999 2001 4 *",  "M 2001 0 Net at 20:00",
		"G 2001 1N 2W 3M",  "!TALKER! 2001 1 W1AW"
	};

	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		for (size_t len = 0; len < strlen(text[i]); len++) {
			char *cut = (char *)t_dup((const uint8_t *)text[i],
						  len + 1);
			struct asl_text t;

			cut[len] = '\0';
			if (asl_text_parse(cut, len, &t) == ASL_GOOD && t.rest)
				T_EQ(len, (size_t)(t.rest - cut) + t.rest_len);
			free(cut);
		}
	}
}

static void what_is_written_is_what_is_read(void)
{
	static const char *const text[] = {
		"K? * 2001 0 0",   "K 2001 1999 1 73",
		"T 1999 COMPLETE", "D 1999 2001 4 *",
		"I 2001 1234",     "M 2001 0 Net at 20:00",
		"!NEWKEY1!",       "!NEWKEY!",
		"!!DISCONNECT!!",  "!TALKER! 2001 1 W1AW Hiram",
		"!TALKER! 2001 0"
	};
	char out[ASL_TEXT_MAX + 1];
	struct asl_text t;

	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		good(text[i], &t);
		T_TRUE(asl_text_format(&t, out));
		T_STR(text[i], out);
	}
}

static void what_would_not_be_read_is_not_written(void)
{
	char out[ASL_TEXT_MAX + 1];
	char words[ASL_MESSAGE_MAX + 1];
	struct asl_text t = { .kind = ASL_TELEMETRY, .src = "2001" };

	T_TRUE(!asl_text_format(&t, out));
	T_STR("", out);
	t.rest = "two words";
	t.rest_len = strlen(t.rest);
	T_TRUE(!asl_text_format(&t, out));
	/* 160 octets are the limit of the whole message. */
	memset(words, 'x', sizeof(words));
	t = (struct asl_text){ .kind = ASL_MESSAGE,
			       .src = "2001",
			       .dest = "0",
			       .rest = words,
			       .rest_len = ASL_MESSAGE_MAX - 9 };
	T_TRUE(asl_text_format(&t, out));
	T_EQ(ASL_MESSAGE_MAX, strlen(out));
	t.rest_len++;
	T_TRUE(!asl_text_format(&t, out));
	t.kind = ASL_LIST;
	T_TRUE(!asl_text_format(&t, out));
}

static void every_kind_has_its_word(void)
{
	for (int a = 0; a < ASL_KINDS; a++) {
		for (int b = 0; b < a; b++)
			T_TRUE(strcmp(asl_kind_text((enum asl_kind)a),
				      asl_kind_text((enum asl_kind)b)) != 0);
	}
}

int main(void)
{
	T_RUN(each_message_is_read);
	T_RUN(what_others_use_is_known_and_left_alone);
	T_RUN(spaces_may_be_many);
	T_RUN(names_have_their_bounds);
	T_RUN(what_is_not_as_it_must_be_is_refused_by_kind);
	T_RUN(a_number_without_an_end_is_refused);
	T_RUN(every_beginning_of_a_message_is_read_or_refused);
	T_RUN(what_is_written_is_what_is_read);
	T_RUN(what_would_not_be_read_is_not_written);
	T_RUN(every_kind_has_its_word);
	return T_DONE();
}
