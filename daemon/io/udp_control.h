/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_UDP_CONTROL_H
#define DAEMON_IO_UDP_CONTROL_H

/* What the kernel tells of a datagram besides its octets, and is told: our own
 * address (ip(7) IP_PKTINFO, ipv6(7) IPV6_PKTINFO), the time to live, and when it
 * came (socket(7) SO_TIMESTAMPNS). */

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include "proto/dgram.h"

struct udp_control {
	_Alignas(size_t) char buf[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
				  CMSG_SPACE(sizeof(int)) +
				  CMSG_SPACE(sizeof(struct timespec))];
};

/* The kernel stamps by the wall clock; taken once for each batch. */
struct udp_clocks {
	mono_us mono;
	int64_t wall_us; /* CLOCK_REALTIME at the same moment */
};

struct udp_clocks udp_clocks_now(void);

/* Into @d: path.local_ip, ttl and arrived, as far as @h has them.  A stamp that
 * the wall clock's setting has spoiled is none. */
void udp_control_read(struct msghdr *h, const struct udp_clocks *now,
		      struct dgram *d);
/* From @d into the buffer of @h, which shrinks to what is used. */
void udp_control_write(struct msghdr *h, const struct dgram *d);

#endif
