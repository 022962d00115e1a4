/* SPDX-License-Identifier: MIT */

/* What the kernel's messages about addresses and routes come to. */

#include "daemon/io/netwatch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/t.h"

/* One message of @type with a struct rtmsg; its length. */
static size_t put(uint8_t *out, uint16_t type, uint8_t bits, uint8_t kind)
{
	const struct nlmsghdr h = { .nlmsg_len =
					    NLMSG_LENGTH(sizeof(struct rtmsg)),
				    .nlmsg_type = type };
	const struct rtmsg m = { .rtm_dst_len = bits, .rtm_type = kind };

	memcpy(out, &h, sizeof(h));
	memcpy(out + NLMSG_HDRLEN, &m, sizeof(m));
	return NLMSG_ALIGN(h.nlmsg_len);
}

static struct netwatch_routes known;

static unsigned read_copy(const uint8_t *data, size_t len)
{
	uint8_t *copy = t_dup(data, len);
	const unsigned news = netwatch_read(&known, copy, len);

	free(copy);
	return news;
}

static void one(unsigned want, uint16_t type, uint8_t bits, uint8_t kind)
{
	uint8_t b[128];
	const size_t len = put(b, type, bits, kind);

	T_EQ(want, read_copy(b, len));
}

static void addresses_and_default_routes_are_news(void)
{
	one(NETWATCH_ADDRESS, RTM_NEWADDR, 0, 0);
	one(NETWATCH_ADDRESS, RTM_DELADDR, 24, 0);
	one(NETWATCH_ROUTE, RTM_NEWROUTE, 0, RTN_UNICAST);
	one(NETWATCH_ROUTE, RTM_DELROUTE, 0, RTN_UNICAST);
	one(0, RTM_NEWROUTE, 24, RTN_UNICAST);
	one(0, RTM_NEWROUTE, 0, RTN_UNREACHABLE);
	one(0, RTM_NEWLINK, 0, RTN_UNICAST);
}

static void all_messages_of_a_datagram_count(void)
{
	uint8_t b[256];
	size_t len = put(b, RTM_NEWROUTE, 24, RTN_UNICAST);

	memset(&known, 0, sizeof(known));
	len += put(b + len, RTM_NEWADDR, 0, 0);
	len += put(b + len, RTM_NEWROUTE, 0, RTN_UNICAST);
	T_EQ(NETWATCH_ADDRESS | NETWATCH_ROUTE, read_copy(b, len));
}

static void what_is_cut_short_is_not_read(void)
{
	uint8_t b[128];
	struct nlmsghdr h;
	const size_t len = put(b, RTM_NEWROUTE, 0, RTN_UNICAST);

	for (size_t n = 0; n < len; n++)
		T_EQ(0, read_copy(b, n));
	/* Nor a message that says it is longer, or shorter than its head. */
	memcpy(&h, b, sizeof(h));
	for (uint32_t said = 0; said < 200; said++) {
		h.nlmsg_len = said;
		memcpy(b, &h, sizeof(h));
		memset(&known, 0, sizeof(known));
		T_EQ(said == len ? NETWATCH_ROUTE : 0, read_copy(b, len));
	}
}

static uint16_t replaces = NLM_F_REPLACE;
static uint8_t family = AF_INET6;

/* A default route by way of router @via, which lives for @life_s. */
static unsigned route(uint16_t type, uint8_t via, int32_t life_s)
{
	const struct rta_cacheinfo life = { .rta_expires = life_s };
	const uint8_t router[16] = { 0xfe, 0x80, [15] = via };
	const struct rtattr attr[] = {
		{ RTA_LENGTH(sizeof(router)), RTA_GATEWAY },
		{ RTA_LENGTH(sizeof(life)), RTA_CACHEINFO },
	};
	const void *const value[] = { router, &life };
	struct nlmsghdr h;
	uint8_t b[256];
	size_t len = put(b, type, 0, RTN_UNICAST);

	for (size_t i = 0; i < 2; i++) {
		memcpy(b + len, &attr[i], sizeof(attr[i]));
		memcpy(b + len + RTA_LENGTH(0), value[i],
		       attr[i].rta_len - RTA_LENGTH(0));
		len += RTA_ALIGN(attr[i].rta_len);
	}
	memcpy(&h, b, sizeof(h));
	h.nlmsg_len = (uint32_t)len;
	h.nlmsg_flags = replaces;
	memcpy(b, &h, sizeof(h));
	b[NLMSG_HDRLEN] = family;
	return read_copy(b, len);
}

/* Two routers speak in turn, for hours; then one goes and comes back. */
static void a_route_that_is_set_again_is_no_news(void)
{
	memset(&known, 0, sizeof(known));
	T_EQ(NETWATCH_ROUTE, route(RTM_NEWROUTE, 1, 1800));
	T_EQ(NETWATCH_ROUTE, route(RTM_NEWROUTE, 2, 1800));
	for (int32_t i = 0; i < 50; i++) {
		T_EQ(0, route(RTM_NEWROUTE, 1, 1800 - i));
		T_EQ(0, route(RTM_NEWROUTE, 2, 1800));
	}
	T_EQ(NETWATCH_ROUTE, route(RTM_DELROUTE, 1, 3));
	T_EQ(NETWATCH_ROUTE, route(RTM_NEWROUTE, 1, 1800));
	T_EQ(0, route(RTM_NEWROUTE, 2, 1800));
	/* One that nobody told of may have been there before us. */
	T_EQ(NETWATCH_ROUTE, route(RTM_DELROUTE, 3, 0));
	for (uint8_t i = 10; i < 10 + NETWATCH_ROUTES; i++)
		T_EQ(NETWATCH_ROUTE, route(RTM_NEWROUTE, i, 60));
	T_EQ(NETWATCH_ROUTE, route(RTM_NEWROUTE, 2, 60));
	/* It was not there just now, or may not have been. */
	replaces = 0;
	T_EQ(NETWATCH_ROUTE, route(RTM_NEWROUTE, 2, 60));
	replaces = NLM_F_REPLACE;
	family = AF_INET;
	for (int i = 0; i < 2; i++)
		T_EQ(NETWATCH_ROUTE, route(RTM_NEWROUTE, 2, 60));
	family = AF_INET6;
}

/* --- the socket --------------------------------------------------------- */

static void heard(void *ctx, bool routed)
{
	(void)ctx;
	(void)routed;
}

/* The last socket of the kernel's that this process has opened. */
static int netlink_socket(void)
{
	for (int fd = 255; fd > 2; fd--) {
		int domain = 0;
		socklen_t len = sizeof(domain);

		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
		    domain == AF_NETLINK)
			return fd;
	}
	return -1;
}

/* Messages of somebody else's, who is not believed, but has to be read. */
static unsigned say(const struct sockaddr_nl *to, unsigned n)
{
	const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	unsigned said = 0;
	uint8_t b[128];
	const size_t len = put(b, RTM_NEWROUTE, 24, RTN_UNICAST);

	while (said < n &&
	       sendto(fd, b, len, MSG_DONTWAIT, (const struct sockaddr *)to,
		      sizeof(*to)) == (ssize_t)len)
		said++;
	close(fd);
	return said;
}

static bool has_more(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

static void a_burst_does_not_keep_others_waiting(void)
{
	struct event_base *base = event_base_new();
	struct netwatch *w = NULL;
	struct sockaddr_nl at;
	socklen_t len = sizeof(at);
	unsigned turns = 1;
	int fd;

	T_EQ(0, netwatch_open(&w, base, heard, NULL));
	fd = netlink_socket();
	T_EQ(0, getsockname(fd, (struct sockaddr *)&at, &len));
	if (say(&at, 150) == 150) {
		T_TRUE(has_more(fd));
		(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		T_TRUE(has_more(fd));
		for (; has_more(fd) && turns < 150; turns++)
			(void)event_base_loop(base,
					      EVLOOP_ONCE | EVLOOP_NONBLOCK);
		T_EQ(3, turns);
	} else {
		printf("# only root can say so much to another socket\n");
	}
	netwatch_close(w);
	event_base_free(base);
}

int main(void)
{
	T_RUN(addresses_and_default_routes_are_news);
	T_RUN(all_messages_of_a_datagram_count);
	T_RUN(what_is_cut_short_is_not_read);
	T_RUN(a_route_that_is_set_again_is_no_news);
	T_RUN(a_burst_does_not_keep_others_waiting);
	return T_DONE();
}
