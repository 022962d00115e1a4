/* SPDX-License-Identifier: MIT */

/* Key and secret files that are not what they should be. */

#include <errno.h>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/keyfile.h"
#include "tests/t.h"

static char dir[] = "/tmp/keyhole-file-XXXXXX";
static char path[64];
static char why[KEYFILE_WHY_MAX];

static void put(const char *text, mode_t mode)
{
	FILE *f;

	(void)unlink(path);
	f = fopen(path, "w");
	T_TRUE(f != NULL);
	T_TRUE(fputs(text, f) >= 0);
	T_EQ(0, fclose(f));
	T_EQ(0, chmod(path, mode));
}

static void a_secret_is_the_first_line(void)
{
	static const struct {
		const char *text;
		const char *secret;
	} rows[] = {
		{ "abc\n", "abc" },
		{ "abc", "abc" },
		{ "abc\r\n", "abc" },
		{ "a b\nsecond\n", "a b" },
		{ "abcdef\n", "abcdef" },
		{ "abcdef", "abcdef" },
		{ "abc\nlong enough\n", "abc" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char secret[8];

		put(rows[i].text, 0400);
		T_EQ(0, keyfile_secret(path, secret, sizeof(secret), why));
		T_STR(rows[i].secret, secret);
	}
}

/* Half a secret would be a wrong one. */
static void a_secret_that_does_not_fit_is_refused(void)
{
	char secret[8] = "before";

	put("abcdefgh\n", 0600);
	T_EQ((uint64_t)-EMSGSIZE,
	     keyfile_secret(path, secret, sizeof(secret), why));
	T_TRUE(strstr(why, "too long") != NULL);
	T_STR("", secret);
}

static void an_empty_secret_is_refused(void)
{
	char secret[8];

	put("", 0600);
	T_EQ((uint64_t)-EINVAL,
	     keyfile_secret(path, secret, sizeof(secret), why));
	put("\nabc\n", 0600);
	T_EQ((uint64_t)-EINVAL,
	     keyfile_secret(path, secret, sizeof(secret), why));
}

static void any_right_of_others_is_refused(void)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0601 };
	char secret[8];

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		put("abc\n", modes[i]);
		T_EQ((uint64_t)-EPERM,
		     keyfile_secret(path, secret, sizeof(secret), why));
		T_TRUE(strstr(why, path) != NULL);
	}
}

static void what_is_no_key_is_refused(void)
{
	static const char *const rows[] = {
		"hello\n",
		/* 43 and 45 characters, and 44 that hold 33 octets. */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=A\n",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		/* Base64 for URLs. */
		"_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		" AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	};
	struct key_identity id;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(rows[i], 0600);
		T_EQ((uint64_t)-EINVAL, keyfile_load(path, &id, why));
	}
	put("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 0600);
	T_EQ(0, keyfile_load(path, &id, why));
}

static void a_key_cannot_be_made_where_there_is_no_folder(void)
{
	struct key_identity id;

	T_EQ((uint64_t)-ENOENT,
	     keyfile_create("/nonexistent/keyhole/key", &id, why));
	T_TRUE(strstr(why, "/nonexistent/keyhole/key") != NULL);
}

static void a_process_with_keys_leaves_no_core(void)
{
	keyfile_hide_memory();
	T_EQ(0, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	/* A leak checker attaches to what it checks. */
	T_EQ(0, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

int main(void)
{
	T_TRUE(sodium_init() >= 0);
	T_TRUE(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	T_RUN(a_secret_is_the_first_line);
	T_RUN(a_secret_that_does_not_fit_is_refused);
	T_RUN(an_empty_secret_is_refused);
	T_RUN(any_right_of_others_is_refused);
	T_RUN(what_is_no_key_is_refused);
	T_RUN(a_key_cannot_be_made_where_there_is_no_folder);
	T_EQ(0, unlink(path));
	T_EQ(0, rmdir(dir));
	T_RUN(a_process_with_keys_leaves_no_core);
	return T_DONE();
}
