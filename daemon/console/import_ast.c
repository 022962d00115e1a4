/* SPDX-License-Identifier: MIT */

#include "daemon/console/import_ast.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/console/import_ast_keep.h"

struct open_file {
	size_t file; /* its index among those read */
	char *text;
	const char *next; /* the next line, and what is left from it on */
	size_t left;
	unsigned line; /* lines read */
};

struct reader {
	struct ast_conf *c;
	const struct ast_source *src;
	size_t section; /* the one that lines belong to; SIZE_MAX: none */
	struct open_file open[AST_DEPTH_MAX];
	size_t depth;
	struct ast_at at;
	unsigned comment; /* how many ;-- are open */
	unsigned comment_line;
	/* The line being read, and one joined by +=.  An #include is the last
	 * that is done with its line. */
	char line[AST_LINE_MAX + 1], joined[AST_LINE_MAX + 1];
};

__attribute__((format(printf, 2, 3))) static int wrong(struct reader *r,
						       const char *fmt, ...)
{
	char text[AST_WHY_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->at.line > 0)
		(void)snprintf(r->c->why, sizeof(r->c->why),
			       "%.120s:%u: %.160s", r->at.file, r->at.line,
			       text);
	else
		(void)snprintf(r->c->why, sizeof(r->c->why), "%.120s: %.160s",
			       r->at.file, text);
	return -EINVAL;
}

static void note(const struct reader *r, const char *what, const char *why)
{
	if (r->src->note)
		r->src->note(r->src->ctx, r->at, what, why);
}

static int keep_var(struct reader *r, const struct ast_var *v)
{
	const char *why = ast_keep_var(r->c, r->section, v);

	return why ? wrong(r, "%s", why) : 0;
}

/* --- lines -------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* In place; returns where it starts. */
static char *trimmed(char *text)
{
	size_t len;

	while (is_space(*text))
		text++;
	len = strlen(text);
	while (len > 0 && is_space(text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

static bool opens_comment(const char *at)
{
	return strncmp(at, ";--", 3) == 0 && at[3] != '-';
}

/* Inside ;-- and --;: how many octets to skip. */
static size_t skip_comment(struct reader *r, const char *at)
{
	if (strncmp(at, "--;", 3) == 0) {
		r->comment--;
		return 3;
	}
	if (opens_comment(at)) {
		r->comment++;
		return 3;
	}
	return 1;
}

/* @line without comments, in place. */
static void strip(struct reader *r, char *line)
{
	const char *in = line;
	char *out = line;

	while (*in) {
		if (r->comment > 0) {
			in += skip_comment(r, in);
		} else if (opens_comment(in)) {
			r->comment_line = r->at.line;
			r->comment++;
			in += 3;
		} else if (*in == ';') {
			break;
		} else {
			in += in[0] == '\\' && in[1] == ';';
			*out++ = *in++;
		}
	}
	*out = '\0';
}

static int inherit(struct reader *r, const char *name)
{
	const size_t from = ast_index(r->c, name);
	int err = 0;

	if (from == SIZE_MAX || from == r->section) {
		note(r, name, "there is no such section to inherit from");
		return 0;
	}
	for (size_t i = 0; err == 0 && i < r->c->sections[from].n; i++) {
		const struct ast_var v = r->c->sections[from].vars[i];

		err = keep_var(r, &v);
	}
	return err;
}

/* What stands in parentheses after [name]. */
static int on_options(struct reader *r, char *options)
{
	char *save = NULL;
	int err = 0;

	for (char *o = strtok_r(options, ",", &save); o && err == 0;
	     o = strtok_r(NULL, ",", &save)) {
		o = trimmed(o);
		if (strcmp(o, "!") == 0)
			r->c->sections[r->section].is_template = true;
		else if (strcmp(o, "+") != 0 && *o)
			err = inherit(r, o);
	}
	return err;
}

/* (+) is more of the section that there is. */
static bool continues(const char *options)
{
	const char *plus = options ? strchr(options, '+') : NULL;

	return plus && (plus[1] == '\0' || plus[1] == ',' || is_space(plus[1]));
}

static int on_section(struct reader *r, char *line)
{
	char *end = strchr(line, ']');
	char *options = NULL, *close;
	size_t old;

	if (!end) {
		note(r, line, "the bracket is not closed");
		return 0;
	}
	*end = '\0';
	close = strchr(end + 1, ')');
	if (end[1] == '(' && close) {
		*close = '\0';
		options = end + 2;
	}
	line = trimmed(line + 1);
	old = continues(options) ? ast_index(r->c, line) : SIZE_MAX;
	if (old != SIZE_MAX) {
		r->section = old;
	} else {
		const char *why = ast_keep_section(r->c, r->at, line);

		if (why)
			return wrong(r, "%s", why);
		r->section = r->c->n - 1;
	}
	return options ? on_options(r, options) : 0;
}

/* name += value */
static int append(struct reader *r, const struct ast_var *more)
{
	const struct ast_var *old =
		ast_var(&r->c->sections[r->section], more->name);
	struct ast_var v = *more;

	if (old) {
		const size_t len = strlen(old->value);

		if (len + strlen(more->value) > AST_LINE_MAX)
			return wrong(r, "longer than %u octets", AST_LINE_MAX);
		memcpy(r->joined, old->value, len);
		memcpy(r->joined + len, more->value, strlen(more->value) + 1);
		v.value = r->joined;
	}
	return keep_var(r, &v);
}

static int on_variable(struct reader *r, char *line)
{
	char *equals = strchr(line, '=');
	struct ast_var v = { .at = r->at };
	size_t len;

	if (!equals || equals == line) {
		note(r, line, "neither a section nor NAME = VALUE");
		return 0;
	}
	if (r->section == SIZE_MAX) {
		note(r, line, "stands before any section");
		return 0;
	}
	*equals = '\0';
	v.value = trimmed(equals + 1 + (equals[1] == '>'));
	v.name = trimmed(line);
	len = strlen(v.name);
	if (len > 1 && v.name[len - 1] == '+') {
		v.name[len - 1] = '\0';
		v.name = trimmed(v.name);
		return append(r, &v);
	}
	if (len == 0) {
		note(r, v.value, "has no name");
		return 0;
	}
	return keep_var(r, &v);
}

static int open_file(struct reader *r, const char *name, bool may_miss);

/* The name in "name", <name> or as it stands. */
static char *unquoted(char *text)
{
	const size_t len = strlen(text);

	if (len >= 2 && ((text[0] == '"' && text[len - 1] == '"') ||
			 (text[0] == '<' && text[len - 1] == '>'))) {
		text[len - 1] = '\0';
		text++;
	}
	return text;
}

static int on_directive(struct reader *r, char *line)
{
	char *word = line + 1;
	char *rest = word + strcspn(word, " \t");

	if (*rest)
		*rest++ = '\0';
	rest = unquoted(trimmed(rest));
	if (strcasecmp(word, "include") == 0 && *rest)
		return open_file(r, rest, false);
	if (strcasecmp(word, "tryinclude") == 0 && *rest)
		return open_file(r, rest, true);
	note(r, line,
	     strcasecmp(word, "exec") == 0
		     ? "no program is run to read a configuration"
		     : "neither #include nor #tryinclude of a file");
	return 0;
}

static int on_line(struct reader *r, const char *text, size_t len)
{
	char *line;

	if (len > AST_LINE_MAX)
		return wrong(r, "a line of more than %u octets", AST_LINE_MAX);
	memcpy(r->line, text, len);
	r->line[len] = '\0';
	strip(r, r->line);
	line = trimmed(r->line);
	if (*line == '\0')
		return 0;
	if (*line == '[')
		return on_section(r, line);
	if (*line == '#')
		return on_directive(r, line);
	return on_variable(r, line);
}

/* --- files -------------------------------------------------------------- */

/* Whether @name may be read now; its index in *@file. */
static int enter(struct reader *r, const char *name, size_t *file)
{
	for (size_t i = 0; i < r->depth; i++) {
		if (strcmp(r->c->files[r->open[i].file], name) == 0)
			return wrong(r, "#include %.100s: it includes itself",
				     name);
	}
	if (r->depth == AST_DEPTH_MAX)
		return wrong(r, "#include %.100s: more than %u files deep",
			     name, AST_DEPTH_MAX);
	if (r->c->files_n == AST_FILES_MAX)
		return wrong(r, "#include %.100s: more than %u files", name,
			     AST_FILES_MAX);
	*file = r->c->files_n;
	r->c->files[*file] = strdup(name);
	if (!r->c->files[*file])
		return wrong(r, "out of memory");
	r->c->files_n++;
	return 0;
}

/* On top of those that are being read, whose text it takes. */
static int push(struct reader *r, const struct open_file *f)
{
	r->open[r->depth++] = *f;
	r->at = (struct ast_at){ r->c->files[f->file], 0 };
	if (f->left > AST_FILE_MAX)
		return wrong(r, "more than %u octets", AST_FILE_MAX);
	if (memchr(f->text, '\0', f->left))
		return wrong(r, "is no text");
	if (f->left >= 3 && memcmp(f->text, "\xef\xbb\xbf", 3) == 0) {
		r->open[r->depth - 1].next += 3;
		r->open[r->depth - 1].left -= 3;
	}
	return 0;
}

/* What stands after it goes on in its last section, as if its text stood
 * there. */
static int pop(struct reader *r)
{
	free(r->open[--r->depth].text);
	if (r->comment == 0)
		return 0;
	r->at.line = r->comment_line;
	return wrong(r, "a comment ;-- without its end --;");
}

static int open_file(struct reader *r, const char *name, bool may_miss)
{
	char why[AST_WHY_MAX] = "";
	char what[AST_WHY_MAX];
	struct open_file f = { 0 };
	const int err = enter(r, name, &f.file);

	if (err != 0)
		return err;
	f.text = r->src->open(r->src->ctx, name, may_miss, &f.left, why);
	f.next = f.text;
	if (f.text)
		return push(r, &f);
	if (r->depth == 0)
		return wrong(r, "%s", why);
	(void)snprintf(what, sizeof(what), "#include %.100s", name);
	if (why[0])
		note(r, what, why);
	return 0;
}

static int next_line(struct reader *r)
{
	struct open_file *f = &r->open[r->depth - 1];
	const char *text = f->next;
	const char *end = memchr(text, '\n', f->left);
	const size_t n = end ? (size_t)(end - text) : f->left;

	r->at = (struct ast_at){ r->c->files[f->file], ++f->line };
	f->next += n + (end != NULL);
	f->left -= n + (end != NULL);
	return on_line(r, text, n);
}

int ast_read(struct ast_conf *c, const char *name, const struct ast_source *src)
{
	struct reader *r = calloc(1, sizeof(*r));
	int err;

	*c = (struct ast_conf){ 0 };
	if (!r) {
		(void)snprintf(c->why, sizeof(c->why), "out of memory");
		return -EINVAL;
	}
	r->c = c;
	r->src = src;
	r->section = SIZE_MAX;
	r->at = (struct ast_at){ name, 0 };
	err = open_file(r, name, false);
	while (err == 0 && r->depth > 0)
		err = r->open[r->depth - 1].left > 0 ? next_line(r) : pop(r);
	while (r->depth > 0)
		free(r->open[--r->depth].text);
	free(r);
	return err;
}
