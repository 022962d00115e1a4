/* SPDX-License-Identifier: MIT */

#include "daemon/io/addr.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *net_addr_format(const struct net_addr *a, char out[NET_ADDR_TEXT])
{
	char ip[INET6_ADDRSTRLEN];

	if (!net_addr_is_set(a)) {
		(void)snprintf(out, NET_ADDR_TEXT, "-");
	} else if (net_addr_is_v4(a)) {
		(void)inet_ntop(AF_INET, a->ip + 12, ip, sizeof(ip));
		(void)snprintf(out, NET_ADDR_TEXT, "%s:%u", ip,
			       (unsigned)a->port);
	} else {
		(void)inet_ntop(AF_INET6, a->ip, ip, sizeof(ip));
		(void)snprintf(out, NET_ADDR_TEXT, "[%s]:%u", ip,
			       (unsigned)a->port);
	}
	return out;
}

static bool parse_ip(const char *ip, struct net_addr *out)
{
	*out = net_addr_v4(0, 0, 0, 0, 0);
	if (inet_pton(AF_INET, ip, out->ip + 12) == 1)
		return true;
	return inet_pton(AF_INET6, ip, out->ip) == 1;
}

bool net_port_parse(const char *text, uint16_t *out)
{
	char *end;
	const unsigned long v = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || v == 0 ||
	    v > 65535)
		return false;
	*out = (uint16_t)v;
	return true;
}

bool net_addr_parse(const char *text, uint16_t port, struct net_addr *out)
{
	char ip[NET_ADDR_TEXT];
	const bool bracket = text[0] == '[';
	const char *start = text + bracket;
	const char *end = bracket ? strchr(start, ']') : strchr(start, ':');
	size_t len;

	/* A bare IPv6 address has colons of its own. */
	if (!bracket && end && strchr(end + 1, ':'))
		end = NULL;
	if (bracket && !end)
		return false;
	len = end ? (size_t)(end - start) : strlen(start);
	if (len >= sizeof(ip))
		return false;
	memcpy(ip, start, len);
	ip[len] = '\0';
	if (!parse_ip(ip, out))
		return false;
	out->port = port;
	if (!end || (bracket && end[1] == '\0'))
		return true;
	end += bracket;
	return end[0] == ':' && net_port_parse(end + 1, &out->port);
}

bool net_prefix_parse(const char *text, struct net_prefix *out)
{
	const char *slash = strchr(text, '/');
	const size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char ip[NET_ADDR_TEXT], *end;
	unsigned long bits;
	bool v4;

	memset(out, 0, sizeof(*out));
	if (len >= sizeof(ip))
		return false;
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (!parse_ip(ip, &out->addr))
		return false;
	v4 = net_addr_is_v4(&out->addr);
	bits = v4 ? 32 : 128;
	if (slash) {
		bits = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end != '\0' ||
		    bits > (v4 ? 32U : 128U))
			return false;
	}
	out->bits = (uint8_t)(bits + (v4 ? 96 : 0));
	return true;
}

socklen_t net_addr_to_sockaddr(const struct net_addr *a,
			       struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (net_addr_is_v4(a)) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip + 12, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	memcpy(&in6->sin6_addr, a->ip, 16);
	return sizeof(*in6);
}

bool net_addr_from_sockaddr(const struct sockaddr *sa, struct net_addr *out)
{
	*out = net_addr_v4(0, 0, 0, 0, 0);
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		memcpy(out->ip + 12, &in.sin_addr, 4);
		out->port = ntohs(in.sin_port);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		memcpy(out->ip, &in6.sin6_addr, 16);
		out->port = ntohs(in6.sin6_port);
		return true;
	}
	return false;
}

void net_addr_fill_source(struct net_addr *local, const struct net_addr *peer)
{
	const struct net_addr any4 = net_addr_v4(0, 0, 0, 0, local->port);
	const struct net_addr any6 = { .port = local->port };
	struct sockaddr_storage sa;
	struct net_addr source;
	socklen_t len = net_addr_to_sockaddr(peer, &sa);
	int fd;

	if (!net_addr_same_ip(local, &any4) && !net_addr_same_ip(local, &any6))
		return;
	fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Connecting a UDP socket sends nothing, it only chooses. */
	if (connect(fd, (const struct sockaddr *)&sa, len) == 0) {
		len = sizeof(sa);
		if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
		    net_addr_from_sockaddr((const struct sockaddr *)&sa,
					   &source))
			memcpy(local->ip, source.ip, sizeof(local->ip));
	}
	close(fd);
}

static bool is_usable(const struct ifaddrs *i, struct net_addr *a)
{
	if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) ||
	    (i->ifa_flags & IFF_LOOPBACK) ||
	    !net_addr_from_sockaddr(i->ifa_addr, a))
		return false;
	if (net_addr_is_v4(a))
		return !(a->ip[12] == 169 && a->ip[13] == 254);
	return !net_addr_is_link_local(a);
}

size_t net_addr_local(struct net_addr *out, size_t max, uint16_t port,
		      const char *interface)
{
	struct ifaddrs *all, *i;
	size_t n = 0;

	if (getifaddrs(&all) != 0)
		return 0;
	for (i = all; i && n < max; i = i->ifa_next) {
		if (interface[0] && strcmp(i->ifa_name, interface) != 0)
			continue;
		if (!is_usable(i, &out[n]))
			continue;
		out[n++].port = port;
	}
	freeifaddrs(all);
	return n;
}
