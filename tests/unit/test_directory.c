/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/directory.h"

#include <errno.h>
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
	T_RUN(a_missing_file_is_said_so);
	(void)unlink(path);
	(void)rmdir(dir);
	return T_DONE();
}
