/* SPDX-License-Identifier: MIT */

#include "daemon/node/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t number;
	uint32_t at;  /* of what follows the number, in the text */
	uint32_t len; /* of it */
};

struct names {
	size_t n;
	size_t bad;
	char *text; /* a copy */
	struct entry entry[];
};

/* --- a line ------------------------------------------------------------- */

/* Digits up to @end or a bar, which is not taken; no leading zero. */
static size_t take_number(const char *at, const char *end, uint64_t *out)
{
	size_t n = 0;

	*out = 0;
	while (at + n < end && at[n] >= '0' && at[n] <= '9' &&
	       n <= NAMES_DIGITS)
		*out = *out * 10 + (uint64_t)(at[n++] - '0');
	return n >= 1 && n <= NAMES_DIGITS && at[0] != '0' ? n : 0;
}

static const char *line_end(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline : end;
}

/* A comment, or nothing. */
static bool is_empty(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
		at++;
	return at == end || *at == ';' || *at == '#';
}

static void read_line(struct names *x, size_t room, const char *at,
		      const char *end)
{
	struct entry e;
	size_t digits;

	if (is_empty(at, end))
		return;
	digits = take_number(at, end, &e.number);
	if (digits == 0 || at + digits == end || at[digits] != '|' ||
	    x->n == room) {
		x->bad++;
		return;
	}
	at += digits + 1;
	e.at = (uint32_t)(at - x->text);
	e.len = (uint32_t)(end - at);
	x->entry[x->n++] = e;
}

/* --- the table ---------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void drop_repeated(struct names *x)
{
	size_t kept = 0;

	for (size_t i = 0; i < x->n; i++) {
		if (i == 0 || x->entry[i].number != x->entry[kept - 1].number)
			x->entry[kept++] = x->entry[i];
	}
	x->n = kept;
}

static size_t lines_of(const char *text, const char *end)
{
	size_t n = 0;

	for (const char *at = text; at < end; at = line_end(at, end) + 1)
		n++;
	return n < NAMES_LINES_MAX ? n : NAMES_LINES_MAX;
}

static struct names *allocate(const char *text, size_t len, size_t room)
{
	struct names *x = calloc(1, sizeof(*x) + room * sizeof(x->entry[0]));

	if (!x)
		return NULL;
	x->text = malloc(len + 1);
	if (!x->text)
		return names_free(x);
	memcpy(x->text, text, len);
	x->text[len] = '\0';
	return x;
}

struct names *names_new(const char *text, size_t len)
{
	const size_t room = lines_of(text, text + len);
	/* Positions are 32 bits wide. */
	struct names *x = len < UINT32_MAX ? allocate(text, len, room) : NULL;
	const char *at, *end;

	if (!x)
		return NULL;
	end = x->text + len;
	for (at = x->text; at < end; at = line_end(at, end) + 1)
		read_line(x, room, at, line_end(at, end));
	qsort(x->entry, x->n, sizeof(x->entry[0]), by_number);
	drop_repeated(x);
	return x;
}

struct names *names_free(struct names *x)
{
	if (x)
		free(x->text);
	free(x);
	return NULL;
}

/* --- finding ------------------------------------------------------------ */

/* The next field, without blanks around it; @*at moves behind its bar. */
static void take_field(const char **at, const char *end, char *out, size_t room)
{
	const char *bar = memchr(*at, '|', (size_t)(end - *at));
	const char *from = *at, *to = bar ? bar : end;
	size_t n = 0;

	*at = bar ? bar + 1 : end;
	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
		to--;
	for (; from < to && n + 1 < room; from++) {
		const unsigned char c = (unsigned char)*from;

		out[n++] = (char)(c < ' ' || c == 0x7f ? '?' : c);
	}
	out[n] = '\0';
}

bool names_find(const struct names *x, const char *number, struct name *out)
{
	const char *const stop = number + strlen(number);
	size_t low = 0, high = x ? x->n : 0;
	const char *at, *end;
	uint64_t want;

	if (take_number(number, stop, &want) != strlen(number) || want == 0)
		return false;
	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (x->entry[mid].number < want)
			low = mid + 1;
		else
			high = mid;
	}
	if (!x || low == x->n || x->entry[low].number != want)
		return false;
	at = x->text + x->entry[low].at;
	end = at + x->entry[low].len;
	take_field(&at, end, out->callsign, sizeof(out->callsign));
	take_field(&at, end, out->description, sizeof(out->description));
	take_field(&at, end, out->location, sizeof(out->location));
	return true;
}

size_t names_count(const struct names *x)
{
	return x ? x->n : 0;
}

size_t names_bad(const struct names *x)
{
	return x ? x->bad : 0;
}
