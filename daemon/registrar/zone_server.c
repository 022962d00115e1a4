/* SPDX-License-Identifier: MIT */

#include "daemon/registrar/zone_server.h"

#include "config/conf_key.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/io/addr.h"
#include "daemon/io/loop.h"
#include "daemon/registrar/online.h"
#include "daemon/registrar/zone_wire.h"
#include "proto/rate.h"

#define AT_ONCE 64  /* datagrams taken before others have their turn */
#define CLIENTS 32U /* by TCP */
#define CLIENT_S 10 /* seconds that one of them has in all */
#define BACKLOG 16
#define ASKED_MAX 2048U /* octets that wait for an answer */

/* A resolver that thousands share asks for each number twice a minute. */
static const struct rate_limit limit = { 1200, 200 };
static const struct rate_limit tcp_limit = { 120, 20 };

struct client {
	struct zone_server *server;
	struct bufferevent *bev; /* NULL: free */
	struct event *end;
};

struct zone_server {
	struct oo_registrar *registrar;
	char domain[CONF_ZONE_MAX + 1];
	struct event_base *base;
	int fd;
	struct event *ev;
	struct evconnlistener *tcp;
	struct client client[CLIENTS];
	struct rate_table *networks;
	struct rate_table *tcp_networks;
	bool slip;
	uint64_t questions;
	uint64_t by_tcp;
	uint64_t limited;
	uint64_t silent; /* met with silence */
};

/* Its network, where it can be made up. */
static struct net_addr network(const struct net_addr *a)
{
	struct net_addr n = *a;

	if (net_addr_is_v4(a))
		n.ip[15] = 0;
	return n;
}

static size_t answer(struct zone_server *s, const uint8_t *data,
		     const struct zone_question *q, uint8_t *out, size_t cap)
{
	char key[CONF_KEY_TEXT_LEN];
	const struct oo_record *rec = NULL;
	struct zone_node node = { 0 };
	struct net_addr at;

	s->questions++;
	if (q->number[0] != '\0') {
		if (online_find(s->registrar, q->number, loop_now(), &at))
			node.at = &at;
		rec = oo_directory_by_number(
			oo_registrar_directory(s->registrar), q->number);
	}
	if (rec) {
		conf_key_encode(rec->key, key);
		node.key = key;
	}
	return zone_answer(data, q, &node, out, cap);
}

/* --- UDP ---------------------------------------------------------------- */

/* A datagram, and the end of ours that it came to. */
struct packet {
	struct sockaddr_in from;
	struct iovec iov;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(
		sizeof(struct in_pktinfo))];
	struct msghdr msg;
	uint8_t data[ZONE_UDP_MAX];
};

static ssize_t receive(int fd, struct packet *p)
{
	p->iov = (struct iovec){ p->data, sizeof(p->data) };
	p->msg = (struct msghdr){ .msg_name = &p->from,
				  .msg_namelen = sizeof(p->from),
				  .msg_iov = &p->iov,
				  .msg_iovlen = 1,
				  .msg_control = p->control,
				  .msg_controllen = sizeof(p->control) };
	return recvmsg(fd, &p->msg, MSG_DONTWAIT | MSG_TRUNC);
}

/* From the address that was asked: pktinfo goes back as it came, but for the
 * interface, which the way to the asker may not be. */
static void reply(int fd, struct packet *p, uint8_t *out, size_t len)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(&p->msg);
	struct iovec iov = { out, len };
	struct msghdr msg = p->msg;
	struct in_pktinfo info;

	if (c && c->cmsg_type == IP_PKTINFO) {
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		info.ipi_ifindex = 0;
		info.ipi_spec_dst = info.ipi_addr;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
	msg.msg_iov = &iov;
	msg.msg_flags = 0;
	(void)!sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void on_packet(struct zone_server *s, struct packet *p, size_t len)
{
	uint8_t out[ZONE_UDP_MAX];
	struct zone_question q;
	struct net_addr from;
	size_t n;

	if (len > sizeof(p->data) ||
	    !net_addr_from_sockaddr((struct sockaddr *)&p->from, &from) ||
	    !zone_read(p->data, len, s->domain, &q)) {
		s->silent++;
		return;
	}
	from = network(&from);
	if (rate_table_take(s->networks, &from, loop_now())) {
		n = answer(s, p->data, &q, out, sizeof(out));
	} else {
		s->limited++;
		s->slip = !s->slip;
		n = s->slip ? zone_truncated(p->data, &q, out, sizeof(out)) : 0;
	}
	if (n > 0)
		reply(s->fd, p, out, n);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct packet p;

	(void)what;
	for (int i = 0; i < AT_ONCE; i++) {
		const ssize_t n = receive(fd, &p);

		if (n < 0)
			return;
		on_packet(ctx, &p, (size_t)n);
	}
}

/* --- TCP (RFC 1035 4.2.2) ------------------------------------------------ */

static void client_end(struct client *c)
{
	if (c->bev)
		bufferevent_free(c->bev);
	if (c->end)
		event_free(c->end);
	c->bev = NULL;
	c->end = NULL;
}

static void on_end(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	client_end(ctx);
}

static void on_client_event(struct bufferevent *bev, short what, void *ctx)
{
	(void)bev;
	(void)what;
	client_end(ctx);
}

/* False when the client has to go. */
static bool one_question(struct client *c, struct evbuffer *in, size_t len)
{
	uint8_t data[2 + ZONE_UDP_MAX], out[2 + ZONE_UDP_MAX];
	struct zone_server *s = c->server;
	struct zone_question q;
	size_t n;

	(void)evbuffer_remove(in, data, 2 + len);
	if (!zone_read(data + 2, len, s->domain, &q)) {
		s->silent++;
		return false;
	}
	s->by_tcp++;
	n = answer(s, data + 2, &q, out + 2, ZONE_UDP_MAX);
	out[0] = (uint8_t)(n >> 8);
	out[1] = (uint8_t)n;
	/* Who asks and does not listen is not asked to. */
	return evbuffer_get_length(bufferevent_get_output(c->bev)) < 4096 &&
	       bufferevent_write(c->bev, out, 2 + n) == 0;
}

static void on_client_data(struct bufferevent *bev, void *ctx)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	uint8_t head[2];

	while (evbuffer_copyout(in, head, 2) == 2) {
		const size_t len = (size_t)head[0] << 8 | head[1];

		if (len <= ZONE_UDP_MAX && evbuffer_get_length(in) < 2 + len)
			return;
		if (len > ZONE_UDP_MAX || !one_question(ctx, in, len)) {
			client_end(ctx);
			return;
		}
	}
}

static bool client_begin(struct zone_server *s, struct client *c,
			 evutil_socket_t fd)
{
	static const struct timeval in_all = { CLIENT_S, 0 };

	c->server = s;
	c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev)
		return false;
	c->end = event_new(s->base, -1, 0, on_end, c);
	bufferevent_setcb(c->bev, on_client_data, NULL, on_client_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, ASKED_MAX);
	if (!c->end || event_add(c->end, &in_all) != 0 ||
	    bufferevent_enable(c->bev, EV_READ | EV_WRITE) != 0)
		client_end(c);
	return true; /* its socket is its own */
}

static struct client *free_client(struct zone_server *s)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		if (!s->client[i].bev)
			return &s->client[i];
	}
	return NULL;
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd,
		      struct sockaddr *sa, int len, void *ctx)
{
	struct zone_server *s = ctx;
	struct client *c = free_client(s);
	struct net_addr from;

	(void)l;
	(void)len;
	if (!c || !net_addr_from_sockaddr(sa, &from) ||
	    !rate_table_take(s->tcp_networks, &from, loop_now())) {
		s->limited++;
		close(fd);
		return;
	}
	if (!client_begin(s, c, fd))
		close(fd);
}

/* --- start and end ------------------------------------------------------ */

static int open_udp(struct zone_server *s, const struct sockaddr_in *at)
{
	const int on = 1;

	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 ||
	    setsockopt(s->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) != 0 ||
	    bind(s->fd, (const struct sockaddr *)at, sizeof(*at)) != 0)
		return -errno;
	s->ev = event_new(s->base, s->fd, EV_READ | EV_PERSIST, on_readable, s);
	return s->ev && event_add(s->ev, NULL) == 0 ? 0 : -ENOMEM;
}

static int open_tcp(struct zone_server *s, const struct sockaddr_in *at)
{
	errno = 0;
	s->tcp = evconnlistener_new_bind(
		s->base, on_accept, s,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
			LEV_OPT_REUSEABLE,
		BACKLOG, (const struct sockaddr *)at, sizeof(*at));
	if (s->tcp)
		return 0;
	return errno != 0 ? -errno : -ENOMEM;
}

int zone_server_open(struct zone_server **out, struct event_base *base,
		     struct oo_registrar *registrar,
		     const struct conf_registrar *conf, char why[ZONE_WHY_MAX])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)conf->dns.port) };
	struct zone_server *s;
	uint8_t key[16];
	int err;

	*out = NULL;
	if (conf->dns.port == 0)
		return 0;
	s = calloc(1, sizeof(*s));
	*out = s;
	(void)snprintf(why, ZONE_WHY_MAX, "out of memory");
	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->base = base;
	s->registrar = registrar;
	(void)snprintf(s->domain, sizeof(s->domain), "%s", conf->dns.domain);
	randombytes_buf(key, sizeof(key));
	s->networks = rate_table_new(16384, limit, key);
	s->tcp_networks = rate_table_new(4096, tcp_limit, key);
	if (!s->networks || !s->tcp_networks)
		return -ENOMEM;
	(void)inet_pton(AF_INET, conf->dns.address, &at.sin_addr);
	err = open_udp(s, &at);
	if (err == 0)
		err = open_tcp(s, &at);
	if (err != 0)
		(void)snprintf(why, ZONE_WHY_MAX, "dns.port %u: %s",
			       (unsigned)conf->dns.port, strerror(-err));
	return err;
}

struct zone_server *zone_server_close(struct zone_server *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < CLIENTS; i++)
		client_end(&s->client[i]);
	if (s->tcp)
		evconnlistener_free(s->tcp);
	if (s->ev)
		event_free(s->ev);
	if (s->fd >= 0)
		close(s->fd);
	rate_table_free(s->networks);
	rate_table_free(s->tcp_networks);
	free(s);
	return NULL;
}

json_t *zone_server_json(const struct zone_server *s)
{
	if (!s)
		return json_pack("{s:b}", "enabled", 0);
	return json_pack("{s:b, s:I, s:I, s:I, s:I}", "enabled", 1, "questions",
			 (json_int_t)s->questions, "by_tcp",
			 (json_int_t)s->by_tcp, "limited",
			 (json_int_t)s->limited, "silent",
			 (json_int_t)s->silent);
}
