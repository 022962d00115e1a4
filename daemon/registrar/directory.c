/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#define BUSY_MS 2000
/* PRAGMA user_version. 0: a file of the first version, which knew nodes with
 * keys only, or an empty one. */
#define SCHEMA_VERSION 1
#define NODE_TABLE                                                    \
	"CREATE TABLE node ("                                         \
	" number TEXT PRIMARY KEY NOT NULL"                           \
	"  CHECK (length(number) BETWEEN 1 AND 32"                    \
	"         AND number NOT GLOB '*[^A-Za-z0-9_.-]*'),"          \
	" key BLOB CHECK (key IS NULL OR length(key) = 32"            \
	"  AND length(number) <= 15 AND number NOT GLOB '*[^0-9]*')," \
	" secret TEXT"                                                \
	"  CHECK (length(CAST(secret AS BLOB)) BETWEEN 1 AND 64),"    \
	" CHECK ((key IS NULL) <> (secret IS NULL))"                  \
	") WITHOUT ROWID;"
#define VERSION_IS_1 "PRAGMA user_version = 1;"

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

/* The file holds secrets: a new one is for its owner alone, and an old one is
 * taken away from everybody who is neither owner nor group.  Changing the mode
 * of another user's file fails, and is that user's to do. */
static void guard(const char *path, bool create)
{
	const int fd =
		create ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
		       : -1;
	struct stat st;

	if (fd >= 0)
		(void)close(fd);
	else if (stat(path, &st) == 0 && (st.st_mode & 07) != 0)
		(void)chmod(path, st.st_mode & 0770);
}

static int one_number(struct directory *d, const char *sql, int64_t *out)
{
	sqlite3_stmt *st;
	int code = sqlite3_prepare_v2(d->db, sql, -1, &st, NULL);

	if (code != SQLITE_OK)
		return code;
	code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Within a transaction: make the table, or take over that of an older
 * version. */
static int bring_up_to_date(struct directory *d)
{
	int64_t version = 0, old = 0;
	int code = one_number(d, "PRAGMA user_version", &version);

	if (code != SQLITE_OK || version >= SCHEMA_VERSION)
		return code;
	code = one_number(d,
			  "SELECT count(*) FROM sqlite_master"
			  " WHERE type = 'table' AND name = 'node'",
			  &old);
	if (code != SQLITE_OK)
		return code;
	return sqlite3_exec(d->db,
			    old ? "ALTER TABLE node RENAME TO node_0;" //
				    NODE_TABLE "INSERT INTO node(number, key)"
				  " SELECT number, key FROM node_0;"
				  "DROP TABLE node_0;" VERSION_IS_1
				: NODE_TABLE VERSION_IS_1,
			    NULL, NULL, NULL);
}

static int prepare(struct directory *d, const char *path, bool create)
{
	const int flags =
		SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
	int64_t version = 0;
	int code;

	guard(path, create);
	code = sqlite3_open_v2(path, &d->db, flags, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(d->db, BUSY_MS);
	if (code == SQLITE_OK) /* a removed secret leaves no trace */
		code = sqlite3_exec(d->db,
				    "PRAGMA secure_delete=ON;"
				    "PRAGMA journal_mode=WAL;",
				    NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = one_number(d, "PRAGMA user_version", &version);
	if (code == SQLITE_OK && version > SCHEMA_VERSION)
		return SQLITE_MISMATCH;
	if (code == SQLITE_OK && version < SCHEMA_VERSION) {
		code = sqlite3_exec(d->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		if (code == SQLITE_OK)
			code = bring_up_to_date(d);
		if (code == SQLITE_OK)
			code = sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL);
	}
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(d->db, "PRAGMA data_version", -1,
					  &d->version, NULL);
	return code;
}

int directory_open(struct directory **out, const char *path, bool create,
		   char why[DIRECTORY_WHY_MAX])
{
	struct directory *d = calloc(1, sizeof(*d));
	int code, err;

	*out = NULL;
	if (!d) {
		say(why, "out of memory");
		return -ENOMEM;
	}
	code = prepare(d, path, create);
	if (code != SQLITE_OK) {
		err = failed(d, code, why);
		if (code == SQLITE_MISMATCH)
			say(why, "it was made by a later version of "
				 "keyhole-registrar");
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
		" ON CONFLICT(number) DO UPDATE SET key = ?2, secret = NULL",
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

int directory_add_plain(struct directory *d, const char *name,
			const char *secret, char why[DIRECTORY_WHY_MAX])
{
	const size_t len = strlen(secret);
	sqlite3_stmt *st;
	const int code = sqlite3_prepare_v2(
		d->db,
		"INSERT INTO node(number, secret) VALUES(?1, ?2)"
		" ON CONFLICT(number) DO UPDATE SET key = NULL, secret = ?2",
		-1, &st, NULL);
	int err;

	if (code != SQLITE_OK)
		return failed(d, code, why);
	(void)sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(st, 2, secret, -1, SQLITE_STATIC);
	err = run(d, st, NULL, why);
	if (err == -EINVAL && (len == 0 || len > DIRECTORY_SECRET_MAX))
		say(why, "a secret has 1 to %u octets", DIRECTORY_SECRET_MAX);
	else if (err == -EINVAL)
		say(why, "the name of a plain client has 1 to 32 characters "
			 "A-Z, a-z, 0-9, _ . and -");
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

/* The file's own checks say so; somebody may have taken them out. */
static bool is_whole(const struct directory_node *node, int key_len)
{
	if (!node->number || !node->key == !node->secret)
		return false;
	return node->key ? key_len == 32
			 : strlen(node->secret) <= DIRECTORY_SECRET_MAX;
}

int directory_each(struct directory *d,
		   bool (*each)(void *ctx, const struct directory_node *node),
		   void *ctx, char why[DIRECTORY_WHY_MAX])
{
	sqlite3_stmt *st;
	int code = sqlite3_prepare_v2(d->db,
				      "SELECT number, key, secret FROM node"
				      " ORDER BY length(number), number",
				      -1, &st, NULL);

	if (code != SQLITE_OK)
		return failed(d, code, why);
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		const struct directory_node node = {
			.number = (const char *)sqlite3_column_text(st, 0),
			.key = sqlite3_column_blob(st, 1),
			.secret = (const char *)sqlite3_column_text(st, 2),
		};

		if (is_whole(&node, sqlite3_column_bytes(st, 1)) &&
		    !each(ctx, &node))
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
