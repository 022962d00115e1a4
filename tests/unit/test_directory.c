/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/directory.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/t.h"

static char dir[] = "/tmp/keyhole-directory-XXXXXX";
static char path[64];
static char why[DIRECTORY_WHY_MAX];

static struct directory *open_it(bool create)
{
	struct directory *d;

	T_EQ(0, directory_open(&d, path, create, why));
	return d;
}

static bool count(void *ctx, const struct directory_node *node)
{
	unsigned *n = ctx;

	T_EQ('1' + *n, node->number[0]);
	T_EQ(*n + 1, node->key[0]);
	(*n)++;
	return true;
}

static void nodes_are_added_changed_listed_and_removed(void)
{
	const uint8_t key1[32] = { 1 }, key2[32] = { 2 };
	struct directory *d = open_it(true);
	unsigned n = 0;

	T_EQ(0, directory_add(d, "2000", key1, why));
	T_EQ(0, directory_add(d, "2000", key2, why));
	T_EQ(0, directory_add(d, "1000", key1, why));
	T_EQ(0, directory_each(d, count, &n, why));
	T_EQ(2, n);
	T_EQ(0, directory_remove(d, "2000", why));
	T_EQ((uint64_t)-ENOENT, directory_remove(d, "2000", why));
	T_STR("there is no node 2000 in the directory", why);
	d = directory_close(d);
}

static void bad_numbers_are_refused_with_a_sentence(void)
{
	static const char *const bad[] = { "", "12a", "1234567890123456", "-1",
					   " 1" };
	const uint8_t key[32] = { 1 };
	struct directory *d = open_it(true);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		T_EQ((uint64_t)-EINVAL, directory_add(d, bad[i], key, why));
		T_STR("a node number has 1 to 15 digits", why);
	}
	d = directory_close(d);
}

static void a_change_by_another_process_is_seen_once(void)
{
	const uint8_t key[32] = { 3 };
	struct directory *reader = open_it(true);
	struct directory *writer = open_it(false);

	T_TRUE(directory_changed(reader));
	T_TRUE(!directory_changed(reader));
	T_EQ(0, directory_add(writer, "3000", key, why));
	T_TRUE(directory_changed(reader));
	T_TRUE(!directory_changed(reader));
	reader = directory_close(reader);
	writer = directory_close(writer);
}

struct seen {
	char text[512];
};

static bool note(void *ctx, const struct directory_node *node)
{
	struct seen *s = ctx;
	const size_t at = strlen(s->text);

	if (node->key)
		(void)snprintf(s->text + at, sizeof(s->text) - at, "%s=#%u ",
			       node->number, node->key[0]);
	else
		(void)snprintf(s->text + at, sizeof(s->text) - at, "%s=%s ",
			       node->number, node->secret);
	return true;
}

static const char *all(struct directory *d)
{
	static struct seen s;

	s.text[0] = '\0';
	T_EQ(0, directory_each(d, note, &s, why));
	return s.text;
}

static void plain_clients_have_names_and_secrets(void)
{
	struct directory *d = open_it(true);

	T_EQ(0, directory_add_plain(d, "Fax_1.home-2", "sesame", why));
	T_EQ(0, directory_add_plain(d, "Fax_1.home-2", "changed", why));
	T_EQ(0, directory_add_plain(d, "9", "nine", why));
	T_TRUE(strstr(all(d), "9=nine ") != NULL);
	T_TRUE(strstr(all(d), "Fax_1.home-2=changed ") != NULL);
	T_TRUE(strstr(all(d), "sesame") == NULL);
	T_EQ(0, directory_remove(d, "Fax_1.home-2", why));
	T_EQ(0, directory_remove(d, "9", why));
	T_TRUE(strstr(all(d), "Fax") == NULL);
	d = directory_close(d);
}

static void a_number_has_a_key_or_a_secret_never_both(void)
{
	const uint8_t key[32] = { 5 };
	struct directory *d = open_it(true);

	T_EQ(0, directory_add(d, "77", key, why));
	T_EQ(0, directory_add_plain(d, "77", "x", why));
	T_TRUE(strstr(all(d), "77=x ") != NULL);
	T_TRUE(strstr(all(d), "77=#") == NULL);
	T_EQ(0, directory_add(d, "77", key, why));
	T_TRUE(strstr(all(d), "77=#5 ") != NULL);
	T_TRUE(strstr(all(d), "77=x") == NULL);
	T_EQ(0, directory_remove(d, "77", why));
	d = directory_close(d);
}

static void bad_names_and_secrets_are_refused_with_a_sentence(void)
{
	static const char *const bad[] = {
		"", "a b", "a'b", "\xc3\xa4",
		"a23456789012345678901234567890123"
	};
	char secret[DIRECTORY_SECRET_MAX + 2];
	struct directory *d = open_it(true);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		T_EQ((uint64_t)-EINVAL,
		     directory_add_plain(d, bad[i], "x", why));
		T_TRUE(strstr(why, "1 to 32 characters") != NULL);
	}
	memset(secret, 's', sizeof(secret));
	secret[DIRECTORY_SECRET_MAX + 1] = '\0';
	T_EQ((uint64_t)-EINVAL, directory_add_plain(d, "a", secret, why));
	T_STR("a secret has 1 to 64 octets", why);
	T_EQ((uint64_t)-EINVAL, directory_add_plain(d, "a", "", why));
	secret[DIRECTORY_SECRET_MAX] = '\0';
	T_EQ(0, directory_add_plain(d, "a", secret, why));
	T_EQ(0, directory_remove(d, "a", why));
	d = directory_close(d);
}

/* As the first version made it. */
static void make_old_file(const char *file)
{
	sqlite3 *db;

	T_EQ(SQLITE_OK, sqlite3_open(file, &db));
	T_EQ(SQLITE_OK,
	     sqlite3_exec(db,
			  "PRAGMA journal_mode=WAL;"
			  "CREATE TABLE IF NOT EXISTS node ("
			  " number TEXT PRIMARY KEY NOT NULL"
			  "  CHECK (length(number) BETWEEN 1 AND 15"
			  "         AND number NOT GLOB '*[^0-9]*'),"
			  " key BLOB NOT NULL CHECK (length(key) = 32)"
			  ") WITHOUT ROWID;"
			  "INSERT INTO node VALUES('2001', CAST(x'07' || "
			  "zeroblob(31) AS BLOB));"
			  "INSERT INTO node VALUES('2002', CAST(x'08' || "
			  "zeroblob(31) AS BLOB));",
			  NULL, NULL, NULL));
	T_EQ(SQLITE_OK, sqlite3_close(db));
}

static void a_file_of_the_first_version_keeps_its_nodes(void)
{
	char old[80];
	struct directory *d, *other;
	struct stat st;

	(void)snprintf(old, sizeof(old), "%s/old.db", dir);
	make_old_file(old);
	T_EQ(0, chmod(old, 0644));
	T_EQ(0, directory_open(&d, old, false, why));
	T_EQ(0, directory_open(&other, old, false, why));
	T_STR("2001=#7 2002=#8 ", all(d));
	T_EQ(0, directory_add_plain(d, "fax", "sesame", why));
	T_STR("fax=sesame 2001=#7 2002=#8 ", all(other));
	T_EQ(0, stat(old, &st));
	T_EQ(0, st.st_mode & 07);
	d = directory_close(d);
	other = directory_close(other);
	T_EQ(0, directory_open(&d, old, false, why));
	T_STR("fax=sesame 2001=#7 2002=#8 ", all(d));
	d = directory_close(d);
	(void)unlink(old);
}

static void a_new_file_is_its_owners_alone(void)
{
	struct directory *d = open_it(true);
	struct stat st;

	T_EQ(0, stat(path, &st));
	T_EQ(0600, st.st_mode & 0777);
	d = directory_close(d);
}

static void a_file_of_a_later_version_is_left_alone(void)
{
	char later[80];
	struct directory *d;
	sqlite3 *db;

	(void)snprintf(later, sizeof(later), "%s/later.db", dir);
	T_EQ(SQLITE_OK, sqlite3_open(later, &db));
	T_EQ(SQLITE_OK,
	     sqlite3_exec(db, "PRAGMA user_version = 2", NULL, NULL, NULL));
	T_EQ(SQLITE_OK, sqlite3_close(db));
	T_TRUE(directory_open(&d, later, true, why) < 0);
	T_STR("it was made by a later version of keyhole-registrar", why);
	(void)unlink(later);
}

static void a_missing_file_is_said_so(void)
{
	struct directory *d;

	T_TRUE(directory_open(&d, "/nonexistent/x.db", true, why) < 0);
	T_TRUE(d == NULL);
	T_TRUE(strlen(why) > 0);
}

int main(void)
{
	T_TRUE(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/d.db", dir);
	T_RUN(nodes_are_added_changed_listed_and_removed);
	T_RUN(bad_numbers_are_refused_with_a_sentence);
	T_RUN(a_change_by_another_process_is_seen_once);
	T_RUN(plain_clients_have_names_and_secrets);
	T_RUN(a_number_has_a_key_or_a_secret_never_both);
	T_RUN(bad_names_and_secrets_are_refused_with_a_sentence);
	T_RUN(a_file_of_the_first_version_keeps_its_nodes);
	T_RUN(a_new_file_is_its_owners_alone);
	T_RUN(a_file_of_a_later_version_is_left_alone);
	T_RUN(a_missing_file_is_said_so);
	(void)unlink(path);
	(void)rmdir(dir);
	return T_DONE();
}
