/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_UDP_DEVICE_H
#define DAEMON_IO_UDP_DEVICE_H

/*
 * A socket that uses one network interface alone, for what it sends and what
 * it hears (SO_BINDTODEVICE, socket(7)).
 */

/* The interface's index; 0: there is none of that name. */
unsigned udp_device_index(const char *name);
/* 0 or -errno: -ENODEV when there is none, -EPERM when that is not for us.
 * NULL or empty: any interface, nothing is done. */
int udp_device_bind(int fd, const char *name);

#endif
