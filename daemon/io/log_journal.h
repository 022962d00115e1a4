/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_LOG_JOURNAL_H
#define DAEMON_IO_LOG_JOURNAL_H

/*
 * Entries for journald, in its native protocol (systemd's "Native Journal
 * Protocol"): one datagram an entry, one line a field.  Nothing blocks.
 */

#include <stdbool.h>
#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_ENTRY_MAX 4096U

struct journal_field {
	const char *name;  /* capitals, digits and _ */
	const char *value; /* NULL: the field is left out */
};

/* Is stderr what @stream says, as systemd sets JOURNAL_STREAM ("device:inode",
 * or NULL)? */
bool journal_is_stderr(const char *stream);

/* The entry of @n fields; its length, or 0 when it does not fit. */
size_t journal_entry(char *out, size_t cap, const struct journal_field *f,
		     size_t n);

/* -EAGAIN when the journal takes no more now, or another -errno. */
int journal_send(const char *path, const char *entry, size_t len);

#endif
