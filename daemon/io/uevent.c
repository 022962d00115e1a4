/* SPDX-License-Identifier: MIT */

#include "daemon/io/uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KERNEL_GROUP 1U
#define UDEV_GROUP 2U
#define READ_MAX 4096U
/* Messages before others have their turn. */
#define AT_ONCE 64

struct uevent {
	uevent_fn fn;
	void *ctx;
	int fd;
	struct event *readable;
};

/* Both senders' messages are texts that each end with a NUL, after a head. */
bool uevent_matters(const uint8_t *msg, size_t len)
{
	static const char *const of[] = { "SUBSYSTEM=usb", "SUBSYSTEM=sound" };

	while (len > 0) {
		const uint8_t *nul = memchr(msg, 0, len);
		const size_t n = nul ? (size_t)(nul - msg) : len;

		for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
			if (n == strlen(of[i]) && memcmp(msg, of[i], n) == 0)
				return true;
		if (!nul)
			break;
		msg += n + 1;
		len -= n + 1;
	}
	return false;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct uevent *u = ctx;
	bool any = false;

	(void)what;
	for (int i = 0; i < AT_ONCE; i++) {
		uint8_t buf[READ_MAX];
		const ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		/* ENOBUFS: more happened than there was room to say. */
		if (n < 0 && errno == ENOBUFS)
			any = true;
		else if (n < 0)
			break;
		else
			any = uevent_matters(buf, (size_t)n) || any;
	}
	if (any)
		u->fn(u->ctx);
}

static int subscribe(int *fd)
{
	const struct sockaddr_nl sa = { .nl_family = AF_NETLINK,
					.nl_groups =
						KERNEL_GROUP | UDEV_GROUP };

	*fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		     NETLINK_KOBJECT_UEVENT);
	if (*fd < 0)
		return -errno;
	return bind(*fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0
		       ? 0
		       : -errno;
}

int uevent_open(struct uevent **out, struct event_base *base, uevent_fn fn,
		void *ctx)
{
	struct uevent *u = calloc(1, sizeof(*u));
	int err;

	*out = NULL;
	if (!u)
		return -ENOMEM;
	u->fn = fn;
	u->ctx = ctx;
	err = subscribe(&u->fd);
	if (err == 0) {
		u->readable = event_new(base, u->fd, EV_READ | EV_PERSIST,
					on_readable, u);
		if (!u->readable || event_add(u->readable, NULL) != 0)
			err = -ENOMEM;
	}
	if (err != 0) {
		(void)uevent_close(u);
		return err;
	}
	*out = u;
	return 0;
}

struct uevent *uevent_close(struct uevent *u)
{
	if (!u)
		return NULL;
	if (u->readable)
		event_free(u->readable);
	if (u->fd >= 0)
		(void)close(u->fd);
	free(u);
	return NULL;
}
