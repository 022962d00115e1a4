/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_UDP_PRIV_H
#define DAEMON_IO_UDP_PRIV_H

/* What the parts of the sockets share: opening and receiving (udp.c), sending
 * and watching (udp_send.c), extra sockets (udp_extra.c). */

#include <event2/event.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "daemon/io/udp.h"
#include "daemon/io/udp_control.h"

#define BATCH 64U
#define SLACK 1U /* one octet more shows a datagram that is too long */
#define EXTRA_MAX 1024U

enum { SOCK4, SOCK6, SOCKS };

struct sock {
	struct udp *udp;
	struct event *ev;
	int fd;         /* -1: not open */
	uint16_t id;    /* net_path.sock */
	uint8_t ip[16]; /* that it is bound to, or any */
};

struct udp {
	struct udp_cfg cfg;
	struct event_base *base;
	struct sock main[SOCKS];
	struct sock preferred[SOCKS]; /* on the same port, for some peers */
	struct net_addr prefer[UDP_PREFER_MAX];
	size_t prefer_n;
	struct event *look;    /* NULL: any interface */
	unsigned device;       /* index that the sockets are bound to, or 0 */
	char why[UDP_WHY_MAX]; /* what was said last of the interface */
	struct sock extra[EXTRA_MAX]; /* ids from 1 */
	struct udp_counters n;
	void (*watch)(void *ctx, const struct udp_seen *s); /* NULL: nobody */
	void *watch_ctx;
	/* One batch, in either direction. */
	uint8_t data[BATCH][DGRAM_MAX + SLACK];
	struct sockaddr_storage name[BATCH];
	struct udp_control control[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH];
	struct dgram sent[BATCH]; /* without its data */
};

/* Bound at @at; @second joins a port that is ours.  0 or -errno. */
int udp_sock_open(struct udp *u, struct sock *s, const struct net_addr *at,
		  bool second);
void udp_sock_close(struct sock *s);
/* Show the watcher a datagram of socket @fd; there is one. */
void udp_show(const struct udp *u, int fd, const struct dgram *d, bool sent);

#endif
