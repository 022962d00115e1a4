/* SPDX-License-Identifier: MIT */

#include "daemon/io/udp_control.h"

#include <stdbool.h>
#include <string.h>

#define TURN_US 100
#define TRIES 4U
#define STAMP_AGE_MAX_US MONO_S /* what waited for longer was not: a step */

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Not with a turn of another program between them, which would count. */
struct udp_clocks udp_clocks_now(void)
{
	struct udp_clocks c;
	int64_t before;
	unsigned tries = 0;

	do {
		before = clock_us(CLOCK_MONOTONIC);
		c.wall_us = clock_us(CLOCK_REALTIME);
		c.mono = (mono_us)clock_us(CLOCK_MONOTONIC);
	} while ((int64_t)c.mono - before > TURN_US && ++tries < TRIES);
	return c;
}

static mono_us arrival(const struct udp_clocks *now, const void *stamp)
{
	struct timespec ts;
	int64_t age;

	memcpy(&ts, stamp, sizeof(ts));
	age = now->wall_us - ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	if (age < 0 || age > (int64_t)STAMP_AGE_MAX_US ||
	    (mono_us)age >= now->mono)
		return 0;
	return now->mono - (mono_us)age;
}

void udp_control_read(struct msghdr *h, const struct udp_clocks *now,
		      struct dgram *d)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		int hops = 0;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			d->path.local_ip[10] = 0xff;
			d->path.local_ip[11] = 0xff;
			memcpy(d->path.local_ip + 12, &info.ipi_spec_dst, 4);
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
			   c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			memcpy(d->path.local_ip, &info.ipi6_addr, 16);
		} else if ((c->cmsg_level == IPPROTO_IP &&
			    c->cmsg_type == IP_TTL) ||
			   (c->cmsg_level == IPPROTO_IPV6 &&
			    c->cmsg_type == IPV6_HOPLIMIT)) {
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
			d->ttl = (uint8_t)hops;
		} else if (c->cmsg_level == SOL_SOCKET &&
			   c->cmsg_type == SCM_TIMESTAMPNS) {
			d->arrived = arrival(now, CMSG_DATA(c));
		}
	}
}

static void put_control(struct msghdr *h, size_t *used, int level, int type,
			const void *data, size_t len)
{
	struct cmsghdr *c =
		(struct cmsghdr *)(void *)((char *)h->msg_control + *used);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	*used += CMSG_SPACE(len);
}

void udp_control_write(struct msghdr *h, const struct dgram *d)
{
	static const uint8_t none[16] = { 0 };
	const bool v4 = net_addr_is_v4(&d->path.peer);
	const int hops = d->ttl;
	size_t used = 0;

	memset(h->msg_control, 0, h->msg_controllen);
	if (memcmp(d->path.local_ip, none, sizeof(none)) == 0) {
		/* the kernel chooses */
	} else if (v4) {
		struct in_pktinfo info = { 0 };

		memcpy(&info.ipi_spec_dst, d->path.local_ip + 12, 4);
		put_control(h, &used, IPPROTO_IP, IP_PKTINFO, &info,
			    sizeof(info));
	} else {
		struct in6_pktinfo info = { 0 };

		memcpy(&info.ipi6_addr, d->path.local_ip, 16);
		put_control(h, &used, IPPROTO_IPV6, IPV6_PKTINFO, &info,
			    sizeof(info));
	}
	if (hops != 0)
		put_control(h, &used, v4 ? IPPROTO_IP : IPPROTO_IPV6,
			    v4 ? IP_TTL : IPV6_HOPLIMIT, &hops, sizeof(hops));
	h->msg_controllen = used;
	if (used == 0)
		h->msg_control = NULL;
}
