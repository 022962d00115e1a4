/* SPDX-License-Identifier: MIT */

/* The registrar's copy of the directory follows the file, whatever happens to
 * the file. */

#include "daemon/registrar/roster.h"

#include <sodium.h>
#include <sqlite3.h>
#include <unistd.h>

#include "tests/t.h"

static char dir[] = "/tmp/keyhole-roster-XXXXXX";
static char path[64];
static char why[DIRECTORY_WHY_MAX];
static struct roster roster;
static struct directory *writer;
static const uint8_t key1[32] = { 1 }, key2[32] = { 2 };

static void no_random(void *ctx, uint8_t *buf, size_t len)
{
	(void)ctx;
	memset(buf, 7, len);
}

static void begin(void)
{
	const uint8_t seed[KEY_SEED_LEN] = { 1 };
	struct key_identity id;
	const struct oo_registrar_cfg cfg = {
		.identity = &id,
		.nodes_max = 16,
		.plain_max = 2,
		.opens_max = 16,
		.tx_max = 8,
		.refresh_s = 60,
		.registrations_per_min = 60,
		.opens_per_min = 60,
		.auth_failures_per_min = 60,
		.random = no_random,
	};

	key_identity_from_seed(&id, seed);
	(void)unlink(path);
	T_EQ(0, directory_open(&writer, path, true, why));
	memset(&roster, 0, sizeof(roster));
	T_EQ(0, directory_open(&roster.directory, path, false, why));
	roster.registrar = oo_registrar_new(&cfg, MONO_S);
	T_TRUE(roster.registrar != NULL);
}

static void end(void)
{
	writer = directory_close(writer);
	roster.directory = directory_close(roster.directory);
	roster.registrar = oo_registrar_free(roster.registrar);
}

static bool refresh(void)
{
	bool read;

	T_EQ(0, roster_refresh(&roster, &read, why));
	return read;
}

static bool has_node(const char *number)
{
	return oo_directory_by_number(oo_registrar_directory(roster.registrar),
				      number) != NULL;
}

static bool has_plain(const char *name)
{
	return oo_plains_find(oo_registrar_plains(roster.registrar), name) !=
	       NULL;
}

static void sql(const char *statement)
{
	sqlite3 *db;

	T_EQ(SQLITE_OK, sqlite3_open(path, &db));
	T_EQ(SQLITE_OK, sqlite3_exec(db, statement, NULL, NULL, NULL));
	T_EQ(SQLITE_OK, sqlite3_close(db));
}

static void what_is_added_and_removed_in_the_file_is_so_in_memory(void)
{
	begin();
	T_EQ(0, directory_add(writer, "2001", key1, why));
	T_EQ(0, directory_add_plain(writer, "fax", "sesame", why));
	T_TRUE(refresh());
	T_TRUE(has_node("2001") && has_plain("fax"));
	T_TRUE(!refresh());
	T_EQ(0, directory_remove(writer, "fax", why));
	T_EQ(0, directory_add_plain(writer, "2001", "x", why));
	T_TRUE(refresh());
	T_TRUE(!has_node("2001") && has_plain("2001") && !has_plain("fax"));
	T_EQ(0, directory_add(writer, "2001", key2, why));
	T_TRUE(refresh());
	T_TRUE(has_node("2001") && !has_plain("2001"));
	end();
}

static void a_full_table_takes_what_comes_for_what_goes(void)
{
	char number[16];

	begin();
	for (unsigned i = 0; i < 16; i++) {
		(void)snprintf(number, sizeof(number), "%u", 100 + i);
		T_EQ(0, directory_add(writer, number, key1, why));
	}
	T_TRUE(refresh());
	T_EQ(0, roster.left_out);
	T_EQ(0, directory_remove(writer, "115", why));
	T_EQ(0, directory_add(writer, "99", key1, why));
	T_TRUE(refresh());
	T_EQ(0, roster.left_out);
	T_TRUE(has_node("99") && !has_node("115"));
	T_EQ(0, directory_add(writer, "98", key1, why));
	T_TRUE(refresh());
	T_EQ(1, roster.left_out);
	T_STR("98", roster.first_left_out);
	end();
}

static void a_reading_that_fails_is_tried_again(void)
{
	bool read;

	begin();
	T_EQ(0, directory_add(writer, "2001", key1, why));
	T_TRUE(refresh());
	T_EQ(0, directory_add(writer, "2002", key1, why));
	sql("ALTER TABLE node RENAME TO away");
	for (int i = 0; i < 3; i++) {
		why[0] = '\0';
		T_TRUE(roster_refresh(&roster, &read, why) < 0);
		T_TRUE(why[0] != '\0' && !read && roster.stale);
		T_TRUE(has_node("2001") && !has_node("2002"));
	}
	sql("ALTER TABLE away RENAME TO node");
	T_TRUE(refresh());
	T_TRUE(has_node("2001") && has_node("2002") && !roster.stale);
	end();
}

static void it_can_be_made_to_read_again(void)
{
	begin();
	T_TRUE(refresh());
	T_TRUE(!refresh());
	roster.stale = true;
	T_TRUE(refresh());
	end();
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_TRUE(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/d.db", dir);
	T_RUN(what_is_added_and_removed_in_the_file_is_so_in_memory);
	T_RUN(a_full_table_takes_what_comes_for_what_goes);
	T_RUN(a_reading_that_fails_is_tried_again);
	T_RUN(it_can_be_made_to_read_again);
	(void)unlink(path);
	(void)rmdir(dir);
	return T_DONE();
}
