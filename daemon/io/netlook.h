/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_NETLOOK_H
#define DAEMON_IO_NETLOOK_H

/*
 * This machine's addresses and the routers it sends through, read in a thread:
 * while anybody changes the machine's interfaces the kernel lets whoever asks
 * for them (rtnetlink) wait, a tenth of a second and more.
 */

#include <event2/event.h>

#include "daemon/io/gateway.h"

#define NETLOOK_OWN 16U /* addresses, at most */

enum netlook_family { NETLOOK_V4, NETLOOK_V6, NETLOOK_FAMILIES };

struct netlook;

struct netlook_view {
	struct net_addr own[NETLOOK_OWN];
	size_t own_n;
	/* Not found where nobody asked for routers. */
	struct gateway gateway[NETLOOK_FAMILIES];
};

struct netlook_cfg {
	uint16_t port;         /* of the addresses */
	const char *interface; /* that alone; empty: any; borrowed */
	bool gateways;         /* look for the routers, too */
	/* In the loop: what is, and what was asked since the last time. */
	void (*on_view)(void *ctx, const struct netlook_view *v, unsigned why);
	void *ctx;
};

/* NULL when there is no memory or no thread to be had. */
struct netlook *netlook_new(struct event_base *base,
			    const struct netlook_cfg *cfg);
/* Look once more from now on; @why, bits of the owner's, comes back with what
 * was found, those of several questions together. */
void netlook_ask(struct netlook *l, unsigned why);
/* At once, which may take its time. */
void netlook_read(const struct netlook_cfg *cfg, struct netlook_view *out);
/* Accepts NULL, returns NULL.  Waits at most a tenth of a second. */
struct netlook *netlook_free(struct netlook *l);

#endif
