/* SPDX-License-Identifier: MIT */
#ifndef PROTO_OPENOVER_PLAIN_H
#define PROTO_OPENOVER_PLAIN_H

/*
 * The plain IAX2 clients of a registrar (Asterisk, iaxmodem): a name, the
 * secret of their MD5 challenge, and while they are registered the address
 * they were last seen at.  All in memory, of a size fixed at the start.
 * Strangers put nothing in here: the operator does.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/mono.h"
#include "proto/net_path.h"

#define OO_PLAIN_NAME_MAX 32U   /* characters A-Z a-z 0-9 _ . - */
#define OO_PLAIN_SECRET_MAX 64U /* octets */
#define OO_PLAIN_USED 4U        /* challenges remembered */

struct oo_plain {
	char name[OO_PLAIN_NAME_MAX + 1];
	char secret[OO_PLAIN_SECRET_MAX + 1];
	struct net_path path;         /* port 0: not registered */
	mono_us expires;              /* of the registration */
	mono_us posted;               /* by HTTPS, the last time; 0: never */
	uint64_t used[OO_PLAIN_USED]; /* challenges it has answered well */
	unsigned used_next;
};

struct oo_plains;

/* 1..OO_PLAIN_NAME_MAX of the characters above? */
bool oo_plain_name_is_valid(const char *name);

/* @max 0..65536 clients.  NULL without memory. */
struct oo_plains *oo_plains_new(size_t max);
/* Accepts NULL, wipes the secrets, returns NULL. */
struct oo_plains *oo_plains_free(struct oo_plains *p);

/* Add a client, or give a known one another secret, which ends its
 * registration.  NULL when full or a text is empty, too long or, in the name,
 * of other characters.  Pointers to clients are good until the next removal. */
struct oo_plain *oo_plains_put(struct oo_plains *p, const char *name,
			       const char *secret);
/* Forget it and its secret. */
void oo_plains_remove(struct oo_plains *p, struct oo_plain *c);
/* NULL when there is none. */
struct oo_plain *oo_plains_find(const struct oo_plains *p, const char *name);

/* Client @i of 0..oo_plains_count(), in no order. */
struct oo_plain *oo_plains_at(const struct oo_plains *p, size_t i);
size_t oo_plains_count(const struct oo_plains *p);

/* Is it registered? */
bool oo_plain_is_online(const struct oo_plain *c, mono_us now);
/* A registration begins or goes on at @path, or is over. */
void oo_plains_register(struct oo_plains *p, struct oo_plain *c,
			const struct net_path *path, mono_us expires);
void oo_plains_release(struct oo_plains *p, struct oo_plain *c);
/* Registrations that nobody has released, expired ones among them. */
size_t oo_plains_registered(const struct oo_plains *p);
/* Has the client answered @challenge before, among its last few? */
bool oo_plain_has_used(const struct oo_plain *c, uint64_t challenge);
/* It has now. */
void oo_plain_use(struct oo_plain *c, uint64_t challenge);

#endif
