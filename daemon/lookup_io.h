/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_LOOKUP_IO_H
#define DAEMON_LOOKUP_IO_H

/*
 * Where a node is, by its number (daemon/node/lookup.h), with name servers,
 * the extnodes file and the clock.  Nothing blocks.
 */

#include <event2/event.h>

#include "config/conf.h"
#include "daemon/extnodes_io.h"
#include "daemon/node/lookup.h"

#define LOOKUP_IO_WAITERS 64U

struct lookup_io;

/* @conf is copied from.  NULL without memory. */
struct lookup_io *lookup_io_new(struct event_base *base,
				const struct conf_node *conf);
/* Who waits is not called.  Accepts NULL, returns NULL. */
struct lookup_io *lookup_io_free(struct lookup_io *io);
/* 0, or -ENOMEM and everything as it was. */
int lookup_io_reconfigure(struct lookup_io *io, const struct conf_node *conf);

/* More may be asked from here. */
typedef void (*lookup_io_fn)(void *ctx, const struct lookup_answer *a);

/* Look @number up, with lookup.h's flags; @fn is called from the loop, never
 * from within the call.  0, -EINVAL for what is no number, -EBUSY, or
 * -ENOMEM. */
int lookup_io_ask(struct lookup_io *io, const char *number, unsigned flags,
		  lookup_io_fn fn, void *ctx);
/* Those that @ctx waits for are not called. */
void lookup_io_forget(struct lookup_io *io, const void *ctx);
/* The key of node @number that its TXT record `_keyhole.NUMBER.nodes` in
 * lookup.domain has: NULL and why, which is NULL when there is none.  Who asks
 * may have gone meanwhile: @id tells. */
struct lookup_key_wanted {
	uint32_t id;
	void (*fn)(void *ctx, uint32_t id, const uint8_t *key, const char *why);
	void *ctx;
};

/* 0 and @want->fn is called, but when the configuration changes meanwhile;
 * -EINVAL for a number that DNS is not asked for, -EBUSY, or -ENOMEM. */
int lookup_io_key(struct lookup_io *io, const char *number,
		  const struct lookup_key_wanted *want);
/* What is known now, as lookup_kept(). */
bool lookup_io_kept(const struct lookup_io *io, const char *number,
		    struct lookup_answer *out);

/* What of it is asked, in order; from 0, LOOKUP_SOURCES after the last. */
enum lookup_source lookup_io_source(const struct lookup_io *io, size_t i);
const struct lookup_counters *lookup_io_counters(const struct lookup_io *io);
/* Why the last question to a name server had no answer; empty: it had one. */
const char *lookup_io_trouble(const struct lookup_io *io);
/* NULL when there is no such file to be read. */
const struct file_table *lookup_io_file(const struct lookup_io *io);
const struct extnodes *lookup_io_table(const struct lookup_io *io);

#endif
