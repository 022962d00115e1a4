/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_IO_DNS_PRIV_H
#define DAEMON_IO_DNS_PRIV_H

/* For dns*.c only. */

#include <ares.h>
#include <stdbool.h>
#include <time.h>

#include "daemon/io/dns.h"

#define DNS_FDS 16U /* sockets that c-ares has open at once */
#define DNS_SERVERS_TEXT 512U

struct dns_query;

struct dns_watch {
	ares_socket_t fd;
	struct event *ev;
};

struct resolver {
	struct event_base *base;
	ares_channel channel; /* NULL: to be opened */
	struct event *timer;
	struct dns_watch watch[DNS_FDS];
	struct dns_query *queries;
	struct timespec read_at; /* the servers file's age when it was read */
	char servers[DNS_SERVERS_TEXT]; /* empty: those of the system */
	bool closing;
};

/* dns_channel.c: c-ares is ready, with the servers of now. */
bool dns_channel(struct resolver *r);
void dns_arm_timer(struct resolver *r);

/* dns.c: out of the resolver's list, and gone. */
void dns_query_free(struct dns_query *q);

#endif
