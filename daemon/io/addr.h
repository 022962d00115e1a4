/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_ADDR_H
#define DAEMON_IO_ADDR_H

/*
 * Addresses between proto/ (struct net_addr), the kernel (struct sockaddr)
 * and people (text).
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "proto/net_path.h"

#define NET_ADDR_TEXT 56U /* octets that net_addr_format() needs */

/* "192.0.2.1:4569" or "[2001:db8::1]:4569"; "-" for no address. */
const char *net_addr_format(const struct net_addr *a, char out[NET_ADDR_TEXT]);

/*
 * The same forms, and a bare address, which gets @port.  Numbers only: no name
 * is looked up.  False for anything else.
 */
bool net_addr_parse(const char *text, uint16_t port, struct net_addr *out);

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. */
bool net_prefix_parse(const char *text, struct net_prefix *out);

/* A port number, 1..65535, and nothing else. */
bool net_port_parse(const char *text, uint16_t *out);

/* Returns the length of the sockaddr. */
socklen_t net_addr_to_sockaddr(const struct net_addr *a,
			       struct sockaddr_storage *out);
bool net_addr_from_sockaddr(const struct sockaddr *sa, struct net_addr *out);

/* When @local has no address, only a port: the one that the kernel would send
 * to @peer from.  Stays as it is when there is no way there. */
void net_addr_fill_source(struct net_addr *local, const struct net_addr *peer);

/*
 * The unicast addresses of this host's interfaces that are up, with @port:
 * neither loopback nor link-local; those of @interface alone unless it is
 * empty.  Returns how many, at most @max.
 */
size_t net_addr_local(struct net_addr *out, size_t max, uint16_t port,
		      const char *interface);

#endif
