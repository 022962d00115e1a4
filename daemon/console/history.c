/* SPDX-License-Identifier: MIT */

#include "daemon/console/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (HISTORY_LINES * HISTORY_OCTETS)

/* --- where -------------------------------------------------------------- */

/* All folders on the way to @path, as the XDG specification wants them. */
static bool make_folders(char *path)
{
	for (char *p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST) {
			*p = '/';
			return false;
		}
		*p = '/';
	}
	return true;
}

char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	char *path = NULL;
	int n = -1;

	if (state && state[0] == '/')
		n = asprintf(&path, "%s/keyhole/history", state);
	else if (home && home[0] == '/')
		n = asprintf(&path, "%s/.local/state/keyhole/history", home);
	if (n < 0)
		return NULL;
	if (make_folders(path))
		return path;
	free(path);
	return NULL;
}

/* --- lines -------------------------------------------------------------- */

static void remove_at(struct history *h, size_t i)
{
	free(h->line[i]);
	memmove(&h->line[i], &h->line[i + 1],
		(--h->n - i) * sizeof(h->line[0]));
}

static void append(struct history *h, const char *line)
{
	char *copy = strdup(line);

	if (!copy)
		return;
	for (size_t i = h->n; i-- > 0;) {
		if (strcmp(h->line[i], line) == 0)
			remove_at(h, i);
	}
	if (h->n == HISTORY_LINES)
		remove_at(h, 0);
	h->line[h->n++] = copy;
}

static void forget(struct history *h)
{
	while (h->n > 0)
		free(h->line[--h->n]);
}

static bool is_kept(const char *line)
{
	const size_t len = strlen(line);

	if (len == 0 || len >= HISTORY_OCTETS || line[0] == ' ')
		return false;
	for (const char *p = line; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	}
	return true;
}

/* --- the file ----------------------------------------------------------- */

/* Locked, and closed with that. */
static FILE *open_file(const char *path)
{
	const int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = NULL;

	/* Also one that was made otherwise. */
	if (fd >= 0 && fchmod(fd, 0600) == 0 && flock(fd, LOCK_EX) == 0)
		f = fdopen(fd, "r+");
	if (!f && fd >= 0)
		(void)close(fd);
	return f;
}

static void read_lines(struct history *h, FILE *f)
{
	char line[HISTORY_OCTETS + 1];
	long left = FILE_MAX;

	forget(h);
	while (left > 0 && fgets(line, sizeof(line), f)) {
		left -= (long)strlen(line);
		line[strcspn(line, "\n")] = '\0';
		if (is_kept(line))
			append(h, line);
	}
}

static void write_lines(const struct history *h, FILE *f)
{
	rewind(f);
	for (size_t i = 0; i < h->n; i++)
		(void)fprintf(f, "%s\n", h->line[i]);
	if (fflush(f) == 0)
		(void)ftruncate(fileno(f), ftell(f));
}

void history_open(struct history *h, char *path)
{
	FILE *f = path ? open_file(path) : NULL;

	*h = (struct history){ .path = path };
	if (!f)
		return;
	read_lines(h, f);
	(void)fclose(f);
}

void history_add(struct history *h, const char *line)
{
	FILE *f;

	if (!is_kept(line))
		return;
	f = h->path ? open_file(h->path) : NULL;
	/* With what other shells have added. */
	if (f)
		read_lines(h, f);
	append(h, line);
	if (!f)
		return;
	write_lines(h, f);
	(void)fclose(f);
}

void history_close(struct history *h)
{
	forget(h);
	free(h->path);
	h->path = NULL;
}
