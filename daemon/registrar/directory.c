/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/directory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#define BUSY_MS 2000
#define SCHEMA                                        \
	"CREATE TABLE IF NOT EXISTS node ("           \
	" number TEXT PRIMARY KEY NOT NULL"           \
	"  CHECK (length(number) BETWEEN 1 AND 15"    \
	"         AND number NOT GLOB '*[^0-9]*'),"   \
	" key BLOB NOT NULL CHECK (length(key) = 32)" \
	") WITHOUT ROWID;"

struct directory {
	sqlite3 *db;
	sqlite3_stmt *version;
	int64_t seen; /* data_version at the last directory_changed() */
};

__attribute__((format(printf, 2, 3))) static void
say(char why[DIRECTORY_WHY_MAX], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, DIRECTORY_WHY_MAX, format, ap);
	va_end(ap);
}

static int to_errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return -EACCES;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CONSTRAINT:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static int failed(struct directory *d, int code, char why[DIRECTORY_WHY_MAX])
{
	say(why, "%s", d->db ? sqlite3_errmsg(d->db) : sqlite3_errstr(code));
	return to_errno(code);
}

int directory_open(struct directory **out, const char *path, bool create,
		   char why[DIRECTORY_WHY_MAX])
{
	const int flags =
		SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
	struct directory *d = calloc(1, sizeof(*d));
	int code, err;

	*out = NULL;
	if (!d) {
		say(why, "out of memory");
		return -ENOMEM;
	}
	code = sqlite3_open_v2(path, &d->db, flags, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(d->db, BUSY_MS);
	if (code == SQLITE_OK)
		code = sqlite3_exec(d->db, "PRAGMA journal_mode=WAL;" SCHEMA,
				    NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(d->db, "PRAGMA data_version", -1,
					  &d->version, NULL);
	if (code != SQLITE_OK) {
		err = failed(d, code, why);
		directory_close(d);
		return err;
	}
	d->seen = -1;
	*out = d;
	return 0;
}

struct directory *directory_close(struct directory *d)
{
	if (!d)
		return NULL;
	(void)sqlite3_finalize(d->version);
	(void)sqlite3_close(d->db);
	free(d);
	return NULL;
}

/* Run a statement that returns no rows; its changes in *@changes. */
static int run(struct directory *d, sqlite3_stmt *st, int *changes,
	       char why[DIRECTORY_WHY_MAX])
{
	const int code = sqlite3_step(st);
	int err = 0;

	if (code != SQLITE_DONE)
		err = failed(d, code, why);
	else if (changes)
		*changes = sqlite3_changes(d->db);
	(void)sqlite3_finalize(st);
	return err;
}

int directory_add(struct directory *d, const char *number,
		  const uint8_t key[32], char why[DIRECTORY_WHY_MAX])
{
	sqlite3_stmt *st;
	const int code = sqlite3_prepare_v2(
		d->db,
		"INSERT INTO node(number, key) VALUES(?1, ?2)"
		" ON CONFLICT(number) DO UPDATE SET key = ?2",
		-1, &st, NULL);
	int err;

	if (code != SQLITE_OK)
		return failed(d, code, why);
	(void)sqlite3_bind_text(st, 1, number, -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(st, 2, key, 32, SQLITE_STATIC);
	err = run(d, st, NULL, why);
	if (err == -EINVAL)
		say(why, "a node number has 1 to 15 digits");
	return err;
}

int directory_remove(struct directory *d, const char *number,
		     char why[DIRECTORY_WHY_MAX])
{
	sqlite3_stmt *st;
	const int code = sqlite3_prepare_v2(
		d->db, "DELETE FROM node WHERE number = ?1", -1, &st, NULL);
	int changes = 0, err;

	if (code != SQLITE_OK)
		return failed(d, code, why);
	(void)sqlite3_bind_text(st, 1, number, -1, SQLITE_STATIC);
	err = run(d, st, &changes, why);
	if (err == 0 && changes == 0) {
		say(why, "there is no node %s in the directory", number);
		return -ENOENT;
	}
	return err;
}

int directory_each(struct directory *d,
		   bool (*each)(void *ctx, const struct directory_node *node),
		   void *ctx, char why[DIRECTORY_WHY_MAX])
{
	sqlite3_stmt *st;
	int code = sqlite3_prepare_v2(d->db,
				      "SELECT number, key FROM node"
				      " ORDER BY length(number), number",
				      -1, &st, NULL);

	if (code != SQLITE_OK)
		return failed(d, code, why);
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct directory_node node = {
			.number = (const char *)sqlite3_column_text(st, 0),
			.key = sqlite3_column_blob(st, 1),
		};

		if (node.number && node.key &&
		    sqlite3_column_bytes(st, 1) == 32 && !each(ctx, &node))
			break;
	}
	(void)sqlite3_finalize(st);
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		return failed(d, code, why);
	return 0;
}

bool directory_changed(struct directory *d)
{
	int64_t now = d->seen;

	if (sqlite3_step(d->version) == SQLITE_ROW)
		now = sqlite3_column_int64(d->version, 0);
	(void)sqlite3_reset(d->version);
	if (now == d->seen)
		return false;
	d->seen = now;
	return true;
}
