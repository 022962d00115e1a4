/* SPDX-License-Identifier: MIT */

/* What was taken over, as keyholed's configuration. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "daemon/console/import.h"

#define NOTES_MAX 300U /* in the file, which has a bound */

static void print_group(const struct import *im, const char *group, FILE *to)
{
	(void)fprintf(to, "\n%s:\n{\n", group);
	for (size_t i = 0; i < im->settings_n; i++) {
		const struct import_setting *s = &im->settings[i];

		if (strcmp(s->group, group) == 0)
			(void)fprintf(to, "\t# %s\n\t%s = %s;\n", s->from,
				      s->name, s->value);
	}
	(void)fprintf(to, "};\n");
}

/* Each group where its first setting is. */
static void print_groups(const struct import *im, FILE *to)
{
	for (size_t i = 0; i < im->settings_n; i++) {
		size_t first = 0;

		while (strcmp(im->settings[first].group,
			      im->settings[i].group) != 0)
			first++;
		if (first == i)
			print_group(im, im->settings[i].group, to);
	}
}

static void print_entries(const char *name, const struct import_entry *v,
			  size_t n, FILE *to)
{
	if (n == 0)
		return;
	(void)fprintf(to, "\n%s = (\n", name);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(to, "\t# %s\n\t{ %s }%s\n", v[i].from, v[i].text,
			      i + 1 < n ? "," : "");
	(void)fprintf(to, ");\n");
}

char *import_text(const struct import *im)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return NULL;
	(void)fprintf(
		to,
		"# Settings of node %s, made from Asterisk's by keyhole "
		"import.\n"
		"# Each says where it comes from; what was not taken over "
		"is listed at the end.\n",
		im->number);
	print_groups(im, to);
	print_entries("registrars", im->registrars, im->registrars_n, to);
	print_entries("peers", im->peers, im->peers_n, to);
	if (im->notes_n > 0)
		(void)fprintf(to, "\n# Not taken over, or not as it was:\n");
	for (size_t i = 0; i < im->notes_n && i < NOTES_MAX; i++)
		(void)fprintf(to, "# %s\n", im->notes[i]);
	if (im->notes_n > NOTES_MAX)
		(void)fprintf(to, "# and %zu more\n", im->notes_n - NOTES_MAX);
	if (fclose(to) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

int import_check(struct import *im, const char *text)
{
	struct conf_diags diags = { 0 };
	struct conf_node conf;
	const int err = conf_load_node_text(text, &conf, &diags);

	if (err == 0)
		conf_node_free(&conf);
	else
		(void)snprintf(im->why, sizeof(im->why),
			       "what was taken over does not fit together, "
			       "line %u: %.300s",
			       diags.n > 0 ? diags.v[0].line : 0,
			       diags.n > 0 ? diags.v[0].text : "");
	conf_diags_free(&diags);
	return err == 0 ? 0 : -EINVAL;
}
