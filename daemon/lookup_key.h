/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_LOOKUP_KEY_H
#define DAEMON_LOOKUP_KEY_H

/*
 * Questions to DNS for the public keys of nodes: a TXT record
 * `_keyhole.NUMBER.nodes.DOMAIN` with "key=" and the key as it is written in
 * configurations.  Strangers cause them, so there are only so many at once and
 * in a minute.
 */

#include <stddef.h>
#include <stdint.h>

#include "daemon/io/dns.h"
#include "daemon/lookup_io.h"
#include "proto/rate.h"

#define LOOKUP_KEYS_MAX 64U /* at once */

struct lookup_key;

struct lookup_keys {
	struct lookup_key *first;
	size_t n;
	struct rate rate;
};

/* As lookup_io_key(), of the name server @r. */
int lookup_keys_ask(struct lookup_keys *k, struct resolver *r,
		    const char *domain, const char *number,
		    const struct lookup_key_wanted *want);
/* The resolver is gone: nobody is called. */
void lookup_keys_forget(struct lookup_keys *k);

#endif
