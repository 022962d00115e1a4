/* SPDX-License-Identifier: MIT */

/* What the kernel's messages about addresses and routes come to. */

#include "daemon/io/netwatch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

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

static unsigned read_copy(const uint8_t *data, size_t len)
{
	uint8_t *copy = t_dup(data, len);
	const unsigned news = netwatch_read(copy, len);

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
		T_EQ(said == len ? NETWATCH_ROUTE : 0, read_copy(b, len));
	}
}

int main(void)
{
	T_RUN(addresses_and_default_routes_are_news);
	T_RUN(all_messages_of_a_datagram_count);
	T_RUN(what_is_cut_short_is_not_read);
	return T_DONE();
}
