/* SPDX-License-Identifier: MIT */

#include "daemon/node/extnodes.h"

#include <stdlib.h>
#include <string.h>

#define PORT_MAX 65535U
#define OCTET_MAX 255U

struct extnodes {
	size_t n;
	size_t bad;
	struct extnode node[]; /* by number */
};

/* What is left of a line. */
struct rest {
	const char *at;
	const char *end;
};

static bool take(struct rest *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static bool is_digit(const struct rest *r)
{
	return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

static void skip_blanks(struct rest *r)
{
	while (take(r, ' ') || take(r, '\t'))
		;
}

/* Up to @digits of them, no leading zero, at most @max. */
static bool take_number(struct rest *r, size_t digits, uint64_t max,
			uint64_t *out)
{
	const char *begin = r->at;

	*out = 0;
	while (is_digit(r)) {
		if ((size_t)(r->at - begin) == digits)
			return false;
		*out = *out * 10 + (uint64_t)(*r->at++ - '0');
	}
	return r->at != begin && (*begin != '0' || r->at == begin + 1) &&
	       *out <= max;
}

static bool take_ip(struct rest *r, struct net_addr *out)
{
	uint8_t octet[4];
	uint64_t v;

	for (size_t i = 0; i < sizeof(octet); i++) {
		if ((i > 0 && !take(r, '.')) ||
		    !take_number(r, 3, OCTET_MAX, &v))
			return false;
		octet[i] = (uint8_t)v;
	}
	*out = net_addr_v4(octet[0], octet[1], octet[2], octet[3], 0);
	return true;
}

/* To what follows @c; false when there is none. */
static bool skip_past(struct rest *r, char c)
{
	while (r->at < r->end) {
		if (*r->at++ == c)
			return true;
	}
	return false;
}

/* NUMBER[,IP] after the slash; the address may be NONE, or missing. */
static bool take_from(struct rest *r, struct extnode *out)
{
	uint64_t called;

	if (!take_number(r, EXTNODES_DIGITS, UINT64_MAX, &called) ||
	    called != out->number)
		return false;
	skip_blanks(r);
	out->from = net_addr_v4(0, 0, 0, 0, 0);
	if (r->at == r->end)
		return true;
	if (!take(r, ','))
		return false;
	skip_blanks(r);
	if (r->end - r->at == 4 && r->at[0] == 'N' && r->at[1] == 'O' &&
	    r->at[2] == 'N' && r->at[3] == 'E')
		return true;
	if (!take_ip(r, &out->from))
		return false;
	skip_blanks(r);
	out->from.port = out->call.port;
	return r->at == r->end;
}

/* Nobody is in 0.0.0.0/8, and nobody is called at a multicast address. */
static bool is_host(const struct net_addr *a)
{
	return a->ip[12] != 0 && a->ip[12] < 224;
}

enum extnodes_line extnodes_line(const char *line, size_t len,
				 struct extnode *out)
{
	struct rest r = { line, line + len };
	uint64_t port;

	while (r.end > r.at &&
	       (r.end[-1] == '\r' || r.end[-1] == ' ' || r.end[-1] == '\t'))
		r.end--;
	skip_blanks(&r);
	if (r.at == r.end || *r.at == ';' || *r.at == '#' || *r.at == '[')
		return EXTNODES_NOTHING;
	if (!take_number(&r, EXTNODES_DIGITS, UINT64_MAX, &out->number) ||
	    out->number == 0)
		return EXTNODES_BAD;
	skip_blanks(&r);
	if (!take(&r, '='))
		return EXTNODES_BAD;
	(void)take(&r, '>');
	if (!skip_past(&r, '@') || !take_ip(&r, &out->call) || !take(&r, ':') ||
	    !take_number(&r, 5, PORT_MAX, &port) || port == 0 || !take(&r, '/'))
		return EXTNODES_BAD;
	out->call.port = (uint16_t)port;
	if (!take_from(&r, out) || !is_host(&out->call))
		return EXTNODES_BAD;
	return EXTNODES_NODE;
}

static const char *line_end(const char *at, const char *end)
{
	const char *newline =
		at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;

	return newline ? newline : end;
}

static size_t lines_of(const char *text, size_t len)
{
	const char *const end = text + len;
	size_t n = 0;

	for (const char *at = text; at < end; at = line_end(at, end) + 1)
		n++;
	return n;
}

static int by_number(const void *a, const void *b)
{
	const struct extnode *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static void drop_repeated(struct extnodes *x)
{
	size_t kept = 0;

	for (size_t i = 0; i < x->n; i++) {
		if (i == 0 || x->node[i].number != x->node[kept - 1].number)
			x->node[kept++] = x->node[i];
	}
	x->n = kept;
}

static void read_lines(struct extnodes *x, size_t room, const char *text,
		       const char *end)
{
	uint32_t line = 0;

	for (const char *at = text; at < end; line++) {
		const char *stop = line_end(at, end);
		enum extnodes_line what = EXTNODES_BAD;

		if (x->n < room)
			what = extnodes_line(at, (size_t)(stop - at),
					     &x->node[x->n]);
		if (what == EXTNODES_NODE)
			x->node[x->n++].line = line;
		else if (what == EXTNODES_BAD)
			x->bad++;
		at = stop + 1;
	}
}

struct extnodes *extnodes_new(const char *text, size_t len)
{
	const size_t lines = lines_of(text, len);
	const size_t room =
		lines < EXTNODES_LINES_MAX ? lines : EXTNODES_LINES_MAX;
	struct extnodes *x = calloc(1, sizeof(*x) + room * sizeof(x->node[0]));

	if (!x)
		return NULL;
	read_lines(x, room, text, text + len);
	qsort(x->node, x->n, sizeof(x->node[0]), by_number);
	drop_repeated(x);
	return x;
}

struct extnodes *extnodes_free(struct extnodes *x)
{
	free(x);
	return NULL;
}

const struct extnode *extnodes_find(const struct extnodes *x,
				    const char *number)
{
	struct rest r = { number, number + strlen(number) };
	uint64_t want;
	size_t low = 0, high = x ? x->n : 0;

	if (!take_number(&r, EXTNODES_DIGITS, UINT64_MAX, &want) ||
	    r.at != r.end)
		return NULL;
	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (x->node[mid].number == want)
			return &x->node[mid];
		if (x->node[mid].number < want)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

size_t extnodes_count(const struct extnodes *x)
{
	return x ? x->n : 0;
}

size_t extnodes_bad(const struct extnodes *x)
{
	return x ? x->bad : 0;
}
