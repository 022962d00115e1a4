/* SPDX-License-Identifier: MIT */

#include "daemon/console/import_ast_keep.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Room for one more of @size octets each; they double at powers of two. */
static void *grown(void *v, size_t n, size_t size)
{
	return n == 0 || (n & (n - 1)) == 0 ? realloc(v, (n ? 2 * n : 1) * size)
					    : v;
}

const char *ast_keep_var(struct ast_conf *c, size_t section,
			 const struct ast_var *v)
{
	struct ast_section *s = &c->sections[section];
	struct ast_var *to;

	if (c->vars == AST_VARS_MAX)
		return "too many settings";
	to = grown(s->vars, s->n, sizeof(*to));
	if (!to)
		return "out of memory";
	s->vars = to;
	to += s->n;
	*to = (struct ast_var){ v->at, strdup(v->name), strdup(v->value) };
	if (!to->name || !to->value) {
		free(to->name);
		free(to->value);
		return "out of memory";
	}
	s->n++;
	c->vars++;
	return NULL;
}

const char *ast_keep_section(struct ast_conf *c, struct ast_at at,
			     const char *name)
{
	struct ast_section *s;

	if (c->n == AST_SECTIONS_MAX)
		return "too many sections";
	s = grown(c->sections, c->n, sizeof(*s));
	if (!s)
		return "out of memory";
	c->sections = s;
	s += c->n;
	*s = (struct ast_section){ .at = at, .name = strdup(name) };
	if (!s->name)
		return "out of memory";
	c->n++;
	return NULL;
}

size_t ast_index(const struct ast_conf *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++) {
		if (strcasecmp(c->sections[i].name, name) == 0)
			return i;
	}
	return SIZE_MAX;
}

void ast_free(struct ast_conf *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct ast_section *s = &c->sections[i];

		for (size_t j = 0; j < s->n; j++) {
			free(s->vars[j].name);
			free(s->vars[j].value);
		}
		free(s->vars);
		free(s->name);
	}
	for (size_t i = 0; i < c->files_n; i++)
		free(c->files[i]);
	free(c->sections);
	*c = (struct ast_conf){ 0 };
}

const struct ast_section *ast_section(const struct ast_conf *c,
				      const char *name)
{
	for (size_t i = 0; i < c->n; i++) {
		if (!c->sections[i].is_template &&
		    strcasecmp(c->sections[i].name, name) == 0)
			return &c->sections[i];
	}
	return NULL;
}

const struct ast_var *ast_var(const struct ast_section *s, const char *name)
{
	for (size_t i = s ? s->n : 0; i > 0; i--) {
		if (strcasecmp(s->vars[i - 1].name, name) == 0)
			return &s->vars[i - 1];
	}
	return NULL;
}
