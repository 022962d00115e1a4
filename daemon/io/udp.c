/* SPDX-License-Identifier: MIT */

#include "daemon/io/udp.h"

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
#include "daemon/io/udp_prefer.h"
#include "daemon/io/udp_priv.h"

#define LOOK_S 1 /* between looks at the interface */
#define RCVBUF (4 * 1024 * 1024)
/* Some beats of a hub that speaks to a thousand; voice that waits for more than
 * that is too late. */
#define SNDBUF (2 * 1024 * 1024)

/* --- receiving ---------------------------------------------------------- */

static void deliver(struct udp *u, const struct sock *s, size_t i,
		    const struct udp_clocks *now)
{
	struct msghdr *h = &u->msg[i].msg_hdr;
	struct dgram d = {
		.path.sock = s->id,
		.data = u->data[i],
		.len = u->msg[i].msg_len,
	};

	u->n.rx++;
	if (d.len > DGRAM_MAX || (h->msg_flags & MSG_TRUNC)) {
		u->n.rx_oversize++;
		return;
	}
	if (!net_addr_from_sockaddr((const struct sockaddr *)&u->name[i],
				    &d.path.peer))
		return;
	udp_control_read(h, now, &d);
	if (u->watch)
		udp_show(u, s->fd, &d, false);
	u->cfg.on_dgram(u->cfg.ctx, &d);
}

static void prepare_rx(struct udp *u)
{
	for (size_t i = 0; i < BATCH; i++) {
		u->iov[i] = (struct iovec){ u->data[i], sizeof(u->data[i]) };
		u->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &u->name[i],
			.msg_namelen = sizeof(u->name[i]),
			.msg_iov = &u->iov[i],
			.msg_iovlen = 1,
			.msg_control = u->control[i].buf,
			.msg_controllen = sizeof(u->control[i].buf),
		};
	}
}

/* A batch; false: nothing was there. */
static bool receive(struct sock *s)
{
	struct udp *u = s->udp;
	struct udp_clocks now;
	int n;

	prepare_rx(u);
	n = recvmmsg(s->fd, u->msg, BATCH, MSG_DONTWAIT, NULL);
	now = udp_clocks_now();
	/* An error is an ICMP message about something sent: no concern. */
	for (int i = 0; i < n; i++)
		deliver(u, s, (size_t)i, &now);
	return n > 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct sock *s = arg;
	const struct udp *u = s->udp;

	(void)fd;
	(void)what;
	if (receive(s))
		u->cfg.on_batch(u->cfg.ctx);
}

void udp_receive_preferred(struct udp *u)
{
	for (size_t i = 0; i < SOCKS; i++) {
		if (u->preferred[i].fd >= 0)
			(void)receive(&u->preferred[i]);
	}
}

/* --- opening ------------------------------------------------------------ */

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static bool set_options(int fd, bool v6, bool stamps)
{
	if (stamps)
		(void)set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	(void)set_option(fd, SOL_SOCKET, SO_RCVBUF, RCVBUF);
	(void)set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF);
	(void)set_option(fd, SOL_SOCKET, SO_SNDBUF, SNDBUF);
	(void)set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, SNDBUF);
	if (v6)
		return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) == 0 &&
		       set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) == 0 &&
		       set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) == 0;
	return set_option(fd, IPPROTO_IP, IP_PKTINFO, 1) == 0 &&
	       set_option(fd, IPPROTO_IP, IP_RECVTTL, 1) == 0;
}

int udp_sock_open(struct udp *u, struct sock *s, const struct net_addr *at,
		  bool second)
{
	const bool v6 = !net_addr_is_v4(at);
	struct sockaddr_storage sa;
	const socklen_t len = net_addr_to_sockaddr(at, &sa);
	const int fd = socket(v6 ? AF_INET6 : AF_INET,
			      SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = udp_device_bind(fd, u->cfg.interface);
	if (err != 0) {
		close(fd);
		return err;
	}
	if (!set_options(fd, v6, u->cfg.stamps) ||
	    (second && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0) ||
	    bind(fd, (const struct sockaddr *)&sa, len) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	s->udp = u;
	s->fd = fd;
	memcpy(s->ip, at->ip, sizeof(s->ip));
	s->ev = event_new(u->base, fd, EV_READ | EV_PERSIST, on_readable, s);
	if (!s->ev || event_add(s->ev, NULL) != 0) {
		if (s->ev)
			event_free(s->ev);
		s->ev = NULL;
		s->fd = -1;
		close(fd);
		return -ENOMEM;
	}
	return 0;
}

void udp_sock_close(struct sock *s)
{
	if (s->fd < 0)
		return;
	event_free(s->ev);
	close(s->fd);
	s->fd = -1;
	s->ev = NULL;
}

/* The address of a family that the configuration wants. */
static bool configured(const struct udp *u, size_t which, struct net_addr *at)
{
	const char *bind = which == SOCK4 ? u->cfg.bind4 : u->cfg.bind6;

	return net_addr_parse(bind, u->cfg.port, at) &&
	       net_addr_is_v4(at) == (which == SOCK4);
}

static int explain(int err, const char *bind, uint16_t port,
		   char why[UDP_WHY_MAX])
{
	if (err == -EPERM)
		(void)snprintf(why, UDP_WHY_MAX,
			       "no permission to use one interface alone: it "
			       "takes CAP_NET_RAW, or Linux 5.7");
	else if (err == -EADDRINUSE)
		(void)snprintf(why, UDP_WHY_MAX,
			       "UDP port %u is in use by another program",
			       (unsigned)port);
	else if (err == -EADDRNOTAVAIL)
		(void)snprintf(why, UDP_WHY_MAX,
			       "%s is not an address of this machine", bind);
	else if (err == -EACCES)
		(void)snprintf(why, UDP_WHY_MAX,
			       "no permission to use UDP port %u",
			       (unsigned)port);
	else
		(void)snprintf(why, UDP_WHY_MAX,
			       "cannot open UDP %s port %u: %s", bind,
			       (unsigned)port, strerror(-err));
	return err;
}

static int open_family(struct udp *u, size_t which, const char *bind,
		       char why[UDP_WHY_MAX])
{
	struct net_addr at;
	int err;

	if (bind[0] == '\0')
		return 0;
	if (!configured(u, which, &at)) {
		(void)snprintf(why, UDP_WHY_MAX, "%s is not an IPv%c address",
			       bind, which == SOCK4 ? '4' : '6');
		return -EINVAL;
	}
	err = udp_sock_open(u, &u->main[which], &at, false);
	/* A machine without IPv6 is no fault. */
	if (err == -EAFNOSUPPORT && which == SOCK6)
		return 0;
	if (err != 0)
		return explain(err, bind, u->cfg.port, why);
	/* Calls, timers and the operator come before strangers. */
	(void)event_priority_set(u->main[which].ev, LOOP_LAST);
	return 0;
}

static int open_port(struct udp *u, char why[UDP_WHY_MAX])
{
	int err = open_family(u, SOCK4, u->cfg.bind4, why);

	if (err == 0)
		err = open_family(u, SOCK6, u->cfg.bind6, why);
	if (err == 0 && u->main[SOCK4].fd < 0 && u->main[SOCK6].fd < 0) {
		(void)snprintf(why, UDP_WHY_MAX,
			       "neither IPv4 nor IPv6 can be used");
		err = -EAFNOSUPPORT;
	}
	return err;
}

static void close_port(struct udp *u)
{
	for (size_t i = 0; i < SOCKS; i++) {
		udp_sock_close(&u->main[i]);
		udp_sock_close(&u->preferred[i]);
	}
}

/* --- one interface ------------------------------------------------------ */

/* Where it was, so that the mapping of a NAT holds. */
static void move_extra(struct udp *u, struct sock *s)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct net_addr at;
	const bool known =
		getsockname(s->fd, (struct sockaddr *)&sa, &len) == 0 &&
		net_addr_from_sockaddr((const struct sockaddr *)&sa, &at);

	udp_sock_close(s);
	if (known)
		(void)udp_sock_open(u, s, &at, false);
}

/*
 * A socket stays bound to the index that the interface had, and only root may
 * bind it to another: so they are opened anew.
 */
static int open_on(struct udp *u, unsigned device, char why[UDP_WHY_MAX])
{
	const size_t n = u->prefer_n;
	struct net_addr peers[UDP_PREFER_MAX];
	int err;

	close_port(u);
	u->device = 0;
	err = open_port(u, why);
	if (err != 0) {
		close_port(u);
		return err;
	}
	for (size_t i = 0; i < EXTRA_MAX; i++) {
		if (u->extra[i].fd >= 0)
			move_extra(u, &u->extra[i]);
	}
	memcpy(peers, u->prefer, sizeof(peers));
	u->prefer_n = 0;
	(void)udp_prefer(u, peers, n);
	u->device = device;
	return 0;
}

/* 0 when the interface is in use. */
static int use_interface(struct udp *u, char why[UDP_WHY_MAX])
{
	const unsigned device = udp_device_index(u->cfg.interface);

	why[0] = '\0';
	if (device == 0) {
		u->device = 0;
		(void)snprintf(why, UDP_WHY_MAX,
			       "there is no interface %.20s: waiting for it",
			       u->cfg.interface);
		return -ENODEV;
	}
	return device == u->device ? 0 : open_on(u, device, why);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct udp *u = arg;
	const unsigned before = u->device;
	char why[UDP_WHY_MAX];

	(void)fd;
	(void)what;
	(void)use_interface(u, why);
	if (before == u->device && strcmp(why, u->why) == 0)
		return;
	memcpy(u->why, why, sizeof(why));
	if (u->cfg.on_interface)
		u->cfg.on_interface(u->cfg.ctx, why[0] ? why : NULL);
}

/*
 * An interface that is missing, or has no address yet, may come: a tunnel or a
 * hotspot that is up later than the daemon.  The radio works meanwhile.
 */
static int start_on_interface(struct udp *u, char why[UDP_WHY_MAX])
{
	const struct timeval again = { LOOK_S, 0 };
	const int err = use_interface(u, why);

	memcpy(u->why, why, sizeof(u->why));
	if (err != 0 && err != -ENODEV && err != -EADDRNOTAVAIL)
		return err;
	u->look = event_new(u->base, -1, EV_PERSIST, on_look, u);
	if (u->look && event_add(u->look, &again) == 0)
		return 0;
	(void)snprintf(why, UDP_WHY_MAX, "out of memory");
	return -ENOMEM;
}

int udp_open(struct udp **out, struct event_base *base,
	     const struct udp_cfg *cfg, char why[UDP_WHY_MAX])
{
	struct udp *u = calloc(1, sizeof(*u));
	int err;

	*out = NULL;
	if (!u) {
		(void)snprintf(why, UDP_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	why[0] = '\0';
	u->cfg = *cfg;
	u->base = base;
	for (size_t i = 0; i < SOCKS; i++) {
		u->main[i].fd = -1;
		u->preferred[i].fd = -1;
	}
	for (size_t i = 0; i < EXTRA_MAX; i++) {
		u->extra[i].fd = -1;
		u->extra[i].id = (uint16_t)(i + 1);
	}
	err = cfg->interface && cfg->interface[0] ? start_on_interface(u, why)
						  : open_port(u, why);
	if (err != 0) {
		udp_close(u);
		return err;
	}
	*out = u;
	return 0;
}

struct udp *udp_close(struct udp *u)
{
	if (!u)
		return NULL;
	if (u->look)
		event_free(u->look);
	close_port(u);
	for (size_t i = 0; i < EXTRA_MAX; i++)
		udp_sock_close(&u->extra[i]);
	free(u);
	return NULL;
}

/* --- preferred peers ---------------------------------------------------- */

/*
 * A second socket on the port.  The first was bound alone, so that no other
 * program's is joined by mistake.
 */
static int second_socket(struct udp *u, size_t which)
{
	struct net_addr at;

	if (u->preferred[which].fd >= 0)
		return 0;
	if (!configured(u, which, &at) ||
	    set_option(u->main[which].fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0)
		return -EINVAL;
	return udp_sock_open(u, &u->preferred[which], &at, true);
}

int udp_prefer(struct udp *u, const struct net_addr *peers, size_t n)
{
	int err = 0;

	n = n < UDP_PREFER_MAX ? n : UDP_PREFER_MAX;
	if (n == u->prefer_n &&
	    (n == 0 || memcmp(peers, u->prefer, n * sizeof(peers[0])) == 0))
		return 0;
	for (size_t i = 0; i < SOCKS && err == 0; i++) {
		if (u->main[i].fd < 0)
			continue;
		err = second_socket(u, i);
		if (err == 0)
			err = udp_prefer_attach(u->main[i].fd, i == SOCK6,
						peers, n);
	}
	if (err != 0)
		return err;
	u->prefer_n = n;
	if (n > 0)
		memcpy(u->prefer, peers, n * sizeof(peers[0]));
	return 0;
}

const struct udp_counters *udp_counters(const struct udp *u)
{
	return &u->n;
}
