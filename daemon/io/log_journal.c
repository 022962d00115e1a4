/* SPDX-License-Identifier: MIT */

#include "daemon/io/log_journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

bool journal_is_stderr(const char *stream)
{
	uintmax_t device, inode;
	struct stat st;
	char end;

	return stream &&
	       sscanf(stream, "%" SCNuMAX ":%" SCNuMAX "%c", &device, &inode,
		      &end) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
	       st.st_ino == inode;
}

struct entry {
	char *p;
	size_t room;
	bool full;
};

static void put(struct entry *e, const void *data, size_t len)
{
	e->full |= e->room < len;
	if (e->full)
		return;
	memcpy(e->p, data, len);
	e->p += len;
	e->room -= len;
}

/* A value of several lines has its length, little-endian, before it. */
static void put_field(struct entry *e, const struct journal_field *f)
{
	const uint64_t len = strlen(f->value);
	uint8_t octets[8];

	put(e, f->name, strlen(f->name));
	if (!strchr(f->value, '\n')) {
		put(e, "=", 1);
	} else {
		for (size_t i = 0; i < sizeof(octets); i++)
			octets[i] = (uint8_t)(len >> (8 * i));
		put(e, "\n", 1);
		put(e, octets, sizeof(octets));
	}
	put(e, f->value, len);
	put(e, "\n", 1);
}

size_t journal_entry(char *out, size_t cap, const struct journal_field *f,
		     size_t n)
{
	struct entry e = { .p = out, .room = cap };

	for (size_t i = 0; i < n; i++) {
		if (f[i].value)
			put_field(&e, &f[i]);
	}
	return e.full ? 0 : (size_t)(e.p - out);
}

int journal_send(const char *path, const char *entry, size_t len)
{
	/* Kept: the journal's end of it may come and go. */
	static int fd = -1;
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path) + 1);
	if (fd < 0)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			    0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, entry, len, MSG_NOSIGNAL, (const struct sockaddr *)&to,
		   sizeof(to)) != (ssize_t)len)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return 0;
}
