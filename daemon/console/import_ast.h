/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_IMPORT_AST_H
#define DAEMON_CONSOLE_IMPORT_AST_H

/*
 * Asterisk's configuration syntax, read into sections of names and values:
 *
 *   [section]  [template](!)  [section](template,...)  [section](+)
 *   name = value   name => value   name += value
 *   ; comment   ;-- comment of many lines --;   \; a semicolon
 *   #include file   #tryinclude file
 *
 * A line ends where it ends: there is no continuation.  What comes from a
 * template stands before a section's own; of two of a name the last counts.
 * A second [section] of a name does not, as in Asterisk.
 *
 * Opens no file: the caller hands out texts by name.  Bounded in all that a
 * hostile text may ask for.
 */

#include <stdbool.h>
#include <stddef.h>

#define AST_FILE_MAX (1U << 20) /* octets */
#define AST_LINE_MAX 8191U      /* octets, as Asterisk has it */
#define AST_DEPTH_MAX 8U        /* files that include one another */
#define AST_FILES_MAX 64U       /* files read in all */
#define AST_VARS_MAX 20000U     /* with those inherited */
#define AST_SECTIONS_MAX 2000U
#define AST_WHY_MAX 320U

/* Where something stands; a line of 0 is the file as a whole. */
struct ast_at {
	const char *file;
	unsigned line;
};

struct ast_var {
	struct ast_at at;
	char *name; /* not empty */
	char *value;
};

struct ast_section {
	struct ast_at at;
	char *name;
	bool is_template;
	struct ast_var *vars;
	size_t n;
};

/* What reading asks its caller for. */
struct ast_source {
	/* The text of a file, from malloc(), of *@len octets; NULL with a
	 * sentence without a full stop in @why, or, with @may_miss and when
	 * there is no such file, with an empty one. */
	char *(*open)(void *ctx, const char *name, bool may_miss, size_t *len,
		      char why[AST_WHY_MAX]);
	/* A line that was not understood: what it says, and why. */
	void (*note)(void *ctx, struct ast_at at, const char *what,
		     const char *why);
	void *ctx;
};

struct ast_conf {
	struct ast_section *sections;
	size_t n;
	size_t vars; /* in all */
	char *files[AST_FILES_MAX];
	size_t files_n;
	char why[AST_WHY_MAX];
};

/*
 * Read the file @name of @src into @c, which ast_free() empties in any case.
 * Returns 0, or -EINVAL with FILE:LINE and a sentence in c->why: a file that
 * cannot be read or is no text, includes itself, or exceeds a bound.
 */
int ast_read(struct ast_conf *c, const char *name,
	     const struct ast_source *src);
void ast_free(struct ast_conf *c);

/* The first section of that name (in any case) that is no template, or NULL. */
const struct ast_section *ast_section(const struct ast_conf *c,
				      const char *name);
/* What counts of that name (in any case), or NULL. */
const struct ast_var *ast_var(const struct ast_section *s, const char *name);

#endif
