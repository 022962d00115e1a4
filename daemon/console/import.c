/* SPDX-License-Identifier: MIT */

#include "daemon/console/import.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/console/import_take.h"

/* --- files ----------------------------------------------------------------- */

static char *slurp(FILE *f, size_t *len, char why[AST_WHY_MAX])
{
	char *text = malloc(AST_FILE_MAX + 1);

	if (!text) {
		(void)snprintf(why, AST_WHY_MAX, "out of memory");
		return NULL;
	}
	*len = fread(text, 1, AST_FILE_MAX + 1, f);
	if (ferror(f)) {
		(void)snprintf(why, AST_WHY_MAX, "cannot be read: %s",
			       strerror(errno));
		free(text);
		return NULL;
	}
	return text;
}

static char *open_path(const char *path, size_t *len, char why[AST_WHY_MAX])
{
	struct stat st;
	char *text = NULL;
	FILE *f;

	/* A pipe would be waited for. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		(void)snprintf(why, AST_WHY_MAX, "is no file");
		return NULL;
	}
	f = fopen(path, "re");
	if (f) {
		text = slurp(f, len, why);
		(void)fclose(f);
	} else {
		(void)snprintf(why, AST_WHY_MAX, "cannot be read: %s",
			       strerror(errno));
	}
	return text;
}

/* Whatever a file asks for, nothing outside of im->dir is read. */
static char *open_source(void *ctx, const char *name, bool may_miss,
			 size_t *len, char why[AST_WHY_MAX])
{
	const struct import *im = ctx;
	const bool whole = name[0] == '/';
	char path[PATH_MAX];
	char *dir = realpath(im->dir, NULL), *real = NULL, *text = NULL;
	const size_t n = dir ? strlen(dir) : 0;

	if (dir && snprintf(path, sizeof(path), "%s%s%s", whole ? "" : dir,
			    whole ? "" : "/", name) < (int)sizeof(path))
		real = realpath(path, NULL);
	if (!real && (errno != ENOENT || !may_miss))
		(void)snprintf(why, AST_WHY_MAX, "cannot be read: %s%s",
			       strerror(errno),
			       strpbrk(name, "*?[") ? "; patterns are not known"
						    : "");
	else if (real &&
		 (strncmp(real, dir, n) != 0 || (n > 1 && real[n] != '/')))
		(void)snprintf(why, AST_WHY_MAX, "is not in %.200s", im->dir);
	else if (real)
		text = open_path(real, len, why);
	free(real);
	free(dir);
	return text;
}

static void on_note(void *ctx, struct ast_at at, const char *what,
		    const char *why)
{
	import_note_at(ctx, at, what, why);
}

/* 1: there is no such file. */
static int read_one(struct import *im, const char *name, struct ast_conf *c)
{
	const struct ast_source src = { open_source, on_note, im };
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", im->dir, name) >=
	    (int)sizeof(path))
		return 1;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return 1;
	if (ast_read(c, name, &src) == 0)
		return 0;
	(void)snprintf(im->why, sizeof(im->why), "%.400s/%s", im->dir, c->why);
	return -EINVAL;
}

int import_find_nodes(struct import *im)
{
	for (size_t i = 0; i < im->rpt.n; i++) {
		const struct ast_section *s = &im->rpt.sections[i];

		if (s->is_template || !import_is_number(s->name) ||
		    import_local(im, s->name) < im->nodes_n)
			continue;
		if (im->nodes_n == IMPORT_NODES_MAX) {
			(void)snprintf(im->why, sizeof(im->why),
				       "%.400s/rpt.conf: more than %u nodes",
				       im->dir, IMPORT_NODES_MAX);
			return -EINVAL;
		}
		(void)snprintf(im->nodes[im->nodes_n++], sizeof(im->nodes[0]),
			       "%s", s->name);
	}
	if (im->nodes_n > 0)
		return 0;
	(void)snprintf(im->why, sizeof(im->why),
		       "%.400s/rpt.conf: has no node: a section whose name is "
		       "its number, such as [1999]",
		       im->dir);
	return -EINVAL;
}

static bool is_folder(struct import *im)
{
	struct stat st;

	if (stat(im->dir, &st) != 0)
		(void)snprintf(im->why, sizeof(im->why), "%.400s: %s", im->dir,
			       strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		(void)snprintf(im->why, sizeof(im->why), "%.400s: is no folder",
			       im->dir);
	else
		return true;
	return false;
}

int import_read(struct import *im)
{
	struct {
		const char *name;
		struct ast_conf *to;
		const char *why; /* what a missing one is noted as */
	} file[] = {
		{ "rpt.conf", &im->rpt, NULL },
		{ "iax.conf", &im->iax,
		  "is not there: no port, codecs and IAX2 registrations" },
		{ "rpt_http_registrations.conf", &im->http, NULL },
		{ "simpleusb.conf", &im->simpleusb, NULL },
		{ "usbradio.conf", &im->usbradio, NULL },
		{ "extensions.conf", &im->extensions, NULL },
	};

	if (!is_folder(im))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		const int err = read_one(im, file[i].name, file[i].to);

		if (err < 0)
			return err;
		if (err > 0 && i == 0) {
			(void)snprintf(
				im->why, sizeof(im->why),
				"%.400s: has no rpt.conf, as /etc/asterisk "
				"of a node does",
				im->dir);
			return -EINVAL;
		}
		if (err > 0 && file[i].why)
			import_note_at(im, (struct ast_at){ file[i].name, 0 },
				       "", file[i].why);
	}
	return import_find_nodes(im);
}

/* --- extensions.conf ---------------------------------------------------- */

/* exten => 1999,1,rpt(1999): calls for a node go to it without being told. */
static bool calls_node(const struct ast_var *v)
{
	const char *app = strrchr(v->value, ',');
	const char *old = strstr(v->value, ",rpt,");

	return strcasecmp(v->name, "exten") == 0 &&
	       (old || (app && strncasecmp(app + 1, "rpt(", 4) == 0));
}

/* Older dial plans ask for them by these names, newer ones by the others. */
static bool asks_lists(const struct ast_section *s)
{
	static const char *const list[] = { "blacklist/", "whitelist/",
					    "denylist/", "allowlist/", NULL };

	for (size_t i = 0; i < s->n; i++) {
		for (size_t j = 0; list[j]; j++) {
			if (strcasestr(s->vars[i].value, list[j]))
				return true;
		}
	}
	return false;
}

static void tell_extensions(struct import *im)
{
	for (size_t i = 0; i < im->extensions.n; i++) {
		const struct ast_section *s = &im->extensions.sections[i];
		size_t n = 0;

		while (n < s->n && calls_node(&s->vars[n]))
			n++;
		if (n < s->n)
			import_skip_section(
				im, s,
				asks_lists(s)
					? "there is no dial plan; the lists of "
					  "who may call are in Asterisk's "
					  "database: accept.allow, accept.deny"
					: "there is no dial plan");
	}
}

int import_take(struct import *im)
{
	im->node = ast_section(&im->rpt, im->number);
	if (!im->node) {
		(void)snprintf(im->why, sizeof(im->why),
			       "%.400s/rpt.conf: has no node %s", im->dir,
			       im->number);
		return -EINVAL;
	}
	import_rpt(im);
	import_peers(im);
	import_iax(im);
	tell_extensions(im);
	if (im->no_memory) {
		(void)snprintf(im->why, sizeof(im->why), "out of memory");
		return -EINVAL;
	}
	return 0;
}

static void free_entries(struct import_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].key);
		free(v[i].text);
		free(v[i].from);
	}
	free(v);
}

void import_free(struct import *im)
{
	ast_free(&im->rpt);
	ast_free(&im->iax);
	ast_free(&im->http);
	ast_free(&im->simpleusb);
	ast_free(&im->usbradio);
	ast_free(&im->extensions);
	for (size_t i = 0; i < im->settings_n; i++) {
		free(im->settings[i].group);
		free(im->settings[i].name);
		free(im->settings[i].value);
		free(im->settings[i].from);
	}
	free(im->settings);
	free_entries(im->registrars, im->registrars_n);
	free_entries(im->peers, im->peers_n);
	for (size_t i = 0; i < im->secret_n; i++) {
		free(im->secret[i].file);
		free(im->secret[i].text);
	}
	free(im->secret);
	for (size_t i = 0; i < im->notes_n; i++)
		free(im->notes[i]);
	free(im->notes);
	*im = (struct import){ 0 };
}
