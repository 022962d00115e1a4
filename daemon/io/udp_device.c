/* SPDX-License-Identifier: MIT */

#include "daemon/io/udp_device.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

unsigned udp_device_index(const char *name)
{
	return if_nametoindex(name);
}

int udp_device_bind(int fd, const char *name)
{
	if (!name || name[0] == '\0')
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name,
		       (socklen_t)strlen(name)) != 0)
		return -errno;
	return 0;
}
