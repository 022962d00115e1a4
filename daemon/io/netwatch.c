/* SPDX-License-Identifier: MIT */

#include "daemon/io/netwatch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* An interface that comes up brings its addresses, then its routes. */
#define SETTLE_US 100000
#define READ_MAX 4096U
/* Messages before others have their turn: a router may have a million. */
#define AT_ONCE 64

struct netwatch {
	netwatch_fn fn;
	void *ctx;
	int fd;
	struct event *readable;
	struct event *settled;
	unsigned news;
	struct netwatch_routes known;
};

static uint64_t mix(uint64_t hash, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ data[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
	return hash;
}

/* Of all that says where a route leads; how long it lives changes each time. */
static uint64_t route_hash(const struct rtmsg *m, const uint8_t *attrs,
			   size_t len)
{
	const uint8_t head[] = { m->rtm_family, m->rtm_table, m->rtm_scope };
	uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), head, sizeof(head));
	struct rtattr a;

	while (len >= sizeof(a)) {
		size_t step;

		memcpy(&a, attrs, sizeof(a));
		if (a.rta_len < sizeof(a) || a.rta_len > len)
			break;
		if (a.rta_type != RTA_CACHEINFO && a.rta_type != RTA_EXPIRES)
			hash = mix(hash, attrs, a.rta_len);
		step = RTA_ALIGN(a.rta_len);
		if (step > len)
			break;
		attrs += step;
		len -= step;
	}
	return hash != 0 ? hash : 1;
}

/* Another one than those that are known, or one of these gone? */
static bool is_other(struct netwatch_routes *known, uint64_t hash,
		     const struct nlmsghdr *h)
{
	const bool gone = h->nlmsg_type == RTM_DELROUTE;

	for (size_t i = 0; i < NETWATCH_ROUTES; i++) {
		if (known->hash[i] != hash)
			continue;
		if (gone)
			known->hash[i] = 0;
		return gone || !(h->nlmsg_flags & NLM_F_REPLACE);
	}
	if (!gone)
		known->hash[known->next++ % NETWATCH_ROUTES] = hash;
	return true;
}

static unsigned route_news(struct netwatch_routes *known,
			   const struct nlmsghdr *h, const uint8_t *payload)
{
	const size_t attrs = NLMSG_ALIGN(sizeof(struct rtmsg));
	struct rtmsg m;
	uint64_t hash;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(m)))
		return 0;
	memcpy(&m, payload, sizeof(m));
	/* Routes to somewhere are many people's business. */
	if (m.rtm_dst_len != 0 || m.rtm_type != RTN_UNICAST)
		return 0;
	/* Of IPv4 the kernel does not tell what went with an interface, so
	 * each may be a new one. */
	if (m.rtm_family != AF_INET6)
		return NETWATCH_ROUTE;
	hash = route_hash(&m, payload + attrs,
			  h->nlmsg_len - NLMSG_HDRLEN - attrs);
	return is_other(known, hash, h) ? NETWATCH_ROUTE : 0;
}

unsigned netwatch_read(struct netwatch_routes *known, const uint8_t *data,
		       size_t len)
{
	unsigned news = 0;

	while (len >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;
		size_t step;

		memcpy(&h, data, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len)
			break;
		if (h.nlmsg_type == RTM_NEWADDR || h.nlmsg_type == RTM_DELADDR)
			news |= NETWATCH_ADDRESS;
		else if (h.nlmsg_type == RTM_NEWROUTE ||
			 h.nlmsg_type == RTM_DELROUTE)
			news |= route_news(known, &h, data + NLMSG_HDRLEN);
		step = NLMSG_ALIGN(h.nlmsg_len);
		if (step > len)
			break;
		data += step;
		len -= step;
	}
	return news;
}

static void tell(struct netwatch *w)
{
	const unsigned news = w->news;

	w->news = 0;
	if (news != 0)
		w->fn(w->ctx, news & NETWATCH_ROUTE);
}

static void on_settled(evutil_socket_t fd, short what, void *ctx)
{
	struct netwatch *w = ctx;

	(void)fd;
	(void)what;
	tell(w);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	static const struct timeval settle = { 0, SETTLE_US };
	struct netwatch *w = ctx;

	(void)what;
	for (int i = 0; i < AT_ONCE; i++) {
		uint8_t buf[READ_MAX];
		struct sockaddr_nl from = { 0 };
		socklen_t from_len = sizeof(from);
		const ssize_t n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT,
					   (struct sockaddr *)&from, &from_len);

		if (n < 0 && errno == EINTR)
			continue;
		/* More happened than there was room to say. */
		if (n < 0 && errno == ENOBUFS) {
			w->news |= NETWATCH_ADDRESS | NETWATCH_ROUTE;
			memset(&w->known, 0, sizeof(w->known));
			continue;
		}
		if (n <= 0)
			break;
		/* Only the kernel is believed. */
		if (from.nl_pid == 0)
			w->news |= netwatch_read(&w->known, buf, (size_t)n);
	}
	if (w->news == 0 || event_pending(w->settled, EV_TIMEOUT, NULL))
		return;
	/* At once, before anything leaves from an address that has gone; what
	 * else belongs to it once more at the end. */
	(void)event_add(w->settled, &settle);
	tell(w);
}

static int subscribe(int *fd)
{
	const struct sockaddr_nl sa = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};

	*fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		     NETLINK_ROUTE);
	if (*fd < 0)
		return -errno;
	return bind(*fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0
		       ? 0
		       : -errno;
}

int netwatch_open(struct netwatch **out, struct event_base *base,
		  netwatch_fn fn, void *ctx)
{
	struct netwatch *w = calloc(1, sizeof(*w));
	int err;

	*out = NULL;
	if (!w)
		return -ENOMEM;
	w->fn = fn;
	w->ctx = ctx;
	err = subscribe(&w->fd);
	if (err == 0) {
		w->readable = event_new(base, w->fd, EV_READ | EV_PERSIST,
					on_readable, w);
		w->settled = event_new(base, -1, 0, on_settled, w);
		if (!w->readable || !w->settled ||
		    event_add(w->readable, NULL) != 0)
			err = -ENOMEM;
	}
	if (err != 0) {
		(void)netwatch_close(w);
		return err;
	}
	*out = w;
	return 0;
}

struct netwatch *netwatch_close(struct netwatch *w)
{
	if (!w)
		return NULL;
	if (w->readable)
		event_free(w->readable);
	if (w->settled)
		event_free(w->settled);
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w);
	return NULL;
}
