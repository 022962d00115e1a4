/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_EXTNODES_IO_H
#define DAEMON_EXTNODES_IO_H

/*
 * The extnodes file: looked at now and then, and read again when it has
 * changed, in a thread of its own.  When it can no longer be read, what was
 * read last holds.
 */

#include <event2/event.h>
#include <stdint.h>

#include "daemon/node/extnodes.h"

struct extnodes_io;

/* Another table holds from now on; the old one goes when this returns. */
typedef void (*extnodes_io_fn)(void *ctx, const struct extnodes *x);

/* NULL without memory or a thread. */
struct extnodes_io *extnodes_io_new(struct event_base *base, const char *path,
				    extnodes_io_fn fn, void *ctx);
/* The table goes, too.  Accepts NULL, returns NULL. */
struct extnodes_io *extnodes_io_free(struct extnodes_io *io);

/* Seconds since the epoch when the file was written; 0: never read. */
int64_t extnodes_io_written(const struct extnodes_io *io);
/* Why it cannot be read; NULL: it can. */
const char *extnodes_io_trouble(const struct extnodes_io *io);

#endif
