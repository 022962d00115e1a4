/* SPDX-License-Identifier: MIT */

#include "daemon/io/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 256

static int fail(int err, const char *path, const char *what,
		char why[KEYFILE_WHY_MAX])
{
	(void)snprintf(why, KEYFILE_WHY_MAX, "%s: %s", path, what);
	return err;
}

static bool from_text(const char *text, uint8_t out[32])
{
	size_t len = 0;

	return strlen(text) == KEY_TEXT_LEN - 1 &&
	       sodium_base642bin(out, 32, text, KEY_TEXT_LEN - 1, NULL, &len,
				 NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       len == 32;
}

bool keyfile_key_from_text(const char *text, uint8_t key[KEY_PUBLIC_LEN])
{
	return from_text(text, key);
}

static int write_all(int fd, const char *text)
{
	const size_t len = strlen(text);
	const ssize_t n = write(fd, text, len);

	if (n < 0)
		return -errno;
	if ((size_t)n != len)
		return -ENOSPC;
	return fsync(fd) == 0 ? 0 : -errno;
}

int keyfile_create(const char *path, struct key_identity *out,
		   char why[KEYFILE_WHY_MAX])
{
	uint8_t seed[KEY_SEED_LEN];
	char line[KEY_TEXT_LEN + 1];
	const int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int err;

	if (fd < 0 && errno == EEXIST)
		return fail(-EEXIST, path,
			    "exists already; a key is never overwritten", why);
	if (fd < 0)
		return fail(-errno, path, strerror(errno), why);
	randombytes_buf(seed, sizeof(seed));
	(void)sodium_bin2base64(line, KEY_TEXT_LEN, seed, sizeof(seed),
				sodium_base64_VARIANT_ORIGINAL);
	line[KEY_TEXT_LEN - 1] = '\n';
	line[KEY_TEXT_LEN] = '\0';
	err = write_all(fd, line);
	if (close(fd) != 0 && err == 0)
		err = -errno;
	key_identity_from_seed(out, seed);
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(line, sizeof(line));
	if (err == 0)
		return 0;
	(void)unlink(path);
	return fail(err, path, strerror(-err), why);
}

int keyfile_secret(const char *path, char *out, size_t cap,
		   char why[KEYFILE_WHY_MAX])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fail(-errno, path, strerror(errno), why);
	if (fstat(fd, &st) != 0 || (st.st_mode & 077) != 0) {
		close(fd);
		return fail(-EPERM, path,
			    "others may read it; mend it with chmod 600", why);
	}
	n = read(fd, out, cap - 1);
	close(fd);
	if (n < 0)
		return fail(-errno, path, strerror(errno), why);
	out[n] = '\0';
	if ((size_t)n == cap - 1 && !strpbrk(out, "\r\n")) {
		sodium_memzero(out, cap);
		return fail(-EMSGSIZE, path, "its line is too long", why);
	}
	out[strcspn(out, "\r\n")] = '\0';
	if (out[0] == '\0')
		return fail(-EINVAL, path, "is empty", why);
	return 0;
}

int keyfile_load(const char *path, struct key_identity *out,
		 char why[KEYFILE_WHY_MAX])
{
	char line[LINE_MAX_OCTETS];
	uint8_t seed[KEY_SEED_LEN];
	int err = keyfile_secret(path, line, sizeof(line), why);

	if (err == 0 && !from_text(line, seed))
		err = fail(-EINVAL, path,
			   "is not a key file (44 characters of base64)", why);
	if (err == 0)
		key_identity_from_seed(out, seed);
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(line, sizeof(line));
	return err;
}

void keyfile_hide_memory(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
