/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONSOLE_IMPORT_AST_KEEP_H
#define DAEMON_CONSOLE_IMPORT_AST_KEEP_H

/* What import_ast.c keeps of what it reads, within its bounds. */

#include "daemon/console/import_ast.h"

/* A copy of @v in the section of that index; of a section named @name, after
 * the others.  NULL, or why not. */
const char *ast_keep_var(struct ast_conf *c, size_t section,
			 const struct ast_var *v);
const char *ast_keep_section(struct ast_conf *c, struct ast_at at,
			     const char *name);
/* The first of that name, templates too; SIZE_MAX: none. */
size_t ast_index(const struct ast_conf *c, const char *name);

#endif
