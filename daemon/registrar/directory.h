/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_DIRECTORY_H
#define DAEMON_REGISTRAR_DIRECTORY_H

/*
 * The registrar's directory of nodes on disk: an SQLite file that the command
 * line writes and the running registrar reads into memory whenever it has
 * changed.  Never used in the path of a datagram.
 */

#include <stdbool.h>
#include <stdint.h>

#define DIRECTORY_WHY_MAX 256U

struct directory;

struct directory_node {
	const char *number; /* borrowed for the call */
	const uint8_t *key; /* 32 octets, likewise */
};

/*
 * Open, and create when @create and there is none.  0 and *@out, or -errno
 * with a sentence in @why.
 */
int directory_open(struct directory **out, const char *path, bool create,
		   char why[DIRECTORY_WHY_MAX]);
/* Accepts NULL, returns NULL. */
struct directory *directory_close(struct directory *d);

/* Add a node or change its key.  0, or -errno with @why. */
int directory_add(struct directory *d, const char *number,
		  const uint8_t key[32], char why[DIRECTORY_WHY_MAX]);
/* 0, -ENOENT when it is not there, or -errno with @why. */
int directory_remove(struct directory *d, const char *number,
		     char why[DIRECTORY_WHY_MAX]);
/* All nodes in order of number; stops when @each returns false. */
int directory_each(struct directory *d,
		   bool (*each)(void *ctx, const struct directory_node *node),
		   void *ctx, char why[DIRECTORY_WHY_MAX]);
/* True when somebody else has changed the file since the last call; always
 * the first time.  A file that cannot be read just now has not changed. */
bool directory_changed(struct directory *d);

#endif
