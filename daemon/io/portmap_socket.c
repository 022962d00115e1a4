/* SPDX-License-Identifier: MIT */

#include "daemon/io/portmap_socket.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/addr.h"

#define ANNOUNCE_PORT 5350 /* RFC 6887 section 19.2 */
#define KIND (SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK)

static socklen_t name_of(const struct gateway *g, const struct net_addr *a,
			 struct sockaddr_storage *out)
{
	const socklen_t len = net_addr_to_sockaddr(a, out);
	const bool link_local = a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;

	if (link_local && out->ss_family == AF_INET6)
		((struct sockaddr_in6 *)out)->sin6_scope_id = g->device;
	return len;
}

static int or_close(int fd, bool ok)
{
	if (ok)
		return fd;
	close(fd);
	return -1;
}

int portmap_socket(const struct gateway *g)
{
	const int device = (int)g->device;
	struct net_addr router = g->router;
	struct sockaddr_storage own, to;
	const socklen_t own_len = name_of(g, &g->own, &own);
	socklen_t to_len;
	int fd;

	router.port = PORTMAP_PORT;
	to_len = name_of(g, &router, &to);
	fd = socket(to.ss_family, KIND, 0);
	if (fd < 0)
		return -1;
	/* When another way out comes, what is meant for this router must not go
	 * that way; where it is not allowed, the addresses say who is meant. */
	(void)setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &device,
			 sizeof(device));
	return or_close(
		fd, bind(fd, (struct sockaddr *)&own, own_len) == 0 &&
			    connect(fd, (struct sockaddr *)&to, to_len) == 0);
}

/* Several programs of a machine may listen.  Everybody is in the groups of all
 * nodes already: no joining. */
int portmap_announced_socket(int family)
{
	const struct sockaddr_in6 any6 = { .sin6_family = AF_INET6,
					   .sin6_port = htons(ANNOUNCE_PORT) };
	const struct sockaddr_in any4 = { .sin_family = AF_INET,
					  .sin_port = htons(ANNOUNCE_PORT) };
	const int one = 1;
	const int fd = socket(family, KIND, 0);
	bool ok;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		ok = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				sizeof(one)) == 0 &&
		     bind(fd, (const struct sockaddr *)&any6, sizeof(any6)) ==
			     0;
	else
		ok = bind(fd, (const struct sockaddr *)&any4, sizeof(any4)) ==
		     0;
	return or_close(fd, ok);
}

bool portmap_receive(int fd, uint8_t buf[PORTMAP_MSG_MAX + 1],
		     struct dgram *out)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	const ssize_t n = recvfrom(fd, buf, PORTMAP_MSG_MAX + 1, MSG_DONTWAIT,
				   (struct sockaddr *)&from, &len);

	memset(out, 0, sizeof(*out));
	if (n < 0 ||
	    !net_addr_from_sockaddr((struct sockaddr *)&from, &out->path.peer))
		return false;
	out->data = buf;
	out->len = (size_t)n;
	return true;
}
