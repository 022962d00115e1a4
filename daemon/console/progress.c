/* SPDX-License-Identifier: MIT */

#include "daemon/console/progress.h"

#include <string.h>

#include "daemon/console/tty.h"

static const struct {
	const char *step;
	const char *word;
} words[] = {
	{ "looking-up", "looking up" }, { "requesting", "registrar" },
	{ "punching", "punching" },     { "proved", "path proved" },
	{ "calling", "calling" },
};

static const char *text(const json_t *o, const char *name)
{
	const char *t = json_string_value(json_object_get(o, name));

	return t ? t : "";
}

static const char *word_of(const char *step)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].step, step) == 0)
			return words[i].word;
	}
	return NULL;
}

struct progress progress_new(void)
{
	struct progress p = { .screen = tty_screen() };
	unsigned lines;

	tty_size(&p.columns, &lines);
	return p;
}

/* The next word, on a line of its own when it was there before: the node
 * tries again, in another way. */
static void append(struct progress *p, const char *node, const char *word)
{
	const size_t len = strlen(p->line);

	if (len == 0 || strstr(p->line, word))
		(void)snprintf(p->line, sizeof(p->line), "%.40s: %s", node,
			       word);
	else
		(void)snprintf(p->line + len, sizeof(p->line) - len, ", %s",
			       word);
}

void progress_take(struct progress *p, const json_t *params, FILE *to)
{
	const char *word = word_of(text(params, "step"));
	const char *what = text(params, "text");
	size_t len, from = 0;

	if (!p->screen || !word) {
		if (what[0] != '\0')
			(void)fprintf(to, "... %s\n", what);
		(void)fflush(to);
		return;
	}
	append(p, text(params, "node"), word);
	/* Its end is what counts; the last column would wrap. */
	len = strlen(p->line);
	if (p->columns > 1 && len > p->columns - 1)
		from = len - (p->columns - 1);
	(void)fprintf(to, "\r%s\033[K", p->line + from);
	(void)fflush(to);
	p->drawn = true;
}

void progress_end(struct progress *p, bool well, FILE *to)
{
	if (!p->drawn)
		return;
	(void)fputs(well ? "\r\033[K" : "\n", to);
	(void)fflush(to);
	p->drawn = false;
}
