/* SPDX-License-Identifier: MIT */

/* keyhole import: what of Asterisk's configuration keyholed has settings for,
 * into a file of its own. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/console/console.h"
#include "daemon/console/import_take.h"

struct want {
	const char *dir, *node, *out;
	bool force;
};

static bool options(int argc, char *const *argv, struct want *w)
{
	*w = (struct want){ .out = "keyholed.conf" };
	for (int i = 1; i < argc; i++) {
		const bool more = i + 1 < argc;

		if (strcmp(argv[i], "--force") == 0)
			w->force = true;
		else if (strcmp(argv[i], "--node") == 0 && more)
			w->node = argv[++i];
		else if (strcmp(argv[i], "--out") == 0 && more)
			w->out = argv[++i];
		else if (argv[i][0] != '-' && !w->dir)
			w->dir = argv[i];
		else
			return false;
	}
	return w->dir && (!w->node || import_is_number(w->node));
}

static bool failed(const char *what, const char *why)
{
	(void)fprintf(stderr, "keyhole: %s%s%s\n", what, *what ? ": " : "",
		      why);
	return false;
}

/* --- files -------------------------------------------------------------- */

/* The folder that @file is in, by its whole name; NULL with a message. */
static char *folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *name =
		slash ? strndup(file, (size_t)(slash - file) + (slash == file))
		      : strdup(".");
	char *real = name ? realpath(name, NULL) : NULL;

	if (!real)
		(void)failed(name ? name : file, strerror(errno));
	free(name);
	return real;
}

/* keyholed.conf of several nodes: keyholed-1999.conf. */
static char *out_name(const struct want *w, const char *number, bool several)
{
	const size_t len = strlen(w->out);
	const bool conf = len > 5 && strcmp(w->out + len - 5, ".conf") == 0;

	if (!several)
		return strdup(w->out);
	return import_printf("%.*s-%s%s", (int)(conf ? len - 5 : len), w->out,
			     number, conf ? ".conf" : "");
}

static bool is_free(const char *file, const struct want *w)
{
	struct stat st;

	if (w->force || lstat(file, &st) != 0)
		return true;
	return failed(file, "is there already; --force writes over it");
}

static int put(int fd, const char *text, const char *end, mode_t mode)
{
	const size_t len = strlen(text), more = strlen(end);

	if (fchmod(fd, mode) != 0 || write(fd, text, len) != (ssize_t)len ||
	    write(fd, end, more) != (ssize_t)more || fsync(fd) != 0)
		return errno ? errno : EIO;
	return 0;
}

/* link() does not write over what came meanwhile. */
static int settle(const char *temporary, const char *file, bool force)
{
	if (force)
		return rename(temporary, file) == 0 ? 0 : errno;
	return link(temporary, file) == 0 ? 0 : errno;
}

/* Whole or not at all: what is there stays until the new one is on disk. */
static bool write_file(const char *file, const char *text, const char *end,
		       mode_t mode, bool force)
{
	char *temporary = import_printf("%s.XXXXXX", file);
	int fd, err;

	if (!temporary)
		return failed(file, "out of memory");
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		free(temporary);
		return failed(file, strerror(errno));
	}
	err = put(fd, text, end, mode);
	(void)close(fd);
	if (err == 0)
		err = settle(temporary, file, force);
	if (err != 0 || !force)
		(void)unlink(temporary);
	free(temporary);
	return err == 0 || failed(file, strerror(err));
}

/* --- one node ----------------------------------------------------------- */

static bool write_secrets(const struct import *im, const struct want *w)
{
	bool ok = true;

	for (size_t i = 0; ok && i < im->secret_n; i++) {
		char *file =
			import_printf("%s/%s", im->secrets, im->secret[i].file);

		ok = file &&
		     write_file(file, im->secret[i].text, "\n", 0600, w->force);
		if (ok)
			(void)printf("%s: a secret, to belong to who runs "
				     "keyholed\n",
				     file);
		free(file);
	}
	return ok;
}

static bool all_free(const struct import *im, const char *out,
		     const struct want *w)
{
	bool ok = is_free(out, w);

	for (size_t i = 0; ok && i < im->secret_n; i++) {
		char *file =
			import_printf("%s/%s", im->secrets, im->secret[i].file);

		ok = file && is_free(file, w);
		free(file);
	}
	return ok;
}

static bool write_all(struct import *im, const char *out, const struct want *w)
{
	char *text = import_text(im);
	bool ok = text != NULL;

	if (ok && import_check(im, text) != 0)
		ok = failed("", im->why);
	if (ok && (!all_free(im, out, w) || !write_secrets(im, w) ||
		   !write_file(out, text, "", 0644, w->force)))
		ok = false;
	free(text);
	if (!ok)
		return false;
	for (size_t i = 0; i < im->notes_n; i++)
		(void)fprintf(stderr, "%s\n", im->notes[i]);
	(void)printf("%s: node %s, %zu settings; %zu lines not taken over or "
		     "not as they were\n",
		     out, im->number,
		     im->settings_n + im->registrars_n + im->peers_n,
		     im->notes_n);
	return true;
}

static bool import_node(const struct want *w, const char *number, bool several)
{
	char *out = out_name(w, number, several);
	char *folder = out ? folder_of(out) : NULL;
	struct import im = { .dir = w->dir, .secrets = folder };
	bool ok = folder != NULL;

	(void)snprintf(im.number, sizeof(im.number), "%s", number);
	if (ok && (import_read(&im) != 0 || import_take(&im) != 0))
		ok = failed("", im.why);
	if (ok)
		ok = write_all(&im, out, w);
	import_free(&im);
	free(folder);
	free(out);
	return ok;
}

int import_command(int argc, char *const *argv)
{
	struct import first = { 0 };
	struct want w;
	bool ok = true;

	if (!options(argc, argv, &w)) {
		(void)fprintf(stderr, "usage: keyhole " IMPORT_USAGE "\n");
		return CONSOLE_USAGE;
	}
	first.dir = w.dir;
	if (import_read(&first) != 0)
		ok = failed("", first.why);
	for (size_t i = 0; ok && i < first.nodes_n && !w.node; i++)
		ok = import_node(&w, first.nodes[i], first.nodes_n > 1);
	if (ok && w.node)
		ok = import_node(&w, w.node, false);
	import_free(&first);
	return ok ? CONSOLE_DONE : CONSOLE_REFUSED;
}
