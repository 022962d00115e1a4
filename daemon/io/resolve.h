/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_RESOLVE_H
#define DAEMON_IO_RESOLVE_H

/*
 * Names to addresses with c-ares on the event loop.  Nothing blocks; a numeric
 * address is answered from the loop as well, never from within the call.  A
 * change of /etc/resolv.conf is noticed by the next question.
 */

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/net_path.h"

#define RESOLVE_MAX 16U /* addresses of one name */

struct resolver;

struct resolver *resolver_new(struct event_base *base);
/* The same with servers of its own, in the order in which they are tried;
 * none: those of /etc/resolv.conf. */
struct resolver *resolver_new_of(struct event_base *base,
				 const struct net_addr *servers, size_t n);
/* Accepts NULL, returns NULL; what is under way is not called back. */
struct resolver *resolver_free(struct resolver *r);

/* @n is 0 when there is none, then @why is a sentence for people.  The
 * resolver may be asked again, or freed, from here. */
typedef void (*resolve_fn)(void *ctx, const struct net_addr *addrs, size_t n,
			   const char *why);

/* Look @host up, A and AAAA; every address gets @port.  0, or -ENOMEM and no
 * call back. */
int resolve(struct resolver *r, const char *host, uint16_t port, resolve_fn fn,
	    void *ctx);

#endif
