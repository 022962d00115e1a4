/* SPDX-License-Identifier: MIT */

/* The table of clients: who is let in, and the end of all. */

#include "daemon/io/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/control_priv.h"

static struct client *client_slot(struct control *c)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (c->client[i].fd < 0)
			return &c->client[i];
	}
	return NULL;
}

static void turn_away(int fd)
{
	static const char full[] =
		"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":"
		"\"too many consoles are open already\"},\"id\":null}\n";

	(void)send(fd, full, sizeof(full) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval pause = { .tv_sec = 1 };
	struct control *c = arg;
	struct client *cl = client_slot(c);
	const int in = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (in < 0) {
		/* It stays readable: without descriptors this would spin. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS) {
			(void)event_del(c->accept);
			(void)event_add(c->again, &pause);
		}
		return;
	}
	if (!cl) {
		turn_away(in);
		return;
	}
	client_open(cl, in);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd;
	(void)what;
	(void)event_add(c->accept, NULL);
}

static int start_accepting(struct control *c)
{
	c->accept =
		event_new(c->base, c->fd, EV_READ | EV_PERSIST, on_accept, c);
	c->again = event_new(c->base, -1, 0, on_again, c);
	return c->accept && c->again && event_add(c->accept, NULL) == 0
		       ? 0
		       : -ENOMEM;
}

static int no_memory(char why[CONTROL_WHY_MAX], const char *path)
{
	(void)snprintf(why, CONTROL_WHY_MAX, "control socket %s: out of memory",
		       path);
	return -ENOMEM;
}

int control_open(struct control **out, struct event_base *base,
		 const struct control_cfg *cfg, char why[CONTROL_WHY_MAX])
{
	struct control *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return no_memory(why, cfg->path);
	c->cfg = *cfg;
	c->base = base;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		c->client[i].control = c;
		c->client[i].fd = -1;
	}
	c->fd = control_socket_listen(cfg->path, cfg->group, why);
	if (c->fd < 0) {
		const int err = c->fd;

		control_close(c);
		return err;
	}
	(void)snprintf(c->path, sizeof(c->path), "%s", cfg->path);
	if (start_accepting(c) != 0) {
		control_close(c);
		return no_memory(why, cfg->path);
	}
	*out = c;
	return 0;
}

struct control *control_close(struct control *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (c->client[i].fd >= 0)
			client_close(&c->client[i]);
	}
	if (c->accept)
		event_free(c->accept);
	if (c->again)
		event_free(c->again);
	if (c->fd >= 0)
		close(c->fd);
	if (c->path[0] != '\0')
		(void)unlink(c->path);
	free(c);
	return NULL;
}
