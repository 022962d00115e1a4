/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf_table.h"

static bool is_full(const struct conf_diags *diags)
{
	return diags->n > CONF_DIAGS_MAX;
}

static int append(struct conf_diags *diags, unsigned line, char *text)
{
	struct conf_diag *v =
		text ? reallocarray(diags->v, diags->n + 1, sizeof(*v)) : NULL;

	if (!v) {
		free(text);
		return -ENOMEM;
	}
	diags->v = v;
	v[diags->n++] = (struct conf_diag){ line, text };
	return 0;
}

int conf_diags_add(struct conf_diags *diags, unsigned line, const char *fmt,
		   ...)
{
	char *text = NULL;
	va_list args;
	int len;

	if (is_full(diags))
		return 0;
	if (diags->n == CONF_DIAGS_MAX)
		return append(diags, line, strdup("and more; these first"));
	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	return append(diags, line, len < 0 ? NULL : text);
}

/* Insertion keeps entries of one line in the order they were found; the last
 * of a full list stays last. */
void conf_diags_sort(struct conf_diags *diags)
{
	const size_t n = is_full(diags) ? CONF_DIAGS_MAX : diags->n;

	for (size_t i = 1; i < n; i++) {
		const struct conf_diag d = diags->v[i];
		size_t at = i;

		for (; at > 0 && diags->v[at - 1].line > d.line; at--)
			diags->v[at] = diags->v[at - 1];
		diags->v[at] = d;
	}
}

void conf_diags_print(const struct conf_diags *diags, const char *file,
		      FILE *to)
{
	for (size_t i = 0; i < diags->n; i++)
		(void)fprintf(to, "%s:%u: %s\n", file, diags->v[i].line,
			      diags->v[i].text);
}

void conf_diags_free(struct conf_diags *diags)
{
	for (size_t i = 0; i < diags->n; i++)
		free(diags->v[i].text);
	free(diags->v);
	*diags = (struct conf_diags){ 0 };
}

#define NAME_MAX_LEN 47U /* longer names resemble none of ours */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	const unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance: single-character edits that turn @a into @b. */
static unsigned edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned row[NAME_MAX_LEN + 1];

	for (unsigned j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 0; i < a_len; i++) {
		unsigned diagonal = row[0]++;

		for (size_t j = 0; j < b_len; j++) {
			const unsigned swap = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = min3(swap, row[j] + 1, diagonal + 1);
		}
	}
	return row[b_len];
}

/* Is @name within a third of its length of the @len octets at @known?  Keeps
 * the least distance in *@best. */
static bool nearer(const char *name, const char *known, size_t len,
		   unsigned *best)
{
	const size_t name_len = strlen(name);
	unsigned d;

	if (len == 0 || len > NAME_MAX_LEN)
		return false;
	d = edits(name, name_len, known, len);
	if (d >= *best || d > 1 + name_len / 3)
		return false;
	*best = d;
	return true;
}

/* A setting written outside its group, or in another, is near by its last
 * part alone. */
static bool same_last_part(const char *name, const char *known)
{
	const char *known_last = known + conf_row_group_len(known);
	const char *name_last = name + conf_row_group_len(name);

	known_last += *known_last == '.';
	name_last += *name_last == '.';
	return strcmp(name_last, known_last) == 0;
}

const struct conf_row *conf_nearest(const struct conf_scope *scope,
				    const char *name, bool *is_group)
{
	const struct conf_row *found = NULL;
	unsigned best = UINT32_MAX;

	*is_group = false;
	if (strlen(name) > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < scope->n; i++) {
		const struct conf_row *row = &scope->rows[i];
		const size_t group = conf_row_group_len(row->name);

		if (nearer(name, row->name, strlen(row->name), &best)) {
			found = row;
			*is_group = false;
		}
		if (nearer(name, row->name, group, &best)) {
			found = row;
			*is_group = true;
		}
	}
	for (size_t i = 0; !found && i < scope->n; i++) {
		if (same_last_part(name, scope->rows[i].name))
			found = &scope->rows[i];
	}
	return found;
}
