/* SPDX-License-Identifier: MIT */

/* A new file in place of the old one, when it is known to be good. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/conf_edit.h"
#include "config/conf_table.h"

static int say(int err, char why[CONF_EDIT_WHY_MAX], const char *path,
	       const char *what)
{
	(void)snprintf(why, CONF_EDIT_WHY_MAX, "%.140s: %.110s", path, what);
	return err;
}

/* --- reading ------------------------------------------------------------ */

static int slurp(int fd, char **out)
{
	char *text = malloc(CONF_FILE_MAX + 1);
	size_t n = 0;
	ssize_t got;

	*out = text;
	if (!text)
		return -ENOMEM;
	while (n < CONF_FILE_MAX &&
	       (got = read(fd, text + n, CONF_FILE_MAX - n)) != 0) {
		if (got < 0 && errno != EINTR)
			return -errno;
		n += got > 0 ? (size_t)got : 0;
	}
	text[n] = '\0';
	if (n == CONF_FILE_MAX)
		return -EFBIG;
	return strlen(text) == n ? 0 : -EILSEQ;
}

static int load(const char *path, char **text, struct stat *st,
		char why[CONF_EDIT_WHY_MAX])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;

	*text = NULL;
	if (err == 0 && fstat(fd, st) != 0)
		err = -errno;
	if (err == 0)
		err = slurp(fd, text);
	if (fd >= 0)
		(void)close(fd);
	return err == 0 ? 0 : say(err, why, path, strerror(-err));
}

/* --- is it good? -------------------------------------------------------- */

static int first_error(struct conf_diags *diags, const char *path,
		       char why[CONF_EDIT_WHY_MAX])
{
	char what[128];

	(void)snprintf(what, sizeof(what), "would not load: %.90s",
		       diags->n > 0 ? diags->v[0].text : "out of memory");
	conf_diags_free(diags);
	return say(-EINVAL, why, path, what);
}

static bool shows(const struct conf_row *row, const void *base,
		  const char *value)
{
	char *text = NULL;
	bool same = false;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return false;
	conf_value_print(row, base, to);
	if (fclose(to) == 0)
		same = strcmp(text, value) == 0;
	free(text);
	return same;
}

/* One of the settings of an entry, such as registrars[0]. */
static bool holds_entry(const struct conf_node *conf, const struct conf_edit *e)
{
	char name[96];
	const struct conf_row *list, *row;
	struct conf_list all;
	unsigned long index;

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(e->group, "["),
		       e->group);
	list = conf_row_find(&conf_node_table.scope, name);
	if (!list || list->type != CONF_GROUPS)
		return false;
	index = strtoul(strchr(e->group, '[') + 1, NULL, 10);
	all = conf_list_get(list, conf);
	row = conf_row_find(list->items, e->name);
	return row && index < all.n &&
	       shows(row, (const char *)all.items + index * list->items->size,
		     e->value);
}

/* A setting that is there twice may not count. */
static bool holds(const struct conf_node *conf, const struct conf_edit *e)
{
	const struct conf_row *row;
	char name[96];

	if (strchr(e->group, '['))
		return holds_entry(conf, e);
	(void)snprintf(name, sizeof(name), "%s.%s", e->group, e->name);
	row = conf_row_find(&conf_node_table.scope, name);
	return row && !conf_row_is_list(row) && shows(row, conf, e->value);
}

static int check(const char *made, const char *path,
		 const struct conf_edit *edits, size_t n,
		 char why[CONF_EDIT_WHY_MAX])
{
	struct conf_diags diags = { 0 };
	struct conf_node conf;
	int err = 0;

	if (conf_load_node(made, &conf, &diags) != 0)
		return first_error(&diags, path, why);
	conf_diags_free(&diags);
	for (size_t i = 0; i < n && err == 0; i++) {
		if (!holds(&conf, &edits[i]))
			err = say(-EINVAL, why, path,
				  "the new values would not count");
	}
	conf_node_free(&conf);
	return err;
}

/* --- writing ------------------------------------------------------------ */

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		const ssize_t n = write(fd, text, left);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
	return 0;
}

/* Whose it was, and for whom. */
static int make_alike(int fd, const struct stat *st)
{
	if (fchown(fd, st->st_uid, st->st_gid) != 0 &&
	    (st->st_uid != geteuid() || st->st_gid != getegid()))
		return -errno;
	return fchmod(fd, st->st_mode & 07777U) == 0 ? 0 : -errno;
}

static int make(int fd, const char *text, const struct stat *st)
{
	int err = write_all(fd, text);

	if (err == 0)
		err = make_alike(fd, st);
	if (err == 0 && fsync(fd) != 0)
		err = -errno;
	return err;
}

static void sync_folder(const char *path)
{
	char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	int fd = -1;

	if (slash) {
		slash[1] = '\0';
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd >= 0) {
		(void)fsync(fd);
		(void)close(fd);
	}
	free(folder);
}

/* One file that is to take another's place. */
struct making {
	const char *path; /* no link */
	const struct stat *st;
	char *made; /* its name for now */
	char *why;
};

/* A new file beside the place, with @text. */
static int begin(struct making *m, const char *text)
{
	int fd, err;

	m->made = NULL;
	if (asprintf(&m->made, "%s.XXXXXX", m->path) < 0) {
		m->made = NULL;
		return say(-ENOMEM, m->why, m->path, "out of memory");
	}
	fd = mkostemp(m->made, O_CLOEXEC);
	if (fd < 0) {
		err = say(-errno, m->why, m->path, strerror(errno));
		free(m->made);
		m->made = NULL;
		return err;
	}
	err = make(fd, text, m->st);
	if (close(fd) != 0 && err == 0)
		err = -errno;
	return err == 0 ? 0 : say(err, m->why, m->path, strerror(-err));
}

/* In its place, when all went well; link() does not write over what came
 * meanwhile. */
static int end(struct making *m, int err, bool fresh)
{
	if (!m->made)
		return err;
	if (err == 0 &&
	    (fresh ? link(m->made, m->path) : rename(m->made, m->path)) != 0)
		err = say(-errno, m->why, m->path, strerror(errno));
	if (err != 0 || fresh)
		(void)unlink(m->made);
	if (err == 0)
		sync_folder(m->path);
	free(m->made);
	return err;
}

static int keep(const char *path, const char *text, const struct stat *st,
		char why[CONF_EDIT_WHY_MAX])
{
	char *name = NULL;
	struct making m = { .st = st, .why = why };
	int err;

	if (asprintf(&name, "%s.bak", path) < 0)
		return say(-ENOMEM, why, path, "out of memory");
	m.path = name;
	err = end(&m, begin(&m, text), false);
	free(name);
	return err;
}

static int edit_file(const char *path, const struct conf_edit *edits, size_t n,
		     bool kept, char why[CONF_EDIT_WHY_MAX])
{
	char *real = realpath(path, NULL);
	char *text = NULL, *made = NULL;
	struct stat st;
	struct making m = { .path = real, .st = &st, .why = why };
	int err;

	if (!real)
		return say(-errno, why, path, strerror(errno));
	err = load(real, &text, &st, why);
	if (err == 0)
		err = conf_edit_text(text, edits, n, &made, why);
	if (err == 0) {
		err = begin(&m, made);
		if (err == 0)
			err = check(m.made, real, edits, n, why);
		if (err == 0 && kept)
			err = keep(real, text, &st, why);
		err = end(&m, err, false);
	}
	free(made);
	free(text);
	free(real);
	return err;
}

int conf_edit_file(const char *path, const struct conf_edit *edits, size_t n,
		   char why[CONF_EDIT_WHY_MAX])
{
	return edit_file(path, edits, n, false, why);
}

int conf_edit_file_kept(const char *path, const struct conf_edit *edits,
			size_t n, char why[CONF_EDIT_WHY_MAX])
{
	return edit_file(path, edits, n, true, why);
}

int conf_edit_new(const char *path, const char *text,
		  const struct conf_edit *edits, size_t n,
		  char why[CONF_EDIT_WHY_MAX])
{
	const struct stat st = { .st_mode = 0644,
				 .st_uid = geteuid(),
				 .st_gid = getegid() };
	struct making m = { .path = path, .st = &st, .why = why };
	char *made = NULL;
	int err = conf_edit_text(text, edits, n, &made, why);

	if (err == 0) {
		err = begin(&m, made);
		if (err == 0)
			err = check(m.made, path, edits, n, why);
		err = end(&m, err, true);
	}
	free(made);
	return err;
}
