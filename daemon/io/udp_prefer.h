/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_UDP_PREFER_H
#define DAEMON_IO_UDP_PREFER_H

/*
 * Which of the two sockets on one port gets a datagram, by its source: a
 * classic BPF program that the kernel asks (socket(7)
 * SO_ATTACH_REUSEPORT_CBPF).  The second socket is for the peers of calls, so
 * that a flood fills the first one's buffer only.
 */

#include <stdbool.h>
#include <stddef.h>

#include "proto/net_path.h"

/*
 * Attach to the group of @fd, whose sockets were bound in this order, the
 * program for @peers (those of the other family are left out).  0 or -errno.
 */
int udp_prefer_attach(int fd, bool v6, const struct net_addr *peers, size_t n);

#endif
