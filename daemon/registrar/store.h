/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_REGISTRAR_STORE_H
#define DAEMON_REGISTRAR_STORE_H

/*
 * What registrars of a cluster share: a Redis or Valkey server, on the event
 * loop, with hiredis.  Nothing here waits: what cannot be sent at once is
 * refused, what is not answered in time ends the connection, and a lost
 * connection is made again by itself, after a pause that grows.
 *
 * Names in the server: kh:TAG:node:NUMBER is a hash of notes, one for each
 * registrar's name; kh:TAG:to:INSTANCE and kh:TAG:all are the channels.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/conf_redis.h"

#define STORE_WHY_MAX 192U
#define STORE_VALUES_MAX 64U /* notes on one number; the rest is not read */

struct store;

struct store_value {
	const uint8_t *data; /* borrowed for the call */
	size_t len;
};

struct store_cfg {
	struct event_base *base;
	struct conf_redis where;
	const char *password; /* copied; empty: none */
	const char *name;     /* of this registrar; copied */
	uint64_t tag;         /* of the cluster */
	uint64_t instance;    /* of this registrar */
	uint32_t note_s;      /* for how long a note is kept */
	/* Connected, or no longer, or not: then with a sentence. */
	void (*on_state)(void *ctx, bool up, const char *why);
	void (*on_message)(void *ctx, const uint8_t *data, size_t len);
	void (*on_found)(void *ctx, uint64_t ask, const struct store_value *v,
			 size_t n);
	void (*on_unreached)(void *ctx, uint64_t ask, uint64_t to);
	/* store_has_room() again. */
	void (*on_room)(void *ctx);
	void *ctx;
};

/* NULL when memory is short.  Connecting begins in the loop. */
struct store *store_open(const struct store_cfg *cfg);
/* Accepts NULL, returns NULL; calls nobody back. */
struct store *store_close(struct store *s);

/* May more notes be written?  A few at a time are under way, so that what
 * cannot wait does not. */
bool store_has_room(const struct store *s);
/* Each is false when it cannot be sent now. */
bool store_note(struct store *s, const char *number, const uint8_t *value,
		size_t len); /* @value NULL: remove it */
bool store_look_up(struct store *s, uint64_t ask, const char *number);
bool store_publish(struct store *s, uint64_t ask, uint64_t to,
		   const uint8_t *data, size_t len); /* @to 0: to all */

#endif
