/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_PORTMAP_SOCKET_H
#define DAEMON_IO_PORTMAP_SOCKET_H

/* The sockets of PCP and NAT-PMP: to the router, and for what it announces to
 * everybody.  None of them blocks. */

#include "daemon/io/gateway.h"
#include "proto/dgram.h"
#include "proto/portmap_wire.h"

/* A socket connected to the router's port, from the address that is to be
 * opened: PCP compares (RFC 6887 section 8.1).  -1: not possible. */
int portmap_socket(const struct gateway *g);
/* A socket that hears a family's announcements (RFC 6887 section 14.1.3,
 * RFC 6886 section 3.2.1).  -1: not possible. */
int portmap_announced_socket(int family);
/* One datagram into @buf, and where it is from; false: none, or an error,
 * which is an ICMP message: nobody there listens. */
bool portmap_receive(int fd, uint8_t buf[PORTMAP_MSG_MAX + 1],
		     struct dgram *out);

#endif
