/* SPDX-License-Identifier: MIT */

#include "proto/asl_text.h"

#include <stdio.h>
#include <string.h>

const char *asl_kind_text(enum asl_kind k)
{
	static const char *const text[ASL_KINDS] = {
		[ASL_LIST] = "list",       [ASL_ASK] = "ask",
		[ASL_KEYED] = "keyed",     [ASL_TELEMETRY] = "telemetry",
		[ASL_DIGIT] = "digit",     [ASL_MESSAGE] = "message",
		[ASL_MDC] = "mdc",         [ASL_GPS] = "gps",
		[ASL_NEWKEY1] = "newkey1", [ASL_NEWKEY] = "newkey",
		[ASL_IAXKEY] = "iaxkey",   [ASL_DISCONNECT] = "disconnect",
		[ASL_TALKER] = "talker",   [ASL_OTHER] = "other",
	};

	return text[k];
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

bool asl_name_ok(const char *name, size_t len)
{
	if (len == 0 || len > ASL_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(name[i]) && name[i] != '-' && name[i] != '/' &&
		    name[i] != '.')
			return false;
	}
	return true;
}

/* Nothing that moves a terminal or ends a line; UTF-8 may pass. */
static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	}
	return true;
}

static bool is_digit_key(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'D') || c == '*' ||
	       c == '#';
}

/* --- reading ------------------------------------------------------------ */

/* A cursor that remembers that a field was not as it must be. */
struct fields {
	const char *at;
	const char *end;
	bool bad;
};

static void skip_spaces(struct fields *f)
{
	while (f->at < f->end && *f->at == ' ')
		f->at++;
}

/* The next word; its length, 0 when there is none. */
static size_t word(struct fields *f, const char **out)
{
	const char *start;

	skip_spaces(f);
	start = f->at;
	while (f->at < f->end && *f->at != ' ')
		f->at++;
	*out = start;
	f->bad |= f->at == start;
	return (size_t)(f->at - start);
}

static void name_field(struct fields *f, char out[ASL_NAME_MAX + 1])
{
	const char *w;
	const size_t len = word(f, &w);
	const bool all = len == 1 && *w == ASL_ALL[0];

	f->bad |= !all && !asl_name_ok(w, len);
	if (f->bad)
		return;
	memcpy(out, w, len);
	out[len] = '\0';
}

static uint32_t number_field(struct fields *f)
{
	const char *w;
	const size_t len = word(f, &w);
	uint32_t v = 0;

	/* app_rpt counts with a sign, but nothing here is ever below 0. */
	f->bad |= len > 9;
	for (size_t i = 0; i < len && !f->bad; i++) {
		f->bad |= w[i] < '0' || w[i] > '9';
		v = v * 10 + (uint32_t)(w[i] - '0');
	}
	return v;
}

static bool switch_field(struct fields *f)
{
	const uint32_t v = number_field(f);

	f->bad |= v > 1;
	return v == 1;
}

/* Degrees, minutes and their hemisphere, or metres and "M". */
static void position_field(struct fields *f)
{
	const char *w;
	const size_t len = word(f, &w);

	f->bad |= len > ASL_POSITION_MAX;
	for (size_t i = 0; i < len && !f->bad; i++)
		f->bad |= !is_alnum(w[i]) && w[i] != '.' && w[i] != '-' &&
			  w[i] != '+';
}

static void end_of_fields(struct fields *f)
{
	skip_spaces(f);
	f->bad |= f->at != f->end;
}

/* All that follows, within @max octets; one word of it unless @words. */
static void rest_field(struct fields *f, struct asl_text *t, size_t max,
		       bool words)
{
	skip_spaces(f);
	t->rest = f->at;
	t->rest_len = (size_t)(f->end - f->at);
	f->bad |= t->rest_len == 0 || t->rest_len > max;
	f->bad |= !words && memchr(t->rest, ' ', t->rest_len) != NULL;
}

static void read_fields(struct fields *f, struct asl_text *t)
{
	const char *w;

	switch (t->kind) {
	case ASL_LIST:
		skip_spaces(f);
		t->rest = f->at;
		t->rest_len = (size_t)(f->end - f->at);
		break;
	case ASL_ASK:
	case ASL_KEYED:
		name_field(f, t->dest);
		name_field(f, t->src);
		t->on = switch_field(f);
		t->seconds = number_field(f);
		end_of_fields(f);
		break;
	case ASL_TELEMETRY:
	case ASL_MDC:
		name_field(f, t->src);
		rest_field(f, t, ASL_PAYLOAD_MAX, false);
		break;
	case ASL_GPS:
		name_field(f, t->src);
		skip_spaces(f);
		t->rest = f->at;
		t->rest_len = (size_t)(f->end - f->at);
		for (int i = 0; i < 3; i++)
			position_field(f);
		end_of_fields(f);
		break;
	case ASL_DIGIT:
		name_field(f, t->dest);
		name_field(f, t->src);
		t->seq = number_field(f);
		f->bad |= word(f, &w) != 1 || !is_digit_key(*w);
		if (!f->bad)
			t->digit = *w;
		end_of_fields(f);
		break;
	case ASL_MESSAGE:
		name_field(f, t->src);
		name_field(f, t->dest);
		rest_field(f, t, ASL_MESSAGE_MAX, true);
		break;
	case ASL_TALKER:
		name_field(f, t->src);
		t->on = switch_field(f);
		if (f->at < f->end)
			rest_field(f, t, ASL_ALIAS_MAX, true);
		break;
	case ASL_NEWKEY1:
	case ASL_NEWKEY:
	case ASL_DISCONNECT:
		f->bad |= f->at != f->end;
		break;
	case ASL_IAXKEY:
	case ASL_OTHER:
	case ASL_KINDS:
		break;
	}
}

struct start {
	const char *text;
	enum asl_kind kind;
};

/* Each with what follows it: a longer one before its own beginning. */
static const struct start starts[] = {
	{ "!NEWKEY1!", ASL_NEWKEY1 },
	{ "!NEWKEY!", ASL_NEWKEY },
	{ "!IAXKEY!", ASL_IAXKEY },
	{ "!!DISCONNECT!!", ASL_DISCONNECT },
	{ "!TALKER! ", ASL_TALKER },
	{ "K? ", ASL_ASK },
	{ "K ", ASL_KEYED },
	{ "L", ASL_LIST },
	{ "T ", ASL_TELEMETRY },
	{ "D ", ASL_DIGIT },
	{ "M ", ASL_MESSAGE },
	{ "I ", ASL_MDC },
	{ "G ", ASL_GPS },
	{ "C ", ASL_OTHER },
	{ "J ", ASL_OTHER },
	{ "R ", ASL_OTHER },
	{ "V ", ASL_OTHER },
};

enum asl_result asl_text_parse(const char *text, size_t len,
			       struct asl_text *out)
{
	struct fields f = { text, text + len, !is_plain(text, len) };
	const size_t n = sizeof(starts) / sizeof(starts[0]);
	size_t i = 0;

	memset(out, 0, sizeof(*out));
	while (i < n &&
	       strncmp(text, starts[i].text, strlen(starts[i].text)) != 0)
		i++;
	if (i == n)
		return ASL_UNKNOWN;
	out->kind = starts[i].kind;
	f.at += strlen(starts[i].text);
	/* A list's letter stands alone. */
	f.bad |= out->kind == ASL_LIST && f.at < f.end && *f.at != ' ';
	if (!f.bad)
		read_fields(&f, out);
	return f.bad ? ASL_MALFORMED : ASL_GOOD;
}

/* --- writing ------------------------------------------------------------ */

static int write_fields(const struct asl_text *t, char *out, size_t size)
{
	const int rest = (int)t->rest_len;
	const char *text = t->rest ? t->rest : "";

	switch (t->kind) {
	case ASL_ASK:
	case ASL_KEYED:
		return snprintf(out, size, "K%s %s %s %d %u",
				t->kind == ASL_ASK ? "?" : "", t->dest, t->src,
				t->on, (unsigned)t->seconds);
	case ASL_TELEMETRY:
	case ASL_MDC:
		return snprintf(out, size, "%c %s %.*s",
				t->kind == ASL_MDC ? 'I' : 'T', t->src, rest,
				text);
	case ASL_DIGIT:
		return snprintf(out, size, "D %s %s %u %c", t->dest, t->src,
				(unsigned)t->seq, t->digit);
	case ASL_MESSAGE:
		return snprintf(out, size, "M %s %s %.*s", t->src, t->dest,
				rest, text);
	case ASL_TALKER:
		return snprintf(out, size, "!TALKER! %s %d%s%.*s", t->src,
				t->on, rest > 0 ? " " : "", rest, text);
	case ASL_NEWKEY1:
		return snprintf(out, size, "!NEWKEY1!");
	case ASL_NEWKEY:
		return snprintf(out, size, "!NEWKEY!");
	case ASL_DISCONNECT:
		return snprintf(out, size, "!!DISCONNECT!!");
	case ASL_LIST:
	case ASL_GPS:
	case ASL_IAXKEY:
	case ASL_OTHER:
	case ASL_KINDS:
		break;
	}
	return -1;
}

bool asl_text_format(const struct asl_text *t, char out[ASL_TEXT_MAX + 1])
{
	struct asl_text again;
	const int len = write_fields(t, out, ASL_TEXT_MAX + 1);
	const bool fits =
		len > 0 && len <= (int)ASL_TEXT_MAX &&
		(t->kind != ASL_MESSAGE || len <= (int)ASL_MESSAGE_MAX);

	/* What would not be read is not written. */
	if (fits && asl_text_parse(out, (size_t)len, &again) == ASL_GOOD &&
	    again.kind == t->kind)
		return true;
	out[0] = '\0';
	return false;
}
