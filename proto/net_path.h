/* SPDX-License-Identifier: MIT */
#ifndef PROTO_NET_PATH_H
#define PROTO_NET_PATH_H

/*
 * Addresses as this room sees them: compared, copied and carried in
 * elements; never resolved and never given to a socket.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* An IPv4 address is stored mapped, ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
struct net_addr {
	uint8_t ip[16];
	uint16_t port; /* host order; 0 with an all-zero ip means "none" */
};

/*
 * Where a datagram came from and which of our own ends it met.  An answer
 * goes out on the path its question came in on, so a host with several
 * addresses answers from the one that was asked.
 */
struct net_path {
	struct net_addr peer;
	uint8_t local_ip[16]; /* our end; all zero: the kernel chooses */
	uint16_t sock;        /* the daemon's socket; 0 is the IAX2 port */
};

/* Leave our end to the kernel: what it was may be no address of ours now. */
static inline void net_path_unpin(struct net_path *p)
{
	memset(p->local_ip, 0, sizeof(p->local_ip));
}

static inline bool net_addr_is_v4(const struct net_addr *a)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0,    0,
					    0, 0, 0, 0, 0xff, 0xff };

	return memcmp(a->ip, mapped, sizeof(mapped)) == 0;
}

static inline struct net_addr net_addr_v4(uint8_t a, uint8_t b, uint8_t c,
					  uint8_t d, uint16_t port)
{
	return (struct net_addr){
		.ip = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d },
		.port = port,
	};
}

/* The addresses that share their first @bits bits, 0..128, with @addr; an IPv4
 * prefix counts the 96 bits of its mapping too. */
struct net_prefix {
	struct net_addr addr; /* port 0 */
	uint8_t bits;
};

/* Is @a in one of @n prefixes? */
static inline bool net_prefix_has(const struct net_prefix *p, size_t n,
				  const struct net_addr *a)
{
	for (size_t i = 0; i < n; i++) {
		const size_t whole = p[i].bits / 8;
		const unsigned rest = p[i].bits % 8;

		if (memcmp(p[i].addr.ip, a->ip, whole) == 0 &&
		    (rest == 0 ||
		     (p[i].addr.ip[whole] ^ a->ip[whole]) >> (8 - rest) == 0))
			return true;
	}
	return false;
}

static inline bool net_addr_is_set(const struct net_addr *a)
{
	return a->port != 0;
}

static inline bool net_addr_equal(const struct net_addr *a,
				  const struct net_addr *b)
{
	return a->port == b->port && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

/* One that only means something together with an interface (RFC 4291 2.5.6),
 * which a struct net_addr has not. */
static inline bool net_addr_is_link_local(const struct net_addr *a)
{
	return a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

/* Octets of @a that name its subscriber: a whole IPv4 address, an IPv6 /64
 * (RFC 6177). */
static inline size_t net_addr_net_len(const struct net_addr *a)
{
	return net_addr_is_v4(a) ? 16 : 8;
}

static inline bool net_addr_same_ip(const struct net_addr *a,
				    const struct net_addr *b)
{
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

#endif
