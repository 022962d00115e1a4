/* SPDX-License-Identifier: MIT */

#include "daemon/console/wrap.h"

#include <string.h>

#include "daemon/console/plain.h"

#define LABEL_MAX 16U /* columns of what stands before a text */

/* Columns of the first @len octets. */
static unsigned columns_of(const char *text, size_t len)
{
	const char *const end = text + len;
	unsigned n = 0;

	while (text < end && plain_next(&text))
		n++;
	return n;
}

/* Where a line's text begins: after its blanks, or after its label and two
 * blanks at least. */
static unsigned text_begins(const char *line, size_t len)
{
	size_t i = strspn(line, " ");

	if (i > 0)
		return i < LABEL_MAX ? (unsigned)i : LABEL_MAX;
	for (i = 0; i + 2 < len && i < LABEL_MAX; i++) {
		if (line[i] == ' ' && line[i + 1] == ' ')
			return (unsigned)(i + strspn(line + i, " "));
	}
	return 0;
}

/* How many octets of @line fit into @columns, up to a blank where there is
 * one. */
static size_t fitting(const char *line, size_t len, unsigned columns)
{
	const char *at = line, *blank = NULL;

	while (at < line + len &&
	       columns_of(line, (size_t)(at - line)) < columns) {
		if (*at == ' ' && at > line)
			blank = at;
		(void)plain_next(&at);
	}
	if (at < line + len && *at != ' ' && blank)
		at = blank;
	while (at > line + 1 && at[-1] == ' ')
		at--;
	return (size_t)(at - line);
}

static void wrap_line(FILE *to, const char *line, size_t len, unsigned columns)
{
	unsigned indent = text_begins(line, len);
	size_t n;

	if (columns_of(line, len) <= columns) {
		(void)fprintf(to, "%.*s\n", (int)len, line);
		return;
	}
	if (indent + 10 > columns)
		indent = 0;
	/* The label stays with what follows it. */
	n = indent + fitting(line + indent, len - indent, columns - indent);
	(void)fprintf(to, "%.*s\n", (int)n, line);
	while (n < len) {
		n += strspn(line + n, " ");
		line += n;
		len -= n;
		n = fitting(line, len, columns - indent);
		(void)fprintf(to, "%*s%.*s\n", (int)indent, "", (int)n, line);
	}
}

void wrap_text(FILE *to, const char *text, unsigned columns)
{
	while (*text != '\0') {
		const size_t len = strcspn(text, "\n");

		wrap_line(to, text, len, columns);
		text += len + (text[len] == '\n');
	}
}
