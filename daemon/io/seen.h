/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_SEEN_H
#define DAEMON_IO_SEEN_H

/*
 * "How do you see me?" over TCP: who connects to the registrar's port is told
 * its address in one line of text, and the connection is closed.  So a node
 * learns whether TCP and UDP leave its network by different public addresses.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/net_path.h"

struct seen_server;

/* Answer at @at, within one interface (NULL or empty: any).  Nothing is read
 * and nothing is kept for a client.  0, or -errno. */
int seen_server_open(struct seen_server **out, struct event_base *base,
		     const struct net_addr *at, const char *interface);
struct seen_server *seen_server_close(struct seen_server *s);

struct seen_client;

/* Ask @server; @fn comes once, within a few seconds: NULL when there was no
 * answer.  NULL when it cannot even begin. */
struct seen_client *
seen_client_ask(struct event_base *base, const struct net_addr *server,
		const char *interface,
		void (*fn)(void *ctx, const struct net_addr *seen), void *ctx);
/* @fn does not come any more.  Accepts NULL, returns NULL; call it after @fn
 * as well. */
struct seen_client *seen_client_free(struct seen_client *c);

#endif
