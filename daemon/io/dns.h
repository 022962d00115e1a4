/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_DNS_H
#define DAEMON_IO_DNS_H

/*
 * DNS with c-ares on the event loop: addresses, SRV (RFC 2782) and TXT records
 * of a name.  Nothing blocks, and nothing is called back from within the call.
 * Answers are believed when the server that was asked sent them, to the port
 * and with the number of the question; a liar among the servers, or in the way
 * to them, is not found out.
 */

#include <stdint.h>

#include "daemon/io/resolve.h"

#define DNS_SRV_MAX 8U
#define DNS_TXT_MAX 8U
#define DNS_TXT_LEN 255U /* octets of a record that are kept */
#define DNS_HOST_LEN 254U
#define DNS_WHY_MAX 80U

enum dns_kind { DNS_ADDRESSES, DNS_SRV, DNS_TXT };

enum dns_state {
	DNS_FOUND,
	DNS_ABSENT, /* no such name, or no such record of it */
	DNS_FAILED, /* nobody says */
};

struct dns_srv {
	uint16_t priority;
	uint16_t weight;
	uint16_t port;
	char host[DNS_HOST_LEN + 1]; /* without a dot at its end */
};

/* Records beyond what there is room for are left out. */
struct dns_answer {
	enum dns_state state;
	uint32_t ttl_s; /* the least of them */
	size_t n;
	union {
		struct net_addr addr[RESOLVE_MAX]; /* port 0 */
		struct dns_srv srv[DNS_SRV_MAX];
		/* Its strings joined, up to a NUL. */
		char txt[DNS_TXT_MAX][DNS_TXT_LEN + 1];
	} u;
	char why[DNS_WHY_MAX]; /* not found: a few words for people */
};

/* The resolver may be asked again, or freed, from here. */
typedef void (*dns_fn)(void *ctx, const struct dns_answer *a);

/*
 * Ask for @name, as it is: no domain is appended, but for addresses of a name
 * without a dot at its end.  0, or -ENOMEM and no call back.
 */
int dns_ask(struct resolver *r, enum dns_kind kind, const char *name, dns_fn fn,
	    void *ctx);

/* dns_read.c: the records of @kind, SRV or TXT, in an answer as it came. */
void dns_read(enum dns_kind kind, const uint8_t *buf, size_t len,
	      struct dns_answer *out);

#endif
