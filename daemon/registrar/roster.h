/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_ROSTER_H
#define DAEMON_REGISTRAR_ROSTER_H

/*
 * The running registrar's copy of the directory: read whenever the file has
 * changed, and again and again until a reading succeeds.
 */

#include <stdbool.h>

#include "daemon/registrar/directory.h"
#include "proto/openover_registrar.h"

struct roster {
	struct directory *directory;    /* borrowed */
	struct oo_registrar *registrar; /* borrowed */
	bool stale; /* the copy is not the file; set it to force a reading */
	size_t left_out;                             /* that had no room */
	char first_left_out[DIRECTORY_NAME_MAX + 1]; /* the first of them */
};

/*
 * Bring the copy up to date if it is not.  0, and *@read when the file was
 * read, or -errno with a sentence in @why: what could not be read stays as it
 * was, and the next call tries again.
 */
int roster_refresh(struct roster *r, bool *read, char why[DIRECTORY_WHY_MAX]);

#endif
