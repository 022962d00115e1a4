/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_NETWATCH_H
#define DAEMON_IO_NETWATCH_H

/*
 * The kernel's word that this machine's network changed: an address came or
 * went, or a default route did (rtnetlink(7)).  Told at the first of a burst,
 * and once more at its end.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netwatch;

/* @routed: a default route changed, which one that is merely set again does
 * not; else perhaps an address did, and @fn had
 * better look. */
typedef void (*netwatch_fn)(void *ctx, bool routed);

/* 0 and *@out, or -errno: some machines have no netlink for us. */
int netwatch_open(struct netwatch **out, struct event_base *base,
		  netwatch_fn fn, void *ctx);
/* Accepts NULL, returns NULL. */
struct netwatch *netwatch_close(struct netwatch *w);

/* What a datagram of the kernel's says; a set of bits. */
enum netwatch_news { NETWATCH_ADDRESS = 1, NETWATCH_ROUTE = 2 };

#define NETWATCH_ROUTES 8U

/* IPv6 default routes that were told last, as hashes; 0: none.  Those who set them by
 * an IPv6 router's word set the same one again each time that it speaks. */
struct netwatch_routes {
	uint64_t hash[NETWATCH_ROUTES];
	size_t next;
};

unsigned netwatch_read(struct netwatch_routes *known, const uint8_t *data,
		       size_t len);

#endif
