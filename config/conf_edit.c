/* SPDX-License-Identifier: MIT */

#include "config/conf_edit.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- tokens ------------------------------------------------------------- */

enum kind {
	END,
	NAME,   /* also true, false */
	SCALAR, /* a number or a piece of text */
	MARK,   /* one of = : ; , { } ( ) [ ] */
	ODD,    /* what libconfig does not know, or does not end */
};

struct token {
	enum kind kind;
	const char *start, *end;
};

static bool starts_comment(const char *p)
{
	return *p == '#' || (p[0] == '/' && (p[1] == '/' || p[1] == '*'));
}

/* After the comment; NULL: it does not end. */
static const char *after_comment(const char *p)
{
	if (p[0] == '/' && p[1] == '*') {
		p = strstr(p + 2, "*/");
		return p ? p + 2 : NULL;
	}
	return p + strcspn(p, "\n");
}

static bool is_name(char c, bool first)
{
	return isalpha((unsigned char)c) || c == '*' ||
	       (!first && (isdigit((unsigned char)c) || c == '-' || c == '_'));
}

static const char *after_text(const char *p)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0')
			return NULL;
	}
	return p + 1;
}

static bool is_number(char c)
{
	return c != '\0' && (isalnum((unsigned char)c) || strchr("+-.", c));
}

static struct token ended(enum kind kind, const char *start, const char *end)
{
	return (struct token){ end ? kind : ODD, start, end ? end : start };
}

/* The token at or after @p. */
static struct token token(const char *p)
{
	const char *q;

	while (isspace((unsigned char)*p) || starts_comment(p)) {
		q = isspace((unsigned char)*p) ? p + 1 : after_comment(p);
		if (!q)
			return ended(ODD, p, p);
		p = q;
	}
	q = p;
	if (*p == '\0')
		return ended(END, p, p);
	if (strchr("=:;,{}()[]", *p))
		return ended(MARK, p, p + 1);
	if (*p == '"')
		return ended(SCALAR, p, after_text(p));
	if (is_name(*p, true)) {
		while (is_name(*q, false))
			q++;
		return ended(NAME, p, q);
	}
	while (is_number(*q))
		q++;
	return q > p ? ended(SCALAR, p, q) : ended(ODD, p, p);
}

static struct token after(const struct token *t)
{
	return token(t->end);
}

static bool is_mark(const struct token *t, const char *any)
{
	return t->kind == MARK && strchr(any, *t->start) != NULL;
}

static bool is_named(const struct token *t, const char *name)
{
	const size_t len = (size_t)(t->end - t->start);

	return t->kind == NAME && strlen(name) == len &&
	       memcmp(t->start, name, len) == 0;
}

/* --- where things are --------------------------------------------------- */

/* A setting's value, and the first token behind it. */
struct value {
	const char *start, *end;
	struct token next;
	bool group; /* { } */
	bool scalar;
};

/* Past the brackets that @t opens; ODD: they do not close. */
static struct token past_brackets(struct token t)
{
	unsigned depth = 0;

	while (t.kind != END && t.kind != ODD) {
		if (is_mark(&t, "({["))
			depth++;
		if (is_mark(&t, ")}]") && --depth == 0)
			return t;
		t = after(&t);
	}
	t.kind = ODD;
	return t;
}

static bool read_value(struct token t, struct value *v)
{
	struct token last = t;

	*v = (struct value){ .start = t.start, .group = is_mark(&t, "{") };
	if (is_mark(&t, "({[")) {
		last = past_brackets(t);
	} else if (t.kind == SCALAR && *t.start == '"') {
		/* Texts next to one another are one. */
		while (t.kind == SCALAR && *t.start == '"') {
			last = t;
			t = after(&t);
		}
		v->scalar = true;
	} else if (t.kind == SCALAR || t.kind == NAME) {
		v->scalar = true;
	} else {
		last.kind = ODD;
	}
	v->end = last.end;
	v->next = after(&last);
	return last.kind != ODD;
}

enum found { NOT_THERE, THERE, NOT_READABLE };

/*
 * Look for @name among the settings from @t on, until their end: END, or, with
 * @inside, a closing brace.
 */
static enum found look(struct token t, bool inside, const char *name,
		       struct value *out)
{
	enum found found = NOT_THERE;

	while (t.kind == NAME) {
		const bool this_one = is_named(&t, name);
		struct value v;

		t = after(&t);
		if (!is_mark(&t, "=:") || !read_value(after(&t), &v))
			return NOT_READABLE;
		if (this_one && found == THERE)
			return NOT_READABLE;
		if (this_one) {
			*out = v;
			found = THERE;
		}
		t = v.next;
		if (is_mark(&t, ";,"))
			t = after(&t);
	}
	if (inside ? !is_mark(&t, "}") : t.kind != END)
		return NOT_READABLE;
	return found;
}

/* The entry of @list with @index before it.  When there is none *@out is the
 * last one, if any. */
static enum found look_entry(const struct value *list, unsigned long index,
			     struct value *out)
{
	struct token t = token(list->start + 1);
	unsigned long n = 0;

	while (is_mark(&t, "{")) {
		if (!read_value(t, out))
			return NOT_READABLE;
		if (n++ == index)
			return THERE;
		t = out->next;
		if (is_mark(&t, ","))
			t = after(&t);
	}
	return is_mark(&t, ")") && n == index ? NOT_THERE : NOT_READABLE;
}

/* --- one edit ----------------------------------------------------------- */

/* Where an edit belongs, from conf_edit.group. */
struct place {
	char group[64];
	bool entry; /* of a list */
	unsigned long index;
};

static bool place_of(const char *group, struct place *out)
{
	const size_t len = strcspn(group, "[");
	char *end;

	*out = (struct place){ .entry = group[len] == '[' };
	if (len >= sizeof(out->group))
		return false;
	memcpy(out->group, group, len);
	if (!out->entry)
		return true;
	out->index = strtoul(group + len + 1, &end, 10);
	return isdigit((unsigned char)group[len + 1]) && strcmp(end, "]") == 0;
}

/* @text with @n octets at @at replaced by what follows. */
static char *replaced(const char *text, const char *at, size_t n,
		      const char *by)
{
	char *out = NULL;

	if (asprintf(&out, "%.*s%s%s", (int)(at - text), text, by, at + n) < 0)
		return NULL;
	return out;
}

/* What stands between a group's brace and its first setting, if that is on a
 * line of its own; else one space. */
static const char *indent(const char *after_brace, int *len)
{
	const char *line = after_brace + strspn(after_brace, " \t\r");

	if (*line != '\n') {
		*len = 1;
		return " ";
	}
	*len = 1 + (int)strspn(line + 1, " \t");
	return line;
}

static char *with_setting(const char *text, const struct value *group,
			  const struct conf_edit *e)
{
	const char *at = group->start + 1;
	char *setting = NULL, *out;
	int len;
	const char *space = indent(at, &len);

	if (asprintf(&setting, "%.*s%s = %s;", len, space, e->name, e->value) <
	    0)
		return NULL;
	out = replaced(text, at, 0, setting);
	free(setting);
	return out;
}

static char *with_group(const char *text, const struct place *at,
			const struct conf_edit *e)
{
	const size_t len = strlen(text);
	const bool whole = len == 0 || text[len - 1] == '\n';
	char *out = NULL;

	if (asprintf(&out, "%s%s%s = %s{ %s = %s; }%s;\n", text,
		     whole ? "" : "\n", at->group, at->entry ? "( " : "",
		     e->name, e->value, at->entry ? " )" : "") < 0)
		return NULL;
	return out;
}

/* At the start of @list, or behind its entry @last. */
static char *with_entry(const char *text, const struct value *list,
			const struct value *last, const struct conf_edit *e)
{
	char *entry = NULL, *out;

	if (asprintf(&entry, "%s { %s = %s; }", last ? "," : "", e->name,
		     e->value) < 0)
		return NULL;
	out = replaced(text, last ? last->end : list->start + 1, 0, entry);
	free(entry);
	return out;
}

static int say(int err, char why[CONF_EDIT_WHY_MAX], const char *what,
	       const struct conf_edit *e)
{
	(void)snprintf(why, CONF_EDIT_WHY_MAX, "%s%s%s%s", what,
		       e ? e->group : "", e && e->name ? "." : "",
		       e && e->name ? e->name : "");
	return err;
}

static int no_memory(char why[CONF_EDIT_WHY_MAX])
{
	return say(-ENOMEM, why, "out of memory", NULL);
}

static int edit_in_group(const char *text, const struct value *group,
			 const struct conf_edit *e, char **out,
			 char why[CONF_EDIT_WHY_MAX])
{
	struct value v;

	switch (look(token(group->start + 1), true, e->name, &v)) {
	case NOT_THERE:
		*out = with_setting(text, group, e);
		break;
	case THERE:
		if (!v.scalar)
			return say(-EINVAL, why,
				   "what is written is no value "
				   "for ",
				   e);
		*out = replaced(text, v.start, (size_t)(v.end - v.start),
				e->value);
		break;
	case NOT_READABLE:
		return say(-EINVAL, why, "the file is not understood near ", e);
	}
	return *out ? 0 : no_memory(why);
}

static int edit_in_list(const char *text, const struct value *list,
			unsigned long index, const struct conf_edit *e,
			char **out, char why[CONF_EDIT_WHY_MAX])
{
	struct value entry;

	switch (look_entry(list, index, &entry)) {
	case NOT_THERE:
		*out = with_entry(text, list, index > 0 ? &entry : NULL, e);
		return *out ? 0 : no_memory(why);
	case THERE:
		return edit_in_group(text, &entry, e, out, why);
	case NOT_READABLE:
		break;
	}
	return say(-EINVAL, why, "the file is not understood near ", e);
}

static int edit(const char *text, const struct conf_edit *e, char **out,
		char why[CONF_EDIT_WHY_MAX])
{
	struct value group;
	struct place at;

	*out = NULL;
	if (!place_of(e->group, &at))
		return say(-EINVAL, why, "there is no such group: ", e);
	switch (look(token(text), false, at.group, &group)) {
	case NOT_THERE:
		if (at.index > 0)
			return say(-EINVAL, why, "there is no entry before ",
				   e);
		*out = with_group(text, &at, e);
		return *out ? 0 : no_memory(why);
	case THERE:
		if (at.entry && *group.start == '(')
			return edit_in_list(text, &group, at.index, e, out,
					    why);
		if (!at.entry && group.group)
			return edit_in_group(text, &group, e, out, why);
		return say(-EINVAL, why,
			   at.entry ? "what is written is no list: "
				    : "what is written is no group: ",
			   e);
	case NOT_READABLE:
		break;
	}
	return say(-EINVAL, why, "the file is not understood", NULL);
}

int conf_edit_text(const char *text, const struct conf_edit *edits, size_t n,
		   char **out, char why[CONF_EDIT_WHY_MAX])
{
	char *now = strdup(text);
	int err = now ? 0 : no_memory(why);

	for (size_t i = 0; now && i < n; i++) {
		char *next;

		err = edit(now, &edits[i], &next, why);
		free(now);
		now = next;
	}
	*out = now;
	return err;
}
