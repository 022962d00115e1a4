/* SPDX-License-Identifier: MIT */

#include "daemon/io/gateway.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t anycast4[4] = { 192, 0, 0, 9 };
static const uint8_t anycast6[16] = { 0x20, 0x01, 0x00, 0x01, [15] = 1 };

struct question {
	struct nlmsghdr head;
	struct rtmsg route;
	uint8_t attrs[64];
};

static void put(struct question *q, unsigned short type, const void *data,
		size_t len)
{
	struct rtattr a = { .rta_len = (unsigned short)RTA_LENGTH(len),
			    .rta_type = type };
	uint8_t *at = (uint8_t *)q + NLMSG_ALIGN(q->head.nlmsg_len);

	memcpy(at, &a, sizeof(a));
	memcpy(at + RTA_LENGTH(0), data, len);
	q->head.nlmsg_len =
		NLMSG_ALIGN(q->head.nlmsg_len) + (uint32_t)RTA_SPACE(len);
}

static struct question question_of(int family, unsigned device)
{
	struct question q = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			  .nlmsg_type = RTM_GETROUTE,
			  .nlmsg_flags = NLM_F_REQUEST },
		.route = { .rtm_family = (unsigned char)family },
	};

	if (family == AF_INET) {
		q.route.rtm_dst_len = 32;
		put(&q, RTA_DST, anycast4, sizeof(anycast4));
	} else {
		q.route.rtm_dst_len = 128;
		put(&q, RTA_DST, anycast6, sizeof(anycast6));
	}
	if (device != 0)
		put(&q, RTA_OIF, &device, sizeof(device));
	return q;
}

static bool addr_of(int family, const void *data, size_t len,
		    struct net_addr *out)
{
	uint8_t o[16];

	if (len != (family == AF_INET ? 4 : 16))
		return false;
	memcpy(o, data, len);
	if (family == AF_INET)
		*out = net_addr_v4(o[0], o[1], o[2], o[3], 0);
	else
		memcpy(out->ip, o, sizeof(out->ip));
	return true;
}

/* The answer's attributes, each at most once. */
static bool take(int family, const uint8_t *at, size_t len, struct gateway *out)
{
	bool router = false, own = false;
	struct rtattr a;

	while (len >= sizeof(a)) {
		memcpy(&a, at, sizeof(a));
		if (a.rta_len < RTA_LENGTH(0) || a.rta_len > len)
			break;
		const uint8_t *data = at + RTA_LENGTH(0);
		const size_t n = a.rta_len - RTA_LENGTH(0);

		if (a.rta_type == RTA_GATEWAY)
			router = addr_of(family, data, n, &out->router);
		else if (a.rta_type == RTA_PREFSRC)
			own = addr_of(family, data, n, &out->own);
		else if (a.rta_type == RTA_OIF && n == sizeof(out->device))
			memcpy(&out->device, data, n);
		if (RTA_ALIGN(a.rta_len) >= len)
			break;
		at += RTA_ALIGN(a.rta_len);
		len -= RTA_ALIGN(a.rta_len);
	}
	return router && own;
}

static bool ask(int fd, struct question *q, struct gateway *out)
{
	union {
		struct nlmsghdr head;
		uint8_t octets[4096];
	} answer;
	const size_t fixed = NLMSG_LENGTH(sizeof(struct rtmsg));
	ssize_t n;

	if (send(fd, q, q->head.nlmsg_len, 0) < 0)
		return false;
	/* The kernel has answered before send() returns. */
	n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
	if (n < (ssize_t)fixed || answer.head.nlmsg_type != RTM_NEWROUTE ||
	    answer.head.nlmsg_len < fixed || answer.head.nlmsg_len > (size_t)n)
		return false;
	return take(q->route.rtm_family, answer.octets + fixed,
		    answer.head.nlmsg_len - fixed, out);
}

bool gateway_find(int family, const char *interface, struct gateway *out)
{
	const bool one = interface && interface[0] != '\0';
	const unsigned device = one ? if_nametoindex(interface) : 0;
	struct question q = question_of(family, device);
	bool found;
	int fd;

	memset(out, 0, sizeof(*out));
	if (one && device == 0)
		return false;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return false;
	found = ask(fd, &q, out);
	close(fd);
	if (!found)
		memset(out, 0, sizeof(*out));
	out->found = found;
	return found;
}
