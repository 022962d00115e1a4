/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_PORTMAP_IO_H
#define DAEMON_PORTMAP_IO_H

/*
 * The routers of this network are asked to open the IAX2 port, one for each
 * family: by PCP, NAT-PMP and UPnP at once.  Nothing here waits for anything;
 * what an operator wants to know is logged.
 */

#include <event2/event.h>

#include "daemon/io/gateway.h"
#include "proto/portmap.h"

enum portmap_family { PORTMAP_V4, PORTMAP_V6, PORTMAP_FAMILIES };

struct portmap_io;

struct portmap_io_cfg {
	bool use[PORTMAP_FAMILIES];
	uint16_t port;         /* ours */
	uint32_t lifetime_s;   /* wanted, 120..86400 */
	const char *interface; /* empty: any; borrowed */
	random_fn random;
	/* Something else is true of a mapping, or all are released. */
	void (*on_change)(void *ctx);
	void *ctx;
};

/* NULL when memory is short. */
struct portmap_io *portmap_io_new(struct event_base *base,
				  const struct portmap_io_cfg *cfg);
/* Accepts NULL, returns NULL.  Waits at most a tenth of a second. */
struct portmap_io *portmap_io_free(struct portmap_io *p);
/* Who the routers are now; with the first of it the asking begins. */
void portmap_io_look(struct portmap_io *p,
		     const struct gateway at[PORTMAP_FAMILIES]);
/* Take the mappings back; within 1.5 s they are released, or given up. */
void portmap_io_release(struct portmap_io *p);
/* Also of NULL. */
bool portmap_io_released(const struct portmap_io *p);

struct portmap_view portmap_io_view(const struct portmap_io *p,
				    enum portmap_family family);
/* The addresses that strangers reach us at; port 0 where there is none.
 * Whether there is one.  Also of NULL. */
bool portmap_public(const struct portmap_io *p, struct net_addr *v4,
		    struct net_addr *v6);

#endif
