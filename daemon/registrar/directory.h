/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_DIRECTORY_H
#define DAEMON_REGISTRAR_DIRECTORY_H

/*
 * The registrar's directory on disk, of nodes with a key and plain IAX2
 * clients with a secret: an SQLite file that the command line writes and the running registrar reads into memory whenever it has
 * changed.  Never used in the path of a datagram.
 */

#include <stdbool.h>
#include <stdint.h>

#define DIRECTORY_WHY_MAX 256U
#define DIRECTORY_NAME_MAX 32U   /* characters */
#define DIRECTORY_SECRET_MAX 64U /* octets */

struct directory;

struct directory_node {
	const char *number; /* borrowed for the call */
	const uint8_t *key; /* 32 octets, likewise; NULL: a plain client */
	const char *secret; /* of a plain client, likewise; or NULL */
};

/*
 * Open, and create when @create and there is none; a file of an older version
 * is brought up to date and keeps its nodes.  The file holds secrets: others
 * than its owner and group lose their access.  0 and *@out, or -errno with a
 * sentence in @why.
 */
int directory_open(struct directory **out, const char *path, bool create,
		   char why[DIRECTORY_WHY_MAX]);
/* Accepts NULL, returns NULL. */
struct directory *directory_close(struct directory *d);

/* Add a node or change its key.  A plain client of that number becomes it.  0,
 * or -errno with @why. */
int directory_add(struct directory *d, const char *number,
		  const uint8_t key[32], char why[DIRECTORY_WHY_MAX]);
/* The same for a plain client, whose name has 1..32 characters A-Z a-z 0-9 _ .
 * and -, and its secret, 1..DIRECTORY_SECRET_MAX octets. */
int directory_add_plain(struct directory *d, const char *name,
			const char *secret, char why[DIRECTORY_WHY_MAX]);
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
