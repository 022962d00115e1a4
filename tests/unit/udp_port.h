/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_UDP_PORT_H
#define TESTS_UNIT_UDP_PORT_H

/* UDP ports of the kernel's choice: tests of two checkouts at once do not take
 * them from each other. */

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/addr.h"
#include "daemon/io/udp.h"
#include "tests/t.h"

#define UDP_NOBODY 1 /* a port where nobody is */
#define UDP_TRIES 100

static inline uint16_t udp_port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct net_addr a;

	T_EQ(0, getsockname(fd, (struct sockaddr *)&sa, &len));
	T_TRUE(net_addr_from_sockaddr((const struct sockaddr *)&sa, &a));
	return a.port;
}

/* A socket of the test's own at @ip (without a port). */
static inline int udp_socket_at(const char *ip, uint16_t *port)
{
	struct sockaddr_storage sa;
	struct net_addr a;
	int fd;

	T_TRUE(net_addr_parse(ip, 1, &a));
	a.port = 0;
	fd = socket(net_addr_is_v4(&a) ? AF_INET : AF_INET6,
		    SOCK_DGRAM | SOCK_CLOEXEC, 0);
	T_TRUE(fd >= 0);
	T_EQ(0, bind(fd, (const struct sockaddr *)&sa,
		     net_addr_to_sockaddr(&a, &sa)));
	*port = udp_port_of(fd);
	return fd;
}

/* As udp_open(), at a port that both families have free: it is then in @cfg. */
static inline int udp_open_somewhere(struct udp **out, struct event_base *base,
				     struct udp_cfg *cfg, char why[UDP_WHY_MAX])
{
	int err = -EADDRINUSE;

	for (int i = 0; err == -EADDRINUSE && i < UDP_TRIES; i++) {
		(void)close(udp_socket_at("0.0.0.0", &cfg->port));
		err = udp_open(out, base, cfg, why);
	}
	return err;
}

#endif
