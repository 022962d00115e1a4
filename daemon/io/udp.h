/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_UDP_H
#define DAEMON_IO_UDP_H

/*
 * The IAX2 port: an IPv4 and an IPv6 UDP socket, read and written in batches
 * (recvmmsg, sendmmsg).  An answer leaves from the local address that was
 * asked (struct net_path).  Extra sockets on ports of the kernel's choice
 * serve port probing.
 *
 * With an interface named, all of them use that one alone.  It may be missing:
 * then nothing is sent or heard until it is there, under whatever index.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/dgram.h"

#define UDP_WHY_MAX 160U
#define UDP_PREFER_MAX 80U

struct udp;

struct udp_cfg {
	const char *bind4; /* address; empty: no IPv4 */
	const char *bind6; /* address; empty: no IPv6 */
	uint16_t port;
	const char *interface; /* NULL or empty: any */
	bool stamps;           /* the kernel says when a datagram came */
	/* One datagram, borrowed; it must not send: what was received lies in
	 * the memory that sending uses.  After a batch, on_batch once: it may
	 * send, and open and close extra sockets. */
	void (*on_dgram)(void *ctx, const struct dgram *d);
	void (*on_batch)(void *ctx);
	/* The interface has gone or cannot be used, as @why says, or it can
	 * again: NULL.  Not from within udp_open(); may be NULL. */
	void (*on_interface)(void *ctx, const char *why);
	void *ctx;
};

struct udp_counters {
	uint64_t rx;
	uint64_t rx_oversize; /* longer than DGRAM_MAX: dropped */
	uint64_t tx;
	uint64_t tx_unreachable; /* no route, or no socket of that family */
	uint64_t tx_blocked;     /* the socket's buffer was full */
	uint64_t tx_failed;      /* any other error */
};

/* 0 and *@out, or -errno with a sentence in @why.  An interface that is not
 * there yet is no error; @why says that it is waited for, or is empty. */
int udp_open(struct udp **out, struct event_base *base,
	     const struct udp_cfg *cfg, char why[UDP_WHY_MAX]);
/* Accepts NULL, returns NULL. */
struct udp *udp_close(struct udp *u);

/*
 * Send all that @next gives, until it is false; what cannot be sent is counted
 * and dropped.  A local address that has gone is left out, the ttl stays.
 */
void udp_send(struct udp *u, bool (*next)(void *ctx, struct dgram *out),
	      void *ctx);
/*
 * What these peers send from now on has a receive buffer of its own, and is
 * read before what strangers send: a flood does not displace it.  At most
 * UDP_PREFER_MAX; the rest counts as strangers.  0 or -errno: then some may be
 * treated as before, and all are still heard.  The same peers again cost
 * nothing.
 */
int udp_prefer(struct udp *u, const struct net_addr *peers, size_t n);
/* What waits from them is delivered now, without on_batch; not from within
 * on_dgram. */
void udp_receive_preferred(struct udp *u);
const struct udp_counters *udp_counters(const struct udp *u);

/* A datagram that came in, or that is handed to the kernel; borrowed. */
struct udp_seen {
	bool sent;
	struct net_addr local;
	struct net_addr peer;
	uint8_t ttl; /* 0: unknown, or the kernel's default */
	const uint8_t *data;
	size_t len;
};

/* Show every datagram to @fn as well, until it is NULL.  It must not send. */
void udp_watch(struct udp *u, void (*fn)(void *ctx, const struct udp_seen *s),
	       void *ctx);

/*
 * Open up to @n extra IPv4 sockets.  Their ids (net_path.sock) are
 * consecutive from *@first; returns how many there are, which is less than @n
 * when the kernel has no more, or no such row of ids is free.
 */
uint16_t udp_extra_open(struct udp *u, uint16_t n, uint16_t *first);
/* The same for IPv6. */
uint16_t udp_extra_open6(struct udp *u, uint16_t n, uint16_t *first);
/* One at an address and port of the caller's choice.  0 or -errno. */
int udp_extra_listen(struct udp *u, const struct net_addr *at, uint16_t *sock);
/* Our port of extra socket @sock; 0: unknown. */
uint16_t udp_extra_port(const struct udp *u, uint16_t sock);
/* Close the extra sockets that @keep does not want. */
void udp_extra_close(struct udp *u, bool (*keep)(void *ctx, uint16_t sock),
		     void *ctx);

#endif
