/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_FILE_TABLE_H
#define DAEMON_FILE_TABLE_H

/*
 * A table of nodes from a file: looked at now and then, and read again when it
 * has changed, in a thread of its own.  When it can no longer be read, what
 * was read last holds.
 */

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

/* What the file holds; to outlive the table. */
struct file_table_kind {
	const char *setting; /* that names the file */
	size_t octets_max;   /* of the file */
	/* In the thread.  @text need not be terminated; NULL without memory. */
	void *(*make)(const char *text, size_t len);
	void (*end)(void *table); /* accepts NULL */
	/* In the loop: nodes, and lines that were not understood. */
	size_t (*count)(const void *table);
	size_t (*bad)(const void *table);
};

struct file_table;

/* Another table holds from now on; the old one goes when this returns. */
typedef void (*file_table_fn)(void *ctx, const void *table);

/* NULL without memory or a thread. */
struct file_table *file_table_new(struct event_base *base,
				  const struct file_table_kind *kind,
				  const char *path, file_table_fn fn,
				  void *ctx);
/* The table goes, too.  Accepts NULL, returns NULL. */
struct file_table *file_table_free(struct file_table *io);

/* Seconds since the epoch when the file was written; 0: never read. */
int64_t file_table_written(const struct file_table *io);
/* Why it cannot be read; NULL: it can. */
const char *file_table_trouble(const struct file_table *io);

#endif
