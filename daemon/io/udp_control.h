/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_UDP_CONTROL_H
#define DAEMON_IO_UDP_CONTROL_H

/* What the kernel tells of a datagram besides its octets, and is told: our own
 * address (ip(7) IP_PKTINFO, ipv6(7) IPV6_PKTINFO) and the time to live. */

#include <netinet/in.h>
#include <sys/socket.h>

#include "proto/dgram.h"

struct udp_control {
	_Alignas(size_t) char buf[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
				  CMSG_SPACE(sizeof(int))];
};

/* Into @d: path.local_ip and ttl, as far as @h has them. */
void udp_control_read(struct msghdr *h, struct dgram *d);
/* From @d into the buffer of @h, which shrinks to what is used. */
void udp_control_write(struct msghdr *h, const struct dgram *d);

#endif
