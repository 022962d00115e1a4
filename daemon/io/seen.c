/* SPDX-License-Identifier: MIT */

#include "daemon/io/seen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/addr.h"
#include "daemon/io/loop.h"
#include "daemon/io/udp_device.h"

#define BACKLOG 64
#define AT_ONCE 32 /* connections taken before others have their turn */
#define WAIT_S 5
#define LINE_MAX 80U

static int tcp_socket(const struct net_addr *a, const char *interface)
{
	const int fd = socket(net_addr_is_v4(a) ? AF_INET : AF_INET6,
			      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = udp_device_bind(fd, interface);
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

/* --- who answers -------------------------------------------------------- */

struct seen_server {
	int fd;
	struct event *ev;
	struct event *again;
};

/* One line fits into a new connection's buffer: there is nothing to wait for.
 */
static void answer(int fd, const struct sockaddr_storage *peer)
{
	char text[NET_ADDR_TEXT], line[LINE_MAX];
	struct net_addr a;
	int n;

	if (!net_addr_from_sockaddr((const struct sockaddr *)peer, &a))
		return;
	n = snprintf(line, sizeof(line), "%s\n", net_addr_format(&a, text));
	(void)!send(fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
}

/* What waits is not taken, and the socket would be readable for ever. */
static void pause_for_room(struct seen_server *s)
{
	static const struct timeval pause = { 1, 0 };

	(void)event_del(s->ev);
	(void)event_add(s->again, &pause);
}

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
	struct seen_server *s = ctx;

	(void)fd;
	(void)what;
	if (event_add(s->ev, NULL) != 0)
		pause_for_room(s);
}

static bool is_short_of_room(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS ||
	       err == ENOMEM;
}

static void on_connect(evutil_socket_t fd, short what, void *ctx)
{
	struct seen_server *s = ctx;

	(void)what;
	for (int i = 0; i < AT_ONCE; i++) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		const int c = accept4(fd, (struct sockaddr *)&peer, &len,
				      SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (c < 0) {
			if (is_short_of_room(errno))
				pause_for_room(s);
			return;
		}
		answer(c, &peer);
		close(c);
	}
}

static int listen_at(struct seen_server *s, const struct net_addr *at)
{
	const int on = 1;
	struct sockaddr_storage sa;
	const socklen_t len = net_addr_to_sockaddr(at, &sa);

	(void)setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!net_addr_is_v4(at))
		(void)setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				 sizeof(on));
	if (bind(s->fd, (const struct sockaddr *)&sa, len) != 0 ||
	    listen(s->fd, BACKLOG) != 0)
		return -errno;
	return 0;
}

int seen_server_open(struct seen_server **out, struct event_base *base,
		     const struct net_addr *at, const char *interface)
{
	struct seen_server *s = calloc(1, sizeof(*s));
	int err;

	*out = NULL;
	if (!s)
		return -ENOMEM;
	s->fd = tcp_socket(at, interface);
	err = s->fd < 0 ? s->fd : listen_at(s, at);
	if (err == 0) {
		s->ev = event_new(base, s->fd, EV_READ | EV_PERSIST, on_connect,
				  s);
		s->again = event_new(base, -1, 0, on_again, s);
		if (!s->ev || !s->again || event_add(s->ev, NULL) != 0)
			err = -ENOMEM;
		else
			(void)event_priority_set(s->ev, LOOP_LAST);
	}
	if (err != 0) {
		seen_server_close(s);
		return err;
	}
	*out = s;
	return 0;
}

struct seen_server *seen_server_close(struct seen_server *s)
{
	if (!s)
		return NULL;
	if (s->ev)
		event_free(s->ev);
	if (s->again)
		event_free(s->again);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return NULL;
}

/* --- who asks ----------------------------------------------------------- */

struct seen_client {
	int fd;
	struct event *ev;
	void (*fn)(void *ctx, const struct net_addr *seen);
	void *ctx;
};

static void on_answer(evutil_socket_t fd, short what, void *ctx)
{
	struct seen_client *c = ctx;
	char line[LINE_MAX];
	struct net_addr seen;
	ssize_t n = -1;

	if (what & EV_READ)
		n = recv(fd, line, sizeof(line) - 1, MSG_DONTWAIT);
	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	event_free(c->ev);
	c->ev = NULL;
	c->fn(c->ctx, net_addr_parse(line, 1, &seen) ? &seen : NULL);
}

struct seen_client *
seen_client_ask(struct event_base *base, const struct net_addr *server,
		const char *interface,
		void (*fn)(void *ctx, const struct net_addr *seen), void *ctx)
{
	const struct timeval wait = { WAIT_S, 0 };
	struct seen_client *c = calloc(1, sizeof(*c));
	struct sockaddr_storage sa;
	const socklen_t len = net_addr_to_sockaddr(server, &sa);

	if (!c)
		return NULL;
	c->fn = fn;
	c->ctx = ctx;
	c->fd = tcp_socket(server, interface);
	if (c->fd < 0 ||
	    (connect(c->fd, (const struct sockaddr *)&sa, len) != 0 &&
	     errno != EINPROGRESS))
		return seen_client_free(c);
	c->ev = event_new(base, c->fd, EV_READ, on_answer, c);
	if (!c->ev || event_add(c->ev, &wait) != 0)
		return seen_client_free(c);
	return c;
}

struct seen_client *seen_client_free(struct seen_client *c)
{
	if (!c)
		return NULL;
	if (c->ev)
		event_free(c->ev);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
	return NULL;
}
