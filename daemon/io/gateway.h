/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_GATEWAY_H
#define DAEMON_IO_GATEWAY_H

/*
 * The router that this machine sends to the Internet through, and the address
 * that it sends from: what the kernel (rtnetlink) would do for the anycast
 * addresses of PCP (RFC 7723), so policy routing counts.
 */

#include <stdbool.h>

#include "proto/net_path.h"

struct gateway {
	bool found;
	struct net_addr router; /* port 0 */
	struct net_addr own;    /* port 0 */
	unsigned device;        /* interface index */
};

/* @family: AF_INET or AF_INET6; @interface: that alone, NULL or empty for any.
 * False, and not found: there is no way, or no router on it. */
bool gateway_find(int family, const char *interface, struct gateway *out);

#endif
