/* SPDX-License-Identifier: MIT */

#include "proto/asl_list.h"

#include <stdio.h>
#include <string.h>

void asl_list_clear(struct asl_list *l)
{
	l->len = 0;
	l->cut = false;
	l->text[0] = '\0';
}

static bool is_mode(int c)
{
	return c == ASL_CONNECTING || c == ASL_MONITORED ||
	       c == ASL_TRANSCEIVED;
}

/* Connecting, monitored, transceived: in the order of the alphabet. */
static int stronger(int a, int b)
{
	return a > b ? a : b;
}

/* Where the entry of @name begins; NULL when it is not there. */
static char *entry_of(struct asl_list *l, const char *name, size_t len)
{
	char *at = l->text;

	while (*at != '\0') {
		const size_t n = strcspn(at, ",");

		if (n == len + 1 && memcmp(at + 1, name, len) == 0)
			return at;
		at += n + (at[n] == ',');
	}
	return NULL;
}

static bool add(struct asl_list *l, int mode, const char *name, size_t len)
{
	const size_t comma = l->len > 0;
	char *there;

	if (l->cut)
		return false;
	there = entry_of(l, name, len);
	if (there) {
		*there = (char)stronger(*there, mode);
		return true;
	}
	if (l->len + comma + 1 + len > ASL_LIST_MAX) {
		l->cut = true;
		return false;
	}
	if (comma)
		l->text[l->len++] = ',';
	l->text[l->len++] = (char)mode;
	memcpy(l->text + l->len, name, len);
	l->len += len;
	l->text[l->len] = '\0';
	return true;
}

bool asl_list_add(struct asl_list *l, enum asl_mode mode, const char *name)
{
	const size_t len = strlen(name);

	return asl_name_ok(name, len) && add(l, (int)mode, name, len);
}

size_t asl_list_read(struct asl_list *l, const char *text, size_t len)
{
	const char *const end = text + len;
	size_t bad = 0;

	asl_list_clear(l);
	while (text < end) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		const size_t n = (size_t)((comma ? comma : end) - text);

		if (n == strlen(ASL_LIST_MARK) &&
		    memcmp(text, ASL_LIST_MARK, n) == 0)
			l->cut = true;
		else if (n < 2 || !is_mode(*text) ||
			 !asl_name_ok(text + 1, n - 1))
			bad++;
		else
			(void)add(l, *text, text + 1, n - 1);
		text += n + 1;
	}
	return bad;
}

void asl_list_format(const struct asl_list *l, char out[ASL_TEXT_MAX + 1])
{
	(void)snprintf(out, ASL_TEXT_MAX + 1, "L %s%s%s", l->text,
		       l->cut && l->len > 0 ? "," : "",
		       l->cut ? ASL_LIST_MARK : "");
}

bool asl_list_next(const struct asl_list *l, size_t *at, struct asl_entry *out)
{
	const char *entry = l->text + *at;
	const size_t n = strcspn(entry, ",");

	if (n == 0)
		return false;
	out->mode = (enum asl_mode)entry[0];
	memcpy(out->name, entry + 1, n - 1);
	out->name[n - 1] = '\0';
	*at += n + (entry[n] == ',');
	return true;
}

int asl_list_find(const struct asl_list *l, const char *name)
{
	struct asl_entry e;
	size_t at = 0;

	while (asl_list_next(l, &at, &e)) {
		if (strcmp(e.name, name) == 0)
			return (int)e.mode;
	}
	return 0;
}

bool asl_list_equal(const struct asl_list *a, const struct asl_list *b)
{
	return a->len == b->len && a->cut == b->cut &&
	       memcmp(a->text, b->text, a->len) == 0;
}
